"""Networks of any size, and wrong entries in their gradients: for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from support.catalogue import Model

ACT: dict[str, Callable[[Any], Any]] = {"tanh": np.tanh, "relu": lambda Z: np.maximum(Z, 0)}
SLOPE: dict[str, Callable[[Any], Any]] = {
    "tanh": lambda A: 1 - A**2,
    "relu": lambda A: (A > 0) * 1.0,
}


def network(activation: str, sizes: tuple[int, int, int, int], seed: int) -> Model:
    """Return a network with two hidden layers and softmax cross-entropy."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((sizes[0], 32))
    labels = np.eye(sizes[3])[rng.integers(0, sizes[3], 32)].T

    def forward(p: dict[str, Any]) -> tuple[Any, Any, Any]:
        A1 = ACT[activation](p["W1"] @ X + p["b1"])
        A2 = ACT[activation](p["W2"] @ A1 + p["b2"])
        Z = p["W3"] @ A2 + p["b3"]
        Z = Z - Z.max(axis=0)
        return A1, A2, Z - np.log(np.exp(Z).sum(axis=0))

    def gradient(p: dict[str, Any]) -> dict[str, Any]:
        A1, A2, log_probabilities = forward(p)
        d3 = (np.exp(log_probabilities) - labels) / 32
        d2 = (p["W3"].T @ d3) * SLOPE[activation](A2)
        d1 = (p["W2"].T @ d2) * SLOPE[activation](A1)
        pairs = {"1": (d1, X), "2": (d2, A1), "3": (d3, A2)}
        weights = {f"W{k}": d @ A.T for k, (d, A) in pairs.items()}
        return weights | {f"b{k}": d.sum(axis=1, keepdims=True) for k, (d, _) in pairs.items()}

    parameters = {
        f"W{k}": rng.standard_normal((m, n)) / np.sqrt(n)
        for k, (n, m) in enumerate(pairwise(sizes), 1)
    }
    parameters |= {f"b{k}": 0.1 * rng.standard_normal((m, 1)) for k, m in enumerate(sizes[1:], 1)}
    return Model(activation, lambda p: -np.sum(labels * forward(p)[2]) / 32, gradient, parameters)


def plant_entries(
    claimed: dict[str, Any], path: str, rng: np.random.Generator, count: int
) -> set[int]:
    """Make some entries of an array wrong by one percent of a typical one; return their places."""
    g = claimed[path] = claimed[path].copy()
    places = rng.choice(g.size, count, replace=False)
    typical = np.median(np.abs(g[g != 0]))
    g.reshape(-1)[places] += 0.01 * typical * rng.choice([-1, 1], count)
    return set(places.tolist())
