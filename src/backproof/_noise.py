"""The noise of a cost, from its values on a short ray from the point.

Over so short a ray, what a smooth cost leaves beside a parabola is noise (Hamming, 1971).
Where values tie, the cost moves in jumps that are longer than the ray, which is then
lengthened, as Moré and Wild (2011) do. Equations (3) to (6) of docs/explanation/method.md.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backproof._directions import Direction, Part, Parts, Scale
from backproof._parameters import Parameters, precision_of

if TYPE_CHECKING:
    from backproof._objective import Objective

# So many values on a ray for a first estimate, and for one that is to be relied on.
QUICK, CLOSE = 4, 12

# The ray grows by this factor while values tie, and no further than this share of the parameters.
GROWTH, LONGEST = 8, 1 / 4

# A cost that stands still over such shares of the parameters, too, does not read them.
FAR = (1, 8, 64)

# Standard deviations up to which a value may be off: normal noise is further off once in 370.
BOUND = 3

# No first step is made for a relative noise of more than half of the digits of single precision.
MOST_RELATIVE = math.sqrt(precision_of(np.dtype(np.float32)))


class Noise(NamedTuple):
    """How far a value of the cost may be off, and the first step that suits this.

    `grid` is the smallest change where values tied, and 0 where none did; `step` is relative to
    the parameters; `moved` tells whether the cost changed on the ray at all, and `last` is the
    last step on it and the cost there.
    """

    level: float
    grid: float
    step: float
    moved: bool
    last: tuple[float, float]


def measure_noise(objective: Objective, spread: float, count: int = QUICK) -> Noise:
    """Measure the noise on a ray: a longer one while values tie, closer ones if it is large.

    `spread` is by how much calls with the same parameters differ.
    """
    ray, precision = _ray(objective.parameters), objective.precision
    length, grid = math.sqrt(max(precision, objective.parameters.precision)) / 4, 0.0
    shortest, (last, values) = length, _values(objective, ray, length, count)
    # If other values of the function move, one that stands still is on no grid.
    still = objective.kin.moves and len({*values, objective.value}) == 1
    while _tie(values) and not still and GROWTH * abs(length) <= LONGEST:
        grid = max(grid, _smallest_change(values))
        length *= -GROWTH
        last, values = _values(objective, ray, length, CLOSE if grid else count)
    level = deviation(values)
    if _ties(values) or abs(length) > shortest:
        grid = max(grid, _smallest_change(values))
    elif level > math.sqrt(precision) * max(map(abs, values)):
        level = _closer(objective, ray, length, level)
    level = max(level, grid, BOUND * spread)
    step = _first_step(objective, level, abs(values[-1] - objective.value), length)
    moved = objective.kin.moves or len({*values, objective.value}) > 1
    if not moved and (far := _farther(objective, ray)):
        level = grid = far  # it is rounded, or counts something
    return Noise(level, grid, objective.kin.settled(step), moved, (last, values[-1]))


def _farther(objective: Objective, ray: Direction) -> float:
    """Return by how much a cost changes that stands still over the longest ray, 0 if never."""
    for step in FAR:
        change = abs(objective.beside(ray, step).cost - objective.value)
        if change > 0:
            return change
    return 0.0


def _closer(objective: Objective, ray: Direction, length: float, level: float) -> float:
    """Return the noise that stays on closer rays: what shrinks is the shape of the cost."""
    while abs(length) > precision_of(np.dtype(np.float64)):
        length /= GROWTH**2
        values = _values(objective, ray, length, CLOSE)[1]
        closer = deviation(values)
        if _ties(values) or closer > level / 2:  # values that tie show no noise
            break
        level = closer
    return level


def _first_step(objective: Objective, level: float, change: float, length: float) -> float:
    """Return the step that balances truncation with rounding (9), relative to the parameters."""
    size = max(abs(objective.value), change / abs(length) if math.isfinite(change) else 0.0)
    relative = max(objective.precision, level / size) if size else objective.precision
    # A power of two, so that the last bits of the noise, in which machines differ, do not count.
    return float(2.0 ** round(math.log2(math.cbrt(min(relative, MOST_RELATIVE)) / 2)))


def value_on_ray(objective: Objective, step: float) -> float:
    """Return the cost at a step on the ray on which its noise was measured."""
    return objective.beside(_ray(objective.parameters), step).cost


def deviation(values: list[float]) -> float:
    """Return three standard deviations of what is left of values on a ray beside a parabola.

    Examples
    --------
    >>> print(f"{deviation([0.0, 1.0, 0.0, 1.0, 0.0]):.4f}", deviation([0.0, 0.0, 0.0, 0.0, 0.0]))
    2.0424 0.0
    """
    if not all(map(math.isfinite, values)):
        return 0.0
    contrasts = _beside_a_parabola(len(values))
    left = (contrasts * np.subtract(values, values[0])).sum(axis=1)
    return BOUND * math.hypot(*left) / math.sqrt(len(left))


def _values(
    objective: Objective, ray: Direction, length: float, count: int
) -> tuple[float, list[float]]:
    """Return the end of a ray and the cost on it, elsewhere where it is not defined.

    A close look leaves out the point itself, where the cost may jump.
    """
    places = _places(count + 1)
    for side in (length, -length, length / GROWTH**2):
        values = [objective.beside(ray, side * place).cost for place in places[1:]]
        if all(map(math.isfinite, values)):
            break
    return side, [objective.value, *values] if count == QUICK else values


def _ray(parameters: Parameters) -> Direction:
    """Return a direction in which each entry changes by its own size, or a block of zeros by 1."""
    parts = []
    for block in parameters.blocks:
        sizes = block.values.astype(np.float64)
        if not sizes.any():
            sizes[:] = block.scale
        parts.append(Part(block.values, block.values.copy(), sizes * _signs(sizes.size)))
    return Parts(tuple(parts), Scale(1.0, 1.0, parameters.precision), "the parameters")


def _signs(count: int) -> NDArray[np.float64]:
    return np.resize([-1.0, 1.0, 1.0], count)


def _tie(values: list[float]) -> bool:
    """Tell whether most of the values are the same as others."""
    return len(set(values)) <= len(values) / 2


def _ties(values: list[float]) -> bool:
    return len(set(values)) < len(values)


def _smallest_change(values: list[float]) -> float:
    changes = np.diff(np.unique(values))
    return float(changes.min()) if changes.size and np.isfinite(changes).all() else 0.0


def _places(count: int) -> NDArray[np.float64]:
    """Return uneven places from 0 to 1: a cost on a grid may seem free of noise at even ones."""
    return np.linspace(0.0, 1.0, count) ** 1.1


@cache
def _beside_a_parabola(count: int) -> NDArray[np.float64]:
    """Return an orthonormal basis of the complement of parabolas through the places of values."""
    places = _places(CLOSE + 1)[1:] if count == CLOSE else _places(count)
    return np.linalg.svd(np.vander(places, 3).T)[2][3:]
