"""The source is linted, formatted and typed, and its docstrings say all of each parameter."""

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import backproof

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("docs/**/*.ipynb"), ROOT / "README.md"]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        # The lines of the pages are as wide as a page of the site shows without scrolling.
        ["ruff", "format", "--check", "--line-length=74", "--config=extend-exclude=[]", *PAGES],
        ["mypy"],
    ],
    ids=["lint", "format", "format of the pages", "types"],
)
def test_the_source_is_in_order(command: list[str | Path]) -> None:
    """The command finds nothing."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def without_entry(function: Callable[..., Any]) -> set[str]:
    """Return the parameters that have no entry of their own, from which types and defaults come."""
    section = (inspect.getdoc(function) or "").partition("Parameters\n----------\n")[2]
    entries = re.findall(r"^\w+$", section.partition("\n\n")[0], re.MULTILINE)
    return {*inspect.signature(function).parameters} - {*entries} if section else set()


def test_each_parameter_has_an_entry_of_its_own() -> None:
    """Two that share one would both be shown with the type and the default of the first."""
    public = [getattr(backproof, name) for name in backproof.__all__]
    functions = [one for one in public if inspect.isfunction(one)]
    assert not {one.__name__: without_entry(one) for one in functions if without_entry(one)}

    def planted(a: float, b: int) -> None:
        """Take two.

        Parameters
        ----------
        a, b
            Numbers.
        """

    assert without_entry(planted) == {"a", "b"}
