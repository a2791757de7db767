"""How entries are judged by their slopes, at the limits of each rule."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof import check_gradient
from backproof.costs import measure_origin
from backproof.entries import (
    Check,
    _judged,
    _sizes,
    entry_of,
    judge_entries,
    measure_entries,
    scattered,
)
from backproof.mistakes import UNKNOWN
from backproof.parameters import Parameters


def check_of(cost: Callable[[Any], Any], w: Any, tolerance: float = 0.0) -> Check:
    """Return a check of a cost at a point, without a gradient."""
    point = Parameters(w)
    return Check(cost, point, measure_origin(cost, point), {}, tolerance, 2, 0, map)


def judged(
    claim: float,
    value: float = 1.0,
    error: float = 0.0,
    size: float = 1.0,
    *,
    reason: str = "kink",
    dead: bool = False,
) -> tuple[bool, bool]:
    """Return whether a single entry is wrong, and whether that is unknown."""
    columns = (np.array(pair) for pair in ((value, size), (error, 0), (reason, ""), (dead, False)))
    with np.errstate(invalid="ignore"):
        entry = _judged(check_of(np.sum, np.ones(1)), [np.array([claim, size])], *columns)
    return bool(entry.wrong[0]), bool(entry.unknown[0])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("reason", "times"), [("kink", 1), ("", 1), ("precision", 4)])
def test_an_entry_is_wrong_beyond_its_error_or_four_times_one_of_noise(
    sign: int, reason: str, times: int
) -> None:
    """Not at the limit itself; what is not wrong there is unknown, or right within the error."""
    error, rounding = 2.0**-6, 16 * 2.0**-52
    for apart, expected in (
        (error * times + 2 * rounding, (True, False)),
        (error * times + rounding, (False, times > 1)),
        (error + rounding, (False, False)),
    ):
        assert judged(1 + sign * apart, error=error, reason=reason) == expected


def test_an_entry_is_unknown_if_its_error_is_large_beside_the_array() -> None:
    """More than two percent of the largest entry, which may be another one."""
    for size in (1.0, 100.0):
        assert judged(1.0, error=0.02 * size, size=size) == (False, False)
        assert judged(1.0, error=0.0201 * size, size=size) == (False, True)


def test_what_is_not_finite_is_wrong_and_what_is_dead_is_right() -> None:
    """Whatever their errors are."""
    assert judged(np.nan, error=np.inf) == judged(np.inf, error=np.inf) == (True, False)
    assert judged(1.0, value=np.nan, error=np.inf) == (False, True)
    assert judged(0.0, error=np.inf, dead=True) == (False, False)


def test_what_a_claim_is_allowed() -> None:
    """The tolerance of both magnitudes, and what its own dtype rounds of the largest slope."""
    check = check_of(lambda w: w[0] @ [2.0, -8.0] + w[1], [np.ones(2), 1.0], tolerance=0.125)
    claims = [np.array([6.0, 1e9], np.float32), np.array(1.0)]
    entries, _ = measure_entries(check, claims, 0)
    single, double = (float(np.finfo(dtype).eps) for dtype in (np.float32, np.float64))
    roundings = np.array([128 * single, 128 * single, 16 * double])
    tolerated = 0.125 * np.array([8.0, 1e9 + 8.0, 2.0])
    assert entries.allowed == pytest.approx(tolerated + roundings, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_one_step_decides_an_entry_unless_something_is_odd(scale: float) -> None:
    """However large the cost is: a wrong entry, noise, and a bend take more of them."""
    w = np.array([1.0, 2.0, 3.0, 4.0])
    right, wrong = 2 * scale * w, 2 * scale * np.array([1.0, 2.0, 3.5, 4.0])

    def squares(w: Any) -> Any:
        return scale * np.sum(w**2)

    def offset(w: Any) -> Any:
        return scale * (1e6 + np.sum(w**2))

    def bent(w: Any) -> Any:
        return scale * (np.sum(w**2) + 2 * np.maximum(w[0] - 1, 0))

    for cost, claim, odd in ((squares, right, 0), (squares, wrong, 1), (offset, right, 4)):
        entries, evaluations = measure_entries(check_of(cost, w), [claim], 0)
        assert entries.wrong.tolist() == (claim != right).tolist()
        assert (evaluations > 8) is (odd > 0)
        assert sum(reason != "" for reason in entries.reason) == odd
    entries, _ = measure_entries(check_of(bent, w), [right], 0)
    assert entries.unknown.tolist() == [True, False, False, False]
    assert entries.reason[0] == "kink"


def test_a_cost_that_raises_beside_the_point_is_measured_by_smaller_steps() -> None:
    """Where the first step leaves its domain."""
    w = np.array([1e-9, 2.0])
    check = check_of(lambda w: math.log(w[0]) + math.log(w[1]), w)
    entries, evaluations = measure_entries(check, [1 / w], 0)
    assert np.abs(entries.value / (1 / w) - 1).max() < 1e-6
    assert not entries.wrong.any()
    assert evaluations > 4


def test_the_first_entry_of_an_array_may_be_anywhere() -> None:
    """Its slopes are those of its own entries."""
    nest = {"a": np.ones(3), "b": np.array([2.0, 5.0])}
    check = check_of(lambda p: np.sum(p["a"]) + np.sum(p["b"] ** 2), nest)
    entries, evaluations = measure_entries(check, [np.array([4.0, 9.0])], first=3)
    assert entries.value.round(6).tolist() == [4.0, 10.0]
    assert entries.wrong.tolist() == [False, True]
    assert evaluations > 4


def test_the_largest_entry_is_that_of_its_own_array() -> None:
    """In the claim or in the slopes, the finite ones only; empty arrays have none."""
    gradients = [np.ones((0, 2)), np.array([[1.0, -3.0]]), np.array(np.inf), np.ones(2)]
    vectors = np.array([1.0, -3.0, np.inf, 1.0, 1.0]), np.array([2.0, -5.0, np.nan, 0.5, 1.5])
    assert _sizes(gradients, vectors[0]).tolist() == [3.0, 3.0, 0.0, 1.0, 1.0]
    assert _sizes(gradients, *vectors).tolist() == [5.0, 5.0, 0.0, 1.5, 1.5]


def report_of(wrong: list[float], reasons: list[str]) -> Any:
    """Return the report of an array of ones; errors belong to the reasons."""
    g = np.array(wrong)
    check = check_of(np.sum, np.ones(g.size))._replace(gradient={"parameters": g})
    ones, no = np.ones(g.size), np.zeros(g.size, bool)
    error = np.array([0.5 if reason else 1e-3 for reason in reasons])
    entries = _judged(check, [g], ones, error, np.array(reasons, object), no)
    return judge_entries(check, "parameters", entries)


def test_an_array_is_as_its_entries_are() -> None:
    """Wrong if one is, else undecided if one is, for the most frequent reason."""
    assert report_of([1.0, 1.0], ["", ""]).verdict == "correct"
    undecided = report_of([1.0] * 4, ["", "kink", "precision", "kink"])
    assert (undecided.verdict, undecided.reason) == ("undecided", "kink")
    assert report_of([1.0, 2.0, 1.0], ["", "", "kink"]).verdict == "wrong"
    assert report_of([1.0, 1.0], ["", ""]).resolution == pytest.approx(2e-3)


def test_wrong_entries_are_listed_the_worst_first() -> None:
    """With both numbers; what is not finite comes first, and right ones are not listed."""
    array = report_of([1.0, 3.0, np.nan, -2.5], ["", "", "", ""])
    assert [entry.index for entry in array.entries] == [(2,), (3,), (1,)]
    assert [entry.numerical for entry in array.entries] == [1.0, 1.0, 1.0]
    assert entry_of(np.arange(6.0).reshape(2, 3), 5, 4.0, 0.5) == ((1, 2), 5.0, 4.0, 0.5)


@pytest.mark.parametrize(
    ("found", "complete", "words"),
    [
        ([4], True, "one of its 6 entries is wrong"),
        ([3, 5], True, "only its row 1"),
        ([0, 5], True, "2 of its 6 entries are wrong"),
        ([3, 5], False, "at least 2 of its 6 entries are wrong"),
        ([], True, UNKNOWN.text),
    ],
)
def test_scattered_entries_are_described(found: list[int], complete: bool, words: str) -> None:
    """By their place if they share one and are all, else by their number."""
    assert scattered(np.ones((2, 3)), found, complete=complete).text.startswith(words)
    assert scattered(np.ones(1), [0], complete=True) is UNKNOWN


def test_what_is_dead_leaves_no_doubt() -> None:
    """Its error does not count in the resolution, and an array of it has nothing to be seen."""
    check = check_of(np.sum, np.ones(2))._replace(gradient={"parameters": np.array([0.0, 2.0])})
    value, error = np.array([0.0, 2.0]), np.array([9.0, 1e-3])
    dead, reason = np.array([True, False]), np.array(["", ""], object)
    entries = _judged(check, [value], value, error, reason, dead)
    report = judge_entries(check, "parameters", entries)
    assert report.resolution == pytest.approx(1e-3)
    entries = entries._replace(allowed=np.array([9.0, 1e-2]))
    assert judge_entries(check, "parameters", entries).resolution == pytest.approx(6e-3)
    assert report.untested == 1
    nothing = entries._replace(size=np.zeros(2))
    assert judge_entries(check, "parameters", nothing).resolution == 0.0


@pytest.mark.parametrize(("value", "evaluations"), [(0.0, 22), (3.0, 38)])
def test_zeros_are_displaced_farther_where_rounding_may_hide_a_slope(
    value: float, evaluations: int
) -> None:
    """A cost of 0 is not rounded."""
    report = check_gradient(lambda w: value, np.zeros(2), np.ones(2))
    assert report.evaluations == evaluations


def test_zeros_of_a_later_array_are_displaced_themselves() -> None:
    """Those before them have a slope."""
    point = {"W": np.ones(2), "b": np.ones(3)}
    report = check_gradient(lambda p: np.sum(p["W"]), {"W": np.ones(2), "b": np.zeros(3)}, point)
    assert report.arrays["b"].untested == 3
