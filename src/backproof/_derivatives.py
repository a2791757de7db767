"""Derivatives by central differences, each with the error within which it is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from backproof._calling import MEASURED, public
from backproof._directions import Direction, along, of_entry
from backproof._objective import Cost, Objective, Workers, require_workers
from backproof._parameters import Nest, Parameters
from backproof._slopes import Measured, measure


class Slope(NamedTuple):
    """A derivative along a direction, and the error within which it is known.

    Attributes
    ----------
    value
        The derivative, a float.
    error
        How far the true derivative may be from `value`, a float; an estimate, not a bound.
        At a kink, half of the difference between the slopes on its two sides.
    """

    value: float
    error: float


@public(MEASURED)
def derivative(function: Cost, x: Nest, direction: Nest | None = None) -> Slope:
    r"""Return the derivative of a function at `x` along a direction, with its error.

    Parameters
    ----------
    function
        Takes a value like `x` and returns a real number.
    x
        A number, an array of floats, or a nest of them.
    direction
        In the structure and the shapes of `x`; its length multiplies the derivative.
        It may be left out if `x` holds a single number.

    Returns
    -------
    Slope
        The `value` and its `error`; `nan` and `inf` where no step gives finite costs on both sides.

    Raises
    ------
    TypeError
        If `x` is not made of floats, if `function` does not return a real number,
        or if a direction is needed but not given.
    ValueError
        If `function` is random, not finite at `x`, or changes `x` in place;
        if `direction` is zero or not finite, or differs from `x` in structure or shapes.

    Notes
    -----
    A central difference over the step $h$ has a truncation error of $h^2 |f'''| / 6$ and
    a round-off error of about $\varepsilon |f| / h$ (Gill, Murray, Saunders and Wright, 1983).
    The step shrinks while the first visibly dominates, and grows while the second does.

    Examples
    --------
    >>> import math
    >>> slope = derivative(math.sin, 1.0)
    >>> abs(slope.value - math.cos(1.0)) <= slope.error < 1e-9
    True

    Along a direction, whose length multiplies the slope:

    >>> import numpy as np
    >>> x, direction = np.array([3.0, 4.0]), np.array([1.0, -2.0])
    >>> print(f"{derivative(np.linalg.norm, x, direction).value:.6f}")
    -1.000000
    """
    objective = Objective(function, Parameters(x))
    with np.errstate(all="ignore"):
        objective.require_steady()
        objective.listen()
        scaled, speed = _scaled(objective.parameters, direction)
        measured = measure(objective, scaled)
        objective.again()  # to see whether the function has changed what it was given
    return Slope(measured.value * speed, measured.error * speed)


@public(MEASURED)
def numerical_gradient(
    cost: Cost, parameters: Nest, *, workers: Workers = map
) -> tuple[Nest, Nest]:
    """Return the slope of a cost with respect to each of its parameters, and the errors.

    Parameters
    ----------
    cost
        Takes `parameters` and returns a real number.
    parameters
        A number, an array of floats, or a nest of dicts, lists, tuples and dataclasses of them.
        They are copied once, and never changed.
    workers
        A callable like `map`, such as `Pool.map`, `ThreadPoolExecutor().map`
        or `tqdm.contrib.tmap`; the result does not depend on it.

    Returns
    -------
    gradient, error
        Two nests of float64, in the structure and the shapes of `parameters`.

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
    >>> print(gradient["w"].round(6), round(gradient["b"], 6), (error["w"] < 1e-9).all())
    [ 2. -4.] 3.0 True
    """
    require_workers(workers)
    point = Parameters(parameters)
    objective = Objective(cost, point)
    with np.errstate(all="ignore"):
        objective.require_steady()
        objective.listen()
        slopes = objective.for_each(measure_entry, range(point.size), workers)
    objective.again()  # to see whether the cost has changed what it was given
    gradient = point.with_entries(measured.value for measured in slopes)
    return gradient, point.with_entries(measured.error for measured in slopes)


def measure_entry(objective: Objective, index: int) -> Measured:
    """Return the slope with respect to one entry."""
    return measure(objective, of_entry(objective.parameters, index))


def _scaled(point: Parameters, direction: Nest | None) -> tuple[Direction, float]:
    """Return a direction of which the largest entry is 1, and how many times as long it was."""
    if direction is None:
        if point.size > 1:
            raise TypeError(
                f"x holds {point.size} numbers: pass the direction to differentiate "
                "along, or call numerical_gradient for the slope of each."
            )
        return of_entry(point, 0), 1.0
    velocity = point.vector_of(direction, "direction")
    if not np.isfinite(velocity).all() or not velocity.any():
        raise ValueError("the direction is zero or not finite: expected finite entries, not all 0.")
    speed = float(np.abs(velocity).max())
    size = float(np.abs(point.vector()[velocity != 0]).max())
    return along(point, velocity / speed, size), speed
