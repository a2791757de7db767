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
from executed.texts import FORMAT
from support.checkout import ROOT, in_ci

BESIDE = [*ROOT.glob("docs/**/*.ipynb"), ROOT / "README.md"]  # pages test their own layout


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        [*FORMAT, *BESIDE],
        pytest.param(["mypy"], marks=in_ci),
    ],
    ids=["lint", "format", "format of the notebook and README", "types"],
)
def test_the_source_is_in_order(command: list[str | Path]) -> None:
    """The command finds nothing."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def told_alike(function: Callable[..., Any]) -> list[str]:
    """Return the entries of a docstring whose parameters differ in type or in default."""
    parameters = inspect.signature(function).parameters
    section = (inspect.getdoc(function) or "").partition("Parameters\n----------\n")[2]
    entries = re.findall(r"^\w+(?:, \w+)+$", section.partition("\n\n")[0], re.MULTILINE)
    of = {entry: [parameters[name] for name in entry.split(", ")] for entry in entries}
    return [e for e, ps in of.items() if len({(p.annotation, p.default) for p in ps}) > 1]


def test_parameters_share_an_entry_only_with_their_like() -> None:
    """The reference shows them with the type and the default of the first."""
    public = [getattr(backproof, name) for name in backproof.__all__]
    assert not [entry for one in public if inspect.isfunction(one) for entry in told_alike(one)]

    def planted(a: float, b: float, c: float = 1.0) -> None:
        """Take three.

        Parameters
        ----------
        a, b
            Numbers.
        b, c
            Numbers.
        """

    assert told_alike(planted) == ["b, c"]
