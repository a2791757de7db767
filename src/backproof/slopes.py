"""Slopes: derivatives by central differences, each with its error.

A cost is measured along a line, t -> cost(parameters + t * direction).
Its slope at t = 0 is the central difference (cost(t) - cost(-t)) / (2 t),
with a step t that is chosen from what the cost shows at this point.
The error that comes with the slope is the sum of

- the rounding error, from the precision, the size and the measured noise of the cost,
- the truncation error, seen in the change from one step to the next,
- half the gap that stays between the one-sided slopes as the step shrinks (a kink).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from backproof.costs import Cost, Origin, measure_origin
from backproof.lines import Difference, Line, central_difference, line_along, line_of_entry
from backproof.parameters import Nest, Parameters

Workers = Callable[[Callable[[int], Any], Iterable[int]], Iterable[Any]]

# Each step is this many times the next smaller one, so that the change between the two
# is more than 50 times the truncation error of the smaller one: it bounds that error
# also where the cost is less smooth than a central difference would like it to be.
# It is no whole number, so that two steps do not span whole periods of one oscillation.
RATIO = math.e**2

# An error is an estimate: no gradient is accused that lies outside of it by less than this factor,
# unless a kink or a jump shows where the slope can be.
DOUBT = 4

# The search for a step ends here; 40 of them span 34 powers of ten.
MOST_STEPS = 40


class Slope(NamedTuple):
    """A derivative along a direction, and the error within which it is known.

    Attributes
    ----------
    value
        The derivative; `nan` where no step gives finite costs on both sides.
    error
        How far the true derivative may be from `value`; an estimate, not a bound.
        At a kink, half of what the slopes on the two sides differ by.
    """

    value: float
    error: float


def derivative(function: Cost, x: Nest, direction: Nest | None = None) -> Slope:
    r"""Return the derivative of a function at `x` along a direction, with its error.

    Parameters
    ----------
    function
        Takes what `x` is and returns a real number.
    x
        A number, an array of floats, or a nest of them.
    direction
        In the structure and the shapes of `x`; its length multiplies the derivative.
        May be left out where `x` holds a single number.

    Returns
    -------
    Slope
        The `value` of the derivative and its `error`, both floats.
        Where no step gives finite costs on both sides, they are `nan` and `inf`.

    Raises
    ------
    TypeError
        If `x` is not made of floats, if `function` does not return a real number,
        or if a direction is needed and not given.
    ValueError
        If `function` is random, not finite at `x`, or changes `x` in place,
        or if `direction` is zero or has another structure than `x`.

    Notes
    -----
    A central difference over the step $h$ has a truncation error of $h^2 f'''/6$
    and a rounding error of the order of $\varepsilon |f| / h$
    (Gill, Murray, Saunders and Wright, 1983).
    The step goes down while the first is seen to dominate, and up while the second does.

    Examples
    --------
    >>> import math
    >>> slope = derivative(math.sin, 1.0)
    >>> abs(slope.value - math.cos(1.0)) <= slope.error < 1e-9
    True

    At a kink, the error spans both one-sided slopes:

    >>> slope = derivative(abs, 0.0)
    >>> print(f"{slope.value:.1f} ± {slope.error:.1f}")
    0.0 ± 1.0

    Twice the direction gives twice the slope, and twice its error:

    >>> import numpy as np
    >>> x, direction = np.array([3.0, 4.0]), np.array([1.0, -2.0])
    >>> once, twice = (derivative(np.linalg.norm, x, k * direction) for k in (1, 2))
    >>> print(f"{once.value:.6f}", twice == (2 * once.value, 2 * once.error))
    -1.000000 True
    """
    point = Parameters(x)
    origin = measure_origin(function, point)
    if direction is not None:
        return _slope_along(function, point, origin, direction)
    if point.size > 1:
        raise TypeError(
            f"x holds {point.size} numbers: pass the direction to derive along, "
            "or call numerical_gradient for the slope of each."
        )
    return slope_of_entry(function, point, origin, 0).slope


def numerical_gradient(
    cost: Cost, parameters: Nest, *, workers: Workers = map
) -> tuple[Nest, Nest]:
    """Return the slope of a cost with respect to each of its parameters, and the errors.

    Parameters
    ----------
    cost
        Takes `parameters` and returns a real number.
    parameters
        A number, an array of floats, or a nest of dicts, lists and tuples of them.
        They are copied once, and never changed.
    workers
        A callable like `map`, called as `workers(function, points)`:
        `Pool.map`, `ThreadPoolExecutor().map`, `tqdm.contrib.tmap`.
        The result does not depend on it.

    Returns
    -------
    gradient, error
        Two nests in the structure and the shapes of `parameters`, in float64.

    Raises
    ------
    TypeError
        If the parameters are not floats, or if `cost` does not return a real number.
    ValueError
        If `cost` is random, not finite at `parameters`, or changes them in place.

    Examples
    --------
    >>> import numpy as np
    >>> def cost(parameters):
    ...     return np.sum(parameters["w"] ** 2) + 3 * parameters["b"]
    >>> gradient, error = numerical_gradient(cost, {"w": np.array([1.0, -2.0]), "b": 0.5})
    >>> print(gradient["w"].round(6), round(gradient["b"], 6))
    [ 2. -4.] 3.0
    >>> bool((error["w"] < 1e-9).all())
    True
    """
    require_workers(workers)
    point = Parameters(parameters)
    origin = measure_origin(cost, point)
    slopes = for_each(slope_of_entry, cost, point, origin, range(point.size), workers)
    gradient = point.with_entries(measured.slope.value for measured in slopes)
    return gradient, point.with_entries(measured.slope.error for measured in slopes)


class Measured(NamedTuple):
    """A slope, why its error is not smaller, and the evaluations of the cost that it took."""

    slope: Slope
    reason: str
    evaluations: int


def for_each(
    task: Callable[[Cost, Parameters, Origin, int], Any],
    cost: Cost,
    parameters: Parameters,
    origin: Origin,
    indices: Sequence[int],
    workers: Workers,
) -> list[Any]:
    """Return the results of a task for each index; workers beside each other get copies."""
    if workers is map:
        results = [task(cost, parameters, origin, index) for index in indices]
    else:
        given = workers(partial(_in_a_copy, task, cost, parameters.original, origin), indices)
        results = list(() if given is None else given)
    if len(results) != len(indices):
        raise ValueError(f"workers returned {len(results)} results for {len(indices)} points.")
    return results


def require_workers(workers: Workers) -> None:
    """Refuse workers that cannot be called."""
    if not callable(workers):
        raise TypeError(f"workers is of type {type(workers).__name__}: expected one like map.")


def _in_a_copy(
    task: Callable[[Cost, Parameters, Origin, int], Any],
    cost: Cost,
    nest: Nest,
    origin: Origin,
    index: int,
) -> Any:
    with np.errstate(all="ignore"):  # as where there are no workers; threads do not inherit it
        return task(cost, Parameters(nest), origin, index)


def slope_of_entry(cost: Cost, parameters: Parameters, origin: Origin, index: int) -> Measured:
    """Return the slope with respect to one entry."""
    return slope_of_line(line_of_entry(cost, parameters, origin, index))


def _slope_along(cost: Cost, parameters: Parameters, origin: Origin, direction: Nest) -> Slope:
    """Return the slope along a direction, displacing all entries."""
    velocity = parameters.vector_of(direction, "direction")
    if not np.isfinite(velocity).all() or not velocity.any():
        raise ValueError("the direction is zero or not finite: expected finite entries, not all 0.")
    speed = float(np.abs(velocity).max())
    size = float(np.abs(parameters.vector()[velocity != 0]).max())
    line = line_along(cost, parameters, origin, velocity / speed, size)
    slope = slope_of_line(line).slope
    return Slope(slope.value * speed, slope.error * speed)


def slope_of_line(line: Line) -> Measured:
    """Choose the step from the cost itself, and return the slope with the least error."""
    first = line.scale * line.origin.step
    with np.errstate(all="ignore"):
        steps = [central_difference(line, first * RATIO**k) for k in (2, 1, 0)]
        # A noisy cost has larger steps, which may step over what it does: look closer once.
        while steps[-1].step > line.scale * math.cbrt(line.origin.precision):
            steps.append(central_difference(line, steps[-1].step / RATIO))
        best, error = _least_error(steps)
        while len(steps) < MOST_STEPS and (step := _next_step(line, steps, best, error)):
            place = 0 if step > steps[0].step else len(steps)
            steps.insert(place, central_difference(line, step))
            best, error = _least_error(steps)
    if math.isinf(error):
        _raise_failure(steps)
    reason = _reason(steps[best - 1 :], error)
    if reason == "kink":  # the gap is what it is, and the rest an estimate
        error += 2 * DOUBT * (error - abs(gap_at_0(*steps[best - 1 : best + 1])) / 2)
    return Measured(Slope(steps[best].value, error), reason, 2 * len(steps))


def _reason(steps: Sequence[Difference], error: float) -> str:
    """Say what most of the error is due to; the slope is that of the second of the steps.

    Examples
    --------
    A gap stays at a kink, and the quotient grows with 1 / step at a jump:

    >>> steps = 1.0, 1 / RATIO, 1 / RATIO**2
    >>> _reason([Difference(h, value=0.5, gap=1.0) for h in steps], error=0.5)
    'kink'
    >>> _reason([Difference(h, value=1 / h, gap=0.0) for h in steps], error=1.0)
    'jump'

    Noise makes gaps that come and go:

    >>> gaps = 0.2, -0.1, 0.3
    >>> _reason([Difference(h, 0.5, gap) for h, gap in zip(steps, gaps)], error=0.05)
    'precision'

    A tripled quotient is no jump, a gap that shrinks by a fourth is no kink, and one that is
    within the error is none, either:

    >>> _reason([Difference(1.0, value, gap=0.0) for value in (1.0, 3.0, 9.0)], error=1.0)
    'precision'
    >>> for last, error in ((0.78, 0.5), (0.74, 0.5), (1.0, 1.0)):
    ...     print(_reason([Difference(1.0, 0.5, gap) for gap in (1.0, 1.0, last)], error))
    kink
    precision
    precision

    >>> _reason([Difference(h) for h in steps], error=math.inf)
    'not finite'
    """
    larger, this, *smaller = steps
    if math.isnan(this.value):
        return "precision" if math.isinf(this.rounding) else "not finite"  # a step that is lost
    if abs(this.value) > max(RATIO / 2 * abs(larger.value), this.most_noise):
        return "jump"  # the quotient grows as the step shrinks
    gap = gap_at_0(larger, this)
    gone = any(abs(s.gap - gap) > abs(gap) / 4 + 2 * s.rounding for s in smaller)
    return "kink" if abs(gap) > error and not gone else "precision"


def _least_error(steps: list[Difference]) -> tuple[int, float]:
    errors = errors_of(steps)
    error = min(errors)
    return errors.index(error) + 1, error


def _next_step(line: Line, steps: list[Difference], best: int, error: float) -> float | None:
    """Return a larger step while larger ones pay, then a smaller one while it may pay."""
    largest, smallest = steps[0], steps[-1]
    may_be_noise = error < steps[best].most_noise
    if best == 1 and may_be_noise and largest.step < max(1.0, line.scale):
        return largest.step * RATIO
    # A smaller step is of no use if its rounding alone undoes the gain, unless it has to confirm
    # that a gap has gone, and is not hidden.
    pays = RATIO * smallest.rounding < error
    hidden = best == len(steps) - 1 and passed_a_kink(steps[best - 1], steps[best])
    if (pays or hidden) and smallest.step > math.ulp(line.scale):
        return smallest.step / RATIO
    return None


def errors_of(steps: list[Difference]) -> list[float]:
    """Return the error of each difference but the first, from largest to smallest step.

    Two of them may contradict each other. If no noise can explain it, the larger step is wrong:
    it steps over what the cost does in between. Otherwise each of them may be wrong:
    noise can stand still over a small step, and make a difference that looks exact.

    Examples
    --------
    Two slopes of 1 and two of 5 contradict each other. The smaller steps are right,

    >>> values = {1e-2: 1.0, 1e-3: 1.0, 1e-4: 5.0, 1e-5: 5.0}
    >>> errors_of([Difference(h, value, gap=0.0) for h, value in values.items()])
    [4.0, 4.0, 0.0]
    >>> errors_of([Difference(h, value, gap=0.0) for h, value in [*values.items()][:3]])
    [4.0, 4.0]

    unless noise may have made them:

    >>> noisy = [Difference(h, v, 0.0, 1e-9, most_noise=1e12) for h, v in values.items()]
    >>> print([f"{error:.1f}" for error in errors_of(noisy)])
    ['4.0', '4.0', '3.5']

    What the larger one's error explains is no contradiction; the rounding of the smaller counts:

    >>> values = {1e-2: 1.0, 1e-3: 3.0, 1e-4: 6.0}
    >>> for most_noise in (0.0, 16.0):
    ...     print(errors_of([Difference(h, v, 0.0, 0.25, most_noise) for h, v in values.items()]))
    [3.25, 3.25]
    [3.0, 3.25]
    """
    errors = _errors_by_neighbour(steps)
    judged = steps[1:]
    for k, larger in enumerate(judged):
        own = errors[k]
        for j in range(k + 1, len(judged)):
            smaller = judged[j]
            apart = abs(larger.value - smaller.value)
            if apart - own > math.sqrt(smaller.rounding * smaller.most_noise):
                errors[k] = max(errors[k], apart + smaller.rounding)
            elif apart - own > smaller.rounding:
                errors[k], errors[j] = max(errors[k], apart), max(errors[j], apart - own)
    return errors


def _errors_by_neighbour(steps: list[Difference]) -> list[float]:
    """Return rounding, truncation and kink of each difference but the first.

    A change that is due to noise shrinks in proportion to the step:
    what the smaller steps show of it counts for the larger ones, too.
    """
    errors = []
    change = 0.0
    for k in range(len(steps) - 1, 0, -1):
        larger, this = steps[k - 1], steps[k]
        change = max(_change(larger, this), change / RATIO)
        error = this.rounding + change + abs(gap_at_0(larger, this)) / 2
        errors.append(error if error < math.inf else math.inf)  # nan is no error that is known
    return errors[::-1]


def _change(larger: Difference, this: Difference) -> float:
    """Return how far the slope moved; if the larger step passed a kink, on its clean side.

    Examples
    --------
    The slopes are 1 ahead of the point, and 0.1 over the kink that is behind it:

    >>> _change(Difference(1e-2, 0.55, 0.9), Difference(1e-3, 1.0, 0.0, rounding=1e-9))
    0.0
    >>> _change(Difference(1e-2, -0.55, 0.9), Difference(1e-3, -1.0, 0.0, rounding=1e-9))
    0.0
    """
    values = larger.sides if passed_a_kink(larger, this) else (larger.value,)
    return min(abs(this.value - value) for value in values)


def gap_at_0(larger: Difference, this: Difference) -> float:
    """Return the gap between the one-sided slopes, extrapolated to no step at all."""
    if passed_a_kink(larger, this):
        return this.gap
    return this.gap - (larger.gap - this.gap) / (RATIO - 1)


def passed_a_kink(larger: Difference, this: Difference) -> bool:
    """Tell whether a gap has gone: of one that is due to curvature, a share would be left.

    Examples
    --------
    >>> this = Difference(1e-3, 1.0, gap=2.0, rounding=1.0)
    >>> [passed_a_kink(Difference(1e-2, 1.0, gap * RATIO), this) for gap in (5.0, 4.0)]
    [True, False]
    >>> passed_a_kink(Difference(1e-2, 1.0, 5.0 * RATIO), this._replace(gap=2.5))
    False
    """
    return abs(this.gap) <= 2 * this.rounding < abs(larger.gap) / (2 * RATIO)


def _raise_failure(steps: list[Difference]) -> None:
    """Raise what the cost raised nearest to the point, if it did: it may be the reason."""
    for difference in reversed(steps):
        if difference.failure:
            raise difference.failure
