"""What PyTorch, JAX, pandas and SciPy have goes in as it is, or is refused with what to write."""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof import check_gradient, numerical_gradient, relative_difference
from backproof._objective import real_number

# CI has them all, and takes a skipped test for a failure.
torch: Any = pytest.importorskip("torch")
jax: Any = pytest.importorskip("jax")
pandas: Any = pytest.importorskip("pandas")
sparse: Any = pytest.importorskip("scipy.sparse")

X = np.array([0.3, -0.7, 1.1])


def sine(x: Any) -> Any:
    """Return a cost as a tensor of one number."""
    return torch.sin(torch.tensor(x)).sum()


def tracked(x: Any) -> Any:
    """Return a cost that remembers how it was computed."""
    return torch.sin(torch.tensor(x, requires_grad=True)).sum()


def sine_in_jax(x: Any) -> Any:
    """Return a cost as an array of JAX."""
    return jax.numpy.sin(x).sum()


def gradient_by_torch(x: Any) -> Any:
    """Return the gradient that PyTorch derives."""
    tensor = torch.tensor(x, requires_grad=True)
    torch.sin(tensor).sum().backward()
    return tensor.grad


@pytest.mark.parametrize(
    "cost", [sine, tracked, sine_in_jax, lambda x: pandas.Series(np.sin(x)).sum()]
)
@pytest.mark.parametrize(
    "gradient",
    [
        gradient_by_torch,
        lambda x: list(gradient_by_torch(x)),
        jax.grad(sine_in_jax),
        lambda x: list(jax.grad(sine_in_jax)(x)),
        lambda x: pandas.Series(np.cos(x), index=["a", "b", "c"]),
    ],
)
@pytest.mark.parametrize(("factor", "verdict"), [(1, "correct"), (2, "wrong")])
def test_results_go_in_as_they_are(
    cost: Callable[[Any], Any], gradient: Callable[[Any], Any], factor: int, verdict: str
) -> None:
    """A right gradient is correct, and one that is twice as large is wrong."""

    def claimed(x: Any) -> Any:
        g = gradient(x)
        return [factor * number for number in g] if isinstance(g, list) else factor * g

    assert check_gradient(cost, claimed, X).verdict == verdict


def test_a_cost_keeps_its_precision() -> None:
    """A float32 is read as one, also of a tensor that remembers how it was computed."""
    for cost in (sine(X).float(), tracked(X).float(), jax.numpy.float32(sine(X))):
        assert np.asarray(real_number(cost)).dtype == np.float32
    assert np.asarray(real_number(tracked(X))).dtype == np.float64


def test_a_number_that_numpy_cannot_read_is_read_by_itself() -> None:
    """NumPy has no bfloat16, and reads no memory of a GPU."""
    assert real_number(torch.tensor(1.5, requires_grad=True).bfloat16()) == 1.5
    assert real_number(torch.tensor([1.5]).bfloat16()) == 1.5


def test_gradients_of_named_tuples_come_back_from_jax() -> None:
    """JAX derives with respect to a nest, and returns one."""
    layer = namedtuple("layer", ["W", "b"])

    def cost(p: Any) -> Any:
        return jax.numpy.sum(jax.numpy.sin(p.W)) * p.b

    report = check_gradient(cost, jax.grad(cost), layer(X, np.array(2.0)))
    assert list(report.arrays) == ["W", "b"]
    assert report.verdict == "correct"


def test_the_parameters_of_a_module_have_their_names() -> None:
    """They print as PyTorch prints them."""
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh()).double()
    p = {name: w.detach().numpy() for name, w in net.named_parameters()}

    def cost(p: Any) -> Any:
        tensors = {name: torch.tensor(array) for name, array in p.items()}
        return torch.func.functional_call(net, tensors, (torch.tensor(X),)).sum()

    report = check_gradient(cost, {name: np.zeros_like(array) for name, array in p.items()}, p)
    assert str(report).startswith("The gradient is wrong in 0.weight and 0.bias.")


@jax.tree_util.register_pytree_node_class
class Dense:
    """A class that JAX takes apart; it is made from its arrays alone, or from more."""

    def __init__(self, W: Any, b: Any, **settings: Any) -> None:
        self.W, self.b = W, b
        self.__dict__.update(settings)

    def tree_flatten(self) -> Any:
        """Return the arrays."""
        return (self.W, self.b), None

    @classmethod
    def tree_unflatten(cls, _: Any, arrays: Any) -> Any:
        """Put them together."""
        return cls(*arrays)


class Layer(Dense):
    """A layer that is made from its arrays alone."""

    def __init__(self, W: Any, b: Any) -> None:
        super().__init__(W, b)


def loss_of(dense: Any) -> Any:
    """Return the loss of an object that JAX takes apart."""
    return jax.numpy.sum(jax.numpy.sin(X @ dense.W) * dense.b)


LAYER, DENSE = (kind(jax.numpy.ones((3, 2)), jax.numpy.arange(2.0)) for kind in (Layer, Dense))


def followed(message: str, value: Any, name: str) -> Any:
    """Return the parameters that a message says to pass, and the loss of these."""
    code = re.search(
        r"pass (?:its leaves, |a dict of its arrays, )(.+); inside .+ with (.+)\.$",
        message,
    )
    assert code, message
    names = {"np": np, "jax": jax, name: value, "Layer": Layer}
    make = eval(f"lambda p: {code[2]}", names)  # what it says is what has to run
    return eval(code[1], names), lambda p: loss_of(make(p))


@pytest.mark.parametrize(("value", "arrays"), [(LAYER, ["W", "b"]), (DENSE, ["[0]", "[1]"])])
def test_what_is_said_of_an_object_that_jax_takes_apart_runs(value: Any, arrays: list[str]) -> None:
    """Its arrays by name where it is made from them, or else its leaves."""
    with pytest.raises(TypeError) as said:
        check_gradient(jax.value_and_grad(loss_of), True, value)
    p, loss = followed(str(said.value), value, type(value).__name__.lower())
    report = check_gradient(jax.value_and_grad(loss), True, p)
    assert report.verdict == "correct"
    assert list(report.arrays) == arrays
    assert check_gradient(loss, jax.grad(lambda p: 2 * loss(p)), p).verdict == "wrong"


@pytest.mark.parametrize(("kind", "sign"), [("torch", 1), ("jax", -1)])
def test_complex_parameters_go_in_as_two_arrays(kind: str, sign: int) -> None:
    """The gradient of PyTorch is read as it is, and that of JAX is its conjugate."""
    z = X + 1j * X[::-1]
    with pytest.raises(TypeError, match="complex") as said:
        numerical_gradient(lambda z: abs(z).sum(), z)
    code = re.search(
        r"pass (.+) instead of z, and let the cost compute with (.+)\.$", str(said.value)
    )
    assert code
    p = eval(code[1], {"z": z})  # what it says is what has to run

    def together(p: Any) -> Any:
        return eval(code[2], {"p": p})

    def cost(p: Any) -> Any:
        return np.sum(np.abs(together(p) ** 2 - 1j))

    def gradient(p: Any) -> Any:
        if kind == "jax":
            g = jax.grad(lambda z: jax.numpy.sum(abs(z**2 - 1j)))(together(p))
        else:
            tensor = torch.tensor(together(p), requires_grad=True)
            (tensor**2 - 1j).abs().sum().backward()
            g = tensor.grad.numpy()
        return {"re": g.real, "im": sign * g.imag}

    with jax.enable_x64(True):
        assert check_gradient(cost, gradient, p).verdict == "correct"
    assert check_gradient(cost, lambda p: {**gradient(p), "im": X}, p).verdict == "wrong"


def test_the_stored_entries_of_a_sparse_matrix_go_in_as_its_data() -> None:
    """The message says how the cost puts them back."""
    A = sparse.coo_array(np.triu(np.ones((3, 3))))
    with pytest.raises(TypeError, match=r"convert it with \.toarray\(\)") as said:
        numerical_gradient(lambda A: (A @ X).sum(), A)
    made = re.search(r"A = (A\.tocsr\(\)), .* build (csr_array.+)\.$", str(said.value))
    assert made
    A = eval(made[1], {"A": A})  # what it says is what has to run

    def cost(data: Any) -> Any:
        return np.sum((eval(made[2], {**vars(sparse), "A": A, "data": data}) @ X) ** 2)

    def gradient(_: Any) -> Any:
        return 2 * np.repeat(A @ X, np.diff(A.indptr)) * X[A.indices]

    assert check_gradient(cost, gradient, A.data).verdict == "correct"
    assert check_gradient(cost, lambda data: gradient(data) / 2, A.data).verdict == "wrong"


def test_a_tensor_is_told_how_to_check_a_tensor_and_a_module() -> None:
    """What the message says of both runs, also for what `state_dict` returns."""
    net = torch.nn.Linear(3, 1).double()
    with pytest.raises(TypeError, match=r"weight is of type Tensor: .*torch\.tensor") as said:
        check_gradient(sine, np.cos, net.state_dict())
    code = re.search(r"for a module, pass (.+), with (in_place=True)", str(said.value))
    assert code
    p = eval(code[1], {"net": net})  # what it says is what has to run

    def pair(_: Any) -> Any:
        loss = (net(torch.tensor(X)) ** 2).sum()
        gradients = torch.autograd.grad(loss, net.parameters())
        return loss, dict(zip(p, gradients, strict=True))

    assert check_gradient(pair, True, p, in_place=True).verdict == "correct"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (torch.tensor(X), "parameters is of type Tensor: convert it with .detach().cpu().numpy()"),
        (
            {"w": torch.nn.Parameter(torch.tensor(X))},
            "w is of type Parameter: convert it with .det",
        ),
        (torch.nn.Linear(3, 2), "parameters is of type Linear: pass {name: w.detach().numpy()"),
        (
            torch.nn.Linear(3, 2).parameters(),
            "is of type generator: convert it with list(...), or with dict(...) if",
        ),
        (torch.nn.Linear(3, 2).state_dict(), "weight is of type Tensor: convert it with .detach()"),
        ([jax.numpy.ones(3)], "[0] is of type ArrayImpl: convert all with jax.tree.map("),
        (pandas.Series(X), "parameters is of type Series: convert it with .to_numpy()."),
        (pandas.DataFrame({"x": X}), "of type DataFrame: convert it with .to_numpy()."),
        (
            sparse.csr_matrix(np.eye(3)),
            "csr_matrix: convert it with .toarray(); to check its stored entries only, set",
        ),
        ({"A": sparse.coo_array(np.eye(3))}, "A is of type coo_array: convert it with .toarray()"),
        # These are dicts of their entries.
        (sparse.dok_array(np.eye(3)), "dok_array: convert it with .toarray(); to check"),
        ([sparse.dok_matrix(np.eye(3))], "[0] is of type dok_matrix: convert it with .toarray()"),
        (np.asarray(jax.numpy.ones(3, jax.numpy.bfloat16)), "such as .astype(np.float32) gives"),
    ],
)
def test_parameters_are_refused_with_what_to_write(parameters: Any, message: str) -> None:
    """The cost is given copies of what is passed, in which steps are taken."""
    with pytest.raises(TypeError, match=re.escape(message)):
        numerical_gradient(sine, parameters)


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (
            lambda x: torch.cos(torch.tensor(x, requires_grad=True)),
            r"parameters of the gradient cannot be read by NumPy: .*\.detach\(\)",
        ),
        (
            lambda x: torch.tensor(x).bfloat16(),
            r"cannot be read by NumPy: .*BFloat16\. Convert it with \.float\(\)$",
        ),
        (
            lambda x: sparse.csr_array(np.cos(x)),
            r"parameters of the gradient is of type csr_array: convert it with \.toarray\(\)\.$",
        ),
        (
            lambda x: sparse.dok_array(np.diag(x)),
            r"parameters of the gradient is of type dok_array: convert it with \.toarray\(\)\.$",
        ),
        (
            lambda x: torch.nn.ParameterList([torch.tensor(x)]),
            r"is of type ParameterList: pass \{name: w.detach.*named_parameters\(\)\}\.$",
        ),
    ],
)
def test_gradients_that_numpy_cannot_read_are_refused(
    gradient: Callable[[Any], Any], message: str
) -> None:
    """What their library says of it is passed on."""
    with pytest.raises(TypeError, match=message):
        check_gradient(sine, gradient, X)


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        (lambda x: torch.tensor(x, requires_grad=True), r"an array of shape \(3,\) \(is a sum"),
        (lambda x: torch.tensor(x).bfloat16(), "what the cost returned cannot be read by NumPy"),
        (jax.numpy.sin, r"an array of shape \(3,\) \(is a sum"),
        (pandas.Series, r"an array of shape \(3,\) \(is a sum"),
        (lambda x: sine_in_jax(x) > 0, "an array of shape|a value of type ndarray"),
    ],
)
def test_costs_that_are_no_number_are_refused(cost: Callable[[Any], Any], message: str) -> None:
    """As are those of NumPy."""
    with pytest.raises(TypeError, match=message):
        check_gradient(cost, np.cos(X), X)


def test_differences_are_read_on_both_sides() -> None:
    """A tensor is compared with an array of JAX."""
    both = torch.tensor([2.0, 2.0]), jax.numpy.ones(2)
    assert relative_difference(*both) == pytest.approx(1 / 3)
