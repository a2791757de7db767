"""The check of a gradient: each entry has to lie within the error of a measured slope.

Entries are measured one by one, or, where there are too many of them,
all arrays are probed along random directions, and wrong entries are located where they fail.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from backproof._calling import OPTIONS, public
from backproof._claims import Array, Check, Options
from backproof._decide import span
from backproof._directions import along
from backproof._entries import measure_entries, report_on
from backproof._functions import called_with
from backproof._objective import (
    LAST_CALLS,
    Cost,
    Kin,
    Objective,
    Workers,
    half_of_the_digits,
    real_number,
    require_workers,
)
from backproof._parameters import Nest, Parameters, precision_of, replace_leaves
from backproof._report import ArrayReport, Report, overall, require_correct
from backproof._rungs import TESTED, Entries
from backproof._search import check_directions

# How far a gradient may be off by default, as a share of the largest entry of its array.
TOLERANCE = 1e-7

# Up to this many parameters, the method "auto" measures every entry.
MOST_ENTRIES = 5000

NEARBY = "Entries at a kink, or without any effect, were also compared at a nearby point."

# Entries beside kinks are measured again at so many points, this share of their size away.
MOVES, MOVE = 3, 1 / 64


@public(OPTIONS)
def check_gradient(
    cost: Cost,
    gradient: Nest | Callable[[Nest], Nest],
    parameters: Nest,
    *,
    method: str = "auto",
    tolerance: float = TOLERANCE,
    seed: int = 0,
    workers: Workers = map,
    in_place: bool = False,
) -> Report:
    """Check a gradient against measured slopes of the cost, and say what is wrong with it.

    Parameters
    ----------
    cost
        Takes `parameters` and returns a real number.
    gradient
        The gradient that is claimed: numbers and arrays in the structure and the shapes
        of `parameters`, or a function of the parameters that returns them.
        Arrays of other libraries are accepted, here and from the cost, if NumPy can read them;
        a list of numbers, or of rows, may replace an array of the same shape, and vice versa.
        A function is called twice, each time after the cost at the same parameters,
        and lets the check compare entries at kinks at a nearby point.
        True if `cost` returns the pair (cost, gradient), as for SciPy's `jac=True`.
    parameters
        A number, an array of floats, or a nest of dicts, lists, tuples and dataclasses of them.
    method
        "entries" measures every entry, with two evaluations each and a few more where
        something looks odd. "directions" probes all arrays along random directions,
        and searches for wrong entries only in arrays that fail.
        "auto" measures every entry of up to 5,000 parameters, and probes more along directions.
    tolerance
        How far an entry may lie outside the error of its slope,
        relative to the largest entry of its array: 1e-07 (the default).
    seed
        The seed of the random directions.
    workers
        A callable like `map`, called as `workers(function, points)` for the entries.
        `tqdm.contrib.tmap` draws a progress bar.
    in_place
        True if the cost reads the very arrays that are passed instead of its argument. The check
        then displaces these arrays, and restores them at the end, even after an exception. All
        parameters have to be writable arrays, which are measured in their own precision, without
        `workers`.

    Returns
    -------
    Report
        True if the gradient is correct; printing it shows what was found.

    Raises
    ------
    TypeError
        If parameters or gradient are not real numbers, if the cost does not return one,
        or, with `in_place`, if a parameter is not in an array.
    ValueError
        If the cost is random, not finite at the parameters, changes them or does not read
        them, if the gradient differs from them in structure, changes them or differs at its
        second call, or if the value of an option is invalid;
        with `in_place`, if arrays are read-only or share memory, or if there are `workers`.

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

    A function that returns both:

    >>> def both(w):
    ...     return np.sum(w**3), 3 * w**2
    >>> print(check_gradient(both, True, np.array([0.5, 1.0, -2.0])).verdict)
    correct
    """
    require_options(method, tolerance, seed)
    require_workers(workers)
    _require_one_place(workers, in_place)
    here = Parameters(parameters)
    with (
        np.errstate(all="ignore"),
        called_with(parameters, cost, gradient, in_place=in_place) as functions,
    ):
        point = Point(*functions, here)
        point.require_read(in_place=in_place)
        every = method == "entries" or (method == "auto" and here.size <= MOST_ENTRIES)
        arrays, entries = judged(point, Options(tolerance, seed, workers), every=every)
        difference = entries.difference() if entries else math.nan
    verdict, notes = overall(arrays), tuple(point.notes)
    return Report(verdict, difference, arrays, point.evaluations, seed, notes)


@public(OPTIONS)
def assert_gradient(
    cost: Cost,
    gradient: Nest | Callable[[Nest], Nest],
    parameters: Nest,
    **options: Any,
) -> None:
    """Raise an AssertionError with the whole report if the gradient is not correct.

    It takes the options of `check_gradient`. In a test, it needs no assert statement;
    `assert check_gradient(...)` would show only one line of the report.

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
    require_correct(check_gradient(cost, gradient, parameters, **options))


class Point:
    """A point at which a gradient is claimed: the objective, the claims, and what to say of it."""

    def __init__(
        self,
        cost: Cost,
        gradient: Nest | Callable[[Nest], Nest],
        parameters: Parameters,
        kin: Kin | None = None,
    ) -> None:
        self.cost, self.gradient, self.parameters = cost, gradient, parameters
        self.notes: list[str] = []
        self.objective = Objective(cost, parameters, kin)
        self.kin = self.objective.kin
        self.claimed = self._claims(parameters)
        self.objective.again()
        if callable(gradient):
            _require_the_same(self.claimed, self._claims(parameters))
        self.others: list[Objective] = []
        double = precision_of(np.dtype(float))
        if parameters.precision > double:
            self._measure_in_double()
        if self.objective.precision > double:
            self.note("Measured in float32: in float64, far smaller mistakes would be seen.")

    @property
    def evaluations(self) -> int:
        """How often the cost was called."""
        return self.objective.evaluations + sum(other.evaluations for other in self.others)

    def _claims(self, parameters: Parameters) -> dict[str, Array]:
        """Return the claimed gradient by path, in the structure of the parameters."""
        gradient = self.gradient
        if gradient is None:
            raise TypeError(
                "the gradient that was passed is None: expected a function, an array or a nest of "
                "them, or True. To measure slopes alone, use numerical_gradient."
            )
        if callable(gradient):
            before = parameters.vector()
            gradient = gradient(parameters.nest)
            parameters.require_unchanged(before, "gradient")
        arrays = parameters.arrays_of(gradient, "gradient")
        # What computes the cost may write its gradient to the same memory, call after call.
        return {path: array.copy() for path, array in arrays.items()}

    def _measure_in_double(self) -> None:
        """Measure in float64 if the cost takes its parameters so, and has less noise then."""
        single, fine = self.objective, Parameters(in_double(self.parameters.original))
        try:
            double = Objective(self.cost, fine, self.kin)
            self.others.append(double)
            most = half_of_the_digits(single.value, single.precision)
            if abs(double.value - single.value) > most or double.precision >= single.precision:
                return
            noise = double.noise
            if not noise.moved or noise.level > single.precision / 16 * abs(double.value):
                return
            double.again()
            claimed = self._claims(fine)
        except Exception:  # whatever the cost makes of another dtype, it need not take it
            return
        self.objective, self.others = double, [single]
        self.notes.append("Measured in float64, which the cost also accepts.")
        apart = [path for path, g in self.claimed.items() if not close(g, claimed[path])]
        if not apart:
            self.claimed = claimed
        elif callable(self.gradient):
            self.notes.append(
                f"For parameters in float64, the gradient returns other numbers for {apart[0]}: do "
                "differences of nearly equal numbers lose its digits?"
            )

    def note(self, sentence: str) -> None:
        """Let the report say something of the check, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def require_read(self, *, in_place: bool) -> None:
        """Refuse a cost that no parameter changes, if the gradient says that some do."""
        claims = any(np.any(g) for g in self.claimed.values())
        if self.objective.noise.moved or self.objective.noise.grid or not claims:
            return
        if np.abs(self.parameters.vector()).max() < np.finfo(float).tiny:
            return  # no share of such numbers changes anything
        away = moved(self.parameters, np.random.default_rng(0), 1.0)
        fresh = Parameters(self.parameters.original)
        fresh.assign(away)
        offset = along(self.objective.parameters, away - self.parameters.vector(), 1.0)
        if self.objective.beside(offset, 1.0).cost != self.objective.value:
            return  # it changes with some directions only
        if real_number(self.cost(fresh.nest)) != self.objective.value:
            raise ValueError(
                "the cost changes with new arrays, but not when the same arrays hold new numbers: "
                "does it cache a result for the array object? Let the cache keep a copy of the "
                "numbers."
            )
        if in_place:
            raise ValueError(
                "the cost does not change when the arrays that were passed are displaced in place, "
                "but the gradient is not 0: does the cost read copies of them? Pass the very "
                "arrays that it reads."
            )
        raise ValueError(
            "the cost does not change with its parameters, but the gradient is not 0: does the "
            "cost read its argument? Compute the cost from the parameters that it is given, as "
            "lambda p: loss(X, y, p) does. If it reads the very arrays that you pass, as "
            "lambda p: net.loss(X, y) does, add in_place=True."
        )

    def neighbour(self, turn: int) -> Point | None:
        """Return a point that is moved a little, if the gradient is a function and both exist."""
        if not callable(self.gradient):
            return None
        nearby = Parameters(self.parameters.original)
        nearby.assign(moved(nearby, np.random.default_rng(turn), MOVE))
        try:
            other = Point(self.cost, self.gradient, nearby, self.kin)
        except Exception:  # it may lie outside of the domain
            return None
        self.others.append(other.objective)
        return other


def in_double(nest: Nest) -> Nest:
    """Return a nest with its numbers in float64."""
    return replace_leaves(nest, lambda _, leaf: np.asarray(leaf, np.float64)[()])


def moved(parameters: Parameters, rng: np.random.Generator, share: float) -> Any:
    """Return the vector with every entry displaced by about a share of its size.

    Zeros are displaced by a share of the usual size of their array.
    """
    vector = parameters.vector()
    sizes = np.where(vector == 0, parameters.scales(), abs(vector)) * rng.uniform(
        0.5, 1.5, vector.size
    )
    return vector + share * sizes * rng.choice([-1.0, 1.0], vector.size)


def _require_the_same(first: dict[str, Array], second: dict[str, Array]) -> None:
    """Refuse a gradient whose second call gives another one."""
    for path, g in first.items():
        other = second[path]
        if close(g, other):
            continue
        if np.allclose(other, 2 * g):
            how = f"2 times the first for {path}: does it accumulate without being reset to 0?"
        else:
            how = (
                f"another result for {path}: is a batch or a mask drawn inside it, or does "
                "something persist between calls?"
            )
        raise ValueError(f"the second call of the gradient returned {how}")


def close(first: Array, second: Array) -> bool:
    """Tell whether two results for an array agree to half of the digits of the first."""
    most = half_of_the_digits(span(first), precision_of(first.dtype))
    return bool(np.allclose(first, second, rtol=0, atol=most, equal_nan=True))


def judged(
    point: Point, options: Options, *, every: bool
) -> tuple[dict[str, ArrayReport], Entries | None]:
    """Report on each array of a claim, and on every entry if every one is to be measured."""
    check = Check(point.objective, point.claimed, options)
    entries = _measured(check, point) if every else None
    arrays = _by_directions(check, point) if entries is None else by_entries(check, entries)
    if overall(arrays) == "correct":
        point.objective.call_again(LAST_CALLS)
    else:
        point.objective.require_steady()
    return arrays, entries


def _measured(check: Check, point: Point) -> Entries:
    """Measure every entry, those beside kinks also at other points."""
    entries = measure_entries(check)
    for turn in range(MOVES):
        # Beside several kinks, a right claim need not lie between the slopes on the two sides.
        dead = (entries.reason == "zero") & (entries.verdict == "untested")
        again = np.flatnonzero(dead | (entries.reason == "kink") | (entries.verdict == "doubtful"))
        if not again.size or not (other := point.neighbour(turn)):
            break
        nearby = Check(other.objective, other.claimed, check.options)
        claimed = np.concatenate([np.ravel(g) for g in other.claimed.values()])
        again = again[(entries.reason[again] != "zero") | (claimed[again] != 0)]
        if not again.size:
            break
        entries.replaced(measure_entries(nearby, again))
        point.note(NEARBY)
    if entries.failure and not np.isin(entries.verdict, TESTED).any():
        raise entries.failure
    return entries


def by_entries(check: Check, entries: Entries) -> dict[str, ArrayReport]:
    """Report on each array by its entries."""
    own = (entries[entries.number == number] for number in range(len(check.paths)))
    return {path: report_on(check, path, e) for path, e in zip(check.paths, own, strict=True)}


def _tells(array: ArrayReport) -> bool:
    """Tell whether a point nearby says something of an array: there, its units may be dead."""
    return sum(array.untested.values()) < math.prod(array.shape)


def _by_directions(check: Check, point: Point) -> dict[str, ArrayReport]:
    """Probe all arrays, those that lie at kinks also at other points."""
    arrays = check_directions(check, check.paths, movable=callable(point.gradient))
    for turn in range(MOVES):
        kinks = [
            path for path, array in arrays.items() if array.reason in ("kink", "jump", "steep")
        ]
        if not kinks or not (other := point.neighbour(turn)):
            break
        nearby = Check(other.objective, other.claimed, check.options)
        again = check_directions(nearby, kinks, movable=turn < MOVES - 1)
        arrays |= {path: array for path, array in again.items() if _tells(array)}
        point.note(NEARBY)
    return arrays


def require_options(method: str, tolerance: float, seed: int) -> None:
    if not isinstance(method, str) or method not in ("auto", "entries", "directions"):
        raise ValueError(f"method is {method!r}: expected 'auto', 'entries' or 'directions'.")
    if not isinstance(tolerance, Real) or not 0 <= tolerance < 1:
        raise ValueError(f"tolerance is {tolerance!r}: expected a number >= 0 and < 1.")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed is {seed!r}: expected a non-negative integer.")


def _require_one_place(workers: Workers, in_place: bool) -> None:
    if not isinstance(in_place, bool):
        raise ValueError(f"in_place is {in_place!r}: expected True or False.")
    if in_place and workers is not map:
        raise ValueError(
            "in_place=True does not work with workers, which would all displace the same "
            "arrays at once: leave one of the two out."
        )
