"""Change the pages in one place at a time, and count how many changes their tests notice.

    python tests/proofs/pages.py [--only learn/norms guides/float32 ...] [--workers 2]

Each digit of each Output block becomes another one, each number in the prose becomes another one,
and each statement becomes `pass`, so that what is left is a program.
What is not noticed is printed.

Four kinds are counted by themselves, since a test of the text cannot notice all of them:
a statement that only draws changes a picture, of which tiny parts are not described,
one that asserts what holds is silent,
one that a framework asks for may change nothing in one run, such as @staticmethod, @jax.jit,
a seed, or a setting of the process that an earlier block has made, too,
and a number that is changed by one, such as 2 to 3, may stand beside it as another one:
the tests prove that a number is quoted from a block beside it, not that it is the right one.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl

sys.path.insert(0, str(Path(__file__).parents[1]))

from executed.descriptions import disagreements, figures_of
from executed.page import Block, blocks, missing, programs, stray_outputs
from executed.prose import NUMBER, prose, unquoted_numbers
from executed.trials import described, drawn_by, problems_of
from proofs.forks import ROOT, in_child, processes, warm

DOCS = ROOT / "docs"
TOLD = ("digit", "number", "statement")  # the kinds of which every change has to be noticed
EXCEPTED = {
    "drawing": "; too little of a picture changes",
    "assertion": "; what holds is silent",
    "convention": "; one run is the same",
    "number by one": "; it stands beside it, too",
}
UNUSUAL = "70717"  # no number of a page ends so
# What a picture has, and no output can show.
DRAWS = re.compile(
    r"(axes|figure|plt|[a-z_]+)\.(plot|loglog|semilog[xy]|scatter|bar|hist|fill\w*|text|annotate|set"
    r"|axhline|axvline|legend|imshow|contour|set_\w+|quiver|errorbar|stairs|axis|margins|tick_params)"
)

ASSERTS = re.compile(r"assert\b|(?:\w+\.)*(?:assert|test)_\w+\(")
CONVENTION = re.compile(r"@staticmethod|@jax\.jit|torch\.manual_seed\(|jax\.config\.update\(")


class Change(NamedTuple):
    """A page that is changed in one place: the kind of change, where it is, and what it was."""

    kind: str
    line: int
    was: str
    page: str


# The changes


def changes(page: str) -> Iterator[Change]:
    """Yield every change of a page."""
    lines = page.split("\n")
    for block in blocks(page):
        yield from digits(lines, block)
        yield from without_statements(lines, block, only_draws(block, page))
    yield from numbers(lines, page)


def digits(lines: list[str], block: Block) -> Iterator[Change]:
    """Change each digit of an Output block."""
    for i in range(block.output.first, block.output.last - 1) if block.output else ():
        for digit in re.finditer(r"\d", lines[i]):
            other = str((int(digit[0]) + 1) % 10)
            changed = lines[i][: digit.start()] + other + lines[i][digit.end() :]
            yield changed_page("digit", lines, i, [changed])


def numbers(lines: list[str], page: str) -> Iterator[Change]:
    """Change each number in the prose."""
    for i, text in enumerate(prose(page).split("\n")):
        for number in dict.fromkeys(NUMBER.findall(text)):
            last = re.search(r"\d(?=\D*$)", number.partition("e")[0])
            assert last
            larger = str((int(last[0]) + 1) % 10)
            for kind, digits in (("number", UNUSUAL), ("number by one", larger)):
                other = number[: last.start()] + digits + number[last.end() :]
                yield changed_page(kind, lines, i, [lines[i].replace(number, other)])


def only_draws(block: Block, page: str) -> bool:
    """Tell whether a block makes a figure, and prints nothing."""
    figures = "|".join(figures_of(page)) or "(?!)"
    return not block.output and bool(re.search(rf"^(?:{figures})\b", block.text, re.MULTILINE))


def without_statements(lines: list[str], block: Block, only_draws: bool) -> Iterator[Change]:
    """Put `pass` in the place of each statement, and take out each decorator."""
    for node in ast.walk(ast.parse(block.text)):
        for decorator in getattr(node, "decorator_list", []):
            place = Place(block, decorator.lineno, 0, decorator.end_lineno, None)
            yield place.changed(lines, kind_of(f"@{ast.unparse(decorator)}", only_draws), "")
        if isinstance(node, ast.stmt) and not is_idle(node):
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
            place = Place(block, first, node.col_offset, node.end_lineno, node.end_col_offset)
            yield place.changed(lines, kind_of(ast.unparse(node), only_draws), "pass")


def is_idle(node: ast.stmt) -> bool:
    """Whether a statement does nothing: a docstring, or pass."""
    constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return constant or isinstance(node, ast.Pass)


def kind_of(code: str, only_draws: bool) -> str:
    """Return the kind of change that takes out this code."""
    if CONVENTION.match(code):
        return "convention"
    if ASSERTS.match(code):
        return "assertion"
    return "drawing" if only_draws or DRAWS.match(code) else "statement"


class Place(NamedTuple):
    """A part of a block, as ast counts: lines from 1, columns in bytes from 0."""

    block: Block
    line: int
    column: int
    end_line: int | None
    end_column: int | None

    def changed(self, lines: list[str], kind: str, new: str) -> Change:
        """Return the page with something else in this place."""
        text = self.block.text.split("\n")
        last = text[(self.end_line or self.line) - 1].encode()
        before = text[self.line - 1].encode()[: self.column].decode()
        after = last[len(last) if self.end_column is None else self.end_column :].decode()
        i, stop = self.block.first + self.line - 1, self.block.first + (self.end_line or self.line)
        changed = f"{self.block.indent}{before}{new}{after}"
        page = "\n".join([*lines[:i], changed, *lines[stop:]])
        return Change(kind, i + 1, lines[i], page)


def changed_page(kind: str, lines: list[str], i: int, new: list[str]) -> Change:
    """Return a page with other lines in the place of one."""
    return Change(kind, i + 1, lines[i], "\n".join([*lines[:i], *new, *lines[i + 1 :]]))


# The tests


def fails(page: str, name: str) -> bool:
    """Tell whether the tests of a page notice something."""
    return bool(unquoted_numbers(page, name)) or bool(stray_outputs(page)) or not runs(page, name)


def runs(page: str, name: str) -> bool:
    """Tell whether the blocks run, print what stands below them, and draw what is described."""
    # As in pyproject.toml. This is in a process of its own.
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", ".* encountered in matmul", RuntimeWarning)
    found = dict(described(programs(page), page, name))
    faults = disagreements(Path(name), figures_of(page), drawn_by(found))
    return not any([*problems_of(page, found).values(), *faults.values()])


def unnoticed(name: str) -> tuple[Counter[str], list[str]]:
    """Return how many changes of a page there are of each kind, and those that nothing notices."""
    path = str(DOCS / f"{name}.md")
    page = Path(path).read_text("utf-8")
    if missing(page):
        return Counter(), [f"{name} was left out: it needs {', '.join(missing(page))}."]
    if in_child(partial(fails, page, path)) is not False:
        raise SystemExit(f"{path} fails before anything is changed.")
    counts: Counter[str] = Counter()
    survivors = []
    for change in changes(page):
        counts[change.kind] += 1
        if in_child(partial(fails, change.page, path)) is False:
            counts[f"{change.kind} unnoticed"] += 1
            if change.kind in TOLD:
                survivors.append(f"{name}:{change.line}: {change.kind}: {change.was.strip()}")
    return counts, survivors


def main() -> None:
    """Change all pages, and print what is not noticed."""
    pages = sorted(str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.md"))
    parser = argparse.ArgumentParser(description="Measure what the tests of the pages notice.")
    parser.add_argument("--only", nargs="+", default=[*pages, "../README"])
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    total: Counter[str] = Counter()
    with processes(options.workers, warm) as pool:
        for counts, survivors in pool.map(unnoticed, options.only):
            print(*survivors, sep="\n", end="\n" if survivors else "", flush=True)
            total += counts
    for kind in (*TOLD, *EXCEPTED):
        lost = total[f"{kind} unnoticed"]
        print(f"{kind}: {total[kind]} changes, {lost} of them not noticed{EXCEPTED.get(kind, '')}")
    sys.exit(any(total[f"{kind} unnoticed"] for kind in TOLD))


if __name__ == "__main__":
    mpl.use("agg")
    main()
