"""Which code of a block never runs: a function that nobody calls, a branch that is never taken.

A block runs with a note before each part that may be passed over, which adds its place to a set.
A page says that code does not run by quoting the first line of it, in a comment that no reader
sees: `<!-- never runs: return None -->`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

NOTES = "__reached__"  # the name of the set, in the namespace of a block
BRANCHES = ("body", "orelse", "finalbody")

Part = Any  # a statement, or an expression


def marked(code: str, name: str) -> ast.Module:
    """Return the code with a note before each statement and expression that may never run."""
    tree = ast.parse(code, name)
    for node in list(ast.walk(tree)):
        for field, parts in branches(node):
            is_list = isinstance(getattr(node, field), list)
            setattr(node, field, noted_all(parts) if is_list else noted(parts[0]))
    return ast.fix_missing_locations(tree)


def branches(node: ast.AST) -> Iterator[tuple[str, list[Part]]]:
    """Yield what a function, a condition or the like may run: the field that has it, and parts."""
    for field in BRANCHES if not isinstance(node, ast.Module) else ():
        if part := getattr(node, field, None):
            yield field, part if isinstance(part, list) else [part]


def noted_all(statements: list[Part]) -> list[Part]:
    """Return statements, each after its note."""
    pairs = ((ast.Expr(note(one)), one) if is_code(one) else (one,) for one in statements)
    return [part for pair in pairs for part in pair]


def noted(expression: Part) -> ast.expr:
    """Return an expression that makes its note first: the second of two."""
    both = ast.Tuple([note(expression), expression], ast.Load())
    return ast.Subscript(both, ast.Constant(1), ast.Load())


def note(part: Part) -> ast.Call:
    """Return a call that adds the place of a part to the set."""
    add = ast.Attribute(ast.Name(NOTES, ast.Load()), "add", ast.Load())
    return ast.Call(add, [ast.Constant(place(part))], [])


def place(part: Part) -> str:
    """Return where a part begins."""
    return f"{part.lineno}:{part.col_offset}"


def is_code(statement: Part) -> bool:
    """Whether a statement is more than a docstring or three dots, which do nothing."""
    return not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))


def never(code: str, reached: set[str]) -> Iterator[tuple[int, str]]:
    """Yield what never ran: its line, and its first line of code."""
    for part in passed_over(ast.parse(code), reached):
        text = ast.get_source_segment(code, part) or ""
        yield part.lineno, text.split("\n")[0]


def passed_over(node: ast.AST, reached: set[str]) -> Iterator[Part]:
    """Yield the first part of each branch that never ran, but nothing within what never ran."""
    lost: list[Part] = []
    for _, parts in branches(node):
        idle = [part for part in parts if is_code(part) and place(part) not in reached]
        yield from idle[:1]
        lost += idle
    for child in ast.iter_child_nodes(node):
        if child not in lost:
            yield from passed_over(child, reached)
