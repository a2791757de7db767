"""What a page states, tied to its blocks by markings: comments that no reader sees.

    The error is about thirty times smaller. <!-- holds: 25 < before / after < 35 -->

The expression is evaluated where the last block above it in its section has run; where none
stands above it there, or with `holds below:`, the first one below. It has the names of that block,
what it printed as `printed`, and the library as `backproof`. A marking may name the words that it
proves, which its line then has to say: `<!-- "thirty times smaller" holds: ... -->`. A number may
quote a piece of a block beside it that has the number: `<!-- "300 steps" quotes: range(300) -->`.
Words that nothing ties are free for a reason: `<!-- "thirty times" free: REASON -->` (`prose` asks
for one of the three).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KINDS = ("holds", "holds below", "quotes", "free", "formula", "symbols", "never runs")
INSIDE = r"(?:(?!-->).)"
# What ends at a backtick is no comment, but code that shows one.
MARKING = re.compile(
    rf'\s*<!--\s*(?:"(?P<words>{INSIDE}+?)"\s+)?(?P<kind>{"|".join(KINDS)}):'
    rf"\s*(?P<text>{INSIDE}*?)\s*-->(?!`)",
    re.DOTALL,
)
COMMENT = re.compile(rf"<!--{INSIDE}*-->(?!`)", re.DOTALL)


class Unproved(Exception):
    """What a page states and its blocks do not give."""


@dataclass(frozen=True)
class Marking:
    """A marking: where it begins, the line of its text, counted from 1, and what it says."""

    begin: int
    line: int
    words: str
    kind: str
    text: str


@dataclass(frozen=True)
class Proof:
    """A statement of a page: its first line, counted from 1, and whether it is of a block below."""

    line: int
    expression: str
    below: bool

    def prove(self, name: str, namespace: dict[str, Any]) -> None:
        """Raise where the statement does not hold."""
        tree = ast.parse(self.expression, name, "eval")
        ast.increment_lineno(tree, self.line - 1)
        if not eval(compile(tree, name, "eval"), namespace):
            values = ", ".join(measured(tree.body, name, namespace))
            raise Unproved(f"line {self.line}: {self.expression} does not hold: {values}.")


def markings(prose: str) -> Iterator[Marking]:
    """Yield the markings of a page, whose blocks are left out; refuse all other comments."""
    if stray := COMMENT.search(without_markings(prose)):
        line = prose.count("\n", 0, prose.index(stray[0])) + 1
        kinds = ", ".join(KINDS)
        raise ValueError(f"line {line}: {stray[0]} marks nothing: begin with one of {kinds}.")
    for found in MARKING.finditer(prose):
        line = prose.count("\n", 0, found.start("text")) + 1
        yield Marking(found.start(), line, found["words"] or "", found["kind"], found["text"])


def proofs(prose: str) -> Iterator[Proof]:
    """Yield the proofs of a page, whose blocks are left out."""
    for one in markings(prose):
        if one.kind.startswith("holds"):
            yield Proof(one.line, one.text, below=one.kind == "holds below")


def without_markings(page: str) -> str:
    """Return the page as its readers get it."""
    return MARKING.sub("", page)


def measured(expression: ast.expr, name: str, namespace: dict[str, Any]) -> Iterator[str]:
    """Yield what the sides of a comparison are, or what the expression is."""
    sides = [expression]
    if isinstance(expression, ast.Compare):
        sides = [expression.left, *expression.comparators]
    for side in sides:
        if not isinstance(side, ast.Constant):
            value = eval(compile(ast.Expression(side), name, "eval"), namespace)
            yield f"{ast.unparse(side)} is {value!r}"
