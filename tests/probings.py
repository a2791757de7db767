"""Arrays under test, whose gradients are wrong in given entries."""

from typing import Any

import numpy as np

from backproof.costs import measure_origin
from backproof.parameters import Parameters
from backproof.probing import PROBES, Probe, Probing


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


def all_probes(probing: Probing) -> list[Probe]:
    """Return the probes of a whole array."""
    return [probing.probe(probing.claim(k)) for k in range(PROBES)]
