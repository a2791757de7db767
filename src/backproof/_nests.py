"""Nests: dicts, lists, tuples and dataclasses of numbers and arrays, and the names of these.

A leaf is named by its path: `W2` for `{"W2": ...}`, `layers[0].W` for `{"layers": [{"W": ...}]}`,
`enc.0.weight` for `{"enc.0.weight": ...}`, and `parameters` for a leaf that is not in a nest.
"""

from __future__ import annotations

import copy
import operator
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

Nest = Any
Path = tuple[Hashable, ...]  # the keys, field names and indices that lead to a leaf


def walk(nest: Nest, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the leaves of a nest in its order, each with its path."""
    children = _children(nest)
    if children is None:
        yield path, nest
        return
    for key, child in children:
        yield from walk(child, (*path, key))


def rebuilt(nest: Nest, leaves: Iterator[Any]) -> Nest:
    """Return a nest of the same structure with other leaves, taken in its order."""
    children = _children(nest)
    if children is None:
        return next(leaves)
    return _with_children(nest, [(key, rebuilt(child, leaves)) for key, child in children])


def in_form_of(nest: Nest, given: Any) -> Any:
    """Return what is given for a nest, read by its form.

    The items of a plain tuple or list have the names of the fields of a named tuple, which is a
    plain one where that is expected, and a list of rows is an array where one is expected.
    """
    children = _children(nest)
    if children is None:
        return _array_of_rows(given)
    fields = getattr(nest, "_fields", None)
    if fields and type(given) in (tuple, list) and len(given) == len(fields):
        given = dict(zip(fields, given, strict=True))
    elif type(nest) in (tuple, list) and hasattr(given, "_fields"):
        given = tuple(given)
    forms = dict(children)
    items = [(key, in_form_of(forms.get(key), item)) for key, item in _children(given) or []]
    return _with_children(given, items) if items else given


def names(paths: list[Path]) -> list[str]:
    """Return paths as text: keys bare, or quoted where two names would look the same."""
    bare = [_name(path, quoted=False) for path in paths]
    if not _look_the_same(bare):
        return bare
    quoted = [_name(path, quoted=True) for path in paths]
    twice, count = Counter(quoted).most_common(1)[0]
    if count > 1:
        raise ValueError(f"two keys are printed as {twice}: expected keys that print differently.")
    return quoted


def _children(nest: Nest) -> list[tuple[Hashable, Nest]] | None:
    """Return the children of a nest, each with its key; None for a leaf."""
    if isinstance(nest, float):  # of which there may be thousands, in each evaluation
        return None
    if hasattr(type(nest), "toarray"):  # a sparse array, which may be a dict of its entries
        return None
    if isinstance(nest, dict):
        return list(nest.items())
    if isinstance(nest, list | tuple):
        return list(zip(getattr(nest, "_fields", range(len(nest))), nest, strict=True))
    if is_dataclass(nest) and not isinstance(nest, type):
        held = [(field, getattr(nest, field.name, None)) for field in fields(nest)]
        return [(field.name, value) for field, value in held if not _is_setting(field, value)]
    return None


def _array_of_rows(given: Any) -> Any:
    """Return a list of rows as an array, if they are as long as each other."""
    if isinstance(given, list) and given and all(isinstance(r, list | np.ndarray) for r in given):
        with suppress(ValueError):
            return np.array(given)
    return given


def _with_children(nest: Nest, children: list[tuple[Hashable, Nest]]) -> Nest:
    """Return a copy of a nest with other children, without running the code of its class."""
    if isinstance(nest, tuple):
        make = getattr(nest, "_make", type(nest))
        return make(child for _, child in children)
    # A dataclass may be frozen, or draw its arrays when it is made.
    by_key = isinstance(nest, dict | list)
    put: Callable[[Any, Any, Any], None] = operator.setitem if by_key else object.__setattr__
    new = copy.copy(nest)
    for key, child in children:
        put(new, key, child)
    return new


def _is_setting(field: Field[Any], value: Any) -> bool:
    """Tell whether a field of a dataclass holds something else than parameters."""
    declared = str(field.type)
    whole = bool(re.search(r"\bint\b", declared)) and "float" not in declared
    # JAX and Equinox mark fields that are no parameters as static.
    return bool(field.metadata.get("static")) or _is_no_parameter(value, whole)


def _is_no_parameter(value: Any, whole: bool) -> bool:
    """Tell whether it is text, a switch, a function or None, or a whole number declared as one."""
    if isinstance(value, list | tuple):
        return all(_is_no_parameter(item, whole) for item in value)
    if isinstance(value, str | bytes | bool | np.bool | Enum | None):
        return True
    if isinstance(value, int | np.integer):
        return whole
    return callable(value) and hasattr(value, "__name__")


def _name(path: Path, *, quoted: bool) -> str:
    return "".join(_step(key, quoted) for key in path).removeprefix(".") or "parameters"


def _step(key: Hashable, quoted: bool) -> str:
    """Return what a key adds to a name; what cannot be seen is quoted anyway."""
    text = str(key)
    if isinstance(key, str):
        bare = key.isidentifier() if quoted else text.isprintable() and text == text.strip() != ""
        return f".{text}" if bare else f"[{key!r}]"
    return f"[{key!r}]" if quoted or not text.isprintable() else f"[{text}]"


def _look_the_same(names: list[str]) -> bool:
    """Tell whether two names are equal, or one is that of an entry of the other."""
    known = set(names)
    return len(known) < len(names) or any(name.rpartition("[")[0] in known for name in names)
