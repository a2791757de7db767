"""The place of an array's wrong entries, read off the residuals of its probes.

If a single entry is wrong, the residuals of several probes are in the ratios of its weights,
and of no other entry's: so the entry is read off them, as an error-correcting code reads off
the place of a wrong symbol. If more are wrong, the array is divided, until one is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backproof.probing import PROBES, Probe, Probing, Region
from backproof.slopes import Slope

# No array is divided further once its wrong entries have taken this many evaluations.
MOST_EVALUATIONS = 250

# So many entries are measured if they fit the residuals; if more do, the array is probed again.
MOST_CANDIDATES = 3


def locate(probing: Probing, region: Region, probes: list[Probe]) -> Iterator[tuple[int, Slope]]:
    """Yield the wrong entries of a region, by their flat index, with their measured slopes."""
    size = int(np.prod([s.stop - s.start for s in region]))
    if not size or right_throughout(probes) or spent(probing):
        return
    for index in candidates(probing, region, probes):
        slope = probing.entry(index)
        mistake = float(probing.gradient.reshape(-1)[index]) - slope.value
        if abs(mistake) > slope.error:
            yield index, slope
            own = np.array([probing.direction(k).reshape(-1)[index] for k in range(len(probes))])
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


def candidates(probing: Probing, region: Region, probes: list[Probe]) -> Iterator[int]:
    """Yield the entries that may be the wrong one; if many may, only the best of each probe."""
    tried = set()
    while True:
        found = fitting(probing, region, probes)
        few = len(found) <= MOST_CANDIDATES
        for index in found if few else found[:1]:
            if index not in tried:
                yield index
                tried.add(index)
        if few or len(probes) == 2 * PROBES:
            return
        probes.append(probing.probe(region, len(probes)))


def fitting(probing: Probing, region: Region, probes: list[Probe]) -> list[int]:
    """Return the entries whose weights are in the ratios of the residuals, the best fit first."""
    _, residuals, errors = np.array(probes).T
    reference = int(np.argmax(np.abs(residuals) / np.where(errors > 0, errors, 1e-300)))
    base = np.abs(probing.direction(reference)[region])
    misfit = np.zeros(base.shape)
    for k in set(range(len(probes))) - {reference}:
        ratio = residuals[k] / residuals[reference]
        error = (errors[k] + abs(ratio) * errors[reference]) / abs(residuals[reference])
        misfit += ((np.abs(probing.direction(k)[region]) / base - ratio) / max(error, 1e-12)) ** 2
    flat = misfit.reshape(-1)
    fits = np.flatnonzero(flat <= len(probes))
    best = fits[np.argsort(flat[fits], kind="stable")]
    places = zip(np.unravel_index(best, base.shape), region, strict=True)
    inside = [place + s.start for place, s in places]
    return [int(index) for index in np.ravel_multi_index(inside, probing.shape)]


def spent(probing: Probing) -> bool:
    """Tell whether the array has had its share of evaluations."""
    return probing.evaluations > MOST_EVALUATIONS
