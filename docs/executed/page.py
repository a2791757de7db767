"""A page as a program: its Python blocks, in order, in one namespace; those of a guide alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from io import StringIO
from itertools import pairwise, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent
from typing import Any

from mkdocs.utils.meta import get_data

import backproof
from executed.proofs import Proof, proofs
from executed.ties import ties

# Blocks may draw, but never open a window.
os.environ["MPLBACKEND"] = "agg"

FENCE = re.compile(r"( *)(`{3,}|~{3,})([^`]*)")
PYTHON = re.compile(r"\{?\s*\.?(python|py)3?\b")
OUTPUT = re.compile(r'\{?\s*\.?text\s+title="Output"')
HEADING = re.compile(r"#{1,6} ")
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
    """A Python block, the Output block that follows it at once, if one does, and what it proves."""

    output: Fence | None
    proofs: tuple[Proof, ...] = ()


def run(page: str, name: str, namespace: dict[str, Any]) -> Iterator[str]:
    """Run the blocks of a page one by one; yield what each of them prints."""
    close_figures()
    for block in blocks(page):
        yield run_alone(block, name) if is_guide(name) else run_block(block, name, namespace)


def is_guide(name: str) -> bool:
    """Whether a page is one whose blocks are copied one by one."""
    return Path(name).parent.name == "guides"


def run_alone(block: Block, name: str) -> str:
    """Run a block as if it were all that there is, and its tests; return what it prints."""
    namespace: dict[str, Any] = {}
    if SCRIPT in block.text:
        printed = run_script(block)
        prove_all(block, name, printed, namespace)
        return printed
    printed = run_block(block, name, namespace)
    tests = any(defined.startswith("test_") for defined in namespace)
    return printed + (run_tests(block) if tests else "")


def run_block(block: Block, name: str, namespace: dict[str, Any]) -> str:
    """Run a block in a namespace; return what it prints, without progress bars and logs."""
    namespace["__name__"] = "__main__"
    program = compile(in_place(block), name, "exec", dont_inherit=True)
    with redirect_stdout(StringIO()) as printed, redirect_stderr(StringIO()):
        exec(program, namespace)
    prove_all(block, name, printed.getvalue(), namespace)
    return printed.getvalue()


def prove_all(block: Block, name: str, printed: str, namespace: dict[str, Any]) -> None:
    """Prove what the page states of a block that has run."""
    for proof in block.proofs:
        proof.prove(name, {"backproof": backproof, **namespace, "printed": printed})


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
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


def in_place(block: Block) -> str:
    """Return the code of a block below empty lines: tracebacks have the lines of the page."""
    return "\n" * block.first + block.text


def missing(page: str) -> list[str]:
    """Return the modules that the front matter of a page requires and that are not installed."""
    return [name for name in get_data(page)[1].get("requires", []) if not find_spec(name)]


def blocks(page: str) -> list[Block]:
    """Return the Python blocks of a page."""
    found = [*fences(page), None]
    plain = [
        Block(**vars(fence), output=after if after and follows(after, fence, page) else None)
        for fence, after in pairwise(found)
        if fence and PYTHON.match(fence.info)
    ]
    stated = stated_of(page, plain)
    return [replace(block, proofs=tuple(stated.get(block.first, ()))) for block in plain]


def stated_of(page: str, plain: list[Block]) -> dict[int, list[Proof]]:
    """Return the proofs of a page by the first line of the block that gives them."""
    text = without_fences(page)
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
    return is_output(output) and not any(map(str.strip, between))


def is_output(fence: Fence) -> bool:
    """Whether a fenced block is an Output block."""
    return bool(OUTPUT.match(fence.info))


def stray_outputs(page: str) -> list[Fence]:
    """Return the Output blocks that follow no Python block."""
    owned = [block.output for block in blocks(page)]
    return [fence for fence in fences(page) if is_output(fence) and fence not in owned]


def with_outputs(page: str, name: str) -> str:
    """Return the page with each Output block as printed, as far as the blocks run."""
    lines = page.split("\n")
    # From the last one up, so that the lines above keep their numbers.
    for block, text in reversed(list(zip(blocks(page), printed(page, name), strict=False))):
        if text:
            margin = (block.output or block).indent
            shown = indent(text.removesuffix("\n"), margin).split("\n")
            fence = indent('\n```text title="Output"\n```', margin).split("\n")
            if block.output:
                lines[block.output.first : block.output.last - 1] = shown
            else:
                lines[block.last : block.last] = [*fence[:2], *shown, fence[2]]
    return "\n".join(lines)


def printed(page: str, name: str) -> list[str]:
    """Return what the blocks of a page print, up to the first one that raises."""
    texts = []
    with suppress(Exception):
        for text in run(page, name, {}):
            texts.append(text)
    return texts


def close_figures() -> None:
    """Close the figures of the page before."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
