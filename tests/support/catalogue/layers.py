"""Layers beyond W A + b: convolution, normalisation, a recurrent cell, attention, embedding."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from backproof._parameters import Nest
from support.catalogue.model import Array, Draw, Model, Slip, all_wrong
from support.catalogue.networks import (
    cross_entropy,
    cross_entropy_slope,
    sigmoid,
    squares,
    squares_slope,
    tanh_slope,
)


def convolution(draw: Draw) -> Model:
    """Return a 1-d convolution of two channels, tanh, the mean over positions and a linear map."""
    data = _windows(draw.normal(5, 9, 2)), draw.normal(2, 5)
    right = partial(_convolution_gradient, *data)
    return Model(
        "convolution",
        partial(_convolution_cost, *data),
        right,
        {"K": draw.weights(3, 8).reshape(4, 2, 3), "b": draw.normal(3), "V": draw.weights(2, 3)},
        (
            Slip("the kernel is flipped", partial(_flipped, right), all_wrong(["K"], "permuted")),
            Slip(
                "the mean over six positions is forgotten",
                partial(_convolution_gradient, *data, positions=1),
                all_wrong(["K", "b"], "factor", 6.0),
            ),
        ),
    )


def _windows(X: Array) -> Array:
    """Return what the kernel sees: examples, positions, width 4, channels."""
    return sliding_window_view(X, 4, axis=1).swapaxes(2, 3).copy()


def _convolved(X: Array, p: Nest) -> Array:
    return np.asarray(np.tensordot(X, p["K"], 2) + p["b"])


def _convolution_cost(X: Array, Y: Array, p: Nest) -> Any:
    pooled = np.tanh(_convolved(X, p)).mean(axis=1)
    return squares(p["V"] @ pooled.T, Y)


def _convolution_gradient(X: Array, Y: Array, p: Nest, positions: int = 6) -> Nest:
    Z = _convolved(X, p)
    pooled = np.tanh(Z).mean(axis=1)
    dR = squares_slope(p["V"] @ pooled.T, Y)
    dZ = (dR.T @ p["V"])[:, None] / positions * tanh_slope(Z)
    return {
        "K": np.tensordot(X, dZ, ([0, 1], [0, 1])),
        "b": dZ.sum(axis=(0, 1)),
        "V": dR @ pooled,
    }


def _flipped(right: Any, p: Nest) -> Nest:
    gradient = right(p)
    return gradient | {"K": gradient["K"][::-1]}


def _normalised_model(name: str, slip: str, axis: int, draw: Draw) -> Model:
    """Return W X, normalised over an axis, scaled and shifted, tanh and a linear map."""
    data = axis, draw.normal(4, 7), draw.normal(2, 7)
    parameters = {"W": draw.weights(5, 4), "gamma": 1 + draw.normal(5, 1) / 3}
    parameters |= {"beta": draw.normal(5, 1), "V": draw.weights(2, 5)}
    constant = partial(_normalised_gradient, *data, constant=True)
    return Model(
        name,
        partial(_normalised_cost, *data),
        partial(_normalised_gradient, *data),
        parameters,
        (Slip(slip, constant, all_wrong(["W"], "unknown")),),
    )


def batch_normalisation(draw: Draw) -> Model:
    """Return a model with statistics over the batch."""
    return _normalised_model(
        "batch normalisation", "the statistics are taken for constants", 1, draw
    )


def layer_normalisation(draw: Draw) -> Model:
    """Return a model with statistics over the units."""
    return _normalised_model("layer normalisation", "mean and deviation are not derived", 0, draw)


def _normalise(Z: Array, axis: int) -> tuple[Array, Array]:
    """Return Z normalised over an axis, and what it was divided by."""
    deviation = np.sqrt(Z.var(axis=axis, keepdims=True) + 1e-5)
    return (Z - Z.mean(axis=axis, keepdims=True)) / deviation, deviation


def _normalised_cost(axis: int, X: Array, Y: Array, p: Nest) -> Any:
    N, _ = _normalise(p["W"] @ X, axis)
    return squares(p["V"] @ np.tanh(p["gamma"] * N + p["beta"]), Y)


def _normalised_gradient(axis: int, X: Array, Y: Array, p: Nest, *, constant: bool = False) -> Nest:
    N, deviation = _normalise(p["W"] @ X, axis)
    Z = p["gamma"] * N + p["beta"]
    dR = squares_slope(p["V"] @ np.tanh(Z), Y)
    dZ = p["V"].T @ dR * tanh_slope(Z)
    dN = dZ * p["gamma"]
    if not constant:
        projected = N * np.mean(dN * N, axis=axis, keepdims=True)
        dN = dN - dN.mean(axis=axis, keepdims=True) - projected
    return {
        "W": dN / deviation @ X.T,
        "gamma": np.sum(dZ * N, axis=1, keepdims=True),
        "beta": np.sum(dZ, axis=1, keepdims=True),
        "V": dR @ np.tanh(Z).T,
    }


def useless_bias(draw: Draw) -> Model:
    """Return a batch normalisation after a bias, which it takes out: its gradient is rounding."""
    inner = batch_normalisation(draw)
    X, Y = draw.normal(4, 7), draw.normal(2, 7)
    return Model(
        "a bias before batch normalisation",
        partial(_useless_bias_cost, X, Y),
        partial(_useless_bias_gradient, X, Y),
        inner.parameters | {"b": draw.normal(5, 1)},
    )


def _useless_bias_cost(X: Array, Y: Array, p: Nest) -> Any:
    N, _ = _normalise(p["W"] @ X + p["b"], 1)
    return squares(p["V"] @ np.tanh(p["gamma"] * N + p["beta"]), Y)


def _useless_bias_gradient(X: Array, Y: Array, p: Nest) -> Nest:
    return _normalised_gradient(1, X, Y, p) | {"b": np.zeros_like(p["b"])}


def recurrent(draw: Draw) -> Model:
    """Return a gated recurrent unit over four steps, and a linear map of its last state."""
    data = draw.normal(4, 3, 2), draw.normal(4, 2), draw.normal(2, 2)
    gates: dict[str, Any] = {name: _draw_gate(draw) for name in ("update", "reset", "new")}
    paths = [f"{gate}.{name}" for gate in gates for name in ("W", "U", "b")]
    one_step = partial(_recurrent_gradient, *data, steps=1)
    no_path = partial(_recurrent_gradient, *data, through_reset=False)
    return Model(
        "recurrent unit",
        partial(_recurrent_cost, *data),
        partial(_recurrent_gradient, *data),
        gates | {"V": draw.weights(2, 4)},
        (
            Slip("only the last step counts", one_step, all_wrong(paths, "unknown")),
            Slip("the path through the reset is missing", no_path, all_wrong(paths, "unknown")),
        ),
    )


def _draw_gate(draw: Draw) -> dict[str, Any]:
    return {"W": draw.weights(4, 3), "U": draw.weights(4, 4), "b": draw.normal(4, 1)}


def _gate(gate: Nest, x: Array, h: Array) -> Array:
    return np.asarray(gate["W"] @ x + gate["U"] @ h + gate["b"])


def _states(xs: Array, h: Array, p: Nest) -> list[tuple[Array, ...]]:
    """Return the input, the state before, the gates and the state after of each step."""
    states = []
    for x in xs:
        z, r = sigmoid(_gate(p["update"], x, h)), sigmoid(_gate(p["reset"], x, h))
        n = np.tanh(_gate(p["new"], x, r * h))
        states.append((x, h, z, r, n))
        h = h + z * (n - h)
    return [*states, (h,)]


def _recurrent_cost(xs: Array, start: Array, Y: Array, p: Nest) -> Any:
    return squares(p["V"] @ _states(xs, start, p)[-1][0], Y)


def _recurrent_gradient(
    xs: Array, start: Array, Y: Array, p: Nest, *, steps: int = 4, through_reset: bool = True
) -> Nest:
    *states, (last,) = _states(xs, start, p)
    dR = squares_slope(p["V"] @ last, Y)
    dh = p["V"].T @ dR
    gradient: Nest = {
        gate: {name: np.zeros_like(a) for name, a in p[gate].items()} for gate in p if gate != "V"
    }
    for x, h, z, r, n in states[: -steps - 1 : -1]:
        dn, dz = dh * z * (1 - n**2), dh * (n - h) * z * (1 - z)
        drh = p["new"]["U"].T @ dn
        dr = drh * h * r * (1 - r)
        _add(gradient["new"], dn, x, r * h)
        _add(gradient["update"], dz, x, h)
        _add(gradient["reset"], dr, x, h)
        dh = dh * (1 - z) + p["update"]["U"].T @ dz + p["reset"]["U"].T @ dr
        if through_reset:
            dh = dh + drh * r
    return gradient | {"V": dR @ last.T}


def _add(gate: Nest, dZ: Array, x: Array, h: Array) -> None:
    gate["W"] += dZ @ x.T
    gate["U"] += dZ @ h.T
    gate["b"] += dZ.sum(axis=1, keepdims=True)


def attention(draw: Draw) -> Model:
    """Return one head of attention over five tokens, and a linear map of what it returns."""
    data = draw.normal(5, 6), draw.normal(5, 2)
    shapes = {"Wq": (6, 4), "Wk": (6, 4), "Wv": (6, 6), "Wo": (6, 2)}
    return Model(
        "attention",
        partial(_attention_cost, *data),
        partial(_attention_gradient, *data),
        {name: draw.normal(*shape) / math.sqrt(6) for name, shape in shapes.items()},
        _attention_slips(partial(_attention_gradient, *data)),
    )


def _attention_slips(gradient: Any) -> tuple[Slip, ...]:
    queries = ("Wq", "Wk")
    unscaled, by_entry = partial(gradient, scale=1.0), partial(gradient, rows=False)
    crossed, factor = partial(_crossed, gradient), all_wrong(queries, "factor", 2.0)
    return (
        Slip("1/sqrt(d) is forgotten", unscaled, factor),
        Slip("queries are taken for keys", crossed, all_wrong(queries, "swapped")),
        Slip("the softmax is derived entry by entry", by_entry, all_wrong(queries, "unknown")),
    )


def _attend(X: Array, p: Nest) -> tuple[Array, ...]:
    """Return queries, keys, values, and what each token attends to."""
    Q, K, V = X @ p["Wq"], X @ p["Wk"], X @ p["Wv"]
    powers = np.exp(Q @ K.T / math.sqrt(Q.shape[1]))
    return Q, K, V, powers / powers.sum(axis=1, keepdims=True)


def _attention_cost(X: Array, Y: Array, p: Nest) -> Any:
    _, _, V, A = _attend(X, p)
    return np.mean((A @ V @ p["Wo"] - Y) ** 2)


def _attention_gradient(
    X: Array, Y: Array, p: Nest, *, scale: float = 0.5, rows: bool = True
) -> Nest:
    Q, K, V, A = _attend(X, p)
    dR = 2 * (A @ V @ p["Wo"] - Y) / Y.size
    dO = dR @ p["Wo"].T
    dA = dO @ V.T
    mean = np.sum(dA * A, axis=1, keepdims=True) if rows else 0.0
    dS = A * (dA - mean) * scale
    return {
        **{"Wq": X.T @ dS @ K, "Wk": X.T @ dS.T @ Q},
        **{"Wv": X.T @ A.T @ dO, "Wo": (A @ V).T @ dR},
    }


def _crossed(right: Any, p: Nest) -> Nest:
    gradient = right(p)
    return gradient | {"Wq": gradient["Wk"], "Wk": gradient["Wq"]}


# Token 3 occurs in two texts, token 6 in none.
TEXTS = np.array([[0, 3, 1], [2, 5, 3], [4, 7, 8]])


def embedding(draw: Draw) -> Model:
    """Return an embedding of tokens, their mean over each text, a linear map and cross-entropy."""
    Y = draw.one_hot(4, 3)
    return Model(
        "embedding",
        partial(_embedding_cost, Y),
        partial(_embedding_gradient, Y),
        {"E": draw.normal(9, 5), "W": draw.weights(4, 5)},
        (
            Slip(
                "a repeated token is assigned, not added",
                partial(_embedding_gradient, Y, add=False),
                all_wrong(["E"], "row"),
            ),
        ),
    )


def _embedding_cost(Y: Array, p: Nest) -> Any:
    return cross_entropy(p["W"] @ p["E"][TEXTS].mean(axis=1).T, Y)


def _embedding_gradient(Y: Array, p: Nest, *, add: bool = True) -> Nest:
    means = p["E"][TEXTS].mean(axis=1)
    dR = cross_entropy_slope(p["W"] @ means.T, Y)
    each = np.repeat((dR.T @ p["W"])[:, None] / TEXTS.shape[1], TEXTS.shape[1], axis=1)
    dE = np.zeros_like(p["E"])
    if add:
        np.add.at(dE, TEXTS, each)
    else:
        dE[TEXTS] = each
    return {"E": dE, "W": dR @ means}


LAYERS = (
    convolution,
    batch_normalisation,
    layer_normalisation,
    recurrent,
    attention,
    embedding,
)
