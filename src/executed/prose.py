"""What the prose of a page states in numbers and words: a comment at the line's end ties it.

A number, in digits or in words from two up, quotes a piece of a block that has it and stands there
once, `<!-- "500 steps" quotes: range(500) -->`: in the last block above its line or the first one
below, in its section where that has blocks. Such a number, and a word that multiplies, divides or
compares, such as twice, half or larger than, may be proved instead, `<!-- "twice as large" holds:
1.9 < a / b < 2.1 -->`, or free for a reason, `<!-- "twice as large" free: REASON -->`. `free.txt`
lists what is free on every page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from math import prod
from pathlib import Path

from executed.commands import PROJECT
from executed.formulas import FORMULA
from executed.page import Block, blocks, headings, is_parted, without_fences
from executed.proofs import MARKING, Marking, markings

MINUS = "[-−]"
# 47, -0.5, 1e-07, 1.e-07, 1,000, 3x, 5MB, 2n and 917th, but neither W2 nor 3.11.2.
NUMBER = re.compile(
    rf"(?<![\w.]){MINUS}?(?:\d{{1,3}}(?:[,_]\d{{3}})+|\d+)(?:\.\d+|\.(?=e))?(?:e[+-]?\d+)?(?!\.?\d)",
    re.IGNORECASE,
)
NAME = re.compile(r"\b[^\W\d]\w*\d\w*|(?<![\w.])\d+(?:\.\d+){2,}")  # W2, float32, 3.11.2
POWER_OF_TEN = re.compile(r"(?:(\d[\d.]*)\s*\\(?:cdot|times)\s*)?\b10\^\{?(-?\d+)\}?")
RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
RAISED_TEN = re.compile("10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
CODE = re.compile(r"(?<!`)(`+)(?!`) ?(.+?) ?(?<!`)\1(?!`)")  # in backticks, as many on both sides
NOT_WHOLE = re.compile(r"\d+\.\d+(?:e-?\d+)?|[\d.]+e-?\d+")

SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen"""
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
WORDS = {word: number for number, word in enumerate(SMALL.split())}
WORDS |= {word: 10 * number for number, word in enumerate(TENS.split(), 2)}
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
WORD = "|".join([*WORDS, *SCALES])
COUNT = re.compile(rf"\b(?:{WORD})(?:-(?:{WORD}))?(?:[ ](?:{'|'.join(SCALES)}))*\b", re.IGNORECASE)
TH = "|".join([*WORDS, *SCALES, "fif", "eigh", "nin", "twelf", *TENS.replace("y", "ie").split()])
RELATION = re.compile(
    rf"""\b(?: (?:{WORD})(?:\stimes|fold) | twice | thrice | hal(?:f|ves?|ved|ving) | percent
      | doubl(?:e[ds]?|ing) | (?:tripl|quadrupl)(?:ed|es|ing) | at\s(?:most|least)
      | (?:a|one|two)[ ]thirds? | quarters? | (?:{TH})ths?
      | dozens? | hundreds | thousands | millions | never | always
      | (?!other|rather)(?:less|fewer|more|\w+er)[ ](?:(?!is|by)\w+[ ]){{0,3}}?than )\b""",
    re.IGNORECASE | re.VERBOSE,
)

# One counts as a pronoun, and so do two and three of what was counted before.
FEWEST = 2
PRONOUN = re.compile(
    r"\b(?:the|these|those|its|their|which|no|any|all|last|first|other|or|one)\s(?:two|three)\b",
    re.IGNORECASE,
)
YEAR = r"(?:1[5-9]|20)\d\d"
REQUIRED = ["Python" + PROJECT["requires-python"], *PROJECT["dependencies"]]
VERSIONS = "|".join(re.escape(one).replace(">=", r"\s") for one in REQUIRED)
FREE = (Path(__file__).parent / "free.txt").read_text("utf-8").splitlines()
PHRASES = "|".join(re.escape(line.partition(": ")[0]) for line in FREE).replace(r"\ ", r"\s")
# What states nothing that the page could compute.
ASIDE = re.compile(
    rf"""
      \A---\n.*?\n---$ | <!--.*?--> | </?[a-z][^<>]*>  # front matter, HTML, <addresses>
    | (?<=\])\([^()\s]*                                # where links lead
    | ^--8<--[^\n]*$                                   # a file that is included
    | ^\[[^]]+\]:[^\n]* | \[\^[^]]+\] | \bhttps?://\S+
    | \{{[:\#.][^{{}}]*\}}                             # attributes
    | ^[ ]*1\.[ ]                                      # the numbering of a list
    | [(\[](?:[^()\[\]\d]*,\s){YEAR}(?:;[^()\d]+,\s{YEAR})*[)\]] | [A-Z]\w+\s\({YEAR}\)  # citations
    | \b(?:{VERSIONS})(?![\w.]\w) | (?<![\w.])(?:{PHRASES})(?!\.?\w)
    """,
    re.DOTALL | re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def unquoted_numbers(page: str, name: str) -> list[str]:
    """Report what the prose states that no comment ties, and comments that tie nothing."""
    found, borders, text = blocks(page), headings(page), without_fences(page)
    symbols = set(NAME.findall("\n".join([shown(found), *FREE])))
    lines, problems = without_named(text)
    for line, quotation in quotations(text):
        around = shown(beside(line, found, borders))
        problems += [f"{line}: {problem}" for problem in misquoted(quotation, around)]
    for line, said in enumerate(prose("\n".join(lines)).split("\n"), 1):
        around = shown(beside(line, found, borders))
        problems += [f"{line}: {problem}" for problem in untied_in(said, around, symbols)]
    return [f"{name}:{problem}" for problem in problems]


def without_named(text: str) -> tuple[list[str], list[str]]:
    """Return the lines of a page without what their comments name, and what these name in vain."""
    lines, problems = MARKING.sub(empty_lines, text).split("\n"), []
    for one in filter(lambda one: one.words, markings(text)):
        line, named = text.count("\n", 0, one.begin), whole(one.words)
        if not named.search(lines[line]):
            problems.append(
                f'{line + 1}: a comment names "{one.words}", which the line does not say.'
            )
        lines[line] = named.sub("…", lines[line])
    return lines, problems


def quotations(text: str) -> Iterator[tuple[int, Marking]]:
    """Yield the comments that quote a block, each with the line that it stands in."""
    for one in markings(text):
        if one.kind == "quotes":
            yield 1 + text.count("\n", 0, one.begin), one


def misquoted(one: Marking, around: str) -> Iterator[str]:
    """Yield what is wrong with a quotation from the blocks beside its line."""
    times = len(whole(one.text).findall(around))
    if not words_of(one.text):
        yield f"{one.text} says too little: quote a word of the block as well."
    if times != 1:
        yield f"{one.text} stands {times} times in the blocks beside this line, and not once."
    numbers = list(stated(prose(one.words)))
    quoted = set(values_in(one.text))
    yield from (f"{one.text} does not say {n}." for n, worth in numbers if worth not in quoted)
    if not numbers:
        yield f'"{one.words}" has no number to be quoted.'


def whole(words: str) -> re.Pattern[str]:
    """Return what finds words, or a number, where they are no part of longer ones."""
    first = rf"(?<![\w.])(?<!(?<!\w){MINUS})" if words[:1].isdigit() else r"\b"
    before = first if words[:1].isalnum() else ""
    after = r"(?!\.?\d)" if words[-1:].isdigit() else r"\b" * words[-1:].isalpha()
    return re.compile(before + re.escape(words) + after)


def piece_of(around: str, worth: Decimal, said: str) -> str:
    """Return a piece of blocks that has a number and stands there once, with words of what is said.

    It is as short as one with its words can be; if there is none, it is empty.
    """
    told, found = words_of(said), [""]
    for line in around.split("\n"):
        borders = [match.span() for match in re.finditer(r"\w+|[^\w\s]", line)]
        for number in NUMBER.finditer(line):
            if value(number[0]) == worth:
                begins = [begin for begin, _ in borders if begin <= number.start()]
                ends = [end for _, end in borders if end >= number.end()]
                pieces = sorted((line[a:b] for a in begins for b in ends), key=len)
                pieces = [one for one in pieces if words_of(one)]
                found += [one for one in pieces if len(whole(one).findall(around)) == 1][:1]
    return max(found, key=lambda piece: (bool(piece), len(told & words_of(piece))))


def words_of(text: str) -> set[str]:
    """Return the words of a text, and names of one letter."""
    return set(re.findall(r"[^\W\d_]+", text.lower()))


def beside(line: int, found: list[Block], borders: list[int]) -> list[Block]:
    """Return the last block above a line and the first below, of its section where it has some."""
    above = [block for block in found if block.first < line][-1:]
    around = above + [block for block in found if block.first > line][:1]
    return [block for block in around if not is_parted(block, line, borders)] or around


def untied_in(said: str, around: str, symbols: set[str]) -> Iterator[str]:
    """Yield what a line states that nothing ties to the blocks beside it, or proves."""
    words = CODE.sub("", said)
    for relation in dict.fromkeys(RELATION.findall(words)):
        yield f'"{relation}" compares: at the end of its line, {hint(relation)}.'
    for number, worth in stated(said):
        if piece := piece_of(around, worth, said):
            quoting = f'<!-- "{number}" quotes: {piece} -->'
            yield f"{number} is tied to nothing: if the block means it, write {quoting}."
        else:
            yield f"{number} stands in no block beside this line: {hint(number)}."
    for name in NAME.findall(said):
        if name not in symbols:
            yield f"{name} stands in no block of this page: name it there, or {hint(name)}."


def stated(text: str) -> Iterator[tuple[str, Decimal]]:
    """Yield the numbers in digits, and those in words from two up, with their values."""
    yield from ((number, value(number)) for number in NUMBER.findall(text))
    words = PRONOUN.sub("", RELATION.sub("", CODE.sub("", text)))
    numbers = ((count, counted(count)) for count in COUNT.findall(words))
    yield from ((count, worth) for count, worth in numbers if worth >= FEWEST)


def hint(phrase: str) -> str:
    """Return the two comments that tie a phrase."""
    return f'write <!-- "{phrase}" holds: EXPRESSION --> or <!-- "{phrase}" free: REASON -->'


def shown(found: list[Block]) -> str:
    """Return the text of blocks and of what they print."""
    return "\n".join(f"{one.text}\n{one.output.text if one.output else ''}" for one in found)


def values_in(text: str) -> Iterator[Decimal]:
    """Yield the numbers in the text of blocks."""
    # Whether a comma groups digits or parts numbers, it cannot tell: 1,000 is both.
    for either in (text, text.replace(",", " ")):
        yield from map(value, NUMBER.findall(either))


def value(number: str) -> Decimal:
    """Return the value of a number, however it is written."""
    return Decimal(number.replace(",", "").replace("_", "").replace("−", "-"))


def counted(words: str) -> Decimal:
    """Return the value of a number in words: twenty-five million is 20 + 5 times a million."""
    parts = [part.split("-") for part in words.lower().split()]
    return Decimal(prod(sum((WORDS | SCALES)[word] for word in part) for part in parts))


def prose(page: str) -> str:
    """Return the page without what is no prose, each line in its place."""
    text = re.sub(FORMULA, results, without_fences(page))
    return RAISED_TEN.sub(
        lambda power: "1e" + power[1].translate(RAISED), ASIDE.sub(empty_lines, text)
    )


def results(formula: re.Match[str]) -> str:
    """Return the numbers in a formula that are results: decimals and powers of ten."""
    tex = POWER_OF_TEN.sub(lambda power: f"{power[1] or 1}e{power[2]}", formula[0])
    return " ".join(NOT_WHOLE.findall(tex)) + empty_lines(formula)


def bare(page: str) -> str:
    """Return a page, in its lines, without its fences, markings, formulas and inline code."""
    text = MARKING.sub(empty_lines, without_fences(page))
    return CODE.sub("", re.sub(FORMULA, empty_lines, text))


def empty_lines(match: re.Match[str]) -> str:
    """Return as many line ends as the match has."""
    return "\n" * match[0].count("\n")
