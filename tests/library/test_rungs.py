"""The check entry by entry: one difference for most, and a decision on the others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from backproof import Report, check_gradient
from backproof._claims import MOST_LISTED, Check, Options, entry_of, listed, scattered
from backproof._directions import of_entry
from backproof._entries import SEEN, UNREAD, measure_entries, report_on
from backproof._mistakes import UNKNOWN
from backproof._objective import Objective
from backproof._parameters import Parameters, flatten
from backproof._report import ArrayReport
from backproof._rungs import Entries, both_sides, rung_of
from backproof._slopes import central_difference
from support.drawn import draws

Function = Callable[[Any], Any]


def by_entries(cost: Function, gradient: Any, at: Any, **options: Any) -> Report:
    """Check every entry."""
    return check_gradient(cost, gradient, at, method="entries", **options)


def only(report: Report) -> ArrayReport:
    """Return what is said of the only array."""
    (array,) = report.arrays.values()
    return array


def entries_of(cost: Function, gradient: Any, at: Any, indices: Any = None) -> Entries:
    """Return what is known of entries after they were measured."""
    claims = {path: np.asarray(g) for path, g in flatten(gradient).items()}
    check = Check(Objective(cost, Parameters(at)), claims, Options(1e-7, 0, map))
    with np.errstate(all="ignore"):
        return measure_entries(check, indices)


def smooth(w: Any) -> Any:
    """Return a cost whose gradient is cos w."""
    return np.sum(np.sin(w)) + 2


# The first rung


def test_the_first_rung_is_the_difference_of_each_entry() -> None:
    """The same numbers as of one direction alone, in all entries at once."""
    for rng in draws(20):
        w = rng.normal(size=6) * 10 ** rng.uniform(-3, 3, 6)
        objective = Objective(smooth, Parameters(w))
        rows = np.array([both_sides(objective, i) for i in range(6)]).T
        rung = rung_of(objective, rows)
        for i in range(6):
            direction = of_entry(objective.parameters, i)
            step = direction.scale.scale * objective.noise.step
            this = central_difference(objective, direction, step)
            alone = (this.value, this.gap, this.rounding, this.error, this.least)
            column = (rung.value, rung.gap, rung.rounding, rung.error, rung.least)
            assert [array[i] for array in column] == pytest.approx(alone, rel=1e-12)


def test_a_right_gradient_takes_two_evaluations_for_each_entry() -> None:
    """And a few for the whole; a kink beside one entry costs that entry only."""
    reports = []
    for rng in draws(5):
        w = rng.normal(size=300)
        report = by_entries(smooth, np.cos(w), w)
        assert report.verdict == "correct"
        reports.append(report)
        edge = w[7] + 1e-7
        bent = by_entries(lambda w: smooth(w) + max(w[7] - edge, 0.0), np.cos(w), w)
        assert bent.verdict == "correct"
        assert report.evaluations < bent.evaluations <= 2 * 300 + 120
    # One of three hundred takes a few more, for an entry whose differences disagree.
    assert sum(report.evaluations for report in reports) <= 5 * (2 * 300 + 20)


def test_any_entries_may_be_measured() -> None:
    """Their places in the vector of all arrays are kept."""
    nest = {"a": np.ones(3), "b": np.array([2.0, 5.0])}
    claimed = {"a": np.ones(3), "b": np.array([4.0, 9.0])}
    found = entries_of(lambda p: np.sum(p["a"]) + np.sum(p["b"] ** 2), claimed, nest, [1, 4, 3])
    assert found.index.tolist() == [1, 4, 3]
    assert found.number.tolist() == [0, 1, 1]
    assert found.value.round(5).tolist() == [1.0, 10.0, 4.0]
    assert found.verdict.tolist() == ["right", "wrong", "right"]


def test_workers_give_the_same_entries() -> None:
    """Whatever they are."""
    w = np.linspace(-2, 2, 40)
    claimed = np.where(np.arange(40) % 7 == 0, 2.0, np.cos(w))
    with ThreadPoolExecutor(3) as pool:
        reports = [by_entries(smooth, claimed, w, workers=workers) for workers in (map, pool.map)]
    assert str(reports[0]) == str(reports[1])


# The budget


@pytest.mark.parametrize("kind", ["double", "sign", "noise", "zero", "shifted", "nan"])
def test_a_wholly_wrong_gradient_costs_at_most_half_more_than_a_right_one(kind: str) -> None:
    """A thousand entries, whatever is wrong with them."""
    for rng in draws(2):
        w = rng.normal(size=1000)
        right = np.cos(w)
        wrong = {
            "double": 2 * right,
            "sign": -right,
            "noise": rng.normal(size=1000),
            "zero": 0 * right,
            "shifted": np.roll(right, 1),
            "nan": right * np.nan,
        }[kind]
        few = by_entries(smooth, right, w).evaluations
        report = by_entries(smooth, wrong, w)
        assert report.verdict == "wrong"
        assert report.evaluations <= 1.5 * few


def test_what_the_budget_does_not_reach_stands_as_its_first_difference_shows() -> None:
    """Wrong where those that were heard are wrong, and right ones are not among them."""
    for rng in draws(3):
        w = rng.normal(size=1000)
        off = rng.random(1000) < 0.7
        claimed = np.cos(w) + off
        found = entries_of(smooth, claimed, w)
        assert (found.verdict == np.where(off, "wrong", "right")).all()


def test_a_kink_everywhere_is_not_heard_without_end() -> None:
    """A thousand entries at a kink are untested, within the budget."""
    report = by_entries(lambda w: np.sum(abs(w)), np.full(1000, 0.5), np.zeros(1000))
    assert report.verdict == "undecided"
    assert report.evaluations <= 1.6 * 2000
    assert sum(report.untested.values()) == 1000


# Which entries are tested


def test_dead_entries_are_untested_and_leave_the_verdict_to_the_others() -> None:
    """Those with a gradient that is not 0 are wrong."""
    for rng in draws(20):
        w, dead = rng.normal(size=30), rng.random(30) < 0.4
        dead[:2] = True, False
        cost = lambda w: smooth(np.where(dead, 0, w))  # noqa: E731
        claimed = np.where(dead, 0, np.cos(w))
        array = only(by_entries(cost, claimed, w))
        assert (array.verdict, array.untested) == ("correct", {"zero": int(dead.sum())})
        claimed[0] = 0.5
        array = only(by_entries(cost, claimed, w))
        assert array.verdict == "wrong"
        assert [entry.index for entry in array.entries] == [(0,)]
        assert array.untested.get("zero", 0) == dead.sum() - 1


def test_an_array_is_undecided_if_fewer_than_half_of_what_matters_is_tested() -> None:
    """Entries at a kink matter; dead ones do not."""
    places = np.arange(10)
    for kinks, dead, verdict in (
        (4, 0, "correct"),
        (6, 0, "undecided"),
        (2, 5, "correct"),
        (4, 5, "undecided"),
    ):

        def cost(w: Any) -> Any:
            return np.sum(abs(w[:kinks])) + np.sum(w[kinks : 10 - dead] ** 2)

        w = np.where(places < kinks, 0.0, 1.5)
        claimed = np.where(places < kinks, 0.5, np.where(places < 10 - dead, 3.0, 0.0))
        array = only(by_entries(cost, claimed, w))
        assert array.verdict == verdict
        assert array.untested["kink"] == kinks
        assert array.untested.get("zero", 0) == dead


def test_nothing_tested_is_undecided() -> None:
    """A cost that stands still, of which 0 is claimed, is no pass."""
    report = by_entries(lambda w: 1.0, np.zeros(5), np.ones(5))
    assert (report.verdict, report.untested) == ("undecided", {"zero": 5})
    tested = by_entries(lambda w: 1 + w[0], np.eye(5)[0], np.ones(5))
    assert (tested.verdict, tested.untested) == ("correct", {"zero": 4})


@pytest.mark.parametrize("size", [1.0, 1e-9, 1e9])
def test_zero_at_an_optimum_is_correct_within_what_is_seen(size: float) -> None:
    """Beside the curvature of the cost; a gradient that is not 0 there is wrong."""
    for rng in draws(20):
        A, best = rng.normal(size=(8, 4)), rng.normal(size=4)
        cost = lambda w: size * np.sum((A @ (w - best)) ** 2)  # noqa: E731
        exact = only(by_entries(cost, np.zeros(4), best))
        assert exact.verdict == "correct"
        assert 0 <= exact.within < 1e-3 * size
        off = size * 0.1 * rng.choice([-1, 1], 4)
        assert only(by_entries(cost, off, best)).verdict == "wrong"


@pytest.mark.parametrize("method", ["entries", "directions"])
@pytest.mark.parametrize("flat", [1e-2, 1e-4, 1e-6, 1e-8])
def test_zero_at_an_optimum_is_correct_where_rounding_hides_its_curvature(
    method: str, flat: float
) -> None:
    """A longer step shows that; a slope that the cost has there is not taken for 0."""
    for rng in draws(20):
        A, best = rng.normal(size=(8, 4)), rng.normal(size=4)
        cost = lambda w: 1 + flat * np.sum((A @ (w - best)) ** 2)  # noqa: E731
        exact = only(check_gradient(cost, np.zeros(4), best, method=method))
        assert exact.verdict == "correct"
        assert 0 <= exact.within < flat
        tilted = lambda w, cost=cost: cost(w) + flat / 4 * np.sum(w)  # noqa: E731
        assert check_gradient(tilted, np.zeros(4), best, method=method).verdict != "correct"


def test_zero_by_theory_is_correct_beside_other_arrays() -> None:
    """Such as a bias before a normalisation; there, a small mistake is seen as one."""
    verdicts = Counter[str]()
    for rng in draws(30):
        X, w, b = rng.normal(size=(12, 3)), rng.normal(size=3), rng.normal()

        def cost(p: Any) -> Any:
            z = X @ p["w"] + p["b"]
            z = (z - z.mean()) / z.std()
            return np.mean(np.tanh(z) ** 3 + z**4)

        def slopes(p: Any) -> Any:
            return np.array(
                [
                    (cost(p | {"w": p["w"] + h}) - cost(p | {"w": p["w"] - h})) / 2e-6
                    for h in 1e-6 * np.eye(3)
                ]
            )

        at = {"w": w, "b": b}
        claimed = {"w": slopes(at), "b": 1e-17 * rng.normal()}
        report = by_entries(cost, claimed, at, tolerance=1e-5)
        verdicts[report.verdict] += 1
        if report:
            assert report.arrays["b"].within < 1e-5  # the tolerance
        claimed["b"] = 0.1
        assert by_entries(cost, claimed, at, tolerance=1e-5).arrays["b"].verdict == "wrong"
    assert verdicts["correct"] >= 27, verdicts
    assert not verdicts["wrong"]


@pytest.mark.parametrize("method", ["entries", "directions"])
@pytest.mark.parametrize("distance", [1e-4, 1e-2, 1e-1])
def test_units_that_wake_further_off_are_zero_and_not_lost(method: str, distance: float) -> None:
    """The cost stands still over the first step, and moves over longer ones."""
    for rng in draws(10):
        w, b = rng.normal(size=8), rng.normal(size=3)
        at = w + distance * rng.uniform(1, 2, 8)
        cost = lambda p: np.sum(np.maximum(p["w"] - at, 0)) + np.sum(p["b"] ** 2)  # noqa: E731
        claimed = {"w": np.zeros(8), "b": 2 * b}
        report = check_gradient(cost, claimed, {"w": w, "b": b}, method=method)
        assert report.arrays["w"].reason == ""
        assert report.arrays["w"].untested == {"zero": 8}


@pytest.mark.parametrize(("seen", "verdict"), [(0.9, "correct"), (1.1, "undecided")])
def test_an_array_is_undecided_where_no_wrong_sign_would_be_seen(seen: float, verdict: str) -> None:
    """The errors of its entries are then as large as the largest of them."""
    claimed = {"parameters": np.cos(np.ones(4))}
    check = Check(Objective(smooth, Parameters(np.ones(4))), claimed, Options(1e-7, 0, map))
    entries = measure_entries(check)
    entries.error[2] = seen * entries.largest[2] / SEEN
    assert report_on(check, "parameters", entries).verdict == verdict


def test_an_array_that_the_cost_does_not_read_is_named() -> None:
    """One that it reads is not."""
    at = {"w": np.ones(3), "b": np.ones(2)}
    claimed = {"w": 2 * np.ones(3), "b": np.ones(2)}
    report = by_entries(lambda p: np.sum(p["w"] ** 2), claimed, at)
    assert report.arrays["b"].mistake == UNREAD
    assert UNREAD.text in str(report)
    assert report.arrays["w"].verdict == "correct"
    read = by_entries(lambda p: np.sum(p["w"] ** 2) + 3 * np.sum(p["b"]), claimed, at)
    assert read.arrays["b"].mistake != UNREAD


def test_an_entry_below_the_noise_is_no_mistake() -> None:
    """A cost that is rounded stands still, and is told as that."""
    w = np.array([1.0, 1.0])
    claimed = np.array([1.0, 1e-9])
    array = only(by_entries(lambda w: round(float(w @ claimed), 6), claimed, w))
    assert array.verdict != "wrong"


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_in_a_claim_is_wrong(bad: float) -> None:
    """Its place is named, and the others are right."""
    w = np.linspace(1, 2, 6)
    claimed = np.cos(w)
    claimed[4] = bad
    array = only(by_entries(smooth, claimed, w))
    assert array.verdict == "wrong"
    assert [entry.index for entry in array.entries] == [(4,)]


def test_where_the_cost_is_not_defined_nothing_passes() -> None:
    """At the end of a domain, the entry there is untested."""
    w = np.array([0.0, 1.0, 2.0, 3.0])
    cost = lambda w: np.sum(w**1.5)  # noqa: E731
    array = only(by_entries(cost, 1.5 * w**0.5, w))
    assert array.untested == {"not finite": 1}
    assert array.verdict == "correct"


# What is listed


def test_the_entries_listed_are_a_fair_sample_the_worst_first() -> None:
    """From all over the array, however many there are."""
    for rng in draws(20):
        count = int(rng.integers(2 * MOST_LISTED, 1000))
        off = rng.normal(size=count)
        entries = [entry_of(off, i, 0.0, 0.1) for i in range(count)]
        sample = listed(entries)
        assert len(sample) <= MOST_LISTED
        sizes = [abs(entry.gradient) for entry in sample]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] == abs(off).max()
        tenths = Counter(entry.index[0] * 10 // count for entry in sample)
        assert len(tenths) == 10
        assert max(tenths.values()) <= 4
    few = [entry_of(off, i, 0.0, 0.1) for i in range(5)]
    assert sorted(listed(few)) == sorted(few)


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


def test_the_difference_is_that_of_all_entries() -> None:
    """Also of those that are untested."""
    w = np.linspace(1, 2, 5)
    right = by_entries(smooth, np.cos(w), w)
    assert right.difference < 1e-8
    wrong = by_entries(smooth, 2 * np.cos(w), w)
    assert wrong.difference == pytest.approx(1 / 3, rel=1e-6)
    assert only(wrong).difference == pytest.approx(1 / 3, rel=1e-6)


def test_a_mistake_as_large_as_the_resolution_is_seen() -> None:
    """And what is resolved is small where the cost is exact."""
    seen = 0
    for rng in draws(30):
        w, i = rng.normal(size=8), int(rng.integers(8))
        right = np.cos(w)
        resolution = only(by_entries(smooth, right, w)).resolution
        assert 0 < resolution < 1e-5
        off = right.copy()
        off[i] += 2 * resolution * abs(right).max()
        seen += only(by_entries(smooth, off, w)).verdict != "correct"
    assert seen >= 25


def test_a_jump_in_one_entry_lends_the_others_no_size() -> None:
    """What is allowed is relative to the largest slope, which a jump does not have."""
    for rng in draws(20):
        w = rng.normal(size=5)

        def cost(p: Any, w: Any = w) -> float:
            return float(np.sum(p**2)) + 1e-3 * float(p[0] > w[0])

        claimed = 2 * w
        assert check_gradient(cost, claimed, w, method="entries", tolerance=1e-2)
        claimed[1] += 0.5
        report = check_gradient(cost, claimed, w, method="entries", tolerance=1e-2)
        assert [entry.index for entry in report.arrays["parameters"].entries] == [(1,)]
