"""Where the wrong entries of a region are, from the residuals of its probes.

If one entry is wrong, the residuals of several probes are in the ratios of its weights, and of
no other's: it is read off, as an error-correcting code reads off the place of a wrong symbol (30).
If more are wrong, the region is divided, until one is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from backproof._decide import Claim, Finding, decide
from backproof._directions import of_entry
from backproof._probes import Probe, Prober, Region

# Three ratios of residuals tell one entry among a million.
PROBES = 4

# If so many entries fit the residuals they are measured; if more do, another probe is taken.
MOST_CANDIDATES = 3


def locate(
    prober: Prober, region: Region, probes: list[Probe], budget: float
) -> Iterator[tuple[int, int, Finding]]:
    """Yield the wrong entries of a region: the block, the flat index, and what was found."""
    if right_throughout(probes) or prober.check.objective.evaluations > budget:
        return
    for number, index in candidates(prober, region, probes):
        finding = decide_entry(prober, number, index)
        if finding.verdict == "wrong":
            yield number, index, finding
            probes = without(prober, probes, number, index, finding)
            break
    if not right_throughout(probes) and size_of(region) > 1:
        yield from divide(prober, region, probes, budget)


def divide(
    prober: Prober, region: Region, probes: list[Probe], budget: float
) -> Iterator[tuple[int, int, Finding]]:
    """Locate in the two halves of a region; what one of them lacks, the other has (32)."""
    first, second = halves(region)
    measured = [prober.probe(first, k) for k in range(2)]
    if right_throughout(measured):
        yield from locate(prober, second, probes, budget)
    elif right_throughout(remainder(probes, measured)):
        yield from locate(prober, first, probes, budget)
    else:
        measured += [prober.probe(first, k) for k in range(2, PROBES)]
        yield from locate(prober, first, measured, budget)
        yield from locate(prober, second, remainder(probes, measured), budget)


def halves(region: Region) -> tuple[Region, Region]:
    """Return two parts of a region: half of its arrays, or of one array along its longest axis."""
    numbers = list(region)
    if len(numbers) > 1:
        middle = len(numbers) // 2
        parts = numbers[:middle], numbers[middle:]
        return {n: region[n] for n in parts[0]}, {n: region[n] for n in parts[1]}
    (number, part), *_ = region.items()
    axis = max(range(len(part)), key=lambda a: part[a].stop - part[a].start)
    middle = (part[axis].start + part[axis].stop) // 2
    left, right = list(part), list(part)
    left[axis] = slice(part[axis].start, middle)
    right[axis] = slice(middle, part[axis].stop)
    return {number: tuple(left)}, {number: tuple(right)}


def size_of(region: Region) -> int:
    """Return the number of entries in a region."""
    return sum(math.prod(s.stop - s.start for s in part) for part in region.values())


def without(
    prober: Prober, probes: list[Probe], number: int, index: int, finding: Finding
) -> list[Probe]:
    """Return what probes of a region would be if one of its entries were right."""
    scale = prober.scale(number)
    mistake = float(prober.gradient(number).reshape(-1)[index]) - finding.value
    rest = []
    for k, (slope, residual, error) in enumerate(probes):
        weight = scale * float(prober.weights(number, k).reshape(-1)[index])
        rest.append(Probe(slope, residual - mistake * weight, error + finding.error * abs(weight)))
    return rest


def remainder(probes: list[Probe], measured: list[Probe]) -> list[Probe]:
    """Return what a region's other half has, as far as its first half was measured."""
    pairs = zip(probes, measured, strict=False)
    return [Probe(p.slope - m.slope, p.residual - m.residual, p.error + m.error) for p, m in pairs]


def right_throughout(probes: list[Probe]) -> bool:
    """Tell whether no probe of a region shows a mistake; one that is not known shows none."""
    return all(abs(probe.residual) <= probe.error for probe in probes)


def candidates(prober: Prober, region: Region, probes: list[Probe]) -> Iterator[tuple[int, int]]:
    """Yield the entries that may be the wrong one; if many may, more probes are taken (31)."""
    probes = [*probes]
    while len(found := fitting(prober, region, probes)) > MOST_CANDIDATES:
        if len(probes) == 2 * PROBES:
            break
        probes.append(prober.probe(region, len(probes)))
    yield from found[:MOST_CANDIDATES]


def fitting(prober: Prober, region: Region, probes: list[Probe]) -> list[tuple[int, int]]:
    """Return the entries whose weights are in the ratios of the residuals, the best first (30)."""
    residuals, errors = np.array([probe[1:] for probe in probes]).T
    reference = int(np.argmax(np.abs(residuals) / np.maximum(errors, 1e-300)))
    ratios = residuals / residuals[reference]
    spread = (errors + np.abs(ratios) * errors[reference]) / abs(residuals[reference])
    fits: list[tuple[float, int, int]] = []
    for number, part in region.items():
        base = prober.weights(number, reference)[part]
        misfit = np.zeros(base.shape)
        for k in range(len(probes)):
            if k != reference:
                off = np.abs(prober.weights(number, k)[part] / base - ratios[k])
                np.maximum(misfit, off / max(spread[k], 1e-12), out=misfit)
        flat = misfit.reshape(-1)
        inside = np.flatnonzero(flat <= 1)
        best = inside[np.argsort(flat[inside], kind="stable")][: MOST_CANDIDATES + 1]
        places = np.unravel_index(best, base.shape)
        whole = [place + s.start for place, s in zip(places, part, strict=True)]
        indices = np.ravel_multi_index(whole, prober.shape(number))
        fits += [(float(flat[b]), number, int(i)) for b, i in zip(best, indices, strict=True)]
    return [(number, index) for _, number, index in sorted(fits)]


def decide_entry(prober: Prober, number: int, index: int) -> Finding:
    """Decide on one entry of an array; what is 0 beside other arrays accuses nobody (25)."""
    objective, check = prober.check.objective, prober.check
    place = int(objective.parameters.indices(number)[index])
    largest = prober.largest(number)
    claimed = float(prober.gradient(number).reshape(-1)[index])
    allowed, rounding = check.allowed(number) * largest, check.rounding(number)
    claim = Claim(claimed, allowed, rounding, largest, largest)
    finding = decide(objective, of_entry(objective.parameters, place), claim)
    negligible = max(abs(claimed), abs(finding.value)) <= check.negligible(number)
    return finding._replace(verdict="right") if negligible else finding
