"""One function for cost and gradient, and functions that read arrays of their own."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backproof import assert_gradient, check_gradient, check_jacobian, course
from backproof._functions import Pair
from backproof._objective import LISTED
from backproof._parameters import flatten
from support.catalogue import AT_A_KINK, RIGHT, WRONG, Kink, Model, Right, Wrong
from support.checkout import CI
from support.drawn import draws

METHODS = ("entries", "directions")
every_method = pytest.mark.parametrize("method", METHODS)
CASES = [*RIGHT[::4], *WRONG[::6], *AT_A_KINK][:: 1 if CI else 2]


class Both:
    """The function of a model that returns cost and gradient, and counts its calls."""

    def __init__(self, model: Model, gradient: Callable[[Any], Any]) -> None:
        self.model, self.claim, self.calls = model, gradient, 0

    def __call__(self, parameters: Any) -> tuple[Any, Any]:
        self.calls += 1
        return self.model.cost(parameters), self.claim(parameters)


# Pairs


@every_method
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_pair_gets_the_report_of_its_two_functions(
    case: Right | Wrong | Kink, method: str
) -> None:
    """Right, wrong and at kinks, where points nearby are compared; and it is called no more."""
    model = case.model
    for gradient in (model.gradient, lambda _: case.claimed):
        both = Both(model, gradient)
        report = check_gradient(both, True, model.parameters, method=method)
        apart = check_gradient(model.cost, gradient, model.parameters, method=method)
        assert str(report) == str(apart)
        assert both.calls == report.evaluations == apart.evaluations


def test_each_gradient_of_a_pair_is_that_of_its_point() -> None:
    """Also where float64 is measured, where all calls write to the same memory, and by workers."""
    for rng in draws(10):
        w = rng.normal(size=6).astype(np.float32)
        memory: dict[type, Any] = {}

        def both(w: Any, memory: dict[type, Any] = memory) -> tuple[Any, Any]:
            g = memory.setdefault(w.dtype.type, np.empty_like(w))
            np.cos(w, out=g)
            return np.sum(np.sin(w)), g

        report = check_gradient(both, True, w)
        assert report.verdict == "correct"
        assert "Measured in float64" in str(report)
        with ThreadPoolExecutor(2) as pool:
            assert str(check_gradient(both, True, w, workers=pool.map)) == str(report)


def cubes(w: Any) -> tuple[Any, Any]:
    """Return a cost and its gradient, from where other processes find it."""
    return np.sum(w**3), 3 * w**2


def test_a_pair_is_sent_to_processes_without_its_gradient() -> None:
    """Which may be as large as the parameters."""
    pair = Pair(cubes)
    assert pair(np.ones(10_000)) == 10_000
    assert pair.gradient(None).shape == (10_000,)
    assert len(pickle.dumps(pair)) < 1000
    w = np.linspace(1, 2, 20)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        report = check_gradient(cubes, True, w, workers=pool.map)
    assert str(report) == str(check_gradient(cubes, True, w))


def test_a_gradient_that_changes_from_call_to_call_is_refused_in_a_pair() -> None:
    """As one that accumulates; the first two calls are compared."""
    g = np.zeros(3)

    def accumulates(w: Any) -> tuple[Any, Any]:
        np.add(g, 2 * w, out=g)
        return np.sum(w**2), g

    with pytest.raises(ValueError, match=r"2 times the first.*does it accumulate"):
        check_gradient(accumulates, True, np.ones(3))


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (1.0, "a value of type float: expected the pair"),
        (np.ones(2), "a value of type ndarray: expected the pair"),
        ((1.0, 2.0, {}), "a tuple of 3: expected the pair"),
        ([1.0], "a list of 1: expected the pair"),
    ],
)
def test_what_is_no_pair_is_refused(returned: Any, words: str) -> None:
    """With True as the gradient; a list of two is a pair."""
    with pytest.raises(TypeError, match=f"the function returned {words}"):
        check_gradient(lambda w: returned, True, 1.0)
    assert check_gradient(lambda w: [w**2, 2 * w], True, 1.0)


def test_a_pair_whose_cost_is_no_number_says_so() -> None:
    """As that of JAX with `has_aux=True`, whose cost comes with something else."""
    with pytest.raises(TypeError, match=r"begins with a tuple of 2: .*has_aux=True, drop"):
        check_gradient(lambda w: ((w**2, {}), 2 * w), True, 1.0)
    with pytest.raises(TypeError, match=r"the cost returned an array of shape \(2,\)"):
        check_gradient(lambda w: (w**2, 2 * w), True, np.ones(2))


@pytest.mark.parametrize("nest", [lambda g: g, lambda g: {"w": g}, lambda g: [g, g]])
def test_a_pair_in_the_other_order_says_so(nest: Callable[[Any], Any]) -> None:
    """As `torch.func.grad_and_value` returns it."""
    with pytest.raises(TypeError, match=r"and ends with a number: .* swap the two"):
        check_gradient(lambda w: (nest(2 * w), np.sum(w**2)), True, np.ones(2))
    assert check_gradient(lambda w: (w**2, 2 * w), True, np.ones(1))


@pytest.mark.parametrize(
    ("gradient", "words"),
    [
        (None, "the gradient that was passed is None: .* use numerical_gradient"),
        (lambda w: None, "the gradient is None: is a return statement missing"),
        (lambda w: (3 * w**2,), "is of type tuple, .*: .* Take its only item"),
        (lambda w: ({"w": 3 * w**2},), "an array of 2 numbers. Take its only item"),
        (lambda w: (np.sum(w**3), 3 * w**2), "type tuple, .*: .*, and True here"),
        (lambda w: (3 * w**2, np.sum(w**3)), r"expected a list or an array of 2 numbers\.$"),
    ],
)
def test_what_comes_with_a_gradient_is_taken_off(gradient: Any, words: str) -> None:
    """The message says how."""
    with pytest.raises(TypeError, match=words):
        check_gradient(lambda w: np.sum(w**3), gradient, np.ones(2))


@pytest.mark.parametrize(
    ("gradient", "shapes", "words"),
    [
        (np.ones(2), {"w": 2}, r"w\. Pass it by its name, as in \{'w': g\}\.$"),
        ((np.ones(2),), {"w": 2}, r"Take its only item\. Pass it by its name, as in"),
        (({"w": np.ones(2)},), {"w": 2}, r"w\. Take its only item\.$"),
        ({"w": (np.ones(2),)}, {"w": 2}, r"unexpected w\[0\]: expected w\. Take its only item\.$"),
        (np.ones(6), {"W": (2, 2), "b": 2}, r"such as g\[4:6\]\.reshape\(2,\) for b\.$"),
        (np.ones(5), {"W": (2, 2), "b": 2}, r"shape \(5,\): expected W, b\.$"),
        (np.ones(2), {"w": 3}, r"shape \(2,\): expected w\.$"),
    ],
)
def test_a_gradient_without_names_is_told_where_it_belongs(
    gradient: Any, shapes: Any, words: str
) -> None:
    """Each message leads to a gradient that is taken."""
    parameters = {name: np.ones(shape) for name, shape in shapes.items()}
    with pytest.raises((TypeError, ValueError), match=words):
        check_gradient(lambda p: sum(map(np.sum, p.values())), gradient, parameters)


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("cost", [lambda: 1.0, lambda p, X, y: 1.0])
def test_a_cost_of_other_arguments_is_told_how_it_is_called(cost: Any, in_place: bool) -> None:
    """The error stands at the caller's line."""
    with pytest.raises(TypeError, match="positional argument") as raised:
        check_gradient(cost, np.ones(2), np.ones(2), in_place=in_place)
    (note,) = raised.value.__notes__
    assert "calls it with one argument" in note
    assert Path(raised.traceback[-1].path).name == "_calling.py"


def test_digits_that_float32_loses_are_told_from_another_gradient() -> None:
    """By what the gradient returns in float64; a wrong one returns the same in both."""
    w = np.array([7.6, 8.0], np.float32)
    told = "For parameters in float64, the gradient returns other numbers for parameters"
    right = check_gradient(lambda w: np.sum(np.tanh(w)), lambda w: 1 - np.tanh(w) ** 2, w)
    assert told in str(right)
    wrong = check_gradient(lambda w: np.sum(np.tanh(w)), lambda w: 2 / np.cosh(w) ** 2, w)
    assert wrong.verdict == "wrong"
    assert told not in str(wrong)


def test_a_list_that_a_cost_takes_for_an_array_is_told() -> None:
    """SciPy makes an array of it; here, the cost is given what was passed."""

    def squares(x: Any) -> Any:
        return np.sum(x * x)

    with pytest.raises(TypeError, match="can't multiply sequence") as raised:
        check_gradient(squares, [2.0, 4.0], [1.0, 2.0])
    assert raised.value.__notes__ == [LISTED]
    assert check_gradient(squares, [2.0, 4.0], np.array([1.0, 2.0]))


def test_a_complex_gradient_is_told_its_parts() -> None:
    """Of complex numbers in two arrays."""
    z = {"re": np.ones(2), "im": np.ones(2)}
    with pytest.raises(TypeError, match=r'Pass \{"re": g.real, "im": g.imag\}\.$'):
        check_gradient(lambda z: np.sum(z["re"] ** 2), np.ones(2) + 1j, z)


def test_a_call_inside_the_cost_keeps_its_traceback() -> None:
    """That it has too few arguments is no matter of the check."""

    def loss(p: Any) -> Any:
        return np.dot(p)  # type: ignore[call-overload]

    def inner(p: Any) -> Any:
        return (lambda a, b: a)(p)  # type: ignore[call-arg]

    for cost in (loss, inner):
        with pytest.raises(TypeError, match="argument") as raised:
            check_gradient(cost, np.ones(2), np.ones(2))
        assert Path(raised.traceback[-1].path) == Path(__file__)
        assert not hasattr(raised.value, "__notes__")


def test_a_pair_without_true_says_so() -> None:
    """Wherever a cost is taken."""
    with pytest.raises(TypeError, match=r"returned a tuple .*pass True as the gradient"):
        check_gradient(cubes, lambda w: 3 * w**2, np.ones(2))
    with pytest.raises(TypeError, match="the cost is of type float: expected a function"):
        check_gradient(1.0, True, np.ones(2))  # type: ignore[arg-type]


# Arrays of their own


class Net:
    """A network of the course: it reads its own arrays, and keeps what its gradient needs."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.X, self.y = rng.normal(size=(4, 6)), rng.normal(size=6)
        kept = rng.normal(size=(2, 5, 8))
        self.params: Any = {
            "W1": np.asfortranarray(kept[0, :, :4]),
            "layers": [{"b": kept[1, :, 1:2]}, {"W": kept[1, :, ::2].T[:1]}],
            "b": np.array(0.5),
        }

    def loss(self, X: Any, y: Any) -> tuple[Any, None]:
        """Return the cost, and a cache that nobody needs."""
        first, second = self.params["layers"]
        self.A = np.maximum(self.params["W1"] @ X + first["b"], 0)
        self.d = second["W"] @ self.A + self.params["b"] - y
        return np.mean(self.d**2), None

    def grads(self, X: Any) -> Any:
        """Return the gradient of the last cost."""
        d = 2 * self.d / self.d.size
        dA = self.params["layers"][1]["W"].T @ d * (self.A > 0)
        layers = [{"b": dA.sum(1, keepdims=True)}, {"W": d @ self.A.T}]
        return {"W1": dA @ X.T, "layers": layers, "b": d.sum()}

    def functions(self, scale: float = 1) -> tuple[Any, Any, Any]:
        """Return the arguments of a check; the gradient of the biases may be wrong."""

        def gradient(_: Any) -> Any:
            grads = self.grads(self.X)
            grads["layers"][0]["b"] *= scale
            return grads

        return lambda _: self.loss(self.X, self.y)[0], gradient, self.params

    def state(self) -> dict[str, bytes]:
        """Return the bits of all arrays."""
        return {path: array.tobytes() for path, array in flatten(self.params).items()}

    def both(self, parameters: Any) -> tuple[Any, Any]:
        """Return cost and gradient at the parameters that are given."""
        other = object.__new__(Net)
        other.params = parameters
        return other.loss(self.X, self.y)[0], other.grads(self.X)


@every_method
def test_the_idiom_of_the_course_is_checked_in_place(method: str) -> None:
    """The report is that of a cost that reads its argument, and the arrays are as they were."""
    for rng in draws(10):
        net = Net(rng)
        before, nest = net.state(), net.params
        cost, gradient, parameters = net.functions()
        with pytest.raises(ValueError, match=r"add in_place=True\."):
            check_gradient(cost, gradient, parameters, method=method)
        apart = check_gradient(net.both, True, parameters, method=method)
        report = check_gradient(cost, gradient, parameters, method=method, in_place=True)
        assert str(report) == str(apart)
        assert report.verdict == "correct"
        wrong = check_gradient(*net.functions(2), method=method, in_place=True)
        assert [p for p, a in wrong.arrays.items() if a.verdict == "wrong"] == ["layers[0].b"]
        assert (net.state(), net.params) == (before, nest)


def test_entries_at_kinks_are_compared_nearby_in_place() -> None:
    """The gradient is asked for at that point, and the caller's arrays come back from there."""
    w = np.array([0.0, 1.0, -2.0])
    seen = []

    def gradient(_: Any) -> Any:
        seen.append(w.copy())
        return np.sign(w)

    report = check_gradient(lambda _: np.sum(abs(w)), gradient, w, in_place=True)
    assert report.verdict == "correct"
    assert "a nearby point" in str(report)
    assert any(point[0] for point in seen)
    assert w.tolist() == [0.0, 1.0, -2.0]


def test_a_pair_is_checked_in_place() -> None:
    """Whether it reads its argument or not."""
    w = np.array([1.0, 2.0])
    for argument in (True, False):

        def both(p: Any, argument: bool = argument) -> tuple[Any, Any]:
            return cubes(p if argument else w)

        def twice(p: Any) -> tuple[Any, Any]:
            cost, gradient = both(p)
            return 2 * cost, gradient

        assert_gradient(both, True, w, in_place=True)
        with pytest.raises(AssertionError, match="half the numerical"):
            assert_gradient(twice, True, w, in_place=True)


def test_single_precision_is_measured_as_it_is_in_place() -> None:
    """The arrays cannot take float64, for which no call is lost; where the argument is read, do."""
    w = np.linspace(1, 2, 5).astype(np.float32)
    here = check_gradient(lambda _: float(np.sum(np.sin(w))), np.cos(w), w, in_place=True)
    assert "Measured in float64" in str(check_gradient(lambda w: np.sum(np.sin(w)), np.cos(w), w))

    def only_single(w: Any) -> float:
        assert w.dtype == np.float32
        return float(np.sum(np.sin(w)))

    single = check_gradient(only_single, np.cos(w), w)
    assert str(here) == str(single)
    assert here.verdict == "correct"


@every_method
@pytest.mark.parametrize(
    "failure", [KeyboardInterrupt, SystemExit, TypeError, ValueError, GeneratorExit]
)
def test_the_arrays_come_back_whatever_is_raised(failure: type[BaseException], method: str) -> None:
    """In each call of the cost or the gradient, bit for bit."""
    w = {"w": np.array([0.0, -0.0, 1 / 3, 1e-300]), "b": np.array(0.1)}
    before = {path: array.tobytes() for path, array in w.items()}
    for last in range(40):
        calls = iter(range(last))

        def counted(value: Any, calls: Iterator[int] = calls) -> Any:
            if next(calls, None) is None:
                raise failure
            return value

        with suppress(failure):
            check_gradient(
                lambda _: counted(np.sum(np.exp(w["w"]) * w["b"])),
                lambda _: counted({"w": np.exp(w["w"]) * w["b"], "b": np.exp(w["w"]).sum()}),
                w,
                method=method,
                in_place=True,
            )
        assert {path: array.tobytes() for path, array in w.items()} == before


def test_a_function_that_changes_its_own_arrays_is_refused() -> None:
    """As one that changes its argument; they come back all the same."""
    w = np.array([1.0, 2.0])

    def cost(_: Any) -> Any:
        np.multiply(w, 0.9, out=w)
        return np.sum(w**2)

    def gradient(_: Any) -> Any:
        return np.multiply(w, 2, out=w)

    with pytest.raises(ValueError, match="the cost changes its parameters in place"):
        check_gradient(cost, 2 * w, w, in_place=True)
    with pytest.raises(ValueError, match="the gradient changes its parameters in place"):
        check_gradient(lambda _: np.sum(w**2), gradient, w, in_place=True)
    assert w.tolist() == [1.0, 2.0]


def read_only() -> Any:
    """Return an array that cannot be written to."""
    array = np.ones(2)
    array.flags.writeable = False
    return array


FLAT = np.linspace(1, 2, 10)


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"W": np.ones(2), "b": 0.5}, TypeError, "b is of type float, which cannot be displaced"),
        (np.float64(0.5), TypeError, "parameters is of type float64, which cannot be displaced"),
        ([np.ones(2), {"b": read_only()}], ValueError, r"\[1\].b is read-only"),
        ({"V": FLAT[:6], "W": FLAT[5:]}, ValueError, "V and W share memory"),
        ({"V": FLAT, "W": FLAT}, ValueError, "V and W share memory.*the sum of both"),
        ({"W": np.arange(3)}, TypeError, "W has dtype int64"),
    ],
)
def test_what_cannot_be_displaced_in_place_is_refused(
    parameters: Any, error: type[Exception], words: str
) -> None:
    """Before anything is called."""
    calls = count()
    with pytest.raises(error, match=words):
        check_gradient(lambda _: float(next(calls)), parameters, parameters, in_place=True)
    assert next(calls) == 0


def test_views_of_one_vector_are_displaced_in_place_where_they_do_not_overlap() -> None:
    """Neighbours, and every other entry."""
    flat = np.linspace(1, 2, 10)
    for p in ({"V": flat[:5], "W": flat[5:]}, {"V": flat[::2], "W": flat[1::2]}):

        def gradient(_: Any, p: dict[str, Any] = p) -> Any:
            return {name: np.cos(view) for name, view in p.items()}

        assert check_gradient(lambda _: np.sum(np.sin(flat)), gradient, p, in_place=True)


def test_copies_of_what_the_cost_reads_are_refused_in_place() -> None:
    """The message does not recommend what was done already."""
    w = np.ones(3)
    with pytest.raises(ValueError, match="does the cost read copies of them") as refused:
        check_gradient(lambda _: np.sum(w**2), 2 * w, w.copy(), in_place=True)
    assert "in_place=True" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"in_place": True, "workers": lambda f, points: map(f, points)},
            "does not work with workers",
        ),
        ({"in_place": "yes"}, "in_place is 'yes': expected True or False"),
    ],
)
def test_in_place_goes_with_no_workers(options: dict[str, Any], words: str) -> None:
    """The built-in map is none."""
    with pytest.raises(ValueError, match=words):
        check_gradient(*course_case(), **options)
    assert check_gradient(*course_case(), in_place=True, workers=map)


def course_case() -> tuple[Any, Any, Any]:
    """Return cost, gradient and parameters of the course's network."""
    X, Y, parameters = course.gradient_check_n_test_case()
    _, cache = course.forward_propagation_n(X, Y, parameters)
    gradients = course.backward_propagation_n(X, Y, cache)
    claimed = {key: gradients["d" + key] for key in parameters}
    return lambda _: course.forward_propagation_n(X, Y, parameters)[0], claimed, parameters


def test_one_value_in_a_list_is_not_taken_for_a_gradient() -> None:
    """A number beside it is a Jacobian without its row, and no pair in the other order."""
    with pytest.raises(ValueError, match="the Jacobian has shape"):
        check_jacobian(lambda x: ([x**2], 2 * x), True, 3.0)
    assert check_jacobian(lambda x: ([x**2], [2 * x]), True, 3.0)
