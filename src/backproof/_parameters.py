"""Parameters: a number, an array, or a nest of dicts, lists and tuples of them, seen as one vector.

Each number or array of the nest is a block, named by its path:
`W2` for `{"W2": ...}`, `layers[0].W` for `{"layers": [{"W": ...}]}`,
and `parameters` for a bare array or number.
"""

from __future__ import annotations

import copy
import math
import sys
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from itertools import accumulate, islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Nest = Any
FloatArray = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]

_MOST_LISTED = 6  # names in a message


class Block(NamedTuple):
    """One array of the nest: its path, its shape, its entries as a flat view, their mean size."""

    path: str
    shape: tuple[int, ...]
    values: FloatArray
    scale: float

    def entry_name(self, index: int) -> str:
        """Return the name of the entry `values[index]`, such as `W2[0, 3]`."""
        return entry_name(self.path, np.unravel_index(index, self.shape))


class Parameters:
    """A private copy of a nest, whose entries can be displaced in place.

    The copy keeps the structure, the dtypes and the subclasses of the arrays.
    An array that stands in the nest twice is two blocks, each displaced by itself.

    Examples
    --------
    >>> parameters = Parameters({"W": np.array([[2.0, -4.0]], np.float32), "b": 0.0})
    >>> parameters.vector().tolist()
    [2.0, -4.0, 0.0]
    >>> parameters.assign(np.array([1.0, 2.0, 3.0]))
    >>> parameters.nest
    {'W': array([[1., 2.]], dtype=float32), 'b': 3.0}
    """

    @np.errstate(over="ignore")  # of a long double as a float64, or of a sum
    def __init__(self, nest: Nest) -> None:
        self.original = replace_leaves(nest, _displaceable)
        # What a cost is given: it may keep things of its own in it.
        self._given = replace_leaves(self.original, lambda _, leaf: leaf)
        self.leaves = flatten(self.original)
        self._has_numbers = not all(isinstance(leaf, np.ndarray) for leaf in self.leaves.values())
        flat = {path: np.asarray(leaf).reshape(-1) for path, leaf in self.leaves.items()}
        *self._starts, self.size = accumulate((a.size for a in flat.values()), initial=0)
        if not self.size:
            raise ValueError("there are no parameters: expected at least one number.")
        sizes = [_mean_size(array) for array in flat.values()]
        # For blocks of zeros; a step by the size of others may be far too long for them.
        usual = min(max(sizes), 1.0) or 1.0
        self.blocks = tuple(
            Block(path, np.shape(self.leaves[path]), array, size or usual)
            for (path, array), size in zip(flat.items(), sizes, strict=True)
        )

    @property
    def nest(self) -> Nest:
        """The nest with its entries as they are now; its arrays are views of the blocks."""
        if not self._has_numbers:
            return self._given
        blocks = iter(self.blocks)
        return replace_leaves(self.original, lambda _, leaf: _as_now(leaf, next(blocks)))

    @property
    def precision(self) -> float:
        """The relative precision of the coarsest dtype among the blocks, at best float64's."""
        return max(precision_of(block.values.dtype) for block in self.blocks)

    def entry(self, index: int) -> tuple[Block, int]:
        """Return the block that holds an entry of the vector, and the index of the entry there."""
        number = bisect_right(self._starts, index) - 1
        return self.blocks[number], index - self._starts[number]

    def indices(self, number: int) -> NDArray[np.int_]:
        """Return the indices in the vector of the entries of a block."""
        start = self._starts[number]
        return np.arange(start, start + self.blocks[number].values.size)

    def scales(self) -> Vector:
        """Return the usual size of the array of each entry."""
        return np.concatenate([np.full(b.values.size, b.scale) for b in self.blocks])

    def vector(self) -> Vector:
        """Return a copy of all entries, block after block."""
        return np.concatenate([block.values for block in self.blocks], dtype=np.float64)

    def assign(self, vector: Vector) -> None:
        """Write a vector into the blocks."""
        for block, start in zip(self.blocks, self._starts, strict=True):
            block.values[:] = vector[start : start + block.values.size]

    def require_unchanged(self, before: Vector, by: str) -> None:
        """Refuse a function after which the entries are others, or stand in other arrays."""
        if not (before == self.vector()).all():
            raise ValueError(
                f"the {by} changes its parameters in place: let it compute with new arrays, "
                "such as W = 0.9 * W in place of W *= 0.9."
            )
        now = flatten(self._given)
        if gone := [path for path, leaf in self.leaves.items() if now.get(path) is not leaf]:
            raise ValueError(
                f"the {by} puts something else in the place of {gone[0]}: let it keep "
                "what it computes out of its parameters."
            )

    def vector_of(self, nest: Nest, name: str) -> Vector:
        """Return the entries of another nest of the same structure and shapes as a vector."""
        return vector_like(self.leaves, nest, name)

    def with_entries(self, vector: Iterable[float]) -> Nest:
        """Return a nest of the same structure and shapes that holds a vector, in float64."""
        entries = iter(vector)
        return replace_leaves(self.original, lambda _, leaf: _filled(leaf, entries))


def replace_leaves(nest: Nest, replace: Callable[[str, Any], Any], path: str = "") -> Nest:
    """Return a nest of the same structure, each leaf replaced by `replace(path, leaf)`."""
    if isinstance(nest, dict):
        new = copy.copy(nest)
        for key, child in nest.items():
            new[key] = replace_leaves(child, replace, _child_path(path, key))
        return new
    if isinstance(nest, list | tuple):
        children = [replace_leaves(child, replace, f"{path}[{i}]") for i, child in enumerate(nest)]
        return type(nest)(*children) if hasattr(nest, "_fields") else type(nest)(children)
    return replace(path or "parameters", nest)


def flatten(nest: Nest) -> dict[str, Any]:
    """Return the leaves of a nest by path, in the order of the nest."""
    leaves: dict[str, Any] = {}

    def add(path: str, leaf: Any) -> None:
        if path in leaves:
            raise ValueError(f"two keys are written {path}: expected keys that look different.")
        leaves[path] = leaf

    replace_leaves(nest, add)
    return leaves


def vector_like(leaves: dict[str, Any], nest: Nest, name: str) -> Vector:
    """Return the entries of a nest as a vector, if it has the paths and the shapes of `leaves`."""
    vectors = [array.reshape(-1) for array in arrays_like(leaves, nest, name).values()]
    return np.concatenate([*vectors, np.empty(0)], dtype=np.float64)


def arrays_like(leaves: dict[str, Any], nest: Nest, name: str) -> dict[str, FloatArray]:
    """Return the arrays of a nest by path, if it has the paths and the shapes of `leaves`."""
    given = flatten(nest)
    if set(given) != set(leaves) and "parameters" in (*given, *leaves):  # a single leaf
        kind, expected = type(nest).__name__, _structure(leaves)
        raise TypeError(f"the {name} is of type {kind}: expected {expected}.")
    _require_paths(leaves, given, name)
    return {
        path: _array_like(leaf, given[path], f"{path} of the {name}")
        for path, leaf in leaves.items()
    }


def _require_paths(leaves: dict[str, Any], given: dict[str, Any], name: str) -> None:
    """Refuse a nest in which paths are missing or unexpected; of these, the first is named."""
    missing = _listed([path for path in leaves if path not in given])
    unexpected = next((path for path in given if path not in leaves), "")
    expected = _listed(leaves)
    if missing and unexpected:
        raise ValueError(
            f"the {name} is missing {missing} and has an unexpected {unexpected}: "
            f"expected {expected}."
        )
    if missing:
        raise ValueError(f"the {name} is missing {missing}: expected {expected}.")
    if unexpected:
        raise ValueError(f"the {name} has an unexpected {unexpected}: expected {expected}.")


def _structure(leaves: dict[str, Any]) -> str:
    """Return what a nest with these leaves is, or their names."""
    if "parameters" in leaves:
        return "one array or number"
    if list(leaves) != [f"[{i}]" for i in range(len(leaves))]:
        return _listed(leaves)
    kind = "array" if any(map(np.ndim, leaves.values())) else "number"
    return f"a list of {len(leaves)} {kind}{'s' if len(leaves) != 1 else ''}"


def _listed(names: Collection[str]) -> str:
    """Return names as text, and of many no more than the first."""
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(islice(names, _MOST_LISTED)) + more


def entry_name(path: str, index: Iterable[object]) -> str:
    """Return the name of an entry, such as `W2[0, 3]`; a number has no index."""
    written = ", ".join(map(str, index))
    return f"{path}[{written}]" if written else path


@cache
def precision_of(dtype: np.dtype[Any]) -> float:
    """Return the spacing of the floats of a dtype next to 1, at best that of float64."""
    return max(float(np.finfo(dtype).eps), float(np.finfo(np.float64).eps))


def float_of(number: int) -> float:
    """Return a whole number as a float, which is infinite if no other one is as large."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _child_path(path: str, key: object) -> str:
    if isinstance(key, str) and key.isidentifier():
        return f"{path}.{key}" if path else key
    return f"{path}[{key!r}]"


def _displaceable(path: str, leaf: Any) -> Any:
    """Return a copy of a leaf, or say why it cannot take a small step."""
    array = _real_array(leaf, path)
    if array.dtype.kind != "f" or array.dtype.itemsize < 4:
        raise TypeError(
            f"{path} has dtype {array.dtype}, which cannot take a small step: "
            "convert it with .astype(float)."
        )
    finite = np.isfinite(array.astype(np.float64, copy=False))
    if not finite.all():
        first = tuple(np.argwhere(~finite)[0])
        name = entry_name(path, first)
        raise ValueError(f"{name} is {float(array[first])}: expected finite parameters.")
    if isinstance(leaf, np.ndarray):
        return np.array(leaf, order="C", subok=True)
    return leaf if isinstance(leaf, np.generic) else float(leaf)


def _real_array(leaf: Any, name: str) -> NDArray[Any]:
    """Return a leaf as an array, if it is a real number or an array of them."""
    if not isinstance(leaf, int | float | complex | np.generic | np.ndarray):
        raise TypeError(
            f"{name} is of type {type(leaf).__name__}: expected a number, a NumPy array, "
            "or a dict, list or tuple of them."
        )
    if np.ma.is_masked(leaf):
        raise TypeError(f"{name} has masked entries: fill them, and let the cost apply the mask.")
    array = np.asarray(float_of(leaf) if type(leaf) is int else leaf)
    if array.dtype.kind == "c":
        raise TypeError(f"{name} is complex: pass its real and imaginary parts as two arrays.")
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} has dtype {array.dtype}: expected real numbers.")
    return array


def _array_like(leaf: Any, given: Any, name: str) -> FloatArray:
    """Return what is given for a leaf as an array of floats, which keep their dtype."""
    array = _real_array(given, name)
    if array.shape != np.shape(leaf):
        raise ValueError(f"{name} has shape {array.shape}: expected {np.shape(leaf)}.")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _mean_size(array: FloatArray) -> float:
    """Return the mean of the sizes of the entries; 0 if there are none."""
    total = float(np.abs(array).sum(dtype=np.float64))
    return min(total, sys.float_info.max) / array.size if array.size else 0.0


def _as_now(leaf: Any, block: Block) -> Any:
    return leaf if isinstance(leaf, np.ndarray) else type(leaf)(block.values[0])


def _filled(leaf: Any, entries: Iterator[float]) -> Vector | float:
    if not isinstance(leaf, np.ndarray):
        return next(entries)
    return np.fromiter(islice(entries, leaf.size), np.float64, leaf.size).reshape(leaf.shape)
