"""What a model of the catalogue is: a cost, its right gradient, and how people get it wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backproof._parameters import Nest, flatten

Array = NDArray[np.floating[Any]]
Cost = Callable[[Nest], Any]
Gradient = Callable[[Nest], Nest]


class Planted(NamedTuple):
    """What is wrong with one array: the kind of mistake, and the factor where there is one."""

    kind: str
    factor: float | None = None


class Slip(NamedTuple):
    """A mistake that people make in the code of a gradient, and what it does to which array."""

    name: str
    gradient: Gradient
    planted: dict[str, Planted]


class Model(NamedTuple):
    """A cost, its right gradient derived by hand, a point, and the usual slips."""

    name: str
    cost: Cost
    gradient: Gradient
    parameters: Nest
    slips: tuple[Slip, ...] = ()

    @property
    def arrays(self) -> dict[str, Array]:
        """The arrays of the parameters by path."""
        return {path: np.asarray(leaf) for path, leaf in flatten(self.parameters).items()}

    @property
    def right(self) -> dict[str, Array]:
        """The arrays of the right gradient by path, in float64."""
        return arrays_of(self.gradient(self.parameters))


class Draw:
    """A source of data and parameters in one dtype."""

    def __init__(self, seed: int, dtype: type[np.floating[Any]] = np.float64) -> None:
        self.rng = np.random.default_rng(seed)
        self.dtype = dtype

    def cast(self, values: Any) -> Any:
        """Return values in the dtype of this source: an array, or one number."""
        return np.asarray(values).astype(self.dtype)[()]

    def normal(self, *shape: int) -> Any:
        """Return standard normal numbers."""
        return self.cast(self.rng.standard_normal(shape))

    def weights(self, *shape: int) -> Any:
        """Return normal numbers that keep the size of what they multiply, out of in."""
        return self.normal(*shape) / math.sqrt(shape[-1])

    def one_hot(self, classes: int, examples: int) -> Array:
        """Return labels of shape (classes, examples); each class occurs."""
        labels = self.rng.permutation(np.arange(examples) % classes)
        return np.asarray(self.cast(np.eye(classes)[:, labels]))


def arrays_of(gradient: Nest) -> dict[str, Array]:
    """Return the arrays of a nest by path, in float64."""
    return {path: np.asarray(leaf, np.float64) for path, leaf in flatten(gradient).items()}


def all_wrong(paths: Iterable[str], kind: str, factor: float | None = None) -> dict[str, Planted]:
    """Say of several arrays that they are wrong in the same way."""
    return dict.fromkeys(paths, Planted(kind, factor))
