"""A hook of MkDocs: tells the script of a page which of its blocks run in the reader's browser."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from symtable import SymbolTable, symtable

from mkdocs.structure.pages import Page

from executed.page import Block, blocks, imported, is_guide
from executed.runtime import BASE, DRAWING, importable, megabytes

DRAW = ("matplotlib", "backproof.plots")


def on_page_content(html: str, page: Page, **_: object) -> None:
    """Leave what the script has to know where the template finds it."""
    name = page.file.src_uri
    some = blocks(page.markdown or "")
    if lacking := list(lacks(some, is_guide(name))):
        told = {
            "alone": is_guide(name),
            "lacking": lacking,
            "aside": list(aside(some, is_guide(name))),
            "reads": page.meta.get("reads", []),
            "megabytes": [megabytes(BASE), megabytes(DRAWING)],
        }
        page.meta["run"] = json.dumps(told).replace("<", "\\u003c")


def lacks(some: list[Block], are_alone: bool) -> Iterator[str]:
    """Say of each block what it lacks in a browser; of most, nothing."""
    before = ""
    for block in some:
        lacking = before or lack(block, are_alone)
        yield lacking
        if lacking and not are_alone:
            before = "a block above"


def lack(block: Block, is_alone: bool) -> str:
    """Say what a block lacks in a browser: modules, or pytest, which runs the tests of a guide."""
    tree = ast.parse(block.text)
    paths = [path for node in ast.walk(tree) for _, path in imported(node)]
    modules = {path.partition(".")[0] for path in paths}
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if is_alone and any(name.startswith("test_") for name in defined):
        modules.add("pytest")
    return " and ".join(sorted(modules - importable()))


def aside(some: list[Block], are_alone: bool) -> Iterator[list[str] | None]:
    """Say of each block that draws whether those below do without it, and of the others None.

    Of those that do, what is said are the names that only this block gives: who writes one of
    them into a block below needs it there. Where blocks run alone, none stands above another.
    """
    given = [names(block.text)[0] for block in some]
    for number, block in enumerate(some):
        if are_alone or not draws(block) or given[number] & needed(some[number + 1 :]):
            yield None
        else:
            others = given[:number] + given[number + 1 :]
            yield sorted(given[number].difference(*others))


def draws(block: Block) -> bool:
    """Whether a block imports what draws, or uses it as it is imported above."""
    paths = [path for node in ast.walk(ast.parse(block.text)) for _, path in imported(node)]
    return any(path.startswith(DRAW) for path in paths) or "plt" in names(block.text)[1]


def needed(some: list[Block]) -> set[str]:
    """Return the names that blocks read before they give them, statement by statement."""
    wanted: set[str] = set()
    known: set[str] = set()
    for statement in (one for block in some for one in ast.parse(block.text).body):
        given, read = names(ast.unparse(statement))
        wanted |= read - given - known
        known |= given
    return wanted


def names(code: str) -> tuple[set[str], set[str]]:
    """Return the names that code gives to those below it, and those that it reads."""
    apart = ast.unparse(Apart().visit(ast.parse(code)))
    top, *inner = scopes(symtable(apart, "block", "exec"))
    given = {one.get_name() for one in top.get_symbols() if one.is_assigned() or one.is_imported()}
    used = [one for scope in inner for one in scope.get_symbols() if one.is_global()]
    read = [*used, *(one for one in top.get_symbols() if one.is_referenced())]
    return given, {one.get_name() for one in read}


class Apart(ast.NodeTransformer):
    """Puts comprehensions into functions: as of Python 3.12, they have no scope of their own."""

    def visit(self, node: ast.AST) -> ast.AST:
        """Return a function of no arguments for a comprehension, and what is no such as it is."""
        node = self.generic_visit(node)
        if not isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp):
            return node
        return ast.Lambda(ast.arguments([], [], None, [], [], None, []), node)


def scopes(table: SymbolTable) -> Iterator[SymbolTable]:
    """Yield the scope of some code, and those within it."""
    yield table
    for inner in table.get_children():
        yield from scopes(inner)
