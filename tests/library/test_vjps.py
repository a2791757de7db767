"""A backward pass is checked with an upstream gradient of its own, a stack layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof import assert_vjp, check_stack, check_vjp

RNG = np.random.default_rng(3)
X = RNG.normal(size=(5, 4))
P = {"X": X, "W": RNG.normal(size=(4, 4)), "b": RNG.normal(size=4)}
METHODS = ("entries", "directions")

Backward = Callable[[Any, Any], Any]


def affine(p: Any) -> Any:
    """Return the product with the weights, plus the bias."""
    return p["X"] @ p["W"] + p["b"]


def affine_backward(p: Any, dY: Any) -> Any:
    """Return the right gradient."""
    return {"X": dY @ p["W"].T, "W": p["X"].T @ dY, "b": dY.sum(axis=0)}


def but(**wrong: Backward) -> Backward:
    """Return the backward pass of the affine layer with mistakes in some arrays."""
    return lambda p, dY: affine_backward(p, dY) | {n: f(p, dY) for n, f in wrong.items()}


def relu(x: Any) -> Any:
    """Return the larger of zero and the input."""
    return np.maximum(x, 0)


def relu_backward(x: Any, dy: Any) -> Any:
    """Return the right gradient."""
    return dy * (x > 0)


def two_outputs(x: Any) -> Any:
    """Return two outputs of unequal shapes."""
    return {"squares": x**2, "sums": [np.sin(x).sum(axis=1)]}


def two_backward(x: Any, upstream: Any) -> Any:
    """Return the right gradient."""
    return 2 * x * upstream["squares"] + np.cos(x) * upstream["sums"][0][:, None]


FAULTS: list[tuple[str, Backward, str]] = [
    ("transposed", but(X=lambda p, dY: dY @ p["W"]), "X"),
    ("transposed weights", but(W=lambda p, dY: dY.T @ p["X"]), "W"),
    ("mean over the batch", but(b=lambda _, dY: dY.mean(axis=0)), "b"),
    ("one example of the batch", but(b=lambda _, dY: dY[0]), "b"),
    ("upstream ignored", but(X=lambda p, dY: np.ones_like(dY) @ p["W"].T), "X"),
    ("last example ignored", but(W=lambda p, dY: p["X"][:-1].T @ dY[:-1]), "W"),
    ("upstream clipped", but(b=lambda _, dY: np.clip(dY, -5, 5).sum(axis=0)), "b"),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("backward", "array"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_a_mistake_is_found_in_its_array(backward: Backward, array: str, method: str) -> None:
    """The others are right beside it."""
    report = check_vjp(affine, backward, P, method=method)
    assert [path for path, a in report.arrays.items() if a.verdict != "correct"] == [array]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(5))
def test_right_passes_are_right(method: str, seed: int) -> None:
    """They are so at other upstream gradients as well, and with several outputs."""
    assert check_vjp(affine, affine_backward, P, method=method, seed=seed)
    assert check_vjp(relu, relu_backward, X, method=method, seed=seed)
    assert check_vjp(two_outputs, two_backward, X, method=method, seed=seed)
    assert check_vjp(lambda t: t**2, lambda t, dy: 2 * t * dy, 3.0, method=method, seed=seed)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("share", [abs, lambda u: max(u, 0.0), lambda u: u**2, lambda _: 1.0])
def test_one_output_tells_what_is_not_linear(share: Callable[[float], float], seed: int) -> None:
    """A single upstream number, which may be positive, would let some of these pass."""
    report = check_vjp(
        lambda x: (x**2).sum(), lambda x, upstream: 2 * x * share(upstream), X, seed=seed
    )
    assert report.verdict == "wrong"
    assert any("inputs is not linear in the upstream" in note for note in report.notes)


def test_what_is_linear_is_not_said_to_be_something_else() -> None:
    """A wrong gradient that grows with its upstream gradient gets no such note."""
    report = check_vjp(affine, but(b=lambda _, dY: 2 * dY.sum(axis=0)), P)
    assert report.verdict == "wrong"
    assert not any("linear" in note for note in report.notes)


def test_a_gradient_in_the_same_memory_is_linear_all_the_same() -> None:
    """A backward pass may write each of its results to one buffer."""
    kept = np.zeros_like(X)

    def buffered(_: Any, dy: Any) -> Any:
        kept[:] = 3 * dy
        return kept

    report = check_vjp(lambda x: 2 * x, buffered, X)
    assert report.verdict == "wrong"
    assert not any("linear" in note for note in report.notes)


def test_no_step_between_the_arrays_of_a_layer_is_suspected() -> None:
    """They have no order, unlike those of a network."""
    report = check_vjp(affine, but(X=lambda p, dY: dY @ p["W"], W=lambda p, dY: dY.T @ p["X"]), P)
    assert report.verdict == "wrong"
    assert not any(said in str(report) for said in ("look at the step", "nearest to the cost"))


def test_swapped_arguments_are_guessed() -> None:
    """They have the same shape here, so that nothing else tells."""
    report = check_vjp(relu, lambda x, dy: relu_backward(dy, x), X)
    assert "are the arguments of backward swapped?" in str(report)


@pytest.mark.parametrize("index", range(X.size))
def test_no_output_may_be_forgotten(index: int) -> None:
    """Each output has a weight that shows, whichever is left out."""

    def forgetful(x: Any, dy: Any) -> Any:
        kept = dy.copy()
        kept.flat[index] = 0
        return kept * np.cos(x)

    report = check_vjp(np.sin, forgetful, X)
    assert [e.index for e in report.arrays["inputs"].entries] == [np.unravel_index(index, X.shape)]


def test_a_forgotten_output_is_found() -> None:
    """One of several gets no weight in the wrong pass."""
    wrong = check_vjp(two_outputs, lambda x, upstream: 2 * x * upstream["squares"], X)
    assert wrong.verdict == "wrong"


def test_the_upstream_gradient_is_as_the_output() -> None:
    """It has the structure, the shapes and the dtypes of the outputs, and no entry near 0."""
    seen: list[Any] = []

    def forward(x: Any) -> Any:
        return x.astype(np.float32), [float(x.sum()), np.float64(x.sum())]

    def backward(x: Any, upstream: Any) -> Any:
        seen.append(upstream)
        return upstream[0] + sum(upstream[1]) * np.ones_like(x)

    report = check_vjp(forward, backward, X)
    first, (second, third) = seen[0]
    assert isinstance(seen[0], tuple)
    assert (first.shape, first.dtype) == (X.shape, np.float32)
    assert isinstance(second, float)
    assert isinstance(third, np.float64)
    assert min(np.abs(first).min(), abs(second), abs(third)) >= 0.5
    assert set(np.sign(first).flat) == {-1, 1}
    assert report


def test_the_seed_draws_the_upstream_gradient() -> None:
    """Another one draws another, and the same one the same."""
    seen: list[Any] = []

    def backward(x: Any, dy: Any) -> Any:
        seen.append(dy)
        return dy * np.cos(x)

    for seed in (0, 0, 1):
        seen.append(None)
        check_vjp(np.sin, backward, X, seed=seed)
    firsts = [after for before, after in pairwise(seen) if before is None]
    assert np.array_equal(firsts[0], firsts[1])
    assert not np.array_equal(firsts[0], firsts[2])


def test_float32_is_measured_in_float64_where_that_works() -> None:
    """Layers in single precision are right, and wrong ones are found."""
    single = {name: array.astype(np.float32) for name, array in P.items()}
    assert check_vjp(affine, affine_backward, single)
    assert not check_vjp(affine, but(b=lambda _, dY: dY.mean(axis=0)), single)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(4))
def test_the_coarsest_output_tells_how_fine_the_sum_is(method: str, seed: int) -> None:
    """A sum of single and double precision is taken for no finer than its coarse part."""

    def forward(x: Any) -> Any:
        return np.tanh(x).astype(np.float32), x**2

    def backward(x: Any, upstream: Any) -> Any:
        return upstream[0] * (1 - np.tanh(x) ** 2) + 2 * x * upstream[1]

    def forgets_a_slope(x: Any, upstream: Any) -> Any:
        return upstream[0] + 2 * x * upstream[1]

    x = np.random.default_rng(seed).normal(size=(6, 5))
    assert check_vjp(forward, backward, x, method=method)
    assert check_vjp(forward, forgets_a_slope, x, method=method).verdict == "wrong"


def test_a_sum_over_a_million_outputs_is_fine() -> None:
    """Its rounding hides no mistake of a millionth."""
    spread = np.linspace(-2, 2, 1_000_000)

    def forward(t: Any) -> Any:
        return np.sin(t * spread)

    assert check_vjp(forward, lambda t, dy: (dy * spread) @ np.cos(t * spread), 0.7)
    report = check_vjp(forward, lambda t, dy: 1.000001 * ((dy * spread) @ np.cos(t * spread)), 0.7)
    assert report.verdict == "wrong"


def test_what_the_caller_passes_stays_as_it_is() -> None:
    """Inputs, and the arrays in them, are only read."""
    before = {name: array.copy() for name, array in P.items()}
    check_vjp(affine, affine_backward, P)
    check_stack({"relu": (relu, relu_backward)}, P["X"])
    assert all(np.array_equal(before[name], P[name]) for name in P)


def in_place(x: Any, dy: Any) -> Any:
    """Return the gradient of relu, and spoil its upstream gradient."""
    dy[x < 0] = 0
    return dy


def returns(value: Any) -> Callable[..., Any]:
    """Return a pass that returns a constant."""
    return lambda *_: value


def cached(x: Any) -> Any:
    """Return an output and a cache."""
    return np.sin(x), (x, "sine")


class Graph:
    """An output that is no array, and has a name."""

    @property
    def name(self) -> str:
        """Return it."""
        return "graph"


BAD: list[tuple[str, Any, Any, Any, type[Exception], str]] = [
    ("forward is a result", X, relu_backward, X, TypeError, "forward is of type ndarray"),
    ("backward is a result", relu, X, X, TypeError, "backward is of type ndarray"),
    ("no output", returns(None), relu_backward, X, TypeError, "forward returned None: is a return"),
    ("a mask", lambda x: x > 0, relu_backward, X, TypeError, "output is of type bool: expected"),
    ("a cache", cached, relu_backward, X, TypeError, r"output\[1\]\[1\] is of type str.* cache"),
    ("nan", lambda x: x / 0, relu_backward, X, ValueError, r"output\[0, 0\] is .*inf: expected a"),
    ("upstream in place", relu, in_place, X, ValueError, "backward changes its upstream gradient"),
    (
        "inputs in place",
        relu,
        lambda x, dy: np.multiply(x > 0, dy, out=x),
        X,
        ValueError,
        "the backward pass changes its parameters in place",
    ),
    (
        "inputs in place, forward",
        lambda x: np.maximum(x, 0, out=x),
        relu_backward,
        X,
        ValueError,
        "the forward pass changes its parameters in place",
    ),
    (
        "shape",
        affine,
        but(W=lambda p, dY: dY.sum(axis=0)),
        P,
        ValueError,
        r"W of the gradient that backward returned has shape \(4,\): expected \(4, 4\)",
    ),
    (
        "structure",
        affine,
        lambda p, dY: tuple(affine_backward(p, dY).values()),
        P,
        ValueError,
        r"the gradient that backward returned has 3 items without names: expected X, W, b\. Name",
    ),
    ("an empty list", lambda x: [], relu_backward, X, ValueError, "forward returned no numbers"),
    ("an empty array", lambda x: x[:0], relu_backward, X, ValueError, "returned no numbers"),
    (
        "an object",
        lambda x: Graph(),
        relu_backward,
        X,
        TypeError,
        "output is of type Graph: expected",
    ),
    ("integers", np.sin, relu_backward, np.arange(3), TypeError, "inputs has dtype int64"),
    ("random", lambda x: x * RNG.random(), relu_backward, X, ValueError, "the cost is random"),
    ("another array", lambda _: X, relu_backward, X, ValueError, "does not change with its param"),
]


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize(
    ("forward", "backward", "inputs", "error", "message"),
    [case[1:] for case in BAD],
    ids=[case[0] for case in BAD],
)
def test_bad_passes_are_told(
    forward: Any, backward: Any, inputs: Any, error: type[Exception], message: str
) -> None:
    """The message names the pass, the array and what was expected."""
    with pytest.raises(error, match=message):
        check_vjp(forward, backward, inputs)


def test_an_output_of_another_shape_is_told() -> None:
    """It would be broadcast otherwise."""
    shapes = iter([(4,), (1,)])
    with pytest.raises(ValueError, match=r"output of the forward pass has shape \(1,\)"):
        check_vjp(lambda x: np.full(next(shapes), x.sum()), lambda x, dy: x, X)


@pytest.mark.parametrize(("option", "value"), [("seed", -1), ("tolerance", 2), ("method", "fast")])
def test_options_are_those_of_a_gradient(option: str, value: Any) -> None:
    """Bad ones are refused before anything is drawn from them."""
    with pytest.raises(ValueError, match=f"{option} is {value!r}"):
        check_vjp(relu, relu_backward, X, **{option: value})


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("eps", "the library chooses the steps"),
        ("in_place", "the inputs that it is given"),
        ("workers", "one after the other. Pass method='directions'"),
    ],
)
def test_options_of_other_checks_are_explained(option: str, told: str) -> None:
    """By the name of the check that was called."""
    given: dict[str, Any] = {option: True}
    for check in (check_vjp, assert_vjp):
        with pytest.raises(TypeError, match=f"{option} is not an option of check_vjp: .*{told}"):
            check(relu, relu_backward, X, **given)
    with pytest.raises(TypeError, match=f"{option} is not an option of check_stack: .*{told}"):
        check_stack([(relu, relu_backward)], X, **given)


def test_a_layer_is_told_nothing_of_options_that_its_check_has_not() -> None:
    """Its arrays are what it gets."""
    with pytest.raises(TypeError, match=r'have a gradient, {"W": simplen.*W}\.$'):
        check_vjp(relu, relu_backward, SimpleNamespace(W=X))


def test_a_report_speaks_of_forward_and_its_output() -> None:
    """A layer has no cost."""
    kept = P["W"]
    report = check_vjp(lambda p: affine({**p, "W": kept}), affine_backward, P)
    assert "W: it has no effect on the output: is it left out, or masked here?" in str(report)
    assert "cost" not in str(report)


def test_a_failure_tells_how_the_passes_are_called() -> None:
    """Passes of another signature are recognised by the note in the traceback."""

    def unpacked(x: Any, W: Any) -> Any:
        return x @ W

    with pytest.raises(TypeError, match="missing 1 required") as caught:
        check_vjp(unpacked, relu_backward, (X, X.T))  # type: ignore[arg-type]
    (note,) = caught.value.__notes__
    assert note.endswith("called as forward(inputs), all in one argument: [0] and [1].")

    with pytest.raises(TypeError) as caught:
        check_vjp(lambda x: (x, 2 * x), lambda x, dy: dy / 2, X)
    (note,) = caught.value.__notes__
    assert "output[0] and output[1]. If forward returns a cache" in note

    with pytest.raises(TypeError) as caught:
        check_vjp(unpacked, relu_backward, {"x": X, "W": X.T})  # type: ignore[arg-type]
    (note,) = caught.value.__notes__
    assert note.endswith("x and W. lambda p: forward(**p) passes them by name.")


def test_a_cache_of_inputs_is_told_from_an_output() -> None:
    """If the gradient is wrong; a layer may return an input as it is, as a split does."""

    def split(x: Any) -> Any:
        return np.sin(x), x

    report = check_vjp(split, lambda x, dy: dy[0] * np.cos(x), X)
    assert "output[1] equals one of the inputs: if forward returns a cache" in str(report)
    assert not check_vjp(split, lambda x, dy: dy[0] * np.cos(x) + dy[1], X).notes
    assert not check_vjp(lambda x: x, lambda x, dy: 2 * dy, X).notes


def test_an_assertion_has_the_report() -> None:
    """A right pass says nothing."""
    assert_vjp(affine, affine_backward, P)
    with pytest.raises(AssertionError, match="The gradient is wrong in b"):
        assert_vjp(affine, but(b=lambda _, dY: dY[0]), P)


# A stack


def dense(p: Any) -> Any:
    """Return the product of what the layer before returned with the weights."""
    return p["x"] @ p["W"]


def dense_backward(p: Any, dy: Any) -> Any:
    """Return the right gradient."""
    return {"x": dy @ p["W"].T, "W": p["x"].T @ dy}


def stack(**other: Any) -> dict[str, Any]:
    """Return a stack of right layers, but for those that are given."""
    layers: dict[str, Any] = {
        "first": (dense, dense_backward, {"W": P["W"]}),
        "relu": (relu, relu_backward),
        "second": (dense, dense_backward, {"W": P["W"][:, :2]}),
        "loss": (lambda x: (x**2).mean(), lambda x, u: 2 * x * u / x.size),
    }
    return layers | other


WRONG: dict[str, Any] = {
    "first": (dense, lambda p, dy: dense_backward(p, dy) | {"W": dy.T @ p["x"]}, {"W": P["W"]}),
    "relu": (relu, lambda x, dy: dy * (x > 0.5)),
    "second": (
        dense,
        lambda p, dy: dense_backward(p, dy) | {"W": -p["x"].T @ dy},
        {"W": P["W"][:, :2]},
    ),
    "loss": (lambda x: (x**2).mean(), lambda x, u: 2 * x * u),
}
SQUARE = X[:4]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", WRONG)
def test_the_wrong_layer_of_a_stack_is_named(name: str, method: str) -> None:
    """All others are right, on both sides of it."""
    report = check_stack(stack(**{name: WRONG[name]}), SQUARE, method=method)
    assert report.verdict == "wrong"
    assert [one for one, of_it in report.layers.items() if not of_it] == [name]
    assert str(report).startswith(f"{name} is wrong, the other 3 layers are right.\n")


def test_no_mistake_hides_another() -> None:
    """Two wrong layers are both named, and what is right between them is right."""
    report = check_stack(stack(first=WRONG["first"], loss=WRONG["loss"]), SQUARE)
    assert str(report).startswith("first and loss are wrong, the other 2 layers are right.\n")
    assert "look at the code between" not in str(report)
    wrong = [path for path, array in report.arrays.items() if array.verdict == "wrong"]
    assert wrong == ["first.W", "loss.x"]


def test_a_right_stack_is_right() -> None:
    """Its arrays are named after their layers, in a list by their numbers."""
    report = check_stack(stack(), SQUARE)
    assert report
    assert list(report.arrays) == ["first.x", "first.W", "relu.x", "second.x", "second.W", "loss.x"]
    assert report.evaluations == sum(one.evaluations for one in report.layers.values())
    assert str(report).startswith("The gradient is correct.\n")
    numbered = check_stack(list(stack().values()), SQUARE)
    assert list(numbered.layers) == ["layer1", "layer2", "layer3", "layer4"]


def test_several_values_run_through_a_stack() -> None:
    """A layer may hand on a nest, such as a value and a shortcut."""
    split = (lambda x: (np.tanh(x), x), lambda x, dy: dy[0] * (1 - np.tanh(x) ** 2) + dy[1])
    add = (lambda x: x[0] + x[1], lambda _, dy: (dy, dy))
    assert check_stack({"split": split, "add": add}, X)
    no_shortcut = (split[0], lambda x, dy: dy[0] * (1 - np.tanh(x) ** 2))
    report = check_stack({"split": no_shortcut, "add": add}, X)
    assert str(report).startswith("split is wrong, the other layer is right.\n")


def test_a_layer_without_slopes_is_not_called_right() -> None:
    """Units that are all dead leave it undecided, though the others are right."""
    shift = (lambda x: x - 100, lambda _, dy: dy)
    report = check_stack({"shift": shift, "relu": (relu, relu_backward)}, X)
    assert report.verdict == "undecided"
    assert str(report).startswith("relu is undecided, the other layer is right.\n")


BAD_STACKS: list[tuple[str, Any, type[Exception], str]] = [
    ("no dict", relu, TypeError, "layers is of type function: expected a dict of layers"),
    ("none", {}, ValueError, "there are no layers"),
    ("no pair", {"relu": relu}, TypeError, "relu is of type .*: expected a pair"),
    ("one pass", {"relu": (relu,)}, TypeError, "relu is of type .*: expected a pair"),
    ("no function", {"relu": (relu, X)}, TypeError, "backward is of type ndarray"),
    ("list", {"a": (dense, dense_backward, [X])}, TypeError, "the parameters of a are of type"),
    ("x", {"a": (dense, dense_backward, {"x": X})}, ValueError, "the parameters of a include an x"),
    ("shape", {"relu": (relu, lambda x, dy: dy.T)}, ValueError, r"relu\.x of the gradient that"),
]


@pytest.mark.parametrize(
    ("layers", "error", "message"), [c[1:] for c in BAD_STACKS], ids=[c[0] for c in BAD_STACKS]
)
def test_bad_stacks_are_told(layers: Any, error: type[Exception], message: str) -> None:
    """The message names the layer."""
    with pytest.raises(error, match=message):
        check_stack(layers, X)


def test_a_failure_in_a_stack_tells_the_layer() -> None:
    """What a pass raises comes with the name of its layer."""
    with pytest.raises(ValueError, match="matmul") as caught:
        check_stack(stack(second=(dense, dense_backward, {"W": np.ones((3, 2))})), SQUARE)
    assert "This concerns the layer second." in caught.value.__notes__


def test_a_layer_whose_units_are_all_dead_is_told_as_that() -> None:
    """It stands still, so that a backward pass without its mask is not judged there."""
    dead = -np.ones((3, 4))
    forward = partial(np.maximum, 0.0)
    assert check_vjp(forward, lambda x, u: u * (x > 0), dead).untested == {"zero": 12}
    report = check_vjp(forward, lambda x, u: u, dead)
    assert "the output is flat" in str(report)
    assert "is masked" in str(report)
    assert check_vjp(forward, lambda x, u: u, -dead)
