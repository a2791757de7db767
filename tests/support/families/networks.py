"""Families of networks: plain and deep, confident, trained, at an exact fit, at exact kinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from backproof._parameters import Nest
from support.families import layers as of
from support.families.layers import Back, Layer, Loss, Named
from support.families.model import (
    AT_AN_OPTIMUM,
    AT_KINKS,
    CORRECT,
    OPEN,
    Array,
    Case,
    Dtype,
    Rng,
    cast,
    family,
    in_float64,
    with_data,
)

SMOOTH: tuple[Callable[[], Layer], ...] = (of.tanh, of.gelu, of.silu, of.softplus)


class Net(NamedTuple):
    """Layers and a loss, with parameters and data in float64."""

    layers: Sequence[Layer]
    loss: Loss
    parameters: Named
    X: Array
    Y: Array
    detail: str = ""

    def output(self, parameters: Nest, X: Array) -> tuple[Array, list[Back]]:
        """Return what the last layer returns, and the way back through each layer."""
        backs = []
        for layer in self.layers:
            X, back = layer(parameters, X)
            backs.append(back)
        return X, backs

    def cost(self, parameters: Nest, X: Array, Y: Array) -> Any:
        return self.loss(self.output(parameters, X)[0], Y)[0]

    def gradient(self, parameters: Nest, X: Array, Y: Array) -> Nest:
        Z, backs = self.output(parameters, X)
        d = self.loss(Z, Y)[1]
        gradient: Named = {}
        for back in reversed(backs):
            d, own = back(d)
            gradient |= own
        return {name: gradient[name] for name in parameters}

    def case(self, dtype: Dtype, expected: frozenset[str]) -> Case:
        """Return the case of this network, with parameters and data in a dtype."""
        X, Y = self.X.astype(dtype), self.Y.astype(dtype)
        cost, gradient = with_data(self.cost, X, Y), with_data(self.gradient, X, Y)
        return Case(cost, gradient, cast(self.parameters, dtype), expected, self.detail)


def he(rng: Rng, *sizes: int, bias: float = 0.1) -> Named:
    """Return weights W1, W2, ... in He's size, and small biases."""
    parameters = {}
    for k, (n, m) in enumerate(pairwise(sizes), 1):
        parameters[f"W{k}"] = rng.standard_normal((n, m)) * np.sqrt(2 / n)
        parameters[f"b{k}"] = bias * rng.standard_normal(m)
    return parameters


def stacked(activation: Callable[[], Layer], depth: int) -> list[Layer]:
    """Return linear layers with an activation between them."""
    between = [layer for k in range(1, depth) for layer in (of.linear(k), activation())]
    return [*between, of.linear(depth)]


def one_hot(rng: Rng, examples: int, classes: int) -> Array:
    """Return random labels."""
    return np.eye(classes)[rng.integers(classes, size=examples)]


def perceptron(
    rng: Rng,
    activation: Callable[[], Layer],
    *,
    depths: tuple[int, int] = (2, 9),
    batches: tuple[int, ...] = (1, 32, 1000),
) -> Net:
    """Draw a network of some depth, for classes or for numbers."""
    depth, batch = int(rng.integers(*depths)), int(rng.choice(batches))
    width, outputs = int(rng.integers(3, 13 if depth < 4 else 7)), int(rng.integers(2, 5))
    sizes = (int(rng.integers(2, 9)), *[width] * (depth - 1), outputs)
    classes = rng.random() < 0.5
    return Net(
        stacked(activation, depth),
        of.cross_entropy if classes else of.squares,
        he(rng, *sizes),
        rng.standard_normal((batch, sizes[0])),
        one_hot(rng, batch, outputs) if classes else rng.standard_normal((batch, outputs)),
        f"{activation.__name__}, depth {depth}, batch {batch}, {'classes' * classes or 'numbers'}",
    )


def any_activation(rng: Rng) -> Callable[[], Layer]:
    """Draw an activation, relu among them."""
    return (of.relu, *SMOOTH)[rng.integers(5)]


@family("relu network", inside=True)
def relu_network(rng: Rng, dtype: Dtype) -> Case:
    """Draw a relu network of 2 to 8 layers."""
    return perceptron(rng, of.relu).case(dtype, in_float64(dtype))


@family("smooth network", inside=True)
def smooth_network(rng: Rng, dtype: Dtype) -> Case:
    """Draw a network of 2 to 8 layers with a smooth activation."""
    return perceptron(rng, SMOOTH[rng.integers(len(SMOOTH))]).case(dtype, CORRECT)


@family("large network", inside=True, methods=("directions",))
def large_network(rng: Rng, dtype: Dtype) -> Case:
    """Draw a network with some thousands of parameters."""
    activation = any_activation(rng)
    X, Y = rng.standard_normal((16, 30)), one_hot(rng, 16, 10)
    net = Net(stacked(activation, 4), of.cross_entropy, he(rng, 30, 60, 40, 30, 10), X, Y)
    return net._replace(detail=activation.__name__).case(dtype, in_float64(dtype))


@family("deep relu network")
def deep_relu_network(rng: Rng, dtype: Dtype) -> Case:
    """Draw a narrow relu network of 20 or 50 layers, whose biases are 0."""
    depth = int(rng.choice([20, 50]))
    X, Y = rng.standard_normal((8, 3)), rng.standard_normal((8, 2))
    width = 4 if depth == 20 else 3
    parameters = he(rng, 3, *[width] * (depth - 1), 2, bias=0.0)
    net = Net(stacked(of.relu, depth), of.squares, parameters, X, Y, f"depth {depth}")
    return net.case(dtype, OPEN)._replace(kinds=AT_KINKS)  # an example that dies is 0 from there on


# Where the cost is small or flat


def loss_of(net: Net) -> float:
    """Return the loss of a network in float64."""
    return float(net.cost(net.parameters, net.X, net.Y))


@family("confident classifier", inside=True)
def confident_classifier(rng: Rng, dtype: Dtype) -> Case:
    """Draw a network that is nearly sure of all its labels, and right."""
    net = perceptron(rng, any_activation(rng), depths=(2, 4), batches=(1, 8, 32))
    sure = np.eye(net.Y.shape[1])[net.output(net.parameters, net.X)[0].argmax(1)]
    loss = 10 ** rng.uniform(-5, -2)
    low, high = 0.0, 20.0
    for _ in range(60):
        factor = 2 ** ((low + high) / 2)
        scaled = _last_times(net, factor)._replace(loss=of.cross_entropy, Y=sure)
        low, high = ((low + high) / 2, high) if loss_of(scaled) > loss else (low, (low + high) / 2)
    return scaled._replace(detail=f"{net.detail}, loss {loss:.0e}").case(dtype, in_float64(dtype))


def _last_times(net: Net, factor: float) -> Net:
    """Return a network whose last layer is multiplied by a factor."""
    last = list(net.parameters)[-2:]
    return net._replace(
        parameters={n: w * (factor if n in last else 1) for n, w in net.parameters.items()}
    )


@family("trained network", inside=True)
def trained_network(rng: Rng, dtype: Dtype) -> Case:
    """Draw a network after 50 to 400 steps of training."""
    net = perceptron(rng, any_activation(rng), depths=(2, 4), batches=(8, 32))
    steps = int(rng.integers(50, 400))
    net = net._replace(parameters=_trained(net, steps))
    return net._replace(detail=f"{net.detail}, loss {loss_of(net):.0e}").case(
        dtype, in_float64(dtype)
    )


def _trained(net: Net, steps: int, rate: float = 0.02) -> Named:
    """Return the parameters after some steps of Adam."""
    p = net.parameters
    m = {n: np.zeros_like(w) for n, w in p.items()}
    v = {n: np.zeros_like(w) for n, w in p.items()}
    for t in range(1, steps + 1):
        g = net.gradient(p, net.X, net.Y)
        m = {n: 0.9 * m[n] + 0.1 * g[n] for n in p}
        v = {n: 0.99 * v[n] + 0.01 * g[n] ** 2 for n in p}
        size = rate * np.sqrt(1 - 0.99**t) / (1 - 0.9**t)
        p = {n: w - size * m[n] / (np.sqrt(v[n]) + 1e-12) for n, w in p.items()}
    return p


@family("exact fit", inside=True)
def exact_fit(rng: Rng, dtype: Dtype) -> Case:
    """Draw a network that is its own teacher, or least squares at the true parameters."""
    depths = (1, 2) if rng.random() < 0.5 else (2, 4)
    net = perceptron(rng, of.tanh, depths=depths, batches=(8, 32))
    net = net._replace(parameters=cast(net.parameters, dtype), X=net.X.astype(dtype))
    taught = net.output(net.parameters, net.X)[0]
    return net._replace(loss=of.squares, Y=taught).case(dtype, OPEN)._replace(kinds=AT_AN_OPTIMUM)


@family("least squares at the optimum")
def least_squares_optimum(rng: Rng, dtype: Dtype) -> Case:
    """Draw least squares at their solution: the gradient is rounding alone."""
    net = perceptron(rng, of.tanh, depths=(1, 2), batches=(32, 1000))._replace(loss=of.squares)
    design = np.hstack([net.X, np.ones((len(net.X), 1))])
    best = np.linalg.lstsq(design, net.Y, rcond=None)[0]
    net = net._replace(parameters={"W1": best[:-1], "b1": best[-1]})
    return net.case(dtype, OPEN)._replace(kinds=AT_AN_OPTIMUM)


# Exact kinks and zeros


@family("zero rows and biases", inside=True)
def zero_rows(rng: Rng, dtype: Dtype) -> Case:
    """Draw a relu network without biases yet, some of whose examples are zero."""
    net = perceptron(rng, of.relu, depths=(2, 5), batches=(8, 32))
    X = net.X * (rng.random((len(net.X), 1)) < 0.7)
    parameters = {n: w * (n[0] == "W") for n, w in net.parameters.items()}
    case = net._replace(X=X, parameters=parameters).case(dtype, OPEN)
    return case._replace(kinds=AT_KINKS)


@family("unit at its kink")
def unit_at_its_kink(rng: Rng, dtype: Dtype) -> Case:
    """Draw a relu network with one unit at 0 for one example, as exactly as its sums allow."""
    net = perceptron(rng, of.relu, depths=(2, 5), batches=(8, 32))
    X, p = np.round(16 * net.X) / 16, dict(net.parameters)
    p["W1"] = np.round(64 * p["W1"]) / 64
    p["b1"] = np.append(-(X[0] @ p["W1"][:, 0]), p["b1"][1:])
    case = net._replace(X=X, parameters=p).case(dtype, OPEN)
    return case._replace(kinds=AT_KINKS)


@family("pooling ties")
def pooling_ties(rng: Rng, dtype: Dtype) -> Case:
    """Draw max pooling over images of few grey values, where many cells tie.

    The cost grows with each maximum, and so is convex there: shared slopes are a subgradient.
    """
    batch, filters = int(rng.choice([1, 4, 16])), int(rng.integers(2, 5))
    X = rng.integers(0, 3, (batch, 8, 8, 1)) / 2
    parameters = _convolutional(rng, 1, filters)
    parameters["W1"] = np.round(4 * parameters["W1"]) / 4
    parameters["W2"] = np.abs(parameters["W2"])
    stack = [of.convolution(1), of.max_pool(), of.flat(), of.linear(2)]
    low = -10 - rng.random((batch, 3))
    net = Net(stack, of.squares, parameters, X, low, f"batch {batch}")
    return net.case(dtype, OPEN)._replace(kinds=AT_KINKS)


@family("zero parameters")
def zero_parameters(rng: Rng, dtype: Dtype) -> Case:
    """Draw a network whose last layer, or only layer, is zero."""
    net = perceptron(rng, SMOOTH[rng.integers(4)], depths=(1, 4), batches=(8, 32))
    zero = list(net.parameters)[-2:]
    parameters = {n: w * (n not in zero) for n, w in net.parameters.items()}
    return net._replace(parameters=parameters).case(dtype, CORRECT)


# Other layers


@family("convolution", inside=True)
def convolution(rng: Rng, dtype: Dtype) -> Case:
    """Draw a convolution with relu and max pooling, some with blank borders and zero biases."""
    batch, filters = int(rng.choice([1, 4, 16])), int(rng.integers(2, 5))
    X = rng.standard_normal((batch, 8, 8, int(rng.integers(1, 3))))
    if blank := rng.random() < 0.5:
        X[:, :3] = X[:, :, :3] = 0
    parameters = _convolutional(rng, X.shape[3], filters)
    parameters["b1"] *= not blank
    stack = [of.convolution(1), of.relu(), of.max_pool(), of.flat(), of.linear(2)]
    net = Net(stack, of.cross_entropy, parameters, X, one_hot(rng, batch, 3))
    expected = OPEN if blank else in_float64(dtype)
    case = net._replace(detail=f"batch {batch}{', blank' * blank}").case(dtype, expected)
    return case._replace(kinds=AT_KINKS if blank else case.kinds)


def _convolutional(rng: Rng, channels: int, filters: int) -> Named:
    """Return 3 x 3 filters, and a layer over the 3 x 3 cells that pooling leaves."""
    return {
        "W1": rng.standard_normal((3, 3, channels, filters)) / 3,
        "b1": 0.1 * rng.standard_normal(filters),
        "W2": rng.standard_normal((9 * filters, 3)) / np.sqrt(9 * filters),
        "b2": 0.1 * rng.standard_normal(3),
    }


@family("recurrent network", inside=True)
def recurrent_network(rng: Rng, dtype: Dtype) -> Case:
    """Draw a recurrent tanh network over 3 to 19 times."""
    batch, times, width = (int(rng.integers(*ends)) for ends in ((2, 9), (3, 20), (3, 9)))
    parameters = {
        "Wx": rng.standard_normal((3, width)),
        "Wh": rng.standard_normal((width, width)) / np.sqrt(width),
        "bh": 0.1 * rng.standard_normal(width),
        **he(rng, width, 2),
    }
    X, Y = rng.standard_normal((batch, times, 3)), rng.standard_normal((batch, 2))
    net = Net([of.recurrent(), of.linear(1)], of.squares, parameters, X, Y, f"{times} times")
    return net.case(dtype, CORRECT)


@family("zero by theory", inside=True)
def zero_by_theory(rng: Rng, dtype: Dtype) -> Case:
    """Draw a network in which some bias changes nothing."""
    draw = (_normalised, _attentive, _shifted)[rng.integers(3)]
    return draw(rng).case(dtype, in_float64(dtype))


def _normalised(rng: Rng) -> Net:
    """Draw a bias before batch normalisation."""
    parameters = he(rng, 5, 8, 3)
    parameters["g1"], parameters["s1"] = 1 + 0.1 * rng.standard_normal(8), rng.standard_normal(8)
    stack = [of.linear(1), of.batch_norm(1), of.tanh(), of.linear(2)]
    X, Y = rng.standard_normal((16, 5)), one_hot(rng, 16, 3)
    return Net(stack, of.cross_entropy, parameters, X, Y, "bias before batch normalisation")


def _attentive(rng: Rng) -> Net:
    """Draw attention, whose key bias shifts all scores of a query alike."""
    parameters = {}
    for k in "QKV":
        parameters[f"W{k}"] = rng.standard_normal((5, 5)) / 2
        parameters[f"b{k}"] = 0.1 * rng.standard_normal(5)
    X = rng.standard_normal((4, 6, 5))
    Y = rng.standard_normal((4, 6, 5))
    return Net([of.attention()], of.squares, parameters, X, Y, "key bias of attention")


def _shifted(rng: Rng) -> Net:
    """Draw logits that are all shifted by one number."""
    parameters = {**he(rng, 5, 4), "c": rng.standard_normal(1)}
    X, Y = rng.standard_normal((16, 5)), one_hot(rng, 16, 4)
    stack = [of.linear(1), of.shift("c")]
    return Net(stack, of.cross_entropy, parameters, X, Y, "shift of the logits")
