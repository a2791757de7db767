"""Typesets formulas, `$...$` and `$$...$$`, while a page is built: reading them needs no script."""

from __future__ import annotations

import atexit
import re
from functools import cache

from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor
from py_mini_racer import JSEvalException, MiniRacer

from executed.commands import ROOT

# No space just inside the dollars, no digit after them: "from $5 to $6" holds no formula.
FORMULA = r"(?<![\\$])(?:\$\$(?P<displayed>[^$]+)\$\$|\$(?P<inline>(?!\s)[^$]*[^$\s\\])\$(?![$\d]))"
KATEX = ROOT / "docs" / "assets" / "katex" / "katex.min.js"
# A search result would show each formula three times: as text, as TeX and as MathML.
INLINE = '<span class="formula" data-search-exclude>{}</span>'
# A wide formula scrolls in its own box, by keyboard too.
DISPLAYED = '<div class="formula" tabindex="0" data-search-exclude>{}</div>'


class Formulas(Extension):
    """The extension of Python-Markdown."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Find formulas after code (190), and before backslashes are taken for escapes (180)."""
        md.ESCAPED_CHARS = [*md.ESCAPED_CHARS, "$"]
        md.inlinePatterns.register(Formula(FORMULA, md), "formula", 185)


class Formula(InlineProcessor):
    """Puts the typeset formula in the place of its TeX."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:  # noqa: N802
        """Store the HTML where Python-Markdown stores what it must not touch."""
        tex, form = (m["displayed"], DISPLAYED) if m["displayed"] else (m["inline"], INLINE)
        html = form.format(typeset(tex.strip(), displayed=form is DISPLAYED))
        return self.md.htmlStash.store(html), m.start(), m.end()


def typeset(tex: str, *, displayed: bool) -> str:
    """Return the HTML and MathML of a formula."""
    options = {"displayMode": displayed, "throwOnError": True, "strict": "error"}
    try:
        return str(katex().call("katex.renderToString", tex, options))
    except JSEvalException as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"KaTeX cannot typeset the formula ${tex}$: {reason}") from None


@cache
def katex() -> MiniRacer:
    """Return a JavaScript context that holds KaTeX."""
    context = MiniRacer()
    # It waits for a thread, which ends while the interpreter does, on Python 3.13 for ever.
    atexit.register(context.close)
    context.eval(KATEX.read_text("utf-8"))
    return context
