"""A cost at a point: what it returns there, how well, and every call of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from backproof._foreign import read
from backproof._noise import CLOSE, Noise, measure_noise, value_on_ray
from backproof._parameters import Nest, Parameters, float_of, precision_of
from backproof._progress import Progress

if TYPE_CHECKING:
    from backproof._directions import Direction

Cost = Callable[[Nest], Any]
Workers = Callable[[Callable[[int], Any], Iterable[int]], Iterable[Any]]

# A cost moves in jumps if these are more than so many times the spacing of its floats.
COARSE = 2**10

# What a cost may not expect: SciPy would give it an array.
LISTED = "The cost was given a list, as it was passed. For an array, pass np.array(...)."

# A cost is called so many times more at the point before any answer that is not "correct", and
# so many times at the end before that one. A cost that draws one of five batches gives the same
# value ten times in a row once in two million checks. As often, a difference that bends more than
# a smooth cost would is measured twice: there, a rare mask has most likely been drawn.
CALLS, LAST_CALLS = 8, 2


class Value(NamedTuple):
    """A cost beside the point: the step that was taken, what it returned, or what it raised."""

    step: float
    cost: float = math.nan
    failure: Exception | None = None


@dataclass(frozen=True)
class Kin:
    """What an objective shares with others: at other points, or of other values of a function.

    `moves` tells whether any of these values moves, and `settled` takes the first step that suits
    one of them, and returns the one that it takes.
    """

    moves: bool = False
    settled: Callable[[float], float] = float
    progress: Progress = field(default_factory=Progress)


class Objective:
    """A cost, a private copy of its parameters, and the count of its calls.

    `value` is the cost at the point, `precision` the relative spacing of its floats.
    Only calls change an objective: the parameters are displaced for one, and restored.
    """

    def __init__(self, cost: Cost, parameters: Parameters, kin: Kin | None = None) -> None:
        require_function(cost)
        self.cost, self.parameters, self.kin = cost, parameters, kin or Kin()
        self.evaluations = self.calls = self.repeats = 0
        self.spread, self._close = 0.0, False
        self._noise: Noise | None = None
        first = self._call_at_the_point()
        self.value, self.precision = float(first), _precision(first, parameters)
        if not math.isfinite(self.value):
            raise ValueError(
                f"the cost is {first} at the parameters: expected a finite number there."
            )

    @property
    def noise(self) -> Noise:
        """How far values of the cost may be off; measured when it is first asked for."""
        if not self._noise:
            self._noise = measure_noise(self, self.spread)
            if self._noise.level > half_of_the_digits(self.value, self.precision):
                self._require_steady_beside(CALLS)
        return self._noise

    @property
    def rounded(self) -> bool:
        """Tell whether the cost moves in jumps that are far coarser than its floats."""
        size = max(abs(self.value), *(block.scale for block in self.parameters.blocks))
        return self.noise.grid > COARSE * self.precision * size

    @property
    def lost(self) -> str:
        """The reason for a slope that is lost in the noise, or in the jumps, of the cost."""
        return "rounded" if self.rounded else "precision"

    def listen(self) -> bool:
        """Measure the noise more closely, once, and tell whether it is more than was known."""
        if self._close:
            return False
        before, closer = self.noise, measure_noise(self, self.spread, CLOSE)
        # Jumps that one ray has met count, though another one may miss them.
        grid = max(before.grid, closer.grid)
        self._close = True
        self._noise = closer._replace(grid=grid, level=max(grid, closer.level))
        return self._noise.level > before.level

    def again(self) -> None:
        """Call the cost at the point once more, and refuse one that is random."""
        value = float(self._call_at_the_point())
        self.calls += 1
        self.spread = max(self.spread, abs(value - self.value))
        self.require_close(self.value, value)

    def require_close(self, first: float, second: float) -> None:
        """Refuse two results of calls with the same parameters that are far apart."""
        if not abs(second - first) <= half_of_the_digits(first, self.precision):
            self._call_at_the_point()  # which tells if it changes its parameters
            raise ValueError(
                f"the cost is random: two calls with the same parameters gave {first!r} and "
                f"{second!r}. Is a dropout mask or a batch drawn inside it, or does something "
                "persist between calls? Draw it once, outside the cost, or fix its seed."
            )

    def require_steady(self) -> None:
        """Refuse a cost that is random, at the point or beside it."""
        self.call_again(CALLS - self.calls - 1)
        self._require_steady_beside(1)
        self.again()

    def call_again(self, times: int) -> None:
        """Call the cost at the point some more times."""
        for _ in range(times):
            self.again()

    def _require_steady_beside(self, times: int) -> None:
        """Refuse a cost that is random where its noise was measured."""
        step, cost = self._noise.last if self._noise else (0.0, math.nan)
        for _ in range(times):
            again = value_on_ray(self, step)
            if math.isfinite(again) and math.isfinite(cost):
                self.require_close(cost, again)

    def beside(self, direction: Direction, step: float) -> Value:
        """Return the cost at a step along a direction; whatever it raises means not defined."""
        taken = direction.displace(step)
        self.evaluations += 1
        try:
            return Value(taken, float(real_number(self.cost(self.parameters.nest))))
        except TypeError:
            raise
        except Exception as failure:
            note = f"In this call, {direction.name} had been displaced by {taken:.3g}."
            if note not in getattr(failure, "__notes__", ()):
                failure.add_note(note)
            return Value(taken, failure=failure)
        finally:
            direction.restore()

    def both_sides(self, direction: Direction, step: float) -> tuple[Value, Value]:
        """Return the cost ahead of the point and behind it; what is odd has to come again (35)."""
        sides = (step, -step)
        ahead, behind = (self.beside(direction, side) for side in sides)
        bend = abs(ahead.cost - 2 * self.value + behind.cost)
        if (
            self.repeats < CALLS
            and half_of_the_digits(self.value, self.precision) < bend < math.inf
        ):
            self.repeats += 1
            for side, before in zip(sides, (ahead, behind), strict=True):
                self.require_close(before.cost, self.beside(direction, side).cost)
        return ahead, behind

    def for_each(
        self, task: Callable[[Objective, int], Any], indices: Sequence[int], workers: Workers
    ) -> list[Any]:
        """Return the results of a task for each index, in their order; workers get copies."""
        if workers is map:
            return [task(self, index) for index in self.kin.progress.over(indices, self)]
        given = workers(partial(_in_a_copy, task, self), indices)
        by_index: dict[int, Any] = {}
        for index, evaluations, result in _triples(given, len(indices)):
            by_index[index] = result
            self.evaluations += evaluations
        if sorted(by_index) != sorted(indices):
            raise ValueError(
                "workers returned results for points other than those that they were given: "
                "expected one result for each, as map returns it."
            )
        return [by_index[index] for index in indices]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "parameters": self.parameters.original, "evaluations": 0}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, parameters=Parameters(state["parameters"]))

    def copy(self) -> Objective:
        """Return an objective with parameters of its own, which has not been called yet."""
        other = object.__new__(Objective)
        other.__setstate__(self.__getstate__())
        return other

    def _call_at_the_point(self) -> float | np.number[Any]:
        before = self.parameters.vector()
        self.evaluations += 1
        try:
            value = real_number(self.cost(self.parameters.nest))
        except TypeError as error:
            if isinstance(self.parameters.original, list):
                error.add_note(LISTED)
            raise
        self.parameters.require_unchanged(before, "cost")
        return value


def half_of_the_digits(cost: float, precision: float) -> float:
    """Return what is more than noise in two calls with the same parameters."""
    return math.sqrt(precision) * abs(cost)


def require_function(cost: Cost) -> None:
    """Refuse a cost that cannot be called."""
    if not callable(cost):
        raise TypeError(f"the cost is of type {type(cost).__name__}: expected a function.")


def require_workers(workers: Workers) -> None:
    """Refuse workers that cannot be called."""
    if not callable(workers):
        kind = type(workers).__name__
        raise TypeError(f"workers is of type {kind}: expected a callable like map.")


def real_number(value: Any) -> float | np.number[Any]:
    """Return what a cost returned, if it is one real number."""
    if isinstance(value, float):
        return value
    value = _read(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float_of(value)
    if isinstance(value, np.number | np.ndarray) and not np.ma.is_masked(value):
        array = np.asarray(value)
        if array.size == 1 and array.dtype.kind in "fiu":
            return cast("np.number[Any]", array.reshape(-1)[0])
    raise TypeError(f"the cost returned {_described(value)}: expected one real number.")


def _read(value: Any) -> Any:
    """Return what a cost returned as NumPy reads it, or else as a number."""
    try:
        # Only the value counts here, whatever a tensor remembers of how it was computed.
        tensor = hasattr(type(value), "detach")
        return read(value.detach() if tensor else value, "what the cost returned")
    except TypeError:  # it is on another device, or of a dtype that NumPy lacks
        with suppress(Exception):
            return value.item()
        raise


def _described(value: Any) -> str:
    if value is None:
        return "None (is a return statement missing?)"
    if isinstance(value, np.ndarray) and value.size != 1:
        question = "is a sum or a mean over it missing? If not, use check_jacobian"
        return f"an array of shape {value.shape} ({question})"
    if isinstance(value, complex | np.number | np.ndarray) and np.iscomplexobj(value):
        return "a complex number (take .real, or the absolute value)"
    if isinstance(value, tuple):
        return (
            "a tuple (if it is (cost, gradient), pass True as the gradient of check_gradient; "
            "else return the cost alone)"
        )
    return f"a value of type {type(value).__name__}"


def _precision(cost: float | np.number[Any], parameters: Parameters) -> float:
    """Return the relative precision of a cost: that of its dtype, or of its parameters'."""
    if isinstance(cost, np.floating):
        return precision_of(cost.dtype)
    return parameters.precision


def _in_a_copy(
    task: Callable[[Objective, int], Any], objective: Objective, index: int
) -> tuple[int, int, Any]:
    with np.errstate(all="ignore"):  # threads do not inherit it
        own = objective.copy()
        result = task(own, index)
    return index, own.evaluations, result


def _triples(given: Any, count: int) -> list[tuple[int, int, Any]]:
    """Return what workers returned, if it is what they were given to compute."""
    results = list(() if given is None else given)
    if len(results) != count:
        raise ValueError(f"workers returned {len(results)} results for {count} points.")
    if not all(isinstance(result, tuple) and len(result) == 3 for result in results):
        raise TypeError(
            f"workers returned a value of type {type(results[0]).__name__} for a point: "
            "expected what the function returned, as map returns it."
        )
    return results
