"""What a function with many values returns, and its Jacobian: read as arrays, or refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from backproof._checks import close
from backproof._claims import Array
from backproof._decide import span
from backproof._digits import digits_for
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


class Form(NamedTuple):
    """What is expected of a Jacobian: the shape of the values, and how far it may be off."""

    values: tuple[int, ...]
    tolerance: float


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
        advice = "these are several results, join them with np.concatenate."
        if pair:
            advice = "it is the pair (values, Jacobian), pass True as the Jacobian."
        raise ValueError(
            f"{name} has rows of unequal length: expected an array. If {advice}"
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


def rows_of(jacobian: Nest, parameters: Parameters, form: Form) -> dict[str, Any]:
    """Return the rows of each array of a Jacobian, one row for each value."""
    values = form.values
    leaves = parameters.leaves
    owns = {path: np.shape(leaf) for path, leaf in leaves.items()}
    if list(leaves) == ["parameters"]:
        blocks = {"parameters": _matrix(jacobian, form, owns["parameters"])}
    elif list(leaves) == [f"[{i}]" for i in range(len(leaves))] and not any(
        map(np.ndim, leaves.values())
    ):
        columns = np.moveaxis(_matrix(jacobian, form, (len(leaves),)), -1, 0)
        blocks = dict(zip(leaves, columns, strict=True))
    else:
        _refuse_a_matrix(jacobian, values, owns)
        given = _of_arrays(in_form_of(parameters.original, jacobian), form, owns)
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


def _of_arrays(jacobian: Nest, form: Form, owns: Mapping[str, tuple[int, ...]]) -> Nest:
    """Return a nest with arrays in the place of what is sparse, or an operator."""

    def dense(path: str, given: Any) -> Any:
        name = f"{path} of the Jacobian"
        return _dense(given, form, owns[path], name) if path in owns else given

    return replace_leaves(jacobian, dense)


def _matrix(jacobian: Any, form: Form, own: tuple[int, ...]) -> Array:
    """Return the Jacobian with respect to one array as an array."""
    if jacobian is None:
        raise TypeError("the Jacobian is None: is a return statement missing?")
    dense = _dense(jacobian, form, own)
    if isinstance(dense, dict):
        raise TypeError("the Jacobian is a dict, but the parameters are not: expected an array.")
    array = real_array(_array(dense, "the Jacobian"), "the Jacobian")
    _require_shape("the Jacobian", array.shape, (*form.values, *own))
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _dense(jacobian: Any, form: Form, own: tuple[int, ...], name: str = "the Jacobian") -> Any:
    """Return a sparse matrix or an operator, of a row for each value, as an array."""
    if not hasattr(jacobian, "toarray") and not hasattr(jacobian, "matvec"):
        return jacobian
    if jacobian.shape != (*form.values, *own):
        _require_shape(name, jacobian.shape, (math.prod(form.values), math.prod(own)))
    sparse = hasattr(jacobian, "toarray")
    array = jacobian.toarray() if sparse else _by_products(jacobian, form.tolerance)
    return array.reshape(*form.values, *own)


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


def _by_products(operator: Any, tolerance: float) -> Array:
    """Return a linear operator as an array, if its products with both sides agree."""
    columns = [_product(operator, "matvec", e, 0) for e in np.eye(operator.shape[1])]
    array = np.stack(columns, axis=1)
    u = np.where(np.arange(len(array)) % 3, 1.0, -1.0)
    try:
        back = _product(operator, "rmatvec", u, 1) if hasattr(operator, "rmatvec") else array.T @ u
    except NotImplementedError:  # SciPy gives one to all
        return array
    expected = array.T @ u
    floats = [one.dtype for one in (array, back, u) if one.dtype.kind == "f"]
    coarsest = max(floats, key=precision_of)
    apart = abs(expected - back)
    if (
        np.isfinite(array).all()
        and not close(expected.astype(coarsest), back)
        and not apart.max() <= tolerance * span(expected)
    ):
        i = int(np.argmax(apart))
        digits = digits_for(back[i], expected[i], 0.0)
        raise ValueError(
            "rmatvec of the Jacobian is not the adjoint of its matvec: in a dot-product test, "
            f"entry {i} of J.rmatvec(u) is {back[i]:.{digits}g}, but u @ J.matvec(e), where e is "
            f"the unit vector with a 1 at {i}, is {expected[i]:.{digits}g}. If the products are "
            "approximate, pass a tolerance."
        )
    return array


def _product(operator: Any, name: str, vector: Array, axis: int) -> Array:
    """Return a product with an operator, if it has the right length."""
    try:
        product = np.asarray(getattr(operator, name)(vector))
    except ValueError as error:  # SciPy looks at the shape as well
        error.add_note(f"The Jacobian of shape {operator.shape} was multiplied by {name}.")
        raise
    if product.size != operator.shape[axis]:
        raise ValueError(
            f"{name} of the Jacobian returned an array of shape {product.shape} for a vector of "
            f"{vector.size} numbers: expected {operator.shape[axis]} numbers."
        )
    return product.reshape(-1)
