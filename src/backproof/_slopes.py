"""Slopes: central differences along a direction over a ladder of steps, each with its error.

A step that is too large steps over what the cost does, one that is too small loses it in
rounding. So several are taken, and each gets an error from what its neighbours show.
The numbers in parentheses are those of the equations in docs/explanation/method.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from backproof._directions import DOUBT, Direction, Scale
from backproof._objective import Objective

# Each step is this many times the next smaller one: then the change from one to the next is 53
# times what is left of the truncation error, and bounds it also where the cost is less smooth.
# It is irrational, so that no two steps are multiples of one period.
RATIO = math.e**2

# Steps from the largest to the smallest; 40 of them span 34 powers of ten.
MOST_STEPS = 40

# Slopes of |x|**p grow by RATIO**(1 - p) from a step to the next one, and those of a jump, whose
# p is 0, by RATIO. Midway between the cube root and a jump, a slope is taken for one or the other.
JUMP = RATIO ** (5 / 6)


# Changes of a slope shrink by RATIO from a step to the next where the cost is smooth, and by its
# square root where it is as |x| ** 1.5; where less of them goes than that of |x| ** 1.1, none is
# in sight that the slope comes to.
SHRINKS = RATIO**-0.1


class Difference(NamedTuple):
    """A central difference (7), its one-sided gap (12), and what rounding may do to it (8).

    `least` is the smallest change that the cost showed over this step, or inf where it stood
    still. Where two of its three costs are the same, `tied` is what that change leaves open (10).
    `curved` is by how much the slope changes over the size of what is displaced.
    The value is nan where the cost is not defined on both sides.
    """

    step: float
    value: float = math.nan
    gap: float = math.nan
    rounding: float = math.inf
    least: float = math.inf
    tied: float = 0.0
    curved: float = 0.0
    failure: Exception | None = None

    @property
    def error(self) -> float:
        """What the value may be off by, leaving truncation aside."""
        return self.rounding + self.tied

    @property
    def sides(self) -> tuple[float, float]:
        """The slope ahead of the point, and the one behind it."""
        return self.value + self.gap / 2, self.value - self.gap / 2


class Measured(NamedTuple):
    """A slope with its error, the reason that the error is not smaller, and what led to it.

    `kink` is the part of the error that is half of a gap which stays, and is no estimate.
    """

    value: float
    error: float
    reason: str
    kink: float
    steps: tuple[Difference, ...]
    best: int

    @property
    def difference(self) -> Difference:
        """The difference that the slope was taken from."""
        return self.steps[self.best]


def central_difference(objective: Objective, direction: Direction, step: float) -> Difference:
    """Measure the cost on both sides of the point."""
    ahead, behind = objective.both_sides(direction, step)
    failure = ahead.failure and behind.failure  # the end of a domain is on one side
    if not (ahead.step and behind.step):  # the step is lost in the rounding of the parameter
        return Difference(step, value=0.0, gap=0.0)
    if failure or not math.isfinite(ahead.cost - behind.cost):
        return Difference(step, failure=failure)
    numbers = (ahead.step, ahead.cost, behind.step, behind.cost)
    found = quotients(objective, direction.scale, *map(np.float64, numbers))
    value, gap, rounding, least, tied = map(float, found)
    curved = abs(gap) * ((direction.scale.size or direction.scale.scale) / step)
    return Difference(step, value, gap, rounding, least, tied, curved)


def quotients(
    objective: Objective, along: Scale, forward: Any, ahead: Any, backward: Any, behind: Any
) -> tuple[Any, ...]:
    """Return a difference without its step, in numbers or arrays."""
    precision, origin = max(objective.precision, along.precision), objective.value
    half = (forward - backward) / 2
    value = (ahead / 2 - behind / 2) / half
    gap = (ahead - origin) / forward - (behind - origin) / backward
    # The arguments are rounded, too (2): as if the cost were larger by value * size, and the
    # slope by what it changes over that rounding.
    sizes = abs(ahead) * precision + abs(behind) * precision
    sizes += 2 * precision * abs(value) * along.size
    sizes += precision * np.where(along.size > 0, along.size, along.scale) * abs(gap)
    rounding = (sizes + objective.noise.level) / half
    changes = np.array([abs(ahead - origin), abs(behind - origin), abs(ahead - behind)])
    least = np.where(changes > 0, changes, np.inf).min(axis=0)
    # A difference of exactly 0 is known no better than the smallest change that was seen.
    still = (ahead == behind) | (ahead == origin) | (behind == origin)
    return value, gap, rounding, least, np.where(still, least / (2 * half), 0.0)


def first_difference(objective: Objective, direction: Direction) -> Difference:
    """Measure with the step that suits the noise of the cost."""
    return central_difference(objective, direction, direction.scale.scale * objective.noise.step)


def ladder(objective: Objective, direction: Direction, start: Difference) -> Iterator[Measured]:
    """Yield ever better slopes, as one step after the other is tried."""
    taken, first = [start], start.step
    step: float | None = first / RATIO
    while step:
        taken.append(central_difference(objective, direction, step))
        taken.sort(key=lambda difference: -difference.step)
        yield (measured := _best_of(tuple(taken)))
        step = first * RATIO if len(taken) == 2 else _next_step(direction, measured)


def measure(objective: Objective, direction: Direction) -> Measured:
    """Return the slope along a direction with the least error that any step gives."""
    *_, measured = ladder(objective, direction, first_difference(objective, direction))
    unmoved = [s.step for s in measured.steps if s.least == math.inf and s.rounding < math.inf]
    if unmoved and not objective.rounded and still(objective) / unmoved[0] < measured.error:
        return measured._replace(value=0.0, error=still(objective) / unmoved[0])
    if math.isinf(measured.error):
        _raise_failure(measured.steps)
    return measured


def still(objective: Objective) -> float:
    """Return what noise may change a cost by that stands still (26)."""
    return DOUBT * (objective.noise.level + objective.precision * abs(objective.value))


def _next_step(direction: Direction, measured: Measured) -> float | None:
    """Return a larger step while it may pay, then a smaller one, then none."""
    steps, best = measured.steps, measured.best
    largest, smallest = steps[0], steps[-1]
    if len(steps) >= MOST_STEPS:
        return None
    still = all(this.least == math.inf and not math.isnan(this.value) for this in steps)
    noisy = best <= 1 and 2 * steps[best].error > measured.error
    if (still or noisy) and largest.step * RATIO <= direction.scale.scale:
        return largest.step * RATIO
    # A smaller step is of no use if its rounding alone undoes the gain, unless it has to confirm
    # that a gap has gone, and is not hidden.
    lost = math.isnan(smallest.value)
    pays = not still and (lost or RATIO * smallest.rounding < measured.error)
    hidden = best == len(steps) - 1 and _passed_a_kink(steps[best - 1], steps[best])
    if (pays or hidden) and smallest.step > math.ulp(direction.scale.scale):
        unknown = all(math.isnan(this.value) for this in steps)  # outside of the domain
        return smallest.step / (RATIO**4 if unknown else RATIO)
    return None


def _best_of(steps: tuple[Difference, ...]) -> Measured:
    """Return the difference with the least error (15), and the reason for that error."""
    steps = _with_ties(steps)
    errors = errors_of(steps)
    best = int(np.argmin(errors)) + 1
    error, kink = errors[best - 1], 0.0
    grown = _growth(steps)
    reason = _reason(steps[best - 1 :], error) if not grown else "steep" if grown < JUMP else "jump"
    if reason == "kink":
        kink = abs(gap_at_0(steps[best - 1], steps[best])) / 2
    return Measured(steps[best].value, error, reason, kink, steps, best)


def _with_ties(steps: tuple[Difference, ...]) -> tuple[Difference, ...]:
    """Return the steps, what is open of a difference of 0 by the least change along the line."""
    least = min(this.least for this in steps)
    return tuple(
        this._replace(tied=least / (2 * this.step)) if this.tied else this for this in steps
    )


def errors_of(steps: Sequence[Difference]) -> list[float]:
    """Return the error of each difference but the first, from the largest step to the smallest.

    The sum of rounding (8), the change from the next larger step (11) and half of the gap at
    0 (13); where a smaller step contradicts it, the larger one steps over what the cost does,
    and its error covers what they are apart (16).
    """
    errors = _errors_by_neighbour(steps)
    judged = steps[1:]
    for k, this in enumerate(judged):
        for smaller in judged[k + 1 :]:
            apart = abs(this.value - smaller.value)
            if apart > errors[k] + smaller.error:
                errors[k] = apart + smaller.error
    return errors


def _errors_by_neighbour(steps: Sequence[Difference]) -> list[float]:
    """Return rounding, change and half of the gap of each difference but the first.

    A change that is due to noise shrinks in proportion to the step: what smaller steps show of
    it counts for the larger ones. Among kinks a gap may vanish over one step by chance, so
    that of the next larger steps counts, too.
    """
    errors, change = [], 0.0
    gaps = [abs(gap_at_0(*pair)) / 2 for pair in pairwise(steps)]
    for k in range(len(steps) - 1, 0, -1):
        larger, this = steps[k - 1], steps[k]
        change = max(_change(larger, this), change / RATIO)
        around = (
            max(gaps[max(0, k - 2) : k]) if k > 1 and math.isfinite(gaps[k - 2]) else gaps[k - 1]
        )
        if _passed_a_kink(larger, this):
            around = gaps[k - 1]
        error = this.error + change + larger.tied + around  # what stands still shows no change
        errors.append(error if error < math.inf else math.inf)  # nan is no error that is known
    return errors[::-1]


def _change(larger: Difference, this: Difference) -> float:
    """Return how far the slope moved; if the larger step passed a kink, on its clean side."""
    values = larger.sides if _passed_a_kink(larger, this) else (larger.value,)
    return min(abs(this.value - value) for value in values)


def gap_at_0(larger: Difference, this: Difference) -> float:
    """Return the gap between the one-sided slopes, extrapolated to no step at all (13)."""
    if _passed_a_kink(larger, this):
        return this.gap
    ratio = larger.step / this.step
    return this.gap - (larger.gap - this.gap) / (ratio - 1)


def _passed_a_kink(larger: Difference, this: Difference) -> bool:
    """Tell whether a gap has gone: of one that is due to curvature, a share would be left (14)."""
    left = abs(larger.gap) * this.step / larger.step
    return abs(this.gap) <= 2 * this.rounding < left / 2


def _reason(steps: Sequence[Difference], error: float) -> str:
    """Say what most of the error is due to; the slope is that of the second of the steps."""
    larger, this, *smaller = steps
    if math.isnan(this.value):
        return "not finite"
    if this.error == math.inf:
        return "precision"
    gap = gap_at_0(larger, this)
    telling = [s for s in (this, *smaller) if 8 * s.error < abs(gap)]
    stays = all(abs(s.gap - gap) <= abs(gap) / 4 + 2 * s.error for s in telling)
    return "kink" if abs(gap) > error and len(telling) > 1 and stays else "precision"


def _growth(steps: Sequence[Difference]) -> float:
    """Return by how much the changes of a one-sided slope grow per step, or 0 if they shrink (17).

    Where a cost has a slope, its changes shrink with the step; those of |x| ** p do not if p < 1,
    and those of x log x stay as they are. They have to grow up to where rounding hides them.
    """
    for sides in zip(*(s.sides for s in steps), strict=True):
        growths: list[float] = []
        changes = np.abs(np.diff(sides))
        roundings = [2 * (a.rounding + b.rounding) for a, b in pairwise(steps)]
        for (before, change), rounding in zip(pairwise(changes), roundings[1:], strict=True):
            if max(change, rounding) < SHRINKS * before:
                growths = []
            elif change > rounding:
                growths.append(float(change / before))
        if len(growths) > 1 and min(growths) > SHRINKS:
            return growths[-1]
    return 0.0


def _raise_failure(steps: Sequence[Difference]) -> None:
    """Raise what the cost raised nearest to the point, if it did: it may be the reason."""
    for difference in reversed(steps):
        if difference.failure:
            raise difference.failure
