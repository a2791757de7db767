"""Families of formulas: units, scales, waves, domains that end, points where slopes do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backproof._parameters import Nest
from support.families.model import (
    AT_KINKS,
    CORRECT,
    OPEN,
    Array,
    Case,
    Dtype,
    Function,
    Rng,
    family,
    in_float64,
    with_data,
)


def formula(
    cost: Function, gradient: Function, parameters: Nest, *data: Any, **fields: Any
) -> Case:
    """Return a case of functions of parameters and data; the fields are those of a case."""
    return Case(with_data(cost, *data), with_data(gradient, *data), parameters, **fields)


def power_of_ten(rng: Rng, low: float, high: float) -> float:
    """Draw a number between two powers of ten, uniform in its logarithm."""
    return float(10 ** rng.uniform(low, high))


# Units and scales


def _bumps(p: Nest, s: Array, c: Array) -> Any:
    u = p / s
    return c * (np.exp(-(u**2)).sum() + (u * u).mean() + np.sin(u[:-1] * u[1:]).sum())


def _bumps_gradient(p: Nest, s: Array, c: Array) -> Any:
    u = p / s
    d = -2 * u * np.exp(-(u**2)) + 2 * u / u.size
    between = np.cos(u[:-1] * u[1:])
    d[:-1] += between * u[1:]
    d[1:] += between * u[:-1]
    return c * d / s


@family("units")
def units(rng: Rng, dtype: Dtype) -> Case:
    """Draw parameters and a cost in units from 1e-20 to 1e15."""
    ends = (-20, 15) if dtype is np.float64 else (-8, 8)
    size, unit = power_of_ten(rng, *ends), dtype(power_of_ten(rng, *ends))
    scale = np.full(int(rng.integers(20, 60)), size, dtype)
    p = (rng.uniform(0.3, 1.5, scale.size) * size).astype(dtype)
    detail = f"parameters {size:.0e}, cost {unit:.0e}"
    fields = {"expected": CORRECT, "detail": detail}
    return formula(_bumps, _bumps_gradient, p, scale, unit, **fields)


@family("mixed scales")
def mixed_scales(rng: Rng, dtype: Dtype) -> Case:
    """Draw an array whose entries differ by 1e6 to 1e15."""
    apart = rng.uniform(6, 15) if dtype is np.float64 else rng.uniform(3, 8)
    powers = np.append(
        [-apart / 2, apart / 2], rng.uniform(-apart / 2, apart / 2, rng.integers(30))
    )
    scale = (10 ** rng.permutation(powers)).astype(dtype)
    p = (rng.uniform(0.3, 1.5, scale.size) * scale).astype(dtype)
    fields = {"expected": in_float64(dtype), "detail": f"1e{apart:.0f} apart"}
    return formula(_bumps, _bumps_gradient, p, scale, dtype(1), **fields)


def _peak(p: Nest, at: Array) -> tuple[Array, Array, Array]:
    u = (at - p[1]) / p[2]
    e = np.exp(-u * u / 2)
    return u, e, p[0] * e + p[3]


def _peak_cost(p: Nest, at: Array, seen: Array) -> Any:
    return ((_peak(p, at)[2] - seen) ** 2).sum()


def _peak_gradient(p: Nest, at: Array, seen: Array) -> Any:
    u, e, fitted = _peak(p, at)
    d = 2 * (fitted - seen)
    slope = d * p[0] * e * u / p[2]
    return np.array([d @ e, slope.sum(), slope @ u, d.sum()])


@family("peak fit")
def peak_fit(rng: Rng, dtype: Dtype) -> Case:
    """Draw the fit of a spectral line: height, centre, width and background in one array."""
    at = np.linspace(4.9e-7, 5.1e-7, 60)
    best = np.array([1.0, 5e-7, 2e-9, 0.1])
    seen = _peak(best, at)[2] + 0.01 * rng.standard_normal(60)
    p = (best * (1 + 0.05 * rng.standard_normal(4))).astype(dtype)
    expected = in_float64(dtype)
    return formula(
        _peak_cost, _peak_gradient, p, at.astype(dtype), seen.astype(dtype), expected=expected
    )


# Waves


def _waves(p: Nest, k: Array, a: Array) -> Any:
    return (a * np.sin(k * p)).sum() + (p * p).sum()


def _waves_gradient(p: Nest, k: Array, a: Array) -> Any:
    return a * k * np.cos(k * p) + 2 * p


@family("fast waves")
def fast_waves(rng: Rng, dtype: Dtype) -> Case:
    """Draw waves up to sin(1e4 w), as high as their slopes are those of the rest, or higher."""
    fastest = power_of_ten(rng, 1, 4)
    k = (fastest * rng.uniform(0.1, 1, 40)).astype(dtype)
    a = (rng.standard_normal(40) / (k if rng.random() < 0.5 else 1)).astype(dtype)
    p = rng.standard_normal(40).astype(dtype)
    fields = {"expected": in_float64(dtype), "detail": f"up to sin({fastest:.0f} w)"}
    return formula(_waves, _waves_gradient, p, k, a, **fields)


# The ends of domains


ENDING: dict[str, tuple[Function, Function]] = {
    "log": (np.log, lambda p: 1 / p),
    "sqrt": (np.sqrt, lambda p: 0.5 / np.sqrt(p)),
    "x log x": (lambda p: p * np.log(p), lambda p: np.log(p) + 1),
}


def _requiring(function: Function, error: type[Exception]) -> Callable[[Nest], Any]:
    """Return a function that raises where its parameters are not positive."""

    def required(p: Nest, *data: Any) -> Any:
        if not (p > 0).all():
            raise error("expected positive numbers")
        return function(p, *data)

    return required


@family("domain end")
def domain_end(rng: Rng, dtype: Dtype) -> Case:
    """Draw logarithms or roots, some of them near 0, of a cost that raises beyond."""
    name = str(rng.choice([*ENDING]))
    function, slope = ENDING[name]
    p = rng.uniform(0.5, 2, 20)
    p[: rng.integers(1, 6)] *= (nearest := power_of_ten(rng, -12, -2))
    p, c = rng.permutation(p).astype(dtype), rng.uniform(0.5, 2, 20).astype(dtype)
    error = (ValueError, AssertionError)[rng.integers(2)]
    detail = f"{name}, {nearest:.0e} from 0, {error.__name__}"
    fields = {"expected": in_float64(dtype), "detail": detail}
    cost = _requiring(lambda p, c: (c * function(p)).sum(), error)
    return formula(cost, lambda p, c: c * slope(p), p, c, **fields)


# Points without a slope


def _x_log_x(p: Array) -> Array:
    return np.asarray(p * np.log(np.where(p > 0, p, 1)))


CUSPS: dict[str, tuple[Function, Function]] = {
    "cbrt": (np.cbrt, lambda p: 1 / (3 * np.cbrt(p) ** 2)),
    "sqrt |x|": (lambda p: np.sqrt(np.abs(p)), lambda p: np.sign(p) / (2 * np.sqrt(np.abs(p)))),
    "x log x": (_x_log_x, lambda p: (np.log(np.abs(p)) + 1) * (p > 0)),
}


@family("cusp")
def cusp(rng: Rng, dtype: Dtype) -> Case:
    """Draw functions that are infinitely steep at 0, where few parameters are; 0 is claimed."""
    name = str(rng.choice([*CUSPS]))
    function, slope = CUSPS[name]
    p = rng.uniform(0.5, 2, 20)
    p[: rng.integers(1, 4)] = 0
    p, c = rng.permutation(p).astype(dtype), rng.uniform(0.5, 2, 20).astype(dtype)

    def gradient(p: Nest, c: Array) -> Any:
        return c * np.where(p == 0, p, slope(np.where(p == 0, p + 1, p)))

    fields = {"expected": OPEN, "detail": name, "kinds": AT_KINKS}
    return formula(lambda p, c: (c * function(p)).sum(), gradient, p, c, **fields)


@family("lasso with zeros")
def lasso(rng: Rng, dtype: Dtype) -> Case:
    """Draw least squares with an L1 penalty; some weights are exactly 0."""
    X, y = rng.standard_normal((30, 20)).astype(dtype), rng.standard_normal(30).astype(dtype)
    w = (rng.standard_normal(20) * (rng.random(20) < 0.6)).astype(dtype)
    penalty = dtype(power_of_ten(rng, -3, 0))

    def cost(w: Nest, X: Array, y: Array, c: Array) -> Any:
        return ((X @ w - y) ** 2).mean() + c * np.abs(w).sum()

    def gradient(w: Nest, X: Array, y: Array, c: Array) -> Any:
        return X.T @ (X @ w - y) * 2 / len(y) + c * np.sign(w)

    fields = {"expected": OPEN, "detail": f"penalty {penalty:.0e}", "kinds": ("double", "sign")}
    return formula(cost, gradient, w, X, y, penalty, **fields)
