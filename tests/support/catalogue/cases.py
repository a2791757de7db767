"""The cases: right gradients, wrong ones, and any number more of both, drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import combinations, product
from typing import NamedTuple, TypeVar

import numpy as np

from backproof._parameters import Nest, replace_leaves
from support.catalogue.formulas import FORMULAS, at_a_minimum, at_a_singularity, at_the_estimate
from support.catalogue.layers import LAYERS, useless_bias
from support.catalogue.mistakes import PLANTS, SIZED, fits, relative_change
from support.catalogue.model import Array, Draw, Model, Planted, Slip, arrays_of
from support.catalogue.networks import NETWORKS, dead_units, near_a_kink
from support.catalogue.scales import LARGE_FIRST, PLAIN, SCALES, TINY_COST, Scale
from support.catalogue.structures import SYMMETRIC, TIED

Make = Callable[[Draw], Model]
Item = TypeVar("Item")


class Right(NamedTuple):
    """A right gradient."""

    name: str
    model: Model

    @property
    def claimed(self) -> Nest:
        """The gradient that is claimed."""
        return self.model.gradient(self.model.parameters)


class Wrong(NamedTuple):
    """A wrong gradient, and what is wrong with which array."""

    name: str
    model: Model
    claimed: Nest
    planted: dict[str, Planted]

    @property
    def arrays(self) -> set[str]:
        """The paths of the wrong arrays."""
        return set(self.planted)

    @property
    def kind(self) -> str:
        """The kind of mistake, or "several"."""
        kinds = {planted.kind for planted in self.planted.values()}
        return kinds.pop() if len(kinds) == 1 else "several"

    @property
    def factor(self) -> float | None:
        """The factor that all wrong arrays have, or None."""
        factors = {planted.factor for planted in self.planted.values()}
        return factors.pop() if len(factors) == 1 else None

    @property
    def change(self) -> float:
        """The smallest among the largest changes of the wrong arrays, each relative to its own."""
        right, claimed = self.model.right, arrays_of(self.claimed)
        return min(relative_change(claimed[path], right[path]) for path in self.planted)


class Mistake(NamedTuple):
    """A kind of mistake to plant, and its amount."""

    kind: str
    amount: float = 1.0

    @property
    def planted(self) -> Planted:
        """What a checker should say of it."""
        return Planted(self.kind, self.amount if self.kind == "factor" else None)


def plant(model: Model, mistakes: dict[str, Mistake], rng: np.random.Generator) -> Wrong:
    """Return a model's gradient with these mistakes in these arrays."""
    right, points = model.right, model.arrays
    new = {
        path: PLANTS[kind](right[path], points[path], amount, rng)
        for path, (kind, amount) in mistakes.items()
    }
    what = ", ".join(f"{kind} {amount:.6g} in {p}" for p, (kind, amount) in mistakes.items())
    planted = {path: mistake.planted for path, mistake in mistakes.items()}
    return Wrong(f"{model.name}: {what}", model, _with_arrays(model, new), planted)


def swap(model: Model, first: str, second: str) -> Wrong:
    """Return a model's gradient with two arrays of the same shape in each other's place."""
    right, swapped = model.right, Planted("swapped")
    claimed = _with_arrays(model, {first: right[second], second: right[first]})
    name = f"{model.name}: {first} and {second} swapped"
    return Wrong(name, model, claimed, {first: swapped, second: swapped})


def slipped(model: Model, slip: Slip) -> Wrong:
    """Return the gradient that a slip in the code gives."""
    claimed = slip.gradient(model.parameters)
    return Wrong(f"{model.name}: {slip.name}", model, claimed, slip.planted)


def _with_arrays(model: Model, new: dict[str, Array]) -> Nest:
    """Return the right gradient with some arrays replaced, each in its own dtype."""
    return replace_leaves(
        model.gradient(model.parameters),
        lambda path, leaf: new[path].astype(np.asarray(leaf).dtype)[()] if path in new else leaf,
    )


def paths_for(kind: str, model: Model) -> list[str]:
    """Return the arrays in which a mistake of this kind can be planted."""
    points = model.arrays
    return [path for path, right in model.right.items() if fits(kind, right, points[path])]


def swappable(model: Model) -> list[tuple[str, str]]:
    """Return the pairs of arrays of the same shape, not both of which are zero."""
    return [
        (a, b)
        for (a, x), (b, y) in combinations(model.right.items(), 2)
        if x.shape == y.shape and x.any() and y.any()
    ]


# The models, and the points that are hard by themselves

MODELS: tuple[Make, ...] = (*NETWORKS, *LAYERS, *FORMULAS)

# A kink may stand close by: then only small steps tell, and they tell less.
HARD: tuple[tuple[Make, Scale], ...] = (
    (partial(near_a_kink, 1e-3), PLAIN),
    (partial(near_a_kink, 1e-5), PLAIN),
    (partial(near_a_kink, 1e-7), PLAIN._replace(visible=1e-3)),
    (partial(near_a_kink, 1e-8), PLAIN._replace(visible=1e-3)),
    (partial(dead_units, 3), PLAIN),
    (partial(dead_units, 7), PLAIN),
    (at_a_singularity, PLAIN),
)
NO_SLOPE: tuple[Make, ...] = (
    useless_bias,
    partial(at_a_minimum, 0.0),
    partial(at_a_minimum, 3.0),
    at_the_estimate,
)

# Right gradients


def _right_models() -> Iterator[Model]:
    """Yield each model plain, some of them at every scale, and the hard points."""
    for make in MODELS:
        yield PLAIN.build(make, 0)
    for k, scale in enumerate(SCALES[1:]):
        for j in range(5):
            yield scale.build(_turn(MODELS, 3 * k + 4 * j), k + 1)
    for make, scale in HARD:
        yield scale.build(make, 1)
    for make in NO_SLOPE:
        yield PLAIN.build(make, 1)


def _turn(items: tuple[Item, ...], k: int) -> Item:
    return items[k % len(items)]


RIGHT = tuple(Right(model.name, model) for model in _right_models())

# Wrong gradients

FACTORS = (2.0, 0.5, -1.0, 3.0, 1 / 3, 4.0, 1.01, 1 + 1e-5)
WHOLE = ("zero", "transposed", "turned", "reordered", "permuted", "not finite")
PLACES = ("column", "entry", "offset", "regularisation", "row")
PATTERNS = ("variable", "part", "unfilled", "clipped", "inexact")
AMOUNTS = (1.0, 0.5, 1e-2, 1e-3, 1e-5)
MISTAKES = (
    *(Mistake("factor", factor) for factor in FACTORS),
    *(Mistake(kind) for kind in WHOLE for _ in range(5)),
    *(Mistake(kind, amount) for kind, amount in product(PLACES, AMOUNTS)),
    *(Mistake("unknown", amount) for amount in AMOUNTS[:-1]),  # the last would be "inexact"
    *(Mistake(kind) for kind in PATTERNS for _ in range(3)),
    *(Mistake(kind, amount) for kind, amount in product(("lasso", "spared"), AMOUNTS)),
)


def _slips() -> Iterator[Wrong]:
    """Yield each slip of each model, plain and at one more scale."""
    for k, make in enumerate(MODELS):
        for scale in (PLAIN, _turn(SCALES[1:], k)):
            model = scale.build(make, 20 + k)
            yield from (slipped(model, slip) for slip in model.slips)


def _symmetric() -> Iterator[Wrong]:
    """Yield symmetric gradients where the cost reads a triangle."""
    for make in SYMMETRIC:
        model = PLAIN.build(make, 30)
        yield from (slipped(model, slip) for slip in model.slips)


def _plants() -> Iterator[Wrong]:
    """Yield each mistake in two models that it fits, at scales that show it."""
    for k, mistake in enumerate(MISTAKES):
        for turn in (7 * k, 7 * k + 3):
            settings = ((_turn(MODELS, turn + j), _turn(SCALES, turn + j)) for j in range(60))
            yield next(_planted(mistake, settings, 40 + k))


def _planted(
    mistake: Mistake, settings: Iterable[tuple[Make, Scale]], seed: int
) -> Iterator[Wrong]:
    """Yield a mistake in every array that it fits, and where it shows."""
    rng = np.random.default_rng(seed)
    for make, scale in settings:
        model = scale.build(make, seed)
        for path in rng.permutation(paths_for(mistake.kind, model)):
            wrong = plant(model, {str(path): mistake}, rng)
            if is_visible(wrong, scale):
                yield wrong


def is_visible(wrong: Wrong, scale: Scale) -> bool:
    """Tell whether every planted mistake is as large as the precision of the cost demands."""
    return wrong.change > 0.999 * scale.visible


def _swaps() -> Iterator[Wrong]:
    """Yield the first pair of arrays of each model that has one."""
    for make, scale in product(MODELS, (PLAIN, TINY_COST)):
        model = scale.build(make, 80)
        yield from (swap(model, *pair) for pair in swappable(model)[:1])


def _hard() -> Iterator[Wrong]:
    """Yield mistakes of several kinds at the hard points."""
    for make, scale in HARD:
        for mistake in (Mistake("factor", 2.0), Mistake("entry", 0.01), Mistake("offset", 0.1)):
            yield next(_planted(mistake, [(make, scale)], 90))


def _notable() -> Iterator[Wrong]:
    """Yield what the checkers of others miss, and mistakes in all arrays at once."""
    rng = np.random.default_rng(7)
    for make in MODELS[:6]:
        large, tiny = LARGE_FIRST.build(make, 100), TINY_COST.build(make, 101)
        yield plant(large, {"b2": Mistake("factor", 1 + 2e-5)}, rng)
        yield plant(large, {"W2": Mistake("entry", 1e-5)}, rng)
        yield plant(tiny, {"W2": Mistake("factor", 2.0)}, rng)
        yield plant(tiny, dict.fromkeys(tiny.arrays, Mistake("factor", 3.0)), rng)
        yield plant(tiny, {"W1": Mistake("zero"), "b2": Mistake("factor", -1.0)}, rng)


def _all_wrong() -> Iterator[Wrong]:
    for cases in (_slips(), _plants(), _swaps(), _hard(), _notable(), _symmetric()):
        yield from cases


# Where the same mistake comes twice in the same array of a model, one of the two is enough.
WRONG = tuple({case.name: case for case in _all_wrong()}.values())

# An array that stands in its nest twice, with its whole gradient in both places
TWICE = tuple(
    slipped(model, slip) for make in TIED for model in [make(Draw(0))] for slip in model.slips
)

# Cases at random


def random_case(rng: np.random.Generator) -> Right | Wrong:
    """Draw a model, a scale, and in three of five cases a mistake that shows at that scale."""
    scale = _turn(SCALES, int(rng.integers(len(SCALES))))
    model = scale.build(_turn(MODELS, int(rng.integers(len(MODELS)))), int(rng.integers(2**32)))
    if rng.random() < 0.4:
        return Right(model.name, model)
    while not is_visible(wrong := _random_mistake(model, scale, rng), scale):
        pass
    return wrong


def _random_mistake(model: Model, scale: Scale, rng: np.random.Generator) -> Wrong:
    """Draw a slip, a swap, a factor of all arrays, or mistakes in one array or in two."""
    chance, pairs = rng.random(), swappable(model)
    if chance < 0.1:
        return slipped(model, model.slips[rng.integers(len(model.slips))])
    if chance < 0.2 and pairs:
        return swap(model, *pairs[rng.integers(len(pairs))])
    if chance < 0.25:
        same = _random_amount("factor", scale, rng)
        return plant(model, dict.fromkeys(paths_for("factor", model), same), rng)
    return plant(model, _random_mistakes(model, scale, rng), rng)


def _random_mistakes(model: Model, scale: Scale, rng: np.random.Generator) -> dict[str, Mistake]:
    mistakes = {}
    for _ in range(1 + (rng.random() < 0.2)):
        kind = str(rng.choice([kind for kind in PLANTS if paths_for(kind, model)]))
        path = str(rng.choice(paths_for(kind, model)))
        mistakes[path] = _random_amount(kind, scale, rng)
    return mistakes


def _random_amount(kind: str, scale: Scale, rng: np.random.Generator) -> Mistake:
    """Draw an amount from what is just visible to 1, on a logarithmic scale."""
    amount = float(scale.visible ** rng.random())
    if kind == "factor":
        near = 1 + float(rng.choice([-1.0, 1.0])) * min(amount, 0.9)
        return Mistake(kind, float(rng.choice([*FACTORS[:6], 0.1, 10.0, near, near])))
    return Mistake(kind, amount if kind in SIZED else 1.0)
