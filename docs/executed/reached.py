"""Which code of a block never runs: a function that nobody calls, a branch that is never taken.

A block whose statements are marked notes each of them in its namespace when it comes along.
A page says that code does not run by quoting the first line of it, in a comment that no reader
sees: `<!-- never runs: return None -->`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

NOTES = "__reached__"  # the name of a set of lines, in the namespace of a block


def marked(code: str, name: str) -> ast.Module:
    """Return the code with a note before each statement of its functions and branches."""
    tree = ast.parse(code, name)
    for node in list(ast.walk(tree)):
        for suite in () if isinstance(node, ast.Module) else suites(node):
            suite[:] = [part for one in suite for part in (*notes(one), one)]
    return ast.fix_missing_locations(tree)


def suites(node: ast.AST) -> list[list[ast.stmt]]:
    """Return the lists of statements that a statement has, or a handler, or a case."""
    parts = (getattr(node, field, None) for field in ("body", "orelse", "finalbody"))
    return [part for part in parts if isinstance(part, list)]


def notes(statement: ast.stmt) -> Iterator[ast.stmt]:
    """Yield what notes a statement, but a docstring or three dots, which do nothing."""
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
        add = ast.Attribute(ast.Name(NOTES, ast.Load()), "add", ast.Load())
        yield ast.Expr(ast.Call(add, [ast.Constant(statement.lineno)], []))


def never(code: str, reached: Iterable[int]) -> Iterator[int]:
    """Yield the first line of whatever never ran; what follows it and stands in it did not, too."""
    lines = set(reached)
    for statement in ast.parse(code).body:
        yield from idle(statement, lines)


def idle(node: ast.AST, reached: set[int]) -> Iterator[int]:
    """Yield the first line of what never ran within a statement that did."""
    for suite in suites(node):
        for statement in suite:
            if statement.lineno not in reached and any(notes(statement)):
                yield statement.lineno
                break
            yield from idle(statement, reached)
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield from idle(part, reached)
