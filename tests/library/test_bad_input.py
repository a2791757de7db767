"""Bad input gets one clear error: what, where, what was expected, and what to do."""

import itertools
import math
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import pytest

from backproof import (
    assert_gradient,
    check_gradient,
    check_jacobian,
    course,
    derivative,
    numerical_gradient,
    relative_difference,
)

ONES = np.ones(3)
X, Y, PARAMETERS = course.gradient_check_n_test_case()
CACHE = course.forward_propagation_n(X, Y, PARAMETERS)[1]
GRADIENTS = course.backward_propagation_n(X, Y, CACHE)


def total(parameters: Any) -> float:
    """Return the sum of all entries of a nest."""
    if isinstance(parameters, dict):
        return sum(map(total, parameters.values()))
    return float(np.sum(parameters))


def scale_in_place(w: Any) -> float:
    """Return a cost that changes its parameters."""
    w *= 0.9
    return float(np.sum(w))


def returns(value: Any) -> Callable[[Any], Any]:
    """Return a cost of a constant value."""
    return lambda _: value


def changing() -> Callable[[Any], float]:
    """Return a cost that is another one in each call."""
    values = itertools.count(1)
    return lambda _: float(next(values))


def gradient_of(parameters: Any) -> Callable[[], Any]:
    """Return the call that measures the gradient of the sum of some parameters."""
    return lambda: numerical_gradient(total, parameters)


def slope_of_cost(cost: Any) -> Callable[[], Any]:
    """Return the call that measures the gradient of some cost."""
    return lambda: numerical_gradient(cost, ONES)


def along(direction: Any) -> Callable[[], Any]:
    """Return the call that measures a slope along some direction."""
    return lambda: derivative(total, {"W": np.ones((2, 2)), "b": 1.0}, direction)


def difference(gradient: Any, approximation: Any, ord: Any = 2) -> Callable[[], Any]:
    """Return the call that compares two gradients."""
    return lambda: relative_difference(gradient, approximation, ord)


class Tensor:
    """What NumPy cannot read, and is recognised by an attribute."""

    requires_grad = True
    shape = (3,)
    ndim = 1

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise RuntimeError("Use tensor.detach().numpy() instead.\nNot this line.")


class Scalar:
    """What holds a number, and no array."""

    def __init__(self, number: Any) -> None:
        self.number = number

    def item(self) -> Any:
        """Return the number."""
        if not isinstance(self.number, float):
            raise ValueError("it holds no number")
        return self.number


class Tree:
    """What JAX takes apart, and is made from its arrays alone."""

    def __init__(self, W: Any, b: Any) -> None:
        self.W, self.b = W, b

    def tree_flatten(self) -> Any:
        """Return the arrays."""
        return (self.W, self.b), None


class Slotted:
    """What keeps an array in a slot."""

    __slots__ = ("W",)

    def __init__(self) -> None:
        self.W = ONES


class Sparse:
    """What has to be converted by a method of its own."""

    def toarray(self) -> Any:
        """Return the array."""
        return ONES


class Buffer:
    """What NumPy can read."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return ONES


class Sharded(Buffer):
    """What NumPy can read, and JAX keeps in shards."""

    addressable_shards = ()


class Frame(Buffer):
    """What NumPy can read, and has a method for it."""

    def to_numpy(self) -> Any:
        """Return the array."""
        return ONES


class Layer:
    """What keeps arrays beside other things."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


class Module:
    """What has its parameters in itself."""

    def named_parameters(self) -> Any:
        """Return them."""
        return {"w": ONES}.items()


BAD: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    # Parameters that cannot be displaced.
    (
        "no parameters",
        gradient_of({}),
        ValueError,
        "there are no parameters: expected at least one",
    ),
    ("no entries", gradient_of([np.ones((0, 3))]), ValueError, "there are no parameters"),
    (
        "integers",
        gradient_of({"W": np.arange(3)}),
        TypeError,
        "W has dtype int64.*astype\\(float\\)",
    ),
    (
        "half precision",
        gradient_of({"W": np.ones(3, np.float16)}),
        TypeError,
        "W has dtype float16, which .*: convert it with .astype.float., or leave it out if it has",
    ),
    ("an integer from NumPy", gradient_of([np.int64(3)]), TypeError, "\\[0\\] has dtype int64"),
    ("complex", gradient_of({"W": 1j * ONES}), TypeError, "W is complex: pass {.re.: z.real"),
    ("a complex number", gradient_of(1 + 1j), TypeError, "parameters is complex"),
    ("booleans", gradient_of({"mask": ONES > 0}), TypeError, "mask has dtype bool: expected real"),
    ("a boolean", gradient_of({"bias": True}), TypeError, "bias has dtype bool"),
    ("text", gradient_of({"name": "tanh"}), TypeError, "name is of type str: expected a number"),
    (
        "nothing",
        gradient_of({"a": [{"b": None}]}),
        TypeError,
        "a\\[0\\].b is of type NoneType: leave it out, unless",
    ),
    (
        "a tensor",
        gradient_of({"w": Tensor()}),
        TypeError,
        "w is of type Tensor: convert it with .detach\\(\\).cpu\\(\\).numpy\\(\\), and let the",
    ),
    (
        "a module",
        gradient_of(Module()),
        TypeError,
        "Module: pass {name: w.detach.*named_parameters.*needs in_place=True\\.$",
    ),
    (
        "an object",
        gradient_of([Layer(units=3, W=ONES)]),
        TypeError,
        r"\[0\] is of type Layer: pass those of its arrays that have a gradient, "
        r"{\"W\": layer.W}; if the cost reads .* needs in_place=True\.$",
    ),
    (
        "an object with a dict",
        gradient_of(Layer(cache={}, params={"W": ONES}, X=ONES)),
        TypeError,
        "parameters is of type Layer: pass its dict of arrays, layer.params; if the cost reads",
    ),
    (
        "an object with a list",
        gradient_of(Layer(names=["W"], params=[ONES], X=ONES)),
        TypeError,
        "parameters is of type Layer: pass its list of arrays, layer.params; if the cost reads",
    ),
    (
        "an object with layers",
        gradient_of(Layer(A=ONES, layers=[Layer(units=3, W=ONES, b=ONES)])),
        TypeError,
        r"such as \[{\"W\": layer.W, \"b\": layer.b} for layer in layer.layers\]; if the cost",
    ),
    (
        "an object with many arrays",
        gradient_of(Layer(classes=np.arange(3), **dict.fromkeys("abcde", ONES))),
        TypeError,
        r"a gradient, {\"a\": layer.a, .*\"d\": layer.d, ...}; if the cost",
    ),
    (
        "without arrays",
        gradient_of(Layer(W=[1.0], params={"W": 1.0})),
        TypeError,
        "type Layer: expected a number",
    ),
    (
        "a sparse matrix",
        gradient_of({"A": Sparse()}),
        TypeError,
        "A is of .*toarray.*to check its stored entries only.*A.d",
    ),
    ("a generator", gradient_of(iter([1.0])), TypeError, "with list\\(\\.\\.\\.\\), or with dict"),
    (
        "an object with slots",
        gradient_of(Slotted()),
        TypeError,
        "of type Slotted: pass those of its arrays .*, {.W.: slotted.W}; if the cost reads",
    ),
    (
        "a decimal number",
        gradient_of([Decimal("0.5")]),
        TypeError,
        "Decimal: convert it with float",
    ),
    ("the class", gradient_of({"w": Module}), TypeError, "w is of type type: pass an instance"),
    (
        "the values",
        gradient_of({"w": 1.0}.values()),
        TypeError,
        "dict_values: pass the dict itself",
    ),
    ("a proxy", gradient_of(MappingProxyType({"w": 1.0})), TypeError, "convert it with dict"),
    ("an array of JAX", gradient_of([Sharded()]), TypeError, "convert all with jax.tree.map"),
    (
        "layers in an object",
        gradient_of(Layer(name="net", layers=[None, Layer(W=ONES)])),
        TypeError,
        "what it holds, such as .* for layer in layer.layers\\]; if .* in_place=True\\.$",
    ),
    (
        "layers without arrays",
        gradient_of(Layer(layers=[Layer(W=1.0)])),
        TypeError,
        "type Layer: expected a number",
    ),
    ("a buffer", gradient_of(Buffer()), TypeError, "parameters is of .*convert it with np.asarray"),
    ("a frame", gradient_of(Frame()), TypeError, "type Frame: convert it with .to_numpy\\(\\)\\.$"),
    ("a set", gradient_of({1.0, 2.0}), TypeError, "parameters is of type set"),
    (
        "two keys that look the same",
        gradient_of({math.nan: 1.0, float("nan"): 2.0}),
        ValueError,
        "two keys are printed as \\[nan\\]: expected keys that print differently",
    ),
    (
        "an object that JAX takes apart",
        gradient_of(Tree(ONES, ONES)),
        TypeError,
        "a dict of its arrays, .+; inside value_and_grad, call the loss with Tree\\(\\*\\*p\\)",
    ),
    (
        "objects",
        gradient_of({"W": np.array([None])}),
        TypeError,
        "W has dtype object: convert it with .astype\\(float\\), or, if its rows are of unequal",
    ),
    ("dates", gradient_of(np.array(["2020"], "M8[D]")), TypeError, "dtype datetime64"),
    (
        "nan",
        gradient_of({"W": np.array([[1.0, np.nan]])}),
        ValueError,
        "W\\[0, 1\\] is nan: expected f",
    ),
    ("infinity", gradient_of({"b": -np.inf}), ValueError, "b is -inf: expected finite parameters"),
    ("infinity in x", lambda: derivative(total, np.inf), ValueError, "parameters is inf"),
    # Costs that cannot be differentiated.
    (
        "no function",
        slope_of_cost(3.0),
        TypeError,
        "the cost is of type float: expected a function",
    ),
    ("a vector", slope_of_cost(lambda w: w), TypeError, "shape \\(3,\\) \\(is a sum or a mean"),
    ("nothing returned", slope_of_cost(returns(None)), TypeError, "None \\(is a return statement"),
    (
        "text returned",
        slope_of_cost(returns("1")),
        TypeError,
        "a value of type str: expected one real",
    ),
    ("a list returned", slope_of_cost(returns([1.0])), TypeError, "a value of type list"),
    ("a truth value", slope_of_cost(returns(True)), TypeError, "a value of type bool"),
    ("a complex cost", slope_of_cost(returns(1j)), TypeError, "a complex number .take .real"),
    ("a complex array", slope_of_cost(returns(np.array(1j))), TypeError, "one real number"),
    ("an empty array", slope_of_cost(returns(np.ones(0))), TypeError, "shape \\(0,\\)"),
    ("a nan cost", slope_of_cost(returns(np.nan)), ValueError, "the cost is nan at the parameters"),
    (
        "an infinite cost",
        slope_of_cost(returns(np.inf)),
        ValueError,
        "the cost is inf at the param",
    ),
    ("a random cost", slope_of_cost(changing()), ValueError, "random.*1.0 and 2.0.*dropout mask"),
    ("an in-place cost", slope_of_cost(scale_in_place), ValueError, "in place.*W = 0.9 \\* W"),
    # Other arguments of the slopes.
    (
        "no map",
        lambda: numerical_gradient(total, ONES, workers=cast(Any, 2)),
        TypeError,
        "workers is of type int",
    ),
    ("no direction of 2", lambda: derivative(total, ONES[:2]), TypeError, "x holds 2 numbers"),
    ("no direction", lambda: derivative(total, ONES), TypeError, "x holds 3 numbers.*direction"),
    (
        "an array missing",
        along({"W": np.ones((2, 2))}),
        ValueError,
        "direction is missing b: expected W, b",
    ),
    (
        "an unexpected array",
        along({"W": np.ones((2, 2)), "b": 1.0, "c": 1.0}),
        ValueError,
        "the direction has an unexpected c: expected W, b",
    ),
    (
        "a misshapen direction",
        along({"W": np.ones((2, 1)), "b": 1.0}),
        ValueError,
        "W of the direction has shape \\(2, 1\\): expected \\(2, 2\\)",
    ),
    (
        "no motion",
        along({"W": np.zeros((2, 2)), "b": 0.0}),
        ValueError,
        "direction is zero or not finite",
    ),
    (
        "a direction with nan",
        along({"W": np.zeros((2, 2)), "b": np.nan}),
        ValueError,
        "direction is zero or not finite",
    ),
    (
        "text in a direction",
        along({"W": "up", "b": 1.0}),
        TypeError,
        "W of the direction is of type str",
    ),
    # Gradients that cannot be compared.
    (
        "a list for an array",
        difference([1.0] * 3000, ONES),
        TypeError,
        "gradient is of type list, with 3000 items: expected a list or an array of 3 numbers",
    ),
    (
        "an array for a nest",
        difference(ONES, dict.fromkeys("abcdefgh", 1.0)),
        TypeError,
        "of type ndarray, with shape .3,.: expected a, b, c, d, e, f and 2 more",
    ),
    (
        "a mask",
        difference(np.ma.masked_array(ONES, [True, False, False]), ONES),
        TypeError,
        "gradient has masked entries: fill them",
    ),
    (
        "no map along directions",
        lambda: check_gradient(total, ONES, ONES, method="directions", workers=cast(Any, 2)),
        TypeError,
        "workers is of type int",
    ),
    ("no gradient", difference(None, ONES), TypeError, "the gradient is None: is a return"),
    (
        "no gradient of an array",
        difference({"W": np.ones((2, 3)), "b": None}, {"W": np.ones((2, 3)), "b": ONES}),
        TypeError,
        "b of the gradient is None: .*give zeros, np.zeros\\(\\(3,\\)\\); if it is frozen, leave",
    ),
    (
        "a gradient that is on a tape",
        difference({"w": Tensor()}, {"w": ONES}),
        TypeError,
        "w of the gradient cannot be read by NumPy: Use tensor.detach\\(\\).* instead\\.$",
    ),
    (
        "a sparse gradient",
        difference(Sparse(), [1.0, 2.0]),
        TypeError,
        "the gradient is of type Sparse: convert it with .toarray",
    ),
    (
        "a gradient that is an object",
        difference(Layer(W=ONES), ONES),
        TypeError,
        "the gradient is of type Layer: pass those of its arrays .*, {.W.: layer.W}\\.$",
    ),
    (
        "a gradient that is a generator",
        difference({"w": iter([1.0])}, {"w": ONES}),
        TypeError,
        "w of the gradient is of type list_iterator: convert it with list",
    ),
    (
        "a cost on a tape that is no number",
        slope_of_cost(returns(Tensor())),
        TypeError,
        "what the cost returned cannot be read by NumPy: Use tensor.detach",
    ),
    (
        "a cost that holds no number",
        slope_of_cost(returns(Scalar("1"))),
        TypeError,
        "what the cost returned cannot be read by NumPy: it holds no number",
    ),
    (
        "a cost that NumPy reads",
        slope_of_cost(returns(Buffer())),
        TypeError,
        "shape \\(3,\\) \\(is a",
    ),
    ("a cost that is masked", slope_of_cost(lambda w: np.ma.masked), TypeError, "MaskedConstant"),
    (
        "a missing gradient",
        difference({"W": ONES}, {"W": ONES, "b": 1.0}),
        ValueError,
        "is missing b: exp",
    ),
    (
        "an extra gradient",
        difference({"W": 1.0, "b": 1.0}, {"W": 1.0}),
        ValueError,
        "has an unexpected b: expected W",
    ),
    ("two other shapes", difference(ONES, np.ones((3, 1))), ValueError, "shape \\(3,\\): expected"),
    ("text to compare", difference("a", "a"), TypeError, "gradient is of type str"),
    ("a complex gradient", difference(1j * ONES, ONES), TypeError, "is complex"),
    (
        "an unknown norm",
        difference(ONES, ONES, "fro"),
        ValueError,
        "ord is 'fro': expected the order",
    ),
    ("no norm", difference(ONES, ONES, None), ValueError, "ord is None"),
    ("less than a norm", difference(ONES, ONES, 0.5), ValueError, "ord is 0.5: expected the order"),
    ("nan as a norm", difference(ONES, ONES, np.nan), ValueError, "ord is nan"),
    # The course.
    (
        "parameters without b2",
        lambda: course.forward_propagation_n(X, Y, PARAMETERS | {"b2": ONES}),
        ValueError,
        "b2 has shape \\(3,\\): expected \\(3, 1\\)",
    ),
    (
        "gradients without dW3",
        lambda: course.gradients_to_vector({k: v for k, v in GRADIENTS.items() if k != "dW3"}),
        ValueError,
        "dW3 is missing: expected dW1, db1",
    ),
    (
        "X in rows",
        lambda: course.forward_propagation_n(X.T, Y, PARAMETERS),
        ValueError,
        "X has shape \\(3, 4\\): expected \\(4, m\\)",
    ),
    (
        "a label too few",
        lambda: course.forward_propagation_n(X, Y[:2], PARAMETERS),
        ValueError,
        "Y has shape \\(2,\\): expected a label for each column",
    ),
    (
        "half a cache",
        lambda: course.backward_propagation_n(X, Y, CACHE[:6]),
        ValueError,
        "cache is not what forward_propagation_n returned",
    ),
    (
        "half a theta",
        lambda: course.vector_to_dictionary(np.ones(20)),
        ValueError,
        "theta has 20 entries: expected 47",
    ),
]


@pytest.mark.parametrize(
    ("call", "error", "message"), [case[1:] for case in BAD], ids=[c[0] for c in BAD]
)
def test_bad_input_gets_one_clear_error(
    call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    """The type and the words of the error are those of the table."""
    with pytest.raises(error, match=f"(?s){message}") as raised:
        call()
    assert raised.type is error
    assert "/backproof/" in str(raised.traceback[-1].path), "raised inside another library"


TESTS = """
import math

import numpy as np
from backproof import assert_gradient, assert_vjp, check_gradient, check_stack, check_vjp
from backproof import check_jacobian, derivative, numerical_gradient, relative_difference
from numpy.random import random

w = np.ones(3)


def test_parameters():
    check_gradient(np.sum, w, {"W": [1, None]})


def test_gradient():
    assert_gradient(np.sum, w[:2], w)


def test_cost():
    numerical_gradient(lambda w: w, w)


def test_random():
    check_gradient(lambda w: np.sum(w) + random(), w, w)


def test_direction():
    derivative(np.sum, w)


def test_difference():
    relative_difference(w, w, ord="fro")


def test_option():
    assert_gradient(np.sum, w, w, eps=1e-7)


def test_unknown_option():
    check_gradient(np.sum, w, w, methode="entries")


def test_wrong():
    assert_gradient(np.sum, 2 * w, w)


def test_layer():
    check_vjp(np.sin, lambda x, dy: {"W": dy}, w)


def test_wrong_layer():
    assert_vjp(np.sin, lambda x, dy: dy, w)


def test_stack():
    check_stack([np.sin], w)


def test_jacobian():
    check_jacobian(np.sin, np.cos, w)
"""


def test_bad_input_points_to_the_line_of_the_test(pytester: pytest.Pytester) -> None:
    """Under pytest, no frame of the library and none of NumPy stands between line and message."""
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("-p", "no:markdown-docs", "-p", "no:cacheprovider")
    result.assert_outcomes(failed=TESTS.count("def "))
    printed = result.stdout.str()
    located = re.findall(r"^(\S+\.py):\d+: (?:in .+|\w+Error)$", printed, re.MULTILINE)
    assert located == [Path(pytester.path.name).name.removesuffix("0") + ".py"] * TESTS.count(
        "def "
    )
    assert "site-packages" not in printed
    assert "raise" not in printed


def test_what_the_cost_raises_keeps_its_traceback() -> None:
    """A function of Python's own has no frame; then the call of the cost is shown."""

    def broken(w: Any) -> Any:
        raise ValueError("the cost is broken")

    def mistyped(w: Any) -> Any:
        return total(w) + cast(Any, "1")

    for cost, last in (
        (broken, "broken"),
        (mistyped, "mistyped"),
        (math.log, "_call_at_the_point"),
    ):
        with pytest.raises((TypeError, ValueError)) as raised:
            check_gradient(cost, 1.0, -1.0)
        frames = [entry.name for entry in raised.traceback]
        assert frames[-1] == last
        assert "check_gradient" in frames


@pytest.mark.parametrize("name", ["eps", "epsilon", "h", "step"])
def test_options_of_other_checkers_are_explained(name: str) -> None:
    """Steps by all that choose them; where they mean something else, Python says what it does."""
    options: dict[str, Any] = {name: 1e-7}
    calls: list[Callable[[], Any]] = [
        lambda: check_gradient(total, ONES, ONES, **options),
        lambda: assert_gradient(total, ONES, ONES, **options),
        lambda: numerical_gradient(total, ONES, **options),
        lambda: derivative(total, 1.0, **options),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=f"{name} is not an option of .*: the library chooses"):
            call()
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        relative_difference(ONES, ONES, **options)


@pytest.mark.parametrize("name", ["rtol", "atol", "tol", "threshold"])
def test_a_tolerance_by_another_name_is_explained(name: str) -> None:
    """It is relative to the largest entry; a name that nobody uses gets Python's message."""
    known: dict[str, Any] = {name: 1e-7}
    with pytest.raises(TypeError, match=f"{name} is not an option .*relative to the largest entry"):
        check_gradient(total, ONES, ONES, **known)
    for measure in (numerical_gradient, derivative):
        with pytest.raises(TypeError, match=f"{name} is not an option .*: the error is as small"):
            measure(total, ONES, **known)
    unknown: dict[str, Any] = {f"{name}s": 1e-7}
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}s'"):
        check_gradient(total, ONES, ONES, **unknown)


@pytest.mark.parametrize("check", [check_gradient, check_jacobian, assert_gradient])
@pytest.mark.parametrize(
    ("name", "told"),
    [("jac", "in this order, without names"), ("args", "let the function fix them, as lambda p")],
)
def test_names_of_other_signatures_are_explained(check: Any, name: str, told: str) -> None:
    """Where one is missing then, too."""
    with pytest.raises(TypeError, match=f"{name} is not an option of .*: .*{told}"):
        check(total, ONES, ONES, **{name: (1,)})
    with pytest.raises(TypeError, match=f"{name} is not an option of .*: .*{told}"):
        check(total, **{name: (1,)})


@pytest.mark.parametrize("measure", [numerical_gradient, derivative])
def test_further_arguments_are_explained_where_slopes_are_measured(measure: Any) -> None:
    """SciPy's approx_fprime takes them."""
    with pytest.raises(TypeError, match=r"args is not an option of .*: let the function fix them"):
        measure(total, ONES, args=(1,))


def test_the_table_is_long_enough() -> None:
    """At least 40 bad inputs are tried."""
    assert len(BAD) >= 40


@pytest.mark.parametrize("gradient", [Buffer(), {"parameters": Frame()}, [Scalar(1.0)] * 3])
def test_what_numpy_can_read_is_read(gradient: Any) -> None:
    """The siblings of what is refused: results of other libraries that hold numbers."""
    assert relative_difference(gradient, ONES) == 0
    assert check_gradient(lambda w: Scalar(total(w)), gradient, ONES)
    assert not check_gradient(lambda w: Scalar(2 * total(w)), gradient, ONES)
