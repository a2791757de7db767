"""The relative difference, in its norms and at the ends of the range of floats."""

import math
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

from backproof import relative_difference
from backproof._norms import norm, require_order

Layer = namedtuple("Layer", ["W", "b"])
Other = namedtuple("Other", ["b_", "W_"])


@pytest.mark.parametrize(
    ("ord", "expected"), [(1, 7 / 9), (2, 5 / (10**0.5 + 5)), (np.inf, 4 / (3 + 5)), (3, None)]
)
def test_the_norm_is_that_of_a_vector(ord: float, expected: float | None) -> None:
    """The formula with each norm, on vectors whose norms are known."""
    g, a = np.array([3.0, 1.0]), np.array([0.0, 5.0])
    if expected is None:
        expected = (27 + 64) ** (1 / 3) / ((27 + 1) ** (1 / 3) + 5)
    assert relative_difference(g, a, ord) == pytest.approx(expected, rel=1e-15)


def test_a_matrix_is_ravelled_first() -> None:
    """The 2-norm is that of all entries, not the largest singular value of the matrix."""
    g, a = np.eye(4), np.zeros((4, 4))
    a[0, 0] = 1.0
    assert relative_difference(g, a) == pytest.approx(3**0.5 / (2 + 1))


def test_nests_are_compared_array_by_array_whatever_their_order() -> None:
    """A dict is compared by its keys, not by their order."""
    g = {"W": np.ones((2, 2)), "b": [1.0, 2.0]}
    a = {"b": [1.0, 2.0], "W": np.ones((2, 2))}
    assert relative_difference(g, a) == 0.0


@pytest.mark.parametrize(
    ("gradient", "approximation"),
    [
        ((3.0, 4.0), Layer(3.0, 4.0)),
        (Layer(3.0, 4.0), (3.0, 4.0)),
        ([[3.0], [4.0]], np.array([[3.0], [4.0]])),
        (np.array([[3.0], [4.0]]), [[3.0], [4.0]]),
    ],
)
def test_nests_are_read_as_a_check_reads_a_gradient(gradient: Any, approximation: Any) -> None:
    """A plain tuple stands for a named one, and a list for an array, whichever comes first."""
    assert relative_difference(gradient, approximation) == 0.0


def test_a_named_tuple_is_none_with_other_names() -> None:
    """Else the fields of two layers could be exchanged."""
    with pytest.raises(ValueError, match="missing W, b and has an unexpected b_"):
        relative_difference(Other(3.0, 4.0), Layer(3.0, 4.0))


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1.0, 1e200, 1e308])
def test_no_square_overflows_or_vanishes(scale: float) -> None:
    """A gradient that is twice too large differs by a third at any scale."""
    a = scale / 4 * np.ones(3)
    assert relative_difference(2 * a, a) == pytest.approx(1 / 3)


def test_two_zeros_do_not_differ() -> None:
    """0 / 0 is taken as no difference, also for arrays without entries."""
    assert relative_difference(np.zeros(3), np.zeros(3)) == 0.0
    assert relative_difference(np.zeros((0, 3)), np.zeros((0, 3))) == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_gives_nan(bad: float) -> None:
    """A gradient that is not finite has no relative difference, and passes no threshold."""
    assert math.isnan(relative_difference([1.0, bad], [1.0, 2.0]))
    assert math.isnan(relative_difference([1.0, 2.0], [1.0, bad]))


@pytest.mark.parametrize("factor", [2.0, -1.0, 0.5, 1 + 1e-7])
def test_the_difference_does_not_depend_on_who_is_first(factor: float) -> None:
    """The formula is symmetric in the two gradients."""
    a = np.arange(1.0, 5.0)
    assert relative_difference(factor * a, a) == relative_difference(a, factor * a)


def test_any_gradient_differs_wholly_from_none() -> None:
    """The difference is 1, whichever of the two is zero."""
    assert relative_difference([0.0, 0.0], [3.0, 4.0]) == 1.0
    assert relative_difference([3.0, 4.0], [0.0, 0.0]) == 1.0


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e-107, 1.0, 1e140, 1e200, 1e307])
@pytest.mark.parametrize("ord", [2, 3, 500, math.inf])
def test_no_power_in_a_norm_overflows_or_vanishes(scale: float, ord: float) -> None:
    """The norm of a scaled vector is the scaled norm; that of nothing is 0."""
    vector = np.array([3.0, -4.0])
    plain = {2: 5.0, 3: 91 ** (1 / 3), 500: 4.0, math.inf: 4.0}[ord]
    tolerance = 1e-3 if scale < 1e-300 else 1e-14  # what is that small has few digits
    with np.errstate(over="ignore"):
        found = norm(scale * vector, ord)
    assert found == pytest.approx(scale * plain, rel=tolerance, abs=0)
    assert norm(np.empty(0), ord) == norm(np.zeros(2), ord) == 0.0


def test_a_norm_is_the_euclidean_one_unless_told() -> None:
    """The vector (3, 4) has the length 5."""
    assert norm(np.array([3.0, 4.0])) == 5.0


@pytest.mark.parametrize("ord", [1, 1.5, 500, math.inf, np.int64(3), np.float32(2)])
def test_a_norm_may_be_of_any_order_from_1_to_500_or_infinite(ord: Any) -> None:
    """Whole or not, of Python or of NumPy."""
    require_order(ord)


@pytest.mark.parametrize("ord", [0.99, 501, -1, -math.inf, math.nan, True, "fro", None])
def test_no_other_order_is_taken(ord: Any) -> None:
    """Below 1 it is no norm, above 500 powers vanish, and a name is one of matrix norms."""
    with pytest.raises(ValueError, match=f"ord is {ord!r}: expected"):
        require_order(ord)
