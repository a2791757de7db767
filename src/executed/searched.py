"""A hook of MkDocs: code that is folded is not searched, nor sent for that."""

from __future__ import annotations

import re

FOLDED = re.compile(r'<details(?= class="\w+">\s*<summary>(?:The code |Where the |The solution))')


def on_page_content(html: str, **_: object) -> str:
    """Take code that is folded, as that of pictures and solutions, out of the search."""
    return FOLDED.sub("<details data-search-exclude", html)
