"""What a cost shows at the point itself: its precision and its noise."""

import math
from operator import itemgetter

import numpy as np
import pytest

from backproof.costs import _is_single, _noise_of, _values_nearby, measure_origin, real_number
from backproof.parameters import Parameters

EPSILON = float(np.finfo(np.float64).eps)
SINGLE = float(np.finfo(np.float32).eps)


@pytest.mark.parametrize(("returned", "evaluations"), [(np.float32, 6), (np.float64, 10)])
def test_a_cost_that_says_its_precision_is_not_asked_again(
    returned: type[np.floating], evaluations: int
) -> None:
    """It stands still nearby, as one does that computes in float32 and returns float64."""
    parameters = Parameters(np.array([1.0, 2.0]))
    origin = measure_origin(lambda w: returned(np.float32(np.sin(w).sum())), parameters)
    assert origin.precision == SINGLE
    assert origin.evaluations == evaluations


def test_the_noise_is_three_times_its_standard_deviation() -> None:
    """A smooth curve has none; third differences of white noise are 20 times its variance."""
    t = np.arange(5.0)
    assert _noise_of((1 + t - t**2).tolist()) == 0
    assert _noise_of((t**3).tolist()) == pytest.approx(3 * 6 / math.sqrt(20))
    rng = np.random.default_rng(0)
    noises = [_noise_of(rng.normal(scale=1e-6, size=5).tolist()) for _ in range(2000)]
    assert np.sqrt(np.mean(np.square(noises))) == pytest.approx(3e-6, rel=0.05)


def noisy(times: int, size: float = 1.0) -> list[float]:
    """Return five values whose noise is so many times the precision of float64."""
    step = times * EPSILON * size / 3 * math.sqrt(20) / 6
    return [size + step * k**3 for k in range(5)]


@pytest.mark.parametrize(
    ("values", "spread", "answer"),
    [
        (noisy(5, size=1e3), 0.0, False),  # noise of double precision
        (noisy(7, size=1e3), 0.0, False),
        (noisy(9, size=1e3), 0.0, True),
        (noisy(40, size=1e3), 0.0, True),
        (noisy(10**9, size=1e3), 0.0, True),
        (noisy(10**13, size=1e3), 0.0, False),  # more than noise may be
        (noisy(10**13, size=1e-3), 0.0, False),
        (noisy(10**9, size=1e-3), 0.0, True),
        (noisy(10**9), 10**8 * EPSILON, True),
        (noisy(10**9), 10**9 / 99.5 * EPSILON, True),
        (noisy(10**9), 10**9 / 100.5 * EPSILON, False),
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
    step = math.sqrt(EPSILON) / 16
    for index, sign in enumerate((-1, 1, 1, -1)):
        x = 2.0 ** (index + 1)
        values = _values_nearby(itemgetter(index), point, x, EPSILON)
        assert values == [x * (1 + sign * k * step) for k in range(5)]


def test_where_a_cost_is_not_defined_nearby_it_shows_no_noise() -> None:
    """It is as if it stood still."""
    point = Parameters(2.0)
    assert _values_nearby(lambda x: math.log(x - 2), point, 7.0, EPSILON) == [7.0] * 5


@pytest.mark.parametrize("size", [0, 2, 3])
def test_a_cost_that_is_an_array_may_lack_a_sum(size: int) -> None:
    """The error says its shape."""
    with pytest.raises(TypeError, match=rf"of shape \({size},\) \(is a sum or a mean"):
        real_number(np.ones(size))
