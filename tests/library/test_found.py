"""Faults that readers found by trying odd costs on the check, by both methods."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof import check_gradient, derivative
from backproof._objective import Objective
from backproof._parameters import Parameters
from proofs.honest import wrong_case
from support.checkout import CI
from support.drawn import at_least, draws

every_method = pytest.mark.parametrize("method", ["entries", "directions"])


@every_method
@pytest.mark.parametrize("claim", [0.0, 1.0])
@pytest.mark.parametrize(("offset", "x"), [(1.0, 1e-12), (1e12, 1.0)])
def test_a_zero_is_no_gradient_only_since_the_step_is_too_short(
    claim: float, offset: float, x: float, method: str
) -> None:
    """The cost stands still over the first step, but not over all."""
    report = check_gradient(lambda x: offset + x, claim, x, method=method)
    assert report.verdict == ("correct" if claim else "wrong")


@every_method
@pytest.mark.parametrize("wrong", ["", "b"])
def test_tiny_biases_in_single_precision_are_tested(wrong: str, method: str) -> None:
    """As they are after the first step of a training that begins at zero."""
    point = {"W": np.ones((3, 2), np.float32), "b": np.full(2, 1e-5, np.float32)}

    def gradient(p: Any) -> Any:
        d = 2 * (p["W"] + p["b"]) / 6
        return {"W": d, "b": (wrong != "b") * d.sum(axis=0)}

    report = check_gradient(
        lambda p: np.mean((p["W"] + p["b"]) ** 2), gradient, point, method=method
    )
    assert {path for path, a in report.arrays.items() if a.verdict != "correct"} == set(wrong)


def relu_network(
    rng: np.random.Generator, inside: Any
) -> tuple[Callable[..., Any], Callable[..., Any], Any]:
    """Return a cost in single precision with kinks everywhere, its gradient, and a point.

    What is computed inside of it is cast to a dtype, if one is given.
    """

    def draw(*shape: int) -> Any:
        return rng.normal(size=shape).astype(np.float32)

    X, Y = draw(32, 10), draw(32, 3)
    point = {"W1": draw(10, 16) / 3, "b1": draw(16) / 10, "W2": draw(16, 12) / 4}
    point |= {"b2": draw(12) / 10, "W3": draw(12, 3) / 3}

    def forward(p: Any) -> Any:
        p = {path: w.astype(inside or w.dtype) for path, w in p.items()}
        H = np.maximum(X @ p["W1"] + p["b1"], 0)
        K = np.maximum(H @ p["W2"] + p["b2"], 0)
        return H, K, K @ p["W3"] - Y

    def gradient(p: Any, factor: float = 1.0) -> Any:
        H, K, errors = forward(p)
        d3 = 2 * errors / errors.size
        d2 = d3 @ p["W3"].T * (K > 0)
        d1 = d2 @ p["W2"].T * (H > 0)
        weights = {"W1": X.T @ d1, "W2": factor * H.T @ d2, "W3": K.T @ d3}
        return weights | {"b1": d1.sum(0), "b2": d2.sum(0)}

    return lambda p: np.mean(forward(p)[2] ** 2), gradient, point


@every_method
@pytest.mark.parametrize("inside", [None, np.float32], ids=["follows", "float32 inside"])
def test_no_gradient_is_accused_among_kinks_in_single_precision(inside: Any, method: str) -> None:
    """Most are confirmed, and an array that is doubled is named in most."""
    confirmed, told, count = 0, 0, 60 if CI else 20
    for rng in draws(count):
        cost, gradient, point = relu_network(rng, inside)
        report = check_gradient(cost, gradient, point, method=method)
        assert report.verdict != "wrong", report
        confirmed += report.verdict == "correct"
        doubled = check_gradient(cost, gradient(point, factor=2.0), point, method=method)
        told += {path for path, a in doubled.arrays.items() if a.verdict == "wrong"} == {"W2"}
    assert confirmed >= at_least(0.9 if method == "entries" else 0.8, count)
    assert told >= at_least(0.95, count)


@every_method
def test_mistakes_that_nearly_cancel_in_single_precision_are_found(method: str) -> None:
    """Those of a row of four entries, in the first direction and, by a small step, in another."""
    case = wrong_case(5022)
    report = check_gradient(case.model.cost, case.claimed, case.model.parameters, method=method)
    assert {path for path, a in report.arrays.items() if a.verdict == "wrong"} == case.arrays


@every_method
def test_a_variance_in_single_precision_is_not_accused(method: str) -> None:
    """The difference of two large numbers has far more noise than its own size suggests."""
    for seed in range(10):
        z = (np.random.default_rng(seed).normal(size=40) + 100).astype(np.float32)
        claimed = 2 * (z - z.mean()) / z.size
        report = check_gradient(
            lambda z: np.mean(z**2) - np.mean(z) ** 2, claimed, z, method=method
        )
        assert report.verdict != "wrong"


def test_a_wrong_entry_of_fast_waves_is_located_within_its_error() -> None:
    """Where a single difference has a truncation error, more of them are taken."""
    for seed in range(10):
        w = np.random.default_rng(seed).normal(size=200)
        right = 50 * np.cos(50 * w)
        claimed = right + 25 * np.eye(200)[17]
        report = check_gradient(lambda w: np.sum(np.sin(50 * w)), claimed, w, method="directions")
        (entry,) = report.arrays["parameters"].entries
        assert entry.index == (17,)
        assert abs(entry.numerical - right[17]) <= entry.error


@pytest.mark.parametrize(("factor", "seed"), [(1e4, 26), (3e4, 10), (3e4, 38), (1e6, 0)])
def test_waves_far_too_fast_for_the_probes_are_not_accused(factor: float, seed: int) -> None:
    """If no entry is seen to be wrong, the probes are repeated with more steps."""
    w = np.random.default_rng(seed).normal(size=100)
    report = check_gradient(
        lambda w: np.sum(np.sin(factor * w)), factor * np.cos(factor * w), w, method="directions"
    )
    assert report.verdict != "wrong"


@pytest.mark.parametrize("seed", range(20))
def test_an_entry_is_listed_once(seed: int) -> None:
    """What its own error leaves of it is not taken for another mistake."""
    rng = np.random.default_rng(seed)
    scales = rng.normal(size=(12, 12)) * 10.0 ** (-3 * rng.random((12, 12)))
    w = rng.normal(size=(12, 12))
    claimed = scales * (1 - np.tanh(w) ** 2)
    claimed[9, 7] += 0.3 * np.abs(claimed).max()
    report = check_gradient(lambda w: np.sum(scales * np.tanh(w)), claimed, w, method="directions")
    array = report.arrays["parameters"]
    assert [entry.index for entry in array.entries] == [(9, 7)]
    assert array.mistake is not None
    assert array.mistake.kind == "entry"


@every_method
def test_a_gradient_may_be_written_to_the_same_memory(method: str) -> None:
    """A layer may compute cost and gradient in one call, into arrays of its own."""
    own = np.empty(100)

    def cost(w: Any) -> float:
        np.cos(w, out=own)
        return float(np.sum(np.sin(w)))

    def gradient(w: Any) -> Any:
        cost(w)
        return own

    w = np.random.default_rng(0).normal(size=100)
    assert check_gradient(cost, gradient, w, method=method).verdict == "correct"


@every_method
@pytest.mark.parametrize("large", [1e5, 1e10, 1e20])
def test_large_numbers_beside_zeros_make_no_step_too_long(large: float, method: str) -> None:
    """Zeros have no size of their own."""
    point = {"large": np.full(5, large), "zeros": np.zeros(5)}
    slope = -1.4 * np.exp(-0.49)
    claimed = {"large": np.full(5, 1 / large), "zeros": np.full(5, slope)}

    def cost(p: Any) -> Any:
        return np.sum(p["large"]) / large + np.sum(np.exp(-((p["zeros"] + 0.7) ** 2)))

    assert check_gradient(cost, claimed, point, method=method).verdict == "correct"
    along = derivative(lambda v: np.sin(v[1]), np.array([large, 0.5]), np.array([0.0, 1.0]))
    assert abs(along.value - np.cos(0.5)) <= along.error < 1e-8


@pytest.mark.parametrize(
    ("cost", "claimed", "w"),
    [
        (lambda w: np.sum(np.abs(w)), [0.0, 5.0, 1.0, 1.0], [0.0, 2.0, 3.0, 4.0]),  # at a kink
        (lambda w: np.sum(w) if w[0] <= 1 else np.nan, [7.0, 3.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_entries_that_are_not_known_are_not_called_right(
    cost: Callable[..., Any], claimed: list[float], w: list[float]
) -> None:
    """Beside one that is wrong."""
    array = check_gradient(cost, np.array(claimed), np.array(w)).arrays["parameters"]
    assert array.mistake is not None
    assert array.mistake.text.startswith("at least 1 of its 4 entries is wrong")


def test_one_wrong_entry_hides_no_others_however_large() -> None:
    """What is allowed for rounding is a share of the slopes, not of the claims."""
    claimed, w = np.array([1e20, 7.0, 8.0]), np.array([1.0, 2.0, 3.0])
    report = check_gradient(lambda w: np.sum(w**2), claimed, w)
    assert [entry.index for entry in report.arrays["parameters"].entries] == [(0,), (1,), (2,)]


def test_a_step_that_is_lost_is_a_matter_of_precision() -> None:
    """The cost is finite everywhere."""
    w = np.full(2, 1e-320)
    report = check_gradient(lambda w: np.sum(w + 1), np.ones(2), w)
    assert report.arrays["parameters"].reason == "precision"


def test_a_cost_that_raises_beside_the_point_has_been_called_as_often_as_is_said() -> None:
    """At the point, where it shows nothing of its noise."""
    calls = []

    def cost(x: float) -> float:
        calls.append(x)
        if x != 2.0:
            raise ValueError("outside of its domain")
        return 1.0

    objective = Objective(cost, Parameters(2.0))
    assert np.isfinite(objective.noise.level)
    assert objective.evaluations == len(calls)


MIXED = np.array([1e6, 1.0, 1e-3, 1e-7, 1e3])


@every_method
@pytest.mark.parametrize("power", [3, 4, 5, 6])
@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_step_too_long_for_a_small_entry_tells_nothing_of_its_slope(
    factor: float, power: int, method: str
) -> None:
    """Else the claims are 0 beside the slopes that it shows, and any of them is right."""
    for seed in range(6):
        x = MIXED * np.random.default_rng(seed).normal(size=5)
        report = check_gradient(
            lambda x: np.sum((x / MIXED - 1) ** power),
            lambda x: factor * power * (x / MIXED - 1) ** (power - 1) / MIXED,
            x,
            method=method,
        )
        assert report.verdict in (["correct", "undecided"] if factor == 1 else ["wrong"])
        (array,) = report.arrays.values()
        assert report.verdict != "correct" or array.resolution < 1


def test_an_optimum_is_one_still_where_the_cost_curves_evenly() -> None:
    """The sibling of the test before: the slopes nearby are as they seem."""
    report = check_gradient(
        lambda x: np.sum((x / MIXED - 1) ** 2), lambda x: 2 * (x / MIXED - 1) / MIXED, MIXED.copy()
    )
    assert report.verdict == "correct"


@every_method
def test_a_tiny_entry_beside_a_large_one_is_judged_at_its_own_scale(method: str) -> None:
    """Over steps of the array's scale, the cost is an even parabola with another slope."""
    verdicts: Counter[tuple[float, str]] = Counter()
    for rng in draws(40):
        w = np.array([1e7 * rng.uniform(0.5, 2), 10 ** rng.uniform(-9, -6)])
        size, a, b = w[1] * rng.uniform(1, 5), rng.uniform(0.5, 3), 10 ** rng.uniform(-2, 2)
        q = 10 ** rng.uniform(10, 20)

        def cost(p: Any, size: float = size, a: float = a, b: float = b, q: float = q) -> Any:
            x = p[1] / size
            return (p[0] / 1e7) ** 2 + b * x + a * np.tanh(x - 0.3) + q * p[1] ** 2

        steep = (b + a / np.cosh(w[1] / size - 0.3) ** 2) / size + 2 * q * w[1]
        for factor in (1.0, 2.0):
            claimed = np.array([2 * w[0] / 1e14, factor * steep])
            verdicts[factor, check_gradient(cost, claimed, w, method=method).verdict] += 1
    assert verdicts[1.0, "wrong"] == 0, verdicts
    assert verdicts[1.0, "correct"] >= 38, verdicts
    assert verdicts[2.0, "wrong"] >= 38, verdicts
