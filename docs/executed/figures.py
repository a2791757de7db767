"""Draws figures while a page is built, with the code that the page shows.

`![text alternative](figure:NAME)`, becomes the Matplotlib figure that the blocks of the page
leave in the variable NAME: as inline SVG, in the colours of the reader's scheme.
"""

from __future__ import annotations

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
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=list(COLOURS)[:5]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.figsize": (4.8, 3.0),
    "grid.alpha": 0.25,
    "grid.color": "#808080",
    "legend.frameon": False,
    "savefig.transparent": True,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "figures",  # the same bytes at every build
}

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
        with matplotlib.rc_context(STYLE):
            variables = variables_of(self.source.page)
            for image in images:
                name, alternative = image.get("src", "").removeprefix(SCHEME), image.get("alt", "")
                image.text = self.md.htmlStash.store(drawn(name, alternative, variables.get(name)))
                image.tag = "span"
                image.attrib = {"class": "drawn"}


def variables_of(page: str) -> dict[str, Any]:
    """Return the variables that the blocks of a page leave."""
    variables: dict[str, Any] = {}
    try:
        for _ in run(page, "page", variables):
            pass
    except Exception as error:
        raise ValueError(f"A block of a page with figures raised {error!r}.") from error
    return variables


def drawn(name: str, alternative: str, figure: object) -> str:
    """Return a figure as SVG, with its text alternative."""
    if not isinstance(figure, Figure):
        raise ValueError(f"figure:{name}: the page leaves no Matplotlib figure in {name!r}.")
    if not alternative.strip():
        raise ValueError(f"figure:{name}: say what it shows, ![like this](figure:{name}).")
    file = StringIO()
    figure.savefig(file, format="svg", metadata=dict.fromkeys(METADATA))
    label = f'<svg role="img" aria-label="{escape(alternative)}"'
    return label + inlined(file.getvalue().partition("<svg")[2], name)


def inlined(svg: str, name: str) -> str:
    """Return SVG that neither takes from the rest of the page nor changes it."""
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"(font-family: |font: [^;\"]*px )[^;\"]*", r"\1var(--figure-font)", svg)
    return re.sub("|".join(COLOURS), lambda found: COLOURS[found[0]], svg)
