"""The check of a layer: its backward pass, against the outputs weighted by an upstream gradient.

The sum of all outputs, each times its entry of a random upstream gradient, is a cost. What the
backward pass makes of that upstream gradient has to be the gradient of this cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from backproof._calling import OPTIONS, WORKERS, public
from backproof._checks import TOLERANCE, check_gradient, close, require_options
from backproof._claims import Array
from backproof._foreign import refuse
from backproof._parameters import (
    Nest,
    Parameters,
    arrays_like,
    entry_name,
    flatten,
    precision_of,
    replace_leaves,
)
from backproof._report import Report, require_correct, worst

Forward = Callable[[Nest], Nest]
Backward = Callable[[Nest, Nest], Nest]
Layer = tuple[Forward, Backward] | tuple[Forward, Backward, dict[str, Nest]]

# For so many times the upstream gradient, a backward pass gives so many times the gradient, with
# the same rounding. The sign tells a relu or an abs of it, and the size tells where it is clipped.
FACTOR = -8.0

# Where the value that runs through a stack stands among the inputs of a layer.
RUNNING = "x"

IN_PLACE = {"in_place": "leave it out, and let forward compute with the inputs that it is given."}


@public(OPTIONS | WORKERS | IN_PLACE)
def check_vjp(
    forward: Forward,
    backward: Backward,
    inputs: Nest,
    *,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    method: str = "auto",
) -> Report:
    """Check the backward pass of one layer, its vector-Jacobian product (VJP).

    It draws an upstream gradient, and checks that `backward` returns the gradient
    of the sum of all outputs, each times its entry of the upstream gradient.

    Parameters
    ----------
    forward
        Takes `inputs` and returns the output of the layer, of any shape, or a nest of several.
        It must not return a cache as well: `lambda inputs: affine(inputs)[0]` drops one.
    backward
        Takes `inputs` and an upstream gradient in the structure, the shapes and the dtypes
        of the output, and returns the gradient in the structure and the shapes of `inputs`.
    inputs
        Everything that has a gradient, including the parameters of the layer: an array of
        floats, a number, or a nest of dicts, lists and tuples of them.
    tolerance
        As for `check_gradient`.
    method
        As for `check_gradient`.
    seed
        The seed of the upstream gradient and of the random directions.

    Returns
    -------
    Report
        True if the gradient is correct. It names a bare array `inputs`, and its `evaluations`
        count the calls of `forward` for the sum.

    Raises
    ------
    TypeError
        If inputs, outputs or gradient are not real numbers, or outputs are not floats.
    ValueError
        If an output is random or not finite, if it does not depend on the inputs and the
        gradient is not 0, if the gradient differs from the inputs in structure,
        if a pass changes what it is given, or if the value of an option is invalid.

    Examples
    --------
    >>> import numpy as np
    >>> def forward(p):
    ...     return p["X"] @ p["W"]
    >>> def backward(p, dY):
    ...     return {"X": dY @ p["W"].T, "W": p["X"].T @ dY / len(dY)}
    >>> rng = np.random.default_rng(0)
    >>> inputs = {"X": rng.normal(size=(5, 3)), "W": rng.normal(size=(3, 2))}
    >>> print(check_vjp(forward, backward, inputs).arrays["W"].mistake.text)
    it is 1/5 of the numerical gradient: is a mean over 5 taken where a sum belongs?
    """
    layer = _passes(forward, backward, inputs)
    bare = list(flatten(inputs)) == ["parameters"]
    options = {"tolerance": tolerance, "seed": seed, "method": method}
    return _check(layer.under("inputs") if bare else layer, options)


def assert_vjp(forward: Forward, backward: Backward, inputs: Nest, **options: Any) -> None:
    """Raise an AssertionError with the whole report if a backward pass is not correct.

    It takes the options of `check_vjp`.

    Raises
    ------
    AssertionError
        If the verdict is "wrong" or "undecided".
    TypeError, ValueError
        As `check_vjp` does.

    Examples
    --------
    >>> import numpy as np
    >>> assert_vjp(np.sin, lambda x, upstream: upstream * np.cos(x), np.ones((2, 3)))
    """
    __tracebackhide__ = True
    require_correct(check_vjp(forward, backward, inputs, **options))


@public(OPTIONS | WORKERS | IN_PLACE)
def check_stack(
    layers: Mapping[str, Layer] | Sequence[Layer],
    inputs: Nest,
    *,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    method: str = "auto",
) -> StackReport:
    """Check each layer of a stack on its own, and say which ones are wrong.

    The output of each layer is the input of the next. Since each layer gets an upstream
    gradient of its own, a mistake in one does not affect the verdict on another.

    Parameters
    ----------
    layers
        Layers by name, from the input to the cost, each as `check_vjp` takes it:
        a pair `(forward, backward)`, whose inputs are the output of the previous layer,
        or a triple `(forward, backward, parameters)` with a dict of parameters,
        whose inputs are that dict with the output of the previous layer as its `x`.
        The layers of a sequence are named `layer1`, `layer2` and so on.
    inputs
        The inputs of the first layer.
    tolerance
        As for `check_vjp`.
    seed
        As for `check_vjp`.
    method
        As for `check_vjp`.

    Returns
    -------
    StackReport
        A report on all layers, and one on each in `layers`. Arrays are named after their layer,
        such as `tanh.x` and `affine.W`.

    Raises
    ------
    TypeError, ValueError
        As `check_vjp` does, with a note that names the layer; and for layers
        that are neither pairs nor triples, or that have a parameter `x`.

    Examples
    --------
    >>> import numpy as np
    >>> def affine(p):
    ...     return p["x"] @ p["W"]
    >>> def affine_backward(p, dy):
    ...     return {"x": dy @ p["W"].T, "W": p["x"].T @ dy}
    >>> rng = np.random.default_rng(0)
    >>> layers = {
    ...     "affine": (affine, affine_backward, {"W": rng.normal(size=(3, 2))}),
    ...     "tanh": (np.tanh, lambda x, dy: dy * (1 - np.tanh(x))),
    ... }
    >>> report = check_stack(layers, rng.normal(size=(5, 3)))
    >>> print(str(report).splitlines()[0])
    tanh is wrong, the other layer is right.
    >>> [*report.arrays]
    ['affine.x', 'affine.W', 'tanh.x']
    >>> [*check_stack([*layers.values()], rng.normal(size=(5, 3))).layers]
    ['layer1', 'layer2']
    """
    options = {"tolerance": tolerance, "seed": seed, "method": method}
    reports: dict[str, Report] = {}
    for name, layer in _named(layers).items():
        try:
            one = _in_stack(name, layer, inputs)
            reports[name] = _check(one, options)
            inputs = one.output()
        except Exception as error:
            error.add_note(f"This concerns the layer {name}.")
            raise
    return StackReport(
        verdict=worst(report.verdict for report in reports.values()),
        difference=float(np.max([report.difference for report in reports.values()])),
        arrays={path: a for report in reports.values() for path, a in report.arrays.items()},
        evaluations=sum(report.evaluations for report in reports.values()),
        seed=seed,
        notes=tuple(dict.fromkeys(n for report in reports.values() for n in report.notes)),
        layers=reports,
    )


@dataclass(frozen=True, repr=False)
class LayerReport(Report):
    """The report on a layer, of whose arrays none is nearer to the cost than others."""

    def _said(self, text: str) -> str:
        return text.replace("the cost", "the output")

    def _where_to_begin(self) -> str:
        return ""


@dataclass(frozen=True, repr=False, kw_only=True)
class StackReport(LayerReport):
    """The report on a stack of layers, each of which was checked on its own.

    Its verdict is the worst of the layers, and its `difference` the largest.

    Attributes
    ----------
    layers
        The report on each layer, by its name.
    """

    layers: dict[str, Report]

    def _headline(self) -> str:
        """Say which layers are wrong."""
        if self.verdict == "correct":
            return super()._headline()
        wrong, undecided, right = map(self._judged, ("wrong", "undecided", "correct"))
        said = []
        if wrong:
            said.append(f"{_listed(wrong)} {'are' if len(wrong) > 1 else 'is'} wrong")
        if undecided:
            said.append(f"{_listed(undecided)} {'are' if len(undecided) > 1 else 'is'} undecided")
        if right:
            others = f"{len(right)} layers are" if len(right) > 1 else "layer is"
            said.append(f"the other {others} right")
        return f"{', '.join(said)}."

    def _judged(self, verdict: str) -> list[str]:
        return [name for name, report in self.layers.items() if report.verdict == verdict]


class Passes(NamedTuple):
    """A forward and a backward pass, and the inputs at which the gradient is claimed."""

    forward: Forward
    backward: Backward
    inputs: Nest

    def under(self, name: str) -> Passes:
        """Return passes whose inputs stand in a dict, under a name."""
        return Passes(
            lambda inputs: self.forward(inputs[name]),
            lambda inputs, upstream: {name: self.backward(inputs[name], upstream)},
            {name: self.inputs},
        )

    def output(self) -> Nest:
        """Return the output, if the forward pass leaves its inputs as they are."""
        point = Parameters(self.inputs)
        before = point.vector()
        names = _listed(list(flatten(self.inputs)))
        by_name = " lambda p: forward(**p) passes them by name." * isinstance(self.inputs, dict)
        with _told(
            f"forward was called as forward(inputs), all in one argument: {names}.{by_name}"
        ):
            output = self.forward(point.nest)
        point.require_unchanged(before, "forward pass")
        return output


class Weighted(NamedTuple):
    """Passes, and the upstream gradient that makes a cost of their outputs."""

    passes: Passes
    upstream: Nest

    def cost(self, inputs: Nest) -> Any:
        """Return the sum of the outputs, each times its upstream gradient.

        It is computed in double precision, and returned in the dtype of the coarsest output.
        """
        upstream = flatten(self.upstream)
        outputs = arrays_like(self.upstream, _by_name(self.passes.forward(inputs)), "forward pass")
        # NumPy adds pairwise, with a rounding like that of the outputs; fsum takes 50 times longer.
        products = (np.multiply(u, outputs[path], dtype=np.float64) for path, u in upstream.items())
        coarsest = max((y.dtype for y in outputs.values()), key=precision_of)
        return coarsest.type(math.fsum(map(np.sum, products)))

    def gradient(self, inputs: Nest) -> Nest:
        """Return the gradient that the backward pass makes of an upstream gradient."""
        upstream = flatten(self.upstream)
        given = replace_leaves(self.upstream, lambda _, u: u.copy())
        with _told(
            "backward was called as backward(inputs, upstream), with an upstream gradient for "
            f"{_listed(list(upstream))}. If forward returns a cache beside its output, "
            "let it return the output alone."
        ):
            gradient = self.passes.backward(inputs, given["output"])
        now = flatten(given)
        if not all(np.array_equal(u, now.get(path, math.nan)) for path, u in upstream.items()):
            raise ValueError(
                "backward changes its upstream gradient in place: let it compute a new "
                "array, such as dX = upstream * (X > 0) instead of upstream *= X > 0."
            )
        return gradient

    def check(self, options: dict[str, Any]) -> Report:
        """Check the gradient of the cost."""
        with _told(
            "The cost is the sum of all outputs, each times its entry of the upstream gradient, "
            "and its parameters are the inputs."
        ):
            return check_gradient(self.cost, self.gradient, self.passes.inputs, **options)

    def claimed(self) -> dict[str, Array]:
        """Return the gradient by path, in the structure of the inputs."""
        point = Parameters(self.passes.inputs)
        before = point.vector()
        gradient = self.gradient(point.nest)
        point.require_unchanged(before, "backward pass")
        return point.arrays_of(gradient, "gradient that backward returned")

    def times(self, factor: float) -> Weighted:
        """Return the same passes with so many times the upstream gradient."""
        return self._replace(upstream=replace_leaves(self.upstream, lambda _, u: factor * u))


def _check(passes: Passes, options: dict[str, Any]) -> Report:
    """Check a backward pass with one upstream gradient, with another if it is not linear in it."""
    require_options(**options)
    for path, leaf in flatten(passes.inputs).items():
        refuse(leaf, path)
    with np.errstate(all="ignore"):
        output = passes.output()
        weighted = Weighted(passes, _upstream(output, options["seed"]))
        curved, kept = _not_linear(weighted), _kept(output, passes.inputs)
    report = weighted.check(options)
    if curved and report.verdict != "wrong":
        report = weighted.times(FACTOR).check(options)
    notes = report.notes
    if curved and report.verdict == "wrong":
        notes += (
            f"The gradient of {_listed(curved)} is not linear in the upstream gradient: is the "
            "upstream gradient left out or clipped, or are the arguments of backward swapped?",
        )
    if kept and report.verdict == "wrong":
        notes += (
            f"{kept} equals one of the inputs: if forward returns a cache beside its output, let "
            "it return the output alone, such as lambda inputs: affine(inputs)[0].",
        )
    return LayerReport(**{**vars(report), "notes": notes})


def _kept(output: Nest, inputs: Nest) -> str:
    """Return the name of an output beside others that is an input, as one of a cache would be."""
    outputs = flatten(_by_name(output))
    arrays = [np.asarray(leaf) for leaf in flatten(inputs).values()]
    same = (
        path
        for path, y in outputs.items()
        if len(outputs) > 1 and any(np.array_equal(y, x) for x in arrays)
    )
    return next(same, "")


def _not_linear(weighted: Weighted) -> list[str]:
    """Return the arrays whose gradient does not grow with the upstream gradient."""
    once = {path: g.copy() for path, g in weighted.claimed().items()}
    other = weighted.times(FACTOR).claimed()
    return [path for path, g in once.items() if not close(FACTOR * g, other[path])]


def _upstream(output: Nest, seed: int) -> Nest:
    """Draw an upstream gradient for the outputs, if each has one."""
    if output is None:
        raise TypeError("forward returned None: is a return statement missing?")
    nest = _by_name(output)
    leaves = flatten(nest)
    for path, leaf in leaves.items():
        _require_floats(path, leaf)
    arrays = arrays_like(nest, nest, "forward pass")
    if not any(array.size for array in arrays.values()):
        raise ValueError("forward returned no numbers: expected at least one.")
    for path, array in arrays.items():
        _require_finite(path, array)
    # The directions of the check are drawn from the seed itself.
    (rng,) = np.random.default_rng(seed).spawn(1)
    return replace_leaves(nest, lambda path, _: _drawn(rng, arrays[path]))


def _drawn(rng: np.random.Generator, output: Array) -> Any:
    """Draw random signs times sizes for an output.

    Normal numbers would test an output the less, the closer to 0 its own happens to be.
    """
    sizes = rng.uniform(0.5, 1.5, output.shape) * rng.choice([-1.0, 1.0], output.shape)
    return sizes.astype(output.dtype)[()]


def _by_name(output: Nest) -> dict[str, Nest]:
    """Return an output under the name that messages call it by."""
    return {"output": output}


def _require_floats(path: str, output: Any) -> None:
    """Refuse an output through which no gradient passes."""
    name = str(getattr(output, "dtype", type(output).__name__))
    if not name.removeprefix("torch.").startswith(("float", "longdouble")):
        raise TypeError(
            f"{path} is of type {name}: expected floats. If it is part of a cache, let forward "
            "return the output alone, such as lambda inputs: affine(inputs)[0]."
        )


def _require_finite(path: str, array: Array) -> None:
    """Refuse an output that is not finite at the inputs themselves."""
    if not np.isfinite(array).all():
        first = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
        raise ValueError(
            f"{entry_name(path, first)} is {float(array[first])}: "
            "expected a finite output at these inputs."
        )


# The layers of a stack


def _named(layers: Mapping[str, Layer] | Sequence[Layer]) -> dict[str, Layer]:
    """Return layers by name."""
    if isinstance(layers, Sequence):
        layers = {f"layer{number}": layer for number, layer in enumerate(layers, 1)}
    if not isinstance(layers, Mapping):
        raise TypeError(
            f"layers is of type {type(layers).__name__}: expected a dict of layers by name, "
            "or a list of layers."
        )
    if not layers:
        raise ValueError("there are no layers: expected at least one.")
    return dict(layers)


def _in_stack(name: str, layer: Layer, running: Nest) -> Passes:
    """Return the passes of a layer, whose inputs are a dict with what the layer before returned."""
    if not isinstance(layer, list | tuple) or len(layer) not in (2, 3):
        raise TypeError(
            f"{name} is of type {type(layer).__name__}: expected a pair (forward, backward), "
            "or a triple (forward, backward, parameters). For an object that keeps a cache, pass "
            "(layer.forward, lambda x, dy: (layer.forward(x), layer.backward(dy))[1])."
        )
    forward, backward, *rest = layer
    if not rest:
        return _passes(forward, backward, running).under(RUNNING).under(name)
    (parameters,) = rest
    if not isinstance(parameters, dict):
        raise TypeError(
            f"the parameters of {name} are of type {type(parameters).__name__}: "
            "expected a dict of them by name."
        )
    if RUNNING in parameters:
        raise ValueError(
            f"the parameters of {name} include an x, the name of what the layer before returned: "
            "give the parameter another name."
        )
    return _passes(forward, backward, {RUNNING: running, **parameters}).under(name)


def _passes(forward: Forward, backward: Backward, inputs: Nest) -> Passes:
    """Return passes that can be called."""
    for name, function in (("forward", forward), ("backward", backward)):
        if not callable(function):
            raise TypeError(f"{name} is of type {type(function).__name__}: expected a function.")
    return Passes(forward, backward, inputs)


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


@contextmanager
def _told(note: str) -> Iterator[None]:
    """Add a note to what a function of the caller raises: how it was called."""
    try:
        yield
    except Exception as error:
        error.add_note(note)
        raise
