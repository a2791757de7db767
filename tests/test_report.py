"""What a report says of findings that are made up: the words at their edges."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest

from backproof.mistakes import Mistake
from backproof.report import ADVICE, BEGIN, REASONS, ArrayReport, Entry, Report, overall

SIGN = Mistake("factor", -1.0, "it has the wrong sign")


def array(verdict: str = "correct", **found: Any) -> ArrayReport:
    """Return the findings for an array of shape (3,)."""
    usual: dict[str, Any] = {"verdict": verdict, "shape": (3,), "difference": 0.0}
    return ArrayReport(**usual | found)


def report(*arrays: ArrayReport) -> Report:
    """Return the report on arrays that are named a0, a1 and so on."""
    named = {f"a{k}": array for k, array in enumerate(arrays)}
    return Report(overall(named), math.nan, named, evaluations=12, seed=7)


def good(resolution: float = 0.0, **found: Any) -> ArrayReport:
    """Return the findings for an array whose gradient is right."""
    return array(resolution=resolution, **found)


def bad(mistake: Mistake = SIGN, *entries: Entry) -> ArrayReport:
    """Return the findings for an array whose gradient is wrong."""
    return array("wrong", resolution=0.0, mistake=mistake, entries=entries)


def unknown(reason: str) -> ArrayReport:
    """Return the findings for an array whose gradient cannot be decided."""
    return array("undecided", resolution=0.0, reason=reason)


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [
        (1, 0, "wrong in a0."),
        (1, 1, "wrong in a0."),
        (2, 0, "wrong in a0 and a1."),
        (2, 1, "wrong in a0 and a1."),
        (3, 0, "wrong in all 3 arrays."),
        (3, 1, "wrong in a0, a1 and a2."),
        (6, 1, "wrong in a0, a1, a2, a3, a4 and a5."),
        (7, 1, "wrong in a0, a1, a2, a3, a4 and 2 more arrays."),
    ],
)
def test_arrays_are_listed_as_one_would_say_it(wrong: int, right: int, words: str) -> None:
    """All of more than two together, up to six by name, and of more the first five."""
    text = str(report(*[bad()] * wrong, *[good()] * right))
    assert text.startswith(f"The gradient is {words}\n")


def test_the_worst_verdict_is_that_of_the_whole() -> None:
    """One wrong array makes it wrong, else one that is undecided makes it undecided."""
    assert report(good(), unknown("kink"), bad()).verdict == "wrong"
    assert str(report(good(), unknown("kink"))).startswith("The gradient cannot be decided in a1.")
    assert report(good(), good()).verdict == "correct"
    assert bool(report(good())) is True
    assert bool(report(bad())) is bool(report(unknown("jump"))) is False


def test_the_coarsest_resolution_is_stated_as_a_power_of_ten() -> None:
    """It is rounded up, a power stays one, and what resolves nothing, or all, is said as well."""
    for resolution, shown in ((3e-9, "1e-08"), (1e-8, "1e-08"), (0.0, "0e+00"), (math.inf, "inf")):
        assert f"mistake of {shown} of" in str(report(good(), good(resolution)))
        assert f"mistake of {shown} of" in str(report(good(resolution), good()))


def test_what_was_not_tested_is_counted() -> None:
    """Without any entry that was, there is no resolution; and no words where there is none."""
    assert "Nothing was tested" in str(report(good(untested=3), good(untested=3)))
    text = str(report(good(untested=3), good(untested=2)))
    assert "Nothing" not in text
    assert " 5 entries have gradient and slope 0" in text
    assert "untested" in text
    assert "untested" not in str(report(good()))
    assert str(report(good())).endswith("\n12 evaluations, seed 7.")


def test_a_number_has_one_digit_and_what_is_small_the_power_above_it() -> None:
    """From a thousandth on it is shown, 0 is 0, and what was not measured is left out."""
    shown = {0.25: "2e-01", 1e-3: "1e-03", 9.9e-4: "<1e-03", 0.0: "0", math.nan: ""}
    arrays = [array(difference=number, resolution=math.inf) for number in shown]
    rows = report(*arrays)._rows()
    assert rows[0] == ("array", "shape", "verdict", "difference", "resolution")
    assert [row[3] for row in rows[1:]] == list(shown.values())
    assert rows[1] == ("a0", "3", "correct", "2e-01", "inf")


def test_a_column_of_nothing_is_left_out() -> None:
    """The shape of a number is 1, and axes are joined by an x."""
    rows = report(good(difference=math.nan, shape=()), good(difference=math.nan, shape=(2, 3)))
    assert rows._rows() == [
        ("array", "shape", "verdict", "resolution"),
        ("a0", "1", "correct", "0"),
        ("a1", "2x3", "correct", "0"),
    ]


def test_the_table_is_aligned() -> None:
    """Each column is as wide as its widest cell, and no line ends in blanks."""
    assert str(report(good(untested=1), bad())).split("\n\n")[1].splitlines() == [
        "array  shape  verdict  difference  resolution  untested",
        "a0     3      correct  0           0           1",
        "a1     3      wrong    0           0",
    ]


def test_one_remedy_is_said_for_each_reason_and_where_to_begin_with_several_mistakes() -> None:
    """Arrays with the same words share a sentence; one mistake alone needs no beginning."""
    text = str(report(unknown("kink"), unknown("jump"), unknown("kink")))
    assert f"\na0 and a2: {REASONS['kink']}\na1: {REASONS['jump']}\n" in text
    assert text.count(ADVICE["kink"]) == text.count(ADVICE["jump"]) == 1
    assert ADVICE["precision"] not in text
    assert BEGIN not in text
    assert BEGIN not in str(report(bad(), bad()))
    assert BEGIN in str(report(bad(), bad(Mistake("unknown", None, "it is wrong"))))


@pytest.mark.parametrize(
    ("arrays", "shown"),
    [
        (1, ["a0[0]", "a0[1]", "a0[2]"]),
        (2, ["a0[0]", "a1[0]"]),
        (5, [f"a{k}[0]" for k in range(4)]),
    ],
)
def test_the_worst_entries_are_few(arrays: int, shown: list[str]) -> None:
    """Three of one array, else one of each array, four of them at the most."""
    entries = [Entry((i,), 2.0 + i, -1 / 3, 2e-10) for i in range(4)]
    text = str(report(*[bad(SIGN, *entries)] * arrays))
    lines = [line for line in text.splitlines() if ": gradient " in line]
    assert [line.partition(":")[0] for line in lines] == shown
    assert lines[0] == "a0[0]: gradient 2, numerical -0.333333 ± 1e-09"


def test_a_number_has_no_index() -> None:
    """Its name is its path; an entry of a matrix has two numbers."""
    for index, name in (((), "a0"), ((1, 2), "a0[1, 2]")):
        assert f"\n{name}: gradient 1, " in str(report(bad(SIGN, Entry(index, 1.0, 2.0, 0.0))))


def test_each_verdict_has_its_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Green, red and yellow on a terminal."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    text = str(report(good(), bad(), unknown("kink")))
    for colour, verdict in ((32, "correct"), (31, "wrong"), (33, "undecided")):
        assert text.count(f"\033[{colour}m{verdict}\033[0m") == 1
