"""A hook of MkDocs: tables of reports keep their columns, and numbers are not broken."""

from __future__ import annotations

import re

TABLE = re.compile(r"(?<![^>\n])array +shape .*(?:\n[^\n<]+)*")
# A line may end behind the minus of an exponent.
NUMBER = re.compile(r"<code>(?=\d[\d.]*e-\d+</code>)")


def on_page_content(html: str, **_: object) -> str:
    """Mark the tables, from their first line to the empty one below, and the numbers in text."""
    html = TABLE.sub(r'<span class="report-table">\g<0></span>', html)
    return NUMBER.sub('<code class="number">', html)
