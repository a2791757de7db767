"""Slopes that are 0: at an optimum, by theory, over dead units, and where nothing is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from backproof._claims import CLAIM_ROUNDING, Array, Check
from backproof._decide import RESOLVED, Claim
from backproof._directions import DOUBT, FAR_SMALLER, Direction, of_entries
from backproof._noise import GROWTH, LONGEST
from backproof._objective import Objective
from backproof._rungs import Entries, Rung, both_sides, claim_of, rung_of
from backproof._slopes import RATIO, Difference, central_difference, first_difference, still

# Gaps shrink by RATIO from a step to the next where the cost is smooth, and by its square or more
# where the step is too long. Midway, they are taken for one or the other.
TOO_FAST = RATIO ** (3 / 2)

# The rounding of a gap is 4 times that of the slope, and RATIO times as much at the next smaller
# step, where the gap is RATIO times smaller: one that is larger shows there as well.
TELLING = 4 * RATIO**2


class Differences(Protocol):
    """The difference along a direction, in numbers, or those of all entries, in arrays."""

    @property
    def value(self) -> Any:
        """The slope, or slopes."""

    @property
    def gap(self) -> Any:
        """The one-sided gap (12)."""

    @property
    def rounding(self) -> Any:
        """What rounding may do to the slope (8)."""


def judge_zeros(check: Check, entries: Entries, rung: Rung) -> None:
    """Mark arrays whose claims and slopes are 0 beside the slopes nearby, as at an optimum (24)."""
    objective = check.objective
    for number in np.unique(entries.number[entries.verdict == ""]):
        own = entries.number == number
        these, there = entries[own], rung_of(objective, rung.rows[:, own])
        # Where one entry stands still, the least change over another tells how little that says.
        ties = there.least.min() / (2 * objective.noise.step * there.scale)
        error = np.where(there.least < np.inf, there.rounding, ties)
        within = _zero(these, there, error, check.cancelled(int(number)))
        if not (within <= check.negligible(int(number))).all() or moves(objective, these.index):
            within = _at_an_optimum(check, these, there)
        if (within < np.inf).all():
            entries.verdict[own], entries.error[own] = "right", within
            entries.within[own] = within.max()


def _zero(entries: Entries, rung: Rung, error: Array, cancelled: float) -> Array:
    """Return within what claims and slopes are 0, inf where either is seen to be another number."""
    claims, slopes = abs(entries.claimed), abs(rung.value)
    seen = np.maximum(claims - cancelled, slopes)
    within = np.maximum.reduce([claims, slopes, error])
    return np.where(seen <= CLAIM_ROUNDING * error, within, np.inf)


def _at_an_optimum(check: Check, entries: Entries, rung: Rung) -> Array:
    """Return within what slopes are 0 beside those nearby, as at an optimum, or inf (24)."""
    nowhere, first = np.full(entries.index.size, np.inf), check.objective.noise.step
    if not (step := _telling_step(check, entries, rung)):
        return nowhere
    longer = rung if step == first else _differences(check, entries.index, step)
    gap, steepest = abs(longer.gap), [np.argmax(abs(longer.gap))]
    if not _shrinks(gap[steepest], _differences(check, entries.index[steepest], step / RATIO)):
        return nowhere
    closer = _differences(check, entries.index, step / RATIO)
    error = longer.rounding + abs(closer.value - longer.value)
    within = np.maximum.reduce([abs(entries.claimed), abs(longer.value), error])
    curved = float((gap - 4 * longer.rounding).max() / step)
    right = is_smooth(rung, longer, closer) & (within <= RESOLVED * curved)
    right &= is_zero(claim_of(entries), abs(entries.claimed), longer.value, longer.curved, error)
    return within if right.all() else nowhere


def is_smooth(first: Differences, longer: Differences, closer: Differences) -> Any:
    """Tell whether the gap of a step shrinks to the next smaller one as where a cost is smooth.

    The slope changes by less than the gap, and after a longer step than the first, which shows a
    gap that rounding hides there, it then stays. A kink on one side changes it by half of its gap.
    """
    gap, change = abs(longer.gap), abs(closer.value - longer.value)
    smooth = _shrinks(gap, closer) & (abs(closer.gap) + 4 * closer.rounding >= gap / TOO_FAST)
    smooth &= change <= gap / RATIO + longer.rounding + closer.rounding
    stays = abs(closer.value - first.value) <= change / RATIO + closer.rounding + first.rounding
    return smooth & (stays | (longer is first))


def is_zero(claim: Claim, size: Any, value: Any, curved: Any, error: Any) -> Any:
    """Tell whether claim and slope agree, and are no larger than errors and rounding may be."""
    agrees = claim.apart(value, curved) <= CLAIM_ROUNDING * error
    left = CLAIM_ROUNDING * error + claim.rounding * curved
    return agrees & (np.maximum(size, abs(value)) <= left)


def _telling_step(check: Check, entries: Entries, rung: Rung) -> float:
    """Return the first step whose gaps tell of a curvature that makes claims small, 0 if none does.

    A longer one shows a gap that rounding hides at the first.
    """
    objective = check.objective
    step = objective.noise.step
    least = np.maximum(abs(entries.claimed), abs(rung.value) - rung.rounding)
    if not (least <= RESOLVED * (abs(rung.gap) + 4 * rung.rounding).max() / step).all():
        return 0.0
    if (abs(rung.gap) > TELLING * rung.rounding).any():
        return step
    together = _together(objective, entries.index)
    first = first_difference(objective, together)
    bent = bending(objective, together, first, entries.index.size)
    small = bent and (least * rung.scale).sum() <= RESOLVED * abs(bent.gap) / bent.step
    return bent.step if bent and small else 0.0


def _differences(check: Check, indices: Array, step: float) -> Rung:
    """Return the differences of entries with another step."""
    objective = check.objective
    task = partial(both_sides, share=step / objective.noise.step)
    rows = objective.for_each(task, indices.tolist(), check.options.workers)
    return rung_of(objective, np.array(rows).T)


def _shrinks(gap: Any, closer: Differences) -> Any:
    """Tell whether gaps shrink with the step, midway between smooth costs and kinks."""
    return abs(closer.gap) <= gap / math.sqrt(RATIO) + 4 * closer.rounding


def bending(
    objective: Objective, direction: Direction, first: Difference, count: int = 1
) -> Difference | None:
    """Return the first of ever longer differences whose gap tells of a curvature, if one does.

    It has to, too, if it is the sum of the gaps of so many entries.
    """
    this = first
    while abs(this.gap) <= TELLING * this.rounding * count:
        if this.step * RATIO**2 > LONGEST * direction.scale.scale:
            return None
        this = central_difference(objective, direction, this.step * RATIO**2)
    return this


def judge_unmoved(check: Check, entries: Entries, rung: Rung) -> None:
    """Judge entries over which the cost stands still, as over dead units and what is unread."""
    objective = check.objective
    unmoved = (entries.verdict == "") & (rung.least == np.inf)
    if not unmoved.any():
        return
    arrays = {int(n): unmoved & (entries.number == n) for n in np.unique(entries.number[unmoved])}
    everywhere = largest_change(objective, entries.index[unmoved], LONGEST)
    for number, own in arrays.items():
        # Where other entries of the array do move it, less of a step tells, and wakes fewer units.
        alone = bool((own == (entries.number == number)).all())
        longest = LONGEST if alone or not everywhere else LONGEST / GROWTH**2
        change = everywhere and largest_change(objective, entries.index[own], longest)
        _judge_still(Unmoved(check, entries, rung, own, change, longest, alone))


@dataclass(frozen=True)
class Unmoved:
    """Entries of an array that change the cost by `change` at most, displaced as far as `longest`.

    They are `alone` if they are all of the array.
    """

    check: Check
    entries: Entries
    rung: Rung
    own: Array
    change: float
    longest: float
    alone: bool

    @property
    def size(self) -> Array:
        """The sizes of their claims."""
        return abs(self.entries.claimed[self.own])

    @property
    def error(self) -> Array:
        """How large their slopes may be."""
        scales = np.where(self.rung.rows[0] > 0, self.rung.rows[0], self.rung.scale)[self.own]
        return (self.change + still(self.check.objective)) / (self.longest * scales)

    @property
    def within(self) -> Array:
        """How far from 0 claims and slopes may be."""
        return np.maximum(self.size, self.error)

    @property
    def negligible(self) -> Array:
        """Which of them are too small to matter beside others, claims and slopes."""
        number = int(self.entries.number[self.own][0])
        zero = self.check.negligible(number) if self.alone else self.check.cancelled(number)
        return self.within <= np.maximum(zero, self.entries.allowed[self.own])

    @property
    def stays(self) -> bool:
        """Whether the cost stands still, for all that its noise tells."""
        objective = self.check.objective
        flat = self.change == 0 and not objective.noise.moved
        return flat or (self.change <= still(objective) and not objective.rounded)

    @property
    def wakes(self) -> bool:
        """Whether a unit wakes further off: a slope would show the change at the first step."""
        objective = self.check.objective
        seen = self.change * objective.noise.step > self.longest * DOUBT * still(objective)
        return seen and not objective.rounded

    @property
    def wrong(self) -> Array:
        """Which claims are larger than a slope that would not be seen."""
        # Units of another size may hide what is narrower than any step that could tell.
        scales, moved = self.rung.rows[0], self.check.objective.noise.moved
        usual = (scales >= FAR_SMALLER * self.rung.scale) | (scales == 0)
        known = self.alone | usual[self.own]
        known |= self.size > RESOLVED * self.entries.largest[self.own]
        wrong: Array = (self.size > DOUBT * self.error) & ~self.negligible & moved & known
        return wrong


def _judge_still(these: Unmoved) -> None:
    """Judge entries of an array that hardly change the cost, if at all."""
    objective, entries, own = these.check.objective, these.entries, these.own
    none = entries.claimed[own] == 0
    if none.all() and these.wakes:
        entries.value[own], entries.error[own] = 0.0, still(objective)
        entries.verdict[own], entries.reason[own] = "untested", "zero"
        return
    if not these.stays and (none.any() or not these.negligible.all()):
        return
    wrong, right = these.wrong, these.negligible & ~none
    if wrong.any():
        worst = entries.index[own][[np.argmax(wrong * these.size / these.error)]]
        if largest_change(objective, worst, these.longest) > still(objective):
            return  # by itself, it moves the cost: together, several have cancelled
    entries.value[own], entries.error[own] = 0.0, these.error
    entries.verdict[own] = np.select([wrong, right], ["wrong", "right"], "untested")
    entries.reason[own] = np.select([wrong | none, right], ["zero", ""], objective.lost)
    entries.within[own] = np.where(right, these.within, np.nan)


def moves(objective: Objective, indices: Array) -> bool:
    """Tell whether the cost changes by more than noise if some entries are displaced far."""
    return largest_change(objective, indices, LONGEST) > still(objective)


def largest_change(objective: Objective, indices: Array, longest: float) -> float:
    """Return by how much the cost changes if some entries are displaced, by less and less."""
    direction = _together(objective, indices)
    change, step = 0.0, longest
    while step > objective.noise.step and change <= still(objective):
        costs = [objective.beside(direction, side).cost for side in (step, -step)]
        change = max(change, *(abs(cost - objective.value) for cost in costs))
        change = math.inf if math.isnan(change) else change
        step /= RATIO**2
    return change


def _together(objective: Objective, indices: Array) -> Direction:
    """Return a direction in which some entries are displaced by about their scales."""
    rng = np.random.default_rng(0)
    weights = rng.choice([-1.0, 1.0], len(indices)) * rng.uniform(0.5, 1.5, len(indices))
    return of_entries(objective.parameters, indices, weights)
