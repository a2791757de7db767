"""The function to paste, taken from its page: what the page says of it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof._parameters import flatten, replace_leaves
from executed.page import blocks
from support.catalogue import AT_A_KINK, RIGHT, WRONG, Kink, Right, Wrong
from support.checkout import DOCS, in_ci

PAGE = DOCS / "guides" / "one-function.md"


@pytest.fixture(scope="module")
def gradient_errors() -> Callable[..., list[str]]:
    """Return the function of the page, imported as a reader's file would be."""
    pasted: dict[str, Any] = {"__name__": "gradient_errors"}
    exec(blocks(PAGE.read_text("utf-8"))[0].text, pasted)
    return pasted["gradient_errors"]  # type: ignore[no-any-return]


def found(check: Callable[..., list[str]], case: Right | Wrong | Kink) -> dict[str, list[str]]:
    """Return the paths of the arrays that are wrong, and of those that cannot be judged."""
    model = case.model
    claims = {path: np.asarray(leaf) for path, leaf in flatten(case.claimed).items()}

    def cost(arrays: dict[str, Any]) -> Any:
        return model.cost(replace_leaves(model.parameters, lambda path, _: arrays[path][()]))

    lines = check(cost, claims, model.arrays)
    return {
        said: sorted(
            {line.split(f" {said}")[0].rpartition("[")[0] for line in lines if said in line}
        )
        for said in ("is wrong", "cannot be judged")
    }


@in_ci
def test_it_judges_the_catalogue(
    gradient_errors: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """No right gradient is accused, no wrong one passes, and the wrong arrays are named."""
    right = {case.name: found(gradient_errors, case) for case in RIGHT}
    wrong = {case.name: found(gradient_errors, case)["is wrong"] for case in WRONG}
    accused = [name for name, said in right.items() if said["is wrong"]]
    undecided = [name for name, said in right.items() if said["cannot be judged"]]
    missed = [name for name, arrays in wrong.items() if not arrays]
    with capsys.disabled():
        print(f"\nThe function to paste: {len(accused)} of {len(RIGHT)} right gradients accused,")
        print(f"{len(undecided)} undecided, {len(missed)} of {len(WRONG)} wrong ones missed.")
    assert not accused
    assert not missed
    assert wrong == {case.name: sorted(case.arrays) for case in WRONG}
    # The library leaves those undecided that have no slope, and decides the three in float32.
    assert sum("in float32" not in name for name in undecided) == 4
    assert len(undecided) <= 7


@pytest.mark.parametrize("case", AT_A_KINK, ids=lambda case: case.name)
def test_it_sees_kinks(gradient_errors: Callable[..., list[str]], case: Kink) -> None:
    """A claim between the one-sided slopes cannot be judged, one outside them is wrong."""
    said = found(gradient_errors, case)
    assert ("wrong" if said["is wrong"] else "undecided") == case.verdict
    assert said["is wrong"] or said["cannot be judged"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_entry_that_is_not_finite_is_wrong(
    gradient_errors: Callable[..., list[str]], value: float
) -> None:
    """And the one beside it is not."""
    lines = gradient_errors(np.sum, np.array([1.0, value]), np.ones(2))
    assert [line.split(":")[0] for line in lines] == ["entry[1] is wrong"]


def test_a_cost_that_is_not_finite_cannot_be_judged(
    gradient_errors: Callable[..., list[str]],
) -> None:
    """Nothing is said of a gradient where there are no slopes."""
    lines = gradient_errors(lambda _: np.nan, np.ones(1), np.ones(1))
    assert [line.split(":")[0] for line in lines] == ["entry[0] cannot be judged"]


def test_noise_in_the_last_digits_accuses_nothing(
    gradient_errors: Callable[..., list[str]],
) -> None:
    """The cost shows its noise before it is measured."""

    def cost(w: Any) -> Any:
        return np.sum(np.exp(w)) * (1 + 1e-10 * np.sin(1e16 * np.sum(w)))

    points = [np.random.default_rng(seed).normal(size=10) for seed in range(60)]
    assert not any(gradient_errors(cost, np.exp(w), w) for w in points)


def test_it_takes_eighteen_evaluations_for_an_entry(
    gradient_errors: Callable[..., list[str]],
) -> None:
    """Beyond five for the noise, and it leaves the parameters as they are."""
    parameters, calls = {"w": np.linspace(1, 2, 6).reshape(2, 3), "b": np.array(0.5)}, []

    def cost(p: dict[str, Any]) -> Any:
        calls.append(p)
        return np.sum(p["w"] ** 2) * p["b"]

    right = {"w": 2 * parameters["w"] * 0.5, "b": np.sum(parameters["w"] ** 2)}
    assert gradient_errors(cost, right, parameters) == []
    assert len(calls) == 5 + 18 * 7
    np.testing.assert_array_equal(parameters["w"].ravel(), np.linspace(1, 2, 6))


def test_it_is_as_short_as_it_says() -> None:
    """A function of at most 40 lines of code, which needs NumPy alone."""
    source = blocks(PAGE.read_text("utf-8"))[0].text.split("\n\n\nif __name__")[0]
    assert len([line for line in source.split('"""')[2].split("\n") if line.strip()]) <= 40
    assert [line for line in source.split("\n") if "import" in line] == ["import numpy as np"]
