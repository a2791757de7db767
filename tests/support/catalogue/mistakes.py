"""Mistakes to plant in an array of a right gradient.

Each is a function of the right array, the parameters there, an amount and a source of chance.
The amount is the factor of "factor", and otherwise how large the mistake is
in relation to the largest entry, where its kind leaves that open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from support.catalogue.model import Array

Plant = Callable[[Array, Array, float, np.random.Generator], Array]


def factor(right: Array, _: Array, amount: float, __: np.random.Generator) -> Array:
    """Multiply the array."""
    return amount * right


def zero(right: Array, *_: object) -> Array:
    """Leave the array out."""
    return np.zeros_like(right)


def transposed(right: Array, *_: object) -> Array:
    """Transpose a square array."""
    return right.T.copy()


def turned(right: Array, *_: object) -> Array:
    """Turn the array by 180 degrees."""
    return right[::-1, ::-1].copy()


def reordered(right: Array, *_: object) -> Array:
    """Flatten the array column by column, and shape it row by row."""
    return right.ravel(order="F").reshape(right.shape)


def permuted(right: Array, _: Array, __: float, rng: np.random.Generator) -> Array:
    """Put the rows or the columns in another order, none where it was."""
    axis = int(rng.integers(2))
    n = right.shape[axis]
    order = rng.permutation(n)
    moved = np.empty(n, dtype=int)
    moved[order] = np.roll(order, 1)  # one cycle through all
    return right.take(moved, axis=axis)


def row(right: Array, _: Array, amount: float, rng: np.random.Generator) -> Array:
    """Disturb one row."""
    return _disturbed(right, (int(rng.integers(len(right))),), amount, rng)


def column(right: Array, _: Array, amount: float, rng: np.random.Generator) -> Array:
    """Disturb one column."""
    return _disturbed(right, (slice(None), int(rng.integers(right.shape[1]))), amount, rng)


def entry(right: Array, _: Array, amount: float, rng: np.random.Generator) -> Array:
    """Disturb one entry."""
    index = tuple(int(rng.integers(n)) for n in right.shape)
    return _disturbed(right, index, amount, rng)


def regularisation(
    right: Array, parameter: Array, amount: float, rng: np.random.Generator
) -> Array:
    """Add or take off a multiple of the parameters."""
    sign = float(rng.choice([-1.0, 1.0]))
    return right + sign * amount * _largest(right) / _largest(parameter) * parameter


def offset(right: Array, _: Array, amount: float, rng: np.random.Generator) -> Array:
    """Add a constant."""
    return right + float(rng.choice([-1.0, 1.0])) * amount * _largest(right)


def lasso(right: Array, parameter: Array, amount: float, rng: np.random.Generator) -> Array:
    """Add or take off a multiple of the signs of the parameters."""
    return right + float(rng.choice([-1.0, 1.0])) * amount * _largest(right) * np.sign(parameter)


def spared(right: Array, parameter: Array, amount: float, rng: np.random.Generator) -> Array:
    """Add or take off a multiple of the parameters, or of their signs, but in the first row."""
    penalised = regularisation if rng.random() < 0.5 else lasso
    wrong = penalised(right, parameter, amount, rng)
    wrong[0] = right[0]
    return wrong


def variable(right: Array, parameter: Array, _: float, rng: np.random.Generator) -> Array:
    """Multiply the array with the parameters, or divide it by them."""
    return right * parameter if rng.random() < 0.5 else right / parameter


def part(right: Array, *_: object) -> Array:
    """Multiply the second half of the rows."""
    wrong = right.copy()
    wrong[len(right) // 2 :] *= 3
    return wrong


def unfilled(right: Array, _: Array, __: float, rng: np.random.Generator) -> Array:
    """Leave two rows out."""
    wrong = right.copy()
    wrong[rng.permutation(len(right))[:2]] = 0
    return wrong


def clipped(right: Array, *_: object) -> Array:
    """Cut off the larger half of the entries."""
    limit = float(np.median(np.abs(right)))
    return np.clip(right, -limit, limit)


def inexact(right: Array, _: Array, __: float, rng: np.random.Generator) -> Array:
    """Disturb every entry where few see it."""
    return _disturbed(right, (...,), 5e-5, rng)


def unknown(right: Array, _: Array, amount: float, rng: np.random.Generator) -> Array:
    """Disturb every entry."""
    return _disturbed(right, (...,), amount, rng)


def not_finite(right: Array, _: Array, __: float, rng: np.random.Generator) -> Array:
    """Put a nan or an infinity in one entry."""
    wrong = right.copy()
    wrong.flat[rng.integers(right.size)] = rng.choice([np.nan, np.inf, -np.inf])
    return wrong


def _disturbed(right: Array, index: Any, amount: float, rng: np.random.Generator) -> Array:
    """Add numbers of both signs, each of half the amount to the whole."""
    wrong = right.copy()
    part = wrong[index]
    sizes = rng.uniform(0.5, 1, np.shape(part)) * rng.choice([-1.0, 1.0], np.shape(part))
    wrong[index] = part + amount * _largest(right) * sizes / np.abs(sizes).max()
    return wrong


def _largest(array: Array) -> float:
    return float(np.abs(array).max())


PLANTS: dict[str, Plant] = {
    "factor": factor,
    "zero": zero,
    "transposed": transposed,
    "turned": turned,
    "reordered": reordered,
    "permuted": permuted,
    "row": row,
    "column": column,
    "entry": entry,
    "regularisation": regularisation,
    "offset": offset,
    "lasso": lasso,
    "spared": spared,
    "variable": variable,
    "part": part,
    "unfilled": unfilled,
    "clipped": clipped,
    "inexact": inexact,
    "unknown": unknown,
    "not finite": not_finite,
}

# Kinds of which the amount says how large they are; the others are as large as they are.
SIZED = {"row", "column", "entry", "regularisation", "offset", "lasso", "spared", "unknown"}


def fits(kind: str, right: Array, parameter: Array) -> bool:
    """Tell whether a mistake is of this kind in this array, and of no simpler one."""
    if not right.any():
        return kind == "not finite"
    matrix = right.ndim == 2 and min(right.shape) > 1
    rows = len(right) if right.ndim else 0
    square = matrix and right.shape[0] == right.shape[1]
    return {
        "transposed": square,
        "turned": matrix,
        "reordered": matrix and not square,  # of a square array, that is the transpose
        "permuted": matrix,
        "row": right.ndim > 1 and min(right[0].size, len(right)) > 1,
        "column": matrix,
        "entry": right.size > 2,
        "regularisation": right.size > 2 and float(np.ptp(parameter)) > 0,
        "offset": right.size > 2,
        "lasso": right.size > 3 and np.unique(np.sign(parameter)).size > 1,
        "spared": rows > 3 and bool(parameter.all()) and float(np.ptp(parameter[1:])) > 0,
        "variable": right.size > 2 and bool(parameter.all()) and float(np.ptp(parameter)) > 0,
        "part": rows > 3 and right[rows // 2 :].size > 4 and bool(right.all()),
        "unfilled": matrix and rows > 2 and bool(right.all()),
        "clipped": np.unique(np.abs(right)).size > 3,
        "inexact": right.size > 3,
        "unknown": right.size > 3,
    }.get(kind, True)


def relative_change(claimed: Array, right: Array) -> float:
    """Return the largest change of an entry, relative to the largest right entry."""
    if not np.isfinite(claimed).all():
        return np.inf
    change = _largest(np.asarray(claimed, np.float64) - right)
    return change / _largest(right) if right.any() else change
