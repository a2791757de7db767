"""Hooks of MkDocs: beside each page its Markdown, and the picture that links to the site show."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from pydoc import locate
from textwrap import fill

from markdown import Markdown
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Line
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

from executed.proofs import without_markings

DIRECTIVE = re.compile(r"^::: (\S+)\n(?: +.*\n)*", re.MULTILINE)
SNIPPETS = "pymdownx.snippets"
# In the text of a signature: : 'Cost', -> 'Report', = <class 'map'>.
QUOTED = re.compile(r"(?<=[:>] )'([^']*)'|<class '(\w+)'>")
STROKE = re.compile(r'stroke="(#\w+)" d="([^"]+)"')


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    """Include files, and write the Markdown of a page, where links from other pages to it lead."""
    markdown = without_markings(with_snippets(markdown, config))
    if page.file.src_uri.endswith(".md"):
        path = Path(config.site_dir, page.file.src_uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(DIRECTIVE.sub(documentation, f"{markdown}\n"), "utf-8", newline="\n")
    return markdown


def with_snippets(markdown: str, config: MkDocsConfig) -> str:
    """Include the files that a page asks for, which may have markings, too."""
    snippets = Markdown(extensions=[SNIPPETS], extension_configs=config.mdx_configs)
    return "\n".join(snippets.preprocessors["snippet"].run(markdown.split("\n")))


def documentation(directive: re.Match[str]) -> str:
    """Return the docstring that mkdocstrings puts in the place of a directive."""
    documented = locate(directive[1])
    if not inspect.ismodule(documented):
        return described(directive[1], documented)
    functions = [one for _, one in inspect.getmembers(documented, inspect.isfunction)]
    own = [one for one in functions if one.__module__ == directive[1] and one.__name__[0] != "_"]
    parts = [described(one.__name__, one) for one in own]
    return "\n".join([f"{inspect.getdoc(documented)}\n", *parts])


def described(name: str, documented: object) -> str:
    """Return the signature and the docstring of a function or class."""
    assert callable(documented), f"::: {name}: there is no such function or class."
    signature = QUOTED.sub(r"\1\2", str(inspect.signature(documented)))
    return f"## `{name}{signature}`\n\n{inspect.getdoc(documented)}\n"


def on_post_build(config: MkDocsConfig, **_: object) -> None:
    """Draw the picture: it takes a full address to be found, so without one there is none."""
    if config.site_url:
        mark = Path(config.docs_dir, "assets", "mark.svg").read_text("utf-8")
        picture = card(mark, config.site_name, config.site_description or "")
        picture.savefig(Path(config.site_dir, "assets", "card.png"), dpi=100)


def card(mark: str, name: str, description: str) -> Figure:
    """Return the mark, the name and the description of the site, on 1200 by 630 pixels."""
    figure = Figure(figsize=(12, 6.3))
    axes = figure.add_axes((0.06, 0.2, 0.3, 0.6), xlim=(0, 24), ylim=(24, 0), aspect="equal")
    axes.axis("off")
    for colour, path in STROKE.findall(mark):
        points = [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]
        codes = [Line.MOVETO, *[Line.CURVE3 if "Q" in path else Line.LINETO] * (len(points) - 1)]
        style = {"edgecolor": colour, "linewidth": 32, "capstyle": "round"}
        axes.add_patch(PathPatch(Line(points, codes), fill=False, **style))
    figure.text(0.42, 0.56, name, size=64, weight="bold", va="bottom")
    figure.text(0.42, 0.5, fill(description, 34), size=25, va="top", linespacing=1.5)
    return figure
