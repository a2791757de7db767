"""The judges of the exercises: right answers pass, wrong ones are told what they compute."""

from __future__ import annotations

import warnings
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from itertools import combinations
from typing import Any

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
from support.answers import EXERCISES, SOLVED, page_until
from support.checkout import in_ci

ANSWERS = [
    pytest.param(name, text, told, id=f"{name} {k}")
    for name, exercise in EXERCISES.items()
    for k, (text, told) in enumerate(exercise.answers)
]


@cache
def before(name: str) -> dict[str, Any]:
    """Return what the blocks above an exercise leave."""
    page, mark, _ = EXERCISES[name]
    variables: dict[str, Any] = {}
    for text in page_until(page, mark)[:-1]:
        exec(text, variables)
    return variables


@pytest.mark.parametrize(("name", "text", "told"), ANSWERS)
def test_an_answer_is_told_what_it_computes(name: str, text: str, told: str) -> None:
    """As people write it, into the block of the page."""
    variables = before(name).copy()
    with redirect_stdout(StringIO()) as printed, warnings.catch_warnings():
        exec(text, variables)
    said = printed.getvalue()
    assert told in said
    assert ("Not yet" in said) is (told != SOLVED)


def test_each_exercise_has_a_solution_and_six_wrong_answers() -> None:
    """At least."""
    for exercise in EXERCISES.values():
        told = [text for _, text in exercise.answers]
        assert SOLVED in told
        assert len(told) - told.count(SOLVED) >= 6


@in_ci
def test_mistakes_are_told_apart() -> None:
    """Each is named, and none is taken for another."""
    for text, quotient in (QUOTIENTS | OTHER_STEP).items():
        assert judge_central_difference(_along_epsilon(quotient)) == f"Not yet: {text}"
    for text, formula in DIFFERENCES.items():
        assert judge_relative_difference(formula) == f"Not yet: {text}"
    for text, check in (_wrong_checks() | _checks_by(OTHER_STEP)).items():
        assert judge_gradient_check_n(check) == f"Not yet: {text}"


def test_steps_without_their_functions_are_told_what_to_choose() -> None:
    """As a list, say."""
    assert judge_steps([1e-8, 5e-4, 1e-12]).startswith("Not yet: choose a step for each of sin")  # type: ignore[arg-type]


# Learners have posted these: XingxingHuang/deeplearning.ai, issue 4; bighuang624's notes, issue 10;
# and the numbers that copies of the exercise print.
POSTED = {
    0.333333347899: "J_minus is the cost at theta itself",
    0.17344196893145933: "dW2 is still multiplied by 2.",
    0.285093156781: "Both mistakes are still there.",
    1.18904178788e-07: "Everything is right",
    0.2851: "Both mistakes are still there.",
    1.1890913024643005e-07: "Everything is right",
    1.9067854884395537e-10: "Everything is right",
    1.68e-08: "Everything is right",
    0.0: "is the gradient compared with itself?",
    float("nan"): "0 / 0",
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
