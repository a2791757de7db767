"""What cannot be checked, and is to be refused with an error that says why."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from backproof._parameters import Nest


class Refused(NamedTuple):
    """A cost, a gradient and parameters, the error that they deserve, and words of it."""

    name: str
    cost: Any
    gradient: Any
    parameters: Nest
    error: type[Exception]
    words: str


CHANCE = np.random.default_rng(0)
POINT = {"W": np.linspace(-1, 2, 12).reshape(3, 4), "b": np.array([0.5, -0.25, 1.5])}


def cost(p: Nest) -> Any:
    """Return half the sum of all squares."""
    return (np.sum(p["W"] ** 2) + np.sum(p["b"] ** 2)) / 2


def gradient(p: Nest) -> Nest:
    """Return the right gradient of it, which is the point."""
    return {name: array.copy() for name, array in p.items()}


def _dropout(p: Nest) -> Any:
    return np.sum((p["W"] * (CHANCE.random(p["W"].shape) < 0.8)) ** 2) / 2


def _minibatch(p: Nest) -> Any:
    return np.mean((CHANCE.normal(size=(8, 3)) @ p["W"]) ** 2)


def _decaying(p: Nest) -> Any:
    p["W"] *= 0.9
    return cost(p)


def _decaying_gradient(p: Nest) -> Nest:
    p["b"] -= 0.1
    return gradient(p)


def _cost(name: str, function: Any, error: type[Exception], words: str) -> Refused:
    return Refused(name, function, gradient, POINT, error, words)


def _parameters(name: str, parameters: Nest, error: type[Exception], words: str) -> Refused:
    return Refused(name, cost, gradient, parameters, error, words)


def _gradient(name: str, claimed: Nest, error: type[Exception], words: str) -> Refused:
    return Refused(name, cost, claimed, POINT, error, words)


REFUSED_COSTS = (
    _cost("a mask of dropout drawn inside", _dropout, ValueError, "random"),
    _cost("a batch drawn inside", _minibatch, ValueError, "random"),
    _cost("a cost that changes its parameters", _decaying, ValueError, "in place"),
    _cost("a cost of nan", lambda _: np.nan, ValueError, "finite"),
    _cost("a cost of infinity", lambda _: np.inf, ValueError, "finite"),
    _cost("a cost without return", lambda _: None, TypeError, "return"),
    _cost("a cost for each example", lambda p: np.sum(p["W"], axis=0), TypeError, "mean"),
    _cost("a complex cost", lambda p: 1j * cost(p), TypeError, "real"),
    _cost("a cost that is a number", 3.0, TypeError, "function"),
    _parameters("integers", {"W": np.ones((3, 4), int), "b": np.ones(3)}, TypeError, "astype"),
    _parameters("complex parameters", {**POINT, "b": np.ones(3) * 1j}, TypeError, "complex"),
    _parameters("no parameters", {}, ValueError, "no parameters"),
    _parameters("a parameter of nan", {**POINT, "b": np.array([0, np.nan, 1])}, ValueError, "b"),
    _parameters("a text among the parameters", {**POINT, "b": "b"}, TypeError, "b"),
)

REFUSED_GRADIENTS = (
    _gradient("an array is missing", {"W": POINT["W"]}, ValueError, "missing b"),
    _gradient("an array is unexpected", {**POINT, "dZ": 1.0}, ValueError, "dZ"),
    _gradient("an array is flat", {**POINT, "W": POINT["W"].ravel()}, ValueError, "shape"),
    _gradient("an array is transposed", {**POINT, "W": POINT["W"].T}, ValueError, "shape"),
    _gradient("an array is complex", {**POINT, "b": POINT["b"] * 1j}, TypeError, "complex"),
    _gradient("an array is missing in a list", [POINT["W"], POINT["b"]], ValueError, "expected W"),
    _gradient("no gradient", None, TypeError, "gradient"),
    _gradient("a gradient without return", lambda _: None, TypeError, "gradient"),
    _gradient("a gradient that changes its parameters", _decaying_gradient, ValueError, "in place"),
)

REFUSED = (*REFUSED_COSTS, *REFUSED_GRADIENTS)
