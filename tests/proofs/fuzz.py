"""Throw odd parameters, costs, gradients and options at the library: it answers, or says why not.

    python tests/proofs/fuzz.py [--examples 20000]

Each example ends in one of these: a result; one of our own errors, raised by a `raise` in the
library; what the cost, the gradient or the workers raised by themselves.
It warns of nothing, and it leaves all that it was given as it was.
The examples are drawn by Hypothesis, the same ones in each run; the counts are printed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import sys
import time
import traceback
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import backproof
from backproof._parameters import Nest, flatten, replace_leaves

LIBRARY = Path(backproof.__file__).parent
METHODS = ("entries", "directions", "auto")
BATCH = 500


class Example(NamedTuple):
    """A call of the library."""

    function: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]


# What is drawn: parameters

SCALES = (1.0, 1.0, 1.0, 1e-3, 1e3, 1e-8, 1e8, 1e-150, 1e150, 1e-300, 1e300)
SHAPES = ((), (0,), (1,), (3,), (2, 3), (4, 1), (0, 3), (1, 1, 1), (2, 1, 2), (70,), (9, 9))
FLOATS = (np.float64, np.float64, np.float64, np.float32, np.float16, np.longdouble)
OTHERS = ("i8", "u1", "?", "c8", "c16", "O", "M8[s]", "U3", "V4")
SPECIAL = (0.0, -0.0, 5e-324, 6e4, 1.7e308, -1.7e308, np.nan, np.inf, -np.inf)


class Tagged(np.ndarray[Any, Any]):
    """An array subclass."""


class Layer(NamedTuple):
    """A named tuple of parameters."""

    W: Any
    b: Any


def _spread(array: Any) -> Any:
    """Return a view of every other entry of a larger array."""
    wide = np.repeat(array, 2, axis=-1) if array.ndim else array
    return wide[..., ::2] if array.ndim else wide


def _frozen(array: Any) -> Any:
    array.flags.writeable = False
    return array


LAYOUTS: tuple[Callable[[Any], Any], ...] = (
    lambda a: a,
    lambda a: a,
    np.asfortranarray,
    _spread,
    _frozen,
    lambda a: a[::-1] if a.ndim else a,
    lambda a: a.astype(a.dtype.newbyteorder()),
    lambda a: a.view(Tagged),
    lambda a: a.view(np.matrix) if a.ndim == 2 else a,
    lambda a: np.ma.array(a, mask=a > 0) if a.dtype.kind == "f" else a,
    lambda a: np.broadcast_to(a[:1], a.shape) if a.size and a.ndim else a,
)


@st.composite
def arrays(draw: st.DrawFn, dtypes: tuple[Any, ...] = FLOATS) -> Any:
    """Draw an array of any size, dtype and layout, now and then with a special entry."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    values = np.asarray(rng.normal(size=draw(st.sampled_from(SHAPES))))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of casts
        values = np.asarray(values * draw(st.sampled_from(SCALES)))
        if values.size and draw(st.integers(0, 9)) == 9:
            values.flat[0] = draw(st.sampled_from(SPECIAL))
        array = values.astype(draw(st.sampled_from(dtypes)))
    return draw(st.sampled_from(LAYOUTS))(array)


NUMBERS = st.one_of(
    st.floats(-4, 4), st.floats(-4, 4).map(np.float32), st.integers(-3, 3), st.floats()
)
ODD = st.one_of(
    st.sampled_from(
        (None, "W", True, 1j, 10**400, {1.0}, b"b", Decimal(1), Fraction(1, 3), range(2))
    ),
    st.sampled_from((np.bool(True), np.int8(3), np.complex64(1), np.str_("a"), np.float16("inf"))),
    st.sampled_from((object(), len, np.float64, memoryview(b"abc"), np.ma.masked)),
    arrays(OTHERS),
)
GOOD = st.one_of(arrays(), arrays(), NUMBERS)
LEAVES = st.integers(0, 19).flatmap(lambda chance: ODD if chance == 19 else GOOD)
KEYS = ("W", "b", "a b", "a.b", 0, -1, (1, 2), None, "", float("nan"))


def _nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(children, min_size=1, max_size=3)
    return st.one_of(
        several,
        several.map(tuple),
        st.builds(Layer, children, children),
        st.dictionaries(st.sampled_from(KEYS), children, min_size=1, max_size=3),
        several.map(lambda c: OrderedDict(enumerate(c))),
        children.map(lambda c: {"encoder": c, "decoder": c}),
        st.sampled_from(([], {}, ())),
    )


ALIKE = st.builds(lambda a, b: {float("nan"): a, float("nan"): b}, GOOD, GOOD)
USUAL = st.builds(lambda a, b: {"W": a, "b": b}, GOOD, GOOD)
NESTED = st.recursive(LEAVES, _nested, max_leaves=4)
NESTS: st.SearchStrategy[Nest] = st.integers(0, 29).flatmap(
    lambda n: (ALIKE, LEAVES, NESTED, USUAL)[0 if n == 29 else 1 + n % 3]
)

# Costs, each with the slope that belongs to it

Elementwise = Callable[[Any], Any]
SMOOTH: dict[str, tuple[Elementwise, Elementwise]] = {
    "sin": (np.sin, np.cos),
    "square": (lambda x: x * x / 2, lambda x: x),
    "linear": (lambda x: 3 * x, lambda x: 3 + 0 * x),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "exp": (np.exp, np.exp),
    "log": (lambda x: np.log(np.abs(x)), lambda x: 1 / x),
    "root": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "abs": (np.abs, np.sign),
    "floor": (np.floor, lambda x: 0 * x),
    "constant": (lambda x: 0 * x + 1, lambda x: 0 * x),
    "offset": (lambda x: np.sin(x) + 1e6, np.cos),
    "in float32": (lambda x: np.float32(np.sin(x)), np.cos),
}
RETURNED: tuple[Any, ...] = (
    *(None, "1", 1j, True, [1.0], (), {}, 1, 10**400, -(10**400), Decimal("1.5"), Fraction(1, 3)),
    *(np.nan, np.inf, -np.inf, 1e308, 5e-324, np.bool(True), np.int8(7), np.uint64(2**64 - 1)),
    *(
        np.float16(1),
        np.longdouble("1e4000"),
        np.array(2, "f2"),
        np.array([[3]], "i1"),
        np.array(1j),
    ),
    *(np.array(1.5, ">f4"), np.array("a"), np.array(None), np.array([]), np.ones(2), np.ma.masked),
    *(
        np.ones((1, 1)).view(np.matrix),
        np.ma.array([1.0], mask=[True]),
        np.datetime64(1, "s"),
        object(),
        len,
    ),
)
RAISED = (
    *(ValueError, TypeError, KeyError, ArithmeticError, FloatingPointError, OverflowError),
    *(
        RuntimeError,
        AssertionError,
        MemoryError,
        RecursionError,
        NotImplementedError,
    ),
    *(KeyboardInterrupt, SystemExit, GeneratorExit),
)


class Cost:
    """The sum over all entries of an elementwise function, and something odd from some call on."""

    def __init__(self, name: str, factor: float, odd: Callable[[Any], Any] | None, since: int):
        self.name, self.factor, self.odd, self.since = name, factor, odd, since
        self.calls = 0
        self.seen: list[Nest] = []

    def __repr__(self) -> str:
        return f"Cost({self.name!r}, {self.factor}, {self.odd}, {self.since})"

    def __call__(self, parameters: Nest) -> Any:
        self.calls += 1
        if self.odd and self.calls > self.since:
            with np.errstate(all="ignore"):
                return self.odd(parameters)
        with np.errstate(all="ignore"):
            function = SMOOTH[self.name][0]
            return self.factor * sum(
                np.sum(function(leaf)) for leaf in flatten(parameters).values()
            )

    def gradient(self, parameters: Nest) -> Nest:
        """Return the right gradient."""
        slope = SMOOTH[self.name][1]
        with np.errstate(all="ignore"):
            return replace_leaves(parameters, lambda _, leaf: self.factor * slope(leaf))


def _returns(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def _raises(kind: type[BaseException]) -> Callable[[Any], Any]:
    def odd(_: Any) -> Any:
        raise kind("of the cost")

    return odd


def _random(_: Any) -> float:
    return time.perf_counter()


def _recurses(_: Any) -> float:
    square = {"w": np.ones(2)}
    report = backproof.check_gradient(lambda p: np.sum(p["w"] ** 2), lambda p: p, square)
    return float(report.verdict == "wrong")


def _scales_in_place(parameters: Nest) -> float:
    for leaf in flatten(parameters).values():
        if isinstance(leaf, np.ndarray):
            leaf *= 0.5
    return 1.0


def _rebinds(parameters: Nest) -> Any:
    if isinstance(parameters, dict):
        for key in parameters:
            parameters[key] = copy.deepcopy(parameters[key])
    return sum(np.sum(leaf) for leaf in flatten(parameters).values())


def _empties(parameters: Nest) -> float:
    if isinstance(parameters, dict | list):
        parameters.clear()
    return 1.0


def _adds(parameters: Nest) -> Any:
    total = sum(np.sum(leaf) for leaf in flatten(parameters).values())
    if isinstance(parameters, dict):
        parameters["cache"] = np.zeros(3)
    return total


def _reshapes(parameters: Nest) -> Any:
    for leaf in flatten(parameters).values():
        if isinstance(leaf, np.ndarray) and not isinstance(leaf, np.matrix):
            leaf.shape = (-1,)
    return sum(np.sum(leaf) for leaf in flatten(parameters).values())


def _freezes(parameters: Nest) -> Any:
    for leaf in flatten(parameters).values():
        if isinstance(leaf, np.ndarray):
            leaf.flags.writeable = False
    return sum(np.sum(leaf) for leaf in flatten(parameters).values())


DOES = (_random, _recurses, _scales_in_place, _rebinds, _empties, _adds, _reshapes, _freezes)
ODDITIES = st.one_of(
    st.sampled_from(RETURNED).map(_returns),
    st.sampled_from(RAISED).map(_raises),
    st.sampled_from(DOES),
)


@st.composite
def costs(draw: st.DrawFn) -> Any:
    """Draw a cost: in half of the cases one that does something odd, now or later."""
    if draw(st.integers(0, 29)) == 29:
        return draw(st.sampled_from((None, 3.0, "cost", np.ones(2))))
    odd = draw(st.one_of(st.none(), ODDITIES))
    since = draw(st.sampled_from((0, 0, 1, 3, 6, 9, 20)))
    factor = draw(st.sampled_from(SCALES))
    return Cost(draw(st.sampled_from(sorted(SMOOTH))), factor, odd, since)


# Claims and options


def _wrong(cost: Cost) -> Callable[[Nest], Nest]:
    def gradient(parameters: Nest) -> Nest:
        with np.errstate(all="ignore"):
            return replace_leaves(cost.gradient(parameters), lambda _, leaf: 1.5 * leaf + 1)

    return gradient


def _one_wrong(cost: Cost) -> Callable[[Nest], Nest]:
    def gradient(parameters: Nest) -> Nest:
        right = cost.gradient(parameters)
        leaf = next((a for a in flatten(right).values() if np.size(a) and np.ndim(a)), None)
        if leaf is not None and leaf.flags.writeable:
            leaf.flat[leaf.size // 2] = 7
        return right

    return gradient


@st.composite
def claims(draw: st.DrawFn, cost: Any) -> Any:
    """Draw a gradient: mostly a function, right or wrong; else any nest, or an odd function."""
    kind = draw(st.integers(0, 9))
    if kind > 7 or not isinstance(cost, Cost):
        return draw(st.one_of(NESTS, ODDITIES))
    return (cost.gradient, _wrong(cost), _one_wrong(cost))[kind % 3]


def _listed(function: Any, points: Any) -> list[Any]:
    return [function(point) for point in points]


def _lossy(function: Any, points: Any) -> list[Any]:
    return [function(point) for point in points][1:]


def _broken(_: Any, __: Any) -> Any:
    raise RuntimeError("of the workers")


def _nothing(_: Any, __: Any) -> None:
    return None


def _mostly(usual: tuple[Any, ...], odd: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.integers(0, 24).flatmap(lambda n: st.sampled_from(odd if n == 24 else usual))


BOTH = np.array(["auto", "entries"])
VECTOR = np.array([1.0, 2.0])
ORDERS = _mostly(
    (2, 1, np.inf, 3.5, np.float32(2), np.int64(1)),
    ("fro", None, 0.5, np.nan, -1, True, 1j, np.complex64(2), 10**400, np.array(2.0), VECTOR),
)
OPTIONS = st.fixed_dictionaries(
    {"method": _mostly(METHODS, (None, "fast", 3, b"auto", BOTH, ["auto"], np.str_("auto")))},
    optional={
        "tolerance": _mostly(
            (1e-7, 0, 0.5, np.float64(1e-3), np.float32(1e-3)),
            (-1, 1, "small", np.nan, np.inf, None, 1j, VECTOR, True, Decimal("0.1")),
        ),
        "seed": _mostly((0, 7, 2**70, np.int64(3)), (-1, 0.5, None, "seed", VECTOR, 1j, True)),
        "in_place": _mostly((False, True), (None, "yes", 1)),
        "workers": _mostly((map, _listed), (_lossy, _broken, _nothing, None, 3, "map")),
    },
)


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Draw a call: mostly of a check."""
    function, nest, cost = draw(st.integers(0, 9)), draw(NESTS), draw(costs())
    if function < 7:
        name = "assert_gradient" if function == 6 else "check_gradient"
        return Example(name, (cost, draw(claims(cost)), nest), draw(OPTIONS))
    if function == 7:
        return Example("numerical_gradient", (cost, nest), {})
    other = nest if draw(st.booleans()) else draw(NESTS)
    if function == 8:
        return Example("derivative", (cost, nest, draw(st.sampled_from((None, other)))), {})
    return Example("relative_difference", (nest, other), {"ord": draw(ORDERS)})


# What has to hold


def outcome(example: Example) -> str:
    """Run an example, require what has to hold of it, and say how it ended."""
    before, state = told(example), np.geterr()
    with warnings_of_ours() as ours:
        try:
            result = getattr(backproof, example.function)(*example.arguments, **example.options)
            shown(result)
            ending = getattr(result, "verdict", "slopes or a number")
        except BaseException as error:
            ending = judged(error, example)
    assert not ours, f"warned: {ours[0]}"
    assert told(example) == before, "what the caller passed was altered"
    assert np.geterr() == state, "NumPy's handling of errors was altered"
    return ending


def shown(result: Any) -> None:
    """Show a result in every way in which a reader may."""
    repr(result)
    if isinstance(result, backproof.Report):
        assert str(result)
        assert result._repr_html_()
        assert bool(result) == (result.verdict == "correct")


def judged(error: BaseException, example: Example) -> str:
    """Say whose error it is; one that is not ours has to come from the caller's functions."""
    frames = [
        (frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    files = [Path(file).resolve() for file, _ in frames]
    entered = next(i for i, file in enumerate(files) if file.parent == LIBRARY)
    if Path(__file__).resolve() in files[entered:]:
        return "what the caller's function raised"
    if isinstance(error, AssertionError) and example.function == "assert_gradient":
        return "wrong or undecided, asserted"
    assert files[-1].parent == LIBRARY, f"raised in {files[-1]}"
    assert frames[-1][1] in raising_lines(files[-1]), f"not raised by us: {error!r}"
    assert type(error) in (TypeError, ValueError), f"of another type: {error!r}"
    return f"our {type(error).__name__}"


@cache
def raising_lines(file: Path) -> set[int]:
    """Return the lines of the `raise` statements of a module."""
    tree = ast.parse(file.read_text("utf-8"))
    raises = [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    return {line for node in raises for line in range(node.lineno, (node.end_lineno or 0) + 1)}


@contextmanager
def warnings_of_ours() -> Iterator[list[str]]:
    """Collect the warnings that are given while none of the caller's functions runs."""
    ours: list[str] = []

    def show(message: Warning | str, *_: object, **__: object) -> None:
        frames = (frame.f_code for frame, _ in traceback.walk_stack(None))
        here = (code.co_name for code in frames if code.co_filename == __file__)
        if next(name for name in here if name != "show") == "outcome":
            ours.append(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield ours


def told(thing: Any) -> Any:
    """Return all that can be told of what was passed: identity, type, layout and content."""
    if isinstance(thing, dict):
        return (id(thing), type(thing), [(repr(key), told(child)) for key, child in thing.items()])
    if isinstance(thing, list | tuple):
        return (id(thing) if isinstance(thing, list) else 0, type(thing), [*map(told, thing)])
    if isinstance(thing, np.ndarray):
        mask = np.ma.getmaskarray(thing).tobytes() if isinstance(thing, np.ma.MaskedArray) else b""
        layout = (thing.dtype.str, thing.shape, thing.strides, thing.flags.writeable)
        return (id(thing), type(thing), layout, np.asarray(thing).tobytes(), mask)
    return (id(thing), type(thing), repr(thing))


def run(wanted: int) -> Counter[str]:
    """Run this many examples, and count how they ended."""
    counts: Counter[str] = Counter()
    batch = 0
    while counts.total() < wanted:  # in batches, since Hypothesis remembers all of a batch
        _run_batch(batch, min(BATCH, wanted - counts.total()), counts)
        batch += 1
    return counts


def _run_batch(number: int, wanted: int, counts: Counter[str]) -> None:
    @seed(number)
    @settings(
        max_examples=wanted,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(examples())
    def each(example: Example) -> None:
        counts[f"{example.function}: {outcome(example)}"] += 1

    each()


def main() -> None:
    """Run the examples, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--examples", type=int, default=20_000)
    wanted = parser.parse_args().examples
    counts = run(wanted)
    for ending, count in sorted(counts.items()):
        print(f"{count:7}  {ending}")
    print(f"{counts.total():7}  examples")
    sys.exit(counts.total() < wanted)


if __name__ == "__main__":
    main()
