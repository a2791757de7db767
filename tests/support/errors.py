"""The errors that the library raises, read off its source."""

from __future__ import annotations

import ast

from support.checkout import ROOT

SOURCES = [path.read_text("utf-8") for path in (ROOT / "src" / "backproof").glob("*.py")]

# The type and the message, in which … stands for what varies.
Error = tuple[str, str]


def raised(sources: list[str]) -> set[Error]:
    """Return the errors that some modules raise; one that shows a report is none of them."""
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    made = [node.exc for node in nodes if isinstance(node, ast.Raise)]
    errors = {(ast.unparse(e.func), message(e.args[0])) for e in made if isinstance(e, ast.Call)}
    return {error for error in errors if error[0] != "AssertionError"}


def message(node: ast.expr) -> str:
    """Return a message as the table writes it."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in parts)
