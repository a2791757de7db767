"""Probes: what a gradient says of the slope along a random direction, and what is measured there.

A direction is random signs times random magnitudes. The residual of a probe, the claimed slope
minus the measured one, is the sum of the mistakes of all entries, each times its weight (27).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from backproof._claims import Array, Check
from backproof._decide import Claim, Finding, agrees, decide
from backproof._directions import DOUBT, Direction, of_arrays
from backproof._norms import norm
from backproof._slopes import RATIO, central_difference, first_difference, gap_at_0

Region = dict[int, tuple[slice, ...]]  # by the number of the block


class Probe(NamedTuple):
    """The claimed slope along a direction minus the measured one, and its error."""

    slope: float
    residual: float
    error: float


class Prober(NamedTuple):
    """A check, whose arrays are probed along directions that are drawn anew for each `turn`.

    `share` is that of its step in the one that suits the noise of the cost.
    """

    check: Check
    margin: float
    share: float = 1.0
    turn: int = 0

    @property
    def step(self) -> float:
        """The step of a probe."""
        return self.share * self.check.objective.noise.step

    def shape(self, number: int) -> tuple[int, ...]:
        """Return the shape of a block, at least one-dimensional."""
        return self.check.objective.parameters.blocks[number].shape or (1,)

    def scale(self, number: int) -> float:
        """Return the usual size of the entries of a block."""
        return self.check.objective.parameters.blocks[number].scale

    def gradient(self, number: int) -> Array:
        """Return the claim for a block, at least one-dimensional."""
        return self.check.gradient[self.check.paths[number]].reshape(self.shape(number))

    def everything(self, number: int) -> tuple[slice, ...]:
        """Return the region that is a whole block."""
        return tuple(slice(0, n) for n in self.shape(number))

    def weights(self, number: int, k: int) -> Array:
        """Return the signs of a block times the magnitudes of its k-th probe."""
        key, shape = [self.check.options.seed, number, self.turn], self.shape(number)
        signs = np.random.default_rng(key).integers(0, 2, shape, np.int8)
        weights = np.random.default_rng([*key, k]).random(shape)
        weights += 0.5
        return np.negative(weights, out=weights, where=signs == 0)

    def along(
        self, region: Region, k: int, shares: dict[int, float] | None = None
    ) -> tuple[Direction, Claim]:
        """Return the k-th direction of a region, and what the gradient says of the slope there."""
        weights = {n: self.weights(n, k)[part] for n, part in region.items()}
        for n, share in (shares or {}).items():
            weights[n] *= share
        claim, point = self._claim(region, weights), self.check.objective.parameters
        return of_arrays(point, weights, region, margin=self.margin), claim

    def claim(self, region: Region, k: int) -> Claim:
        """Return what the gradient says of the slope along the k-th direction of a region."""
        return self._claim(region, {n: self.weights(n, k)[part] for n, part in region.items()})

    def _claim(self, region: Region, weights: dict[int, Array]) -> Claim:
        value = allowed = largest = squares = 0.0
        for n, own in weights.items():
            products = self.gradient(n)[region[n]] * own
            size = norm(products.reshape(-1)) * self.scale(n)
            value += float(products.sum()) * self.scale(n)
            allowed += self.check.allowed(n) * size
            largest = max(largest, self.largest(n) * self.scale(n))
            squares = math.hypot(squares, size)
        return Claim(value, allowed, 0.0, largest, squares)

    def largest(self, number: int) -> float:
        """Return the size of the largest entry of a block's claim."""
        return self.check.largest[number]

    def probe(self, region: Region, k: int, error: float = 0.0) -> Probe:
        """Compare with a single difference, whose error is at least the one given."""
        direction, claim = self.along(region, k)
        this = central_difference(self.check.objective, direction, self.step)
        error = max(this.error, error) + claim.allowed
        return Probe(this.value, claim.value - this.value, error)

    def strict(self) -> Prober:
        """Return a prober that allows no tolerance."""
        check = self.check
        options = check.options._replace(tolerance=0.0)
        return self._replace(check=Check(check.objective, check.gradient, options))

    def beside(self, finding: Finding) -> Prober:
        """Return a prober with the step of a finding; a smaller one if that has met a kink."""
        share = finding.step / self.check.objective.noise.step
        return self._replace(share=share / RATIO if finding.step < self.step else share)

    def look(self, region: Region) -> Finding:
        """Decide on the first claim, but leave one in doubt that two differences refute."""
        objective, (direction, claim) = self.check.objective, self.along(region, 0)
        larger = first_difference(objective, direction)
        if agrees(larger, claim):
            found = Finding("right", larger.value, larger.error, step=larger.step)
            return self._of_both(found, claim, region)
        this = central_difference(objective, direction, larger.step / RATIO)
        error = larger.error + abs(larger.value - this.value) + abs(gap_at_0(larger, this)) / 2
        if claim.apart(this.value, 0.0) > DOUBT * error:
            return Finding("doubtful", larger.value, error + claim.allowed, step=larger.step)
        return self._of_both(decide(objective, direction, claim, larger), claim, region)

    def _of_both(self, finding: Finding, claim: Claim, region: Region) -> Finding:
        """Return a finding with the error of both, and whether the tolerance may have passed it."""
        rounding = max(self.check.rounding(n) for n in region)
        # Terms that cancel are as large as slopes nearby, and so is what rounding leaves of them.
        left = rounding * finding.curved
        if finding.verdict == "wrong" and claim.apart(finding.value, 0.0) <= left:
            finding = finding._replace(verdict="doubtful")
        off = abs(claim.value - finding.value) > finding.error + rounding * claim.size
        passed = off and finding.verdict == "right"
        reason = "tolerance" if passed else finding.reason
        return finding._replace(error=finding.error + claim.allowed, reason=reason)

    def decide(self, region: Region, k: int) -> Finding:
        """Decide on the claim along a direction; the error is that of both."""
        direction, claim = self.along(region, k)
        first = central_difference(self.check.objective, direction, self.step)
        return self._of_both(decide(self.check.objective, direction, claim, first), claim, region)
