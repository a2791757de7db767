"""How an array is judged by its first probe, at the limits of each rule."""

from typing import Any

import numpy as np
import pytest

from backproof import check_gradient
from backproof.costs import measure_origin
from backproof.directions import SMALL, _located, confirmed, judge_probed
from backproof.entries import Check
from backproof.parameters import Parameters
from backproof.probing import Probe, Probing


def squares(w: Any) -> Any:
    """Return a cost whose gradient is 2 w."""
    return np.sum(w**2)


def probed(claimed: Any, turn: int = 1) -> tuple[Check, Probing]:
    """Return a check of squares at ones, and the probing of its only array."""
    point = Parameters(np.ones(claimed.size))
    origin = measure_origin(squares, point)
    check = Check(squares, point, origin, {"parameters": claimed}, 0.0, 2, 0, map)
    probing = Probing(squares, point, origin, 0, claimed, seed=0)
    probing.turn = turn
    return check, probing


@pytest.mark.parametrize(
    ("error", "verdict"), [(1e-9, "correct"), (0.0099, "correct"), (0.0101, "undecided")]
)
def test_an_array_is_undecided_if_a_mistake_of_four_percent_is_not_seen(
    error: float, verdict: str
) -> None:
    """For the reason that the slope gives, or else for its precision; it says how much is seen."""
    check, probing = probed(np.full(SMALL + 1, 2.0))
    for reason in ("", "kink"):
        report = judge_probed(check, probing, Probe(1.0, error, 2 * error), reason)
        assert report.verdict == verdict
        assert report.resolution == pytest.approx(4 * error)
        assert report.reason == ("" if verdict == "correct" else reason or "precision")
        assert report.untested == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_a_residual_beyond_a_noisy_error_is_probed_once_more(sign: int) -> None:
    """By other directions, which have the next word; after that, nobody knows."""
    for turn, verdict in ((0, "correct"), (1, "undecided")):
        check, probing = probed(np.full(SMALL + 1, 2.0), turn)
        first = Probe(1.0, sign * 2e-6, 1e-6)
        assert judge_probed(check, probing, first, "precision").verdict == verdict
        assert probing.turn == 1
        assert (probing.evaluations > 0) is (turn == 0)


def test_what_is_small_and_undecided_is_measured() -> None:
    """Entry by entry."""
    check, probing = probed(np.full(SMALL, 2.0))
    assert judge_probed(check, probing, Probe(1.0, 0.0, 1.0), "precision").verdict == "correct"
    assert probing.evaluations == 2 * SMALL


def test_a_gradient_of_zero_is_compared_with_the_slope() -> None:
    """Its own largest entry says nothing; where the slope is zero too, there is nothing to see."""
    check, probing = probed(np.zeros(SMALL + 1))
    report = judge_probed(check, probing, Probe(-5.0, 1e-3, 1e-2), "")
    assert report.resolution == pytest.approx(4 * 1e-2 / 5)
    assert report.untested == SMALL + 1
    assert confirmed(probing, 1e-2, 0.0).resolution == 0.0


@pytest.mark.parametrize(("times", "again"), [(79.0, True), (81.0, False)])
def test_a_residual_too_near_to_its_error_is_measured_again_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch, times: float, again: bool
) -> None:
    """If ratios of such residuals are known to more than a part in the cube root of the size."""
    claimed = np.full(1000, 2.0)
    claimed[617] += 0.5
    check, probing = probed(claimed)
    first = probing.probe(probing.claim(0))
    refined = []

    def finer(probe: Probe) -> Probe:
        refined.append(probe)
        return first

    monkeypatch.setattr(probing, "refined", finer)
    report = _located(check, probing, first._replace(error=abs(first.residual) / times), 0.25)
    assert bool(refined) is again
    assert [entry.index for entry in report.entries] == [(617,)]
    assert report.resolution == 0.25


def test_of_many_entries_that_are_not_finite_twenty_are_listed() -> None:
    """The first ones."""
    claimed = np.full(100, np.nan)
    report = check_gradient(squares, claimed, np.ones(100), method="directions")
    assert [e.index for e in report.arrays["parameters"].entries] == [(k,) for k in range(20)]


def test_small_gradients_are_probed_together_and_zero_ones_are_not() -> None:
    """All of them may be less than one."""
    nest = {name: np.linspace(0.01, 0.02, 100 + k) for k, name in enumerate("abc")}

    def cost(p: Any) -> Any:
        return sum(np.sum(w**2) for w in p.values())

    claimed = {name: 2 * w for name, w in nest.items()}
    assert check_gradient(cost, claimed, nest, method="directions").evaluations == 10
    claimed["b"] *= 0
    report = check_gradient(cost, claimed, nest, method="directions")
    assert [array.verdict for array in report.arrays.values()] == ["correct", "wrong", "correct"]
    assert report.evaluations == 38


def test_located_entries_are_listed_the_worst_first() -> None:
    """By how far they are off, whatever their signs; entries without a gradient are counted."""
    w = np.linspace(-2.0, 2.0, 200)
    point = {"w": w, "z": np.ones(100)}
    right = {"w": 2 * w, "z": np.r_[np.zeros(60), np.ones(40)]}
    claimed = {name: g.copy() for name, g in right.items()}
    claimed["w"][[10, 100, 190]] += 3.0, 2.0, 1.0

    def cost(p: Any) -> Any:
        return np.sum(p["w"] ** 2) + np.sum(p["z"][60:])

    arrays = check_gradient(cost, claimed, point, method="directions").arrays
    assert [entry.index for entry in arrays["w"].entries] == [(10,), (100,), (190,)]
    assert arrays["w"].mistake is not None
    assert arrays["w"].mistake.text.startswith("3 of its 200 entries")
    assert arrays["z"].untested == 60


@pytest.mark.parametrize(("size", "each"), [(64, True), (65, False)])
def test_a_small_array_is_measured_entry_by_entry_if_probes_do_not_explain_it(
    size: int, each: bool
) -> None:
    """If some of its entries are wrong, and if it is undecided."""
    w = np.linspace(-2, 2, size)
    claimed = 2 * w
    claimed[[3, 60]] = 0.0, 6.0
    report = check_gradient(lambda w: np.sum(w**2), claimed, w, method="directions")
    assert [entry.index for entry in report.arrays["parameters"].entries] == [(3,), (60,)]
    assert (report.evaluations > 2 * size) is each

    at_kinks, halves = np.zeros(size), np.full(size, 0.5)
    report = check_gradient(lambda w: np.sum(np.abs(w)), halves, at_kinks, method="directions")
    assert report.arrays["parameters"].reason == "kink"
    assert report.arrays["parameters"].untested == 0
    assert (report.evaluations > 2 * size) is each
