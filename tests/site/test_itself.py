"""What the site says of itself holds: titles, descriptions, what comes next, links, Markdown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mkdocs.config import load_config

from executed import built
from executed.itself import cut_short, led_elsewhere, lost_links, untested_shown, untitled
from executed.texts import anchor
from support.checkout import DOCS, ROOT

NAV = load_config(str(ROOT / "mkdocs.yml"))["nav"]
SOURCES = {
    path.relative_to(DOCS).as_posix(): path.read_text("utf-8") for path in DOCS.rglob("*.md")
}


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, str]:
    """Return the pages of the nav, with their HTML."""
    files = [Path(name).with_suffix(".html").as_posix() for name in SOURCES]
    return {name: (site / name).read_text("utf-8") for name in files}


def test_a_page_leads_to_the_next(site: Path) -> None:
    """Who reads a section in order finds the next page at the end of each."""
    assert not led_elsewhere(NAV, SOURCES)


@pytest.mark.parametrize(
    ("line", "caught"),
    [
        ("**Next:** [b](b.md), and why.", False),
        ("**Next:** [c](../c.md), or [b](../learn/b.md#part).", False),
        ("**Next:** [c](../c.md).", True),
        ("**Next:** [b](../b.md).", True),
        ("Next: [b](b.md).", True),
        ("```text\n**Next:** [b](b.md)\n```", True),
    ],
)
def test_a_page_that_leads_elsewhere_is_seen(line: str, caught: bool) -> None:
    """A wrong page, a wrong folder, no such line; another link beside the right one passes."""
    nav = ["index.md", {"Learn": ["learn/a.md", {"B": "learn/b.md"}]}, {"Guides": ["x.md", "c.md"]}]
    pages = {"learn/a.md": f"# A\n\n{line}\n", "learn/b.md": "# B\n", "x.md": "# X\n"}
    assert bool(led_elsewhere(nav, pages)) == caught


def test_pages_have_titles_and_descriptions_of_their_own(pages: dict[str, str]) -> None:
    """The title is the heading, or its word for the nav; what is described fits where it shows."""
    assert not untitled(pages)


FOUND = """
<title>{title} - Backproof</title><meta name="description" content="{description}">
<article><h1>{heading}<a>¶</a></h1></article>
"""
SAID = "After this page you can tell one page from another."


@pytest.mark.parametrize(
    ("title", "heading", "description", "caught"),
    [
        ("Norms", "Norms", SAID, False),
        ("JAX", "Check a JAX gradient", SAID, False),
        ("Norm", "Other", SAID, True),
        ("Home", "Home", SAID, True),
        ("Norms", "Norms", "", True),
        ("Norms", "Norms", 10 * SAID, True),
        ("Norms", "Norms", "A page that comes before this one, and says the same.", True),
        ("Norms", "Norms</h1><h1>Norms again", SAID, True),
    ],
)
def test_a_page_without_words_of_its_own_is_seen(
    title: str, heading: str, description: str, caught: bool
) -> None:
    """Another title, one of two pages, two headings, no description, a long or a shared one."""
    home = FOUND.format(
        title="Home",
        heading="Home",
        description="A page that comes before this one, and says the same.",
    )
    page = FOUND.format(title=title, heading=heading, description=description)
    assert bool(untitled({"a.html": home, "b.html": page})) == caught


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_beside_the_site_lead_somewhere(name: str) -> None:
    """To a file of the checkout, and to a heading of it."""
    problems = lost_links((ROOT / name).read_text("utf-8"), name, ROOT)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("link", "caught"),
    [
        ("[x](README.md)", False),
        ("[x](docs)", False),
        ("[x](README.md#the-tests)", False),
        ("[x](https://example.org)", False),
        ("`[x](gone.md)`", False),
        ("[x](gone.md)", True),
        ("[x](docs/gone)", True),
        ("[x](README.md#the-test)", True),
        ("[x](#nowhere)", True),
        ("[x](/README.md)", True),
    ],
)
def test_a_link_beside_the_site_that_leads_nowhere_is_seen(link: str, caught: bool) -> None:
    """No such file, no such heading, a path from the root of a machine; code is no link."""
    assert bool(lost_links(f"Text.\n\n{link}\n", "CONTRIBUTING.md", ROOT)) == caught


def test_what_looks_like_a_figure_or_a_block_is_of_the_engine(site: Path) -> None:
    """Nothing is shown as a picture or as code that no test knows."""
    for page in site.rglob("*.html"):
        assert not untested_shown(page.read_text("utf-8")), page


@pytest.mark.parametrize(
    "planted",
    ['<img src="a.png" alt="A line.">', "<pre>1</pre>", '<svg role="img"></svg>', "<object>"],
)
def test_a_figure_or_block_that_no_code_made_is_seen(planted: str) -> None:
    """A picture from elsewhere, code without a fence; the logo is beside the article."""
    sound = '<img src="logo"><article><span class="drawn"><svg role="img"></svg></span></article>'
    assert not untested_shown(sound)
    assert untested_shown(sound.replace("</article>", f"{planted}</article>"))


def test_the_markdown_of_pages_is_whole(site: Path, pages: dict[str, str]) -> None:
    """What machines read has the headings, the blocks and the paragraphs of the page."""
    for name, html in pages.items():
        twin = (site / name).with_suffix(".md").read_text("utf-8")
        assert not cut_short(html, twin), name


SHOWN = """<article><h1>A <code>page</code><a>¶</a></h1><p>It <em>has</em> <a href="b">all</a>.</p>
<div class="highlight"><code>x = 1\n</code></div><h2>More<a>¶</a></h2><p>The end.</p></article>"""
TWIN = "# A `page`\n\nIt *has* [all](b.md).\n\n```python\nx = 1\n```\n\n## More\n\nThe end.\n"


@pytest.mark.parametrize(
    "change", [("The end.", ""), ("x = 1", "x = 2"), ("## More", ""), ("[all]", "[some]")]
)
def test_markdown_that_is_cut_short_is_seen(change: tuple[str, str]) -> None:
    """A lost paragraph, another block, a lost heading, another word; markup makes no difference."""
    assert not cut_short(SHOWN, TWIN)
    assert cut_short(SHOWN, TWIN.replace(*change))


@pytest.mark.parametrize(
    "markup",
    [
        "{% x %}",
        "{{ x }}",
        "[^1]",
        "**x**",
        "__x",
        "[[x]]",
        "--8<--",
        ":smile:",
        "[ ] x",
        ":   x",
        "~~x~~",
        "==x==",
    ],
)
def test_markup_that_nothing_renders_is_seen(markup: str) -> None:
    """What another program would have rendered; in code it may stand, and so may its like."""
    assert built.visible_markup(f"<p>{markup}</p>")
    assert not built.visible_markup(f"<p>Text.</p><code>{markup}</code>")
    assert not built.visible_markup("<p>At 10:30:15, {x}, [1], 2 * 3 * 4, a_b_c: one::two</p>")


CITED = re.compile(r"\[([^\]]*\d{4}[^\]]*)\]\([^)]*\bsources\.md#([\w-]+)\)")


def lost_citations(page: str, sources: str) -> list[str]:
    """Return what a page cites that the section of the sources does not list, with that year."""
    sections = {anchor(text.split("\n")[0]): text for text in sources.split("\n## ")[1:]}
    cited = [(one, where) for text, where in CITED.findall(page) for one in text.split(";")]
    return [one for one, where in cited if not is_listed(one, sections.get(where, ""))]


def is_listed(citation: str, section: str) -> bool:
    """Whether a line has the first author and the year of a citation."""
    author = re.findall(r"[A-Z][^\W\d_]+", citation)[0]
    year = re.findall(r"\d{4}", citation)[0]
    return any(author in line and f"({year})" in line for line in section.split("\n"))


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_cited_is_listed(name: str) -> None:
    """With its first author and its year, in the section that the link leads to."""
    assert not lost_citations(SOURCES[name], SOURCES["reference/sources.md"])


def test_a_wrong_citation_is_seen() -> None:
    """Another year, another section or author; a second work of two in one link."""
    link = "See [Hamming, 1971; Moré and Wild, 2011](../reference/sources.md#noise-and-rounding)."
    listed = SOURCES["reference/sources.md"]
    assert not lost_citations(link, listed)
    assert len(lost_citations(link, listed.replace("(2011)", "(2010)"))) == 1
    for was, becomes in (("1971", "1972"), ("2011", "2010"), ("noise-", "no-"), ("Ham", "Hum")):
        assert lost_citations(link.replace(was, becomes), listed)
