"""What a wrong gradient looks like: a tuple of small rules, the most specific first.

A rule proposes what the right gradient would be if its mistake had been made,
and believes in it if the measured slopes agree. So the same rules serve where every entry
was measured, and where an array was only probed along a few random directions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Mistake(NamedTuple):
    """A kind of mistake, the factor where the gradient is a multiple, and the mistake in words."""

    kind: str
    factor: float | None
    text: str


class Evidence(NamedTuple):
    """A gradient that is wrong, and measured slopes along some directions.

    `project` takes an array in the shape of the gradient, and returns its products
    with these directions; the right gradient would give `slopes`, within `errors`.
    `others` are the gradients of the other arrays, by path.
    """

    gradient: Array
    parameters: Array
    project: Callable[[Array], Array]
    slopes: Array
    errors: Array
    others: dict[str, Array]

    def agrees(self, products: Array) -> bool:
        """Tell whether the products of a gradient with the directions are the measured slopes.

        Examples
        --------
        Beyond the errors, no more than rounding is forgiven:

        >>> slopes = np.array([0.0, 1000.0])
        >>> exact = Evidence(slopes, slopes, np.ravel, slopes, errors=np.zeros(2), others={})
        >>> exact.agrees(slopes + [0, 1e-9]), exact.agrees(slopes + [0, 1e-8])
        (True, False)
        """
        rounding = 1e-12 * (np.abs(products) + np.abs(self.slopes))
        return bool(np.all(np.abs(products - self.slopes) <= self.errors + rounding))

    def multiple(self, products: Array, of: Array) -> float | None:
        """Return the x for which x * products is `of`, within the errors; None if there is none.

        Examples
        --------
        >>> slopes = np.array([0.5, -1.0, 0.0])
        >>> exact = Evidence(slopes, slopes, np.ravel, slopes, errors=np.zeros(3), others={})
        >>> exact.multiple(slopes, of=3 * slopes)
        3.0
        >>> exact.multiple(slopes, of=slopes + 1)  # none
        >>> exact.multiple(0 * slopes, of=slopes)  # none, either

        Rounding is forgiven, and one product is enough if all others are 0:

        >>> f"{exact.multiple(slopes, of=3 * slopes + [3e-12, 0, 0]):.6f}"
        '3.000000'
        >>> exact.multiple(np.array([0.0, 1.0, 0.0]), of=np.array([0.0, 3.0, 0.0]))
        3.0

        Otherwise two have to show, since what shows in one may be a mistake of that entry:

        >>> rough = exact._replace(errors=np.full(3, 1e-3))
        >>> f"{rough.multiple(np.array([0.5, -1.0, 1e-6]), of=np.array([1.5, -3.0, 0.0])):.6f}"
        '3.000000'
        >>> rough.multiple(np.array([0.5, 1e-6, 1e-6]), of=np.array([1.5, 0.0, 0.0]))
        """
        telling = np.abs(products) > 0
        weights = np.where(self.errors > 0, self.errors, np.finfo(float).tiny)
        scaled = products / weights
        if not telling.any() or not np.isfinite(scaled).all():
            return None
        largest = np.abs(scaled).max()
        scaled = scaled / largest
        x = float(scaled @ (of / weights / largest) / (scaled @ scaled))
        rounding = 1e-12 * (np.abs(x * products) + np.abs(of))
        fits = np.all(np.abs(x * products - of) <= self.errors + rounding)
        shows = np.count_nonzero(np.abs(x * products) > self.errors)
        return x if fits and shows >= min(2, int(np.count_nonzero(telling))) else None


def name_mistake(evidence: Evidence) -> Mistake:
    """Return the first of the mistakes that the evidence fits."""
    return next(filter(None, (rule(evidence) for rule in RULES)), UNKNOWN)


def not_finite(evidence: Evidence) -> Mistake | None:
    """Recognise entries that are nan or infinite."""
    return not_finite_in(evidence.gradient)


def not_finite_in(gradient: Array) -> Mistake | None:
    """Say which entries of a gradient are nan or infinite.

    Examples
    --------
    >>> for gradient in (math.inf, [1.0, math.nan], [math.inf, math.nan]):
    ...     print(not_finite_in(np.array(gradient)).text)
    it is nan or infinite
    the entry at [1] is nan or infinite
    2 entries are nan or infinite, the first at [0]
    """
    bad = ~np.isfinite(gradient)
    if not bad.any():
        return None
    first = ", ".join(str(i) for i in np.argwhere(bad)[0])
    count = np.count_nonzero(bad)
    if not gradient.shape:
        return Mistake("not finite", None, "it is nan or infinite")
    if count == 1:
        return Mistake("not finite", None, f"the entry at [{first}] is nan or infinite")
    text = f"{count} entries are nan or infinite, the first at [{first}]"
    return Mistake("not finite", None, text)


def zero(evidence: Evidence) -> Mistake | None:
    """Recognise a gradient of zero where the cost depends on the parameters.

    Examples
    --------
    It is 0 times the numerical gradient:

    >>> slopes = np.array([1.0, 2.0])
    >>> zero(Evidence(0 * slopes, slopes, np.ravel, slopes, errors=np.zeros(2), others={})).factor
    0.0
    """
    if evidence.gradient.any():
        return None
    return Mistake("zero", 0.0, "it is zero, and the cost depends on it: is it never computed?")


def transposed(evidence: Evidence) -> Mistake | None:
    """Recognise two axes of the same length that are exchanged."""
    g = evidence.gradient
    for a, b in combinations(range(g.ndim), 2):
        if g.shape[a] == g.shape[b] and evidence.agrees(evidence.project(g.swapaxes(a, b))):
            axes = f"its axes {a} and {b} are exchanged"
            text = "it is the transpose of the numerical gradient" if g.ndim == 2 else axes
            return Mistake("transposed", None, text)
    return None


def turned(evidence: Evidence) -> Mistake | None:
    """Recognise a kernel that is turned by 180 degrees, in the first two axes or the last two.

    Examples
    --------
    >>> kernels = np.arange(36.0).reshape(2, 2, 3, 3)
    >>> no_errors = np.zeros(36)
    >>> for axes in (0, 1), (2, 3), (1, 2):
    ...     g = np.flip(kernels, axes)
    ...     mistake = turned(Evidence(g, g, np.ravel, kernels.ravel(), no_errors, others={}))
    ...     print(mistake.kind if mistake else None)
    turned
    turned
    None

    A single column upside down is no kernel:

    >>> column = np.array([[1.0], [2.0]])
    >>> turned(Evidence(column[::-1], column, np.ravel, column.ravel(), np.zeros(2), others={}))
    """
    g = evidence.gradient
    for axes in ((0, 1), (-2, -1)) if g.ndim > 1 else ():
        plane = min(g.shape[axis] for axis in axes) > 1
        if plane and evidence.agrees(evidence.project(np.flip(g, axes))):
            text = "it is turned by 180 degrees: is a convolution taken for a correlation?"
            return Mistake("turned", None, text)
    return None


def reordered(evidence: Evidence) -> Mistake | None:
    """Recognise the right entries in the order of another memory layout."""
    g = evidence.gradient
    if g.ndim < 2:
        return None
    for right in (g.reshape(-1).reshape(g.shape, order="F"), g.reshape(-1, order="F")):
        if evidence.agrees(evidence.project(right.reshape(g.shape))):
            text = "its entries stand in the other order: is it flattened by columns, or by rows?"
            return Mistake("reordered", None, text)
    return None


def swapped(evidence: Evidence) -> Mistake | None:
    """Recognise the gradient of another array."""
    for path, other in evidence.others.items():
        alike = other.shape == evidence.gradient.shape and np.isfinite(other).all()
        if alike and evidence.agrees(evidence.project(other)):
            return Mistake("swapped", None, f"the numerical gradient is the one claimed for {path}")
    return None


def permuted(evidence: Evidence) -> Mistake | None:
    """Recognise rows, or columns, in another order; probes show only shifts and flips."""
    g = evidence.gradient
    for axis in range(g.ndim):
        for right in _orders(evidence, axis):
            if evidence.agrees(evidence.project(right)):
                name = "entries" if g.ndim == 1 else f"{_axis_name(axis, g.ndim)}s"
                return Mistake("permuted", None, f"its {name} stand in another order")
    return None


def _orders(evidence: Evidence, axis: int) -> Iterator[Array]:
    """Yield the orders that rows may have been taken out of.

    Examples
    --------
    Two probes show shifts by one, and a flip; where every entry was measured, any order shows:

    >>> g, right = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 1.0, 4.0, 3.0])
    >>> probes = Evidence(g, g, lambda g: g[:2], right[:2], errors=np.zeros(2), others={})
    >>> [order.tolist() for order in _orders(probes, 0)]
    [[4.0, 1.0, 2.0, 3.0], [2.0, 3.0, 4.0, 1.0], [4.0, 3.0, 2.0, 1.0]]
    >>> entries = Evidence(g, g, np.ravel, right, errors=np.zeros(4), others={})
    >>> list(_orders(entries, 0))[-1].tolist()
    [2.0, 1.0, 4.0, 3.0]
    """
    g = evidence.gradient
    for shift in (1, -1):
        yield np.roll(g, shift, axis)
    yield np.flip(g, axis)
    if evidence.slopes.size == g.size:
        yield _matched(g, evidence.slopes.reshape(g.shape), axis)


def _matched(gradient: Array, slopes: Array, axis: int) -> Array:
    """Return the gradient with each of its rows put where the slopes are most like it."""
    rows, wanted = (np.moveaxis(a, axis, 0).reshape(a.shape[axis], -1) for a in (gradient, slopes))
    order: list[int] = []
    for row in wanted:
        distances = np.abs(rows - row).sum(axis=1)
        distances[order] = np.inf
        order.append(int(np.argmin(distances)))
    return np.take(gradient, order, axis)


def multiple(evidence: Evidence) -> Mistake | None:
    """Recognise a multiple of the right gradient."""
    products = evidence.project(evidence.gradient)
    right = evidence.multiple(products, evidence.slopes)
    if not right:
        return None
    factor = 1 / right
    text = _familiar(factor)
    # If only one of several entries is not zero, any mistake in it would be a factor.
    if not text and np.count_nonzero(products) == 1 < evidence.gradient.size:
        return None
    return Mistake("factor", factor, text or f"it is {_shown(factor)} times the numerical gradient")


def _shown(factor: float) -> str:
    """Show a factor so that it differs from 1.

    Examples
    --------
    >>> _shown(1.3), _shown(1.00002), _shown(0.99998)
    ('1.3', '1 + 2e-05', '1 - 2e-05')
    """
    sign, off = "+" if factor > 1 else "-", abs(factor - 1)
    return f"{factor:.5g}" if off > 1e-4 else f"1 {sign} {off:.0e}"


def _familiar(factor: float) -> str:
    """Say where a factor may come from, if it is a usual one.

    Examples
    --------
    >>> _familiar(-0.5)
    'it is half the numerical gradient with the wrong sign: is the 2 of a square missing?'
    >>> _familiar(1.3)
    ''
    """
    sign = " with the wrong sign" if factor < 0 else ""
    size = _usual(abs(factor))
    if not size:
        return ""
    if size == 1:
        return "it has the wrong sign" if sign else ""
    if size == 2:
        return f"it is 2 times the numerical gradient{sign}: is there a 2 too many?"
    if size == Fraction(1, 2):
        return f"it is half the numerical gradient{sign}: is the 2 of a square missing?"
    if size > 1:
        return (
            f"it is {size} times the numerical gradient{sign}: "
            f"is there a {size} too many, or the mean over {size} examples missing?"
        )
    return (
        f"it is {size} of the numerical gradient{sign}: "
        f"is a mean over {size.denominator} taken where a sum belongs?"
    )


def _usual(size: float) -> Fraction | None:
    """Return the whole number that a size nearly is, or one divided by a whole number.

    Examples
    --------
    >>> [str(_usual(size)) for size in (32.0005, 1 / 31.9995, 2, 1, 1 / 4096)]
    ['32', '1/32', '2', '1', '1/4096']

    Nearly every large number is near to a whole one, and so is one divided by a tiny number:

    >>> [_usual(size) for size in (1.3, 1000.05, 1 / 4097)]
    [None, None, None]
    """
    near = Fraction(round(size)) if size > 1 else Fraction(1, round(1 / max(size, 1 / 4096)))
    return near if abs(size - near) <= min(1e-4 * size, 0.01) else None


def regularisation(evidence: Evidence) -> Mistake | None:
    """Recognise that a multiple of the parameters is missing, or too much.

    Examples
    --------
    >>> w, right, errors = np.array([0.5, 0.25]), np.array([1.0, -2.0]), np.full(2, 1e-9)
    >>> regularisation(Evidence(right - 0.1 * w, w, np.ravel, right, errors, others={})).text
    '0.1 times the parameters is missing: is it the L2 term?'
    """
    lacking = evidence.slopes - evidence.project(evidence.gradient)
    strength = evidence.multiple(evidence.project(evidence.parameters), lacking)
    if not strength or evidence.gradient.size == 1:
        return None
    if strength > 0:
        text = f"{strength:.4g} times the parameters is missing: is it the L2 term?"
    else:
        text = f"it has {-strength:.4g} times the parameters too much: is the L2 term doubled?"
    return Mistake("regularisation", None, text)


def offset(evidence: Evidence) -> Mistake | None:
    """Recognise a number that is added to every entry.

    Examples
    --------
    >>> right, errors = np.array([1.0, -2.0]), np.full(2, 1e-9)
    >>> offset(Evidence(right + 0.5, right, np.ravel, right, errors, others={})).text
    'each entry is too large by 0.5'
    """
    ones = evidence.project(np.ones_like(evidence.gradient))
    added = evidence.multiple(ones, evidence.project(evidence.gradient) - evidence.slopes)
    if not added or evidence.gradient.size == 1:
        return None
    side = "large" if added > 0 else "small"
    return Mistake("offset", None, f"each entry is too {side} by {abs(added):.4g}")


def placed(shape: tuple[int, ...], places: Array) -> Mistake | None:
    """Name the entry, the row or the column in which all wrong entries of an array lie.

    Examples
    --------
    >>> placed((3, 4), np.array([[1, 2]])).text
    'one of its 12 entries is wrong, all others are right'
    >>> placed((3, 4), np.array([[1, 2], [1, 3]])).text
    'only its row 1 is wrong'
    >>> placed((3, 1), np.array([[0, 0], [2, 0]]))  # its only column
    """
    if len(places) == 1:
        count = math.prod(shape)
        return Mistake("entry", None, f"one of its {count} entries is wrong, all others are right")
    for axis in range(len(shape)):
        if len(set(places[:, axis])) == 1 < shape[axis]:
            name = _axis_name(axis, len(shape))
            return Mistake(name, None, f"only its {name} {places[0, axis]} is wrong")
    return None


def _axis_name(axis: int, ndim: int) -> str:
    """Return what one place along an axis is called.

    Examples
    --------
    >>> [_axis_name(axis, ndim=3) for axis in range(3)]
    ['row', 'slice', 'column']
    """
    return {0: "row", ndim - 1: "column"}.get(axis, "slice")


UNKNOWN = Mistake("unknown", None, "it is wrong in a way that no rule knows")

RULES: tuple[Callable[[Evidence], Mistake | None], ...] = (
    not_finite,
    zero,
    transposed,
    turned,
    reordered,
    swapped,
    permuted,
    multiple,
    regularisation,
    offset,
)
