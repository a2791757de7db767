"""The file beside a page that says what its figures show, and how that is compared with them.

For docs/learn/norms.md, it is docs/learn/norms.figures.txt: for each figure of the page its name,
and below it, indented, what `pictures` says of it. What agrees with the figure stays as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import unified_diff
from pathlib import Path

from executed.page import without_fences
from executed.wording import Description, Told

FIGURE = re.compile(r"!\[[^`]*?\]\(figure:([^)\s]+)\)|`[^`\n]*`")
INDENT = "    "


def figures_of(page: str) -> dict[str, int]:
    """Return the names of the figures that a page shows, each with its line."""
    text = without_fences(page)
    found = (one for one in FIGURE.finditer(text) if one[1])
    return {one[1]: text.count("\n", 0, one.end()) + 1 for one in found}


def beside(page: Path) -> Path:
    """Return where the file of a page is."""
    return page.with_suffix(".figures.txt")


def written(page: Path) -> dict[str, list[str]]:
    """Return what the file of a page says of each figure; without a file, nothing."""
    path = beside(page)
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    sections: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith(INDENT):
            sections[next(reversed(sections))].append(line.removeprefix(INDENT))
        elif line:
            sections[line] = []
    return sections


def updated(page: Path, shown: Iterable[str], told: Told) -> dict[str, list[str]]:
    """Return what the file of a page should say; what is wrong with a figure changes nothing."""
    old = written(page)
    new = {name: told.get(name, "") for name in shown}
    lines = {
        name: old.get(name, []) if isinstance(one, str) else settled(old.get(name, []), one)
        for name, one in new.items()
    }
    return {name: some for name, some in lines.items() if some}


def settled(old: list[str], description: Description) -> list[str]:
    """Return a description in lines, those that agree as they were written."""
    left = list(old)
    lines = []
    for one in description:
        line = next(filter(one.agrees, left), str(one))
        lines.append(line)
        if line in left:
            left.remove(line)
    return lines


def text_of(sections: Mapping[str, list[str]]) -> str:
    """Return a file in text."""
    return "\n".join(
        "".join([f"{name}\n", *(f"{INDENT}{line}\n" for line in lines)])
        for name, lines in sections.items()
    )


def disagreements(page: Path, shown: Mapping[str, int], told: Told) -> dict[int, str]:
    """Say by its line how each figure of a page differs from what the file says of it."""
    old = written(page)
    return {
        line: disagreement(page, name, old.get(name), told.get(name))
        for name, line in shown.items()
    }


def disagreement(
    page: Path, name: str, old: list[str] | None, told: Description | str | None
) -> str:
    """Say how a figure differs from what the file says of it; nothing where it does not."""
    if told is None:
        return f"figure:{name}: no block that ran left a figure in {name!r}."
    if isinstance(told, str):
        return f"figure:{name}: {told}"
    file = beside(page).name
    lines = unified_diff(old or [], settled(old or [], told), file, "drawn", lineterm="", n=1)
    report = "\n".join(lines)
    return report and (
        f"figure:{name} shows something else than {file} says.\n{report}\n"
        "If what it shows is right, run the tests with --update-outputs."
    )


def strangers(page: Path, shown: Iterable[str]) -> str:
    """Say which figures the file of a page describes and the page does not show."""
    unknown = ", ".join(name for name in written(page) if name not in shown)
    return unknown and (
        f"{beside(page).name} describes {unknown}, which the page does not show.\n"
        f"Show it, as in ![what it shows](figure:{unknown.split(', ')[0]}), "
        "or run the tests with --update-outputs."
    )
