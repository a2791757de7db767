"""The built site in a real browser: it asks no other host, reads well, weighs little, and works."""

from __future__ import annotations

import ast
import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, Page, expect

from executed.page import blocks
from support.browsing import WIDTHS, Visit, copied, faults, served, settle, started, visit, weight
from support.checkout import CI, DOCS, ROOT, build, in_ci, planted
from support.errors import SOURCES, message, raised

PAGES = sorted(
    path.relative_to(DOCS).with_suffix(".html").as_posix()
    for ending in ("md", "ipynb")
    for path in DOCS.rglob(f"*.{ending}")
)
# Pages that links from elsewhere may still lead to, and where their text is now.
MOVED = {"guides/on-a-cluster.html": "guides/a-million-parameters.html#workers"}
# Where it does not matter how long tests take, all of them are visited.
VISITED = PAGES if CI else ["index.html"]
every_page = pytest.mark.parametrize("page", VISITED)

# The bytes of a text page that is visited first, of one that is visited next, of the notebook.
FIRST, NEXT, NOTEBOOK = 330_000, 62_000, 400_000


@pytest.fixture(scope="module")
def visited(chromium: str, address: str) -> Iterator[Callable[[str], Visit]]:
    """Return a function that visits a page once, and the next page meanwhile."""

    def visit_alone(page: str) -> Visit:
        with started(chromium) as browser:
            return visit(browser, address + page)

    with ThreadPoolExecutor(2) as pool:
        begun = cache(lambda page: pool.submit(visit_alone, page))

        def visit_once(page: str) -> Visit:
            this, *_ = map(begun, VISITED[VISITED.index(page) :][:2])
            return this.result()

        yield visit_once


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """Return a window with an empty cache, which may read the clipboard."""
    tab = browser.new_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    yield tab
    tab.context.close()


def test_every_page_of_the_build_is_visited(site: Path) -> None:
    """The build has no page that the tests in the browser leave out."""
    built = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert built == {*PAGES, *MOVED, "404.html"}


@in_ci
def test_a_page_that_moved_leads_to_where_its_text_is(tab: Page, address: str, site: Path) -> None:
    """By itself, from a host and from disk, to a section that is there."""
    for start in (address, f"{site.as_uri()}/"):
        for old, new in MOVED.items():
            tab.goto(f"{start}{old}", wait_until="commit")
            tab.wait_for_url(f"{start}{new}")
            expect(tab.locator(f"[id='{new.partition('#')[2]}']")).to_be_visible()


@every_page
def test_a_page_asks_no_other_host(page: str, visited: Callable[[str], Visit]) -> None:
    """All that a page needs comes with the site, and nothing goes wrong in its scripts."""
    assert not visited(page).foreign()
    assert not visited(page).messages


@every_page
def test_a_page_is_fit_to_read(page: str, visited: Callable[[str], Visit]) -> None:
    """In both schemes and widths it is accessible and complete; the keyboard reaches everything."""
    assert not visited(page).problems, "\n".join(visited(page).problems)


@every_page
def test_a_page_is_light(
    page: str, visited: Callable[[str], Visit], site: Path, address: str
) -> None:
    """It weighs little on the first visit, and less on the next; it stands still while it loads.

    What the browser waits for before it paints is hardly more than the theme's own style.
    """
    notebook = (DOCS / page).with_suffix(".ipynb").exists()
    loaded, before = visited(page).requests, visited("index.html").requests
    assert weight(loaded, site, address) <= (NOTEBOOK if notebook else FIRST)
    assert notebook or weight(set(loaded) - set(before), site, address) <= NEXT
    assert visited(page).shift < 0.05
    awaited = visited(page).awaited
    theme = [url for url in awaited if "/stylesheets/main." in url]
    assert 0 < weight(awaited, site, address) <= 1.5 * weight(theme, site, address)


@in_ci
def test_every_font_is_shown_by_some_page(visited: Callable[[str], Visit]) -> None:
    """The site brings no font in vain; one that lacks is a message of the browser."""
    asked = {url.rpartition("/")[2] for page in PAGES for url in visited(page).requests}
    fonts = {path.name for path in (DOCS / "assets").rglob("*.woff2")}
    assert fonts
    assert fonts <= asked


@in_ci
def test_pages_need_no_script(browser: Browser, address: str) -> None:
    """With JavaScript off, every figure is drawn and every formula typeset."""
    tab = browser.new_context(java_script_enabled=False).new_page()
    for page in PAGES:
        tab.goto(address + page)
        assert not faults(tab), page
    tab.context.close()


SOUND = """<!doctype html><html lang="en"><head><title>Page</title><link rel="icon" href="data:,">
<style>:focus { outline: auto }</style></head><body><main><h1>Page</h1><a href="#x">Link</a>
<span class="drawn"><svg role="img" aria-label="Line" width="9" height="9"></svg></span>
<span class="formula"><span class="katex-html">x</span></span></main></body></html>"""
FAULTS = {
    "foreign": ("<h1>", '<img src="http://127.0.0.2:9/x.png" alt="x"><h1>', "127.0.0.2"),
    "console": ("<h1>", "<script>nowhere()</script><h1>", "nowhere is not defined"),
    "axe": ("<h1>Page</h1>", "", "page-has-heading-one"),
    "contrast": ("<h1>", '<h1 style="color: #eee">', "light, 1280 px: color-contrast"),
    "sideways": ("<h1>", '<h1 style="width: 400px">', "light, 360 px: the page scrolls sideways"),
    "figure": ('width="9"', 'width="0"', 'the figure "Line" is not drawn'),
    "formula": ("katex-html", "katex", 'the formula "x" is not typeset'),
    "number": ("<h1>", '<p style="width: 1em"><code>1e-7</code></p><h1>', "1e-7 is broken"),
    "out of reach": ("<a ", '<a onfocus="this.blur()" tabindex="0" ', "Tab does not reach"),
    "unseen focus": ("auto", "none", "the focus is not seen"),
}


@in_ci
@pytest.mark.parametrize(("sound", "faulty", "report"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_a_page_is_seen(
    sound: str, faulty: str, report: str, browser: Browser, tmp_path: Path
) -> None:
    """A planted fault is reported; the page without it is not."""
    assert sound in SOUND
    page = tmp_path / "page.html"
    with served(tmp_path) as address:
        page.write_text(SOUND.replace(sound, faulty))
        assert report in said(visit(browser, f"{address}page.html"))


@in_ci
def test_a_sound_page_passes(browser: Browser, tmp_path: Path) -> None:
    """The page that faults are planted in has none."""
    (tmp_path / "page.html").write_text(SOUND)
    with served(tmp_path) as address:
        assert not said(visit(browser, f"{address}page.html"))


@in_ci
def test_a_page_that_shifts_is_seen(browser: Browser, tmp_path: Path) -> None:
    """What moves while the page loads is measured."""
    move = "document.body.style.paddingTop = '400px'"
    late = f"<script>requestAnimationFrame(() => requestAnimationFrame(() => {move}))</script>"
    (tmp_path / "page.html").write_text(SOUND.replace("</main>", f"{'<p>x</p>' * 20}</main>{late}"))
    with served(tmp_path) as address:
        assert visit(browser, f"{address}page.html").shift > 0.05


@in_ci
def test_what_paint_waits_for_is_seen(browser: Browser, tmp_path: Path) -> None:
    """A script in the head holds the text up; one that is deferred does not."""
    (tmp_path / "a.js").touch()
    page = tmp_path / "page.html"
    with served(tmp_path) as address:
        for script, awaited in (("<script", [f"{address}a.js"]), ("<script defer", [])):
            page.write_text(SOUND.replace("</head>", f'{script} src="a.js"></script></head>'))
            assert visit(browser, f"{address}page.html").awaited == awaited


def said(seen: Visit) -> str:
    """Return all that is wrong with a page."""
    return "\n".join([*seen.foreign(), *seen.messages, *seen.problems])


def test_weights_are_those_of_the_files(tmp_path: Path) -> None:
    """Text counts compressed, what cannot be compressed counts as it is, and a file counts once."""
    (tmp_path / "a.css").write_bytes(b"a" * 100_000)
    (tmp_path / "b.woff2").write_bytes(os.urandom(1000))
    urls = ["http://x/a.css", "http://x/b.woff2", "http://x/b.woff2#f"]
    expected = len(gzip.compress(b"a" * 100_000)) + 1000
    assert weight(urls, tmp_path, "http://x/") == expected


@every_page
def test_what_is_copied_is_what_the_tests_run(page: str, tab: Page, address: str) -> None:
    """Each block of a page, and each cell of the notebook."""
    tab.goto(address + page)
    settle(tab)
    texts = copied(tab, ".language-python:not(.doc-signature), .language-py")
    assert [text.rstrip("\n") for text in texts] == sources(page)


def sources(page: str) -> list[str]:
    """Return the code of a page as its source has it."""
    path = (DOCS / page).with_suffix(".md")
    if path.exists():
        return [block.text for block in blocks(path.read_text("utf-8"))]
    cells = json.loads(path.with_suffix(".ipynb").read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


# The first page, and in CI guides, whose blocks are pasted one by one.
PASTED = ["index.html", *(["guides/one-function.html", "guides/your-network.html"] if CI else [])]


@pytest.mark.parametrize("page", PASTED)
def test_what_is_pasted_runs(page: str, with_wheel: dict[str, str], tmp_path: Path) -> None:
    """A guide's block runs alone, the blocks of other pages in order, by the installed wheel."""
    programs = sources(page) if page.startswith("guides/") else ["\n".join(sources(page))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failures = pool.map(partial(failure, folder=tmp_path, environment=with_wheel), programs)
    assert not "".join(failures)


def failure(program: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a program in an empty folder, and return what it says of its failure."""
    with TemporaryDirectory(dir=folder) as empty:
        Path(empty, "pasted.py").write_text(program, "utf-8")
        command = [sys.executable, "pasted.py"]
        done = subprocess.run(
            command, cwd=empty, env=environment, capture_output=True, text=True, check=False
        )
    return f"{program}\n{done.stderr}" if done.returncode else ""


def test_a_program_that_fails_is_reported(with_wheel: dict[str, str], tmp_path: Path) -> None:
    """A block that needs another one fails alone; what runs is the wheel, not the source."""
    imports = "import backproof\nassert 'installed' in backproof.__file__, backproof.__file__\n"
    assert not failure(imports, tmp_path, with_wheel)
    assert "NameError" in failure(f"{imports}print(x)", tmp_path, with_wheel)


@in_ci
def test_prompts_are_not_copied(tab: Page, address: str) -> None:
    """Of an example with prompts, only what is typed is copied."""
    tab.goto(address + "reference/api.html")
    settle(tab)
    examples = copied(tab, ".language-pycon")
    assert examples
    for example in examples:
        compile(example, "example", "exec")


CUT_OFF = """
    [...document.querySelectorAll(".doc-signature code")]
        .filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)
"""
JOIN_LINES = """
    for (const one of document.querySelectorAll(".doc-signature code"))
        one.textContent = one.textContent.replaceAll("\\n", "")
"""


@in_ci
@pytest.mark.parametrize("width", WIDTHS)
def test_signatures_are_not_cut_off(width: int, tab: Page, address: str) -> None:
    """Every parameter in the reference is read without scrolling, on a phone too."""
    tab.set_viewport_size({"width": width, "height": 900})
    for page in ("api", "plots", "course"):
        tab.goto(f"{address}reference/{page}.html")
        assert not tab.evaluate(CUT_OFF), page
    tab.goto(f"{address}reference/api.html")
    tab.evaluate(JOIN_LINES)
    assert any("check_gradient" in one for one in tab.evaluate(CUT_OFF))


BROKEN_TABLES = """
    [...document.querySelectorAll(".report-table")].filter(one => {
        const line = parseFloat(getComputedStyle(one).lineHeight);
        const rows = one.textContent.split("\\n").length;
        return Math.round(one.getBoundingClientRect().height / line) > rows;
    }).map(one => one.textContent)
"""


@in_ci
def test_the_tables_of_reports_keep_their_columns(tab: Page, address: str) -> None:
    """A row is a line, on a phone too, where the sentences around it wrap."""
    tab.set_viewport_size({"width": min(WIDTHS), "height": 900})
    tab.goto(f"{address}guides/scipy.html")
    assert tab.locator(".report-table").count()
    assert not tab.evaluate(BROKEN_TABLES)
    tab.add_style_tag(content=".report-table { white-space: inherit !important }")
    assert tab.evaluate(BROKEN_TABLES)


MEANT = {
    "dropout": "learn/dropout",
    "1e-7": "learn/called-wrong",
    "transpose": "explanation/mistakes",
    "check_gradient": "reference/api",
}


@pytest.mark.parametrize(
    "from_disk",
    [pytest.param(False, id="from a host"), pytest.param(True, id="from disk", marks=in_ci)],
)
def test_search_finds_the_page_that_is_meant(
    from_disk: bool, tab: Page, address: str, site: Path
) -> None:
    """Words and code typed into the box find their page first, from disk too."""
    tab.goto(f"{site.as_uri()}/index.html" if from_disk else f"{address}index.html")
    for words, page in MEANT.items():
        tab.locator(".md-search__input").fill("")
        tab.keyboard.type(words)
        first = tab.locator(".md-search-result__link").first
        expect(first).to_have_attribute("href", re.compile(rf"/{page}\.html$"))
    tab.keyboard.type("xyz")
    expect(tab.locator(".md-search-result__meta")).to_have_text("No matching documents")


# The pages that explain what the library says.
EXPLAINING = {
    "explanation/mistakes",
    "explanation/verdict",
    "guides/float32",
    "guides/it-failed",
    "reference/errors",
    "reference/report",
}
PASTE = """
    async sentence => {
        const box = document.querySelector(".md-search__input");
        const {children} = document.querySelector(".md-search-result__list");
        for (const pasted of ["", sentence]) {
            box.value = pasted;
            box.dispatchEvent(new Event("input", {bubbles: true}));
            for (let i = 0; i < 100 && !children.length === !!pasted; i++)
                await new Promise(requestAnimationFrame);
        }
        return [...children].slice(0, 2).map(one => one.querySelector("a").href);
    }
"""


# What people bring, as they would type it.
BROUGHT = {
    "my gradient is wrong": "guides/it-failed",
    "in no known pattern": "guides/it-failed",
    "numerical 0": "guides/it-failed",
    "equal to 6 digits": "guides/it-failed",
    "zero by theory": "guides/it-failed",
    "adjoint": "guides/it-failed",
    "Taylor test": "guides/it-failed",
    "dot-product test": "guides/it-failed",
    "ODE": "guides/(it-failed|scipy)",
    "loss": "guides/(it-failed|your-network)",
    "batchnorm": "guides/it-failed",
    "attention": "guides/a-layer",
    "RNN": "guides/a-layer",
    "Dask": "guides/a-million-parameters",
    "jac=True": "guides/scipy",
    "constraint": "guides/scipy",
    "dataclass": "guides/your-network",
    "nn.Module": "guides/pytorch",
    "GPU": "guides/pytorch",
    "value_and_grad": "guides/jax",
    "equinox": "guides/jax",
    "flax": "guides/jax",
    "approx_fprime": "guides/scipy",
    "complex": "guides/your-network",
    "complex parameters": "guides/your-network",
    "complex step": "explanation/not-this",
    "list of layers": "guides/your-network",
    "OrderedDict": "guides/your-network",
    "straight-through": "guides/pytorch",
    "sklearn": "explanation/in-the-wild",
}


@in_ci
def test_search_finds_what_people_bring(tab: Page, address: str) -> None:
    """Words of other tools and of the field lead first to the page that takes them up."""
    tab.goto(f"{address}index.html")
    tab.locator(".md-search__input").click()
    first = {words: tab.evaluate(PASTE, words)[:1] for words in (*BROUGHT, "xyz")}
    lost = {
        words: found
        for words, found in first.items()
        if not re.search(rf"/{BROUGHT.get(words, '')}\.html$", *found or [""])
    }
    assert lost == {"xyz": []}


@in_ci
def test_search_finds_the_page_of_a_sentence(tab: Page, address: str) -> None:
    """What a report or an error says, pasted into the box, leads to a page that has it."""
    sources = [path.read_text("utf-8") for path in (ROOT / "src/backproof").glob("_[a-z]*.py")]
    said = {text for source in sources for text in sentences(source)}
    said |= {text for _, text in raised(SOURCES)}
    assert len(said) > 90
    tab.goto(f"{address}index.html")
    tab.locator(".md-search__input").click()
    lost = [text for text in sorted(said) if not is_found(text, tab)]
    assert len(lost) <= 0.1 * len(said), lost  # of parts of sentences, some are too short
    (planted,) = sentences("x = f'the gradient of {path} is that of another cost'")
    assert not is_found(planted, tab)


def sentences(source: str) -> Iterator[str]:
    """Yield the strings of a module, of five words or more, … for what varies; no docstrings."""
    nodes = [*ast.walk(ast.parse(source))]
    wholes = [node for node in nodes if isinstance(node, ast.Expr | ast.JoinedStr)]
    parts = {part for whole in wholes for part in ast.iter_child_nodes(whole)}
    for node in nodes:
        if isinstance(node, ast.Constant | ast.JoinedStr) and node not in parts:
            yield from (line for line in message(node).split("\n") if len(words(line)) >= 5)


def is_found(sentence: str, tab: Page) -> bool:
    """Paste a sentence with a name filled in; tell whether one of the first two pages has it."""
    urls = tab.evaluate(PASTE, sentence.replace("…", "W1"))
    pages = EXPLAINING & {"/".join(url.removesuffix(".html").split("/")[-2:]) for url in urls}
    lines = [x for page in pages for x in (DOCS / f"{page}.md").read_text("utf-8").split("\n")]
    return any(words(sentence) <= words(line) for line in lines)


def words(text: str) -> set[str]:
    """Return the words of a text, without its numbers."""
    return {*re.findall(r"[^\W\d_]+", text.lower())}


@in_ci
def test_the_site_opens_from_disk(browser: Browser, site: Path) -> None:
    """A page that is opened from disk asks no host and reports nothing."""
    seen = visit(browser, f"{site.as_uri()}/learn/limit.html")
    assert not said(seen)


@in_ci
def test_a_missing_page_helps(browser: Browser, tab: Page, tmp_path: Path) -> None:
    """At any depth of the missing address, it is fit to read and leads on."""
    with served(tmp_path / "site") as address:
        pages = {"index": "# Home\n\n[Page](page.md)\n", "page": "# A page\n"}
        build(planted(tmp_path, **pages), tmp_path / "site", SITE_ADDRESS=address)
        missing = f"{address}a/b/missing.html"
        seen = visit(browser, missing)
        assert not [*seen.foreign(), *seen.problems]
        tab.goto(missing)
        tab.locator("article").get_by_role("link", name="Backproof").click()
        assert tab.url == f"{address}index.html"
