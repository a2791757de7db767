"""Tests the blocks of the pages: pytest-markdown-docs collects and reports them, `page` runs them.

`--update-outputs` first rewrites the Output blocks of the pages that are tested.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from difflib import unified_diff
from pathlib import Path
from traceback import format_exception
from types import SimpleNamespace
from typing import Any

import pytest

# Two parts of pytest-markdown-docs have no public name: how a runner is registered, and what
# collects docstrings, which here are doctest's.
from pytest_markdown_docs._runners import register_runner
from pytest_markdown_docs.plugin import MarkdownDocstringCodeModule

from executed.page import (
    Block,
    Fence,
    blocks,
    is_guide,
    missing,
    run,
    run_alone,
    stray_outputs,
    with_outputs,
)
from executed.proofs import Unproved


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that rewrites the outputs."""
    parser.addoption(
        "--update-outputs",
        action="store_true",
        help="rewrite the Output blocks of the pages with what their blocks print",
    )


def pytest_configure() -> None:
    """Let pytest-markdown-docs run blocks as parts of their pages."""
    register_runner(default=True)(PageRunner)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Leave docstrings to doctest."""
    collectors = yield
    return [one for one in collectors if not isinstance(one, MarkdownDocstringCodeModule)]


@pytest.hookimpl(tryfirst=True)
def pytest_make_collect_report(collector: pytest.Collector) -> None:
    """Rewrite a page before it is read, where that is asked for; pages beside it are not read."""
    page = isinstance(collector, pytest.File) and collector.path.suffix == ".md"
    if page and collector.config.getoption("--update-outputs"):
        update_outputs(collector.path)


def update_outputs(path: Path) -> None:
    """Rewrite the Output blocks of a page in place."""
    page = path.read_text("utf-8")
    path.write_text(with_outputs(page, str(path)), "utf-8", newline="\n")


@pytest.hookimpl(tryfirst=True)
def pytest_markdown_docs_markdown_it() -> SimpleNamespace:
    """Stand in for the Markdown parser, which does not see the blocks in tabs and notes."""
    return SimpleNamespace(parse=tokens)


def tokens(page: str) -> list[SimpleNamespace]:
    """Return what is tested: every Python block, and every Output block that follows none."""
    tested: list[Fence] = [*blocks(page), *stray_outputs(page)]
    return [
        SimpleNamespace(
            type="fence", info="python", content=fence.text, map=[fence.first - 1, fence.last]
        )
        for fence in sorted(tested, key=lambda fence: fence.first)
    ]


class Wrong(Exception):
    """What is wrong with a block, in words for the page's author."""


class PageRunner:
    """Runs a block, after the earlier ones of its page or alone, and compares what it prints."""

    def __init__(self) -> None:
        self.pages: dict[Path, tuple[Iterator[str], list[str]]] = {}

    def runtest(self, test: Any, namespace: dict[str, Any], *, asyncio_runner: object) -> None:
        """Test the block that begins at the given line of the page.

        Whatever a block raises leaves here as `Wrong`: pytest-markdown-docs would run the block
        again after a TypeError.
        """
        page = test.source_path.read_text("utf-8")
        if lacking := ", ".join(missing(page)):
            pytest.skip(f"{test.source_path.name} needs {lacking}: install the extra frameworks.")
        where = f"{os.path.relpath(test.source_path)}:{test.start_line}"
        tested = {block.first: (number, block) for number, block in enumerate(blocks(page))}
        if test.start_line not in tested:
            raise Wrong(f"{where}: no Python block stands directly before this Output block.")
        number, block = tested[test.start_line]
        printed = self.printed(test.source_path, page, number, where)
        if problem := difference(block, printed):
            raise Wrong(f"{where}: {problem}")

    def printed(self, path: Path, page: str, number: int, where: str) -> str:
        """Return what a block prints; outside guides, the blocks before it run first, once."""
        rest, texts = self.pages.setdefault(path, (run(page, str(path), {}), []))
        try:
            if is_guide(str(path)):
                return run_alone(blocks(page)[number], str(path))
            while len(texts) <= number:
                texts.append(next(rest))
        except StopIteration:
            raise Wrong(f"{where}: not run, since a block before it raised.") from None
        except Unproved as error:
            raise Wrong(f"{os.path.relpath(path)}, {error}") from None
        except Exception as error:
            raise Wrong(f"{where}: this failed.\n{traceback_in(path, error)}") from None
        return texts[number]

    def repr_failure(self, test: object, excinfo: pytest.ExceptionInfo[Any], style: object) -> str:
        """Report the words alone."""
        return str(excinfo.value) if excinfo.errisinstance(Wrong) else str(excinfo.getrepr())


def difference(block: Block, printed: str) -> str:
    """Say how what a block prints differs from its Output block; nothing where it does not."""
    update = "If what it prints is right, run the tests with --update-outputs."
    if not block.output:
        return printed and f"this prints, but no Output block follows.\n{printed}{update}"
    if not printed:
        return f"this prints nothing, but an Output block follows in line {block.output.first}."
    lines = unified_diff(
        block.output.text.split("\n"),
        printed.removesuffix("\n").split("\n"),
        fromfile=f"expected: the Output block in line {block.output.first}",
        tofile="printed",
        lineterm="",
    )
    report = "\n".join(lines)
    return report and f"this prints something else than expected.\n{report}\n{update}"


def traceback_in(path: Path, error: Exception) -> str:
    """Return the traceback of an error from where it enters the page."""
    entry = error.__traceback__
    while entry and entry.tb_frame.f_code.co_filename != str(path):
        entry = entry.tb_next
    return "".join(format_exception(error.with_traceback(entry))).rstrip()
