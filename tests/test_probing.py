"""Probes beside kinks and in noise, and the entries that are read off them."""

import math
from typing import Any

import numpy as np
import pytest

from backproof import check_gradient
from backproof.costs import Origin, measure_origin
from backproof.lines import Difference, Line
from backproof.locating import (
    candidates,
    divide,
    fitting,
    locate,
    remainder,
    right_throughout,
    spent,
    without,
)
from backproof.parameters import Parameters
from backproof.probing import (
    CLEAR,
    COARSE,
    FINE,
    PROBES,
    Probe,
    Probing,
    _settles,
    clear_slope,
    first_probe,
)
from backproof.slopes import RATIO, Slope
from backproof.together import Together

EPSILON = float(np.finfo(np.float64).eps)


def probing_of(cost: Any, w: Any, claimed: Any, **origin: Any) -> Probing:
    """Return the probing of a nest's only array."""
    point = Parameters(w)
    return Probing(cost, point, measure_origin(cost, point)._replace(**origin), 0, claimed, seed=0)


def wrong_by(mistakes: dict[tuple[int, ...], float], shape: tuple[int, ...]) -> Probing:
    """Return the probing of a sum of squares, some entries of whose gradient are wrong."""
    w = np.random.default_rng(0).normal(size=shape)
    claimed = 2 * w
    for place, mistake in mistakes.items():
        claimed[place] += mistake
    return probing_of(lambda w: np.sum(w**2), w, claimed)


def near_a_kink(distance: float, wrong: float = 0.0) -> Probing:
    """Return the probing of squares and a kink at a distance; one entry may be wrong."""
    w = np.linspace(1.0, 2.0, 50)
    claimed = 2 * w
    claimed[[0, 7]] += 3, wrong

    def cost(w: Any) -> Any:
        return np.sum(w**2) + 3 * max(w[0] - 1 + distance, 0.0)

    return probing_of(cost, w, claimed, step=3e-6, noise=1e-14)


def all_probes(probing: Probing) -> list[Probe]:
    """Return the probes of a whole array."""
    return [probing.probe(probing.claim(k)) for k in range(PROBES)]


def difference(h: float, distance: float, curve: float, noise: float, jump: float) -> Difference:
    """Return the difference of a line of slope 1 whose slope jumps at a distance."""

    def at(t: float) -> float:
        beyond = t > distance > 0 or t < distance < 0
        return t + curve * t**2 + jump * (t - distance) * beyond

    ahead, behind = at(h) / h, at(-h) / -h
    return Difference(h, (ahead + behind) / 2, ahead - behind, rounding=noise / h)


@pytest.mark.parametrize("jump", [2.0, -2.0, 0.1])
@pytest.mark.parametrize("distance", [s * d for s in (1, -1) for d in np.logspace(-4, -0.3, 9)])
@pytest.mark.parametrize("curve", [0.0, 1e-5])
def test_the_side_that_is_clear_of_a_kink_has_the_slope(
    jump: float, distance: float, curve: float
) -> None:
    """However near the kink is, ahead or behind, and beside a curve."""
    steps = (difference(h, distance, curve, 1e-8, jump) for h in (1.0, 1 / CLEAR))
    slope = clear_slope(*steps)
    assert abs(slope.value - 1) <= slope.error < 1e-5


def test_a_slope_is_not_known_where_no_side_is_clear() -> None:
    """At the kink itself, between two kinks, and where noise may be all that changes."""
    at_the_point = (difference(h, 1e-12, 0.0, 1e-8, 2.0) for h in (1.0, 1 / CLEAR))
    assert clear_slope(*at_the_point).error == np.inf
    between = Difference(1.0, 1.5, gap=0.1), Difference(1 / CLEAR, 1.2, gap=0.1, rounding=1e-6)
    assert clear_slope(*between).error == np.inf
    noisy = Difference(1.0, 1.0, gap=0.0), Difference(1 / CLEAR, 1.01, gap=0.0, rounding=1e-2)
    assert clear_slope(*noisy).error == np.inf


def test_between_two_kinks_the_smaller_step_may_be_clear() -> None:
    """Its gap is gone, and noise does not explain the change of the value."""
    smaller = Difference(1 / CLEAR, 1.0, gap=1e-6, rounding=1e-6)
    for change in (0.1, -0.1):
        assert clear_slope(Difference(1.0, 1 + change, gap=0.05), smaller) == (1.0, 2e-6)


@pytest.mark.parametrize(("times", "known"), [(8, False), (8.5, True)])
def test_a_change_is_one_if_it_is_more_than_eight_times_the_noise(
    times: float, known: bool
) -> None:
    """On both sides, or on that of the kink."""
    noise = 2.0**-20
    smaller = Difference(1 / CLEAR, 2.0, gap=0.0, rounding=noise / 2)
    larger = Difference(1.0, 2 - times * noise, gap=0.0)
    assert (clear_slope(larger, smaller).error == noise) is known
    larger = Difference(1.0, 2.5 + times * noise / 2, gap=1 + times * noise)
    assert (clear_slope(larger, smaller._replace(value=2.5, gap=1.0)).error == noise) is known


def test_a_claim_settles_within_the_rounding_of_both() -> None:
    """That of the slope, and that of its own product with the direction."""
    this = Difference(1e-6, 2.0, gap=0.0, rounding=0.125)
    claim = wrong_by({}, (5,)).claim(0)._replace(rounding=0.125, size=1.0)
    for claimed, settles in ((2.25, True), (1.75, True), (2.26, False), (1.74, False)):
        assert _settles(this, claim._replace(slope=claimed), fine=0.125) is settles
    assert not _settles(this, claim._replace(slope=2.0), fine=0.12)


@pytest.mark.parametrize(
    ("met", "bend", "expected"),
    [
        (False, 1.0, (1.01, 0.0664)),
        (True, 1.0, (1.0, 0.0564)),
        (True, 119.0, (1.0, 0.2726)),
        (True, 120.0, (1.01, 0.2844)),
    ],
)
def test_an_error_has_all_its_parts(met: bool, bend: float, expected: tuple[float, float]) -> None:
    """Rounding, half the gap and, of two steps, the change; the gap of one may be 8 roundings."""
    origin = Origin(0.0, EPSILON, noise=1e-4, step=0.1, evaluations=2)
    probing = Probing(np.sum, Parameters(np.ones(1)), origin, 0, np.ones(1), seed=0)
    probing.step = 0.1 / CLEAR if met else 0.1
    line = Line(lambda t: (t, t + bend * t**2 + t**3), origin, 1.0, 1.0)
    slope = probing.clear_of_kinks(line, probing.difference(line, probing.step))
    assert slope == pytest.approx(expected, abs=1e-4)


def test_the_product_of_a_claim_is_rounded() -> None:
    """By four times the precision of the claim, times the norm of what is summed."""
    claimed = np.linspace(1.0, 2.0, 30).astype(np.float32)
    probing = probing_of(np.sum, np.ones(30), claimed)
    weights = probing.direction(0)
    _, product, rounding, size = probing.claim(0)
    assert product == pytest.approx(float(claimed @ weights))
    assert size == pytest.approx(np.linalg.norm(claimed * weights))
    assert rounding == 4 * 2.0**-23 * size


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


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_probe_is_the_slope_along_its_direction(scale: float) -> None:
    """In all of an array, and in a part, within its error."""
    w = scale * np.random.default_rng(1).normal(size=(4, 6))
    probing = probing_of(lambda w: np.sum(w**3), w, 3 * w**2)
    for region in (probing.everything, (slice(1, 3), slice(0, 5))):
        for k in range(PROBES):
            probe = probing.probe(probing.claim(k, region))
            true = float(np.sum((3 * w**2 * probing.direction(k))[region]))
            assert abs(probe.slope - true) <= probe.error < 1e-6 * scale**2
            assert abs(probe.residual) <= probe.error
    assert probing.evaluations == 2 * 2 * PROBES


def test_directions_share_their_signs_and_nothing_else() -> None:
    """Each array, turn and seed has its own, of sizes between 0.5 and 1.5."""
    probing = wrong_by({}, (30, 40))
    directions = [probing.direction(k) for k in range(PROBES)]
    assert all(((abs(d) >= 0.5) & (abs(d) < 1.5)).all() for d in directions)
    assert all((np.sign(d) == np.sign(directions[0])).all() for d in directions)
    assert abs(np.mean(directions[0] > 0) - 0.5) < 0.05
    assert len({float(d[0, 0]) for d in directions}) == PROBES
    probing.turn = 1
    assert all((probing.direction(0) != d).all() for d in directions)
    assert (np.sign(probing.direction(0)) == np.sign(directions[0])).all()


@pytest.mark.parametrize(
    ("distance", "wrong", "evaluations"),
    [(1.0, 0, 2), (1.0, 0.1, 4), (1e-6, 0, 4), (1e-6, 0.1, 4), (1e-9, 0, 4), (1e-9, 0.1, 4)],
)
def test_the_first_probe_takes_what_it_needs(
    distance: float, wrong: float, evaluations: int
) -> None:
    """Two evaluations for a right claim, and two more beside a kink or for a wrong one."""
    probing = near_a_kink(distance, wrong)
    (slope, residual, error), _ = first_probe(probing, 5.0)
    assert abs(residual - wrong * probing.direction(0)[7]) <= error < 1e-4
    assert abs(slope + residual - probing.project(probing.gradient)[0]) < 1e-9
    assert probing.evaluations == evaluations
    assert probing.beside_a_kink == (distance < 0.1)


@pytest.mark.parametrize(
    ("distance", "largest", "evaluations"),
    [
        (1.0, 1e-7, 20),
        (1.0, 1e-4, 20),
        (1.0, 1e-3, 2),
        (1e-6, 1e-5, 14),
        (1e-6, 1e-1, 4),
        (1e-6, 1e7, 4),
    ],
)
def test_an_error_has_to_be_fine_beside_the_largest_entry(
    distance: float, largest: float, evaluations: int
) -> None:
    """Else it takes as many evaluations as a slope may take; beside a kink, less is enough."""
    probing = near_a_kink(distance)
    first_probe(probing, largest)
    assert probing.evaluations == evaluations


@pytest.mark.parametrize(("mistake", "evaluations"), [(1.4, 20), (1.44, 4), (1.6, 4), (-1.6, 4)])
def test_a_claim_is_clearly_wrong_beyond_twice_the_error(mistake: float, evaluations: int) -> None:
    """Of the second step, which has more noise; four evaluations show it."""
    origin = Origin(3.0, EPSILON, noise=1e-3, step=0.1, evaluations=2)
    claimed = np.array([1.0, 1.0 + mistake, 1.0])
    probing = Probing(np.sum, Parameters(np.ones(3)), origin, 0, claimed, seed=0)
    first_probe(probing, 200.0)
    assert probing.evaluations == evaluations


@pytest.mark.parametrize(("distance", "evaluations"), [(1e-9, 18), (1e-6, 12), (1.0, 2)])
def test_an_entry_is_measured_by_more_steps_if_a_kink_may_pass_for_a_mistake(
    distance: float, evaluations: int
) -> None:
    """Else two evaluations are enough."""
    probing = near_a_kink(distance)
    slope = probing.entry(0)
    assert abs(slope.value - 5.0) <= slope.error < 1e-3
    assert probing.evaluations == evaluations
    assert abs(probing.entry(5).value - probing.gradient[5]) < 1e-6
    assert probing.evaluations == evaluations + 2


@pytest.mark.parametrize(("bend", "evaluations"), [(0.001, 4), (0.01, 6), (0.1, 6)])
def test_a_curve_may_hide_on_which_side_a_kink_is(bend: float, evaluations: int) -> None:
    """A step in between tells, if the curve is slight."""
    origin = Origin(0.0, EPSILON, noise=1e-9, step=0.1, evaluations=2)
    probing = Probing(np.sum, Parameters(np.ones(1)), origin, 0, np.ones(1), seed=0)
    line = Line(lambda t: (t, t + bend * t**2 + max(t - 1e-5, 0.0)), origin, 1.0, 1.0)
    slope = probing.clear_of_kinks(line, probing.difference(line, 0.1))
    assert probing.evaluations == evaluations
    assert np.isfinite(slope.error) == (bend < 0.1)
    assert abs(slope.value - 1) <= slope.error


def test_the_error_beside_a_kink_is_what_a_curve_may_leave() -> None:
    """Eight times the share that the smaller step has of the change, and the noise."""
    smaller = Difference(0.25, 1.5, gap=1.0, rounding=2.0**-20)
    larger = Difference(1.0, 2.0 + 2.0**-11, gap=2.0 - 2.0**-10)
    assert clear_slope(larger, smaller) == (1.0, 2.0**-19 + 2 * 2.0**-10)


def test_the_error_of_a_probe_is_that_of_the_slope_and_of_the_claim() -> None:
    """The residual is what is claimed too much."""
    claim = wrong_by({}, (5,)).claim(0)._replace(slope=3.0, rounding=0.25)
    assert claim.beside(Slope(1.0, 0.5)) == Probe(1.0, 2.0, 0.75)


def test_a_larger_step_is_taken_only_where_it_meets_no_kink() -> None:
    """It is finer; after a kink, and only once."""
    for distance, taken in ((1e-6, True), (1e-9, False)):
        probing = near_a_kink(distance)
        first, _ = first_probe(probing, 5.0)
        again = probing.refined(first)
        assert probing.step == 3e-6 / (RATIO if taken else CLEAR)
        assert (again.error < first.error / 5) is taken
        assert (again == first) is not taken
        count = probing.evaluations
        assert probing.refined(again) == again
        assert probing.evaluations == count + 2 * (not taken)
    fresh = wrong_by({}, (5,))
    assert fresh.refined(Probe(1.0, 0.0, 0.1)) == (1.0, 0.0, 0.1)
    assert not fresh.evaluations


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


@pytest.mark.parametrize("shape", [(40,), (8, 9), (3, 4, 5), (1, 50)])
def test_a_wrong_entry_fits_its_residuals_alone(shape: tuple[int, ...]) -> None:
    """By its flat index in the array, in all of it and in a part."""
    place = tuple(n // 2 for n in shape)
    flat = int(np.ravel_multi_index(place, shape))
    probing = wrong_by({place: 0.3}, shape)
    assert fitting(probing, probing.everything, all_probes(probing)) == [flat]
    part = tuple(slice(p, None) for p in place)
    region = tuple(slice(*s.indices(n)) for s, n in zip(part, shape, strict=True))
    probes = [probing.probe(probing.claim(k, region)) for k in range(PROBES)]
    assert fitting(probing, region, probes) == [flat]
    rest = without(probing, probes, flat, 0.3, 1e-3)
    assert all(abs(p.residual) < 1e-6 for p in rest)
    weights = [abs(probing.direction(k)[place]) for k in range(PROBES)]
    errors = [1e-3 * w + p.error for w, p in zip(weights, probes, strict=True)]
    assert [p.error for p in rest] == pytest.approx(errors)


def test_probes_that_are_not_known_do_not_count() -> None:
    """Their residuals may be anything."""
    probing = wrong_by({(3, 4): 0.3}, (8, 9))
    probes = [*all_probes(probing), probing.probe(probing.claim(PROBES))]
    for k in (0, 3):
        probes[k] = Probe(0.0, 1e3, np.inf)
        assert fitting(probing, probing.everything, probes) == [31]


@pytest.mark.parametrize(
    ("noise", "fits", "tried", "taken"),
    [(1e-3, 1, 1, 4), (0.0129, 3, 3, 4), (0.0132, 4, 2, 5), (0.02, 4, 1, 8)],
)
def test_probes_are_added_while_many_entries_fit(
    noise: float, fits: int, tried: int, taken: int
) -> None:
    """The more noise there is, the more of them are needed, at most twice as many.

    Of many entries that fit, the best one is tried; of a few, all of them.
    """
    claimed = np.ones((4, 9))
    claimed[1, 2] = 1.5
    point, origin = Parameters(np.zeros((4, 9))), Origin(0.0, EPSILON, noise, 1.0, 2)
    probing = Probing(np.sum, point, origin, 0, claimed, seed=0)
    probes = all_probes(probing)
    assert len(fitting(probing, probing.everything, probes)) == fits
    found = list(candidates(probing, probing.everything, probes))
    assert found[0] == 11
    assert len(found) == len(set(found)) == tried
    assert len(probes) == taken


@pytest.mark.parametrize("shape", [(60,), (20, 15), (4, 5, 6)])
@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_all_wrong_entries_are_located_and_no_other(shape: tuple[int, ...], count: int) -> None:
    """Each with its slope, once, in fewer evaluations than measuring all entries takes."""
    size = int(np.prod(shape))
    chosen = np.random.default_rng(count).choice(size, count, replace=False)
    places = [tuple(int(k) for k in np.unravel_index(i, shape)) for i in chosen]
    probing = wrong_by({place: 0.01 * (n + 1) for n, place in enumerate(places)}, shape)
    found = list(locate(probing, probing.everything, all_probes(probing)))
    assert sorted(index for index, _ in found) == sorted(chosen)
    right = 2 * probing.values.reshape(-1)
    assert all(abs(slope.value - right[index]) <= slope.error < 1e-6 for index, slope in found)
    if size > 100:
        assert probing.evaluations < 2 * size


def test_both_halves_are_measured_once() -> None:
    """The half that is measured is the first along the longest axis; the other has the rest."""
    for places, evaluations in (([(1, 2)], 6), ([(1, 9)], 6), ([(1, 2), (1, 9)], 12)):
        probing = wrong_by(dict.fromkeys(places, 0.3), (3, 12))
        probes = all_probes(probing)
        probing.evaluations = 0
        found = [index for index, _ in divide(probing, probing.everything, probes)]
        assert found == [12 * i + j for i, j in places]
        assert probing.evaluations == evaluations
    left = remainder([Probe(3.0, 2.0, 0.5)] * 4, [Probe(1.0, 0.5, 0.25)] * 2)
    assert left == [Probe(2.0, 1.5, 0.75)] * 2


def test_a_region_is_divided_down_to_single_entries() -> None:
    """Two of them, both wrong, are told apart; one that is right by itself is left alone."""
    probing = wrong_by({(3,): 0.1, (4,): 0.2}, (10,))
    pair, single = (slice(3, 5),), (slice(5, 6),)
    probes = [probing.probe(probing.claim(k, pair)) for k in range(PROBES)]
    assert [index for index, _ in locate(probing, pair, probes)] == [3, 4]
    probing.evaluations = 0
    assert not list(locate(probing, single, [Probe(1.0, 0.5, 0.1)] * PROBES))
    assert probing.evaluations <= 2 * PROBES + 2


def test_an_error_may_be_as_large_as_a_residual() -> None:
    """Then no mistake is seen."""
    assert right_throughout([Probe(3.0, 0.5, 0.5), Probe(3.0, -0.5, 0.5)])
    assert not right_throughout([Probe(3.0, 0.5, 0.5), Probe(3.0, -0.51, 0.5)])


def test_an_array_is_divided_no_further_than_its_share() -> None:
    """Of many wrong entries, some are located, and the search ends."""
    probing = wrong_by({(i, j): 0.1 * (i + j + 1) for i in range(20) for j in range(20)}, (40, 40))
    for probing.evaluations, enough in ((250, False), (251, True), (0, False)):
        assert spent(probing) is enough
    found = list(locate(probing, probing.everything, all_probes(probing)))
    assert 0 < len(found) < 400
    assert 250 < probing.evaluations < 350
    assert not list(locate(probing, probing.everything, all_probes(probing)))


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
    assert report.evaluations == 24


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
    assert report.evaluations == 14 + (10 if kink else 12) * wrong + 2 * right_ones + again


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
def test_what_is_too_small_beside_the_others_is_probed_by_itself(scale: float, others: int) -> None:
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


def test_arrays_that_say_nothing_are_left_out() -> None:
    """Empty ones, ones without a gradient, and ones that are not finite."""
    nest = nest_of(2) | {"empty": np.zeros((0, 3)), "dead": np.ones(3), "nan": np.ones(2)}
    claimed = double(nest_of(2)) | {"empty": np.zeros((0, 3)), "dead": np.zeros(3)}
    claimed["nan"] = np.array([0.0, np.nan])

    def cost(p: Any) -> Any:
        return np.sum(p["a0"] ** 2) + np.sum(p["a1"] ** 2)

    report = check_gradient(cost, claimed, nest, method="directions")
    assert [array.verdict for array in report.arrays.values()] == ["correct"] * 4 + ["wrong"]
    assert list(report.arrays) == list(nest)
    assert report.arrays["empty"].resolution == report.arrays["dead"].resolution == 0.0
    assert report.evaluations == 12


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
