"""What a reader's browser tells of a page, in words and numbers, and the host it asks."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# The browser is to call no host by itself, and runs as root in CI.
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]
WIDTHS = (1280, 360)

# Layout shifts that no click or key explains, and what the browser waits for before it paints.
MEASURE = """
    window.shift = 0;
    new PerformanceObserver(list => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) shift += one.value;
    }).observe({type: "layout-shift", buffered: true});
"""
AWAITED = """
    performance.getEntriesByType("resource")
        .filter(one => one.renderBlockingStatus === "blocking").map(one => one.name)
"""

UNDRAWN = """
    [...document.querySelectorAll(".drawn svg")]
        .filter(svg => !svg.clientWidth || !svg.clientHeight)
        .map(svg => `the figure "${svg.ariaLabel}" is not drawn`)
"""
UNTYPESET = """
    [...document.querySelectorAll(".formula")]
        .filter(one => !one.querySelector(".katex-html")?.getBoundingClientRect().width)
        .map(one => `the formula "${one.textContent}" is not typeset`)
        .concat([...document.fonts].filter(font => font.status === "error")
            .map(font => `the font ${font.family} is missing`))
"""
BROKEN = """
    [...document.querySelectorAll(":is(p, li, td) code")]
        .filter(one => /^[\\d.e-]+$/.test(one.textContent) && one.getClientRects().length > 1)
        .map(one => `the number ${one.textContent} is broken`)
"""
SIDEWAYS = """
    document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : []
"""

# What Tab is to reach; of radio buttons, one speaks for its group, and the theme shows its label.
REACHABLE = """
    (() => {
        const stops = "a[href], button, input, select, textarea, summary, [tabindex], "
            + "[contenteditable]";
        const all = [...document.querySelectorAll(stops)].filter(one => one.tabIndex >= 0
            && !one.matches(".md-search *, .md-top, [type=radio]")
            && one.checkVisibility({visibilityProperty: true}) && one.getClientRects().length);
        const reached = new Set(), unseen = new Set();
        document.addEventListener("focusin", ({target}) => {
            reached.add(target);
            const shown = target.matches(".md-option") ? target.nextElementSibling : target;
            const {left, right, top, bottom} = shown.getBoundingClientRect();
            const inside = right > 0 && left < innerWidth && bottom > 0 && top < innerHeight;
            const marked = getComputedStyle(shown).outlineStyle !== "none";
            if (!(inside && marked || target.matches(".md-search *")))
                unseen.add(`the focus is not seen on ${target.outerHTML.slice(0, 100)}`);
        });
        window.missed = () => all.filter(one => !reached.has(one))
            .map(one => `Tab does not reach ${one.outerHTML.slice(0, 100)}`).concat(...unseen);
        return all.length;
    })()
"""

# What each button copies; a click on one that is covered goes to what covers it.
COPIED = """
    async selector => {
        const texts = [];
        for (const button of document.querySelectorAll(selector)) {
            await navigator.clipboard.writeText("");
            button.scrollIntoView({block: "center", behavior: "instant"});
            const {left, right, top, bottom} = button.getBoundingClientRect();
            document.elementFromPoint((left + right) / 2, (top + bottom) / 2)?.click();
            texts.push(await navigator.clipboard.readText());
        }
        return texts;
    }
"""

# What the scheme of colours can change, and what the width can, too.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
WIDTH_RULES = [*COLOUR_RULES, "button-name", "scrollable-region-focusable"]


@dataclass
class Visit:
    """A first visit of a page: what it requested and reported, what is wrong, how it shifted.

    `awaited` are the requests that the browser waits for before it paints anything.
    """

    url: str
    requests: list[str] = field(default_factory=list)
    awaited: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    shift: float = 0.0

    def foreign(self) -> list[str]:
        """Return the requests to other hosts."""
        hosts = {urlsplit(self.url).netloc, ""}
        return [url for url in self.requests if urlsplit(url).netloc not in hosts]


def installed_chromium() -> str:
    """Return the path of the system's Chromium, or nothing."""
    return next(filter(None, map(shutil.which, CHROMIUM)), "")


@contextmanager
def started(chromium: str) -> Iterator[Browser]:
    """Start a browser, which belongs to the thread that does so."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


def visit(browser: Browser, url: str) -> Visit:
    """Visit a page with an empty cache, and look at it in both schemes and both widths."""
    tab = browser.new_page()
    tab.add_init_script(MEASURE)
    seen = Visit(url)
    tab.on("request", lambda request: seen.requests.append(request.url))
    tab.on("console", lambda message: seen.messages.append(message.text))
    tab.on("pageerror", lambda error: seen.messages.append(str(error)))
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 900})
        tab.emulate_media(color_scheme="light")
        tab.goto(url)
        seen.awaited = tab.evaluate(AWAITED)
        seen.shift = max(seen.shift, settle(tab))
        rules = None if width == WIDTHS[0] else WIDTH_RULES
        light = [*violations(tab, rules), *faults(tab)]
        seen.problems += [f"light, {width} px: {one}" for one in light]
        darken(tab)
        dark = [*violations(tab, COLOUR_RULES), *faults(tab)]
        seen.problems += [f"dark, {width} px: {one}" for one in dark]
    seen.problems += unreached(tab)
    tab.context.close()
    return seen


def settle(tab: Page) -> float:
    """Wait until a page has its fonts, then unfold it; return how far it shifted."""
    tab.evaluate("document.fonts.ready.then(() => new Promise(done => setTimeout(done, 50)))")
    shift: float = tab.evaluate("window.shift ?? 0")
    tab.add_style_tag(content="* { transition: none !important }")
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    return shift


def darken(tab: Page) -> None:
    """Let the reader's system be dark, which the page follows."""
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function("['slate', undefined].includes(document.body.dataset.mdColorScheme)")


def violations(tab: Page, rules: list[str] | None = None) -> list[str]:
    """Return the accessibility violations that axe finds, with these rules or with all.

    Formulas are read as MathML, and seen in hundreds of parts, all in the colour of their text.
    """
    options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in Axe().run(tab, {"exclude": [[".katex-html"]]}, options)["violations"]
        for node in violation["nodes"]
    ]


def faults(tab: Page) -> list[str]:
    """Return figures and formulas that do not show, broken numbers, and a page that is too wide."""
    scripts = (UNDRAWN, UNTYPESET, BROKEN, SIDEWAYS)
    return [fault for script in scripts for fault in tab.evaluate(script)]


def unreached(tab: Page) -> list[str]:
    """Press Tab to the end of a page; return what it misses, and where the focus is not seen."""
    count = tab.evaluate(REACHABLE)
    missed: list[str] = []
    for _ in range(2):  # what scrolls is a stop, too, and not counted
        for _ in range(count + 10):
            tab.keyboard.press("Tab")
        if not (missed := tab.evaluate("missed()")):
            break
    return missed


def weight(urls: Iterable[str], site: Path, address: str) -> int:
    """Return the bytes that the files of these addresses take on their way, compressed."""
    files = {site / unquote(urlsplit(url.removeprefix(address)).path) for url in urls}
    return sum(map(compressed, files))


def compressed(file: Path) -> int:
    """Return the bytes of a file that is sent with gzip, if it can be made smaller."""
    return min(len(file.read_bytes()), len(gzip.compress(file.read_bytes())))


def written(code: Locator, text: str) -> None:
    """Put other code in the place of a block's, by the keyboard."""
    code.focus()
    code.page.keyboard.press("ControlOrMeta+a")
    code.page.keyboard.insert_text(text)


def plant(tab: Page, folder: Path, sound: str, faulty: str) -> None:
    """Let the one script of a folder that has some text come with a fault in its place."""
    scripts = {path.name: path.read_text("utf-8") for path in folder.glob("*.js")}
    ((name, script),) = (one for one in scripts.items() if sound in one[1])
    assert script.count(sound) == 1
    tab.route(f"**/{name}", lambda route: route.fulfill(body=script.replace(sound, faulty)))


def copied(tab: Page, selector: str) -> list[str]:
    """Press the copy button of each block; return what lands on the clipboard."""
    texts: list[str] = tab.evaluate(COPIED, f":is({selector}) button[data-md-type=copy]")
    return texts


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a site as its host will: below a path, with its own page for what is missing."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Host, directory=folder.parent)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{folder.name}/"
        server.shutdown()


class Host(SimpleHTTPRequestHandler):
    """Answers requests for the files of sites, with gzip."""

    def do_GET(self) -> None:
        """Send the file, or the site's page for what is missing."""
        asked = Path(self.translate_path(self.path))
        missing = Path(self.directory, self.path.split("/")[1], "404.html")
        path = asked if asked.is_file() else missing
        body = gzip.compress(path.read_bytes() if path.is_file() else b"Not found")
        self.send_response(200 if path is asked else 404)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
