"""The check along directions: each array is probed, and located in only if it fails.

An array's probe is the slope along random signs times random magnitudes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backproof.entries import (
    RESOLVED,
    Array,
    Check,
    accusing,
    entry_of,
    evidence_on,
    judge_entries,
    measure_entries,
    scattered,
)
from backproof.locating import locate, spent
from backproof.mistakes import UNKNOWN, name_mistake, not_finite_in
from backproof.probing import PROBES, Probe, Probing, agree_together, first_probe
from backproof.report import ArrayReport

# An array of at most so many entries is measured entry by entry if its probes cannot be explained.
SMALL = 64

# Three ratios tell one entry among n if they are known to less than a part in the cube root of n.
TOLD = 8


def check_directions(check: Check) -> tuple[dict[str, ArrayReport], int, float]:
    """Probe every array along a random direction, and look closer at those that fail.

    Mistakes that cancel in one direction do not cancel in another, so the arrays that pass
    are probed together along a second one, and each by itself again where they fail there.

    Examples
    --------
    Mistakes that cancel in the first direction, or nearly do, are found along the second:

    >>> from backproof import check_gradient
    >>> from backproof.costs import measure_origin
    >>> from backproof.parameters import Parameters
    >>> w = np.linspace(1.0, 2.0, 100)
    >>> cost, point = lambda w: np.sum(w**2), Parameters(w)
    >>> first = Probing(cost, point, measure_origin(cost, point), 0, 2 * w, seed=0).direction(0)
    >>> for rest in (0.0, 3e-9, 1e-7):
    ...     claimed = 2 * w
    ...     claimed[[3, 70]] += 0.01 / first[3], (rest - 0.01) / first[70]
    ...     report = check_gradient(cost, claimed, w, method="directions")
    ...     print([entry.index for entry in report.arrays["parameters"].entries])
    [(3,), (70,)]
    [(3,), (70,)]
    [(3,), (70,)]
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
        if probing.beside_a_kink:
            step = probing.small_step
    return arrays


def judge_array(check: Check, path: str, probing: Probing) -> ArrayReport:
    """Compare an array's gradient with the slope along a random direction.

    Examples
    --------
    An empty array, one that does not change the cost, one that is not finite, and one that is
    measured entry by entry, since no rule knows what is wrong with it:

    >>> from backproof import check_gradient
    >>> nest = {"e": np.zeros((0, 3)), "z": np.zeros(4), "n": np.ones(30), "w": np.arange(1.0, 9)}
    >>> claimed = {**nest, "n": np.full(30, np.nan), "w": 2 * nest["w"]}
    >>> claimed["w"][[2, 5]] = 7.0, 13.5
    >>> cost = lambda p: np.sum(p["w"] ** 2)
    >>> report = check_gradient(cost, claimed, nest, method="directions")
    >>> for array in report.arrays.values():
    ...     found = [entry.index for entry in array.entries]
    ...     print(array.verdict, f"{array.resolution:.0e}", array.untested, len(found), found[:3])
    correct 0e+00 0 0 []
    correct 0e+00 4 0 []
    wrong nan 0 20 [(0,), (1,), (2,)]
    wrong 1e-09 0 2 [(5,), (2,)]

    The limit is 64 entries: in larger arrays, wrong ones are located.

    >>> for n in (64, 65):
    ...     w = np.linspace(-2, 2, n)
    ...     claimed = 2 * w
    ...     claimed[[3, 60]] = 0.0, 6.0
    ...     report = check_gradient(lambda w: np.sum(w**2), claimed, w, method="directions")
    ...     print([entry.index for entry in report.arrays["parameters"].entries])
    ...     print(report.evaluations < 2 * n)
    [(3,), (60,)]
    False
    [(3,), (60,)]
    True

    It is the same for arrays that cannot be decided:

    >>> for n in (64, 65):
    ...     cost, w, claimed = lambda w: np.sum(np.abs(w)), np.zeros(n), np.full(n, 0.5)
    ...     report = check_gradient(cost, claimed, w, method="directions")
    ...     print(report.verdict, report.arrays["parameters"].reason, report.evaluations < 2 * n)
    undecided kink False
    undecided kink True
    """
    g = check.gradient[path]
    report = ArrayReport("correct", g.shape, float("nan"), 0.0)
    if not g.size:
        return report
    if not np.isfinite(g).all():
        return _not_finite(report, g)
    largest = float(np.abs(g).max())
    first, reason = first_probe(probing, largest)
    slope, residual, error = first
    largest = largest or abs(slope)
    # Twice, as for entries; and the weight of an entry may be a half.
    report = replace(report, resolution=4 * error / largest if largest else 0.0)
    if abs(residual) > accusing(reason) * error:
        return _located(report, check, path, probing, first)
    doubtful = abs(residual) > error
    if doubtful and probing.turn == 0:  # mistakes that nearly cancel here do not so elsewhere
        probing.turn = 1
        return judge_array(check, path, probing)
    if doubtful or (largest != 0 and not 2 * error <= RESOLVED * largest):
        if g.size <= SMALL:
            return _entry_by_entry(check, path, probing)
        return replace(report, verdict="undecided", reason=reason or "precision")
    return replace(report, untested=int(np.count_nonzero(g == 0)))


def _not_finite(report: ArrayReport, g: Array) -> ArrayReport:
    bad = np.flatnonzero(~np.isfinite(g))
    found = tuple(entry_of(g, int(i), np.nan, np.inf) for i in bad[:20])
    mistake = not_finite_in(g)
    return replace(report, verdict="wrong", resolution=np.nan, mistake=mistake, entries=found)


def _located(
    report: ArrayReport, check: Check, path: str, probing: Probing, first: Probe
) -> ArrayReport:
    """Name the mistake of an array from a few more probes, or locate its wrong entries."""
    g, everything = check.gradient[path], probing.everything
    if abs(first.residual) < TOLD * g.size ** (1 / 3) * first.error:
        first = probing.refined(first)
    probes = [first, *(probing.probe(everything, k) for k in range(1, PROBES))]
    slopes, _, errors = np.array(probes).T
    mistake = name_mistake(evidence_on(check, path, probing.project, slopes, errors))
    if mistake is UNKNOWN and g.size <= SMALL:
        return _entry_by_entry(check, path, probing)
    if mistake is UNKNOWN:
        found = list(locate(probing, everything, probes))
        mistake = scattered(g, [index for index, _ in found], complete=not spent(probing))
    else:
        largest = int(np.argmax(np.abs(g)))
        found = [(largest, probing.entry(largest))]
    entries_found = [entry_of(g, i, *slope) for i, slope in found]
    entries_found.sort(key=lambda entry: -abs(entry.gradient - entry.numerical))
    return replace(report, verdict="wrong", mistake=mistake, entries=tuple(entries_found))


def _entry_by_entry(check: Check, path: str, probing: Probing) -> ArrayReport:
    """Measure every entry of a small array, which its probes did not explain."""
    check = check._replace(tolerance=0.0)  # none of it was allowed to the probes
    entries, evaluations = measure_entries(check, [check.gradient[path]], probing.first)
    probing.evaluations += evaluations
    return judge_entries(check, path, entries)
