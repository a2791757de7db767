"""Trials of a page: each program of it is run, apart from all else, and what came of it kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from textwrap import indent
from traceback import format_exception

from mkdocs.utils.meta import get_data

from executed.page import (
    DIFF,
    OUTPUT,
    PYTHON,
    SCRIPT,
    Block,
    close_figures,
    in_place,
    is_guide,
    programs,
    run_block,
    run_one,
    without_fences,
)
from executed.proofs import Unproved, markings
from executed.reached import NOTES, never
from executed.world import Died, apart

TESTS = re.compile(r"^ *def test_", re.MULTILINE)


@dataclass(frozen=True)
class Trial:
    """What a block printed, where it ran, and what is wrong with it."""

    printed: str | None
    problem: str = ""


def trials(page: str, name: str) -> dict[int, Trial]:
    """Try the programs of a page; return what came of them by their first lines.

    In a guide, those behind one that fails are tried, too.
    """
    found: dict[int, Trial] = {}
    reads = get_data(page)[1].get("reads", [])
    while left := [program for program in programs(page) if program.first not in found]:
        try:
            for line, trial in apart(partial(attempts, left, page, name), reads):
                found[line] = trial
        except Died as death:
            dead = next(program for program in left if program.first not in found)
            found[dead.first] = Trial(None, within(name, str(death)))
        if not is_guide(name):
            break
    return found


def attempts(left: list[Block], page: str, name: str) -> Iterator[tuple[int, Trial]]:
    """Try programs one by one, then look for code in them that never ran."""
    close_figures()
    namespace: dict[str, object] = {}
    ran: list[tuple[Block, str]] = []
    reached: set[int] = set()
    for program in left:
        if is_guide(name):
            namespace = {}
        try:
            printed = (
                run_diff(program, page, name, ran)
                if program.info == DIFF
                else run_one(program, name, namespace)
            )
        except BaseException as error:
            yield program.first, Trial(None, failure(error, name))
            if not is_guide(name):
                return
        else:
            ran.append((program, printed))
            reached |= namespace.get(NOTES, set())  # type: ignore[arg-type]
            yield program.first, Trial(printed)
    for program, printed in ran:
        if problem := "\n".join(unreached(program, page, reached)):
            yield program.first, Trial(printed, problem)
    if len(ran) == len(programs(page)) and (untrue := untrue_quotes(page, reached)):
        yield program.first, Trial(printed, untrue)


def run_diff(diff: Block, page: str, name: str, ran: list[tuple[Block, str]]) -> str:
    """Run the block above a diff as that changes it; return what it prints now."""
    above = [block for block in programs(page) if block.info == PYTHON and block.first < diff.first]
    while above and not holds(above[-1], diff):
        above.pop()
    if not above:
        raise ValueError("no block above holds the old lines of this diff once.")
    changed = replace(above[-1], text=mended(above[-1].text, diff.text), proofs=diff.proofs)
    namespace: dict[str, object] = {}
    for block in () if is_guide(name) else above[:-1]:
        run_block(block, name, namespace)
    printed = run_one(changed, name, namespace)
    if (above[-1], printed) in ran:
        raise ValueError("with this change, the block above prints what it printed before.")
    return printed


def holds(block: Block, diff: Block) -> bool:
    """Whether a block has the old lines of a diff once."""
    return f"\n{block.text}\n".count(side(diff.text, "-")) == 1


def mended(program: str, diff: str) -> str:
    """Return the program with the old lines of a diff replaced by the new."""
    return f"\n{program}\n".replace(side(diff, "-"), side(diff, "+"))[1:-1]


def side(diff: str, sign: str) -> str:
    """Return the old lines of a diff, or the new ones, each with its end."""
    lines = (line for line in diff.split("\n") if line[:1] in ("", " ", sign))
    return "\n" + "".join(f"{line[1:]}\n" for line in lines)


def unreached(program: Block, page: str, reached: set[int]) -> Iterator[str]:
    """Say which lines of a block never run, where the page does not quote them."""
    for line, code in idle_lines(program, reached):
        if code not in excepted(page):
            yield (
                f"line {line} never runs: {code}\n"
                f"Let the page run it, take it out, or write <!-- never runs: {code} --> below."
            )


def untrue_quotes(page: str, reached: set[int]) -> str:
    """Say which lines a page quotes as code that never runs, where they do, or do not exist."""
    idle = {code for program in programs(page) for _, code in idle_lines(program, reached)}
    wrong = [code for code in excepted(page) if code not in idle]
    return "\n".join(f"this is not so: <!-- never runs: {code} -->" for code in wrong)


def excepted(page: str) -> list[str]:
    """Return the lines of code that a page quotes since they never run."""
    return [one.text for one in markings(without_fences(page)) if one.kind == "never runs"]


def idle_lines(program: Block, reached: set[int]) -> Iterator[tuple[int, str]]:
    """Yield the lines of a block that never run, but of one that is run as a file, elsewhere."""
    if program.info == PYTHON and SCRIPT not in program.text and not TESTS.search(program.text):
        lines = in_place(program).split("\n")
        for number in never(in_place(program), reached):
            yield number, lines[number - 1].strip()


def failure(error: BaseException, name: str) -> str:
    """Say how a block failed."""
    if isinstance(error, Unproved):
        return f"{Path(name).name}, {error}"
    entry = error.__traceback__
    while entry and entry.tb_frame.f_code.co_filename != name:
        entry = entry.tb_next
    return "this failed.\n" + "".join(format_exception(error.with_traceback(entry))).rstrip()


def within(name: str, trace: str) -> str:
    """Return a trace, the last call first, without what lies outside of the page."""
    lines = trace.rstrip().split("\n")
    inside = [number for number, line in enumerate(lines, 1) if f'"{name}"' in line]
    return "\n".join(lines[: inside[-1]] if inside else lines)


def with_outputs(page: str, found: dict[int, Trial]) -> str:
    """Return a page, whose lines may end in any way, with each Output block as printed."""
    lines = page.split("\n")
    # From the last one up, so that the lines above keep their numbers.
    for program in reversed(programs(page.replace("\r\n", "\n"))):
        printed = found[program.first].printed if program.first in found else ""
        old = program.output
        wanted = old or program.info == PYTHON
        if printed and wanted and not (old and old.text == printed.removesuffix("\n")):
            start, stop = (old.first - 1, old.last) if old else (program.last, program.last)
            end = "\r" if lines[program.first - 1].endswith("\r") else ""
            shown = indent(output_block(printed), (old or program).indent).split("\n")
            lines[start:stop] = [f"{line}{end}" for line in ([] if old else [""]) + shown]
    return "\n".join(lines)


def output_block(printed: str) -> str:
    """Return an Output block, with more backticks around it than it has in it."""
    ticks = "`" * max(3, *(len(found) + 1 for found in re.findall("`{3,}", printed)), 3)
    return f"{ticks}{OUTPUT}\n{printed.removesuffix(chr(10))}\n{ticks}"
