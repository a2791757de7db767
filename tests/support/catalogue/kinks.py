"""Points at which a cost has no gradient: kinks and jumps at the point itself."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from backproof._parameters import Nest
from support.catalogue.model import Array, Draw, Model
from support.catalogue.networks import near_a_kink


class Kink(NamedTuple):
    """A kink or a jump at the point, the arrays that it lies in, and the verdict on the claim.

    The claimed gradient is "undecided" where it lies between the one-sided slopes,
    and "wrong" where it lies outside.
    """

    name: str
    model: Model
    arrays: set[str]
    verdict: str
    reason: str = "kink"

    @property
    def claimed(self) -> Nest:
        """The gradient that is claimed."""
        return self.model.gradient(self.model.parameters)


def _relu_slope(at_zero: float, Z: Array) -> Array:
    return np.where(Z == 0, at_zero, Z > 0)


def _relu(at_zero: float, verdict: str) -> Kink:
    """Return a relu network with one unit at its kink for one of six examples."""
    model = near_a_kink(0.0, Draw(11), slope=partial(_relu_slope, at_zero))
    return Kink(f"relu, its slope at 0 taken for {at_zero:g}", model, {"W1", "b1"}, verdict)


def _absolute(x: float) -> Any:
    return 3 * abs(x) + x


def _absolute_value(slope: float, verdict: str) -> Kink:
    model = Model("3 |x| + x", _absolute, lambda _: slope, 0.0)
    return Kink(f"3 |x| + x at 0, its slope taken for {slope:g}", model, {"parameters"}, verdict)


def _lasso_cost(X: Array, y: Array, p: Nest) -> Any:
    return np.mean((X @ p["w"] + p["b"] - y) ** 2) + np.sum(np.abs(p["w"]))


def _lasso_gradient(X: Array, y: Array, at_zero: float, p: Nest) -> Nest:
    residual = 2 * (X @ p["w"] + p["b"] - y) / len(y)
    slope = np.where(p["w"] == 0, at_zero, np.sign(p["w"]))
    return {"w": X.T @ residual + slope, "b": residual.sum()}


def _lasso(at_zero: float, verdict: str) -> Kink:
    """Return a regression with an L1 term, half of whose weights are 0."""
    draw = Draw(5)
    data = draw.normal(12, 8), draw.normal(12)
    parameters = {"w": draw.normal(8) * (np.arange(8) % 2), "b": draw.normal()}
    gradient = partial(_lasso_gradient, *data, at_zero)
    model = Model("lasso", partial(_lasso_cost, *data), gradient, parameters)
    name = f"L1 term with weights of 0, its slope there taken for {at_zero:g}"
    return Kink(name, model, {"w"}, verdict)


def _maximum_cost(a: Array, p: Array) -> Any:
    return np.sum(a * p.max(axis=1))


def _maximum_gradient(a: Array, p: Array) -> Array:
    gradient = np.zeros_like(p)
    gradient[np.arange(len(p)), p.argmax(axis=1)] = a
    return gradient


def _shared_gradient(times: float, a: Array, p: Array) -> Array:
    largest = p == p.max(axis=1, keepdims=True)
    share = times * a / largest.sum(axis=1)
    return np.asarray(largest * share[:, None])


def _tie(name: str, gradient: Any, verdict: str) -> Kink:
    """Return the largest entries of three rows, in one of which two are the largest."""
    draw = Draw(7)
    a, p = 1 + draw.normal(3) ** 2, draw.normal(3, 5)
    p[1, [0, 3]] = p.max() + 1
    model = Model("largest entries", partial(_maximum_cost, a), partial(gradient, a), p)
    return Kink(f"a tie for the largest, {name}", model, {"parameters"}, verdict)


def _step_cost(p: Array) -> Any:
    return np.sum(np.floor(10 * p)) + np.sum(p)


def _jump() -> Kink:
    """Return steps of 1 at multiples of 0.1, and a point that stands on one."""
    model = Model("steps", _step_cost, np.ones_like, np.array([0.5, 0.23, 0.77]))
    return Kink("a step at the point", model, {"parameters"}, "undecided", "jump")


AT_A_KINK = (
    _relu(0.0, "undecided"),
    _relu(1.0, "undecided"),
    _relu(0.5, "undecided"),
    _relu(3.0, "wrong"),
    _relu(-1.0, "wrong"),
    _absolute_value(1.0, "undecided"),
    _absolute_value(-1.5, "undecided"),
    _absolute_value(5.0, "wrong"),
    _lasso(0.0, "undecided"),
    _lasso(-0.4, "undecided"),
    _lasso(2.0, "wrong"),
    _tie("all for the first", _maximum_gradient, "undecided"),
    _tie("shared", partial(_shared_gradient, 1.0), "undecided"),
    _tie("counted twice", partial(_shared_gradient, 3.0), "wrong"),
    _jump(),
)
