"""A Jacobian is checked row by row, with the calls of one row, and wrong rows are named."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof import JacobianReport, assert_jacobian, check_jacobian
from backproof._shared import Shared
from support.checkout import CI
from support.drawn import draws

METHODS = ("entries", "directions")
every_method = pytest.mark.parametrize("method", METHODS)

Case = tuple[Callable[[Any], Any], Callable[[Any], Any], Any]
Array = Any


# Functions, drawn at random, with the right Jacobian


def affine(rng: np.random.Generator) -> Case:
    """Return a product with a matrix of rows that differ in size by orders of magnitude."""
    A = rng.normal(size=(7, 5)) * 10.0 ** rng.uniform(-6, 6, (7, 1))
    return lambda x: A @ x, lambda _: A, rng.normal(size=5)


def tanh(rng: np.random.Generator) -> Case:
    """Return a layer of units."""
    W = rng.normal(size=(12, 8))
    return (
        lambda x: np.tanh(W @ x),
        lambda x: (1 - np.tanh(W @ x) ** 2)[:, None] * W,
        rng.normal(size=8),
    )


def relu(rng: np.random.Generator) -> Case:
    """Return a layer of which about half of the units are dead."""
    W = rng.normal(size=(12, 8))
    return lambda x: np.maximum(W @ x, 0), lambda x: (W @ x > 0)[:, None] * W, rng.normal(size=8)


def decay(rng: np.random.Generator) -> Case:
    """Return the residuals of a curve that is fitted, with parameters by name."""
    t, data = np.linspace(0, 20, 40), rng.normal(size=40)

    def jacobian(p: Any) -> Any:
        fade = np.exp(-p["rate"] * t)
        ones = np.ones_like(t)
        return {"rate": -t * p["line"][0] * fade, "line": np.stack([fade, ones, t], axis=1)}

    def residuals(p: Any) -> Any:
        return p["line"][0] * np.exp(-p["rate"] * t) + p["line"][1] + p["line"][2] * t - data

    return residuals, jacobian, {"rate": rng.uniform(0.1, 1), "line": rng.normal(size=3)}


def banded(rng: np.random.Generator) -> Case:
    """Return the valley of Rosenbrock, as residuals: most entries are 0."""
    n = 10

    def jacobian(x: Array) -> Array:
        J, i = np.zeros((2 * n - 2, n)), np.arange(n - 1)
        J[i, i], J[i, i + 1], J[n - 1 + i, i] = -20 * x[:-1], 10, -1
        return J

    return (
        lambda x: np.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]]),
        jacobian,
        rng.normal(size=n),
    )


def outer(rng: np.random.Generator) -> Case:
    """Return a matrix of values."""
    eye = np.eye(4)
    return (
        lambda x: np.outer(x, x**2),
        lambda x: np.einsum("j,ik->ijk", x**2, eye) + np.einsum("i,jk->ijk", 2 * x, eye * x),
        rng.normal(size=4),
    )


def hessian(rng: np.random.Generator) -> Case:
    """Return a gradient, whose Jacobian is the Hessian."""
    A = rng.normal(size=(6, 6))

    def second(x: Array) -> Array:
        p = np.exp(A @ x)
        p /= p.sum()
        return A.T @ (np.diag(p) - np.outer(p, p)) @ A

    def first(x: Array) -> Array:
        p = np.exp(A @ x)
        return A.T @ (p / p.sum())

    return first, second, rng.normal(size=6)


def hinges(rng: np.random.Generator) -> Case:
    """Return a line that bends at its knots: most values do not see most of them."""
    t = np.linspace(0, 1, 40)

    def jacobian(p: Any) -> Any:
        on = 1.0 * (t[:, None] > p["knots"])
        return {"knots": -on * p["line"], "line": on * (t[:, None] - p["knots"])}

    return (
        lambda p: np.maximum(t[:, None] - p["knots"], 0) @ p["line"],
        jacobian,
        {"knots": rng.uniform(0, 1, 3), "line": rng.normal(size=3)},
    )


def pool(rng: np.random.Generator) -> Case:
    """Return the largest of each four numbers in a square."""

    def blocks(x: Array) -> Array:
        return x.reshape(4, 2, 4, 2).swapaxes(1, 2).reshape(16, 4)

    places = blocks(np.arange(64)).astype(int)

    def jacobian(x: Array) -> Array:
        J = np.zeros((16, 64))
        J[np.arange(16), places[np.arange(16), blocks(x).argmax(axis=1)]] = 1
        return J.reshape(16, 8, 8)

    return lambda x: blocks(x).max(axis=1), jacobian, rng.normal(size=(8, 8))


CASES = (affine, tanh, relu, decay, banded, outer, hessian, hinges, pool)

every_case = pytest.mark.parametrize("draw", CASES, ids=lambda draw: draw.__name__)


@every_case
@every_method
def test_a_right_jacobian_is_confirmed(draw: Callable[..., Case], method: str) -> None:
    """Of those that were drawn anew, none is accused, and hardly one is left open."""
    verdicts = []
    for rng in draws(20 if CI else 5):
        function, jacobian, x = draw(rng)
        seed = int(rng.integers(1000))
        verdicts.append(check_jacobian(function, jacobian, x, method=method, seed=seed).verdict)
    assert "wrong" not in verdicts
    assert verdicts.count("undecided") <= 1


def spoilt(jacobian: Array, rng: np.random.Generator) -> tuple[Array, tuple[int, ...]]:
    """Return a Jacobian with a mistake in an entry that is as large as any of its row."""
    rows = jacobian.reshape(len(jacobian), -1)
    i = int(rng.choice(np.flatnonzero(np.abs(rows).max(axis=1) > 0)))
    j = int(np.argmax(np.abs(rows[i])))
    changed = rows.copy()
    changed[i, j] *= 1 + rng.choice([-1, 1]) * 10.0 ** rng.uniform(-4, 1)
    index = np.unravel_index(i * rows.shape[1] + j, jacobian.shape)
    return changed.reshape(jacobian.shape), tuple(map(int, index))


@every_case
@every_method
def test_one_wrong_entry_is_found_and_named(draw: Callable[..., Case], method: str) -> None:
    """It is the first that is listed, by its row and its column; a row is no larger than itself."""
    missed = []
    for rng in draws(20 if CI else 5):
        function, jacobian, x = draw(rng)
        right = jacobian(x)
        path = "line" if isinstance(right, dict) else "parameters"
        wrong, index = spoilt(right["line"] if isinstance(right, dict) else right, rng)
        claim = {**right, "line": wrong} if isinstance(right, dict) else wrong
        report = check_jacobian(function, claim, x, method=method)
        entries = report.arrays[path].entries
        if report.verdict != "wrong" or not entries or entries[0].index != index:
            missed.append((index, str(report)))
    assert len(missed) <= 1, missed[0]


# What it takes


@pytest.mark.parametrize("m", [1, 10, 200])
def test_all_rows_share_the_calls(m: int) -> None:
    """However many rows there are: two calls for each parameter, or a few along directions."""
    rng, calls = np.random.default_rng(m), []
    W = rng.normal(size=(m, 20)) / 5  # no unit is saturated

    def function(x: Array) -> Array:
        calls.append(0)
        return np.tanh(W @ x)

    def jacobian(x: Array) -> Array:
        return (1 - np.tanh(W @ x) ** 2)[:, None] * W

    for method, most in (("entries", 50 + 20), ("directions", 30)):
        calls.clear()
        report = check_jacobian(function, jacobian, rng.normal(size=20), method=method)
        assert report.verdict == "correct"
        assert report.evaluations == len(calls) <= most


@pytest.mark.parametrize(
    ("x", "most"), [(np.random.default_rng(0).normal(size=60), 12), (np.arange(1.0, 61.0), 18)]
)
def test_zeros_take_several_times_as_many_calls(x: Array, most: int) -> None:
    """A slope of 0 is compared with those nearby, which all rows share as well."""
    report = check_jacobian(np.sin, lambda x: np.diag(np.cos(x)), x, method="entries")
    assert report.verdict == "correct"
    assert 5 * x.size < report.evaluations <= most * x.size


def test_each_reader_gets_the_results_in_the_order_of_the_calls() -> None:
    """So that a function that returns other values each time looks so to each of them."""
    returned: list[Array] = []

    def function(x: Array) -> Array:
        returned.append(x + len(returned))
        return returned[-1]

    shared = Shared(function)
    one, other = shared.reader(), shared.reader()
    x, y = np.zeros(1), np.ones(1)
    assert [float(one(at)[0]) for at in (x, x, y, x)] == [0.0, 1.0, 3.0, 3.0]
    assert [float(other(at)[0]) for at in (y, x, x, x)] == [3.0, 0.0, 1.0, 3.0]
    assert shared.calls == len(returned) == 4


def test_what_is_wrong_everywhere_takes_a_bounded_number_of_calls() -> None:
    """Not that of each row, many times."""
    rng = np.random.default_rng(0)
    W, x = rng.normal(size=(60, 60)), rng.normal(size=60)
    claim = rng.normal(size=(60, 60))
    for method, most in (("entries", 1400), ("directions", 1000)):
        report = check_jacobian(lambda x: np.tanh(W @ x), claim, x, method=method)
        assert report.verdict == "wrong"
        assert report.evaluations <= most


def test_units_that_wake_further_off_take_few_calls() -> None:
    """Entries of 0 are not looked into where a step that is far longer changes something."""
    function, jacobian, x = pool(np.random.default_rng(0))
    close = 1 + x / 100  # any of four numbers is soon the largest
    report = check_jacobian(function, jacobian, close, method="entries")
    assert report.verdict == "correct"
    assert set(report.untested) == {"zero"}
    assert report.evaluations <= 2 * 64 + 10 * 16


@every_method
def test_zeros_are_untested_only_where_no_row_reads_the_parameter(method: str) -> None:
    """A zero between a row and a parameter that another row reads is what the claim says."""
    x, jump = np.array([0.3, 1.1, -2.0, 0.7]), np.eye(4)[1:] - np.eye(4)[:-1]

    def check(function: Any, jacobian: Any) -> JacobianReport:
        return check_jacobian(function, jacobian, x, method=method)

    sparse = check(lambda x: np.diff(x) ** 2, lambda x: 2 * np.diff(x)[:, None] * jump)
    assert (sparse.verdict, sparse.untested) == ("correct", {})
    # The third unit is dead.
    relu = check(lambda x: np.maximum(x, 0) * x, lambda x: np.diag(2 * np.maximum(x, 0)))
    assert (relu.verdict, relu.untested) == ("correct", {"zero": 4})


@every_method
def test_what_stands_where_a_zero_belongs_is_found(method: str) -> None:
    """And a zero that should be something else."""
    x = np.array([0.3, 1.1, -2.0, 0.7])
    for row, column, claimed in ((0, 1, 0.5), (2, 2, 0.0)):
        J = np.diag(2 * x)
        J[row, column] = claimed
        report = check_jacobian(lambda x: x**2, J, x, method=method)
        (entry,) = report.arrays["parameters"].entries
        assert entry.index == (row, column)


# What it says


def line(x: Array) -> Array:
    """Return four values of three parameters."""
    return M @ x + x[0] ** 2


def slopes(x: Array) -> Array:
    """Return their Jacobian."""
    J = M.copy()
    J[:, 0] += 2 * x[0]
    return J


M = np.random.default_rng(5).normal(size=(4, 3))
SQUARE = np.random.default_rng(6).normal(size=(4, 4))
X = np.array([0.5, -1.0, 2.0])


def but(change: Callable[[Array], None]) -> Callable[[Array], Array]:
    """Return the Jacobian with a mistake."""

    def jacobian(x: Array) -> Array:
        J = slopes(x)
        change(J)
        return J

    return jacobian


def times(where: Any, factor: Any) -> Callable[[Array], None]:
    """Return what multiplies a part of an array."""

    def change(J: Array) -> None:
        J[where] *= factor

    return change


SAID = [
    (times(..., 2), "it is 2 times the numerical Jacobian: is there a 2 too many?"),
    (times(2, -1), "in its row 2, it has the wrong sign"),
    (times([0, 2], 0.5), "in its rows 0 and 2, it is half the numerical Jacobian"),
    (times((1, 2), 3), "one of its 12 entries is wrong, all others are right"),
    (times((..., 1), 3), "in its column 1, it is 3 times the numerical Jacobian"),
    (times((3, [0, 1]), [2, 7]), "only its row 3 is wrong"),
]


@pytest.mark.parametrize(("change", "text"), SAID)
def test_rows_columns_and_factors_are_named(change: Callable[[Array], None], text: str) -> None:
    """In the words for a Jacobian."""
    report = check_jacobian(line, but(change), X)
    mistake = report.arrays["parameters"].mistake
    assert mistake is not None
    assert mistake.text.startswith(text)
    assert "gradient" not in str(report)
    assert "the cost" not in str(report)


TRANSPOSED = r"has shape \(3, 4\): expected \(4, 3\).*transposed\?"


def test_a_transpose_is_named() -> None:
    """Where it has the shape of the Jacobian itself; otherwise, the shape tells."""
    mistake = (
        check_jacobian(lambda x: SQUARE @ x, SQUARE.T, np.ones(4)).arrays["parameters"].mistake
    )
    assert mistake is not None
    assert mistake.kind == "transposed"
    with pytest.raises(ValueError, match=TRANSPOSED):
        check_jacobian(line, lambda x: slopes(x).T, X)


def test_the_shape_of_a_sparse_matrix_tells_as_well() -> None:
    """It is not read as another matrix of as many entries."""
    sparse = pytest.importorskip("scipy.sparse").csr_array
    assert check_jacobian(line, lambda x: sparse(slopes(x)), X)
    with pytest.raises(ValueError, match=TRANSPOSED):
        check_jacobian(line, lambda x: sparse(slopes(x).T), X)


def test_a_jacobian_that_is_0_says_within_which_number() -> None:
    """Where all its rows are, as at the lowest point of each value; otherwise there is none."""
    at_the_lowest = check_jacobian(
        lambda x: 1 + (x - X) ** 2, lambda x: np.diag(2 * (x - X)), X.copy(), method="directions"
    )
    assert "0 within 1e-0" in str(at_the_lowest)
    assert "within" not in str(check_jacobian(line, slopes, X, method="directions"))


@every_method
def test_the_row_and_the_parameter_are_named(method: str) -> None:
    """In a line for each wrong entry; of a matrix of values, by the index."""
    assert "row 1 with respect to parameters[2]: Jacobian" in str(
        check_jacobian(line, but(times((1, 2), 3)), X, method=method)
    )
    p = {"a": X, "b": 2.0}
    report = check_jacobian(
        lambda p: np.outer(p["a"], [1.0, p["b"]]),
        lambda p: {
            "a": np.einsum("j,ik->ijk", [1.0, p["b"]], np.eye(3)),
            "b": np.stack([0 * p["a"], -p["a"]], axis=1),
        },
        p,
        method=method,
    )
    assert "row [2, 1] with respect to b: Jacobian -2, numerical 2" in str(report)
    assert report.arrays["a"].verdict == "correct"
    assert report.values == (3, 2)


@every_method
def test_a_row_that_stands_still_is_judged(method: str) -> None:
    """Where other rows tell that the function reads its parameters."""

    def function(x: Array) -> Array:
        return np.array([x @ x, 3.0])

    right = check_jacobian(function, lambda x: np.stack([2 * x, 0 * x]), X, method=method)
    assert right.verdict == "correct"
    wrong = check_jacobian(function, lambda x: np.stack([2 * x, 1 + 0 * x]), X, method=method)
    assert wrong.verdict == "wrong"
    assert {entry.index[0] for entry in wrong.arrays["parameters"].entries} == {1}


@every_method
def test_a_row_of_which_nothing_is_known_is_left_open(method: str) -> None:
    """However many others are right."""
    report = check_jacobian(
        lambda x: np.append(line(x), np.round(x.sum(), 6)),
        lambda x: np.vstack([slopes(x), np.ones(3)]),
        X,
        method=method,
    )
    assert report.verdict == "undecided"


@every_method
def test_a_single_value_is_told_as_a_gradient(method: str) -> None:
    """It has no row that could be named."""
    report = check_jacobian(lambda x: x @ x, lambda x: 2 * x * [1, 3, -0.7], X, method=method)
    mistake = report.arrays["parameters"].mistake
    assert mistake is not None
    assert "row" not in mistake.text
    assert "parameters[1]: Jacobian" in str(report)


def test_the_first_row_is_named_by_its_number() -> None:
    """Along directions, too, where no rule knows what is wrong with it."""
    report = check_jacobian(line, but(times((0, [0, 1]), [2, 7])), X, method="directions")
    mistake = report.arrays["parameters"].mistake
    assert mistake is not None
    assert mistake.text == "only its row 0 is wrong"


@every_method
def test_a_small_row_does_not_drown(method: str) -> None:
    """Each row is judged by its own error, whatever the others are."""
    report = check_jacobian(
        lambda x: np.array([1e-20 * x @ x, 1e20 * x @ x]),
        lambda x: np.stack([1e-20 * x, 2e20 * x]),
        X,
        method=method,
    )
    mistake = report.arrays["parameters"].mistake
    assert mistake is not None
    assert mistake.text.startswith("in its row 0, it is half the numerical Jacobian")


# What it takes as a Jacobian


def sparse(J: Array) -> Any:
    """Return a sparse matrix."""
    return pytest.importorskip("scipy.sparse").csr_array(J)


def coordinates(J: Array) -> Any:
    """Return a sparse matrix of an older kind."""
    return pytest.importorskip("scipy.sparse").coo_matrix(J)


def dictionary(J: Array) -> Any:
    """Return a sparse matrix that is a dict of its entries."""
    return pytest.importorskip("scipy.sparse").dok_array(J)


def operator(J: Array) -> Any:
    """Return an operator with both products."""
    return pytest.importorskip("scipy.sparse.linalg").aslinearoperator(J)


def only_forward(J: Array) -> Any:
    """Return an operator without the product from the left."""
    linear = pytest.importorskip("scipy.sparse.linalg").LinearOperator
    return linear(J.shape, matvec=lambda v: J @ v)


FORMS = (np.asarray, np.ndarray.tolist, sparse, coordinates, dictionary, operator, only_forward)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_forms_of_a_jacobian(form: Callable[[Array], Any]) -> None:
    """Arrays, lists, sparse matrices and operators, right and wrong."""
    assert check_jacobian(line, lambda x: form(slopes(x)), X)
    assert check_jacobian(line, form(slopes(X)), X)
    report = check_jacobian(line, lambda x: form(but(times((1, 2), 3))(x)), X)
    assert report.arrays["parameters"].entries[0].index == (1, 2)


@pytest.mark.parametrize("form", FORMS[2:], ids=lambda form: form.__name__)
def test_a_matrix_stands_for_any_shape(form: Callable[[Array], Any]) -> None:
    """What has two axes only has a row for each value and a column for each parameter."""
    B, Y = np.eye(2), SQUARE[:3, :2]
    J = np.kron(M, B)
    assert check_jacobian(lambda Y: M @ Y, form(J), Y)
    p = {"Y": Y, "x": X}
    assert check_jacobian(
        lambda p: M @ p["Y"] + (M @ p["x"])[:, None],
        {"Y": form(J), "x": form(np.repeat(M, 2, axis=0))},
        p,
    )
    report = check_jacobian(lambda Y: M @ Y, form(2 * J), Y)
    assert report.verdict == "wrong"


@every_method
def test_results_in_the_same_memory(method: str) -> None:
    """A function and its Jacobian may write to it, call after call; mistakes are found as ever."""
    values, J = np.zeros(4), np.zeros((4, 3))

    def into(x: Array) -> Array:
        values[:] = line(x)
        return values

    def right(x: Array) -> Array:
        J[:] = slopes(x)
        return J

    def wrong(x: Array) -> Array:
        J[:] = but(times(2, -1))(x)
        return J

    assert check_jacobian(into, right, X, method=method)
    report = check_jacobian(into, wrong, X, method=method)
    assert {entry.index[0] for entry in report.arrays["parameters"].entries} == {2}


def test_products_that_are_not_finite_are_accused_and_not_their_adjoint() -> None:
    """A dot-product test says nothing of them."""
    lost = Products()
    lost.factor = np.nan
    assert check_jacobian(line, lost, X).verdict == "wrong"


class Products:
    """An operator of which one product is twice the other."""

    shape, factor = (4, 3), 1.0

    def matvec(self, v: Array) -> Array:
        """Return the product with a vector, or several."""
        return self.factor * slopes(X) @ v

    def rmatvec(self, u: Array) -> Array:
        """Return twice the product of a vector with it."""
        return 2 * u @ slopes(X)

    __matmul__ = matvec


def test_the_products_of_an_operator_have_to_agree() -> None:
    """By a dot-product test: a solver uses both."""
    with pytest.raises(ValueError, match="rmatvec of the Jacobian is not the adjoint"):
        check_jacobian(line, Products(), X)


@pytest.mark.parametrize(
    ("ahead", "back"), [(np.float32, np.float32), (float, np.float32), (np.float32, float)]
)
def test_products_in_single_precision_agree_in_its_digits(ahead: type, back: type) -> None:
    """However few digits one of them has, twice of it is too much."""

    class Single(Products):
        times = 1

        def matvec(self, v: Array) -> Array:
            return slopes(X).astype(ahead) @ v.astype(ahead)

        def rmatvec(self, u: Array) -> Array:
            return self.times * u.astype(back) @ slopes(X).astype(back)

        __matmul__ = matvec

    operator = Single()
    assert check_jacobian(line, operator, X, tolerance=1e-5)
    operator.times = 2
    with pytest.raises(ValueError, match="rmatvec of the Jacobian is not the adjoint"):
        check_jacobian(line, operator, X)


@pytest.mark.parametrize("off", [1e-6, 1e-3])
def test_approximate_products_agree_within_the_tolerance(off: float) -> None:
    """As those of an operator that solves a system until its residual is small enough."""

    class Solved(Products):
        def rmatvec(self, u: Array) -> Array:
            return u @ slopes(X) * (1 + off)

    assert check_jacobian(line, Solved(), X, tolerance=2 * off)
    with pytest.raises(ValueError, match="approximate, pass a tolerance") as raised:
        check_jacobian(line, Solved(), X, tolerance=off / 2)
    back, ahead = re.findall(r"is (-?[\d.]+)[,.]", str(raised.value))
    assert float(back) != float(ahead)


class Ahead:
    """An operator with one product and nothing else."""

    shape, length = (4, 3), 4

    def matvec(self, v: Array) -> Array:
        """Return the product with a vector."""
        return (slopes(X) @ v)[: self.length]


def test_an_operator_needs_no_more_than_its_product() -> None:
    """Neither `@` nor `rmatvec`; the length of the product is looked at."""
    assert check_jacobian(line, Ahead(), X)
    short = Ahead()
    short.length = 2
    with pytest.raises(ValueError, match=r"shape \(2,\) for a vector of 3 .*expected 4 numbers"):
        check_jacobian(line, short, X)


def test_several_results_are_to_be_joined() -> None:
    """Rows of other lengths are no array."""
    with pytest.raises(ValueError, match=r"several results, join them with np\.concatenate\.$"):
        check_jacobian(lambda x: (x, x[:2]), slopes(X), X)


def test_a_function_that_returns_both() -> None:
    """As `root` takes it with `jac=True`."""
    assert check_jacobian(lambda x: (line(x), slopes(x)), True, X)
    with pytest.raises(TypeError, match=r"expected the pair \(values, Jacobian\)"):
        check_jacobian(line, True, X)
    with pytest.raises(ValueError, match="pass True as the Jacobian"):
        check_jacobian(lambda x: (line(x), slopes(x)), slopes, X)


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_both_may_be_lists_as_root_takes_them(kind: Callable[[Any], Any]) -> None:
    """As the values and the rows are without the pair; a wrong row is found."""

    def both(x: Array, slope: float = 2.0) -> Any:
        return kind([x[0] ** 2 + x[1], x[0] * x[1]]), [[slope * x[0], 1], [x[1], x[0]]]

    x = np.array([1.2, 0.7])
    assert check_jacobian(both, True, x).verdict == "correct"
    assert check_jacobian(lambda x: both(x, 1.0), True, x).verdict == "wrong"


def test_parameters_and_values_of_any_kind() -> None:
    """Numbers, lists of numbers, nests."""
    assert check_jacobian(lambda s: [s**2, np.sin(s)], lambda s: [2 * s, np.cos(s)], 0.7)
    assert check_jacobian(lambda x: x @ x, lambda x: 2 * x, X)
    assert check_jacobian(
        lambda x: [x[0] * x[1], x[0] ** 2], lambda x: [[x[1], x[0]], [2 * x[0], 0]], [1.5, 2.0]
    )
    own = X.copy()
    assert check_jacobian(lambda _: line(own), lambda _: slopes(own), own, in_place=True)
    np.testing.assert_array_equal(own, X)


@pytest.mark.parametrize("rows", [list, lambda J: J.tolist(), lambda J: J])
def test_a_list_of_rows_stands_for_an_array(rows: Callable[[Array], Any]) -> None:
    """In a dict, too, as by itself; a wrong one is found."""
    t = np.array([0.5, 1.0, 2.0])

    def function(p: Any) -> Any:
        return p["a"] * t + p["b"][0] * t**2 + p["b"][1]

    def jacobian(p: Any, factor: float = 1.0) -> Any:
        return {"a": rows(t), "b": rows(factor * np.stack([t**2, np.ones(3)], axis=1))}

    p = {"a": 2.0, "b": np.ones(2)}
    assert check_jacobian(function, jacobian, p).verdict == "correct"
    report = check_jacobian(function, lambda p: jacobian(p, 2.0), p)
    assert {path: array.verdict for path, array in report.arrays.items()} == {
        "a": "correct",
        "b": "wrong",
    }


def test_one_matrix_for_parameters_by_name_is_taken_apart_as_the_error_says() -> None:
    """Its columns are those of the arrays, one after the other."""
    J = np.arange(12.0).reshape(2, 6)

    def function(p: Any) -> Any:
        return J @ np.append(p["a"], p["b"])

    p = {"a": np.ones(2), "b": np.ones((2, 2))}
    with pytest.raises(TypeError, match=r"one array of shape \(2, 6\)") as said:
        check_jacobian(function, J, p)
    code = re.search(r"such as (.+) for b\.$", str(said.value))
    assert code
    claimed = {"a": J[:, :2], "b": eval(code[1], {"J": J})}  # what it says is what has to run
    assert check_jacobian(function, claimed, p).verdict == "correct"


def test_single_precision() -> None:
    """Of the parameters, and of the function, too, where that is all it has."""
    W, x = M.astype(np.float32), X.astype(np.float32)

    def right(x: Array) -> Array:
        return (1 - np.tanh(W @ x) ** 2)[:, None] * W

    assert check_jacobian(lambda x: np.tanh(W @ x), right, x)
    report = check_jacobian(lambda x: np.tanh(W @ x), lambda x: 1.5 * right(x), x)
    assert report.verdict == "wrong"


# What it refuses

REFUSED = [
    (lambda x: None, slopes, "the function returned None"),
    (lambda x: {"a": x}, slopes, "the function returned a dict: check one"),
    (lambda x: "text", slopes, "expected real numbers"),
    (lambda x: [], slopes, "the function returned no values"),
    (lambda x: dictionary(M), slopes, r"returned is of type dok_array: convert it with \.toarray"),
    (line, lambda x: 1j * slopes(x), "the Jacobian is complex, but its parameter is real"),
    (lambda x: line(x).astype(object), slopes, "a value of dtype object"),
    (lambda x: np.ma.masked_less(line(x), 1e3), slopes, "the function returned masked values"),
    (line, lambda x: {"x": slopes(x)}, "the Jacobian is a dict, but the parameters are not"),
    (line, lambda x: slopes(x).ravel(), r"is \.reshape\(4, 3\) missing\?"),
    (lambda x: np.log(line(x) - 1e3), slopes, r"values\[0\] of the function is nan"),
    (line, lambda x: None, "the Jacobian is None: is a return statement missing"),
    (line, lambda x: slopes(x)[:3], r"the Jacobian has shape \(3, 3\): expected \(4, 3\)"),
    (lambda x: line(X), slopes, "the function does not change with its parameters"),
    (lambda x: line(x) + np.random.default_rng().normal(), slopes, "the function is random"),
    (line, lambda x: slopes(x) + np.random.default_rng().normal(), "call of the Jacobian returned"),
    (lambda x: line(x)[: 4 if x[0] == X[0] else 3], slopes, "after values of shape"),
    (5, slopes, "expected a function"),
]


@pytest.mark.parametrize(("function", "jacobian", "message"), REFUSED)
def test_what_is_refused(function: Any, jacobian: Any, message: str) -> None:
    """It says what was wrong, in the words for a function and its Jacobian."""
    with pytest.raises((TypeError, ValueError), match=message) as raised:
        check_jacobian(function, jacobian, X)
    assert "gradient" not in str(raised.value)
    assert "the cost" not in str(raised.value)


def test_parameters_that_need_an_option_are_told_the_name_of_this_check() -> None:
    """It has the option, too."""
    with pytest.raises(
        TypeError, match=r"the function reads .* check_jacobian needs in_place=True"
    ):
        check_jacobian(line, slopes, SimpleNamespace(x=X))


def test_a_function_that_changes_its_parameters_is_refused() -> None:
    """As a cost is."""

    def changing(x: Array) -> Array:
        x *= 2
        return line(x)

    with pytest.raises(ValueError, match="the function changes its parameters in place"):
        check_jacobian(changing, slopes, X)


def test_errors_of_the_function_are_its_own() -> None:
    """With the line that raised them."""

    def failing(x: Array) -> Array:
        raise KeyError("data")

    with pytest.raises(KeyError, match="data") as raised:
        check_jacobian(failing, slopes, X)
    assert raised.traceback[-1].name == "failing"


@every_method
def test_the_end_of_a_domain(method: str) -> None:
    """What cannot be measured on both sides is untested; the rest is judged."""

    def ending(x: Array) -> Array:
        if x[0] > X[0]:
            raise RuntimeError("outside")
        return line(x)

    report = check_jacobian(ending, slopes, X, method=method)
    assert report.verdict == "correct"
    assert report.untested == {"not finite": 4}


def test_the_assertion_has_the_report() -> None:
    """And passes where it is right."""
    assert_jacobian(line, slopes, X)
    with pytest.raises(AssertionError, match="row 1 with respect to"):
        assert_jacobian(line, but(times((1, 2), 3)), X)


def test_the_report_as_data() -> None:
    """With the shape of the values, which come first in each index."""
    report = check_jacobian(line, but(times((1, 2), 3)), X)
    assert isinstance(report, JacobianReport)
    data = report.to_dict()
    assert data["values"] == [4]
    assert data["arrays"]["parameters"]["entries"][0]["index"] == [1, 2]
    assert data["arrays"]["parameters"]["shape"] == [4, 3]
