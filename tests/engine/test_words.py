"""What the prose of a page says in numbers and words is tied to a block, or free for a reason."""

from __future__ import annotations

import re

import pytest

from executed.page import blocks
from executed.proofs import without_markings
from executed.prose import FREE, counted, unquoted_numbers
from support.checkout import DOCS, ROOT

PAGE = """\
# Sizes

{}

```python
arrays = [12, 95, 900, 0.001, -3, 12]
print("W2 has", 47, "rows")
```

```text title="Output"
W2 has 47 rows
```

## Elsewhere

```python
print(47, 2)
```
"""


@pytest.mark.parametrize(
    "line",
    [
        'There are 47 rows. <!-- "47 rows" quotes: 47 rows -->',
        'Forty-seven rows. <!-- "Forty-seven" quotes: has", 47 -->',
        'In 900ms. <!-- "900ms" quotes: arrays = [12, 95, 900 -->',
        'Near 10⁻³. <!-- "10⁻³" quotes: arrays = [12, 95, 900, 0.001 -->',
        'It is −3. <!-- "−3" quotes: arrays = [12, 95, 900, 0.001, -3 -->',
        "It is one of the two, and W2 is one of these three.",
        'It is twice as large. <!-- "twice as large" holds: a == 2 * b -->',
        'It grows five times, or six. <!-- "five times, or six" free: an example -->',
        "On a scale of powers of ten, in `float32.half()`, other than that.",
        "Half of the digits (Moré and Wild, 2011) need Python 3.11 or later.",
    ],
)
def test_what_is_quoted_proved_or_free_passes(line: str) -> None:
    """A comment at the end of the line ties words and digits."""
    assert not unquoted_numbers(PAGE.format(line), "page.md")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("Thirteen arrays.", "Thirteen"),
        ("Two arrays.", "Two"),
        ("In 47 rows.", '47 is tied to nothing: .* write <!-- "47" quotes: .+ -->.'),
        ('In 47 rows. <!-- "47" quotes: has 48 -->', "has 48 stands 0 times"),
        ('In 95 rows. <!-- "95" quotes: W2 has 47 -->', "W2 has 47 does not say 95"),
        ('In 12 rows. <!-- "12" quotes: arrays -->', "arrays does not say 12"),
        ('In 47 rows. <!-- "47" quotes: 47 -->', "47 says too little"),
        ('In 2 rows. <!-- "2" quotes: print(47, 2) -->', r"print\(47, 2\) stands 0 times"),
        ('In rows. <!-- "rows" quotes: has 47 -->', '"rows" has no number'),
        ('In 47 rows. <!-- "7 rows" quotes: 47 rows -->', 'a comment names "7 rows"'),
        ("They take a hundred calls.", "hundred"),
        ("It takes 901ms.", "901"),
        ("Of 96% or 9 MB.", "9"),
        ("It is the 917th.", "917"),
        ("Between 12–17.", "17"),
        ("From 95-917 ms.", "917"),
        ("There are 5² of them.", "5"),
        ("It is ±7.", "7"),
        ("There are 4n.", "4"),
        ("Near 10⁻⁴.", "1e-4"),
        ("It is -12.", "-12"),
        ("W3 is wrong.", "W3"),
        ("With NumPy 1.26.", "1.26"),
        ("It began in 2011.", "2011"),
        ("917. That is many.", "917"),
        ('[Link](page.md "917 pages")', "917"),
        ("47 is printed elsewhere.", "47"),
        ("It is twice as large.", '"twice"'),
        ("It is threefold.", '"threefold"'),
        ("A twentieth is left.", '"twentieth"'),
        ("Doubling it is enough.", '"Doubling"'),
        ("At least 12 are.", '"At least"'),
        ("It is larger than that.", '"larger than"'),
        ("It never fails.", '"never"'),
        ('It is half. <!-- "twice" holds: a == 2 * b -->', 'a comment names "twice"'),
        ('It is half the size. <!-- "the size" free: an example -->', '"half"'),
    ],
)
def test_what_nothing_ties_is_caught(line: str, fault: str) -> None:
    """A number that stands elsewhere, a word that changed beside its proof, a unit, a sign."""
    problems = unquoted_numbers(PAGE.format(line), "page.md")
    assert any(re.match(f"page.md:3: {fault}", problem) for problem in problems)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("four", 4),
        ("twenty-five", 25),
        ("a hundred", 100),
        ("nine hundred", 900),
        ("hundred thousand", 100_000),
        ("two million", 2_000_000),
        ("million million", 10**12),
    ],
)
def test_number_words_are_counted(words: str, number: int) -> None:
    """Words have the value that they say."""
    assert counted(words.removeprefix("a ")) == number


def test_a_proof_may_be_of_the_block_below() -> None:
    """It says so, and is left to the block above otherwise; readers see neither."""
    page = PAGE.format("One.").replace(
        "## Elsewhere\n",
        '## Elsewhere\n\nMore. <!-- "More" {}: True -->\n\n```python\n1\n```\n\n{}',
    )
    proof = 'A. <!-- "A" {}: True -->\n'
    for kind, expected in (("holds", [0, 1, 0]), ("holds below", [0, 0, 1])):
        marked = page.format("free", proof.format(kind))
        assert [len(block.proofs) for block in blocks(marked)] == expected
        assert "<!--" not in without_markings(marked)


def test_a_comment_that_marks_nothing_is_refused() -> None:
    """A slip in the first word of a marking would leave its sentence to chance."""
    with pytest.raises(ValueError, match="line 3: <!-- hold: True --> marks nothing"):
        blocks(PAGE.format("One. <!-- hold: True -->"))
    assert blocks(PAGE.format("Write `<!-- hold: True -->`."))
    with pytest.raises(ValueError, match="line 3: <!-- hold: True --> marks nothing"):
        blocks(PAGE.format("`x`<!-- hold: True -->"))
    assert without_markings("`x`<!-- free: a name --> `<!-- free: REASON -->`") == (
        "`x` `<!-- free: REASON -->`"
    )


def test_every_free_phrase_is_used() -> None:
    """The list of what is free on all pages holds nothing that no page says."""
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md"]
    text = "\n".join(page.read_text("utf-8") for page in pages).lower()
    phrases = [line.partition(": ")[0] for line in FREE]
    assert not [phrase for phrase in phrases if phrase.lower() not in text]
