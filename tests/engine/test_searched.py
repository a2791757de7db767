"""What is searched: the words of a page and its code, but not code that is folded."""

from __future__ import annotations

import pytest

from executed.searched import on_page_content


@pytest.mark.parametrize(
    ("summary", "is_left_out"),
    [
        ("The code of the picture", True),
        ("Where the norms come from", True),
        ("The solution", True),
        ("The code that prints them", True),
        ("A hint", False),
        ("More about it", False),
    ],
)
def test_folded_code_is_not_searched(summary: str, is_left_out: bool) -> None:
    """Other text is, folded or not."""
    html = f'<p>Norms</p><details class="info">\n<summary>{summary}</summary></details>'
    assert ("<details data-search-exclude" in on_page_content(html)) == is_left_out
