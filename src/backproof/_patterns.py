"""How the rules of `mistakes` look at numbers and at places, and how they say it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from backproof._evidence import Array

CHANCE = 0.05  # so rarely may a number be as near to a usual one by chance
NEARLY_ONE = 1e-4  # nearer to 1, a factor is shown by its distance
DIGITS = 5  # more of them tell nothing about where a number comes from
LISTED = 5  # so many rows are listed one by one

TO_BASE_2 = "is a base-2 logarithm taken for the natural one, or the reverse?"
TO_BASE_10 = "is a base-10 logarithm taken for the natural one, or the reverse?"
DEGREES = "are degrees taken for radians, or the reverse?"

# Numbers that are not whole but come up in formulas, and where they may come from.
SPECIAL = [
    (180 / math.pi, "180/π times", DEGREES),
    (math.pi / 180, "π/180 times", DEGREES),
    (math.log(2), "ln 2 times", TO_BASE_2),
    (1 / math.log(2), "1/ln 2 times", TO_BASE_2),
    (math.log(10), "ln 10 times", TO_BASE_10),
    (1 / math.log(10), "1/ln 10 times", TO_BASE_10),
    (2 / math.pi, "2/π times", "is there a 2/π too many?"),
    (math.pi / 2, "π/2 times", "is a 2/π missing?"),
    (math.sqrt(2), "√2 times", "is there a √2 too many?"),
    (math.sqrt(1 / 2), "1/√2 times", "is a √2 missing?"),
]

SQUARES = "is it with respect to their squares, such as a variance for a standard deviation?"
MULTIPLIED = "were they multiplied in once too often, or is it with respect to their logarithm?"
DIVIDED = "is this factor missing, or is the slope of their logarithm taken twice?"

# How a gradient and the parameters are joined and by which factor, and what that may mean.
VARIABLES = {
    ("times", 1.0): f"times the parameters: {MULTIPLIED}",
    ("times", 2.0): "times twice the parameters: is the slope of their square taken twice?",
    ("divided by", 1.0): f"divided by the parameters: {DIVIDED}",
    ("divided by", 0.5): f"divided by twice the parameters: {SQUARES}",
}


def shown(x: float, error: float, least: int = 1) -> str:
    """Show the digits of a number that are known, the last of them within one.

    Examples
    --------
    >>> shown(1.30472, 2e-3), shown(1234.5, 30)
    ('1.3', '1200')
    """
    known = math.floor(math.log10(abs(x))) - math.ceil(math.log10(error)) + 1 if error else DIGITS
    return f"{float(f'{x:.{min(max(known, least, 1), DIGITS)}g}'):g}"


def times(factor: float, error: float) -> str:
    """Show a factor so that it differs from 1."""
    off = abs(factor - 1)
    if off <= NEARLY_ONE:
        return f"1 {'+' if factor > 1 else '-'} {off:.0e}"
    apart = math.floor(math.log10(abs(factor))) - math.floor(math.log10(off)) + 1
    return shown(factor, error, apart)


def usual(factor: float, error: float) -> Iterator[tuple[float, str]]:
    """Yield the usual factors that one may be, and where they come from, and last itself."""
    sign, wrong = (-1.0, " with the wrong sign") if factor < 0 else (1.0, "")
    size, share = abs(factor), error / abs(factor)
    count = round(max(size, 1 / size))
    if count == 1 and factor < 0:
        yield -1.0, "it has the wrong sign"
    whole = count == 2 or (count > 2 and share * count <= CHANCE)
    likely = [_whole(count, size > 1)] if whole else []
    likely += SPECIAL if share * len(SPECIAL) <= CHANCE else []
    for near, multiple, question in likely:
        yield sign * near, f"it is {multiple} the numerical gradient{wrong}: {question}"
    yield factor, f"it is {times(factor, error)} times the numerical gradient"


def _whole(count: int, multiplied: bool) -> tuple[float, str, str]:
    """Say where a whole number may come from, by which a gradient is multiplied, or divided."""
    if multiplied:
        mean = f", or a mean over {count} missing" if count > 2 else ""
        return count, f"{count} times", f"is there a {count} too many{mean}?"
    if count == 2:
        return 1 / 2, "half", "is the 2 of a square missing?"
    return 1 / count, f"1/{count} of", f"is a mean over {count} taken where a sum belongs?"


def axis_names(axis: int, ndim: int) -> tuple[str, str]:
    """Return what one place along an axis is called, and what several are."""
    if ndim == 1:
        return "entry", "entries"
    name = {0: "row", ndim - 1: "column"}.get(axis, "slice")
    return name, f"{name}s"


def places(chosen: Array, axis: int) -> str:
    """Name the places along an axis that are chosen."""
    (one, several), found = axis_names(axis, chosen.ndim), np.flatnonzero(chosen)
    first, last, count = int(found[0]), int(found[-1]), found.size
    if count == 1:
        return f"its {one} {first}"
    if 2 < count == last - first + 1:
        return f"its {several} {first} to {last}"
    if count > 2 and np.array_equal(found, np.arange(first, chosen.size, 2)):
        return f"every second {one} from {one} {first} on"
    if count <= LISTED:
        return f"its {several} {', '.join(map(str, found[:-1]))} and {last}"
    return f"{count} of its {chosen.size} {several}, the first of them {first}"


def along(mask: Array, axis: int) -> Array:
    """Tell in which places along an axis a mask is anywhere true, in as many axes."""
    others = tuple(a for a in range(mask.ndim) if a != axis)
    return np.asarray(mask.any(axis=others, keepdims=True))
