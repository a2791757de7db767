r"""Formulas of a page against the code that they are about, in a marking right after them.

    $L = \sqrt{\varepsilon} / 4$<!-- formula: L=length_of(varepsilon) -->

The marking says in Python what symbols are, with the names of a block as in a proof. Symbols
that it does not give are drawn at random, and the formula has to hold at every point. What stands
first, without a name, is what the code makes of the formula: a number, or whether it holds.
`<!-- free: REASON -->` says why there is nothing to compute. What several formulas of a page need
is code in a marking that begins with `symbols:`.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice, pairwise, zip_longest
from numbers import Number
from operator import ge, gt, le, lt, ne
from typing import Any, NamedTuple

import numpy as np

from executed import calculus
from executed.formulas import FORMULA
from executed.proofs import MARKING, Marking, Proof, Unproved, markings
from executed.tex import Statement, read

REFERENCE = re.compile(r"\((\d+)\)")
TAG = re.compile(r"\\tag\{(\d+)\}")
# A part that says more than a name, an entry or a value does.
STATES = re.compile(r"[^\w\s.,()-]| - |_\.(?!at|call)\w|\b(?:abs|max|sum)\(")
COMPARED = {"<": lt, "<=": le, ">": gt, ">=": ge, "!=": ne}
POINTS, TRIES = 100, 5000
CLOSE, ROUGHLY = 1e-6, 0.05

Values = dict[str, Any]


class Point(NamedTuple):
    """The symbols at a point, the sides of each statement there, and what the code makes of it."""

    symbols: Values
    sides: list[list[Any]]
    made: list[Any]


@dataclass(frozen=True)
class Tie(Proof):
    """A formula of a page with what its marking says, and what all of the page need."""

    tex: str
    setup: str

    def prove(self, name: str, namespace: Values) -> None:
        """Raise where the formula does not hold."""
        try:
            with np.errstate(all="ignore"):
                found = list(islice(self.points(name, namespace), POINTS))
        except Exception as error:
            raise self.unproved(f"cannot be evaluated: {error!r}") from error
        if len(found) < POINTS:
            raise self.unproved(f"is a number at {len(found)} of {TRIES} points: give its symbols")
        for point in found:
            if not self.holds(point):
                where = f" at {listed(point.symbols)}" if point.symbols else ""
                raise self.unproved(f"does not hold{where}: {self.told(point)}")
        truths = {bool(*point.made) for point in found if says_whether(point)}
        if len(truths) == 1:
            raise self.unproved(f"is {truths.pop()} at all points: let its symbols vary more")

    def points(self, name: str, namespace: Values) -> Iterator[Point]:
        """Yield points at which all of the formula is defined."""
        block = {**namespace, "np": np, "_": calculus}
        known = dict(block)
        exec(compile(self.setup, name, "exec"), known)
        said = ast.parse(f"_({self.expression})", mode="eval").body
        assert isinstance(said, ast.Call)
        formula = read(self.tex)
        names = {**dict.fromkeys(free(said, known), 0), **formula.names}
        drawn = {n: rank for n, rank in names.items() if known.get(n) is block.get(n)}
        given = {str(symbol.arg): compiled(symbol.value) for symbol in said.keywords}
        expected = [compiled(argument) for argument in said.args]
        sides = [[compiled(side) for side in one.sides] for one in formula.statements]
        rng = np.random.default_rng(0)
        for _ in range(TRIES):
            point = {**known, **draw(drawn, rng)}
            for symbol, code in given.items():
                point[symbol] = eval(code, point)
            made = [eval(code, point) for code in expected]
            symbols = {n: point[n] for n in [*drawn, *given]}
            symbols = {n: v for n, v in symbols.items() if isinstance(v, Number | np.ndarray)}
            if all(np.all(np.isfinite(value)) for value in (*made, *symbols.values())):
                yield Point(symbols, [[eval(side, point) for side in one] for one in sides], made)

    def holds(self, point: Point) -> bool:
        """Whether the formula is at a point what the code makes of it."""
        relations = [one.relations for one in read(self.tex).statements]
        holds = all(
            related(sign, *pair)
            for signs, sides in zip(relations, point.sides, strict=True)
            for sign, pair in zip(signs, pairwise(sides), strict=True)
        )
        if says_whether(point):
            return holds == bool(*point.made)
        last = [sides[-1] for sides in point.sides]
        return holds and len(point.made) in (0, len(last)) and all(map(close, last, point.made))

    def told(self, point: Point) -> str:
        """Return what each side is, and what the code says."""
        statements = zip(read(self.tex).statements, point.sides, strict=True)
        sides = [listed(dict(zip(one.sides, own, strict=True)), " is ") for one, own in statements]
        return "; ".join([*sides, *(f"the code says {made}" for made in point.made)])

    def unproved(self, what: str) -> Unproved:
        """Return what is wrong, with the formula and its line."""
        return Unproved(f"line {self.line}: the formula ${self.tex}$ {what}.")


def ties(prose: str) -> Iterator[Tie]:
    """Yield the formulas of a page that are tied to code."""
    setup = "\n".join(one.text for one in markings(prose) if one.kind == "symbols")
    for line, tex, marking in formulas(prose):
        if marking and marking.kind == "formula":
            yield Tie(line, marking.text, below=False, tex=tex, setup=setup)


def untied(prose: str, name: str, elsewhere: str = "") -> list[str]:
    """Report each formula without a marking that is neither a name nor a part of one that is tied.

    The formulas that are tied elsewhere count as well.
    """
    tied = {part for one in (*ties(prose), *ties(elsewhere)) for part in parts(one.tex)}
    tags = set(TAG.findall(prose))
    return [
        f"{name}, line {line}: nothing ties ${tex}$ to code, and no formula that is tied has it as "
        "a part: say after it what its symbols are, <!-- formula: x=... -->, or why nothing is "
        "computed, <!-- free: REASON -->."
        for line, tex, marking in formulas(prose)
        if not marking and not is_free(tex, tied, tags)
    ]


def formulas(prose: str) -> Iterator[tuple[int, str, Marking | None]]:
    """Yield the formulas of a page, whose blocks are left out: line, TeX, and what marks it."""
    kinds = ("formula", "free")
    marked = {one.begin: one for one in markings(prose) if one.kind in kinds and not one.words}
    text = MARKING.sub(lambda marking: re.sub(r"[^\n]", " ", marking[0]), prose)
    for found in re.finditer(FORMULA, text):
        tex = " ".join((found["displayed"] or found["inline"]).split())
        yield text.count("\n", 0, found.start()) + 1, tex, marked.pop(found.end(), None)
    for one in marked.values():
        raise ValueError(f"line {one.line}: {one.kind}: {one.text} marks no formula before it.")


def is_free(tex: str, tied: set[str], tags: set[str]) -> bool:
    """Whether a formula needs no marking: a name, a number of a formula, or a part of one."""
    if number := REFERENCE.fullmatch(tex):
        return number[1] in tags
    try:
        wholes = [whole(one) for one in read(tex).statements]
    except ValueError:
        return False
    return all(not STATES.search(one) or one in tied for one in wholes)


def parts(tex: str) -> Iterator[str]:
    """Yield what a formula says, and all that it is made of."""
    with suppress(ValueError):
        for one in read(tex).statements:
            yield whole(one)
            for node in chain.from_iterable(ast.walk(ast.parse(side)) for side in one.sides):
                if isinstance(node, ast.expr):
                    yield ast.unparse(node)


def whole(statement: Statement) -> str:
    """Return a statement, without brackets that say nothing."""
    sides = [ast.unparse(ast.parse(side)) for side in statement.sides]
    return " ".join(
        chain.from_iterable(zip_longest(sides, statement.relations, fillvalue=""))
    ).strip()


def free(said: ast.Call, known: Values) -> set[str]:
    """Return the names in a marking that nothing gives."""
    nodes = list(ast.walk(said))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    return {n for n in names - own if n not in known and not hasattr(builtins, n)}


def compiled(source: str | ast.expr) -> Any:
    """Return an expression as code."""
    tree = ast.Expression(source) if isinstance(source, ast.expr) else source
    return compile(tree, "formula", "eval")


def draw(names: dict[str, int], rng: np.random.Generator) -> Values:
    """Return random values: numbers of either sign, arrays of them, and different indices."""
    values: Values = dict(zip("ijk", map(int, rng.permutation(3)), strict=True))
    for name, rank in sorted(names.items()):
        shape = (3,) * rank
        sizes = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)
        values.setdefault(name, sizes if rank else np.float64(sizes))
    values["pm"] = int(rng.choice([-1, 1]))
    return {name: values[name] for name in names}


def says_whether(point: Point) -> bool:
    """Whether the code does not say what the formula is, but whether it holds."""
    return [bool] == [type(one) for one in np.array(point.made).tolist()]


def related(sign: str, left: Any, right: Any) -> bool:
    """Whether two values are in a relation."""
    if sign in COMPARED:
        return bool(np.all(COMPARED[sign](left, right)))
    return close(left, right, ROUGHLY if sign == "approx" else CLOSE)


def close(left: Any, right: Any, share: float = CLOSE) -> bool:
    """Whether two values are the same, but for a share of the larger; beside 0, of 1."""
    larger = np.maximum(abs(left), abs(right))
    return bool(np.all(abs(left - right) <= share * np.where(left * right == 0, 1, larger)))


def listed(values: Values, sign: str = " = ") -> str:
    """Return names or expressions with their values."""
    with np.printoptions(precision=4, threshold=9, edgeitems=1):
        return ", ".join(f"{plain(name)}{sign}{value!s:.40}" for name, value in values.items())


def plain(source: str) -> str:
    """Return an expression as one would write it in Python."""
    return ast.unparse(Plain().visit(ast.parse(source)))


class Plain(ast.NodeTransformer):
    """Writes what the functions of `calculus` compute without them, where Python can."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Write a product with a star, an entry in brackets, and a function by its name."""
        self.generic_visit(node)
        match ast.unparse(node.func), node.args:
            case "_.times", [left, right]:
                return ast.BinOp(left, ast.Mult(), right)
            case "_.at", [array, *indices]:
                return ast.Subscript(array, ast.Tuple(indices) if indices[1:] else indices[0])
            case "_.call", [function, *arguments]:
                called = ast.Call(function, arguments, [])
                powers = [ast.BinOp(called, ast.Pow(), one.value) for one in node.keywords]
                return powers[0] if powers else called
        node.func = ast.Name(ast.unparse(node.func).removeprefix("_.").removeprefix("np."))
        return node
