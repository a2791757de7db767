"""What comes of a page while the site is built: what is wrong with its blocks, and its pictures.

It is tried as its tests try it, once, by the library and the engine as they are on disk. A page
is not tried again as long as these, its text and what it reads stay the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

from mkdocs.utils.meta import get_data

from executed.commands import ROOT
from executed.page import missing, programs
from executed.server import elsewhere
from executed.trials import Trial, drawn_by, problems_of, trials

Picture = tuple[str, str]  # the kind of a figure, and its HTML

MADE_OF = ("backproof", "executed")


@dataclass(frozen=True)
class Sketch:
    """What is wrong with each program of a page, in order, and its pictures by their names."""

    problems: list[str]
    pictures: dict[str, Picture]


def sketch_of(file: str, text: str) -> Sketch:
    """Return what comes of a page: of its file, where that is known, or of its text."""
    page = Path(file).read_text("utf-8") if file else text
    return sketched(page, file or "page", sources(page))


@cache
def sketched(page: str, name: str, sources: str) -> Sketch:
    """Try a page with these sources, and draw its figures, if what it requires is installed."""
    if missing(page):
        return Sketch([""] * len(programs(page)), {})
    elsewhere(warm)
    found = elsewhere(trials, page, name, drawn_afresh)
    wrong = problems_of(page, found)
    file = os.path.relpath(name)
    problems = [problem and f"{file}:{line}: {problem}" for line, problem in wrong.items()]
    return Sketch(problems, drawn_by(found))


def warm() -> None:
    """Import what takes longer than most pages do."""
    import_module("matplotlib.pyplot")


def drawn_afresh(*asked: Any) -> Iterator[tuple[int, Trial]]:
    """Try programs, and draw, with modules that are imported anew, in the process of the page."""
    for module in [one for one in sys.modules if one.partition(".")[0] in MADE_OF]:
        del sys.modules[module]
    yield from import_module("executed.figures").drawn(*asked)


def sources(page: str = "") -> str:
    """Return a sum over the library, the engine, and what a page reads."""
    code = (ROOT / "src").rglob("*.py")
    read = [ROOT / name for name in get_data(page)[1].get("reads", [])]
    return sha256(b"\n".join(path.read_bytes() for path in sorted(code) + read)).hexdigest()
