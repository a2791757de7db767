"""Directions: what is displaced, and by how much for a step of 1."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from backproof._parameters import Block, FloatArray, Parameters, Vector, precision_of

Array = NDArray[Any]


# An error is an estimate: what is accused is at least this many times its error apart.
DOUBT = 4.0


# An entry so much smaller than the others of its array is also displaced by its own scale.
FAR_SMALLER = 0.01


class Scale(NamedTuple):
    """What steps are to be compared with, in numbers or, of several directions, in arrays.

    `size` is that of the numbers that are displaced, `scale` the step that is natural to them,
    and `precision` that to which the displaced numbers are rounded.
    """

    size: Any
    scale: Any
    precision: float


class Direction(Protocol):
    """What is displaced in the parameters by a step."""

    @property
    def name(self) -> str:
        """What is displaced, for messages."""

    @property
    def scale(self) -> Scale:
        """What steps along it are to be compared with."""

    @property
    def margin(self) -> float:
        """How many times half of a gap a claim has to be apart to be accused beside a kink."""

    @property
    def finer(self) -> Direction | None:
        """The same with smaller steps, where its own size is far below its scale."""

    def displace(self, step: float) -> float:
        """Displace the parameters, and return the step that was taken."""

    def restore(self) -> None:
        """Put the parameters back to the point."""


class Part(NamedTuple):
    """A view of the parameters, the values in it at the point, and its share of a direction."""

    view: FloatArray
    start: FloatArray
    weights: Array


@dataclass(frozen=True)
class Parts:
    """Parts of the parameters that are displaced together."""

    parts: tuple[Part, ...]
    scale: Scale
    name: str
    # The kinks of several entries may cancel in what is seen of them.
    margin: float = DOUBT**2
    finer: None = None

    def displace(self, step: float) -> float:
        """Displace the parts by their weights times the step."""
        for view, start, weights in self.parts:
            view[...] = start + step * weights
        return step

    def restore(self) -> None:
        """Put the parts back to the point."""
        for view, start, _ in self.parts:
            view[...] = start


@dataclass(frozen=True, slots=True)
class Single:
    """One entry, which is displaced by the step itself."""

    block: Block
    index: int
    start: Any
    scale: Scale
    margin: float = 1.0

    @property
    def name(self) -> str:
        """The name of the entry, such as `W2[0, 3]`."""
        return self.block.entry_name(self.index)

    @property
    def finer(self) -> Single | None:
        """The entry with steps by its own size, if that of its array is far larger."""
        size = self.scale.size
        small = sys.float_info.min < size < FAR_SMALLER * self.scale.scale
        return replace(self, scale=self.scale._replace(scale=size)) if small else None

    def displace(self, step: float) -> float:
        """Displace the entry, and return by how much, after rounding."""
        start = float(self.start)
        self.block.values[self.index] = start + step
        return float(self.block.values[self.index]) - start

    def restore(self) -> None:
        """Put the entry back."""
        self.block.values[self.index] = self.start


def of_entry(parameters: Parameters, index: int) -> Single:
    """Return the direction along which one entry is displaced."""
    block, i = parameters.entry(index)
    x = block.values[i]
    size = abs(float(x))
    # The step that is taken is known, so that no rounding of it is left.
    scale = Scale(size, max(size, block.scale), 0.0)
    return Single(block, i, x, scale)


def of_arrays(
    parameters: Parameters,
    weights: dict[int, Array],
    regions: dict[int, Any] | None = None,
    *,
    margin: float = DOUBT**2,
) -> Parts:
    """Return the direction with weights for some blocks, relative to the usual size of each.

    `weights` and `regions`, the parts of the blocks that are displaced, go by the block's number.
    """
    parts, coarsest = [], 0.0
    for number, own in weights.items():
        block = parameters.blocks[number]
        view = block.values.reshape(block.shape or (1,))[(regions or {}).get(number, ...)]
        parts.append(Part(view, view.copy(), block.scale * own))
        coarsest = max(coarsest, precision_of(view.dtype))
    name = " and ".join(parameters.blocks[number].path for number in list(weights)[:2])
    return Parts(tuple(parts), Scale(1.0, 1.0, coarsest), name, margin)


def along(parameters: Parameters, velocity: Vector, size: float) -> Parts:
    """Return the direction of a vector over all entries; `size` is that of what it displaces."""
    ends = np.cumsum([block.values.size for block in parameters.blocks])
    parts = tuple(
        Part(block.values, block.values.copy(), own)
        for block, own in zip(parameters.blocks, np.split(velocity, ends[:-1]), strict=True)
    )
    return Parts(parts, Scale(size, size or 1.0, parameters.precision), "x")


def of_entries(parameters: Parameters, indices: Array, weights: Array) -> Parts:
    """Return the direction along which entries are displaced by weights times their scales."""
    velocity = np.zeros(parameters.size)
    velocity[indices] = weights
    velocity *= np.maximum(abs(parameters.vector()), parameters.scales())
    return along(parameters, velocity, 1.0)
