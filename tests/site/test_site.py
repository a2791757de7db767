"""The built site: what is shown is what ran, all links lead somewhere, and it reads well."""

from __future__ import annotations

import re
from doctest import DocTestFinder
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from bs4 import BeautifulSoup
from griffe import temporary_visited_package

import backproof
from executed.built import (
    Example,
    blocks_in_paragraphs,
    blocks_that_differ,
    broken_links,
    examples_that_differ,
    fixed_colours,
    foreign_resources,
    images_without_words,
    prose_shown_as_code,
    visible_markup,
)
from executed.defaults import Defaults
from support.checkout import DOCS

PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))

every_page = pytest.mark.parametrize("page", PAGES)


@every_page
def test_the_blocks_that_a_reader_sees_are_those_that_run(page: str, site: Path) -> None:
    """No block is shown that the tests overlook, and none runs that is not shown."""
    html = html_of(page, site)
    assert not blocks_that_differ(html, (DOCS / page).read_text("utf-8"))
    assert not examples_that_differ(html, package_examples())


def test_defaults_are_shown_as_values(site: Path) -> None:
    """A reader can type them; the name of a constant of ours would be of no use."""
    soup = BeautifulSoup(html_of("reference/api.md", site), "html.parser")
    signatures = [signature.get_text() for signature in soup.select(".doc-signature")]
    defaults = re.findall(r" = ([^,)]+)", "".join(signatures))
    assert "1e-07" in defaults
    assert not [default for default in defaults if default.isupper()]


def test_a_default_that_is_a_function_keeps_its_name() -> None:
    """Only a constant has a value to show."""
    code = "STEP = 5\ndef plain(): ...\ndef check(step=STEP, call=plain): ..."
    with temporary_visited_package("package", {"module.py": code}) as package:
        Defaults().on_package(pkg=package)
        step, call = package["module.check"].parameters
    assert (str(step.default), str(call.default)) == ("5", "plain")


@every_page
def test_no_markup_is_visible(page: str, site: Path) -> None:
    """All Markdown is understood, and every formula typeset."""
    html = html_of(page, site)
    assert not visible_markup(html)
    assert not blocks_in_paragraphs(html)
    assert not prose_shown_as_code(html, (DOCS / page).read_text("utf-8"))
    assert "katex-error" not in html


@every_page
def test_images_have_text_alternatives(page: str, site: Path) -> None:
    """Who cannot see a figure is told what it shows."""
    assert not images_without_words(html_of(page, site))


@every_page
def test_figures_follow_the_scheme(page: str, site: Path) -> None:
    """Figures are drawn in colours that the style sheet gives: C0 to C4, black, gray and white."""
    assert not fixed_colours(html_of(page, site))


@pytest.mark.parametrize(("scheme", "background"), [("default", "#ffffff"), ("slate", "#1e2129")])
def test_the_colours_of_figures_stand_out(scheme: str, background: str) -> None:
    """Each has the contrast with its page that text needs, in both schemes."""
    css = (DOCS / "assets" / "site.css").read_text("utf-8")
    block = css.partition(f'[data-md-color-scheme="{scheme}"]')[2].partition("}")[0]
    colours = dict(re.findall(r"(--figure-[a-z0-9]+): (#[0-9a-f]{6})", block))
    assert len(colours) == 6
    assert all(contrast(colour, background) >= 4.5 for colour in colours.values())


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21, as WCAG defines it."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour #rrggbb."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_no_marking_is_published(site: Path) -> None:
    """Neither in a page, nor in its Markdown, the notebook or what the search finds."""
    kinds = (".html", ".md", ".ipynb", ".json", ".txt")
    files = [path for path in site.rglob("*") if path.suffix in kinds]
    assert {*kinds} == {path.suffix for path in files}
    # Matplotlib's pictures have comments of their own.
    texts = {path: re.sub(r"(?s)<svg.*?</svg>", "", path.read_text("utf-8")) for path in files}
    assert not [path for path, text in texts.items() if re.search("(<|&lt;)!--", text)]


def test_links_and_anchors_lead_somewhere(site: Path) -> None:
    """Every link within the site leads to a file and an anchor, from disk too."""
    assert not broken_links(site)


def test_nothing_is_loaded_from_other_hosts(site: Path) -> None:
    """Pages and style sheets name no resource of another host."""
    assert not foreign_resources(site)


def html_of(page: str, site: Path) -> str:
    """Return the HTML of a page."""
    return (site / html_name(page)).read_text("utf-8")


def html_name(page: str) -> str:
    """Return the name of the HTML file of a page."""
    return str(Path(page).with_suffix(".html").as_posix())


@cache
def package_examples() -> list[Example]:
    """Return the examples of the package that doctest runs."""
    names = [f"backproof.{module.name}" for module in iter_modules(backproof.__path__)]
    return [
        (example.source.strip(), example.want.strip())
        for name in ["backproof", *names]
        for test in DocTestFinder().find(import_module(name))
        for example in test.examples
    ]
