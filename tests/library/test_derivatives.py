"""Derivatives against the true ones, and the honesty of their errors."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest

from backproof import course, derivative, numerical_gradient
from support.catalogue.functions import FUNCTIONS, ORDINARY, POSITIVE

EPSILON = float(np.finfo(np.float64).eps)
SINGLE = float(np.finfo(np.float32).eps)


class Case(NamedTuple):
    """A function, the same in arbitrary precision, a point, and the precision of the function."""

    name: str
    function: Callable[[Any], Any]
    exact: Callable[[Any], Any]
    x: float
    precision: float = EPSILON


def single(function: Callable[[Any], Any]) -> Callable[[Any], np.float32]:
    """Return a function whose cost is a float32, as that of a float32 network is."""
    return lambda x: np.float32(function(x))


CASES = [Case(name, f, exact, x) for name, f, exact, points in FUNCTIONS for x in points] + [
    Case(f"float32 {name}", single(f), exact, x, SINGLE)
    for name, f, exact, _ in FUNCTIONS[:6]
    for x in (*ORDINARY, 30.0)
]


def best_possible(case: Case, true: Any) -> float:
    """Return the least error of a central difference: true truncation plus inevitable rounding."""
    sizes = [abs(case.x) or 1.0, 1.0]
    steps = [size * 10.0 ** (k / 4) for size in sizes for k in range(-56, 5)]
    return min(_least_error(case, true, mpmath.mpf(step)) for step in steps)


def _least_error(case: Case, true: Any, step: Any) -> float:
    if step >= abs(case.x) and case.x in POSITIVE:
        return math.inf  # a logarithm would be evaluated outside its domain
    ahead, behind = case.exact(case.x + step), case.exact(case.x - step)
    truncation = abs((ahead - behind) / (2 * step) - true)
    size = max(abs(ahead), abs(behind)) + abs(case.x * true)
    return float(truncation + case.precision * size / (2 * step))


def test_the_stated_error_is_honest_and_close_to_the_best_possible(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Over the table, the error covers the true one, and is not far above the least possible."""
    missed, loose = [], []
    with mpmath.workdps(60):
        for case in CASES:
            slope = derivative(case.function, case.x)
            true = mpmath.diff(case.exact, mpmath.mpf(case.x))
            if abs(slope.value - true) > slope.error:
                missed.append(case)
            if slope.error > 100 * best_possible(case, true):
                loose.append(case)
    covered, close = 1 - len(missed) / len(CASES), 1 - len(loose) / len(CASES)
    with capsys.disabled():
        print(
            f"\n{len(CASES)} smooth points: the stated error covers the true one at {covered:.1%}, "
            f"and is within a factor of 100 of the best possible at {close:.1%}."
        )
    assert len(CASES) >= 300
    assert covered >= 0.99, [(case.name, case.x) for case in missed]
    assert close >= 0.90, [(case.name, case.x) for case in loose]


@pytest.mark.parametrize(("left", "right"), [(0.0, 1.0), (-1.0, 1.0), (2.0, 2.5)])
@pytest.mark.parametrize("x", [0.0, 1.0, -30.0])
def test_at_a_kink_the_error_reaches_both_one_sided_slopes(
    left: float, right: float, x: float
) -> None:
    """The error at a kink is half the gap between the slopes on its two sides."""
    slope = derivative(lambda t: (right if t > x else left) * (t - x) + 2.0, x)
    assert slope.value == pytest.approx((left + right) / 2, abs=1e-9)
    assert slope.error == pytest.approx((right - left) / 2, rel=1e-3)


@pytest.mark.parametrize("distance", [1e-7, 1e-5, 1e-3, 0.1])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_kink_near_the_point_is_avoided_by_smaller_steps(distance: float, side: int) -> None:
    """Next to a kink, the slope is that of the side on which the point lies."""
    slope = derivative(lambda t: max(t - 1.0, 0.0) + math.sin(t), 1.0 + side * distance)
    true = (side > 0) + math.cos(1.0 + side * distance)
    assert abs(slope.value - true) <= slope.error < 1e-5


def test_at_a_jump_the_error_is_not_small() -> None:
    """A cost that jumps at the point has no slope, and the error says so."""
    slope = derivative(lambda t: math.floor(10 * t), 0.3)
    assert slope.error > abs(slope.value)


@pytest.mark.parametrize("noise", [1e-15, 1e-13, 1e-11, 1e-9])
def test_noise_in_the_cost_widens_the_error(noise: float) -> None:
    """The error covers the true one where a cost is noisier than its dtype."""
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        a, b, x = rng.normal(size=3)
        memory: dict[float, float] = {}

        def cost(t: float) -> float:
            return 2 + math.sin(a * t + b) + memory.setdefault(t, noise * rng.uniform(-1, 1))

        slope = derivative(cost, x)
        covered += abs(slope.value - a * math.cos(a * x + b)) <= slope.error < 1e3 * noise**0.5
    assert covered >= 98


def test_where_the_cost_is_not_defined_on_both_sides_there_is_no_slope() -> None:
    """At the edge of its domain, a function that gives nan has the slope nan, with error inf."""
    with np.errstate(invalid="ignore"):
        slope = derivative(lambda x: np.sqrt(1 - x * x), 1.0)
    assert math.isnan(slope.value)
    assert slope.error == math.inf


@pytest.mark.parametrize("log", [np.log, lambda w: np.array([math.log(x) for x in w])])
def test_steps_that_leave_the_domain_are_followed_by_smaller_ones(log: Any) -> None:
    """A small entry among large ones finds a step that keeps its logarithm defined."""
    w = np.array([1e-10, 1.0, 3.0])
    gradient, error = numerical_gradient(lambda w: np.sum(log(w)), w)
    assert (np.abs(gradient - 1 / w) <= error).all()
    assert (error < 1e-6 / w).all()


def test_what_a_cost_raises_on_both_sides_comes_through() -> None:
    """With a note of what was displaced; on one side only, it means not defined there."""

    def island(x: float) -> float:
        if x != 1:
            raise ValueError("math domain error")
        return x

    with pytest.raises(ValueError, match="math domain error") as raised:
        derivative(island, 1.0)
    assert "displaced by" in raised.value.__notes__[0]
    slope = derivative(lambda x: math.sqrt(1 - x * x), 1.0)
    assert math.isnan(slope.value)
    assert slope.error == math.inf


def test_a_direction_has_the_length_that_it_is_given() -> None:
    """The derivative along v is the gradient times v, also for a nest."""
    point = {"W": np.array([[1.0, 2.0], [3.0, 4.0]]), "b": 0.5}
    direction = {"W": np.array([[1, 0], [0, -2]]), "b": 10.0}
    slope = derivative(lambda p: np.sum(p["W"] ** 3) + p["b"] ** 2, point, direction)
    assert abs(slope.value - (3 * 1 - 2 * 48 + 10 * 1.0)) <= slope.error < 1e-7


def test_twice_the_direction_gives_twice_the_slope_and_its_error() -> None:
    """To the last bit, since both are measured along one direction."""
    x, direction = np.array([3.0, 4.0]), np.array([1.0, -2.0])
    once, twice = (derivative(np.linalg.norm, x, k * direction) for k in (1, 2))
    assert twice == (2 * once.value, 2 * once.error)
    assert once.value == pytest.approx(-1, abs=1e-9)


def test_float32_parameters_are_displaced_by_steps_that_they_can_take() -> None:
    """The errors of a float32 cost are honest, and those of a float32 computation."""
    A = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    w = np.linspace(-1, 1, 5, dtype=np.float32)
    gradient, error = numerical_gradient(lambda w: np.tanh(A @ w).sum(), w)
    true = A.T.astype(float) @ (1 - np.tanh(A.astype(float) @ w) ** 2)
    assert (np.abs(gradient - true) <= error).all()
    assert error.max() < 0.01


def test_the_numerical_gradient_of_random_networks_covers_the_backward_pass() -> None:
    """Over 40 networks of the course's shape, saturated ones among them, the error is honest."""
    missed = entries = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X, Y = rng.normal(size=(4, 3)), rng.integers(0, 2, 3).astype(float)
        parameters = {key: rng.normal(size=shape) for key, shape in course.SHAPES.items()}
        _, cache = course.forward_propagation_n(X, Y, parameters)
        right = course.backward_propagation_n(X, Y, cache)
        numerical, error = numerical_gradient(
            lambda p: course.forward_propagation_n(X, Y, p)[0], parameters
        )
        for key in parameters:
            missed += np.sum(np.abs(right[f"d{key}"] - numerical[key]) > error[key])
            entries += error[key].size
    assert missed <= 0.001 * entries


def test_a_map_that_loses_points_is_refused() -> None:
    """A `workers` that does not return one result a point is an error that says so."""
    with pytest.raises(ValueError, match="workers returned 1 results for 2 points"):
        numerical_gradient(np.sum, np.ones(2), workers=lambda f, points: [f(0)])


class BreaksAt:
    """A cost that raises from its n-th call on."""

    def __init__(self, call: int) -> None:
        self.calls_left = call

    def __call__(self, parameters: dict[str, Any]) -> float:
        self.calls_left -= 1
        if self.calls_left <= 0:
            raise RuntimeError("the disk is full")
        return float(np.sum(parameters["W"] ** 2))


@pytest.mark.parametrize("call", [1, 2, 12, 40])
@pytest.mark.parametrize("threads", [False, True])
def test_when_the_cost_raises_the_parameters_are_as_before(call: int, threads: bool) -> None:
    """An exception comes through, and the caller's arrays were never written to."""
    parameters = {"W": np.arange(6.0).reshape(2, 3)}
    parameters["W"].flags.writeable = False
    with ThreadPoolExecutor(2) as pool, pytest.raises(RuntimeError, match="disk") as raised:
        numerical_gradient(BreaksAt(call), parameters, workers=pool.map if threads else map)
    assert (parameters["W"] == np.arange(6.0).reshape(2, 3)).all()
    if call == 40:
        assert "W[" in raised.value.__notes__[0]


def test_without_workers_no_array_is_copied_for_an_evaluation() -> None:
    """The serial case hands the same arrays to every call of the cost."""
    seen = set()

    def cost(parameters: dict[str, Any]) -> float:
        seen.add(id(parameters["W"]))
        return float(np.sum(parameters["W"] ** 2))

    numerical_gradient(cost, {"W": np.ones((3, 3))})
    assert len(seen) == 1


def test_the_gradient_has_the_structure_of_the_parameters_in_float64() -> None:
    """Shapes and nesting stay; float32 parameters get a float64 gradient."""
    parameters = {"layers": [(np.ones((2, 1), np.float32), 1.0)], "scale": np.float32(2.0)}
    gradient, error = numerical_gradient(
        lambda p: np.sum(p["layers"][0][0]) * p["layers"][0][1] * p["scale"], parameters
    )
    for nest in (gradient, error):
        assert nest["layers"][0][0].shape == (2, 1)
        assert nest["layers"][0][0].dtype == np.float64
        assert isinstance(nest["layers"][0][1], float)
        assert isinstance(nest["scale"], float)
    assert gradient["scale"] == pytest.approx(2.0, rel=1e-3)
