"""The check along directions: all arrays are probed at once, and one by one those that fail.

Wrong entries are located only in an array that is seen to have some.
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
from backproof.probing import PROBES, Probe, Probing, first_probe
from backproof.report import ArrayReport
from backproof.together import Together, without

# An array of at most so many entries is measured entry by entry if its probes cannot be explained.
SMALL = 64

# Three ratios tell one entry among n if they are known to less than a part in the cube root of n.
TOLD = 8


def check_directions(check: Check) -> tuple[dict[str, ArrayReport], int, float]:
    """Probe all arrays along a random direction, and look closer at those that fail.

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
    arrays = enumerate(check.gradient.values())
    probings = [Probing(*check.point, number, g, check.seed) for number, g in arrays]
    reports, evaluations = judge_groups(check, [p for p in probings if 0 < p.largest < np.inf])
    reports |= judge_arrays(check, [probing for probing in probings if probing.path not in reports])
    passed = [probing for probing in probings if reports[probing.path].verdict == "correct"]
    again = Together(*check.point, passed)
    if not again.agree():
        reports |= judge_arrays(check, passed, turn=1)
    evaluations += sum(prober.evaluations for prober in (again, *probings))
    return {path: reports[path] for path in check.gradient}, evaluations, float("nan")


def judge_groups(check: Check, probings: list[Probing]) -> tuple[dict[str, ArrayReport], int]:
    """Judge all arrays at once, then those that are too small to be seen beside the others.

    The rest is left out; the evaluations are counted.

    Examples
    --------
    Four weights and four biases, which are tiny, and a gradient that is wrong in one of them:

    >>> from backproof import check_gradient
    >>> cost = lambda p: sum(np.sum(np.sin(w + 1)) for w in p.values())
    >>> nest = {f"W{k}": np.linspace(-1, 2, 100 + k) for k in range(4)}
    >>> nest |= {f"b{k}": 1e-6 * np.linspace(-1, 2, 80 + k) for k in range(4)}
    >>> for wrong in "", "W1", "b1":
    ...     claimed = {name: np.cos(w + 1) for name, w in nest.items()}
    ...     claimed |= {name: 3 * claimed[name] for name in [wrong] if name}
    ...     report = check_gradient(cost, claimed, nest, method="directions")
    ...     found = [path for path, array in report.arrays.items() if array.verdict != "correct"]
    ...     print(found, report.evaluations)
    [] 26
    ['W1'] 42
    ['b1'] 134
    """
    reports: dict[str, ArrayReport] = {}
    evaluations = 0
    while len(probings) > 1:
        together = Together(*check.point, probings, patient=bool(reports))
        judged = judge_together(check, together)
        evaluations += together.evaluations
        if not judged:
            break
        reports |= judged
        probings = [probing for probing in probings if probing.path not in reports]
    return reports, evaluations


def judge_together(check: Check, together: Together) -> dict[str, ArrayReport]:
    """Judge the arrays that are decided by probes of all of them: at most one of them is wrong.

    What is too small to be seen beside the others is left out.

    Examples
    --------
    Of four arrays, none, one or two are wrong; then one is infinite or zero, and left out:

    >>> from backproof import check_gradient
    >>> nest = {name: np.linspace(-1, 2, 100 + k) for k, name in enumerate("abcd")}
    >>> def wrong(factors, kink=0.0):
    ...     def cost(p):
    ...         return sum(np.sum(w**2) for w in p.values()) + kink * max(p["a"][0] + 1 + 1e-6, 0)
    ...     claimed = {name: 2 * w * factors.get(name, 1.0) for name, w in nest.items()}
    ...     claimed["a"][0] += kink
    ...     report = check_gradient(cost, claimed, nest, method="directions")
    ...     found = [path for path, array in report.arrays.items() if array.verdict != "correct"]
    ...     print(found, report.evaluations)
    >>> for factors in ({}, {"b": 3.0}, {"b": 3.0, "d": 1.1}, {"c": np.inf}, {"c": 0.0}):
    ...     wrong(factors)
    [] 10
    ['b'] 26
    ['b', 'd'] 48
    ['c'] 10
    ['c'] 36

    The same beside a kink:

    >>> for factors in ({}, {"b": 3.0}, {"b": 3.0, "d": 1.1}):
    ...     wrong(factors, kink=1.0)
    [] 10
    ['b'] 24
    ['b', 'd'] 42
    """
    seen, reports = together.first_probe(), {}
    if together.beside_a_kink and np.isfinite(seen.error):
        for probing in together.probings:
            probing.step = probing.small_step
    if abs(seen.residual) > seen.error:
        suspect = together.suspect(seen)
        suspect.patient = together.patient
        first = suspect.probe(suspect.claim(0))
        seen = without(seen, suspect, first)
        if abs(first.residual) <= 2 * first.error or abs(seen.residual) > seen.error:
            return {}  # more than one array is wrong, or it is not known which
        reports[suspect.path] = judge_probed(check, suspect, first, "")
    for probing in together.seen_by(seen.error):
        right = confirmed(probing, seen.error / probing.block.scale, probing.largest)
        reports.setdefault(probing.path, right)
    return reports


def judge_arrays(check: Check, probings: list[Probing], turn: int = 0) -> dict[str, ArrayReport]:
    """Judge every array by its probes; a step that met a kink is too long for the others, too."""
    arrays, step = {}, check.origin.step
    for probing in probings:
        probing.turn, probing.step = turn, min(step, probing.step)
        arrays[probing.path] = judge_array(check, probing)
        if probing.beside_a_kink:
            step = probing.small_step
    return arrays


def judge_array(check: Check, probing: Probing) -> ArrayReport:
    """Compare an array's gradient with the slope along a random direction.

    Examples
    --------
    An empty array, one that does not change the cost, one that is not finite, and one that is
    measured entry by entry, since no rule knows what is wrong with it:

    >>> from backproof import check_gradient
    >>> nest = {"e": np.zeros((0, 3)), "z": np.zeros(70), "n": np.ones(30), "w": np.arange(1.0, 9)}
    >>> claimed = {**nest, "n": np.full(30, np.nan), "w": 2 * nest["w"]}
    >>> claimed["w"][[2, 5]] = 7.0, 13.5
    >>> cost = lambda p: np.sum(p["w"] ** 2)
    >>> report = check_gradient(cost, claimed, nest, method="directions")
    >>> for array in report.arrays.values():
    ...     found = [entry.index for entry in array.entries]
    ...     print(array.verdict, f"{array.resolution:.0e}", array.untested, len(found), found[:3])
    correct 0e+00 0 0 []
    correct 0e+00 70 0 []
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
    ...     array = report.arrays["parameters"]
    ...     print(array.verdict, array.reason, array.untested, report.evaluations < 2 * n)
    undecided kink 0 False
    undecided kink 0 True
    """
    g = check.gradient[probing.path]
    if not g.size:
        return ArrayReport("correct", g.shape, np.nan, 0.0)
    if not np.isfinite(probing.largest):
        return _not_finite(g)
    return judge_probed(check, probing, *first_probe(probing, probing.largest))


def judge_probed(check: Check, probing: Probing, first: Probe, reason: str) -> ArrayReport:
    """Judge an array by its first probe, and by more of them if that leaves a doubt.

    Examples
    --------
    A residual of twice the error is no proof where noise may have made it; another direction tells:

    >>> from backproof.costs import measure_origin
    >>> from backproof.parameters import Parameters
    >>> w, cost = np.array([1.0, 2.0]), lambda w: np.sum(w**2)
    >>> point, claimed = Parameters(w), {"parameters": 2 * w}
    >>> check = Check(cost, point, measure_origin(cost, point), claimed, 0.0, 2, 0, map)
    >>> probing = Probing(*check.point, 0, 2 * w, seed=0)
    >>> first = Probe(slope=1.0, residual=2e-8, error=1e-8)
    >>> judge_probed(check, probing, first, "precision").verdict, probing.turn
    ('correct', 1)
    """
    slope, residual, error = first
    report = confirmed(probing, error, probing.largest or abs(slope))
    if abs(residual) > accusing(reason) * error:
        return _located(check, probing, first, report.resolution)
    doubtful = abs(residual) > error
    if doubtful and probing.turn == 0:  # mistakes that nearly cancel here do not so elsewhere
        probing.turn = 1
        return judge_array(check, probing)
    if not doubtful and report.resolution <= 2 * RESOLVED:
        return report
    if probing.gradient.size <= SMALL:
        return _entry_by_entry(check, probing)
    return replace(report, verdict="undecided", untested=0, reason=reason or "precision")


def confirmed(probing: Probing, error: float, largest: float) -> ArrayReport:
    """Report that an array is right, as far as the error of a probe lets a mistake be seen."""
    # Twice, as for entries; and the weight of an entry may be a half.
    resolution = 4 * error / largest if largest else 0.0
    untested = int(np.count_nonzero(probing.gradient == 0))
    return ArrayReport("correct", probing.block.shape, np.nan, resolution, untested=untested)


def _not_finite(g: Array) -> ArrayReport:
    bad = np.flatnonzero(~np.isfinite(g))
    found = tuple(entry_of(g, int(i), np.nan, np.inf) for i in bad[:20])
    return ArrayReport("wrong", g.shape, np.nan, np.nan, not_finite_in(g), found)


def _located(check: Check, probing: Probing, first: Probe, resolution: float) -> ArrayReport:
    """Name the mistake of an array from a few more probes, or locate its wrong entries.

    Examples
    --------
    Waves that are far too fast for a quick probe seem to be a mistake, but no entry shows it:

    >>> from backproof import check_gradient
    >>> w = np.random.default_rng(26).normal(size=100)
    >>> cost, claimed = lambda w: np.sum(np.sin(1e4 * w)), 1e4 * np.cos(1e4 * w)
    >>> check_gradient(cost, claimed, w, method="directions").verdict
    'correct'
    """
    g = check.gradient[probing.path]
    if abs(first.residual) < TOLD * g.size ** (1 / 3) * first.error:
        first = probing.refined(first)
    probes = [first, *(probing.probe(probing.claim(k)) for k in range(1, PROBES))]
    slopes, _, errors = np.array(probes).T
    mistake = name_mistake(evidence_on(check, probing.path, probing.project, slopes, errors))
    if mistake is UNKNOWN and g.size <= SMALL:
        return _entry_by_entry(check, probing)
    if mistake is UNKNOWN:
        found = list(locate(probing, probing.everything, probes))
        mistake = scattered(g, [index for index, _ in found], complete=not spent(probing))
    else:
        largest = int(np.argmax(np.abs(g)))
        found = [(largest, probing.entry(largest))]
    seen = any(abs(float(g.flat[i]) - slope.value) > slope.error for i, slope in found)
    if not seen and not probing.patient:  # its probes may be less exact than they say
        probing.patient = True
        return judge_array(check, probing)
    entries = [entry_of(g, i, *slope) for i, slope in found]
    entries.sort(key=lambda entry: -abs(entry.gradient - entry.numerical))
    return ArrayReport("wrong", g.shape, np.nan, resolution, mistake, tuple(entries))


def _entry_by_entry(check: Check, probing: Probing) -> ArrayReport:
    """Measure every entry of a small array, which its probes did not explain."""
    check = check._replace(tolerance=0.0)  # none of it was allowed to the probes
    entries, evaluations = measure_entries(check, [check.gradient[probing.path]], probing.first)
    probing.evaluations += evaluations
    return judge_entries(check, probing.path, entries)
