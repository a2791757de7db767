"""Numbers as a report writes them: with the digits that are known."""

from __future__ import annotations

import math
import sys
from decimal import ROUND_CEILING, Context, Decimal

USUAL = 6
MOST = 17  # tell any two floats apart


def digits_for(one: float, other: float, error: float) -> int:
    """Return how many digits two numbers are written with, given the error of their difference.

    They are the usual ones or as few as the error justifies, but enough to tell the two apart.

    Examples
    --------
    >>> digits_for(2.5, 1 / 3, 1e-9), digits_for(2.5, 1 / 3, 0.1), digits_for(1, 1 + 1e-12, 1e-15)
    (6, 3, 13)
    """
    apart = 1
    if one != other:
        alike = (n for n in range(1, MOST) if f"{one:.{n}g}" == f"{other:.{n}g}")
        apart += max(alike, default=0)
    if not 0 < error < math.inf:
        return max(apart, USUAL)
    justified = max(_exponent(one), _exponent(other)) - _exponent(error) + 2
    return max(apart, min(justified, USUAL))


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
