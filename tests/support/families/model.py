"""What a case is, the register of families, and the mistakes planted in right gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from backproof._parameters import Nest, flatten, replace_leaves

Array = NDArray[Any]
Dtype = type[np.floating[Any]]
Rng = np.random.Generator
Function = Callable[..., Any]

PRECISIONS = ("float64", "float32", "float32 inside")
METHODS = ("entries", "directions")
KINDS = ("double", "tenth", "sign", "zero", "entry", "transposed", "elsewhere")
AT_KINKS = KINDS[:4]  # at a kink, another entry may be as right
AT_AN_OPTIMUM = ("elsewhere",)  # the gradient at another point, where there is one

CORRECT = frozenset({"correct"})
OPEN = frozenset({"correct", "undecided"})
UNDECIDED = frozenset({"undecided"})
REFUSED = frozenset({"refused"})

# The smallest size of an array's gradient, beside the largest, where mistakes are planted.
NOTICEABLE = 1e-4
# How far a gradient in float32 may lie off the one in float64, and be called right.
SOUND = 1e-4


class Case(NamedTuple):
    """A cost, its right gradient at a point, and how the check of that may end.

    `kinds` are the mistakes that make the gradient wrong for certain.
    """

    cost: Callable[[Nest], Any]
    gradient: Callable[[Nest], Nest]
    parameters: Nest
    expected: frozenset[str]
    detail: str = ""
    kinds: tuple[str, ...] = KINDS[:-1]
    family: str = ""


Draw = Callable[[Rng, Dtype], Case]

FAMILIES: dict[str, Draw] = {}
PRECISIONS_OF: dict[str, tuple[str, ...]] = {}
METHODS_OF: dict[str, tuple[str, ...]] = {}


def family(
    name: str, *, inside: bool = False, methods: tuple[str, ...] = METHODS
) -> Callable[[Draw], Draw]:
    """Register a draw as a family; `inside` adds the precision "float32 inside"."""

    def register(draw: Draw) -> Draw:
        def named(rng: Rng, dtype: Dtype) -> Case:
            case = draw(rng, dtype)
            return case._replace(family=name, gradient=_sound(case))

        FAMILIES[name] = named
        PRECISIONS_OF[name] = PRECISIONS if inside else PRECISIONS[:2]
        METHODS_OF[name] = methods
        return draw

    return register


def case_of(family: str, precision: str, number: int, seed: int) -> Case:
    """Return the case of this number, always the same for a seed, with its state anew."""
    rng = np.random.default_rng([seed, crc32(f"{family}:{precision}".encode()), number])
    if precision == "float32 inside":
        return _inside(FAMILIES[family](rng, np.float32))
    return FAMILIES[family](rng, np.float64 if precision == "float64" else np.float32)


def _inside(case: Case) -> Case:
    """Return a case whose cost casts all that it is given to float32."""

    def cost(parameters: Nest) -> Any:
        return np.float32(case.cost(cast(parameters, np.float32)))

    return case._replace(cost=cost, expected=case.expected | UNDECIDED)


def in_float64(dtype: Dtype, expected: frozenset[str] = CORRECT) -> frozenset[str]:
    """Return what is expected in float64 only; in float32, the check may stay undecided."""
    return expected if dtype is np.float64 else expected | UNDECIDED


# Nests


def cast(nest: Nest, dtype: Dtype) -> Nest:
    """Return a nest with its leaves in this dtype."""
    return replace_leaves(nest, lambda _, leaf: np.asarray(leaf).astype(dtype))


def dtype_of(nest: Nest) -> Dtype:
    """Return the finest dtype in a nest."""
    return np.result_type(*flatten(nest).values()).type


def with_data(function: Function, *data: Any) -> Callable[[Nest], Any]:
    """Return a function of the parameters alone: its data are cast to their dtype."""

    def of_parameters(parameters: Nest) -> Any:
        dtype = dtype_of(parameters)
        return function(parameters, *(np.asarray(array).astype(dtype)[()] for array in data))

    return of_parameters


def arrays_of(nest: Nest) -> dict[str, Array]:
    """Return the leaves of a nest by path, in float64."""
    return {path: np.asarray(leaf, np.float64) for path, leaf in flatten(nest).items()}


def _largest(array: Array) -> float:
    return float(np.abs(array).max())


def natural_sizes(case: Case, right: dict[str, Array]) -> dict[str, float]:
    """Return the largest entry of each array, or a share of the largest effect of any array."""
    scales = {path: _largest(array) or 1.0 for path, array in arrays_of(case.parameters).items()}
    effect = max(_largest(array) * scales[path] for path, array in right.items())
    return {
        path: max(_largest(array), NOTICEABLE * effect / scales[path])
        for path, array in right.items()
    }


def _sound(case: Case) -> Callable[[Nest], Nest]:
    """Return the gradient; if rounding spoils it in float32, the one in float64, cast.

    Where all of it is rounding, as at an exact fit, it is kept.
    """
    if case.kinds == AT_AN_OPTIMUM:
        return case.gradient
    exact = arrays_of(case.gradient(cast(case.parameters, np.float64)))
    claimed = arrays_of(case.gradient(case.parameters))
    sizes = natural_sizes(case, exact)
    if all(_largest(claimed[p] - exact[p]) <= SOUND * sizes[p] for p in sizes):
        return case.gradient
    return lambda p: cast(case.gradient(cast(p, np.float64)), dtype_of(p))


# Mistakes


def possible(case: Case) -> tuple[str, ...]:
    """Return the kinds of mistakes that can be planted in a case."""
    right = arrays_of(case.gradient(case.parameters))
    return tuple(kind for kind in case.kinds if _candidates(case, right, kind))


def mistaken(case: Case, rng: Rng, kind: str) -> tuple[Callable[[Nest], Nest], set[str]]:
    """Return a gradient function with a mistake in one array, and the paths that are wrong."""
    right = arrays_of(case.gradient(case.parameters))
    path = str(rng.choice(_candidates(case, right, kind)))
    index = int(rng.integers(right[path].size))

    def gradient(parameters: Nest) -> Nest:
        elsewhere = flatten(case.gradient(_moved(parameters)) if kind == "elsewhere" else {})

        def spoil(at: str, leaf: Any) -> Any:
            wrong = elsewhere.get(at, leaf)
            return _spoiled(np.asarray(wrong), index, kind) if at == path else leaf

        return replace_leaves(case.gradient(parameters), spoil)

    return gradient, {path}


def planted(case: Case, rng: Rng, kind: str) -> tuple[Nest, set[str]]:
    """Return the arrays of a gradient with a mistake in one, and the paths that are wrong."""
    gradient, wrong = mistaken(case, rng, kind)
    return gradient(case.parameters), wrong


def _candidates(case: Case, right: dict[str, Array], kind: str) -> list[str]:
    """Return the arrays whose gradient can be noticed and is spoiled by this kind of mistake."""
    if kind == "elsewhere":
        return list(right)
    sizes = natural_sizes(case, right)
    paths: Iterable[str] = (path for path in right if 0 < sizes[path] <= _largest(right[path]))
    if kind == "transposed":
        paths = (path for path in paths if _is_asymmetric(right[path]))
    return list(paths)


def _is_asymmetric(array: Array) -> bool:
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        return False
    return _largest(array - array.T) > 0.1 * _largest(array)


def _spoiled(array: Array, index: int, kind: str) -> Array:
    if kind == "entry":
        wrong = array.copy()
        wrong.flat[index] += 0.1 * _largest(array)
        return wrong
    if kind == "transposed":
        return array.T.copy()
    factor = {"double": 2, "tenth": 1.1, "sign": -1, "zero": 0, "elsewhere": 1}[kind]
    return np.asarray(array * array.dtype.type(factor))


def _moved(parameters: Nest) -> Nest:
    """Return parameters that are larger by 1 %."""
    return replace_leaves(parameters, lambda _, leaf: leaf * leaf.dtype.type(1.01))
