"""A page as a program: its Python blocks, in order, in one namespace; those of a guide alone."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import distributions
from io import FileIO, TextIOWrapper
from itertools import pairwise, takewhile
from pathlib import Path
from subprocess import PIPE, STDOUT
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from mkdocs.utils.meta import get_data

import backproof
from executed.kernel import OVERWRITTEN
from executed.proofs import Proof, proofs
from executed.reached import NOTES, marked
from executed.ties import ties

# Blocks may draw, but never open a window. What progress bars and schedulers write tells how long
# something takes.
os.environ |= {"MPLBACKEND": "agg", "TQDM_DISABLE": "1"}
os.environ["DASK_DISTRIBUTED__LOGGING__DISTRIBUTED"] = "error"

FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})([^`]*)")
PYTHON = "python"
DIFF = "diff"
OUTPUT = 'text title="Output"'
HEADING = re.compile(r"#{1,6} ")
QUOTED = re.compile(r"`[^`\n]*<!--[^`\n]*-->[^`\n]*`")  # a comment that is shown marks nothing
SCRIPT = 'if __name__ == "__main__":'


@dataclass(frozen=True)
class Fence:
    """A fenced block: its first and last line, counted from 1, and what stands between them."""

    first: int
    last: int
    indent: str
    info: str
    text: str


@dataclass(frozen=True)
class Block(Fence):
    """A Python block or a diff, the Output block that follows it at once, and what it proves."""

    output: Fence | None
    proofs: tuple[Proof, ...] = ()


def is_guide(name: str) -> bool:
    """Whether a page is one whose blocks are copied one by one."""
    return Path(name).parent.name == "guides"


def run_one(block: Block, name: str, namespace: dict[str, Any]) -> str:
    """Run a block, in a guide as the script or the tests that it is; return what it prints."""
    if is_guide(name) and SCRIPT in block.text:
        printed = run_script(block)
        prove_all(block, name, printed, namespace)
        return printed
    printed = run_block(block, name, namespace)
    tests = is_guide(name) and any(defined.startswith("test_") for defined in namespace)
    return printed + (run_tests(block) if tests else "")


def run_block(block: Block, name: str, namespace: dict[str, Any]) -> str:
    """Run a block in a namespace; return what it prints, as a terminal shows it in the end."""
    namespace["__name__"] = "__main__"
    namespace.setdefault(NOTES, set())
    program = compile(marked(in_place(block), name), name, "exec", dont_inherit=True)
    printed = OVERWRITTEN.sub("", caught(partial(exec, program, namespace)))
    prove_all(block, name, printed, namespace)
    return printed


def caught(work: Callable[[], object]) -> str:
    """Return what this process and those that it starts write meanwhile, errors and all."""
    with TemporaryFile() as file:
        kept = {stream: os.dup(stream) for stream in (1, 2)}
        try:
            for stream in kept:
                os.dup2(file.fileno(), stream)
            python = TextIOWrapper(FileIO(1, "w", closefd=False), "utf-8", write_through=True)
            with redirect_stdout(python), redirect_stderr(python):
                work()
        finally:
            for stream, copy in kept.items():
                os.dup2(copy, stream)
                os.close(copy)
        file.seek(0)
        return file.read().decode("utf-8", "replace")


def prove_all(block: Block, name: str, printed: str, namespace: dict[str, Any]) -> None:
    """Prove what the page states of a block that has run."""
    known = {"backproof": backproof, **namespace, "printed": printed}
    for proof in block.proofs:
        caught(partial(proof.prove, name, known))


def run_tests(block: Block) -> str:
    """Run a block as a test file; return how many of its tests passed."""
    printed = run_script(block, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no")
    return printed.splitlines()[-1].partition(" in ")[0] + "\n"


def run_script(block: Block, *options: str) -> str:
    """Run a block as a file, where the processes that it starts find its functions."""
    with TemporaryDirectory() as folder:
        script = Path(folder, "block.py")
        script.write_text(in_place(block), "utf-8")
        command = [sys.executable, "-W", "error", *options, str(script)]
        done = subprocess.run(
            command, cwd=folder, stdout=PIPE, stderr=STDOUT, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(done.stdout)
    return done.stdout


def in_place(block: Block) -> str:
    """Return the code of a block below empty lines: tracebacks have the lines of the page."""
    return "\n" * block.first + block.text


def missing(page: str) -> list[str]:
    """Return the packages that the front matter of a page requires and that are not installed."""
    return [name for name in get_data(page)[1].get("requires", []) if not is_installed(name)]


def is_installed(package: str) -> bool:
    """Whether a package is installed, by the name that pip knows it by."""
    return any(distributions(name=package))


def blocks(page: str) -> list[Block]:
    """Return the Python blocks of a page."""
    return [program for program in programs(page) if program.info == PYTHON]


def programs(page: str) -> list[Block]:
    """Return the Python blocks of a page, and the diffs, each of which makes another block."""
    found = [*fences(page), None]
    plain = [
        Block(**vars(fence), output=after if after and follows(after, fence, page) else None)
        for fence, after in pairwise(found)
        if fence and fence.info in (PYTHON, DIFF)
    ]
    stated = stated_of(page, plain)
    return [replace(block, proofs=tuple(stated.get(block.first, ()))) for block in plain]


def stated_of(page: str, plain: list[Block]) -> dict[int, list[Proof]]:
    """Return the proofs of a page by the first line of the block that gives them."""
    text = QUOTED.sub("", without_fences(page))
    borders = headings(page)
    stated: dict[int, list[Proof]] = {}
    for proof in (*proofs(text), *ties(text)):
        if not plain:
            raise ValueError(
                f"line {proof.line}: no block of the page can prove {proof.expression}."
            )
        giver = min(plain, key=lambda block: distance(block, proof, borders))
        stated.setdefault(giver.first, []).append(proof)
    return stated


def distance(block: Block, proof: Proof, borders: list[int]) -> tuple[bool, bool, int]:
    """Tell which block gives a proof: one of its section, on its side, the nearest."""
    across = block.first - proof.line
    return is_parted(block, proof.line, borders), (across > 0) != proof.below, abs(across)


def is_parted(block: Block, line: int, borders: list[int]) -> bool:
    """Whether a heading stands between a block and a line."""
    low, high = sorted((block.first, line))
    return any(low < border <= high for border in borders)


def headings(page: str) -> list[int]:
    """Return the lines of a page, counted from 1, that are headings."""
    lines = without_fences(page).split("\n")
    return [n for n, line in enumerate(lines, 1) if HEADING.match(line)]


def without_fences(page: str) -> str:
    """Return the page with empty lines in the place of its fenced blocks."""
    lines = page.split("\n")
    for fence in fences(page):
        lines[fence.first - 1 : fence.last] = [""] * (fence.last - fence.first + 1)
    return "\n".join(lines)


def fences(page: str) -> Iterator[Fence]:
    """Yield the fenced blocks of a page, at any indentation, which is taken off.

    This knows no Markdown. What it overlooks is seen where the built page is compared with it.
    """
    lines = enumerate(page.split("\n"), 1)
    for first, line in lines:
        if opening := FENCE.fullmatch(line):
            margin, ticks, info = opening.groups()
            inside = takewhile(lambda numbered: numbered[1].rstrip() != margin + ticks, lines)
            text = [line.removeprefix(margin) for _, line in inside]
            yield Fence(first, first + len(text) + 1, margin, info.strip(), "\n".join(text))


def follows(output: Fence, block: Fence, page: str) -> bool:
    """Whether this is an Output block with only empty lines between it and the block."""
    between = page.split("\n")[block.last : output.first - 1]
    return output.info == OUTPUT and not any(map(str.strip, between))


def imports(page: str) -> Iterator[tuple[str, str]]:
    """Yield what the blocks of a page import: the name it gets, and the path it is found at."""
    for fence in fences(page):
        with suppress(SyntaxError):
            for node in ast.walk(ast.parse(fence.text)):
                yield from imported(node)


def imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield what a statement imports: the name it gets, and the path it is found at."""
    match node:
        case ast.Import(names=names):
            for one in names:
                root = one.name.partition(".")[0]
                yield (one.asname, one.name) if one.asname else (root, root)
        case ast.ImportFrom(module=module, names=names):
            for one in names:
                yield one.asname or one.name, f"{module}.{one.name}".removesuffix(".*")


def stray_outputs(page: str) -> list[Fence]:
    """Return the Output blocks that follow no Python block."""
    owned = [program.output for program in programs(page)]
    return [fence for fence in fences(page) if fence.info == OUTPUT and fence not in owned]
