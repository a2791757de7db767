"""What stands in backticks exists: names and arguments of code, messages, files and commands.

A page may name what its blocks hold, what the library and NumPy have, and what is in the modules
that it imports. Where else its names are from, it says in its front matter,

    names: [scipy.optimize, torch.autograd.gradcheck]

A name that nothing here has, such as one of the reader's own code, is marked where the page first
uses it: `<!-- "`tokens`" free: REASON -->`.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import re
from collections.abc import Iterator
from contextlib import suppress
from difflib import get_close_matches
from importlib.util import find_spec
from pydoc import locate
from token import EXACT_TOKEN_TYPES
from typing import Any

import numpy as np
from mkdocs.utils.meta import get_data

import backproof
from executed.commands import is_command, is_file
from executed.formulas import FORMULA
from executed.library import defaults, fields, is_message, may_be, names, raised, texts
from executed.page import fences, imported, imports, without_fences
from executed.proofs import MARKING, markings
from executed.prose import CODE, empty_lines

WORD = re.compile(r"[^\W\d]\w*")
ARGUMENT = re.compile(r"(\w+)=((?!=|\s).*)")
# How what is no statement becomes one: a method without its object, a head, a decorator.
COMPLETED = ("{}", "_{}", "{} pass", "{}\ndef _(): pass")


def unknown_names(page: str, name: str) -> list[str]:
    """Report inline code that names what does not exist."""
    known = Known(page)
    lost = [path for path in from_elsewhere(page) if is_installed(path) and not locate(path)]
    return [f"{name}: names: there is no {path}." for path in lost] + [
        f"{name}:{line}: `{span}`: {part} is in no block of the page, nor in the library, NumPy, a"
        f" module that the page imports or names, or the checkout.{known.near(part)} If nothing"
        f' here has it, write <!-- "`{span}`" free: REASON -->.'
        for line, span in spans(page)
        for part in dict.fromkeys(known.unknown(span))
    ]


def not_installed(page: str) -> list[str]:
    """Return the modules that a page imports or names, and into which nobody can look here."""
    paths = [*dict(imports(page)).values(), *from_elsewhere(page)]
    return sorted({path.split(".")[0] for path in paths if not is_installed(path)})


def is_installed(path: str) -> bool:
    """Whether the package is there that has a module, or what is in it."""
    return find_spec(path.split(".")[0]) is not None


def from_elsewhere(page: str) -> list[str]:
    """Return the paths that the front matter of a page gives, of names that no block imports."""
    return list(get_data(page)[1].get("names", []))


def free(page: str) -> Iterator[str]:
    """Yield the inline code that nothing has, for a reason, and the names in it."""
    for one in markings(without_fences(page)):
        if one.kind == "free":
            for _, span in CODE.findall(one.words):
                yield from (span, *WORD.findall(span))


def spans(page: str) -> Iterator[tuple[int, str]]:
    """Yield what stands in backticks in the prose of a page, each with its line."""
    for line, text in enumerate(MARKING.sub(empty_lines, without_fences(page)).split("\n"), 1):
        yield from ((line, found[2]) for found in CODE.finditer(text))


class Known:
    """What a page may name: the words on it, and objects by the names that they have there."""

    def __init__(self, page: str) -> None:
        self.text = "\n".join(f"{one.info}\n{one.text}" for one in fences(page))
        self.free = {*free(page)}
        self.words = {*WORD.findall(self.text), *self.free}
        paths = {path.split(".")[-1]: path for path in from_elsewhere(page)} | dict(imports(page))
        found = {name: locate(path) for name, path in paths.items()}
        own = {name: getattr(backproof, name) for name in backproof.__all__}
        self.objects = {**vars(builtins), **own, "backproof": backproof, "np": np, **found}
        within = set[str]().union(*map(members, [np, *found.values()]))
        self.places = {*names(), *texts(), *members(np.ndarray), *within}
        classes = [one for one in found.values() if not inspect.ismodule(one)]
        self.attributes = {*fields(), *re.findall(r"\.(\w+)", self.text), *self.free}.union(
            *map(members, [np.ndarray, *classes])
        )

    def unknown(self, span: str) -> list[str]:
        """Return the parts of a span that do not exist."""
        if span in self.words | EXACT_TOKEN_TYPES.keys() or self.quoted(span):
            return []
        if MARKING.fullmatch(span) or re.fullmatch(FORMULA, span):  # as CONTRIBUTING shows them
            return []
        if is_message(span) or is_file(span) or is_command(span):
            return []
        if argument := ARGUMENT.fullmatch(span):
            return self.argument(span, *argument.groups())
        for form in COMPLETED:
            with suppress(SyntaxError):
                return [*self.parts(ast.parse(form.format(span)))]
        return [span]

    def quoted(self, span: str) -> bool:
        """Whether a block of the page has this, word for word, where … stands for anything."""
        pattern = r"\s+".join(map(re.escape, span.split())).replace("…", ".+")
        return bool(re.search(rf"(?<!\w){pattern}(?!\w)", self.text))

    def argument(self, span: str, name: str, value: str) -> list[str]:
        """Return an argument whose value is neither a default nor one that may be passed."""
        if name not in defaults():
            return [*([] if self.has(name) else [name]), *self.unknown(value)]
        return [] if may_be(name, value) or self.has(value) else [span]

    def parts(self, tree: ast.AST) -> Iterator[str]:
        """Yield the names, attributes, strings and calls in some code that do not exist."""
        bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=name) if name not in bound and not self.has(name):
                    yield name
                case ast.Attribute(ctx=ast.Load()) if not self.owns(node.value, node.attr):
                    yield node.attr
                case ast.Constant(value=str(text)) if not self.is_text(text):
                    yield ast.unparse(node)
                case ast.Call() if not self.takes(node):
                    yield ast.unparse(node)
                case ast.keyword(arg=str(name), value=ast.Constant() as value) if (
                    name in defaults()
                ):
                    yield from self.argument(ast.unparse(node), name, ast.unparse(value))
                case ast.Import() | ast.ImportFrom():
                    yield from (path for _, path in imported(node) if not locate(path))

    def has(self, name: str) -> bool:
        """Whether a word is a name."""
        if isinstance(one := self.objects.get(name), type) and issubclass(one, BaseException):
            return name in raised() | self.words
        known = self.words | self.places | self.objects.keys()
        return name in known or name == "_" or keyword.iskeyword(name)

    def is_text(self, text: str) -> bool:
        """Whether some code of the library or the page has this text."""
        return text in texts() | self.free or self.quoted(text)

    def owns(self, owner: ast.expr, name: str) -> bool:
        """Whether an object has an attribute or, where it is not known, anything has it."""
        found = self.object(owner)
        own = {*self.free, *dir(found), *getattr(found, "__dataclass_fields__", ())}
        return name in (self.attributes if found is None else own)

    def takes(self, call: ast.Call) -> bool:
        """Whether a function of the library takes such arguments; of others, whether they exist."""
        function, names = self.object(call.func), [one.arg for one in call.keywords]
        shortened = any(map(is_shortened, call.args))
        if shortened or not str(getattr(function, "__module__", "")).startswith("backproof"):
            return all(name is None or self.has(name) for name in names)
        with suppress(TypeError):
            inspect.signature(function).bind(*call.args, **dict.fromkeys(filter(None, names)))
            return True
        return False

    def object(self, code: ast.expr) -> Any:
        """Return the object that some code is, if it is one that is known."""
        if isinstance(code, ast.Attribute):
            return getattr(self.object(code.value), code.attr, None)
        if isinstance(code, ast.Name) and code.id != "_":
            return self.objects.get(code.id)
        return None

    def near(self, part: str) -> str:
        """Say which names are spelt like one that does not exist."""
        words = {*self.words, *filter(str.isidentifier, self.places)}
        asked = {part, *WORD.findall(part)[-1:]}
        found = {near for word in asked for near in get_close_matches(word, words, 1)}
        return f" Did you mean {' or '.join(sorted(found))}?" if found else ""


def members(found: object) -> set[str]:
    """Return the names that an object has, and those of its arguments."""
    names = set(dir(found))
    if callable(found):
        with suppress(ValueError, TypeError):
            names.update(inspect.signature(found).parameters)
    return names


def is_shortened(argument: ast.expr) -> bool:
    """Whether an argument stands for others: *args, or an ellipsis."""
    return isinstance(argument, ast.Starred) or ast.unparse(argument) == "..."
