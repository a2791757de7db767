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
    """Yield the wrong entries of a region, by their flat index, with their measured slopes.

    Examples
    --------
    Three of the entries are wrong, two of them side by side:

    >>> from backproof.costs import measure_origin
    >>> from backproof.parameters import Parameters
    >>> w = np.linspace(0.5, 2.0, 36).reshape(4, 9)
    >>> claimed = 2 * w
    >>> claimed[0, 0], claimed[0, 1], claimed[3, 8] = 2.0, 2.0, 6.0
    >>> cost, point = lambda w: np.sum(w**2), Parameters(w)
    >>> probing = Probing(cost, point, measure_origin(cost, point), 0, claimed, seed=0)
    >>> probes = [probing.probe(probing.claim(k)) for k in range(PROBES)]
    >>> found = locate(probing, probing.everything, probes)
    >>> [(index, round(slope.value, 6)) for index, slope in found], probing.evaluations
    ([(0, 1.0), (1, 1.085714), (35, 4.0)], 48)
    """
    if right_throughout(probes) or spent(probing):
        return
    for index in candidates(probing, region, probes):
        if index in probing.located:  # what is left of it is no mistake of its own
            continue
        slope = probing.entry(index)
        mistake = float(probing.gradient.reshape(-1)[index]) - slope.value
        if abs(mistake) > slope.error:
            probing.located.add(index)
            yield index, slope
            probes = without(probing, probes, index, mistake, slope.error)
            break
    if not right_throughout(probes) and any(s.stop - s.start > 1 for s in region):
        yield from divide(probing, region, probes)


def without(
    probing: Probing, probes: list[Probe], index: int, mistake: float, error: float
) -> list[Probe]:
    """Return what probes of a region would be if one of its entries were right.

    Examples
    --------
    >>> from backproof.costs import Origin
    >>> from backproof.parameters import Parameters
    >>> point, origin = Parameters(np.zeros(5)), Origin(0.0, 2**-52, 0.0, 1e-5, 2)
    >>> probing = Probing(np.sum, point, origin, 0, np.zeros(5), seed=0)
    >>> weight = probing.direction(0)[3]
    >>> probe = without(probing, [Probe(1.0, 2.5 * weight, 0.0)], 3, mistake=2.0, error=0.1)[0]
    >>> f"{probe.residual / weight:.3f} {probe.error / abs(weight):.3f}"
    '0.500 0.100'
    """
    weights = [probing.direction(k).reshape(-1)[index] for k in range(len(probes))]
    return [
        Probe(p.slope, p.residual - mistake * w, p.error + error * abs(w))
        for p, w in zip(probes, weights, strict=True)
    ]


def divide(probing: Probing, region: Region, probes: list[Probe]) -> Iterator[tuple[int, Slope]]:
    """Locate in the two halves of a region; what one of them lacks, the other has.

    Examples
    --------
    Both halves of a matrix have a wrong entry. Four probes of the first half tell on both:

    >>> from backproof.costs import measure_origin
    >>> from backproof.parameters import Parameters
    >>> point, claimed = Parameters(np.zeros((4, 12))), np.ones((4, 12))
    >>> claimed[1, 2] = claimed[2, 6] = 1.5
    >>> probing = Probing(np.sum, point, measure_origin(np.sum, point), 0, claimed, seed=0)
    >>> probes = [probing.probe(probing.claim(k)) for k in range(PROBES)]
    >>> [index for index, _ in divide(probing, probing.everything, probes)], probing.evaluations
    ([14, 30], 24)
    """
    axis = max(range(len(region)), key=lambda a: region[a].stop - region[a].start)
    middle = (region[axis].start + region[axis].stop) // 2
    left, right = list(region), list(region)
    left[axis] = slice(region[axis].start, middle)
    right[axis] = slice(middle, region[axis].stop)
    first, second = tuple(left), tuple(right)
    measured = [probing.probe(probing.claim(k, first)) for k in range(2)]
    if right_throughout(measured):
        yield from locate(probing, second, probes)
    elif right_throughout(remainder(probes, measured)):
        yield from locate(probing, first, probes)
    else:
        measured += [probing.probe(probing.claim(k, first)) for k in range(2, PROBES)]
        yield from locate(probing, first, measured)
        yield from locate(probing, second, remainder(probes, measured))


def remainder(probes: list[Probe], measured: list[Probe]) -> list[Probe]:
    """Return what a region's other half has, as far as its first half was measured.

    Examples
    --------
    >>> remainder([Probe(3.0, 1.0, 0.25), Probe(2.0, 1.0, 0.25)], [Probe(1.0, 0.75, 0.125)])
    [Probe(slope=2.0, residual=0.25, error=0.375)]
    """
    pairs = zip(probes, measured, strict=False)
    return [Probe(p.slope - m.slope, p.residual - m.residual, p.error + m.error) for p, m in pairs]


def right_throughout(probes: list[Probe]) -> bool:
    """Tell whether no probe of a region shows a mistake.

    Examples
    --------
    >>> right_throughout([Probe(3.0, 0.5, 0.5), Probe(3.0, -0.5, 0.5)])
    True
    >>> right_throughout([Probe(3.0, 0.5, 0.5), Probe(3.0, -0.75, 0.5)])
    False
    """
    return all(abs(probe.residual) <= probe.error for probe in probes)


def candidates(probing: Probing, region: Region, probes: list[Probe]) -> Iterator[int]:
    """Yield the entries that may be the wrong one; if many may, only the best of each probe.

    Examples
    --------
    The more noise a cost has, the more entries fit, and the more probes may be needed:

    >>> from backproof.costs import Origin
    >>> from backproof.parameters import Parameters
    >>> point, claimed = Parameters(np.zeros((4, 9))), np.ones((4, 9))
    >>> claimed[1, 2] = 1.5
    >>> for noise in (0.0129, 0.0132, 0.02):
    ...     origin = Origin(0.0, 2**-52, noise, step=1.0, evaluations=2)
    ...     probing = Probing(np.sum, point, origin, 0, claimed, seed=0)
    ...     probes = [probing.probe(probing.claim(k)) for k in range(PROBES)]
    ...     print(list(candidates(probing, probing.everything, probes)), len(probes))
    [11, 35, 20] 4
    [11, 18] 5
    [11] 8
    """
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
        probes.append(probing.probe(probing.claim(len(probes), region)))


def fitting(probing: Probing, region: Region, probes: list[Probe]) -> list[int]:
    """Return the entries whose weights are in the ratios of the residuals, the best fit first.

    If there are more than MOST_CANDIDATES, one more stands for all others.

    Examples
    --------
    An entry is wrong by 0.5; what fits the residuals depends on how well they are known:

    >>> from backproof.costs import Origin
    >>> from backproof.parameters import Parameters
    >>> point, origin = Parameters(np.zeros((4, 9))), Origin(0.0, 2**-52, 0.0, 1e-5, 2)
    >>> probing = Probing(np.sum, point, origin, 0, np.zeros((4, 9)), seed=0)
    >>> mistakes = np.zeros((4, 9))
    >>> mistakes[1, 2] = 0.5
    >>> for error in (0.05, 0.1):
    ...     probes = [Probe(0.0, r, error) for r in probing.project(mistakes)]
    ...     print(fitting(probing, probing.everything, probes))
    [11]
    [11, 35, 20, 2]

    A probe that is not known at all says nothing:

    >>> probes[2] = Probe(0.0, 0.0, np.inf)
    >>> fitting(probing, probing.everything, probes)[0]
    11
    """
    _, residuals, errors = np.array(probes).T
    reference = int(np.argmax(np.abs(residuals) - errors))
    base = np.abs(probing.direction(reference)[region])
    misfit = np.zeros(base.shape)
    for k in set(range(len(probes))) - {reference}:
        ratio = residuals[k] / residuals[reference]
        error = (errors[k] + abs(ratio) * errors[reference]) / abs(residuals[reference])
        misfit += ((np.abs(probing.direction(k)[region]) / base - ratio) / max(error, 1e-12)) ** 2
    flat = misfit.reshape(-1)
    fits = np.flatnonzero(flat <= len(probes))
    best = fits[np.argsort(flat[fits], kind="stable")][: MOST_CANDIDATES + 1]
    places = zip(np.unravel_index(best, base.shape), region, strict=True)
    inside = [place + s.start for place, s in places]
    return [int(index) for index in np.ravel_multi_index(inside, probing.shape)]


def spent(probing: Probing) -> bool:
    """Tell whether the array has had its share of evaluations."""
    return probing.evaluations > MOST_EVALUATIONS
