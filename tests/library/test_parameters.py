"""Nests of parameters: there and back, by path, without touching the caller's arrays."""

import enum
import re
from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from backproof._parameters import (
    Parameters,
    _mean_size,
    arrays_like,
    flatten,
    float_of,
    precision_of,
)

Layer = namedtuple("Layer", ["W", "b"])


class Tagged(np.ndarray[Any, Any]):
    """An array subclass."""


class Kind(enum.Enum):
    """A key that is no text."""

    WEIGHT = 1


class Counted(NamedTuple("Pair", [("W", Any), ("b", Any)])):
    """A named tuple whose class has code of its own."""

    def __new__(cls, W: Any, b: Any, times: int = 1) -> "Counted":
        """Multiply what it is made of."""
        return super().__new__(cls, times * W, times * b)


class Named(dict[str, Any]):
    """A dict that is not made of its items alone."""

    def __init__(self, name: str, **arrays: Any) -> None:
        super().__init__(arrays)
        self.name = name


class Stack(list[Any]):
    """A list that is not made of its items alone."""

    def __init__(self, name: str, layers: list[Any]) -> None:
        super().__init__(layers)
        self.name = name


@dataclass
class Dense:
    """A layer."""

    W: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Frozen:
    """A layer with all that is no parameter."""

    W: Any
    name: str = "encoder"
    activation: Callable[[Any], Any] = np.tanh
    activations: tuple[Any, ...] = (np.tanh, np.sin)
    bias: Any | None = None
    mode: Kind = Kind.WEIGHT
    trained: bool = False
    width: int = 3
    strides: "tuple[int, ...]" = (1, 2)
    mask: Any = field(default_factory=lambda: np.array([True, False]), metadata={"static": True})
    layers: tuple[Any, ...] = ()


@dataclass
class Drawn:
    """A network whose arrays are no arguments, and others each time that it is made."""

    shape: list[int]
    W: Any = field(init=False)
    never: Any = field(init=False)

    def __post_init__(self) -> None:
        self.W = np.random.default_rng().normal(size=self.shape)
        self.never = None
        del self.never


@dataclass
class Point:
    """Two numbers, one of which is declared as whole, or as either."""

    x: float
    n: int | float
    k: int


NESTS: dict[str, Any] = {
    "a number": 3.0,
    "a NumPy number": np.float32(3.0),
    "a bare array": np.arange(6.0).reshape(2, 3),
    "a 0-d array": np.array(2.0),
    "a dict": {"W1": np.ones((2, 2)), "b1": np.zeros((2, 1))},
    "nested": {"layers": [{"W": np.ones(2), "b": 0.5}, {"W": np.ones(3), "b": 1.5}], "out": (1.0,)},
    "a named tuple": Layer(np.ones((2, 3)), np.zeros(2)),
    "a named tuple that counts itself": Counted(np.ones(2), 1.0),
    "an OrderedDict": OrderedDict(W=np.ones(2)),
    "a defaultdict": defaultdict(list, W=np.ones(2), b=[1.0]),
    "a dict with attributes": Named("encoder", W=np.ones(2)),
    "a list with attributes": Stack("layers", [np.ones(2), 1.0]),
    "a dataclass": Dense(np.ones((2, 3)), 0.5),
    "a frozen dataclass": Frozen(np.ones(2), layers=(Dense(np.ones(2), 1.0), {"c": 2.0})),
    "a dataclass that draws its arrays": Drawn([2, 3]),
    "mixed dtypes": [
        np.ones(2, np.longdouble),
        np.ones(2, np.float32),
        np.ones(2),
        np.longdouble(1),
    ],
    "Fortran order": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "not contiguous": np.arange(20.0)[::3],
    "big endian": np.arange(3.0).astype(">f8"),
    "a subclass": np.arange(3.0).view(Tagged),
    "an empty array beside another": {"none": np.ones((0, 3)), "one": np.ones(1)},
    "keys that are no names": {"a b": 1.0, 3: np.ones(2), "a.b": 2.0},
}


def same(one: Any, other: Any) -> bool:
    """Tell whether two nests are alike in type, structure, dtype and value."""
    if type(one) is not type(other):
        return False
    if is_dataclass(one):
        return same(
            *({f.name: getattr(it, f.name, None) for f in fields(it)} for it in (one, other))
        )
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    one, other = np.asarray(one), np.asarray(other)
    return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())


@pytest.mark.parametrize("name", NESTS)
def test_a_nest_comes_back_as_it_was(name: str) -> None:
    """Types, structure, shapes, dtypes and values are kept on the way to the vector and back."""
    parameters = Parameters(NESTS[name])
    assert same(parameters.nest, NESTS[name])
    parameters.assign(parameters.vector())
    assert same(parameters.nest, NESTS[name])


@pytest.mark.parametrize("name", NESTS)
def test_displacing_the_copy_leaves_the_original(name: str) -> None:
    """What is written to the blocks shows in the copy, and not in the caller's arrays."""
    parameters = Parameters(NESTS[name])
    before = parameters.vector()
    parameters.assign(before + 1)
    assert (Parameters(parameters.nest).vector() == before + 1).all()
    assert (Parameters(NESTS[name]).vector() == before).all()


@pytest.mark.parametrize("name", NESTS)
def test_every_entry_is_found_in_its_block(name: str) -> None:
    """Walking the vector by index meets each entry of each block once."""
    parameters = Parameters(NESTS[name])
    found = [parameters.entry(i) for i in range(parameters.size)]
    assert [block.values[i] for block, i in found] == list(parameters.vector())
    assert len({block.entry_name(i) for block, i in found}) == parameters.size


def test_names_are_bare() -> None:
    """Names are joined by dots, whatever they hold; indices and other keys stand in brackets."""
    nest = {"W2": 1.0, "layers": [{"W": 2.0}, (3.0, 4.0)], "a b": {1: 5.0}}
    assert list(flatten(nest)) == [
        "W2",
        "layers[0].W",
        "layers[1][0]",
        "layers[1][1]",
        "a b[1]",
    ]
    assert list(flatten(np.ones(2))) == ["parameters"]


def test_fields_are_named() -> None:
    """Those of named tuples and of dataclasses, at any depth."""
    nest = Layer(1.0, [Dense(2.0, 3.0), Frozen(4.0, layers=(Dense(5.0, 6.0),))])
    assert list(flatten(nest)) == [
        "W",
        "b[0].W",
        "b[0].b",
        "b[1].W",
        "b[1].layers[0].W",
        "b[1].layers[0].b",
    ]


def test_whole_numbers_are_parameters_unless_they_are_declared_as_such() -> None:
    """What a field holds is displaced where its type lets it be a float."""
    assert flatten(Point(1, 2, 3)) == {"x": 1, "n": 2}
    assert flatten(Point(1.0, 2.0, 3)) == {"x": 1.0, "n": 2.0}
    assert flatten(Point(1, 2, 3.5)) == {"x": 1, "n": 2, "k": 3.5}  # type: ignore[arg-type]
    assert list(flatten(Dense([1, 2], {"c": 3}))) == ["W[0]", "W[1]", "b.c"]


def test_an_object_that_may_hold_arrays_is_no_setting() -> None:
    """It is refused, and not passed over."""

    class Callable:
        W = np.ones(2)

        def __call__(self) -> None:
            """Look like a function."""

    with pytest.raises(TypeError, match="b is of type Callable: expected a number"):
        Parameters(Dense(1.0, Callable()))


@pytest.mark.parametrize("nest", [NESTS["a dict with attributes"], NESTS["a list with attributes"]])
def test_attributes_of_a_nest_are_kept(nest: Any) -> None:
    """A subclass is not made anew."""
    assert Parameters(nest).nest.name == nest.name


@pytest.mark.parametrize(
    ("nest", "names"),
    [
        ({"enc.0.weight": 1.0}, ["enc.0.weight"]),
        ({"params/Dense_0": {"kernel": 1.0}}, ["params/Dense_0.kernel"]),
        ([{".p.W": 1.0}], ["[0]..p.W"]),
        ({Kind.WEIGHT: 1.0, np.int64(3): 1.0, (0, 1): 1.0}, ["[Kind.WEIGHT]", "[3]", "[(0, 1)]"]),
        ({"W": {"": 1.0}, "a\nb": 1.0, " c": 1.0}, ["W['']", "['a\\nb']", "[' c']"]),
        # Two that look the same.
        ({"a": {"b": 1.0}, "a.b": 1.0, "c.d": 1.0}, ["a.b", "['a.b']", "['c.d']"]),
        ({1: 1.0, "[1]": 1.0}, ["[1]", "['[1]']"]),
        ({"W": np.ones(2), "W[1]": 1.0}, ["W", "['W[1]']"]),
        ({"W": [np.ones(2)], "W[0]": 1.0}, ["W[0]", "['W[0]']"]),
        # Their siblings.
        ({"V": np.ones(2), "W[1]": 1.0}, ["V", "W[1]"]),
        ({1: 1.0, "1": 1.0}, ["[1]", "1"]),
    ],
)
def test_a_name_is_quoted_where_another_looks_the_same(nest: Any, names: list[str]) -> None:
    """Or where it cannot be seen; all others are written as they are."""
    assert list(flatten(nest)) == names


def test_a_nest_that_holds_itself_is_refused() -> None:
    """One that only holds the same twice is not."""
    loop: list[Any] = [1.0]
    assert Parameters([loop, loop]).size == 2
    loop.append({"loop": loop})
    with pytest.raises(ValueError, match="a nest contains itself: expected dicts"):
        Parameters(loop)


def test_an_entry_is_named_by_path_and_index() -> None:
    """The name of an entry is what one types to see it; a number has no index."""
    parameters = Parameters({"W": np.ones((2, 3)), "b": 1.0})
    names = [block.entry_name(i) for block, i in map(parameters.entry, (0, 5, 6))]
    assert names == ["W[0, 0]", "W[1, 2]", "b"]


def test_an_array_that_stands_twice_is_two_blocks() -> None:
    """Displacing a shared array at one place does not displace it at the other."""
    shared = np.ones(2)
    parameters = Parameters({"encoder": shared, "decoder": shared})
    parameters.blocks[0].values[0] = 5.0
    assert parameters.nest["encoder"][0] == 5.0
    assert parameters.nest["decoder"][0] == 1.0


def test_what_takes_small_steps_keeps_its_type() -> None:
    """A whole number would take none, and becomes a float."""
    assert same(Parameters(3).nest, 3.0)
    assert same(Parameters(np.float32(3)).nest, np.float32(3))
    assert type(Parameters(np.ones(2).view(np.recarray)).nest) is np.recarray


def test_a_block_has_the_mean_size_of_its_entries() -> None:
    """Zeros, or nothing, take the largest of the others, at most 1; no sum of entries overflows."""
    blocks = Parameters([np.zeros(2), np.array([1.0, -3.0]), -8.0, np.ones((0, 3))]).blocks
    assert [block.scale for block in blocks] == [1.0, 2.0, 8.0, 1.0]
    blocks = Parameters([np.zeros(2), np.array([0.1, -0.3])]).blocks
    assert [block.scale for block in blocks] == [0.2, 0.2]
    assert [block.scale for block in Parameters([0.0, 0.25, 0.5]).blocks] == [0.5, 0.25, 0.5]
    assert Parameters(np.zeros(3)).blocks[0].scale == 1.0
    assert 0 < Parameters(np.full(4, 1e308)).blocks[0].scale < 1e308


def test_a_nest_is_as_precise_as_its_coarsest_array() -> None:
    """That is float64 at best, since a cost is computed with it."""
    single = np.finfo(np.float32).eps
    assert Parameters([np.ones(2), np.ones(2, np.float32)]).precision == single
    assert Parameters([np.ones(2), 3.0]).precision == np.finfo(float).eps
    assert precision_of(np.dtype(np.longdouble)) == np.finfo(float).eps


def test_a_vector_fills_a_nest_of_the_same_structure() -> None:
    """Block after block, in float64, numbers as numbers."""
    parameters = Parameters({"W": np.ones((2, 2), np.float32), "layers": [0.5, np.array(1.0)]})
    filled = parameters.with_entries([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    expected = {"W": np.array([[1.0, 2.0], [3.0, 4.0]]), "layers": [5.0, np.array(6.0)]}
    assert same(filled, expected)
    assert list(parameters.vector_of(expected, "gradient")) == [1, 2, 3, 4, 5, 6]


def test_the_first_array_that_is_replaced_is_named() -> None:
    """Of two that a cost puts into its parameters, the first one; the second if it is alone."""
    nest = {"W": np.ones(2), "b": np.ones(2)}
    for replaced, name in ((("W", "b"), "W"), (("b",), "b")):
        parameters = Parameters(nest)
        before = parameters.vector()
        parameters.require_unchanged(before, "cost")
        for key in replaced:
            parameters.nest[key] = np.ones(2)
        with pytest.raises(ValueError, match=f"the cost replaces {name} in its parameters"):
            parameters.require_unchanged(before, "cost")


@pytest.mark.parametrize(
    ("number", "expected"), [(3, 3.0), (0, 0.0), (10**400, np.inf), (-(10**400), -np.inf)]
)
def test_a_whole_number_is_a_float_or_infinite(number: int, expected: float) -> None:
    """None is too large."""
    assert float_of(number) == expected


def test_a_claimed_gradient_keeps_its_precision() -> None:
    """Floats stay what they are, since they are rounded as such; whole numbers become floats."""
    leaves = {"W": np.ones(2), "b": 1.0}
    claimed = arrays_like(leaves, {"W": np.ones(2, np.float32), "b": 3}, "gradient")
    assert [array.dtype for array in claimed.values()] == [np.float32, np.float64]


def test_the_mean_size_of_nothing_is_zero() -> None:
    """Else it is the mean of the absolute entries."""
    assert _mean_size(np.array([2.0, -4.0])) == 3.0
    assert _mean_size(np.empty(0)) == 0.0


@pytest.mark.parametrize(
    ("leaves", "given", "message"),
    [
        ("Wb", "Vb", "is missing W and has an unexpected V: expected W, b."),
        ("Wb", ["dW", "db"], "is missing W, b and has an unexpected dW: expected W, b."),
        ("Wb", "W", "is missing b: expected W, b."),
        ("Wb", "Wbac", "has an unexpected a: expected W, b."),
        ("abcdefg", "a", "is missing b, c, d, e, f, g: expected a, b, c, d, e, f and 1 more."),
        (
            "abcdefgh",
            "a",
            "is missing b, c, d, e, f, g and 1 more: expected a, b, c, d, e, f and 2",
        ),
    ],
)
def test_a_nest_of_other_paths_is_refused(leaves: str, given: Any, message: str) -> None:
    """What is missing is named, six arrays at the most, and the first one that is unexpected."""
    with pytest.raises(ValueError, match=f"^the gradient {message}"):
        arrays_like(dict.fromkeys(leaves, 1.0), dict.fromkeys(given, 1.0), "gradient")


def test_a_field_without_a_gradient_is_told_how_it_is_left_out() -> None:
    """If it is missing in the gradient, or holds whole numbers."""
    with pytest.raises(ValueError, match=r"missing b: expected W, b\. .*\{\"static\": True\}\)\.$"):
        arrays_like(Dense(np.ones(2), 0.1), {"W": np.ones(2)}, "gradient")
    with pytest.raises(ValueError, match=r"missing b: expected W, b\.$"):
        arrays_like({"W": np.ones(2), "b": 0.1}, {"W": np.ones(2)}, "gradient")
    with pytest.raises(TypeError, match=r"b has dtype int64, .*\{\"static\": True\}\)\)\.$"):
        Parameters(Dense(np.ones(2), np.arange(2)))


@pytest.mark.parametrize(
    ("nest", "given", "message"),
    [
        (
            [1.0, 2.0],
            np.ones(3),
            "ndarray, with shape (3,): expected a list or an array of 2 numbers.",
        ),
        (
            [1.0, 2.0],
            np.ones((2, 1)),
            "ndarray, with shape (2, 1): expected a list or an array of 2 numbers.",
        ),
        ([1.0], np.ones(2), "ndarray, with shape (2,): expected a list or an array of 1 number."),
        ([np.ones(2)], np.ones(3), "ndarray, with shape (3,): expected a list of 1 array."),
        ([np.ones(2), 1.0], np.ones(3), "ndarray, with shape (3,): expected a list of 2 arrays."),
        ([{"W": 1.0}, 2.0], np.ones(2), "ndarray, with shape (2,): expected [0].W, [1]."),
        ({"W": 1.0}, 1.0, "float: expected W."),
        (
            np.ones(2),
            [1.0, 2.0, 3.0],
            "list, with 3 items: expected a list or an array of 2 numbers.",
        ),
        (np.ones(1), {"W": 1.0}, "dict: expected a list or an array of 1 number."),
        (
            np.ones(2),
            [np.ones(2), 1.0],
            "list, with 2 items: expected a list or an array of 2 numbers.",
        ),
        (np.ones((2, 1)), [1.0, 2.0], "list, with 2 items: expected an array of shape (2, 1)."),
        (2.0, [1.0, 2.0], "list, with 2 items: expected one number."),
    ],
)
def test_another_structure_is_refused(nest: Any, given: Any, message: str) -> None:
    """The message says what the parameters are."""
    with pytest.raises(TypeError) as raised:
        arrays_like(nest, given, "gradient")
    assert str(raised.value) == f"the gradient is of type {message}"


@pytest.mark.parametrize(
    ("parameters", "gradient"),
    [
        ([1.0, 2.0], np.array([3.0, 4.0])),
        ((1.0, 2.0), np.array([3, 4])),
        (np.ones(2), [3.0, 4.0]),
        (np.ones(2), (np.float64(3), np.array(4.0))),
        ({"w": [1.0, 2.0]}, {"w": np.array([3.0, 4.0])}),
        (Layer(np.ones(1), [1.0]), Layer([3.0], np.array([4.0]))),
        ([np.ones(2)], [[3.0, 4.0]]),
        (Dense(1.0, 2.0), {"W": 3.0, "b": 4.0}),
        (Layer(1.0, 2.0), Dense(3.0, 4.0)),
        (Layer(1.0, 2.0), (3.0, 4.0)),
        ((1.0, 2.0), Layer(3.0, 4.0)),
        ([[1.0], [2.0]], np.array([[3.0], [4.0]])),
        ({"W": [[1.0, 2.0]]}, {"W": np.array([[3.0, 4.0]])}),
        (Layer(np.ones(1), 2.0), [np.array([3.0]), 4.0]),
        ({"a": [Layer(1.0, 2.0)]}, {"a": [(3.0, 4.0)]}),
        ([[], [1.0, 2.0]], [[], [3.0, 4.0]]),
        (np.ones((2, 1)), [[3.0], [4.0]]),
        ({"W": np.ones((1, 2))}, {"W": [np.array([3.0, 4.0])]}),
    ],
)
def test_a_gradient_has_the_numbers_in_the_places_of_the_parameters(
    parameters: Any, gradient: Any
) -> None:
    """A list, of numbers or rows, may stand for an array, and the reverse; a dict for fields.

    A plain tuple stands for a named one, in whose order its items are, and the reverse.
    """
    assert list(Parameters(parameters).vector_of(gradient, "gradient")) == [3, 4]


@pytest.mark.parametrize(
    ("parameters", "gradient", "message"),
    [
        ({"w": [1.0, 2.0]}, {"w": np.ones(3)}, "is missing w[0], w[1] and has an unexpected w"),
        ({"w": np.ones(2)}, {"w": [1.0, 2.0, 3.0]}, "has an unexpected w[2]: expected w."),
        ({"w": np.ones(3)}, {"w": [1.0, 2.0]}, "is missing w and has an unexpected w[0]"),
        ({"w": np.ones((2, 1))}, {"w": [1.0, 2.0]}, "is missing w and has an unexpected w[0]"),
        ({"w": [np.ones(1), 1.0]}, {"w": np.ones(2)}, "is missing w[0], w[1] and"),
        ({"w": np.ones(2)}, {"w": [1.0, np.ones(1)]}, "is missing w and has an unexpected w[0]"),
    ],
)
def test_a_list_of_another_length_is_no_array(parameters: Any, gradient: Any, message: str) -> None:
    """Nor is one that holds arrays, or an array with another axis a list."""
    with pytest.raises(ValueError, match=re.escape(f"the gradient {message}")):
        Parameters(parameters).vector_of(gradient, "gradient")


@pytest.mark.parametrize(
    ("parameters", "gradient", "message"),
    [
        ({"W": 1.0, "e.0": 2.0}, (1.0, 2.0), "has 2 items without names: expected W, e.0. Name"),
        (Dense(np.ones(2), 1.0), [[1.0, 2.0], 3.0], "is missing W, b and has an unexpected [0][0]"),
        (Dense(1.0, 2.0), (1.0, 2.0), "has 2 items without names: expected W, b. Name"),
        (Layer(1.0, 2.0), (1.0, 2.0, 3.0), "is missing W, b and has an unexpected [0]"),
        (
            {"W": np.ones((2, 2))},
            {"W": [[1.0, 2.0], [3.0]]},
            "is missing W and has an unexpected W[",
        ),
        ({"W": 1.0, "b": 2.0}, (1.0, 2.0, 3.0), "is missing W, b and has an unexpected [0]"),
        ([{"W": 1.0}, 2.0], [1.0, 2.0], "is missing [0].W and has an unexpected [0]"),
    ],
)
def test_a_list_in_the_place_of_names_is_told(parameters: Any, gradient: Any, message: str) -> None:
    """If it has one item for each, as PyTorch and many backward passes return them."""
    with pytest.raises(ValueError, match=re.escape(f"the gradient {message}")):
        Parameters(parameters).vector_of(gradient, "gradient")


def test_what_a_list_holds_is_named() -> None:
    """No number in it may be text."""
    with pytest.raises(TypeError, match=r"\[1\] of the gradient is of type str"):
        Parameters(np.ones(2)).vector_of([1.0, "2"], "gradient")
