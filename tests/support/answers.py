"""Answers to the exercises, as people write them, and what they are told."""

from __future__ import annotations

from textwrap import dedent

SOLVED = "Solved."

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
    ("return (J(theta + 1e-7) - J(theta - 1e-7)) / 2e-7", "it takes a step of its own, 1e-7"),
    ("slope = (J(theta + epsilon) - J(theta - epsilon)) / (2 * epsilon)", "it returns None"),
    ("return ...", "it returns the three dots"),
    ("return (J(theta + epsilon) - J(theta - epsilon)) / (2 * eps)", "it raises NameError: name"),
    ("return J(theta)", "where -0.415454 is right"),
    ("return 'slope'", "it returns 'slope': expected a number"),
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


def changed(*changes: tuple[str, str]) -> str:
    """Return the right check of the network with some changes."""
    text = LOOP
    for was, becomes in changes:
        assert was in text
        text = text.replace(was, becomes)
    return text


GRADIENT_CHECK_N = [
    (LOOP, SOLVED),
    (changed(("np.copy(theta)", "theta")), "J_minus is the cost at theta itself"),
    (
        changed(
            ("    thetaminus = np.copy(theta)\n    thetaminus[i] = thetaminus[i] - epsilon\n", ""),
            (
                "    thetaplus = np.copy(theta)\n",
                "    thetaplus = theta\n    thetaminus = theta\n"
                "    thetaminus[i] = thetaminus[i] - epsilon\n",
            ),
        ),
        "J_plus and J_minus are the same",
    ),
    (changed(("zeros_like(theta)", "zeros(theta.size)")), "gradapprox is flat"),
    (changed(("epsilon", "1e-7")), "it takes a step of its own, 1e-7"),
    (changed(("(J_plus - J_minus)", "J_plus - J_minus")), "divides only J_minus"),
    (changed(("thetaminus[i] - epsilon", "thetaminus[i]")), "J_minus is the cost at theta itself"),
    (
        changed(("/ (2 * epsilon)", "/ 2 * epsilon")),
        "divides by 2 and multiplies",
    ),
    (changed(("/ (2 * epsilon)", "/ epsilon")), "it divides by epsilon"),
    (changed(("(J_plus - J_minus)", "(J_minus - J_plus)")), "its sign is wrong"),
    (changed(("(J_plus - J_minus)", "(J_plus + J_minus)")), "it adds J_plus and J_minus"),
    (
        changed(
            ("thetaplus[i] = thetaplus[i]", "thetaplus = thetaplus"),
            ("thetaminus[i] = thetaminus[i]", "thetaminus = thetaminus"),
        ),
        "it moves all parameters at once",
    ),
    (
        changed(
            ("    thetaplus = np.copy(theta)\n", ""),
            ("    thetaminus = np.copy(theta)\n", ""),
            ("for i in", "thetaplus, thetaminus = np.copy(theta), np.copy(theta)\nfor i in"),
        ),
        "each parameter stays displaced",
    ),
    (
        changed(("np.linalg.norm(grad) + np", "np.linalg.norm(grad) * np")),
        "the product of the norms",
    ),
    (
        changed(
            ("denominator = np.linalg.norm(grad) + np.linalg.norm(gradapprox)\n", ""),
            ("numerator / denominator", "numerator"),
        ),
        "it is not divided by the norms",
    ),
    (
        changed(("numerator / denominator", "numerator / np.linalg.norm(grad)")),
        "the norm of one gradient",
    ),
    (changed(("J_plus, _ =", "J_plus =")), "it raises ValueError"),
    (changed(("return numerator / denominator\n", "print(numerator / denominator)\n")), "None"),
    (changed(("range(theta.size)", "range(theta.size - 1)")), " is right."),
]

# The judge, the head of the answer, the page that has the exercise, and the answers.
EXERCISES = {
    "judge_central_difference": (
        "central_difference(J, theta, epsilon)",
        "one-dimension",
        CENTRAL_DIFFERENCE,
    ),
    "judge_relative_difference": (
        "difference(gradient, approximation)",
        "n-dimensions",
        RELATIVE_DIFFERENCE,
    ),
    "judge_gradient_check_n": (
        "check_n(parameters, gradients, X, Y, epsilon)",
        "n-dimensions",
        GRADIENT_CHECK_N,
    ),
}


def program(judge: str, body: str) -> str:
    """Return a block as a learner leaves it."""
    head, *_ = EXERCISES[judge]
    lines = "".join(f"    {line}\n" for line in dedent(body).strip().splitlines())
    return (
        "import numpy as np\nfrom backproof.course import *\n"
        f"from backproof.exercises import {judge}"
        f"\n\n\ndef {head}:\n{lines}\n\nprint({judge}({head.partition('(')[0]}))\n"
    )
