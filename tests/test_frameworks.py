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


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (torch.tensor(X), "parameters is of type Tensor: convert it with .detach().cpu().numpy()"),
        (
            {"w": torch.nn.Parameter(torch.tensor(X))},
            "w is of type Parameter: convert it with .det",
        ),
        (torch.nn.Linear(3, 2), "parameters is of type Linear: pass {name: w.detach().numpy()"),
        (torch.nn.Linear(3, 2).parameters(), "is of type generator: convert it with list(...)."),
        (torch.nn.Linear(3, 2).state_dict(), "weight is of type Tensor: convert it with .detach()"),
        ([jax.numpy.ones(3)], "[0] is of type ArrayImpl: convert all with jax.tree.map("),
        (pandas.Series(X), "parameters is of type Series: convert it with .to_numpy()."),
        (pandas.DataFrame({"x": X}), "of type DataFrame: convert it with .to_numpy()."),
        (
            sparse.csr_matrix(np.eye(3)),
            "csr_matrix: convert it with .toarray(), or take its .data.",
        ),
        ({"A": sparse.coo_array(np.eye(3))}, "A is of type coo_array: convert it with .toarray()"),
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
            "parameters of the gradient cannot be read by NumPy: .*BFloat16",
        ),
        (
            lambda x: sparse.csr_array(np.cos(x)),
            r"parameters of the gradient is of type csr_array: convert it with \.toarray\(\)",
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
