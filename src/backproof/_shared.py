"""A function that several readers call, each as if it were alone, and all with the same calls."""

from __future__ import annotations

from collections import Counter, defaultdict
from hashlib import blake2b
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

from backproof._functions import Function
from backproof._parameters import Nest, flatten


class Raised(NamedTuple):
    """What a call raised, and where."""

    failure: Exception
    traceback: TracebackType | None


class Shared:
    """A function whose calls are shared: the k-th of each reader with the same parameters."""

    def __init__(self, function: Function) -> None:
        self.function, self.calls = function, 0
        self._outcomes: dict[bytes, list[Any]] = defaultdict(list)

    def reader(self) -> Function:
        """Return the function as one of the readers calls it."""
        turns = Counter[bytes]()

        def read_next(parameters: Nest) -> Any:
            digest = _digest(parameters)
            turns[digest] += 1
            return self._outcome(digest, parameters, turns[digest])

        return read_next

    def _outcome(self, digest: bytes, parameters: Nest, turn: int) -> Any:
        """Return what one of the calls with these parameters returned, or raise what it raised."""
        outcomes = self._outcomes[digest]
        if turn > len(outcomes):
            self.calls += 1
            outcomes.append(_tried(self.function, parameters))
        outcome = outcomes[turn - 1]
        if isinstance(outcome, Raised):
            failure = outcome.failure.with_traceback(outcome.traceback)
            raise failure
        return outcome


def _tried(function: Function, parameters: Nest) -> Any:
    try:
        return function(parameters)
    except Exception as failure:
        return Raised(failure, failure.__traceback__)


def _digest(parameters: Nest) -> bytes:
    """Return what tells parameters from others: their numbers and dtypes."""
    digest = blake2b(digest_size=16)
    for leaf in flatten(parameters).values():
        array = np.ascontiguousarray(leaf)
        digest.update(array.dtype.char.encode())
        digest.update(array.tobytes())
    return digest.digest()
