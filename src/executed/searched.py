"""A hook of MkDocs: the code of pictures and solutions is not searched, nor sent for that."""

from __future__ import annotations

import re

FOLDED = re.compile(r'<details(?= class="\w+">\s*<summary>(?:The code of the|Where the|The sol))')


def on_page_content(html: str, **_: object) -> str:
    """Take what is folded below a picture or an exercise out of the search."""
    return FOLDED.sub("<details data-search-exclude", html)
