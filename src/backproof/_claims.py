"""What is checked: a claimed gradient at a point, and what is said of one array of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backproof._decide import span
from backproof._mistakes import UNKNOWN, Evidence, Mistake, placed
from backproof._objective import Objective, Workers
from backproof._parameters import precision_of
from backproof._report import Entry

Array = NDArray[Any]

# What rounding may do to a claim, as a multiple of the precision of its dtype: four bits, which
# a sum of a few hundred products loses.
CLAIM_ROUNDING = 16

# As many wrong entries of an array are listed at the most.
MOST_LISTED = 20


class Options(NamedTuple):
    """How a gradient is checked, as `check_gradient` was told."""

    tolerance: float
    seed: int
    workers: Workers
    budget: float = math.inf  # evaluations for mistakes, beyond those that a right claim takes


class Check:
    """A gradient by path, and the objective that it is claimed for."""

    def __init__(
        self,
        objective: Objective,
        gradient: dict[str, Array],
        options: Options,
    ) -> None:
        self.objective, self.gradient = objective, gradient
        self.options = options

    @cached_property
    def paths(self) -> list[str]:
        """The paths of the arrays, in the order of the nest."""
        return list(self.gradient)

    @cached_property
    def largest(self) -> list[float]:
        """The size of the largest finite entry of each array of the gradient."""
        return [span(g) for g in self.gradient.values()]

    @cached_property
    def influence(self) -> float:
        """The most that an entry of the gradient changes the cost by, for a step of its scale."""
        blocks = self.objective.parameters.blocks
        pairs = zip(self.largest, blocks, strict=True)
        return max(largest * block.scale for largest, block in pairs)

    def allowed(self, number: int) -> float:
        """Return what a claim may be off by as a share of its array: tolerance, rounding (18)."""
        return self.options.tolerance + self.rounding(number)

    def rounding(self, number: int) -> float:
        """Return what rounding may do to a claim, as a share of its terms.

        A claim that is coarser than the slopes may have lost half of its digits.
        """
        own = self._precision(number)
        coarse = own > self.objective.precision
        return math.sqrt(own) if coarse else CLAIM_ROUNDING * own

    def negligible(self, number: int) -> float:
        """Return the error within which slopes are 0 beside those of other arrays (25)."""
        scale = self.objective.parameters.blocks[number].scale
        share = max(
            math.sqrt(self.objective.precision), CLAIM_ROUNDING**2 * self._precision(number)
        )
        return share * self.influence / scale

    def cancelled(self, number: int) -> float:
        """Return what rounding leaves of a claim whose terms, as large as others', cancel (25)."""
        scale = self.objective.parameters.blocks[number].scale
        return CLAIM_ROUNDING * self._precision(number) * self.influence / scale

    def _precision(self, number: int) -> float:
        return precision_of(self.gradient[self.paths[number]].dtype)

    def evidence(
        self, path: str, project: Callable[[Array], Array], slopes: Array, errors: Array
    ) -> Evidence:
        """Return what is known of an array: the slopes that `project` leads to, and errors."""
        blocks = {block.path: block for block in self.objective.parameters.blocks}
        own = blocks[path]
        return Evidence(
            gradient=self.gradient[path],
            # Of a Jacobian, each row has them.
            parameters=np.broadcast_to(
                own.values.reshape(own.shape).astype(np.float64), self.gradient[path].shape
            ),
            project=project,
            slopes=slopes,
            errors=errors,
            others={other: g for other, g in self.gradient.items() if other != path},
            other_parameters={
                p: np.broadcast_to(block.values.reshape(block.shape), self.gradient[p].shape)
                for p, block in blocks.items()
                if p != path
            },
        )


def entry_of(g: Array, i: int, value: float, error: float) -> Entry:
    """Return a wrong entry, given by its flat index, as a report lists it."""
    index = tuple(int(k) for k in np.unravel_index(i, g.shape))
    return Entry(index, float(g.reshape(-1)[i]), float(value), float(error))


def listed(entries: list[Entry]) -> tuple[Entry, ...]:
    """Return a fair sample of wrong entries over the array, the worst first."""
    evenly = np.linspace(0, len(entries) - 1, min(MOST_LISTED - 1, len(entries))).round()
    by_size = sorted(entries, key=_badness, reverse=True)
    sample = {entries[int(i)] for i in evenly} | set(by_size[:1])
    return tuple(sorted(sample, key=_badness, reverse=True))


def _badness(entry: Entry) -> float:
    apart = abs(entry.gradient - entry.numerical)
    return apart if apart == apart else math.inf


def scattered(g: Array, found: list[int], *, complete: bool) -> Mistake:
    """Describe wrong entries that were located one by one."""
    if not found or g.size == 1:
        return UNKNOWN
    places = np.transpose(np.unravel_index(found, g.shape))
    if complete and (mistake := placed(g.shape, places)):
        return mistake
    count = f"{'' if complete else 'at least '}{len(found)} of its {g.size} entries"
    which = f"{count} {'is' if len(found) == 1 else 'are'}"
    if len(found) == g.size:
        which = "every entry is"
    text = f"{which} wrong, in no known pattern"
    return Mistake("unknown", None, text)
