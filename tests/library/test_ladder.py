"""What one difference shows, and how several are weighed against each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import mpmath
import numpy as np
import pytest

from backproof._directions import Parts, along, of_entry
from backproof._objective import Objective
from backproof._parameters import Parameters
from backproof._slopes import (
    MOST_STEPS,
    RATIO,
    Difference,
    Measured,
    _growth,
    central_difference,
    errors_of,
    first_difference,
    gap_at_0,
    ladder,
    measure,
)
from backproof._zeros import bending, is_smooth
from support.catalogue.functions import FUNCTIONS
from support.drawn import draws

EPSILON = float(np.finfo(np.float64).eps)
Function = Callable[[Any], Any]


def objective_of(cost: Function, at: Any, noise: float | None = None) -> Objective:
    """Return an objective, whose noise is measured closely if it is not given."""
    objective = Objective(cost, Parameters(at))
    objective.listen()
    if noise is not None:
        objective._noise = objective.noise._replace(level=noise, grid=0.0)
    return objective


def difference_of(cost: Function, at: Any, step: float, noise: float = 0.0) -> Difference:
    """Return the difference of a cost of one number."""
    objective = objective_of(cost, at, noise)
    return central_difference(objective, of_entry(objective.parameters, 0), step)


def slope_of(cost: Function, at: Any) -> Measured:
    """Return the slope of a cost of one number."""
    objective = objective_of(cost, at)
    with np.errstate(all="ignore"):
        return measure(objective, of_entry(objective.parameters, 0))


def differences(*values: float, gaps: Any = 0.0, **options: Any) -> list[Difference]:
    """Return differences of falling steps, with these values and gaps."""
    each = np.broadcast_to(gaps, len(values)).tolist()
    options = {"rounding": 0.0, "least": 1.0} | options
    return [
        Difference(RATIO**-k, value, gap, **options)
        for k, (value, gap) in enumerate(zip(values, each, strict=True))
    ]


# One difference


@pytest.mark.parametrize("noise", [0.0, 1e-9])
@pytest.mark.parametrize("size", [1.0, 1e6, 1e-6])
def test_a_difference_has_a_value_a_gap_and_the_rounding_of_its_costs(
    noise: float, size: float
) -> None:
    """Both costs, the number that is displaced and the noise count, over half of the step."""
    this = difference_of(lambda x: (x / size) ** 2, size, 0.5 * size, noise)
    assert this.value == pytest.approx(2 / size)
    assert this.gap == pytest.approx(1 / size)
    costs, argument, curve = 2.25 + 0.25, 2 * 2, 1
    roundings = EPSILON * (costs + argument + curve) + noise
    assert this.rounding == pytest.approx(roundings / (0.5 * size))
    assert this.error == this.rounding
    assert this.sides == pytest.approx((2.5 / size, 1.5 / size))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_steps_that_were_taken_are_divided_by(dtype: type[np.floating[Any]]) -> None:
    """Neither of them is the one that was asked for, and they may differ."""
    for rng in draws(100):
        at = dtype(2.0 ** rng.integers(-5, 5))  # below it, floats are twice as dense
        step = rng.choice([3.3, 5.7, 6.4]) * float(np.finfo(dtype).eps * at)
        this = difference_of(lambda x: float(x) - float(at), at, step)
        assert this.value == pytest.approx(1, rel=1e-14)
        assert this.gap == pytest.approx(0, abs=1e-14)


def test_a_difference_of_0_is_known_no_better_than_the_least_change() -> None:
    """A cost that moved has shown what it can hide; one that is not 0 owes nothing."""
    even = difference_of(lambda x: x**2, 0.0, 0.5)
    assert (even.value, even.least, even.tied) == (0.0, 0.25, 0.25)
    assert even.error == even.rounding + even.tied
    odd = difference_of(lambda x: x**2 + 1e-3 * x, 0.0, 0.5)
    assert odd.tied == 0.0
    still = difference_of(lambda x: 1.0, 0.0, 0.5)
    assert (still.value, still.least, still.tied) == (0.0, math.inf, math.inf)


def test_the_least_change_is_that_of_the_whole_line() -> None:
    """A smaller step that changed less bounds what a tie of a larger one may hide."""
    objective = objective_of(lambda x: float(np.floor(4 * abs(x) + 0.5)) + abs(x) // 4, 0.0)
    direction = of_entry(objective.parameters, 0)
    start = central_difference(objective, direction, 1.0)
    assert start.tied == 2.0
    *_, measured = ladder(objective, direction, central_difference(objective, direction, 6.0))
    least = min(step.least for step in measured.steps)
    assert all(step.tied in (0.0, least / (2 * step.step)) for step in measured.steps)


@pytest.mark.parametrize(("step", "lost"), [(1e-17, True), (1e-12, False)])
def test_a_step_that_is_lost_in_rounding_says_nothing(step: float, *, lost: bool) -> None:
    """The number stays where it is; a step that it takes says something."""
    this = difference_of(lambda x: x**2, 1.0, step)
    assert math.isinf(this.rounding) is lost
    assert this.failure is None


@pytest.mark.parametrize(
    ("ahead", "behind", "known"),
    [
        (math.inf, 1.0, False),
        (1.0, math.nan, False),
        (-math.inf, -math.inf, False),
        (1e308, -1e308, False),
        (1e307, -1e307, True),
    ],
)
def test_costs_that_are_not_finite_give_no_value(
    ahead: float, behind: float, *, known: bool
) -> None:
    """Neither one of them, nor both, nor what is between them."""
    with np.errstate(all="ignore"):
        this = difference_of(lambda x: {1.5: ahead, 0.5: behind}.get(x, 0.0), 1.0, 0.5)
    assert math.isnan(this.value) is not known
    assert math.isfinite(this.error) is known


def test_what_is_raised_on_one_side_is_the_end_of_the_domain() -> None:
    """What is raised on both is kept, with a note of what was displaced."""

    def island(x: float) -> float:
        return {1.0: 1.0}[x]

    one = difference_of(lambda x: math.sqrt(x), 0.0, 0.5)
    assert (math.isnan(one.value), one.failure) == (True, None)
    both = difference_of(island, 1.0, 0.5)
    assert isinstance(both.failure, KeyError)
    assert "displaced by -0.5" in both.failure.__notes__[0]


def test_a_cost_that_returns_no_number_beside_the_point_is_an_error() -> None:
    """It is no end of a domain."""
    objective = Objective(lambda x: x if x == 1 else None, Parameters(1.0))
    with pytest.raises(TypeError, match="the cost returned None"):
        central_difference(objective, of_entry(objective.parameters, 0), 0.5)


# The errors of several


@pytest.mark.parametrize(
    ("values", "least"),
    [
        ((1.0, 1.0, 5.0), (4.0, 4.0)),
        ((1.0, 1.0, 5.0, 5.0), (4.0, 4.0, 0.0)),
        ((1.0, 1.0, 1.0, 1.0, 1.0, 5.0), (4.0, 4.0, 4.0, 4.0, 4.0)),
        ((1.0, 1.0, 1.0), (0.0, 0.0)),
    ],
)
def test_a_larger_step_that_a_smaller_one_contradicts_is_not_believed(
    values: tuple[float, ...], least: tuple[float, ...]
) -> None:
    """Its error covers what they are apart; steps that agree have none."""
    errors = errors_of(differences(*values))
    assert errors == pytest.approx(least, abs=1e-6)


def test_noise_in_a_smaller_step_contradicts_nothing() -> None:
    """What lies within the rounding of the smaller one may be that."""
    calm = differences(1.0, 1.0, 1.0)
    loud = Difference(calm[-1].step / RATIO, 5.0, 0.0, 6.0, 1.0)
    sure = loud._replace(rounding=0.5)
    assert errors_of([*calm, loud])[0] < 0.1
    assert errors_of([*calm, sure])[0] >= 4


def test_an_error_counts_rounding_change_ties_and_half_of_a_gap() -> None:
    """All of them add up, and a difference without a value has no error that is known."""
    steps = differences(1.0, 1.5, gaps=2.0, rounding=0.25, tied=0.125)
    assert errors_of(steps)[0] == pytest.approx(0.25 + 0.5 + 1.0 + 2 * 0.125)
    assert errors_of(differences(1.0, math.nan)) == [math.inf]
    assert errors_of(differences(math.nan, 1.0)) == [math.inf]


@pytest.mark.parametrize(("roundings", "tells"), [(300, True), (200, False)])
def test_a_gap_tells_of_a_curvature_if_the_next_step_could_show_it(
    roundings: float, *, tells: bool
) -> None:
    """There, it is smaller by the ratio of steps, and rounding is larger by it."""
    objective = objective_of(lambda w: 1 + w**2, 0.0)
    step = objective.noise.step
    first = Difference(step, 0.0, roundings * 1e-12, 1e-12, 1.0)
    assert (bending(objective, of_entry(objective.parameters, 0), first) is first) == tells


@pytest.mark.parametrize(
    ("values", "smooth"),
    [
        ((1.0, 1.0, 1.0), True),
        ((1.2, 1.0, 1.0 + 1 / RATIO + 0.15), True),  # within the rounding of both
        ((1.2, 1.0, 1.0 + 1 / RATIO + 0.25), False),
        ((1.0, 1.3, 1.3), False),  # neither slope at the longer step is that at the first
    ],
)
def test_a_cost_is_smooth_where_gaps_shrink_and_slopes_stay(
    values: tuple[float, float, float], *, smooth: bool
) -> None:
    """By no more than the gap is at the next smaller step, and rounding."""
    first, longer, closer = (
        Difference(1.0, value, gap, 0.1, 1.0)
        for value, gap in zip(values, (0.0, 1.0, 1 / RATIO), strict=True)
    )
    assert is_smooth(first, longer, closer) == smooth


def test_the_gap_of_a_curve_vanishes_at_the_point() -> None:
    """It shrinks with the step; one of a kink stays, and both may come together."""
    curved = np.array([RATIO, 1.0])
    assert gap_at_0(*differences(0.0, 0.0, gaps=curved)) == pytest.approx(0.0)
    assert gap_at_0(*differences(0.0, 0.0, gaps=curved + 3)) == pytest.approx(3.0)


def test_a_change_beyond_a_kink_is_measured_on_its_clean_side() -> None:
    """There the slope has not moved; a gap that noise may hide is not gone."""
    larger, smaller = differences(0.55, 1.0, gaps=(0.9, 0.0), rounding=1e-9)
    assert errors_of([larger, smaller]) == pytest.approx([0.0], abs=1e-6)
    noisy = [step._replace(rounding=0.1) for step in (larger, smaller)]
    assert errors_of(noisy)[0] > 0.45


# The honesty of errors


def drawn_slopes(count: int, *, single: bool) -> Iterator[tuple[Measured, float, str]]:
    """Yield slopes of random functions at random points, with the true ones and a title."""
    for rng in draws(count):
        name, function, exact, points = FUNCTIONS[rng.integers(len(FUNCTIONS))]
        x = float(rng.choice(points)) * 2 ** rng.uniform(-1, 1)
        size = 1.0 if single else 10 ** rng.uniform(-12, 12)
        with np.errstate(all="ignore"):
            if single and not 1e-30 < abs(function(x)) < 1e30:
                continue

            def cost(x: float) -> Any:
                value = size * function(x)
                return np.float32(value) if single else value

            measured = slope_of(cost, x)
        with mpmath.workdps(200):
            true = float(mpmath.mpf(size) * mpmath.diff(exact, mpmath.mpf(x)))
        yield measured, true, f"{name} at {x!r}"


@pytest.mark.parametrize(("single", "rate"), [(False, 0.99), (True, 0.9)])
def test_the_error_of_a_slope_covers_the_true_one(*, single: bool, rate: float) -> None:
    """Over random functions and points, in both precisions; and it is not infinite."""
    slopes = [*drawn_slopes(700, single=single)]
    covered = [abs(m.value - true) <= m.error for m, true, _ in slopes]
    missed = [title for (*_, title), fits in zip(slopes, covered, strict=True) if not fits]
    assert np.mean(covered) >= rate, missed
    telling = [m.error <= 0.01 * abs(true) for m, true, _ in slopes]
    assert np.mean(telling) >= (0.6 if single else 0.9)


def test_smooth_costs_have_no_kinks_jumps_or_infinite_slopes() -> None:
    """Over random functions and points, of which some are steep, fast or noisy."""
    for single, most in ((False, 0.01), (True, 0.05)):  # in float32, waves may pass for jumps
        slopes = [*drawn_slopes(400, single=single)]
        odd = [(title, m.reason) for m, _, title in slopes if m.reason != "precision"]
        assert len(odd) <= most * len(slopes), odd


@pytest.mark.parametrize("size", [1e-13, 1e-10, 1e-7])
def test_noise_widens_the_error(size: float) -> None:
    """It covers the true slope where a cost is noisier than its dtype, and is not far above."""
    covered, close = [], []
    for rng in draws(200):
        a, b, x = rng.normal(size=3)
        memory: dict[float, float] = {}

        def cost(t: float) -> float:
            return 2 + math.sin(a * t + b) + memory.setdefault(t, size * rng.normal())

        measured = slope_of(cost, x)
        covered.append(abs(measured.value - a * math.cos(a * x + b)) <= measured.error)
        close.append(measured.error < 1e3 * size**0.5)
    assert np.mean(covered) >= 0.97
    assert np.mean(close) >= 0.95


# The reasons


def at_random(rng: np.random.Generator, shape: Function) -> tuple[Function, float]:
    """Return a smooth cost with a shape at a random point, and the point."""
    x, height, a = rng.normal(), 10 ** rng.uniform(-2, 2), rng.normal()
    return lambda t: 2 + math.sin(a * t) + height * float(shape(t - x)), x


SHAPES: dict[str, list[Function]] = {
    "kink": [abs, lambda t: max(t, 0.0), lambda t: abs(t) * (1 + t), lambda t: 3 * t - abs(t)],
    "jump": [lambda t: t > 0, lambda t: t >= 0, lambda t: 1 + t * (t > 0) - (t < 0)],
    "steep": [
        np.cbrt,
        lambda t: math.sqrt(abs(t)),
        lambda t: abs(t) ** 0.75,
        lambda t: t * math.log(abs(t)) if t else 0.0,
    ],
    "not finite": [
        lambda t: math.sqrt(t) if t >= 0 else math.nan,
        lambda t: t**2 if t <= 0 else math.inf,
        lambda t: [0.0, 0.0][0 if t >= 0 else 9],
    ],
    "precision": [lambda t: t * abs(t), lambda t: max(t - 1e-3, 0.0), lambda t: abs(t) ** 1.8],
}


@pytest.mark.parametrize("reason", SHAPES)
def test_an_error_has_its_true_reason(reason: str) -> None:
    """At random points, on random smooth costs."""
    reasons = []
    for rng in draws(40):
        for shape in SHAPES[reason]:
            reasons.append(slope_of(*at_random(rng, shape)).reason)
    assert np.mean([found == reason for found in reasons]) >= 0.98, reasons


def test_at_a_kink_the_error_reaches_both_one_sided_slopes() -> None:
    """It is half of the gap between them, the kink's part, and little else."""
    for rng in draws(100):
        left, right = rng.normal(size=2) * 10 ** rng.uniform(-3, 3)
        x = rng.normal()
        found = slope_of(lambda t: 2 + (right if t > x else left) * (t - x), x)
        size = max(abs(left), abs(right))
        assert found.value == pytest.approx((left + right) / 2, abs=1e-5 * size + 1e-8)
        assert found.kink == pytest.approx(abs(right - left) / 2, rel=1e-3, abs=1e-6)
        assert found.kink <= found.error <= 1.01 * found.kink + 1e-7


def test_near_a_kink_the_slope_is_that_of_the_side_of_the_point() -> None:
    """However near it is, within its error."""
    covered, known = [], []
    for rng in draws(300):
        x, distance, side = rng.normal(), 10 ** rng.uniform(-8, 0), rng.choice([-1, 1])
        edge = x - side * distance
        found = slope_of(lambda t: max(t - edge, 0.0) + math.sin(t), x)
        covered.append(abs(found.value - (side > 0) - math.cos(x)) <= found.error)
        known.append(found.error < 1e-3)
    assert np.mean(covered) >= 0.99
    assert np.mean(known) >= 0.95


def test_a_structure_narrower_than_the_first_step_is_in_the_error() -> None:
    """A bump at the point, which all larger steps pass over; where there is none, it is small."""
    covered = []
    for rng in draws(200):
        x, a = rng.normal(size=2)
        width = 10 ** rng.uniform(-9, -1)
        found = slope_of(lambda t: math.sin(t) + width * a * math.tanh((t - x) / width), x)
        covered.append(abs(found.value - math.cos(x) - a) <= found.error)
    assert np.mean(covered) >= 0.9  # what is narrower than all steps is not seen


# The steps


def chaos(t: float) -> float:
    """Return noise that is the same at each call with the same number."""
    return float(np.random.default_rng(abs(hash(float(t)))).normal())


@pytest.mark.parametrize("reason", SHAPES)
def test_a_ladder_has_an_end(reason: str) -> None:
    """It takes no more than its budget of steps, in falling order, and each of them once."""
    for rng in draws(10):
        for shape in [*SHAPES[reason], lambda t: 0.0, chaos]:
            found = slope_of(*at_random(rng, shape))
            steps = [this.step for this in found.steps]
            assert len(steps) <= MOST_STEPS
            assert steps == sorted(steps, reverse=True)
            assert len(set(steps)) == len(steps)


def test_a_smooth_cost_takes_few_steps() -> None:
    """A kink takes more of them, since smaller ones may pay."""
    few, many = [], []
    for rng in draws(50):
        a, x = rng.normal(size=2)
        few.append(len(slope_of(lambda t: 2 + math.sin(a * t), x).steps))
        many.append(len(slope_of(lambda t: 2 + math.sin(a * t) + abs(t - x), x).steps))
    assert np.median(few) <= 5 < np.median(many)


def test_an_offset_takes_larger_steps() -> None:
    """What is lost in rounding at the first one is seen by a longer one."""
    for rng in draws(50):
        x = rng.uniform(1, 2)
        found = slope_of(lambda t: 1e9 + math.sin(t), x)
        assert abs(found.value - math.cos(x)) <= found.error < 0.05
        objective = objective_of(lambda t: 1e9 + math.sin(t), x)
        start = first_difference(objective, of_entry(objective.parameters, 0))
        assert found.error <= start.rounding + 1e-4


def test_a_direction_through_many_entries_is_as_precise_as_these() -> None:
    """A cost in float64 does not help where the entries are rounded to float32."""
    for rng in draws(30):
        velocity = rng.choice([-1.0, 1.0], 6).astype(float)
        slopes = []
        for dtype in (np.float32, np.float64):
            w = (rng.uniform(0.5, 1, 6)).astype(dtype)
            objective = objective_of(lambda w: float(np.sum(w.astype(float) ** 2)), w)
            line: Parts = along(objective.parameters, velocity, 1.0)
            found = measure(objective, line)
            assert abs(found.value - 2 * w.astype(float) @ velocity) <= found.error
            slopes.append(found.error)
        assert slopes[0] > 1e3 * slopes[1]


def test_changes_grow_as_they_do_at_the_smallest_steps() -> None:
    """They double, treble, and are four times as large in the end, on either side."""
    grows, stays = (0.0, 1.0, 3.0, 9.0, 33.0), (0.0,) * 5
    for sides in (zip(grows, stays, strict=True), zip(stays, grows, strict=True)):
        steps = [SimpleNamespace(sides=pair, rounding=0.0) for pair in sides]
        assert _growth(cast(Any, steps)) == pytest.approx(4)


def test_a_step_that_is_lost_on_one_side_shows_nothing() -> None:
    """Numbers below 1 lie half as far apart as those above."""
    objective = objective_of(lambda w: float(np.sum(w**2)), np.ones(1), 0.0)
    entry = of_entry(objective.parameters, 0)
    assert [bool(side.step) for side in objective.both_sides(entry, 0.8e-16)] == [False, True]
    found = central_difference(objective, entry, 0.8e-16)
    assert (found.value, found.gap) == (0, 0)
