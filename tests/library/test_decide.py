"""What is decided on a claim: right, wrong, untested or doubtful."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np
import pytest

from backproof._decide import (
    RESOLVED,
    Claim,
    Finding,
    _holds,
    confirmed,
    decide,
    hearing,
    span,
)
from backproof._directions import DOUBT, Direction, along, of_entry
from backproof._objective import Objective
from backproof._parameters import Parameters
from backproof._slopes import RATIO, Difference, central_difference
from support.catalogue.functions import FUNCTIONS
from support.drawn import draws

Function = Callable[[Any], Any]


def claim_of(value: float, allowed: float = 0.0, size: float | None = None) -> Claim:
    """Return a claim on one entry, which is the largest of its array if no size is given."""
    largest = abs(value) if size is None else size
    return Claim(value, allowed, rounding=0.0, largest=largest, size=largest)


def objective_of(cost: Function, at: Any) -> Objective:
    """Return an objective whose noise was measured closely."""
    objective = Objective(cost, Parameters(at))
    objective.listen()
    return objective


def decided(cost: Function, at: Any, claim: float, *, index: int = 0, size: Any = None) -> Finding:
    """Decide on the claim for an entry."""
    with np.errstate(all="ignore"):
        objective = objective_of(cost, at)
        return decide(objective, of_entry(objective.parameters, index), claim_of(claim, 0.0, size))


# One difference


@pytest.mark.parametrize(
    ("value", "gap", "rounding", "right"),
    [
        (1.0, 0.0, 0.0, True),
        (1.001, 0.0, 0.0011, True),
        (1.001, 0.0, 0.0009, False),  # it does not agree
        (1.0, 0.0, RESOLVED / 2, True),
        (1.0, 0.0, 1.1 * RESOLVED / 2, False),  # it is too coarse
        (1.0, RESOLVED, 0.0, True),
        (1.0, 1.1 * RESOLVED, 0.0, False),  # it has two slopes
        (1.0, -1.1 * RESOLVED, 0.0, False),
        (1.0, 0.05, 0.009, True),  # which noise explains
        (math.nan, 0.0, 0.0, False),
        (1.0, math.nan, 0.0, False),
        (1.0, 0.0, math.nan, False),
        (1.0, 0.0, math.inf, False),
    ],
)
def test_a_difference_confirms_a_claim_if_it_agrees_is_fine_and_straight(
    value: float, gap: float, rounding: float, *, right: bool
) -> None:
    """None of the three may be missing, and nothing that is not known confirms."""
    assert bool(confirmed(value, gap, rounding, 0.0, claim_of(1.0))) is right
    values, gaps, roundings = (np.full(2, number) for number in (value, gap, rounding))
    assert (confirmed(values, gaps, roundings, np.zeros(2), claim_of(1.0)) == right).all()


def test_what_a_claim_is_allowed_counts_as_its_error() -> None:
    """No more than that."""
    for allowed, right in ((0.11, True), (0.09, False)):
        claim = claim_of(1.0, allowed=allowed)
        assert bool(confirmed(1.1, 0.0, 0.0, 0.0, claim)) is right


def test_the_rounding_of_a_claim_is_a_share_of_the_slopes_nearby() -> None:
    """Its terms are as large as these, however small their sum is."""
    claim = claim_of(1.0)._replace(rounding=0.1)
    for curved, right in ((1.1, True), (0.9, False), (0.0, False)):
        assert bool(confirmed(1.1, 0.0, 0.0, curved, claim)) is right


def test_one_difference_is_enough_for_a_right_claim() -> None:
    """A wrong one takes a few more, and fewer than a kink does."""
    counts: dict[str, list[int]] = {"right": [], "wrong": [], "kink": []}
    for rng in draws(50):
        a, x = rng.normal(size=2) + 3
        for kind, evaluations in counts.items():
            bend = 1.0 if kind == "kink" else 0.0

            def cost(t: float) -> float:
                return math.sin(a * t) + 2 + bend * float(abs(t - x))

            objective = objective_of(cost, x)
            before = objective.evaluations
            claim = claim_of(a * math.cos(a * x) + (kind == "wrong"), 1e-6, abs(a))
            decide(objective, of_entry(objective.parameters, 0), claim)
            evaluations.append(objective.evaluations - before)
    assert np.quantile(counts["right"], 0.8) <= 2
    assert np.median(counts["right"]) < np.median(counts["wrong"]) < np.median(counts["kink"])


# Right and wrong


def drawn_slopes(count: int) -> Iterator[tuple[Function, float, float]]:
    """Yield random functions with random points and the true slopes there."""
    for rng in draws(count):
        _, function, exact, points = FUNCTIONS[rng.integers(len(FUNCTIONS))]
        x, size = float(rng.choice(points)) * 2 ** rng.uniform(-1, 1), 10 ** rng.uniform(-9, 9)
        with mpmath.workdps(200):
            true = float(mpmath.mpf(size) * mpmath.diff(exact, mpmath.mpf(x)))
        yield scaled(function, size), x, true


def scaled(function: Function, size: float) -> Function:
    """Return a function times a size."""
    return lambda t: size * function(t)


def test_right_claims_are_not_accused_and_wrong_ones_do_not_pass() -> None:
    """Over random functions and points; few are left open."""
    right, wrong = Counter[str](), Counter[str]()
    for cost, x, true in drawn_slopes(600):
        right[decided(cost, x, true).verdict] += 1
        wrong[decided(cost, x, 1.2 * true, size=abs(true)).verdict] += 1
    assert right["wrong"] <= 1, right
    assert wrong["right"] <= 1, wrong
    assert right["right"] >= 0.9 * 600, right
    assert wrong["wrong"] >= 0.9 * 600, wrong


def test_a_mistake_within_the_tolerance_passes() -> None:
    """One of ten times the tolerance does not."""
    for rng in draws(50):
        x = rng.normal()
        objective = objective_of(lambda t: math.sin(t) + 2, x)
        direction, true = of_entry(objective.parameters, 0), math.cos(x)
        for times, verdict in ((0.9, "right"), (10, "wrong")):
            claim = claim_of(true + times * 1e-4, allowed=1e-4, size=1.0)
            assert decide(objective, direction, claim).verdict == verdict


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("which", ["claim", "ahead", "beside", "allowed"])
def test_what_is_not_a_number_never_ends_as_right(value: float, which: str) -> None:
    """Neither in the claim nor in the cost; the sibling with numbers does."""

    def cost(t: float) -> float:
        bad = {"ahead": t > 1, "beside": t != 1}.get(which, False)
        return value if bad else t**2

    claim = claim_of(value if which == "claim" else 2.0, size=2.0)
    if which == "allowed":
        claim = claim._replace(allowed=math.nan)
    with np.errstate(all="ignore"):
        objective = objective_of(cost, 1.0)
        found = decide(objective, of_entry(objective.parameters, 0), claim)
    assert found.verdict != "right"
    if which in ("ahead", "beside"):
        assert found.verdict == "untested"
    assert decided(lambda t: t**2, 1.0, 2.0).verdict == "right"


def test_what_the_cost_raises_everywhere_is_found() -> None:
    """It may be the reason; on one side only, it is none."""

    def island(t: float) -> float:
        return {1.0: 1.0}[t]

    assert isinstance(decided(island, 1.0, 2.0).failure, KeyError)
    one_sided = decided(lambda t: math.sqrt(1 - t), 1.0, 2.0)
    assert (one_sided.verdict, one_sided.reason) == ("untested", "not finite")
    assert one_sided.failure is None


# The second hearing


def bumpy(rng: np.random.Generator, width: float) -> tuple[Function, float, float, float]:
    """Return a cost with a narrow structure at a point, its slope, and that without it."""
    a, b, x = rng.normal(size=3) + 3
    shapes: list[Function] = [
        math.tanh,
        lambda u: u * math.exp(-u * u),
        lambda u: math.atan(u) + u * u / (1 + u * u) / 4,
        lambda u: u / (1 + abs(u)),
        lambda u: math.sin(u) / (1 + u * u),
    ]
    shape = shapes[rng.integers(len(shapes))]
    flat = a * math.cos(a * x)
    return (
        lambda t: 2 + math.sin(a * t) + b * width * float(shape((t - x) / width)),
        x,
        flat + b,
        flat,
    )


@pytest.mark.parametrize(("widths", "most"), [((-11, -8), 0.01), ((-8, -3), 0.0)])
def test_a_narrow_structure_is_not_accused(widths: tuple[int, int], most: float) -> None:
    """However far below the first step it is, while a step can still tell."""
    verdicts = Counter[str]()
    for rng in draws(400):
        cost, x, slope, _ = bumpy(rng, 10 ** rng.uniform(*widths))
        verdicts[decided(cost, x, slope).verdict] += 1
    assert verdicts["wrong"] <= most * 400, verdicts


def test_where_there_is_no_narrow_structure_the_same_claim_is_accused() -> None:
    """And so is the slope without it where there is one that the first step sees."""
    for rng in draws(300):
        cost, x, slope, flat = bumpy(rng, 10 ** rng.uniform(-4, -2))
        assert decided(cost, x, flat, size=slope).verdict == "wrong"
        a = flat - 3 * math.cos(3 * x)
        plain = decided(lambda t: 2 + math.sin(3 * t) + a * t, x, slope)
        assert plain.verdict == "wrong"


@pytest.mark.parametrize("apart", [1e-6, 1e-3, 1.0])
def test_a_hearing_goes_down_to_where_rounding_exceeds_the_mistake(apart: float) -> None:
    """The smallest step could just still tell, and nothing is heard where none could."""
    objective = objective_of(lambda t: math.sin(t) + 2, 1.0)
    direction, true = of_entry(objective.parameters, 0), math.cos(1.0)
    found = central_difference(objective, direction, 1e-4)
    heard = hearing(objective, direction, claim_of(true + apart), found)
    assert [step.step for step in heard] == sorted((s.step for s in heard), reverse=True)
    assert heard[0].step == pytest.approx(found.step / RATIO)
    assert all(step.rounding < apart / 2 for step in heard)
    assert heard[-1].rounding == pytest.approx(apart / DOUBT, rel=0.1) or heard[-1].step < 1e-11
    coarse = found._replace(rounding=apart)
    assert not hearing(objective, direction, claim_of(true + apart), coarse)


def test_steps_that_contradict_each_other_accuse_nobody() -> None:
    """A cost that wiggles ever faster has no slope that a claim could miss."""
    verdicts = Counter[str]()
    for rng in draws(200):
        k, phase, x = rng.uniform(0.5, 2.5), rng.uniform(0, 6), rng.normal()

        def wiggle(t: float) -> float:
            u = t - x
            return 2 + (u * math.sin(k * math.log(abs(u)) + phase) if u else 0.0)

        verdicts[decided(wiggle, x, rng.uniform(-1, 1), size=1.0).verdict] += 1
    assert verdicts["wrong"] <= 0.13 * 200, verdicts
    assert verdicts["right"] <= 0.05 * 200, verdicts


# Kinks


def kinked(rng: np.random.Generator) -> tuple[Function, float, float, float]:
    """Return a cost with a kink at a point, and the slopes on its two sides."""
    left, right = rng.uniform(-2, -1), rng.uniform(1, 2)
    x = rng.normal()
    return lambda t: 2 + (right if t > x else left) * (t - x) + (t - x) ** 2, x, left, right


def test_a_claim_between_the_slopes_of_a_kink_is_untested() -> None:
    """Any of them may be meant; one clearly outside is wrong."""
    for rng in draws(100):
        cost, x, left, right = kinked(rng)
        size, gap = max(-left, right), right - left
        for claim in (left + rng.uniform(0.01, 0.99) * gap, left, right):
            between = decided(cost, x, claim, size=size)
            assert (between.verdict, between.reason) == ("untested", "kink")
        for claim in (left - 0.1 * gap, right + 0.1 * gap, right + 10 * gap):
            assert decided(cost, x, claim, size=size).verdict == "wrong"


def test_a_kink_that_curvature_hides_at_the_first_step_accuses_nobody() -> None:
    """The gap of one step is the sum of both, and may be 0; a claim clearly outside is wrong."""
    for rng in draws(100):
        x, slope, jump = rng.normal(), rng.uniform(1, 2), 1e-5 * rng.choice([-1, 1])

        def bent(by: float, x: float = x, slope: float = slope, jump: float = jump) -> Function:
            return lambda t: 2 + slope * (t - x) + jump * abs(t - x) / 2 - by * (t - x) ** 2 / 2

        plain = objective_of(bent(0.0), x)
        step = plain.noise.step * of_entry(plain.parameters, 0).scale.scale
        cost = bent(jump / step)
        for claim in (slope + jump / 2, slope - jump / 2):
            assert decided(cost, x, claim, size=slope).verdict != "wrong"
        assert decided(cost, x, slope + 10 * jump, size=slope).verdict == "wrong"


def test_along_several_entries_kinks_may_cancel() -> None:
    """So a claim outside of what is seen of them is rarely accused; of a smooth cost it is."""
    verdicts, smooth = Counter[str](), Counter[str]()
    for rng in draws(200):
        x, bends = rng.normal(size=(2, 4))
        signs = rng.choice([-1.0, 1.0], 4).astype(float)
        claim = rng.choice([0.0, 1.0], 4) @ (bends * signs)  # it is right, entry by entry
        size = float(np.abs(bends).max())
        for counts, bend in ((verdicts, 1.0), (smooth, 0.0)):

            def cost(w: Any) -> float:
                return 2 + float(bends @ (bend * np.maximum(w - x, 0) + 5 * w))

            objective = objective_of(cost, x)
            direction: Direction = along(objective.parameters, signs, 1.0)
            whole = claim_of(float(5 * bends @ signs + claim), size=size)
            counts[decide(objective, direction, whole).verdict] += 1
    assert verdicts["wrong"] <= 0.2 * 200, verdicts
    assert smooth["wrong"] >= 0.8 * 200, smooth  # where no side is chosen, the claim is right


@pytest.mark.parametrize("shape", ["jump", "cube root", "x log x"])
def test_without_a_slope_nothing_is_accused_and_nothing_passes(shape: str) -> None:
    """A cost that jumps or is infinitely steep has none."""
    shapes: dict[str, Function] = {
        "jump": lambda u: float(u > 0),
        "cube root": np.cbrt,
        "x log x": lambda u: u * math.log(abs(u)) if u else 0.0,
    }
    for rng in draws(100):
        x, a = rng.normal(size=2)
        cost, claim = shapes[shape], rng.normal()
        found = decided(lambda t: 2 + a * t + cost(t - x), x, claim + a)
        assert found.verdict in ("untested", "doubtful")


# Scales and resolution


@pytest.mark.parametrize("small", [1e-3, 1e-6, 1e-9])
def test_an_entry_far_smaller_than_its_array_is_heard_at_its_own_scale(small: float) -> None:
    """What the cost does over that scale is not passed over."""
    verdicts = Counter[str]()
    for rng in draws(60):
        w = np.array([small * rng.uniform(0.5, 2), 1.0, 3.0])

        def cost(w: Any) -> float:
            return 2 + math.sin(3 * w[0] / small) + float(np.sum(w**2))

        true = 3 / small * math.cos(3 * w[0] / small) + 2 * w[0]
        size = 3 / small
        verdicts[decided(cost, w, true, size=size).verdict] += 1
        assert decided(cost, w, true + 2 * size, size=size).verdict != "right"
        assert of_entry(Parameters(w), 0).finer is not None
        assert of_entry(Parameters(w), 1).finer is None
    assert not verdicts["wrong"]
    assert verdicts["right"] >= 55


def test_a_mistake_may_not_hide_in_the_error() -> None:
    """A slope that is lost in noise is untested, whatever is claimed of it."""
    for rng in draws(50):
        x, memory = rng.normal(), dict[float, float]()

        def cost(t: float) -> float:
            return 1 + 1e-9 * t + memory.setdefault(t, 1e-4 * rng.normal())

        assert decided(cost, x, 1e-9 * rng.choice([1, 5])).verdict in ("untested", "doubtful")
        assert decided(lambda t: 1 + 1e-3 * t, x, 1e-3).verdict == "right"


def test_what_lies_just_outside_of_the_error_is_doubtful() -> None:
    """An error is an estimate, so nothing is accused at twice of it; far outside it is."""
    verdicts: dict[float, Counter[str]] = {0.5: Counter(), 2.0: Counter(), 50.0: Counter()}
    for rng in draws(60):
        x = rng.normal()
        memory: dict[float, float] = {}

        def cost(t: float) -> float:
            return 2 + t + memory.setdefault(t, 1e-6 * rng.normal())

        found = decided(cost, x, 1.0, size=1e-9)  # that is finer than can be seen
        for times, counts in verdicts.items():
            claim = found.value + times * found.error
            counts[decided(cost, x, claim, size=1e-9).verdict] += 1
    assert verdicts[0.5]["untested"] >= 55, verdicts
    assert verdicts[2.0]["doubtful"] >= 45, verdicts
    assert verdicts[2.0]["wrong"] <= 3, verdicts
    assert verdicts[50.0]["wrong"] >= 55, verdicts


def test_the_span_is_that_of_finite_numbers() -> None:
    """An empty array has none."""
    assert span([1.0, -3.0, math.inf, math.nan]) == 3.0
    assert span(np.zeros((0, 2))) == 0.0


def test_a_difference_that_is_given_is_begun_with() -> None:
    """It is not measured again."""
    objective = objective_of(lambda t: t**2, 1.0)
    direction = of_entry(objective.parameters, 0)
    before = objective.evaluations
    first = Difference(step=1e-5, value=2.0, gap=0.0, rounding=1e-9, least=1.0)
    assert decide(objective, direction, claim_of(2.0), first).verdict == "right"
    assert objective.evaluations == before


def test_a_single_difference_accuses_if_the_next_smaller_step_agrees_with_it() -> None:
    """The one after that is finer, and says nothing of what the first has truncated."""
    objective = objective_of(np.sin, 1.0)
    direction, claim = of_entry(objective.parameters, 0), claim_of(2.0)
    start = Difference(1.0, 1.0, 0.0, 0.01, 1.0)
    same, other = (Difference(0.1, v, 0.0, r, 1.0) for v, r in ((1.0, 0.01), (1.3, 0.5)))
    assert _holds([same, same], claim, start, direction)
    assert not _holds([other, same], claim, start, direction)
