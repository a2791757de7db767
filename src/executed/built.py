"""Checks of the built site, where the reader looks: each returns what is wrong, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import unified_diff
from doctest import DocTestParser
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag
from pygments.lexers import get_lexer_by_name

from executed.page import blocks, fences

Example = tuple[str, str]  # what is typed at the prompt, what is printed

# mkdocstrings shows signatures as blocks too.
SHOWN = ".highlight[class*=language-]:not(.doc-signature)"
PYTHON = ("Python", "Python console session")
MARKUP = re.compile(
    r"""```|~~|==\w|!!!\ |\?\?\?\+?\ |===\ "|:::|\$|\]\(  # fences, boxes, tabs, directives, links
    | \{[%{] | \[\^ | \*\* | __ | \[\[ | --8<-- | \[[ x]\]\ | ^:\ \ \  | (?<!\w):[a-z_]+:(?!\w)""",
    re.MULTILINE | re.VERBOSE,
)
FIXED_COLOUR = re.compile(r":\s*(#[0-9a-f]{6})\b")
FOREIGN_CSS = re.compile(r"""(?:@import\s+|url\()\s*["']?(?:https?:)?//[^"')\s]+""")
FOREIGN_SCRIPT = re.compile(r"""["'`](?:https?:)?//[^"'`\s]+""")


def blocks_that_differ(html: str, page: str) -> list[str]:
    """Compare the Python blocks that a reader sees with those of the page that run."""
    shown = [code for code in shown_code(html) if not code.startswith(">>>")]
    ran = [block.text.strip("\n") for block in blocks(page)]
    difference = unified_diff(ran, shown, "runs", "is shown", lineterm="")
    return [] if shown == ran else ["\n".join(difference)]


def examples_that_differ(html: str, tested: Iterable[Example]) -> list[str]:
    """Compare the examples with prompts that a reader sees with those that doctest runs."""
    known = set(tested)
    shown = [example for code in shown_code(html) for example in examples(code)]
    return [f"doctest does not run {example}" for example in shown if example not in known]


def examples(text: str) -> list[Example]:
    """Return the examples with prompts in a text."""
    found = DocTestParser().get_examples(text)
    return [(example.source.strip(), example.want.strip()) for example in found]


def shown_code(html: str) -> list[str]:
    """Return the blocks that are shown as Python, with or without prompts."""
    found = filter(is_python, soup_of(html).select(SHOWN))
    return [one.select("code")[0].get_text().strip("\n") for one in found]


def is_python(block: Tag) -> bool:
    """Whether a block is highlighted as Python, by whichever of its names."""
    names = [name for name in block["class"] if name.startswith("language-")]
    return get_lexer_by_name(names[0].removeprefix("language-")).name in PYTHON


def visible_markup(html: str) -> list[str]:
    """Report Markdown that a reader would see, since it was not understood."""
    soup = BeautifulSoup(html, "html.parser")  # which this takes apart
    for hidden in soup.select("pre, code, svg, script, style, .formula"):
        hidden.decompose()
    text = soup.get_text()
    return [text[max(found.start() - 20, 0) : found.end() + 40] for found in MARKUP.finditer(text)]


def blocks_in_paragraphs(html: str) -> list[str]:
    """Report blocks of code before which an empty line is missing: they stand off their output."""
    return [block.get_text()[:200] for block in soup_of(html).select("p .highlight")]


def prose_shown_as_code(html: str, page: str) -> list[str]:
    """Report what is shown as code but stands in no fence: prose that is indented too far."""
    others = (block for block in soup_of(html).select(SHOWN) if not is_python(block))
    shown = [block.select("code")[0].get_text().strip("\n") for block in others]
    fenced = [fence.text.strip("\n") for fence in fences(page)]
    return [text for text in shown if text not in fenced]


def images_without_words(html: str) -> list[str]:
    """Report images that have no text alternative."""
    images = soup_of(html).select('img:not([alt]), img[alt=""], svg[role="img"]:not([aria-label])')
    return [str(image)[:200] for image in images]


def fixed_colours(html: str) -> list[str]:
    """Report colours in figures that stay as they are when the scheme changes."""
    figures = soup_of(html).select(".drawn svg")
    return [colour for figure in figures for colour in FIXED_COLOUR.findall(str(figure))]


def foreign_resources(site: Path) -> list[str]:
    """Report what pages, their own scripts and style sheets would load from other hosts."""
    loaded = [
        f"{page.relative_to(site)}: {target}"
        for page in site.rglob("*.html")
        for target in targets(page, "[src], link[href], object[data], [srcset]")
        if not target.startswith("data:") and (urlsplit(target).scheme or urlsplit(target).netloc)
    ]
    loaded += [
        f"{sheet.relative_to(site)}: {found[0]}"
        for sheet in [*site.rglob("*.css"), *site.rglob("*.html")]
        for found in FOREIGN_CSS.finditer(sheet.read_text("utf-8"))
    ]
    return loaded + [
        f"{page.relative_to(site)}: {found[0]}"
        for page in site.rglob("*.html")
        for script in soup_of(page.read_text("utf-8")).select("script")
        for found in FOREIGN_SCRIPT.finditer(script.get_text())
    ]


def broken_links(site: Path) -> list[str]:
    """Report links, anchors, images, scripts and style sheets that lead nowhere on disk."""
    return [
        f"{page.relative_to(site)}: {target}"
        for page in site.rglob("*.html")
        if page.name != "404.html"  # is served at any address, so its links are absolute
        for target in targets(page, "[href], [src]")
        if not resolves(page, target)
    ]


def targets(page: Path, selector: str) -> Iterator[str]:
    """Yield where the selected tags of a page lead, or what they load."""
    for tag in soup_of(page.read_text("utf-8")).select(selector):
        yield from (str(tag[name]) for name in ("href", "src", "data", "srcset") if tag.get(name))


def resolves(page: Path, target: str) -> bool:
    """Whether a link within the site leads to a file, and to an anchor in it, if it names one."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return True
    path = page.parent / unquote(parts.path) if parts.path else page
    return path.is_file() and (not parts.fragment or unquote(parts.fragment) in anchors(path))


@cache
def anchors(page: Path) -> set[str]:
    """Return the anchors of a page."""
    return {str(tag["id"]) for tag in soup_of(page.read_text("utf-8")).select("[id]")}


@lru_cache(100)
def soup_of(html: str) -> BeautifulSoup:
    """Return the parsed HTML, for reading."""
    return BeautifulSoup(html, "html.parser")
