"""Changes of a model that keep its gradient right: other sizes, units, offsets and dtypes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from backproof._parameters import Nest, replace_leaves
from support.catalogue.model import Cost, Draw, Gradient, Model, Planted


class Scale(NamedTuple):
    """A change of a model.

    `visible` is the smallest mistake, relative to the largest entry of the array,
    that the precision of the changed cost still shows.
    """

    name: str
    change: Callable[[Model], Model]
    visible: float = 1e-5
    dtype: type[np.floating[Any]] = np.float64

    def build(self, make: Callable[[Draw], Model], seed: int) -> Model:
        """Draw a model at this scale."""
        model = self.change(make(Draw(seed, self.dtype)))
        return model._replace(name=f"{model.name}, {self.name}") if self.name else model


def cost_times(factor: float, model: Model) -> Model:
    """Multiply a cost."""
    cost = partial(_product, factor, model.cost)
    return _changed(model, cost, partial(_multiplied_gradient, factor), model.parameters)


def cost_plus(times: float, model: Model) -> Model:
    """Add to a cost this many times its size."""
    offset = times * abs(float(model.cost(model.parameters)))
    return model._replace(cost=partial(_sum, offset, model.cost))


def in_units(unit: float, model: Model) -> Model:
    """Measure all parameters in another unit: in units of 1e-8, one of 1 is 1e8."""
    return _in_units(dict.fromkeys(model.arrays, unit), model)


def first_array_in_units(unit: float, model: Model) -> Model:
    """Measure one array in another unit, so that its gradient is that much larger."""
    return _in_units(dict.fromkeys(model.arrays, 1.0) | {next(iter(model.arrays)): unit}, model)


def in_mixed_units(model: Model) -> Model:
    """Measure each array in a unit of its own, from 1e-4 to 1e4."""
    return _in_units({p: 100.0 ** (k % 5 - 2) for k, p in enumerate(model.arrays)}, model)


def with_an_unused_array(model: Model) -> Model:
    """Add an array that the cost does not use."""
    parameters = {"unused": np.linspace(-1, 1, 6).reshape(2, 3), "used": model.parameters}
    cost = partial(_cost_of_used, model.cost)
    changed = _changed(model, cost, _gradient_of_used, parameters)
    slips = (slip._replace(planted=_below_used(slip.planted)) for slip in changed.slips)
    return changed._replace(slips=tuple(slips))


def _unchanged(model: Model) -> Model:
    return model


def _changed(
    model: Model, cost: Cost, change: Callable[[Gradient, Nest], Nest], parameters: Nest
) -> Model:
    """Return a model with a new cost; its gradient and its slips are changed alike."""
    slips = (slip._replace(gradient=partial(change, slip.gradient)) for slip in model.slips)
    return Model(model.name, cost, partial(change, model.gradient), parameters, tuple(slips))


def _in_units(units: dict[str, float], model: Model) -> Model:
    parameters = replace_leaves(model.parameters, lambda path, leaf: leaf / units[path])
    cost = partial(_cost_in_units, units, model.cost)
    return _changed(model, cost, partial(_gradient_in_units, units), parameters)


def _product(factor: float, cost: Cost, parameters: Nest) -> Any:
    return factor * cost(parameters)


def _sum(offset: float, cost: Cost, parameters: Nest) -> Any:
    return offset + cost(parameters)


def _multiplied_gradient(factor: float, gradient: Gradient, parameters: Nest) -> Nest:
    return replace_leaves(gradient(parameters), lambda _, leaf: factor * leaf)


def _cost_in_units(units: dict[str, float], cost: Cost, parameters: Nest) -> Any:
    return cost(_multiplied(units, parameters))


def _gradient_in_units(units: dict[str, float], gradient: Gradient, parameters: Nest) -> Nest:
    return _multiplied(units, gradient(_multiplied(units, parameters)))


def _multiplied(units: dict[str, float], nest: Nest) -> Nest:
    return replace_leaves(nest, lambda path, leaf: units[path] * leaf)


def _cost_of_used(cost: Cost, parameters: Nest) -> Any:
    return cost(parameters["used"])


def _gradient_of_used(gradient: Gradient, parameters: Nest) -> Nest:
    return {"unused": np.zeros((2, 3)), "used": gradient(parameters["used"])}


def _below_used(planted: dict[str, Planted]) -> dict[str, Planted]:
    return {"used" if p == "parameters" else f"used.{p}": what for p, what in planted.items()}


PLAIN = Scale("", _unchanged)
TINY_COST = Scale("cost times 1e-12", partial(cost_times, 1e-12))
LARGE_FIRST = Scale("first array in units of 1e6", partial(first_array_in_units, 1e6))
SCALES = (
    PLAIN,
    TINY_COST,
    Scale("cost times 1e-6", partial(cost_times, 1e-6)),
    Scale("cost times 1e6", partial(cost_times, 1e6)),
    Scale("cost times 1e12", partial(cost_times, 1e12)),
    Scale("cost plus 1e4 times itself", partial(cost_plus, 1e4), visible=1e-3),
    Scale("cost plus 1e6 times itself", partial(cost_plus, 1e6), visible=1e-2),
    Scale("in units of 1e-8", partial(in_units, 1e-8)),
    Scale("in units of 1e-3", partial(in_units, 1e-3)),
    Scale("in units of 1e6", partial(in_units, 1e6)),
    LARGE_FIRST,
    Scale("first array in units of 1e-6", partial(first_array_in_units, 1e-6)),
    Scale("in mixed units", in_mixed_units),
    Scale("with an unused array", with_an_unused_array),
    Scale("in float32", _unchanged, visible=0.3, dtype=np.float32),
)
