"""The check of a gradient: each entry has to lie within the error of a measured slope.

Entries are measured one by one, or, where there are too many of them,
all arrays are probed along random directions, and wrong entries are located where they fail.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from backproof.costs import Cost, measure_origin
from backproof.differences import require_order
from backproof.directions import check_directions
from backproof.entries import Array, Check, check_entries
from backproof.parameters import Nest, Parameters, arrays_like
from backproof.report import Report, overall
from backproof.slopes import Workers, require_workers

# Up to this many parameters, the method "auto" measures every entry.
MOST_ENTRIES = 5000


def check_gradient(
    cost: Cost,
    gradient: Nest | Callable[[Nest], Nest],
    parameters: Nest,
    *,
    method: str = "auto",
    ord: float = 2,
    tolerance: float = 1e-7,
    seed: int = 0,
    workers: Workers = map,
) -> Report:
    """Check a gradient against measured slopes of the cost, and say what is wrong with it.

    Parameters
    ----------
    cost
        Takes `parameters` and returns a real number.
    gradient
        The gradient that is claimed: numbers and arrays in the structure and the shapes
        of `parameters`, or a function of the parameters that returns them.
    parameters
        A number, an array of floats, or a nest of dicts, lists and tuples of them.
    method
        "entries" measures every entry, with two evaluations each and a few more where
        something looks odd. "directions" probes all arrays along random directions,
        and looks for the wrong entries only in arrays that fail.
        "auto" takes the first for up to 5,000 parameters.
    ord
        The order of the norm of `Report.difference`, as for `relative_difference`.
        The verdict does not depend on it.
    tolerance
        How far, relative to the two, an entry may lie outside of the error of its slope.
        Along directions, where it would hide one entry behind all others, there is none.
    seed
        What random directions are drawn from.
    workers
        A callable like `map`, called as `workers(function, points)` for the entries.

    Returns
    -------
    Report
        True if the gradient is correct; printing it shows what was found.

    Raises
    ------
    TypeError
        If parameters or gradient are not real numbers, or the cost does not return one.
    ValueError
        If the cost is random, not finite at the parameters or changes them,
        if the gradient has another structure or changes the parameters,
        or if an option is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> def cost(w):
    ...     return np.sum(w**3)
    >>> print(check_gradient(cost, lambda w: 3 * w**2, np.array([0.5, 1.0, -2.0])).verdict)
    correct
    >>> report = check_gradient(cost, lambda w: w**2, np.array([0.5, 1.0, -2.0]))
    >>> print(report.arrays["parameters"].mistake.text)
    it is 1/3 of the numerical gradient: is a mean over 3 taken where a sum belongs?
    """
    _require_options(method, ord, tolerance, seed)
    require_workers(workers)
    point = Parameters(parameters)
    claimed = _claimed(gradient, point)
    origin = measure_origin(cost, point)
    check = Check(cost, point, origin, claimed, tolerance, ord, seed, workers)
    every = method == "entries" or (method == "auto" and point.size <= MOST_ENTRIES)
    with np.errstate(all="ignore"):
        arrays, evaluations, difference = (check_entries if every else check_directions)(check)
    return Report(overall(arrays), difference, arrays, evaluations + origin.evaluations, seed)


def assert_gradient(
    cost: Cost,
    gradient: Nest | Callable[[Nest], Nest],
    parameters: Nest,
    **options: Any,
) -> None:
    """Raise an AssertionError with the whole report if the gradient is not correct.

    It takes the options of `check_gradient`. In a test it stands alone on its line;
    `assert check_gradient(...)` would show no more than the beginning of the report.

    Raises
    ------
    AssertionError
        If the verdict is "wrong" or "undecided".
    TypeError, ValueError
        As `check_gradient` does.

    Examples
    --------
    >>> assert_gradient(lambda x: x**2, lambda x: 2 * x, 3.0)
    """
    __tracebackhide__ = True
    report = check_gradient(cost, gradient, parameters, **options)
    if not report:
        raise AssertionError(f"\n{report}")


def _claimed(gradient: Nest | Callable[[Nest], Nest], point: Parameters) -> dict[str, Array]:
    """Return the claimed gradient by path, in the structure of the parameters."""
    if callable(gradient):
        before = point.vector()
        gradient = gradient(point.nest)
        point.require_unchanged(before, "gradient")
    arrays = arrays_like(point.leaves, gradient, "gradient")
    # What computes the cost may write its gradient to the same memory, call after call.
    return {path: array.copy() for path, array in arrays.items()}


def _require_options(method: str, ord: float, tolerance: float, seed: int) -> None:
    if not isinstance(method, str) or method not in ("auto", "entries", "directions"):
        raise ValueError(f"method is {method!r}: expected 'auto', 'entries' or 'directions'.")
    require_order(ord)
    if not isinstance(tolerance, Real) or not 0 <= tolerance < 1:
        raise ValueError(f"tolerance is {tolerance!r}: expected a number from 0 to below 1.")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed is {seed!r}: expected a whole number that is not negative.")
