"""Random probes: the slope of a cost along a random direction.

A direction is random signs times random magnitudes.
The residual of a probe, the claimed slope minus the measured one,
is the sum of the wrong entries' mistakes, each times its weight in the direction.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backproof.costs import Cost, Origin
from backproof.differences import norm
from backproof.lines import (
    Difference,
    Line,
    central_difference,
    line_of_array,
    line_of_entry,
    straight,
)
from backproof.parameters import Parameters, precision_of
from backproof.slopes import RATIO, Measured, Slope, slope_of_line

Region = tuple[slice, ...]

# One entry among a million is told by the ratios of this many residuals.
PROBES = 4

# A single difference decides if its error is at most this share of the largest entry;
# beside a kink, where steps are small and their noise is large, a larger share has to do.
FINE = 1e-4
COARSE = 1e-2

# A step so many times smaller stays clear of a kink that the first one met.
CLEAR = RATIO**2


class Probe(NamedTuple):
    """The slope along a direction, and how far the claimed gradient is from it."""

    slope: float
    residual: float
    error: float


class Claim(NamedTuple):
    """What a gradient says of the slope along a line, within the rounding of a sum of this size."""

    line: Line
    slope: float
    rounding: float
    size: float

    def beside(self, measured: Slope) -> Probe:
        """Return what a measured slope shows of the claim, whose rounding adds to the error."""
        return Probe(measured.value, self.slope - measured.value, measured.error + self.rounding)


class Prober(ABC):
    """Measures along directions, and counts the evaluations.

    `step` is that of the probes, relative to the parameters; it shrinks once one has met a kink.
    A `patient` prober takes as many steps for a probe as a slope may take.
    """

    def __init__(self, cost: Cost, parameters: Parameters, origin: Origin) -> None:
        self.cost, self.parameters, self.origin = cost, parameters, origin
        self.step, self.evaluations = origin.step, 0
        self.patient = False

    @abstractmethod
    def claim(self, k: int) -> Claim:
        """Return what the gradient says of the slope along the k-th direction."""

    @property
    def small_step(self) -> float:
        """The step once a probe has met a kink."""
        return self.origin.step / CLEAR

    @property
    def beside_a_kink(self) -> bool:
        """Tell whether a probe has met a kink."""
        return self.step < self.origin.step

    def difference(self, line: Line, step: float) -> Difference:
        """Measure along a line with a step relative to the usual size of the parameters."""
        self.evaluations += 2
        return central_difference(line, line.scale * step)

    def slope(self, line: Line) -> Measured:
        """Measure along a line with as many steps as a slope may take."""
        measured = slope_of_line(line)
        self.evaluations += measured.evaluations
        return measured

    def probe(self, claim: Claim) -> Probe:
        """Compare a claim with the slope along its line, with a step that meets few kinks."""
        if self.patient:
            return claim.beside(self.slope(claim.line).slope)
        this = self.difference(claim.line, min(self.step, self.origin.step / RATIO))
        slope = Slope(this.value, this.rounding)
        if self.step < self.origin.step / RATIO:
            slope = self.clear_of_kinks(claim.line, this)
        return claim.beside(slope)

    def refined(self, first: Probe) -> Probe:
        """Return the first probe with a larger step, and go on with that, unless it meets a kink.

        It is of use where the step is small because of a kink.

        Examples
        --------
        >>> from backproof.costs import measure_origin
        >>> w = np.array([1.0, 2.0, 3.0])
        >>> for distance in (1e-6, 1e-8):
        ...     cost = lambda w: np.sum(w**2) + max(w[0] - 1 + distance, 0.0)
        ...     point, right = Parameters(w), np.array([3.0, 4.0, 6.0])
        ...     probing = Probing(cost, point, measure_origin(cost, point), 0, right, seed=0)
        ...     first, _ = first_probe(probing, 6.0)
        ...     again = probing.refined(first)
        ...     numbers = first.error, again.error, probing.refined(again).error, probing.step
        ...     print(*(f"{number:.0e}" for number in numbers), probing.evaluations)
        2e-06 1e-08 1e-08 4e-07 6
        2e-06 2e-06 2e-06 6e-08 8
        """
        small = self.step
        if not small < self.origin.step / RATIO:
            return first
        self.step = self.origin.step / RATIO
        again = self.probe(self.claim(0))
        if abs(again.slope - first.slope) <= first.error:
            return again
        self.step = small
        return first

    def clear_of_kinks(self, line: Line, this: Difference) -> Slope:
        """Return the slope that a difference shows, by itself or beside one with another step.

        From then on, the step is the small one if the larger one has met a kink.

        Examples
        --------
        A cost with noise along a line, first where no kink was met, then where one was:

        >>> origin, w = Origin(0.0, 2**-52, noise=1e-4, step=0.1, evaluations=2), np.ones(1)
        >>> for bend in (1.0, 119.0, 120.0):
        ...     line = Line(lambda t: (t, t + bend * t**2 + t**3), origin, 1.0, 1.0)
        ...     probing = Probing(np.sum, Parameters(w), origin, 0, w, seed=0)
        ...     first = probing.clear_of_kinks(line, probing.difference(line, 0.1))
        ...     probing.step = 0.1 / CLEAR
        ...     slopes = first, probing.clear_of_kinks(line, probing.difference(line, probing.step))
        ...     print([(round(value, 4), round(error, 4)) for value, error in slopes])
        [(1.01, 0.0664), (1.0, 0.0564)]
        [(1.01, 0.2826), (1.0, 0.2726)]
        [(1.01, 0.2844), (1.01, 0.2844)]

        A curve may hide on which side a kink is. A step in between tells, if the curve is slight:

        >>> origin = origin._replace(noise=1e-9)
        >>> for bend in (0.001, 0.01, 0.1):
        ...     cost_at = lambda t: (t, t + bend * t**2 + max(t - 1e-5, 0.0))
        ...     line = Line(cost_at, origin, 1.0, 1.0)
        ...     probing = Probing(np.sum, Parameters(w), origin, 0, w, seed=0)
        ...     slope = probing.clear_of_kinks(line, probing.difference(line, 0.1))
        ...     print(f"{slope.value:.5f} {slope.error:.3g} {probing.evaluations}")
        1.00000 1.55e-05 4
        0.99998 0.000128 6
        1.49727 inf 6
        """
        if not self.beside_a_kink:
            larger, smaller = this, self.difference(line, self.small_step)
        elif abs(this.gap) <= 8 * this.rounding:
            return Slope(this.value, this.rounding + abs(this.gap) / 2)
        else:
            larger, smaller = self.difference(line, self.origin.step), this
        change = abs(larger.value - smaller.value)
        if change <= smaller.rounding:
            return Slope(larger.value, smaller.rounding + change + abs(smaller.gap) / 2)
        self.step = self.small_step
        slope = clear_slope(larger, smaller)
        if math.isfinite(slope.error):
            return slope
        # Nearer to the point, less of what the sides change by is due to a curve.
        return clear_slope(self.difference(line, self.origin.step / RATIO), smaller)


class Probing(Prober):
    """An array under test, and its directions; each `turn` has its own.

    Examples
    --------
    All probes of a turn have the same signs:

    >>> w = np.array([[1.0, 2.0, 3.0], [-1.0, -2.0, 4.0]])
    >>> cost, point = lambda p: np.sum(p["w"] ** 2), Parameters({"b": 0.5, "w": w})
    >>> origin, claimed = Origin(35.0, 2**-52, 1e-6, 1e-2, 2), 2 * w.astype(np.float32)
    >>> probing = Probing(cost, point, origin, 1, claimed, seed=0)
    >>> for probing.turn, k in (1, 0), (0, 0), (0, 1):
    ...     print(*probing.direction(k).reshape(-1).round(3))
    -0.725 -0.91 0.917 1.022 0.761 0.722
    -1.39 -1.057 1.301 1.457 0.559 0.736
    -1.349 -0.754 0.727 1.425 0.834 1.482
    >>> Probing(cost, point, origin, 0, np.array(0.0), seed=0).direction(0).shape
    (1,)

    The slope along the first one is what the claimed gradient says, but for rounding:

    >>> claim = probing.claim(0)
    >>> print(f"{claim.slope:.6f} {probing.probe(claim).slope:.6f}")
    1.541136 1.541136
    >>> print(f"{claim.rounding * 2**23:.2f} {claim.size:.2f} {probing.largest}")
    46.43 11.61 8.0

    The same of a part of the array, with its error, and the slope of one entry:

    >>> part = probing.probe(probing.claim(1, (slice(0, 1), slice(1, 3))))
    >>> print(f"{part.slope:.6f} {part.error:.2e} {probing.entry(4).value:.6f}")
    1.346156 3.44e-04 -4.000000
    >>> probing.evaluations
    6
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
        super().__init__(cost, parameters, origin)
        self.block = parameters.blocks[number]
        self.first = sum(block.values.size for block in parameters.blocks[:number])
        self.shape = self.block.shape or (1,)
        self.values = self.block.values.reshape(self.shape)
        self.gradient = gradient.reshape(self.shape)
        self.key, self.turn = [seed, number], 0
        self.located: set[int] = set()

    @property
    def everything(self) -> Region:
        """The region that is the whole array."""
        return tuple(slice(0, n) for n in self.shape)

    @property
    def path(self) -> str:
        """The path of the array in the nest."""
        return self.block.path

    @cached_property
    def largest(self) -> float:
        """The size of the largest entry of the gradient."""
        return float(np.abs(self.gradient).max(initial=0.0))

    def direction(self, k: int) -> NDArray[np.float64]:
        """Return the signs of the array times the magnitudes of its k-th probe."""
        signs = np.random.default_rng(self.key).integers(0, 2, self.shape, np.int8)
        weights = np.random.default_rng([*self.key, k + self.turn * PROBES]).random(self.shape)
        weights += 0.5
        return np.negative(weights, out=weights, where=signs == 0)

    def claim(self, k: int, region: Region | None = None) -> Claim:
        """Return what the gradient says of the slope along the k-th direction of a region."""
        region = region or self.everything
        weights, array = self.direction(k)[region], self.values[region]
        point, scale = (self.cost, self.parameters, self.origin), self.block.scale
        return Claim(line_of_array(*point, array, weights, scale), *self.sum_of(weights, region))

    def sum_of(self, weights: NDArray[np.float64], region: Region) -> tuple[float, float, float]:
        """Return the product of the gradient with a direction, its rounding, and its size."""
        products = self.gradient[region] * weights
        size = norm(products.reshape(-1))
        return float(products.sum()), 4 * precision_of(self.gradient.dtype) * size, size

    def project(self, array: NDArray[Any]) -> NDArray[np.float64]:
        """Return the products of an array with the directions of the probes."""
        return np.array(
            [float(np.vdot(array.reshape(self.shape), self.direction(k))) for k in range(PROBES)]
        )

    def entry(self, index: int) -> Slope:
        """Measure one entry: two evaluations if it is right, and mostly four if it is wrong."""
        line = line_of_entry(self.cost, self.parameters, self.origin, self.first + index)
        this = self.difference(line, self.step)
        mistake = abs(float(self.gradient.reshape(-1)[index]) - this.value)
        if mistake <= this.rounding:
            return Slope(this.value, this.rounding)
        if mistake > this.rounding + abs(this.gap):  # else a kink may pass for a mistake
            smaller = self.difference(line, self.step / RATIO)
            change = abs(this.value - smaller.value)
            if change <= smaller.rounding:
                return Slope(this.value, this.rounding + change)
        return self.slope(line).slope


def first_probe(prober: Prober, largest: float) -> tuple[Probe, str]:
    """Measure along the first direction, as closely as it takes to judge the gradient.

    A few evaluations may do, as `quick_probe` has it.
    Else it takes as many as a slope may take, and the reason comes with it.

    Examples
    --------
    One of the entries has a kink at some distance. A right claim is checked, and one that is wrong:

    >>> from backproof.costs import measure_origin
    >>> w = np.array([1.0, 2.0, 3.0])
    >>> for distance in (1e-2, 1e-6, 1e-8, 0.0):
    ...     cost = lambda w: np.sum(w**2) + max(w[0] - 1 + distance, 0.0)
    ...     point, right = Parameters(w), np.array([3.0, 4.0, 6.0])
    ...     origin = measure_origin(cost, point)
    ...     for claimed in (right, right + [0, 0.5, 0]):
    ...         probing = Probing(cost, point, origin, 0, claimed, seed=0)
    ...         (slope, residual, error), reason = first_probe(probing, 6.0)
    ...         shown = round(residual, 4) + 0.0  # without a sign if it is 0
    ...         print(f"{shown:7.4f} {error:.0e} {probing.evaluations:2} {reason}".rstrip())
     0.0000 2e-09  2
     0.3849 2e-09  4
     0.0000 2e-06  4 precision
     0.3849 2e-06  4
     0.0000 2e-06  4 precision
     0.3849 2e-06  4
    -0.5685 6e-01 28 kink
    -0.1836 6e-01 28 kink

    The smaller the largest entry is, the closer the slope has to be known:

    >>> for distance, largest in ((1e-2, 2e-5), (1e-2, 1e-5), (1e-6, 3e-4), (1e-6, 1e-4)):
    ...     cost = lambda w: np.sum(w**2) + max(w[0] - 1 + distance, 0.0)
    ...     probing = Probing(cost, point, measure_origin(cost, point), 0, right, seed=0)
    ...     print(first_probe(probing, largest)[1], probing.evaluations)
     2
    precision 14
    precision 4
    precision 14

    Here noise is most of the error, and the claim is in single precision. It is wrong if it is
    more than twice the error of the second step apart, which is 0.27:

    >>> noisy = origin._replace(cost=6.0, noise=1e-3, step=0.1)
    >>> for mistake in (0.0, 0.7, 0.72):
    ...     claimed = np.array([1.0, 1.0 + mistake, 1.0], np.float32)
    ...     probing = Probing(np.sum, point, noisy, 0, claimed, seed=0)
    ...     (_, residual, error), reason = first_probe(probing, 100.0)
    ...     print(f"{residual:.4f} {error:.6f} {probing.evaluations:2} {reason}".rstrip())
    0.0000 0.005001  2
    0.5389 0.000678 20 precision
    0.5542 0.005001  4
    """
    claim = prober.claim(0)
    if not prober.patient and (quick := quick_probe(prober, claim, largest)):
        return quick
    slope, reason, _ = prober.slope(claim.line)
    return claim.beside(slope), reason


def quick_probe(prober: Prober, claim: Claim, largest: float) -> tuple[Probe, str] | None:
    """Compare a claim with two differences at most, and return None if they do not decide it.

    One decides it where the claim agrees, and the error is fine beside the `largest` entry.
    Another step decides it where the claim is clearly wrong,
    or where the first step met a kink and one side of the point is clear of it.

    Examples
    --------
    A claim that agrees, one that may, and one that is wrong:

    >>> noisy = Origin(3.0, 2**-52, noise=1e-3, step=0.1, evaluations=2)
    >>> for mistake in (0.0, 1.4, 1.44):
    ...     claimed = np.array([1.0, 1.0 + mistake, 1.0])
    ...     probing = Probing(np.sum, Parameters(np.ones(3)), noisy, 0, claimed, seed=0)
    ...     quick = quick_probe(probing, probing.claim(0), largest=200.0)
    ...     print(quick and f"{quick[0].residual:.2f} {quick[0].error:.4f}", probing.evaluations)
    0.00 0.0100 2
    None 4
    1.11 0.0100 4
    """
    if not claim.size:  # such a step may be too short to change the cost
        return None
    first = prober.difference(claim.line, prober.step)
    at_once = claim.beside(Slope(first.value, first.rounding))
    if _settles(first, claim, FINE * largest):
        return at_once, ""
    slope = prober.clear_of_kinks(claim.line, first)
    probe = claim.beside(slope)
    if probe.slope and abs(probe.residual) > 2 * probe.error:
        # Where the second step confirms the first one, that has less noise.
        return probe if prober.beside_a_kink else at_once, ""
    if prober.beside_a_kink and slope.error <= COARSE * largest:
        # The mistakes of several entries may nearly cancel: they do not hide in so little noise.
        agrees = 3 * abs(probe.residual) <= probe.error
        return (probe if agrees else prober.refined(probe)), "precision"
    return None


def clear_slope(larger: Difference, smaller: Difference) -> Slope:
    """Return the slope on the side of the point that is clear of kinks, as two steps show it.

    Beside a kink, the slope of the side that is clear does not change with the step,
    and that of the other does. Where both do, or none, the error is not known.

    Examples
    --------
    The slope is 2 up to a kink at 0.01, and 3 from there. The second step meets it, the third
    does not:

    >>> def at(h):
    ...     ahead, behind = 2 + max(0.0, 1 - 0.01 / h), 2.0
    ...     return Difference(h, (ahead + behind) / 2, ahead - behind, rounding=1e-6)
    >>> clear_slope(at(1.0), at(0.02))
    Slope(value=2.0, error=2e-06)
    >>> clear_slope(at(1.0), at(0.005))
    Slope(value=2.0, error=2e-06)

    A change has to be more than 8 times the noise, on both sides or on that of the kink:

    >>> noise = 2.0**-20
    >>> for change in (8 * noise, 8.5 * noise):
    ...     clear = Difference(0.02, 2.0, gap=0.0, rounding=noise / 2)
    ...     kink = Difference(0.02, 2.5, gap=1.0, rounding=noise / 2)
    ...     both = clear_slope(Difference(1.0, 2 - change, gap=0.0), clear)
    ...     ahead = clear_slope(Difference(1.0, 2.5 + change / 2, gap=1 + change), kink)
    ...     print([slope.error / noise for slope in (both, ahead)])
    [inf, inf]
    [1.0, 1.0]

    At a kink at the point, neither side changes:

    >>> clear_slope(Difference(1.0, 2.5, gap=1.0), Difference(0.02, 2.5, gap=1.0)).error
    inf
    """
    noise = 2 * smaller.rounding
    sides = zip(larger.sides, smaller.sides, strict=True)
    (change, value), (other, _) = sorted((abs(far - near), near) for far, near in sides)
    if abs(smaller.gap) <= noise < other / 8:  # the smaller step does not reach a kink
        return Slope(smaller.value, noise)
    if other > 8 * (change + noise):
        # Of a change that is due to a curve, as much is left as the smaller step has of the larger.
        return Slope(value, noise + 8 * change * smaller.step / larger.step)
    return Slope(smaller.value, math.inf)


def _settles(this: Difference, claim: Claim, fine: float) -> bool:
    """Tell whether one difference confirms a claimed slope: it is close, fine, and at no kink.

    Examples
    --------
    >>> line = Line(lambda t: (t, 2 * t), Origin(0.0, 2**-52, 0.0, 1e-6, 2), 1.0, 1.0)
    >>> this, claim = Difference(1e-6, 2.0, gap=0.0, rounding=0.125), Claim(line, 2.25, 0.125, 3.0)
    >>> _settles(this, claim, fine=0.125), _settles(this, claim, fine=0.1)
    (True, False)
    >>> _settles(this, claim._replace(slope=2.5), fine=0.125)
    False
    >>> _settles(this._replace(gap=1.1), claim, fine=0.125)
    False
    """
    close = abs(claim.slope - this.value) <= this.rounding + claim.rounding
    return close and this.rounding <= fine and straight(this.gap, this.rounding, claim.size)
