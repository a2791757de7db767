"""The first difference of each entry, and what is known of the entries by then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backproof._claims import Array, Check
from backproof._decide import Claim, Finding, confirmed
from backproof._directions import DOUBT, Scale, of_entry
from backproof._norms import difference_of_vectors
from backproof._objective import Objective
from backproof._slopes import quotients

TESTED = ("right", "wrong")


@dataclass
class Entries:
    """What is known of entries, by their index in the vector of all.

    `verdict` is that of a `Finding` or, before they are heard, empty.
    `claimed` is the gradient that was compared, `largest` the largest entry of its array.
    """

    index: Array
    number: Array
    claimed: Array
    value: Array
    error: Array
    allowed: Array
    rounding: Array
    curved: Array
    largest: Array
    verdict: Array
    reason: Array
    within: Array
    failure: Exception | None = None

    def __getitem__(self, chosen: Any) -> Entries:
        columns = {name: column[chosen] for name, column in self.columns().items()}
        return Entries(**columns, failure=self.failure)

    @staticmethod
    def joined(parts: list[Entries]) -> Entries:
        """Return what is known of several lots of entries as of one."""
        columns = {
            name: np.concatenate([part.columns()[name] for part in parts])
            for name in parts[0].columns()
        }
        return Entries(**columns, failure=parts[0].failure)

    def columns(self) -> dict[str, Array]:
        """Return what is known, by name."""
        return {name: value for name, value in vars(self).items() if name != "failure"}

    def difference(self) -> float:
        """Return the relative difference of claims and slopes, as far as they were tested."""
        tested = np.isin(self.verdict, TESTED)
        return difference_of_vectors(self.claimed[tested], self.value[tested])

    def find(self, place: int, finding: Finding) -> None:
        """Write down what was found of an entry."""
        self.verdict[place], self.reason[place] = finding.verdict, finding.reason
        self.value[place], self.error[place] = finding.value, finding.error
        self.failure = self.failure or finding.failure

    def replaced(self, others: Entries) -> None:
        """Take over what another point showed of some entries, where it could test them."""
        places = np.searchsorted(self.index, others.index)
        tested = np.isin(others.verdict, TESTED)
        for name, column in self.columns().items():
            column[places[tested]] = others.columns()[name][tested]


@dataclass
class Rung:
    """The first difference of each entry, and the costs that it was made of."""

    rows: Array
    value: Array
    gap: Array
    rounding: Array
    error: Array
    least: Array
    curved: Array

    def again(self, objective: Objective) -> Rung:
        """Return the differences with the noise that is known by now."""
        return rung_of(objective, self.rows)

    @property
    def scale(self) -> Array:
        """The scale of each entry."""
        return np.asarray(self.rows[1])

    @property
    def size(self) -> Array:
        """The size of each slope; at a kink or a jump, that of the side which is less steep."""
        sides = (self.value, self.value + self.gap / 2, self.value - self.gap / 2)
        return np.asarray(np.abs(sides).min(axis=0))


def rung_of(objective: Objective, rows: Array) -> Rung:
    """Return the differences of rows: size, scale, and step and cost on both sides."""
    size, scale, *sides = rows
    value, gap, rounding, least, tied = quotients(objective, Scale(size, scale, 0.0), *sides)
    lost = (sides[0] == 0) | (sides[2] == 0)
    error = np.where(lost, np.inf, rounding + tied)
    curved = abs(gap) * (np.where(size > 0, size, scale) / sides[0])
    least = np.where(lost, np.inf, np.where(np.isfinite(value), least, np.nan))
    return Rung(rows, value, gap, rounding, error, least, np.where(curved < np.inf, curved, 0.0))


def both_sides(objective: Objective, index: int, share: float = 1.0) -> tuple[float, ...]:
    """Return size and scale of an entry, and the steps and the costs on both sides of it.

    The step is a share of the first one.
    """
    direction = of_entry(objective.parameters, index)
    size, scale, _ = direction.scale
    step = share * scale * objective.noise.step
    ahead, behind = objective.both_sides(direction, step)
    return (size, scale, *ahead[:2], *behind[:2])


def first_rung(check: Check, indices: Iterable[int] | None) -> tuple[Entries, Rung]:
    """Measure each entry with a single difference."""
    objective, sizes = check.objective, [g.size for g in check.gradient.values()]
    index = np.arange(sum(sizes)) if indices is None else np.fromiter(indices, int)
    gradient = np.concatenate([np.ravel(g) for g in check.gradient.values()])[index]
    number = np.repeat(np.arange(len(sizes)), sizes)[index]
    rows = (
        np.array(objective.for_each(both_sides, index.tolist(), check.options.workers))
        .reshape(-1, 6)
        .T
    )
    rounding = np.array([check.rounding(n) for n in range(len(sizes))])[number]
    unknown, blank = np.full(index.size, np.nan), np.full(index.size, "", dtype=object)
    verdict = np.where(np.isfinite(gradient), blank, "wrong")
    columns = (gradient.astype(float), unknown, unknown, unknown, rounding, unknown, unknown)
    entries = Entries(index, number, *columns, verdict, blank.copy(), unknown.copy())
    return entries, rung_of(objective, rows)


def confirm(check: Check, entries: Entries, rung: Rung) -> None:
    """Mark the entries that a single difference confirms, beside the largest of their arrays."""
    entries.value, entries.error, entries.curved = rung.value, rung.error, rung.curved
    count = len(check.largest)
    largest = np.zeros(count)
    np.maximum.at(largest, entries.number, np.where(rung.size > DOUBT * rung.error, rung.size, 0))
    # A step that is too long for a small entry shows any slope, and one that is claimed may be any.
    sizes = np.array([largest, check.largest])
    largest = np.where((sizes > 0).all(axis=0), sizes.min(axis=0), sizes.max(axis=0))
    allowed = largest * [check.allowed(n) for n in range(count)]
    entries.largest, entries.allowed = largest[entries.number], allowed[entries.number]
    right = confirmed(rung.value, rung.gap, rung.error, rung.curved, claim_of(entries))
    entries.verdict[right] = "right"


def claim_of(entries: Entries) -> Claim:
    """Return what is claimed of all entries, or of one if it is alone."""
    largest = entries.largest
    return Claim(entries.claimed, entries.allowed, entries.rounding, largest, largest)
