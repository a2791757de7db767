"""What is checked of the text of a page, where it is written: no site has to be built for it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown.extensions.toc import slugify

from executed.commands import ROOT, WHEEL
from executed.names import unknown_names
from executed.page import HEADING, Block, blocks, without_fences
from executed.proofs import MARKING
from executed.prose import bare, empty_lines, unquoted_numbers
from executed.ties import untied

SHOWN = re.compile(r"\]\(figure:(\w+)\)")
LINK = re.compile(r"\]\((?!figure:)([^()\s]+)")
ID = re.compile(r"\{[^{}]*#([\w-]+)[^{}]*\}\s*$")
# Of a diff: where a hunk begins, the lines above what changes, and that.
HUNK = re.compile(r"^@@ -(\d+).*\n((?: .*\n|\n)*)((?:[-+].*\n)+)", re.MULTILINE)
DIRECTIVE = re.compile(r"^::: (\S+)$", re.MULTILINE)
# The lines of a page are as wide as the site shows without scrolling.
FORMAT = ["ruff", "format", "--diff", "--line-length=74", "--config=extend-exclude=[]"]


def numbers(path: Path, name: str) -> list[str]:
    """Report numbers and comparisons that no block shows or proves."""
    return unquoted_numbers(path.read_text("utf-8"), name)


def formulas(path: Path, name: str) -> list[str]:
    """Report formulas that nothing ties to code."""
    return untied(without_fences(path.read_text("utf-8")), name)


def names(path: Path, name: str) -> list[str]:
    """Report what stands in backticks and exists nowhere."""
    return unknown_names(path.read_text("utf-8"), name)


def links(path: Path, name: str) -> list[str]:
    """Report links to files, and to headings, that do not exist."""
    return [
        f"{name}:{line}: {target} leads nowhere: {problem}"
        for line, target in targets(path.read_text("utf-8"))
        if (problem := lost(path, target))
    ]


def figures(path: Path, name: str) -> list[str]:
    """Report figures that a page shows farther away than others from the block that draws them."""
    page = path.read_text("utf-8")
    shown = [(page.count("\n", 0, one.start()) + 1, one[1]) for one in SHOWN.finditer(page)]
    drawn = [(block.first, one) for block in blocks(page) for _, one in shown if draws(block, one)]
    return [
        f"{name}:{line}: the block in line {near} draws {other}, and stands nearer than that of "
        f"{figure}: are the two exchanged?"
        for line, figure in shown
        for near, other in drawn
        if other != figure
        and any(min(line, own) < near < max(line, own) for own, one in drawn if one == figure)
    ]


def draws(block: Block, figure: str) -> bool:
    """Whether a block assigns a figure to its variable."""
    return bool(re.search(rf"^\s*{figure}\b[^\n=]*=", block.text, re.MULTILINE))


def layout(path: Path, name: str) -> list[str]:
    """Report blocks whose code is not laid out as ruff lays it out."""
    done = subprocess.run(
        [sys.executable, "-m", *FORMAT, str(path)], cwd=ROOT, capture_output=True, text=True
    )
    if not done.returncode:
        return []
    hunks = HUNK.findall(done.stdout) or [("1", "", done.stderr)]
    changed = ((int(first) + above.count("\n"), change) for first, above, change in hunks)
    return [f"{name}:{line}: ruff would write it like this.\n{change}" for line, change in changed]


CHECKS: dict[str, Callable[[Path, str], list[str]]] = {
    "numbers": numbers,
    "formulas": formulas,
    "names": names,
    "links": links,
    "figures": figures,
    "layout": layout,
}


def targets(page: str) -> Iterator[tuple[int, str]]:
    """Yield where the links of a page lead, each with its line."""
    for number, line in enumerate(bare(page).split("\n"), 1):
        yield from ((number, target) for target in LINK.findall(line))


def lost(path: Path, target: str) -> str:
    """Say what a link leads to that does not exist; nothing if it does, or is of another host."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return ""
    file = path.parent / unquote(parts.path) if parts.path else path
    if not (file.is_file() or file.resolve() == WHEEL):
        return f"there is no file {parts.path}."
    known = anchors(file.read_text("utf-8")) if file.suffix == ".md" else {parts.fragment}
    found = not parts.fragment or parts.fragment in known
    return "" if found else f"{file.name} has no heading #{parts.fragment}."


@cache
def anchors(page: str) -> set[str]:
    """Return the anchors of a page: of its headings, and of what it documents."""
    lines = MARKING.sub(empty_lines, without_fences(page)).split("\n")
    return {*map(anchor, filter(HEADING.match, lines)), *DIRECTIVE.findall(page)}


def anchor(heading: str) -> str:
    """Return the anchor of a heading: the one that it states, or one made of its words."""
    stated = ID.search(heading)
    return stated[1] if stated else slugify(heading.lstrip("#").replace("`", ""), "-")
