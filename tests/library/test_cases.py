"""Costs that an earlier version got wrong: each gets the right answer now, by both methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from backproof import check_gradient
from backproof._report import ArrayReport, Report
from support.checkout import CI, in_ci
from support.drawn import at_least, draws

METHODS = ("entries", "directions")
every_method = pytest.mark.parametrize("method", METHODS)
Gradient = Callable[[Any], Any]
Fit = tuple[Callable[[Any], Any], Gradient, Any]


def array_of(report: Report) -> ArrayReport:
    """Return what is said of the only array."""
    (array,) = report.arrays.values()
    return array


def named(report: Report) -> set[str]:
    """Return the paths of the arrays that a report calls wrong."""
    return {path for path, array in report.arrays.items() if array.verdict == "wrong"}


@pytest.mark.parametrize("tiny", [5e-324, 1e-310, 1e-300])
def test_an_entry_too_small_for_steps_of_its_own_size_is_untested(tiny: float) -> None:
    """Where the cost is not defined beside it; a share of such a number may be 0."""
    w = np.array([1 / 3, tiny])

    def cost(w: Any) -> Any:
        if w[1] != tiny:
            raise ValueError
        return np.sum(np.exp(w))

    report = check_gradient(cost, np.exp(w), w)
    assert report.verdict == "correct"
    assert report.untested == {"not finite": 1}


# Costs that do not read their argument, or keep what they were given.


class Net:
    """A network that owns its arrays, as in two well-known courses."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.X, self.y = rng.normal(size=(5, 4)), np.array([0, 1, 2, 2, 1])
        shapes = {"W1": (4, 6), "b1": (6,), "W2": (6, 3), "b2": (3,)}
        self.params = {path: rng.normal(size=shape) for path, shape in shapes.items()}

    def loss(self, p: Any) -> tuple[float, Any]:
        """Return the cost and its gradient."""
        H = np.maximum(self.X @ p["W1"] + p["b1"], 0)
        P = np.exp(H @ p["W2"] + p["b2"])
        P /= P.sum(1, keepdims=True)
        d2 = (P - np.eye(3)[self.y]) / 5
        d1 = d2 @ p["W2"].T * (H > 0)
        gradient = {"W1": self.X.T @ d1, "b1": d1.sum(0), "W2": H.T @ d2, "b2": d2.sum(0)}
        return float(-np.log(P[np.arange(5), self.y]).mean()), gradient


@every_method
def test_a_cost_that_does_not_read_its_argument_is_refused(method: str) -> None:
    """The message says how to pass the parameters."""
    net = Net(np.random.default_rng(0))
    gradient = net.loss(net.params)[1]
    with pytest.raises(ValueError, match=r"does not change.*read its argument.*lambda p:"):
        check_gradient(lambda _: net.loss(net.params)[0], gradient, net.params, method=method)
    with pytest.raises(ValueError, match="read its argument"):
        check_gradient(
            lambda _: net.loss(net.params)[0], gradient["W1"], net.params["W1"], method=method
        )
    with pytest.raises(ValueError, match="read its argument"):
        check_gradient(lambda _: 0.0, np.array([10.0, -3.0]), np.array([0.3, 1.2]), method=method)


@every_method
def test_a_cost_that_reads_its_argument_is_not(method: str) -> None:
    """The same network is right once it takes the parameters, and one array off is named."""
    net = Net(np.random.default_rng(0))
    gradient = net.loss(net.params)[1]
    assert check_gradient(lambda p: net.loss(p)[0], gradient, net.params, method=method)
    wrong = gradient | {"b1": 2 * gradient["b1"]}
    assert named(check_gradient(lambda p: net.loss(p)[0], wrong, net.params, method=method)) == {
        "b1"
    }


@every_method
def test_an_array_that_the_cost_does_not_read_is_named(method: str) -> None:
    """The others move it."""
    point = {"w": np.ones(3), "b": np.full(2, 0.5)}
    claimed = {"w": 2 * np.ones(3), "b": np.ones(2)}
    report = check_gradient(lambda p: np.sum(p["w"] ** 2), claimed, point, method=method)
    assert named(report) == {"b"}
    mistake = report.arrays["b"].mistake
    assert mistake
    assert "it has no effect on the cost" in mistake.text


@every_method
def test_a_memo_that_keeps_the_array_it_was_given_is_refused(method: str) -> None:
    """A copy is missing in it; with a copy it passes."""

    class Memo:
        x: Any = None
        value = 0.0

        def __init__(self, keep: Gradient) -> None:
            self.keep = keep

        def __call__(self, w: Any) -> float:
            if self.x is None or not np.array_equal(w, self.x):
                self.x, self.value = self.keep(w), float(np.sum(np.sin(w)))
            return self.value

    w = np.array([0.3, 1.2])
    with pytest.raises(ValueError, match="keep a copy"):
        check_gradient(Memo(lambda w: w), np.cos(w), w, method=method)
    assert check_gradient(Memo(np.copy), np.cos(w), w, method=method)


# Costs that stand still, since they are rounded, count something, or lose their digits.


def squares(rng: np.random.Generator, examples: int = 20) -> Fit:
    """Return a least squares cost, its gradient and a point."""
    X, y = rng.normal(size=(examples, 4)), rng.normal(size=examples)

    def gradient(w: Any) -> Any:
        return 2 * X.T @ (X @ w - y) / examples

    return lambda w: float(np.mean((X @ w - y) ** 2)), gradient, rng.normal(size=4)


@every_method
@pytest.mark.parametrize("decimals", [0, 1, 2, 3, 4])
def test_a_rounded_cost_accuses_nothing_and_passes_nothing(method: str, decimals: int) -> None:
    """Neither is the right gradient wrong, nor a gradient of 0 correct."""
    for rng in draws(4):
        cost, gradient, w = squares(rng)

        def coarse(w: Any, cost: Any = cost) -> Any:
            return round(cost(w), decimals)

        report = check_gradient(coarse, gradient(w), w, method=method)
        assert report.verdict != "wrong", report
        assert set(array_of(report).untested) <= {"rounded", "precision"}
        report = check_gradient(coarse, 0 * w, w, method=method)
        assert report.verdict != "correct", report


@every_method
def test_a_mistake_far_above_the_grid_of_the_cost_is_told(method: str) -> None:
    """A grid of 1e-8 leaves what is three times too large to be seen, nearly always."""
    told = 0
    for rng in draws(10):
        cost, gradient, w = squares(rng)
        right = gradient(w)

        def rounded(w: Any, cost: Any = cost) -> float:
            return float(round(cost(w), 8))

        told += check_gradient(rounded, 3 * right, w, method=method).verdict == "wrong"
        assert check_gradient(rounded, right, w, method=method).verdict != "wrong"
    assert told >= 7


@every_method
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_low_precision_inside_accuses_nothing_and_passes_no_zero(method: str, dtype: Any) -> None:
    """The cost is cast to it, and returned as a float."""
    for rng in draws(6):
        cost, gradient, w = squares(rng)
        right = gradient(w)

        def low(w: Any, cost: Any = cost) -> Any:
            return float(dtype(cost(w)))

        assert check_gradient(low, right, w, method=method).verdict != "wrong"
        assert check_gradient(low, 0 * right, w, method=method).verdict != "correct"


@every_method
@pytest.mark.parametrize("digits", [8, 10, 12, 16, 20, 23])
def test_parameters_on_a_grid_accuse_nothing_and_pass_no_zero(method: str, digits: int) -> None:
    """As after a cast to bfloat16 or float32 inside of the cost."""
    for rng in draws(4):
        cost, gradient, w = squares(rng)
        grid = 2.0**digits

        def coarse(w: Any, cost: Any = cost, grid: Any = grid) -> Any:
            return cost(np.round(w * grid) / grid)

        assert check_gradient(coarse, gradient(w), w, method=method).verdict != "wrong"
        assert check_gradient(coarse, 0 * w, w, method=method).verdict != "correct"


@every_method
def test_a_cost_that_counts_is_told_as_that(method: str) -> None:
    """An accuracy, and a sum rounded to two decimals, move in jumps: nothing can be tested."""
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(5, 2)), np.array([0, 1, 2, 2, 1]), np.array([0.3, 1.2])
    costs: Iterable[Callable[[Any], Any]] = (
        lambda w: round(float(np.sum(np.sin(w))), 2),
        lambda w: np.mean((X @ w > 0) == (y > 0)),
    )
    for cost in costs:
        report = check_gradient(cost, np.cos(w), w, method=method)
        assert report.verdict == "undecided", report
        assert array_of(report).reason == "rounded"


def confident(rng: np.random.Generator) -> Fit:
    """Return a classifier in single precision that is sure of its labels."""
    X, labels = rng.normal(size=(16, 4)).astype(np.float32), rng.integers(0, 3, 16)
    Y = np.eye(3, dtype=np.float32)[labels]

    def chances(W: Any) -> Any:
        Z = X @ W.astype(np.float32).T + 12 * Y
        E = np.exp(Z - Z.max(1, keepdims=True))
        return E / E.sum(1, keepdims=True)

    def cost(W: Any) -> Any:
        return -np.mean(np.log(chances(W)[np.arange(16), labels]))

    W = (rng.normal(size=(3, 4)) * 0.01).astype(np.float32)
    return cost, lambda W: (chances(W) - Y).T @ X / np.float32(16), W


@every_method
def test_a_confident_classifier_in_single_precision_is_not_accused(method: str) -> None:
    """Its loss moves by the spacing of numbers near 1, not by that of the loss."""
    accused = passed = 0
    for rng in draws(20):
        cost, gradient, W = confident(rng)
        right = gradient(W)
        accused += check_gradient(cost, right, W, method=method).verdict == "wrong"
        passed += check_gradient(cost, 0 * right, W, method=method).verdict == "correct"
    assert accused <= 1  # one of 300: rounding in the mean hides that its terms move in jumps
    assert passed <= 2  # one of a hundred is said to be 0 within more than it is


@every_method
def test_a_baseline_that_was_subtracted_hides_no_rounding(method: str) -> None:
    """A cost of exactly 0 at the point still has the rounding of what it is the difference of."""
    x = np.array([0.1, 0.1])
    baseline = 1e6 + np.sum(np.sin(x))

    def big(x: Any) -> Any:
        return 1e6 + np.sum(np.sin(x)) - baseline

    assert check_gradient(big, np.cos(x), x, method=method).verdict == "correct"
    assert check_gradient(big, 1.5 * np.cos(x), x, method=method).verdict == "wrong"
    told = 0
    for rng in draws(40):
        X, y, w = rng.normal(size=(20, 4)), 1e3 * rng.normal(size=20), rng.normal(size=4)

        def f(w: Any, X: Any = X, y: Any = y) -> Any:
            return np.sum((X @ w - y) ** 2)

        before = f(w)
        right = 2 * X.T @ (X @ w - y)

        def check(claim: Any) -> Any:
            return check_gradient(lambda w: f(w) - before, claim, w, method=method)

        assert check(right).verdict != "wrong"
        told += check(right * [1.2, 1, 1, 1.2]).verdict == "wrong"
    assert told >= at_least(0.99, 40)


@every_method
@pytest.mark.parametrize("offset", [1e13, 1e15])
def test_an_offset_that_takes_most_digits_accuses_nothing(method: str, offset: float) -> None:
    """With the offset taken off again, the digits are lost all the same."""
    for rng in draws(4):
        cost, gradient, w = squares(rng)
        for off in (0.0, offset):

            def shifted(w: Any, off: Any = off, cost: Any = cost) -> Any:
                return cost(w) + offset - off

            assert check_gradient(shifted, gradient(w), w, method=method).verdict != "wrong"
            assert check_gradient(shifted, 0 * w, w, method=method).verdict != "correct"


@every_method
def test_nothing_infinite_is_said(method: str) -> None:
    """Of a hinge whose margins are all satisfied, and of a step function."""
    X, w = np.diag([9.0, 8.0, 7.0, 6.0]), np.array([1.0, 2.0, 3.0, 4.0])
    hinge = check_gradient(
        lambda w: np.sum(np.maximum(0, 1 - X @ w)), lambda w: -X.sum(0), w, method=method
    )
    r = np.array([0.3, -0.2, 0.1, 0.2])
    steps = check_gradient(lambda w: np.round(w) @ w, np.ones(4), r, method=method)
    for report in (hinge, steps):
        assert report.verdict != "correct"
        assert " inf" not in str(report)
        assert "nan" not in str(report)


# Optima, exact fits, and gradients that are 0 by theory.


@every_method
def test_an_exact_fit_is_correct(method: str) -> None:
    """At a cost of 0 or nearly so, every slope is 0 but for rounding."""
    for rng in draws(20):
        X, w = rng.normal(size=(10, 3)), rng.normal(size=3)
        y = X @ w

        def gradient(w: Any, X: Any = X, y: Any = y) -> Any:
            return 2 * X.T @ (X @ w - y) / 10

        def cost(w: Any, X: Any = X, y: Any = y) -> Any:
            return np.mean((X @ w - y) ** 2)

        report = check_gradient(cost, gradient, w, method=method)
        assert report.verdict == "correct", report
        wrong = gradient(w) + 0.1 * np.eye(3)[1]
        assert check_gradient(cost, wrong, w, method=method).verdict == "wrong"


@every_method
def test_noise_free_data_at_the_true_parameters_are_not_accused(method: str) -> None:
    """The gradient is 0 to the last digit."""
    X, w = np.array([[1.0, 0.1], [1.0, 0.2], [1.0, 0.3], [1.0, 0.7]]), np.array([0.4, 0.6])
    y = X @ w
    report = check_gradient(
        lambda v: np.sum((X @ v - y) ** 2), lambda v: 2 * X.T @ (X @ v - y), w, method=method
    )
    assert report.verdict == "correct", report


@every_method
def test_a_student_that_is_its_teacher_is_correct(method: str) -> None:
    """A tanh network of 100 weights; by chance, one entry may look better known than it is."""
    verdicts = []
    for rng in draws(20):
        X = rng.normal(size=(30, 10))
        p = {"W": rng.normal(size=(10, 8)) / 3, "v": rng.normal(size=(8, 2))}
        T = np.tanh(X @ p["W"]) @ p["v"]

        def gradient(p: Any, X: Any = X, T: Any = T) -> Any:
            H = np.tanh(X @ p["W"])
            d = 2 * (H @ p["v"] - T) / T.size
            return {"W": X.T @ (d @ p["v"].T * (1 - H**2)), "v": H.T @ d}

        def cost(p: Any, X: Any = X, T: Any = T) -> Any:
            return np.mean((np.tanh(X @ p["W"]) @ p["v"] - T) ** 2)

        verdicts.append(check_gradient(cost, gradient, p, method=method).verdict)
    assert "wrong" not in verdicts
    assert verdicts.count("correct") >= at_least(0.99, 20)


@every_method
def test_a_cost_that_is_rounding_alone_neither_jumps_nor_accuses(method: str) -> None:
    """The sum of a softmax less 1; but a gradient that is not 0 is none of it."""
    for rng in draws(20):
        z = rng.normal(size=4)
        p = np.exp(z) / np.exp(z).sum()

        def cost(z: Any) -> Any:
            return np.sum(np.exp(z) / np.exp(z).sum()) - 1

        report = check_gradient(cost, p * (1 - p.sum()), z, method=method)
        assert report.verdict != "wrong", report
        assert array_of(report).reason not in ("jump", "kink", "steep")
        try:  # where it stands still, nothing shows that it reads its argument
            assert check_gradient(cost, p, z, method=method).verdict != "correct"
        except ValueError as error:
            assert "does not change" in str(error)  # noqa: PT017


def batch_normalised(rng: np.random.Generator) -> Fit:
    """Return a network in which a bias stands before a batch normalisation."""
    X, y = rng.normal(size=(16, 6)), rng.normal(size=(16, 3))
    p = {"W": rng.normal(size=(6, 12)) / 2, "b": rng.normal(size=12) / 10}
    p |= {"g": 1 + rng.normal(size=12) / 10, "V": rng.normal(size=(12, 3)) / 3}

    def forward(p: Any) -> tuple[Any, ...]:
        Z = X @ p["W"] + p["b"]
        s = np.sqrt(Z.var(0) + 1e-5)
        N = (Z - Z.mean(0)) / s
        A = np.tanh(N * p["g"])
        return s, N, A, A @ p["V"] - y

    def gradient(p: Any) -> Any:
        s, N, A, errors = forward(p)
        d = 2 * errors / errors.size
        dA = d @ p["V"].T * (1 - A**2)
        dN = dA * p["g"]
        dZ = (dN - dN.mean(0) - N * np.mean(dN * N, 0)) / s
        return {"W": X.T @ dZ, "b": dZ.sum(0), "g": np.sum(dA * N, 0), "V": A.T @ d}

    return lambda p: np.mean(forward(p)[3] ** 2), gradient, p


def attention(rng: np.random.Generator) -> Fit:
    """Return attention over seven words, whose gradient with respect to the key bias is 0."""
    Z, t = rng.normal(size=(7, 6)), rng.normal(size=(7, 6))
    p = {path: rng.normal(size=(6, 6)) / 2 for path in "QK"} | {"k": rng.normal(size=6) / 10}

    def forward(p: Any) -> tuple[Any, Any, Any]:
        Q, K = Z @ p["Q"], Z @ p["K"] + p["k"]
        S = Q @ K.T
        E = np.exp(S - S.max(1, keepdims=True))
        return Q, K, E / E.sum(1, keepdims=True)

    def gradient(p: Any) -> Any:
        Q, K, A = forward(p)
        dA = 2 * (A @ Z - t) @ Z.T
        dS = A * (dA - np.sum(dA * A, 1, keepdims=True))
        return {"Q": Z.T @ (dS @ K), "K": Z.T @ (dS.T @ Q), "k": (dS.T @ Q).sum(0)}

    return lambda p: np.sum((forward(p)[2] @ Z - t) ** 2), gradient, p


def shifted_logits(rng: np.random.Generator) -> Fit:
    """Return a softmax regression with a number that shifts all logits."""
    X, Y = rng.normal(size=(16, 6)), np.eye(3)[rng.integers(0, 3, 16)]

    def logs(p: Any) -> Any:
        Z = X @ p["w"] + p["c"]
        Z = Z - Z.max(1, keepdims=True)
        return Z - np.log(np.exp(Z).sum(1, keepdims=True))

    def gradient(p: Any) -> Any:
        d = (np.exp(logs(p)) - Y) / 16
        return {"w": X.T @ d, "c": d.sum()}

    return lambda p: -np.sum(Y * logs(p)) / 16, gradient, {"w": rng.normal(size=(6, 3)), "c": 0.4}


@every_method
@pytest.mark.parametrize(
    ("make", "path"), [(batch_normalised, "b"), (attention, "k"), (shifted_logits, "c")]
)
def test_a_gradient_that_is_0_by_theory_is_correct(
    make: Callable[[Any], Fit], path: str, method: str
) -> None:
    """A small one in its place is wrong, and no other array with it.

    A draw may hide the slope in rounding, so that it is undecided: 1 of several hundred did.
    """
    verdicts = []
    for rng in draws(6):
        cost, gradient, p = make(rng)
        report = check_gradient(cost, gradient, p, method=method)
        verdicts.append(report.verdict)
        assert report.verdict != "wrong", report
        if report.verdict == "undecided":
            continue
        claimed = gradient(p)
        largest = max(np.abs(g).max() for g in claimed.values())
        assert not report.arrays[path].within > 1e-6 * largest
        report = check_gradient(cost, claimed | {path: claimed[path] + 1e-2}, p, method=method)
        assert named(report) == {path}
    assert verdicts.count("correct") >= 5


@every_method
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_zero_claim_does_not_pass_where_the_cost_depends_on_the_array(
    method: str, precision: str
) -> None:
    """However small the parameters are, and what they contribute to the cost."""
    dtype = np.dtype(precision).type
    sizes = (1e-6, 1e-9) if precision == "float32" else (1e-12, 1e-15, 1e-18)
    costs: tuple[tuple[Gradient, Gradient], ...] = (
        (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
        (lambda x: x * np.log(x), lambda x: np.log(x) + 1),
        (np.log, lambda x: 1 / x),
    )
    for size in sizes:
        p = {"x": np.array([1, 1.3, 1.7], dtype) * dtype(size), "y": np.array([0.5, 0.9], dtype)}
        for f, slope in costs:

            def cost(p: Any, f: Any = f) -> Any:
                return dtype(np.sum(f(p["x"])) + np.sum(np.sin(p["y"])))

            right = {"x": slope(p["x"]), "y": np.cos(p["y"])}
            zero = right | {"x": 0 * p["x"]}
            moved = abs(cost(p | {"x": 2 * p["x"]}) - cost(p)) / np.spacing(cost(p))
            assert check_gradient(cost, right, p, method=method).verdict != "wrong"
            if moved > 100:
                report = check_gradient(cost, zero, p, method=method)
                assert report.arrays["x"].verdict != "correct", (size, report)


# Scales.


@every_method
@pytest.mark.parametrize(("dtype", "s"), [(np.float64, 1e7), (np.float32, 1e4)])
def test_two_units_in_one_array_are_no_mistake(method: str, dtype: Any, s: float) -> None:
    """A mistake in either of the two is one."""
    w = np.array([0.126 / s, 1.3 * s], dtype)

    def cost(w: Any) -> Any:
        a, b = w[0] * dtype(s), w[1] / dtype(s)
        return np.sin(a) + np.sin(b) + (a + b) ** 2

    a, b = 0.126, 1.3
    right = np.array([(np.cos(a) + 2 * (a + b)) * s, (np.cos(b) + 2 * (a + b)) / s], dtype)
    assert check_gradient(cost, right, w, method=method).verdict == "correct"
    assert check_gradient(cost, right * dtype(1.5), w, method=method).verdict == "wrong"


@every_method
def test_a_peak_of_tiny_width_is_no_mistake(method: str) -> None:
    """A fit of height, centre, width and background, whose sizes differ by nine powers of ten."""
    x = np.linspace(4.9e-7, 5.1e-7, 60)

    def model(p: Any) -> tuple[Any, Any, Any]:
        u = (x - p[1]) / p[2]
        e = np.exp(-u * u / 2)
        return u, e, p[0] * e + p[3]

    for rng in draws(40):
        p0 = np.array([1.0, 5e-7, 2e-9, 0.1])
        p = p0 * (1 + 0.05 * rng.normal(size=4))
        Y = model(p0)[2] + 0.01 * rng.normal(size=60)

        def cost(p: Any, Y: Any = Y) -> Any:
            return float(np.sum((model(p)[2] - Y) ** 2))

        u, e, f = model(p)
        d = 2 * (f - Y)
        g = np.array([d @ e, d @ (p[0] * e * u / p[2]), d @ (p[0] * e * u * u / p[2]), d.sum()])
        report = check_gradient(cost, g, p, method=method)
        assert report.verdict != "wrong", report
        assert check_gradient(cost, -g, p, method=method).verdict == "wrong"


@every_method
@pytest.mark.parametrize("power", [12, 14, 15, 16, 18])
def test_entries_far_apart_in_size_are_not_accused(method: str, power: int) -> None:
    """In one array."""
    s = np.array([1.0, 10.0**power])
    x = s * [0.7, 1.3]
    right = -2 * x / s**2 * np.exp(-((x / s) ** 2))

    def cost(t: Any) -> Any:
        return np.sum(np.exp(-((t / s) ** 2)))

    assert check_gradient(cost, right, x, method=method).verdict != "wrong"
    assert check_gradient(cost, 2 * right, x, method=method).verdict == "wrong"


@every_method
def test_entries_far_larger_than_the_first_step_shows_are_not_accused(method: str) -> None:
    """Their scale is no scale of the cost, in both precisions."""
    for s, c in (
        (np.array([1e-6, 1e-3, 1.0]), np.array([1e-8, 1e-7, 0.1])),
        (np.array([6e-4, 0.03, 0.5], np.float32), np.array([5e-6, 0.01, 0.1], np.float32)),
    ):

        def cost(s: Any, c: Any = c) -> Any:
            return np.sum(c / s**2)

        right = -2 * c / s**3
        assert check_gradient(cost, right, s, method=method).verdict == "correct"
        assert check_gradient(cost, right * s.dtype.type(1.2), s, method=method).verdict == "wrong"


@every_method
def test_a_normalisation_with_a_small_deviation_is_not_accused(method: str) -> None:
    """One deviation of many is small, in single precision."""
    for rng in draws(10):
        x, gamma, sd = (rng.random((5, 5, 5)).astype(np.float32) for _ in range(3))
        sd += np.float32(0.05)
        sd.flat[0] = 2e-3
        u = (x - np.float32(0.5)) * gamma

        def cost(sd: Any, u: Any = u) -> Any:
            return np.sum((u / sd) ** 2)

        report = check_gradient(cost, -2 * u**2 / sd**3, sd, method=method)
        assert report.verdict != "wrong", report


# Kinks, cusps, and the edges of domains.

POINTS: dict[str, tuple[Gradient, Any, Any, str]] = {
    "norm": (np.linalg.norm, np.zeros(3), np.zeros(3), "kink"),
    "L1": (lambda w: np.abs(w).sum(), np.zeros(5), np.zeros(5), "kink"),
    "cusp": (lambda x: np.sum(np.sqrt(np.abs(x))), np.zeros(3), np.zeros(3), "steep"),
    "cube root": (lambda x: np.sum(np.cbrt(x)), np.zeros(3), np.zeros(3), "steep"),
    "square root of the positive": (
        lambda x: np.sum(np.sqrt(np.maximum(x, 0))),
        np.zeros(3),
        np.zeros(3),
        "steep",
    ),
    "entropy": (
        lambda p: np.sum(np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0)),
        np.zeros(3),
        np.zeros(3),
        "steep",
    ),
}


@every_method
@pytest.mark.parametrize("name", POINTS)
def test_what_has_no_slope_passes_by_no_method(name: str, method: str) -> None:
    """A claim of 0 is undecided for the reason that is true."""
    cost, claimed, point, reason = POINTS[name]
    report = check_gradient(cost, claimed, point, method=method)
    assert report.verdict == "undecided", report
    assert array_of(report).reason == reason
    assert array_of(report).untested == {reason: point.size}


def test_six_thousand_weights_of_0_do_not_pass_the_lasso() -> None:
    """The method "auto" takes directions for so many."""
    report = check_gradient(lambda w: np.abs(w).sum(), np.zeros(6000), np.zeros(6000))
    assert report.verdict == "undecided"
    assert array_of(report).reason == "kink"


@every_method
@pytest.mark.parametrize(
    ("cost", "claimed"),
    [
        (lambda x: np.sum(np.cbrt(x)), [0, 1 / 3]),
        (lambda x: np.sum(np.sqrt(np.abs(x))), [0, 0.5]),
        (lambda x: np.sum(np.sqrt(np.maximum(x, 0))), [0, 0.5]),
        (lambda p: np.sum(np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0)), [0, 1]),
    ],
)
def test_a_steep_entry_beside_a_right_one_is_untested(
    cost: Gradient, claimed: Any, method: str
) -> None:
    """The point is that of the array [0, 1]; a mistake in the other entry is told."""
    point = np.array([0.0, 1.0])
    report = check_gradient(cost, np.array(claimed), point, method=method)
    assert report.verdict != "wrong"
    assert array_of(report).untested == {"steep": 1}
    doubled = 2.0 * np.array(claimed)
    assert check_gradient(cost, doubled, point, method=method).verdict == "wrong"


@every_method
@pytest.mark.parametrize(
    ("cost", "claimed", "point"),
    [
        (lambda x: np.sum(x**2), np.zeros(3), np.zeros(3)),
        (lambda x: np.sum(np.exp(x)), np.exp([709.7, 1.0]), np.array([709.7, 1.0])),
    ],
)
def test_a_smooth_point_is_no_kink_and_no_edge(
    cost: Gradient, claimed: Any, point: Any, method: str
) -> None:
    """A minimum, and a number next to the largest that an exponential takes."""
    assert check_gradient(cost, claimed, point, method=method).verdict == "correct"


@every_method
def test_a_constant_has_no_kink_and_no_jump(method: str) -> None:
    """The sum of what lies around its mean."""
    z = np.array([0.1, 0.2, 0.4, 0.7, 1.1])
    report = check_gradient(lambda z: np.sum(z - z.mean()), np.zeros(5), z, method=method)
    assert report.verdict != "wrong"
    assert array_of(report).reason not in ("jump", "kink", "steep")


class OutOfDomain(Exception):
    """What a library of its own may raise."""


def likelihood(error: type[Exception]) -> Fit:
    """Return a normal likelihood that raises where its variance is not positive."""
    d = 1e4 + 1e-3 * np.random.default_rng(0).normal(size=40)

    def cost(p: Any) -> Any:
        if not p[1] > 0:
            raise error("the variance is positive")
        return 0.5 * np.sum((d - p[0]) ** 2) / p[1] + 20 * np.log(p[1])

    def gradient(p: Any) -> Any:
        spread = np.sum((d - p[0]) ** 2)
        return np.array([-np.sum(d - p[0]) / p[1], -0.5 * spread / p[1] ** 2 + 20 / p[1]])

    return cost, gradient, np.array([1e4, 1.3e-6])


@every_method
@pytest.mark.parametrize(
    "error", [AssertionError, IndexError, ValueError, RuntimeError, OutOfDomain, OverflowError]
)
def test_whatever_is_raised_beside_the_point_is_the_edge_of_a_domain(
    error: type[Exception], method: str
) -> None:
    """A right gradient passes all the same, and a wrong one does not."""
    cost, gradient, p = likelihood(error)
    assert check_gradient(cost, gradient, p, method=method).verdict == "correct"
    assert check_gradient(cost, -gradient(p), p, method=method).verdict == "wrong"


@every_method
def test_cholesky_close_to_the_edge_is_checked(method: str) -> None:
    """The matrix is next to singular, and LinAlgError is raised beside it."""
    S = np.array([[1.0, 1 - 1e-9], [1 - 1e-9, 1.0]])

    def cost(S: Any) -> Any:
        return 2 * np.log(np.diag(np.linalg.cholesky(0.5 * (S + S.T)))).sum()

    right = np.linalg.inv(S).T
    assert check_gradient(cost, right, S, method=method).verdict != "wrong"
    assert check_gradient(cost, 2 * right, S, method=method).verdict != "correct"


@every_method
def test_a_table_ends_within_a_step(method: str) -> None:
    """An IndexError beside the point leaves the slope on the other side."""
    table = np.linspace(0, 1, 11) ** 2

    def cost(x: Any) -> Any:
        i = int(x[0] * 10)
        u = x[0] * 10 - i
        return table[i] * (1 - u) + table[i + 1] * u + x[1] ** 2

    point = np.array([0.9999999, 1e3])
    right = np.array([(table[10] - table[9]) * 10, 2e3])
    assert check_gradient(cost, right, point, method=method).verdict == "correct"
    assert check_gradient(cost, right * [1, 2], point, method=method).verdict == "wrong"


@every_method
@pytest.mark.parametrize("function", [np.sqrt, np.log])
def test_a_tiny_number_beside_a_large_one_is_within_the_domain(
    function: Gradient, method: str
) -> None:
    """An assertion stands at the edge."""

    def cost(s: Any) -> Any:
        assert (s > 0).all(), "positive!"
        return function(s).sum()

    point = np.array([1e-12, 1.0])
    right = 1 / point if function is np.log else 0.5 / np.sqrt(point)
    assert check_gradient(cost, right, point, method=method).verdict == "correct"
    assert check_gradient(cost, 2 * right, point, method=method).verdict == "wrong"


# State.


class Layer:
    """A layer whose backward pass needs what its forward pass kept."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.X, self.y = rng.normal(size=(9, 4)), rng.normal(size=9)

    def forward(self, w: Any) -> Any:
        """Return the cost, and keep the parameters and the errors."""
        self.w, self.errors = w.copy(), self.X @ w - self.y
        return np.mean(self.errors**2)

    def backward(self, _: Any) -> Any:
        """Return the gradient at the parameters of the last forward pass."""
        return 2 * self.X.T @ self.errors / 9


@every_method
@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_backward_pass_may_follow_its_forward_pass(factor: float, method: str) -> None:
    """The gradient is called after a cost at the point, and no model stays displaced."""
    rng = np.random.default_rng(0)
    layer, w = Layer(rng), rng.normal(size=4)
    report = check_gradient(layer.forward, lambda w: factor * layer.backward(w), w, method=method)
    assert report.verdict == ("correct" if factor == 1 else "wrong")
    np.testing.assert_array_equal(layer.w, w)


@every_method
def test_a_gradient_that_accumulates_is_refused(method: str) -> None:
    """The second call returned twice the first."""
    cost, gradient, w = squares(np.random.default_rng(0))
    total = np.zeros(4)

    def added(w: Any) -> Any:
        total[:] += gradient(w)
        return total

    with pytest.raises(ValueError, match="2 times the first"):
        check_gradient(cost, added, w, method=method)


@every_method
def test_a_cost_with_a_buffer_of_its_own_is_refused(method: str) -> None:
    """One power iteration for each call, as in a spectral norm."""
    rng = np.random.default_rng(0)
    u, W, C = rng.normal(size=5), rng.normal(size=(5, 4)), rng.normal(size=(5, 4))

    def cost(W: Any) -> Any:
        v = W.T @ u
        v /= np.linalg.norm(v)
        u[:] = W @ v / np.linalg.norm(W @ v)
        return np.sum(C * W) / (u @ W @ v)

    with pytest.raises(ValueError, match=r"the cost is random.*persist"):
        check_gradient(cost, C, W, method=method)


@every_method
@pytest.mark.parametrize("decimals", [4, 6, 8, 10, 12])
def test_a_memo_by_rounded_parameters_accuses_nothing(method: str, decimals: int) -> None:
    """It stands still over short steps, and passes no gradient of 0."""
    for rng in draws(3):
        cost, gradient, w = squares(rng)
        memo: dict[Any, float] = {}

        def kept(w: Any, cost: Any = cost, memo: dict[Any, float] = memo) -> float:
            key = tuple(np.round(w, decimals))
            return memo.setdefault(key, cost(np.array(key)))

        assert check_gradient(kept, gradient(w), w, method=method).verdict != "wrong"
        assert check_gradient(kept, 0 * w, w, method=method).verdict != "correct"


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8, 1e-10, 1e-12])
@every_method
def test_a_solver_that_starts_where_it_ended_is_not_accused(method: str, tolerance: float) -> None:
    """It returns something else after each other call: it is refused, or undecided, or right."""
    state = [0.0]

    def cost(w: Any) -> float:
        for _ in range(200):
            following = np.cos(state[0] * w[0]) + 0.1 * w[1]
            if abs(following - state[0]) < tolerance:
                break
            state[0] = following
        return float(state[0] ** 2)

    w, z = np.array([0.7, 0.3]), 0.0
    for _ in range(5000):
        z = np.cos(z * w[0]) + 0.1 * w[1]
    right = 2 * z * np.array([-z * np.sin(z * w[0]), 0.1]) / (1 + w[0] * np.sin(z * w[0]))
    for _ in range(50):
        cost(w)
    try:
        assert check_gradient(cost, right, w, method=method, tolerance=1e-3).verdict != "wrong"
    except ValueError as error:
        assert "the cost is random" in str(error)  # noqa: PT017


@every_method
def test_random_costs_are_refused(method: str) -> None:
    """A dropout mask drawn inside, and one of five batches."""
    refused = 0
    for rng in draws(40):
        X, y, w = rng.normal(size=(20, 4)), rng.normal(size=20), rng.normal(size=4)

        def dropped(w: Any, X: Any = X, y: Any = y, rng: Any = rng) -> Any:
            return np.mean(((X * (rng.random(4) > 0.2)) @ w - y) ** 2)

        def batches(w: Any, X: Any = X, y: Any = y, rng: Any = rng) -> Any:
            rows = slice(4 * (k := rng.integers(5)), 4 * k + 4)
            return np.mean((X[rows] @ w - y[rows]) ** 2)

        for cost in (dropped, batches):
            try:
                check_gradient(cost, 2 * X.T @ (X @ w - y) / 20, w, method=method)
            except ValueError as error:
                refused += "the cost is random" in str(error)
    assert refused >= 77


@every_method
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("amplitude", [1e-9, 1e-6, 1e-3, 1.0])
def test_a_call_that_is_sometimes_off_does_not_accuse(
    share: float, amplitude: float, method: str
) -> None:
    """It may be refused, or pass if it is seldom."""
    accused = 0
    for rng in draws(20):
        cost, gradient, w = squares(rng)

        def seldom(w: Any, cost: Any = cost, rng: Any = rng) -> float:
            off = amplitude * rng.normal() if rng.random() < share else 0
            return float(cost(w) * (1 + off))

        try:
            accused += check_gradient(seldom, gradient(w), w, method=method).verdict == "wrong"
        except ValueError as error:
            assert "the cost is random" in str(error)  # noqa: PT017
    assert accused <= 1


# Concurrency.


def tanh_fit() -> Fit:
    """Return a small cost of two arrays."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 6)), rng.normal(size=20)

    def gradient(p: Any) -> Any:
        A = np.tanh(X @ p["w"] + p["b"])
        d = 2 * (A - y) * (1 - A**2) / 20
        return {"w": X.T @ d, "b": d.sum()}

    point = {"w": rng.normal(size=6), "b": 0.3}
    return lambda p: float(np.mean((np.tanh(X @ p["w"] + p["b"]) - y) ** 2)), gradient, point


@every_method
def test_checks_in_threads_that_share_arrays_agree(method: str) -> None:
    """And so do checks inside of a cost."""
    cost, gradient, p = tanh_fit()
    alone = str(check_gradient(cost, gradient, p, method=method))

    def nested(q: Any) -> Any:
        assert check_gradient(cost, gradient, q, method="directions")
        return cost(q)

    with ThreadPoolExecutor(4) as pool:
        every = pool.map(lambda _: str(check_gradient(cost, gradient, p, method=method)), range(20))
        assert set(every) == {alone}
    assert str(check_gradient(nested, gradient, p, method=method)) == alone


def _shuffled(task: Callable[[int], Any], indices: Iterable[int]) -> list[Any]:
    return [task(i) for i in sorted(indices, key=lambda i: -i)]


def _reversed(task: Callable[[int], Any], indices: Iterable[int]) -> list[Any]:
    return [task(i) for i in indices][::-1]


@pytest.mark.parametrize("workers", [_shuffled, _reversed])
def test_workers_out_of_order_are_set_right(workers: Any) -> None:
    """The results know which entry they belong to."""
    cost, gradient, p = tanh_fit()
    assert check_gradient(cost, gradient, p, workers=workers)
    wrong = gradient(p)
    wrong["w"][2] *= 2
    report = check_gradient(cost, wrong, p, workers=workers)
    assert [entry.index for entry in report.arrays["w"].entries] == [(2,)]


@pytest.mark.parametrize(
    ("workers", "error"),
    [
        (lambda f, indices: [f(i) for i in indices][:-1], ValueError),
        (lambda f, indices: None, ValueError),
        (lambda f, indices: [f(0) for _ in indices], ValueError),
        (lambda f, indices: ["x" for _ in indices], TypeError),
        (lambda f, indices: {i: f(i) for i in indices}, TypeError),
    ],
    ids=["short", "none", "twice", "strings", "dict"],
)
def test_workers_that_return_something_else_are_refused(
    workers: Any, error: type[Exception]
) -> None:
    """Too few, the same one twice, strings, and keys."""
    with pytest.raises(error, match="workers returned"):
        check_gradient(*tanh_fit(), workers=workers)


@every_method
def test_an_interrupt_leaves_everything_as_it_was(method: str) -> None:
    """The parameters and the error state, at whichever call it comes."""
    cost, gradient, p = tanh_fit()
    for last in (0, 1, 3, 7, 10):
        calls = iter(range(1000))

        def interrupted(p: Any, last: int = last, calls: Any = calls) -> Any:
            if next(calls) >= last:
                raise KeyboardInterrupt
            return cost(p)

        before, state = p["w"].copy(), np.geterr()
        with pytest.raises(KeyboardInterrupt):
            check_gradient(interrupted, gradient, p, method=method)
        np.testing.assert_array_equal(p["w"], before)
        assert np.geterr() == state


# Networks.


def deep_network(
    rng: np.random.Generator, depth: int, batch: int, compute: Any, mask_last: bool = True
) -> Fit:
    """Return a relu network in single precision; `compute` is what it casts its parameters to."""
    X, y = rng.normal(size=(batch, 8)), rng.integers(0, 3, batch)
    sizes, p = [8, *[12] * (depth - 1), 3], {}
    for k, (a, b) in enumerate(pairwise(sizes)):
        p[f"W{k}"] = (rng.normal(size=(a, b)) * np.sqrt(2 / a)).astype(np.float32)
        p[f"b{k}"] = (0.1 * rng.normal(size=b)).astype(np.float32)

    def forward(p: Any) -> tuple[list[Any], Any]:
        dtype = compute or p["W0"].dtype
        A = [X.astype(dtype)]
        for k in range(depth):
            Z = A[-1] @ p[f"W{k}"].astype(dtype) + p[f"b{k}"].astype(dtype)
            A.append(np.maximum(Z, 0) if k < depth - 1 else Z)
        Z = Z - Z.max(1, keepdims=True)
        return A, Z - np.log(np.exp(Z).sum(1, keepdims=True))

    def gradient(p: Any) -> Any:
        A, logs = forward(p)
        d = np.exp(logs)
        d[np.arange(batch), y] -= 1
        d /= d.dtype.type(batch)
        g = {}
        for k in reversed(range(depth)):
            if k < depth - 1 and (mask_last or k < depth - 2):
                d = d * (A[k + 1] > 0)
            g[f"W{k}"], g[f"b{k}"] = A[k].T @ d, d.sum(0)
            d = d @ p[f"W{k}"].T.astype(d.dtype)
        return {path: g[path] for path in p}

    return lambda p: -np.mean(forward(p)[1][np.arange(batch), y]), gradient, p


@every_method
@pytest.mark.parametrize("compute", [None, np.float32], ids=["follows", "float32 inside"])
def test_deep_relu_networks_in_single_precision_are_not_accused(method: str, compute: Any) -> None:
    """Eight layers among thousands of kinks."""
    for rng in draws(2):
        cost, gradient, p = deep_network(rng, 8, 300, compute)
        report = check_gradient(cost, gradient, p, method=method)
        assert report.verdict != "wrong", report


@every_method
@pytest.mark.parametrize("compute", [None, np.float32], ids=["follows", "float32 inside"])
def test_relu_networks_in_single_precision_are_confirmed(method: str, compute: Any) -> None:
    """Nine of ten by entries, four of five by directions, and an array that is doubled is named."""
    correct, exact, count = 0, 0, 40 if CI else 20
    for rng in draws(count):
        cost, gradient, p = deep_network(rng, 3, 32, compute)
        right = gradient(p)
        correct += check_gradient(cost, gradient, p, method=method).verdict == "correct"
        wrong = check_gradient(cost, right | {"W1": 2 * right["W1"]}, p, method=method)
        exact += named(wrong) == {"W1"}
    assert correct >= at_least(0.9 if method == "entries" else 0.8, count)
    assert exact >= at_least(0.95, count)


@every_method
@pytest.mark.parametrize(("claimed", "verdict"), [(1.0, "undecided"), (3.0, "wrong")])
def test_a_kink_that_only_the_smallest_steps_meet_accuses_nobody(
    method: str, claimed: float, verdict: str
) -> None:
    """From a step of 2e-7 on, all differences are 0.5; at the point, the slopes are 1 and 0."""

    def cost(p: Any) -> Any:
        size = abs(p["x"])
        return 1 + 0.5 * p["x"] - 0.5 * np.minimum(size, np.maximum(0, 2e-7 - size)) + p["w"] ** 2

    gradient = {"x": np.array(claimed), "w": np.array(2.0)}
    report = check_gradient(cost, gradient, {"x": np.array(0.0), "w": np.array(1.0)}, method=method)
    assert report.arrays["x"].verdict == verdict, report


@in_ci
@every_method
@pytest.mark.parametrize("depth", [20, 50])
def test_deep_networks_with_zero_biases_are_not_accused(method: str, depth: int) -> None:
    """Their activations are tiny, and some units are dead."""
    for rng in draws(2):
        cost, gradient, p = deep_network(rng, depth, 32, None)
        p = {k: np.float64(w if k[0] == "W" else 0 * w) for k, w in p.items()}
        report = check_gradient(cost, gradient, p, method=method)
        assert report.verdict != "wrong", report


def test_a_mistake_that_spoils_24_arrays_takes_few_evaluations() -> None:
    """Along directions; the arrays after it are right, and the report tells where to look."""
    rng = np.random.default_rng(0)
    cost, gradient, p = deep_network(rng, 13, 32, None, mask_last=False)
    point = {path: w.astype(float) for path, w in p.items()}
    report = check_gradient(cost, gradient, point, method="directions")
    assert report.evaluations <= 1.05 * 300
    assert named(report) == {path for path in p if path not in ("W12", "b12")}
    assert "look at the code between them" in str(report)


# Tolerance, and what is said.


@every_method
def test_a_tolerance_holds_for_both_methods(method: str) -> None:
    """It is relative to the largest entry of the array, and said where it was what passed."""
    w = np.linspace(0.3, 1, 6)

    def check(off: float, **options: Any) -> Report:
        claimed = np.cos(w) * (1 + off * np.arange(6))
        return check_gradient(lambda w: np.sum(np.sin(w)), claimed, w, method=method, **options)

    assert check(1e-9)
    assert check(1e-5).verdict == "wrong"
    for off in (1e-9, 1e-8, 1e-5):
        assert check(off, tolerance=1e-3)
    assert check(1e-2, tolerance=1e-3).verdict == "wrong"
    assert "tolerance" in str(check(1e-5, tolerance=1e-3))
    assert "tolerance" not in str(check(0.0, tolerance=1e-3))
    assert check(0.0, tolerance=0)


def test_the_numbers_of_an_entry_can_be_told_apart() -> None:
    """However little it is off."""
    w = np.linspace(0.3, 1, 6)
    claimed = np.cos(w) * (1 + 1e-6 * np.arange(6))
    report = check_gradient(lambda w: np.sum(np.sin(w)), claimed, w, method="directions")
    lines = [line for line in str(report).splitlines() if ", numerical" in line]
    assert lines
    for line in lines:
        shown = line.split("gradient ")[1].split(" ±")[0].split(", numerical ")
        assert shown[0] != shown[1]


@every_method
def test_a_gradient_of_float32_accuracy_is_told_as_that(method: str) -> None:
    """It is right to about seven digits."""
    rng = np.random.default_rng(0)
    w = rng.normal(size=40)
    claimed = np.cos(w) * (1 + 1e-6 * rng.normal(size=40))
    report = check_gradient(lambda w: np.sum(np.sin(w)), claimed, w, method=method)
    assert report.verdict == "wrong"
    mistake = array_of(report).mistake
    assert mistake
    assert mistake.kind == "inexact"
    rounded = np.cos(w).astype(np.float32)
    assert check_gradient(lambda w: np.sum(np.sin(w)), rounded, w, method=method)


def test_a_factor_has_no_more_digits_than_are_known() -> None:
    """The usual one within the error is preferred."""
    s = np.array([1.0, 1e6])
    x = s * [0.7, 1.3]
    report = check_gradient(
        lambda t: np.sum(np.sin(t / s)), np.cos(x / s) / s * [2, 1], x, method="directions"
    )
    assert report.verdict == "wrong"
    mistake = array_of(report).mistake
    assert mistake
    assert "2.0" not in mistake.text
    assert "1.9" not in mistake.text


class Unnamed:
    """Frequent mistakes at one point."""

    rng = np.random.default_rng(0)
    w = np.array([0.8, 1.3, 2.0, 0.5])
    u = w - 1
    A, b = rng.normal(size=(9, 4)), rng.normal(size=9)
    T, Y = rng.normal(size=(4, 3)), rng.normal(size=(9, 3))
    scale = np.array([1.0, 2, 3, 4])

    @classmethod
    def waves(cls, w: Any) -> Any:
        """Return a cost of four waves."""
        return np.sum(np.sin(w) * cls.scale)

    @classmethod
    def matrix(cls, T: Any) -> Any:
        """Return a least squares cost of a matrix."""
        return np.sum((cls.A @ T - cls.Y) ** 2)


def unnamed() -> dict[str, tuple[Gradient, Any, Any, str]]:
    """Return frequent mistakes: cost, claim, point, and words that name it."""
    c = Unnamed
    g = np.cos(c.w) * c.scale
    fit = 2 * c.A.T @ (c.A @ c.u - c.b)
    fits = 2 * c.A.T @ (c.A @ c.T - c.Y)
    v, z = np.array([0.5, 1.5, 2.0]), c.rng.normal(size=(3, 9))
    S = (M := c.rng.normal(size=(4, 4))) @ M.T + np.eye(4)

    def square(u: Any) -> Any:
        return np.sum((c.A @ u - c.b) ** 2)

    return {
        "times": (c.waves, g * c.w, c.w, "logarithm"),
        "divided": (c.waves, g / c.w, c.w, "divided by the parameters"),
        "variance": (
            lambda s: np.sum(np.log(s)) * 9 + np.sum(0.5 * (z / s[:, None]) ** 2),
            (9 / v - np.sum(z**2, 1) / v**3) / (2 * v),
            v,
            "square",
        ),
        "lasso": (lambda u: square(u) + 0.7 * np.abs(u).sum(), fit, c.u, "L1"),
        "intercept": (
            lambda u: square(u) + 0.7 * np.sum(u[1:] ** 2),
            fit,
            c.u,
            "except in its entry 0",
        ),
        "first row": (
            lambda T: c.matrix(T) + 0.7 * np.sum(T[1:] ** 2),
            fits,
            c.T,
            "except in its row 0",
        ),
        "clipped": (c.matrix, np.clip(fits, -3, 3), c.T, "clipped to"),
        "unfilled": (c.matrix, fits * [[1], [0], [1], [0]], c.T, "never filled"),
        "triangle": (
            lambda S: 2 * np.log(np.diag(np.linalg.cholesky(S))).sum(),
            np.linalg.inv(S),
            S,
            "triangle",
        ),
        "eigenvalues": (
            lambda S: np.sum(np.linalg.eigvalsh(S) ** 3),
            3 * S @ S,
            S,
            "triangle",
        ),
    }


@pytest.mark.parametrize("name", unnamed())
def test_a_frequent_mistake_has_a_name(name: str) -> None:
    """The words name it."""
    cost, claimed, point, words = unnamed()[name]
    report = check_gradient(cost, claimed, point)
    assert report.verdict == "wrong"
    mistake = array_of(report).mistake
    assert mistake
    assert words in mistake.text


def test_one_array_twice_in_the_nest_has_a_name() -> None:
    """Tied weights, whose total is claimed for both."""
    rng = np.random.default_rng(0)
    W, D = rng.normal(size=(3, 5)), rng.normal(size=(8, 5))
    H = np.tanh(D @ W.T)
    E = 2 * (H @ W - D)
    total = (E @ W.T * (1 - H**2)).T @ D + H.T @ E
    report = check_gradient(
        lambda p: np.sum((np.tanh(D @ p["enc"].T) @ p["dec"] - D) ** 2),
        {"enc": total, "dec": total},
        {"enc": W, "dec": W},
    )
    for array in report.arrays.values():
        assert array.mistake
        assert "one array in two places" in array.mistake.text


def test_an_unread_entry_that_is_0_is_as_usual_as_the_others() -> None:
    """Steps suit it, so that a claim for it is wrong, however small beside the others."""
    w = np.linspace(0.5, 2, 10)
    w[3] = 0
    read = np.arange(10) != 3
    claimed = np.where(read, np.cos(w), 0.005)
    report = check_gradient(lambda p: np.sin(p[read]).sum(), claimed, w, method="entries")
    assert [entry.index for entry in array_of(report).entries] == [(3,)]
