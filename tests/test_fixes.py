"""Each diff of the guide to a wrong gradient mends the block above it."""

from pathlib import Path

import pytest

from conftest import DOCS
from executed.page import fences, run

PAGE = DOCS / "guides" / "it-failed.md"
FIXES = dict[str, tuple[str, str]]


def fixes(page: Path) -> FIXES:
    """Return each diff of a page with the block above it, by its line."""
    found: FIXES = {}
    program = ""
    for fence in fences(page.read_text("utf-8")):
        program = fence.text if fence.info == "python" else program
        if fence.info == "diff":
            found[f"line {fence.first}"] = (program, fence.text)
    return found


def mended(program: str, diff: str) -> str:
    """Return the program with the old lines of a diff, which it has once, replaced by the new."""
    old, new = (
        "\n".join(line[1:] for line in diff.split("\n") if line[0] in f" {side}") for side in "-+"
    )
    assert program.count(old) == 1, f"The block does not hold these lines once:\n{old}"
    return program.replace(old, new)


def printed(program: str) -> str:
    """Return what a program prints."""
    return "".join(run(f"```python\n{program}\n```", "a block", {}))


@pytest.mark.parametrize(("program", "diff"), fixes(PAGE).values(), ids=fixes(PAGE))
def test_a_diff_mends_the_block_above_it(program: str, diff: str) -> None:
    """The block reports no mistake after the change, and does not say so before it."""
    assert printed(mended(program, diff)).startswith("The gradient is correct")
    assert not printed(program).startswith("The gradient is correct")


def test_a_diff_of_other_lines_is_refused() -> None:
    """A diff of lines that the block does not hold is no fix of it."""
    with pytest.raises(AssertionError, match="does not hold"):
        mended("x = 1", "-x = 2\n+x = 3")
    assert mended("x = 1\ny = 2", " x = 1\n-y = 2\n+y = 3") == "x = 1\ny = 3"
