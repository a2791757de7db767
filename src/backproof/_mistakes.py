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

from backproof._evidence import Array, Evidence, Fit
from backproof._patterns import (
    VARIABLES,
    along,
    axis_name,
    axis_names,
    matched,
    parts,
    places,
    shown,
    times,
    usual,
)

__all__ = ["RULES", "UNKNOWN", "Evidence", "Mistake", "name_mistake", "not_finite_in", "placed"]


# Proposals that are off by no more than this share of the errors fit equally well.
AS_WELL = 0.5

# An entry is seen to be right if its error is at most this share of the largest one.
KNOWN = 0.02

# Of so few entries, most may be off by little for any reason.
FEW = 3

# A gradient that is right to fewer digits is wrong in more than its precision.
NEARLY_RIGHT = 1e-4


class Mistake(NamedTuple):
    """What a wrong gradient looks like.

    Attributes
    ----------
    kind
        A word for it, such as "factor" or "transposed"; "unknown" where no rule fits.
        The page on the report lists them all.
    factor
        What the right gradient was multiplied by, if it is a multiple, or 0; else `None`.
    text
        The mistake in words, and often a question that guesses at its cause.
    """

    kind: str
    factor: float | None
    text: str


class Proposal(NamedTuple):
    """The products of what may be the right gradient, and the mistake that was made then."""

    products: Array
    mistake: Mistake


Rule = Callable[[Evidence], Iterator[Proposal]]


def name_mistake(evidence: Evidence, rules: tuple[Rule, ...] | None = None) -> Mistake:
    """Return the mistake that explains the slopes best, and of those that do equally, the first."""
    with np.errstate(all="ignore"):
        if evidence.misfit(evidence.claimed) <= 1:  # there is nothing to explain
            return UNKNOWN
        closest, mistake = math.inf, UNKNOWN
        for proposal in (proposal for rule in rules or RULES for proposal in rule(evidence)):
            misfit = max(evidence.misfit(proposal.products), AS_WELL)
            if misfit <= 1 and misfit < closest:
                closest, mistake = misfit, proposal.mistake
            if closest == AS_WELL:
                break
        return mistake


def not_finite(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise entries that are nan or infinite."""
    if mistake := not_finite_in(evidence.gradient):
        yield Proposal(evidence.slopes, mistake)


def not_finite_in(gradient: Array) -> Mistake | None:
    """Say which entries of a gradient are nan or infinite.

    Examples
    --------
    >>> not_finite_in(np.array([math.inf, math.nan])).text
    '2 entries are nan or infinite, the first at [0]'
    """
    bad = ~np.isfinite(gradient)
    if not bad.any():
        return None
    first = ", ".join(str(i) for i in np.argwhere(bad)[0])
    count = np.count_nonzero(bad)
    if not gradient.shape:
        return Mistake("not finite", None, "it is nan or infinite")
    if count == 1:
        return Mistake("not finite", None, f"the entry at [{first}] is nan or infinite")
    text = f"{count} entries are nan or infinite, the first at [{first}]"
    return Mistake("not finite", None, text)


def zero(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a gradient of zero where the cost depends on the parameters."""
    if not evidence.gradient.any():
        text = "it is zero, and the cost depends on it: is it never computed?"
        yield Proposal(evidence.slopes, Mistake("zero", 0.0, text))


def sign(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise the wrong sign."""
    yield Proposal(-evidence.claimed, Mistake("factor", -1.0, "it has the wrong sign"))


def transposed(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise two axes of the same length that are exchanged."""
    g = evidence.gradient
    for a, b in combinations(range(g.ndim), 2):
        if g.shape[a] == g.shape[b]:
            axes = f"its axes {a} and {b} are exchanged"
            text = "it is the transpose of the numerical gradient" if g.ndim == 2 else axes
            mistake = Mistake("transposed", None, text)
            yield Proposal(evidence.project(g.swapaxes(a, b)), mistake)


def turned(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a kernel that is turned by 180 degrees, in the first two axes or the last two."""
    g = evidence.gradient
    text = "it is turned by 180 degrees: is a convolution taken for a correlation?"
    for axes in ((0, 1), (-2, -1)) if g.ndim > 1 else ():
        if min(g.shape[axis] for axis in axes) > 1:  # a single column is no kernel
            yield Proposal(evidence.project(np.flip(g, axes)), Mistake("turned", None, text))


def reordered(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise the right entries in the order of another memory layout."""
    g = evidence.gradient
    if g.ndim < 2:
        return
    text = "its entries stand in the other order: is it flattened by columns, or by rows?"
    for right in (g.reshape(-1).reshape(g.shape, order="F"), g.reshape(-1, order="F")):
        products = evidence.project(right.reshape(g.shape))
        yield Proposal(products, Mistake("reordered", None, text))


def swapped(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise the gradient of another array."""
    for path, other in evidence.others.items():
        if other.shape == evidence.gradient.shape:
            text = f"the numerical gradient is the one claimed for {path}"
            yield Proposal(evidence.project(other), Mistake("swapped", None, text))


def common_multiple(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a multiple of the right gradient by a number that is usual."""
    yield from _multiplied(evidence, evidence.claimed)[:-1]


def triangle(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a symmetric gradient where the cost reads a single triangle of the matrix."""
    g = evidence.gradient
    if g.ndim != 2 or g.shape[0] != g.shape[1]:
        return
    if not np.allclose(g, g.T, rtol=0, atol=NEARLY_RIGHT * np.abs(g).max()):
        return
    for side, right in (("lower", np.tril(2 * g, -1)), ("upper", np.triu(2 * g, 1))):
        text = f"it is symmetric, and the cost reads the {side} triangle only, each entry as two"
        products = evidence.project(right + np.diag(np.diag(g)))
        yield Proposal(products, Mistake("triangle", None, text))


def entry(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a single entry that is wrong, where every entry was measured."""
    if evidence.gradient.size > 1 and evidence.of_entries:
        right = evidence.claimed.astype(float)
        worst = int(np.argmax(evidence.misfits(right)))
        right[worst] = evidence.slopes[worst]
        known = evidence.errors <= KNOWN * np.abs(right).max()
        text = f"at least 1 of its {right.size} entries is wrong, no other is seen to be"
        found = _one_of(right.size) if known.all() else Mistake("entry", None, text)
        yield Proposal(right, found)


def unfilled(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise rows or columns of zeros beside others that are right."""
    g = evidence.gradient
    if not evidence.of_entries:
        return
    for axis in range(g.ndim):
        wrong = along((evidence.misfits(evidence.claimed) > 1).reshape(g.shape), axis)
        lost = wrong & ~along(g != 0, axis)
        if lost.any():
            where = places(lost, axis, g.ndim)
            text = f"it is zero in {where}, and the cost depends on it: is it never filled?"
            shape = [-1 if a == axis else 1 for a in range(g.ndim)]
            right = np.where(lost.reshape(shape), evidence.slopes.reshape(g.shape), g)
            yield Proposal(evidence.project(right), Mistake("unfilled", None, text))


def multiple(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a multiple of the right gradient by any number."""
    yield from _multiplied(evidence, evidence.claimed)[-1:]


def _multiplied(evidence: Evidence, part: Array, rest: Array | float = 0.0) -> list[Proposal]:
    """Return what is right if a part was multiplied: by a usual number that fits, and by any."""
    fit = evidence.fitted(part, of=evidence.slopes - rest)
    if fit is None:
        return []
    factor, error = fit.inverse
    proposals = (
        Proposal(rest + part / near, Mistake("factor", near, text))
        for near, text in usual(factor, error)
    )
    common = [p for p in proposals if evidence.misfit(p.products) <= 1][:1]
    text = f"it is {times(factor, error)} times the numerical gradient"
    named = common[0].mistake if common else Mistake("factor", factor, text)
    return [*common, Proposal(rest + fit.value * part, named)]


def regularisation(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise that a multiple of the parameters is missing, or too much."""
    yield from _penalty(evidence, "regularisation", evidence.parameters)


def offset(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a number that is added to every entry."""
    if found := _added(evidence, np.ones_like(evidence.gradient, dtype=float)):
        products, (lacking, error) = found
        side = "small" if lacking > 0 else "large"
        text = f"each entry is too {side} by {shown(abs(lacking), error)}"
        yield Proposal(products, Mistake("offset", None, text))


def lasso(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise that a multiple of the signs of the parameters is missing, or too much."""
    yield from _penalty(evidence, "lasso", np.sign(evidence.parameters))


def spared(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise the same of a penalty that leaves out the first entry, row or column."""
    for axis in range(evidence.parameters.ndim):
        w = evidence.parameters.copy()
        np.moveaxis(w, axis, 0)[0] = 0.0
        but = f", except in its {axis_name(axis, w.ndim)} 0"
        yield from _penalty(evidence, "spared", w, but)
        yield from _penalty(evidence, "spared", np.sign(w), but)


def _penalty(evidence: Evidence, kind: str, slope: Array, but: str = "") -> Iterator[Proposal]:
    """Propose that a multiple of the slope of a penalty is missing, or too much."""
    signs = np.array_equal(slope, np.sign(slope))
    what, norm = ("the signs of the parameters", "L1") if signs else ("the parameters", "L2")
    if found := _added(evidence, slope):
        products, (lacking, error) = found
        strength = f"{shown(abs(lacking), error)} times {what}"
        missing = f"{strength} is missing{but}: is it the {norm} term?"
        doubled = f"it has {strength} too much{but}: is the {norm} term doubled?"
        yield Proposal(products, Mistake(kind, None, missing if lacking > 0 else doubled))


def _added(evidence: Evidence, term: Array) -> tuple[Array, Fit] | None:
    """Return the products of the claim with the multiple of a term that it lacks, and this."""
    if np.count_nonzero(term) < 2:  # of one entry, any term is a multiple
        return None
    products = evidence.project(term)
    fit = evidence.fitted(products, of=evidence.slopes - evidence.claimed)
    return fit and (evidence.claimed + fit.value * products, fit)


def variable(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise the derivative with respect to a function of the parameters."""
    g, w = evidence.gradient.astype(float), evidence.parameters
    if g.size > 1 and w.all():
        yield from _in_variable(evidence, "times", g / w)
    if g.size > 1:
        yield from _in_variable(evidence, "divided by", g * w)


def _in_variable(evidence: Evidence, how: str, right: Array) -> Iterator[Proposal]:
    """Propose that a gradient was multiplied with the parameters, or divided by them."""
    products = evidence.project(right)
    if fit := evidence.fitted(products, of=evidence.slopes):
        factor, error = fit.inverse
        text = f"it is {times(factor, error)} times the numerical gradient {how} the parameters"
        for (operation, near), known in VARIABLES.items():
            if operation == how and evidence.misfit(products / near) <= 1:
                text = f"it is the numerical gradient {known}"
        yield Proposal(fit.value * products, Mistake("variable", None, text))


def shifted(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise rows, or columns, that are shifted by one, or in the opposite order."""
    g = evidence.gradient
    for axis in range(g.ndim):
        for right in (np.roll(g, 1, axis), np.roll(g, -1, axis), np.flip(g, axis)):
            yield _in_order(evidence, axis, right)


def permuted(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise rows, or columns, in any other order, where every entry was measured."""
    g = evidence.gradient
    for axis in range(g.ndim) if evidence.of_entries else ():
        right = matched(g, evidence.slopes.reshape(g.shape), axis)
        yield _in_order(evidence, axis, right)


def _in_order(evidence: Evidence, axis: int, right: Array) -> Proposal:
    text = f"its {axis_names(axis, right.ndim)} stand in another order"
    return Proposal(evidence.project(right), Mistake("permuted", None, text))


def part(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise a part of the entries that is multiplied, where the rest is right."""
    g, claimed = evidence.gradient, evidence.claimed
    off = evidence.misfits(claimed) > 1
    wrong, fewest = (off.reshape(g.shape), 1) if evidence.of_entries else (None, off.size)
    for where, mask in parts(g, evidence.parameters, wrong):
        if fewest < np.count_nonzero(g * mask) < np.count_nonzero(g):
            changed = evidence.project(g * mask)
            for products, mistake in _multiplied(evidence, changed, claimed - changed)[-1:]:
                yield Proposal(products, Mistake("part", None, f"{where}, {mistake.text}"))


def clipped(evidence: Evidence) -> Iterator[Proposal]:
    """Recognise entries that are all cut off at the same size, where every entry was measured."""
    claimed, slopes = evidence.claimed.astype(float), evidence.slopes
    if not evidence.of_entries:
        return
    limit = float(np.abs(claimed).max())
    cut = np.abs(claimed) == limit
    if 1 < np.count_nonzero(cut) < np.count_nonzero(claimed):
        beyond = np.where(cut & (slopes * claimed >= limit**2), slopes, claimed)
        text = f"it is clipped to [-{limit:.4g}, {limit:.4g}]"
        yield Proposal(beyond, Mistake("clipped", None, text))


def shared(evidence: Evidence) -> Iterator[Proposal]:
    """Suspect that one array stands in the nest twice, where the claims of both are the same."""
    g, w = evidence.gradient, evidence.parameters
    for path, other in evidence.others.items():
        twin = evidence.other_parameters.get(path, np.empty(0))
        if np.array_equal(g, other) and np.array_equal(w, twin) and np.ptp(w) > 0:
            text = (
                f"the parameters and the gradient are those of {path}, too: "
                "is it one array in two places, and its total claimed for each?"
            )
            yield Proposal(_barely(evidence), Mistake("shared", None, text))


def inexact(evidence: Evidence) -> Iterator[Proposal]:
    """Suspect too little precision where most entries are off, and all of them by little."""
    if not evidence.of_entries or evidence.gradient.size <= FEW:
        return
    off = np.abs(evidence.claimed - evidence.slopes)
    share = float(off.max() / np.abs(evidence.slopes).max())
    most = np.count_nonzero(evidence.misfits(evidence.claimed) > 1) > off.size / 2
    if most and share <= NEARLY_RIGHT:
        text = (
            f"it is right to about {-round(math.log10(share))} digits: "
            "is it computed in single precision, or by a solver with a tolerance?"
        )
        yield Proposal(_barely(evidence), Mistake("inexact", None, text))


def _barely(evidence: Evidence) -> Array:
    """Return products that fit, but no better than any other: nothing is predicted."""
    return evidence.slopes + evidence.errors


def placed(shape: tuple[int, ...], places: Array) -> Mistake | None:
    """Name the entry, the row or the column in which all wrong entries of an array lie.

    Examples
    --------
    >>> placed((3, 4), np.array([[1, 2], [1, 3]])).text
    'only its row 1 is wrong'
    """
    if len(places) == 1:
        return _one_of(math.prod(shape))
    for axis in range(len(shape)):
        if len(set(places[:, axis])) == 1 < shape[axis]:
            name = axis_name(axis, len(shape))
            return Mistake(name, None, f"only its {name} {places[0, axis]} is wrong")
    return None


def _one_of(count: int) -> Mistake:
    return Mistake("entry", None, f"one of its {count} entries is wrong, all others are right")


UNKNOWN = Mistake("unknown", None, "it is wrong in a way that no rule knows")

# Where several fit equally well, the first is believed: those with nothing to fit come first,
# and those that predict nothing come last.
RULES: tuple[Rule, ...] = (
    not_finite,
    zero,
    sign,
    transposed,
    turned,
    reordered,
    swapped,
    common_multiple,
    shifted,
    triangle,
    entry,
    unfilled,
    multiple,
    regularisation,
    offset,
    lasso,
    spared,
    variable,
    permuted,
    part,
    clipped,
    shared,
    inexact,
)
