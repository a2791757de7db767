"""Draws figures while a page is built, with the code that the page shows.

`![text alternative](figure:NAME)`, becomes the Matplotlib figure that the blocks of the page
leave in the variable NAME: as inline SVG, in the colours of the reader's scheme.
Blocks of a guide, which run alone, draw alone, too; no two figures have one name.
A dict in its place is data for the script of the figure to move, assets/movable.js.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from html import escape
from io import StringIO
from logging import getLogger
from typing import Any
from xml.etree.ElementTree import Element

import matplotlib
from cycler import cycler
from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from matplotlib.figure import Figure

from executed.descriptions import figures_of
from executed.page import Block, programs
from executed.pictures import aloud
from executed.sketches import Picture, Sketch, sketch_of
from executed.trials import Trial, in_order

SCHEME = "figure:"
log = getLogger("mkdocs.executed")

# What Matplotlib draws in, and what the site's style sheet calls it.
COLOURS = {
    "#0060a8": "var(--figure-0)",
    "#c04a00": "var(--figure-1)",
    "#00795a": "var(--figure-2)",
    "#a03f86": "var(--figure-3)",
    "#8a6d00": "var(--figure-4)",
    "#808080": "var(--figure-gray)",
    "#ffffff": "var(--md-default-bg-color)",
    "#000000": "currentColor",
}
STYLE: Any = {
    "axes.edgecolor": "#808080",
    "axes.grid": True,
    "axes.linewidth": 0.6,
    "axes.prop_cycle": cycler(color=list(COLOURS)[:5]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.figsize": (4.6, 3.0),
    "font.size": 11.5,  # still read where a phone shows the figure at 7/10 of its size
    "grid.alpha": 0.25,
    "grid.color": "#808080",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.handlelength": 1.5,
    "lines.markersize": 5,
    "savefig.transparent": True,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "figures",  # the same bytes at every build
}
for axis in ("xtick", "ytick"):
    STYLE |= {f"{axis}.color": "#808080", f"{axis}.labelcolor": "#000000"}
    STYLE |= {f"{axis}.labelsize": 10.5, f"{axis}.minor.size": 0}
    STYLE |= {f"{axis}.major.size": 3, f"{axis}.major.width": 0.6}

# Matplotlib writes all of these unless told not to.
METADATA = ["Creator", "Date", "Format", "Type"]


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
            image.attrib = {"class": kind}


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
    if kind == "movable":
        return kind, f"{html}<noscript>{escape(alternative)}</noscript>"
    return kind, f'<svg role="img" aria-label="{escape(alternative)}"{html.removeprefix("<svg")}'


# Within the process of a page


def with_figures(
    show: Callable[[str, Mapping[str, Any]], dict[str, Any]],
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
            yield last[0], replace(last[1], figures=show(page, variables))


def drawn(some: list[Block], page: str, name: str) -> Iterator[tuple[int, Trial]]:
    """Try programs of a page in order, and draw the figures that they leave."""
    return with_figures(pictures, some, page, name)


def pictures(page: str, variables: Mapping[str, Any]) -> dict[str, Picture]:
    """Draw the figures of a page that its blocks have left in variables."""
    shown = {name: variables.get(name) for name in figures_of(page)}
    return {
        name: picture(name, value)
        for name, value in shown.items()
        if isinstance(value, dict | Figure)
    }


def picture(name: str, value: Any) -> Picture:
    """Return what kind of figure a value is, and its HTML, or what is wrong with it."""
    is_data = isinstance(value, dict)
    try:
        return ("movable", movable(value)) if is_data else ("drawn", svg(name, value))
    except ValueError as error:
        return "wrong", str(error)


def svg(name: str, figure: Figure) -> str:
    """Return a figure as SVG, with the numbers of what has a name in it, for who listens."""
    file = StringIO()
    figure.savefig(file, format="svg", metadata=dict.fromkeys(METADATA))
    whole = inlined(file.getvalue().partition("<svg")[2], name)
    if not (numbers := aloud(figure)):
        return f"<svg{whole}"
    start, _, drawing = whole.partition(">")
    described = f'<desc id="{name}-numbers" data-search-exclude>{escape(numbers)}</desc>'
    return f'<svg aria-describedby="{name}-numbers"{start}>{described}{drawing}'


def movable(data: dict[str, Any]) -> str:
    """Return data for a script.

    Numbers of NumPy are written with as few digits as tell them from their neighbours.
    """
    text = json.dumps(data, default=lambda number: float(str(number)), allow_nan=False)
    text = text.replace("<", "\\u003c")  # no tag in it can end the script
    return f'<script type="application/json">{text}</script>'


def inlined(svg: str, name: str) -> str:
    """Return SVG that neither takes from the rest of the page nor changes it."""
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"(font-family: |font: [^;\"]*px )[^;\"]*", r"\1var(--figure-font)", svg)
    return re.sub("|".join(COLOURS), lambda found: COLOURS[found[0]], svg)
