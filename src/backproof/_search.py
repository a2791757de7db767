"""The check along directions: all arrays at once, and closer where that shows a mistake."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from backproof._claims import Array, Check, entry_of, listed, scattered
from backproof._decide import RESOLVED, Claim, Finding, decide
from backproof._directions import DOUBT, of_arrays
from backproof._entries import RATHER, TOGETHER, measure_entries, report_on
from backproof._locate import PROBES, candidates, decide_entry, locate, right_throughout, without
from backproof._mistakes import KNOWN, UNKNOWN, Mistake, name_mistake, not_finite_in
from backproof._noise import LONGEST
from backproof._probes import Probe, Prober, Region
from backproof._report import ArrayReport
from backproof._slopes import RATIO, central_difference, first_difference, still
from backproof._zeros import bending, is_smooth, is_zero, largest_change

# What the search for mistakes may take, beyond a first look at each array, and at the least.
BUDGET, LEAST = 250, 80

# What is said of an array that the budget left out.
UNSEARCHED = Mistake(
    "unknown",
    None,
    "it is wrong, but the search did not reach it: correct the arrays nearer to the cost first",
)

# An array of at most so many entries is measured entry by entry if no rule explains its probes.
SMALL = 64

# The weight of an entry in a direction is at least a half, and its error counts on both sides.
SEEN = 4


def check_directions(
    check: Check, paths: Iterable[str], *, movable: bool
) -> dict[str, ArrayReport]:
    """Judge some arrays by probes, and look closer at those that are wrong.

    At a kink, a point that is `movable` is better moved than looked at closer.
    """
    arrays = {check.paths.index(path): check.gradient[path] for path in paths}
    prober = Prober(check, math.inf if movable else DOUBT**2)
    finite = [n for n, g in arrays.items() if g.size and np.isfinite(g).all()]
    reports = {n: _unprobed(g) for n, g in arrays.items() if n not in finite}
    reports |= _unmoved(prober, [n for n in finite if not arrays[n].any()])
    left = [n for n in finite if n not in reports]
    found, prober = _all_at_once(prober, left, movable=movable)
    reports |= found
    reports |= _one_by_one(prober, [n for n in finite if n not in reports])
    passed = [n for n in finite if reports[n].verdict == "correct"]
    if passed and not _agree(prober, passed):
        reports |= _one_by_one(prober._replace(turn=1), passed)
    return {check.paths[n]: report for n, report in sorted(reports.items())}


def _unmoved(prober: Prober, numbers: list[int]) -> dict[int, ArrayReport]:
    """Report on arrays with a gradient of 0 over which the cost stands still."""
    objective = prober.check.objective
    if not numbers or objective.rounded:
        return {}
    return {} if _change(prober, numbers) else {n: _correct(prober, n, 0.0) for n in numbers}


def _change(prober: Prober, numbers: list[int]) -> float:
    """Return by how much the cost changes if some arrays are displaced."""
    objective = prober.check.objective
    indices = np.concatenate([objective.parameters.indices(n) for n in numbers])
    return largest_change(objective, indices, LONGEST)


def _unprobed(g: Array) -> ArrayReport:
    """Report on an array that is empty, or not finite."""
    if not g.size:
        return ArrayReport("correct", g.shape, math.nan, 0.0)
    bad = np.flatnonzero(~np.isfinite(g))
    found = [entry_of(g, int(i), math.nan, math.inf) for i in bad]
    return ArrayReport("wrong", g.shape, math.nan, math.nan, not_finite_in(g), listed(found))


# All arrays at once


def _all_at_once(
    prober: Prober, numbers: list[int], *, movable: bool
) -> tuple[dict[int, ArrayReport], Prober]:
    """Judge arrays by probes of all of them, then those that are too small to be seen in it.

    Return a prober, too, whose step shows a mistake that no single array has explained.
    """
    reports: dict[int, ArrayReport] = {}
    while left := [n for n in numbers if n not in reports]:
        region = {n: prober.everything(n) for n in left}
        finding = prober.look(region)
        found = _right(prober, left, finding) if finding.verdict == "right" else {}
        if finding.verdict in ("doubtful", "wrong"):
            prober = prober.beside(finding)
            found = _one_mistake(prober, region, finding)
        if finding.reason == "kink" and movable:
            found = {n: _undecided(prober, n, finding) for n in left}
        if not found:
            break
        reports |= found
    return reports, prober


def _right(prober: Prober, numbers: list[int], finding: Finding) -> dict[int, ArrayReport]:
    """Report on the arrays that a probe of all of them is fine enough for."""
    reports = {}
    for n in numbers:
        error, largest = finding.error / prober.scale(n), prober.largest(n)
        if largest and error <= RESOLVED / SEEN * largest:
            reports[n] = _within_tolerance(prober, n, finding)
        elif max(largest, error) <= prober.check.negligible(n) and _change(prober, [n]) <= still(
            prober.check.objective
        ):
            reports[n] = replace(_correct(prober, n, error), within=max(largest, error))
    return reports


def _within_tolerance(prober: Prober, number: int, finding: Finding) -> ArrayReport:
    """Report that an array is right, and whether it would not pass without the tolerance."""
    tolerated = finding.reason == "tolerance"  # but a single difference may be off as well
    if tolerated:
        alone = prober.strict().look({number: prober.everything(number)})
        tolerated = alone.verdict != "right"
    report = _correct(prober, number, finding.error / prober.scale(number))
    return replace(report, tolerated=tolerated)


def _correct(prober: Prober, number: int, error: float) -> ArrayReport:
    """Report that an array is right, as far as the error of a probe lets a mistake be seen."""
    g, largest = prober.gradient(number), prober.largest(number)
    zeros = int(np.count_nonzero(g == 0))
    resolution = SEEN * error / largest if largest else 0.0
    shape = prober.check.gradient[prober.check.paths[number]].shape
    untested = {"zero": zeros} if zeros else {}
    return ArrayReport("correct", shape, math.nan, resolution, untested=untested)


def _agree(prober: Prober, numbers: list[int]) -> bool:
    """Tell whether arrays agree along another direction, where other mistakes would cancel."""
    region = {n: prober.everything(n) for n in numbers}
    return prober._replace(turn=2).decide(region, 0).verdict not in ("wrong", "doubtful")


def _one_mistake(prober: Prober, region: Region, first: Finding) -> dict[int, ArrayReport]:
    """Look for a single mistake that explains the probes of all arrays; nothing if none does."""
    probes = [_as_probe(prober, region, first)]
    probes += [prober.probe(region, k, first.error) for k in range(1, PROBES)]
    for number, index in candidates(prober, region, probes):
        found = decide_entry(prober, number, index)
        if found.verdict == "wrong":
            rest = without(prober, probes, number, index, found)
            if right_throughout(rest):
                return _explained(prober, region, number, [(index, found)], UNKNOWN, first)
            break
    suspect = _suspect(prober, region, probes[0])
    if suspect is None:
        return {}
    small = prober.gradient(suspect).size <= SMALL
    if small and prober.step < first.step:  # kinks blur the probes
        return {}
    claims = [prober.claim({suspect: region[suspect]}, k).value for k in range(PROBES)]
    scale = prober.scale(suspect)
    _, residuals, errors = np.array(probes[:PROBES]).T / scale
    slopes = np.array(claims) / scale - residuals
    mistake = _named(prober, suspect, slopes, errors)
    if mistake is not UNKNOWN and (shown := _shown(prober, suspect)):
        return _explained(prober, region, suspect, [shown], mistake, first)
    return {}


def _as_probe(prober: Prober, region: Region, finding: Finding) -> Probe:
    claim = prober.claim(region, 0)
    return Probe(finding.value, claim.value - finding.value, finding.error)


def _suspect(prober: Prober, region: Region, first: Probe) -> int | None:
    """Return the array that is wrong if a single one is: it is read off one more probe.

    The arrays take different shares in it, so that the residual shrinks by the wrong one's (29).
    """
    shares = {n: 0.5 + k / len(region) for k, n in enumerate(region)}
    direction, claim = prober.along(region, 0, shares)
    this = central_difference(prober.check.objective, direction, prober.step)
    residual, error = claim.value - this.value, max(this.error + claim.allowed, first.error)
    suspect = min(region, key=lambda n: abs(shares[n] * first.residual - residual))
    apart = abs(shares[suspect] * first.residual - residual)
    return suspect if apart <= (1 + shares[suspect]) * error else None


def _explained(
    prober: Prober,
    region: Region,
    number: int,
    found: list[tuple[int, Finding]],
    mistake: Mistake,
    first: Finding,
) -> dict[int, ArrayReport]:
    """Report on one wrong array, and on the others, which are right beside it."""
    wrong = _wrong(prober, number, found, mistake, first.error / prober.scale(number), True)
    return {**_right(prober, [n for n in region if n != number], first), number: wrong}


# One array after the other


def _one_by_one(prober: Prober, numbers: list[int]) -> dict[int, ArrayReport]:
    """Judge each array by itself, then look closer at wrong ones, nearest to the cost first."""
    reports: dict[int, ArrayReport] = {}
    wrong: dict[int, Finding] = {}
    objective = prober.check.objective
    most = prober.check.options.budget
    budget = objective.evaluations + min(BUDGET, most)
    if numbers:
        objective.listen()
    for n in numbers:
        finding = prober.decide({n: prober.everything(n)}, 0)
        if finding.verdict == "wrong":
            wrong[n] = finding
        else:
            reports[n] = _judged(prober, n, finding, budget)
            if reports[n].verdict == "wrong" and not reports[n].entries:
                wrong[n] = finding
        objective.again()
    budget = max(budget, objective.evaluations + min(LEAST, most))
    for n in sorted(wrong, reverse=True):
        reports[n] = _looked_at(prober, n, wrong[n], budget)
    return reports


def _judged(prober: Prober, number: int, finding: Finding, budget: float) -> ArrayReport:
    """Report on an array that is not seen to be wrong along its first direction."""
    right = _right(prober, [number], finding)
    if finding.verdict == "right" and number in right:
        return right[number]
    if prober.largest(number):
        report = _along_the_claim(prober, number, finding)
    elif prober.check.objective.rounded or _change(prober, [number]):
        report = _undecided(prober, number, finding)
    else:
        return _correct(prober, number, 0.0)
    if report.verdict == "undecided" and (optimum := _at_an_optimum(prober, number)):
        return optimum
    small = prober.gradient(number).size <= SMALL
    if report.verdict == "undecided" and small and prober.check.objective.evaluations < budget:
        return _entry_by_entry(prober, number, budget)
    return report


def _undecided(prober: Prober, number: int, finding: Finding) -> ArrayReport:
    """Report that an array cannot be decided, for the reason of a finding."""
    report = _correct(prober, number, finding.error)
    reason = finding.reason or prober.check.objective.lost
    untested = {reason: prober.gradient(number).size}
    return replace(report, verdict="undecided", untested=untested, reason=reason)


def _at_an_optimum(prober: Prober, number: int) -> ArrayReport | None:
    """Report that an array is 0 beside the slopes nearby, if it is (24)."""
    objective = prober.check.objective
    direction, claim = prober.along({number: prober.everything(number)}, 0)
    first = first_difference(objective, direction)
    least = max(claim.size, abs(first.value) - first.rounding)
    if not least <= RESOLVED * (abs(first.gap) + 4 * first.rounding) / first.step:
        return None
    if not (longer := bending(objective, direction, first)):
        return None
    closer = central_difference(objective, direction, longer.step / RATIO)
    error = longer.rounding + abs(closer.value - longer.value)
    bound = SEEN * max(error, claim.size, abs(longer.value))
    curved = (abs(longer.gap) - 4 * longer.rounding) / longer.step
    rounded = claim._replace(rounding=prober.check.rounding(number))
    zero = is_zero(rounded, claim.size, longer.value, curved, error)
    if not (is_smooth(first, longer, closer) and zero and bound <= RESOLVED * curved):
        return None
    within = bound / prober.scale(number)
    return replace(_correct(prober, number, error), within=within, untested={})


def _along_the_claim(prober: Prober, number: int, finding: Finding) -> ArrayReport:
    """Report on an array by the slope along its claim, which is the steepest if that is right.

    It tells the size of the gradient far better than a random direction, and the random one
    tells that no entry is off by more than its error.
    """
    g, scale, largest = prober.gradient(number), prober.scale(number), prober.largest(number)
    weights = g / largest
    squares = float((weights**2).sum())
    claim = Claim(
        squares * largest * scale,
        prober.check.allowed(number) * squares * largest * scale,
        prober.check.rounding(number),
        squares * largest * scale,
        squares * largest * scale,
    )
    objective = prober.check.objective
    along = decide(
        objective, of_arrays(objective.parameters, {number: weights}, margin=prober.margin), claim
    )
    error = finding.error / scale
    if along.verdict == "wrong":
        return replace(_correct(prober, number, error), verdict="wrong")
    claimed = prober.claim({number: prober.everything(number)}, 0).value
    residual = abs(claimed - finding.value)
    if along.verdict == "right" and residual <= finding.error and SEEN * error <= largest:
        return _within_tolerance(prober, number, finding)
    return _undecided(prober, number, finding if finding.reason else along)


def _looked_at(prober: Prober, number: int, first: Finding, budget: float) -> ArrayReport:
    """Name the mistake of an array from a few more probes, or locate its wrong entries."""
    error, scale = first.error / prober.scale(number), prober.scale(number)
    spent = prober.check.objective.evaluations > budget
    if not prober.largest(number):
        zero = _named(prober, number, np.array([first.value / scale]), np.array([error]))
        shown = None if spent else _shown(prober, number)
        return _wrong(prober, number, [shown] if shown else [], zero, error, True)
    if spent:
        return _wrong(prober, number, [], UNSEARCHED, error, False)
    region, prober = {number: prober.everything(number)}, prober.beside(first)
    probes = [_as_probe(prober, region, first)]
    probes += [prober.probe(region, k, first.error) for k in range(1, PROBES)]
    size, left = prober.gradient(number).size, budget - prober.check.objective.evaluations
    small = size <= SMALL and 2 * size + RATHER * min(size, TOGETHER) <= left
    if small and prober.step < first.step:  # kinks blur the probes
        return _entry_by_entry(prober, number, budget)
    slopes, _, errors = np.array(probes).T / scale
    mistake = _named(prober, number, slopes, errors)
    if mistake is not UNKNOWN and (shown := _shown(prober, number)):
        return _wrong(prober, number, [shown], mistake, error, True)
    if small:
        return _entry_by_entry(prober, number, budget)
    return _located(prober, number, probes, first, budget)


def _located(
    prober: Prober, number: int, probes: list[Probe], first: Finding, budget: float
) -> ArrayReport:
    """Locate the wrong entries of an array from its probes, and report on it."""
    blurred = prober.step < first.step  # by kinks
    region = {number: prober.everything(number)}
    found = [(i, finding) for _, i, finding in locate(prober, region, probes, budget)]
    complete = prober.check.objective.evaluations <= budget
    # Many kinks may cancel in the gap of a direction, and not in its slope, which all steps blur.
    if not found and (complete or blurred or first.reason):
        index = int(np.argmax(np.abs(prober.gradient(number))))
        largest = decide_entry(prober, number, index)
        if largest.verdict != "wrong" and (complete or blurred or largest.verdict != "doubtful"):
            return _undecided(prober, number, first)
        found = [(index, largest)] if largest.verdict == "wrong" else []
    return _wrong(prober, number, found, UNKNOWN, first.error / prober.scale(number), complete)


def _entry_by_entry(prober: Prober, number: int, budget: float) -> ArrayReport:
    """Measure every entry of an array that its probes do not explain."""
    indices = prober.check.objective.parameters.indices(number)
    entries = measure_entries(prober.check, indices, budget)
    return report_on(prober.check, prober.check.paths[number], entries)


def _wrong(
    prober: Prober,
    number: int,
    found: list[tuple[int, Finding]],
    mistake: Mistake,
    error: float,
    complete: bool,
) -> ArrayReport:
    """Report that an array is wrong, and in which entries, if they are known."""
    g, largest = prober.check.gradient[prober.check.paths[number]], prober.largest(number)
    if mistake is UNKNOWN and g.size == len(found) == 1:
        ((_, only),) = found
        path, slopes = prober.check.paths[number], np.array([only.value])
        mistake = name_mistake(
            prober.check.evidence(path, np.ravel, slopes, np.array([only.error]))
        )
    elif mistake is UNKNOWN:
        # What a tolerance or kinks hide may be in any entry.
        size = max([largest, *(abs(finding.value) for _, finding in found)])
        complete = complete and SEEN * error <= KNOWN * size
        mistake = scattered(g, [index for index, _ in found], complete=complete)
    entries = [entry_of(g, i, finding.value, finding.error) for i, finding in found]
    resolution = SEEN * error / largest if largest else math.nan
    return ArrayReport("wrong", g.shape, math.nan, resolution, mistake, listed(entries))


def _named(prober: Prober, number: int, slopes: Array, errors: Array) -> Mistake:
    """Name the mistake of an array from its probes."""

    def project(array: Array) -> Array:
        whole = array.reshape(prober.shape(number))
        products = (np.vdot(whole, prober.weights(number, k)) for k in range(len(slopes)))
        return np.array([float(product) for product in products])

    path = prober.check.paths[number]
    return name_mistake(prober.check.evidence(path, project, slopes, errors))


def _shown(prober: Prober, number: int) -> tuple[int, Finding] | None:
    """Return an entry that is seen to be wrong: the largest of the claim, or of the parameters."""
    blocks = prober.check.objective.parameters.blocks
    for sizes in (prober.gradient(number), blocks[number].values):
        index = int(np.argmax(np.abs(sizes)))
        finding = decide_entry(prober, number, index)
        if finding.verdict == "wrong":
            return index, finding
    return None
