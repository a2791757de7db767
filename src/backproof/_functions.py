"""The caller's functions: one that returns a pair, and those that read arrays of their own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import combinations
from typing import Any

import numpy as np

from backproof._objective import Cost, require_function
from backproof._parameters import FloatArray, Nest, flatten, is_number, replace_leaves

Function = Callable[[Nest], Any]


@contextmanager
def called_with(
    parameters: Nest, cost: Cost, gradient: Nest | Function, *, in_place: bool
) -> Iterator[tuple[Cost, Nest | Function]]:
    """Give the cost and the gradient as functions of any parameters, however they are passed."""
    require_function(cost)
    with lending(parameters) if in_place else nullcontext(lambda function: function) as lent:
        if gradient is True:
            pair = Pair(lent(cost))
            yield pair, pair.gradient
        else:
            yield lent(cost), lent(gradient) if callable(gradient) else gradient


class Pair:
    """The cost of a function that returns (cost, gradient); the gradient of a call is kept."""

    def __init__(self, function: Function) -> None:
        self.function, self.kept = function, None

    def __call__(self, parameters: Nest) -> Any:
        """Return the cost."""
        pair = self.function(parameters)
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(
                f"the function returned {_described(pair)}: expected the pair (cost, gradient), "
                "since True was passed as the gradient."
            )
        cost, self.kept = pair
        if _is_many(cost) and is_number(self.kept):
            raise TypeError(
                f"the pair (cost, gradient) begins with {_described(cost)} and ends with a number: "
                "if it is (gradient, cost), swap the two."
            )
        # The values that belong to a Jacobian may be a list or a tuple of numbers.
        if isinstance(cost, tuple | list) and not all(map(is_number, cost)):
            raise TypeError(
                f"the pair (cost, gradient) begins with {_described(cost)}: expected one "
                "real number. If value_and_grad returned it with has_aux=True, drop the "
                "auxiliary output."
            )
        return cost

    def gradient(self, _: Nest) -> Nest:
        """Return the gradient of the last call, which is asked for at its parameters only."""
        return self.kept

    def __getstate__(self) -> dict[str, Any]:
        return {"function": self.function, "kept": None}  # workers need no gradient


@contextmanager
def lending(nest: Nest) -> Iterator[Callable[[Function], Function]]:
    """Let functions read the caller's own arrays, which are as they were at the end.

    Each call writes the parameters that it is given to these arrays.
    """
    own = flatten(nest)
    _require_displaceable(own)
    before = {path: array.copy() for path, array in own.items()}

    def lent(function: Function) -> Function:
        def called(parameters: Nest) -> Any:
            given = flatten(parameters)
            for path, array in own.items():
                # To round float64 to float32 would add noise that is not the cost's.
                np.copyto(array, given[path], casting="no")
            result = function(replace_leaves(parameters, lambda path, _: own[path]))
            for path, array in own.items():
                given[path][...] = array  # so that a function that changes them is noticed
            return result

        return called

    try:
        yield lent
    finally:
        for path, array in own.items():
            array[...] = before[path]


def _require_displaceable(own: dict[str, FloatArray]) -> None:
    """Refuse what cannot be displaced in place, or only together with something else."""
    for path, leaf in own.items():
        if not isinstance(leaf, np.ndarray):
            raise TypeError(
                f"{path} is of type {type(leaf).__name__}, which cannot be displaced in place: "
                "keep it in an array, such as np.array(0.5)."
            )
        if not leaf.flags.writeable:
            raise ValueError(
                f"{path} is read-only, and cannot be displaced in place: pass the array that the "
                "cost reads, or leave in_place out."
            )
    for first, second in combinations(own, 2):
        if np.shares_memory(own[first], own[second]):
            raise ValueError(
                f"{first} and {second} share memory, so they cannot be displaced one at a time in "
                "place: pass only one of them, with the sum of both gradients."
            )


def _is_many(result: Any) -> bool:
    """Tell whether a result holds more than one number, as far as can be seen from outside."""
    nest = isinstance(result, dict) or (isinstance(result, list) and len(result) > 1)
    return nest or math.prod(getattr(result, "shape", ())) > 1


def _described(result: Any) -> str:
    """Return what was returned in the place of a pair."""
    if isinstance(result, tuple | list):
        return f"a {type(result).__name__} of {len(result)}"
    return f"a value of type {type(result).__name__}"
