"""The noise of a cost: how much it has, what is none, and the first step that suits it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from backproof._noise import (
    BOUND,
    CLOSE,
    QUICK,
    Noise,
    _places,
    _ray,
    deviation,
    measure_noise,
)
from backproof._objective import Objective
from backproof._parameters import Parameters
from support.drawn import at_least, draws

EPSILON = float(np.finfo(np.float64).eps)
SINGLE = float(np.finfo(np.float32).eps)


def objective_of(cost: Callable[[Any], Any], at: Any) -> Objective:
    """Return the objective of a cost at a point, whose noise was measured closely."""
    objective = Objective(cost, Parameters(at))
    objective.listen()
    return objective


def noise_of(cost: Callable[[Any], Any], at: Any) -> Noise:
    """Return the noise of a cost at a point, measured closely."""
    return objective_of(cost, at).noise


def white(size: float, w: Any, salt: int = 0) -> float:
    """Return white noise that is the same for the same parameters."""
    seed = crc32(np.asarray(w).tobytes(), salt)
    return size * float(np.random.default_rng(seed).standard_normal())


def smooth(w: Any) -> Any:
    """Return a smooth cost of an array."""
    return np.sum(np.sin(w)) + 2


def rounded_to(grid: float, w: Any) -> float:
    """Return a smooth cost in multiples of a grid."""
    return round(float(smooth(w)) / grid) * grid


# How much


@pytest.mark.parametrize("size", [1e-13, 1e-10, 1e-7, 1e-4])
def test_white_noise_is_known_to_a_factor(size: float) -> None:
    """Three standard deviations are measured to a factor of three, in 98 of 100 costs."""
    ratios = []
    for rng in draws(200):
        w, salt = rng.normal(size=5), int(rng.integers(2**31))
        noise = noise_of(lambda w: smooth(w) + white(size, w, salt), w)
        ratios.append(noise.level / (BOUND * size))
    assert np.mean((np.array(ratios) > 1 / 3) & (np.array(ratios) < 3)) >= 0.98
    assert np.median(ratios) == pytest.approx(1, rel=0.2)


@pytest.mark.parametrize("count", [QUICK + 1, CLOSE])
def test_what_is_left_beside_a_parabola_is_noise(count: int) -> None:
    """A parabola has none, and white noise is measured without bias."""
    t = _places(CLOSE + 1)[1:] if count == CLOSE else _places(count)
    noises = []
    for rng in draws(2000):
        noises.append(deviation(rng.normal(scale=1e-6, size=count).tolist()))
        a, b, c = rng.normal(size=3)
        assert deviation((a + b * t + c * t**2).tolist()) < 1e-13
    assert np.sqrt(np.mean(np.square(noises))) == pytest.approx(BOUND * 1e-6, rel=0.1)


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_values_that_are_not_finite_show_no_noise(bad: float) -> None:
    """Nothing is known of them."""
    assert deviation([1.0, 2.0, bad, 7.0, 4.0]) == 0.0
    assert deviation([1.0, 2.0, 0.0, 7.0, 4.0]) > 0.0


def test_single_precision_inside_a_float64_cost_is_noise() -> None:
    """It is of the size of its roundings, and a cost in float64 has none of it."""
    levels, none = [], []
    for rng in draws(100):
        A, w = rng.normal(size=(20, 10)), rng.normal(size=10)

        def network(w: Any, dtype: Any) -> float:
            return float(np.sum(np.tanh(A.astype(dtype) @ w.astype(dtype))) ** 2 + 1)

        at = network(w, np.float64)
        levels.append(noise_of(lambda w: network(w, np.float32), w).level / (SINGLE * at))
        none.append(noise_of(lambda w: network(w, np.float64), w).level / (EPSILON * at))
    assert np.mean((np.array(levels) > 0.1) & (np.array(levels) < 100)) >= 0.95
    assert np.mean(np.array(none) < 100) >= 0.95


@pytest.mark.parametrize("spread", [0.0, 1e-3])
def test_calls_that_differ_at_the_point_are_noise(spread: float) -> None:
    """The largest difference that was seen counts, by the margin of three deviations."""
    objective = Objective(smooth, Parameters(np.ones(3)))
    level = measure_noise(objective, spread).level
    assert level == BOUND * spread if spread else level < 1e-14


# Grids


@pytest.mark.parametrize("grid", [1e-12, 1e-9, 1e-6, 1e-4])
def test_a_grid_is_noise(grid: float) -> None:
    """The level is of its size, also where the cost stands still on a short ray.

    On all rays of a point it hardly ever does.
    """
    levels, moved = [], 0
    for rng in draws(200):
        noise = noise_of(partial(rounded_to, grid), rng.normal(size=4))
        levels.append(noise.level / grid)
        moved += noise.moved
        assert noise.level >= noise.grid
    assert moved >= at_least(0.995, 200)
    assert np.mean((np.array(levels) > 1 / 3) & (np.array(levels) < 10)) >= 0.93
    assert noise_of(smooth, np.ones(4)).level < 1e-14


@pytest.mark.parametrize("decimals", [3, 6, 9, 12])
def test_a_coarser_grid_has_a_longer_first_step(decimals: int) -> None:
    """It balances truncation with rounding, and half of single precision bounds it."""
    coarse, fine = (
        noise_of(partial(rounded_to, 10.0**-d), np.ones(4)).step for d in (decimals, decimals + 2)
    )
    assert fine < coarse <= SINGLE ** (1 / 6)
    assert fine >= math.cbrt(EPSILON) / 4


def test_the_ray_grows_until_the_cost_moves() -> None:
    """To both sides by turns; one that stands still is looked at far away, too."""
    seen: list[float] = []

    def cost(t: float, grid: float) -> float:
        seen.append(t)
        return round(t / grid) * grid

    for grid, far in ((1e-12, 1e-6), (1e-4, 0.1)):
        seen.clear()
        assert noise_of(partial(cost, grid=grid), 1.0).moved
        assert max(abs(np.array(seen) - 1)) < far
    seen.clear()
    assert not noise_of(partial(cost, grid=1e4), 2.0).moved
    assert min(seen) < 2 < max(seen)
    assert {2, 16, 128} <= set(abs(np.array(seen) - 2))


def test_a_flat_cost_does_not_move() -> None:
    """One that changes by a last digit does."""
    assert not noise_of(lambda w: 1.0, np.ones(3)).moved
    assert noise_of(lambda w: 1.0 + 1e-3 * w[0], np.ones(3)).moved
    assert noise_of(lambda w: 1.0, np.ones(3)).level == 0.0


# What is no noise


@pytest.mark.parametrize("height", [1e-3, -1e-3, 1.0])
@pytest.mark.parametrize("shape", ["jump", "kink"])
def test_a_kink_or_a_jump_at_the_point_is_no_noise(height: float, shape: str) -> None:
    """A close look leaves the point out; the same heights as noise are seen."""

    def broken(w: Any) -> Any:
        t = w[0] - 1
        return smooth(w) + height * ((t > 0) if shape == "jump" else abs(t))

    assert noise_of(broken, np.ones(3)).level < 1e-12
    assert noise_of(lambda w: smooth(w) + white(height, w), np.ones(3)).level > abs(height) / 3


@pytest.mark.parametrize("end", [1e-10, 1e-4])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("raises", [True, False])
def test_beside_the_end_of_a_domain_noise_is_measured_on_the_other_side(
    end: float, side: int, *, raises: bool
) -> None:
    """Or closer by; what is raised there is not heard."""
    size = 1e-9

    def cost(t: float) -> float:
        if side * (t - 1) > end:
            if raises:
                raise ValueError("outside")
            return math.nan
        return 2 + math.sin(t) + white(size, t)

    assert size / 3 < noise_of(cost, 1.0).level < 10 * size


def test_a_cost_that_is_defined_nowhere_nearby_shows_no_noise() -> None:
    """Its values there are not known, and the first step is that of its precision."""
    noise = noise_of(lambda t: 1.0 if t == 1 else math.nan, 1.0)
    assert noise.level == 0.0
    assert noise.step == pytest.approx(math.cbrt(EPSILON) / 2, rel=0.5)


def test_waves_about_as_long_as_the_ray_are_no_noise() -> None:
    """What is left of them beside a parabola shrinks with the ray; white noise does not."""
    kept = []
    for rng in draws(200):
        x = 10 ** rng.uniform(6, 8.5)
        noise = noise_of(lambda t: 2 + math.sin(t), x)
        # The argument is rounded, too: that is the noise which is left.
        kept.append(noise.level < 0.01 + 10 * EPSILON * x)
    assert np.mean(kept) >= 0.98
    assert noise_of(lambda t: 2 + math.sin(t) + white(0.3, t), 1e7).level > 0.2


# The ray


def test_the_ray_changes_each_entry_by_its_own_size() -> None:
    """An array of zeros by its scale, and a zero among others not at all; all is put back."""
    parameters = Parameters({"a": np.array([2.0, -400.0, 0.0]), "b": np.zeros(3)})
    before = parameters.vector()
    ray = _ray(parameters)
    assert ray.displace(0.25) == 0.25
    scale = parameters.blocks[1].scale
    sizes = [2.0, 400.0, 0.0, scale, scale, scale]
    assert abs(parameters.vector() - before) == pytest.approx(0.25 * np.array(sizes))
    ray.restore()
    assert (parameters.vector() == before).all()


def test_noise_at_zeros_is_seen() -> None:
    """Else a cost with noise would seem to have none there."""
    assert noise_of(lambda w: smooth(w) + white(1e-9, w), np.zeros(80)).level > 1e-10


def test_a_larger_noise_has_a_longer_first_step() -> None:
    """With the cube root of the noise, relative to the cost."""
    steps = [
        noise_of(lambda w, s=size: smooth(w) + white(s, w), np.ones(4)).step  # type: ignore[misc]
        for size in (0.0, 1e-12, 1e-9, 1e-6)
    ]
    assert steps == sorted(steps)
    assert 2 <= steps[2] / steps[1] <= 50


def test_a_quick_look_takes_few_calls() -> None:
    """A close one is taken only when it is asked for, and once."""
    objective = Objective(smooth, Parameters(np.ones(3)))
    assert objective.noise
    quick = objective.evaluations
    assert quick <= 2 * QUICK
    objective.listen()
    close = objective.evaluations - quick
    assert close >= CLOSE
    objective.listen()
    assert objective.evaluations == quick + close
