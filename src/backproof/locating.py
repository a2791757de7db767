"""The place of an array's wrong entries, read off the residuals of its probes.

If a single entry is wrong, the residuals of several probes are in the ratios of its weights,
and of no other entry's: so the entry is read off them, as an error-correcting code reads off
the place of a wrong symbol. If more are wrong, the array is divided, until one is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backproof.parameters import Vector
from backproof.probing import PROBES, Probe, Probing, Region
from backproof.slopes import Slope

# No array is divided further once its wrong entries have taken this many evaluations.
MOST_EVALUATIONS = 250


def locate(probing: Probing, region: Region, probes: list[Probe]) -> Iterator[tuple[int, Slope]]:
    """Yield the wrong entries of a region, by their flat index, with their measured slopes."""
    residuals = np.array([probe.residual for probe in probes])
    errors = np.array([probe.error for probe in probes])
    size = int(np.prod([s.stop - s.start for s in region]))
    if not size or right_throughout(probes) or spent(probing):
        return
    for index in candidates(probing, region, residuals, errors):
        slope = probing.entry(index)
        mistake = float(probing.gradient.reshape(-1)[index]) - slope.value
        if abs(mistake) > slope.error:
            yield index, slope
            own = np.array([probing.direction(k).reshape(-1)[index] for k in range(PROBES)])
            rest = [
                Probe(p.slope, p.residual - mistake * w, p.error + slope.error * abs(w))
                for p, w in zip(probes, own, strict=True)
            ]
            if right_throughout(rest):
                return
            probes = rest
            break
    if size > 1:
        yield from divide(probing, region, probes)


def divide(probing: Probing, region: Region, probes: list[Probe]) -> Iterator[tuple[int, Slope]]:
    """Locate in the two halves of a region; what one of them lacks, the other has."""
    axis = max(range(len(region)), key=lambda a: region[a].stop - region[a].start)
    middle = (region[axis].start + region[axis].stop) // 2
    left, right = list(region), list(region)
    left[axis] = slice(region[axis].start, middle)
    right[axis] = slice(middle, region[axis].stop)
    first, second = tuple(left), tuple(right)
    measured = [probing.probe(first, k) for k in range(2)]
    if right_throughout(measured):
        yield from locate(probing, second, probes)
    elif right_throughout(remainder(probes, measured)):
        yield from locate(probing, first, probes)
    else:
        measured += [probing.probe(first, k) for k in range(2, PROBES)]
        yield from locate(probing, first, measured)
        yield from locate(probing, second, remainder(probes, measured))


def remainder(probes: list[Probe], measured: list[Probe]) -> list[Probe]:
    """Return what a region's other half has, as far as its first half was measured."""
    pairs = zip(probes, measured, strict=False)
    return [Probe(p.slope - m.slope, p.residual - m.residual, p.error + m.error) for p, m in pairs]


def right_throughout(probes: list[Probe]) -> bool:
    """Tell whether no probe of a region shows a mistake."""
    return all(abs(probe.residual) <= probe.error for probe in probes)


def candidates(
    probing: Probing, region: Region, residuals: Vector, errors: Vector, most: int = 3
) -> list[int]:
    """Return the entries whose weights are in the ratios of the residuals, the best fit first."""
    reference = int(np.argmax(np.abs(residuals) / np.where(errors > 0, errors, 1e-300)))
    base = np.abs(probing.direction(reference)[region])
    misfit = np.zeros(base.shape)
    for k in set(range(PROBES)) - {reference}:
        ratio = residuals[k] / residuals[reference]
        error = (errors[k] + abs(ratio) * errors[reference]) / abs(residuals[reference])
        misfit += ((np.abs(probing.direction(k)[region]) / base - ratio) / max(error, 1e-12)) ** 2
    flat = misfit.reshape(-1)
    best = np.argpartition(flat, min(most, flat.size - 1))[:most]
    fits = [int(i) for i in best[np.argsort(flat[best])] if flat[i] <= PROBES]
    places = [np.unravel_index(i, base.shape) for i in fits]
    starts = [s.start for s in region]
    return [
        int(
            np.ravel_multi_index([p + s for p, s in zip(place, starts, strict=True)], probing.shape)
        )
        for place in places
    ]


def spent(probing: Probing) -> bool:
    """Tell whether the array has had its share of evaluations."""
    return probing.evaluations > MOST_EVALUATIONS
