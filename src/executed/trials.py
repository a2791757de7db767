"""Trials of a page: each program of it is run, apart from all else, and what came of it kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import unified_diff
from functools import partial
from pathlib import Path
from pydoc import locate
from textwrap import indent
from traceback import format_exception
from typing import Any

from mkdocs.utils.meta import get_data

from executed.descriptions import figures_of
from executed.page import (
    DIFF,
    OUTPUT,
    PYTHON,
    SCRIPT,
    Block,
    blocks,
    imports,
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

TESTS = re.compile("^def test_", re.MULTILINE)
# What no page can show.
UNSEEN = re.compile(r"[^\n -~\x80-\U0010ffff]|[\x80-\x9f]")
MOST_SECONDS = 120  # no program takes a quarter of it, on a busy machine


@dataclass(frozen=True)
class Trial:
    """What a program printed, the lines of it that never ran, what is wrong, and what it draws.

    The figures of a page are those of its last program, those of a guide each of its own: what
    they show, or pictures of them, by their names.
    """

    printed: str | None
    idle: tuple[tuple[int, str], ...] = ()
    problem: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


Attempt = Callable[[list[Block], str, str], Iterator[tuple[int, Trial]]]


def trials(
    page: str, name: str, attempt: Attempt, seconds: float = MOST_SECONDS
) -> dict[int, Trial]:
    """Try the programs of a page, each for so long; return what came of them by first lines."""
    if not is_guide(name):
        return judged(page, tried(programs(page), page, name, attempt, seconds))
    return judged(page, dict(apart(partial(each_alone, page, name, attempt, seconds))))


def each_alone(
    page: str, name: str, attempt: Attempt, seconds: float
) -> Iterator[tuple[int, Trial]]:
    """Try the programs of a guide, each in a process of its own, which has what they import."""
    for _, path in imports(page):
        with suppress(BaseException):
            locate(path)
    for program in programs(page):
        yield from tried([program], page, name, attempt, seconds).items()


def tried(
    some: list[Block], page: str, name: str, attempt: Attempt, seconds: float
) -> dict[int, Trial]:
    """Try some programs of a page, apart, up to the first that fails."""
    found: dict[int, Trial] = {}
    reads = get_data(page)[1].get("reads", [])
    try:
        for line, trial in apart(partial(attempt, some, page, name), reads, seconds):
            found[line] = trial
    except Died as death:
        dead = next((program for program in some if program.first not in found), some[-1])
        found[dead.first] = Trial(None, problem=within(name, str(death)))
    return found


def described(some: list[Block], page: str, name: str) -> Iterator[tuple[int, Trial]]:
    """Run programs of a page in order, and describe the figures that they leave."""
    if not figures_of(page):
        yield from in_order({}, some, page, name)
        return
    from executed.figures import with_figures  # imports Matplotlib, which takes long
    from executed.pictures import told

    yield from with_figures(told, some, page, name)


def in_order(
    variables: dict[str, Any], some: list[Block], page: str, name: str
) -> Iterator[tuple[int, Trial]]:
    """Run programs of a page, up to the first that fails; then look for code that never ran.

    What they define is left in the variables, where those of a guide do not see it.
    """
    notes: set[str] = set()
    printed: dict[int, str] = {}
    for program in some:
        namespace = {} if is_guide(name) else variables
        namespace[NOTES] = notes
        try:
            printed[program.first] = (
                run_diff(program, page, name)
                if program.info == DIFF
                else run_one(program, name, namespace)
            )
        except BaseException as error:
            yield program.first, Trial(None, problem=failure(error, name))
            return
        variables |= namespace
        yield program.first, Trial(printed[program.first])
    for program in some:
        if program.info == PYTHON and not (is_guide(name) and is_file(program)):
            idle = tuple(never(in_place(program), notes))
            yield program.first, Trial(printed[program.first], idle)


def is_file(block: Block) -> bool:
    """Whether functions of a block of a guide run elsewhere, as those of a script, or of tests."""
    return SCRIPT in block.text or bool(TESTS.search(block.text))


# Diffs


def run_diff(diff: Block, page: str, name: str) -> str:
    """Run the block above a diff as that changes it; return what it prints now."""
    above = [block for block in blocks(page) if block.first < diff.first]
    while above and not holds(above[-1], diff):
        above.pop()
    if not above:
        raise ValueError("no block above holds the old lines of this diff once.")
    changed = replace(above[-1], text=mended(above[-1].text, diff.text), proofs=diff.proofs)
    namespace: dict[str, Any] = {}
    for block in () if is_guide(name) else above[:-1]:
        run_block(block, name, namespace)
    printed = run_one(changed, name, namespace)
    shown = above[-1].output
    if shown and printed.removesuffix("\n") == shown.text:
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


# What came of it


def drawn_by(found: dict[int, Trial]) -> dict[str, Any]:
    """Return the figures of all programs of a page."""
    return {name: one for trial in found.values() for name, one in trial.figures.items()}


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


def problems_of(page: str, found: dict[int, Trial]) -> dict[int, str]:
    """Say what is wrong with the programs of a page, by their first lines; nothing if right."""
    return {one.first: problem(one, found.get(one.first)) for one in programs(page)}


def problem(program: Block, trial: Trial | None) -> str:
    """Say what is wrong with a block that was tried."""
    if not trial:
        return "not run, since a block before it raised."
    shown = program.output or program.info == PYTHON  # what a diff prints may be left out
    return trial.problem or (difference(program, trial.printed or "") if shown else "")


def difference(block: Block, printed: str) -> str:
    """Say how what a block prints differs from its Output block; nothing where it does not."""
    update = "If what it prints is right, run the tests with --update-outputs."
    if hidden := UNSEEN.search(printed):
        return f"this prints {hidden[0]!r}, which no page can show: let it print none."
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


def judged(page: str, found: dict[int, Trial]) -> dict[int, Trial]:
    """Return trials that say which code never ran, where no comment of the page quotes it."""
    comments = markings(without_fences(page))
    quoted = {one.text: one.line for one in comments if one.kind == "never runs"}
    judged = {
        first: replace(trial, problem=trial.problem or unquoted(trial, quoted))
        for first, trial in found.items()
    }
    idle = {code for trial in found.values() for _, code in trial.idle}
    whole = all(trial.printed is not None for trial in found.values())
    for code in quoted.keys() - idle if whole else ():
        said = f"line {quoted[code]} is not so: this does run, or no block has it: {code}"
        judged[max(found)] = replace(found[max(found)], problem=said)
    return judged


def unquoted(trial: Trial, quoted: Collection[str]) -> str:
    """Say which code of a block never ran, and what to do about it."""
    return "\n".join(
        f"line {line} never runs: {code}\n"
        f"Let the page run it, take it out, or write <!-- never runs: {code} --> below."
        for line, code in trial.idle
        if code not in quoted
    )


# Updating


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
    ticks = "`" * max([3, *(len(found) + 1 for found in re.findall("`{3,}", printed))])
    return f"{ticks}{OUTPUT}\n{printed.removesuffix(chr(10))}\n{ticks}"
