"""The source is linted, formatted and typed."""

import subprocess
import sys
from pathlib import Path

import pytest

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
