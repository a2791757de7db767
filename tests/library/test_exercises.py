"""The judges of the exercises: right answers pass, wrong ones are told what they compute."""

from __future__ import annotations

import warnings
from contextlib import redirect_stdout
from io import StringIO
from itertools import combinations

import pytest

from backproof.exercises import (
    DIFFERENCES,
    OTHER_STEP,
    QUOTIENTS,
    _along_epsilon,
    _checks_by,
    _wrong_checks,
    explain_difference,
    judge_central_difference,
    judge_gradient_check_n,
    judge_relative_difference,
    judge_steps,
    known_differences,
)
from executed.page import blocks
from support.answers import EXERCISES, SOLVED, program
from support.checkout import DOCS, in_ci

ANSWERS = [
    (judge, body, told) for judge, (*_, answers) in EXERCISES.items() for body, told in answers
]


@pytest.mark.parametrize(("judge", "body", "told"), ANSWERS)
def test_an_answer_is_told_what_it_computes(judge: str, body: str, told: str) -> None:
    """As people write it: in the place of the three dots, and run."""
    with redirect_stdout(StringIO()) as printed, warnings.catch_warnings():
        exec(program(judge, body), {})
    said = printed.getvalue().splitlines()[-1]
    assert said == SOLVED if told == SOLVED else said.startswith("Not yet: ")
    assert told in said


@in_ci
def test_mistakes_are_told_apart() -> None:
    """Each is named, and none is taken for another."""
    for text, quotient in (QUOTIENTS | OTHER_STEP).items():
        assert judge_central_difference(_along_epsilon(quotient)) == f"Not yet: {text}"
    for text, formula in DIFFERENCES.items():
        assert judge_relative_difference(formula) == f"Not yet: {text}"
    for text, check in (_wrong_checks() | _checks_by(OTHER_STEP)).items():
        assert judge_gradient_check_n(check) == f"Not yet: {text}"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "Solved."),
        (
            {"sin(1000 x) at 1": 1e-4},
            "sin(1000 x) at 1: too large, the error is mostly truncation.",
        ),
        (
            {"sin(1000 x) at 1": 1e-13},
            "sin(1000 x) at 1: too small, the error is mostly round-off.",
        ),
        ({"1e6 + cos(x) at 1": 1e-2}, "1e6 + cos(x) at 1: too large"),
        ({"1e6 + cos(x) at 1": 6e-6}, "1e6 + cos(x) at 1: too small"),
        ({"log(x) at 1e-7": 5e-8}, "log(x) at 1e-7: too large"),
        ({"log(x) at 1e-7": 1e-7}, "log(x) at 1e-7: a step here"),
        ({"log(x) at 1e-7": -1e-12}, "log(x) at 1e-7: a step here"),
        ({"exp(x) at 0": 1e-6}, "Not yet: choose a step for each of sin(1000 x) at 1"),
    ],
)
def test_a_step_is_told_what_is_wrong_with_it(changes: dict[str, float], told: str) -> None:
    """Too large, too small, or none at all; the steps that do are not accused."""
    right = {"sin(1000 x) at 1": 1e-8, "1e6 + cos(x) at 1": 5e-4, "log(x) at 1e-7": 1e-12}
    said = judge_steps(right | changes)
    assert said == SOLVED if told == SOLVED else said.startswith("Not yet")
    assert told in said
    assert len(said.splitlines()) <= 2


MYSTERIES = [
    (0, "0.1 * p[", "0.2 * p[", "the gradient is wrong in b."),
    (0, "dS.mean(axis=0)", "dS.sum(axis=0)", "W: 0.1 times the parameters is missing"),
    (0, "0.1 * p[", "0.3 * p[", "the gradient is wrong in W and b."),
    (2, 'd @ p["W2"] *', 'd @ p["W2"].T *', "W2: it is 1/8 of the numerical gradient"),
    (2, "H.T @ d / 8", "H.T @ d", "the gradient is wrong in W1 and b1."),
    (2, "(1 - H**2)", "(1 - H)", "the gradient is wrong in all 3 arrays."),
    (4, 'weights * p["X"], axis', "weights * N, axis", "the gradient is wrong in X."),
    (4, "True)) / deviation", "True)) * deviation", "the gradient is wrong in X and gamma."),
    (4, '"beta": weights.sum(axis=0)', '"beta": weights.sum(axis=1)', "it raises ValueError"),
]


@pytest.mark.parametrize(("number", "was", "becomes", "told"), MYSTERIES)
def test_half_a_mend_is_told_what_is_left(number: int, was: str, becomes: str, told: str) -> None:
    """In the models of the page, each mistake alone, another change, and a wrong shape."""
    page = blocks((DOCS / "learn" / "three-backward-passes.md").read_text("utf-8"))
    code = page[number].text
    assert code.count(was) == 1
    prelude = "import numpy as np\nfrom backproof.exercises import judge_gradient\n"
    with redirect_stdout(StringIO()) as printed:
        exec(prelude + code.replace(was, becomes), {})
    assert printed.getvalue().startswith("Not yet: ")
    assert told in printed.getvalue()


def test_dropout_switched_off_is_not_solved() -> None:
    """The gradient is right then, and its lines for the mask have not run."""
    page = [block.text for block in blocks((DOCS / "learn" / "dropout.md").read_text("utf-8"))]
    number = next(k for k, text in enumerate(page) if "judge_gradient" in text)
    assert page[number].count(", draw_mask())") == 2
    variables: dict[str, object] = {}
    with redirect_stdout(StringIO()) as printed:
        for text in [*page[:number], page[number].replace("draw_mask()", "1.0")]:
            exec(text, variables)
    assert "Not yet: dropout is off." in printed.getvalue()


# Learners have posted these: XingxingHuang/deeplearning.ai, issue 4; bighuang624's notes, issue 10;
# and the numbers that copies of the exercise print.
POSTED = {
    0.333333347899: "J_minus is the cost at theta itself",
    0.17344196893145933: "dW2 is still multiplied by 2.",
    0.285093156781: "Both mistakes are still there.",
    1.18904178788e-07: "Everything is right",
    0.2851: "Both mistakes are still there.",
}


@pytest.mark.parametrize(("number", "told"), POSTED.items())
def test_a_number_that_was_posted_is_explained(number: float, told: str) -> None:
    """In all digits, or in a few."""
    assert told in explain_difference(number)


def test_a_number_that_nobody_knows_is_not_explained() -> None:
    """It is not that of any mistake."""
    assert explain_difference(0.123456789) == "No known mistake gives this number."


def test_numbers_of_the_backward_pass_are_told_apart() -> None:
    """In the first six digits."""
    numbers = list(known_differences().values())[:4]
    assert all(abs(one - other) > 1e-6 for one, other in combinations(numbers, 2))
