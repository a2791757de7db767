"""A hook of MkDocs: tells the script of a page which of its blocks run in the reader's browser."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator

from mkdocs.structure.pages import Page

from executed.page import Block, blocks, imported, is_guide
from executed.runtime import BASE, DRAWING, importable, megabytes


def on_page_content(html: str, page: Page, **_: object) -> None:
    """Leave what the script has to know where the template finds it."""
    name = page.file.src_uri
    if lacking := list(lacks(blocks(page.markdown or ""), is_guide(name))):
        told = {
            "alone": is_guide(name),
            "lacking": lacking,
            "reads": page.meta.get("reads", []),
            "megabytes": [megabytes(BASE), megabytes(DRAWING)],
        }
        page.meta["run"] = json.dumps(told).replace("<", "\\u003c")


def lacks(some: list[Block], are_alone: bool) -> Iterator[str]:
    """Say of each block what it lacks in a browser; of most, nothing."""
    before = ""
    for block in some:
        lacking = before or lack(block, are_alone)
        yield lacking
        if lacking and not are_alone:
            before = "a block above"


def lack(block: Block, is_alone: bool) -> str:
    """Say what a block lacks in a browser: modules, or pytest, which runs the tests of a guide."""
    tree = ast.parse(block.text)
    paths = [path for node in ast.walk(tree) for _, path in imported(node)]
    modules = {path.partition(".")[0] for path in paths}
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if is_alone and any(name.startswith("test_") for name in defined):
        modules.add("pytest")
    return " and ".join(sorted(modules - importable()))
