"""Follow the links that lead out of the built site, and print those that lead nowhere.

    mkdocs build && python tests/support/check_links.py site

This asks other hosts, so it is no test.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urldefrag
from urllib.request import Request, urlopen

from bs4 import BeautifulSoup

# Some hosts answer no program that does not look like a browser.
HEADERS = {"User-Agent": "Mozilla/5.0 (link check)"}
# They are there, but not for programs.
REFUSALS = (401, 403, 405, 429)


def dead_links(site: Path) -> list[str]:
    """Return each link that leads nowhere, the reason, and the pages that hold it."""
    links = outward_links(site)
    with ThreadPoolExecutor(8) as pool:
        answers = zip(links, pool.map(failure, links), strict=True)
        return [f"{url}: {why}\n    {', '.join(links[url])}" for url, why in answers if why]


def outward_links(site: Path) -> dict[str, list[str]]:
    """Return the addresses of other hosts, each with the pages that lead there."""
    links: dict[str, list[str]] = defaultdict(list)
    for page in sorted(site.rglob("*.html")):
        soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
        found = {urldefrag(str(tag["href"])).url for tag in soup.select('a[href^="http"]')}
        for url in sorted(found):
            links[url].append(str(page.relative_to(site)))
    return links


def failure(url: str) -> str:
    """Say why an address leads nowhere; nothing where it does not."""
    try:
        urlopen(Request(url, headers=HEADERS), timeout=20).close()
    except HTTPError as error:
        return "" if error.code in REFUSALS else f"{error.code} {error.reason}"
    except (URLError, TimeoutError) as error:
        return str(error)
    return ""


if __name__ == "__main__":
    dead = dead_links(Path(sys.argv[1]))
    print(*dead, sep="\n")
    sys.exit(bool(dead))
