"""The check entry by entry: each claim is held against the slope of its own entry.

Two evaluations confirm most entries at once. Those that they do not are decided one by one,
as far as the budget goes: the others stand as their first difference shows them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from backproof._claims import Array, Check, entry_of, listed, scattered
from backproof._decide import Claim, Finding, decide
from backproof._directions import DOUBT, of_entry
from backproof._mistakes import UNKNOWN, Mistake, name_mistake
from backproof._objective import Objective
from backproof._reasons import main_reason
from backproof._report import ArrayReport
from backproof._rungs import TESTED, Entries, Rung, claim_of, confirm, first_rung
from backproof._slopes import RATIO
from backproof._zeros import judge_unmoved, judge_zeros

# What is not confirmed at once may take as many evaluations as all entries did, and a few more
# where they are few: a decision takes about twenty.
FEW = 600

# So many entries are decided at a time, and a decision takes about so many evaluations.
TOGETHER, RATHER = 8, 10

# Multiples of the golden ratio, less whole numbers, are spread evenly, however many there are.
GOLDEN = (math.sqrt(5) - 1) / 2


# What a claim has to be off by to lie outside the error at the next smaller step, as a multiple of
# the rounding of the first: that of the smaller step, the change, and half of a gap (33).
SEEN = 4 + 4 * RATIO

UNREAD = Mistake("unread", None, "it has no effect on the cost: is it left out, or masked here?")


def measure_entries(
    check: Check, indices: Iterable[int] | None = None, budget: float = math.inf
) -> Entries:
    """Measure entries, all of them if no indices are given, and decide what can be decided.

    Once the cost was called as often as the budget allows, no more than a few are heard.
    """
    entries, rung = first_rung(check, indices)
    confirm(check, entries, rung)
    if (entries.verdict == "").any():
        if not _far(entries, rung, DOUBT**2)[entries.verdict == ""].all():
            check.objective.listen()
            rung = rung.again(check.objective)
            confirm(check, entries, rung)
        judge_zeros(check, entries, rung)
        judge_unmoved(check, entries, rung)
        _hear(check, entries, rung, budget)
    _tell_tolerance(check, entries)
    return entries


def _hear(check: Check, entries: Entries, rung: Rung, budget: float) -> None:
    """Decide the entries that are left, one by one, as long as the budget lasts."""
    objective = check.objective
    most = min(max(len(entries.index), FEW), check.options.budget)
    budget = min(budget, objective.evaluations + most)
    far = _far(entries, rung, DOUBT if most else DOUBT**2)
    order = _fairly(entries, rung) if most else []
    for start in range(0, len(order), TOGETHER):
        if start and objective.evaluations + TOGETHER * RATHER >= budget:
            break
        _decide_these(check, entries, order[start : start + TOGETHER])
        objective.again()
    for number in np.unique(entries.number[entries.verdict == ""]):
        own = entries.number == number
        left = own & (entries.verdict == "")
        _stand_for_the_rest(entries, left, own & far, objective.lost, unheard=not most)


def _stand_for_the_rest(
    entries: Entries, left: Array, far: Array, lost: str, *, unheard: bool
) -> None:
    """Judge the entries of an array that were not heard by those that were, if any could be."""
    heard = far & ~left
    stands = unheard or (heard.any() and (entries.verdict[heard] == "wrong").all())
    reasons = _counts(entries.reason[(entries.number == entries.number[left][0]) & ~left])
    reasons.pop("", None)
    entries.verdict[left] = np.where(far[left] & stands, "wrong", "untested")
    untested = left & (entries.verdict == "untested")
    entries.reason[untested] = main_reason(reasons) if reasons else lost


def _far(entries: Entries, rung: Rung, times: float) -> Array:
    """Tell which claims are so many times the error of a single difference off (21)."""
    apart = claim_of(entries).apart(rung.value, rung.curved)
    return np.asarray(apart > times * (rung.error + abs(rung.gap) / 2))


def _decide_these(check: Check, entries: Entries, places: list[int]) -> None:
    """Decide some entries; what is left open is heard again if the noise was taken for less."""
    claims = {int(entries.index[i]): claim_of(entries[i]) for i in places}
    indices = [int(entries.index[i]) for i in places]
    findings = check.objective.for_each(Deciding(claims), indices, check.options.workers)
    for i, finding in zip(places, findings, strict=True):
        entries.find(i, finding)
    still_open = [i for i in places if entries.verdict[i] not in TESTED]
    if still_open and check.objective.listen():
        _decide_these(check, entries, still_open)


@dataclass(frozen=True)
class Deciding:
    """The decision on an entry, as it is sent to workers."""

    claims: dict[int, Claim]

    def __call__(self, objective: Objective, index: int) -> Finding:
        """Decide on one entry."""
        return decide(objective, of_entry(objective.parameters, index), self.claims[index])


def _tell_tolerance(check: Check, entries: Entries) -> None:
    """Mark the entry of each array that is off most, if no step shows it right by itself.

    A single difference that confirms a claim may be off by its truncation as well.
    """
    strict = claim_of(entries)._replace(allowed=entries.rounding * entries.largest)
    off = strict.apart(entries.value, entries.curved) - entries.error
    refuted = np.isin(entries.number, entries.number[entries.verdict == "wrong"])
    passed = (entries.verdict == "right") & np.isnan(entries.within) & (off > 0) & ~refuted
    for number in np.unique(entries.number[passed]):
        own = np.flatnonzero(passed & (entries.number == number))
        worst = own[np.argmax(off[own])]
        direction = of_entry(check.objective.parameters, int(entries.index[worst]))
        claim = claim_of(entries[worst])._replace(allowed=strict.allowed[worst])
        if decide(check.objective, direction, claim).verdict != "right":
            entries.reason[worst] = "tolerance"


def _fairly(entries: Entries, rung: Rung) -> list[int]:
    """Return the places of what is to be heard: by turns of each array, evenly over it."""
    turns: list[tuple[float, int]] = []
    apart = np.nan_to_num(abs(entries.claimed - rung.value), nan=np.inf)
    for number in np.unique(entries.number):
        places = np.flatnonzero((entries.verdict == "") & (entries.number == number))
        if not places.size:
            continue
        worst = places[np.argmax(apart[places])]
        spread = places[np.argsort(np.arange(places.size) * GOLDEN % 1, kind="stable")]
        ordered = [worst, *spread[spread != worst]]
        turns += [(turn, int(place)) for turn, place in enumerate(ordered)]
    return [place for _, place in sorted(turns, key=lambda pair: pair[0])]


def report_on(check: Check, path: str, entries: Entries) -> ArrayReport:
    """Report on an array whose entries were measured."""
    g = check.gradient[path]
    tested = np.isin(entries.verdict, TESTED)
    reasons = _counts(entries.reason[~tested])
    matter = g.size - reasons.get("zero", 0)
    wrong = (entries.verdict == "wrong").any()
    doubtful = (entries.verdict == "doubtful").any()
    known = tested & np.isfinite(entries.claimed) & (entries.largest > 0) & np.isnan(entries.within)
    allowed = entries.allowed + entries.rounding * entries.curved
    seen = ((SEEN * entries.error + allowed) / entries.largest)[known]
    coarse = seen.max(initial=0.0) > 1  # a wrong sign of every entry would not be seen
    undecided = doubtful or coarse or 2 * np.count_nonzero(tested) < matter
    verdict = "wrong" if wrong else "undecided" if undecided else "correct"
    report = ArrayReport(
        verdict=verdict,
        shape=g.shape,
        difference=entries.difference(),
        resolution=float(seen.max(initial=0.0)),
        untested=reasons,
        tolerated=verdict == "correct" and bool((entries.reason[tested] == "tolerance").any()),
        within=_within(entries) if tested.all() and not wrong else math.nan,
    )
    if wrong:
        return _with_mistake(report, check, path, entries)
    return replace(report, reason=main_reason(reasons)) if undecided else report


def _with_mistake(report: ArrayReport, check: Check, path: str, entries: Entries) -> ArrayReport:
    """Name the mistake of an array, and list a sample of its wrong entries, the worst first."""
    g = check.gradient[path]
    here = (entries.claimed == g.reshape(-1)) | ~np.isfinite(g.reshape(-1))  # not another point
    known = np.isfinite(entries.value) & np.isfinite(entries.error) & here
    slopes = np.where(known, entries.value, 0.0)
    errors = np.where(known, entries.error + entries.allowed, np.inf)
    evidence = check.evidence(path, np.ravel, slopes, errors)
    wrong = np.flatnonzero(entries.verdict == "wrong")
    claimed = entries.claimed.reshape(g.shape)
    found = [entry_of(claimed, int(i), entries.value[i], entries.error[i]) for i in wrong]
    mistake = name_mistake(evidence)
    if (entries.reason == "zero").all():
        mistake = UNREAD
    elif mistake is UNKNOWN:
        mistake = scattered(g, wrong.tolist(), complete=set(report.untested) <= {"zero"})
    return replace(report, mistake=mistake, entries=listed(found))


def _within(entries: Entries) -> float:
    return float(entries.within.max()) if entries.within.size else math.nan


def _counts(reasons: Array) -> dict[str, int]:
    names, counts = np.unique(reasons.astype(str), return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}
