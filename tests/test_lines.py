"""What one difference shows, and how several of them are weighed against each other."""

import math
from typing import Any

import numpy as np
import pytest

from backproof.costs import Origin, measure_origin
from backproof.lines import (
    Difference,
    Line,
    central_difference,
    line_along,
    line_of_array,
    line_of_entry,
    straight,
)
from backproof.parameters import Parameters
from backproof.slopes import RATIO, _change, _reason, errors_of, gap_at_0, passed_a_kink

EPSILON = float(np.finfo(np.float64).eps)
SINGLE = float(np.finfo(np.float32).eps)
ORIGIN = Origin(cost=1.0, precision=EPSILON, noise=0.0, step=1e-5, evaluations=2)


def square(t: float) -> tuple[float, float]:
    """Return a step, and the square at its end; the point is 1."""
    return t, (1 + t) ** 2


def differences(*values: float, gaps: Any = 0.0, **options: Any) -> list[Difference]:
    """Return differences of falling steps, with these values and gaps."""
    each = np.broadcast_to(gaps, len(values)).tolist()
    return [
        Difference(RATIO**-k, value, gap, **options)
        for k, (value, gap) in enumerate(zip(values, each, strict=True))
    ]


@pytest.mark.parametrize(("noise", "size"), [(0.0, 1.0), (1e-9, 1.0), (0.0, 5.0)])
def test_a_difference_has_the_errors_of_its_costs(noise: float, size: float) -> None:
    """The sizes of both costs and of what the parameter adds count, and the measured noise."""
    line = Line(square, ORIGIN._replace(noise=noise), size, scale=1.0)
    this = central_difference(line, 0.5)
    assert (this.step, this.value, this.gap, this.failure) == (0.5, 2.0, 1.0, None)
    assert this.rounding == pytest.approx(2 * (EPSILON * (2.25 + 0.25 + 4 * size) + noise))
    assert this.most_noise == pytest.approx(2 * this.rounding + math.sqrt(EPSILON) / 0.5)


def test_the_steps_that_were_taken_are_divided_by() -> None:
    """Forward and backward, they may differ, and neither is the one that was asked for."""
    taken = {0.5: 0.25, -0.5: -1.0}
    line = Line(lambda t: square(taken[t]), ORIGIN, 1.0, 1.0)
    this = central_difference(line, 0.5)
    assert this.value == (1.25**2 - 0.0) / 1.25
    assert this.gap == (1.25**2 - 1) / 0.25 - 1.0


@pytest.mark.parametrize("lost", [0.5, -0.5, None])
def test_a_step_that_is_lost_has_no_value(lost: float | None) -> None:
    """On one side or on both, the parameter stays where it is."""
    line = Line(lambda t: (0.0 if lost in (t, None) else t, 1.0), ORIGIN, 1.0, 1.0)
    this = central_difference(line, 0.5)
    assert math.isnan(this.value)
    assert this.rounding == math.inf
    assert this.failure is None


@pytest.mark.parametrize(
    ("ahead", "behind"),
    [
        (math.inf, 1.0),
        (1.0, math.nan),
        (math.inf, math.inf),
        (-math.inf, 0.0),
        (1e308, -1e308),
    ],
)
def test_costs_that_are_not_finite_give_no_value(ahead: float, behind: float) -> None:
    """Neither one of them, nor both, nor what is between them."""
    line = Line(lambda t: (t, ahead if t > 0 else behind), ORIGIN, 1.0, 1.0)
    this = central_difference(line, 0.5)
    assert math.isnan(this.value)
    assert (this.rounding, this.most_noise, this.failure) == (0.0, 0.0, None)


def test_what_a_cost_raises_is_kept() -> None:
    """It may be the reason why there is no slope."""
    line = Line(lambda t: (t, math.log(t)), ORIGIN, 1.0, 1.0)
    assert isinstance(central_difference(line, 0.5).failure, ValueError)


def cost(p: dict[str, Any]) -> float:
    """Return a cost of two arrays."""
    return float(np.sum(p["a"] ** 2) + np.sum(p["b"] ** 3))


def nest(dtype: Any) -> dict[str, Any]:
    """Return two arrays of different sizes, and an entry far smaller than the others."""
    return {"a": np.array([1e-3, -4.0, 5.0], dtype), "b": np.array([[100.0, 300.0]], dtype)}


@pytest.mark.parametrize(
    ("index", "size", "scale"), [(0, 1e-3, 3.000333), (1, 4.0, 4.0), (2, 5.0, 5.0), (4, 300, 300)]
)
def test_an_entry_is_displaced_by_steps_of_its_own_size(
    index: int, size: float, scale: float
) -> None:
    """Or of the usual size of its array, if that is larger; and is put back."""
    parameters = Parameters(nest(np.float64))
    before = parameters.vector()
    line = line_of_entry(cost, parameters, measure_origin(cost, parameters), index)
    assert (line.size, line.scale) == pytest.approx((size, scale), rel=1e-6)
    taken, there = line.cost_at(0.5)
    moved = before + 0.5 * (np.arange(5) == index)
    assert taken == 0.5
    assert there == np.sum(moved[:3] ** 2) + np.sum(moved[3:] ** 3)
    assert (parameters.vector() == before).all()


@pytest.mark.parametrize(("dtype", "precision"), [(np.float64, EPSILON), (np.float32, SINGLE)])
def test_lines_through_many_entries_are_as_precise_as_these(dtype: Any, precision: float) -> None:
    """A cost in float64 does not help where the entries are rounded to float32."""
    parameters = Parameters(nest(dtype))
    before = parameters.vector()
    velocity = np.array([1.0, -1.0, 0.5, 2.0, 0.0])
    array = parameters.blocks[0].values
    lines = {
        "array": line_of_array(cost, parameters, ORIGIN, array, velocity[:3].astype(dtype), 3.0),
        "all": line_along(cost, parameters, ORIGIN, velocity, 7.0),
    }
    moved = {"array": velocity * (np.arange(5) < 3), "all": velocity}
    for name, line in lines.items():
        assert line.origin.precision == precision
        assert line.size == line.scale == {"array": 3.0, "all": 7.0}[name]
        there = before + 0.25 * moved[name]
        total = np.sum(there[:3] ** 2) + np.sum(there[3:] ** 3)
        assert line.cost_at(0.25) == pytest.approx((0.25, total), rel=4 * precision)
        assert (parameters.vector() == before).all()


def test_a_line_through_nothing_but_zeros_has_steps_of_1() -> None:
    """Zeros have no size, and steps need one."""
    parameters = Parameters(np.zeros(2))
    line = line_along(np.sum, parameters, ORIGIN, np.ones(2), 0.0)
    assert (line.size, line.scale) == (0.0, 1.0)


# Several differences


@pytest.mark.parametrize(
    ("steps", "error", "reason"),
    [
        (differences(0.5, 0.5, 0.5, gaps=1.0), 0.5, "kink"),
        (differences(0.5, 0.5, 0.5, gaps=-1.0), 0.5, "kink"),
        (differences(0.5, 0.5, 0.5, gaps=(1.0, 1.0, 0.77)), 0.5, "kink"),
        (differences(0.5, 0.5, 0.5, gaps=(1.0, 1.0, 0.73)), 0.5, "precision"),
        (differences(0.5, 0.5, 0.5, gaps=1.0), 1.0, "precision"),
        (differences(0.5, 0.5, 0.5, gaps=(1.0, 0.1, 0.01)), 0.01, "precision"),
        (differences(0.1, 0.5, 0.5), 0.5, "jump"),
        (differences(-0.1, -0.5, -0.5), 0.5, "jump"),
        (differences(0.1, 0.3, 0.5), 0.5, "precision"),
        (differences(0.1, 0.5, 0.5, most_noise=0.6), 0.5, "precision"),
        (differences(0.5, math.nan, 0.5), math.inf, "not finite"),
    ],
)
def test_the_reason_of_an_error(steps: list[Difference], error: float, reason: str) -> None:
    """A gap that stays is a kink, a quotient that grows a jump; noise explains either."""
    assert _reason(steps, error) == reason


@pytest.mark.parametrize(
    ("larger", "smaller", "rounding", "passed"),
    [
        (0.9, 0.0, 1e-9, True),
        (-0.9, 1e-9, 1e-9, True),
        (0.9, 2e-9, 1e-9, True),
        (0.9, 2.5e-9, 1e-9, False),  # some of it is left
        (0.9, 0.0, 0.028, True),
        (0.9, 0.0, 0.032, False),  # noise would hide what is left
        (1e-9, 0.0, 1e-9, False),
        (4 * RATIO, 1.0, 1.0, False),
        (4.1 * RATIO, 1.0, 1.0, True),
        (math.nan, 0.0, 1e-9, False),
        (0.9, math.nan, 1e-9, False),
    ],
)
def test_a_step_has_passed_a_kink_if_the_gap_is_gone(
    larger: float, smaller: float, rounding: float, passed: bool
) -> None:
    """Of a gap that is due to curvature, a share would be left."""
    steps = differences(0.5, 0.5, gaps=(larger, smaller), rounding=rounding)
    assert passed_a_kink(steps[0], steps[1]) is passed


@pytest.mark.parametrize(("slope", "side"), [(0.55, 1.0), (0.55, 0.1)])
def test_a_slope_beyond_a_kink_is_compared_on_its_clean_side(slope: float, side: float) -> None:
    """There it has not moved, though the mean of both sides has."""
    larger, smaller = differences(slope, side, gaps=(0.9, 0.0), rounding=1e-9)
    assert _change(larger, smaller) == pytest.approx(0.0, abs=1e-15)
    assert gap_at_0(larger, smaller) == 0.0
    there = differences(slope, side + 0.2, gaps=(0.9, 0.0), rounding=1e-9)
    assert _change(*there) == pytest.approx(0.2)
    assert _change(*differences(slope, side)) == pytest.approx(0.45)


def test_the_gap_of_a_curve_vanishes_at_the_point() -> None:
    """It shrinks with the step; one of a kink stays, and both may come together."""
    curved = np.array([RATIO, 1.0])
    assert gap_at_0(*differences(0.0, 0.0, gaps=curved)) == pytest.approx(0.0)
    assert gap_at_0(*differences(0.0, 0.0, gaps=curved + 3)) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("values", "noise", "errors"),
    [
        ((1.0, 1.0, 5.0), 0.0, (4.0, 4.0)),
        ((1.0, 1.0, 5.0, 5.0), 0.0, (4.0, 4.0, 0.0)),
        ((1.0, 1.0, 5.0, 5.0), 1e12, (4.0, 4.0, 4 - 4 / RATIO)),
        ((1.0, 1.0, 1.0, 5.0), 0.0, (4.0, 4.0, 4.0)),
        ((3.0, 2.0, 1.0), 0.0, (1.0, 1.0)),
    ],
)
def test_steps_that_contradict_each_other(
    values: tuple[float, ...], noise: float, errors: tuple[float, ...]
) -> None:
    """The larger step is wrong; where noise can explain the smaller one, either may be."""
    steps = differences(*values, rounding=0.0 if not noise else 1e-9, most_noise=noise)
    assert errors_of(steps) == pytest.approx(errors, abs=1e-8)


@pytest.mark.parametrize(("most_noise", "expected"), [(0.0, 5.5), (60.0, 4.5)])
def test_the_rounding_of_the_smaller_step_counts_where_it_contradicts(
    most_noise: float, expected: float
) -> None:
    """The error is what they are apart and that rounding, unless noise explains it."""
    steps = differences(1.0, 5.0, 10.0, rounding=0.5, most_noise=most_noise)
    assert errors_of(steps) == [expected, 5.5]


@pytest.mark.parametrize(
    ("gap", "rounding", "enough"),
    [
        (0.1, 0.0, True),
        (0.11, 0.0, False),
        (2.1, 0.25, True),
        (-2.1, 0.25, True),
        (2.2, 0.25, False),
    ],
)
def test_a_difference_is_enough_if_its_sides_agree(
    gap: float, rounding: float, enough: bool
) -> None:
    """To a percent of the size, here ten, and eight roundings."""
    assert straight(gap, rounding, size=10.0) is enough


def test_an_error_counts_rounding_change_and_half_of_a_gap() -> None:
    """All three add up."""
    steps = differences(1.0, 1.5, gaps=(2.0, 2.0), rounding=0.25, most_noise=1e9)
    assert errors_of(steps) == [0.25 + 0.5 + 1.0]
    assert errors_of(differences(1.0, math.nan)) == [math.inf]
