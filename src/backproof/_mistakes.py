"""What a wrong gradient looks like: a tuple of small rules, the simplest first.

A rule proposes what the right gradient would be if its mistake had been made,
and the proposal that agrees best with the measured slopes is believed.
So the same rules serve where every entry was measured,
and where an array was only probed along a few random directions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from backproof._digits import power_above
from backproof._evidence import Array, Evidence
from backproof._patterns import VARIABLES, along, axis_names, places, shown, times, usual

__all__ = ["RULES", "UNKNOWN", "Evidence", "Mistake", "name_mistake", "not_finite_in", "placed"]


AS_WELL = 0.5  # proposals that are off by at most this share of the errors fit equally well
KNOWN = 0.02  # the error of an entry that is seen to be right, as a share of the largest one
NEARLY_RIGHT = 1e-4  # right to fewer digits, a gradient is wrong in more than its precision


class Mistake(NamedTuple):
    """What a wrong gradient looks like.

    Attributes
    ----------
    kind
        A word for it, such as "factor" or "transposed"; "unknown" where no rule fits.
        The page on the report lists them all.
    factor
        What the right gradient was multiplied by, if it is a multiple, or 0; otherwise `None`.
    text
        The mistake in words, often with a question about its likely cause.
    """

    kind: str
    factor: float | None
    text: str


class Proposal(NamedTuple):
    """The products of what may be the right gradient, and the mistake that was made then."""

    products: Array
    kind: str
    text: str
    factor: float | None = None


Rule = Callable[[Evidence], Iterator[Proposal]]


def name_mistake(evidence: Evidence, rules: tuple[Rule, ...] | None = None) -> Mistake:
    """Return the mistake that explains the slopes best, and of those that do equally, the first."""
    with np.errstate(all="ignore"):
        if not evidence.off.any():  # there is nothing to explain
            return UNKNOWN
        closest, mistake = math.inf, UNKNOWN
        known = [rule for rule in rules or RULES if evidence.of_entries or rule not in OF_ENTRIES]
        for proposal in (proposal for rule in known for proposal in rule(evidence)):
            misfit = max(evidence.misfit(proposal.products), AS_WELL)
            if misfit <= 1 and misfit < closest:
                closest, mistake = misfit, Mistake(proposal.kind, proposal.factor, proposal.text)
            if closest == AS_WELL:
                break
        return mistake


def not_finite(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise entries that are nan or infinite."""
    if mistake := not_finite_in(evidence.gradient):
        yield Proposal(evidence.slopes, mistake.kind, mistake.text)


def not_finite_in(gradient: Array) -> Mistake | None:
    """Say which entries of a gradient are nan or infinite."""
    bad = np.argwhere(~np.isfinite(gradient))
    if not len(bad):
        return None
    first = bad[0].tolist()
    one = f"the entry at {first} is nan or infinite" if first else "it is nan or infinite"
    many = f"{len(bad)} entries are nan or infinite, the first at {first}"
    return Mistake("not finite", None, one if len(bad) == 1 else many)


def zero(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a gradient of zero where the cost depends on the parameters."""
    if not evidence.gradient.any():
        text = "it is zero, but the cost depends on the array: is it never computed?"
        yield Proposal(evidence.slopes, "zero", text, 0.0)


def sign(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise the wrong sign."""
    yield Proposal(-evidence.claimed, "factor", "it has the wrong sign", -1.0)


def transposed(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise two axes of the same length that are exchanged."""
    g = evidence.gradient
    for a, b in combinations(range(g.ndim), 2):
        if g.shape[a] == g.shape[b]:
            axes = f"its axes {a} and {b} are exchanged"
            text = "it is the transpose of the numerical gradient" if g.ndim == 2 else axes
            yield Proposal(evidence.project(g.swapaxes(a, b)), "transposed", text)


def turned(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a kernel that is turned by 180 degrees, in the first two axes or the last two."""
    g = evidence.gradient
    text = "it is turned by 180 degrees: is a convolution taken for a correlation?"
    for axes in ((0, 1), (-2, -1)) if g.ndim > 1 else ():
        if min(g.shape[axis] for axis in axes) > 1:  # a single column is no kernel
            yield Proposal(evidence.project(np.flip(g, axes)), "turned", text)


def reordered(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise the right entries in the order of another memory layout."""
    g = evidence.gradient
    text = "its entries are in the other order: is it flattened by columns, or by rows?"
    for right in (g.reshape(-1).reshape(g.shape, order="F"), g.reshape(-1, order="F")):
        yield Proposal(evidence.project(right.reshape(g.shape)), "reordered", text)


def swapped(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise the gradient of another array."""
    for path, other in evidence.others.items():
        if other.shape == evidence.gradient.shape:
            text = f"the numerical gradient is the one claimed for {path}"
            yield Proposal(evidence.project(other), "swapped", text)


def common_multiple(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a multiple of the right gradient by a number that is usual."""
    yield from _multiples(evidence, evidence.claimed)[:-1]


def multiple(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a multiple of the right gradient by any number."""
    yield from _multiples(evidence, evidence.claimed)[-1:]


def part(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a part of the entries that is multiplied, where the rest is right."""
    g, claimed = evidence.gradient, evidence.claimed
    fewest = 1 if evidence.of_entries else claimed.size
    for where, mask in _parts(evidence):
        if fewest < np.count_nonzero(g * mask) < np.count_nonzero(g):
            changed = evidence.project(g * mask)
            for found in _multiples(evidence, changed, claimed - changed)[-1:]:
                yield Proposal(found.products, "part", f"{where}, {found.text}")


def _parts(evidence: Evidence) -> Iterator[tuple[str, Array]]:
    """Yield parts that code may treat by themselves, each by its name and as a mask."""
    alone = evidence.gradient.ndim == 1  # there, one place is one entry, and no part
    for axis, i in enumerate(np.ix_(*map(np.arange, evidence.gradient.shape))):
        wrong = np.flatnonzero(along(evidence.wrong, axis))
        halves, around = (i < i.size // 2, i >= i.size // 2), (wrong[0] <= i) & (i <= wrong[-1])
        for chosen in (*halves, i % 2 == 0, i % 2 == 1, around):
            if np.count_nonzero(chosen) > alone:
                yield f"in {places(chosen, axis)}", chosen
    rows, *columns = evidence.gradient.shape or (1,)
    if columns == [rows]:
        yield "off its diagonal", ~np.eye(rows, dtype=bool)
        yield "on its diagonal", np.eye(rows, dtype=bool)
    yield "where the parameter is negative", evidence.parameters < 0
    yield "where the parameter is positive", evidence.parameters > 0


def _multiples(evidence: Evidence, part: Array, rest: Array | float = 0.0) -> list[Proposal]:
    """Propose that a part was multiplied: by a usual number that fits, and by the fitted one."""
    if not (fit := evidence.fitted(part, rest)):
        return []
    factors = usual(*fit.inverse)
    *near, own = (Proposal(rest + part / x, "factor", text, x) for x, text in factors)
    fits = [p for p in near if evidence.misfit(p.products) <= 1][:1]
    common = [p for p in fits if evidence.tell(p.products, rest, int(np.any(rest)))]
    believed = common or ([own] if evidence.tell(fit.products, rest, 1) else [])
    return [*common, *(p._replace(products=fit.products) for p in believed)]


def triangle(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a symmetric gradient where the cost reads a single triangle of the matrix."""
    g = evidence.gradient
    square = g.ndim == 2 and g.shape[0] == g.shape[1]
    if square and np.allclose(g, g.T, rtol=0, atol=NEARLY_RIGHT * np.abs(g).max()):
        text = "it is symmetric, but the cost reads only the {} triangle, each entry as two"
        for side, half in (("lower", np.tril(g)), ("upper", np.triu(g))):
            right = half * (2 - np.eye(len(g)))
            yield Proposal(evidence.project(right), "triangle", text.format(side))


def entry(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a single entry that is wrong."""
    if evidence.gradient.size > 1:
        right = evidence.claimed.astype(float)
        worst = int(np.argmax(evidence.misfits(right)))
        right[worst] = evidence.slopes[worst]
        known = evidence.errors <= KNOWN * np.abs(right).max()
        text = f"at least 1 of its {right.size} entries is wrong, and no other is known to be"
        yield Proposal(right, "entry", ONE.format(right.size) if known.all() else text)


def placed(shape: tuple[int, ...], places: Array) -> Mistake | None:
    """Name the entry, the row or the column in which all wrong entries of an array lie."""
    if len(places) == 1:
        return Mistake("entry", None, ONE.format(math.prod(shape)))
    for axis in range(len(shape)):
        if len(set(places[:, axis])) == 1 < shape[axis]:
            name, _ = axis_names(axis, len(shape))
            return Mistake(name, None, f"only its {name} {places[0, axis]} is wrong")
    return None


def unfilled(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise rows or columns of zeros beside others that are right."""
    g = evidence.gradient
    for axis in range(g.ndim):
        lost = along(evidence.wrong, axis) & ~along(g != 0, axis)
        if lost.any():
            where = places(lost, axis)
            text = f"it is zero in {where}, but the cost depends on that part: is it never filled?"
            right = np.where(lost, evidence.slopes.reshape(g.shape), g)
            yield Proposal(evidence.project(right), "unfilled", text)


def regularisation(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise that a multiple of the parameters is missing, or too much."""
    yield from _penalty(evidence, "regularisation", evidence.parameters)


def lasso(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise that a multiple of the signs of the parameters is missing, or too much."""
    yield from _penalty(evidence, "lasso", np.sign(evidence.parameters))


def spared(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise the same of a penalty that leaves out the first entry, row or column."""
    w = evidence.parameters
    for axis, i in enumerate(np.ix_(*map(np.arange, w.shape))):
        kept, but = np.where(i == 0, 0.0, w), f", except in its {axis_names(axis, w.ndim)[0]} 0"
        yield from _penalty(evidence, "spared", kept, but)
        yield from _penalty(evidence, "spared", np.sign(kept), but)


def _penalty(evidence: Evidence, kind: str, slope: Array, but: str = "") -> Iterator[Proposal]:
    signs = np.array_equal(slope, np.sign(slope))
    what, norm = ("the signs of the parameters", "L1") if signs else ("the parameters", "L2")
    little = f"{{}} times {what} is missing{but}: is it the {norm} term?"
    excess = f"it exceeds the numerical gradient by {{}} times {what}{but}"
    much = f"{excess}: is there an {norm} term too many?"
    yield from _term(evidence, kind, slope, little, much)


def offset(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a number that is added to every entry."""
    little, much = "each entry is too small by {}", "each entry is too large by {}"
    yield from _term(evidence, "offset", np.ones(evidence.gradient.shape), little, much)


def _term(evidence: Evidence, kind: str, term: Array, little: str, much: str) -> Iterator[Proposal]:
    """Propose that there is too little of a term, or too much."""
    pattern = np.count_nonzero(term) > 1  # of one entry, any term is a multiple
    if pattern and (fit := evidence.telling(evidence.project(term), evidence.claimed)):
        text = little if fit.value > 0 else much
        yield Proposal(fit.products, kind, text.format(shown(abs(fit.value), fit.error)))


def variable(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise the derivative with respect to a function of the parameters."""
    g, w = evidence.gradient.astype(float), evidence.parameters
    for how, right in (("times", g / w), ("divided by", g * w)) if g.size > 1 else ():
        if fit := evidence.telling(products := evidence.project(right)):
            text = f"it is {times(*fit.inverse)} times the numerical gradient {how} the parameters"
            for (operation, near), known in VARIABLES.items():
                if operation == how and evidence.misfit(products / near) <= 1:
                    text = f"it is the numerical gradient {known}"
            yield Proposal(fit.products, "variable", text)


def shifted(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise rows, or columns, that are shifted by one, or in the opposite order."""
    for axis, n in enumerate(evidence.gradient.shape):
        order = np.arange(n)
        for right in (np.roll(order, 1), np.roll(order, -1), order[::-1]):
            yield _in_order(evidence, axis, right)


def permuted(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise rows, or columns, in any other order."""
    g, slopes = evidence.gradient, evidence.slopes.reshape(evidence.gradient.shape)
    for axis in range(g.ndim):
        rows, order = np.moveaxis(g, axis, 0), list[int]()
        for row in np.moveaxis(slopes, axis, 0):
            distances = np.abs(rows - row).reshape(len(rows), -1).sum(axis=1)
            distances[order] = np.inf
            order.append(int(np.argmin(distances)))
        yield _in_order(evidence, axis, order)


def _in_order(evidence: Evidence, axis: int, order: Array | list[int]) -> Proposal:
    g = evidence.gradient
    text = f"its {axis_names(axis, g.ndim)[1]} are in another order"
    return Proposal(evidence.project(np.take(g, order, axis)), "permuted", text)


def clipped(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise entries that are all cut off at the same size."""
    claimed, slopes = evidence.claimed.astype(float), evidence.slopes
    limit = float(np.abs(claimed).max())
    cut = np.abs(claimed) == limit
    if 1 < np.count_nonzero(cut) < np.count_nonzero(claimed):
        beyond = np.where(cut & (slopes * claimed >= limit**2), slopes, claimed)
        yield Proposal(beyond, "clipped", f"it is clipped to [-{limit:.4g}, {limit:.4g}]")


def shared(evidence: Evidence) -> Iterator[Proposal]:
    """Suspect that one array stands in the nest twice, where the claims of both are the same."""
    g, w = evidence.gradient, evidence.parameters
    for path, other in evidence.others.items():
        twin = evidence.other_parameters.get(path, np.empty(0))
        if np.array_equal(g, other) and np.array_equal(w, twin) and np.ptp(w) > 0:
            question = "is it one array in two places, with the total claimed for each?"
            text = f"its parameters and its gradient equal those of {path}: {question}"
            yield Proposal(evidence.slopes + evidence.errors, "shared", text)


def inexact(evidence: Evidence) -> Iterator[Proposal]:
    """Suspect too little precision where most entries are off, and all of them by little."""
    known = np.isfinite(evidence.errors)
    apart = np.abs(evidence.claimed - evidence.slopes)[known]
    share = float(apart.max() / np.abs(evidence.slopes).max())
    most = np.count_nonzero(evidence.off) > max(apart.size / 2, 1)
    if most and share <= NEARLY_RIGHT:
        question = "is it computed in single precision, or by a solver with a tolerance?"
        remedy = f"If so, pass tolerance={power_above(share)}."
        text = f"it is right to about {-round(math.log10(share))} digits: {question} {remedy}"
        yield Proposal(evidence.slopes + evidence.errors, "inexact", text)


ONE = "one of its {} entries is wrong, all others are right"
UNKNOWN = Mistake("unknown", None, "it is wrong, in no known pattern")

# Where several fit equally well, the first is believed: those with nothing to fit come first,
# and last the two that predict nothing, so that they fit barely.
RULES: tuple[Rule, ...] = (
    *(not_finite, zero, sign, transposed, turned, reordered, swapped, common_multiple, shifted),
    *(triangle, entry, unfilled, multiple, regularisation, offset, lasso, spared, variable),
    *(permuted, part, clipped, shared, inexact),
)

# What only the slopes of single entries show.
OF_ENTRIES = {entry, unfilled, permuted, clipped, inexact}
