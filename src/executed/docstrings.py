"""What public docstrings say of names, numbers and options is what the code has."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from doctest import DocTestParser
from itertools import chain
from textwrap import dedent
from typing import Any

from executed.library import defaults, raised, texts
from executed.names import unknown_names
from executed.prose import CODE, prose, stated, values_in

SECTION = r"^{}\n-+\n(.*?)(?=\n\n\S[^\n]*\n---|\Z)"
# A name, or some that share a description, at the margin of a section.
TERMS = re.compile(r"^(\w+(?:, \w+)*)$", re.MULTILINE)
QUOTED = re.compile(r'"([^"]+)"')
DEFAULT = re.compile(r"(\S+) \(the default\)|\bdefaults?\b")


# What docstrings name beside the library and NumPy: where it is imported from.
OUTSIDE = """
import numpy
import tqdm
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import Pool
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator
from tqdm.contrib import tmap
"""


def untrue(documented: Any) -> list[str]:
    """Report what a docstring says that neither the code nor an example has."""
    text, source = parts(documented)
    found = [
        *unknown_names(as_page(documented), documented.__qualname__),
        *unquoted(text, {*numbers(documented, source)}),
        *unsaid(text),
        *undescribed(documented, text),
        *other_defaults(documented, text),
    ]
    return [f"{documented.__qualname__}: {one}" for one in found]


def as_page(documented: Any) -> str:
    """Return a docstring as a page, whose blocks are the code and the examples."""
    text, source = parts(documented)
    return f"{text}\n```python{OUTSIDE}```\n```text\n{source}\n```\n"


def parts(documented: Any) -> tuple[str, str]:
    """Return a docstring without its examples, and these behind the code."""
    found = DocTestParser().parse(inspect.getdoc(documented) or "")
    text = "".join(one for one in found if isinstance(one, str))
    examples = (f"{one.source}{one.want}" for one in found if not isinstance(one, str))
    return text, "\n".join([code_of(documented), *examples])


def code_of(documented: Any) -> str:
    """Return the code of a function or class without its docstrings, and without comments."""
    tree = ast.parse(dedent(inspect.getsource(documented)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def unquoted(text: str, known: set[Decimal]) -> Iterator[str]:
    """Yield the numbers that neither the code nor the examples have."""
    for number, worth in stated(prose(text)):
        if worth not in known:
            yield f"{number} is in no example, nor in the code or a constant beside it."


def numbers(documented: Any, source: str) -> Iterator[Decimal]:
    """Yield the numbers in the code and the examples, the constants of its module, and defaults."""
    yield Decimal(0)  # what a slope or a difference can always be
    module = sys.modules[documented.__module__]
    lines = ast.parse(inspect.getsource(module)).body
    constants = [ast.unparse(line) for line in lines if isinstance(line, ast.Assign)]
    yield from values_in("\n".join([source, *constants]))
    found = (*vars(module).values(), *chain.from_iterable(defaults().values()))
    yield from (Decimal(repr(one)) for one in found if type(one) in (int, float))


def unsaid(text: str) -> Iterator[str]:
    """Yield the texts in quotes, and the errors, that no code of the library has."""
    for quoted in QUOTED.findall(CODE.sub("", text)):
        if quoted not in texts():
            yield f'"{quoted}" is no text in the code of the library.'
    for line in TERMS.findall(section_of("Raises", text)):
        for error in {*line.split(", ")} - raised():
            yield f"{error}: the library raises none."


def undescribed(documented: Any, text: str) -> Iterator[str]:
    """Yield the options or attributes that the code has alone, or the docstring alone."""
    section, names = "Parameters", {*inspect.signature(documented).parameters} - {"self"}
    if inspect.isclass(documented):
        section, names = "Attributes", {*inspect.get_annotations(documented)}
    described = section_of(section, text)
    terms = {term for line in TERMS.findall(described) for term in line.split(", ")}
    if terms != names and (described or section_of("Returns", text)):
        other = ", ".join(sorted(terms ^ names))
        yield f"{other}: in the code or under {section}, not in both."


def section_of(name: str, text: str) -> str:
    """Return a section of a docstring."""
    found = re.search(SECTION.format(name), text, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def other_defaults(documented: Any, text: str) -> Iterator[str]:
    """Yield the values that are called the default and are not that of their option."""
    options = inspect.signature(documented).parameters
    described = TERMS.split(section_of("Parameters", text))[1:]
    for names, words in zip(described[::2], described[1::2], strict=True):
        known = {repr(options[name].default) for name in names.split(", ") if name in options}
        for found in DEFAULT.finditer(words):
            if (found[1] or "").replace('"', "'") not in known:
                yield (
                    f"{names}: {found[0]!r}: the default is"
                    f" {' or '.join(known)}. Write the value, and (the default) behind it."
                )
