"""The functions of the deep learning course's exercise on gradient checking, under its names.

A learner's notebook runs unchanged if its imports of the course's helper modules
are replaced by `from backproof.course import *`.

The exercise checks two models: J = theta * x, and a network that recognises fraud,
LINEAR -> RELU -> LINEAR -> RELU -> LINEAR -> SIGMOID with the logistic cost,
of 4 inputs, 5, 3 and 1 units, and so 47 parameters. It hands out a backward pass with
two mistakes, which is `faulty_backward_propagation_n` here; `backward_propagation_n` is right.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from backproof._norms import relative_difference

__all__ = [
    "backward_propagation",
    "backward_propagation_n",
    "dictionary_to_vector",
    "faulty_backward_propagation_n",
    "forward_propagation",
    "forward_propagation_n",
    "gradient_check",
    "gradient_check_n",
    "gradient_check_n_test_case",
    "gradients_to_vector",
    "relu",
    "sigmoid",
    "vector_to_dictionary",
]

Array = NDArray[np.float64]
Arrays = dict[str, Array]
Cache = tuple[Array, ...]

SHAPES = {"W1": (5, 4), "b1": (5, 1), "W2": (3, 5), "b2": (3, 1), "W3": (1, 3), "b3": (1, 1)}

# Most copies of the exercise call a gradient wrong above this difference.
THRESHOLD = 1e-7


def forward_propagation(x: float, theta: float) -> float:
    """Return J = theta * x.

    Examples
    --------
    >>> forward_propagation(2, 4)
    8
    """
    return theta * x


def backward_propagation(x: float, theta: float) -> float:
    """Return the derivative of J with respect to theta, which is x.

    Examples
    --------
    >>> backward_propagation(2, 4)
    2
    """
    return x


def gradient_check(x: float, theta: float, epsilon: float = 1e-7) -> float:
    """Compare `backward_propagation` with a central difference, and print a verdict line.

    Parameters
    ----------
    x, theta
        The input and the parameter, both numbers.
    epsilon
        The step of the central difference.

    Returns
    -------
    float
        The relative difference of the two derivatives.

    Examples
    --------
    >>> gradient_check(2, 4)
    The gradient is right by the course's rule: difference 2.9e-10 <= 1e-07
    2.919335883291695e-10
    """
    J_plus = forward_propagation(x, theta + epsilon)
    J_minus = forward_propagation(x, theta - epsilon)
    return _verdict(backward_propagation(x, theta), (J_plus - J_minus) / (2 * epsilon))


def sigmoid(x: float | Array) -> Array:
    """Return 1 / (1 + exp(-x)), entry by entry."""
    return 1 / (1 + np.exp(-x))


def relu(x: float | Array) -> Array:
    """Return the larger of 0 and x, entry by entry."""
    return np.maximum(0, x)


def forward_propagation_n(X: Array, Y: Array, parameters: Arrays) -> tuple[float, Cache]:
    """Return the cost of the network, and what the backward pass needs.

    Parameters
    ----------
    X
        The inputs, shape (4, m), an example in each column.
    Y
        The labels, 0 or 1, shape (m,) or (1, m).
    parameters
        W1 (5, 4), b1 (5, 1), W2 (3, 5), b2 (3, 1), W3 (1, 3) and b3 (1, 1).

    Returns
    -------
    cost
        The mean of the logistic cost over the examples.
    cache
        (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3).

    Examples
    --------
    >>> X, Y, parameters = gradient_check_n_test_case()
    >>> cost, cache = forward_propagation_n(X, Y, parameters)
    >>> print(f"{cost:.4f}", len(cache))
    2.4078 12
    >>> X.shape, Y.tolist()
    ((4, 3), [1.0, 1.0, 0.0])
    """
    _require_examples(X, Y)
    W1, b1, W2, b2, W3, b3 = _arrays(parameters)
    Z1 = W1 @ X + b1
    A1 = relu(Z1)
    Z2 = W2 @ A1 + b2
    A2 = relu(Z2)
    Z3 = W3 @ A2 + b3
    A3 = sigmoid(Z3)
    losses = -np.log(A3) * Y - np.log(1 - A3) * (1 - Y)
    cost = 1 / X.shape[1] * np.sum(losses)
    return cost, (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3)


def backward_propagation_n(X: Array, Y: Array, cache: Cache) -> Arrays:
    """Return the gradient of the network's cost.

    Parameters
    ----------
    X, Y, cache
        The inputs and the labels, and what `forward_propagation_n` returned along with the cost.

    Returns
    -------
    dict
        dZ3, dW3, db3, dA2, dZ2, dW2, db2, dA1, dZ1, dW1, db1, each in the shape of its array.
        As in the course, dW and db are means over the examples, and dZ and dA are not.
    """
    if not isinstance(cache, tuple) or len(cache) != 12:
        raise ValueError("cache is not what forward_propagation_n returned along with the cost.")
    _, A1, _, _, _, A2, W2, _, _, A3, W3, _ = cache
    dZ3 = A3 - Y
    dA2 = W3.T @ dZ3
    dZ2 = dA2 * (A2 > 0)
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * (A1 > 0)
    dW3, db3 = _layer_gradients(dZ3, A2)
    dW2, db2 = _layer_gradients(dZ2, A1)
    dW1, db1 = _layer_gradients(dZ1, X)
    return {
        **{"dZ3": dZ3, "dW3": dW3, "db3": db3, "dA2": dA2},
        **{"dZ2": dZ2, "dW2": dW2, "db2": db2, "dA1": dA1},
        **{"dZ1": dZ1, "dW1": dW1, "db1": db1},
    }


def faulty_backward_propagation_n(X: Array, Y: Array, cache: Cache) -> Arrays:
    """Return the gradient that the exercise hands out: dW2 is doubled, and db1 has 4/m, not 1/m."""
    gradients = backward_propagation_n(X, Y, cache)
    return gradients | {"dW2": 2 * gradients["dW2"], "db1": 4 * gradients["db1"]}


def gradient_check_n(
    parameters: Arrays, gradients: Arrays, X: Array, Y: Array, epsilon: float = 1e-7
) -> float:
    """Compare gradients with central differences of the cost, and print a verdict line.

    Parameters
    ----------
    parameters
        W1, b1, W2, b2, W3, b3, as for `forward_propagation_n`.
    gradients
        dW1, db1, dW2, db2, dW3, db3, in the shapes of the parameters; other keys are ignored.
    X, Y
        The inputs and the labels.
    epsilon
        The step of every central difference.

    Returns
    -------
    float
        The relative difference in the 2-norm, over all 47 entries at once.

    Examples
    --------
    >>> X, Y, parameters = gradient_check_n_test_case()
    >>> cost, cache = forward_propagation_n(X, Y, parameters)
    >>> gradients = faulty_backward_propagation_n(X, Y, cache)
    >>> sum(gradients["d" + key].size for key in parameters)
    47
    >>> print(f"{gradient_check_n(parameters, gradients, X, Y):.6f}")
    The gradient is wrong by the course's rule: difference 2.9e-01 > 1e-07
    0.285093
    """
    theta, _ = dictionary_to_vector(parameters)
    approximation = np.zeros_like(theta)
    for i in range(theta.size):
        step = np.zeros_like(theta)
        step[i] = epsilon
        J_plus, _ = forward_propagation_n(X, Y, vector_to_dictionary(theta + step))
        J_minus, _ = forward_propagation_n(X, Y, vector_to_dictionary(theta - step))
        approximation[i] = (J_plus - J_minus) / (2 * epsilon)
    return _verdict(gradients_to_vector(gradients), approximation)


def gradient_check_n_test_case() -> tuple[Array, Array, Arrays]:
    """Return X (4, 3), Y (3,) and the parameters of the exercise, drawn with its seed, 1."""
    draw = np.random.RandomState(1).randn
    X = draw(4, 3)
    return X, np.array([1.0, 1.0, 0.0]), {key: draw(*shape) for key, shape in SHAPES.items()}


def dictionary_to_vector(parameters: Arrays) -> tuple[Array, list[str]]:
    """Return the parameters as one column of shape (47, 1), and the key of each entry.

    Examples
    --------
    >>> X, Y, parameters = gradient_check_n_test_case()
    >>> column, keys = dictionary_to_vector(parameters)
    >>> column.shape, keys[-1]
    ((47, 1), 'b3')
    """
    keys = [key for key, shape in SHAPES.items() for _ in range(np.prod(shape))]
    return _column(_arrays(parameters)), keys


def vector_to_dictionary(theta: Array) -> Arrays:
    """Return the parameters from one column of shape (47, 1).

    Examples
    --------
    >>> vector_to_dictionary(np.arange(47).reshape(47, 1))["b3"]
    array([[46]])
    """
    *ends, size = np.cumsum([np.prod(shape) for shape in SHAPES.values()])
    if np.size(theta) != size:
        raise ValueError(f"theta has {np.size(theta)} entries: expected {size}.")
    parts = np.split(np.ravel(theta), ends)
    return {key: part.reshape(SHAPES[key]) for key, part in zip(SHAPES, parts, strict=True)}


def gradients_to_vector(gradients: Arrays) -> Array:
    """Return the gradients dW1, db1, dW2, db2, dW3 and db3 as one column of shape (47, 1).

    Examples
    --------
    >>> X, Y, parameters = gradient_check_n_test_case()
    >>> gradients_to_vector({"d" + key: array for key, array in parameters.items()}).shape
    (47, 1)
    """
    return _column(_arrays(gradients, "d"))


def _arrays(named: Arrays, prefix: str = "") -> list[Array]:
    """Return the six arrays of parameters or gradients, or say which is missing or misshapen."""
    shapes = {prefix + key: shape for key, shape in SHAPES.items()}
    for name, shape in shapes.items():
        if name not in named:
            raise ValueError(f"{name} is missing: expected {', '.join(shapes)}.")
        if np.shape(named[name]) != shape:
            raise ValueError(f"{name} has shape {np.shape(named[name])}: expected {shape}.")
    return [np.asarray(named[name]) for name in shapes]


def _require_examples(X: Array, Y: Array) -> None:
    if np.ndim(X) != 2 or np.shape(X)[0] != 4:
        raise ValueError(f"X has shape {np.shape(X)}: expected (4, m), an example in each column.")
    if np.shape(Y) not in {(X.shape[1],), (1, X.shape[1])}:
        raise ValueError(f"Y has shape {np.shape(Y)}: expected a label for each column of X.")


def _layer_gradients(dZ: Array, A: Array) -> tuple[Array, Array]:
    """Return the gradients of W and b of Z = W A + b, means over the columns."""
    m = dZ.shape[1]
    return 1 / m * dZ @ A.T, 1 / m * np.sum(dZ, axis=1, keepdims=True)


def _column(arrays: Iterable[Array]) -> Array:
    return np.concatenate([array.reshape(-1, 1) for array in arrays])


def _verdict(gradient: float | Array, approximation: float | Array) -> float:
    difference = relative_difference(gradient, approximation)
    verdict, sign = ("right", "<=") if difference <= THRESHOLD else ("wrong", ">")
    numbers = f"difference {difference:.1e} {sign} {THRESHOLD}"
    print(f"The gradient is {verdict} by the course's rule: {numbers}")
    return difference
