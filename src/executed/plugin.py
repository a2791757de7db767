"""Tests the pages: pytest-markdown-docs collects and reports their blocks, `page` runs them.

Beside its blocks, a page of the site has a test for each check of its text, in `texts`.
`--update-outputs` first rewrites the Output blocks of the pages that are tested, and what the
files beside them say of their figures.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

# Two parts of pytest-markdown-docs have no public name: how a runner is registered, and what
# collects docstrings, which here are doctest's.
from pytest_markdown_docs._runners import register_runner
from pytest_markdown_docs.plugin import MarkdownDocstringCodeModule

from executed.commands import ROOT, is_package
from executed.descriptions import (
    beside,
    disagreements,
    figures_of,
    strangers,
    text_of,
    updated,
)
from executed.fences import fault, misplaced
from executed.names import not_installed
from executed.page import fences, missing, programs
from executed.server import elsewhere, server
from executed.texts import CHECKS
from executed.trials import described, drawn_by, problems_of, trials, with_outputs


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that rewrites the outputs."""
    parser.addoption(
        "--update-outputs",
        action="store_true",
        help="rewrite the Output blocks of the pages with what their blocks print",
    )


def pytest_configure() -> None:
    """Let pytest-markdown-docs run blocks as parts of pages, and these as if no test was there."""
    register_runner(default=True)(PageRunner)
    server(os.getpid())


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Leave docstrings to doctest, and test the text of a page beside its blocks."""
    collectors = yield
    if file_path.suffix == ".md" and file_path.is_relative_to(ROOT / "docs"):
        collectors.append(Text.from_parent(parent, path=file_path))
    return [one for one in collectors if not isinstance(one, MarkdownDocstringCodeModule)]


class Text(pytest.File):
    """The text of a page."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each check."""
        for name in CHECKS:
            yield Check.from_parent(self, name=name)


class Check(pytest.Item):
    """A check of the text of a page."""

    def runtest(self) -> None:
        """Raise with all that is wrong. Where a module is missing, CI alone can judge names."""
        wrong = CHECKS[self.name](self.path, os.path.relpath(self.path))
        if wrong and self.name == "names" and (lacking := not_installed(page_of(self.path))):
            pytest.skip(f"{self.path.name} names what is in {', '.join(lacking)}.")
        if wrong:
            raise Wrong("\n".join(wrong))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Report the words alone."""
        return str(excinfo.value) if excinfo.errisinstance(Wrong) else super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.name} of {self.path.name}"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Rewrite the pages of which a block will be tested, where that is asked for."""
    options = session.config.option
    if options.update_outputs and not options.collectonly:
        blocks = [item for item in session.items if hasattr(item, "test_definition")]
        for path in dict.fromkeys(item.path for item in blocks if item.path.suffix == ".md"):
            items = [item for item in blocks if item.path == path]
            before = tokens(page_of(path))
            for line in update_outputs(path):
                session.config.get_terminal_writer().line(line)
            follow(items, dict(zip(lines(before), lines(tokens(page_of(path))), strict=True)))


def update_outputs(path: Path) -> list[str]:
    """Rewrite the Output blocks of a page, and the file of its figures; return what changed."""
    page = path.read_bytes().decode("utf-8")
    plain = page.replace("\r\n", "\n")
    found = {} if missing(plain) else elsewhere(trials, plain, str(path), described)
    figures = text_of(updated(path, figures_of(plain), drawn_by(found)))
    return [*rewrite(path, with_outputs(page, found)), *rewrite(beside(path), figures)]


def rewrite(path: Path, text: str) -> list[str]:
    """Let a file hold a text, and be there only if it has any; return what changed."""
    before = path.read_bytes().decode("utf-8") if path.exists() else ""
    if text and text != before:
        path.write_bytes(text.encode("utf-8"))
    elif not text:
        path.unlink(missing_ok=True)
    name = os.path.relpath(path)
    old, new = (one.replace("\r\n", "\n").split("\n") for one in (before, text))
    return list(unified_diff(old, new, name, f"{name}, updated", n=0, lineterm=""))


def follow(items: list[pytest.Item], moved: dict[int, int]) -> None:
    """Let the tests of a page know the lines that their blocks have moved to."""
    for item in items:
        test: Any = item
        start = moved[test.test_definition.start_line]
        test.test_definition = replace(test.test_definition, start_line=start)


@pytest.hookimpl(tryfirst=True)
def pytest_markdown_docs_markdown_it() -> SimpleNamespace:
    """Stand in for the Markdown parser, which does not see the blocks in tabs and notes."""
    return SimpleNamespace(parse=tokens)


def tokens(page: str) -> list[SimpleNamespace]:
    """Return what is tested: each fence but what belongs to a block, code without one, figures."""
    owned = [program.output for program in programs(page)]
    tested = {fence.first: fence.text for fence in fences(page) if fence not in owned}
    tested |= dict(misplaced(page)) | {line: name for name, line in figures_of(page).items()}
    return [
        SimpleNamespace(type="fence", info="python", content=text, map=[line - 1, line])
        for line, text in sorted(tested.items())
    ]


def lines(tested: list[SimpleNamespace]) -> list[int]:
    """Return the lines where what is tested begins."""
    return [token.map[0] + 1 for token in tested]


class Wrong(Exception):
    """What is wrong with a block, in words for the page's author."""


class PageRunner:
    """Runs a page when the first of its blocks is tested, and says what is wrong with each."""

    def __init__(self) -> None:
        self.pages: dict[Path, dict[int, str]] = {}

    def runtest(self, test: Any, namespace: dict[str, Any], *, asyncio_runner: object) -> None:
        """Test the block that begins at the given line of the page."""
        path: Path = test.source_path
        page = page_of(path)
        lacking = missing(page)
        if unknown := ", ".join(name for name in lacking if not is_package(name)):
            raise Wrong(f"{os.path.relpath(path)}: requires: no group installs {unknown}.")
        if lacking:
            pytest.skip(f"{path.name} needs {', '.join(lacking)}: install the group frameworks.")
        if path not in self.pages:
            self.pages[path] = problems(page, str(path))
        if problem := self.pages[path][test.start_line]:
            raise Wrong(f"{os.path.relpath(path)}:{test.start_line}: {problem}")

    def repr_failure(self, test: object, excinfo: pytest.ExceptionInfo[Any], style: object) -> str:
        """Report the words alone."""
        return str(excinfo.value) if excinfo.errisinstance(Wrong) else str(excinfo.getrepr())


def page_of(path: Path) -> str:
    """Return the text of a page."""
    return path.read_text("utf-8")


def problems(page: str, name: str) -> dict[int, str]:
    """Say what is wrong with all that is tested in a page, by its first line; nothing if right."""
    found, shown = elsewhere(trials, page, name, described), figures_of(page)
    tried = problems_of(page, found)
    wrong = {fence.first: fault(fence, page) for fence in fences(page)} | dict(misplaced(page))
    wrong |= {line: wrong[line] or problem for line, problem in tried.items()}
    wrong |= disagreements(Path(name), shown, drawn_by(found))
    return wrong | {max(wrong): wrong[max(wrong)] or strangers(Path(name), shown)}
