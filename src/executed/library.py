"""What the library has that can be named, read from its source: pages cite any part of it."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import backproof

MODULES = ("backproof", "backproof.course", "backproof.exercises", "backproof.plots")
TREES = {
    path.stem: ast.parse(path.read_text("utf-8"))
    for path in Path(str(backproof.__file__)).parent.glob("*.py")
}
NODES = [node for tree in TREES.values() for node in ast.walk(tree)]


@cache
def public() -> dict[str, Any]:
    """Return the functions and classes of the public modules, by their paths."""
    return {
        f"{path}.{name}": one
        for path, module in ((path, import_module(path)) for path in MODULES)
        for name, one in vars(module).items()
        if name in getattr(module, "__all__", [name]) and name[0] != "_"
        if getattr(one, "__module__", "").startswith(path)
    }


@cache
def names() -> frozenset[str]:
    """Return the names of what the library is made of, and of what public functions take."""
    made = (node.name for node in NODES if isinstance(node, ast.FunctionDef | ast.ClassDef))
    constants = (name for tree in TREES.values() for name in assigned(tree))
    return frozenset([*TREES, *made, *constants, *fields(), *defaults()])


@cache
def fields() -> frozenset[str]:
    """Return the names of the methods and attributes of classes that document theirs."""
    classes = [node for node in NODES if isinstance(node, ast.ClassDef)]
    classes = [node for node in classes if "\nAttributes\n" in (ast.get_docstring(node) or "")]
    made = (one.name for node in classes for one in node.body if isinstance(one, ast.FunctionDef))
    return frozenset([*made, *(name for node in classes for name in assigned(node))])


def assigned(node: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Yield the names that the lines of a module or class assign."""
    for line in node.body:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", line)]
        yield from (
            one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)
        )


@cache
def defaults() -> dict[str, list[Any]]:
    """Return the values that each option of a public function has by default, or may have."""
    found: dict[str, list[Any]] = {}
    for function in public().values():
        for name, option in inspect.signature(function).parameters.items():
            values = [True, False] if option.annotation == "bool" else [option.default]
            found.setdefault(name, []).extend(values)
    return found


def may_be(name: str, value: str) -> bool:
    """Whether an option has a value by default, or a text that the library speaks of."""
    with suppress(ValueError, SyntaxError):
        literal = ast.literal_eval(value)
        said = isinstance(literal, str) and any(f'"{literal}"' in text for text in texts())
        return said or literal in defaults()[name]
    return False


@cache
def texts() -> frozenset[str]:
    """Return the texts in the code of the library, in which … stands for what varies."""
    parts = (
        node.values if isinstance(node, ast.JoinedStr) else [node]
        for node in NODES
        if isinstance(node, ast.JoinedStr | ast.Constant)
    )
    return frozenset(
        "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in some)
        for some in parts
    )


@cache
def raised() -> frozenset[str]:
    """Return the names of the errors that the library raises."""
    calls = [
        node.exc for node in NODES if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    ]
    return frozenset(ast.unparse(call.func) for call in calls)


def is_message(span: str) -> bool:
    """Whether this is an error of the library, or a part of one, in which … stands for the rest."""
    kind, _, message = span.rpartition("Error: ")
    if kind and f"{kind}Error" not in raised():
        return False
    clauses = [clause.strip(" :.") for clause in re.split("…|; |: (?=[a-z]+ [a-z]+ )", message)]
    written = " " in message or "…" in message
    return written and all(map(says, clauses))


def says(clause: str) -> bool:
    """Whether a text of the library has a clause or, with … for a part of it, is the clause."""
    whole = re.compile(rf"(?<!\w){re.escape(clause)}(?!\w)")
    is_part = any(map(whole.search, texts()))
    return is_part or any(sentence.fullmatch(clause) for sentence in sentences())


@cache
def sentences() -> list[re.Pattern[str]]:
    """Return patterns of the texts that begin with words, as far as their first semicolon."""
    begun = (text.partition(";")[0] for text in texts() if re.match(r"\w+ (?:\w+|…, \w+) ", text))
    return [re.compile(".+".join(map(re.escape, text.split("…")))) for text in begun]
