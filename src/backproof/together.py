"""All arrays under test at once: what a few probes confirm, and which array is wrong.

Each array is displaced by steps of its own usual size,
so that a probe of all of them is as fine for each as one of its own would be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np

from backproof.costs import Cost, Origin
from backproof.differences import norm
from backproof.lines import line_along
from backproof.parameters import Parameters
from backproof.probing import COARSE, FINE, PROBES, Claim, Probe, Prober, Probing, quick_probe


class Together(Prober):
    """Some arrays under test, which are probed at once.

    Examples
    --------
    Two arrays, one of them far from 1, and a gradient that is right, or wrong in one of them:

    >>> from backproof.costs import measure_origin
    >>> nest = {"a": np.array([1.0, -2.0]), "b": np.array([30.0, 50.0])}
    >>> cost, point = lambda p: sum(np.sum(w**2) for w in p.values()), Parameters(nest)
    >>> origin = measure_origin(cost, point)
    >>> def claiming(a, b):
    ...     gradients = enumerate((np.array(a, float), np.array(b, float)))
    ...     probings = [Probing(cost, point, origin, *array, seed=0) for array in gradients]
    ...     return Together(cost, point, origin, probings)
    >>> claims = [[2, -4], [60, 100]], [[2, -4.5], [60, 100]], [[2, -4], [61, 100]]
    >>> right, a_wrong, b_wrong = tried = [claiming(*claim) for claim in claims]

    What they claim of the slope along a direction, and what a probe of it shows:

    >>> for together in tried:
    ...     slope, residual, error = together.first_probe()
    ...     print(f"{slope:.2f} {abs(residual):.4f} {error:.0e}", together.evaluations)
    -7571.95 0.0000 2e-06 2
    -7571.95 0.5773 2e-06 4
    -7571.95 55.5896 2e-06 4
    >>> claim = right.claim(0)
    >>> print(f"{claim.slope:.2f} {claim.size:.2f} {claim.rounding / claim.size * 2**52:.3f}")
    -7571.95 5385.67 4.004
    >>> print(f"{right.claim(0, [1, 3]).slope:.2f}")
    -22699.81

    The wrong array is read off, with two more evaluations; and one is too small for an error:

    >>> [t.suspect(t.first_probe()).path for t in (a_wrong, b_wrong)], b_wrong.evaluations
    (['a', 'b'], 10)
    >>> [len(right.seen_by(error)) for error in (6e-4, 6.1e-4, 0.4, 0.41)]
    [2, 1, 1, 0]

    Along another direction, the mistakes show as well:

    >>> [together.agree() for together in tried], right.evaluations
    ([True, False, False], 4)

    But not beside a kink:

    >>> right.probings[1].step /= 2
    >>> b_wrong.agree(), right.agree(), right.evaluations
    (False, True, 4)
    """

    def __init__(
        self,
        cost: Cost,
        parameters: Parameters,
        origin: Origin,
        probings: Sequence[Probing],
        *,
        patient: bool = False,
    ) -> None:
        super().__init__(cost, parameters, origin)
        self.probings, self.patient = probings, patient

    @property
    def largest(self) -> float:
        """The most that one entry of the gradients may change the cost by, for steps of 1."""
        return max(probing.block.scale * probing.largest for probing in self.probings)

    def claim(self, k: int, shares: Iterable[float] = repeat(1.0)) -> Claim:
        """Return what the gradients say of the slope along the k-th directions of all arrays.

        Each direction is as long as the usual size of its array, times the array's share.
        """
        velocity, sums = np.zeros(self.parameters.size), []
        for probing, share in zip(self.probings, shares, strict=False):
            direction = probing.direction(k)
            direction *= share * probing.block.scale
            velocity[probing.first :][: direction.size] = direction.reshape(-1)
            sums.append(probing.sum_of(direction, probing.everything))
        slopes, roundings, sizes = np.transpose(sums)
        line = line_along(self.cost, self.parameters, self.origin, velocity, 1.0)
        return Claim(line, float(slopes.sum()), float(roundings.sum()), norm(sizes))

    def first_probe(self) -> Probe:
        """Return what the first directions show; the error is infinite where that is nothing.

        Examples
        --------
        It is enough if the error is fine beside one of the arrays:

        >>> from backproof.costs import measure_origin
        >>> nest = {"a": np.array([1.0, -2.0]), "b": np.array([3e7, 5e7])}
        >>> cost, point = lambda p: sum(np.sum(w**2) for w in p.values()), Parameters(nest)
        >>> origin, arrays = measure_origin(cost, point), enumerate(nest.values())
        >>> probings = [Probing(cost, point, origin, k, 2 * w, seed=0) for k, w in arrays]
        >>> together = Together(cost, point, origin, probings)
        >>> error = together.first_probe().error
        >>> together.evaluations, [probing.path for probing in together.seen_by(error)]
        (2, ['b'])

        A patient probe sees also what is small, if a larger step may be taken:

        >>> nest = {"a": np.array([1e-4, -2e-4]), "b": np.array([3e-4, 5e-4])}
        >>> cost = lambda p: 1e3 + sum(np.sum(np.sin(w)) for w in p.values())
        >>> point = Parameters(nest)
        >>> origin = measure_origin(cost, point)
        >>> for patient in (False, True):
        ...     arrays = enumerate(np.cos(w) for w in nest.values())
        ...     probings = [Probing(cost, point, origin, *array, seed=0) for array in arrays]
        ...     together = Together(cost, point, origin, probings, patient=patient)
        ...     error = together.first_probe().error
        ...     print(together.evaluations, [probing.path for probing in together.seen_by(error)])
        4 []
        16 ['a', 'b']
        """
        if self.patient:
            return self.probe(self.claim(0))
        quick = quick_probe(self, self.claim(0), self.largest)
        return quick[0] if quick else Probe(math.nan, 0.0, math.inf)

    def suspect(self, first: Probe) -> Probing:
        """Return the array that is wrong if a single one is: it is read off one more probe.

        The arrays take different shares in it, so that the residual shrinks by the wrong one's.
        """
        count = len(self.probings)
        shares = [0.5 + k / count for k in range(count)]
        ratio = self.probe(self.claim(0, shares)).residual / first.residual
        return self.probings[min(range(count), key=lambda k: abs(shares[k] - ratio))]

    def seen_by(self, error: float) -> list[Probing]:
        """Return the arrays beside whose largest entry an error is fine."""
        share = COARSE if self.beside_a_kink else FINE
        return [p for p in self.probings if error <= share * p.block.scale * p.largest]

    def agree(self) -> bool:
        """Tell whether the claims agree along another direction.

        The step is small enough to meet no kink, unless it would show too little; that one entry
        may be lost in the noise of all is no harm, since each array was probed before.
        After a kink, the claims stand as they are.
        """
        if not self.probings or any(probing.beside_a_kink for probing in self.probings):
            return True
        claim = self.claim(PROBES)
        measured = self.difference(claim.line, self.small_step)
        if measured.rounding > FINE * self.largest:  # in single precision, that shows too little
            measured = self.difference(claim.line, self.step)
        return abs(claim.slope - measured.value) <= measured.rounding + claim.rounding


def without(seen: Probe, probing: Probing, first: Probe) -> Probe:
    """Return what a probe of all arrays would be if one of them, probed by itself, were right.

    Examples
    --------
    >>> point, origin = Parameters(np.array([2.0, -4.0])), Origin(0.0, 2**-52, 0.0, 1e-5, 2)
    >>> probing = Probing(np.sum, point, origin, 0, np.ones(2), seed=0)
    >>> without(Probe(5.0, 1.5, 0.5), probing, Probe(1.0, 0.5, 0.25))
    Probe(slope=5.0, residual=0.0, error=1.25)
    """
    scale = probing.block.scale
    return Probe(
        seen.slope, seen.residual - scale * first.residual, seen.error + scale * first.error
    )
