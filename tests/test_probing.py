"""Probes of one array: in noise, beside kinks, and what their errors are made of."""

from typing import Any

import numpy as np
import pytest

from backproof.costs import Origin
from backproof.lines import Difference, Line
from backproof.parameters import Parameters
from backproof.probing import CLEAR, PROBES, Probe, Probing, _settles, clear_slope, first_probe
from backproof.slopes import RATIO, Slope
from probings import probing_of, wrong_by

EPSILON = float(np.finfo(np.float64).eps)


def near_a_kink(distance: float, wrong: float = 0.0) -> Probing:
    """Return the probing of squares and a kink at a distance; one entry may be wrong."""
    w = np.linspace(1.0, 2.0, 50)
    claimed = 2 * w
    claimed[[0, 7]] += 3, wrong

    def cost(w: Any) -> Any:
        return np.sum(w**2) + 3 * max(w[0] - 1 + distance, 0.0)

    return probing_of(cost, w, claimed, step=3e-6, noise=1e-14)


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


def test_later_probes_have_smaller_steps_than_the_first() -> None:
    """So that they meet fewer kinks."""
    probing = near_a_kink(1.2e-6)
    claim = probing.claim(1)
    assert abs(probing.probe(claim).residual) < 1e-6
    assert abs(claim.beside(Slope(probing.difference(claim.line, 3e-6).value, 0)).residual) > 1e-2


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


@pytest.mark.parametrize(("distance", "evaluations"), [(1e-9, 20), (1e-6, 12), (1.0, 2)])
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
