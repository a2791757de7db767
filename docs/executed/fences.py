"""What a page may show as code: what runs, what it prints, and a few kinds that are checked here.

A `diff` is run as the block above it after the change; a `toml` is read by what it configures;
of a `bash`, the names of packages, extras, modules, files and options have to exist.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from executed.page import DIFF, OUTPUT, PYTHON, Fence, without_fences
from executed.prose import CODE
from executed.world import CHECKOUT

BASH = "bash"
TOML = re.compile(r'toml title="([\w.]+\.toml)"')
KINDS = f'`{PYTHON}`, `{OUTPUT}`, `{DIFF}`, `{BASH}` or `toml title="FILE.toml"`'
RAW = re.compile(r"<(?:pre|code|samp|kbd|xmp|listing|textarea)\b", re.IGNORECASE)
# What has blocks of its own below it, indented by four spaces.
OPENS = re.compile(r"\s*(?:!!! |\?\?\?\+? |===\+? |[-*+] |\d+\. |\[\^[^]]+\]: |: |::: )")
VERSION = re.compile(r"python[\d.]*")


def misplaced(page: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a page that show code without a fence, or open none, and what is wrong."""
    for number, line in enumerate(without_fences(page).split("\n"), 1):
        text = CODE.sub("", line)
        if re.search("```|~~~", text):
            yield number, "this fence is none: begin the line with it, or with spaces before it."
        elif raw := RAW.search(text):
            yield number, f"{raw[0]}> shows code that never runs: write a fence, or backticks."
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
    """Return how far a line is indented."""
    text = line.expandtabs(4)
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
    """Say why a file of settings is wrong, or what pytest says of its own part of it."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return f"this is no TOML: {error}."
    if "pytest" not in tables.get("tool", {}):
        return ""
    with TemporaryDirectory() as folder:
        Path(folder, name).write_text(text, "utf-8")
        Path(folder, "test_nothing.py").write_text("def test_nothing(): pass\n", "utf-8")
        command = [sys.executable, "-m", "pytest", "--strict-config", "--strict-markers"]
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider"], cwd=folder, capture_output=True, text=True
        )
    return f"pytest refuses this.\n{done.stdout}{done.stderr}" if done.returncode else ""


def unknown_in(script: str) -> Iterator[str]:
    """Yield what is wrong with commands: their syntax, and each name that does not exist."""
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    if checked.returncode:
        yield f"this is no bash: {checked.stderr.strip()}"
        return
    made: set[str] = set()
    for line in script.split("\n"):
        made.update(re.findall(r"-m venv (\S+)", line))
        for command in commands(line):
            yield from unknown(command, made)


def commands(line: str) -> Iterator[list[str]]:
    """Yield the commands of a line of bash, each as its words."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    command: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("&|;"):
            yield command
            command = []
        else:
            command.append(word)


def unknown(command: list[str], made: set[str]) -> Iterator[str]:
    """Yield what does not exist of a command."""
    for word in command:
        folder, slash, _ = word.partition("/")
        if slash and folder not in made and not (CHECKOUT / word).exists():
            yield f"{word}: the checkout has no such file."
    program, *words = [
        word.rpartition("/")[2] if n == 0 else word for n, word in enumerate(command)
    ]
    if VERSION.fullmatch(program) and words[:1] == ["-m"]:
        program, *words = words[1:]
    if not VERSION.fullmatch(program) and not find_spec(program):
        yield f"{program}: no package of the project has such a command."
        return
    verbs = [word for word in words[:1] if program in ("pip", "mkdocs")]
    for word in words[len(verbs) :]:
        if word.startswith("-") and word not in options(program, *verbs):
            yield f"{word}: {' '.join([program, *verbs])} has no such option."
        elif verbs == ["install"] and not word.startswith("-"):
            yield from uninstallable(word)


@cache
def options(*command: str) -> frozenset[str]:
    """Return the options of a command, by what it says of itself."""
    done = subprocess.run(
        [sys.executable, "-m", *command, "--help"], capture_output=True, text=True, check=True
    )
    return frozenset(re.findall(r"(?<![\w-])--?[a-z][\w-]*", done.stdout))


def uninstallable(requirement: str) -> Iterator[str]:
    """Yield what the project does not know of a requirement: the package, or its extras."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"]
    named = [project["project"]["name"], ".", *project["build-system"]["requires"]]
    named += [one for extra in extras.values() for one in extra]
    package, _, wanted = requirement.partition("[")
    if package not in (re.split(r"[\[<>=~]", one)[0] for one in named):
        yield f"{package}: the project is not called so, and needs no such package."
    for extra in filter(None, wanted.rstrip("]").split(",")):
        if extra not in extras:
            yield f"{extra}: the project has no such extra."
