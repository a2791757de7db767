"""Answers to the exercises, as people write them, and what they are told."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent, indent
from typing import Any, NamedTuple

from backproof.exercises import SLOPES
from executed.page import blocks
from support.checkout import DOCS

SOLVED = "Solved."
Changes = list[tuple[str, str]]  # of a text: what was there, and what takes its place


class Exercise(NamedTuple):
    """An exercise: its page in `docs/learn`, what only its block has, and answers.

    An answer is the block as a learner leaves it, and what is said of it.
    """

    page: str
    mark: str
    answers: list[tuple[str, str]]


def page_until(page: str, mark: str) -> list[str]:
    """Return the blocks of a page as far as the one that has this text."""
    texts = [block.text for block in blocks((DOCS / "learn" / f"{page}.md").read_text("utf-8"))]
    return texts[: 1 + next(k for k, text in enumerate(texts) if mark in text)]


def edited(text: str, *changes: tuple[str, str]) -> str:
    """Return a text with some changes."""
    for was, becomes in changes:
        assert was in text, was
        text = text.replace(was, becomes)
    return text


def exercise(
    page: str, mark: str, answers: list[tuple[Any, str]], changes: Callable[[Any], Changes] = list
) -> Exercise:
    """Return an exercise whose answers are changes of its block, or stand for such."""
    *_, block = page_until(page, mark)
    return Exercise(page, mark, [(edited(block, *changes(one)), told) for one, told in answers])


def written(body: str) -> Changes:
    """Return the change that puts an answer in the place of the three dots."""
    return [("    return ...", indent(dedent(body).strip(), "    "))]


def looped(changes: Changes) -> Changes:
    """Return the change that puts the right check there, with some changes of its own."""
    return written(edited(LOOP, *changes))


def chosen(steps: tuple[Any, ...]) -> Changes:
    """Return the changes that put these steps there."""
    pairs = zip(SLOPES, steps, strict=True)
    return [(f'"{name}": 1e-7', f'"{name}": {step}') for name, step in pairs]


CENTRAL_DIFFERENCE = [
    ("return (J(theta + epsilon) - J(theta - epsilon)) / (2 * epsilon)", SOLVED),
    ("return (J(theta + epsilon) - J(theta - epsilon)) / 2 / epsilon", SOLVED),
    ("return 0.5 / epsilon * (J(theta + epsilon) - J(theta - epsilon))", SOLVED),
    ("return (J(theta + epsilon) - J(theta)) / epsilon", "this is the forward difference"),
    ("return (J(theta) - J(theta - epsilon)) / epsilon", "this is the backward difference"),
    ("return (J(theta + epsilon) - J(theta - epsilon)) / 2 * epsilon", "divides by 2 and multipl"),
    ("return (J(theta + epsilon) - J(theta - epsilon)) / epsilon", "it divides by epsilon, but"),
    ("return (J(theta - epsilon) - J(theta + epsilon)) / (2 * epsilon)", "its sign is wrong"),
    ("return J(theta + epsilon) - J(theta - epsilon)", "is not divided by 2 * epsilon"),
    ("return (J(theta + epsilon) + J(theta - epsilon)) / (2 * epsilon)", "it adds J_plus and J_m"),
    (
        """
        thetaplus = theta + epsilon
        thetaminus = thetaplus - epsilon
        return (J(thetaplus) - J(thetaminus)) / (2 * epsilon)
        """,
        "J_minus is the cost at theta itself",
    ),
    ("return J(theta + epsilon) - J(theta - epsilon) / (2 * epsilon)", "divides only J_minus"),
    ("return (J(theta + 1e-7) - J(theta - 1e-7)) / 2e-7", "it takes a small step of its own"),
    ("slope = (J(theta + epsilon) - J(theta - epsilon)) / (2 * epsilon)", "it returns None"),
    ("return ...", "it returns the three dots"),
    ("return (J(theta + epsilon) - J(theta - epsilon)) / (2 * eps)", "it raises NameError: name"),
    ("return J(1, theta + epsilon)", "takes exactly one argument"),
    ("return J(theta)", "where -0.415454 is right"),
    ("return 'slope'", "it returns a str: expected one number"),
    ("return J(theta + epsilon), J(theta - epsilon)", "it returns a tuple: expected one number"),
    ("return 0 * epsilon", "J_plus and J_minus are the same, or still 0"),
    ("print(J(theta))", "it returns None"),
]

RELATIVE_DIFFERENCE = [
    (
        """
        numerator = np.linalg.norm(gradient - approximation)
        denominator = np.linalg.norm(gradient) + np.linalg.norm(approximation)
        return numerator / denominator
        """,
        SOLVED,
    ),
    (
        """
        size = lambda v: np.sqrt(np.sum(v ** 2))
        return size(gradient - approximation) / (size(gradient) + size(approximation))
        """,
        SOLVED,
    ),
    ("return np.linalg.norm(gradient - approximation)", "it is not divided by the norms"),
    (
        """
        numerator = np.linalg.norm(gradient) - np.linalg.norm(approximation)
        return abs(numerator) / (np.linalg.norm(gradient) + np.linalg.norm(approximation))
        """,
        "not the difference of the norms",
    ),
    (
        """
        distance = np.linalg.norm(gradient - approximation)
        return distance / np.linalg.norm(gradient) + np.linalg.norm(approximation)
        """,
        "it divides before it adds",
    ),
    (
        """
        distance = np.linalg.norm(gradient - approximation)
        return distance / (np.linalg.norm(gradient) * np.linalg.norm(approximation))
        """,
        "the product of the norms",
    ),
    (
        "return np.linalg.norm(gradient - approximation) / np.linalg.norm(gradient)",
        "the norm of one gradient",
    ),
    (
        "return np.linalg.norm(gradient - approximation) / np.linalg.norm(approximation)",
        "the norm of the approximation",
    ),
    (
        """
        distance = np.linalg.norm(gradient - approximation)
        return distance / np.linalg.norm(gradient + approximation)
        """,
        "the norm of the sum",
    ),
    (
        """
        larger = max(np.linalg.norm(gradient), np.linalg.norm(approximation))
        return np.linalg.norm(gradient - approximation) / larger
        """,
        "the larger norm, as CS231n does",
    ),
    (
        """
        squares = np.sum((gradient - approximation) ** 2)
        return squares / (np.sum(gradient ** 2) + np.sum(approximation ** 2))
        """,
        "the square root is missing",
    ),
    (
        """
        distance = np.sum(np.abs(gradient - approximation))
        return distance / (np.sum(np.abs(gradient)) + np.sum(np.abs(approximation)))
        """,
        "this is the 1-norm",
    ),
    (
        "return np.abs(gradient - approximation) / (np.abs(gradient) + np.abs(approximation))",
        "it returns an array of shape (2,)",
    ),
    (
        """
        numerator = np.linalg.norm(gradient) - np.linalg.norm(approximation)
        return numerator / (np.linalg.norm(gradient) + np.linalg.norm(approximation))
        """,
        "it subtracts one norm from the other",
    ),
    ("return (gradient - approximation)[:1]", "it returns a number inside an array"),
    (
        "return np.linalg.norm(gradient - approximation) < 1e-7",
        "it returns False: return the number itself",
    ),
    ("gradient -= approximation\nreturn np.linalg.norm(gradient)", "it changes the arrays"),
]

LOOP = """
theta, _ = dictionary_to_vector(parameters)
grad = gradients_to_vector(gradients)
gradapprox = np.zeros_like(theta)
for i in range(theta.size):
    thetaplus = np.copy(theta)
    thetaplus[i] = thetaplus[i] + epsilon
    J_plus, _ = forward_propagation_n(X, Y, vector_to_dictionary(thetaplus))
    thetaminus = np.copy(theta)
    thetaminus[i] = thetaminus[i] - epsilon
    J_minus, _ = forward_propagation_n(X, Y, vector_to_dictionary(thetaminus))
    gradapprox[i] = (J_plus - J_minus) / (2 * epsilon)
numerator = np.linalg.norm(grad - gradapprox)
denominator = np.linalg.norm(grad) + np.linalg.norm(gradapprox)
return numerator / denominator
"""


GRADIENT_CHECK_N: list[tuple[Changes, str]] = [
    ([], SOLVED),
    ([("np.copy(theta)", "theta")], "J_minus is the cost at theta itself"),
    (
        [
            ("    thetaminus = np.copy(theta)\n    thetaminus[i] = thetaminus[i] - epsilon\n", ""),
            (
                "    thetaplus = np.copy(theta)\n",
                "    thetaplus = theta\n    thetaminus = theta\n"
                "    thetaminus[i] = thetaminus[i] - epsilon\n",
            ),
        ],
        "J_plus and J_minus are the same",
    ),
    ([("zeros_like(theta)", "zeros(theta.size)")], "one gradient is flat"),
    ([("epsilon", "1e-7")], "it takes a small step of its own"),
    (
        [("gradients_to_vector(gradients)", "gradients_to_vector(gradients).ravel()")],
        "one gradient is flat",
    ),
    ([("epsilon", "1e-5")], "it takes a small step of its own"),
    ([("(J_plus - J_minus)", "J_plus - J_minus")], "divides only J_minus"),
    ([("thetaminus[i] - epsilon", "thetaminus[i]")], "J_minus is the cost at theta itself"),
    ([("/ (2 * epsilon)", "/ 2 * epsilon")], "divides by 2 and multiplies"),
    ([("/ (2 * epsilon)", "/ epsilon")], "it divides by epsilon"),
    ([("(J_plus - J_minus)", "(J_minus - J_plus)")], "its sign is wrong"),
    ([("(J_plus - J_minus)", "(J_plus + J_minus)")], "it adds J_plus and J_minus"),
    (
        [
            ("thetaplus[i] = thetaplus[i]", "thetaplus = thetaplus"),
            ("thetaminus[i] = thetaminus[i]", "thetaminus = thetaminus"),
        ],
        "it moves all parameters at once",
    ),
    (
        [
            ("    thetaplus = np.copy(theta)\n", ""),
            ("    thetaminus = np.copy(theta)\n", ""),
            ("for i in", "thetaplus, thetaminus = np.copy(theta), np.copy(theta)\nfor i in"),
        ],
        "each parameter stays displaced",
    ),
    ([("np.linalg.norm(grad) + np", "np.linalg.norm(grad) * np")], "the product of the norms"),
    (
        [
            ("denominator = np.linalg.norm(grad) + np.linalg.norm(gradapprox)\n", ""),
            ("numerator / denominator", "numerator"),
        ],
        "it is not divided by the norms",
    ),
    ([("numerator / denominator", "numerator / np.linalg.norm(grad)")], "the norm of one gradient"),
    ([("J_plus, _ =", "J_plus =")], "it raises ValueError"),
    ([("return numerator / denominator\n", "print(numerator / denominator)\n")], "None"),
    ([("range(theta.size)", "range(theta.size - 1)")], " is right."),
    ([("numerator / denominator", "gradapprox")], "an array of shape (47, 1)"),
    (
        [("np.linalg.norm(grad - gradapprox)", "sum((grad - gradapprox) ** 2) ** 0.5")],
        "np.sum all entries",
    ),
    ([("numerator / denominator", "numerator / denominator < 1e-7")], "it returns False"),
    ([("numerator / denominator", "numerator / denominator, gradapprox")], "a tuple"),
    ([("    gradapprox[i] = (", "    gradapproxi = (")], "or still 0"),
]

# The steps for the three functions.
STEPS = [
    ((1e-8, 5e-4, 1e-12), SOLVED),
    ((1e-4, 5e-4, 1e-12), "Not yet.\nsin(1000 x) at 1: too large, the error is mostly truncation."),
    ((1e-13, 5e-4, 1e-12), "Not yet.\nsin(1000 x) at 1: too small, the error is mostly round-off."),
    ((1e-8, 1e-2, 1e-12), "Not yet.\n1e6 + cos(x) at 1: too large"),
    ((1e-8, 6e-6, 1e-12), "Not yet.\n1e6 + cos(x) at 1: too small"),
    ((1e-8, 5e-4, 5e-8), "Not yet.\nlog(x) at 1e-7: too large"),
    ((1e-8, 5e-4, 1e-7), "Not yet.\nlog(x) at 1e-7: too large, the function has no value at x - h"),
    ((1e-8, 5e-4, -1e-12), "Not yet.\nlog(x) at 1e-7: a step is larger than 0."),
    ((1e-8, 6.0, 1e-12), "Not yet.\n1e6 + cos(x) at 1: too large, the error is mostly truncation."),
    ((1e-8, 5e-4, "'1e-12'"), "Not yet.\nlog(x) at 1e-7: a step is a number, not '1e-12'."),
]
# Changes of the backward passes: the mend, half of it, another change, a wrong shape.
SOFTMAX = [
    ([('0.1 * p["W"],', '0.2 * p["W"],'), ("dS.mean(axis=0)", "dS.sum(axis=0)")], SOLVED),
    ([('0.1 * p["W"],', '0.2 * p["W"],')], "the gradient is wrong in b."),
    ([("dS.mean(axis=0)", "dS.sum(axis=0)")], "W: 0.1 times the parameters is missing"),
    ([('0.1 * p["W"],', '0.3 * p["W"],')], "the gradient is wrong in W and b."),
    ([('0.1 * p["W"],', '0.2 * p["W"] ** 2,')], "the gradient is wrong in W and b."),
    ([("[labels]) / 6", "[labels])")], "the gradient is wrong in W."),
    ([("dS.mean(axis=0)", "dS.sum(axis=1)")], "it raises ValueError"),
]
LAYERS = [
    ([('p["W2"] *', 'p["W2"].T *'), ("H.T @ d / 8", "H.T @ d")], SOLVED),
    ([('p["W2"] *', 'p["W2"].T *')], "W2: it is 1/8 of the numerical gradient"),
    ([("H.T @ d / 8", "H.T @ d")], "the gradient is wrong in W1 and b1."),
    ([("(1 - H**2)", "(1 - H)")], "the gradient is wrong in all 3 arrays."),
    ([("H.T @ d / 8", "d.T @ H")], "the gradient is wrong in all 3 arrays."),
    ([('p["W2"] *', 'p["W2"].T *'), ("H.T @ d / 8", "(H.T @ d).T")], "W2: it is the transpose"),
    ([('p["W2"] *', 'p["W2"].T @')], "it raises ValueError"),
]
NORMALISATION = [
    (
        [
            ("axis=1, keepdims=True)) / dev", "axis=1, keepdims=True) - spread) / dev"),
            ("    dX =", "    spread = N * np.mean(dN * N, axis=1, keepdims=True)\n    dX ="),
            ('weights * p["X"], axis', "weights * N, axis"),
        ],
        SOLVED,
    ),
    ([('weights * p["X"], axis', "weights * N, axis")], "the gradient is wrong in X."),
    ([("True)) / deviation", "True)) * deviation")], "the gradient is wrong in X and gamma."),
    ([("dN - dN.mean(axis=1, keepdims=True)", "dN")], "the gradient is wrong in X and gamma."),
    ([('dN = weights * p["gamma"]', "dN = weights")], "the gradient is wrong in X and gamma."),
    ([("axis=0)\n    return", "axis=1)\n    return")], "it raises ValueError"),
    ([('"beta": weights.sum(axis=0)', '"beta": weights.sum(axis=1)')], "it raises ValueError"),
]

ONCE = ("def checked_cost", "mask = draw_mask()\n\n\ndef checked_cost")
TWICE = ("def checked_cost", "mask, other = draw_mask(), draw_mask()\n\n\ndef checked_cost")
COST = ("cost(parameters, draw_mask())", "cost(parameters, mask)")
GRADIENT = ("gradient(parameters, draw_mask())", "gradient(parameters, mask)")
DROPOUT: list[tuple[Changes, str]] = [
    ([ONCE, COST, GRADIENT], SOLVED),
    ([], "the cost is random"),
    ([ONCE, GRADIENT], "the cost is random"),
    ([ONCE, COST], "the second call of the gradient returned another result"),
    (
        [TWICE, COST, GRADIENT, ("gradient(parameters, mask)", "gradient(parameters, other)")],
        "all 3",
    ),
    ([("draw_mask())", "1.0)")], "dropout is off."),
    ([("draw_mask())", "np.ones((6, 30)))")], "dropout is off."),
    ([("draw_mask())", "np.ones((6, 30)) / keep)")], "dropout is off."),
    ([("    return cost(", "    np.random.seed(0)\n    return cost(")], "the cost is random"),
]

ONE, MANY, PASSES = "one-dimension", "n-dimensions", "three-backward-passes"
EXERCISES = {
    "central difference": exercise(
        ONE, "import judge_central_difference", CENTRAL_DIFFERENCE, written
    ),
    "relative difference": exercise(
        MANY, "import judge_relative_difference", RELATIVE_DIFFERENCE, written
    ),
    "check": exercise(MANY, "import judge_gradient_check_n", GRADIENT_CHECK_N, looped),
    "steps": exercise("step-size", "import judge_steps", STEPS, chosen),
    "softmax": exercise(PASSES, "def probabilities", SOFTMAX),
    "layers": exercise(PASSES, "def forward(p)", LAYERS),
    "normalisation": exercise(PASSES, "def normalised", NORMALISATION),
    "dropout": exercise("dropout", "import judge_gradient", DROPOUT),
}
