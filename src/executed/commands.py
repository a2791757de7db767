"""Files of the checkout, and commands whose programs, options, files and packages exist."""

from __future__ import annotations

import fnmatch
import re
import shlex
import subprocess
import sys
import tomllib
from contextlib import suppress
from functools import cache
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDERS = (".ci", ".github", "docs", "src", "tests")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
GROUPS: dict[str, list[Any]] = PYPROJECT["dependency-groups"]
# The library as each build puts it beside the pages.
WHEEL = ROOT / "docs/assets/python" / f"{PROJECT['name']}-{PROJECT['version']}-py3-none-any.whl"
BUILT = {".html": (".md", ".ipynb", ".html")}  # what the build makes of what
VARIABLE = re.compile(r"[A-Z_]+=\w+")
PYTHON = re.compile(r"^python[\d.]*$")
PACKAGE = re.compile(r"([\w.-]+)(?:\[([\w,-]+)\])?")
# Where packages that no extra or group brings come from, and what they are there for.
OTHERS = {"jupyter": "runs the notebook"}


@cache
def endings() -> frozenset[str]:
    """Return the paths of the files and folders of the checkout, and all their endings."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    top = [path for path in ROOT.iterdir() if path.is_file() or path.name in FOLDERS]
    parts = [path.relative_to(ROOT).parts for path in (*top, *found)]
    return frozenset("/".join(some[first:]) for some in parts for first in range(len(some)))


def is_file(span: str) -> bool:
    """Whether the path of a file, of some files or of what is built from one ends like this."""
    path = Path(span)
    if not path.suffix and "/" not in span and span not in FOLDERS:
        return False
    same = [path.with_suffix(suffix) for suffix in BUILT.get(path.suffix, [path.suffix])]
    found = any(one.as_posix() in endings() for one in same)
    return found or ("*" in span and bool(fnmatch.filter(endings(), span)))


def is_command(span: str) -> bool:
    """Whether each command of a line has a program that takes its words; or it is an option."""
    if span.startswith("-"):
        return takes(("python",), span.split()[0]) or takes(("pytest",), span.split()[0])
    with suppress(ValueError):
        return all(command and runs(*command) for command in lines_of(span))
    return False


def lines_of(script: str) -> list[list[str]]:
    """Return the commands of a script, each as its words."""
    found = []
    for line in script.replace("\\\n", " ").split("\n"):
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        parted = groupby(words, lambda word: set(word) <= {*"&|;"})
        commands = [[*command] for ends, command in parted if not ends]
        found += [[word for word in command if word != ">"] for command in commands]
    return found


def runs(program: str, *words: str) -> bool:
    """Whether a program exists and takes such words, perhaps with a variable set before it."""
    if words and VARIABLE.fullmatch(program):
        return runs(*words)
    program = PYTHON.sub("python", PurePosixPath(program).name)
    if program == "python" and words[:2] == ("-m", "venv"):
        *options, folder = words[2:] or ("-",)
        return folder[0] != "-" and all(one[0] == "-" and takes(("venv",), one) for one in options)
    if program == "python" and words[:1] == ("-m",):
        return runs(*words[1:])
    if program == "python" and words:
        script = ROOT / words[0]
        return script.is_file() and all(word in script.read_text("utf-8") for word in words[1:])
    if not Path(sys.executable).with_name(program).exists():
        return False
    if program == "pip" and "--group" in words:
        i = words.index("--group")
        named = [group for group in words[i + 1 : i + 2] if group in GROUPS]
        return bool(named) and runs(program, *words[:i], *words[i + 2 :])
    verbs = [word for word in words[:1] if word[0] != "-" and not is_file(word)]
    known = all(re.search(rf"(?<!\S){re.escape(verb)}(?!\S)", helped(program)) for verb in verbs)
    return known and all(takes((program, *words[:1]), word) for word in words)


def takes(command: tuple[str, ...], word: str) -> bool:
    """Whether a word of a command exists: an option, a package to install, or a path."""
    if word.startswith("-"):
        return bool(re.search(rf"(?<!\S){re.escape(word)}(?![\w-])", helped(*command)))
    if command == ("pip", "install") and word != "install":
        return is_package(word)
    return is_file(word) or not re.search(r"[/.]", word)


@cache
def helped(program: str, *words: str) -> str:
    """Return what a program says of its options."""
    command = [sys.executable, *([] if program == "python" else ["-m", program])]
    subcommand = [word for word in words if program not in ("mypy", "pytest") and word[0] != "-"]
    done = subprocess.run(
        [*command, *subcommand, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout


def is_package(word: str) -> bool:
    """Whether this is the project, with extras that it has, or one that it is used with."""
    found = PACKAGE.fullmatch(word)
    if not found:
        return False
    extras = (found[2] or "").split(",")
    name = PROJECT["name"] if found[1] == "." else found[1]
    required = [one for some in (*EXTRAS.values(), *GROUPS.values()) for one in some]
    listed = {re.split(r"[^\w.-]", one)[0] for one in required if isinstance(one, str)}
    known = name in {PROJECT["name"], *listed, *OTHERS}
    return known and (extras == [""] or (name == PROJECT["name"] and set(extras) <= EXTRAS.keys()))
