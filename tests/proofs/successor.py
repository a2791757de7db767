"""Build the site with the successors of its theme and its generator, and list what these lose.

    python tests/proofs/successor.py

Zensical reads mkdocs.yml. Here it gets an environment of its own and a copy of this checkout,
without the settings that stop it. Its site is compared with that of MkDocs: the files, and of
each page the words, blocks, figures, formulas, links, anchors and descriptions. It fails where
the list is not the one that CONTRIBUTING states.
ProperDocs carries MkDocs on: with it, nothing may be lost.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from posixpath import dirname, join, normpath
from tempfile import TemporaryDirectory

from bs4 import BeautifulSoup

sys.path.insert(0, str(Path(__file__).parents[1]))

from executed.built import soup_of
from proofs.platforms import INSTALL, ROOT, copied, run, venv_problem

# Our templates are Jinja's, whose methods of Python it does not have, nor static templates.
STOPS_IT = re.compile(r"^  (custom_dir: .*|static_templates:(\n    - .*)+)\n", re.MULTILINE)
# The scripts and styles of the themes themselves.
THEMES_OWN = re.compile(r"assets/(images|javascripts|stylesheets)/|search/|sitemap\.xml\.gz")
RUNTIME = "assets/python/"
NOT_FOUND = "404.html"  # its words are a template, not a page
STATED = re.compile(r"^- `(.+?)`: ", re.MULTILINE)
HEADING = "## The theme's end"

PARTS: dict[str, Callable[[BeautifulSoup], list[str]]] = {
    "words": lambda page: [
        word for one in page.select("article") for word in one.text.replace("¶", " ").split()
    ],
    "blocks": lambda page: [one.text for one in page.select("article .highlight")],
    "figures": lambda page: [str(one["aria-label"]) for one in page.select(".drawn svg")],
    "formulas": lambda page: [one.text for one in page.select(".formula annotation")],
    "links": lambda page: [str(one["href"]) for one in page.select("article a[href]")],
    "anchors": lambda page: [str(one["id"]) for one in page.select("article [id]")],
    "descriptions": lambda page: [
        str(one["content"]) for one in page.select("meta[name=description], meta[property]")
    ],
}


def losses(old: Path, new: Path) -> set[str]:
    """Return what the new site lacks: files, and parts of pages, those of every page as one."""
    lost = files(old) - files(new)
    html = {name for name in files(old) - lost if name.endswith(".html")} - {NOT_FOUND}
    pages = {name for name in html if soup(old / name).article}  # one that moved has none
    if lacks("words", NOT_FOUND, old, new, lost):
        lost.add(NOT_FOUND)
    found = {kind(name) for name in lost}
    for part in PARTS:
        without = {name for name in pages if lacks(part, name, old, new, lost)}
        found |= {f"{name}: {part}" for name in (["every page"] if without == pages else without)}
    return found


def kind(name: str) -> str:
    """Return a name for all files that one hook writes, and for others their own."""
    if name.startswith(RUNTIME):
        return f"{RUNTIME}*"
    return "*.md" if name.endswith(".md") else name


def files(site: Path) -> set[str]:
    """Return the names of the files of a site, but for the theme's own."""
    names = (path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    return {name for name in names if not THEMES_OWN.match(name)}


def lacks(part: str, name: str, old: Path, new: Path, lost: set[str]) -> bool:
    """Whether a page lacks something, links to what is lost aside."""
    before, after = (Counter(PARTS[part](soup(site / name))) for site in (old, new))
    return any(normpath(join(dirname(name), one)) not in lost for one in before - after)


def soup(path: Path) -> BeautifulSoup:
    """Return a page, parsed."""
    return soup_of(path.read_text("utf-8"))


def stated(contributing: str) -> set[str]:
    """Return the losses that CONTRIBUTING states."""
    return set(STATED.findall(contributing.partition(HEADING)[2].partition("\n## ")[0]))


def disagreements(found: set[str], known: set[str]) -> Iterator[str]:
    """Yield what is lost and not stated, and what is stated and not lost."""
    yield from (f"lost, but CONTRIBUTING does not say so: {one}" for one in sorted(found - known))
    yield from (f"not lost, but CONTRIBUTING says so: {one}" for one in sorted(known - found))


def built(folder: Path) -> tuple[Path, Path, Path]:
    """Build the site with all three, in an environment within a folder; return where they are."""
    source = copied(folder / "source")
    if problem := venv_problem(sys.executable, str(folder / "environment")):
        raise SystemExit(problem)
    programs = folder / "environment" / "bin"
    what = ["--editable", str(source), "--group", "docs", "zensical", "properdocs"]
    require([programs / "python", *INSTALL, *what], source)
    for program, site in (("mkdocs", folder / "old"), ("properdocs", folder / "same")):
        options = ["--quiet", "--config-file", "mkdocs.yml", "--site-dir", str(site)]
        require([programs / program, "build", *options], source)
    settings = source / "mkdocs.yml"
    settings.write_text(STOPS_IT.sub("", settings.read_text("utf-8")), "utf-8")
    print(run([programs / "zensical", "--version"], source).stdout.strip())
    require([programs / "zensical", "build", "--clean"], source)
    return folder / "old", folder / "same", source / "site"


def require(command: list[str | Path], folder: Path) -> None:
    """Run a command, and stop with what it says where it fails."""
    done = run(command, folder)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def main() -> None:
    """Print the losses, and fail where they are not those that are stated."""
    with TemporaryDirectory() as folder:
        old, same, new = built(Path(folder))
        found, lost = losses(old, new), losses(old, same)
    print(*sorted(found), sep="\n")
    wrong = list(disagreements(found, stated((ROOT / "CONTRIBUTING.md").read_text("utf-8"))))
    wrong += [f"lost with ProperDocs: {one}" for one in sorted(lost)]
    sys.exit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()
