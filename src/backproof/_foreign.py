"""Arrays and numbers of other libraries: read by NumPy, or refused with what to write instead.

The libraries are never imported: what is theirs is recognised by what it can do.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

# So many attributes of an object are named in a message.
MOST = 4

NUMERIC = int | float | complex | np.generic | np.ndarray

_IN_PLACE = "if the cost reads them from there, check_gradient needs in_place=True"

# What to do with a value by the name of its class or by an attribute that it has; what follows
# a semicolon is for parameters only.
_REMEDIES = {
    "NoneType": "leave it out, unless the function that made it lacks a return statement",
    "type": "pass an instance of the class",
    ".named_parameters": (
        "pass {name: w.detach().numpy() for name, w in net.named_parameters()}; "
        "if the cost calls the module, check_gradient needs in_place=True"
    ),
    ".requires_grad": (
        "convert it with .detach().cpu().numpy(), and let the functions call torch.tensor(...) on "
        "what they are given; for a module, pass {name: w.detach().numpy() "
        "for name, w in net.named_parameters()}, with in_place=True"
    ),
    ".toarray": (
        "convert it with .toarray(); to check its stored entries only, set A = A.tocsr(), pass "
        "A.data, and let the cost build csr_array((data, A.indices, A.indptr), A.shape)"
    ),
    ".to_numpy": "convert it with .to_numpy()",
    ".addressable_shards": "convert all with jax.tree.map(np.float64, parameters)",
    ".__array__": "convert it with np.asarray(...)",
    ".mapping": "pass the dict itself",
    ".keys": "convert it with dict(...)",
    ".__next__": "convert it with list(...), or with dict(...) if it yields names and arrays",
    ".__float__": "convert it with float(...)",
}


def read(value: Any, name: str) -> Any:
    """Return what NumPy reads from an array or a number of another library."""
    if isinstance(value, NUMERIC):
        return value
    try:
        if hasattr(type(value), "__array__"):
            return np.asarray(value)
        return value.item() if hasattr(type(value), "item") else value
    except Exception as failure:  # it may be on another device, or part of a graph
        reason = str(failure).partition("\n")[0]
        if "bfloat16" in str(getattr(value, "dtype", "")):
            reason += ". Convert it with .float()"
        raise TypeError(f"{name} cannot be read by NumPy: {reason}") from None


def refuse(value: Any, name: str, *, displaced: bool = False) -> None:
    """Refuse what is known not to be a number or an array of NumPy: say what to write instead."""
    if isinstance(value, NUMERIC):
        return
    kind = type(value)
    signs = {base.__name__ for base in kind.__mro__} | {f".{name}" for name in dir(kind)}
    known = next((remedy for sign, remedy in _REMEDIES.items() if sign in signs), "")
    if remedy := known or _of_object(value):
        remedy = remedy if displaced else remedy.partition("; ")[0]
        raise TypeError(f"{name} is of type {kind.__name__}: {remedy}.")


def _of_object(value: Any) -> str:
    """Return what to pass in place of an object that keeps arrays, or a dict of them."""
    if pytree := _of_pytree(value):
        return pytree
    own, attributes = type(value).__name__.lower(), _attributes(value)
    for key, kept in attributes.items():
        if isinstance(kept, list | tuple) and (layer := next(filter(_arrays_of, kept), None)):
            each = f"[{_as_dict('layer', _arrays_of(layer))} for layer in {own}.{key}]"
            return f"pass the arrays of what it holds, such as {each}; {_IN_PLACE}"
    for key, kept in attributes.items():
        if _is_array(kept):
            named = _as_dict(own, _arrays_of(value))
            return f"pass those of its arrays that have a gradient, {named}; {_IN_PLACE}"
        items = list(kept.values()) if isinstance(kept, dict) else kept
        if isinstance(items, list | tuple) and any(map(_is_array, items)):
            return f"pass its {type(kept).__name__} of arrays, {own}.{key}; {_IN_PLACE}"
    return ""


def _as_dict(owner: str, names: list[str]) -> str:
    """Return code for a dict of attributes, or for the first of them if they are many."""
    parts = [f'"{name}": {owner}.{name}' for name in names[:MOST]]
    return f"{{{', '.join(parts)}{', ...' if len(names) > MOST else ''}}}"


def _arrays_of(value: Any) -> list[str]:
    """Return the names of the arrays of floats that an object keeps."""
    return [name for name, kept in _attributes(value).items() if _is_array(kept)]


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _of_pytree(value: Any) -> str:
    """Return what to pass in place of an object that JAX takes apart, or that keeps its arrays."""
    kind, kept = type(value), _attributes(value)
    of_jax = [key for key, item in kept.items() if hasattr(item, "addressable_shards")]
    if not hasattr(kind, "tree_flatten") and not of_jax:
        return ""
    arrays = [key for key, item in kept.items() if hasattr(item, "__array__")]
    own = kind.__name__.lower()
    if arrays == list(kept) == list(inspect.signature(kind).parameters):
        parts = ", ".join(f'"{key}": np.float64({own}.{key})' for key in arrays)
        passed, made = f"a dict of its arrays, {{{parts}}}", f"{kind.__name__}(**p)"
    else:
        passed = f"its leaves, jax.tree.map(np.float64, jax.tree.leaves({own}))"
        made = f"jax.tree.unflatten(jax.tree.structure({own}), p)"
    return f"pass {passed}; inside value_and_grad, call the loss with {made}"


def _attributes(value: Any) -> dict[str, Any]:
    """Return what an object keeps, in its dict or in slots."""
    slots = [name for base in type(value).__mro__ for name in getattr(base, "__slots__", ())]
    return {name: getattr(value, name, None) for name in slots} | getattr(value, "__dict__", {})
