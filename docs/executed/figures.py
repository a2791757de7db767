"""Draws figures while a page is built, with the code that the page shows.

`![text alternative](figure:NAME)`, becomes the Matplotlib figure that the blocks of the page
leave in the variable NAME: as inline SVG, in the colours of the reader's scheme.
Blocks of a guide, which run alone, draw the same in order; no two figures have one name.
A dict in its place is data for the script of the figure to move, assets/movable.js.
"""

from __future__ import annotations

import json
import re
from html import escape
from io import StringIO
from typing import Any
from xml.etree.ElementTree import Element

import matplotlib
from cycler import cycler
from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from matplotlib.figure import Figure

from executed.page import run

SCHEME = "figure:"

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
    """The extension of Python-Markdown."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Read the page before its blocks are taken out (25), draw once images are known (20)."""
        source = Source(md)
        md.preprocessors.register(source, "figures-source", 29)
        md.treeprocessors.register(Drawing(md, source), "figures", 15)


class Source(Preprocessor):
    """Keeps the text of the page."""

    page = ""

    def run(self, lines: list[str]) -> list[str]:
        """Keep the lines, and pass them on."""
        self.page = "\n".join(lines)
        return lines


class Drawing(Treeprocessor):
    """Puts figures in the place of their images."""

    def __init__(self, md: Markdown, source: Source) -> None:
        """Draw for this page, with the blocks of its source."""
        super().__init__(md)
        self.source = source

    def run(self, root: Element) -> None:
        """Run the page where it shows figures, and draw them."""
        images = [image for image in root.iter("img") if image.get("src", "").startswith(SCHEME)]
        if not images:
            return
        require_distinct([image.get("src", "") for image in images])
        with matplotlib.rc_context(STYLE):
            variables = variables_of(self.source.page)
            for image in images:
                name, alternative = image.get("src", "").removeprefix(SCHEME), image.get("alt", "")
                kind, html = shown(name, alternative, variables.get(name))
                image.text = self.md.htmlStash.store(html)
                image.tag = "span"
                image.attrib = {"class": kind}


def require_distinct(figures: list[str]) -> None:
    """Refuse a name that two figures have: both would be the one that is drawn last."""
    for figure in figures:
        if figures.count(figure) > 1:
            raise ValueError(f"{figure} is shown twice: give each figure a name of its own.")


def variables_of(page: str) -> dict[str, Any]:
    """Return the variables that the blocks of a page leave."""
    variables: dict[str, Any] = {}
    try:
        for _ in run(page, "page", variables):
            pass
    except Exception as error:
        raise ValueError(f"A block of a page with figures raised {error!r}.") from error
    return variables


def shown(name: str, alternative: str, value: object) -> tuple[str, str]:
    """Return what kind of figure a value is, and its HTML."""
    if isinstance(value, dict):
        return "movable", movable(name, alternative, value)
    return "drawn", drawn(name, alternative, value)


def drawn(name: str, alternative: str, figure: object) -> str:
    """Return a figure as SVG, with its text alternative."""
    if not isinstance(figure, Figure):
        raise ValueError(f"figure:{name}: the page leaves no Matplotlib figure in {name!r}.")
    file = StringIO()
    figure.savefig(file, format="svg", metadata=dict.fromkeys(METADATA))
    label = f'<svg role="img" aria-label="{words(name, alternative)}"'
    return label + inlined(file.getvalue().partition("<svg")[2], name)


def movable(name: str, alternative: str, data: dict[str, Any]) -> str:
    """Return data for a script, and the text alternative for readers without scripts.

    Numbers of NumPy are written with as few digits as tell them from their neighbours.
    """
    text = json.dumps(data, default=lambda number: float(str(number)), allow_nan=False)
    text = text.replace("<", "\\u003c")  # no tag in it can end the script
    script = f'<script type="application/json">{text}</script>'
    return f"{script}<noscript>{words(name, alternative)}</noscript>"


def words(name: str, alternative: str) -> str:
    """Return a text alternative in HTML, or say that it is missing."""
    if not alternative.strip():
        raise ValueError(f"figure:{name}: say what it shows, ![like this](figure:{name}).")
    return escape(alternative)


def inlined(svg: str, name: str) -> str:
    """Return SVG that neither takes from the rest of the page nor changes it."""
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"(font-family: |font: [^;\"]*px )[^;\"]*", r"\1var(--figure-font)", svg)
    return re.sub("|".join(COLOURS), lambda found: COLOURS[found[0]], svg)
