"""Slopes that are 0: at an optimum, by theory, over dead units, and where nothing is read."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from backproof._claims import CLAIM_ROUNDING, Array, Check
from backproof._decide import RESOLVED
from backproof._directions import DOUBT, FAR_SMALLER, of_entries
from backproof._noise import GROWTH, LONGEST
from backproof._objective import Objective
from backproof._rungs import Entries, Rung, both_sides, rung_of
from backproof._slopes import RATIO, still

# Gaps shrink by RATIO from a step to the next where the cost is smooth, and by its square or more
# where the step is too long. Midway, they are taken for one or the other.
TOO_FAST = RATIO ** (3 / 2)


def judge_zeros(check: Check, entries: Entries, rung: Rung) -> None:
    """Mark arrays whose claims and slopes are 0 beside the slopes nearby, as at an optimum (24)."""
    for number in np.unique(entries.number[entries.verdict == ""]):
        own = entries.number == number
        # Where one entry stands still, the least change over another tells how little that says.
        ties = rung.least[own].min() / (2 * check.objective.noise.step * rung.scale[own])
        error = np.where(rung.least[own] < np.inf, rung.rounding[own], ties)
        cancelled = check.cancelled(int(number))
        within = _zero(entries, rung, own, error, cancelled)
        if not (within <= check.negligible(int(number))).all() or moves(
            check.objective, entries.index[own]
        ):
            within = _at_an_optimum(check, entries, rung, own)
        if (within < np.inf).all():
            entries.verdict[own], entries.error[own] = "right", within
            entries.within[own] = within.max()


def _zero(entries: Entries, rung: Rung, own: Array, error: Array, cancelled: float = 0.0) -> Array:
    """Return within what claims and slopes are 0, inf where either is seen to be another number."""
    claims, slopes = abs(entries.claimed[own]), abs(rung.value[own])
    seen = np.maximum(claims - cancelled, slopes)
    within = np.maximum.reduce([claims, slopes, error])
    return np.where(seen <= CLAIM_ROUNDING * error, within, np.inf)


def _at_an_optimum(check: Check, entries: Entries, rung: Rung, own: Array) -> Array:
    """Return within what slopes are 0 that are small beside those nearby, inf if one is not (24).

    There the gaps shrink with the step, whereas at kinks they stay, and where the step is too long
    they shrink faster.
    """
    objective, nowhere = check.objective, np.full(np.count_nonzero(own), np.inf)
    step = objective.noise.step
    curved = float(((abs(rung.gap) - 4 * rung.rounding)[own] / step).max())
    seen = np.maximum(abs(entries.claimed), abs(rung.value))[own]
    if not curved > 0 or not (seen <= RESOLVED * curved).all():
        return nowhere
    task = partial(both_sides, share=1 / RATIO)
    steepest = int(entries.index[own][np.argmax(abs(rung.gap[own]))])
    kink = rung_of(objective, np.array([task(objective, steepest)]).T)
    if abs(kink.gap[0]) > abs(rung.gap[own]).max() / math.sqrt(RATIO) + 4 * kink.rounding[0]:
        return nowhere
    rows = objective.for_each(task, entries.index[own].tolist(), check.options.workers)
    closer = rung_of(objective, np.array(rows).T)
    shrink = abs(closer.gap) <= abs(rung.gap[own]) / math.sqrt(RATIO) + 4 * closer.rounding
    shrink &= abs(closer.gap) + 4 * closer.rounding >= abs(rung.gap[own]) / TOO_FAST
    error = rung.rounding[own] + abs(closer.value - rung.value[own])
    within = _zero(entries, rung, own, error)
    return within if shrink.all() and (within <= RESOLVED * curved).all() else nowhere


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
        _judge_still(check, entries, rung, own, change, longest, alone=alone)


def _judge_still(
    check: Check,
    entries: Entries,
    rung: Rung,
    own: Array,
    change: float,
    longest: float,
    *,
    alone: bool,
) -> None:
    """Judge entries of an array, over which the cost has changed by so much up to the longest step.

    They are `alone` if they are all of the array.
    """
    objective, number = check.objective, int(entries.number[own][0])
    sizes = np.where(rung.rows[0] > 0, rung.rows[0], rung.scale)[own]
    error = (change + still(objective)) / (longest * sizes)
    size, none = abs(entries.claimed[own]), entries.claimed[own] == 0
    zero = check.negligible(number) if alone else check.cancelled(number)
    beside = np.maximum(zero, entries.allowed[own])
    negligible = np.maximum(size, error) <= beside
    flat = change == 0 and not objective.noise.moved
    stays = flat or (change <= still(objective) and not objective.rounded)
    # If other values move, all is read. A slope that explains the change would be seen at the first
    # step: there is none, and a unit wakes further off.
    wakes = change * objective.noise.step > longest * DOUBT * still(objective)
    if objective.kin.moves and none.all() and wakes and not objective.rounded:
        entries.value[own], entries.error[own] = 0.0, still(objective)
        entries.verdict[own], entries.reason[own] = "untested", "zero"
        return
    if not stays and (none.any() or not negligible.all()):
        return
    # Units of another size may hide what is narrower than any step that could tell.
    usual = (rung.rows[0] >= FAR_SMALLER * rung.scale) | (rung.rows[0] == 0)
    known = alone | usual[own] | (size > RESOLVED * entries.largest[own])
    wrong = (size > DOUBT * error) & ~negligible & objective.noise.moved & known
    right = negligible & ~none
    if wrong.any():
        worst = entries.index[own][[np.argmax(wrong * size / error)]]
        if largest_change(objective, worst, longest) > still(objective):
            return  # by itself, it moves the cost: together, several have cancelled
    entries.value[own], entries.error[own] = 0.0, error
    entries.verdict[own] = np.select([wrong, right], ["wrong", "right"], "untested")
    entries.reason[own] = np.select([wrong | none, right], ["zero", ""], objective.lost)
    entries.within[own] = np.where(right, np.maximum(size, error), np.nan)


def moves(objective: Objective, indices: Array) -> bool:
    """Tell whether the cost changes by more than noise if some entries are displaced far."""
    return largest_change(objective, indices, LONGEST) > still(objective)


def largest_change(objective: Objective, indices: Array, longest: float) -> float:
    """Return by how much the cost changes if some entries are displaced, by less and less."""
    rng = np.random.default_rng(0)
    weights = rng.choice([-1.0, 1.0], len(indices)) * rng.uniform(0.5, 1.5, len(indices))
    direction = of_entries(objective.parameters, indices, weights)
    change, step = 0.0, longest
    while step > objective.noise.step and change <= still(objective):
        costs = [objective.beside(direction, side).cost for side in (step, -step)]
        change = max(change, *(abs(cost - objective.value) for cost in costs))
        change = math.inf if math.isnan(change) else change
        step /= RATIO**2
    return change
