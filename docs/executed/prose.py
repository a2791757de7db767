"""Numbers in the prose of a page: each is quoted from a block of the same page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from executed.formulas import FORMULA
from executed.page import blocks, without_fences

# 47, 0.5, 1e-07, 1.e-07, 1,000 and 3x, but neither W2 nor 2n nor 3.11.2.
NUMBER = re.compile(
    r"(?<![\w.])(?:\d{1,3}(?:[,_]\d{3})+|\d+)(?:\.\d+|\.(?=e))?(?:e[+-]?\d+)?(?!\.?\d|(?!x\b)\w)",
    re.IGNORECASE,
)
POWER_OF_TEN = re.compile(r"(?:(\d[\d.]*)\s*\\(?:cdot|times)\s*)?\b10\^\{?(-?\d+)\}?")
NOT_WHOLE = re.compile(r"\d+\.\d+(?:e-?\d+)?|[\d.]+e-?\d+")
YEAR = r"(?:1[5-9]|20)\d\d"
# Digits that state nothing the page could compute.
ASIDE = re.compile(
    rf"""
      \A---\n.*?^---$                                 # settings of the page
    | <!--.*?--> | </?[a-z][^<>]*>                     # HTML, addresses in angle brackets
    | (?<=\])\([^()\s]*(?:\s"[^"]*")?\)                # where links lead
    | ^\[[^]]+\]:[^\n]* | \[\^[^]]+\] | \bhttps?://\S+
    | \{{[:\#.][^{{}}]*\}}                             # attributes
    | ^[ ]*\d+\.[ ]                                    # the numbering of a list
    | \((?:[^()\d]*,\s)?{YEAR}(?:;[^()\d]+,\s{YEAR})*\)  # citations
    | \b(?:Python|NumPy|SciPy|Matplotlib|PyTorch|JAX)\s\d[\d.]*(?<!\.)  # versions
    """,
    re.DOTALL | re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def unquoted_numbers(page: str, name: str) -> list[str]:
    """Report each number in the prose that no Python or Output block of the page holds."""
    quoted = set(quoted_numbers(page))
    return [
        f"{name}:{line}: {number} stands in the prose, but in no Python or Output block."
        for line, text in enumerate(prose(page).split("\n"), 1)
        for number in NUMBER.findall(text)
        if value(number) not in quoted
    ]


def quoted_numbers(page: str) -> Iterator[Decimal]:
    """Yield the numbers in the Python and Output blocks of a page."""
    for block in blocks(page):
        text = f"{block.text}\n{block.output.text if block.output else ''}"
        # Whether a comma groups digits or parts numbers, it cannot tell: 1,000 is both.
        for either in (text, text.replace(",", " ")):
            yield from map(value, NUMBER.findall(either))


def value(number: str) -> Decimal:
    """Return the value of a number, however it is written."""
    return Decimal(number.replace(",", "").replace("_", ""))


def prose(page: str) -> str:
    """Return the page without what is no prose, each line in its place."""
    text = re.sub(FORMULA, results, without_fences(page))
    return ASIDE.sub(empty_lines, text)


def results(formula: re.Match[str]) -> str:
    """Return the numbers in a formula that are results: decimals and powers of ten."""
    tex = POWER_OF_TEN.sub(lambda power: f"{power[1] or 1}e{power[2]}", formula[0])
    return " ".join(NOT_WHOLE.findall(tex)) + empty_lines(formula)


def empty_lines(match: re.Match[str]) -> str:
    """Return as many line ends as the match has."""
    return "\n" * match[0].count("\n")
