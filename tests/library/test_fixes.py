"""Each diff of the guide to a wrong gradient mends the block above it."""

import pytest

from executed.page import Block, programs
from support.checkout import DOCS

PAGE = DOCS / "guides" / "it-failed.md"
FIXES = [one for one in programs(PAGE.read_text("utf-8")) if one.info == "diff"]


@pytest.mark.parametrize("fix", FIXES, ids=lambda fix: f"line {fix.first}")
def test_a_diff_is_said_to_mend_the_block_above_it(fix: Block) -> None:
    """The engine runs the block as changed, and proves what the page states of it."""
    stated = [proof.expression for proof in fix.proofs]
    assert 'printed.startswith("The gradient is correct")' in stated
