"""The check of a gradient: each entry has to lie within the error of a measured slope.

Entries are measured one by one, or, where there are too many of them,
each array is probed along random directions, and its wrong entries are located only if it fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backproof.costs import Cost, Origin, measure_origin
from backproof.differences import difference_of_vectors, require_order
from backproof.lines import line_of_entry, quotients
from backproof.locating import (
    PROBES,
    STRAIGHT,
    Probe,
    Probing,
    agree_together,
    first_probe,
    locate,
    spent,
)
from backproof.mistakes import UNKNOWN, Evidence, Mistake, name_mistake, not_finite_in, placed
from backproof.parameters import Nest, Parameters, arrays_like, precision_of
from backproof.report import ArrayReport, Entry, Report, overall
from backproof.slopes import Measured, Workers, for_each, slope_of_entry

Array = NDArray[Any]

# Up to this many parameters, the method "auto" measures every entry.
MOST_ENTRIES = 5000

# An array is undecided where the error of an entry is more than this share of the largest one.
RESOLVED = 0.02

# An error is an estimate: no gradient is accused that lies outside of it by less than this factor,
# unless a kink or a jump shows where the slope can be.
DOUBT = 3

# A single step decides an entry, or a probe, if its error is at most this share of the largest.
FINE = 1e-6
FINE_PROBE = 1e-4

# An array of at most so many entries is measured entry by entry if its probes cannot be explained.
SMALL = 64


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


def check_gradient(
    cost: Cost,
    gradient: Nest | Callable[[Nest], Nest],
    parameters: Nest,
    *,
    method: str = "auto",
    ord: float = 2,
    tolerance: float = 1e-7,
    seed: int = 0,
    workers: Workers = map,
) -> Report:
    """Check a gradient against measured slopes of the cost, and say what is wrong with it.

    Parameters
    ----------
    cost
        Takes `parameters` and returns a real number.
    gradient
        The gradient that is claimed: numbers and arrays in the structure and the shapes
        of `parameters`, or a function of the parameters that returns them.
    parameters
        A number, an array of floats, or a nest of dicts, lists and tuples of them.
    method
        "entries" measures every entry, with two evaluations each and a few more where
        something looks odd. "directions" probes each array along random directions,
        and looks for the wrong entries only in arrays that fail.
        "auto" takes the first for up to 5,000 parameters.
    ord
        The order of the norm of `Report.difference`, as for `relative_difference`.
        The verdict does not depend on it.
    tolerance
        How far, relative to the two, an entry may lie outside of the error of its slope.
        Along directions, where it would hide one entry behind all others, there is none.
    seed
        What random directions are drawn from.
    workers
        A callable like `map`, called as `workers(function, points)` for the entries.

    Returns
    -------
    Report
        True if the gradient is correct; printing it shows what was found.

    Raises
    ------
    TypeError
        If parameters or gradient are not real numbers, or the cost does not return one.
    ValueError
        If the cost is random, not finite at the parameters or changes them,
        if the gradient has another structure or changes the parameters,
        or if an option is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> def cost(w):
    ...     return np.sum(w**3)
    >>> print(check_gradient(cost, lambda w: 3 * w**2, np.array([0.5, 1.0, -2.0])).verdict)
    correct
    >>> report = check_gradient(cost, lambda w: w**2, np.array([0.5, 1.0, -2.0]))
    >>> print(report.arrays["parameters"].mistake.text)
    it is 1/3 of the numerical gradient: is a mean over 3 taken where a sum belongs?
    """
    _require_options(method, ord, tolerance, seed)
    point = Parameters(parameters)
    claimed = _claimed(gradient, point)
    origin = measure_origin(cost, point)
    check = Check(cost, point, origin, claimed, tolerance, ord, seed, workers)
    every = method == "entries" or (method == "auto" and point.size <= MOST_ENTRIES)
    with np.errstate(all="ignore"):
        arrays, evaluations, difference = (check_entries if every else check_directions)(check)
    return Report(overall(arrays), difference, arrays, evaluations + origin.evaluations, seed)


def assert_gradient(
    cost: Cost,
    gradient: Nest | Callable[[Nest], Nest],
    parameters: Nest,
    **options: Any,
) -> None:
    """Raise an AssertionError with the whole report if the gradient is not correct.

    It takes the options of `check_gradient`. In a test it stands alone on its line;
    `assert check_gradient(...)` would show no more than the beginning of the report.

    Raises
    ------
    AssertionError
        If the verdict is "wrong" or "undecided".
    TypeError, ValueError
        As `check_gradient` does.

    Examples
    --------
    >>> assert_gradient(lambda x: x**2, lambda x: 2 * x, 3.0)
    """
    __tracebackhide__ = True
    report = check_gradient(cost, gradient, parameters, **options)
    if not report:
        raise AssertionError(f"\n{report}")


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
    """
    gradient = _joined(gradients)
    indices = range(first, first + gradient.size)
    measure, workers = (check.cost, check.parameters, check.origin), check.workers
    rows = np.array(for_each(both_sides, *measure, indices, workers))
    value, gap, error = quotients(check.origin, *rows.T)
    size = _sizes(gradients, gradient)
    allowed = _allowed(check, gradient, value, size)
    decided = np.abs(gradient - value) <= error + allowed
    decided &= np.abs(gap) <= STRAIGHT * size + 8 * error
    decided &= error <= FINE * size
    dead = (gradient == 0) & (rows[:, 2] == check.origin.cost) & (rows[:, 4] == check.origin.cost)
    odd = np.flatnonzero(~(decided | dead))
    reason = np.full(gradient.size, "", dtype=object)
    results: list[Measured] = []
    if odd.size:
        results = for_each(slope_of_entry, *measure, [indices[i] for i in odd], workers)
        for i, measured in zip(odd, results, strict=True):
            (value[i], error[i]), reason[i] = measured.slope, measured.reason
        size = _sizes(gradients, gradient, value)
        allowed = _allowed(check, gradient, value, size)
    # Where there is no slope, its value is nan, which no claim is apart from.
    apart = np.abs(gradient - value) - allowed
    wrong = ((apart > _accusing(reason) * error) | ~np.isfinite(gradient)) & ~dead
    unknown = ~(wrong | dead | ((error <= RESOLVED * size) & ~(apart > error)))
    evaluations = 2 * gradient.size + sum(measured.evaluations for measured in results)
    return Entries(value, error, allowed, size, reason, dead, wrong, unknown), evaluations


def _accusing(reason: Any) -> Any:
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
    """Report on an array whose entries were measured."""
    g = check.gradient[path]
    wrong, unknown = entries.wrong.any(), entries.unknown.any()
    size = float(entries.size[0]) if g.size else 0.0
    seen = (
        2 * entries.error + entries.allowed
    )  # the claim on one side of it, the slope on the other
    report = ArrayReport(
        verdict="wrong" if wrong else "undecided" if unknown else "correct",
        shape=g.shape,
        difference=difference_of_vectors(g.reshape(-1), entries.value, check.ord),
        resolution=float((seen * ~entries.dead).max(initial=0.0) / size) if size else 0.0,
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
    evidence = Evidence(
        gradient=g,
        parameters=_parameters_of(check, path),
        project=lambda array: array.reshape(-1)[known],
        slopes=entries.value[known],
        errors=(entries.error + entries.allowed)[known],
        others=_others(check, path),
    )
    apart = np.nan_to_num(np.abs(g.reshape(-1) - entries.value), nan=np.inf)
    order = np.argsort(-apart, kind="stable")
    found = tuple(
        _entry(g, int(i), entries.value[i], entries.error[i]) for i in order if entries.wrong[i]
    )
    mistake = name_mistake(evidence)
    if mistake is UNKNOWN:
        mistake = _scattered(g, np.flatnonzero(entries.wrong).tolist(), complete=True)
    return replace(report, mistake=mistake, entries=found)


def check_directions(check: Check) -> tuple[dict[str, ArrayReport], int, float]:
    """Probe every array along a random direction, and look closer at those that fail.

    Mistakes that cancel in one direction do not cancel in another, so the arrays that pass
    are probed together along a second one, and each by itself again where they fail there.
    """
    probings = {
        path: Probing(check.cost, check.parameters, check.origin, number, g, check.seed)
        for number, (path, g) in enumerate(check.gradient.items())
    }
    arrays = judge_arrays(check, probings, turn=0)
    passed = {path: p for path, p in probings.items() if arrays[path].verdict == "correct"}
    if not agree_together(list(passed.values())):
        arrays |= judge_arrays(check, passed, turn=1)
    evaluations = sum(probing.evaluations for probing in probings.values())
    return arrays, evaluations, float("nan")


def judge_arrays(check: Check, probings: dict[str, Probing], turn: int) -> dict[str, ArrayReport]:
    """Judge every array by its probes; a step that met a kink is too long for the others, too."""
    arrays, step = {}, check.origin.step
    for path, probing in probings.items():
        probing.turn, probing.step = turn, step
        arrays[path] = judge_array(check, path, probing)
        step = probing.step
    return arrays


def judge_array(check: Check, path: str, probing: Probing) -> ArrayReport:
    """Compare an array's gradient with the slope along a random direction."""
    g = check.gradient[path]
    report = ArrayReport("correct", g.shape, float("nan"), 0.0)
    if not g.size:
        return report
    if not np.isfinite(g).all():
        return _not_finite(report, g)
    largest = float(np.abs(g).max())
    measured = first_probe(probing, FINE_PROBE * largest)
    claimed, rounding = probing.claimed(probing.everything, probing.direction(0))
    error = measured.slope.error + rounding
    residual = claimed - measured.slope.value
    largest = largest or abs(measured.slope.value)
    # Twice, as for entries; and the weight of an entry may be a half.
    report = replace(report, resolution=4 * error / largest if largest else 0.0)
    if abs(residual) > _accusing(measured.reason) * error:
        return _located(report, check, path, probing, Probe(measured.slope.value, residual, error))
    doubtful = abs(residual) > error
    if doubtful and probing.turn == 0:  # mistakes that nearly cancel here do not so elsewhere
        probing.turn = 1
        return judge_array(check, path, probing)
    if doubtful or (largest != 0 and not 2 * error <= RESOLVED * largest):
        if g.size <= SMALL:
            return _entry_by_entry(check, path, probing)
        return replace(report, verdict="undecided", reason=measured.reason or "precision")
    return replace(report, untested=int(np.count_nonzero(g == 0)))


def _not_finite(report: ArrayReport, g: Array) -> ArrayReport:
    bad = np.flatnonzero(~np.isfinite(g))
    found = tuple(_entry(g, int(i), np.nan, np.inf) for i in bad[:20])
    return replace(report, verdict="wrong", mistake=not_finite_in(g), entries=found)


def _located(
    report: ArrayReport, check: Check, path: str, probing: Probing, first: Probe
) -> ArrayReport:
    """Name the mistake of an array from a few more probes, or locate its wrong entries."""
    g, everything = check.gradient[path], probing.everything
    probes = [first, *(probing.probe(everything, k) for k in range(1, PROBES))]
    evidence = Evidence(
        gradient=g,
        parameters=_parameters_of(check, path),
        project=probing.project,
        slopes=np.array([probe.slope for probe in probes]),
        errors=np.array([probe.error for probe in probes]),
        others=_others(check, path),
    )
    mistake = name_mistake(evidence)
    if mistake is UNKNOWN and g.size <= SMALL:
        return _entry_by_entry(check, path, probing)
    if mistake is UNKNOWN:
        found = list(locate(probing, everything, probes))
        mistake = _scattered(g, [index for index, _ in found], complete=not spent(probing))
    else:
        largest = int(np.argmax(np.abs(g)))
        found = [(largest, probing.entry(largest))]
    entries_found = [_entry(g, i, *slope) for i, slope in found]
    entries_found.sort(key=lambda entry: -abs(entry.gradient - entry.numerical))
    return replace(report, verdict="wrong", mistake=mistake, entries=tuple(entries_found))


def _entry_by_entry(check: Check, path: str, probing: Probing) -> ArrayReport:
    """Measure every entry of a small array, which its probes did not explain."""
    check = check._replace(tolerance=0.0)  # none of it was allowed to the probes
    entries, evaluations = measure_entries(check, [check.gradient[path]], probing.first)
    probing.evaluations += evaluations
    return judge_entries(check, path, entries)


def _scattered(g: Array, found: list[int], *, complete: bool) -> Mistake:
    """Describe wrong entries that were located one by one."""
    if not found or g.size == 1:
        return UNKNOWN
    places = np.transpose(np.unravel_index(found, g.shape))
    if complete and (mistake := placed(g.shape, places)):
        return mistake
    count = f"{len(found)}" if complete else f"at least {len(found)}"
    verb = "is" if count == "1" else "are"
    text = f"{count} of its {g.size} entries {verb} wrong, in a way that no rule knows"
    return Mistake("unknown", None, text)


def _claimed(gradient: Nest | Callable[[Nest], Nest], point: Parameters) -> dict[str, Array]:
    """Return the claimed gradient by path, in the structure of the parameters."""
    if callable(gradient):
        before = point.vector()
        gradient = gradient(point.nest)
        point.require_unchanged(before, "gradient")
    return arrays_like(point.leaves, gradient, "gradient")


def _allowed(check: Check, g: Array, value: Array, size: Any) -> Any:
    """Return what the tolerance, and the rounding of the claimed gradient itself, allow."""
    return check.tolerance * (np.abs(g) + np.abs(value)) + 16 * precision_of(g.dtype) * size


def _joined(gradients: list[Array]) -> Array:
    return np.concatenate([g.reshape(-1) for g in gradients])


def _sizes(gradients: list[Array], *vectors: Array) -> Array:
    """Return, for every entry, the largest finite one of its array in some vectors."""
    counts = [g.size for g in gradients if g.size]
    starts = [0, *accumulate(counts[:-1])]
    finite = [np.where(np.isfinite(v), np.abs(v), 0.0) for v in vectors]
    sizes = np.maximum.reduce([np.maximum.reduceat(v, starts) for v in finite])
    return np.repeat(sizes, counts)


def _parameters_of(check: Check, path: str) -> Array:
    block = next(block for block in check.parameters.blocks if block.path == path)
    return block.values.reshape(block.shape).astype(np.float64)


def _others(check: Check, path: str) -> dict[str, Array]:
    return {other: g for other, g in check.gradient.items() if other != path}


def _entry(g: Array, i: int, value: float, error: float) -> Entry:
    index = tuple(int(k) for k in np.unravel_index(i, g.shape))
    return Entry(index, float(g.reshape(-1)[i]), float(value), float(error))


def _require_options(method: str, ord: float, tolerance: float, seed: int) -> None:
    if not isinstance(method, str) or method not in ("auto", "entries", "directions"):
        raise ValueError(f"method is {method!r}: expected 'auto', 'entries' or 'directions'.")
    require_order(ord)
    if not isinstance(tolerance, int | float | np.floating) or not 0 <= tolerance < 1:
        raise ValueError(f"tolerance is {tolerance!r}: expected a number from 0 to below 1.")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed is {seed!r}: expected a whole number that is not negative.")
