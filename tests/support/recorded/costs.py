"""Costs and their gradients from operations that every machine rounds alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Nest = dict[str, Array]


class Example(NamedTuple):
    """A cost, its right gradient, and the point."""

    cost: Callable[[Nest], Any]
    gradient: Callable[[Nest], Nest]
    point: Nest


def lattice(*shape: int, turn: int = 0) -> Array:
    """Return uneven multiples of 1/16 between -1 and 1, none of them 0."""
    steps = (37 * np.arange(math.prod(shape)) + 11 * turn) % 29 - 14
    return np.asarray((steps.reshape(shape) + 0.5) / 16)


def product(A: Array, B: Array) -> Array:
    """Return the product of two matrices, added up in the order of the rows of B."""
    added: Array = (A[:, :, None] * B[None, :, :]).sum(axis=1)
    return added


# Costs of one array or two, entry by entry


def entrywise(
    function: Callable[[Array], Array], slope: Callable[[Array], Array], w: Array
) -> Example:
    """Return the weighted sum of a function of w, and a smooth sum over b beside it."""
    share = 1 + lattice(*w.shape, turn=3) / 4

    def cost(p: Nest) -> Any:
        beside = (p["b"] * p["b"] / 2 + p["b"] * p["b"] * p["b"] / 8).sum()
        return (share * function(p["w"])).sum() + beside

    def gradient(p: Nest) -> Nest:
        return {"w": share * slope(p["w"]), "b": p["b"] + 3 * p["b"] * p["b"] / 8}

    return Example(cost, gradient, {"w": w, "b": lattice(3, turn=5)})


def then(example: Example, change: Callable[[Any], Any], factor: float = 1.0) -> Example:
    """Return a cost that is changed after it is computed, and its slope by a factor."""
    cost, gradient, point = example
    return Example(
        lambda p: change(cost(p)),
        lambda p: {name: factor * g for name, g in gradient(p).items()},
        point,
    )


def smooth(*shape: int) -> Example:
    """Return a polynomial of the third degree."""
    return entrywise(
        lambda w: w * w + w * w * w / 4, lambda w: 2 * w + 3 * w * w / 4, lattice(*shape)
    )


def kinked(*beside: float) -> Example:
    """Return one with kinks at so many distances from the first entries."""
    w = lattice(12)
    at = w + np.resize([*beside, 0.5, -0.75], 12)
    return entrywise(lambda w: w * w / 2 + abs(w - at), lambda w: w + np.sign(w - at), w)


def stepped(*beside: float) -> Example:
    """Return one that jumps at so many distances from the first entries."""
    w = lattice(8)
    at = w + np.resize([*beside, 0.5, -0.75], 8)
    return entrywise(lambda w: w * w + (w > at) / 8, lambda w: 2 * w, w)


def steep(*beside: float) -> Example:
    """Return one with the slope of a root at so many distances from the first entries."""
    w = lattice(8)
    at = w - np.resize([*beside, 0.5, -0.75], 8)
    return entrywise(
        lambda w: w * w + np.sqrt(abs(w - at)),
        lambda w: 2 * w + np.sign(w - at) / (2 * np.sqrt(np.maximum(abs(w - at), 1e-300))),
        w,
    )


def peaked(width: float) -> Example:
    """Return narrow peaks, which larger steps step over."""
    w = lattice(6)
    at = w + width * np.array([0.3, -0.5, 1.0, -0.2, 0.7, -1.5])

    def slope(w: Array) -> Array:
        x = (w - at) / width
        return np.asarray(w - 2 * x / (1 + x * x) ** 2 / width)

    return entrywise(lambda w: w * w / 2 + 1 / (1 + ((w - at) / width) ** 2), slope, w)


def rough(root: Callable[[Array], Array], power: float) -> Example:
    """Return a power of |x| with the sign of x, as x times a root of |x|, at 0 and beside it."""
    w = np.array([0.0, 1e-9, 1e-6, 1e-3, 0.5, -0.25, 0.75, -1.0])
    return entrywise(lambda w: w * root(abs(w)), lambda w: power * root(abs(w)), w)


def ending(distance: float, *, raises: bool) -> Example:
    """Return roots near the end of where they are defined, which raises or is not finite there."""
    w = lattice(5)
    at = w - np.array([distance, 0.5, 0.25, 0.75, 1.0])

    def root(w: Array) -> Array:
        if raises and (w < at).any():
            raise ValueError("beyond the end")
        with np.errstate(invalid="ignore"):
            return np.asarray(w * w + np.sqrt(w - at) * (w - at))

    return entrywise(root, lambda w: 2 * w + 1.5 * np.sqrt(np.maximum(w - at, 0)), w)


def in_units(*units: float) -> Example:
    """Return the smooth cost with the entries of w in units of very different sizes."""
    sizes = np.resize(units, 8)
    w = lattice(8) * sizes
    return entrywise(
        lambda w: (w / sizes) ** 2 + w / sizes, lambda w: (2 * w / sizes + 1) / sizes, w
    )


def resting(share: float) -> Example:
    """Return a cost that does not depend on the first entries of w, and is 0 in the last."""
    w = lattice(10)
    read = np.arange(10) >= 10 * share
    w[-2:] = 0.0
    return entrywise(lambda w: read * w * w, lambda w: 2 * read * w, w)


def at_optimum(curvature: float, off: float = 0.0) -> Example:
    """Return a bowl in its lowest point, or a little off."""
    w = lattice(6)
    at = w + off * lattice(6, turn=7)
    return entrywise(lambda w: curvature * (w - at) ** 2, lambda w: 2 * curvature * (w - at), w)


# Networks


def waking(distance: float) -> Example:
    """Return units that stand still, and wake so far away; two of them are at 0."""
    w = lattice(8)
    w[[2, 5]] = 0.0
    at = w + distance * (1 + lattice(8, turn=3) / 4)
    return entrywise(lambda w: np.maximum(w - at, 0.0), lambda w: 1.0 * (w > at), w)


def centred(*, still: bool = False) -> Example:
    """Return a cost of which b only moves the mean that is subtracted; one entry is not read."""
    w = lattice(8)
    read = np.arange(4) > 0 if still else np.ones(4)

    def z(p: Nest) -> Array:
        shifted = p["w"] + (read * p["b"]).sum()
        return np.asarray(shifted - shifted.sum() / 8)

    def cost(p: Nest) -> Any:
        return (z(p) * z(p) * z(p) + z(p) * z(p)).sum()

    def gradient(p: Nest) -> Nest:
        slopes = 3 * z(p) * z(p) + 2 * z(p)
        return {"w": slopes - slopes.sum() / 8, "b": np.zeros(4)}

    return Example(cost, gradient, {"w": w, "b": lattice(4, turn=5)})


def quartic(*, kink: float = 0.0) -> Example:
    """Return the lowest point of a fourth power, and of a size beside it."""
    w = lattice(6)
    return entrywise(
        lambda x: ((x - w) * (x - w)) ** 2 + kink * abs(x - w),
        lambda x: 4 * (x - w) ** 3 + kink * np.sign(x - w),
        w,
    )


def network(*, bias: float = 0.25, dtype: Any = np.float64, inside: Any = None) -> Example:
    """Return a relu network with two layers, and its gradient by back propagation."""
    within = inside or dtype
    X, Y = (lattice(7, n, turn=k).astype(within) for n, k in ((4, 1), (3, 2)))
    point = {
        "W1": lattice(4, 5, turn=3).astype(dtype),
        "b1": (bias * lattice(5, turn=4)).astype(dtype),
        "W2": lattice(5, 3, turn=6).astype(dtype),
        "b2": (bias * lattice(3, turn=8)).astype(dtype),
    }

    def forward(p: Nest) -> tuple[Array, Array]:
        W1, b1, W2, b2 = (p[name].astype(within) for name in point)
        hidden = product(X, W1) + b1
        return hidden, product(np.maximum(hidden, 0), W2) + b2 - Y

    def cost(p: Nest) -> Any:
        off = forward(p)[1].reshape(-1, 1)
        return (off * off).sum(axis=0)[0] / off.dtype.type(14)

    def gradient(p: Nest) -> Nest:
        hidden, off = forward(p)
        back = off / 7
        down = product(back, p["W2"].T.astype(within)) * (hidden > 0)
        return {
            "W1": product(X.T, down),
            "b1": down.sum(axis=0),
            "W2": product(np.maximum(hidden, 0).T, back),
            "b2": back.sum(axis=0),
        }

    return Example(cost, gradient, point)


def chain(depth: int) -> Example:
    """Return many arrays, each of which the next one multiplies."""
    names = [f"a{k}" for k in range(depth)]

    def states(p: Nest) -> list[Array]:
        found = [lattice(4, turn=1) + 2]
        for name in names:
            found.append(found[-1] * (1 + p[name] / 8) + p[name] * p[name] / 16)
        return found

    def cost(p: Nest) -> Any:
        return states(p)[-1].reshape(-1, 1).sum(axis=0)[0]

    def gradient(p: Nest) -> Nest:
        found, back, slopes = states(p), np.ones(4), dict[str, Array]()
        for k in reversed(range(depth)):
            own = p[names[k]]
            slopes[names[k]] = back * (found[k] / 8 + own / 8)
            back = back * (1 + own / 8)
        return {name: slopes[name] for name in names}

    return Example(cost, gradient, {name: lattice(4, turn=k) for k, name in enumerate(names)})


# What is done to a cost


def on_a_grid(spacing: float) -> Callable[[Any], Any]:
    """Return a rounding to multiples of a spacing."""
    return lambda cost: np.round(cost / spacing) * spacing


def noisy(size: float) -> Callable[[Any], Any]:
    """Return an addition of noise that the bits of the cost decide, the same at each call."""

    def disturb(cost: Any) -> Any:
        bits = int(np.float64(cost).view(np.uint64))
        return cost + size * ((bits * 2654435761 >> 7) % 1024 / 512 - 1)

    return disturb


EXAMPLES: dict[str, Callable[[], Example]] = {
    "smooth": lambda: smooth(4, 4),
    "smooth, one number": lambda: smooth(1),
    "smooth, many": lambda: smooth(40, 50),
    "offset by a million": lambda: then(smooth(12), lambda cost: cost + 1e6),
    "times 1e-200": lambda: then(smooth(12), lambda cost: cost * 1e-200, 1e-200),
    "times 1e+200": lambda: then(smooth(12), lambda cost: cost * 1e200, 1e200),
    "in float32": lambda: then(smooth(12), np.float32),
    "in float16": lambda: then(smooth(12), np.float16),
    "on a grid of 1e-6": lambda: then(smooth(12), on_a_grid(1e-6)),
    "on a grid of 0.01": lambda: then(smooth(12), on_a_grid(0.01)),
    "noise of 1e-9": lambda: then(smooth(12), noisy(1e-9)),
    "noise of 1e-4": lambda: then(smooth(12), noisy(1e-4)),
    "kinks far and near": lambda: kinked(1e-2, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10),
    "at kinks": lambda: kinked(0.0, 0.0, 1e-12),
    "mostly at kinks": lambda: kinked(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "jumps far and near": lambda: stepped(1e-2, 1e-4, -1e-6, 1e-8),
    "at a jump": lambda: stepped(0.0),
    "roots far and near": lambda: steep(1e-2, -1e-4, 1e-6, -1e-8),
    "at a root": lambda: steep(0.0),
    "peaks of 1e-2": lambda: peaked(1e-2),
    "peaks of 1e-5": lambda: peaked(1e-5),
    "as |x|^1.5": lambda: rough(np.sqrt, 1.5),
    "as x|x|": lambda: rough(abs, 2.0),
    "raises at 1e-3": lambda: ending(1e-3, raises=True),
    "raises at 1e-9": lambda: ending(1e-9, raises=True),
    "not finite at 1e-6": lambda: ending(1e-6, raises=False),
    "units of three orders": lambda: in_units(1.0, 1e-3, 1.0, 1e3),
    "units of twelve orders": lambda: in_units(1e-6, 1.0, 1e6),
    "some entries unread": lambda: resting(0.4),
    "most entries unread": lambda: resting(0.7),
    "an array unread": lambda: resting(1.0),
    "at an optimum": lambda: at_optimum(1.0),
    "at a sharp optimum": lambda: at_optimum(1e6),
    "beside an optimum": lambda: at_optimum(1.0, 1e-6),
    "a relu network": network,
    "a relu network, biases 0": lambda: network(bias=0.0),
    "a relu network, float32": lambda: network(dtype=np.float32),
    "a relu network, float32 inside": lambda: network(inside=np.float32),
    "a chain of 24 arrays": lambda: chain(24),
    "at a flat optimum": lambda: then(at_optimum(1e-4), lambda cost: cost + 1.0),
    "beside a flat optimum": lambda: then(at_optimum(1e-4, 1e-6), lambda cost: cost + 1.0),
    "at an optimum, float32": lambda: then(at_optimum(1.0), lambda cost: np.float32(cost + 1.0)),
    "at an optimum of a fourth power": quartic,
    "at an optimum with a kink": lambda: quartic(kink=1.0),
    "units that wake 1e-4 away": lambda: waking(1e-4),
    "units that wake 0.1 away": lambda: waking(0.1),
    "units that never wake": lambda: waking(1e6),
    "an array without influence": centred,
    "an entry without influence unread": lambda: centred(still=True),
}


class Values(NamedTuple):
    """A function with several values, its right Jacobian, and the point."""

    function: Callable[[Array], Array]
    jacobian: Array
    point: Array


def values(*, kinked: bool = False, rounded: bool = False, unread: bool = False) -> Values:
    """Return sums over x, and what may happen to one of them, or to an entry of x."""
    x, A = lattice(6), lattice(5, 6, turn=3)
    A[:, 2] *= not unread

    def function(x: Array) -> Array:
        found = product(A, (x + x * x / 4).reshape(-1, 1))[:, 0]
        found[0] += abs(x[1] + 0.21875) if kinked else 0.0
        found[1] = np.round(found[1] * 1e3) / 1e3 if rounded else found[1]
        return found

    return Values(function, A * (1 + x / 2), x)


FUNCTIONS: dict[str, Callable[[], Values]] = {
    "values": values,
    "values, at a kink": lambda: values(kinked=True),
    "values, one of them rounded": lambda: values(rounded=True),
    "values, an entry unread": lambda: values(unread=True),
}
