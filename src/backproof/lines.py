"""A cost along a line through the point, and its differences there."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from backproof.costs import Cost, Origin, real_number
from backproof.parameters import FloatArray, Parameters, Vector, precision_of

# A single difference is enough if the forward and the backward slope differ by at most this share.
STRAIGHT = 0.01


class Line(NamedTuple):
    """A cost along a direction through a point.

    `cost_at` takes a step, and returns the step that was really taken and the cost there.
    `size` is that of the number which is displaced, `scale` the usual size of its kind.
    """

    cost_at: Callable[[float], tuple[float, float]]
    origin: Origin
    size: float
    scale: float


class Difference(NamedTuple):
    """A central difference, with what noise can do to it.

    `gap` is the forward minus the backward slope,
    `rounding` the error that the known noise may cause,
    and `most_noise` the error that any noise may cause.
    The value is `nan` where the cost is not defined on both sides;
    `failure` is what the cost raised there, if it raised.

    Examples
    --------
    >>> Difference(0.5)
    Difference(step=0.5, value=nan, gap=nan, rounding=0.0, most_noise=0.0, failure=None)
    >>> Difference(0.5, value=2.0, gap=1.0).sides
    (2.5, 1.5)
    """

    step: float
    value: float = math.nan
    gap: float = math.nan
    rounding: float = 0.0
    most_noise: float = 0.0
    failure: Exception | None = None

    @property
    def sides(self) -> tuple[float, float]:
        """The slope ahead of the point, and the one behind it."""
        return self.value + self.gap / 2, self.value - self.gap / 2


def line_of_entry(cost: Cost, parameters: Parameters, origin: Origin, index: int) -> Line:
    """Return the line along which one entry is displaced, in place, and restored."""
    block, i = parameters.entry(index)
    values, x = block.values, block.values[i]
    start = float(x)

    def cost_at(step: float) -> tuple[float, float]:
        values[i] = start + step
        taken = float(values[i]) - start
        try:
            return taken, float(real_number(cost(parameters.nest)))
        except Exception as error:
            error.add_note(f"{block.entry_name(i)} was displaced by {taken:.3g} in this call.")
            raise
        finally:
            values[i] = x

    size = abs(start)
    return Line(cost_at, origin, size, max(size, block.scale))


def line_of_array(
    cost: Cost,
    parameters: Parameters,
    origin: Origin,
    array: FloatArray,
    direction: FloatArray,
    scale: float,
) -> Line:
    """Return the line along which a view of a block is displaced, in place, and restored.

    Examples
    --------
    >>> import numpy as np
    >>> w, origin = np.ones(2, np.float32), Origin(2.0, 2**-52, 0.0, 1e-5, 2)
    >>> line = line_of_array(np.sum, Parameters(w), origin, w, np.array([1.0, 0.5]), 3.0)
    >>> line.cost_at(0.5), line.origin.precision == 2**-23, line.scale
    ((0.5, 2.0), True, 3.0)
    """
    start = array.copy()

    def cost_at(step: float) -> tuple[float, float]:
        array[...] = start + step * direction
        try:
            return step, float(real_number(cost(parameters.nest)))
        finally:
            array[...] = start

    # The entries are rounded to their own precision as they are displaced.
    origin = origin._replace(precision=max(origin.precision, precision_of(array.dtype)))
    return Line(cost_at, origin, scale, scale)


def line_along(
    cost: Cost, parameters: Parameters, origin: Origin, velocity: Vector, size: float
) -> Line:
    """Return the line along which all entries are displaced, in place, and restored.

    Examples
    --------
    >>> import numpy as np
    >>> w, origin = np.ones(2, np.float32), Origin(2.0, 2**-52, 0.0, 1e-5, 2)
    >>> line = line_along(np.sum, Parameters(w), origin, np.array([1.0, 0.5]), 0.0)
    >>> line.cost_at(0.5), line.origin.precision == 2**-23, line.scale
    ((0.5, 2.75), True, 1.0)
    """
    start = parameters.vector()

    def cost_at(step: float) -> tuple[float, float]:
        parameters.assign(start + step * velocity)
        try:
            return step, float(real_number(cost(parameters.nest)))
        finally:
            parameters.assign(start)

    origin = origin._replace(precision=max(origin.precision, parameters.precision))
    return Line(cost_at, origin, size, size or 1.0)


def central_difference(line: Line, step: float) -> Difference:
    """Measure the cost on both sides of the point.

    Examples
    --------
    >>> origin = Origin(cost=1.0, precision=2**-52, noise=0.0, step=1e-5, evaluations=2)
    >>> line = Line(lambda h: (h, (1 + h) ** 2), origin, size=1.0, scale=1.0)
    >>> this = central_difference(line, 0.5)
    >>> this.value, this.gap, this.rounding * 2**52
    (2.0, 1.0, 13.0)

    Any noise may reach half of the digits of the cost, and is divided by the step:

    >>> (this.most_noise - 2 * this.rounding) * 2**26
    2.0

    A step may be lost in the rounding of the parameter, and a cost not be finite:

    >>> central_difference(line._replace(cost_at=lambda h: (max(h, 0.0), 1.0)), 1e-30).rounding
    inf
    >>> for cost in (math.inf, 1e308):
    ...     central_difference(line._replace(cost_at=lambda h: (h, cost)), 0.5).value
    nan
    0.0
    """
    try:
        (forward, ahead), (backward, behind) = line.cost_at(step), line.cost_at(-step)
    except (ArithmeticError, ValueError) as failure:  # such as math.log of a negative number
        return Difference(step, failure=failure)
    if not (forward and backward):  # the step is lost in the rounding of the parameter
        return Difference(step, rounding=math.inf)
    if not math.isfinite(ahead - behind):
        return Difference(step)
    value, gap, rounding = quotients(line.origin, line.size, forward, ahead, backward, behind)
    return Difference(step, value, gap, rounding, 2 * rounding + line.origin.most_noise / step)


def quotients(
    origin: Origin, size: Any, forward: Any, ahead: Any, backward: Any, behind: Any
) -> tuple[Any, Any, Any]:
    """Return central difference, gap and rounding error of costs; floats, or arrays of them."""
    value = (ahead - behind) / (forward - backward)
    gap = (ahead - origin.cost) / forward - (behind - origin.cost) / backward
    # The argument is rounded as well: that is as if the cost were larger by value * size.
    sizes = abs(ahead) + abs(behind) + 2 * abs(value) * size
    return value, gap, 2 * (origin.precision * sizes + origin.noise) / (forward - backward)


def straight(gap: Any, rounding: Any, size: Any) -> Any:
    """Tell whether a single difference is enough, in numbers or arrays of them.

    It is if the slopes on the two sides differ by no more than noise, or a share of the `size`.

    Examples
    --------
    >>> [straight(gap, rounding=0.25, size=10.0) for gap in (2.0, -2.0, 2.2)]
    [True, True, False]
    """
    return abs(gap) <= STRAIGHT * size + 8 * rounding
