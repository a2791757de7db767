"""What is known of a gradient that is wrong, and what agrees with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

ROUNDING = 1e-12  # what sums and products in double precision may be off by, beyond the errors
BY_CHANCE = 0.05  # so rarely may what is fitted explain a mistake that is another
PARTS = 25  # so many parts and terms are tried, each of which may fit by chance
TINY = float(np.finfo(float).tiny)  # the inverse of a smaller number overflows


class Fit(NamedTuple):
    """A number that was fitted, its error, and the products that it leads to."""

    value: float
    error: float
    products: Array

    @property
    def inverse(self) -> tuple[float, float]:
        """One divided by the number, and the error of that."""
        return 1 / self.value, self.error / abs(self.value) / abs(self.value)


@dataclass(frozen=True, eq=False)
class Evidence:
    """A gradient that is wrong, and measured slopes along some directions.

    `project` takes an array in the shape of the gradient, and returns its products
    with these directions; the right gradient would give `slopes`, within `errors`.
    `others` are the gradients of the other arrays, by path, and `other_parameters` these arrays.
    """

    gradient: Array
    parameters: Array
    project: Callable[[Array], Array]
    slopes: Array
    errors: Array
    others: Mapping[str, Array]
    other_parameters: Mapping[str, Array] = field(default_factory=dict)

    @cached_property
    def claimed(self) -> Array:
        """The products of the gradient with the directions."""
        return self.project(self.gradient)

    @cached_property
    def off(self) -> Array:
        """Tell which of these products are not the slopes."""
        return self.misfits(self.claimed) > 1

    @cached_property
    def of_entries(self) -> bool:
        """Tell whether the directions are those of the entries, one after the other."""
        if self.slopes.size != self.gradient.size:
            return False
        numbers = np.arange(float(self.gradient.size))
        return np.array_equal(self.project(numbers.reshape(self.gradient.shape)), numbers)

    @cached_property
    def wrong(self) -> Array:
        """Tell which entries may be wrong."""
        shape = self.gradient.shape
        return self.off.reshape(shape) if self.of_entries else np.ones(shape, dtype=bool)

    def misfits(self, products: Array) -> Array:
        """Return how far products are from the slopes, as multiples of the errors."""
        apart = np.abs(products - self.slopes)
        allowed = self.errors + ROUNDING * (np.abs(products) + np.abs(self.slopes))
        misfits = np.divide(apart, allowed, out=np.zeros_like(allowed), where=apart != 0)
        return np.where(np.isnan(misfits), np.inf, misfits)

    def misfit(self, products: Array) -> float:
        """Return the largest of the misfits; at most 1, and the products are those measured."""
        return float(self.misfits(products).max(initial=0.0))

    def fitted(self, part: Array, rest: Array | float = 0.0) -> Fit | None:
        """Return the x for which rest + x * part is closest to the slopes."""
        of = self.slopes - rest
        scale = self.errors + ROUNDING * np.abs(of)
        weights, wanted = (np.where(part == 0, 0.0, a / scale) for a in (part, of))
        largest = float(np.abs(weights).max(initial=0.0))
        if not 0 < largest < np.inf:
            return None
        weights, wanted = weights / largest, wanted / largest
        x = float(weights @ wanted / (weights @ weights))
        return Fit(x, 1 / largest, rest + x * part) if TINY < abs(x) < 1 / TINY else None

    def telling(self, part: Array, rest: Array | float = 0.0) -> Fit | None:
        """Return the same, if another mistake would hardly look like it."""
        fit = self.fitted(part, rest)
        return fit if fit and self.tell(fit.products, rest, 1) else None

    def tell(self, products: Array, rest: Array | float, numbers: int) -> bool:
        """Tell whether products beside a rest, with numbers to fit, hardly agree by chance.

        The slopes that show most fix the numbers. Each other one lies within its error of what is
        then predicted in a share of cases: that of the error in the part, or in what it changes.
        """
        part = products - rest
        if np.count_nonzero(part) == 1:
            return True  # of one entry, it is no explanation, but tells its size
        shown = np.minimum(np.abs(part), np.abs(products - self.claimed))
        shares = np.divide(self.errors, shown, out=np.ones(shown.shape), where=shown > self.errors)
        tried = PARTS if np.any(rest) else 1
        return bool(tried * np.prod(np.sort(shares)[numbers:]) <= BY_CHANCE)
