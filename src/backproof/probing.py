"""Random probes: the slope of a cost along a random direction of one array.

A direction is random signs times random magnitudes.
The residual of a probe, the claimed slope minus the measured one,
is the sum of the wrong entries' mistakes, each times its weight in the direction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backproof.costs import Cost, Origin
from backproof.differences import norm
from backproof.lines import (
    Difference,
    Line,
    central_difference,
    line_along,
    line_of_array,
    line_of_entry,
    straight,
)
from backproof.parameters import Parameters, precision_of
from backproof.slopes import RATIO, Measured, Slope, gap_at_0, passed_a_kink, slope_of_line

Region = tuple[slice, ...]

# One entry among a million is told by the ratios of this many residuals.
PROBES = 4

# A single difference decides if its error is at most this share of the largest entry;
# beside a kink, where larger steps are of no use, a larger share has to do.
FINE = 1e-4
COARSE = 1e-2

# A step so many times smaller stays clear of a kink that the first one met.
CLEAR = RATIO**2


class Probe(NamedTuple):
    """The slope along a direction, and how far the claimed gradient is from it."""

    slope: float
    residual: float
    error: float


class Probing:
    """An array under test: draws its directions, measures along them, counts the evaluations.

    `step` is that of the probes, relative to the parameters; it shrinks where it meets a kink.
    Each `turn` has directions of its own.
    """

    def __init__(
        self,
        cost: Cost,
        parameters: Parameters,
        origin: Origin,
        number: int,
        gradient: NDArray[Any],
        seed: int,
    ) -> None:
        self.cost, self.parameters, self.origin = cost, parameters, origin
        self.block = parameters.blocks[number]
        self.first = sum(block.values.size for block in parameters.blocks[:number])
        self.shape = self.block.shape or (1,)
        self.values = self.block.values.reshape(self.shape)
        self.gradient = gradient.reshape(self.shape)
        self.key = [seed, number]
        self.turn, self.step = 0, origin.step
        self.evaluations = 0

    @property
    def everything(self) -> Region:
        """The region that is the whole array."""
        return tuple(slice(0, n) for n in self.shape)

    def direction(self, k: int) -> NDArray[np.float64]:
        """Return the signs of the array times the magnitudes of its k-th probe."""
        signs = np.random.default_rng(self.key).integers(0, 2, self.shape, np.int8)
        weights = np.random.default_rng([*self.key, k + self.turn * PROBES]).random(self.shape)
        weights += 0.5
        return np.negative(weights, out=weights, where=signs == 0)

    def line(self, region: Region, weights: NDArray[np.float64]) -> Line:
        """Return the line along which a region is displaced."""
        return line_of_array(
            self.cost,
            self.parameters,
            self.origin,
            self.values[region],
            weights,
            self.block.scale,
        )

    def difference(self, line: Line, step: float) -> Difference:
        """Measure along a line with a step relative to the usual size of the parameters."""
        self.evaluations += 2
        return central_difference(line, line.scale * step)

    def slope(self, line: Line) -> Measured:
        """Measure along a line with as many steps as a slope may take."""
        measured = slope_of_line(line)
        self.evaluations += measured.evaluations
        return measured

    def claimed(self, region: Region, weights: NDArray[np.float64]) -> tuple[float, float]:
        """Return the product of the claimed gradient with a direction, and its rounding."""
        products = self.gradient[region] * weights
        rounding = 4 * precision_of(self.gradient.dtype) * norm(products.reshape(-1))
        return float(products.sum()), rounding

    def probe(self, region: Region, k: int) -> Probe:
        """Measure a region along its k-th direction, with a step that meets few kinks."""
        weights = self.direction(k)[region]
        line = self.line(region, weights)
        claimed, rounding = self.claimed(region, weights)
        measured = self.difference(line, min(self.step, self.origin.step / RATIO))
        return Probe(measured.value, claimed - measured.value, measured.rounding + rounding)

    def project(self, array: NDArray[Any]) -> NDArray[np.float64]:
        """Return the products of an array with the directions of the probes."""
        return np.array(
            [float(np.vdot(array.reshape(self.shape), self.direction(k))) for k in range(PROBES)]
        )

    def entry(self, index: int) -> Slope:
        """Measure one entry, with two evaluations unless a kink may pass for a mistake."""
        line = line_of_entry(self.cost, self.parameters, self.origin, self.first + index)
        this = self.difference(line, self.step)
        mistake = abs(float(self.gradient.reshape(-1)[index]) - this.value)
        if this.rounding < mistake <= this.rounding + abs(this.gap):
            return self.slope(line).slope
        return Slope(this.value, this.rounding)


def first_probe(probing: Probing, largest: float) -> tuple[Probe, str]:
    """Measure an array along its first direction, as closely as it takes to judge the gradient.

    Two evaluations decide it where the gradient agrees, and the error is fine beside the
    `largest` entry. Two more, with a far smaller step, decide it where the gradient is clearly
    wrong, or where the first step met a kink and the second does not; a few more where both do.
    Else it takes as many as a slope may take, and the reason comes with it.
    """
    weights = probing.direction(0)
    line = probing.line(probing.everything, weights)
    claimed, rounding = probing.claimed(probing.everything, weights)
    size = norm((probing.gradient * weights).reshape(-1))

    def compared(value: float, error: float) -> Probe:
        return Probe(value, claimed - value, error + rounding)

    for this, share, error in _ever_closer(probing, line, largest):
        agrees = _settles(this, claimed, rounding, share * largest, size)
        if agrees or (this.value and abs(claimed - this.value) > 2 * (error + rounding)):
            return compared(this.value, this.rounding), ""
    measured = probing.slope(line)
    return compared(*measured.slope), measured.reason


def _ever_closer(
    probing: Probing, line: Line, largest: float
) -> Iterator[tuple[Difference, float, float]]:
    """Yield differences, the share of the largest entry that their error may be, and the error.

    One that is not compared with another yet has an error that is not known: it accuses nobody.
    """
    first = probing.difference(line, probing.step)
    yield first, FINE, math.inf
    if probing.step == probing.origin.step:
        closer = probing.difference(line, probing.step / CLEAR)
        if not abs(closer.value - first.value) > closer.rounding:
            yield first, FINE, _error_of(closer, first)
            return
        # The first one met a kink, or more, as the other probes would, too.
        first, probing.step = closer, probing.step / CLEAR
        yield first, FINE, math.inf
    best, error = _beside_a_kink(probing, line, first, FINE * largest)
    yield best, COARSE, error


def _beside_a_kink(
    probing: Probing, line: Line, this: Difference, fine: float
) -> tuple[Difference, float]:
    """Go to larger steps while they are clear of the kink and the error is not fine."""
    larger = probing.difference(line, probing.step * RATIO)
    if not abs(larger.value - this.value) <= this.rounding:
        return _below_a_kink(probing, line, this)
    while abs(larger.value - this.value) <= this.rounding:
        smaller, this, probing.step = this, larger, probing.step * RATIO
        if this.rounding <= fine or 2 * RATIO * probing.step > probing.origin.step:
            break  # the next one would be the first step again, which met a kink
        larger = probing.difference(line, probing.step * RATIO)
    change = abs(smaller.value - this.value)
    return this, this.rounding + change + abs(gap_at_0(this, smaller)) / 2


def _below_a_kink(probing: Probing, line: Line, this: Difference) -> tuple[Difference, float]:
    """Go to smaller steps until one does not meet the kink; stay if noise would hide it."""
    best, step = this, probing.step
    while True:
        step /= RATIO
        smaller = probing.difference(line, step)
        if passed_a_kink(this, smaller):
            probing.step = step
            return smaller, 2 * smaller.rounding
        if not 4 * RATIO * smaller.rounding < abs(this.gap):
            return best, _error_of(best, smaller)
        this = smaller


def _error_of(this: Difference, other: Difference) -> float:
    """Return the error of a difference that is compared with one of another step.

    Examples
    --------
    >>> _error_of(Difference(1e-2, 2.0, gap=0.5, rounding=0.125), Difference(1e-4, 3.0))
    1.375
    """
    return this.rounding + abs(other.value - this.value) + abs(this.gap) / 2


def agree_together(probings: list[Probing]) -> bool:
    """Tell whether the claims of some arrays agree with the slope along one more direction.

    The step is small enough to meet no kink; that one entry may be lost in the noise of all
    is no harm, since each array was probed by itself. After a kink, the claims stand as they are.
    """
    if not probings or any(probing.step < probing.origin.step for probing in probings):
        return True
    this, claims = probings[0], []
    velocity = np.zeros(this.parameters.size)
    for probing in probings:
        direction = probing.block.scale * probing.direction(PROBES)
        velocity[probing.first :][: direction.size] = direction.reshape(-1)
        claims.append(probing.claimed(probing.everything, direction))
    line = line_along(this.cost, this.parameters, this.origin, velocity, 1.0)
    measured = this.difference(line, this.origin.step / CLEAR)
    residual = sum(claim for claim, _ in claims) - measured.value
    return abs(residual) <= measured.rounding + sum(rounding for _, rounding in claims)


def _settles(this: Difference, claimed: float, rounding: float, fine: float, size: float) -> bool:
    """Tell whether one difference confirms a claimed slope: it is close, fine, and at no kink.

    Examples
    --------
    >>> this = Difference(1e-6, 2.0, gap=0.0, rounding=0.125)
    >>> _settles(this, claimed=2.25, rounding=0.125, fine=0.125, size=3.0)
    True
    >>> _settles(this, claimed=2.5, rounding=0.125, fine=0.125, size=3.0)
    False
    >>> _settles(this, claimed=2.25, rounding=0.125, fine=0.1, size=3.0)
    False
    >>> _settles(this._replace(gap=1.1), claimed=2.25, rounding=0.125, fine=0.125, size=3.0)
    False

    Where the claim is zero throughout, the cost must not change at all:

    >>> still = Difference(1e-6, 0.0, 0.0, 0.125)
    >>> [_settles(d, 0.0, 0.0, 0.0, size=0.0) for d in (still, this, still._replace(gap=0.1))]
    [True, False, False]
    """
    if not size:
        return this.value == 0 == this.gap
    close = abs(claimed - this.value) <= this.rounding + rounding
    return close and this.rounding <= fine and straight(this.gap, this.rounding, size)
