"""Models whose parameters have a structure: a symmetric matrix, and one array in two places."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from backproof._parameters import Nest
from support.catalogue.model import Array, Draw, Model, Slip, all_wrong

# A function of a symmetric matrix, of which NumPy reads the lower triangle.


def log_determinant(draw: Draw) -> Model:
    """Return the logarithm of a determinant."""
    return _symmetric("log determinant", _log_determinant, np.linalg.inv, draw)


def _log_determinant(S: Array) -> Any:
    return 2 * np.sum(np.log(np.diag(np.linalg.cholesky(S))))


def eigenvalues(draw: Draw) -> Model:
    """Return the sum of the cubes of the eigenvalues."""
    return _symmetric("eigenvalues", _cubes, _of_cubes, draw)


def _cubes(S: Array) -> Any:
    return np.sum(np.linalg.eigvalsh(S) ** 3)


def _of_cubes(S: Array) -> Array:
    return np.asarray(3 * S @ S)


def mahalanobis(draw: Draw) -> Model:
    """Return the sum of squared Mahalanobis distances."""
    X = draw.normal(4, 6)
    return _symmetric("distances", partial(_distances, X), partial(_of_distances, X), draw)


def _distances(X: Array, S: Array) -> Any:
    return np.sum(np.linalg.solve(np.linalg.cholesky(S), X) ** 2)


def _of_distances(X: Array, S: Array) -> Array:
    Z = np.linalg.solve(S, X)
    return np.asarray(-Z @ Z.T)


def _symmetric(
    name: str, cost: Callable[[Any], Any], whole: Callable[[Any], Any], draw: Draw
) -> Model:
    """Return a function of a covariance; the slip is its gradient among symmetric matrices."""
    M = draw.normal(4, 4)
    slip = Slip("both triangles", whole, all_wrong(["parameters"], "triangle"))
    right = partial(_of_lower_triangle, whole)
    return Model(name, cost, right, M @ M.T + np.eye(4), (slip,))


def _of_lower_triangle(whole: Callable[[Any], Any], S: Array) -> Array:
    G = whole(S)
    return np.asarray(2 * np.tril(G, -1) + np.diag(np.diag(G)))


# One array stands in the nest twice; the slip is its whole gradient in both places.


def tied_autoencoder(draw: Draw) -> Model:
    """Return an autoencoder that decodes with the weights that it encodes with."""
    return _tied("tied autoencoder", draw.normal(8, 5), draw.weights(3, 5))


def tied_square(draw: Draw) -> Model:
    """Return an autoencoder with a hidden layer as wide as its input."""
    return _tied("tied square autoencoder", draw.normal(7, 4), draw.weights(4, 4))


def tied_narrow(draw: Draw) -> Model:
    """Return an autoencoder with two hidden units."""
    return _tied("tied narrow autoencoder", draw.normal(9, 6), draw.weights(2, 6))


def _tied(name: str, X: Array, W: Array) -> Model:
    right = partial(_tied_gradient, X)
    slip = Slip("total in both", partial(_total, right), all_wrong(["in", "out"], "shared"))
    return Model(name, partial(_tied_cost, X), right, {"in": W, "out": W.copy()}, (slip,))


def _tied_cost(X: Array, p: Nest) -> Any:
    return np.sum((np.tanh(X @ p["in"].T) @ p["out"] - X) ** 2)


def _tied_gradient(X: Array, p: Nest) -> Nest:
    H = np.tanh(X @ p["in"].T)
    E = 2 * (H @ p["out"] - X)
    return {"in": (E @ p["out"].T * (1 - H**2)).T @ X, "out": H.T @ E}


def _total(right: Callable[[Nest], Nest], p: Nest) -> Nest:
    total = sum(right(p).values())
    return dict.fromkeys(p, total)


SYMMETRIC = (log_determinant, eigenvalues, mahalanobis)
TIED = (tied_autoencoder, tied_square, tied_narrow)
