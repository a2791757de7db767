"""A cost at a point: its calls, its private parameters, and what is refused."""

from __future__ import annotations

import math
import pickle
import random
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from backproof import check_gradient, check_jacobian, derivative, numerical_gradient
from backproof._directions import of_entry
from backproof._objective import CALLS, Objective, half_of_the_digits, real_number
from backproof._parameters import Parameters
from support.drawn import draws
from support.families import FAMILIES

Function = Callable[[Any], Any]


class Counted:
    """A cost that counts its calls, and those at the point."""

    def __init__(self, cost: Function, at: Any) -> None:
        self.cost, self.at = cost, np.array(at)
        self.calls = self.at_the_point = 0

    def __call__(self, w: Any) -> Any:
        self.calls += 1
        self.at_the_point += bool((np.asarray(w) == self.at).all())
        return self.cost(w)


def square(w: Any) -> Any:
    """Return a cost whose gradient is 2 w."""
    return np.sum(w**2)


# Random costs


@pytest.mark.parametrize("family", ["dropout", "random batch"])
@pytest.mark.parametrize("method", ["entries", "directions"])
def test_random_costs_are_refused(family: str, method: str) -> None:
    """Small dropout layers, of which two calls often coincide, and costs that draw a batch."""
    judged = Counter[str]()
    for rng in draws(60):
        case = FAMILIES[family](rng, np.float64)
        try:
            judged[
                check_gradient(case.cost, case.gradient, case.parameters, method=method).verdict
            ] += 1
        except ValueError as refused:
            judged["random" if "random" in str(refused) else "other"] += 1
    assert judged["random"] >= 0.9 * 60, judged


@pytest.mark.parametrize("derive", [derivative, numerical_gradient])
def test_derivatives_of_random_costs_are_refused(derive: Callable[..., Any]) -> None:
    """Also of those that mostly coincide."""
    judged = 0
    for rng in draws(100):
        try:
            derive(lambda x: x**2 + (rng.random() < 0.5), 1.5)
            judged += 1
        except ValueError as refused:
            judged += "the cost is random" not in str(refused)
    assert judged <= 3
    assert derive(lambda x: x**2, 1.5)[0] == pytest.approx(3.0)


def test_calls_that_differ_by_rounding_are_no_random_cost() -> None:
    """They may differ by half of the digits, and what they differ by is noise."""
    for rng in draws(30):
        w = rng.normal(size=4)
        objective = Objective(lambda w: square(w) * (1 + 1e-12 * rng.normal()), Parameters(w))
        objective.require_steady()
        assert objective.calls >= CALLS
        assert 0 < objective.spread < 1e-10
        assert objective.noise.level >= objective.spread
    with pytest.raises(ValueError, match="something persist between calls"):
        Objective(lambda w: square(w) * (1 + 1e-6 * rng.normal()), Parameters(w)).require_steady()


def test_half_of_the_digits_is_the_square_root_of_the_precision() -> None:
    """Relative to the cost."""
    assert half_of_the_digits(-4.0, 2.0**-52) == 4 * 2.0**-26


def test_what_is_kept_from_call_to_call_is_refused() -> None:
    """Such as a running mean, or a counter."""
    for kept in (0.9, 0.5):
        state = {"mean": 0.0}

        def cost(w: Any) -> Any:
            state["mean"] = kept * state["mean"] + (1 - kept) * float(np.mean(w))
            return np.sum((w - state["mean"]) ** 2)

        w = np.array([1.0, 2.0, 4.0])
        with pytest.raises(ValueError, match="something persist between calls"):
            check_gradient(cost, 2 * w, w)


def test_a_cost_that_is_random_beside_the_point_only_is_refused() -> None:
    """One that is the same for the same parameters passes."""
    for rng in draws(50):
        at = rng.normal(size=4)

        def noisy(w: Any) -> Any:
            return square(w) + (0 if (w == at).all() else rng.normal())

        with pytest.raises(ValueError, match="the cost is random"):
            assert Objective(noisy, Parameters(at)).noise
        steady = Objective(square, Parameters(at))
        assert steady.noise
        steady.require_steady()


@pytest.mark.parametrize("method", ["entries", "directions"])
def test_a_mask_that_is_rarely_another_one_is_refused(method: str) -> None:
    """Ten calls at the point often give the same value; a kink bends as much, and is none."""
    refused = 0
    for rng in draws(40):
        w, source = rng.normal(size=10), np.random.default_rng(rng.integers(2**32))

        def masked(x: Any) -> Any:
            return square(x) * (1.1 if source.random() < 0.15 else 1)

        def kinked(x: Any, w: Any = w) -> Any:
            return square(x) + abs(x - w).sum()

        try:
            check_gradient(masked, w, w, method=method)
        except ValueError as error:
            refused += str(error).startswith("the cost is random")
        assert check_gradient(kinked, 9 * w, w, method=method).verdict != "correct"
    assert refused >= 37


# The parameters


def test_a_cost_sees_the_displacement_and_nothing_is_left_of_it() -> None:
    """Not even where it raises, and the caller's arrays are never written to."""
    seen = []

    def cost(w: Any) -> Any:
        seen.append(w.copy())
        if len(seen) > 2:
            raise TypeError("no number")
        return square(w)

    w = np.array([1.0, 2.0])
    w.flags.writeable = False
    objective = Objective(cost, Parameters(w))
    direction = of_entry(objective.parameters, 1)
    assert objective.beside(direction, 0.5).cost == 1 + 2.5**2
    with pytest.raises(TypeError, match="no number"):
        objective.beside(direction, 0.5)
    assert [point.tolist() for point in seen] == [[1.0, 2.0], [1.0, 2.5], [1.0, 2.5]]
    assert objective.parameters.vector().tolist() == [1.0, 2.0]


@pytest.mark.parametrize("failure", [ValueError, AssertionError, ZeroDivisionError, KeyError])
def test_whatever_is_raised_beside_the_point_means_not_defined(failure: type[Exception]) -> None:
    """It is kept with a note; what is raised at the point comes through."""

    def cost(x: float) -> float:
        if x != 1:
            raise failure("beside")
        return x

    objective = Objective(cost, Parameters(1.0))
    value = objective.beside(of_entry(objective.parameters, 0), 0.5)
    assert math.isnan(value.cost)
    assert isinstance(value.failure, failure)
    assert "displaced by 0.5" in value.failure.__notes__[0]
    with pytest.raises(failure, match="beside"):
        Objective(cost, Parameters(2.0))


@pytest.mark.parametrize("method", ["entries", "directions"])
def test_a_cost_that_scales_its_parameters_to_a_sum_is_refused(method: str) -> None:
    """At the point itself it changes nothing, and beside it all entries."""

    def cost(p: Any) -> Any:
        p /= p.sum()
        return np.sum([1.0, 2.0, 5.0, 3.0] * p)

    point = np.array([0.25, 0.25, 0.125, 0.375])
    with pytest.raises(ValueError, match="the cost changes its parameters in place"):
        check_gradient(cost, np.ones(4), point, method=method)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_cost_that_is_not_finite_at_the_point_is_refused(value: float) -> None:
    """Beside it, it may be."""
    with pytest.raises(ValueError, match="expected a finite number there"):
        Objective(lambda x: value, Parameters(1.0))
    objective = Objective(lambda x: 1.0 if x == 1 else value, Parameters(1.0))
    assert not math.isfinite(objective.beside(of_entry(objective.parameters, 0), 0.5).cost)


# What is returned


@pytest.mark.parametrize("value", [2.0, 2, np.float32(2), np.array([[2.0]]), np.int64(2)])
def test_one_real_number_is_taken(value: Any) -> None:
    """Whatever it is wrapped in."""
    assert float(real_number(value)) == 2.0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"),
        (np.ones(0), r"shape \(0,\) \(is a sum or a mean"),
        (np.ones(3), r"shape \(3,\) \(is a sum or a mean"),
        (2j, "a complex number"),
        ("2", "type str"),
        ([2.0], "type list"),
        (np.ma.masked, "Masked"),
    ],
)
def test_anything_else_is_refused(value: Any, words: str) -> None:
    """The error says what it was."""
    with pytest.raises(TypeError, match=words):
        real_number(value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_is_that_of_the_cost(dtype: type[np.floating[Any]]) -> None:
    """Or of the parameters, if it returns a number of Python."""
    epsilon = float(np.finfo(dtype).eps)
    assert Objective(lambda x: dtype(x), Parameters(1.0)).precision == epsilon
    assert Objective(lambda x: float(x), Parameters(dtype(1))).precision == epsilon
    assert Objective(lambda x: np.float16(x), Parameters(1.0)).precision == 2.0**-10


@pytest.mark.parametrize(("size", "rounded"), [(1.0, True), (1e5, False)])
def test_jumps_are_compared_with_what_a_cost_of_0_is_made_of(size: float, *, rounded: bool) -> None:
    """As where a baseline is subtracted: jumps of 1e-9 are rounding if the terms are 1e5."""
    w = size * np.array([1.0, 2.0])
    objective = Objective(
        lambda w: 1e-9 * np.round((w.sum() - 3 * size) / size * 1e8), Parameters(w)
    )
    assert objective.value == 0
    assert objective.noise.grid == pytest.approx(1e-9)
    assert objective.rounded is rounded


# The count


@pytest.mark.parametrize("method", ["entries", "directions"])
@pytest.mark.parametrize("threads", [False, True])
def test_every_call_is_counted(method: str, *, threads: bool) -> None:
    """In copies, too, and for right and wrong gradients, at kinks and beside them."""
    for rng in draws(4):
        w = rng.normal(size=12)
        w[0] = 0.0
        for off in (0.0, 0.5):
            cost = Counted(lambda w: square(w) + abs(w[0]), w)
            claimed = 2 * w + off * (np.arange(12) == 5)
            with ThreadPoolExecutor(2) as pool:
                workers = pool.map if threads else map
                report = check_gradient(cost, claimed, w, method=method, workers=workers)
            assert report.evaluations == cost.calls


def test_a_copy_has_parameters_and_a_count_of_its_own() -> None:
    """What is known of the cost goes with it, also through a pickle."""
    objective = Objective(square, Parameters(np.array([1.0, 2.0])))
    assert objective.noise
    for other in (objective.copy(), pickle.loads(pickle.dumps(objective))):
        assert (other.evaluations, other.value, other.noise.level) == (
            0,
            objective.value,
            objective.noise.level,
        )
        other.parameters.blocks[0].values[0] = 9.0
        assert objective.parameters.vector().tolist() == [1.0, 2.0]


# Workers


def shuffled(function: Function, points: Iterable[Any]) -> list[Any]:
    """Return the results in another order."""
    results = [function(point) for point in points]
    random.shuffle(results)
    return results


def test_results_out_of_order_are_set_right() -> None:
    """The gradient is that of map."""
    for rng in draws(5):
        w = rng.normal(size=30)
        gradient, _ = numerical_gradient(square, w, workers=shuffled)
        assert gradient == pytest.approx(2 * w, rel=1e-6, abs=1e-8)
        assert check_gradient(square, 2 * w, w, workers=shuffled).verdict == "correct"
        wrong = check_gradient(square, 2 * w + np.eye(30)[3], w, workers=shuffled)
        assert [entry.index for entry in wrong.arrays["parameters"].entries] == [(3,)]


WORKERS: list[tuple[Callable[..., Any], type[Exception], str]] = [
    (lambda f, points: [f(0)], ValueError, "workers returned 1 results for 3 points"),
    (
        lambda f, points: [f(0) for _ in points],
        ValueError,
        "points other than those that they were",
    ),
    (lambda f, points: [f((k + 1) % 4) for k in points], ValueError, "other points|out of bounds"),
    (lambda f, points: None, ValueError, "workers returned 0 results"),
    (lambda f, points: [1.0 for _ in points], TypeError, "a value of type float for a point"),
    (lambda f, points: [(1, 2) for _ in points], TypeError, "a value of type tuple for a point"),
]


@pytest.mark.parametrize(("workers", "error", "words"), WORKERS)
def test_workers_that_lose_mix_or_change_results_are_refused(
    workers: Callable[..., Any], error: type[Exception], words: str
) -> None:
    """One result for each point is expected, as from map."""
    with pytest.raises((error, IndexError), match=words):
        numerical_gradient(square, np.ones(3), workers=workers)


def test_results_of_generators_are_taken() -> None:
    """Map returns one itself."""
    gradient, _ = numerical_gradient(
        square, np.ones(3), workers=lambda f, points: (f(point) for point in points)
    )
    assert gradient == pytest.approx(2 * np.ones(3))


# Long checks


@dataclass
class Clock:
    """A clock that each call of a cost moves on."""

    seconds: float
    now: float = 0.0
    calls: int = 0

    def cost(self, w: Any) -> Any:
        """Return a cost that takes some seconds."""
        self.now += self.seconds
        self.calls += 1
        return square(w)

    def __call__(self) -> float:
        return self.now


Said = Callable[..., list[str]]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Said:
    """Return what a check or a gradient says while a clock runs."""

    def messages(call: Callable[[Function], Any], clock: Clock) -> list[str]:
        caplog.clear()
        monkeypatch.setattr("backproof._progress.monotonic", clock)
        call(clock.cost)
        return caplog.messages

    return messages


def checked(size: int, **options: Any) -> Callable[[Function], Any]:
    """Return the check of a right gradient of some entries."""
    w = np.linspace(1, 2, size)
    return lambda cost: check_gradient(cost, 2 * w, w, **options)


def test_a_long_check_says_how_many_evaluations_it_takes(said: Said) -> None:
    """And about how long, once, after two seconds."""
    clock = Clock(0.05)
    (message,) = said(checked(300), clock)
    assert "measuring 300 entries takes at least 606 evaluations, about 30 s" in message
    assert "method='directions'" in message
    (message,) = said(checked(5000), Clock(0.05))
    assert "5,000 entries takes at least 10,006 evaluations, about 8 min" in message
    (message,) = said(checked(5000), Clock(0.5))
    assert "5,000 entries takes at least 10,006 evaluations, about 83 min" in message
    w = np.linspace(1, 2, 300)
    (message,) = said(lambda cost: numerical_gradient(cost, w), clock := Clock(0.01))
    assert "measuring 300 entries" in message
    assert at_least_in(message) == pytest.approx(clock.calls, rel=0.3)


def at_least_in(message: str) -> int:
    """Return how many evaluations a message announces."""
    return int(message.partition(" evaluations")[0].split()[-1].replace(",", ""))


def test_the_rows_of_a_jacobian_are_announced_once(said: Said) -> None:
    """As what all of them take at least: entries of 0 have steps of their own in each row."""
    w = np.linspace(1, 2, 20)
    clock = Clock(0.5)

    def function(p: Any) -> Any:
        clock.cost(p)
        return np.sin(p)

    (message,) = said(lambda _: check_jacobian(function, lambda p: np.diag(np.cos(p)), w), clock)
    assert 40 < at_least_in(message) < clock.calls


def test_what_is_long_in_parts_only_is_announced(said: Said) -> None:
    """Ten calls before the entries are measured, and these in nine seconds."""
    clock = Clock(0.4)
    assert said(checked(11), clock)
    assert clock.now < 15


def test_a_long_check_is_announced_after_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first entry, some ten calls have taken half a second."""
    clock, told = Clock(0.05), list[float]()
    monkeypatch.setattr("backproof._progress.monotonic", clock)
    monkeypatch.setattr("backproof._progress.LOG.warning", lambda *_: told.append(clock.now))
    checked(5000)(clock.cost)
    assert told == [pytest.approx(2.6, abs=0.3)]


@pytest.mark.parametrize(
    ("call", "seconds"),
    [
        (checked(300), 0.015),  # nine seconds
        (checked(10), 60),
        (checked(300, method="directions"), 10),
        (checked(300, workers=shuffled), 1),
        (checked(300), 0),
    ],
)
def test_a_short_check_says_nothing(
    call: Callable[[Function], Any], seconds: float, said: Said
) -> None:
    """Nor does one of few entries, one by directions, or one whose workers may draw a bar."""
    assert not said(call, Clock(seconds))


def test_what_has_more_than_a_few_entries_is_announced(said: Said) -> None:
    """Ten are a few, eleven are more."""
    assert said(checked(11), Clock(60))


def test_a_pause_of_the_machine_is_no_long_check(said: Said) -> None:
    """Of a second and a half, in the first call for an entry or in another one."""
    for late in (20, 300):
        clock = Clock(0.001)

        def cost(w: Any, clock: Clock = clock, late: int = late) -> Any:
            clock.now += 1.5 * (clock.calls == late)
            return clock.cost(w)

        assert not said(lambda _, cost=cost: checked(1000)(cost), clock)


def test_a_wrong_gradient_is_announced_once(said: Said) -> None:
    """The entries that are looked at more closely, a few at a time, are announced no more."""
    w = np.linspace(1, 2, 300)
    assert len(said(lambda cost: check_gradient(cost, w, w), Clock(1.0))) == 1
