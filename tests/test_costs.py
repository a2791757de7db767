"""What a cost shows at the point itself: its precision and its noise."""

import math
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np
import pytest

from backproof import check_gradient, derivative, numerical_gradient
from backproof.costs import (
    _beside_a_parabola,
    _is_single,
    _noise_of,
    _places,
    _values_nearby,
    measure_origin,
    real_number,
)
from backproof.parameters import Parameters

EPSILON = float(np.finfo(np.float64).eps)
SINGLE = float(np.finfo(np.float32).eps)


@pytest.mark.parametrize(("returned", "evaluations"), [(np.float32, 14), (np.float64, 18)])
def test_a_cost_that_says_its_precision_is_not_asked_again(
    returned: type[np.floating], evaluations: int
) -> None:
    """It stands still nearby, as one does that computes in float32 and returns float64."""
    parameters = Parameters(np.array([1.0, 2.0]))
    origin = measure_origin(lambda w: returned(np.float32(np.sin(w).sum())), parameters)
    assert origin.precision == SINGLE
    assert origin.evaluations == evaluations
    assert measure_origin(lambda w: returned(1.5), parameters).evaluations == evaluations


def test_the_noise_is_three_times_its_standard_deviation() -> None:
    """A parabola has none, and what is left beside one is the noise."""
    rng = np.random.default_rng(0)
    for count in (5, 13):
        t = _places(count)
        assert _noise_of((1 + t - t**2).tolist()) < 1e-15
        noises = [_noise_of(rng.normal(scale=1e-6, size=count).tolist()) for _ in range(2000)]
        assert np.sqrt(np.mean(np.square(noises))) == pytest.approx(3e-6, rel=0.05)
    assert not math.isfinite(_noise_of([1.0, 2.0, math.inf, 3.0, 4.0]))


@pytest.mark.parametrize("offset", [1e4, 1e6, 1e7])
def test_a_cost_that_is_rounded_to_a_grid_has_noise(offset: float) -> None:
    """Its own value may be small, or zero, and its steps all alike: no right slope is accused."""
    for x in np.arange(0.3, 1.2, 0.03):
        for start in (offset - 1, offset + math.sin(x)):

            def cost(t: float, start: float = start) -> float:
                return (offset + math.sin(t)) - start

            slope = derivative(cost, float(x))
            assert abs(slope.value - math.cos(x)) <= slope.error < 0.02
            assert check_gradient(cost, math.cos(x), float(x)).verdict == "correct"
    # Beside such noise, a cost of zero has half of the digits of single precision.
    origin = measure_origin(lambda t: (offset + t) - (offset + 1.0), Parameters(1.0))
    assert origin.step == pytest.approx(SINGLE ** (1 / 6) / 2)


@pytest.mark.parametrize("x", [1e7, 1e8, 2e8, 3e8, 6e8])
def test_waves_about_as_long_as_the_ray_are_no_noise(x: float) -> None:
    """What is left of them beside a parabola shrinks with the ray."""
    for k in range(20):
        at = x * (1 + k / 40)
        assert check_gradient(math.sin, math.cos(at), at).verdict != "wrong"
    slope = derivative(math.sin, x)
    assert abs(slope.value - math.cos(x)) <= slope.error < 0.02


@pytest.mark.parametrize(("x", "evaluations"), [(1.0, 6), (1e8, 22)])
def test_the_calls_on_every_ray_are_counted(x: float, evaluations: int) -> None:
    """Waves are looked at on a farther and a closer one."""
    calls = []

    def cost(t: float) -> float:
        calls.append(t)
        return math.sin(t)

    assert measure_origin(cost, Parameters(x)).evaluations == len(calls) == evaluations


def test_at_zeros_the_ray_has_the_length_1() -> None:
    """Else a cost with noise would seem to have none."""
    origin = measure_origin(lambda w: np.sum(np.sin(w) + 1e3) - 79.9e3, Parameters(np.zeros(80)))
    assert origin.noise > 1e-12
    assert _values_nearby(lambda x: x, Parameters(0.0), 0.0, EPSILON)[-1] == -math.sqrt(EPSILON) / 4


def test_a_jump_at_the_point_is_no_noise() -> None:
    """The values beside it are alike."""
    for smooth, height in (
        (math.sin, 1e-3),
        (math.sin, -1e-3),
        (lambda t: 1e3, 1e-6),
        (lambda t: 1e3, 1e-12),
    ):
        cost = partial(lambda f, height, t: f(t) + (t < 1) * height, smooth, height)
        assert measure_origin(cost, Parameters(1.0)).noise == 0


def noisy(times: int, size: float = 1.0) -> list[float]:
    """Return five values whose noise is so many times the precision of float64."""
    amount = times * EPSILON * size / 3 * math.sqrt(2)
    return [float(size + amount * share) for share in _beside_a_parabola(5)[0]]


@pytest.mark.parametrize(
    ("values", "spread", "answer"),
    [
        (noisy(5, size=1e3), 0.0, False),  # noise of double precision
        (noisy(6, size=1e3), 0.0, False),
        (noisy(11, size=1e3), 0.0, True),
        (noisy(40, size=1e3), 0.0, True),
        (noisy(10**9, size=1e3), 0.0, True),
        (noisy(10**13, size=1e3), 0.0, False),  # more than noise may be
        (noisy(10**13, size=1e-3), 0.0, False),
        (noisy(10**9, size=1e-3), 0.0, True),
        (noisy(10**9), 10**8 * EPSILON, True),
        (noisy(10**9), 10**9 / 99.0 * EPSILON, True),
        (noisy(10**9), 10**9 / 101.0 * EPSILON, False),
        (noisy(10**9), 10**6 * EPSILON, False),  # it grows with the ray: the shape of the cost
        ([1 / 3] * 5, 0.0, False),
        ([float(np.float32(1 / 3))] * 5, 0.0, True),
        ([0.5 + 2.0**-12] * 5, 0.0, False),  # so few digits, in any precision
        ([0.5 + 2.0**-13] * 5, 0.0, True),
        ([1e300] * 5, 0.0, False),
    ],
)
def test_values_on_a_ray_tell_single_precision(
    values: list[float], spread: float, answer: bool
) -> None:
    """By their noise, or by their digits where they stand still."""
    assert _is_single(values, spread, EPSILON) is answer


def test_noise_is_looked_for_on_a_short_ray() -> None:
    """From the point on, by steps in proportion to the entries; every third one goes down."""
    point = Parameters(np.array([2.0, 4.0, 8.0, 16.0]))
    length = math.sqrt(EPSILON) / 4
    for index, sign in enumerate((-1, 1, 1, -1)):
        x = 2.0 ** (index + 1)
        values = _values_nearby(itemgetter(index), point, x, EPSILON)
        assert values == pytest.approx(x * (1 + sign * length * _places(5)), rel=4 * EPSILON)


def test_where_a_cost_is_not_defined_nearby_it_shows_no_noise() -> None:
    """Its values there are not known."""
    values = _values_nearby(lambda x: math.log(x - 2), Parameters(2.0), 7.0, EPSILON)
    assert values[0] == 7.0
    assert np.isnan(values[1:]).all()
    assert measure_origin(lambda x: math.log(x - 2), Parameters(2 + 1e-10)).noise == 0.0


@pytest.mark.parametrize("check", [check_gradient, numerical_gradient])
def test_a_cost_that_scales_its_parameters_to_a_sum_is_refused(check: Callable[..., Any]) -> None:
    """At the point itself it changes nothing, and beside it all entries."""

    def cost(p: Any) -> Any:
        p /= p.sum()
        return np.sum([1.0, 2.0, 5.0, 3.0] * p)

    point = np.array([0.25, 0.25, 0.125, 0.375])
    gradient = [np.ones(4)] if check is check_gradient else []
    with pytest.raises(ValueError, match="the cost changes its parameters in place"):
        check(cost, *gradient, point)


@pytest.mark.parametrize("size", [0, 2, 3])
def test_a_cost_that_is_an_array_may_lack_a_sum(size: int) -> None:
    """The error says its shape."""
    with pytest.raises(TypeError, match=rf"of shape \({size},\) \(is a sum or a mean"):
        real_number(np.ones(size))
