"""Families of costs that are disturbed: rounded, offset, noisy, random, deaf to an argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np

from backproof._parameters import Nest, replace_leaves
from support.families import layers as of
from support.families.formulas import power_of_ten
from support.families.model import (
    OPEN,
    REFUSED,
    Case,
    Dtype,
    Rng,
    arrays_of,
    cast,
    dtype_of,
    family,
    in_float64,
)
from support.families.networks import SMOOTH, Net, he, perceptron


def smooth_case(rng: Rng, dtype: Dtype) -> Case:
    """Draw a small smooth network: what is disturbed here."""
    activation = SMOOTH[rng.integers(len(SMOOTH))]
    return perceptron(rng, activation, depths=(1, 4), batches=(8, 32)).case(dtype, OPEN)


def _then(case: Case, change: Callable[[Any], Any], detail: str) -> Case:
    """Return a case whose cost is changed afterwards."""
    cost = case.cost
    return case._replace(cost=lambda p: change(cost(p)), detail=f"{detail}, {case.detail}")


# Rounded


@family("rounded to decimals")
def rounded_decimals(rng: Rng, dtype: Dtype) -> Case:
    """Draw a cost with 2 to 6 decimals."""
    decimals = int(rng.integers(2, 7))
    return _then(
        smooth_case(rng, dtype), lambda c: round(float(c), decimals), f"{decimals} decimals"
    )


@family("rounded to digits")
def rounded_digits(rng: Rng, dtype: Dtype) -> Case:
    """Draw a cost with 3 to 6 digits."""
    digits = int(rng.integers(3, 7))
    return _then(
        smooth_case(rng, dtype), lambda c: float(f"{float(c):.{digits}g}"), f"{digits} digits"
    )


@family("cast to float16")
def cast_to_float16(rng: Rng, dtype: Dtype) -> Case:
    """Draw a cost that is cast to float16 at the end."""
    return _then(smooth_case(rng, dtype), np.float16, "float16")


@family("parameters on a grid")
def parameters_on_a_grid(rng: Rng, dtype: Dtype) -> Case:
    """Draw a cost that rounds its parameters to multiples of 2^-8 to 2^-14."""
    case, power = smooth_case(rng, dtype), int(rng.integers(8, 15))
    cost = case.cost

    def snapped(p: Nest) -> Nest:
        steps = dtype_of(p)(2.0**power)
        return replace_leaves(p, lambda _, leaf: np.round(leaf * steps) / steps)

    return case._replace(
        cost=lambda p: cost(snapped(p)),
        parameters=snapped(case.parameters),
        detail=f"2^-{power}, {case.detail}",
    )


# Offset


@family("baseline subtracted")
def baseline_subtracted(rng: Rng, dtype: Dtype) -> Case:
    """Draw f(w) - f(w0): a cost of exactly 0 at the point."""
    case = smooth_case(rng, dtype)
    baseline = case.cost(case.parameters)
    return _then(case, lambda c: c - baseline, "f(w) - f(w0)")._replace(expected=in_float64(dtype))


@family("offset")
def offset(rng: Rng, dtype: Dtype) -> Case:
    """Draw f(w) + 1e3 to 1e9, and in half of the cases, that at the point taken off again."""
    case, size = smooth_case(rng, dtype), dtype(power_of_ten(rng, 3, 9))
    off = case.cost(case.parameters) + size if rng.random() < 0.5 else dtype(0)
    return _then(case, lambda c: (c + size) - off, f"+ {size:.0e}{' - that' * bool(off)}")


# Noisy and random


@family("white noise")
def white_noise(rng: Rng, dtype: Dtype) -> Case:
    """Draw a cost with noise that is the same at the same parameters."""
    case = smooth_case(rng, dtype)
    noise = power_of_ten(rng, *((-12, -4) if dtype is np.float64 else (-7, -3)))
    cost = case.cost

    def noisy(p: Nest) -> Any:
        value = cost(p)
        return value * (1 + type(value)(noise * _hashed_normal(p)))

    return case._replace(cost=noisy, detail=f"noise {noise:.0e}, {case.detail}")


def _hashed_normal(parameters: Nest) -> float:
    """Return a normal number that the parameters determine, and nothing else."""
    seed = 0
    for array in arrays_of(parameters).values():
        seed = crc32(array.tobytes(), seed)
    return float(np.random.default_rng(seed).standard_normal())


@family("dropout")
def dropout(rng: Rng, dtype: Dtype) -> Case:
    """Draw a small layer with a mask drawn at each call: two calls often coincide."""
    units, keep = int(rng.integers(2, 6)), rng.uniform(0.8, 0.95)
    net = _small(rng, units)
    source = np.random.default_rng(rng.integers(2**32))

    def masked(p: Nest) -> Any:
        mask = (source.random(units) < keep) / keep
        return case.cost(p | {"W2": p["W2"] * mask[:, None].astype(p["W2"].dtype)})

    case = net.case(dtype, REFUSED)
    coincide = (keep**2 + (1 - keep) ** 2) ** units
    return case._replace(cost=masked, detail=f"two calls coincide in {coincide:.0%}")


@family("random batch")
def random_batch(rng: Rng, dtype: Dtype) -> Case:
    """Draw a cost that takes one of five batches at each call."""
    net = _small(rng, 5)
    source = np.random.default_rng(rng.integers(2**32))
    costs = [
        net._replace(X=X, Y=Y).case(dtype, REFUSED).cost
        for X, Y in zip(np.split(net.X, 5), np.split(net.Y, 5), strict=True)
    ]
    return net.case(dtype, REFUSED)._replace(cost=lambda p: costs[source.integers(5)](p))


def _small(rng: Rng, units: int) -> Net:
    """Draw a network with one hidden tanh layer, and 40 examples."""
    stack = [of.linear(1), of.tanh(), of.linear(2)]
    X, Y = rng.standard_normal((40, 3)), rng.standard_normal((40, 2))
    return Net(stack, of.squares, he(rng, 3, units, 2), X, Y)


@family("argument ignored")
def argument_ignored(rng: Rng, dtype: Dtype) -> Case:
    """Draw a cost that computes with arrays of its own, whatever it is given."""
    case = smooth_case(rng, dtype)
    cost, own = case.cost, cast(case.parameters, dtype)
    return case._replace(cost=lambda _: cost(own), expected=REFUSED)
