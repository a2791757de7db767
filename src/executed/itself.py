"""Checks of what the built site is as a whole: titles, what comes next, what machines read.

Each returns what is wrong, in words. Pages are named by their paths within the site.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag

from executed.built import soup_of
from executed.page import without_fences
from executed.prose import CODE
from executed.texts import LINK

READ_IN_ORDER = ("Learn", "Explanation")  # a guide is for one task, a reference for one question
NEXT = re.compile(r"^\*\*Next:\*\* (.+)", re.MULTILINE)
FITS = range(40, 301)  # characters that a list of results shows, more or less
LINKED = re.compile(r"\[([^]]*)\]\([^()]*\)")


def paths(nav: Any) -> Iterator[str]:
    """Yield the pages that a nav lists, as mkdocs.yml has it, in order."""
    for entry in nav if isinstance(nav, list) else [nav]:
        if isinstance(entry, dict):
            for below in entry.values():
                yield from paths(below)
        else:
            yield str(entry)


def led_elsewhere(nav: list[Any], pages: dict[str, str]) -> list[str]:
    """Report pages of a section that is read in order that do not lead to the next of the nav."""
    sections = [part for part in nav if isinstance(part, dict) and {*part} & {*READ_IN_ORDER}]
    pairs = [pair for section in sections for pair in pairwise(paths(section))]
    return [
        f"{page}: its line **Next:** does not lead to {after}, which comes next in mkdocs.yml."
        for page, after in pairs
        if page in pages and after not in next_of(page, pages[page])
    ]


def next_of(page: str, text: str) -> list[str]:
    """Return the pages to which the last line of a page leads."""
    lines = NEXT.findall(without_fences(text))
    targets = [urlsplit(link).path for line in lines for link in LINK.findall(line)]
    return [normpath(str(PurePosixPath(page).parent / target)) for target in targets]


def lost_links(text: str, name: str, root: Path) -> list[str]:
    """Report links of a file beside README that lead to no file of the checkout, or no heading."""
    lines = enumerate(CODE.sub("", without_fences(text)).split("\n"), 1)
    return [
        f"{name}:{number}: {target} leads to no file of the checkout, or to no heading of it."
        for number, line in lines
        for target in LINK.findall(line)
        if not urlsplit(target).scheme and not leads(root, name, target)
    ]


def leads(root: Path, name: str, target: str) -> bool:
    """Whether a relative link leads to a file, and to a heading in it, if it names one."""
    parts = urlsplit(target)
    path = root / (parts.path or name)
    return path.exists() and (not parts.fragment or parts.fragment in slugs(path))


def slugs(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a file."""
    headings = re.findall(r"^#+ (.+)$", without_fences(path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


# The built pages


def untitled(pages: dict[str, str]) -> list[str]:
    """Report pages whose title is not of their one heading, and titles and descriptions alike."""
    soups = {page: soup_of(html) for page, html in pages.items()}
    titles = {page: soup.title.get_text() if soup.title else "" for page, soup in soups.items()}
    told = {page: description(soup) for page, soup in soups.items()}
    problems = []
    for page, soup in soups.items():
        title = titles[page].rpartition(" - ")[0] or titles[page]
        headings = [without_permalink(one) for one in soup.select("article h1")]
        if len(headings) != 1 or title not in headings[0]:
            problems.append(f"{page}: the title is {title!r}, and headings are {headings}.")
        if len(told[page]) not in FITS:
            problems.append(f"{page}: {len(told[page])} characters describe it: {told[page]!r}.")
    for which in (titles, told):
        many = [text for text, count in Counter(which.values()).items() if count > 1]
        problems += [f"{text!r} is of {sum(text == o for o in which.values())}." for text in many]
    return problems


def description(soup: BeautifulSoup) -> str:
    """Return how a page is described where it is found."""
    tag = soup.select_one('meta[name="description"]')
    return str(tag["content"]) if tag else ""


def untested_shown(html: str) -> list[str]:
    """Report what looks like a figure or a block, and was made by nothing that the tests know."""
    article = soup_of(html).select_one("article") or BeautifulSoup("", "html.parser")
    found = article.select("img, svg[role=img], pre, object, video")
    known = article.select(".drawn svg, .highlight pre, .output pre")
    return [str(one)[:200] for one in found if not any(one is other for other in known)]


def cut_short(html: str, twin: str) -> list[str]:
    """Report headings, blocks and plain paragraphs of a page that its Markdown lacks."""
    article = soup_of(html).select_one("article")
    text = plain(twin)
    parts = article.select("h1, h2, h3, h4, .highlight code, p") if article else []
    return [
        f"{one.get_text()[:100]!r} is not in the Markdown of the page, or not in this order."
        for one in parts
        if is_plain(one) and plain(without_permalink(one)) not in text
    ]


def is_plain(part: Tag) -> bool:
    """Whether a part of a page is code or has no tags whose text is not that of its Markdown."""
    shown = part.name == "code" or not part.select(".formula, .drawn, .doc-labels, img")
    return shown and not part.find_parent(class_=["doc-contents", "doc-signature"])


def plain(text: str) -> str:
    """Return a text without markup and without spaces."""
    return re.sub(r"[\s*`\\]", "", LINKED.sub(r"\1", text))


def without_permalink(tag: Tag) -> str:
    """Return the text of a tag without the sign of its link."""
    return tag.get_text().removesuffix("¶").strip()
