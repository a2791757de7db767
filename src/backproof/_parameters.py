"""Parameters: a number, an array, or a nest of them, seen as one vector of named blocks."""

from __future__ import annotations

import math
import sys
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import is_dataclass
from functools import cache
from itertools import accumulate, islice
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from backproof import _nests
from backproof._foreign import NUMERIC, read, refuse

Nest = _nests.Nest
FloatArray = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]

_MOST_LISTED = 6  # names in a message

_SETTING = 'a field of a dataclass is left out by field(metadata={"static": True})'


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
        leaves = zip(self.leaves.values(), self.blocks, strict=True)
        return _nests.rebuilt(self.original, (_as_now(leaf, block) for leaf, block in leaves))

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
                f"the {by} changes its parameters in place: let it compute new arrays, "
                "such as W = 0.9 * W instead of W *= 0.9."
            )
        now = flatten(self._given)
        if gone := [path for path, leaf in self.leaves.items() if now.get(path) is not leaf]:
            raise ValueError(
                f"the {by} replaces {gone[0]} in its parameters: let it store what it computes "
                "elsewhere."
            )

    def arrays_of(self, nest: Nest, name: str) -> dict[str, FloatArray]:
        """Return the arrays of another nest of the same structure and shapes by path."""
        return arrays_like(self.original, nest, name)

    def vector_of(self, nest: Nest, name: str) -> Vector:
        """Return the entries of another nest of the same structure and shapes as a vector."""
        return vector_like(self.original, nest, name)

    def with_entries(self, vector: Iterable[float]) -> Nest:
        """Return a nest of the same structure and shapes that holds a vector, in float64."""
        entries = iter(vector)
        return replace_leaves(self.original, lambda _, leaf: _filled(leaf, entries))


def replace_leaves(nest: Nest, replace: Callable[[str, Any], Any]) -> Nest:
    """Return a nest of the same structure, each leaf replaced by `replace(path, leaf)`."""
    return _nests.rebuilt(nest, (replace(path, leaf) for path, leaf in flatten(nest).items()))


def flatten(nest: Nest) -> dict[str, Any]:
    """Return the leaves of a nest by path, in the order of the nest."""
    try:
        leaves = list(_nests.walk(nest))
    except RecursionError:
        raise ValueError(
            "a nest contains itself: expected dicts, lists, tuples or dataclasses that end in "
            "numbers and arrays."
        ) from None
    names = _nests.names([path for path, _ in leaves])
    return dict(zip(names, (leaf for _, leaf in leaves), strict=True))


def vector_like(like: Nest, nest: Nest, name: str) -> Vector:
    """Return the entries of a nest as a vector, if it has the structure and shapes of `like`."""
    vectors = [array.reshape(-1) for array in arrays_like(like, nest, name).values()]
    return np.concatenate([*vectors, np.empty(0)], dtype=np.float64)


def arrays_like(like: Nest, nest: Nest, name: str) -> dict[str, FloatArray]:
    """Return the arrays of a nest by path, if it has the structure and the shapes of `like`."""
    if nest is None:
        raise TypeError(f"the {name} is None: is a return statement missing?")
    leaves, nest = flatten(like), _nests.in_form_of(like, nest)
    given = {path: read(leaf, f"{path} of the {name}") for path, leaf in flatten(nest).items()}
    given = _lists_as_arrays(leaves, _arrays_as_lists(leaves, given), name)
    if set(given) != set(leaves):
        advice = _remedy(like, nest)
        if advice or ["parameters"] in (list(given), list(leaves)):
            refuse(given.get("parameters", 0.0), f"the {name}")
            kind, expected = _kind(nest), _structure(leaves)
            raise TypeError(f"the {name} is of type {kind}: expected {expected}.{advice}")
        _refuse_paths(like, given, name)
    return {
        path: _array_like(leaf, given[path], f"{path} of the {name}")
        for path, leaf in leaves.items()
    }


def _remedy(like: Nest, nest: Nest) -> str:
    """Return what to do with a gradient that stands in a tuple, or without its names."""
    if type(nest) is tuple and len(nest) == 1:
        return f" Take its only item.{_remedy(like, nest[0])}"
    if type(nest) is tuple and len(nest) == 2 and is_number(nest[0]) > is_number(nest[1]):
        return " If it is the pair (cost, gradient), pass its function as the cost, and True here."
    if not isinstance(like, dict) or getattr(nest, "ndim", 0) == 0:
        return ""
    if list(like) == ["re", "im"] and np.iscomplexobj(nest):
        return ' Pass {"re": g.real, "im": g.imag}.'
    (path, last), shape = list(flatten(like).items())[-1], np.shape(nest)
    if shape == np.shape(last) and len(like) == 1:
        return f" Pass it by its name, as in {{{next(iter(like))!r}: g}}."
    if shape != (sum(map(np.size, flatten(like).values())),):
        return ""
    part = f"g[{shape[0] - np.size(last)}:{shape[0]}].reshape{np.shape(last)}"
    return f" Pass its parts by name, such as {part} for {path}."


def _kind(nest: Nest) -> str:
    """Return the type of what is given for a nest, and how much it holds."""
    name = type(nest).__name__
    if isinstance(nest, list | tuple):
        return f"{name}, with {_counted(len(nest), 'item')}"
    return f"{name}, with shape {nest.shape}" if getattr(nest, "shape", ()) else name


def is_number(value: Any) -> bool:
    """Tell a number, also one of another library, from an array and a nest."""
    return isinstance(value, float) or getattr(value, "ndim", None) == 0


def _arrays_as_lists(leaves: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Take an array apart where a list of numbers, or of rows, of its shape is expected."""
    apart: dict[str, Any] = {}
    for path, leaf in given.items():
        items = [] if path in leaves else _items(path, leaf, leaves)
        apart.update(zip(items, np.ravel(leaf), strict=True) if items else [(path, leaf)])
    return apart


def _lists_as_arrays(leaves: dict[str, Any], given: dict[str, Any], name: str) -> dict[str, Any]:
    """Put a list of numbers, or of rows, together where an array of its shape is expected."""
    together = dict(given)
    for path, leaf in leaves.items():
        if items := [] if path in given else _items(path, leaf, given):
            numbers = {item: together.pop(item) for item in items}
            together[path] = np.array(
                [real_array(number, f"{item} of the {name}") for item, number in numbers.items()]
            ).reshape(leaf.shape)
    return together


def _items(path: str, array: Any, others: dict[str, Any]) -> list[str]:
    """Return the paths of the numbers of a list that stands among others in place of an array."""
    start, axes = path if path != "parameters" else "", getattr(array, "ndim", 0)
    if not axes or start + axes * "[0]" not in others:
        return []
    items = [start + "".join(f"[{i}]" for i in index) for index in np.ndindex(array.shape)]
    numbers = all(item in others and not getattr(others[item], "ndim", 0) for item in items)
    return items if numbers else []


def _refuse_paths(like: Nest, given: dict[str, Any], name: str) -> NoReturn:
    """Refuse a nest in which paths are missing or unexpected; of these, the first is named."""
    leaves = flatten(like)
    missing = _listed([path for path in leaves if path not in given])
    unexpected = next((path for path in given if path not in leaves), "")
    expected = _listed(leaves)
    places = [f"[{i}]" for i in range(len(leaves))]
    if list(given) == places and not any("[" in path for path in leaves):
        raise ValueError(
            f"the {name} has {_counted(len(given), 'item')} without names: expected {expected}. "
            "Name them, as in dict(zip(names, ...))."
        )
    if missing and unexpected:
        advice = " Take its only item." if set(given) - set(leaves) == {f"{missing}[0]"} else ""
        raise ValueError(
            f"the {name} is missing {missing} and has an unexpected {unexpected}: "
            f"expected {expected}.{advice}"
        )
    if missing:
        advice = f" If it has no gradient, {_SETTING}." if is_dataclass(like) else ""
        raise ValueError(f"the {name} is missing {missing}: expected {expected}.{advice}")
    raise ValueError(f"the {name} has an unexpected {unexpected}: expected {expected}.")


def _structure(leaves: dict[str, Any]) -> str:
    """Return what a nest with these leaves is, or their names."""
    if list(leaves) == [f"[{i}]" for i in range(len(leaves))]:
        if any(map(np.ndim, leaves.values())):
            return f"a list of {_counted(len(leaves), 'array')}"
        return f"a list or an array of {_counted(len(leaves), 'number')}"
    if list(leaves) != ["parameters"]:
        return _listed(leaves)
    shape = np.shape(leaves["parameters"])
    if len(shape) == 1:
        return f"a list or an array of {_counted(shape[0], 'number')}"
    return f"an array of shape {shape}" if shape else "one number"


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'s' if count != 1 else ''}"


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


def float_of(number: float) -> float:
    """Return a number as a float, which is infinite if no other one is as large."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _displaceable(path: str, leaf: Any) -> Any:
    """Return a copy of a leaf, or say why it cannot take a small step."""
    refuse(leaf, path, displaced=True)
    if isinstance(leaf, NUMERIC) and np.iscomplexobj(leaf):
        raise TypeError(
            f'{path} is complex: pass {{"re": z.real, "im": z.imag}} instead of z, and let the '
            'cost compute with p["re"] + 1j * p["im"].'
        )
    array = real_array(leaf, path)
    if array.dtype.kind != "f" or array.dtype.itemsize < 4:
        raise TypeError(
            f"{path} has dtype {array.dtype}, which cannot take a small step: "
            "convert it with .astype(float), or leave it out if it has no gradient "
            f"({_SETTING})."
        )
    finite = np.isfinite(array.astype(np.float64, copy=False))
    if not finite.all():
        first = tuple(np.argwhere(~finite)[0])
        name = entry_name(path, first)
        raise ValueError(f"{name} is {float(array[first])}: expected finite parameters.")
    if isinstance(leaf, np.ndarray):
        return np.array(leaf, order="C", subok=True)
    return leaf if isinstance(leaf, np.generic) else float(leaf)


def real_array(leaf: Any, name: str) -> NDArray[Any]:
    """Return a leaf as an array, if it is a real number or an array of them."""
    refuse(leaf, name)
    if not isinstance(leaf, NUMERIC):
        raise TypeError(
            f"{name} is of type {type(leaf).__name__}: expected a number, a NumPy array, "
            "or a dict, list, tuple or dataclass of them."
        )
    if np.ma.is_masked(leaf):
        raise TypeError(f"{name} has masked entries: fill them, and let the cost apply the mask.")
    array = np.asarray(float_of(leaf) if type(leaf) is int else leaf)
    if array.dtype.kind == "c":
        raise TypeError(f"{name} is complex, but its parameter is real: take the real part, .real.")
    if array.dtype.kind == "O":
        raise TypeError(
            f"{name} has dtype object: convert it with .astype(float), or, if its rows are of "
            "unequal length, pass a list of arrays."
        )
    if array.dtype.kind not in "fiu":
        # NumPy takes the floats of ml_dtypes, such as bfloat16, for raw bytes.
        convert = ", such as .astype(np.float32) gives" if "float" in array.dtype.name else ""
        raise TypeError(f"{name} has dtype {array.dtype}: expected real numbers{convert}.")
    return array


def _array_like(leaf: Any, given: Any, name: str) -> FloatArray:
    """Return what is given for a leaf as an array of floats, which keep their dtype."""
    if given is None:
        raise TypeError(
            f"{name} is None: if the cost does not use it, give zeros, np.zeros({np.shape(leaf)}); "
            "if it is frozen, leave it out of the parameters."
        )
    array = real_array(given, name)
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
