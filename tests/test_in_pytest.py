"""The test file of the guide to pytest is one."""

from pathlib import Path

import pytest

from executed.page import blocks

PAGE = Path(__file__).parents[1] / "docs" / "guides" / "in-pytest.md"


def test_the_file_to_copy_passes(pytester: pytest.Pytester) -> None:
    """Copied into a folder, its four tests run."""
    pytester.makepyfile(blocks(PAGE.read_text("utf-8"))[0].text)
    pytester.runpytest_inprocess().assert_outcomes(passed=4)
