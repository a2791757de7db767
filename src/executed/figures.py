"""Draws figures while a page is built, with the code that the page shows.

`![text alternative](figure:NAME)`, becomes the Matplotlib figure that the blocks of the page
leave in the variable NAME: as inline SVG, in the colours of the reader's scheme.
Blocks of a guide, which run alone, draw alone, too; no two figures have one name.
A dict in its place is data for a script in assets/movable: its `kind` says for which.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from html import escape
from logging import getLogger
from typing import Any
from xml.etree.ElementTree import Element

import matplotlib
from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from matplotlib.figure import Figure

from executed.descriptions import figures_of
from executed.drawing import STYLE, svg
from executed.kernel import data_of
from executed.page import Block, programs
from executed.sketches import Picture, Sketch, sketch_of
from executed.trials import Trial, in_order

SCHEME = "figure:"
log = getLogger("mkdocs.executed")


class Figures(Extension):
    """The extension of Python-Markdown. Who knows the file of a page, and its changes, says so."""

    def __init__(self, **options: str | bool) -> None:
        self.config = {
            "file": ["", "the file of the page"],
            "changed": [False, "whether it is tried without figures, too"],
        }
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Try the page before its blocks are taken out (25), draw once images are known (20)."""
        trying = Trying(md, **self.getConfigs())
        md.preprocessors.register(trying, "figures-tried", 29)
        md.treeprocessors.register(Drawing(md, trying), "figures", 15)


class Trying(Preprocessor):
    """Tries a page that shows figures, or changes; says what is wrong with a block below it."""

    def __init__(self, md: Markdown, file: str, changed: bool) -> None:
        super().__init__(md)
        self.file = file
        self.changed = changed
        self.name = os.path.relpath(file) if file else "page"
        self.sketch = Sketch([], {})

    def run(self, lines: list[str]) -> list[str]:
        """Return the lines of the page, and what is wrong between them."""
        page = "\n".join(lines)
        if not (self.changed or figures_of(page)):
            return lines
        try:
            self.sketch = sketch_of(self.file, page)
        except ValueError as error:  # a comment that marks nothing, or that no block can prove
            return [self.box(f"{self.name}, {error}"), "", *lines]
        problems = zip(programs(page), self.sketch.problems, strict=True)
        boxes = [(one.output or one, self.box(problem)) for one, problem in problems if problem]
        for above, box in reversed(boxes):  # so that the lines above keep their numbers
            lines[above.last : above.last] = ["", above.indent + box, ""]
        return lines

    def box(self, problem: str) -> str:
        """Return what Python-Markdown puts in place of a box."""
        return str(self.md.htmlStash.store(told(problem)))


class Drawing(Treeprocessor):
    """Puts figures in the place of their images."""

    def __init__(self, md: Markdown, trying: Trying) -> None:
        super().__init__(md)
        self.trying = trying

    def run(self, root: Element) -> None:
        """Put a picture in the place of each image, or what is wrong with it."""
        images = [image for image in root.iter("img") if image.get("src", "").startswith(SCHEME)]
        figures = [image.get("src", "").removeprefix(SCHEME) for image in images]
        for name, image in zip(figures, images, strict=True):
            kind, html = "wrong", ""
            try:
                require_alone(name, figures)
                kind, html = worded(name, image.get("alt", ""), self.trying.sketch)
            except ValueError as error:
                html = told(f"{self.trying.name}: figure:{name}{error}")
            image.text = self.md.htmlStash.store(html)
            image.tag = "span"
            image.attrib = {"class": kind, "data-figure": name}


def told(problem: str) -> str:
    """Warn of what is wrong, which stops a strict build; return the box that shows it."""
    log.warning(problem)
    return f'<span class="admonition failure wrong">{escape(problem)}</span>'


def require_alone(name: str, figures: list[str]) -> None:
    """Refuse a name that two figures have: both would be the one that is drawn last."""
    if figures.count(name) > 1:
        raise ValueError(" is shown twice: give each figure a name of its own.")


def worded(name: str, alternative: str, sketch: Sketch) -> Picture:
    """Return a picture with its text alternative: a label, or what is read without scripts."""
    if name not in sketch.pictures and any(sketch.problems):
        raise ValueError(" is drawn when the blocks of the page are right.")
    if name not in sketch.pictures:
        raise ValueError(f": the page leaves no Matplotlib figure in {name!r}.")
    if not alternative.strip():
        raise ValueError(f": say what it shows, ![like this](figure:{name}).")
    kind, html = sketch.pictures[name]
    if kind == "wrong":
        raise ValueError(f": {html}")
    if kind.startswith("movable"):
        return kind, f"{html}<noscript>{escape(alternative)}</noscript>"
    return kind, f'<svg role="img" aria-label="{escape(alternative)}"{html.removeprefix("<svg")}'


# Within the process of a page


def with_figures(
    show: Callable[[Mapping[str, Any]], dict[str, Any]],
    some: list[Block],
    page: str,
    name: str,
) -> Iterator[tuple[int, Trial]]:
    """Try programs of a page in order, and show the figures that they leave, if all ran."""
    variables: dict[str, Any] = {}
    last = None
    with matplotlib.rc_context(STYLE):
        for last in in_order(variables, some, page, name):
            yield last
        if last and last[1].printed is not None:
            left = {name: variables[name] for name in figures_of(page) if name in variables}
            yield last[0], replace(last[1], figures=show(left))


def drawn(some: list[Block], page: str, name: str) -> Iterator[tuple[int, Trial]]:
    """Try programs of a page in order, and draw the figures that they leave."""
    return with_figures(pictures, some, page, name)


def pictures(figures: Mapping[str, Any]) -> dict[str, Picture]:
    """Draw figures by their names."""
    return {
        name: picture(name, value)
        for name, value in figures.items()
        if isinstance(value, dict | Figure)
    }


def picture(name: str, value: Any) -> Picture:
    """Return what kind of figure a value is, and its HTML, or what is wrong with it."""
    try:
        if isinstance(value, dict):
            return f"movable {value.get('kind', '')}".strip(), movable(value)
        return "drawn", svg(name, value)
    except ValueError as error:
        return "wrong", str(error)


def movable(data: dict[str, Any]) -> str:
    """Return data for a script, in which no tag can end it."""
    text = data_of(data).replace("<", "\\u003c")
    return f'<script type="application/json">{text}</script>'
