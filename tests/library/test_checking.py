"""The check of a gradient: right verdicts on the catalogue, at any size, with any map."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from backproof import assert_gradient, check_gradient, course, relative_difference
from backproof._claims import Check, Options
from backproof._directions import DOUBT
from backproof._objective import Objective
from backproof._parameters import Parameters, replace_leaves
from backproof._probes import Prober
from backproof._report import ArrayReport, Report
from support.catalogue import (
    AT_A_KINK,
    REFUSED,
    RIGHT,
    WRONG,
    Kink,
    Refused,
    Right,
    Wrong,
    random_case,
)
from support.checkout import CI, in_ci
from support.networks import network, plant_entries

METHODS = ("entries", "directions")

# Right gradients that no check can confirm: they are 0 but for rounding, and so are the slopes.
LOST_IN_ROUNDING = {
    "a bias before batch normalisation",
    "a minimum of 0",
    "a minimum of 3",
    "normal likelihood at the estimate",
}
# In single precision an entry is known to a few percent: sometimes not to two.
COARSE = {"waves, in float32", "sigmoid network, in float32"}

every_method = pytest.mark.parametrize("method", METHODS)


def check(case: Right | Wrong | Kink, method: str) -> Report:
    """Check the gradient that a case claims."""
    return check_gradient(case.model.cost, case.claimed, case.model.parameters, method=method)


BY_NAME = {case.name: case for case in WRONG}


@cache
def refuted(name: str, method: str) -> Report:
    """Check a wrong gradient of the catalogue, once."""
    return check(BY_NAME[name], method)


def named(report: Report) -> set[str]:
    """Return the paths of the arrays that a report calls wrong."""
    return {path for path, array in report.arrays.items() if array.verdict == "wrong"}


@every_method
@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_a_right_gradient_is_confirmed(case: Right, method: str) -> None:
    """No right gradient is accused, and only those lost in rounding are undecided."""
    report = check(case, method)
    assert report.verdict != "wrong", report
    if case.name not in LOST_IN_ROUNDING | COARSE:
        assert report.verdict == "correct", report


@every_method
@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_a_wrong_gradient_is_refuted_and_its_arrays_named(case: Wrong, method: str) -> None:
    """Every wrong array is named and no right one; a factor is told to three digits.

    Along directions, a mistake may pass that is smaller than what the report says would be seen.
    """
    report = refuted(case.name, method)
    if method == "directions" and report and case.change < _coarsest(report):
        return
    assert named(report) == case.arrays, report
    for path, planted in case.planted.items():
        mistake = report.arrays[path].mistake
        assert mistake is not None
        if planted.factor and mistake.kind == "factor":
            near = "from a kink" in case.name and method == "directions"  # where probes are blurred
            assert mistake.factor == pytest.approx(planted.factor, rel=0.05 if near else 1e-3)


def _coarsest(report: Report) -> float:
    """Return the coarsest resolution of the arrays."""
    return max(array.resolution for array in report.arrays.values())


@every_method
def test_mistakes_get_the_names_that_they_were_planted_under(method: str) -> None:
    """At most one in a hundred is called by another name: some look like two kinds at once."""
    other = [
        (case.name, path, planted.kind)
        for case in WRONG
        for path, planted in case.planted.items()
        if getattr(refuted(case.name, method).arrays[path].mistake, "kind", "") != planted.kind
    ]
    assert len(other) <= 0.01 * sum(len(case.planted) for case in WRONG), other


@in_ci
@every_method
def test_the_same_holds_for_random_cases(method: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand random cases: no right gradient accused, no wrong one passed, nearly all named."""
    rng = np.random.default_rng(20261121)
    counts: Counter[str] = Counter()
    for _ in range(1000):
        case = random_case(rng)
        report = check(case, method)
        if isinstance(case, Right):
            counts[f"right gradients {report.verdict}"] += 1
        else:
            counts["wrong gradients named" if named(report) == case.arrays else case.name] += 1
    with capsys.disabled():
        print(f"\n1000 random cases, method {method!r}: {dict(counts)}")
    undecided = counts.pop("right gradients undecided", 0)
    assert "right gradients wrong" not in counts
    assert counts["right gradients correct"] + counts["wrong gradients named"] >= 998 - undecided
    assert undecided <= 10


def judged_by_the_rest(array: ArrayReport) -> str:
    """Return the verdict on an array whose tested entries are right."""
    matter = math.prod(array.shape) - array.untested.get("zero", 0)
    tested = math.prod(array.shape) - sum(array.untested.values())
    return "undecided" if 2 * tested < matter else "correct"


@pytest.mark.parametrize("case", AT_A_KINK, ids=lambda case: case.name)
def test_a_kink_or_a_jump_at_the_point_is_told(case: Kink) -> None:
    """A gradient between the one-sided slopes is untested and says why; outside it is wrong.

    An array is judged by its other entries, and undecided if fewer than half are tested.
    """
    report = check(case, "entries")
    if case.verdict == "wrong":
        assert named(report) == case.arrays
        return
    assert {p for p, a in report.arrays.items() if case.reason in a.untested} == case.arrays
    for path in case.arrays:
        array = report.arrays[path]
        assert array.verdict == judged_by_the_rest(array)
        assert array.reason in ("", case.reason)


@every_method
@pytest.mark.parametrize(
    "case", [case for case in AT_A_KINK if case.verdict == "undecided"], ids=lambda case: case.name
)
def test_a_gradient_that_can_be_called_is_tested_beside_a_kink(case: Kink, method: str) -> None:
    """At a point moved a little it has one slope, which a number for all points is not."""
    model = case.model
    report = check_gradient(model.cost, model.gradient, model.parameters, method=method)
    constant = model.name == "3 |x| + x"
    assert report.verdict == ("wrong" if constant else "correct"), report
    assert "kink" not in report.untested


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_cannot_be_checked_is_refused(case: Refused) -> None:
    """Random and mutating costs, and gradients of another structure, get one clear error."""
    with pytest.raises(case.error, match=case.words):
        check_gradient(case.cost, case.gradient, case.parameters)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "fast"}, "method is 'fast': expected 'auto', 'entries' or 'directions'"),
        ({"method": ["entries"]}, "method is"),
        ({"tolerance": -1e-7}, "tolerance is -1e-07: expected a number >= 0"),
        ({"tolerance": 1}, "tolerance is 1: expected a number >= 0 and < 1"),
        ({"tolerance": 1.5}, "tolerance is 1.5"),
        ({"tolerance": "small"}, "tolerance is 'small'"),
        ({"seed": -1}, "seed is -1: expected a non-negative integer"),
        ({"seed": 0.5}, "seed is 0.5"),
    ],
)
def test_unknown_options_are_refused(options: dict[str, Any], words: str) -> None:
    """An option that is not known says what was expected."""
    with pytest.raises(ValueError, match=words):
        check_gradient(np.sum, np.ones(2), np.ones(2), **options)


def test_the_options_have_defaults() -> None:
    """The 2-norm, and a seed of 0; no tolerance at all is one, too."""
    claimed = np.array([2.0, 4.0, 7.0])
    report = check_gradient(lambda w: np.sum(w**2), claimed, np.array([1.0, 2.0, 3.0]))
    assert report.difference == pytest.approx(
        relative_difference(claimed, np.array([2.0, 4.0, 6.0]))
    )
    assert report.seed == 0
    assert check_gradient(np.sum, np.ones(2), np.ones(2), tolerance=0, seed=7).seed == 7


@pytest.mark.parametrize(("size", "each"), [(5000, True), (5001, False)])
def test_up_to_five_thousand_parameters_every_entry_is_measured(size: int, each: bool) -> None:
    """Beyond them, directions are taken unasked."""
    report = check_gradient(np.sum, np.ones(size), np.ones(size))
    assert report.verdict == "correct"
    assert (report.evaluations >= 2 * size) is each


class Counted:
    """A cost that counts its calls."""

    def __init__(self, cost: Callable[[Any], Any]) -> None:
        self.cost, self.calls = cost, 0

    def __call__(self, parameters: Any) -> Any:
        self.calls += 1
        return self.cost(parameters)


def network_case() -> tuple[Callable[[Any], Any], dict[str, Any], dict[str, Any]]:
    """Return cost, right gradient and parameters of the course's network."""
    X, Y, parameters = course.gradient_check_n_test_case()
    _, cache = course.forward_propagation_n(X, Y, parameters)
    gradients = course.backward_propagation_n(X, Y, cache)

    def cost(p: dict[str, Any]) -> float:
        return course.forward_propagation_n(X, Y, p)[0]

    return cost, {key: gradients["d" + key] for key in parameters}, parameters


@every_method
def test_the_evaluations_are_counted_and_few(method: str) -> None:
    """A right gradient takes 1.3 times the bare calls of its entries, or 12 along directions."""
    cost, gradient, parameters = network_case()
    counted = Counted(cost)
    report = check_gradient(counted, gradient, parameters, method=method)
    assert report.evaluations == counted.calls <= (150 if method == "entries" else 12)
    counted.calls = 0
    wrong = {**gradient, "W2": 2 * gradient["W2"], "b1": -gradient["b1"] + 1}
    report = check_gradient(counted, wrong, parameters, method=method)
    assert report.evaluations == counted.calls


@in_ci
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_large_network_is_checked_in_few_evaluations(activation: str) -> None:
    """Right gradients, wrong entries and wrong arrays among 98,750 parameters, over six seeds."""
    model = network(activation, (300, 250, 90, 10), seed=0)
    right = model.gradient(model.parameters)
    for seed in range(6):
        rng = np.random.default_rng(seed)

        def checked(claimed: dict[str, Any], most: int, seed: int = seed) -> Report:
            report = check_gradient(model.cost, claimed, model.parameters, seed=seed)
            assert report.evaluations <= most
            return report

        assert checked(right, 20)
        path = ("W1", "W2", "W3")[seed % 3]
        for count, most in ((1, 36), (10, 300), (2, 300)):
            claimed = dict(right)
            places = plant_entries(claimed, path, rng, count)
            report = checked(claimed, most)
            array = report.arrays[path]
            found = {int(np.ravel_multi_index(e.index, array.shape)) for e in array.entries}
            assert named(report) == {path}
            assert found == places
        factor = (2.0, 0.5, -1.0, 32.0, 1 / 32, 1.01)[seed % 6]
        report = checked({**right, path: factor * right[path]}, 36)
        assert named(report) == {path}
        mistake = report.arrays[path].mistake
        assert mistake
        assert mistake.factor == pytest.approx(factor, rel=1e-3)


@pytest.mark.parametrize("offset", [0, 30, 1000])
@pytest.mark.parametrize("slope", [lambda A: 1 - A**2, lambda _: 1.0], ids=["tanh", "identity"])
def test_single_precision_inside_the_cost_is_noticed(
    slope: Callable[[Any], Any], offset: float
) -> None:
    """Parameters and cost are in double precision: no right gradient is wrong, no factor passes."""
    activation = np.tanh if slope(0.5) < 1 else np.positive
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X, y, w = rng.normal(size=(20, 3)), rng.normal(size=20) + offset, rng.normal(size=3)

        X32, y32 = X.astype(np.float32), y.astype(np.float32)

        def cost(w: Any, X: Any = X32, y: Any = y32) -> float:
            return float(np.mean((activation(X @ w.astype(np.float32)) - y) ** 2))

        A = activation(X @ w)
        right = X.T @ ((A - y) * slope(A)) / 10
        assert check_gradient(cost, right, w).verdict != "wrong"
        verdict = check_gradient(cost, 1.5 * right, w).verdict
        assert verdict == "wrong" or (verdict == "undecided" and offset == 1000)


def test_an_offset_that_takes_most_digits_of_single_precision_accuses_nothing() -> None:
    """What is left of the slopes is mostly noise, and no kink: a right gradient is not wrong."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shapes = (4, 50), (3, 50), (3, 4)
        X, Y, W = (rng.normal(size=shape).astype(np.float32) for shape in shapes)

        def cost(W: Any, X: Any = X, Y: Any = Y) -> Any:
            return np.sum((np.tanh(W @ X) - Y) ** 2) + np.float32(1e6)

        A = np.tanh(W @ X)
        right = (2 * (A - Y) * (1 - A**2)) @ X.T
        assert check_gradient(cost, right, W).verdict != "wrong"
        assert check_gradient(cost, 2 * right, W).verdict != "correct"


@pytest.mark.parametrize("rest", [0, *np.logspace(-13, -6, 15)])
def test_mistakes_that_cancel_in_the_first_probe_are_found(rest: float) -> None:
    """Two entries are wrong so that their sum along the first direction is zero, or nearly so."""
    w = np.random.default_rng(0).normal(size=1000)
    objective = Objective(lambda w: np.sum(np.sin(w)), Parameters(w))
    check = Check(objective, {"parameters": np.cos(w)}, Options(1e-7, 0, map))
    first = Prober(check, DOUBT).weights(0, 0)
    claimed = np.cos(w)
    claimed[[3, 700]] += 0.01 / first[3], (rest - 0.01) / first[700]
    report = check_gradient(lambda w: np.sum(np.sin(w)), claimed, w, method="directions")
    array = report.arrays["parameters"]
    assert {entry.index for entry in array.entries} == {(3,), (700,)}
    assert report.evaluations < 100


@pytest.mark.parametrize("distance", [-1e-2, -1e-4, -1e-6, *np.logspace(-10, -2, 9)])
def test_a_kink_that_the_probes_meet_hides_nothing(distance: float) -> None:
    """The one wrong entry among a thousand is found, however near the kink is."""
    cost, right, w, _ = near_one_kink(distance)
    report = check_gradient(cost, right, w, method="directions")
    assert report.verdict == "correct"
    assert report.evaluations <= 150
    claimed = right + 0.01 * np.eye(1000)[345]
    report = check_gradient(cost, claimed, w, method="directions")
    array = report.arrays["parameters"]
    seen = [entry.index for entry in array.entries] == [(345,)]
    assert seen or array.verdict == "undecided" or array.resolution * np.abs(right).max() > 0.01
    assert report.evaluations <= 150


@pytest.mark.parametrize("distance", [-1e-2, -1e-4, -1e-6, *np.logspace(-11, -2, 10)])
def test_the_slope_beyond_a_kink_is_no_gradient(distance: float) -> None:
    """A relu whose gradient is taken for that on the other side of its kink is wrong."""
    cost, right, w, jump = near_one_kink(distance)
    claimed = right - math.copysign(1, distance) * jump
    verdict = check_gradient(cost, claimed, w, method="directions").verdict
    assert verdict == "wrong" if abs(distance) > 1e-9 else verdict != "correct"


@pytest.mark.parametrize("method", ["entries", "directions"])
def test_at_a_kink_neither_side_is_the_gradient(method: str) -> None:
    """The slopes on the two sides, and what lies between them, are undecided."""
    cost, ahead, w, jump = near_one_kink(0.0)
    for share in (0.0, 0.5, 1.0):
        report = check_gradient(cost, ahead + share * jump, w, method=method)
        assert report.verdict == "undecided"
        assert report.arrays["parameters"].reason == "kink"


def near_one_kink(distance: float) -> tuple[Callable[[Any], Any], Any, Any, Any]:
    """Return a cost with one relu at a distance from its kink, its gradient, point and jump."""
    a, c, w = np.random.default_rng(0).normal(size=(3, 1000))
    b = distance - a @ w
    right = c * np.cos(w) + a * (distance > 0)
    return lambda w: np.sum(c * np.sin(w)) + np.maximum(a @ w + b, 0), right, w, a


def test_assert_gradient_shows_the_whole_report_under_pytest(pytester: pytest.Pytester) -> None:
    """A failing test shows every line of the report, and none of the library's own code."""
    pytester.makepyfile(
        """
        import numpy as np
        from backproof import assert_gradient

        def test_it():
            cost, half = lambda p: np.sum(p["w"] ** 2), lambda p: {"w": p["w"]}
            assert_gradient(cost, half, {"w": np.ones(40)})
        """
    )
    result = pytester.runpytest("-p", "no:markdown-docs")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*The gradient is wrong in w.", "E*w: it is half the numerical*"])
    assert "_checks.py" not in result.stdout.str()


def test_assert_gradient_is_silent_about_a_right_gradient() -> None:
    """A right gradient raises nothing."""
    assert_gradient(*network_case())


def test_an_undecided_gradient_is_no_pass() -> None:
    """`assert_gradient` raises where it cannot tell, and says why."""
    with pytest.raises(AssertionError, match="the cost has a kink here"):
        assert_gradient(abs, 0.5, 0.0)


def test_a_nan_in_the_gradient_is_named_by_its_place() -> None:
    """An entry that is not finite is wrong, wherever it stands."""
    for method in METHODS:
        claimed = np.full((3, 4), 2.0)
        claimed[1, 2] = np.nan
        report = check_gradient(lambda w: 2 * w.sum(), claimed, np.ones((3, 4)), method=method)
        array = report.arrays["parameters"]
        assert report.verdict == "wrong"
        assert array.mistake
        assert array.mistake.kind == "not finite"
        assert "[1, 2]" in array.mistake.text
        assert array.entries[0].index == (1, 2)


def test_a_claim_for_what_the_cost_does_not_use_is_wrong() -> None:
    """A gradient that is not zero is wrong where the cost does not depend on the array."""
    claimed = {"used": np.ones(3), "unused": np.array([0.0, 1e-3])}
    parameters = {"used": np.ones(3), "unused": np.ones(2)}
    for method in METHODS:
        report = check_gradient(lambda p: p["used"].sum(), claimed, parameters, method=method)
        assert named(report) == {"unused"}


def test_untested_entries_are_counted() -> None:
    """Entries with gradient and slope 0 make nothing wrong, and the report says so."""
    report = check_gradient(lambda p: p[0] ** 2, np.array([2.0, 0.0, 0.0]), np.ones(3))
    assert report
    assert report.arrays["parameters"].untested == {"zero": 2}
    assert "2 of 3 entries are untested: 2 with gradient and slope 0." in str(report)


@every_method
@pytest.mark.parametrize("rate", [1, 9, 20])
def test_the_tolerance_is_named_only_where_nothing_else_lets_pass(rate: int, method: str) -> None:
    """Beside a steep sine, a single difference is off as well, but a smaller step is not."""
    w = np.array([0.3, 1.1, 2.0])

    def said(factor: float, tolerance: float = 1e-7) -> tuple[str, bool]:
        report = check_gradient(
            lambda w: np.sum(np.sin(rate * w)),
            lambda w: factor * rate * np.cos(rate * w),
            w,
            method=method,
            tolerance=tolerance,
        )
        named = "\nparameters passed within the tolerance, not within the errors of" in str(report)
        assert named == report.arrays["parameters"].tolerated
        return report.verdict, named

    assert said(1.0) == said(1.0, tolerance=0.0) == ("correct", False)
    assert said(1 + 5e-8) == ("correct", True)
    assert said(1 + 5e-8, tolerance=0.0) == ("wrong", False)


@every_method
@pytest.mark.parametrize("tolerance", [1e-7, 1e-4, 0.02, 0.1])
@pytest.mark.parametrize("off", [(), ("a",), ("b",), ("a", "b")])
def test_the_arrays_that_need_the_tolerance_are_those_that_fail_without_it(
    off: tuple[str, ...], tolerance: float, method: str
) -> None:
    """Also if it is too large for the probe of all arrays, or that lets them pass together."""
    w = {"a": np.array([0.3, 1.1, 2.0]), "b": np.linspace(0.1, 1.0, 40).reshape(8, 5)}
    right = {"a": 3 * np.cos(3 * w["a"]), "b": 3 * w["b"] ** 2}
    gradient = {name: g * (1 + tolerance / 2 * (name in off)) for name, g in right.items()}

    def arrays(tolerance: float) -> dict[str, ArrayReport]:
        report = check_gradient(
            lambda w: np.sum(np.sin(3 * w["a"])) + np.sum(w["b"] ** 3),
            gradient,
            w,
            method=method,
            tolerance=tolerance,
        )
        return report.arrays

    found = arrays(tolerance)
    assert {array.verdict for array in found.values()} == {"correct"}
    assert tuple(name for name in w if found[name].tolerated) == off
    assert tuple(name for name, a in arrays(0.0).items() if a.verdict == "wrong") == off


@pytest.mark.parametrize(("beside", "verdict"), [(1.0, "correct"), (1.5, "wrong")])
def test_an_array_that_fails_anyway_needs_no_tolerance(beside: float, verdict: str) -> None:
    """One entry is off by less than the tolerance, and another one maybe by more."""
    w = np.array([0.3, 1.1, 2.0])
    report = check_gradient(
        lambda w: np.sum(np.sin(w)), np.cos(w) * [1.0, beside, 1 + 5e-8], w, method="entries"
    )
    found = report.arrays["parameters"]
    assert (found.verdict, found.tolerated) == (verdict, verdict == "correct")


@pytest.mark.parametrize(("method", "times"), [("entries", 1.05), ("directions", 20)])
@pytest.mark.parametrize("case", RIGHT if CI else RIGHT[::4], ids=lambda case: case.name)
def test_a_mistake_as_large_as_the_resolution_does_not_pass(
    case: Right, method: str, times: float
) -> None:
    """In each array, one entry is off by more than the report says would be seen.

    Along directions, an order of magnitude is allowed: a slope that contradicts the claim
    is measured anew, and its error may be larger then.
    """
    cost, claimed, parameters = case.model.cost, case.claimed, case.model.parameters
    report = check_gradient(cost, claimed, parameters, method=method)
    for path, array in report.arrays.items():
        if array.verdict != "correct" or not array.resolution:
            continue

        def off(at: str, leaf: Any, path: str = path, resolution: float = array.resolution) -> Any:
            if at != path:
                return leaf
            entries = np.array(leaf)
            place = np.random.default_rng(0).integers(entries.size)
            entries.reshape(-1)[place] += times * resolution * np.abs(entries).max()
            return entries

        wrong = replace_leaves(claimed, off)
        again = check_gradient(cost, wrong, parameters, method=method)
        assert again.arrays[path].verdict != "correct"
