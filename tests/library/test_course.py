"""The course's functions, under its names and with its numbers."""

import numpy as np
import pytest

from backproof import course

# A learner's notebook, with the import of the course's helper modules as its first line.
# It defines what the exercise asks for, over the helpers' versions, and checks it.
NOTEBOOK = """
from course_helpers import *

import numpy as np

def forward_propagation(x, theta):
    J = np.dot(theta, x)
    return J

x, theta = 2, 4
J = forward_propagation(x, theta)

def backward_propagation(x, theta):
    return x

dtheta = backward_propagation(x, theta)

def gradient_check(x, theta, epsilon=1e-7):
    J_plus = forward_propagation(x, theta + epsilon)
    J_minus = forward_propagation(x, theta - epsilon)
    approx = (J_plus - J_minus) / (2 * epsilon)
    grad = backward_propagation(x, theta)
    return np.linalg.norm(grad - approx) / (np.linalg.norm(grad) + np.linalg.norm(approx))

one_dimension = gradient_check(x, theta)

def forward_propagation_n(X, Y, parameters):
    m = X.shape[1]
    W1, b1 = parameters["W1"], parameters["b1"]
    W2, b2 = parameters["W2"], parameters["b2"]
    W3, b3 = parameters["W3"], parameters["b3"]
    Z1 = np.dot(W1, X) + b1
    A1 = relu(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = relu(Z2)
    Z3 = np.dot(W3, A2) + b3
    A3 = sigmoid(Z3)
    logprobs = np.multiply(-np.log(A3), Y) + np.multiply(-np.log(1 - A3), 1 - Y)
    cost = 1.0 / m * np.sum(logprobs)
    return cost, (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3)

def backward_propagation_n(X, Y, cache):
    m = X.shape[1]
    (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3) = cache
    dZ3 = A3 - Y
    dW3 = 1.0 / m * np.dot(dZ3, A2.T)
    db3 = 1.0 / m * np.sum(dZ3, axis=1, keepdims=True)
    dA2 = np.dot(W3.T, dZ3)
    dZ2 = np.multiply(dA2, np.int64(A2 > 0))
    dW2 = 1.0 / m * np.dot(dZ2, A1.T) * FACTOR_W2
    db2 = 1.0 / m * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.dot(W2.T, dZ2)
    dZ1 = np.multiply(dA1, np.int64(A1 > 0))
    dW1 = 1.0 / m * np.dot(dZ1, X.T)
    db1 = FACTOR_b1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return {"dZ3": dZ3, "dW3": dW3, "db3": db3, "dA2": dA2, "dZ2": dZ2, "dW2": dW2,
            "db2": db2, "dA1": dA1, "dZ1": dZ1, "dW1": dW1, "db1": db1}

def gradient_check_n(parameters, gradients, X, Y, epsilon=1e-7):
    values, _ = dictionary_to_vector(parameters)
    grad = gradients_to_vector(gradients)
    n = values.shape[0]
    J_plus, J_minus, approx = np.zeros((n, 1)), np.zeros((n, 1)), np.zeros((n, 1))
    for i in range(n):
        theta_plus = np.copy(values)
        theta_plus[i][0] = theta_plus[i][0] + epsilon
        J_plus[i], _ = forward_propagation_n(X, Y, vector_to_dictionary(theta_plus))
        theta_minus = np.copy(values)
        theta_minus[i][0] = theta_minus[i][0] - epsilon
        J_minus[i], _ = forward_propagation_n(X, Y, vector_to_dictionary(theta_minus))
        approx[i] = (J_plus[i] - J_minus[i]) / (2 * epsilon)
    return np.linalg.norm(grad - approx) / (np.linalg.norm(grad) + np.linalg.norm(approx))

X, Y, parameters = gradient_check_n_test_case()
cost, cache = forward_propagation_n(X, Y, parameters)
gradients = backward_propagation_n(X, Y, cache)
difference = gradient_check_n(parameters, gradients, X, Y)
"""


def run_notebook(factor_w2: float, factor_b1: float) -> dict[str, object]:
    """Run the notebook with its import line changed, as a learner would change it."""
    source = NOTEBOOK.replace("course_helpers", "backproof.course")
    namespace: dict[str, object] = {"FACTOR_W2": factor_w2, "FACTOR_b1": factor_b1}
    exec(compile(source, "notebook", "exec"), namespace)
    return namespace


def test_a_learners_notebook_gives_the_numbers_of_the_course() -> None:
    """With the import line changed and nothing else, all five known numbers come out."""
    handed_out, corrected = run_notebook(2, 4.0), run_notebook(1, 1.0)
    assert handed_out["J"] == 8
    assert handed_out["dtheta"] == 2
    assert handed_out["one_dimension"] == 2.919335883291695e-10
    assert handed_out["difference"] == pytest.approx(0.285093156776, abs=1e-10)
    assert corrected["difference"] == pytest.approx(1.19e-07, rel=0.01)


def test_the_librarys_own_versions_give_the_same_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The functions that ship agree with the notebook, and print a verdict line each."""
    X, Y, parameters = course.gradient_check_n_test_case()
    _, cache = course.forward_propagation_n(X, Y, parameters)
    faulty = course.faulty_backward_propagation_n(X, Y, cache)
    right = course.backward_propagation_n(X, Y, cache)
    assert course.forward_propagation(2, 4) == 8
    assert course.gradient_check(2, 4) == 2.919335883291695e-10
    assert course.gradient_check_n(parameters, faulty, X, Y) == pytest.approx(
        0.285093156776, abs=1e-10
    )
    assert course.gradient_check_n(parameters, right, X, Y) == pytest.approx(1.19e-07, rel=0.01)
    assert course.gradient_check_n(parameters, right, X, Y, 1e-4) < 1e-9
    verdicts = [line.split()[3] for line in capsys.readouterr().out.splitlines()]
    assert verdicts == ["right", "wrong", "wrong", "right"]


def test_the_faulty_pass_is_wrong_in_two_arrays_only() -> None:
    """dW2 is doubled, db1 is four times too large, and nothing else differs."""
    X, Y, parameters = course.gradient_check_n_test_case()
    _, cache = course.forward_propagation_n(X, Y, parameters)
    faulty = course.faulty_backward_propagation_n(X, Y, cache)
    right = course.backward_propagation_n(X, Y, cache)
    assert [key for key in right if (faulty[key] != right[key]).any()] == ["dW2", "db1"]
    assert (faulty["dW2"] == 2 * right["dW2"]).all()
    assert (faulty["db1"] == 4 * right["db1"]).all()


def test_vectors_and_dictionaries_are_there_and_back() -> None:
    """47 parameters, each with its key, and the same arrays again."""
    _, _, parameters = course.gradient_check_n_test_case()
    theta, keys = course.dictionary_to_vector(parameters)
    assert theta.shape == (47, 1)
    assert [keys.count(key) for key in course.SHAPES] == [20, 5, 15, 3, 3, 1]
    back = course.vector_to_dictionary(theta)
    assert all((back[key] == parameters[key]).all() for key in parameters)
    gradients = {f"d{key}": value for key, value in parameters.items()}
    assert (course.gradients_to_vector(gradients) == theta).all()


def test_the_test_case_leaves_the_global_random_numbers_alone() -> None:
    """Drawing the exercise's arrays does not seed or advance anybody's generator."""
    np.random.seed(7)
    expected = np.random.rand()
    np.random.seed(7)
    course.gradient_check_n_test_case()
    assert np.random.rand() == expected


def test_only_what_the_forward_pass_kept_is_taken_as_a_cache() -> None:
    """A list of twelve is none, nor is a tuple of another length."""
    X, Y, parameters = course.gradient_check_n_test_case()
    _, cache = course.forward_propagation_n(X, Y, parameters)
    for other in (list(cache), cache[:11], None):
        with pytest.raises(ValueError, match="cache is not what forward_propagation_n returned"):
            course.backward_propagation_n(X, Y, other)  # type: ignore[arg-type]


def test_the_examples_stand_in_columns() -> None:
    """Inputs of four rows and a label for each column, in a row or alone, give the same cost."""
    X, Y, parameters = course.gradient_check_n_test_case()
    cost, _ = course.forward_propagation_n(X, Y, parameters)
    assert course.forward_propagation_n(X, Y[np.newaxis], parameters)[0] == cost
    for inputs in (X[0], X[..., np.newaxis]):
        with pytest.raises(ValueError, match="X has shape"):
            course.forward_propagation_n(inputs, Y, parameters)
    for labels in (np.array([Y, Y]), Y[:, np.newaxis]):
        with pytest.raises(ValueError, match="Y has shape"):
            course.forward_propagation_n(X, labels, parameters)


@pytest.mark.parametrize(
    ("theta", "line"),
    [
        (4.0, "The gradient is right by the course's rule: difference 2.9e-10 <= 1e-07"),
        (1e9, "The gradient is wrong by the course's rule: difference 8.8e-02 > 1e-07"),
    ],
)
def test_the_verdict_is_a_line(theta: float, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It says by whose rule; far from 0, rounding alone makes the right gradient wrong."""
    course.gradient_check(2, theta)
    assert capsys.readouterr().out == f"{line}\n"
