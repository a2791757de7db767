"""The decision on one slope: what is claimed of it is inside its error, or clearly outside.

One procedure serves entries and directions. It takes one difference where that confirms the
claim, and climbs the ladder where it does not. A claim is accused only after a second hearing.
The numbers in parentheses are those of the equations in docs/explanation/method.md.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from backproof._directions import DOUBT, Direction
from backproof._objective import Objective
from backproof._slopes import (
    RATIO,
    Difference,
    Measured,
    central_difference,
    first_difference,
    gap_at_0,
    ladder,
)

# A slope tells of a claim if its error is at most this share of the largest entry of the array.
RESOLVED = 0.02


# No shorter step is taken, beside the number that is displaced: three of its digits are left.
SHORTEST = 2.0**-40


class Claim(NamedTuple):
    """What a gradient says of a slope, or of several, and the rounding and tolerance it is allowed.

    `rounding` is that of its terms, as a share of the slopes nearby, which they are as large as.
    `largest` is the most that an entry of its array contributes to such a slope, and `size`
    the norm of all contributions.
    """

    value: Any
    allowed: Any
    rounding: Any
    largest: Any
    size: Any

    def apart(self, value: Any, curved: Any) -> Any:
        """Return how far it is from a slope, beyond what it is allowed where the cost curves so."""
        return abs(self.value - value) - self.allowed - self.rounding * curved


class Finding(NamedTuple):
    """What was found of a claim, beside which slope, and why; `curved` is that of what is wrong.

    The verdict is "right" or "wrong", "untested" where a mistake could hide in the error, or
    "doubtful" where the claim lies outside of it, but not clearly so.
    """

    verdict: str
    value: float
    error: float
    reason: str = ""
    failure: Exception | None = None
    step: float = 0.0
    curved: float = 0.0


def confirmed(value: Any, gap: Any, rounding: Any, curved: Any, claim: Claim) -> Any:
    """Tell whether a single difference confirms a claim (19); numbers, or arrays of them.

    It has to agree, to be fine enough, and to have one slope on both sides.
    """
    agrees = claim.apart(value, curved) <= rounding
    fine = rounding <= RESOLVED / 2 * claim.largest
    straight = abs(gap) / 2 <= RESOLVED / 2 * claim.size + 4 * rounding
    return agrees & fine & straight


def agrees(this: Difference, claim: Claim) -> bool:
    """Tell whether a difference confirms a claim."""
    return bool(confirmed(this.value, this.gap, this.error, this.curved, claim))


def decide(
    objective: Objective,
    direction: Direction,
    claim: Claim,
    first: Difference | None = None,
    *,
    again: bool = True,
) -> Finding:
    """Measure along a direction until the claim is seen to be right or wrong, or all is tried.

    What is wrong at the scale of an array must not be contradicted at that of a smaller entry.
    `first` is a difference from which to begin, where others have turned out to be too coarse;
    `again` allows to begin anew where a hearing refutes all steps.
    """
    found = _decide_at_scale(objective, direction, claim, first, again=again)
    if found.verdict == "wrong" and direction.finer:
        own = first_difference(objective, direction.finer)
        if abs(own.value - found.value) > own.error + found.error:
            finer = decide(objective, direction.finer, claim, own)
            return finer if abs(finer.value - found.value) > finer.error + found.error else found
    return found


def _decide_at_scale(
    objective: Objective,
    direction: Direction,
    claim: Claim,
    first: Difference | None,
    *,
    again: bool,
) -> Finding:
    """Decide by steps that begin at the scale of a direction."""
    start = first or first_difference(objective, direction)
    if agrees(start, claim):
        return Finding("right", start.value, start.error, step=start.step)
    heard = hearing(objective, direction, claim, start) if far(claim, start) else []
    if heard and _holds(heard, claim, start, direction):
        change = abs(heard[0].value - start.value) * RATIO**2 / (RATIO**2 - 1)
        error = start.error + change
        return Finding("wrong", start.value, error, step=start.step, curved=start.curved)
    return _by_ladder(objective, direction, claim, start, again=again)


def _by_ladder(
    objective: Objective, direction: Direction, claim: Claim, start: Difference, *, again: bool
) -> Finding:
    """Decide by all steps."""
    for measured in ladder(objective, direction, start):
        best = measured.difference
        if agrees(best, claim):
            return Finding("right", best.value, best.error, step=best.step)
    if _inside(claim, measured):
        return Finding("right", *measured[:2], step=best.step)
    if not _clear(measured, claim, direction):
        if direction.finer:
            return decide(objective, direction.finer, claim)
        return _open(objective, measured, claim)
    heard = hearing(objective, direction, claim, best)
    straddles = not measured.kink and _kinked(best, heard[-1:], claim, direction)
    if not straddles and _stand(heard, claim, best):
        return Finding("wrong", *measured[:3], step=best.step, curved=best.curved)
    if again:
        return decide(objective, direction, claim, heard[-1], again=False)
    return _open(objective, measured, claim)


def _clear(measured: Measured, claim: Claim, direction: Direction) -> bool:
    """Tell whether a claim is outside of what the ladder shows, by the margin of an accusation."""
    if math.isinf(measured.error) or measured.reason in ("jump", "steep"):
        return False
    estimate = max(measured.error - measured.kink, 0.0 if measured.kink else _restless(measured))
    apart = claim.apart(measured.value, measured.difference.curved)
    beyond = apart - direction.margin * measured.kink if measured.kink else apart
    return bool(beyond > DOUBT * estimate)


def _holds(heard: list[Difference], claim: Claim, start: Difference, direction: Direction) -> bool:
    """Tell whether smaller steps confirm what a single difference shows of a claim (21)."""
    change = abs(heard[0].value - start.value)
    steady = claim.apart(start.value, start.curved) > DOUBT * (start.error + change)
    return steady and _stand(heard, claim, start) and not _kinked(start, heard, claim, direction)


def _kinked(this: Difference, heard: list[Difference], claim: Claim, direction: Direction) -> bool:
    """Tell whether a gap that a smaller step shows may explain what a claim is off."""
    apart = abs(claim.value - this.value)
    for smaller in heard:
        # A kink and the curvature may cancel in the gap of one step, though not in that at 0.
        gap, noise = abs(gap_at_0(this, smaller)), 4 * smaller.rounding
        if gap > noise and apart <= direction.margin * gap / 2 + noise / 2:
            return True
    return False


def _open(objective: Objective, measured: Measured, claim: Claim) -> Finding:
    """Return what is left open once no step betters the slope."""
    apart = claim.apart(measured.value, measured.difference.curved)
    known = measured.error < math.inf and measured.reason not in ("jump", "steep")
    failures = [this.failure for this in measured.steps if this.failure]
    return Finding(
        "doubtful" if known and apart > measured.error else "untested",
        *measured[:2],
        objective.lost if measured.reason == "precision" else measured.reason,
        None if known else next(iter(failures), None),
        measured.difference.step,
    )


def _inside(claim: Claim, measured: Measured) -> bool:
    """Tell whether a claim lies inside an error that is small enough (20)."""
    inside = claim.apart(measured.value, measured.difference.curved) <= measured.error
    return bool(inside and measured.error <= RESOLVED * claim.largest)


def far(claim: Claim, this: Difference) -> bool:
    """Tell whether a claim lies outside an error by the margin of an accusation (21)."""
    apart = claim.apart(this.value, this.curved)
    return bool(apart > DOUBT * (this.error + abs(this.gap) / 2))


def _restless(measured: Measured) -> float:
    """Return what the steps around the best one show of kinks: half of their largest gap at 0."""
    best = measured.best
    near = pairwise(measured.steps[max(0, best - 2) : best + 2])
    gaps = (abs(gap_at_0(*pair)) / 2 for pair in near)
    return max((gap for gap in gaps if math.isfinite(gap)), default=0.0)


def hearing(
    objective: Objective, direction: Direction, claim: Claim, found: Difference
) -> list[Difference]:
    """Hear a claim again, with the next smaller step and the smallest that could still tell (22).

    The rounding error grows as the step shrinks; at the smallest one it is a part of what the
    claim is off. Nothing is heard where no smaller step could tell.
    """
    least = found.step * DOUBT * found.rounding / abs(claim.value - found.value)
    least = max(least, SHORTEST * (direction.scale.size or found.step))
    if least > found.step / RATIO:
        return []
    steps = (found.step / RATIO, least)
    return [central_difference(objective, direction, step) for step in steps]


def _stand(heard: list[Difference], claim: Claim, found: Difference) -> bool:
    """Tell whether no step that was heard moves away from what was found (23)."""
    apart = abs(claim.value - found.value)
    return all(abs(this.value - found.value) <= max(this.rounding, apart / DOUBT) for this in heard)


def span(gradient: Any) -> float:
    """Return the largest finite size in an array, 0 if there is none."""
    sizes = np.abs(np.asarray(gradient, np.float64))
    return float(np.where(np.isfinite(sizes), sizes, 0.0).max(initial=0.0))
