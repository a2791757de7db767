"""What a function with many values returns, and its Jacobian: read as arrays, or refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from backproof._checks import close
from backproof._claims import Array
from backproof._foreign import read
from backproof._parameters import Nest, arrays_like, entry_name, real_array


def is_function(jacobian: Any) -> bool:
    """Tell a function from an operator, which may be called as well."""
    return callable(jacobian) and not hasattr(jacobian, "matvec")


def values_of(result: Any) -> Array:
    """Return the values of a function as an array of floats."""
    if result is None:
        raise TypeError("the function returned None: is a return statement missing?")
    if isinstance(result, dict):
        raise TypeError(
            "the function returned a dict: check one of its values at a time, "
            f"such as lambda p: function(p)[{next(iter(result), 'a')!r}]."
        )
    array = np.asarray(_array(result, "what the function returned"))
    if array.dtype.kind not in "fiu":
        kind = type(result).__name__ if array.dtype.kind == "O" else f"dtype {array.dtype}"
        raise TypeError(f"the function returned a value of {kind}: expected real numbers.")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _array(value: Any, name: str) -> Any:
    """Return a list of numbers, or of lists of them, as an array."""
    if not isinstance(value, list | tuple):
        return read(value, name)
    try:
        return np.array([_array(item, name) for item in value])
    except ValueError:
        pair = len(value) == 2 and np.ndim(value[1]) > np.ndim(value[0])
        question = " If it is the pair (values, Jacobian), pass True as the Jacobian."
        raise ValueError(
            f"{name} has rows of unequal length: expected an array.{question if pair else ''}"
        ) from None


def require_finite(values: Array) -> None:
    """Refuse values that are none, or not finite at the parameters themselves."""
    if not values.size:
        raise ValueError("the function returned no values: expected at least one.")
    if not np.isfinite(values).all():
        first = tuple(map(int, np.argwhere(~np.isfinite(values))[0]))
        raise ValueError(
            f"{entry_name('values', first)} of the function is {float(values[first])} at the "
            "parameters: expected finite values there."
        )


def rows_of(jacobian: Nest, leaves: Mapping[str, Any], values: tuple[int, ...]) -> dict[str, Any]:
    """Return the rows of each array of a Jacobian, one row for each value."""
    shapes = {path: (*values, *np.shape(leaf)) for path, leaf in leaves.items()}
    if list(leaves) == ["parameters"]:
        blocks = {"parameters": _matrix(jacobian, shapes["parameters"])}
    elif list(leaves) == [f"[{i}]" for i in range(len(leaves))] and not any(
        map(np.ndim, leaves.values())
    ):
        columns = np.moveaxis(_matrix(jacobian, (*values, len(leaves))), -1, 0)
        blocks = dict(zip(leaves, columns, strict=True))
    else:
        expected = {path: np.broadcast_to(0.0, shape) for path, shape in shapes.items()}
        blocks = arrays_like(expected, jacobian, "Jacobian")
    count = math.prod(values)
    return {path: block.reshape(count, *np.shape(leaves[path])) for path, block in blocks.items()}


def _matrix(jacobian: Any, shape: tuple[int, ...]) -> Array:
    """Return the Jacobian with respect to one array as an array."""
    if jacobian is None:
        raise TypeError("the Jacobian is None: is a return statement missing?")
    if hasattr(jacobian, "toarray"):
        jacobian = jacobian.toarray()
    elif hasattr(jacobian, "matvec"):
        _require_shape(jacobian.shape, shape)
        jacobian = _by_products(jacobian)
    array = real_array(_array(jacobian, "the Jacobian"), "the Jacobian")
    _require_shape(array.shape, shape)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _require_shape(given: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if given != shape:
        question = ": is it transposed?" if given == shape[::-1] else "."
        raise ValueError(
            f"the Jacobian has shape {given}: expected {shape}, one row for each value{question}"
        )


def _by_products(operator: Any) -> Array:
    """Return a linear operator as an array, if its products with both sides agree."""
    array = np.asarray(operator @ np.eye(operator.shape[1]))
    u = np.where(np.arange(len(array)) % 3, 1.0, -1.0)
    try:
        back = np.asarray(operator.rmatvec(u))
    except NotImplementedError:
        return array
    if not close(expected := array.T @ u, back):
        i = int(np.argmax(abs(expected - back)))
        raise ValueError(
            "rmatvec of the Jacobian is not the adjoint of its matvec: in a dot-product test, "
            f"entry {i} of J.rmatvec(u) is {back[i]:.6g}, and u @ J.matvec(e), where e has its 1 "
            f"at {i}, is {expected[i]:.6g}."
        )
    return array
