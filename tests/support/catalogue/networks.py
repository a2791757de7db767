"""Multilayer networks: examples in columns, Z = W A + b, and a cost that is a mean over them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from backproof import course
from backproof._parameters import Nest
from support.catalogue.model import Array, Draw, Model, Planted, Slip, all_wrong

Layers = list[tuple[Array, Array]]
Elementwise = Callable[[Array], Array]


class Network(NamedTuple):
    """Data, and the functions of a network; a slip in the code is one of them replaced.

    `slope` is the derivative of `activation` at Z,
    `loss_slope` that of `loss` with respect to the Z of the last layer,
    and the gradient of a bias is summed over the axis `examples`.
    """

    X: Array
    Y: Array
    activation: Elementwise
    slope: Elementwise
    loss: Callable[[Array, Array], Any]
    loss_slope: Callable[[Array, Array], Array]
    examples: int = 1


def forward(network: Network, layers: Layers) -> list[tuple[Array, Array]]:
    """Return what goes into each layer, and its Z."""
    passed: Layers = []
    A = network.X
    for W, b in layers:
        Z = W @ A + b
        passed.append((A, Z))
        A = network.activation(Z)
    return passed


def backward(network: Network, layers: Layers) -> Layers:
    """Return the gradients of W and b, layer after layer."""
    passed = forward(network, layers)
    dZ = network.loss_slope(passed[-1][1], network.Y)
    gradients: Layers = []
    for k in reversed(range(len(layers))):
        W, b = layers[k]
        gradients.append((dZ @ passed[k][0].T, dZ.sum(network.examples).reshape(b.shape)))
        if k:
            dZ = (W.T @ dZ) * network.slope(passed[k - 1][1])
    return gradients[::-1]


def _layers(parameters: Nest) -> Layers:
    """Return the layers of parameters that are named W1, b1, W2, ... or nested."""
    if "layers" in parameters:
        return [(layer["W"], layer["b"]) for layer in parameters["layers"]]
    return [(parameters[f"W{k}"], parameters[f"b{k}"]) for k in range(1, len(parameters) // 2 + 1)]


def _named(layers: Layers) -> dict[str, Array]:
    numbered = enumerate(layers, 1)
    return {name: array for k, (W, b) in numbered for name, array in ((f"W{k}", W), (f"b{k}", b))}


def _nested(layers: Layers) -> dict[str, Any]:
    return {"layers": [{"W": W, "b": b} for W, b in layers]}


def _cost(network: Network, parameters: Nest) -> Any:
    return network.loss(forward(network, _layers(parameters))[-1][1], network.Y)


def _gradient(network: Network, parameters: Nest) -> dict[str, Array]:
    return _named(backward(network, _layers(parameters)))


def _nested_gradient(network: Network, parameters: Nest) -> dict[str, Any]:
    return _nested(backward(network, _layers(parameters)))


def _draw_layers(draw: Draw, *sizes: int) -> Layers:
    return [(draw.weights(n, k), draw.normal(n, 1)) for k, n in pairwise(sizes)]


def _paths(*layers: int) -> list[str]:
    return [f"{name}{k}" for k in layers for name in "Wb"]


def _slip(name: str, network: Network, paths: list[str], *planted: Any) -> Slip:
    return Slip(name, partial(_gradient, network), all_wrong(paths, *(planted or ("unknown",))))


# Activations and their slopes


def relu(Z: Array) -> Array:
    """Return the larger of 0 and Z."""
    return np.maximum(Z, 0)


def relu_slope(Z: Array) -> Array:
    """Return 1 where Z is positive, else 0, in the dtype of Z."""
    return (Z > 0).astype(Z.dtype)


def sigmoid(Z: Array) -> Array:
    """Return 1 / (1 + exp(-Z))."""
    return 1 / (1 + np.exp(-Z))


def sigmoid_slope(Z: Array) -> Array:
    """Return the slope of the sigmoid at Z."""
    return sigmoid(Z) * (1 - sigmoid(Z))


def tanh_slope(Z: Array) -> Array:
    """Return the slope of tanh at Z."""
    return 1 - np.tanh(Z) ** 2


def _tanh_slope_without_square(Z: Array) -> Array:
    return 1 - np.tanh(Z)


# Losses, means over the examples, and their slopes


def squares(Z: Array, Y: Array) -> Any:
    """Return half the squared error."""
    return np.sum((Z - Y) ** 2) / (2 * Y.shape[1])


def squares_slope(Z: Array, Y: Array) -> Array:
    """Return the slope of half the squared error."""
    return np.divide(Z - Y, Y.shape[1])


def logistic(Z: Array, Y: Array) -> Any:
    """Return the logistic loss of labels 0 and 1."""
    return np.sum(np.logaddexp(0, Z) - Y * Z) / Y.shape[1]


def logistic_slope(Z: Array, Y: Array) -> Array:
    """Return the slope of the logistic loss."""
    return np.divide(sigmoid(Z) - Y, Y.shape[1])


def _logistic_slope_of_a_sum(Z: Array, Y: Array) -> Array:
    return sigmoid(Z) - Y


def softmax(Z: Array) -> Array:
    """Return the softmax of each column."""
    powers = np.exp(Z - Z.max(axis=0))
    return np.asarray(powers / powers.sum(axis=0))


def cross_entropy(Z: Array, Y: Array) -> Any:
    """Return the cross-entropy of one-hot columns with the softmax of Z."""
    return -np.sum(Y * np.log(softmax(Z))) / Y.shape[1]


def cross_entropy_slope(Z: Array, Y: Array) -> Array:
    """Return the slope of the cross-entropy."""
    return np.divide(softmax(Z) - Y, Y.shape[1])


def _cross_entropy_slope_without_labels(Z: Array, Y: Array) -> Array:
    return np.divide(softmax(Z), Y.shape[1])


# The models


def course_network(draw: Draw) -> Model:
    """Return the network of the course's exercise, with new parameters, and its two mistakes."""
    X, Y, _ = course.gradient_check_n_test_case()
    X, Y = draw.cast(X), draw.cast(Y)
    layers = _draw_layers(draw, 4, 5, 3, 1)
    return Model(
        "the course's network",
        partial(_course_cost, X, Y),
        partial(_course_gradient, course.backward_propagation_n, X, Y),
        _named(layers),
        (
            Slip(
                "as handed out",
                partial(_course_gradient, course.faulty_backward_propagation_n, X, Y),
                {"W2": Planted("factor", 2.0), "b1": Planted("factor", 4.0)},
            ),
        ),
    )


def _course_cost(X: Any, Y: Any, parameters: Nest) -> Any:
    return course.forward_propagation_n(X, Y, parameters)[0]


def _course_gradient(backward: Callable[..., Any], X: Any, Y: Any, parameters: Nest) -> Nest:
    _, cache = course.forward_propagation_n(X, Y, parameters)
    gradients = backward(X, Y, cache)
    return {name: gradients["d" + name] for name in course.SHAPES}


def tanh_network(draw: Draw) -> Model:
    """Return a network with tanh and squared error."""
    X, Y = draw.normal(4, 7), draw.normal(2, 7)
    network = Network(X, Y, np.tanh, tanh_slope, squares, squares_slope)
    no_square = network._replace(slope=_tanh_slope_without_square)
    return Model(
        "tanh network",
        partial(_cost, network),
        partial(_gradient, network),
        _named(_draw_layers(draw, 4, 5, 3, 2)),
        (
            _slip("the square in 1 - tanh^2 is forgotten", no_square, _paths(1, 2)),
            _stale("the cache is of the step before", network, _paths(1, 2, 3)),
        ),
    )


def _stale(name: str, network: Network, paths: list[str]) -> Slip:
    return Slip(name, partial(_stale_gradient, network), all_wrong(paths, "unknown"))


def _stale_gradient(network: Network, parameters: Nest) -> Nest:
    gradient = _gradient(network, parameters)
    # Steps of a tenth of the gradient, its size taken out, in whatever units it is.
    sizes = {n: np.abs(parameters[n]).max() / np.abs(gradient[n]).max() for n in gradient}
    before = {n: parameters[n] - 0.1 * float(sizes[n]) * gradient[n] for n in gradient}
    return _gradient(network, before)


def relu_network(draw: Draw) -> Model:
    """Return a network with relu and squared error."""
    network, parameters = _draw_relu(draw)
    no_mask = network._replace(slope=np.ones_like)
    return Model(
        "relu network",
        partial(_cost, network),
        partial(_gradient, network),
        parameters,
        (_slip("the mask of relu is forgotten", no_mask, _paths(1, 2)),),
    )


def _draw_relu(draw: Draw) -> tuple[Network, dict[str, Array]]:
    X, Y = draw.normal(3, 6), draw.normal(2, 6)
    network = Network(X, Y, relu, relu_slope, squares, squares_slope)
    return network, _named(_draw_layers(draw, 3, 7, 4, 2))


def near_a_kink(distance: float, draw: Draw, *, slope: Elementwise = relu_slope) -> Model:
    """Return the relu network where the first unit is this far from its kink, for one example."""
    network, parameters = _draw_relu(draw)
    network = network._replace(slope=slope)
    # Made of the very sums of the forward pass, a distance of 0 is exact.
    parameters["b1"][0] = distance - (parameters["W1"] @ network.X)[0, 0]
    name = f"relu network {distance:g} from a kink"
    return Model(name, partial(_cost, network), partial(_gradient, network), parameters)


def dead_units(units: int, draw: Draw) -> Model:
    """Return the relu network where the first units of seven never fire."""
    model = relu_network(draw)
    model.parameters["b1"][:units] = -50
    return model._replace(name=f"relu network with {units} dead units", slips=())


def sigmoid_network(draw: Draw) -> Model:
    """Return a network with sigmoids and the logistic cost."""
    X, Y = draw.normal(6, 5), draw.one_hot(2, 5)[:1]
    network = Network(X, Y, sigmoid, sigmoid_slope, logistic, logistic_slope)
    no_mean = network._replace(loss_slope=_logistic_slope_of_a_sum)
    no_slope = network._replace(slope=np.ones_like)
    return Model(
        "sigmoid network",
        partial(_cost, network),
        partial(_gradient, network),
        _named(_draw_layers(draw, 6, 4, 3, 1)),
        (
            _slip("1/m is forgotten", no_mean, _paths(1, 2, 3), "factor", 5.0),
            _slip("the slope of the sigmoid is forgotten", no_slope, _paths(1, 2)),
        ),
    )


def softmax_network(draw: Draw) -> Model:
    """Return a network with tanh, softmax and cross-entropy."""
    X, Y = draw.normal(5, 8), draw.one_hot(3, 8)
    network = Network(X, Y, np.tanh, tanh_slope, cross_entropy, cross_entropy_slope)
    no_labels = network._replace(loss_slope=_cross_entropy_slope_without_labels)
    return Model(
        "softmax network",
        partial(_cost, network),
        partial(_gradient, network),
        _named(_draw_layers(draw, 5, 4, 3)),
        (_slip("minus one-hot is forgotten", no_labels, _paths(1, 2)),),
    )


def square_network(draw: Draw) -> Model:
    """Return a network with as many examples as units, where a wrong axis keeps the shape."""
    X, Y = draw.normal(4, 4), draw.normal(4, 4)
    network = Network(X, Y, np.tanh, tanh_slope, squares, squares_slope)
    wrong_axis = network._replace(examples=0)
    return Model(
        "square network",
        partial(_cost, network),
        partial(_gradient, network),
        _named(_draw_layers(draw, 4, 4, 4, 4)),
        (_slip("the bias is summed over the units", wrong_axis, ["b1", "b2", "b3"]),),
    )


def nested_network(draw: Draw) -> Model:
    """Return a network whose layers stand in a list."""
    X, Y = draw.normal(3, 5), draw.normal(2, 5)
    network = Network(X, Y, np.tanh, tanh_slope, squares, squares_slope)
    no_slope = partial(_nested_gradient, network._replace(slope=np.ones_like))
    first = ("layers[0].W", "layers[0].b", "layers[1].W", "layers[1].b")
    return Model(
        "nested network",
        partial(_cost, network),
        partial(_nested_gradient, network),
        _nested(_draw_layers(draw, 3, 4, 6, 2)),
        (Slip("the slope of tanh is forgotten", no_slope, all_wrong(first, "unknown")),),
    )


def regularised_network(draw: Draw) -> Model:
    """Return a network with an L2 term on its weights."""
    X, Y = draw.normal(4, 6), draw.one_hot(2, 6)[:1]
    network = Network(X, Y, np.tanh, tanh_slope, logistic, logistic_slope)
    weights = ("W1", "W2")
    return Model(
        "L2-regularised network",
        partial(_regularised_cost, network),
        partial(_regularised_gradient, network, 1),
        _named(_draw_layers(draw, 4, 6, 1)),
        tuple(
            Slip(name, partial(_regularised_gradient, network, times), all_wrong(weights, kind))
            for name, times, kind in (
                ("the L2 term is missing", 0, "regularisation"),
                ("the L2 term is doubled", 2, "regularisation"),
            )
        ),
    )


DECAY = 0.1


def _regularised_cost(network: Network, parameters: Nest) -> Any:
    penalty = sum(np.sum(W**2) for W, _ in _layers(parameters))
    return _cost(network, parameters) + DECAY / 2 * penalty


def _regularised_gradient(network: Network, times: int, parameters: Nest) -> Nest:
    layers = _layers(parameters)
    data = backward(network, layers)
    return _named(
        [(dW + times * DECAY * W, db) for (W, _), (dW, db) in zip(layers, data, strict=True)]
    )


NETWORKS = (
    course_network,
    tanh_network,
    relu_network,
    sigmoid_network,
    softmax_network,
    square_network,
    nested_network,
    regularised_network,
)
