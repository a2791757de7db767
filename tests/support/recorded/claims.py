"""What is claimed in the place of a right gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from support.recorded.costs import Array, Nest, lattice

Change = Callable[[Array, Array], Array]


def times(factor: float) -> Change:
    """Return a factor on all entries."""
    return lambda g, _: factor * g


def part(where: Callable[[int], Any], factor: float) -> Change:
    """Return a factor on a part of the entries; `where` takes how many there are."""

    def spoiled(g: Array, _: Array) -> Array:
        flat = g.flatten()
        flat[where(flat.size)] *= factor
        return flat.reshape(g.shape)

    return spoiled


def one_entry(factor: float, place: float = 0.5) -> Change:
    """Return a factor on one entry, and the largest of the array in its place if it is 0."""

    def spoiled(g: Array, _: Array) -> Array:
        wrong, at = g.copy(), int(place * (g.size - 1))
        wrong.flat[at] = factor * g.flat[at] if g.flat[at] else (abs(g).max() or 1.0)
        return wrong

    return spoiled


def clipped(g: Array, _: Array) -> Array:
    """Clip to half of the largest entry."""
    most = abs(g).max() / 2
    return np.clip(g, -most, most)


def scattered(g: Array, _: Array) -> Array:
    """Put every entry off by some percent."""
    return g * (1 + lattice(g.size, turn=9).reshape(g.shape) / 16)


def transposed(g: Array, _: Array) -> Array:
    """Transpose a square array, and turn around another one."""
    square = g.ndim == 2 and g.shape[0] == g.shape[1]
    return g.T.copy() if square else g.ravel()[::-1].reshape(g.shape)


CHANGES: dict[str, Change] = {
    "doubled": times(2.0),
    "of the other sign": times(-1.0),
    "times 1.1": times(1.1),
    "times 1.000001": times(1.000001),
    "zero": times(0.0),
    "one entry times 1.25": one_entry(1.25),
    "first entry times -3": one_entry(-3.0, 0.0),
    "last entry times 1.001": one_entry(1.001, 1.0),
    "one entry not a number": part(lambda n: n // 3, np.nan),
    "its second half doubled": part(lambda n: slice(n // 2, None), 2.0),
    "every second entry of the other sign": part(lambda _: slice(None, None, 2), -1.0),
    "clipped": clipped,
    "scattered": scattered,
    "without a penalty": lambda g, w: g - w / 4,
    "times the parameters": lambda g, w: g * w,
    "in single precision": lambda g, _: g.astype(np.float32).astype(np.float64),
    "constant": lambda g, _: np.full_like(g, 0.25),
    "in another order": transposed,
}


def claim(gradient: Nest, point: Nest, name: str, change: str) -> Nest:
    """Return a gradient, one array of which is changed."""
    changed: Any = CHANGES[change](gradient[name], point[name])
    return {**gradient, name: changed}
