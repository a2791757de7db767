"""The points of a check: when cost and gradient are called there, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof import Report, check_gradient
from backproof._checks import MOVE, MOVES, moved
from backproof._objective import CALLS, LAST_CALLS
from backproof._parameters import Parameters
from support.drawn import draws

Function = Callable[[Any], Any]
METHODS = ("entries", "directions")
each_method = pytest.mark.parametrize("method", METHODS)

SINGLE = "Measured in float32: in float64, far smaller mistakes would be seen."


class Watched:
    """A cost and its gradient, with a list of their calls: whose, and at which point."""

    def __init__(self, cost: Function, gradient: Function) -> None:
        self.functions = {"cost": cost, "gradient": gradient}
        self.calls: list[tuple[str, Any]] = []

    def cost(self, w: Any) -> Any:
        """Call the cost."""
        return self._called("cost", w)

    def gradient(self, w: Any) -> Any:
        """Call the gradient."""
        return self._called("gradient", w)

    def _called(self, which: str, w: Any) -> Any:
        self.calls.append((which, np.array(w, float)))
        return self.functions[which](w)

    def at(self, w: Any) -> list[bool]:
        """Tell for each call of the cost whether it was at a point."""
        return [bool((seen == w).all()) for which, seen in self.calls if which == "cost"]


def smooth(w: Any) -> Any:
    """Return a cost whose gradient is cos w."""
    return np.sum(np.sin(w)) + 2


def watched(off: float = 0.0, bend: float = 0.0) -> Watched:
    """Return a cost whose gradient is off in one entry; it may have a kink there at 0."""

    def cost(w: Any) -> Any:
        return smooth(w) + bend * np.maximum(w[0], 0)

    def gradient(w: Any) -> Any:
        return np.cos(w) + (bend * (w[0] > 0) + off) * (np.arange(w.size) == 0)

    return Watched(cost, gradient)


# The calls at the point


@each_method
def test_the_gradient_is_called_twice_right_after_the_cost_at_the_point(method: str) -> None:
    """So that a cache of the last call is that of the point."""
    for rng in draws(5):
        w, both = rng.normal(size=6), watched()
        assert check_gradient(both.cost, both.gradient, w, method=method)
        places = [k for k, (which, _) in enumerate(both.calls) if which == "gradient"]
        assert len(places) == 2
        for k in places:
            assert both.calls[k - 1][0] == "cost"
            assert (both.calls[k - 1][1] == w).all()


@each_method
def test_a_gradient_from_a_cache_of_the_last_call_is_right(method: str) -> None:
    """One that is left from elsewhere is not."""
    for stale, verdict in ((False, "correct"), (True, "wrong")):
        cache: list[Any] = [np.full(5, 0.1)]

        def cost(w: Any) -> Any:
            cache.append(np.array(w))
            return smooth(w)

        def gradient(w: Any) -> Any:
            return np.cos(cache[0 if stale else -1])

        w = np.linspace(0.5, 2, 5)
        assert check_gradient(cost, gradient, w, method=method).verdict == verdict


@each_method
@pytest.mark.parametrize(("off", "bend"), [(0.0, 0.0), (0.5, 0.0), (0.0, 1.0), (0.5, 1.0)])
def test_the_last_call_is_at_the_point_itself(method: str, off: float, bend: float) -> None:
    """No model stays displaced, whatever is found."""
    for rng in draws(3):
        w = np.append(0.0, rng.normal(size=5))
        both = watched(off, bend)
        check_gradient(both.cost, both.gradient, w, method=method)
        assert both.at(w)[-1]
        assert not all(both.at(w))


@each_method
def test_a_cost_is_called_at_the_point_again_before_an_answer(method: str) -> None:
    """Eight times more before one that is not "correct", not all at once; twice before that."""
    for rng in draws(5):
        w = rng.normal(size=12)
        right, wrong = watched(), watched(off=0.5)
        assert check_gradient(right.cost, right.gradient, w, method=method).verdict == "correct"
        assert check_gradient(wrong.cost, wrong.gradient, w, method=method).verdict == "wrong"
        assert all(right.at(w)[-LAST_CALLS:])
        assert sum(wrong.at(w)) >= 1 + CALLS
        assert sum(wrong.at(w)[-CALLS:]) < CALLS  # they are spread over the check


def test_calls_at_the_point_are_spread_over_a_long_check() -> None:
    """A cost that becomes another one half way is noticed."""
    for rng in draws(5):
        w, calls = rng.normal(size=100), [0]

        def drifting(w: Any) -> Any:
            calls[0] += 1
            return smooth(w) * (1.01 if calls[0] > 150 else 1)

        with pytest.raises(ValueError, match="the cost is random"):
            check_gradient(drifting, np.cos(w) + 0.5, w, method="entries")


# Gradients that differ


@each_method
def test_a_gradient_that_is_added_up_is_refused(method: str) -> None:
    """The second call returns twice the first; one that is set to 0 before passes."""
    for reset in (True, False):
        total = np.zeros(4)

        def gradient(w: Any) -> Any:
            if reset:
                total[:] = 0
            total[:] += np.cos(w)
            return total

        w = np.linspace(0.5, 1, 4)
        if reset:
            assert check_gradient(smooth, gradient, w, method=method)
        else:
            with pytest.raises(
                ValueError, match="second call of the gradient returned 2 times the first"
            ):
                check_gradient(smooth, gradient, w, method=method)


def test_a_gradient_of_a_batch_of_its_own_is_refused() -> None:
    """Two calls give two gradients; such as differ by rounding are one."""
    for rng in draws(20):
        w = rng.normal(size=4)
        for size, refused in ((0.1, True), (1e-12, False)):

            def gradient(w: Any) -> Any:
                return np.cos(w) * (1 + size * rng.normal(size=4))

            if refused:
                with pytest.raises(ValueError, match=r"returned another.* is a batch or a mask"):
                    check_gradient(smooth, gradient, w)
            else:
                assert check_gradient(smooth, gradient, w)


def test_a_gradient_that_is_zero_or_not_finite_twice_is_the_same() -> None:
    """Nothing is refused for it."""
    w = np.ones(3)
    for g in (np.zeros(3), np.full(3, np.nan), np.array([np.inf, 0.0, 1.0])):
        assert check_gradient(smooth, lambda w, g=g: g, w).verdict == "wrong"  # type: ignore[misc]


def test_a_gradient_that_writes_to_the_parameters_is_refused() -> None:
    """It would spoil the next call."""

    def gradient(w: Any) -> Any:
        w *= 0.9
        return np.cos(w)

    with pytest.raises(ValueError, match="the gradient changes its parameters in place"):
        check_gradient(smooth, gradient, np.ones(3))


# Costs that do not read their argument


@each_method
def test_a_cost_that_does_not_read_its_argument_is_refused(method: str) -> None:
    """It computes with arrays of its own; with a claim of 0, that is no mistake."""
    for rng in draws(10):
        own = rng.normal(size=5)
        with pytest.raises(ValueError, match="cost read its argument"):
            check_gradient(lambda w: smooth(own), np.cos, own, method=method)
        flat = check_gradient(lambda w: smooth(own), np.zeros(5), own, method=method)
        assert flat.verdict == "undecided"


@each_method
def test_a_memo_is_told_from_a_constant(method: str) -> None:
    """A result that is kept beside the array is there for the same array, and not for a new one."""
    kept: list[tuple[Any, float]] = []

    def cost(w: Any) -> float:
        for array, value in kept:
            if array is w:
                return value
        kept.append((w, float(smooth(w))))
        return kept[-1][1]

    w = np.linspace(0.5, 1, 4)
    with pytest.raises(ValueError, match="the cost changes with new arrays"):
        check_gradient(cost, np.cos(w), w, method=method)


@each_method
def test_a_cost_that_is_rounded_is_told_as_that(method: str) -> None:
    """It stands still nearby, though it reads its argument."""
    w = np.linspace(0.5, 1, 4)
    report = check_gradient(lambda w: round(float(smooth(w)), 2), np.cos(w), w, method=method)
    assert report.verdict == "undecided"
    assert report.untested == {"rounded": 4}


# float64 for float32


def network(w: Any, A: Any) -> Any:
    """Return a cost that computes in the precision of its parameters."""
    return np.tanh(A.astype(w.dtype) @ w).sum()


@each_method
def test_float32_parameters_are_measured_in_float64_where_the_cost_takes_it(method: str) -> None:
    """And its noise falls; a note says so, and a mistake of a ten-thousandth is seen.

    Not in one of several hundred draws, whose report states a resolution that is coarser.
    """
    unseen = []
    for rng in draws(5):
        A, w = rng.normal(size=(8, 5)), rng.normal(size=5).astype(np.float32)
        exact = A.T @ (1 - np.tanh(A @ w.astype(float)) ** 2)
        report = check_gradient(lambda w: network(w, A), exact, w, method=method)
        assert report.verdict == "correct"
        assert any("float64" in note for note in report.notes)
        off = exact + 1e-4 * abs(exact).max() * np.eye(5)[2]
        if report := check_gradient(lambda w: network(w, A), off, w, method=method):
            unseen.append(report.arrays["parameters"].resolution)
    assert len(unseen) <= 1
    assert all(resolution > 1e-4 for resolution in unseen)


@each_method
def test_a_cost_with_float32_inside_is_measured_as_it_is(method: str) -> None:
    """Its noise does not fall with other parameters; nothing is accused."""
    for rng in draws(5):
        A, w = rng.normal(size=(8, 5)), rng.normal(size=5).astype(np.float32)
        exact = A.T @ (1 - np.tanh(A @ w.astype(float)) ** 2)

        def inside(w: Any) -> Any:
            return float(network(w.astype(np.float32), A))

        report = check_gradient(inside, exact, w, method=method)
        assert report.verdict != "wrong"
        assert SINGLE in report.notes
        assert not any("in float64, which" in note for note in report.notes)


def test_a_cost_that_refuses_float64_is_measured_in_float32() -> None:
    """Whatever it raises."""
    w = np.linspace(0.5, 2, 5, dtype=np.float32)

    def strict(w: Any) -> Any:
        if w.dtype != np.float32:
            raise TypeError("expected float32")
        return np.sum(w**2)

    report = check_gradient(strict, 2 * w, w)
    assert report.verdict == "correct"
    assert report.notes == (SINGLE,)


def test_float64_parameters_need_no_note() -> None:
    """They are measured as they are."""
    w = np.linspace(0.5, 2, 5)
    assert not check_gradient(smooth, np.cos(w), w).notes


# Points nearby


def relu(w: Any) -> Any:
    """Return a cost with kinks at 0."""
    return np.sum(np.maximum(w, 0) ** 1 * np.arange(1, w.size + 1)) + np.sum(np.sin(w))


def relu_gradient(w: Any) -> Any:
    """Return its gradient, that of the left side at a kink."""
    return (w > 0) * np.arange(1.0, w.size + 1) + np.cos(w)


def at_kinks(rng: np.random.Generator, method: str, gradient: Any) -> tuple[Report, Any]:
    """Check at a point of which most entries are at a kink."""
    w = np.where(rng.random(8) < 0.8, 0.0, rng.normal(size=8))
    w[0], w[1] = 0.0, 1.0
    claimed = gradient if callable(gradient) else relu_gradient(w)
    return check_gradient(relu, claimed, w, method=method), w


@each_method
def test_kinks_are_tested_at_a_point_that_is_moved(method: str) -> None:
    """If the gradient is a function; an array of numbers leaves them untested."""
    for rng in draws(20):
        assert at_kinks(rng, method, relu_gradient)[0].verdict == "correct"
        array = at_kinks(rng, method, "array")[0]
        assert array.verdict in ("undecided", "correct")
    assert at_kinks(rng, "entries", "array")[0].untested.get("kink", 0) > 0


@each_method
@pytest.mark.parametrize("wrong", [lambda w: 2 * relu_gradient(w), lambda w: relu_gradient(-w)])
def test_a_gradient_that_is_wrong_at_kinks_is_found_beside_them(
    method: str, wrong: Function
) -> None:
    """Also one that takes the other side of each."""
    found = [at_kinks(rng, method, wrong)[0].verdict for rng in draws(20)]
    assert found.count("correct") == 0
    assert found.count("wrong") >= 18


@each_method
def test_zeros_are_tested_at_a_point_that_is_moved(method: str) -> None:
    """Where a bias of 0 has a slope of 0, another point may tell."""
    w = np.array([0.0, 1.0, 2.0])
    right = check_gradient(lambda w: np.sum(w**4), lambda w: 4 * w**3, w, method=method)
    assert right.verdict == "correct"
    off = lambda w: 4 * w**3 * np.array([3, 1, 1])  # noqa: E731
    report = check_gradient(lambda w: np.sum(w**4), off, w, method="entries")
    assert report.verdict in ("wrong", "correct")


def test_a_neighbour_outside_of_the_domain_is_passed_over() -> None:
    """The check ends as it would without one."""

    def edge(w: Any) -> Any:
        if (w < 0).any():
            raise ValueError("negative")
        return np.sum(np.sqrt(w))

    w = np.array([0.0, 1.0, 4.0])
    report = check_gradient(edge, lambda w: 0.5 / np.sqrt(np.maximum(w, 1e-300)), w)
    assert report.arrays["parameters"].untested


def test_a_point_is_moved_by_a_share_of_each_entry() -> None:
    """Zeros by a share of the usual size of their array; each entry in its own way."""
    for rng in draws(20):
        w = rng.normal(size=200) * 10 ** rng.uniform(-3, 3, 200)
        w[:20] = 0
        point = Parameters({"w": w, "b": np.zeros(4)})
        apart = moved(point, rng, MOVE) - point.vector()
        sizes = np.concatenate([np.where(w == 0, point.blocks[0].scale, abs(w)), np.full(4, 1.0)])
        sizes[200:] = point.blocks[1].scale
        shares = abs(apart) / sizes / MOVE
        assert (shares >= 0.5 - 1e-9).all()
        assert (shares <= 1.5 + 1e-9).all()
        assert 0.3 < np.mean(apart > 0) < 0.7


@each_method
def test_neighbours_are_few(method: str) -> None:
    """The gradient is called twice at each, and no more of them than are named."""
    both = Watched(lambda w: np.sum(abs(w)), lambda w: np.full(w.size, 0.5))
    check_gradient(both.cost, both.gradient, np.zeros(4), method=method)
    points = {tuple(seen) for which, seen in both.calls if which == "gradient"}
    assert 2 <= len(points) <= 1 + MOVES
