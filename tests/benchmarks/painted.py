"""Print when pages are painted, over the time of a page that the theme leaves bare.

    python tests/benchmarks/painted.py SITE

SITE is the built site. Of each page, the time is that of its largest part on a first visit, over
the network of a phone; it is the least of several, since whatever else the machine does adds to it.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.browsing import installed_chromium, served, settle, started
from support.checkout import build

PAGES = ("index.html", "learn/norms.html", "explanation/method.html", "reference/api.html")
ROUNDS = 7
# 100 ms there and back, ten megabits a second.
PHONE = {
    "offline": False,
    "latency": 100,
    "downloadThroughput": 1_250_000,
    "uploadThroughput": 1_250_000,
}
PAINT = """
    new PerformanceObserver(list => {
        for (const one of list.getEntries()) window.paint = one.startTime;
    }).observe({type: "largest-contentful-paint", buffered: true});
"""


def painted(browser: Browser, url: str) -> float:
    """Return the milliseconds until the largest part of a page is painted on a first visit."""
    tab = browser.new_page()
    tab.add_init_script(PAINT)
    tab.context.new_cdp_session(tab).send("Network.emulateNetworkConditions", PHONE)
    tab.goto(url)
    settle(tab)
    milliseconds: float = tab.evaluate("paint")
    tab.context.close()
    return milliseconds


def bare(folder: Path) -> Path:
    """Build a site of one page that the theme leaves bare."""
    (folder / "docs").mkdir()
    (folder / "docs" / "index.md").write_text("# Bare\n\nA page with nothing on it.\n")
    (folder / "mkdocs.yml").write_text("site_name: Bare\ntheme: {name: material, font: false}\n")
    build(folder / "mkdocs.yml", folder / "site")
    return folder / "site"


def main() -> None:
    """Measure all pages in turn, and print the ratios."""
    with (
        TemporaryDirectory() as folder,
        served(bare(Path(folder))) as floor,
        served(Path(sys.argv[1]).resolve()) as address,
        started(installed_chromium()) as browser,
    ):
        urls = [f"{floor}index.html", *(address + page for page in PAGES)]
        rounds = [[painted(browser, url) for url in urls] for _ in range(ROUNDS)]
    least, *ours = map(min, zip(*rounds, strict=True))
    print(f"bare page: {least:.0f} ms")
    for page, time in zip(PAGES, ours, strict=True):
        print(f"{page}: {time / least:.2f} times that")


if __name__ == "__main__":
    main()
