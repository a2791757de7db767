"""Files of numbers that take long to measure: each says what made it, and carries a sum over it.

A number that is changed by hand no longer fits the sum, and a script that counts in another way
has another version: both ask for `--write`.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ABOUT = {"command", "counting", "commit", "python", "versions"}
MEASURED_WITH = ("backproof", "mpmath", "numpy", "scipy")

Content = dict[str, Any]


def made(counting: int) -> Content:
    """Return what makes the numbers of this process; a script counts in its own version."""
    script, *options = sys.argv
    return {
        "command": " ".join(
            ["python", Path(script).resolve().relative_to(ROOT).as_posix(), *options]
        ),
        "counting": counting,
        "commit": commit(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in MEASURED_WITH if find_spec(name)},
    }


def commit() -> str:
    """Return the commit of the checkout, and whether it was changed since."""
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def summed(content: Content) -> Content:
    """Return the content of a file with the sum over it."""
    return {**content, "sum": sum_of(content)}


def sum_of(content: Content) -> str:
    """Return a sum over all but the sum itself, however the file is laid out."""
    rest = {name: part for name, part in content.items() if name != "sum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def complaints(content: Content, counting: int) -> list[str]:
    """Report where the numbers of a file are not those that its script measured."""
    about = content.get("made", {})
    problems = {
        "the sum is another one, as after a change by hand": content.get("sum") != sum_of(content),
        f"the script counts as in {counting} now": about.get("counting") != counting,
        "it does not say what made it": not about.keys() >= ABOUT,
    }
    return [f"{problem}. Run it with --write." for problem, found in problems.items() if found]
