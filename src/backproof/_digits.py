"""Numbers as a report writes them: with the digits that are known."""

from __future__ import annotations

import math
import sys
from decimal import ROUND_CEILING, Context, Decimal

USUAL = 6
MOST = 17  # tell any two floats apart


def digits_for(one: float, other: float, error: float) -> int:
    """Return as many digits as an error justifies, or the usual ones, but enough to differ."""
    alike = [n for n in range(1, MOST) if f"{one:.{n}g}" == f"{other:.{n}g}" and one != other]
    justified = USUAL
    if 0 < error < math.inf:
        justified = max(_exponent(one), _exponent(other)) - _exponent(error) + 2
    return max(1 + max(alike, default=0), min(justified, USUAL))


def power_above(number: float) -> str:
    """Return the power of ten at or above a number; it may be larger than any float."""
    if not number:
        return "0"
    exponent = _exponent(number)
    return f"1e{exponent + (_decimal(number) > Decimal(1).scaleb(exponent)):+03d}"


def rounded_up(number: float, digits: int) -> str:
    """Return a positive number with some digits, the last of which is rounded up."""
    up = float(Context(digits, ROUND_CEILING).plus(_decimal(number)))
    return f"{min(up, sys.float_info.max):.{digits}g}"


def _exponent(number: float) -> int:
    """Return the power of ten of the first digit."""
    return _decimal(number).adjusted()


def _decimal(number: float) -> Decimal:
    """Return a number as it is written: 0.1 is a tenth."""
    return Decimal(repr(float(number)))
