"""The entries that are read off the residuals of probes."""

import numpy as np
import pytest

from backproof.costs import Origin
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
from backproof.probing import PROBES, Probe, Probing
from probings import all_probes, wrong_by

EPSILON = float(np.finfo(np.float64).eps)


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
    for places, evaluations in (([(1, 2)], 8), ([(1, 9)], 8), ([(1, 2), (1, 9)], 16)):
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
