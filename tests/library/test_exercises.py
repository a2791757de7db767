"""The judges of the exercises: right answers pass, wrong ones are told what they compute."""

from __future__ import annotations

import warnings
from contextlib import redirect_stdout
from io import StringIO
from itertools import combinations

import pytest

from backproof.exercises import (
    DIFFERENCES,
    QUOTIENTS,
    _along_epsilon,
    _wrong_checks,
    explain_difference,
    judge_central_difference,
    judge_gradient_check_n,
    judge_relative_difference,
    known_differences,
)
from support.answers import EXERCISES, SOLVED, program

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


def test_mistakes_are_told_apart() -> None:
    """Each is named, and none is taken for another."""
    for text, quotient in QUOTIENTS.items():
        assert judge_central_difference(_along_epsilon(quotient)) == f"Not yet: {text}"
    for text, formula in DIFFERENCES.items():
        assert judge_relative_difference(formula) == f"Not yet: {text}"
    for text, check in _wrong_checks().items():
        assert judge_gradient_check_n(check) == f"Not yet: {text}"


# Learners have posted these: XingxingHuang/deeplearning.ai, issue 4; bighuang624's notes, issue 10;
# and the numbers that copies of the exercise print.
POSTED = {
    0.333333347899: "J_minus is the cost at theta itself",
    0.17344196893145933: "dW2 is still multiplied by 2.",
    0.285093156781: "Both mistakes are still there.",
    1.18904178788e-07: "All is right",
    0.2851: "Both mistakes are still there.",
}


@pytest.mark.parametrize(("number", "told"), POSTED.items())
def test_a_number_that_was_posted_is_explained(number: float, told: str) -> None:
    """In all digits, or in a few."""
    assert told in explain_difference(number)


def test_a_number_that_nobody_knows_is_not_explained() -> None:
    """It is not that of any mistake."""
    assert explain_difference(0.123456789) == "No known mistake comes to this number."


def test_numbers_of_the_backward_pass_are_told_apart() -> None:
    """In the first six digits."""
    numbers = list(known_differences().values())[:4]
    assert all(abs(one - other) > 1e-6 for one, other in combinations(numbers, 2))
