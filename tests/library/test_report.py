"""What a report says of findings that are made up: the words at their edges."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup

from backproof import (
    JacobianReport,
    assert_gradient,
    assert_jacobian,
    assert_vjp,
    check_gradient,
)
from backproof._mistakes import UNKNOWN, Mistake
from backproof._reasons import ADVICE, REASONS, counted, main_reason
from backproof._report import ArrayReport, Entry, Report, overall
from backproof._search import UNSEARCHED
from backproof._vjps import StackReport
from support.checkout import DOCS

PAGE = DOCS / "reference" / "report.md"
SIGN = Mistake("factor", -1.0, "it has the wrong sign")
HALF = Mistake("factor", 0.5, "it is half the numerical gradient")
BEGIN = "Begin with the array nearest to the cost: its mistake may spoil the others."
BETWEEN = "look at the code between them."


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


def unknown(reason: str, untested: int = 2) -> ArrayReport:
    """Return the findings for an array whose gradient cannot be decided."""
    return array("undecided", resolution=0.0, reason=reason, untested={reason: untested})


def dead() -> ArrayReport:
    """Return the findings for an array that does not change the cost."""
    return good(untested={"zero": 3})


def zero(within: float = 2e-10) -> ArrayReport:
    """Return the findings for an array whose gradient is 0, and so are its slopes."""
    return array(difference=1.0, resolution=200.0, within=within)


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
    assert str(report(good(), unknown("kink"))).startswith("The gradient is undecided in a1.")
    assert report(good(), good()).verdict == "correct"
    assert bool(report(good())) is True
    assert bool(report(bad())) is bool(report(unknown("jump"))) is False


def test_the_coarsest_resolution_is_stated_as_a_power_of_ten() -> None:
    """It is rounded up, and a power stays one."""
    for resolution, shown in ((3e-9, "1e-08"), (1e-8, "1e-08"), (0.0, "0")):
        assert f"mistake of {shown} of" in str(report(good(), good(resolution)))
        assert f"mistake of {shown} of" in str(report(good(resolution), good()))


@pytest.mark.parametrize("resolution", [math.inf, math.nan])
def test_no_resolution_is_stated_where_one_is_not_known(resolution: float) -> None:
    """Of no array then, whichever comes first."""
    for text in (str(report(good(), good(resolution))), str(report(good(resolution), good()))):
        assert text.startswith("The gradient is correct.\n\narray")
        assert "nan" not in text
        assert "inf" not in text


def test_an_array_that_is_not_tested_has_no_part_in_the_resolution() -> None:
    """Nor has one whose gradient is 0, which has a line of its own."""
    text = str(report(good(1e-6), dead(), zero()))
    assert text.startswith("The gradient is correct.\nA mistake of 1e-06 of ")
    assert "\n\na2: its gradient is 0 within 1e-09\n" in text
    rows = text.split("\n\n")[1].splitlines()
    assert rows[2].split() == ["a1", "3", "correct", "3"]
    assert rows[3].split() == ["a2", "3", "correct"]
    assert str(report(zero(), zero())).startswith("The gradient is correct.\n\narray")
    assert "\na0 and a1: its gradient is 0 within 1e-07\n" in str(report(zero(1e-7), zero(4e-8)))


def test_what_was_not_tested_is_counted() -> None:
    """In the table by array, and in one line by reason, the most frequent first."""
    some, more = good(untested={"zero": 2}), good(untested={"kink": 2, "zero": 1})
    text = str(report(some, good(), more))
    assert "\n5 of 9 entries are untested: 3 with gradient and slope 0, 2 at a kink.\n" in text
    rows = [row[-1] for row in report(some, good(), more)._rows()]
    assert rows == ["untested", "2", "", "3"]
    assert "\n1 of 3 entries is untested: 1 at a jump." in str(report(good(untested={"jump": 1})))
    assert "untested" not in str(report(good()))
    assert str(report(good())).endswith("\n12 evaluations, seed 7.")


def test_where_nothing_was_tested_nothing_is_correct() -> None:
    """The headline gives the reason, or counts them, and the footer says what to do."""
    nothing = report(dead(), dead())
    assert nothing.verdict == "undecided"
    lines = str(nothing).splitlines()
    assert lines[0] == f"Nothing was tested: {REASONS['zero']}."
    assert lines[-2:] == [ADVICE["zero"], "12 evaluations, seed 7."]
    assert "entries are untested" not in str(nothing)
    text = str(report(dead(), array(verdict="undecided", resolution=0.0, untested={"kink": 3})))
    assert text.startswith("Nothing was tested: 3 with gradient and slope 0, 3 at a kink.\n")
    assert report(dead(), good(untested={"zero": 2})).verdict == "correct"
    assert report(dead(), bad()).verdict == "wrong"


def test_an_empty_array_is_not_tested() -> None:
    """It leaves the verdict to the others."""
    assert report(good(shape=(0, 3)), good()).verdict == "correct"
    assert report(good(shape=(0, 3)), dead()).verdict == "undecided"


def test_the_main_reason_is_the_most_frequent_one_that_matters() -> None:
    """Entries with gradient and slope 0 need no test, so that they are no reason beside others."""
    assert main_reason({"kink": 2, "precision": 3, "zero": 9}) == "precision"
    assert main_reason({"kink": 2, "precision": 2}) == "kink"
    assert main_reason({"zero": 1}) == "zero"


def test_every_reason_is_in_words_that_the_page_has() -> None:
    """A search for what a report says of it leads there."""
    page = PAGE.read_text("utf-8")
    assert REASONS.keys() == ADVICE.keys()
    for reason, text in REASONS.items():
        words = (text, ADVICE[reason], counted({reason: 2}).removeprefix("2 "))
        assert all(word in page for word in words), words
    assert all(word in page for word in (BETWEEN, BEGIN, "its gradient is 0 within"))


def test_a_report_in_one_line() -> None:
    """Its verdict, where it does not hold or what would have been seen, and the evaluations."""
    told = {
        "correct, resolution 3e-07": report(good(2.1e-7), good()),
        "correct": report(zero()),
        "wrong in a1": report(good(), bad()),
        "undecided in a0 and a1": report(unknown("kink"), unknown("jump"), good()),
        "undecided, nothing tested": report(dead()),
    }
    for words, one in told.items():
        assert repr(one) == f"<Report: {words}, 12 evaluations>"


@pytest.mark.parametrize(
    ("resolution", "size"), [(0.09, "1e-01"), (0.2, "the size"), (1.0, "the size")]
)
def test_a_report_says_how_small_a_mistake_is_seen(resolution: float, size: str) -> None:
    """As a power of ten; what is no smaller than an entry needs no number."""
    seen = f"A mistake of {size} of the largest entry of its array would have been seen."
    assert str(report(good(resolution))).split("\n")[1] == seen


def test_notes_stand_before_the_evaluations() -> None:
    """One on each line."""
    text = str(Report("correct", 0.0, {"w": good()}, 12, 7, ("Measured in float64.", "So.")))
    assert text.endswith("\n\nMeasured in float64.\nSo.\n12 evaluations, seed 7.")


def test_a_number_has_one_digit_and_what_is_small_the_power_above_it() -> None:
    """From a thousandth on it is shown, 0 is 0, and what was not measured is left out."""
    shown = {0.25: "2e-01", 1e-3: "1e-03", 9.9e-4: "<1e-03", 0.0: "0", math.nan: "", math.inf: ""}
    arrays = [array(difference=number, resolution=1e-7) for number in shown]
    rows = report(*arrays)._rows()
    assert rows[0] == ("array", "shape", "verdict", "difference", "resolution")
    assert [row[3] for row in rows[1:]] == list(shown.values())
    assert rows[1] == ("a0", "3", "correct", "2e-01", "<1e-07")


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
    assert str(report(good(untested={"zero": 1}), bad())).split("\n\n")[1].splitlines() == [
        "array  shape  verdict  difference  resolution  untested",
        "a0     3      correct  0           0           1",
        "a1     3      wrong    0           0",
    ]


def rows_of(one: Report) -> list[str]:
    """Return what stands first in each line of the table, below its head."""
    lines = str(one).split("\n\n")[1].splitlines()[1:]
    return [line if line.startswith("and ") else line.split()[0] for line in lines]


def test_the_table_of_many_arrays_counts_those_that_are_right() -> None:
    """Those that are wrong or undecided stay, also where they are many."""
    assert rows_of(report(bad(), *[good()] * 12)) == ["a0", "and 12 correct"]
    mixed = report(*[good()] * 20, bad(), *[good(1e-9)] * 20, unknown("kink"))
    assert rows_of(mixed) == ["a20", "a41", "and 40 correct"]
    assert rows_of(report(*[bad()] * 40, good())) == [
        *(f"a{k}" for k in range(40)),
        "and 1 correct",
    ]
    assert rows_of(report(*[bad()] * 40)) == [f"a{k}" for k in range(40)]


def test_the_table_of_a_usual_network_is_whole() -> None:
    """So is that of many arrays if none is wrong or undecided."""
    for arrays in ([bad(), *[good()] * 11], [good()] * 60, [dead()] * 60):
        assert rows_of(report(*arrays)) == [f"a{k}" for k in range(len(arrays))]


def test_a_right_array_that_the_report_names_keeps_its_row() -> None:
    """The step from it to the wrong one is to be looked at; what is far from it is counted."""
    arrays = [good(), bad(UNKNOWN), dead(), *[good()] * 30]
    assert f"a3 and a4 are right, a1 is not: {BETWEEN}" in str(report(*arrays))
    assert rows_of(report(*arrays)) == ["a1", "a3", "a4", "and 30 correct"]


def test_a_column_is_left_out_if_it_says_nothing_of_the_rows_that_are_shown() -> None:
    """What is untested in the others is in the count below."""
    text = str(report(bad(), *[good(untested={"zero": 1})] * 12))
    assert "untested" not in text.split("\n\n")[1]
    assert "\n12 of 39 entries are untested: " in text


def test_one_remedy_is_said_for_each_reason() -> None:
    """Arrays with the same words share a sentence."""
    text = str(report(unknown("kink"), unknown("jump"), unknown("kink")))
    assert f"\na0 and a2: {REASONS['kink']}\na1: {REASONS['jump']}\n" in text
    assert text.count(ADVICE["kink"]) == text.count(ADVICE["jump"]) == 1
    assert ADVICE["precision"] not in text


def test_what_holds_for_several_arrays_is_said_of_each() -> None:
    """One array is "it"; a sentence that does not begin so stays."""
    scattered = Mistake("unknown", None, "every entry is wrong, in no known pattern")
    text = str(report(bad(), bad(), bad(HALF), bad(scattered), bad(scattered), good()))
    assert "\na0 and a1: each has the wrong sign\n" in text
    assert f"\na2: {HALF.text}\n" in text
    assert f"\na3 and a4: {scattered.text}\n" in text


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ([bad(), bad()], ""),  # one mistake, which is named
        ([bad(), good()], ""),
        ([bad(UNKNOWN)], ""),  # no other array
        ([good(), bad(UNKNOWN)], ""),
        ([bad(), bad(HALF)], BEGIN),
        ([bad(UNKNOWN), bad(UNKNOWN)], BEGIN),
        ([good(), bad(UNKNOWN), array("wrong", resolution=0.0)], BEGIN),
        ([bad(UNKNOWN), good()], f"a1 is right, a0 is not: {BETWEEN}"),
        ([bad(), bad(HALF), good(), good(), good()], f"a2 and a3 are right, a1 is not: {BETWEEN}"),
        ([bad(UNKNOWN), good(), bad(UNKNOWN), good()], f"a3 is right, a2 is not: {BETWEEN}"),
        ([bad(UNKNOWN), unknown("kink"), good()], f"a2 is right, a0 is not: {BETWEEN}"),
        ([bad(UNKNOWN), dead(), zero(), unknown("kink")], ""),  # these confirm nothing
        ([good(), good()], ""),
    ],
)
def test_where_to_begin_is_said_if_no_mistake_explains_it_all(
    arrays: list[ArrayReport], said: str
) -> None:
    """Between the last wrong array and the right ones after it, or at the last one."""
    lines = str(report(*arrays)).splitlines()
    assert [line for line in lines if line.endswith(BETWEEN) or line == BEGIN] == [said] * bool(
        said
    )


@pytest.mark.parametrize(
    ("arrays", "shown"),
    [
        (1, ["a0[0]", "a0[1]", "a0[2]"]),
        (2, ["a0[0]", "a1[0]"]),
        (5, [f"a{k}[0]" for k in range(1, 5)]),
    ],
)
def test_the_worst_entries_are_few(arrays: int, shown: list[str]) -> None:
    """Three of one array, else one of each, of the four arrays that are nearest to the cost."""
    entries = [Entry((i,), 2.0 + i, -1 / 3, 2e-10) for i in range(4)]
    text = str(report(*[bad(SIGN, *entries)] * arrays))
    lines = [line for line in text.splitlines() if ": gradient " in line]
    assert [line.partition(":")[0] for line in lines] == shown
    assert lines[0] == f"{shown[0]}: gradient 2, numerical -0.333333 ± 2e-10, off by 117 %"


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((1.0, 1.25, 1e-9), "gradient 1, numerical 1.25 ± 1e-09, off by 20 %"),
        ((1.25, 1.0, 1e-9), "gradient 1.25, numerical 1 ± 1e-09, off by 20 %"),
        ((1.0, -1.0, 0.0), "gradient 1, numerical -1 ± 0, off by 200 %"),
        ((1.0, 1.0012345, 0.0), "gradient 1, numerical 1.00123 ± 0, off by 0.12 %"),
        ((0.0, 3e-5, 1.21e-7), "gradient 0, numerical 3e-05 ± 1.3e-07, off by 100 %"),
        (
            (-0.0783154, -0.0767026, 8.04e-4),
            "gradient -0.07832, numerical -0.0767 ± 0.00081, off by 2.1 %",
        ),
        ((1.0, 1 + 3e-8, 1e-9), "gradient 1, numerical 1.00000003 ± 1e-09, off by 3e-06 %"),
        (
            (1.7e308, -1.7e308, 1.75e308),
            "gradient 1.7e+308, numerical -1.7e+308 ± 1.8e+308, off by",
        ),
        ((1.0, 2.0, math.inf), "gradient 1, numerical 2, off by 50 %"),
        ((1.0, math.nan, math.inf), "gradient 1"),
        ((math.nan, 2.0, 1e-3), "gradient nan, numerical 2 ± 0.001"),
        ((-math.inf, 2.0, 1e-3), "gradient -inf, numerical 2 ± 0.001"),
        ((math.nan, math.nan, math.inf), "gradient nan"),
        ((0.0, 0.0, 0.0), "gradient 0, numerical 0 ± 0"),
        ((-0.0, 2.0, 0.0), "gradient 0, numerical 2 ± 0, off by 100 %"),
    ],
)
def test_an_entry_shows_how_far_it_is_off(numbers: tuple[float, ...], shown: str) -> None:
    """In percent of the larger number, if there is one; what is not finite is not written."""
    text = str(report(bad(SIGN, Entry((0,), *numbers))))
    line = next(line for line in text.splitlines() if line.startswith("a0[0]: "))
    assert line.removeprefix("a0[0]: ").startswith(shown)
    assert line.endswith(shown[-4:]) or shown.endswith("off by")


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


def test_a_notebook_shows_each_verdict_in_a_badge() -> None:
    """White letters on green, red and brown read on any page; a name is never taken for one."""
    named = {"wrong": good(), "b": bad(), "<c>": unknown("kink")}
    html = BeautifulSoup(Report("wrong", 0.0, named, 1, 0)._repr_html_(), "html.parser")
    cells = [list(row("td")) for row in html("tr")[1:]]
    assert [[cell.text for cell in row[:3]] for row in cells] == [
        ["wrong", "3", "correct"],
        ["b", "3", "wrong"],
        ["<c>", "3", "undecided"],
    ]
    looks = [str(span["style"]) for span in html("span")]
    assert len({*looks}) == len(looks) == 3
    for look in looks:
        text, ground = (luminance(found) for found in re.findall(r"#(\w+)", look))
        assert (text + 0.05) / (ground + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2.2 defines it."""
    digits = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_a_notebook_counts_the_right_arrays_as_well() -> None:
    """The count takes the whole width of the table, and stands in none that is whole."""
    html = BeautifulSoup(report(bad(), *[good()] * 12)._repr_html_(), "html.parser")
    *_, row, last = html("tr")
    assert row("td")[0].text == "a0"
    assert (last.text, last("td")[0]["colspan"]) == ("and 12 correct", str(len(row("td"))))
    assert "and " not in report(good(), bad())._repr_html_()


# The report as data


def read(one: Report) -> Any:
    """Return a report as it is after JSON, which has no nan and no infinity."""
    return json.loads(json.dumps(one.to_dict(), allow_nan=False))


def test_a_report_as_data_has_every_field() -> None:
    """That of the report, of the arrays, of the mistakes and of the entries, all by name."""
    entry = Entry((1, 2), 2.0, 1.0, 1e-9)
    wrong = array("wrong", resolution=2e-7, mistake=HALF, entries=(entry,), untested={"kink": 1})
    assert read(Report("wrong", 0.5, {"W": wrong, "b": zero()}, 12, 7, ("So.",))) == {
        "verdict": "wrong",
        "difference": 0.5,
        "arrays": {
            "W": {
                "verdict": "wrong",
                "shape": [3],
                "difference": 0.0,
                "resolution": 2e-7,
                "mistake": {"kind": "factor", "factor": 0.5, "text": HALF.text},
                "entries": [{"index": [1, 2], "gradient": 2.0, "numerical": 1.0, "error": 1e-9}],
                "untested": {"kink": 1},
                "reason": "",
                "within": None,
                "tolerated": False,
            },
            "b": {
                "verdict": "correct",
                "shape": [3],
                "difference": 1.0,
                "resolution": 200.0,
                "mistake": None,
                "entries": [],
                "untested": {},
                "reason": "",
                "within": 2e-10,
                "tolerated": False,
            },
        },
        "evaluations": 12,
        "seed": 7,
        "notes": ["So."],
    }


def test_a_number_that_is_not_finite_is_none() -> None:
    """JSON has no name for it."""
    numbers = Entry((0,), math.nan, -math.inf, math.inf)
    found = read(report(array("wrong", resolution=math.inf, entries=(numbers,))))
    assert found["difference"] is found["arrays"]["a0"]["resolution"] is None
    assert found["arrays"]["a0"]["entries"] == [
        {"index": [0], "gradient": None, "numerical": None, "error": None}
    ]


def test_a_number_of_numpy_is_one_of_python() -> None:
    """Such as a seed that was drawn from a generator, or a flag that was compared."""
    numbers: tuple[Any, ...] = (np.float32(0.5), np.int64(7), np.float32(np.inf))
    half, seed, infinite = numbers
    one = Report("correct", half, {"W": good(infinite, tolerated=np.True_)}, 1, seed)
    assert ((found := read(one))["difference"], found["seed"]) == (0.5, 7)
    assert found["arrays"]["W"]["tolerated"] is True
    assert found["arrays"]["W"]["resolution"] is None


def test_the_data_of_a_report_is_a_copy() -> None:
    """Who changes it leaves the report as it was."""
    one = report(unknown("kink"))
    one.to_dict()["arrays"]["a0"]["untested"]["kink"] = 99
    assert one.untested == {"kink": 2}


@pytest.mark.parametrize("method", ["entries", "directions"])
def test_the_data_of_a_check_are_json(method: str) -> None:
    """Of arrays that are right, wrong, not finite, 0, empty, at a kink, or a number."""
    rng = np.random.default_rng(0)
    p: dict[str, Any] = {k: rng.uniform(1, 2, 3) for k in ("right", "wrong", "lost", "dead")}
    p |= {"kink": np.zeros(3), "empty": np.empty((0, 2)), "x": 2.0}

    def cost(p: Any) -> Any:
        smooth = sum(np.sum(p[k] ** 2) for k in ("right", "wrong", "lost", "empty", "x"))
        return smooth + np.sum(np.abs(p["kink"]))

    claimed = {k: 2 * w for k, w in p.items()} | {"wrong": p["wrong"], "dead": np.zeros(3)}
    claimed |= {"lost": np.array([np.nan, np.inf, 2 * p["lost"][2]]), "x": 5.0}
    seed: Any = np.int64(3)
    found = read(check_gradient(cost, claimed, p, method=method, seed=seed))
    arrays = found["arrays"]
    assert list(arrays) == list(p)
    assert (found["verdict"], found["seed"]) == ("wrong", 3)
    assert arrays["wrong"]["mistake"]["factor"] == pytest.approx(0.5)
    assert arrays["lost"]["mistake"]["kind"] == "not finite"
    assert arrays["lost"]["entries"][0]["gradient"] is None
    assert arrays["dead"]["untested"] == {"zero": 3}
    assert (arrays["kink"]["verdict"], arrays["kink"]["reason"]) == ("undecided", "kink")
    assert (arrays["empty"]["shape"], arrays["x"]["entries"][0]["index"]) == ([0, 2], [])


def test_what_the_search_did_not_reach_is_not_said_to_fit_no_rule() -> None:
    """Many wrong arrays are looked into from the cost on, as far as the calls reach."""
    rng = np.random.default_rng(0)
    point = [rng.normal(size=40) for _ in range(30)]
    claimed = [np.cos(w) + rng.normal(size=40) for w in point]
    found = check_gradient(
        lambda p: sum(np.sum(np.sin(w)) for w in p), claimed, point, method="directions"
    )
    first, last = found.arrays["[0]"], found.arrays["[29]"]
    assert first.mistake == UNSEARCHED
    assert not first.entries
    assert last.mistake != UNSEARCHED
    assert last.entries
    assert f": each {UNSEARCHED.text.removeprefix('it ')}\n" in str(found)
    (alone,) = check_gradient(
        lambda w: np.sum(np.sin(w)), claimed[0], point[0], method="directions"
    ).arrays.values()
    assert alone.mistake != UNSEARCHED
    assert UNSEARCHED.text.removeprefix("it is wrong, ") in PAGE.read_text("utf-8")


def tables(page: str) -> list[list[str]]:
    """Return what stands in the first column of each table of a page, in order."""
    found = re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE)
    return [re.findall(r'^\| `"?([\w ]+)"?` \|', table, flags=re.MULTILINE) for table in found]


def test_the_page_lists_every_field() -> None:
    """Of the four objects, in the order in which they stand in the data."""
    listed = tables(PAGE.read_text("utf-8"))
    every = [one.name for kind in (Report, JacobianReport, StackReport) for one in fields(kind)]
    assert list(dict.fromkeys(every)) in listed
    assert [one.name for one in fields(ArrayReport)] in listed
    for named in (Entry, Mistake):
        assert list(named._fields) in listed


def test_the_page_lists_every_kind_and_every_reason() -> None:
    """The kinds are those that a block of the page reads off the code."""
    page = PAGE.read_text("utf-8")
    kinds = page.split("print(*sorted(kinds)")[1].split("```")[2].split("\n")[1:-1]
    listed = [sorted(table) for table in tables(page)]
    assert [kind.strip() for kind in kinds] in listed
    assert sorted(REASONS) in listed
    without = page.replace('| `"shared"` |', "| no kind |")
    assert [kind.strip() for kind in kinds] not in [sorted(table) for table in tables(without)]


ASSERTED = {
    "gradient": lambda: assert_gradient(lambda w: np.sum(w**2), np.ones(2), np.ones(2)),
    "Jacobian": lambda: assert_jacobian(lambda w: w**2, np.eye(2), np.ones(2)),
    "layer": lambda: assert_vjp(lambda x: x**2, lambda x, upstream: upstream, np.ones(2)),
}


@pytest.mark.parametrize("asserted", ASSERTED.values(), ids=ASSERTED)
def test_a_failing_test_shows_no_frame_of_ours(asserted: Callable[[], None]) -> None:
    """Pytest shows the line of the test, and the report."""
    with pytest.raises(AssertionError) as raised:
        asserted()
    frames = [one for one in raised.traceback if Path(one.path).parent.name == "backproof"]
    assert frames
    assert all(one.ishidden(raised) for one in frames)
