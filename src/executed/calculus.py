"""What formulas as Python are made of, where it is no operator of Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.legendre import leggauss


def call(function: Any, *arguments: Any, power: float = 1) -> Any:
    """Return what a function gives; x (y + z) is a product, where x is a number."""
    if callable(function):
        return function(*arguments) ** power
    (argument,) = arguments
    return times(function, argument**power)


def times(left: Any, right: Any) -> Any:
    """Return a product, that of vectors and matrices where neither is a number."""
    return left @ right if np.ndim(left) and np.ndim(right) else left * right


def at(array: Any, *indices: int) -> Any:
    """Return an entry of an array, or a row."""
    return np.asarray(array)[indices]


def derivative(function: Any, point: float, order: int) -> float:
    """Return a derivative, that of a polynomial through values around the point.

    Of order 0, it is the limit: the function is not called at the point itself, which stands
    off the middle, so that a pole is no limit.
    """
    around = [point - 0.5, point + 0.6]
    curve = Chebyshev.interpolate(np.vectorize(function, otypes=[float]), 19, around)
    return float(curve.deriv(order)(point) if order else curve(point))


def partial(
    function: Any, entry: tuple[int, ...], point: Any, place: tuple[int, ...]
) -> np.ndarray[Any, Any]:
    """Return the derivative of an entry of a function by an entry, or a row, of its argument."""
    rest = np.shape(point)[len(place) :]

    def along(index: tuple[int, ...]) -> float:
        unit = np.zeros(np.shape(point))
        unit[(*place, *index)] = 1
        return derivative(lambda t: at(function(point + t * unit), *entry), 0.0, 1)

    return np.reshape([along(index) for index in np.ndindex(rest)], rest)


def integral(function: Callable[[Any], Any], low: float, high: float) -> float:
    """Return the integral of a smooth function."""
    places, weights = leggauss(20)
    values = function((low + high) / 2 + (high - low) / 2 * places)
    return float((high - low) / 2 * (weights @ (values + 0 * places)))
