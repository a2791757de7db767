"""The check entry by entry: each has to lie within the error of its own measured slope."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backproof.costs import Cost, Origin
from backproof.differences import difference_of_vectors
from backproof.lines import line_along, line_of_entry, quotients, straight
from backproof.mistakes import UNKNOWN, Evidence, Mistake, name_mistake, placed
from backproof.parameters import Parameters, precision_of
from backproof.report import ArrayReport, Entry
from backproof.slopes import DOUBT, Workers, for_each, slope_of_entry, slope_of_line

Array = NDArray[Any]

# An array is undecided where the error of an entry is more than this share of the largest one.
RESOLVED = 0.02

# A single step decides an entry if its error is at most this share of the largest.
FINE = 1e-6


class Check(NamedTuple):
    """What is checked, and how."""

    cost: Cost
    parameters: Parameters
    origin: Origin
    gradient: dict[str, Array]
    tolerance: float
    ord: float
    seed: int
    workers: Workers

    @property
    def point(self) -> tuple[Cost, Parameters, Origin]:
        """What is displaced, and what is known of it there."""
        return self.cost, self.parameters, self.origin


class Entries(NamedTuple):
    """What is known of each entry: its slope, the error, what the rounding of the claim allows.

    `size` is the largest entry of its array, `reason` says what the error is due to,
    and `dead` entries do not change the cost.
    """

    value: Array
    error: Array
    allowed: Array
    size: Array
    reason: Array
    dead: Array
    wrong: Array
    unknown: Array


def check_entries(check: Check) -> tuple[dict[str, ArrayReport], int, float]:
    """Measure every entry, most of them with two evaluations of the cost."""
    gradients = list(check.gradient.values())
    entries, evaluations = measure_entries(check, gradients, 0)
    arrays, start = {}, 0
    for path, g in check.gradient.items():
        own = Entries(*(column[start : start + g.size] for column in entries))
        arrays[path] = judge_entries(check, path, own)
        start += g.size
    return arrays, evaluations, difference_of_vectors(_joined(gradients), entries.value, check.ord)


def measure_entries(check: Check, gradients: list[Array], first: int) -> tuple[Entries, int]:
    """Measure and judge all entries of some arrays, of which the first has the index `first`.

    A single step decides an entry, unless something looks odd: then it takes several.
    Some rounding of a claim is allowed for, as a share of the largest slope of its array.

    Examples
    --------
    A wrong entry, and too little precision to decide with one step:

    >>> from backproof.costs import measure_origin
    >>> w = np.array([1.0, 2.0, 3.0, 4.0])
    >>> for offset, claimed in ((0.0, 2 * w), (0.0, [2, 4, 7, 8]), (1e6, 2 * w)):
    ...     cost, point, g = lambda w: np.sum(w**2) + offset, Parameters(w), np.asarray(claimed)
    ...     check = Check(cost, point, measure_origin(cost, point), {}, 1e-7, 2, 0, map)
    ...     entries, evaluations = measure_entries(check, [g * 1.0], 0)
    ...     print(entries.value.round(4), entries.wrong.any(), evaluations)
    [2. 4. 6. 8.] False 8
    [2. 4. 6. 8.] True 24
    [2. 4. 6. 8.] False 72

    One that does not change the cost is dead, if its gradient is 0; at a kink it is not:

    >>> w = np.array([1.0, 0.0, 0.0])
    >>> cost, point = lambda w: w[0] ** 2 + max(w[1], 0.0), Parameters(w)
    >>> check = Check(cost, point, measure_origin(cost, point), {}, 1e-7, 2, 0, map)
    >>> entries, _ = measure_entries(check, [np.array([2.0, 0.0, 0.0])], 0)
    >>> print(entries.dead, entries.unknown, *entries.reason[1:2])
    [False False  True] [False  True False] kink
    """
    gradient, origin, workers = _joined(gradients), check.origin, check.workers
    indices = range(first, first + gradient.size)
    rows = np.array(for_each(both_sides, *check.point, indices, workers)).T
    value, gap, error = quotients(origin, *rows)
    dead = (gradient == 0) & (rows[2] == origin.cost) & (rows[4] == origin.cost)
    lost = np.flatnonzero(dead & ~(error <= FINE * _sizes(gradients, gradient)))
    dead[lost], evaluations = stands_still(*check.point, first + lost)
    evaluations += 2 * gradient.size
    reason = np.full(gradient.size, "", dtype=object)
    entries = _judged(check, gradients, value, error, reason, dead)
    unclear = ~(error <= FINE * entries.size) | ~straight(gap, error, entries.size)
    again = np.flatnonzero((entries.wrong | entries.unknown | unclear) & ~dead)
    if not again.size:
        return entries, evaluations
    results = for_each(slope_of_entry, *check.point, [indices[i] for i in again], workers)
    for i, measured in zip(again, results, strict=True):
        (value[i], error[i]), reason[i] = measured.slope, measured.reason
    evaluations += sum(measured.evaluations for measured in results)
    return _judged(check, gradients, value, error, reason, dead), evaluations


def stands_still(
    cost: Cost, parameters: Parameters, origin: Origin, indices: Array
) -> tuple[bool, int]:
    """Tell whether a cost has no slope along some entries together, and what that takes.

    The steps grow: one that suits a tiny entry may be too short to change the cost at all.

    Examples
    --------
    >>> from backproof.costs import measure_origin
    >>> point, every = Parameters(np.array([1.0, 1e-12, 1e-13])), np.array([1, 2])
    >>> for cost in (lambda w: w[0], lambda w: w[0] + w[1]):
    ...     print(*stands_still(cost, point, measure_origin(cost, point), every))
    True 16
    False 16
    """
    if not indices.size:
        return True, 0
    velocity = np.zeros(parameters.size)
    velocity[indices] = np.random.default_rng(0).choice([-1.0, 1.0], indices.size)
    velocity[indices] *= np.random.default_rng(1).uniform(0.5, 1.5, indices.size)
    smallest = min(parameters.entry(int(i))[0].scale for i in indices)
    measured = slope_of_line(line_along(cost, parameters, origin, velocity, smallest))
    return abs(measured.slope.value) <= measured.slope.error, measured.evaluations


def _judged(
    check: Check, gradients: list[Array], value: Array, error: Array, reason: Array, dead: Array
) -> Entries:
    """Judge every entry by its slope: where there is none, its value is nan, and nothing is off.

    Examples
    --------
    A claim of 1.2 is wrong beside a slope of 1 with an error of 0.15, unless that is mostly noise:

    >>> origin = Origin(1.0, 2**-52, 0.0, 1e-5, 2)
    >>> check = Check(np.sum, Parameters(1.0), origin, {}, 0.0, 2, 0, map)
    >>> for claim, value, error, reason in (
    ...     (1.2, 1.0, 0.15, "kink"),
    ...     (1.2, 1.0, 0.15, "precision"),
    ...     (1.2, 1.0, 0.04, "precision"),
    ...     (1.0, 1.0, 0.025, ""),
    ...     (1.0, 1.0, 0.02, ""),
    ...     (np.nan, 1.0, 0.1, ""),
    ... ):
    ...     columns = (np.array([x]) for x in (value, error, reason, False))
    ...     entry = _judged(check, [np.array([claim])], *columns)
    ...     print(claim, error, f"wrong: {entry.wrong[0]}, unknown: {entry.unknown[0]}")
    1.2 0.15 wrong: True, unknown: False
    1.2 0.15 wrong: False, unknown: True
    1.2 0.04 wrong: True, unknown: False
    1.0 0.025 wrong: False, unknown: True
    1.0 0.02 wrong: False, unknown: False
    nan 0.1 wrong: True, unknown: False

    Something is allowed to the rounding of a claim, as is to be expected in its dtype:

    >>> columns = (np.array([x]) for x in (2.0, 0.0, "", False))
    >>> float(_judged(check, [np.array([2.0])], *columns).allowed[0] / 2**-52)
    32.0
    """
    g = _joined(gradients)
    size = _sizes(gradients, g, value)
    precisions = np.concatenate([np.full(own.size, precision_of(own.dtype)) for own in gradients])
    allowed = check.tolerance * (np.abs(g) + np.abs(value))
    allowed += 16 * precisions * _sizes(gradients, value)
    apart = np.abs(g - value) - allowed
    wrong = ((apart > accusing(reason) * error) | ~np.isfinite(g)) & ~dead
    unknown = ~(wrong | dead | ((error <= RESOLVED * size) & ~(apart > error)))
    return Entries(value, error, allowed, size, reason, dead, wrong, unknown)


def accusing(reason: Any) -> Any:
    """Return how many times its error a gradient has to be apart from a slope to be accused."""
    return np.where(reason == "precision", DOUBT, 1)


def both_sides(cost: Cost, parameters: Parameters, origin: Origin, index: int) -> tuple[float, ...]:
    """Return the size of an entry, and its displacements and the costs there, on both sides."""
    line = line_of_entry(cost, parameters, origin, index)
    step = line.scale * origin.step
    try:
        return (line.size, *line.cost_at(step), *line.cost_at(-step))
    except (ArithmeticError, ValueError):
        return (line.size, math.nan, math.nan, math.nan, math.nan)


def judge_entries(check: Check, path: str, entries: Entries) -> ArrayReport:
    """Report on an array whose entries were measured.

    Examples
    --------
    An array that does not change the cost has nothing to be seen, and a resolution of 0:

    >>> from backproof import check_gradient
    >>> point = {"w": 1.0, "z": np.zeros(2)}
    >>> report = check_gradient(lambda p: p["w"] ** 2, {**point, "w": 2.0}, point)
    >>> report.arrays["z"].resolution, report.arrays["z"].untested
    (0.0, 2)
    """
    g = check.gradient[path]
    wrong, unknown = np.count_nonzero(entries.wrong), np.count_nonzero(entries.unknown)
    size = float(entries.size[0]) if g.size else 0.0
    # The claim may be on one side of the slope, and the mistake on the other.
    seen = np.where(entries.dead, 0.0, 2 * entries.error + entries.allowed)
    report = ArrayReport(
        verdict="wrong" if wrong else "undecided" if unknown else "correct",
        shape=g.shape,
        difference=difference_of_vectors(g.reshape(-1), entries.value, check.ord),
        resolution=float(seen.max() / size) if size else 0.0,
        untested=int(np.count_nonzero(entries.dead)),
    )
    if wrong:
        return _with_mistake(report, check, path, entries)
    if unknown:
        reasons = [reason or "precision" for reason in entries.reason[entries.unknown]]
        return replace(report, reason=max(set(reasons), key=reasons.count))
    return report


def _with_mistake(report: ArrayReport, check: Check, path: str, entries: Entries) -> ArrayReport:
    """Name the mistake of an array, and list its wrong entries, the worst first."""
    g = check.gradient[path]
    known = np.flatnonzero(np.isfinite(entries.value) & np.isfinite(entries.error))
    errors = (entries.error + entries.allowed)[known]
    evidence = evidence_on(
        check, path, lambda array: array.reshape(-1)[known], entries.value[known], errors
    )
    apart = np.nan_to_num(np.abs(g.reshape(-1) - entries.value), nan=np.inf)
    order = np.argsort(-apart, kind="stable")
    found = tuple(
        entry_of(g, int(i), entries.value[i], entries.error[i]) for i in order if entries.wrong[i]
    )
    mistake = name_mistake(evidence)
    if mistake is UNKNOWN:
        complete = not entries.unknown.any()
        mistake = scattered(g, np.flatnonzero(entries.wrong).tolist(), complete=complete)
    return replace(report, mistake=mistake, entries=found)


def evidence_on(
    check: Check, path: str, project: Callable[[Array], Array], slopes: Array, errors: Array
) -> Evidence:
    """Return what is known of an array: the slopes that `project` leads to, and their errors."""
    block = next(block for block in check.parameters.blocks if block.path == path)
    return Evidence(
        gradient=check.gradient[path],
        parameters=block.values.reshape(block.shape).astype(np.float64),
        project=project,
        slopes=slopes,
        errors=errors,
        others={other: g for other, g in check.gradient.items() if other != path},
    )


def scattered(g: Array, found: list[int], *, complete: bool) -> Mistake:
    """Describe wrong entries that were located one by one.

    Examples
    --------
    >>> for found, complete in (([0, 3], True), ([0, 3], False), ([1], False)):
    ...     print(scattered(np.ones((2, 2)), found, complete=complete).text)
    2 of its 4 entries are wrong, in a way that no rule knows
    at least 2 of its 4 entries are wrong, in a way that no rule knows
    at least 1 of its 4 entries is wrong, in a way that no rule knows
    >>> print(scattered(np.ones(2), [], complete=True).text)
    it is wrong in a way that no rule knows
    >>> scattered(np.ones(1), [0], complete=True) is UNKNOWN
    True
    """
    if not found or g.size == 1:
        return UNKNOWN
    places = np.transpose(np.unravel_index(found, g.shape))
    if complete and (mistake := placed(g.shape, places)):
        return mistake
    count = f"{len(found)}" if complete else f"at least {len(found)}"
    verb = "is" if len(found) == 1 else "are"
    text = f"{count} of its {g.size} entries {verb} wrong, in a way that no rule knows"
    return Mistake("unknown", None, text)


def _joined(gradients: list[Array]) -> Array:
    return np.concatenate([g.reshape(-1) for g in gradients])


def _sizes(gradients: list[Array], *vectors: Array) -> Array:
    """Return, for every entry, the largest finite one of its array in some vectors.

    Examples
    --------
    >>> arrays = [np.array([1.0, -3.0]), np.ones((0, 2)), np.array([np.inf])]
    >>> _sizes(arrays, np.array([1.0, -3.0, np.inf]), np.array([-4.0, 2.0, np.nan]))
    array([4., 4., 0.])
    """
    counts = [g.size for g in gradients if g.size]
    starts = [0, *accumulate(counts[:-1])]
    finite = [np.where(np.isfinite(v), np.abs(v), 0.0) for v in vectors]
    sizes = np.maximum.reduce([np.maximum.reduceat(v, starts) for v in finite])
    return np.repeat(sizes, counts)


def entry_of(g: Array, i: int, value: float, error: float) -> Entry:
    """Return a wrong entry, given by its flat index, as a report lists it."""
    index = tuple(int(k) for k in np.unravel_index(i, g.shape))
    return Entry(index, float(g.reshape(-1)[i]), float(value), float(error))
