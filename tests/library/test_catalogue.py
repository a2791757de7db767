"""The catalogue itself: its right gradients are right, its wrong ones wrong where they say."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof import numerical_gradient
from backproof._parameters import flatten
from support.catalogue import (
    AT_A_KINK,
    MODELS,
    REFUSED,
    REFUSED_COSTS,
    RIGHT,
    WRONG,
    Draw,
    Kink,
    Model,
    Refused,
    Right,
    Wrong,
    random_case,
)
from support.catalogue.mistakes import PLANTS, relative_change
from support.catalogue.model import arrays_of
from support.catalogue.scales import SCALES
from support.checkout import in_ci

Case = Right | Wrong | Kink
BOTH: tuple[Right | Wrong, ...] = (*RIGHT, *WRONG)
EVERY: tuple[Case, ...] = (*BOTH, *AT_A_KINK)

# A gradient is itself rounded: by no more than this, of the largest entry of its array.
ROUNDING = 1e-13


def outside(model: Model, claimed: Any) -> dict[str, float]:
    """Return by how many errors the worst entry of each array is away from the slopes."""
    slopes, errors = map(arrays_of, numerical_gradient(model.cost, model.parameters))
    sizes = {path: ROUNDING * np.abs(a).max() + 1e-300 for path, a in model.right.items()}
    return {
        path: float(np.max(np.abs(array - slopes[path]) / (errors[path] + sizes[path])))
        for path, array in arrays_of(claimed).items()
    }


def changed(case: Wrong) -> set[str]:
    """Return the arrays that differ from the right gradient by more than rounding."""
    right, claimed = case.model.right, arrays_of(case.claimed)
    return {path for path in right if relative_change(claimed[path], right[path]) > 1e-9}


def name(case: Case | Refused) -> str:
    """Return the name of a case."""
    return case.name


@pytest.mark.parametrize("case", RIGHT, ids=name)
def test_a_right_gradient_is_right(case: Right) -> None:
    """Every entry lies within the error of its slope."""
    assert max(outside(case.model, case.claimed).values()) <= 1


@pytest.mark.parametrize("case", WRONG, ids=name)
def test_a_wrong_gradient_is_wrong_where_it_says(case: Wrong) -> None:
    """The arrays named differ, by 1e-5 at least, and no other does."""
    assert changed(case) == case.arrays
    assert case.change > 0.999e-5
    for path, (_, factor) in case.planted.items():
        if factor is not None:
            right, claimed = case.model.right[path], arrays_of(case.claimed)[path]
            np.testing.assert_allclose(claimed, factor * right, rtol=1e-5, atol=0)


@in_ci
@pytest.mark.parametrize("case", WRONG, ids=name)
def test_a_mistake_can_be_seen(case: Wrong) -> None:
    """In every array named, an entry lies outside the error of its slope, three times over."""
    away = outside(case.model, case.claimed)
    assert not any(away[path] <= 3 for path in case.arrays)


@pytest.mark.parametrize("case", AT_A_KINK, ids=name)
def test_at_a_kink_the_slopes_say_so(case: Kink) -> None:
    """An error spans the one-sided slopes: a claim between them is inside it, others are not."""
    _, errors = numerical_gradient(case.model.cost, case.model.parameters)
    large = {p for p, e in arrays_of(errors).items() if e.max() > 1e-3}
    assert large == case.arrays
    away = outside(case.model, case.claimed)
    inside = max(away.values()) <= 1 + 1e-6  # a claim may be one of the two slopes
    assert inside == (case.verdict == "undecided")


@pytest.mark.parametrize("case", REFUSED_COSTS, ids=name)
def test_a_refused_cost_has_no_numerical_gradient(case: Refused) -> None:
    """The error is of the type that the case names, and its words are in it."""
    parameters = copy.deepcopy(case.parameters)
    with pytest.raises(case.error, match=case.words):
        numerical_gradient(case.cost, parameters)


def test_there_are_enough_cases() -> None:
    """Of right and of wrong ones, at all scales, and of each kind of mistake in three models."""
    assert len(MODELS) >= 14
    assert len(RIGHT) >= 60
    assert len(WRONG) >= 100
    assert sum(case.verdict == "undecided" for case in AT_A_KINK) >= 4
    for kind_of_case in (Right, Wrong):
        names = [case.model.name for case in BOTH if isinstance(case, kind_of_case)]
        assert len({name.split(",")[0] for name in names}) >= 20
        assert all(any(name.endswith(scale.name) for name in names) for scale in SCALES)
    for kind in {*PLANTS, "swapped"}:
        models = {case.model.name.split(",")[0] for case in WRONG if case.kind == kind}
        assert len(models) >= 3, kind


def test_names_are_unique() -> None:
    """A name finds its case."""
    names = [case.name for case in (*EVERY, *REFUSED)]
    assert len(set(names)) == len(names)


def test_no_case_changes_its_parameters() -> None:
    """Neither the cost nor the gradient does, and the claimed gradient is not the parameters."""
    for model, claimed in ((case.model, case.claimed) for case in EVERY):
        before = copy.deepcopy(model.arrays)
        model.cost(model.parameters)
        model.gradient(model.parameters)
        np.testing.assert_equal(model.arrays, before)
        pairs = zip(flatten(claimed).values(), model.arrays.values(), strict=True)
        assert not any(np.shares_memory(given, point) for given, point in pairs)


def test_a_gradient_has_the_structure_of_its_parameters() -> None:
    """The right ones and the claimed ones have the paths, the shapes and the dtypes."""
    for model, claimed in ((case.model, case.claimed) for case in BOTH):
        points = {path: (a.shape, a.dtype) for path, a in model.arrays.items()}
        for gradient in (claimed, model.gradient(model.parameters)):
            assert points == {
                path: (np.shape(leaf), np.asarray(leaf).dtype)
                for path, leaf in flatten(gradient).items()
            }


@pytest.mark.parametrize("make", MODELS)
def test_a_model_is_of_one_dtype(make: Callable[[Draw], Model]) -> None:
    """Drawn in float32, it computes in float32."""
    model = make(Draw(0, np.float32))
    assert np.asarray(model.cost(model.parameters)).dtype == np.float32


def test_cases_can_be_sent_to_other_processes() -> None:
    """Pickled and back, a cost is the same."""
    for case in BOTH:
        model = pickle.loads(pickle.dumps(case.model))
        assert model.cost(model.parameters) == case.model.cost(case.model.parameters)


@in_ci
def test_random_cases_are_cases() -> None:
    """Of 300, the wrong ones are wrong where they say, and the arrays are finite and small."""
    rng = np.random.default_rng(0)
    cases = [random_case(rng) for _ in range(300)]
    assert sum(isinstance(case, Right) for case in cases) > 80
    for case in cases:
        assert np.isfinite(case.model.cost(case.model.parameters))
        assert sum(array.size for array in case.model.arrays.values()) <= 150
        if isinstance(case, Wrong):
            assert changed(case) == case.arrays
            assert case.change > 0.999e-5


def test_random_cases_repeat() -> None:
    """The same source of chance draws the same cases."""
    first, second = (random_case(np.random.default_rng(5)) for _ in range(2))
    assert first.name == second.name
    np.testing.assert_equal(arrays_of(first.claimed), arrays_of(second.claimed))
