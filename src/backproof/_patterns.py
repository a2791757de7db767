"""What the rules of `mistakes` look for in numbers and in places, and how they say it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# A number is taken for a usual one if at most one in twenty would be as near to one by chance.
CHANCE = 0.05

# A factor nearer to 1 than this is shown by its distance from 1.
NEARLY_ONE = 1e-4

# More digits of a number than these tell nothing about where it comes from.
DIGITS = 5

# So many rows are listed one by one.
LISTED = 5

TO_BASE_2 = "is a logarithm to base 2 taken for the natural one, or the other way round?"
TO_BASE_10 = "is a logarithm to base 10 taken for the natural one, or the other way round?"
DEGREES = "are degrees taken for radians, or the other way round?"

# Numbers that are not whole but come up in formulas, and where they may come from.
SPECIAL = {
    "180/π": (180 / math.pi, DEGREES),
    "π/180": (math.pi / 180, DEGREES),
    "ln 2": (math.log(2), TO_BASE_2),
    "1/ln 2": (1 / math.log(2), TO_BASE_2),
    "ln 10": (math.log(10), TO_BASE_10),
    "1/ln 10": (1 / math.log(10), TO_BASE_10),
    "2/π": (2 / math.pi, "is there a 2/π too many?"),
    "π/2": (math.pi / 2, "is a 2/π missing?"),
    "√2": (math.sqrt(2), "is there a √2 too many?"),
    "1/√2": (math.sqrt(1 / 2), "is a √2 missing?"),
}

# How a gradient and the parameters are joined and by which factor, and what that may mean.
VARIABLES = {
    ("times", 1.0): "times the parameters: is it with respect to their logarithm?",
    ("times", 2.0): "times twice the parameters: is the slope of their square taken twice?",
    ("divided by", 1.0): "divided by the parameters: is the slope of their logarithm taken twice?",
    ("divided by", 0.5): (
        "divided by twice the parameters: "
        "is it with respect to their squares, such as a variance for a deviation?"
    ),
}


def shown(x: float, error: float) -> str:
    """Show the digits of a number that are known, at least one and at most five.

    Examples
    --------
    >>> shown(1.30472, 2e-3), shown(1234.5, 30)
    ('1.3', '1200')
    """
    return _rounded(x, _known(x, error))


def _known(x: float, error: float) -> int:
    """Return how many digits of a number are known, the last of them within one."""
    if error == 0:
        return DIGITS
    return math.floor(math.log10(abs(x))) - math.ceil(math.log10(error)) + 1


def _rounded(x: float, digits: int) -> str:
    return f"{float(f'{x:.{min(max(digits, 1), DIGITS)}g}'):g}"


def times(factor: float, error: float) -> str:
    """Show a factor so that it differs from 1.

    Examples
    --------
    >>> times(1.02, 0.01), times(0.99998, 1e-9)
    ('1.02', '1 - 2e-05')
    """
    off = abs(factor - 1)
    if off <= NEARLY_ONE:
        return f"1 {'+' if factor > 1 else '-'} {off:.0e}"
    apart = math.floor(math.log10(abs(factor))) - math.floor(math.log10(off)) + 1
    return _rounded(factor, max(_known(factor, error), apart))


def usual(factor: float, error: float) -> Iterator[tuple[float, str]]:
    """Yield usual factors that one with this error may be, and where they may come from.

    Examples
    --------
    >>> next(usual(-0.5, 1e-9))[1]
    'it is half the numerical gradient with the wrong sign: is the 2 of a square missing?'
    """
    sign, size = math.copysign(1.0, factor), abs(factor)
    wrong = " with the wrong sign" if sign < 0 else ""
    count = round(max(size, 1 / size))
    if count == 1 and wrong:
        yield -1.0, "it has the wrong sign"
    if count == 2 or (count > 2 and error / size * count <= CHANCE):
        yield sign * (count if size > 1 else 1 / count), _whole(count, size > 1, wrong)
    if error / size * len(SPECIAL) <= CHANCE:
        for name, (special, question) in SPECIAL.items():
            yield sign * special, f"it is {name} times the numerical gradient{wrong}: {question}"


def _whole(count: int, multiplied: bool, wrong: str) -> str:
    """Say where a whole number may come from, by which a gradient is multiplied, or divided."""
    if count == 2 and multiplied:
        return f"it is 2 times the numerical gradient{wrong}: is there a 2 too many?"
    if count == 2:
        return f"it is half the numerical gradient{wrong}: is the 2 of a square missing?"
    if multiplied:
        return (
            f"it is {count} times the numerical gradient{wrong}: "
            f"is there a {count} too many, or the mean over {count} examples missing?"
        )
    return (
        f"it is 1/{count} of the numerical gradient{wrong}: "
        f"is a mean over {count} taken where a sum belongs?"
    )


def axis_name(axis: int, ndim: int) -> str:
    """Return what one place along an axis is called.

    Examples
    --------
    >>> [axis_name(axis, ndim=3) for axis in range(3)]
    ['row', 'slice', 'column']
    """
    if ndim == 1:
        return "entry"
    return {0: "row", ndim - 1: "column"}.get(axis, "slice")


def axis_names(axis: int, ndim: int) -> str:
    """Return what several places along an axis are called."""
    return "entries" if ndim == 1 else f"{axis_name(axis, ndim)}s"


def places(chosen: Array, axis: int, ndim: int) -> str:
    """Name the places along an axis that are chosen.

    Examples
    --------
    >>> places(np.arange(8) % 2 == 1, axis=0, ndim=2)
    'every second row from row 1 on'
    """
    one, several, found = axis_name(axis, ndim), axis_names(axis, ndim), np.flatnonzero(chosen)
    first, last, count = int(found[0]), int(found[-1]), found.size
    if count == 1:
        return f"its {one} {first}"
    if 2 < count == last - first + 1:
        return f"its {several} {first} to {last}"
    if 2 < count == len(chosen[first % 2 :: 2]) and np.all(found % 2 == first):
        return f"every second {one} from {one} {first} on"
    if count <= LISTED:
        return f"its {several} {', '.join(map(str, found[:-1]))} and {last}"
    return f"{count} of its {len(chosen)} {several}, the first of them {first}"


def parts(gradient: Array, parameters: Array, wrong: Array | None) -> Iterator[tuple[str, Array]]:
    """Yield parts of an array that code may treat by themselves, by name, each as a mask.

    Of several rows or columns in succession, halves are tried,
    and the smallest range around those that are `wrong`, where that is known.
    """
    for name, sign in (("negative", -1), ("positive", 1)):
        yield f"where the parameter is {name}", sign * parameters > 0
    for axis, n in enumerate(gradient.shape):
        shape = [-1 if a == axis else 1 for a in range(gradient.ndim)]
        for piece in _slices(n, None if wrong is None else along(wrong, axis)):
            chosen = np.zeros(n, dtype=bool)
            chosen[piece] = True
            if 1 < np.count_nonzero(chosen) < n:
                mask = np.broadcast_to(chosen.reshape(shape), gradient.shape)
                yield f"in {places(chosen, axis, gradient.ndim)}", mask


def _slices(n: int, wrong: Array | None) -> Iterator[slice]:
    half = n // 2
    yield from (slice(0, half), slice(half, n), slice(0, n, 2), slice(1, n, 2))
    if wrong is not None and wrong.any():
        found = np.flatnonzero(wrong)
        yield slice(int(found[0]), int(found[-1]) + 1)


def along(mask: Array, axis: int) -> Array:
    """Tell in which places along an axis a mask is anywhere true."""
    others = tuple(a for a in range(mask.ndim) if a != axis)
    return np.asarray(mask.any(axis=others))


def matched(gradient: Array, slopes: Array, axis: int) -> Array:
    """Return the gradient with each of its rows put where the slopes are most like it."""
    rows, wanted = (np.moveaxis(a, axis, 0).reshape(a.shape[axis], -1) for a in (gradient, slopes))
    order: list[int] = []
    for row in wanted:
        distances = np.abs(rows - row).sum(axis=1)
        distances[order] = np.inf
        order.append(int(np.argmin(distances)))
    return np.take(gradient, order, axis)
