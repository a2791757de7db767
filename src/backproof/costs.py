"""What a cost shows at the point itself: its value, its precision and its noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from backproof.parameters import Nest, Parameters, float_of, precision_of

Cost = Callable[[Nest], Any]

# The precision that a cost may have inside, whatever its value has.
SINGLE = precision_of(np.dtype(np.float32))

# What varies by more than this share of a cost says nothing of the step that suits it.
MOST_RELATIVE = math.sqrt(SINGLE)


class Origin(NamedTuple):
    """The cost at the point itself, the relative precision of its floats, and its noise.

    `step` is a first step, relative to the parameters: it suits a cost with this noise
    which is as smooth as its parameters are large.
    """

    cost: float
    precision: float
    noise: float
    step: float
    evaluations: int

    @property
    def most_noise(self) -> float:
        """The most that is taken for noise; what varies by more is the shape of the cost."""
        return most_noise(self.cost, self.precision)


def most_noise(cost: float, precision: float) -> float:
    """Return half of the digits of a cost.

    Examples
    --------
    >>> most_noise(-3.0, 2**-52) == 3 * 2**-26
    True
    """
    return math.sqrt(precision) * abs(cost)


def measure_origin(cost: Cost, parameters: Parameters) -> Origin:
    """Call the cost twice at the point itself, and refuse one that cannot be differentiated.

    Examples
    --------
    A cost, the same with noise, two in single precision, of which one returns a float64, two that
    are 0 and rounded to a grid, short waves, and one that is not defined beside the point:

    >>> for cost in (
    ...     lambda x: x * x,
    ...     lambda x: x * x + 1e-9 * (x * 2**40 % 1),
    ...     lambda x: float(np.float32(x) ** 2),
    ...     lambda x: np.float32(1.5),
    ...     lambda x: 1e6 + x - (1e6 + 3.1),
    ...     lambda x: 1e7 + x - (1e7 + 3.1),
    ...     lambda x: math.sin(1e8 * x),
    ...     lambda x: math.log(x - 3.1 + 1e-10),
    ... ):
    ...     _, precision, noise, step, evaluations = measure_origin(cost, Parameters(3.1))
    ...     print(f"{precision:.0e} {noise:.0e} {step:.0e}", evaluations)
    2e-16 1e-15 3e-06 6
    2e-16 1e-09 3e-04 6
    1e-07 9e-07 2e-03 18
    1e-07 0e+00 2e-03 14
    2e-16 8e-11 4e-02 22
    2e-16 2e-09 4e-02 22
    2e-16 0e+00 3e-06 22
    2e-16 0e+00 3e-06 6
    """
    if not callable(cost):
        raise TypeError(f"the cost is of type {type(cost).__name__}: expected a function.")
    value, precision, noise = _called_twice(cost, parameters)
    precision, spread, evaluations = _noise_nearby(cost, parameters, value, precision)
    noise = max(noise, spread)
    size = max(abs(value), noise / MOST_RELATIVE)
    relative_noise = max(precision, noise / size) if size else precision
    return Origin(value, precision, noise, math.cbrt(relative_noise) / 2, 2 + evaluations)


def _called_twice(cost: Cost, parameters: Parameters) -> tuple[float, float, float]:
    """Return a cost at the point, its precision, and by how much a second call differs."""
    before = parameters.vector()
    first, second = (real_number(cost(parameters.nest)) for _ in range(2))
    parameters.require_unchanged(before, "cost")
    value, precision = float(first), _precision(first, parameters)
    noise = abs(value - float(second))
    if not math.isfinite(value):
        raise ValueError(f"the cost is {first} at the parameters: expected a finite number there.")
    if not noise <= most_noise(value, precision):
        raise ValueError(
            f"the cost is random: two calls with the same parameters gave {first} and {second}. "
            "Is a dropout mask or a batch drawn inside it? Draw it once, outside, or fix its seed."
        )
    return value, precision, noise


def _noise_nearby(
    cost: Cost, parameters: Parameters, value: float, precision: float
) -> tuple[float, float, int]:
    """Return the precision that a cost shows beside the point, its noise, and the evaluations."""
    most, fine = most_noise(value, precision), max(precision, parameters.precision)
    nearby = _values_nearby(cost, parameters, value, fine)
    spread, evaluations = _noise_of(nearby), len(nearby) - 1
    still = precision < SINGLE and (len(set(nearby)) == 1 or _jumps(nearby))
    if spread > most or still:
        # Single precision inside a cost takes no notice of such small steps, or leaps at them.
        nearby = _values_nearby(cost, parameters, value, max(SINGLE, math.sqrt(precision)))
        evaluations += len(nearby) - 1
        if precision < SINGLE and _is_single(nearby, spread, precision):
            precision, spread = SINGLE, _noise_of(nearby)
        elif not spread:  # it is rounded to a grid that is coarser than the steps
            spread = _noise_of(nearby)
        elif spread > most:
            closer = _values_nearby(cost, parameters, value, fine / 256)
            evaluations += len(closer) - 1
            shrinks = 0 < _noise_of(closer) < spread / 8
            if shrinks or not max(nearby) - min(nearby) > 4 * spread:
                spread = 0.0  # this is the shape of the cost, such as short waves
    known = math.isfinite(spread) and not _jumps(nearby)
    return precision, spread if known else 0.0, evaluations


def _values_nearby(
    cost: Cost, parameters: Parameters, first: float, precision: float
) -> list[float]:
    """Return values of a cost on a ray that is short for a precision; more of them if it is single.

    The ray starts at the point, so that a kink there is not taken for noise.

    Examples
    --------
    >>> values = _values_nearby(lambda x: x, Parameters(2.0), 2.0, 2**-52)
    >>> [round((value - 2.0) * 2**27, 4) for value in values]
    [0.0, -0.2176, -0.4665, -0.7287, -1.0]

    Parameters that are all zero have the scale 1:

    >>> _values_nearby(lambda x: x, Parameters(0.0), 0.0, 2**-52)[-1] * 2**28
    -1.0

    Where the cost is not defined, there is nothing to be seen:

    >>> _values_nearby(lambda x: math.log(x - 2), Parameters(2.0), 7.0, 2**-52)
    [7.0, nan, nan, nan, nan]
    """
    length, places = math.sqrt(precision) / 4, _places(5 if precision < SINGLE else 13)
    start = parameters.vector()
    try:
        beside = (_value_beside(cost, parameters, start, length * place) for place in places[1:])
        return [first, *beside]
    finally:
        parameters.assign(start)


def _value_beside(
    cost: Cost, parameters: Parameters, start: NDArray[np.float64], distance: float
) -> float:
    """Return the cost at some distance from the point, relative to the parameters, or nan."""
    displaced = np.resize([-distance, distance, distance], start.size)
    displaced *= start if start.any() else 1.0
    displaced += start
    parameters.assign(displaced)
    displaced = parameters.vector()  # as it was rounded
    try:
        with np.errstate(all="ignore"):
            value = float(real_number(cost(parameters.nest)))
    except (ArithmeticError, ValueError):
        return math.nan
    parameters.require_unchanged(displaced, "cost")
    return value


def _is_single(values: list[float], spread: float, precision: float) -> bool:
    """Tell whether values on a ray for single precision show that precision.

    `spread` is the noise that a shorter ray shows: that of a cost's shape would grow with the ray.

    Examples
    --------
    They show it by their noise, or, where they stand still, by their digits:

    >>> double = np.finfo(np.float64).eps
    >>> noisy = [1000 + 1e-4 * k for k in (1, 5, 2, 7, 3)]
    >>> [_is_single(noisy, spread, double) for spread in (0.0, 1e-8, 1e-4)]
    [True, False, True]
    >>> [_is_single(noisy, _noise_of(noisy) / much, double) for much in (99.5, 100.5)]
    [True, False]
    >>> _is_single([float(np.float32(1 / 3))] * 5, 0.0, double)
    True
    >>> _is_single([1 / 3] * 5, 0.0, double)
    False
    >>> _is_single([0.25] * 5, 0.0, double)  # so few digits, in any precision
    False
    >>> [_is_single([0.5 + 2.0**-n] * 5, 0.0, double) for n in (12, 13)]
    [False, True]
    """
    size, noise = abs(values[0]), _noise_of(values)
    if 8 * precision * size < noise <= math.sqrt(SINGLE) * size:
        return spread == 0 or noise < 100 * spread
    # Its digits show where the values happen to stand on a line; a number of few digits shows none.
    with np.errstate(over="ignore"):
        rounded = all(float(np.float32(value)) == value for value in values)
    return rounded and not (math.frexp(size)[0] * 2**12).is_integer()


def _noise_of(values: list[float]) -> float:
    """Return three times the standard deviation of the noise of a cost, from values on a ray.

    The ray is so short that what is left beside a parabola is the noise alone; with even places,
    that would be third differences (Hamming, 1971; Moré and Wild, 2011).

    Examples
    --------
    >>> f"{_noise_of([0.0, 1.0, 0.0, 1.0, 0.0]):.4f} {_noise_of(_places(13) ** 2) < 1e-15}"
    '2.0424 True'
    """
    contrasts = _beside_a_parabola(len(values))
    with np.errstate(all="ignore"):
        left = (contrasts * np.subtract(values, values[0])).sum(axis=1)
    return 3 * math.hypot(*left) / math.sqrt(len(left))


def _places(count: int) -> NDArray[np.float64]:
    """Return uneven places from 0 to 1.

    From one even place to the next, a cost that is rounded to a grid could change by the same
    number of its steps, and seem to have no noise.
    """
    return np.linspace(0.0, 1.0, count) ** 1.1


@cache
def _beside_a_parabola(count: int) -> NDArray[np.float64]:
    """Return orthogonal directions in which no parabola through so many places goes."""
    return np.linalg.svd(np.vander(_places(count), 3).T)[2][3:]


def _jumps(values: list[float]) -> bool:
    """Tell whether a cost jumps at the point, where a ray starts: that is no noise.

    Examples
    --------
    >>> [_jumps([jump, 0.0, 2.0, 1.0, 2.0]) for jump in (20.0, 20.5, -18.0, -18.5)]
    [False, True, False, True]
    """
    at, *beside = values
    lowest, highest = min(beside), max(beside)
    return max(lowest - at, at - highest) > 9 * (highest - lowest)


def real_number(value: Any) -> float | np.number[Any]:
    """Return what a cost returned, if it is one real number.

    Examples
    --------
    >>> [float(real_number(value)) for value in (2.5, 3, np.float32(0.5), np.array([[4]]))]
    [2.5, 3.0, 0.5, 4.0]
    >>> real_number(np.ones(1) > 0)
    Traceback (most recent call last):
    TypeError: the cost returned a value of type ndarray: expected one real number.
    """
    if isinstance(value, float):
        return value
    if type(value) is int:
        return float_of(value)
    if isinstance(value, np.number | np.ndarray) and not np.ma.is_masked(value):
        array = np.asarray(value)
        if array.size == 1 and array.dtype.kind in "fiu":
            return cast("np.number[Any]", array.reshape(-1)[0])
    raise TypeError(f"the cost returned {_described(value)}: expected one real number.")


def _described(value: Any) -> str:
    if value is None:
        return "None (is a return statement missing?)"
    if isinstance(value, np.ndarray) and value.size != 1:
        return f"an array of shape {value.shape} (is a sum or a mean over it missing?)"
    return f"a value of type {type(value).__name__}"


def _precision(cost: float | np.number[Any], parameters: Parameters) -> float:
    """Return the relative precision of a cost: that of its dtype, or of its parameters'."""
    if isinstance(cost, np.floating):
        return precision_of(cost.dtype)
    return parameters.precision
