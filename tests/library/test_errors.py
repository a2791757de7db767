"""The errors that the reference lists are those that the library raises."""

import re

import pytest

from executed.page import blocks
from executed.proofs import without_markings
from support.checkout import DOCS
from support.errors import SOURCES, Error, raised

PAGE = without_markings((DOCS / "reference" / "errors.md").read_text("utf-8"))
ROW = re.compile(r"^\| (`+)(\w+): (.+?)\1 \| .+ \|$", re.MULTILINE)


def listed(page: str) -> set[Error]:
    """Return the errors in the tables of a page."""
    return {(kind, message) for _, kind, message in ROW.findall(page)}


def shown(page: str) -> list[str]:
    """Return the lines that the code of a page prints."""
    return [
        line for block in blocks(page) if block.output for line in block.output.text.split("\n")
    ]


def is_shown(error: Error, lines: list[str]) -> bool:
    """Tell whether one of the lines is an error of this type with such a message."""
    pattern = re.escape(": ".join(error)).replace("…", ".*")
    return any(re.fullmatch(pattern, line) for line in lines)


def test_the_tables_list_what_is_raised() -> None:
    """Every error is listed, and every one that is listed is raised."""
    assert listed(PAGE) == raised(SOURCES)


def test_every_message_is_shown_by_code() -> None:
    """Below the tables, code runs into each error but that of an import."""
    hidden = {error for error in listed(PAGE) if not is_shown(error, shown(PAGE))}
    assert {kind for kind, _ in hidden} == {"ImportError"}


def test_every_line_that_is_shown_is_listed() -> None:
    """What the code runs into is explained above it."""
    lines = [line for line in shown(PAGE) if re.match(r"\w+Error: ", line)]
    assert len(lines) >= 30
    assert all(any(is_shown(error, [line]) for error in listed(PAGE)) for line in lines)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("raise ValueError('no')", ("ValueError", "no")),
        ("raise TypeError(f'{x!r} is {y}: ' 'no')", ("TypeError", "… is …: no")),
        ("def f():\n    if x:\n        raise ValueError('in' ' two')", ("ValueError", "in two")),
    ],
)
def test_a_message_is_read_from_the_source(source: str, error: Error) -> None:
    """A new one is missed in the tables, and found in a page that lists it."""
    assert raised([source]) == {error}
    assert error not in listed(PAGE)
    assert listed(f"| `{error[0]}: {error[1]}` | Do that. |") == {error}


@pytest.mark.parametrize("source", ["raise", "raise error", "raise AssertionError(report)"])
def test_what_is_passed_on_is_no_message(source: str) -> None:
    """Errors of the cost, and reports, are not listed."""
    assert not raised([source])


def test_a_message_is_shown_by_the_line_that_it_fits() -> None:
    """Another type, or another end, is another error."""
    error = ("TypeError", "… is of type …: no.")
    assert is_shown(error, ["TypeError: W[0] is of type str: no."])
    assert not is_shown(error, ["ValueError: W[0] is of type str: no."])
    assert not is_shown(error, ["TypeError: W[0] is of type str: no. Why?"])
