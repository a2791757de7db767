"""Probes of all arrays at once, and what they leave for each."""

import math
from typing import Any

import numpy as np
import pytest

from backproof import check_gradient
from backproof.costs import measure_origin
from backproof.parameters import Parameters
from backproof.probing import CLEAR, COARSE, FINE, Probing
from backproof.together import Together


def nest_of(count: int, scale: float = 1.0) -> dict[str, Any]:
    """Return some arrays of other shapes and sizes, the last one of the scale."""
    rng = np.random.default_rng(count)
    nest = {f"a{k}": rng.normal(size=(3 + k, 70)) for k in range(count)}
    nest[f"a{count - 1}"] *= scale
    return nest


def squares(p: Any) -> Any:
    """Return a cost of any nest."""
    return sum(np.sum(w**2) for w in p.values())


def double(p: Any) -> dict[str, Any]:
    """Return its gradient."""
    return {name: 2 * w for name, w in p.items()}


def test_arrays_that_pass_are_probed_together() -> None:
    """A mistake in any of them shows, and nothing is measured after a kink."""
    w = {"a": np.linspace(1.0, 2.0, 30), "b": np.linspace(-1e3, 1e3, 20)}
    cost, point = lambda w: np.sum(w["a"] ** 2) + np.sum(w["b"] ** 2), Parameters(w)
    origin = measure_origin(cost, point)
    dtypes = (np.float64, np.float64, np.float64, np.float32)
    for path, wrong, dtype in zip("abab", (0.1, 0.1, 0.0, 0.0), dtypes, strict=True):
        claimed = {name: (2 * values).astype(dtype) for name, values in w.items()}
        claimed[path][5] += wrong
        arrays = enumerate(claimed.values())
        probings = [Probing(cost, point, origin, k, g, seed=0) for k, g in arrays]
        together = Together(cost, point, origin, probings)
        assert together.agree() is (wrong == 0)
        assert together.evaluations == 2
        probings[1].step /= CLEAR
        assert together.agree()
        assert together.evaluations == 2


@pytest.mark.parametrize("count", [2, 3, 20])
def test_a_right_gradient_takes_as_many_evaluations_for_any_number_of_arrays(count: int) -> None:
    """Two along each of two directions, and six at the point."""
    nest = nest_of(count)
    report = check_gradient(squares, double(nest), nest, method="directions")
    assert report.evaluations == 10
    assert all(0 < array.resolution < 1e-3 for array in report.arrays.values())


def test_a_probe_of_all_arrays_is_fine_for_some_of_them() -> None:
    """If its error is small beside their largest entry; beside a kink, it may be larger."""
    nest = {"a": np.array([2.0, -2.0]), "b": np.array([8e7, 8e7])}
    point, claimed = Parameters(nest), enumerate(double(nest).values())
    origin = measure_origin(squares, point)
    probings = [Probing(squares, point, origin, k, g, seed=0) for k, g in claimed]
    together = Together(squares, point, origin, probings)
    assert together.claim(0).line.size == 1.0
    error = together.first_probe().error
    assert together.evaluations == 2
    assert together.seen_by(error) == probings[1:]
    for share in (FINE, COARSE):
        assert together.seen_by(share * 2.0 * 4.0) == probings
        assert together.seen_by(math.nextafter(share * 8.0, 1.0)) == probings[1:]
        assert not together.seen_by(1.001 * share * 8e7 * 16e7)
        together.step = together.small_step


@pytest.mark.parametrize("wrong", range(6))
def test_the_wrong_array_is_read_off(wrong: int) -> None:
    """Whichever it is, the others pass with it, and are not probed."""
    nest = nest_of(6)
    claimed = double(nest)
    claimed[f"a{wrong}"][1, 5] += 0.1
    report = check_gradient(squares, claimed, nest, method="directions")
    found = {path: [e.index for e in array.entries] for path, array in report.arrays.items()}
    assert found == {f"a{k}": [(1, 5)] if k == wrong else [] for k in range(6)}
    assert report.evaluations == 26


@pytest.mark.parametrize("factors", [(3, 1, -1, 2), (3, 1, 1, 1.1), (1, 3, 1, 1.1), (2, 2, 2, 2)])
@pytest.mark.parametrize("kink", [0.0, 1.0])
def test_several_wrong_arrays_are_each_probed(factors: tuple[float, ...], kink: float) -> None:
    """Whether their mistakes are alike or not, and beside a kink; the right ones pass."""
    nest = nest_of(4)
    edge = nest["a0"][0, 0] - 1e-6

    def cost(p: Any) -> Any:
        return squares(p) + kink * max(p["a0"][0, 0] - edge, 0.0)

    right = double(nest)
    right["a0"][0, 0] += kink
    claimed = {name: f * g for f, (name, g) in zip(factors, right.items(), strict=True)}
    report = check_gradient(cost, claimed, nest, method="directions")
    told = [a.mistake.factor if a.mistake else 1 for a in report.arrays.values()]
    assert told == pytest.approx(factors, rel=1e-5)
    wrong, right_ones = (sum((f != 1) is is_wrong for f in factors) for is_wrong in (True, False))
    again = 2 if right_ones and not kink else 0
    assert report.evaluations == 14 + (12 if kink else 14) * wrong + 2 * right_ones + again


def test_the_resolution_is_four_errors_of_a_slope_beside_the_largest_entry() -> None:
    """Each array is displaced by steps of its own size, and its slopes are as much smaller."""
    nest = {"a": np.full(80, 2.0), "b": np.full(90, 32.0)}
    point, claimed = Parameters(nest), list(double(nest).values())
    origin = measure_origin(squares, point)
    probings = [Probing(squares, point, origin, k, g, seed=0) for k, g in enumerate(claimed)]
    error = Together(squares, point, origin, probings).first_probe().error
    arrays = check_gradient(squares, double(nest), nest, method="directions").arrays
    assert arrays["a"].resolution == pytest.approx(4 * error / 2 / 4)
    assert arrays["b"].resolution == pytest.approx(4 * error / 32 / 64)


@pytest.mark.parametrize(("scale", "others"), [(1.0, 0), (1e-5, 1), (1e5, 3)])
def test_what_is_too_small_beside_the_others_is_probed_again(scale: float, others: int) -> None:
    """So that a mistake shows there, too: a fraction of one entry of a tiny array."""
    nest = nest_of(4, scale)
    claimed = double(nest)
    right = check_gradient(squares, claimed, nest, method="directions")
    assert 10 + 2 * others <= right.evaluations <= 10 + 32 * others
    smallest = "a3" if scale < 1 else "a0"
    claimed[smallest][2, 7] += 0.02 * np.abs(claimed[smallest]).max()
    report = check_gradient(squares, claimed, nest, method="directions")
    wrong = {path for path, array in report.arrays.items() if array.verdict == "wrong"}
    assert wrong == {smallest}


@pytest.mark.parametrize(("wrong", "most"), [("", 30), ("w1", 60), ("b2", 800)])
def test_many_small_arrays_are_probed_at_once(wrong: str, most: int) -> None:
    """As biases are beside weights; a wrong one among them is found."""
    rng = np.random.default_rng(0)
    nest = {f"w{k}": rng.normal(size=(20, 30)) for k in range(20)}
    nest |= {f"b{k}": 1e-6 * rng.normal(size=80 + k) for k in range(20)}
    claimed = {name: np.cos(w) for name, w in nest.items()}
    if wrong:
        claimed[wrong].flat[3] *= 1.1

    def cost(p: Any) -> Any:
        return sum(np.sum(np.sin(w)) for w in p.values())

    report = check_gradient(cost, claimed, nest, method="directions")
    found = [path for path, array in report.arrays.items() if array.verdict != "correct"]
    assert found == [wrong] * bool(wrong)
    assert report.evaluations <= most


def test_arrays_that_say_nothing_are_left_out() -> None:
    """Empty ones, ones without a gradient, and ones that are not finite."""
    nest = nest_of(2) | {"empty": np.zeros((0, 3)), "dead": np.ones(3)}
    nest |= {"nan": np.ones(2), "inf": np.ones(2)}
    claimed = double(nest_of(2)) | {"empty": np.zeros((0, 3)), "dead": np.zeros(3)}
    claimed |= {"nan": np.array([0.0, np.nan]), "inf": np.array([0.0, np.inf])}

    def cost(p: Any) -> Any:
        return np.sum(p["a0"] ** 2) + np.sum(p["a1"] ** 2)

    report = check_gradient(cost, claimed, nest, method="directions")
    assert [array.verdict for array in report.arrays.values()] == ["correct"] * 4 + ["wrong"] * 2
    assert list(report.arrays) == list(nest)
    assert report.arrays["empty"].resolution == report.arrays["dead"].resolution == 0.0
    assert report.evaluations == 26


@pytest.mark.parametrize(("distance", "evaluations"), [(1.0, 10), (1e-6, 10), (1e-9, 10)])
@pytest.mark.parametrize("wrong", ["", "a0", "a1"])
def test_a_kink_in_one_array_is_no_mistake(distance: float, evaluations: int, wrong: str) -> None:
    """Neither there nor in the others, and a mistake beside it is found."""
    nest = nest_of(3)
    edge = nest["a1"][0, 0] - distance

    def cost(p: Any) -> Any:
        return squares(p) + 3 * max(p["a1"][0, 0] - edge, 0.0)

    claimed = double(nest)
    claimed["a1"][0, 0] += 3
    if wrong:
        claimed[wrong][2, 5] += 0.1
    report = check_gradient(cost, claimed, nest, method="directions")
    found = [path for path, array in report.arrays.items() if array.verdict != "correct"]
    assert found == [wrong] * bool(wrong)
    assert report.evaluations == evaluations or wrong
