"""The glossary has the terms that the pages use, and the changelog is the one of the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from executed.built import soup_of
from executed.proofs import without_markings
from support.checkout import DOCS, ROOT

GLOSSARY = (DOCS / "reference" / "glossary.md").read_text("utf-8")
ENTRIES = re.findall(r"^## (.+)$", GLOSSARY, re.MULTILINE)
FENCED = re.compile(r"^( *)```.*?^\1```", re.DOTALL | re.MULTILINE)
# A whole sentence in bold is no term.
TERM = re.compile(r"\*\*([\w-]+(?: [\w-]+){0,2})\*\*")


def terms(page: str) -> list[str]:
    """Return the terms that a page introduces: the words in bold."""
    return [term.lower() for term in TERM.findall(FENCED.sub("", page))]


def unexplained(page: str, glossary: str) -> list[str]:
    """Return the terms of a page that the glossary has neither as an entry nor within one."""
    entries = re.findall(r"^## (.+)$", glossary, re.MULTILINE)
    explained = {*map(str.lower, entries), *terms(glossary)}
    return [term for term in terms(page) if term not in explained]


def test_every_term_that_is_introduced_has_an_entry() -> None:
    """What a page of the course sets in bold can be looked up."""
    for page in (DOCS / "learn").glob("*.md"):
        assert not unexplained(page.read_text("utf-8"), GLOSSARY), page


def test_a_term_without_an_entry_is_reported() -> None:
    """A new term in bold is missed; one that is explained within an entry is not, nor is code."""
    page = "A **new term** and a **2-norm**.\n\n```python\nx**two**3\n```\n"
    assert unexplained(page, "## Norm\n\nThe **2-norm** is the length.\n") == ["new term"]


def test_every_entry_is_used(site: Path) -> None:
    """Each entry is a word of another page."""
    pages = [
        page for page in site.rglob("*.html") if page.name not in ("glossary.html", "404.html")
    ]
    text = "\n".join(map(words, pages))
    assert not [entry for entry in ENTRIES if not is_used(entry, text)]
    assert not is_used("Nuclear norm", text)


def words(page: Path) -> str:
    """Return the text of a page."""
    article = soup_of(page.read_text("utf-8")).select_one("article")
    return article.get_text() if article else ""


def is_used(entry: str, text: str) -> bool:
    """Whether a text has the words of an entry, in either case and number."""
    return bool(re.search(rf"\b{re.escape(entry)}s?\b", text, re.IGNORECASE))


def test_entries_are_in_order() -> None:
    """They are alphabetical, each is there once, and each leads to a page that explains it."""
    assert sorted(set(ENTRIES), key=str.lower) == ENTRIES
    parts = re.split(r"^## .+$", GLOSSARY, flags=re.MULTILINE)[1:]
    assert all(re.search(r"\]\([\w./-]+\.md", part) for part in parts)


def unexplained_entries(glossary: str, folder: Path) -> list[str]:
    """Return the entries that lead to no page that has their words, or a part named by them."""
    entries = re.split(r"<h2[^>]*>", glossary)[1:]
    return [
        entry.partition("<")[0]
        for entry in entries
        if not any(
            explains(folder / page, part, entry.partition("<")[0])
            for page, part in re.findall(r'href="([^"#:]+\.html)(#[\w-]+)?"', entry)
        )
    ]


def explains(page: Path, part: str, entry: str) -> bool:
    """Whether a page has words that begin as an entry does, or the link to it names them."""
    begun = re.search(rf"\b{re.escape(entry)}", words(page), re.IGNORECASE)
    return bool(begun) or entry.lower().replace(" ", "-") in part


def test_entries_lead_to_what_explains_them(site: Path) -> None:
    """A reader who follows the link finds the word there."""
    folder = site / "reference"
    assert not unexplained_entries((folder / "glossary.html").read_text("utf-8"), folder)


@pytest.mark.parametrize(
    ("link", "caught"),
    [("a.html", []), ("b.html#kink", []), ("b.html", ["Kink"]), ("#kink", ["Kink"])],
)
def test_an_entry_that_leads_elsewhere_is_seen(
    link: str, caught: list[str], tmp_path: Path
) -> None:
    """A page that does not have the word, and the glossary itself, explain nothing."""
    (tmp_path / "a.html").write_text("<article>Two kinks.</article>")
    (tmp_path / "b.html").write_text("<article>A step.</article>")
    glossary = f'<h2 id="kink">Kink<a>¶</a></h2><p>See <a href="{link}">this</a>.</p>'
    assert unexplained_entries(glossary, tmp_path) == caught


def test_the_changelog_is_on_the_site(site: Path) -> None:
    """Its page is the file that stands beside README, not a copy."""
    page = words(site / "reference" / "changelog.html")
    changelog = without_markings((ROOT / "CHANGELOG.md").read_text("utf-8"))
    entries = re.findall(r"^- .*?([^`\n]+)$", changelog, re.MULTILINE)
    assert entries
    assert not [entry for entry in entries if entry not in page]
    assert (site / "reference" / "changelog.md").read_text("utf-8").strip() == changelog.strip()
