"""Models beyond networks: likelihoods, a physical residual, a bare array, a bare number."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from backproof._parameters import Nest
from support.catalogue.model import Array, Draw, Model, Planted, Slip, all_wrong


def poisson_regression(draw: Draw) -> Model:
    """Return the likelihood of counts, with an intercept that is a bare number."""
    X = draw.normal(30, 20)
    data = X, draw.cast(draw.rng.poisson(2.0, 30))
    return Model(
        "Poisson regression",
        partial(_poisson_cost, *data),
        partial(_poisson_gradient, *data),
        {"beta": draw.normal(20) / 5, "intercept": draw.normal()},
        (
            Slip(
                "the sign is that of the likelihood",
                partial(_poisson_gradient, *data, sign=-1),
                all_wrong(["beta", "intercept"], "factor", -1.0),
            ),
        ),
    )


def _poisson_cost(X: Array, y: Array, p: Nest) -> Any:
    eta = X @ p["beta"] + p["intercept"]
    return np.mean(np.exp(eta) - y * eta)


def _poisson_gradient(X: Array, y: Array, p: Nest, *, sign: int = 1) -> Nest:
    residual = sign * (np.exp(X @ p["beta"] + p["intercept"]) - y) / len(y)
    return {"beta": X.T @ residual, "intercept": residual.sum()}


def normal_likelihood(draw: Draw) -> Model:
    """Return a linear regression whose deviation is a parameter, as its logarithm."""
    data = draw.normal(25, 18), draw.normal(25)
    log_sigma = draw.normal() / 2
    return Model(
        "normal likelihood",
        partial(_normal_cost, *data),
        partial(_normal_gradient, *data),
        {"w": draw.normal(18) / 4, "log_sigma": log_sigma},
        (
            Slip(
                "derived by sigma, not by its logarithm",
                partial(_normal_gradient, *data, by_logarithm=False),
                {"log_sigma": Planted("factor", float(np.exp(-log_sigma)))},
            ),
        ),
    )


def _normal_cost(X: Array, y: Array, p: Nest) -> Any:
    deviations = (X @ p["w"] - y) * np.exp(-p["log_sigma"])
    return np.mean(deviations**2) / 2 + p["log_sigma"]


def _normal_gradient(X: Array, y: Array, p: Nest, *, by_logarithm: bool = True) -> Nest:
    shrink = np.exp(-p["log_sigma"])
    deviations = (X @ p["w"] - y) * shrink
    by_log_sigma = 1 - np.mean(deviations**2)
    return {
        "w": X.T @ deviations * shrink / len(y),
        "log_sigma": by_log_sigma if by_logarithm else by_log_sigma * shrink,
    }


BOUNDARY = 3.0


def boundary_value_problem(draw: Draw) -> Model:
    """Return the squared residual of -u'' + 2u' + u^3 = f on 24 points, and of u(0) = 1."""
    n = 24
    second = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    first = np.eye(n, k=1) - np.eye(n, k=-1)
    data = draw.cast(second + first), draw.normal(n)
    return Model(
        "boundary value problem",
        partial(_residual_cost, *data),
        partial(_residual_gradient, *data),
        draw.normal(n),
        tuple(
            Slip(name, partial(gradient, *data), {"parameters": Planted(kind)})
            for name, gradient, kind in (
                ("the operator is not transposed", _untransposed_gradient, "unknown"),
                ("the boundary is forgotten", _boundless_gradient, "entry"),
            )
        ),
    )


def _residual_cost(A: Array, f: Array, u: Array) -> Any:
    return np.mean((A @ u + u**3 - f) ** 2) / 2 + BOUNDARY * (u[0] - 1) ** 2


def _residual_gradient(A: Array, f: Array, u: Array) -> Array:
    gradient = _boundless_gradient(A, f, u)
    gradient[0] += 2 * BOUNDARY * (u[0] - 1)
    return gradient


def _boundless_gradient(A: Array, f: Array, u: Array) -> Array:
    residual = (A @ u + u**3 - f) / len(u)
    return np.asarray(A.T @ residual + 3 * u**2 * residual)


def _untransposed_gradient(A: Array, f: Array, u: Array) -> Array:
    residual = (A @ u + u**3 - f) / len(u)
    return _residual_gradient(A, f, u) + (A - A.T) @ residual


def matrix_equation(draw: Draw) -> Model:
    """Return the squared error of A P B = C for a bare square matrix P."""
    data = draw.normal(7, 5), draw.normal(5, 6), draw.normal(7, 6)
    half = partial(_equation_gradient, *data, times=0.5)
    return Model(
        "matrix equation",
        partial(_equation_cost, *data),
        partial(_equation_gradient, *data),
        draw.weights(5, 5),
        (Slip("the 2 of the square is forgotten", half, {"parameters": Planted("factor", 0.5)}),),
    )


def _equation_cost(A: Array, B: Array, C: Array, P: Array) -> Any:
    return np.sum((A @ P @ B - C) ** 2)


def _equation_gradient(A: Array, B: Array, C: Array, P: Array, times: float = 1.0) -> Array:
    return times * 2 * A.T @ (A @ P @ B - C) @ B.T


def decay_rate(draw: Draw) -> Model:
    """Return the squared error of exp(-k t) for a bare number k."""
    data = draw.cast(np.linspace(0.1, 2, 12)), draw.normal(12) ** 2
    inner = partial(_decay_gradient, *data, sign=1)
    return Model(
        "decay rate",
        partial(_decay_cost, *data),
        partial(_decay_gradient, *data),
        draw.cast(0.5 + draw.rng.random()),
        (Slip("the inner -1 is forgotten", inner, {"parameters": Planted("factor", -1.0)}),),
    )


def _decay_cost(t: Array, y: Array, k: Any) -> Any:
    return np.mean((np.exp(-k * t) - y) ** 2)


def _decay_gradient(t: Array, y: Array, k: Any, *, sign: int = -1) -> Any:
    return sign * 2 * np.mean((np.exp(-k * t) - y) * np.exp(-k * t) * t)


def waves(draw: Draw) -> Model:
    """Return sums of sin(50 x) and sin(200 x), where too large a step agrees with itself."""
    data = draw.normal(8), draw.normal(4, 3)
    outer = partial(_waves_gradient, *data, inner=1.0)
    return Model(
        "waves",
        partial(_waves_cost, *data),
        partial(_waves_gradient, *data),
        {"slow": draw.normal(8), "fast": draw.normal(4, 3)},
        (Slip("the inner 200 is forgotten", outer, {"fast": Planted("factor", 1 / 200)}),),
    )


def _waves_cost(a: Array, b: Array, p: Nest) -> Any:
    return a @ np.sin(50 * p["slow"]) + np.sum(b * np.sin(200 * p["fast"]))


def _waves_gradient(a: Array, b: Array, p: Nest, *, inner: float = 200.0) -> Nest:
    return {"slow": 50 * a * np.cos(50 * p["slow"]), "fast": inner * b * np.cos(200 * p["fast"])}


FORMULAS = (
    poisson_regression,
    normal_likelihood,
    boundary_value_problem,
    matrix_equation,
    decay_rate,
    waves,
)


def at_a_minimum(offset: float, draw: Draw) -> Model:
    """Return a quadratic at its exact minimum."""
    scale, minimum = draw.normal(6, 4) ** 2 + 0.1, draw.normal(6, 4)
    return Model(
        f"a minimum of {offset:g}",
        partial(_quadratic_cost, scale, minimum, offset),
        partial(_quadratic_gradient, scale, minimum),
        {"W": minimum.copy(), "b": draw.normal(3)},
    )


def _quadratic_cost(scale: Array, minimum: Array, offset: float, p: Nest) -> Any:
    return offset + np.sum(scale * (p["W"] - minimum) ** 2) + np.sum(p["b"] ** 4)


def _quadratic_gradient(scale: Array, minimum: Array, p: Nest) -> Nest:
    return {"W": 2 * scale * (p["W"] - minimum), "b": 4 * p["b"] ** 3}


def at_the_estimate(draw: Draw) -> Model:
    """Return the normal likelihood where it is largest: its gradient is rounding."""
    X, y = draw.normal(25, 18), draw.normal(25)
    w = np.linalg.lstsq(X, y, rcond=None)[0]
    log_sigma = np.log(np.mean((X @ w - y) ** 2)) / 2
    return Model(
        "normal likelihood at the estimate",
        partial(_normal_cost, X, y),
        partial(_normal_gradient, X, y),
        {"w": w, "log_sigma": log_sigma},
    )


def at_a_singularity(draw: Draw) -> Model:
    """Return logarithms 1e-7 from where they end, and squares at 1e8."""
    return Model(
        "near the end of a logarithm",
        _logarithm_cost,
        _logarithm_gradient,
        {"near": 1e-7 * (1 + draw.normal(5) ** 2), "far": 1e8 * draw.normal(4)},
    )


def _logarithm_cost(p: Nest) -> Any:
    return -np.sum(np.log(p["near"])) + np.sum((1e-8 * p["far"]) ** 2)


def _logarithm_gradient(p: Nest) -> Nest:
    return {"near": -1 / p["near"], "far": 2e-16 * p["far"]}
