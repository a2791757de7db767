"""Exercises on gradient checking, each with a judge that says what a wrong answer computes.

A judge calls the answer, a function, with a few inputs. If the results are those of a common
mistake, the judge names that mistake.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from decimal import Decimal
from functools import cache
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from backproof._checks import check_gradient
from backproof._norms import relative_difference
from backproof._objective import Cost
from backproof._parameters import Nest
from backproof.course import (
    THRESHOLD,
    backward_propagation_n,
    dictionary_to_vector,
    faulty_backward_propagation_n,
    forward_propagation_n,
    gradient_check_n_test_case,
    gradients_to_vector,
    vector_to_dictionary,
)

__all__ = [
    "explain_difference",
    "judge_central_difference",
    "judge_gradient",
    "judge_gradient_check_n",
    "judge_relative_difference",
    "judge_steps",
    "known_differences",
    "unseen_backward_propagation_n",
]

Answer = Callable[..., Any]

STEP = 1e-7  # of the course
ALL_RIGHT = "Everything is right: what is left is round-off error."
EXACT = 1e-6  # how far from the slope a central difference may be, relative to it

# Functions with the point, and with their first and third derivatives there.
SLOPES: dict[str, tuple[Answer, float, float, float]] = {
    "sin(1000 x) at 1": (
        lambda x: np.sin(1000 * x),
        1.0,
        1e3 * np.cos(1e3),
        -1e9 * np.cos(1e3),
    ),
    "1e6 + cos(x) at 1": (lambda x: 1e6 + np.cos(x), 1.0, -np.sin(1.0), np.sin(1.0)),
    "log(x) at 1e-7": (np.log, 1e-7, 1e7, 2e21),
}


class Exercise(NamedTuple):
    """What a right answer computes, and wrong ones, by what is said of them; and for which input.

    Numbers that differ by less than `near`, relative to their size, are taken for the same.
    """

    right: Answer
    mistakes: Mapping[str, Answer]
    inputs: Iterable[tuple[Any, ...]]
    near: float = 1e-6


def judge_central_difference(answer: Answer) -> str:
    """Judge a function of `J`, `theta` and `epsilon` that returns the central difference of `J`.

    Parameters
    ----------
    answer
        `answer(J, theta, epsilon)` returns a number; `J` takes and returns a number.

    Returns
    -------
    str
        "Solved.", or what the answer computes instead.

    Examples
    --------
    >>> judge_central_difference(lambda J, theta, step: (J(theta + step) - J(theta)) / step)
    'Not yet: this is the forward difference; compute J_minus at theta - epsilon.'
    """
    quotients = (QUOTIENTS | OTHER_STEP).items()
    mistakes = {text: _along_epsilon(quotient) for text, quotient in quotients}
    inputs = [(math.exp, 1.0, 0.01), (math.sin, 2.0, 0.1)]
    return _judged(answer, Exercise(_along_epsilon(_central), mistakes, inputs))


def judge_relative_difference(answer: Answer) -> str:
    """Judge a function of two gradients that returns their relative difference in the 2-norm.

    Parameters
    ----------
    answer
        `answer(gradient, approximation)` returns a number; both are arrays of one shape.

    Returns
    -------
    str
        "Solved.", or what the answer computes instead.

    Examples
    --------
    >>> norm = np.linalg.norm
    >>> judge_relative_difference(lambda g, a: norm(g - a) / norm(g) + norm(a))
    'Not yet: it divides before it adds: put the sum of the norms in parentheses.'
    """
    inputs = [(np.array([3.0, 4.0]), np.array([3.0, 2.0])), (np.ones(6), np.arange(6.0))]
    return _judged(answer, Exercise(relative_difference, DIFFERENCES, inputs))


def judge_gradient_check_n(answer: Answer) -> str:
    """Judge a check of the course's network that returns the relative difference.

    Parameters
    ----------
    answer
        `answer(parameters, gradients, X, Y, epsilon)` returns a number; the arguments are those
        of `backproof.course.gradient_check_n`.

    Returns
    -------
    str
        "Solved.", or what the answer computes instead.

    Examples
    --------
    >>> from backproof.course import gradient_check_n
    >>> print(judge_gradient_check_n(lambda *arguments: 0.0))
    Not yet: it returns 0 where 0.285093 is right.
    """
    (X, Y, parameters), right, faulty = _network()
    halved = {name: array / 2 for name, array in right.items()}
    # Off by so little, and with so large a step, the truncation error shows in the number.
    near = {name: array * 1.01 for name, array in right.items()}
    inputs = [
        (parameters, faulty, X, Y, 1e-4),
        (parameters, halved, X, Y, 1e-4),
        (parameters, near, X, Y, 3e-2),
    ]
    mistakes = _wrong_checks() | _checks_by(OTHER_STEP)
    return _judged(answer, Exercise(_check, mistakes, inputs, near=1e-4))


def judge_steps(steps: Mapping[str, float]) -> str:
    """Judge the steps that were chosen for some functions, each by its central difference.

    Parameters
    ----------
    steps
        A step for each of "sin(1000 x) at 1", "1e6 + cos(x) at 1" and "log(x) at 1e-7".

    Returns
    -------
    str
        "Solved.", or which steps are too large and which too small.

    Examples
    --------
    >>> names = ("sin(1000 x) at 1", "1e6 + cos(x) at 1", "log(x) at 1e-7")
    >>> print(judge_steps(dict.fromkeys(names, 1e-12)))
    Not yet.
    sin(1000 x) at 1: too small, the error is mostly round-off.
    1e6 + cos(x) at 1: too small, the error is mostly round-off.
    """
    if not isinstance(steps, Mapping) or steps.keys() != SLOPES.keys():
        return f"Not yet: choose a step for each of {', '.join(SLOPES)}."
    wrong = [f"{name}: {fault}." for name, step in steps.items() if (fault := _fault(name, step))]
    return "\n".join(["Not yet.", *wrong]) if wrong else "Solved."


def _fault(name: str, step: float) -> str:
    """Say what is wrong with a step, by which of the two errors is larger."""
    function, x, slope, third = SLOPES[name]
    if not isinstance(step, Real):
        return f"a step is a number, not {step!r}"
    if not step > 0:
        return "a step is larger than 0"
    with np.errstate(all="ignore"):
        measured = _central(function, x, step, step)
    if not np.isfinite(measured):
        return "too large, the function has no value at x - h"
    if abs(measured - slope) <= EXACT * abs(slope):
        return ""
    truncation = step**2 / 6 * abs(third)
    rounding = np.finfo(float).eps * abs(function(x)) / step
    if truncation > rounding:
        return "too large, the error is mostly truncation"
    return "too small, the error is mostly round-off"


def judge_gradient(cost: Cost, gradient: Answer, parameters: Nest) -> str:
    """Judge a function that returns the gradient of a cost, by `backproof.check_gradient`.

    Parameters
    ----------
    cost, gradient, parameters
        What `backproof.check_gradient` takes.

    Returns
    -------
    str
        "Solved.", or what the report says about the wrong arrays.

    Examples
    --------
    >>> print(judge_gradient(lambda w: np.sum(w**2), lambda w: w, np.ones(3)))
    Not yet: the gradient is wrong in parameters.
    parameters: it is half the numerical gradient: is the 2 of a square missing?
    """
    try:
        report = check_gradient(cost, gradient, parameters)
    except Exception as error:
        return f"Not yet: it raises {type(error).__name__}: {error}"
    if report.verdict == "correct":
        return "Solved."
    summary, _ = str(report).split("\n", 1)
    findings = [
        f"{path}: {array.mistake.text}" for path, array in report.arrays.items() if array.mistake
    ]
    return "\n".join([f"Not yet: {summary[0].lower()}{summary[1:]}", *findings])


def explain_difference(difference: float) -> str:
    """Say which mistakes lead to this number in a check of the course's network.

    Parameters
    ----------
    difference
        The relative difference; the more digits you give, the fewer mistakes match it.

    Returns
    -------
    str
        A line for each known mistake that leads to it, or a line that says what else it may be.

    Examples
    --------
    >>> print(explain_difference(0.17344196893145933))
    dW2 is still multiplied by 2.
    """
    if math.isnan(difference):
        return "This is no number: it comes from 0 / 0, or from the logarithm of 0."
    if difference == 0:
        return "Exactly 0: is the gradient compared with itself?"
    digits = -int(Decimal(repr(float(difference))).as_tuple().exponent)
    # What rounding makes of it: that of the digits, and that of the costs.
    near = max(min(0.5 * 10.0**-digits, 5e-5), min(1e-8, 1e-2 * abs(difference)))
    known = known_differences().items()
    found = [text for text, number in known if abs(difference - number) <= near]
    if ALL_RIGHT in found:
        return ALL_RIGHT
    if not found and 0 < difference < THRESHOLD:
        return "Everything is right: another step leaves even less."
    return "\n".join(found) or "No known mistake gives this number."


@cache
def known_differences() -> Mapping[str, float]:
    """Return the number that each known mistake gives in a check of the course's network.

    Returns
    -------
    dict
        The relative difference for each state of the backward pass, with a correct check, and for
        each mistake in the check, with a correct backward pass and with the one handed out.

    Examples
    --------
    >>> print(f"{known_differences()['dW2 is still multiplied by 2.']:.6f}")
    0.173442
    """
    (X, Y, parameters), right, faulty = _network()
    states = {
        "Both mistakes are still there.": faulty,
        "dW2 is still multiplied by 2.": right | {"dW2": faulty["dW2"]},
        "db1 still has a 4 instead of a 1.": right | {"db1": faulty["db1"]},
        ALL_RIGHT: right,
    }
    known = {text: _check(parameters, gradients, X, Y, STEP) for text, gradients in states.items()}
    for state, gradients in (("corrected", right), ("handed out", faulty)):
        for text, check in _wrong_checks().items():
            number = check(parameters, gradients, X, Y, STEP)
            known[f"With the backward pass {state}: {text}"] = number
    return known


def unseen_backward_propagation_n(X: Any, Y: Any, cache: tuple[Any, ...]) -> dict[str, Any]:
    """Return the gradients of the course's network with two mistakes, which are to be found.

    Parameters
    ----------
    X, Y, cache
        As for `backproof.course.backward_propagation_n`.

    Returns
    -------
    dict
        The gradients that the function of the course returns, some of them wrong.

    Examples
    --------
    >>> from backproof.course import gradient_check_n
    >>> X, Y, parameters = gradient_check_n_test_case()
    >>> _, cache = forward_propagation_n(X, Y, parameters)
    >>> gradients = unseen_backward_propagation_n(X, Y, cache)
    >>> _ = gradient_check_n(parameters, gradients, X, Y)
    The gradient is wrong by the course's rule: difference 9.3e-01 > 1e-07
    """
    gradients = backward_propagation_n(X, Y, cache)
    m, A1 = X.shape[1], cache[1]
    dZ1 = gradients["dA1"] * (1 - A1**2)
    sums = {"db2": m * gradients["db2"], "db1": dZ1.sum(axis=1, keepdims=True) / m}
    return gradients | sums | {"dZ1": dZ1, "dW1": dZ1 @ X.T / m}


def _judged(answer: Answer, exercise: Exercise) -> str:
    """Say whether an answer is right, and if not, what it computes."""
    given = []
    for arguments in exercise.inputs:
        kept = deepcopy(arguments)
        try:
            value = answer(*kept)
        except Exception as error:
            return f"Not yet: it raises {type(error).__name__}: {error}"
        if problem := _no_number(value) or _altered(kept, arguments):
            return f"Not yet: {problem}"
        given.append(float(value))
    if _same(given, exercise.right, exercise):
        return "Solved."
    for text, mistake in exercise.mistakes.items():
        if _same(given, mistake, exercise):
            return f"Not yet: {text}"
    expected = [float(exercise.right(*arguments)) for arguments in exercise.inputs]
    pairs = zip(given, expected, strict=True)
    one, other = max(pairs, key=lambda pair: abs(pair[0] - pair[1]) / abs(pair[1]))
    return f"Not yet: it returns {one:.6g} where {other:.6g} is right."


def _no_number(value: object) -> str:
    """Say what an answer returns if that is no number."""
    if value is None:
        return "it returns None: is the return missing?"
    if value is Ellipsis:
        return "it returns the three dots: replace them with your formula."
    if isinstance(value, np.ndarray) and value.ndim:
        if value.size == 1:
            return "it returns a number inside an array: sum adds rows only, np.sum all entries."
        return f"it returns an array of shape {value.shape}: take its norm to get one number."
    if isinstance(value, bool | np.bool_):
        return f"it returns {value}: return the number itself, not whether it is small."
    expected = isinstance(value, Real)
    return "" if expected else f"it returns a {type(value).__name__}: expected one number."


def _altered(kept: tuple[Any, ...], arguments: tuple[Any, ...]) -> str:
    """Say if an answer has changed the arrays that it was given."""
    same = all(
        np.array_equal(*pair)
        for one, other in zip(kept, arguments, strict=True)
        for pair in zip(_arrays_of(one), _arrays_of(other), strict=True)
    )
    return "" if same else "it changes the arrays that it is given: work on a copy."


def _arrays_of(argument: Any) -> list[Any]:
    return [*argument.values()] if isinstance(argument, dict) else [argument]


def _same(given: list[float], known: Answer, exercise: Exercise) -> bool:
    """Whether an answer returned what a known one returns."""
    expected = [float(known(*arguments)) for arguments in exercise.inputs]
    return np.allclose(given, expected, rtol=exercise.near, atol=0)


# What answers compute: quotients, of a cost J at theta, along a step that is epsilon long


def _central(J: Answer, theta: Any, step: Any, epsilon: float) -> Any:
    return (J(theta + step) - J(theta - step)) / (2 * epsilon)


QUOTIENTS: dict[str, Answer] = {
    "J_minus is the cost at theta itself: is a copy missing, or the minus?": (
        lambda J, theta, step, epsilon: (J(theta + step) - J(theta)) / (2 * epsilon)
    ),
    "J_plus and J_minus are the same, or still 0: move a copy of theta for each, and use it.": (
        lambda J, theta, step, epsilon: (J(theta) - J(theta)) / (2 * epsilon)
    ),
    "this is the forward difference; compute J_minus at theta - epsilon.": (
        lambda J, theta, step, epsilon: (J(theta + step) - J(theta)) / epsilon
    ),
    "this is the backward difference; compute J_plus at theta + epsilon.": (
        lambda J, theta, step, epsilon: (J(theta) - J(theta - step)) / epsilon
    ),
    "/ 2 * epsilon divides by 2 and multiplies by epsilon: write / (2 * epsilon).": (
        lambda J, theta, step, epsilon: (J(theta + step) - J(theta - step)) / 2 * epsilon
    ),
    "it divides only J_minus: put the difference of the costs in parentheses.": (
        lambda J, theta, step, epsilon: J(theta + step) - J(theta - step) / (2 * epsilon)
    ),
    "it divides by epsilon, but the two points are 2 * epsilon apart.": (
        lambda J, theta, step, epsilon: (J(theta + step) - J(theta - step)) / epsilon
    ),
    "its sign is wrong: are J_plus and J_minus swapped?": (
        lambda J, theta, step, epsilon: (J(theta - step) - J(theta + step)) / (2 * epsilon)
    ),
    "the difference of the costs is not divided by 2 * epsilon.": (
        lambda J, theta, step, epsilon: J(theta + step) - J(theta - step)
    ),
    "it adds J_plus and J_minus: subtract them.": (
        lambda J, theta, step, epsilon: (J(theta + step) + J(theta - step)) / (2 * epsilon)
    ),
}


def _up_to(step: Any) -> Any:
    """Return a step that all parameters up to the last displaced one take, too."""
    return np.cumsum(step[::-1], axis=0)[::-1]


STEPS: dict[str, Answer] = {
    "it moves all parameters at once: move one of them, and put it back.": (
        lambda J, theta, step, epsilon: (J(theta + epsilon) - J(theta - epsilon)) / (2 * epsilon)
    ),
    "each parameter stays displaced while the next ones are: copy theta inside the loop.": (
        lambda J, theta, step, epsilon: _central(J, theta, _up_to(step), epsilon)
    ),
}

# With the step of the course, this gives the right number: what comes of it cannot be looked up.
OTHER_STEP: dict[str, Answer] = {
    "it takes a small step of its own: use epsilon.": (
        lambda J, theta, step, epsilon: _central(J, theta, step / epsilon * STEP, STEP)
    ),
}


def _along_epsilon(quotient: Answer) -> Answer:
    """Return a quotient of a cost of one parameter, whose step is epsilon itself."""
    return lambda J, theta, epsilon: quotient(J, theta, epsilon, epsilon)


def _network() -> tuple[tuple[Any, Any, Any], dict[str, Any], dict[str, Any]]:
    """Return the case of the course, and its gradients: right, and as they are handed out."""
    X, Y, parameters = gradient_check_n_test_case()
    _, cache = forward_propagation_n(X, Y, parameters)
    gradients = (backward_propagation_n, faulty_backward_propagation_n)
    right, faulty = (backward(X, Y, cache) for backward in gradients)
    return (X, Y, parameters), right, faulty


def _wrong_checks() -> dict[str, Answer]:
    """Return what checks of the network compute that have a mistake, by what is said of it."""
    formulas = (DIFFERENCES | SHAPES).items()
    return _checks_by(QUOTIENTS | STEPS) | {
        text: _check_by(_central, formula) for text, formula in formulas
    }


def _checks_by(quotients: Mapping[str, Answer]) -> dict[str, Answer]:
    """Return a check of the network by each of these quotients."""
    return {text: _check_by(quotient, relative_difference) for text, quotient in quotients.items()}


def _check_by(quotient: Answer, formula: Answer) -> Answer:
    """Return a check of the network by a quotient for each parameter, and a formula."""

    def check(parameters: Any, gradients: Any, X: Any, Y: Any, epsilon: float) -> Any:
        def cost(theta: Any) -> float:
            return forward_propagation_n(X, Y, vector_to_dictionary(theta))[0]

        theta, _ = dictionary_to_vector(parameters)
        steps = epsilon * np.eye(theta.size)[:, :, np.newaxis]
        slopes = np.array([[quotient(cost, theta, step, epsilon)] for step in steps])
        return formula(gradients_to_vector(gradients), slopes)

    return check


_check = _check_by(_central, relative_difference)


# Formulas for the difference of two gradients


def _norm(vector: Any) -> Any:
    return np.linalg.norm(vector)


DIFFERENCES: dict[str, Answer] = {
    "it compares the norms: take the norm of the difference, not the difference of the norms.": (
        lambda g, a: abs(_norm(g) - _norm(a)) / (_norm(g) + _norm(a))
    ),
    "it subtracts one norm from the other: take the norm of the difference instead.": (
        lambda g, a: (_norm(g) - _norm(a)) / (_norm(g) + _norm(a))
    ),
    "it is not divided by the norms, so it depends on the units of the cost.": (
        lambda g, a: _norm(g - a)
    ),
    "it divides before it adds: put the sum of the norms in parentheses.": (
        lambda g, a: _norm(g - a) / _norm(g) + _norm(a)
    ),
    "it divides by the product of the norms: divide by their sum.": (
        lambda g, a: _norm(g - a) / (_norm(g) * _norm(a))
    ),
    "it divides by the norm of one gradient: divide by the sum of both norms.": (
        lambda g, a: _norm(g - a) / _norm(g)
    ),
    "it divides by the norm of the approximation: divide by the sum of both norms.": (
        lambda g, a: _norm(g - a) / _norm(a)
    ),
    "it divides by the norm of the sum: divide by the sum of the norms.": (
        lambda g, a: _norm(g - a) / _norm(g + a)
    ),
    "it divides by the larger norm, as CS231n does: divide by the sum of both.": (
        lambda g, a: _norm(g - a) / max(_norm(g), _norm(a))
    ),
    "it takes squares of norms: the square root is missing.": (
        lambda g, a: _norm(g - a) ** 2 / (_norm(g) ** 2 + _norm(a) ** 2)
    ),
    "this is the 1-norm, a sum of absolute values: take the 2-norm.": (
        lambda g, a: relative_difference(g, a, 1)
    ),
}

SHAPES: dict[str, Answer] = {
    "one gradient is flat, so the subtraction makes a matrix: give both the shape of theta.": (
        lambda g, a: _norm(g - a.ravel()) / (_norm(g) + _norm(a))
    ),
}
