"""The blocks of the pages, run and changed in the reader's browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from bs4 import BeautifulSoup
from mkdocs.utils.meta import get_data
from playwright.sync_api import Browser, Locator, Page, expect

from executed.page import blocks, is_guide
from executed.runnable import lacks
from support.answers import EXERCISES
from support.browsing import served, settle, violations, written
from support.checkout import BLOCK, CI, DOCS, in_ci

# A run begins with loading Python, beside other tests.
PATIENCE = 60_000
RAN = {"The same as shown.", "It ran, and prints nothing."}
DONE = re.compile("same|differs|ran|error|Stopped|failed")
# One Python runs the blocks of all pages, so that it is loaded once.
BEGIN = """
    address => {
        const worker = new Worker(`${address}assets/python/worker.js`, {type: "module"});
        window.answer = message => new Promise((resolve, reject) => {
            worker.onmessage = ({data}) => resolve(data);
            worker.onerror = ({message}) => reject(new Error(message));
            worker.postMessage({figures: [], reads: [], name: "block 1", ...message});
        });
    }
"""


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """Return a window with an empty cache."""
    tab = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    tab.set_default_timeout(PATIENCE)
    yield tab
    tab.context.close()


def bars(tab: Page) -> Locator:
    """Return what stands below the blocks of a page."""
    return tab.locator(".run")


def code(tab: Page, number: int = 0) -> Locator:
    """Return the code of a block."""
    return tab.locator(".language-python.highlight > pre > code").nth(number)


def output(tab: Page, number: int = 0) -> str:
    """Return what stands below a block as its output."""
    block = tab.locator(".language-python.highlight").nth(number)
    return str(block.evaluate("one => one.nextElementSibling?.querySelector('code')?.textContent"))


def status(tab: Page, number: int = 0) -> str:
    """Wait for a run to end, and return what is said of it."""
    said = bars(tab).nth(number).get_by_role("status")
    expect(said).to_have_text(DONE, timeout=PATIENCE)
    return said.inner_text()


def run(tab: Page, number: int = 0) -> str:
    """Run a block, and return what is said of it."""
    bars(tab).nth(number).get_by_role("button", name="Run").click()
    return status(tab, number)


def names(urls: list[str], pattern: str) -> list[str]:
    """Return the names of the files at these addresses that begin like a pattern."""
    asked = [url.rpartition("/")[2] for url in urls]
    return [name for name in asked if re.match(pattern, name)]


@pytest.mark.parametrize(
    "page", ["index.html", "learn/find-the-mistake.html"] if CI else ["index.html"]
)
def test_blocks_print_what_the_page_shows(page: str, tab: Page, address: str) -> None:
    """Run by the last button, and pictures by their own; a page asks no other host.

    Until somebody runs a block, nothing of Python is loaded: then the runtime, and what draws
    only for a block that draws.
    """
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(address + page, wait_until="networkidle")
    settle(tab)
    assert not names(asked, r"pyodide|.*\.whl|.*\.wasm|worker")
    assert run(tab) in RAN
    assert names(asked, "pyodide.asm.wasm")
    assert not names(asked, "matplotlib")
    for number in reversed(range(bars(tab).count())):
        if not bars(tab).nth(number).get_by_role("status").inner_text():
            run(tab, number)
    assert {status(tab, n) for n in range(bars(tab).count())} <= RAN
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]


@in_ci
def test_all_blocks_print_there_what_the_tests_print(tab: Page, address: str) -> None:
    """WebAssembly is one more platform: no BLAS, 32 bits, and the newest Python."""
    tab.goto(f"{address}index.html")
    tab.evaluate(BEGIN, address)
    pages = {path: path.read_text("utf-8") for path in sorted(DOCS.rglob("*.md"))}
    faults = {path: "\n".join(differences(tab, path, page)) for path, page in pages.items()}
    assert not {path: fault for path, fault in faults.items() if fault}


def differences(tab: Page, path: Path, page: str) -> Iterator[str]:
    """Yield what the blocks of a page print there otherwise than the page shows."""
    is_alone = is_guide(str(path))
    reads = get_data(page)[1].get("reads", [])
    is_new = True
    for block, lacking in zip(blocks(page), lacks(blocks(page), is_alone), strict=True):
        if lacking:
            continue
        message = {"code": block.text, "isNew": is_new or is_alone, "reads": reads}
        answer = tab.evaluate("message => answer(message)", message)
        is_new = False
        expected = block.output.text if block.output else answer["printed"]
        if answer.get("line") or answer["printed"].split() != expected.split():
            yield f"{block.first}: {answer['printed']}"


@in_ci
def test_a_block_that_prints_something_else_there_is_reported(tab: Page, address: str) -> None:
    """A planted output, and an error."""
    tab.goto(f"{address}index.html")
    tab.evaluate(BEGIN, address)
    path = Path("page.md")
    assert not [*differences(tab, path, BLOCK)]
    assert [*differences(tab, path, BLOCK.replace("0.125", "0.126"))] == ["1: 0.125\n"]
    assert "ZeroDivisionError" in "".join(differences(tab, path, BLOCK.replace("1 / 8", "1 / 0")))


@in_ci
def test_the_button_says_how_much_is_loaded(tab: Page, address: str) -> None:
    """More for a block that draws; once it is there, nothing."""
    tab.goto(f"{address}index.html")
    settle(tab)
    plain, *_, draws = (one.inner_text() for one in tab.get_by_role("button", name="Run").all())
    sizes = [int(re.sub(r"\D", "", text)) for text in (plain, draws)]
    assert 5 < sizes[0] < sizes[1] - 5
    run(tab)
    expect(tab.get_by_role("button", name="Run").first).to_have_text("Run")


@in_ci
def test_it_is_changed_and_run_from_the_keyboard(tab: Page, address: str) -> None:
    """Ctrl+Enter runs what was typed, Enter keeps the indentation, Reset brings all back."""
    tab.goto(f"{address}index.html")
    before, shown = code(tab).inner_html(), output(tab)
    mended = code(tab).text_content() or ""
    mended = mended.replace("np.mean(d)}", "2 * np.mean(d)}").replace(
        "2 / 3 * X.T @ d", '2 / 3 * X.T @ d + 2 * p["w"]'
    )
    written(code(tab), mended)
    tab.keyboard.press("Control+Enter")
    assert status(tab) == "It ran with your changes."
    assert output(tab).startswith("The gradient is correct.\n")
    tab.keyboard.press("ControlOrMeta+End")
    tab.keyboard.type("for i in range(2):")
    tab.keyboard.press("Enter")
    tab.keyboard.type("print(i)")
    tab.keyboard.press("Enter")
    tab.keyboard.type("print(-i)")
    assert (
        (code(tab).text_content() or "")
        .rstrip()
        .endswith("for i in range(2):\n    print(i)\n    print(-i)")
    )
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    expect(bars(tab).first.get_by_role("button", name="Reset")).to_be_focused()
    tab.keyboard.press("Enter")
    assert code(tab).inner_html() == before
    assert output(tab) == shown
    expect(bars(tab).first.get_by_role("status")).to_have_text("")


@in_ci
def test_a_page_is_one_program(tab: Page, address: str) -> None:
    """The blocks above run first, as they were changed, and not again where nothing has changed."""
    tab.goto(f"{address}learn/one-dimension.html")
    last = code(tab, 1)
    written(code(tab), "print('above')\nx = 2.0")
    written(code(tab, 1), "print(x)\nx += 1")
    assert "your changes" in run(tab, 1)
    assert output(tab, 1) == "2.0\n"
    assert run(tab, 1)
    assert output(tab, 1) == "2.0\n"
    written(code(tab), "x = 4.0")
    run(tab, 1)
    assert output(tab, 1) == "4.0\n"
    assert last.text_content() == "print(x)\nx += 1"


@in_ci
def test_an_endless_block_is_stopped(tab: Page, address: str) -> None:
    """What runs for ever ends at a click, and Python begins anew."""
    tab.goto(f"{address}index.html")
    before = code(tab).text_content() or ""
    written(code(tab), "while True:\n    pass")
    tab.keyboard.press("Control+Enter")
    button = bars(tab).first.get_by_role("button", name="Stop")
    expect(bars(tab).nth(2).get_by_role("button", name="Run")).to_be_disabled()
    tab.wait_for_timeout(1000)
    shown = tab.locator(".language-python.highlight + .language-text").first
    expect(shown).to_have_attribute("aria-busy", "true")
    button.click()
    assert status(tab) == "Stopped."
    expect(shown).not_to_have_attribute("aria-busy", "true")
    written(code(tab), before)
    assert run(tab) == "The same as shown."


ERROR = """\
import numpy as np
from backproof import check_gradient

check_gradient(lambda w: np.sum(w ** 2), lambda w: w[:2], np.ones(3))
"""


@in_ci
def test_an_error_shows_its_line(tab: Page, address: str) -> None:
    """Below the block and in it, without lines of others; one above is named."""
    tab.goto(f"{address}index.html")
    written(code(tab), ERROR)
    assert run(tab) == "An error in line 4."
    first, second, third, *said = output(tab).splitlines()
    assert (first, second) == (
        "Traceback (most recent call last):",
        '  File "block 1", line 4, in <module>',
    )
    assert third.startswith("    check_gradient(")
    assert said[-1].startswith("ValueError: parameters of the gradient has shape (2,)")
    marked = "[...CSS.highlights.get('wrong')].map(String)"
    assert tab.evaluate(marked) == [ERROR.splitlines()[3]]
    assert run(tab, 2) == "Block 1 above raised an error."
    bars(tab).first.get_by_role("button", name="Reset").click()
    assert tab.evaluate(marked) == []


@in_ci
def test_a_figure_is_drawn_anew(tab: Page, address: str) -> None:
    """With its text alternative, in the colours of the scheme."""
    tab.goto(f"{address}index.html")
    settle(tab)
    drawing = tab.locator("[data-figure=valley] svg")
    label, before = drawing.get_attribute("aria-label"), drawing.inner_html()
    last = bars(tab).count() - 1
    assert "ran" in run(tab, last)
    same = drawing.inner_html()
    assert words(same) == words(before)
    written(code(tab, last), (code(tab, last).text_content() or "").replace("np.sin", "np.exp"))
    run(tab, last)
    assert drawing.inner_html() not in (before, same)
    assert drawing.get_attribute("aria-label") == label
    assert "var(--figure-0)" in drawing.inner_html()
    assert not re.search(r"#[0-9a-f]{6}\b", drawing.inner_html())
    bars(tab).nth(last).get_by_role("button", name="Reset").click()
    assert drawing.inner_html() == before


def words(drawing: str) -> list[str]:
    """Return the words of a drawing; its ticks follow the rounding errors that it shows."""
    texts = [text.get_text() for text in BeautifulSoup(drawing, "html.parser").select("text")]
    return [text for text in texts if re.search("[a-z]{3}", text)]


@in_ci
@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_it_is_fit_to_read(
    scheme: Literal["light", "dark"], width: int, tab: Page, address: str
) -> None:
    """After a run and after an error, in both schemes, and on a phone."""
    tab.set_viewport_size({"width": width, "height": 740})
    tab.emulate_media(color_scheme=scheme)
    tab.goto(f"{address}index.html")
    run(tab)
    written(code(tab, 2), "1 / 0")
    run(tab, 2)
    assert not violations(tab)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


@in_ci
def test_what_cannot_run_says_why(tab: Page, address: str) -> None:
    """A block that needs what the browser does not have has no button, and neither do its heirs."""
    tab.goto(f"{address}guides/pytorch.html")
    assert {*bars(tab).all_inner_texts()} == {"Not run here: needs torch."}
    tab.goto(f"{address}explanation/in-the-wild.html")
    assert "Not run here: needs a block above." in bars(tab).all_inner_texts()
    assert not bars(tab).last.get_by_role("button").count()


@in_ci
def test_where_python_cannot_run_a_sentence_says_so(
    browser: Browser, address: str, site: Path
) -> None:
    """From disk, and in a browser that is too old; without scripts, the page is as it was."""
    for start, script, words in (
        (f"{site.as_uri()}/", "", "From a web server"),
        (address, "delete window.WebAssembly", "A newer browser"),
        (address, "window.Worker = class { terminate() {} }", "A newer browser"),
    ):
        tab = browser.new_page()
        tab.add_init_script(script)
        tab.goto(f"{start}index.html")
        expect(tab.locator(".run-not")).to_contain_text(words)
        assert not bars(tab).count()
        tab.close()
    tab = browser.new_context(java_script_enabled=False).new_page()
    tab.goto(f"{address}index.html")
    assert not bars(tab).count()
    tab.context.close()


@in_ci
def test_python_that_fails_to_load_is_told_and_tried_again(tab: Page, address: str) -> None:
    """A file that does not come is no endless wait; the next click asks for it again."""
    tab.goto(f"{address}index.html")
    for broken in ("**/worker.js", "**/pyodide.asm.wasm", "**/numpy*"):
        tab.route(broken, lambda route: route.abort())
        assert run(tab).startswith("Python failed here: ")
        tab.unroute(broken)
    assert run(tab) == "The same as shown."


@in_ci
def test_a_file_that_a_page_reads_and_that_does_not_come_is_told(tab: Page, address: str) -> None:
    """The run ends, and the next one reads it."""
    tab.goto(f"{address}explanation/honesty.html")
    settle(tab)
    tab.route("**/honesty.json", lambda route: route.abort())
    assert run(tab).startswith("Python failed here: ")
    tab.unroute("**/honesty.json")
    assert re.search("same|ran", run(tab))


@in_ci
@pytest.mark.parametrize("page", sorted({exercise.page for exercise in EXERCISES.values()}))
def test_an_exercise_is_judged(page: str, tab: Page, address: str) -> None:
    """Each answer, typed into its block, is told what it computes."""
    tab.goto(f"{address}learn/{page}.html")
    texts = tab.locator(".language-python.highlight > pre > code").all_text_contents()
    for exercise in EXERCISES.values():
        if exercise.page == page:
            number = next(k for k, text in enumerate(texts) if exercise.mark in text)
            for text, told in exercise.answers:
                written(code(tab, number), text)
                run(tab, number)
                assert told in output(tab, number)


@in_ci
def test_a_difference_is_seen(site: Path, browser: Browser, tmp_path: Path) -> None:
    """A page whose output is not what its block prints."""
    folder = tmp_path / "site"
    folder.symlink_to(site)
    page = (site / "index.html").read_text("utf-8")
    assert page.count("38 evaluations") == 1
    with served(folder) as address:
        tab = browser.new_page()
        tab.set_default_timeout(PATIENCE)
        tab.route(
            "**/index.html",
            lambda route: route.fulfill(
                body=page.replace("38 evaluations", "39 evaluations"), content_type="text/html"
            ),
        )
        tab.goto(f"{address}index.html")
        assert run(tab) == "This differs from what was shown."
        tab.close()
