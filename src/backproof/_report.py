"""The report of a check: its verdict, and the findings for each array."""

from __future__ import annotations

import math
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from html import escape
from typing import Any, NamedTuple

import numpy as np

from backproof._digits import digits_for, power_above, rounded_up
from backproof._mistakes import Mistake
from backproof._parameters import entry_name
from backproof._reasons import ADVICE, REASONS, counted

_BEGIN = "Begin with the array nearest to the cost: its mistake may spoil the others."
_COLOURS = {"correct": 32, "wrong": 31, "undecided": 33}  # green, red, yellow

# The same, with white letters on them: they read on a page of any colour.
_BADGES = {"correct": "#1a7f37", "wrong": "#cf222e", "undecided": "#8a5d00"}

# Up to so many arrays, the table has all of them, as for six layers of weights and biases.
_MOST_ROWS = 12


class Entry(NamedTuple):
    """A wrong entry: its index, the claimed gradient, the measured slope and its error.

    Attributes
    ----------
    index
        Its place in its array, one number for each axis; `()` if the array is a number.
    gradient
        The claimed gradient; it may be `nan` or infinite.
    numerical
        The measured slope; `nan` where the claim is not finite and was not compared.
    error
        The error of the slope, which is less than the two differ by; `inf` where there is none.
    """

    # This hides tuple.index, which nobody needs here.
    index: tuple[int, ...]  # type: ignore[assignment]
    gradient: float
    numerical: float
    error: float


@dataclass(frozen=True)
class ArrayReport:
    """The findings for one array.

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
        relative to the largest entry of the array; for probes, an order of magnitude.
    mistake
        What the gradient looks like, if it is wrong.
    entries
        Wrong entries from all over the array, the worst first.
    untested
        How many entries this point cannot test, by reason: "kink", "jump", "steep",
        "precision", "rounded", "not finite", or "zero" where gradient and slope are 0.
    reason
        Why the array is undecided, one of the same reasons; otherwise empty.
    within
        The error within which the gradient and every slope of the array are 0,
        as at an optimum, or where theory says so; otherwise `nan`.
    tolerated
        Whether the array passes only because of the tolerance.
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
        The relative difference over all entries, in the Euclidean norm;
        `nan` where they were not all measured.
    arrays
        The findings for each array, by its path.
    evaluations
        How often the cost was called.
    seed
        The seed of the random directions.
    notes
        Sentences about the check itself, such as the precision of its measurements.

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

    # What was checked, and what its entries are compared with in size.
    _what = "gradient"
    _beside = "array"

    @property
    def untested(self) -> dict[str, int]:
        """How many entries this point cannot test, by reason, the most frequent first."""
        total = sum((Counter(array.untested) for array in self.arrays.values()), Counter[str]())
        return dict(total.most_common())

    def to_dict(self) -> dict[str, Any]:
        """Return everything in the report in a form for `json`, under the names of its fields.

        Returns
        -------
        dict
            The fields of the report. Each array, mistake and wrong entry in it is a dict of its
            own fields, and each tuple becomes a list. A number that is unknown or not finite is
            `None`, since JSON has neither `nan` nor `inf`.

        Examples
        --------
        >>> import json
        >>> wrong = ArrayReport("wrong", (), math.nan, 2e-7, entries=(Entry((), 1.0, 6.0, 1e-9),))
        >>> found = Report("wrong", math.nan, {"w": wrong}, evaluations=22, seed=0).to_dict()
        >>> found["arrays"]["w"]["entries"]
        [{'index': [], 'gradient': 1.0, 'numerical': 6.0, 'error': 1e-09}]
        >>> json.dumps(found["difference"], allow_nan=False)
        'null'
        """
        plain: dict[str, Any] = _plain(self)
        return plain

    def __bool__(self) -> bool:
        return self.verdict == "correct"

    def __str__(self) -> str:
        table = "\n".join(filter(None, [_aligned(self._rows()), self._dropped()]))
        parts = [self._headline(), table, *self._findings(), self._footer()]
        return "\n\n".join(filter(None, parts))

    def __repr__(self) -> str:
        return f"<Report: {self._summary()}, {self.evaluations} evaluations>"

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        lines = [f"<tr><th>{'</th><th>'.join(map(escape, head))}</th></tr>"]
        lines += [f"<tr><td>{'</td><td>'.join(_marked_up(row))}</td></tr>" for row in rows]
        if dropped := self._dropped():
            lines.append(f'<tr><td colspan="{len(head)}">{dropped}</td></tr>')
        findings = [f"<pre>{escape(part)}</pre>" for part in self._findings() if part]
        headline, footer = (f"<p>{escape(part)}</p>" for part in (self._headline(), self._footer()))
        return f"{headline}<table>{''.join(lines)}</table>{''.join(findings)}{footer}"

    def _headline(self) -> str:
        """Say what was found, and of what is correct, how small a mistake would have been seen."""
        if self.verdict == "wrong":
            return f"The {self._what} is wrong in {self._where()}."
        if not _any_tested(self.arrays):
            reasons = self.untested
            why = REASONS[next(iter(reasons))] if len(reasons) == 1 else counted(reasons)
            return self._said(f"Nothing was tested: {why}.")
        if self.verdict == "undecided":
            return f"The {self._what} is undecided in {self._where()}."
        if (coarsest := self._resolution()) is None:
            return f"The {self._what} is correct."
        share = "the size" if (power := power_above(coarsest)) == "1e+00" else power
        seen = (
            f"A mistake of {share} of the largest entry of its {self._beside} would have been seen."
        )
        return f"The {self._what} is correct.\n{seen}"

    def _said(self, text: str) -> str:
        """Return what is said of a cost and its gradient in the words for what was checked."""
        return text

    def _entry_name(self, path: str, entry: Entry) -> str:
        return entry_name(path, entry.index)

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
        """Return the table, without the columns that say nothing of any array in it."""
        head = ("array", "shape", "verdict", "difference", "resolution", "untested")
        rows = [_row(path, self.arrays[path]) for path in self._in_table()]
        columns = [column for column in zip(head, *rows, strict=True) if any(column[1:])]
        return list(zip(*columns, strict=True))

    def _in_table(self) -> list[str]:
        """Return the arrays with a row: of many, the right ones only where a line names them."""
        named = self._right_beside()
        shown = [p for p, a in self.arrays.items() if a.verdict != "correct" or p in named]
        return shown if shown and len(self.arrays) > _MOST_ROWS else list(self.arrays)

    def _dropped(self) -> str:
        """Return how many right arrays have no row."""
        count = len(self.arrays) - len(self._in_table())
        return f"and {count} correct" if count else ""

    def _findings(self) -> list[str]:
        """Return what was found of the arrays in words, and the worst entries."""
        if not _any_tested(self.arrays):
            return []  # the headline says why
        by_text: dict[str, list[str]] = {}
        for path, array in self.arrays.items():
            by_text.setdefault(self._said(_finding(array)), []).append(path)
        lines = [
            f"{_listing(paths, self.arrays)}: {_of_each(text) if paths[1:] else text}"
            for text, paths in by_text.items()
            if text
        ]
        return ["\n".join(lines), "\n".join(self._worst())]

    def _worst(self) -> list[str]:
        """Return lines for the worst entries: three of one array, or one each of the last four."""
        wrong = {path: array.entries for path, array in self.arrays.items() if array.entries}
        each = 3 if len(wrong) == 1 else 1
        shown = [(path, entry) for path, found in wrong.items() for entry in found[:each]][-4:]
        return [
            f"{self._entry_name(path, entry)}: {_described(entry, self._what)}"
            for path, entry in shown
        ]

    def _footer(self) -> str:
        """Return what to do next, what was not tested, and how the check was made."""
        lines = [*self._advice(), self._where_to_begin(), self._left_out(), self._tolerated()]
        made = f"{self.evaluations} evaluations, seed {self.seed}."
        return "\n".join([*filter(None, lines), *self.notes, made])

    def _advice(self) -> list[str]:
        """Return a sentence for each reason that leaves something undecided."""
        own = [array.reason for array in self.arrays.values() if array.reason]
        reasons = own if _any_tested(self.arrays) else self.untested
        return [self._said(ADVICE[reason]) for reason in dict.fromkeys(reasons)]

    def _where_to_begin(self) -> str:
        """Return which mistake to look for first, unless one is named that explains them all."""
        wrong = self._unexplained()
        if right := self._right_beside():
            are = "are" if len(right) > 1 else "is"
            named = f"{_listing(right, self.arrays)} {are} right, {wrong[-1]} is not"
            return f"{named}: look at the code between them."
        return _BEGIN if len(wrong) > 1 else ""

    def _unexplained(self) -> list[str]:
        """Return the wrong arrays, unless one mistake is named that explains them all."""
        wrong = {path: a.mistake for path, a in self.arrays.items() if a.verdict == "wrong"}
        texts = {m.text if m and m.kind != "unknown" else "" for m in wrong.values()}
        return list(wrong) if len(texts) > 1 or "" in texts else []

    def _right_beside(self) -> list[str]:
        """Return two arrays that a mistake in the wrong ones would have spoilt, and has not."""
        paths, wrong = list(self.arrays), self._unexplained()
        after = {p: self.arrays[p] for p in paths[paths.index(wrong[-1]) + 1 :]} if wrong else {}
        return [p for p, a in after.items() if a.verdict == "correct" and _is_compared(a)][:2]

    def _left_out(self) -> str:
        """Return how many entries were not tested, unless the headline is on them."""
        count = sum(self.untested.values())
        if not count or not _any_tested(self.arrays):
            return ""
        size = sum(math.prod(array.shape) for array in self.arrays.values())
        are = "is" if count == 1 else "are"
        why = self._said(counted(self.untested))
        return f"{count} of {size} entries {are} untested: {why}."

    def _tolerated(self) -> str:
        """Return which arrays are right within the tolerance only."""
        listed = self._listed(lambda array: array.tolerated)
        errors = "the errors of the slopes alone"
        return f"{listed} passed within the tolerance, not within {errors}." if listed else ""


def overall(arrays: Mapping[str, ArrayReport]) -> str:
    """Return the verdict on all arrays: the worst of theirs, undecided if nothing was tested."""
    verdict = worst(array.verdict for array in arrays.values())
    return "undecided" if verdict == "correct" and not _any_tested(arrays) else verdict


def worst(verdicts: Iterable[str]) -> str:
    """Return the worst of some verdicts."""
    return max(verdicts, key=("correct", "undecided", "wrong").index)


def require_correct(report: Report) -> None:
    """Raise an AssertionError with the whole report if it is not that of something correct."""
    __tracebackhide__ = True
    if not report:
        raise AssertionError(f"\n{report}")


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


def _marked_up(row: tuple[str, ...]) -> list[str]:
    """Return the cells of a row in HTML, with a badge around the verdict."""
    path, shape, verdict, *numbers = map(escape, row)
    look = f"padding: 0 0.4em; border-radius: 0.4em; color: #fff; background: {_BADGES[verdict]}"
    return [path, shape, f'<span style="{look}">{verdict}</span>', *numbers]


def _finding(array: ArrayReport) -> str:
    if array.mistake:
        return array.mistake.text
    if array.reason:
        return REASONS[array.reason]
    if not math.isnan(array.within):
        return f"its gradient is 0 within {power_above(array.within)}"
    return ""


def _of_each(text: str) -> str:
    """Return what is said of one array as it is said of several."""
    return f"each {text.removeprefix('it ')}" if text.startswith("it ") else text


def _described(entry: Entry, what: str) -> str:
    """Return the numbers of an entry, and how far they are apart, in percent of the larger."""
    gradient, numerical, error = (number + 0.0 for number in entry[1:])  # no sign of a 0
    if not math.isfinite(numerical):
        return f"{what} {gradient:.6g}"
    digits = digits_for(gradient, numerical, error)
    text = f"{what} {gradient:.{digits}g}, numerical {numerical:.{digits}g}"
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


def _plain(value: Any) -> Any:
    """Return findings as dicts, lists, strings, booleans and numbers; None if not finite."""
    if is_dataclass(value):
        value = {f.name: getattr(value, f.name) for f in fields(value)}
    elif isinstance(value, np.generic):
        value = value.item()
    elif hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if not isinstance(value, float) or math.isfinite(value) else None
