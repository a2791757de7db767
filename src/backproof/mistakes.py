"""What a wrong gradient looks like: a tuple of small rules, the most specific first.

A rule proposes what the right gradient would be if its mistake had been made,
and believes in it if the measured slopes agree. So the same rules serve where every entry
was measured, and where an array was only probed along a few random directions.
"""

from __future__ import annotations

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
        """Tell whether the products of a gradient with the directions are the measured slopes."""
        rounding = 1e-12 * (np.abs(products) + np.abs(self.slopes))
        return bool(np.all(np.abs(products - self.slopes) <= self.errors + rounding))

    def multiple(self, products: Array, of: Array) -> float | None:
        """Return the x for which x * products is `of`, within the errors; None if there is none."""
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
        # What shows in a single entry of several is a mistake of that entry.
        shows = np.count_nonzero(np.abs(x * products) > self.errors)
        return x if fits and shows >= min(2, int(np.count_nonzero(telling))) else None


def name_mistake(evidence: Evidence) -> Mistake:
    """Return the first of the mistakes that the evidence fits."""
    return next(filter(None, (rule(evidence) for rule in RULES)), UNKNOWN)


def not_finite(evidence: Evidence) -> Mistake | None:
    """Recognise entries that are nan or infinite."""
    return not_finite_in(evidence.gradient)


def not_finite_in(gradient: Array) -> Mistake | None:
    """Say which entries of a gradient are nan or infinite."""
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
    """Recognise a gradient of zero where the cost depends on the parameters."""
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
    """Recognise a kernel that is turned by 180 degrees, in the first two axes or the last two."""
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
    """Show a factor so that it differs from 1."""
    sign, off = "+" if factor > 1 else "-", abs(factor - 1)
    return f"{factor:.5g}" if off > 1e-4 else f"1 {sign} {off:.0e}"


def _familiar(factor: float) -> str:
    """Say where a factor may come from, if it is a usual one."""
    near = Fraction(factor).limit_denominator(4096)
    sign = " with the wrong sign" if factor < 0 else ""
    size = abs(near)
    if abs(factor - near) > 1e-4 * abs(factor) or 1 not in (size.numerator, size.denominator):
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


def regularisation(evidence: Evidence) -> Mistake | None:
    """Recognise that a multiple of the parameters is missing, or too much."""
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
    """Recognise a number that is added to every entry."""
    ones = evidence.project(np.ones_like(evidence.gradient))
    added = evidence.multiple(ones, evidence.project(evidence.gradient) - evidence.slopes)
    if not added or evidence.gradient.size == 1:
        return None
    side = "large" if added > 0 else "small"
    return Mistake("offset", None, f"each entry is too {side} by {abs(added):.4g}")


def partial(evidence: Evidence) -> Mistake | None:
    """Recognise that one entry, row or column alone is wrong; probes do not show it."""
    g = evidence.gradient
    if evidence.slopes.size != g.size:
        return None
    wrong = np.abs(g.reshape(-1) - evidence.slopes) > evidence.errors
    return placed(g.shape, np.argwhere(wrong.reshape(g.shape)))


def placed(shape: tuple[int, ...], places: Array) -> Mistake | None:
    """Name the entry, the row or the column in which all wrong entries of an array lie."""
    if len(places) == 1 < np.prod(shape):
        count = int(np.prod(shape))
        return Mistake("entry", None, f"one of its {count} entries is wrong, all others are right")
    for axis in range(len(shape) if len(shape) > 1 else 0):
        if len(set(places[:, axis])) == 1 < shape[axis]:
            name = _axis_name(axis, len(shape))
            return Mistake(name, None, f"only its {name} {places[0, axis]} is wrong")
    return None


def _axis_name(axis: int, ndim: int) -> str:
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
    partial,
)
