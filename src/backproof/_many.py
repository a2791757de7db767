"""What a function with many values returns, and its Jacobian: read as arrays, or refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from backproof._checks import close
from backproof._claims import Array
from backproof._foreign import read, refuse
from backproof._nests import in_form_of
from backproof._parameters import (
    Nest,
    Parameters,
    arrays_like,
    entry_name,
    precision_of,
    real_array,
    replace_leaves,
)


def is_function(jacobian: Any) -> bool:
    """Tell a function from an operator, which may be called as well."""
    return callable(jacobian) and not hasattr(jacobian, "matvec")


def values_of(result: Any) -> Array:
    """Return the values of a function as an array of floats."""
    if result is None:
        raise TypeError("the function returned None: is a return statement missing?")
    if hasattr(result, "toarray"):
        refuse(result, "what the function returned")
    if isinstance(result, dict):
        raise TypeError(
            "the function returned a dict: check one of its values at a time, "
            f"such as lambda p: function(p)[{next(iter(result), 'a')!r}]."
        )
    given = _array(result, "what the function returned")
    if np.ma.is_masked(given):
        raise TypeError("the function returned masked values: return only the unmasked ones.")
    array = np.asarray(given)
    if array.dtype.kind not in "fiu":
        kind = f"dtype {array.dtype}" if array.shape else f"type {type(result).__name__}"
        raise TypeError(f"the function returned a value of {kind}: expected real numbers.")
    # The function may write its next values to the same memory.
    return array.astype(array.dtype if array.dtype.kind == "f" else np.float64)


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


def rows_of(jacobian: Nest, parameters: Parameters, values: tuple[int, ...]) -> dict[str, Any]:
    """Return the rows of each array of a Jacobian, one row for each value."""
    leaves = parameters.leaves
    owns = {path: np.shape(leaf) for path, leaf in leaves.items()}
    if list(leaves) == ["parameters"]:
        blocks = {"parameters": _matrix(jacobian, values, owns["parameters"])}
    elif list(leaves) == [f"[{i}]" for i in range(len(leaves))] and not any(
        map(np.ndim, leaves.values())
    ):
        columns = np.moveaxis(_matrix(jacobian, values, (len(leaves),)), -1, 0)
        blocks = dict(zip(leaves, columns, strict=True))
    else:
        _refuse_a_matrix(jacobian, values, owns)
        given = _of_arrays(in_form_of(parameters.original, jacobian), values, owns)
        expected = replace_leaves(
            parameters.original, lambda path, _: np.broadcast_to(0.0, (*values, *owns[path]))
        )
        blocks = arrays_like(expected, given, "Jacobian")
    count = math.prod(values)
    # A copy, since the next Jacobian may be written to the same memory.
    return {path: np.array(block).reshape(count, *owns[path]) for path, block in blocks.items()}


def _refuse_a_matrix(
    jacobian: Any, values: tuple[int, ...], owns: Mapping[str, tuple[int, ...]]
) -> None:
    """Refuse one matrix for several arrays: say which of its columns are those of the last."""
    if getattr(jacobian, "ndim", 0) == 2:
        (path, own), end = list(owns.items())[-1], jacobian.shape[1]
        part = f"J[:, {end - math.prod(own)}:{end}].reshape{(*values, *own)}"
        raise TypeError(
            f"the Jacobian is one array of shape {jacobian.shape}: expected an array for each "
            f"of the parameters, such as {part} for {path}."
        )


def _of_arrays(
    jacobian: Nest, values: tuple[int, ...], owns: Mapping[str, tuple[int, ...]]
) -> Nest:
    """Return a nest with arrays in the place of what is sparse, or an operator."""

    def dense(path: str, given: Any) -> Any:
        name = f"{path} of the Jacobian"
        return _dense(given, values, owns[path], name) if path in owns else given

    return replace_leaves(jacobian, dense)


def _matrix(jacobian: Any, values: tuple[int, ...], own: tuple[int, ...]) -> Array:
    """Return the Jacobian with respect to one array as an array."""
    if jacobian is None:
        raise TypeError("the Jacobian is None: is a return statement missing?")
    dense = _dense(jacobian, values, own)
    if isinstance(dense, dict):
        raise TypeError("the Jacobian is a dict, but the parameters are not: expected an array.")
    array = real_array(_array(dense, "the Jacobian"), "the Jacobian")
    _require_shape("the Jacobian", array.shape, (*values, *own))
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _dense(
    jacobian: Any, values: tuple[int, ...], own: tuple[int, ...], name: str = "the Jacobian"
) -> Any:
    """Return a sparse matrix or an operator, of a row for each value, as an array."""
    if not hasattr(jacobian, "toarray") and not hasattr(jacobian, "matvec"):
        return jacobian
    if jacobian.shape != (*values, *own):
        _require_shape(name, jacobian.shape, (math.prod(values), math.prod(own)))
    array = jacobian.toarray() if hasattr(jacobian, "toarray") else _by_products(jacobian)
    return array.reshape(*values, *own)


def _require_shape(name: str, given: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if given == shape:
        return
    question = "."
    if given == shape[::-1]:
        question = ": is it transposed?"
    elif math.prod(given) == math.prod(shape):
        question = f": is .reshape{shape} missing?"
    raise ValueError(
        f"{name} has shape {given}: expected {shape}, one row for each value{question}"
    )


def _by_products(operator: Any) -> Array:
    """Return a linear operator as an array, if its products with both sides agree."""
    array = np.asarray(operator @ np.eye(operator.shape[1]))
    u = np.where(np.arange(len(array)) % 3, 1.0, -1.0)
    try:
        back = np.asarray(operator.rmatvec(u))
    except NotImplementedError:
        return array
    expected = array.T @ u
    floats = [one.dtype for one in (array, back, u) if one.dtype.kind == "f"]
    coarsest = max(floats, key=precision_of)
    if np.isfinite(array).all() and not close(expected.astype(coarsest), back):
        i = int(np.argmax(abs(expected - back)))
        raise ValueError(
            "rmatvec of the Jacobian is not the adjoint of its matvec: in a dot-product test, "
            f"entry {i} of J.rmatvec(u) is {back[i]:.6g}, but u @ J.matvec(e), where e is the unit "
            f"vector with a 1 at {i}, is {expected[i]:.6g}."
        )
    return array
