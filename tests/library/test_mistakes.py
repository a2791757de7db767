"""The names of mistakes: each rule knows its own, leaves the others, and the report says it."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice, product
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup

from backproof import _mistakes as mistakes
from backproof import check_gradient, course
from backproof._mistakes import RULES, Evidence, Rule
from backproof._patterns import axis_names, places, shown, times, usual
from backproof._report import Report
from support.catalogue import TWICE, WRONG, Wrong
from support.catalogue.mistakes import PLANTS
from support.catalogue.model import arrays_of
from support.checkout import DOCS
from support.drawn import draws

PAGE = DOCS / "explanation" / "mistakes.md"

# The kinds that each rule gives, and kinds that look like these and belong to other rules.
KINDS: dict[Rule, str] = {
    mistakes.not_finite: "not finite",
    mistakes.zero: "zero",
    mistakes.sign: "factor",
    mistakes.transposed: "transposed",
    mistakes.turned: "turned",
    mistakes.reordered: "reordered",
    mistakes.swapped: "swapped",
    mistakes.common_multiple: "factor",
    mistakes.shifted: "permuted",
    mistakes.triangle: "triangle",
    mistakes.entry: "entry",
    mistakes.unfilled: "unfilled",
    mistakes.multiple: "factor",
    mistakes.regularisation: "regularisation",
    mistakes.offset: "offset",
    mistakes.lasso: "lasso",
    mistakes.spared: "spared",
    mistakes.variable: "variable",
    mistakes.permuted: "permuted",
    mistakes.part: "part",
    mistakes.clipped: "clipped",
    mistakes.shared: "shared",
    mistakes.inexact: "inexact",
}
LEFT: dict[Rule, tuple[str, ...]] = {
    mistakes.not_finite: ("zero", "factor", "entry"),
    mistakes.zero: ("not finite", "factor", "row"),
    mistakes.sign: ("transposed", "permuted", "regularisation"),
    mistakes.transposed: ("permuted", "reordered", "swapped"),
    mistakes.turned: ("permuted", "transposed", "reordered"),
    mistakes.reordered: ("permuted", "swapped", "unknown"),
    mistakes.swapped: ("permuted", "transposed", "factor"),
    mistakes.common_multiple: ("regularisation", "offset", "part"),
    mistakes.shifted: ("reordered", "swapped", "row"),
    mistakes.triangle: ("transposed", "factor", "permuted"),
    mistakes.entry: ("row", "column", "unknown"),
    mistakes.unfilled: ("row", "part", "clipped"),
    mistakes.multiple: ("regularisation", "offset", "row"),
    mistakes.regularisation: ("factor", "offset", "lasso"),
    mistakes.offset: ("regularisation", "entry", "unknown"),
    mistakes.lasso: ("regularisation", "spared", "part"),
    mistakes.spared: ("regularisation", "lasso", "row"),
    mistakes.variable: ("factor", "regularisation", "unknown"),
    mistakes.permuted: ("reordered", "swapped", "row"),
    mistakes.part: ("factor", "row", "unfilled"),
    mistakes.clipped: ("factor", "part", "unfilled"),
    mistakes.shared: ("swapped", "factor", "unknown"),
    mistakes.inexact: ("entry", "row", "permuted"),
}
# Of the multiples, those of one rule.
FACTORS: dict[Rule, tuple[float, ...]] = {
    mistakes.sign: (-1.0,),
    mistakes.common_multiple: (0.5, 1 / 3, 2.0, 3.0, 4.0),
}
# What only the slopes of single entries show.
OF_ENTRIES = {
    mistakes.entry,
    mistakes.unfilled,
    mistakes.permuted,
    mistakes.clipped,
    mistakes.inexact,
}
WORDS = {
    "not finite": "nan or infinite",
    "zero": "it is zero, but",
    "factor": r"times the numerical|half the numerical|of the numerical|the wrong sign",
    "transposed": "the transpose of",
    "turned": "turned by 180 degrees",
    "reordered": "in the other order",
    "swapped": "is the one claimed for",
    "permuted": "are in another order",
    "triangle": "reads only the (lower|upper) triangle",
    "entry": r"one of its \d+ entries is wrong",
    "unfilled": r"it is zero in (its|every|\d+ of)",
    "regularisation": r"[\d.e-]+ times the parameters",
    "offset": r"each entry is too \w+ by [\d.e-]+",
    "lasso": r"[\d.e-]+ times the signs of the parameters",
    "spared": r"[\d.e-]+ times the .*, except in its (row|entry|column) 0:",
    "variable": "gradient (times|divided by) the parameters",
    "part": r"in its \w+ .*times the numerical gradient",
    "clipped": r"clipped to \[-[\d.e+-]+, [\d.e+-]+\]",
    "shared": "its gradient equal those of",
    "inexact": r"right to about \d+ digits",
    "row": r"only its row \d+ is wrong",
    "column": r"only its column \d+ is wrong",
    "unknown": "in no known pattern",
}
# Those that no rule gives are read off the places of the wrong entries, where none fits.
PLANTED = [*dict.fromkeys(KINDS.values()), "row", "column", "unknown"]
# The checks do not tell yet which arrays have the same parameters.
CHECKED = [kind for kind in PLANTED if kind != "shared"]

every_method = pytest.mark.parametrize("method", ["entries", "directions"])
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)


def in_three_models(kind: str, factors: tuple[float, ...] = ()) -> list[Wrong]:
    """Return three cases of a kind in different models, in double precision."""
    cases = (case for case in (*WRONG, *TWICE) if not factors or case.factor in factors)
    fine = (case for case in cases if case.kind == kind and "float32" not in case.name)
    by_model = {case.model.name.split(",")[0]: case for case in fine}
    assert len(by_model) >= 3
    return list(islice(by_model.values(), 3))


def evidences(case: Wrong, *, probes: bool = False) -> Iterator[Evidence]:
    """Yield what is known of each wrong array, once all its entries or four probes are measured."""
    claimed, right, points = arrays_of(case.claimed), case.model.right, case.model.arrays
    for path in case.arrays:
        size = right[path].size
        directions = np.random.default_rng(0).normal(size=(4, size)) if probes else np.eye(size)
        others = {p: array for p, array in claimed.items() if p != path}
        evidence = evidence_of(claimed[path], right[path], points[path], others, directions)
        yield replace(evidence, other_parameters=points)


def evidence_of(claimed: Any, right: Any, point: Any, others: Any, directions: Any) -> Evidence:
    """Return the evidence of slopes that were measured along some directions."""

    def project(array: Any) -> Any:
        return directions @ np.asarray(array, np.float64).reshape(-1)

    errors = 1e-9 * np.abs(directions) @ np.full(right.size, np.abs(right).max())
    return Evidence(claimed, point, project, project(right), errors, others)


def kind_by(rule: Rule, evidence: Evidence) -> str:
    """Return the kind that a rule gives, were it the only one."""
    return mistakes.name_mistake(evidence, (rule,)).kind


def test_every_rule_has_its_kinds() -> None:
    """The rules stand here in the order of the code, with all the kinds that it spells out."""
    spelt_out = {
        node.value
        for node in ast.walk(ast.parse(inspect.getsource(mistakes)))
        if isinstance(node, ast.Constant) and node.value in PLANTED
    }
    assert tuple(KINDS) == tuple(LEFT) == RULES
    assert spelt_out == {*PLANTED} - {"row", "column"}
    assert {*WORDS} == {*PLANTED} == {*PLANTS, "swapped", "triangle", "shared"}


@every_method
@pytest.mark.parametrize("kind", CHECKED)
def test_a_mistake_is_named_in_three_models(kind: str, method: str) -> None:
    """Its kind and its words are given for each wrong array, by both methods."""
    for case in in_three_models(kind):
        model = case.model
        report = check_gradient(model.cost, case.claimed, model.parameters, method=method)
        for path in case.arrays:
            mistake = report.arrays[path].mistake
            assert mistake
            assert mistake.kind == kind, case.name
            assert re.search(WORDS[kind], mistake.text)


@every_rule
def test_a_rule_knows_its_own(rule: Rule) -> None:
    """It fits the evidence of three planted mistakes of its kind, but for those of the next one."""
    if rule is not mistakes.shifted:
        for case in in_three_models(KINDS[rule], FACTORS.get(rule, ())):
            found = [kind_by(rule, evidence) for evidence in evidences(case)]
            assert found == [KINDS[rule]] * len(found), case.name


@pytest.mark.parametrize("probes", [False, True])
def test_shifts_and_flips_are_known_in_three_models(probes: bool) -> None:
    """They are the orders of rows or columns that show without every entry."""
    for case in in_three_models("permuted"):
        for path, evidence in zip(case.arrays, evidences(case, probes=probes), strict=True):
            right = case.model.right[path]
            for axis, order in product(range(2), (-1, 1, None)):
                changed = np.flip(right, axis) if order is None else np.roll(right, order, axis)
                found = kind_by(mistakes.shifted, replace(evidence, gradient=changed))
                assert found == "permuted"


@every_rule
def test_a_rule_leaves_what_belongs_to_others(rule: Rule) -> None:
    """It fits none of three mistakes each of three kinds that are close to its own."""
    for kind in LEFT[rule]:
        for case in in_three_models(kind):
            found = {kind_by(rule, evidence) for evidence in evidences(case)}
            assert found == {"unknown"}, case.name


@every_rule
def test_four_probes_are_evidence_enough(rule: Rule) -> None:
    """Mistakes of whole arrays are named without a slope for each entry, and no other is."""
    for case in in_three_models(KINDS[rule], FACTORS.get(rule, ())):
        found = {kind_by(rule, evidence) for evidence in evidences(case, probes=True)}
        if rule in OF_ENTRIES:
            assert found == {"unknown"}, case.name
        elif rule is not mistakes.shifted:
            assert found == {KINDS[rule]}, case.name
    for other in LEFT[rule]:
        for case in in_three_models(other):
            found = {kind_by(rule, evidence) for evidence in evidences(case, probes=True)}
            assert found == {"unknown"}, case.name


# A cost that is linear has the gradient that one chooses.


def linear(right: Any, claimed: Any, parameters: Any = None, method: str = "auto") -> Report:
    """Check claimed arrays against the right ones, at parameters without a pattern."""
    rng = np.random.default_rng(1)
    points = parameters or {name: rng.normal(size=np.shape(a)) for name, a in right.items()}

    def cost(p: Any) -> Any:
        return sum(np.sum(right[name] * p[name]) for name in right)

    return check_gradient(cost, claimed, points, method=method)


def kind_of(claimed: Any, right: Any, parameters: Any = None, method: str = "auto") -> str:
    """Return the kind of mistake in a single array."""
    point = {} if parameters is None else {"a": np.asarray(parameters)}
    report = linear({"a": np.asarray(right)}, {"a": np.asarray(claimed)}, point, method)
    mistake = report.arrays["a"].mistake
    assert mistake
    return mistake.kind


A = np.array([[1.0, -2.0, 0.5], [4.0, 0.75, -1.5], [-3.0, 2.5, 1.25]])
K = np.arange(1.0, 55).reshape(2, 3, 3, 3) ** 1.5
SYMMETRIC = A + A.T
ONE_ROW = np.array([[0.0, 0.0], [1.0, -2.0], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("claimed", "right", "kind"),
    [
        (2 * SYMMETRIC, SYMMETRIC, "factor"),  # the transpose is as wrong as it is
        (-SYMMETRIC, SYMMETRIC, "factor"),
        (A.T, A, "transposed"),  # which a square array in the other order is, too
        (K.swapaxes(1, 3), K, "transposed"),
        (K.swapaxes(1, 2)[::-1], K, "unknown"),
        (A[::-1, ::-1], A, "turned"),
        (K[..., ::-1, ::-1], K, "turned"),
        (K[::-1, ::-1], K, "turned"),
        (K[..., ::-1], K, "permuted"),
        (np.zeros((3, 3)), A, "zero"),  # the multiple by 0, and its own transpose
        (0 * ONE_ROW, ONE_ROW, "zero"),  # only row 1 is wrong, too
        (np.where(A == 4, np.nan, 0), A, "not finite"),
        (np.array([[1.0, 2.0]]), np.array([[2.0, 1.0]]), "permuted"),
        (2 * ONE_ROW, ONE_ROW, "factor"),
        (A[:1] + np.eye(3)[1], A[:1], "entry"),  # of an array that is a single row
        (np.where(A == 4, 5, A), A, "entry"),
        (5.0, 4.0, "factor"),  # of a single number, everything is a multiple
        (np.array([[5.0]]), np.array([[4.0]]), "factor"),
        (np.array([np.inf]), np.array([4.0]), "not finite"),
        (np.array([0.0, 3.0, 0.0]), np.array([0.0, 1.5, 0.0]), "factor"),  # 2 times: a usual one
        (np.array([0.0, 1.9, 0.0]), np.array([0.0, 1.5, 0.0]), "entry"),
    ],
)
def test_of_several_rules_that_fit_the_most_specific_one_speaks(
    claimed: Any, right: Any, kind: str
) -> None:
    """What two rules could say is said by the one that says more."""
    assert kind_of(claimed, right) == kind


def test_a_number_added_is_an_offset_unless_all_parameters_are_that_number() -> None:
    """At parameters that are all alike, an L2 term cannot be told from an offset."""
    assert kind_of(A + 0.5, A) == "offset"
    assert kind_of(A + 0.5, A, np.full((3, 3), 5.0)) == "regularisation"
    assert kind_of(A + 0.5, A, np.zeros((3, 3))) == "offset"


@pytest.mark.parametrize(("added", "side"), [(0.5, "large"), (-0.5, "small")])
def test_an_offset_has_a_side_and_a_size(added: float, side: str) -> None:
    """Each entry, also of two, is said to be too large or too small, and by how much."""
    for right in (A, A[0, :2]):
        mistake = linear({"a": right}, {"a": right + added}).arrays["a"].mistake
        assert mistake == ("offset", None, f"each entry is too {side} by 0.5")


def test_where_slopes_are_exact_only_rounding_is_forgiven() -> None:
    """Without any error, products agree within a millionth of a millionth, and zeros agree."""
    exact = replace(evidence_of(A, A, A, {}, np.eye(9)), errors=np.zeros(9))
    assert exact.misfit(exact.slopes * (1 + 4e-13)) <= 1
    assert not exact.misfit(exact.slopes * (1 + 1e-11)) <= 1
    assert replace(exact, slopes=np.zeros(9)).misfit(np.zeros(9)) == 0


def test_a_slope_of_exactly_0_stands_in_the_way_of_no_factor() -> None:
    """A cost of 0 that does not depend on an entry has there no error at all."""
    slopes = np.array([1.0, -2.0, 0.0])
    evidence = evidence_of(slopes, slopes, slopes, {}, np.eye(3))
    evidence = replace(evidence, errors=np.array([1e-9, 1e-9, 0.0]))
    assert multiple_in(evidence, slopes, 3 * slopes) == pytest.approx(3)


def test_an_entry_is_no_pattern() -> None:
    """If one parameter is far larger than the others, its entry alone is no L2 term."""
    place = np.eye(9)[4].reshape(3, 3)
    assert kind_of(A + place, A, place + 1e-9) == "entry"
    assert kind_of(A + place + 1, A, place + 1) == "regularisation"


@pytest.mark.parametrize(
    ("term", "words"),
    [(-0.1, "0.1 times the parameters is missing"), (0.1, "by 0.1 times the parameters")],
)
def test_an_l2_term_is_missing_or_too_much(term: float, words: str) -> None:
    """The sentence says which, and how strong the term is."""
    mistake = linear({"a": A}, {"a": A + term * A.T}, {"a": A.T}).arrays["a"].mistake
    assert mistake
    assert words in mistake.text


def test_two_arrays_swapped_are_no_multiples() -> None:
    """Even if one gradient is twice the other."""
    b = np.array([1.0, -2.0, 4.0])
    report = linear({"a": b, "b": 2 * b}, {"a": 2 * b, "b": b})
    assert [array.mistake and array.mistake.kind for array in report.arrays.values()] == [
        "swapped",
        "swapped",
    ]


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (2, "it is 2 times the numerical gradient: is there a 2 too many?"),
        (0.5, "is the 2 of a square missing?"),
        (-1, "it has the wrong sign"),
        (-2, "2 times the numerical gradient with the wrong sign"),
        (32, "is there a 32 too many, or a mean over 32 missing?"),
        (1 / 32, "it is 1/32 of the numerical gradient: is a mean over 32 taken"),
        (1.01, "it is 1.01 times the numerical gradient"),
        (2 / 3, "it is 0.66667 times the numerical gradient"),
        (1 + 1e-5, "it is 1 + 1e-05 times the numerical gradient"),
        (1 - 2e-5, "it is 1 - 2e-05 times the numerical gradient"),
        (1e-5, "it is 1/100000 of the numerical gradient: is a mean over 100000 taken"),
        (1 / 4096, "it is 1/4096 of the numerical gradient: is a mean over 4096 taken"),
        (-1.00011, "it is -1.0001 times the numerical gradient"),
        (32.004, "it is 32.004 times the numerical gradient"),
        (1003.4, "it is 1003.4 times the numerical gradient"),
        (180 / np.pi, "it is 180/π times the numerical gradient: are degrees taken for radians"),
        (-np.log(2), "it is ln 2 times the numerical gradient with the wrong sign: is a base-2"),
        (1 / np.log(10), "it is 1/ln 10 times the numerical gradient: is a base-10 logarithm"),
        (np.sqrt(2), "it is √2 times the numerical gradient: is there a √2 too many?"),
        (np.pi / 2, "it is π/2 times the numerical gradient: is a 2/π missing?"),
        (
            0.0174532925199433,
            "it is π/180 times the numerical gradient: are degrees taken for radians",
        ),
        (1.44269504088896, "it is 1/ln 2 times the numerical gradient: is a base-2 logarithm"),
        (2.30258509299405, "it is ln 10 times the numerical gradient: is a base-10 logarithm"),
        (0.636619772367581, "it is 2/π times the numerical gradient: is there a 2/π too many?"),
        (0.707106781186548, "it is 1/√2 times the numerical gradient: is a √2 missing?"),
    ],
)
def test_a_factor_is_said_with_where_it_may_come_from(factor: float, words: str) -> None:
    """The usual ones come with a question, the others as a number, and all of them as a float."""
    mistake = linear({"a": A}, {"a": factor * A}).arrays["a"].mistake
    assert mistake
    assert words in mistake.text
    assert mistake.factor == pytest.approx(factor, rel=1e-6)


@pytest.mark.parametrize(
    ("claimed", "words"),
    [
        (np.inf, "it is nan or infinite"),
        ([1.0, np.nan], "the entry at [1] is nan or infinite"),
        ([[1.0, -np.inf], [np.nan, 1.0]], "2 entries are nan or infinite, the first at [0, 1]"),
    ],
)
def test_what_is_not_finite_is_counted_and_its_place_is_said(claimed: Any, words: str) -> None:
    """A number has no place, one entry has one, and of several the first is said."""
    assert mistakes.not_finite_in(np.array(claimed)) == ("not finite", None, words)
    assert mistakes.not_finite_in(np.ones(2)) is None


def test_a_gradient_that_is_zero_is_the_multiple_by_0() -> None:
    """The mistake says so as a number, too."""
    mistake = linear({"a": A}, {"a": 0 * A}).arrays["a"].mistake
    assert mistake
    assert mistake.factor == 0


# The report


def course_report(change: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]) -> Report:
    """Check the course's network of six arrays with its gradient changed."""
    X, Y, parameters = course.gradient_check_n_test_case()
    _, cache = course.forward_propagation_n(X, Y, parameters)
    gradients = course.backward_propagation_n(X, Y, cache)
    right = {name: gradients["d" + name] for name in parameters}

    def cost(p: Any) -> float:
        return course.forward_propagation_n(X, Y, p)[0]

    return check_gradient(cost, change(right, parameters), parameters)


def tripled(right: dict[str, Any], _: object) -> dict[str, Any]:
    """Return all arrays three times as large."""
    return {name: 3 * array for name, array in right.items()}


def six_kinds(right: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a gradient with another mistake in every array."""
    W1, b1, W2, b2, W3, b3 = right.values()
    changed = (W1 + parameters["W1"], 2 * b1, W2 + 0.3, 0 * b2, W3 + np.eye(3)[2], -b3)
    return dict(zip(right, changed, strict=True))


def disturbed(right: dict[str, Any], _: object) -> dict[str, Any]:
    """Return all arrays wrong in a way that has no name."""
    rng = np.random.default_rng(0)
    return {name: array * rng.uniform(2, 3, array.shape) for name, array in right.items()}


def test_arrays_that_are_wrong_in_the_same_way_are_named_in_one_sentence() -> None:
    """All of them together, two by their names, and of many only the first."""
    text = str(course_report(tripled))
    assert "\nall 6 arrays: each is 3 times the numerical gradient" in text
    assert text.count("3 times") == 1
    text = str(course_report(lambda g, _: {**g, "W1": -g["W1"], "b3": -g["b3"]}))
    assert "\nW1 and b3: each has the wrong sign\n" in text
    right = {f"a{k}": A + k for k in range(12)}
    text = str(linear(right, {name: -g if name != "a0" else g for name, g in right.items()}))
    assert "\na1, a2, a3, a4, a5 and 6 more arrays: each has the wrong sign\n" in text


@pytest.mark.parametrize("change", [tripled, disturbed, six_kinds])
def test_a_report_on_six_arrays_fits_a_screen(
    change: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]],
) -> None:
    """It has at most 25 lines, none of which is long, and no array is printed in it."""
    report = course_report(change)
    lines = str(report).splitlines()
    assert all(array.verdict == "wrong" for array in report.arrays.values())
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 120
    assert not any(word in line for line in lines for word in ("[[", "array(", "..."))


def test_a_report_says_if_nothing_was_tested() -> None:
    """Where no entry changes the cost, there is no resolution to tell; one that does has one."""
    text = str(linear({"a": 0 * A, "b": 0 * A}, {"a": 0 * A, "b": 0 * A}))
    assert text.startswith("Nothing was tested: gradient and slope are 0, and")
    text = str(linear({"a": 0 * A, "b": A}, {"a": 0 * A, "b": A}))
    assert text.startswith("The gradient is correct.\nA mistake of ")


def test_verdicts_are_coloured_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red for wrong and green for correct, but neither in a file nor where NO_COLOR is set."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    report = linear({"correct": A, "b": A}, {"correct": A, "b": -A})
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    plain = str(report)
    assert "\033" not in plain
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    coloured = str(report)
    assert coloured.count("\033[31mwrong\033[0m") == coloured.count("\033[32mcorrect\033[0m") == 1
    assert re.sub(r"\033\[\d+m", "", coloured) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert str(report) == plain


def test_a_notebook_shows_the_report_as_a_table() -> None:
    """It has a row for each array, the findings and the footer, and never a colour's code."""
    report = course_report(tripled)
    html = BeautifulSoup(report._repr_html_(), "html.parser")
    rows = [[cell.text for cell in row("td")] for row in html("tr")[1:]]
    assert [cell.text for cell in html("th")][:3] == ["array", "shape", "verdict"]
    assert [row[:3] for row in rows][:2] == [["W1", "5x4", "wrong"], ["b1", "5x1", "wrong"]]
    assert len(rows) == 6
    assert "all 6 arrays: each is 3 times" in html.text
    assert str(report).splitlines()[0] in html.text
    assert str(report).splitlines()[-1] in html.text
    assert "\033" not in html.text


def test_the_table_escapes_the_names_of_arrays() -> None:
    """A name with the signs of HTML is shown as it is."""
    name = '<b>W & "1"</b>'
    report = linear({name: A}, {name: -A})
    html = report._repr_html_()
    assert "<b>" not in html
    assert BeautifulSoup(html, "html.parser")("td")[0].text == next(iter(report.arrays))


# The page


def sections() -> dict[str, str]:
    """Return the sections of the page that have an id, by that id."""
    _, *parts = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    ids = {re.match(r".*\{#([\w-]+)\}$", part, re.MULTILINE): part for part in parts}
    return {found[1]: part for found, part in ids.items() if found}


def test_the_page_has_a_section_for_each_kind_in_the_order_of_the_rules() -> None:
    """A section's id is the kind, with hyphens."""
    assert list(sections()) == [kind.replace(" ", "-") for kind in CHECKED]


@pytest.mark.parametrize("kind", CHECKED)
def test_a_section_shows_the_words_of_its_kind(kind: str) -> None:
    """What its blocks print is what the rule says."""
    section = sections()[kind.replace(" ", "-")]
    outputs = re.findall(r'```text title="Output"\n(.*?)```', section, re.DOTALL)
    assert re.search(WORDS[kind], "".join(outputs))


# Evidence that is given, and not measured


def evidence(gradient: Any, right: Any, errors: float = 0.0, **others: Any) -> Evidence:
    """Return evidence that knows the right gradient within errors; its parameters are 1 to n."""
    g = np.asarray(gradient, float)
    slopes = np.ravel(np.asarray(right, float))
    parameters = np.arange(1.0, g.size + 1).reshape(g.shape)
    return Evidence(g, parameters, np.ravel, slopes, np.full(slopes.size, errors), others)


def text_of(known: Evidence) -> str:
    """Return the mistake in words."""
    return mistakes.name_mistake(known).text


def multiple_in(known: Evidence, products: Any, of: Any) -> float | None:
    """Return the x for which x * products is `of`."""
    with np.errstate(all="ignore"):
        fit = replace(known, slopes=np.asarray(of)).telling(products)
        x = fit and fit.value
        fits = x and np.all(np.abs(x * products - of) <= known.errors + 1e-12 * np.abs(of))
    return x if fits else None


@pytest.mark.parametrize(
    ("apart", "errors", "agrees"),
    [(0.0, 0.0, True), (1e-9, 0.0, True), (3e-9, 0.0, False), (0.5, 0.5, True), (0.6, 0.5, False)],
)
def test_products_agree_within_the_errors_and_rounding(
    apart: float, errors: float, agrees: bool
) -> None:
    """Rounding is 1e-12 of both together; one product that is off is enough."""
    right = np.array([1.0, 1000.0, 0.0])
    for sign in (1, -1):
        known = evidence(right, right, errors)
        assert (known.misfit(right + sign * apart * np.eye(3)[1]) <= 1) is agrees


def test_a_multiple_fits_all_products_and_shows_in_more_than_one() -> None:
    """Unless only one of them is not zero; what shows in one may be a mistake of that entry."""
    slopes = np.array([0.5, -1.0, 2.0])
    known = evidence(slopes, slopes, 1e-3)
    assert multiple_in(known, slopes, of=3 * slopes) == pytest.approx(3)
    assert multiple_in(known, slopes, of=3 * slopes + [0, 0, 0.9e-3]) == pytest.approx(3, rel=1e-3)
    assert multiple_in(known, slopes, of=3 * slopes + [0, 0, 0.1]) is None
    assert multiple_in(known, 0 * slopes, of=slopes) is None
    assert multiple_in(known, np.array([1.0, 0, 0]), of=np.array([3.0, 0, 0])) == pytest.approx(3)
    assert multiple_in(known, np.array([1.0, 1e-6, 0]), of=np.array([3.0, 0, 0])) is None
    assert multiple_in(known, np.array([1.0, 1.0, 1e-6]), of=np.array([3.0, 3.0, 0])) is not None
    with np.errstate(invalid="ignore"):
        assert multiple_in(known, np.array([np.inf, 1.0, 0]), of=slopes) is None
    exact = evidence(slopes, slopes, 1e-15)
    assert multiple_in(exact, slopes, of=3 * slopes + [0, 0, 5e-12]) == pytest.approx(3)
    assert multiple_in(exact, slopes, of=3 * slopes + [0, 0, 5e-11]) is None


@pytest.mark.parametrize(
    ("error", "rest", "tells"),
    [(0.3, 0.0, True), (0.4, 0.0, False), (0.04, 1.0, True), (0.05, 1.0, False)],
)
def test_what_is_fitted_has_to_tell(error: float, rest: float, tells: bool) -> None:
    """One of four slopes fixes the number; the others agree by chance where errors are wide."""
    known = given(2 * np.ones(4), np.ones(4), errors=error)
    beside = rest * np.eye(4)[0]
    assert bool(known.telling(1 - beside, beside)) == tells


def cost_of(A: Any) -> Callable[[Any], Any]:
    """Return a cost that is smooth, and has a gradient with entries of all sizes."""
    return lambda x: np.sum(np.tanh(A @ x))


def test_probes_within_a_tolerance_explain_nothing() -> None:
    """Entries that are off at random are no multiple, part or term, wherever they were probed."""
    texts = []
    for rng in draws(60):
        x, A = rng.normal(size=200), rng.normal(size=(40, 200)) / 200**0.5
        g = A.T @ (1 - np.tanh(A @ x) ** 2)
        claimed = g * (1 + 0.02 * rng.normal(size=200))
        cost = cost_of(A)
        report = check_gradient(cost, claimed, x, method="directions", tolerance=0.01)
        mistake = report.arrays["parameters"].mistake
        texts += [mistake.text] if mistake and mistake.kind != "unknown" else []
    assert len(texts) <= 6, texts


def test_a_multiple_is_weighed_by_the_errors() -> None:
    """What is known well says more of the factor."""
    known = replace(evidence([1.0, 1.0], [3.0, 3.5]), errors=np.array([1e-6, 1.0]))
    fit = known.fitted(np.ones(2))
    assert fit is not None
    assert fit.value == pytest.approx(3, abs=1e-6)


@pytest.mark.parametrize("axis", [0, 1])
def test_what_stands_in_another_order_has_a_name(axis: int) -> None:
    """The rows or the columns of a matrix, the entries of a vector."""
    right = np.random.default_rng(0).normal(size=(4, 5))
    known = evidence(np.roll(right, 1, axis), right)
    assert text_of(known) == f"its {('rows', 'columns')[axis]} are in another order"
    known = evidence(np.roll(right[0], 1), right[0])
    assert text_of(known) == "its entries are in another order"


# Which rule speaks


def given(claimed: Any, right: Any, parameters: Any = None, errors: float = 1e-9) -> Evidence:
    """Return evidence of every entry, at parameters without a pattern unless they are given."""
    known = evidence(claimed, right, errors)
    rng = np.random.default_rng(5)
    w = rng.normal(size=known.gradient.shape) if parameters is None else np.asarray(parameters)
    return replace(known, parameters=w)


@pytest.mark.parametrize("right", [[1.0, -1.0], [[2.0], [-2.0]], [[1.0, -3.0], [-1.0, 3.0]]])
def test_the_wrong_sign_of_opposite_entries_is_no_other_order(right: Any) -> None:
    """The gradients of two classes are each other's opposite, always."""
    assert text_of(given(-np.asarray(right), right)) == "it has the wrong sign"


def test_of_wide_errors_one_wrong_entry_is_the_simplest_explanation() -> None:
    """A factor fits, too, but would do so by chance."""
    right = np.array([0.9, 1.0, 0.02, -0.03])
    known = given(right + 0.11 * np.eye(4)[1], right, errors=0.07)
    assert known.fitted(known.claimed) is not None
    assert kind_by(mistakes.multiple, known) == "unknown"
    assert text_of(known) == "at least 1 of its 4 entries is wrong, and no other is known to be"
    assert mistakes.name_mistake(replace(known, errors=np.full(4, 0.01))).kind == "entry"


def test_the_closest_proposal_is_believed_and_not_the_first() -> None:
    """A multiple that fits within the errors gives way to an offset that fits exactly."""
    right = np.linspace(1.0, 1.2, 6)
    known = given(right + 0.3, right, errors=0.03)
    assert kind_by(mistakes.multiple, known) == "factor"
    assert mistakes.name_mistake(known).kind == "offset"


def test_a_claim_that_fits_has_no_mistake() -> None:
    """Where the errors allow everything, nothing is named."""
    assert mistakes.name_mistake(given([1.0, 2.0], [1.1, 1.9], errors=0.5)) is mistakes.UNKNOWN
    assert mistakes.name_mistake(given([1.0, 2.0], [5.0, 1.0], errors=np.inf)) is mistakes.UNKNOWN


W = np.array([[0.5, -1.5, 2.0], [-0.7, 1.1, 0.3], [1.2, 0.4, -0.9], [0.8, -2.1, 1.7]])
R = np.random.default_rng(3).normal(size=(4, 3))
SPARED = np.vstack([np.zeros(3), W[1:]])
S = R @ R.T


@pytest.mark.parametrize(
    ("claimed", "right", "words"),
    [
        (R * W, R, "times the parameters: were they multiplied in once too often, or is it with"),
        (R * 2 * W, R, "times twice the parameters: is the slope of their square taken twice?"),
        (R / W, R, "divided by the parameters: is this factor missing, or is the slope of their"),
        (R / W / 2, R, "divided by twice the parameters: is it with respect to their squares"),
        (-3.7 * R * W, R, "it is -3.7 times the numerical gradient times the parameters"),
        (R - 0.7 * np.sign(W), R, "0.7 times the signs of the parameters is missing: is it the L1"),
        (R + SPARED, R, "gradient by 1 times the parameters, except in its row 0: is there an L2"),
        (R - 0.5 * np.sign(SPARED), R, "signs of the parameters is missing, except in its row 0"),
        (R * [0, 1, 1], R, "it is zero in its column 0, but"),
        (R * [[0], [1], [0], [1]], R, "it is zero in its rows 0 and 2, but"),
        (R * [[1], [-2], [1], [-2]], R, "in its rows 1 and 3, it is 2 times the numerical"),
        (np.where(W > 0, 1.3, 1) * R, R, "where the parameter is positive, it is 1.3 times"),
        (np.clip(R, -0.5, 0.5), R, "it is clipped to [-0.5, 0.5]"),
        (
            S,
            2 * np.tril(S, -1) + np.diag(np.diag(S)),
            "it is symmetric, but the cost reads only the l",
        ),
        (
            S,
            2 * np.triu(S, 1) + np.diag(np.diag(S)),
            "it is symmetric, but the cost reads only the u",
        ),
        (S, 2 * S, "it is half the numerical gradient"),
        (S * (2 - np.eye(len(S))), S, "off its diagonal, it is 2 times the numerical gradient"),
        (S * (1 + 0.3 * np.eye(len(S))), S, "on its diagonal, it is 1.3 times the numerical"),
        (R.round(6), R, "with a tolerance? If so, pass tolerance=1e-06."),
        (np.array([0.3141593, 0.2718282]), np.array([np.pi, np.e]) / 10, "about 7 digits: is it"),
        (np.array([0.3141593, np.e / 10]), np.array([np.pi, np.e]) / 10, "one of its 2 entries"),
        (R.round(3), R, mistakes.UNKNOWN.text),
        (R * (1 + 1e-5), R, "it is 1 + 1e-05 times"),
    ],
)
def test_a_pattern_is_said_with_its_place_and_its_size(
    claimed: Any, right: Any, words: str
) -> None:
    """Each at the same parameters, whose signs and sizes have no pattern."""
    known = given(claimed, right, W if np.shape(claimed) == W.shape else None)
    assert words in text_of(known)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (range(6, 12), "its entries 6 to 11"),
        (range(1, 12, 2), "every second entry from entry 1 on"),
        (range(6, 12, 2), "every second entry from entry 6 on"),
        (range(2, 8, 2), "its entries 2, 4 and 6"),
        ([2], "its entry 2"),
        ([0, 3, 7], "its entries 0, 3 and 7"),
        ([0, 1, 3, 4, 7, 9], "6 of its 12 entries, the first of them 0"),
    ],
)
def test_places_are_named_by_their_pattern(chosen: Any, words: str) -> None:
    """A range, every second, a few one by one, or the number of them."""
    mask = np.zeros(12, dtype=bool)
    mask[list(chosen)] = True
    assert places(mask, axis=0) == words


def test_places_are_named_after_their_axis() -> None:
    """The first axis has rows, the last has columns, and those between have slices."""
    assert [axis_names(axis, ndim=3)[0] for axis in range(3)] == ["row", "slice", "column"]
    assert axis_names(0, ndim=1) == ("entry", "entries")
    assert places((np.arange(8) % 2 == 1).reshape(8, 1), 0) == "every second row from row 1 on"
    assert places((np.arange(8) % 2 == 1).reshape(1, 8), 1).startswith("every second column")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ([[1, 2], [1, 3]], "only its row 1 is wrong"),
        ([[0, 3], [2, 3]], "only its column 3 is wrong"),
        ([[1, 2]], "one of its 12 entries is wrong, all others are right"),
    ],
)
def test_wrong_entries_in_one_place_are_named_after_it(wrong: Any, words: str) -> None:
    """A row, a column or a single entry, and nothing where they have nothing in common."""
    mistake = mistakes.placed((3, 4), np.array(wrong))
    assert mistake
    assert mistake.text == words
    assert mistakes.placed((3, 4), np.array([[0, 1], [1, 2]])) is None


@pytest.mark.parametrize(
    ("show", "number", "error", "digits"),
    [
        (shown, 1.30472, 2e-3, "1.3"),
        (shown, 1234.5, 30, "1200"),
        (shown, 0.5, 7.0, "0.5"),  # at least one digit
        (shown, 1 / 3, 0.0, "0.33333"),  # at most five
        (times, 1.02, 0.01, "1.02"),
        (times, 1.02, 0.05, "1.02"),  # and not 1.0
        (times, 0.99998, 1e-9, "1 - 2e-05"),
    ],
)
def test_a_number_has_the_digits_that_are_known(
    show: Callable[[float, float], str], number: float, error: float, digits: str
) -> None:
    """And a factor has those that tell it from 1."""
    assert show(number, error) == digits


def test_a_usual_factor_may_have_the_wrong_sign() -> None:
    """What it would be without the sign is asked all the same; last comes the number itself."""
    half, *_, itself = usual(-0.5, 1e-9)
    question = "is the 2 of a square missing?"
    assert half == (-0.5, f"it is half the numerical gradient with the wrong sign: {question}")
    assert itself == (-0.5, "it is -0.5 times the numerical gradient")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (slice(500, 1000), "in its entries 500 to 999, it is 2 times"),
        (slice(0, 500), "in its entries 0 to 499, it is 2 times"),
        (slice(None, None, 2), "in every second entry from entry 0 on, it is 2 times"),
    ],
)
@pytest.mark.parametrize("count", [4, 1000])
def test_a_part_is_known_from_probes_and_from_entries(part: slice, words: str, count: int) -> None:
    """Halves, and every second entry."""
    rng = np.random.default_rng(0)
    right, w = rng.normal(size=1000), rng.normal(size=1000)
    claimed = right.copy()
    claimed[part] *= 2
    directions = np.eye(1000) if count == 1000 else rng.normal(size=(count, 1000))
    known = evidence_of(claimed, right, w, {}, directions)
    assert words in text_of(known)


@pytest.mark.parametrize(("sign", "word"), [(-1, "negative"), (1, "positive")])
def test_a_part_by_the_sign_of_the_parameter_leaves_zeros_out(sign: int, word: str) -> None:
    """An L1 penalty has a mistake there, and none where a parameter is 0."""
    rng = np.random.default_rng(0)
    right, w = rng.normal(size=12), rng.normal(size=12)
    w[::3] = 0
    claimed = np.where(sign * w > 0, 2 * right, right)
    said = f"where the parameter is {word}, it is 2 times the numerical gradient"
    assert text_of(given(claimed, right, w)).startswith(said)


@pytest.mark.parametrize(
    ("shape", "words"), [((2, 5), "in its row 0"), ((5, 2), "in its column 0")]
)
def test_a_part_may_be_one_row_or_one_column(shape: tuple[int, int], words: str) -> None:
    """Of two; of a vector, one entry is none."""
    right = np.random.default_rng(0).normal(size=shape)
    claimed = right.copy()
    (claimed if shape[0] < shape[1] else claimed.T)[0] *= 2
    assert text_of(given(claimed, right)).startswith(f"{words}, it is 2 times")
    pair = np.array([2 * right[0, 0], right[1, 1]])
    assert text_of(given(pair, np.array([right[0, 0], right[1, 1]]))).startswith("one of its 2")


def test_of_an_odd_number_the_middle_one_is_in_the_second_half() -> None:
    """Probes of eleven entries, of which the first five, or the last six, are doubled."""
    rng = np.random.default_rng(0)
    right, w, directions = rng.normal(size=11), rng.normal(size=11), rng.normal(size=(4, 11))
    for part, words in ((slice(5), "in its entries 0 to 4"), (slice(5, 11), "in its entries 5 to")):
        claimed = right.copy()
        claimed[part] *= 2
        known = evidence_of(claimed, right, w, {}, directions)
        assert kind_by(mistakes.part, known) == "part"
        assert text_of(known).startswith(words)


def test_a_range_of_entries_is_found_where_every_entry_was_measured() -> None:
    """It may begin and end anywhere."""
    claimed = np.where((np.arange(40) > 6) & (np.arange(40) < 21), -1, 1) * (right := K.flat[:40])
    assert text_of(given(claimed, right)) == "in its entries 7 to 20, it has the wrong sign"


def test_one_array_in_two_places_has_the_same_parameters_and_the_same_claim() -> None:
    """One of both alone says nothing, and neither do parameters that are all alike."""
    known = replace(given(2 * R + W**3, R, W), others={"b": 2 * R + W**3})
    assert mistakes.name_mistake(known) is mistakes.UNKNOWN
    twin = replace(known, other_parameters={"b": W})
    assert text_of(twin).startswith("its parameters and its gradient equal those of b")
    assert mistakes.name_mistake(replace(twin, others={"b": R**2})) is mistakes.UNKNOWN
    ones = np.ones((4, 3))
    alike = replace(known, parameters=ones, other_parameters={"b": ones})
    assert mistakes.name_mistake(alike) is mistakes.UNKNOWN


@pytest.mark.parametrize(("off", "known"), [(0.9, True), (1.1, False), (1.9, False)])
def test_a_usual_function_of_the_parameters_is_believed_within_the_errors(
    off: float, known: bool
) -> None:
    """Beyond them, the factor that was fitted is said."""
    right, error = np.array([1.0, 2.0, -0.5]), 1e-3
    w = np.array([2.0, 0.5, -1.5])
    claimed = right * w * (1 + off * error / abs(right).max())
    text = text_of(given(claimed, right, w, errors=error))
    assert text.startswith("it is the numerical gradient times the parameters") == known
    assert "times the parameters" in text


def test_signs_alone_are_no_clipped_gradient() -> None:
    """Of a gradient that is cut off, some entries are left."""
    right = np.array([1.0, -2.0, 3.0, -4.0, 1.5])
    assert kind_by(mistakes.clipped, given(np.sign(right), right)) == "unknown"
    assert kind_by(mistakes.clipped, given(np.clip(right, -2, 2), right)) == "clipped"


def test_a_kernel_is_a_plane() -> None:
    """A column upside down is none, and only the first two axes or the last two hold one."""
    column, kernels = np.array([[1.0], [2.5]]), np.arange(36.0).reshape(2, 2, 3, 3) ** 1.5
    assert kind_by(mistakes.turned, given(column[::-1], column)) == "unknown"
    for axes, kind in (((0, 1), "turned"), ((2, 3), "turned"), ((1, 2), "unknown")):
        assert kind_by(mistakes.turned, given(np.flip(kernels, axes), kernels)) == kind


@pytest.mark.parametrize(
    ("factor", "error", "words"),
    [
        (1.30472, 1e-3, "it is 1.3 times"),
        (1.30472, 1e-5, "it is 1.3047 times"),
        (1.9675, 0.05, "it is 2 times the numerical gradient: is there a 2 too many?"),
        (31.9, 0.02, "it is 32 times the numerical gradient"),
        (0.69, 0.02, "it is 0.7 times"),
        (0.6931, 1e-3, "it is ln 2 times"),
    ],
)
def test_a_factor_has_the_digits_that_the_errors_back(
    factor: float, error: float, words: str
) -> None:
    """A usual one is meant if it lies within the error, and its being so is no chance."""
    right = np.array([1.0, -0.8, 0.6, 0.9])
    assert words in text_of(given(factor * right, right, errors=error))


@pytest.mark.parametrize("size", [1e-320, 1e-300, 1e-160, 1.0, 1e160, 1e300])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_is_not_finite_is_said(size: float, seed: int) -> None:
    """However large or small gradient, parameters and errors are, in all combinations."""
    rng = np.random.default_rng(seed)
    right, w = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    changes = (7 * right, right * w, right / w, right + w, right + 1, right.T, right**2, 0 * w)
    for other, error, change in product((1e-310, 1.0, 1e305), (0.0, 1e-9, 1e-3), changes):
        with np.errstate(over="ignore"):
            known = given(size * change, size * right, other * w, errors=size * error)
        for rule in RULES:
            mistake = mistakes.name_mistake(known, (rule,))
            assert not re.search(r"\b(nan|inf)\b", mistake.text) or mistake.kind == "not finite"
            assert mistake.factor is None or np.isfinite(mistake.factor)
