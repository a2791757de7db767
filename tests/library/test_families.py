"""The gradients of the families are right, and what is drawn from a number is always the same."""

from __future__ import annotations

import numpy as np
import pytest

from backproof._parameters import Nest, Parameters, replace_leaves
from support.families import FAMILIES, KINDS, PRECISIONS_OF, Case, case_of, planted, possible
from support.families.model import Array, arrays_of, cast, natural_sizes

SEED = 7
# What is disturbed shares the gradient of a smooth network with the others.
DISTURBED = {
    "rounded to decimals",
    "rounded to digits",
    "cast to float16",
    "parameters on a grid",
    "offset",
    "white noise",
    "dropout",
    "random batch",
    "argument ignored",
}


def moved(parameters: Nest) -> Nest:
    """Return parameters moved by about a twentieth of the largest of their array."""
    rng = np.random.default_rng(0)

    def move(_: str, w: Array) -> Array:
        return np.asarray(w + 0.05 * rng.standard_normal(w.shape) * (np.abs(w).max() or 1))

    return replace_leaves(parameters, move)


def slopes_near(case: Case, index: int) -> tuple[float, float]:
    """Return the two central differences of an entry that agree best, and how far to trust them."""
    point = Parameters(case.parameters)
    vector = point.vector()
    steps = (abs(vector[index]) or 0.1) * 10.0 ** -np.arange(3, 8)
    slopes = [_slope(case, point, vector, index, step) for step in steps]
    rounding = 1e-15 * abs(float(case.cost(case.parameters))) / steps[1:]
    gaps = np.abs(np.diff(slopes)) + rounding
    best = int(gaps.argmin())
    return slopes[best + 1], float(gaps[best])


def _slope(case: Case, point: Parameters, vector: Nest, index: int, step: float) -> float:
    costs = []
    for sign in (1, -1):
        moved = vector.copy()
        moved[index] += sign * step
        point.assign(moved)
        costs.append(float(case.cost(point.nest)))
    return (costs[0] - costs[1]) / (2 * step)


@pytest.mark.parametrize("name", sorted(FAMILIES.keys() - DISTURBED))
@pytest.mark.parametrize("number", range(4))
def test_the_gradient_is_the_slope(name: str, number: int) -> None:
    """In float64, entries agree with central differences; at kinks and optima, once moved."""
    case = case_of(name, "float64", number, SEED)
    if "entry" not in case.kinds:
        case = case._replace(parameters=moved(case.parameters))
    right = arrays_of(case.gradient(case.parameters))
    sizes = np.concatenate(
        [np.full(right[p].size, size) for p, size in natural_sizes(case, right).items()]
    )
    flat = np.concatenate([array.ravel() for array in right.values()])
    for index in np.random.default_rng(number).permutation(flat.size)[:12]:
        slope, gap = slopes_near(case, index)
        if gap < 1e-5 * sizes[index]:  # not beside a kink
            assert abs(slope - flat[index]) < 1e-4 * sizes[index] + 10 * gap


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_case_is_had_again(name: str) -> None:
    """A number draws the same cost, point and description again."""
    for precision in PRECISIONS_OF[name]:
        first, again = (case_of(name, precision, 3, SEED) for _ in range(2))
        assert first.cost(first.parameters) == again.cost(again.parameters)
        assert first[3:] == again[3:]


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_one_array_is_spoiled(name: str) -> None:
    """A planted mistake changes the array that is said to be wrong, and no other."""
    case = case_of(name, "float32", 1, SEED)
    right = arrays_of(case.gradient(case.parameters))
    for kind in possible(case):
        claimed, wrong = planted(case, np.random.default_rng(0), kind)
        changed = {p for p, array in arrays_of(claimed).items() if (array != right[p]).any()}
        assert kind in KINDS
        assert changed == wrong
        assert len(wrong) == 1


@pytest.mark.parametrize("name", [n for n in FAMILIES if "float32 inside" in PRECISIONS_OF[n]])
def test_float32_can_be_left_unless_it_is_inside(name: str) -> None:
    """Given float64, a cost computes in it, unless it has float32 inside."""
    for precision, finest in (("float32", np.float64), ("float32 inside", np.float32)):
        case = case_of(name, precision, 0, SEED)
        assert type(case.cost(case.parameters)) is np.float32
        assert type(case.cost(cast(case.parameters, np.float64))) is finest
