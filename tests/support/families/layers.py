"""Layers and losses: each returns its output and what takes a slope of the cost back through it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from support.families.model import Array

Named = dict[str, Array]
Back = Callable[[Array], tuple[Array, Named]]
Layer = Callable[[Named, Array], tuple[Array, Back]]
Loss = Callable[[Array, Array], tuple[Any, Array]]


def linear(k: int | str) -> Layer:
    """Return the layer x W + b over the last axis."""
    W, b = f"W{k}", f"b{k}"

    def layer(p: Named, x: Array) -> tuple[Array, Back]:
        def back(d: Array) -> tuple[Array, Named]:
            rows = d.reshape(-1, d.shape[-1])
            slope = x.reshape(-1, x.shape[-1]).T @ rows
            return d @ p[W].T, {W: slope, b: rows.sum(0)}

        return x @ p[W] + p[b], back

    return layer


def elementwise(function: Callable[[Array], Array], slope: Callable[[Array], Array]) -> Layer:
    """Return the layer that applies a function to each entry."""
    return lambda _, x: (function(x), lambda d: (d * slope(x), {}))


def shift(name: str) -> Layer:
    """Return the layer that adds one number to all."""
    return lambda p, x: (x + p[name], lambda d: (d, {name: d.sum().reshape(1)}))


def flat() -> Layer:
    """Return the layer that makes a row of each example."""
    return lambda _, x: (x.reshape(len(x), -1), lambda d: (d.reshape(x.shape), {}))


def batch_norm(k: int | str) -> Layer:
    """Return batch normalisation over the examples, with a factor and a shift."""
    g, s = f"g{k}", f"s{k}"

    def layer(p: Named, x: Array) -> tuple[Array, Back]:
        deviation = np.sqrt(x.var(0) + x.dtype.type(1e-5))
        n = (x - x.mean(0)) / deviation

        def back(d: Array) -> tuple[Array, Named]:
            e = d * p[g]
            through = (e - e.mean(0) - n * (e * n).mean(0)) / deviation
            return through, {g: (d * n).sum(0), s: d.sum(0)}

        return p[g] * n + p[s], back

    return layer


def convolution(k: int | str) -> Layer:
    """Return a valid convolution of images (example, row, column, channel)."""
    W, b = f"W{k}", f"b{k}"

    def layer(p: Named, x: Array) -> tuple[Array, Back]:
        kernel = p[W]
        offsets = [*np.ndindex(kernel.shape[:2])]
        rows, columns = x.shape[1] - kernel.shape[0] + 1, x.shape[2] - kernel.shape[1] + 1

        def seen(i: int, j: int) -> tuple[slice, slice, slice]:
            return slice(None), slice(i, i + rows), slice(j, j + columns)

        def back(d: Array) -> tuple[Array, Named]:
            dx, dW = np.zeros_like(x), np.zeros_like(kernel)
            for i, j in offsets:
                dx[seen(i, j)] += d @ kernel[i, j].T
                dW[i, j] = np.tensordot(x[seen(i, j)], d, ((0, 1, 2), (0, 1, 2)))
            return dx, {W: dW, b: d.sum((0, 1, 2))}

        return np.asarray(sum(x[seen(i, j)] @ kernel[i, j] for i, j in offsets) + p[b]), back

    return layer


def max_pool() -> Layer:
    """Return the maximum of each 2 x 2; what ties shares the slope."""

    def layer(_: Named, x: Array) -> tuple[Array, Back]:
        examples, rows, columns, channels = x.shape
        cells = x.reshape(examples, rows // 2, 2, columns // 2, 2, channels)
        y = cells.max((2, 4), keepdims=True)
        ties = (cells == y).astype(x.dtype)

        def back(d: Array) -> tuple[Array, Named]:
            shared = ties / ties.sum((2, 4), keepdims=True)
            return (shared * d.reshape(y.shape)).reshape(x.shape), {}

        return y.reshape(examples, rows // 2, columns // 2, channels), back

    return layer


def attention() -> Layer:
    """Return self-attention with one head, over sequences (example, time, feature)."""
    projections = [linear(k) for k in "QKV"]

    def layer(p: Named, x: Array) -> tuple[Array, Back]:
        (q, k, v), backs = zip(*(project(p, x) for project in projections), strict=True)
        root = math.sqrt(q.shape[-1])
        weights = softmax(q @ k.swapaxes(1, 2) / root)

        def back(d: Array) -> tuple[Array, Named]:
            dw = d @ v.swapaxes(1, 2)
            ds = weights * (dw - (dw * weights).sum(-1, keepdims=True)) / root
            slopes = (ds @ k, ds.swapaxes(1, 2) @ q, weights.swapaxes(1, 2) @ d)
            taken = [through(slope) for through, slope in zip(backs, slopes, strict=True)]
            gradient = {name: array for _, own in taken for name, array in own.items()}
            return np.asarray(sum(dx for dx, _ in taken)), gradient

        return weights @ v, back

    return layer


def recurrent() -> Layer:
    """Return the last state of a recurrent tanh layer, over sequences."""

    def layer(p: Named, x: Array) -> tuple[Array, Back]:
        states = [np.zeros((len(x), len(p["Wh"])), x.dtype)]
        for t in range(x.shape[1]):
            states.append(np.tanh(x[:, t] @ p["Wx"] + states[-1] @ p["Wh"] + p["bh"]))

        def back(d: Array) -> tuple[Array, Named]:
            dx, gradient = np.zeros_like(x), {n: np.zeros_like(p[n]) for n in ("Wx", "Wh", "bh")}
            for t in reversed(range(x.shape[1])):
                dz = d * (1 - states[t + 1] ** 2)
                gradient["Wx"] += x[:, t].T @ dz
                gradient["Wh"] += states[t].T @ dz
                gradient["bh"] += dz.sum(0)
                dx[:, t], d = dz @ p["Wx"].T, dz @ p["Wh"].T
            return dx, gradient

        return states[-1], back

    return layer


# Activations


def relu() -> Layer:
    """Return relu, with a slope of 0 at 0."""
    return elementwise(lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(x.dtype))


def tanh() -> Layer:
    """Return tanh."""
    return elementwise(np.tanh, lambda x: 1 - np.tanh(x) ** 2)


def silu() -> Layer:
    """Return x times the sigmoid of x."""
    return elementwise(
        lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) * (1 + x * (1 - _sigmoid(x)))
    )


def softplus() -> Layer:
    """Return log(1 + exp(x))."""
    return elementwise(lambda x: np.logaddexp(x.dtype.type(0), x), _sigmoid)


def gelu() -> Layer:
    """Return gelu in its form with tanh."""
    c, a = math.sqrt(2 / math.pi), 0.044715

    def slope(x: Array) -> Array:
        t = np.tanh(c * (x + a * x**3))
        return np.asarray(0.5 * (1 + t) + 0.5 * x * (1 - t**2) * c * (1 + 3 * a * x**2))

    return elementwise(lambda x: 0.5 * x * (1 + np.tanh(c * (x + a * x**3))), slope)


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


# Losses, means over the examples, with their slopes


def softmax(Z: Array) -> Array:
    """Return the softmax over the last axis."""
    powers = np.exp(Z - Z.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def cross_entropy(Z: Array, Y: Array) -> tuple[Any, Array]:
    """Return the cross-entropy of one-hot rows with the softmax of Z, and its slope."""
    shifted = Z - Z.max(-1, keepdims=True)
    logs = np.log(np.exp(shifted).sum(-1)) - (Y * shifted).sum(-1)
    return logs.mean(), (softmax(Z) - Y) / len(Z)


def squares(Z: Array, Y: Array) -> tuple[Any, Array]:
    """Return the mean of the squared errors, and its slope."""
    return ((Z - Y) ** 2).mean(), 2 * (Z - Y) / Z.size
