"""Draws a figure as SVG in the colours of the reader's scheme, at the build or in the browser."""

from __future__ import annotations

import re
from html import escape
from io import StringIO
from typing import Any

from cycler import cycler
from matplotlib.figure import Figure

from executed.pictures import aloud

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


def inlined(svg: str, name: str) -> str:
    """Return SVG that neither takes from the rest of the page nor changes it."""
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"(font-family: |font: [^;\"]*px )[^;\"]*", r"\1var(--figure-font)", svg)
    return re.sub("|".join(COLOURS), lambda found: COLOURS[found[0]], svg)
