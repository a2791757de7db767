"""The names of mistakes: each rule knows its own, leaves the others, and the report says it."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup

from backproof import check_gradient, course, mistakes
from backproof.mistakes import RULES, Evidence, Mistake
from backproof.report import Report
from catalogue import WRONG, Wrong
from catalogue.mistakes import PLANTS
from catalogue.model import arrays_of

Rule = Callable[[Evidence], Mistake | None]

PAGE = Path(__file__).parents[1] / "docs/explanation/mistakes.md"

# The kinds that each rule gives, and kinds that look like these and belong to other rules.
KINDS: dict[Rule, tuple[str, ...]] = {
    mistakes.not_finite: ("not finite",),
    mistakes.zero: ("zero",),
    mistakes.transposed: ("transposed",),
    mistakes.turned: ("turned",),
    mistakes.reordered: ("reordered",),
    mistakes.swapped: ("swapped",),
    mistakes.permuted: ("permuted",),
    mistakes.multiple: ("factor",),
    mistakes.regularisation: ("regularisation",),
    mistakes.offset: ("offset",),
}
LEFT: dict[Rule, tuple[str, ...]] = {
    mistakes.not_finite: ("zero", "factor", "entry"),
    mistakes.zero: ("not finite", "factor", "row"),
    mistakes.transposed: ("permuted", "reordered", "swapped"),
    mistakes.turned: ("permuted", "transposed", "reordered"),
    mistakes.reordered: ("permuted", "swapped", "unknown"),
    mistakes.swapped: ("permuted", "transposed", "factor"),
    mistakes.permuted: ("reordered", "swapped", "row"),
    mistakes.multiple: ("regularisation", "offset", "row"),
    mistakes.regularisation: ("factor", "offset", "unknown"),
    mistakes.offset: ("regularisation", "entry", "unknown"),
}
WORDS = {
    "not finite": "nan or infinite",
    "zero": "it is zero",
    "transposed": "the transpose of",
    "turned": "turned by 180 degrees",
    "reordered": "in the other order",
    "swapped": "is the one claimed for",
    "permuted": "stand in another order",
    "factor": r"times the numerical|half the numerical|of the numerical|the wrong sign",
    "regularisation": r"[\d.e-]+ times the parameters",
    "offset": r"each entry is too \w+ by [\d.e-]+",
    "entry": r"one of its \d+ entries is wrong",
    "row": r"only its row \d+ is wrong",
    "column": r"only its column \d+ is wrong",
    "unknown": "no rule knows",
}
# Those that no rule gives are read off the places of the wrong entries, where none fits.
PLANTED = [*(kind for kinds in KINDS.values() for kind in kinds), "entry", "row", "column"]
PLANTED += ["unknown"]

every_method = pytest.mark.parametrize("method", ["entries", "directions"])
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)


def in_three_models(kind: str) -> list[Wrong]:
    """Return three cases of a kind in different models, in double precision."""
    fine = (case for case in WRONG if case.kind == kind and "float32" not in case.name)
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
        yield evidence_of(claimed[path], right[path], points[path], others, directions)


def evidence_of(claimed: Any, right: Any, point: Any, others: Any, directions: Any) -> Evidence:
    """Return the evidence of slopes that were measured along some directions."""

    def project(array: Any) -> Any:
        return directions @ np.asarray(array, np.float64).reshape(-1)

    errors = 1e-9 * np.abs(directions) @ np.full(right.size, np.abs(right).max())
    return Evidence(claimed, point, project, project(right), errors, others)


def test_every_rule_has_its_kinds() -> None:
    """The rules stand here in the order of the code, with all the kinds that it spells out."""
    tree = ast.parse(inspect.getsource(mistakes))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    first = [node.args[0] for node in calls if getattr(node.func, "id", "") == "Mistake"]
    spelt_out = {argument.value for argument in first if isinstance(argument, ast.Constant)}
    assert tuple(KINDS) == tuple(LEFT) == RULES
    assert spelt_out == {*PLANTED} - {"row", "column"}
    assert {*WORDS} == {*PLANTED} == {*PLANTS, "swapped"}


@every_method
@pytest.mark.parametrize("kind", PLANTED)
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
    """It fits the evidence of three planted mistakes of each of its kinds."""
    for kind in KINDS[rule]:
        for case in in_three_models(kind):
            found = [rule(evidence) for evidence in evidences(case)]
            assert [mistake and mistake.kind for mistake in found] == [kind] * len(found)


@every_rule
def test_a_rule_leaves_what_belongs_to_others(rule: Rule) -> None:
    """It fits none of three mistakes each of three kinds that are close to its own."""
    for kind in LEFT[rule]:
        for case in in_three_models(kind):
            assert not any(map(rule, evidences(case))), case.name


@every_rule
def test_four_probes_are_evidence_enough(rule: Rule) -> None:
    """Mistakes of whole arrays are named without a slope for each entry, and no other is."""
    if rule is not mistakes.permuted:  # of which the next test says what probes show
        for case in in_three_models(*KINDS[rule]):
            assert all(map(rule, evidences(case, probes=True)))
    for other in LEFT[rule]:
        for case in in_three_models(other):
            assert not any(map(rule, evidences(case, probes=True)))


@pytest.mark.parametrize("axis", [0, 1])
def test_probes_show_shifts_and_flips(axis: int) -> None:
    """They are the orders of rows or columns that are looked for without every entry."""
    rng = np.random.default_rng(0)
    right, directions = rng.normal(size=(5, 4)), rng.normal(size=(4, 20))
    orders = [np.roll(right, 1, axis), np.roll(right, -1, axis), np.flip(right, axis)]
    for claimed in [*orders, np.roll(right, 2, 0)]:
        evidence = evidence_of(claimed, right, right, {}, directions)
        assert bool(mistakes.permuted(evidence)) == any(claimed is order for order in orders)


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
        (5.0, 0.0, "unknown"),  # no number times 0
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
    exact = evidence_of(A, A, A, {}, np.eye(9))._replace(errors=np.zeros(9))
    assert exact.agrees(exact.slopes * (1 + 4e-13))
    assert not exact.agrees(exact.slopes * (1 + 1e-11))
    assert exact._replace(slopes=np.zeros(9)).agrees(np.zeros(9))


def test_a_slope_of_exactly_0_stands_in_the_way_of_no_factor() -> None:
    """A cost of 0 that does not depend on an entry has there no error at all."""
    slopes = np.array([1.0, -2.0, 0.0])
    evidence = evidence_of(slopes, slopes, slopes, {}, np.eye(3))
    evidence = evidence._replace(errors=np.array([1e-9, 1e-9, 0.0]))
    assert evidence.multiple(slopes, 3 * slopes) == pytest.approx(3)


def test_an_entry_is_no_pattern() -> None:
    """If one parameter is far larger than the others, its entry alone is no L2 term."""
    place = np.eye(9)[4].reshape(3, 3)
    assert kind_of(A + place, A, place + 1e-9) == "entry"
    assert kind_of(A + place + 1, A, place + 1) == "regularisation"


@pytest.mark.parametrize(
    ("term", "words"), [(-0.1, "0.1 times the parameters is missing"), (0.1, "it has 0.1 times")]
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
        (32, "is there a 32 too many, or the mean over 32 examples missing?"),
        (1 / 32, "it is 1/32 of the numerical gradient: is a mean over 32 taken"),
        (1.01, "it is 1.01 times the numerical gradient"),
        (2 / 3, "it is 0.66667 times the numerical gradient"),
        (1 + 1e-5, "it is 1 + 1e-05 times the numerical gradient"),
        (1 - 2e-5, "it is 1 - 2e-05 times the numerical gradient"),
        (1e-5, "it is 1e-05 times the numerical gradient"),
        (1 / 4096, "it is 1/4096 of the numerical gradient: is a mean over 4096 taken"),
        (1 / 4097, "it is 0.00024408 times the numerical gradient"),
        (-1.00011, "it is -1.0001 times the numerical gradient"),
        (32.0005, "it is 32 times the numerical gradient: is there a 32 too many"),  # in float32
        (1000.05, "it is 1000.1 times the numerical gradient"),
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
    assert "\nall 6 arrays: it is 3 times the numerical gradient" in text
    assert text.count("3 times") == 1
    text = str(course_report(lambda g, _: {**g, "W1": -g["W1"], "b3": -g["b3"]}))
    assert "\nW1 and b3: it has the wrong sign\n" in text
    right = {f"a{k}": A + k for k in range(12)}
    text = str(linear(right, {name: -g if name != "a0" else g for name, g in right.items()}))
    assert "\na1, a2, a3, a4, a5 and 6 more arrays: it has the wrong sign\n" in text


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
    assert text.startswith("Nothing was tested: gradient and slope are 0 in every entry.")
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
    assert "all 6 arrays: it is 3 times" in html.text
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
    assert list(sections()) == [kind.replace(" ", "-") for kind in PLANTED]


@pytest.mark.parametrize("kind", PLANTED)
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
        assert known.agrees(right + sign * apart * np.eye(3)[1]) is agrees


def test_a_multiple_fits_all_products_and_shows_in_two() -> None:
    """Unless only one of them is not zero; what shows in one may be a mistake of that entry."""
    slopes = np.array([0.5, -1.0, 2.0])
    known = evidence(slopes, slopes, 1e-3)
    assert known.multiple(slopes, of=3 * slopes) == pytest.approx(3)
    assert known.multiple(slopes, of=3 * slopes + [0, 0, 0.9e-3]) == pytest.approx(3, rel=1e-3)
    assert known.multiple(slopes, of=3 * slopes + [0, 0, 0.1]) is None
    assert known.multiple(0 * slopes, of=slopes) is None
    assert known.multiple(np.array([1.0, 0, 0]), of=np.array([3.0, 0, 0])) == pytest.approx(3)
    assert known.multiple(np.array([1.0, 1e-6, 0]), of=np.array([3.0, 0, 0])) is None
    assert known.multiple(np.array([1.0, 1.0, 1e-6]), of=np.array([3.0, 3.0, 0])) is not None
    with np.errstate(invalid="ignore"):
        assert known.multiple(np.array([np.inf, 1.0, 0]), of=slopes) is None
    exact = evidence(slopes, slopes, 1e-15)
    assert exact.multiple(slopes, of=3 * slopes + [0, 0, 5e-12]) == pytest.approx(3)
    assert exact.multiple(slopes, of=3 * slopes + [0, 0, 5e-11]) is None


def test_a_multiple_is_weighed_by_the_errors() -> None:
    """What is known well says more of the factor."""
    known = evidence([1.0, 1.0], [0.0, 0.0])._replace(errors=np.array([1e-6, 1.0]))
    assert known.multiple(np.ones(2), of=np.array([3.0, 3.5])) is not None
    assert known.multiple(np.ones(2), of=np.array([3.0, 3.5])) == pytest.approx(3, abs=1e-6)


@pytest.mark.parametrize("axis", [0, 1])
def test_what_stands_in_another_order_has_a_name(axis: int) -> None:
    """The rows or the columns of a matrix, the entries of a vector."""
    right = np.random.default_rng(0).normal(size=(4, 5))
    mistake = mistakes.permuted(evidence(np.roll(right, 1, axis), right))
    assert mistake is not None
    assert mistake.text == f"its {('rows', 'columns')[axis]} stand in another order"
    mistake = mistakes.permuted(evidence(np.roll(right[0], 1), right[0]))
    assert mistake is not None
    assert mistake.text == "its entries stand in another order"
