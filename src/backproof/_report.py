"""The report of a check: its verdict, and the findings for each array."""

from __future__ import annotations

import math
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple

from backproof._digits import digits_for, power_above, rounded_up
from backproof._mistakes import Mistake
from backproof._parameters import entry_name
from backproof._reasons import ADVICE, REASONS, counted

_BEGIN = "Begin with the array nearest to the cost: its mistake may spoil the others."
_COLOURS = {"correct": 32, "wrong": 31, "undecided": 33}  # green, red, yellow


class Entry(NamedTuple):
    """A wrong entry: where it stands, the claimed gradient, the measured slope and its error."""

    # This hides tuple.index, which nobody needs here.
    index: tuple[int, ...]  # type: ignore[assignment]
    gradient: float
    numerical: float
    error: float


@dataclass(frozen=True)
class ArrayReport:
    """What was found of one array.

    Attributes
    ----------
    verdict
        "correct", "wrong" or "undecided".
    shape
        The shape of the array.
    difference
        The relative difference of the array and its numerical gradient;
        `nan` where its entries were not all measured.
    resolution
        The smallest mistake in one entry that would have been seen,
        relative to the largest entry of the array; of probes, the order of magnitude.
    mistake
        What the gradient looks like, if it is wrong.
    entries
        Wrong entries from all over the array, the worst first.
    untested
        How many entries this point says nothing of, by reason: "kink", "jump", "steep",
        "precision", "rounded", "not finite", or "zero" where gradient and slope are 0.
    reason
        Why the array is undecided, one of the same reasons; else empty.
    within
        The error within which every slope of the array is 0, and its gradient, too,
        as at an optimum, or where it is 0 by theory; else `nan`.
    tolerated
        Whether it is right within the tolerance only, beyond the errors of its slopes.
    """

    verdict: str
    shape: tuple[int, ...]
    difference: float
    resolution: float
    mistake: Mistake | None = None
    entries: tuple[Entry, ...] = ()
    untested: dict[str, int] = field(default_factory=dict)
    reason: str = ""
    within: float = math.nan
    tolerated: bool = False


@dataclass(frozen=True, repr=False)
class Report:
    """The result of a check; true if the verdict is "correct".

    Attributes
    ----------
    verdict
        "correct", "wrong" or "undecided".
    difference
        The relative difference over all entries, in the norm that was chosen;
        `nan` where they were not all measured.
    arrays
        The findings for each array, by its path.
    evaluations
        How often the cost was called.
    seed
        What the random directions were drawn from.
    notes
        Sentences about the check itself, such as the precision that it measured in.

    Examples
    --------
    >>> right, wrong = (ArrayReport(verdict, (3,), 0.0, 2e-7) for verdict in ("correct", "wrong"))
    >>> Report("wrong", 0.0, {"W": right, "b": wrong}, evaluations=94, seed=0)
    <Report: wrong in b, 94 evaluations>
    """

    verdict: str
    difference: float
    arrays: dict[str, ArrayReport]
    evaluations: int
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def untested(self) -> dict[str, int]:
        """How many entries this point says nothing of, by reason, the most frequent first."""
        total = sum((Counter(array.untested) for array in self.arrays.values()), Counter[str]())
        return dict(total.most_common())

    def __bool__(self) -> bool:
        return self.verdict == "correct"

    def __str__(self) -> str:
        parts = [self._headline(), _aligned(self._rows()), *self._findings(), self._footer()]
        return "\n\n".join(filter(None, parts))

    def __repr__(self) -> str:
        return f"<Report: {self._summary()}, {self.evaluations} evaluations>"

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        cells = [f"<tr><th>{'</th><th>'.join(map(escape, head))}</th></tr>"]
        cells += [f"<tr><td>{'</td><td>'.join(map(escape, row))}</td></tr>" for row in rows]
        findings = [f"<pre>{escape(part)}</pre>" for part in self._findings() if part]
        headline, footer = (f"<p>{escape(part)}</p>" for part in (self._headline(), self._footer()))
        return f"{headline}<table>{''.join(cells)}</table>{''.join(findings)}{footer}"

    def _headline(self) -> str:
        """Say what was found, and of what is correct, how small a mistake would have been seen."""
        if self.verdict == "wrong":
            return f"The gradient is wrong in {self._where()}."
        if not _any_tested(self.arrays):
            reasons = self.untested
            why = REASONS[next(iter(reasons))] if len(reasons) == 1 else counted(reasons)
            return f"Nothing was tested: {why}."
        if self.verdict == "undecided":
            return f"The gradient cannot be decided in {self._where()}."
        if (coarsest := self._resolution()) is None:
            return "The gradient is correct."
        share = f"{power_above(coarsest)} of the largest entry of its array"
        return f"The gradient is correct.\nA mistake of {share} would have been seen."

    def _summary(self) -> str:
        if not _any_tested(self.arrays):
            return f"{self.verdict}, nothing tested"
        if self.verdict != "correct":
            return f"{self.verdict} in {self._where()}"
        coarsest = self._resolution()
        return "correct" if coarsest is None else f"correct, resolution {rounded_up(coarsest, 1)}"

    def _resolution(self) -> float | None:
        """Return the coarsest resolution of what was compared, if it is known of all of that."""
        known = [array.resolution for array in self.arrays.values() if _is_compared(array)]
        return max(known, default=None) if all(map(math.isfinite, known)) else None

    def _where(self) -> str:
        return self._listed(lambda array: array.verdict == self.verdict)

    def _listed(self, chosen: Callable[[ArrayReport], bool]) -> str:
        return _listing([p for p, a in self.arrays.items() if chosen(a)], self.arrays)

    def _rows(self) -> list[tuple[str, ...]]:
        """Return the table, without the columns that say nothing of any array."""
        head = ("array", "shape", "verdict", "difference", "resolution", "untested")
        rows = [_row(path, array) for path, array in self.arrays.items()]
        columns = [column for column in zip(head, *rows, strict=True) if any(column[1:])]
        return list(zip(*columns, strict=True))

    def _findings(self) -> list[str]:
        """Return what was found of the arrays in words, and the worst entries."""
        if not _any_tested(self.arrays):
            return []  # the headline says why
        texts = dict.fromkeys(filter(None, map(_finding, self.arrays.values())))
        lines = [f"{self._listed(lambda array: _finding(array) == text)}: {text}" for text in texts]
        return ["\n".join(lines), "\n".join(self._worst())]

    def _worst(self) -> list[str]:
        """Return lines for the worst entries: three of one array, of several four at the most."""
        wrong = {path: array.entries for path, array in self.arrays.items() if array.entries}
        each = 3 if len(wrong) == 1 else 1
        shown = [(path, entry) for path, found in wrong.items() for entry in found[:each]][:4]
        return [f"{entry_name(path, entry.index)}: {_described(entry)}" for path, entry in shown]

    def _footer(self) -> str:
        """Return what to do next, what was not tested, and how the check was made."""
        lines = [*self._advice(), self._where_to_begin(), self._left_out(), self._tolerated()]
        made = f"{self.evaluations} evaluations, seed {self.seed}."
        return "\n".join([*filter(None, lines), *self.notes, made])

    def _advice(self) -> list[str]:
        """Return a sentence for each reason that leaves something undecided."""
        own = [array.reason for array in self.arrays.values() if array.reason]
        reasons = own if _any_tested(self.arrays) else self.untested
        return [ADVICE[reason] for reason in dict.fromkeys(reasons)]

    def _where_to_begin(self) -> str:
        """Return which mistake to look for first, unless one is named that explains them all."""
        wrong = {path: a.mistake for path, a in self.arrays.items() if a.verdict == "wrong"}
        texts = {m.text if m and m.kind != "unknown" else "" for m in wrong.values()}
        if len(texts) < 2 and "" not in texts:
            return ""
        paths, last = list(self.arrays), list(wrong)[-1]
        after = {path: self.arrays[path] for path in paths[paths.index(last) + 1 :]}
        # What a mistake in these arrays would have spoilt, and has not.
        right = [p for p, a in after.items() if a.verdict == "correct" and _is_compared(a)][:2]
        if not right:
            return _BEGIN if len(wrong) > 1 else ""
        are = "are" if len(right) > 1 else "is"
        named = f"{_listing(right, self.arrays)} {are} right, {last} is not"
        return f"{named}: look at the step between them."

    def _left_out(self) -> str:
        """Return how many entries were not tested, unless the headline is on them."""
        count = sum(self.untested.values())
        if not count or not _any_tested(self.arrays):
            return ""
        size = sum(math.prod(array.shape) for array in self.arrays.values())
        are = "is" if count == 1 else "are"
        return f"{count} of {size} entries {are} untested: {counted(self.untested)}."

    def _tolerated(self) -> str:
        """Return which arrays are right within the tolerance only."""
        listed = self._listed(lambda array: array.tolerated)
        beyond = "beyond the errors of the slopes"
        return f"The tolerance is what passed in {listed}, {beyond}." if listed else ""


def overall(arrays: Mapping[str, ArrayReport]) -> str:
    """Return the verdict on all arrays: the worst of theirs, undecided if nothing was tested."""
    verdicts = {array.verdict for array in arrays.values()}
    if "wrong" in verdicts:
        return "wrong"
    return "undecided" if "undecided" in verdicts or not _any_tested(arrays) else "correct"


def _any_tested(arrays: Mapping[str, ArrayReport]) -> bool:
    return any(map(_is_tested, arrays.values()))


def _is_tested(array: ArrayReport) -> bool:
    return sum(array.untested.values()) < math.prod(array.shape)


def _is_compared(array: ArrayReport) -> bool:
    """Tell whether an array has entries of some size, which others are relative to."""
    return _is_tested(array) and math.isnan(array.within)


def _row(path: str, array: ArrayReport) -> tuple[str, ...]:
    shape = "x".join(map(str, array.shape)) or "1"
    untested = str(sum(array.untested.values()) or "")
    numbers = (array.difference, array.resolution) if _is_compared(array) else (math.nan, math.nan)
    return (path, shape, array.verdict, *map(_cell, numbers), untested)


def _finding(array: ArrayReport) -> str:
    if array.mistake:
        return array.mistake.text
    if array.reason:
        return REASONS[array.reason]
    if not math.isnan(array.within):
        return f"its gradient is 0 within {power_above(array.within)}"
    return ""


def _described(entry: Entry) -> str:
    """Return the numbers of an entry, and how far they are apart, in percent of the larger."""
    _, gradient, numerical, error = entry
    if not math.isfinite(numerical):
        return f"gradient {gradient:.6g}"
    digits = digits_for(gradient, numerical, error)
    text = f"gradient {gradient:.{digits}g}, numerical {numerical:.{digits}g}"
    text += f" ± {rounded_up(error, 2)}" if math.isfinite(error) else ""
    largest = max(abs(gradient), abs(numerical))
    if not 0 < largest < math.inf:
        return text
    percent = 100 * abs(gradient / largest - numerical / largest)
    return f"{text}, off by {percent:{'.0f' if percent >= 10 else '.2g'}} %"


def _cell(number: float) -> str:
    """Return a number with one digit, or, since what is small is rounding, the power above it."""
    if not math.isfinite(number):
        return ""
    return f"{number:.0e}" if number >= 1e-3 else f"<{power_above(number)}" if number else "0"


def _aligned(rows: list[tuple[str, ...]]) -> str:
    """Return rows as lines with aligned columns, the verdicts in colour on a terminal."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    text = "\n".join(lines)
    if not sys.stdout or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    for verdict, colour in _COLOURS.items():
        cell = rf"(?<=  ){verdict}(?=  |$)"
        text = re.sub(cell, f"\033[{colour}m{verdict}\033[0m", text, flags=re.MULTILINE)
    return text


def _listing(paths: list[str], every: Collection[str]) -> str:
    """Return the names of some of the arrays, or how many they are."""
    if len(paths) == len(every) > 2:
        return f"all {len(every)} arrays"
    if len(paths) > 6:
        return f"{', '.join(paths[:5])} and {len(paths) - 5} more arrays"
    return " and ".join([", ".join(paths[:-1]), paths[-1]] if len(paths) > 1 else paths)
