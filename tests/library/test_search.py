"""The check along directions: what the probes show, and what is read off them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof import Report, check_gradient
from backproof._claims import Check, Options
from backproof._decide import Finding
from backproof._directions import DOUBT
from backproof._locate import (
    PROBES,
    candidates,
    fitting,
    halves,
    locate,
    remainder,
    right_throughout,
    size_of,
    without,
)
from backproof._objective import Objective
from backproof._parameters import Parameters, flatten
from backproof._probes import Probe, Prober, Region
from backproof._search import BUDGET, SMALL
from support.drawn import draws

Rng = np.random.Generator


def squares(p: Any) -> Any:
    """Return a cost of any nest, whose gradient is 2 p."""
    return sum(np.sum(w**2) for w in flatten(p).values())


def doubled(p: Any) -> Any:
    """Return its gradient."""
    return {name: 2 * w for name, w in p.items()}


def directions(
    gradient: Any, at: Any, cost: Callable[[Any], Any] = squares, **options: Any
) -> Report:
    """Check along directions."""
    return check_gradient(cost, gradient, at, method="directions", **options)


def arrays_of(rng: Rng, count: int) -> dict[str, Any]:
    """Return some arrays of different shapes and sizes."""
    shapes = [(3 + int(rng.integers(5)), 20 + int(rng.integers(50))) for _ in range(count)]
    return {f"a{k}": rng.normal(size=shape) for k, shape in enumerate(shapes)}


def prober_of(claimed: Any, at: Any) -> Prober:
    """Return the prober of a gradient of squares."""
    objective = Objective(squares, Parameters(at))
    return probing(Check(objective, flatten(claimed), Options(1e-7, 0, map)))


def probing(check: Check) -> Prober:
    """Return the prober of a check."""
    return Prober(check, DOUBT**2)


def off_in(places: dict[tuple[int, ...], float], shape: tuple[int, ...], rng: Rng) -> Prober:
    """Return the prober of an array, some entries of whose gradient are off."""
    w = rng.normal(size=shape)
    claimed = 2 * w
    for place, mistake in places.items():
        claimed[place] += mistake
    return prober_of(claimed, w)


def all_probes(prober: Prober) -> list[Probe]:
    """Return the probes of everything."""
    region = {n: prober.everything(n) for n in range(len(prober.check.paths))}
    return [prober.probe(region, k) for k in range(PROBES)]


def of_wrong(report: Report) -> set[str]:
    """Return the paths of the arrays that are wrong."""
    return {path for path, array in report.arrays.items() if array.verdict == "wrong"}


# The one table of evaluations. What holds of them for any seed is tested below.

MILLION = (1000, 1000)
COUNTS = {
    "a million, right": 12,
    "a million, one wrong": 30,
    "one array, one wrong": 30,
    "one array, ten wrong": 184,
    "one array, a factor": 32,
    "24 arrays, right": 12,
    "24 arrays, a factor": 284,
    "24 arrays, noise": 284,
}


def counted(name: str) -> int:
    """Return the evaluations of a case that is always the same."""
    rng = np.random.default_rng(1)
    shape = MILLION if "million" in name else (30, 40)
    at = {f"a{k}": rng.normal(size=shape) for k in range(24 if "24" in name else 1)}
    claimed = doubled(at)
    if "one wrong" in name:
        claimed["a0"][7, 8] += 1
    if "ten wrong" in name:
        claimed["a0"].flat[rng.choice(claimed["a0"].size, 10)] += 1 + rng.random(10)
    if "factor" in name:
        claimed = {key: 1.5 * g for key, g in claimed.items()}
    if "noise" in name:
        claimed = {key: g + rng.normal(size=g.shape) for key, g in claimed.items()}
    return directions(claimed, at).evaluations


# What a check costs


@pytest.mark.parametrize("count", [1, 2, 20])
def test_a_right_gradient_takes_few_evaluations_for_any_number_of_arrays(count: int) -> None:
    """And a mistake in any of them would have been seen."""
    for rng in draws(5):
        at = arrays_of(rng, count)
        report = directions(doubled(at), at)
        assert report.verdict == "correct"
        assert report.evaluations <= 16
        assert all(0 < array.resolution < 1e-3 for array in report.arrays.values())


def test_one_wrong_entry_among_a_million_is_read_off() -> None:
    """In few evaluations, wherever it is; a right gradient takes fewer."""
    for rng in draws(2):
        at = {"w": rng.normal(size=MILLION)}
        claimed = doubled(at)
        assert directions(claimed, at).evaluations <= 16
        place = tuple(int(k) for k in rng.integers(1000, size=2))
        claimed["w"][place] += 0.3
        report = directions(claimed, at)
        (entry,) = report.arrays["w"].entries
        assert entry.index == place
        assert entry.numerical == pytest.approx(2 * at["w"][place], rel=1e-4, abs=1e-4)
        assert report.evaluations <= 40


@pytest.mark.parametrize("count", [2, 10])
def test_some_wrong_entries_are_all_located(count: int) -> None:
    """Those that differ from what is claimed, and no others."""
    found = []
    for rng in draws(8):
        w = rng.normal(size=(50, 60))
        chosen = rng.choice(w.size, count, replace=False)
        claimed = 2 * w
        claimed.flat[chosen] += rng.uniform(0.3, 1, count) * rng.choice([-1, 1], count)
        report = directions({"w": claimed}, {"w": w})
        indices = {np.ravel_multi_index(e.index, w.shape) for e in report.arrays["w"].entries}
        assert indices <= set(chosen)
        found.append(indices == set(chosen))
        assert report.evaluations <= BUDGET + 30  # what is begun within the budget is ended
    assert np.mean(found) >= 0.7


@pytest.mark.parametrize("factor", [2.0, -1.0, 0.5, 1.01])
def test_a_factor_is_named_from_a_few_probes(factor: float) -> None:
    """An entry that shows it is listed."""
    for rng in draws(5):
        at = arrays_of(rng, 3)
        claimed = doubled(at)
        claimed["a1"] *= factor
        report = directions(claimed, at)
        assert of_wrong(report) == {"a1"}
        mistake = report.arrays["a1"].mistake
        assert mistake is not None
        assert mistake.kind in ("factor", "sign")
        assert report.arrays["a1"].entries
        assert report.evaluations <= 80


@pytest.mark.parametrize("kind", ["factor", "noise", "zero", "shifted"])
@pytest.mark.parametrize(("count", "most"), [(24, 300), (100, 1000)])
def test_many_wrong_arrays_do_not_cost_a_search_each(kind: str, count: int, most: int) -> None:
    """As where a mistake spoils all layers before it; all of them are named."""
    for rng in draws(2 if count < 100 else 1):
        at = arrays_of(rng, count)
        claimed = {
            name: {
                "factor": 1.5 * g,
                "noise": g + rng.normal(size=g.shape),
                "zero": 0 * g,
                "shifted": np.roll(g, 1, axis=1),
            }[kind]
            for name, g in doubled(at).items()
        }
        report = directions(claimed, at)
        assert of_wrong(report) == set(at)
        assert report.evaluations <= most * 1.05


def test_the_budget_is_spent_on_the_array_nearest_the_cost() -> None:
    """The last one has its mistake named, also where the others are only called wrong."""
    for rng in draws(3):
        at = arrays_of(rng, 30)
        claimed = {name: g + rng.normal(size=g.shape) for name, g in doubled(at).items()}
        claimed["a29"] = -2 * at["a29"]
        report = directions(claimed, at)
        assert of_wrong(report) == set(at)
        mistake = report.arrays["a29"].mistake
        assert mistake is not None
        assert mistake.kind == "factor"


# Which array is wrong


def test_the_wrong_array_is_read_off_and_no_other_is_named() -> None:
    """Whichever it is, and whatever is wrong with it."""
    named = []
    for rng in draws(30):
        at = arrays_of(rng, 6)
        claimed = doubled(at)
        name = f"a{rng.integers(6)}"
        g = claimed[name]
        claimed[name] = [1.1 * g, g + np.eye(*g.shape), np.roll(g, 1), 0 * g][rng.integers(4)]
        report = directions(claimed, at)
        named.append(of_wrong(report) == {name})
        assert report.verdict == "wrong"
    assert np.mean(named) >= 0.95


def test_a_mistake_below_the_error_of_one_step_is_not_lost() -> None:
    """All arrays show it at a longer step, so that each is asked with that one, too.

    Where it nearly cancels along a direction, the rest of it may be within the error.
    """
    seen = []
    for rng in draws(20):
        at = {name: rng.normal(size=(4, 3)) for name in "ab"}
        right = check_gradient(lambda p: squares(p) + 1e6, doubled(at), at, method="directions")
        assert right.verdict == "correct"
        claimed = doubled(at)
        claimed["a"][:, 0] += 0.02
        seed = int(rng.integers(99))
        report = check_gradient(
            lambda p: squares(p) + 1e6, claimed, at, method="directions", seed=seed
        )
        seen.append(of_wrong(report) == {"a"})
    assert np.mean(seen) >= 0.9


def test_mistakes_that_cancel_along_one_direction_show_along_another() -> None:
    """Whatever the first one is; the seed draws others."""
    for rng in draws(20):
        at, seed = arrays_of(rng, 2), int(rng.integers(2**20))
        prober = prober_of(doubled(at), at)
        options = prober.check.options._replace(seed=seed)
        check = Check(prober.check.objective, prober.check.gradient, options)
        first = probing(check)
        weights = first.weights(0, 0)
        claimed = doubled(at)
        mistake = np.zeros(weights.shape)
        mistake[0, 0], mistake[1, 1] = 1 / weights[0, 0], -1 / weights[1, 1]
        claimed["a0"] += mistake
        region = {0: first.everything(0)}
        blind = probing(Check(check.objective, flatten(claimed), options))
        assert blind.decide(region, 0).verdict == "right"
        assert of_wrong(directions(claimed, at, seed=seed)) == {"a0"}


def test_arrays_that_say_nothing_are_left_out() -> None:
    """Empty ones and dead ones; ones that are not finite are wrong, and the others right."""
    for rng in draws(5):
        at = arrays_of(rng, 2)
        at |= {"empty": np.zeros((0, 3)), "dead": np.ones(3), "nan": np.ones(2), "inf": np.ones(2)}
        claimed = doubled(at) | {"dead": np.zeros(3)}
        claimed |= {"nan": np.array([0.0, np.nan]), "inf": np.array([0.0, np.inf])}
        report = directions(claimed, at, lambda p: squares({k: p[k] for k in ("a0", "a1")}))
        assert of_wrong(report) == {"nan", "inf"}
        assert list(report.arrays) == list(at)
        assert report.arrays["dead"].untested == {"zero": 3}
        assert [e.index for e in report.arrays["nan"].entries] == [(1,)]


def test_an_array_that_is_claimed_to_be_0_is_compared_with_the_slope() -> None:
    """Its own largest entry says nothing; a dead one beside it is no mistake."""
    for rng in draws(10):
        at = {"w": rng.normal(size=(10, 20)), "z": rng.normal(size=100), "dead": np.ones(80)}
        claimed = doubled(at) | {"z": np.zeros(100), "dead": np.zeros(80)}
        report = directions(claimed, at, lambda p: squares({k: p[k] for k in ("w", "z")}))
        assert of_wrong(report) == {"z"}
        assert report.arrays["dead"].verdict == "correct"


@pytest.mark.parametrize(("claim", "verdict"), [(10.0, "undecided"), (20.0, "wrong")])
def test_beside_many_kinks_a_claim_may_be_far_outside_of_their_gap(
    claim: float, verdict: str
) -> None:
    """One-sided slopes of several kinks cancel, so that right ones lie outside of it, too."""
    claimed = np.full(100, claim)
    report = directions(claimed, np.zeros(100), cost=lambda w: np.abs(w).sum())
    assert report.verdict == verdict


@pytest.mark.parametrize(("distance", "sure"), [(1.0, True), (1e-4, True), (1e-9, False)])
def test_a_kink_beside_the_point_is_no_mistake(distance: float, *, sure: bool) -> None:
    """And a mistake beside it is found; very near, it may hide one in its own array."""
    for rng in draws(10):
        at = arrays_of(rng, 3)
        edge = at["a1"][0, 0] - distance

        def cost(p: Any) -> Any:
            return squares(p) + 3 * max(p["a1"][0, 0] - edge, 0.0)

        claimed = doubled(at)
        claimed["a1"][0, 0] += 3
        verdict = directions(claimed, at, cost).verdict
        assert verdict == "correct" or (verdict == "undecided" and not sure)
        name = f"a{rng.integers(3)}"
        claimed[name][2, 5] += 0.1
        assert of_wrong(directions(claimed, at, cost)) in ([{name}] if sure else [{name}, set()])


# Entries that are read off


@pytest.mark.parametrize("shape", [(40,), (8, 9), (3, 4, 5), (1, 50)])
def test_a_wrong_entry_fits_its_residuals_alone(shape: tuple[int, ...]) -> None:
    """In all of an array; without its mistake, the probes are right."""
    for rng in draws(10):
        flat = int(rng.integers(math.prod(shape)))
        place = tuple(int(k) for k in np.unravel_index(flat, shape))
        prober = off_in({place: 0.3}, shape, rng)
        region, probes = {0: prober.everything(0)}, all_probes(prober)
        assert fitting(prober, region, probes) == [(0, flat)]
        right = float(prober.gradient(0)[place]) - 0.3
        rest = without(prober, probes, 0, flat, Finding("wrong", right, 1e-9))
        assert not right_throughout(probes)
        assert all(abs(probe.residual) < 1e-6 for probe in rest)
        assert all(a.error > b.error for a, b in zip(rest, probes, strict=True))


def test_no_entry_fits_where_two_are_wrong() -> None:
    """Or hardly ever one that is neither."""
    others = 0
    for rng in draws(50):
        a, b = (int(k) for k in rng.choice(600, 2, replace=False))
        places: dict[tuple[int, ...], float] = {(a // 30, a % 30): 0.3}
        places |= {(b // 30, b % 30): rng.uniform(0.2, 0.5)}
        prober = off_in(places, (20, 30), rng)
        others += len(fitting(prober, {0: prober.everything(0)}, all_probes(prober)))
    assert others <= 2


def test_probes_are_added_while_many_entries_fit() -> None:
    """The more noise there is, the more of them; of those that fit, a few are tried."""
    for rng in draws(10):
        prober = off_in({(1, 2): 0.3}, (20, 30), rng)
        objective = prober.check.objective
        region, probes = {0: prober.everything(0)}, all_probes(prober)
        loud = [probe._replace(error=0.1) for probe in probes]
        before = objective.evaluations
        assert next(candidates(prober, region, probes)) == (0, 32)
        assert objective.evaluations == before
        tried = [*candidates(prober, region, loud)]
        assert objective.evaluations > before
        assert (0, 32) in tried
        assert len(tried) <= 3


@pytest.mark.parametrize("shape", [(60,), (20, 15), (4, 5, 6)])
@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_all_wrong_entries_are_located_and_no_other(shape: tuple[int, ...], count: int) -> None:
    """Each with its slope, once."""
    for rng in draws(3):
        size = math.prod(shape)
        chosen = sorted(int(i) for i in rng.choice(size, count, replace=False))
        mistakes = {
            tuple(int(k) for k in np.unravel_index(i, shape)): 0.1 * (n + 1)
            for n, i in enumerate(chosen)
        }
        prober = off_in(mistakes, shape, rng)
        region = {0: prober.everything(0)}
        found = list(locate(prober, region, all_probes(prober), budget=10**6))
        assert sorted(index for _, index, _ in found) == chosen
        right = 2 * prober.check.objective.parameters.vector()
        assert all(f.value == pytest.approx(right[i], abs=1e-5) for _, i, f in found)


def test_a_search_ends_with_its_budget() -> None:
    """Of many wrong entries some are located."""
    for rng in draws(3):
        mistakes: dict[tuple[int, ...], float]
        mistakes = {(i, j): 0.1 * (i + j + 1) for i in range(20) for j in range(20)}
        prober = off_in(mistakes, (40, 40), rng)
        region, probes = {0: prober.everything(0)}, all_probes(prober)
        found = list(locate(prober, region, probes, budget=400))
        assert 0 < len(found) < 400
        assert prober.check.objective.evaluations <= 500
        assert not list(locate(prober, region, probes, budget=400))


@pytest.mark.parametrize(
    ("size", "all_of_it"), [(SMALL - 1, True), (SMALL, True), (SMALL + 1, False)]
)
def test_a_small_array_is_measured_entry_by_entry(size: int, all_of_it: bool) -> None:
    """Of a larger one, entries are located as long as the budget lasts.

    An entry near 0 may be off by less than its error, so that one of the draws may spare it.
    """
    said = []
    for rng in draws(5):
        at = {"w": rng.normal(size=size), "v": rng.normal(size=7)}
        claimed = doubled(at)
        claimed["w"] = claimed["w"] * (1 + rng.uniform(0.1, 0.4, size) * rng.choice([-1, 1], size))
        mistake = directions(claimed, at).arrays["w"].mistake
        assert mistake
        said.append(mistake.text.startswith("every entry is wrong"))
    assert said.count(all_of_it) >= 4


def test_a_region_is_halved_by_arrays_first_and_then_along_its_longest_axis() -> None:
    """No entry is lost, and none is in both."""
    first, second = halves({0: (slice(0, 3),), 2: (slice(0, 5),), 4: (slice(1, 2),)})
    assert (list(first), list(second)) == ([0], [2, 4])
    first, second = halves({0: (slice(0, 3),), 2: (slice(0, 5),)})
    assert (list(first), list(second)) == ([0], [2])
    region: Region = {1: (slice(2, 5), slice(0, 10))}
    first, second = halves(region)
    assert first == {1: (slice(2, 5), slice(0, 5))}
    assert second == {1: (slice(2, 5), slice(5, 10))}
    assert size_of(first) + size_of(second) == size_of(region) == 30


def test_what_the_half_lacks_the_other_has() -> None:
    """Residuals and slopes are subtracted, errors added."""
    left = remainder([Probe(3.0, 2.0, 0.5)] * 4, [Probe(1.0, 0.5, 0.25)] * 2)
    assert left == [Probe(2.0, 1.5, 0.75)] * 2


def test_an_error_may_be_as_large_as_a_residual() -> None:
    """Then no mistake is seen; nan is none that is seen to be right."""
    assert right_throughout([Probe(3.0, 0.5, 0.5), Probe(3.0, -0.5, 0.5)])
    assert not right_throughout([Probe(3.0, 0.5, 0.5), Probe(3.0, -0.51, 0.5)])
    assert not right_throughout([Probe(math.nan, math.nan, 0.5)])


def test_directions_share_their_signs_and_nothing_else() -> None:
    """Each array, turn and seed has its own, of sizes between 0.5 and 1.5."""
    for rng in draws(3):
        at = {"a": rng.normal(size=(30, 40)), "b": rng.normal(size=(30, 40))}
        prober = prober_of(doubled(at), at)
        weights = [prober.weights(0, k) for k in range(PROBES)]
        assert all(((abs(d) >= 0.5) & (abs(d) < 1.5)).all() for d in weights)
        assert all((np.sign(d) == np.sign(weights[0])).all() for d in weights)
        assert abs(np.mean(weights[0] > 0) - 0.5) < 0.08
        assert len({float(d[0, 0]) for d in weights}) == PROBES
        others = [prober.weights(1, 0), prober._replace(turn=1).weights(0, 0)]
        assert all((np.sign(other) != np.sign(weights[0])).any() for other in others)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_probe_is_the_slope_along_its_direction(scale: float) -> None:
    """In all of an array, and in a part, within its error."""
    for rng in draws(10):
        w = scale * rng.normal(size=(4, 6))
        prober = prober_of({"w": 2 * w}, {"w": w})
        size = prober.scale(0)
        for part in (prober.everything(0), (slice(1, 3), slice(0, 5))):
            for k in range(PROBES):
                probe = prober.probe({0: part}, k)
                true = float(np.sum((2 * w * prober.weights(0, k))[part])) * size
                assert abs(probe.slope - true) <= probe.error < 1e-5 * scale**2
                assert abs(probe.residual) <= probe.error


def test_the_evaluations_are_those_of_the_table() -> None:
    """So that a change of them is seen; this is the only test that asks for exact numbers."""
    assert {name: counted(name) for name in COUNTS} == COUNTS
