"""The relative difference of two gradients."""

from __future__ import annotations

import math

import numpy as np

from backproof._calling import public
from backproof._parameters import Nest, Vector, vector_like

# The squares of numbers between these are floats, and so are sums of them.
SQUARED = 1e-140, 1e140

# Powers of a number of about 1 are floats up to this order of a norm.
MOST = 500


@public({})
def relative_difference(gradient: Nest, approximation: Nest, ord: float = 2) -> float:
    """Return ||gradient - approximation|| / (||gradient|| + ||approximation||).

    Parameters
    ----------
    gradient, approximation
        Numbers, arrays or nests of them, with the same structure and shapes.
        All entries of each form one vector.
    ord
        The order of the norm, as `numpy.linalg.norm` defines it for a vector:
        2 (the default), 1, `inf`, or any other number from 1 to 500.
        A matrix is flattened first, since its own 2-norm is the largest singular value.

    Returns
    -------
    float
        Between 0.0 and 1.0; 0.0 where both are zero; `nan` where an entry is not finite.

    Raises
    ------
    TypeError
        If an entry is not a real number.
    ValueError
        If the structures or the shapes differ, or if `ord` is not the order of a vector norm.

    Examples
    --------
    >>> relative_difference({"W": 2.0, "b": 4.0}, {"W": 1.0, "b": 2.0})  # twice too large
    0.3333333333333333
    >>> relative_difference([0.0, 0.0], [0.0, 0.0])
    0.0

    Squares neither overflow nor underflow:

    >>> relative_difference([1e308, 1e308], [-1e308, -1e308])
    1.0
    >>> relative_difference([3e-320], [1e-320])
    0.5
    """
    require_order(ord)
    with np.errstate(all="ignore"):
        g = vector_like(approximation, gradient, "gradient")
        a = vector_like(approximation, approximation, "approximation")
        return difference_of_vectors(g, a, ord)


def difference_of_vectors(g: Vector, a: Vector, ord: float = 2) -> float:
    """Return the relative difference of two vectors."""
    both = norm(g, ord) + norm(a, ord)
    if SQUARED[0] < both < SQUARED[1]:
        return norm(g - a, ord) / both
    # Unlike max, np.maximum passes on what is not a number.
    largest = float(np.maximum(np.abs(g).max(initial=0.0), np.abs(a).max(initial=0.0)))
    if not 0 < largest < math.inf:
        return 0.0 if largest == 0 else math.nan
    _, exponent = math.frexp(largest)  # scaled by a power of 2, exactly, no sum overflows
    return difference_of_vectors(np.ldexp(g, -exponent), np.ldexp(a, -exponent), ord)


def norm(vector: Vector, ord: float = 2) -> float:
    """Return the norm of a vector; scaled likewise, no power of a small one vanishes."""
    vector = vector.astype(np.float64, copy=False)
    if ord == 2 and SQUARED[0] < (plain := math.sqrt(vector.dot(vector))) < SQUARED[1]:
        return plain
    _, exponent = math.frexp(np.abs(vector).max(initial=0.0))
    return float(np.ldexp(np.linalg.norm(np.ldexp(vector, -exponent), ord), exponent))


def require_order(ord: float) -> None:
    """Refuse what is not the order of a vector norm."""
    real = isinstance(ord, int | float | np.integer | np.floating) and not isinstance(ord, bool)
    if not real or not (1 <= ord <= MOST or ord == math.inf):
        raise ValueError(f"ord is {ord!r}: expected the order of a norm, such as 1, 2 or np.inf.")
