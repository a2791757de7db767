"""What a page may show as code: what runs, what it prints, and a few kinds that are checked here.

A `diff` is run as the block above it after the change; a `toml` has settings of pytest, which
reads them; the programs, options, files, packages and extras of a `bash` exist.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from executed.commands import lines_of, runs
from executed.page import DIFF, OUTPUT, PYTHON, Fence, without_fences
from executed.prose import bare

BASH = "bash"
TOML = re.compile(r'toml title="([\w.]+\.toml)"')
KINDS = f'`{PYTHON}`, `{OUTPUT}`, `{DIFF}`, `{BASH}` or `toml title="FILE.toml"`'
TAG = re.compile(r"</?[a-z][\w-]*(?=[\s/>]|$)", re.IGNORECASE)
# What has blocks of its own below it, indented by four spaces.
OPENS = re.compile(r"\s*(?:!!! |\?\?\?\+? |===\+? |[-*+] |\d+\. |\[\^[^]]+\]: |: |::: )")


def misplaced(page: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a page that show code without a fence, or open none, and what is wrong."""
    for number, line in enumerate(bare(page).split("\n"), 1):
        if re.search("```|~~~", line):
            yield number, "this fence is none: begin the line with it, or with spaces before it."
        elif tag := TAG.search(line):
            yield number, f"{tag[0]}> is HTML, which no test knows: write Markdown."
    yield from indented(without_fences(page).split("\n"))


def indented(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that Markdown takes for code, since they are indented below nothing."""
    for number, line in enumerate(lines):
        starts = line.strip() and (number == 0 or not lines[number - 1].strip())
        if starts and depth(line) >= 4 + room(lines[:number], depth(line)):
            yield (
                number + 1,
                "this is indented, so it is shown as code: write a fence, or indent less.",
            )


def room(above: list[str], within: int) -> int:
    """Return how far a line that is indented so far may be, by the line that it belongs to."""
    for line in reversed(above):
        if line.strip() and depth(line) < within:
            return depth(line) + (4 if OPENS.match(line) else 0)
    return 0


def depth(line: str) -> int:
    """Return how far a line is indented, in a quotation, too."""
    text = re.sub("^> ?", "", line).expandtabs(4)
    return len(text) - len(text.lstrip())


def fault(fence: Fence, page: str) -> str:
    """Say what is wrong with a fence as it is written; nothing if that is right."""
    if fence.last > len(page.split("\n")):
        return f"this fence never ends: close it with the {fence.indent}``` that opens it."
    if "\t" in fence.indent or "\t" in fence.text:
        return "a tab is shown as spaces: indent with spaces, and print none."
    if fence.info == BASH:
        return "\n".join(unknown_in(fence.text))
    if named := TOML.fullmatch(fence.info):
        return refused(fence.text, named[1])
    if fence.info == OUTPUT:
        return "no Python block stands directly before this Output block."
    known = fence.info in (PYTHON, DIFF)
    return "" if known else f"no test knows the fence `{fence.info}`: write {KINDS}."


def refused(text: str, name: str) -> str:
    """Say why a file of settings is wrong, or what pytest says of it."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return f"this is no TOML: {error}."
    if [*tables] != ["tool"] or [*tables["tool"]] != ["pytest"]:
        return "no test knows these settings: show those of [tool.pytest] only."
    with TemporaryDirectory() as folder:
        Path(folder, name).write_text(text, "utf-8")
        Path(folder, "test_nothing.py").write_text("def test_nothing(): pass\n", "utf-8")
        command = [sys.executable, "-m", "pytest", "--strict-config", "--strict-markers"]
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider"], cwd=folder, capture_output=True, text=True
        )
    return f"pytest refuses this.\n{done.stdout}{done.stderr}" if done.returncode else ""


def unknown_in(script: str) -> Iterator[str]:
    """Yield what is wrong with commands: their syntax, or that something in them does not exist."""
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    if checked.returncode:
        yield f"this is no bash: {checked.stderr.strip()}"
        return
    for command in lines_of(script):
        if not runs(*command):
            yield (
                f"a program, option, file, package or extra does not exist in: {' '.join(command)}"
            )
