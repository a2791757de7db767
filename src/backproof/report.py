"""The report of a check: its verdict, and the findings for each array."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from backproof.mistakes import Mistake

REASONS = {
    "kink": "the cost has a kink here, and the gradient lies between the slopes on its two sides",
    "jump": "the cost jumps here, so that it has no slope",
    "precision": "the slope is lost in the rounding or the noise of the cost",
    "not finite": "the cost is finite on one side of the point at most",
}
ADVICE = {
    "kink": "Move the parameters a little, and check again.",
    "jump": "Look for a rounding, a comparison or an index that depends on the parameters.",
    "precision": "Check in float64, take an offset out of the cost, or move away from an optimum.",
    "not finite": "Check at a point inside the domain of the cost.",
}
BEGIN = "Begin with the array nearest to the cost: its mistake may spoil the others."
COLOURS = {"correct": 32, "wrong": 31, "undecided": 33}  # green, red, yellow


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
        The wrong entries that were found, the worst first.
    untested
        How many entries have a gradient and a slope of zero: this point says nothing of them.
    reason
        Why the array is undecided: "kink", "jump", "precision" or "not finite"; else empty.
    """

    verdict: str
    shape: tuple[int, ...]
    difference: float
    resolution: float
    mistake: Mistake | None = None
    entries: tuple[Entry, ...] = ()
    untested: int = 0
    reason: str = ""


@dataclass(frozen=True)
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
    """

    verdict: str
    difference: float
    arrays: dict[str, ArrayReport]
    evaluations: int
    seed: int

    def __bool__(self) -> bool:
        return self.verdict == "correct"

    def __str__(self) -> str:
        parts = [self._headline(), _aligned(self._rows()), *self._findings(), self._footer()]
        return "\n\n".join(part for part in parts if part)

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        cells = [f"<tr><th>{'</th><th>'.join(map(escape, head))}</th></tr>"]
        cells += [f"<tr><td>{'</td><td>'.join(map(escape, row))}</td></tr>" for row in rows]
        findings = [f"<pre>{escape(part)}</pre>" for part in self._findings() if part]
        headline, footer = (f"<p>{escape(part)}</p>" for part in (self._headline(), self._footer()))
        return f"{headline}<table>{''.join(cells)}</table>{''.join(findings)}{footer}"

    def _headline(self) -> str:
        """Say what was found, and of what is correct, how small a mistake would have been seen.

        Examples
        --------
        >>> W, b = (ArrayReport("correct", (3,), math.nan, share) for share in (2e-6, 2e-4))
        >>> print(Report("correct", math.nan, {"W": W, "b": b}, evaluations=10, seed=0)._headline())
        The gradient is correct.
        A mistake of 1e-03 of the largest entry of its array would have been seen.
        """
        if self.verdict == "wrong":
            return f"The gradient is wrong in {self._listed('wrong')}."
        if self.verdict == "undecided":
            return f"The gradient cannot be decided in {self._listed('undecided')}."
        if all(array.untested == math.prod(array.shape) for array in self.arrays.values()):
            return "Nothing was tested: gradient and slope are 0 in every entry."
        coarsest = max(array.resolution for array in self.arrays.values())
        return (
            "The gradient is correct.\n"
            f"A mistake of {_power_above(coarsest):.0e} of the largest entry of its array "
            "would have been seen."
        )

    def _listed(self, verdict: str) -> str:
        return _together([p for p, a in self.arrays.items() if a.verdict == verdict], self.arrays)

    def _rows(self) -> list[tuple[str, ...]]:
        """Return the table, without the columns that say nothing of any array."""
        head = ("array", "shape", "verdict", "difference", "resolution", "untested")
        rows = [_row(path, array) for path, array in self.arrays.items()]
        columns = [column for column in zip(head, *rows, strict=True) if any(column[1:])]
        return list(zip(*columns, strict=True))

    def _findings(self) -> list[str]:
        """Return the mistakes and the reasons in words, what to do, and the worst entries."""
        said = {p: a.mistake.text for p, a in self.arrays.items() if a.mistake}
        said |= {p: REASONS[a.reason] for p, a in self.arrays.items() if a.reason}
        lines = [
            f"{_together([p for p, own in said.items() if own == text], self.arrays)}: {text}"
            for text in dict.fromkeys(said.values())
        ]
        return ["\n".join(lines), "\n".join(self._worst())]

    def _advice(self) -> list[str]:
        """Return what to do next, in a sentence for each reason."""
        reasons = dict.fromkeys(array.reason for array in self.arrays.values())
        advice = [ADVICE[reason] for reason in reasons if reason]
        mistakes = {array.mistake.text for array in self.arrays.values() if array.mistake}
        return [*advice, BEGIN] if len(mistakes) > 1 else advice

    def _worst(self) -> list[str]:
        """Return lines for the worst entries, four of them at the most.

        Examples
        --------
        Of one wrong array three are shown, and fewer of each of several:

        >>> entry = Entry((0,), 2.0, 1.0, 1e-9)
        >>> array = ArrayReport("wrong", (9,), 0.5, 1e-9, entries=(entry,) * 9)
        >>> for names in "a", "ab", "abcde":
        ...     arrays = dict.fromkeys(names, array)
        ...     print(len(Report("wrong", 0.5, arrays, evaluations=100, seed=0)._worst()))
        3
        2
        4
        """
        wrong = {path: array.entries for path, array in self.arrays.items() if array.entries}
        each = max(1, 3 // max(1, len(wrong)))
        shown = [(path, entry) for path, found in wrong.items() for entry in found[:each]][:4]
        return [
            f"{entry_name_at(path, entry.index)}: gradient {entry.gradient:.6g}, "
            f"numerical {entry.numerical:.6g} ± {_power_above(entry.error):.0e}"
            for path, entry in shown
        ]

    def _footer(self) -> str:
        said = "\n".join([*self._advice(), f"{self.evaluations} evaluations, seed {self.seed}."])
        if untested := sum(array.untested for array in self.arrays.values()):
            said += f" {untested} entries have gradient and slope 0: another point may test them."
        return said


def entry_name_at(path: str, index: tuple[int, ...]) -> str:
    """Return the name of an entry, such as `W2[0, 3]`."""
    return f"{path}[{', '.join(map(str, index))}]" if index else path


def overall(arrays: dict[str, ArrayReport]) -> str:
    """Return the verdict on all arrays: the worst of theirs."""
    verdicts = {array.verdict for array in arrays.values()}
    return next((v for v in ("wrong", "undecided") if v in verdicts), "correct")


def _row(path: str, array: ArrayReport) -> tuple[str, ...]:
    shape = "x".join(map(str, array.shape)) or "1"
    difference, resolution = _shown(array.difference), _shown(array.resolution)
    return (path, shape, array.verdict, difference, resolution, str(array.untested or ""))


def _shown(number: float) -> str:
    """Return a number with one digit, or, since what is small is rounding, the power above it.

    Examples
    --------
    >>> [_shown(number) for number in (0.5, 0.001, 0.0003, 0.0, math.nan)]
    ['5e-01', '1e-03', '<1e-03', '0', '']
    """
    if math.isnan(number):
        return ""
    return f"{number:.0e}" if number >= 1e-3 else f"<{_power_above(number):.0e}" if number else "0"


def _power_above(number: float) -> float:
    """Return the power of ten at or above a number.

    Examples
    --------
    >>> [_power_above(number) for number in (0.0003, 0.001, 0.0, math.inf)]
    [0.001, 0.001, 0.0, inf]
    """
    finite = 0 < number < math.inf
    return 10.0 ** math.ceil(math.log10(number)) if finite else number


def _aligned(rows: list[tuple[str, ...]]) -> str:
    """Return rows as lines with aligned columns, the verdicts in colour on a terminal."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
    text = "\n".join(line.rstrip() for line in lines)
    if not sys.stdout or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return re.sub(r"(?<=  )(correct|wrong|undecided)(?=  )", _coloured, text)


def _coloured(verdict: re.Match[str]) -> str:
    r"""Return a verdict in its colour: green, red or yellow.

    Examples
    --------
    >>> [re.sub(r"\w+", _coloured, verdict) for verdict in ("correct", "wrong", "undecided")]
    ['\x1b[32mcorrect\x1b[0m', '\x1b[31mwrong\x1b[0m', '\x1b[33mundecided\x1b[0m']
    """
    return f"\033[{COLOURS[verdict[0]]}m{verdict[0]}\033[0m"


def _together(paths: list[str], every: Collection[str]) -> str:
    """Return the names of some of the arrays, or how many they are.

    Examples
    --------
    >>> every = ["W1", "b1", "W2", "b2", "W3", "b3", "W4", "b4"]
    >>> _together(every[:2], every)
    'W1 and b1'
    >>> _together(every[:6], every)
    'W1, b1, W2, b2, W3 and b3'
    >>> _together(every[:7], every)
    'W1, b1, W2, b2, W3 and 2 more arrays'
    >>> _together(every[:2], every[:2]), _together(every[:3], every[:3])
    ('W1 and b1', 'all 3 arrays')
    """
    if len(paths) == len(every) > 2:
        return f"all {len(every)} arrays"
    if len(paths) > 6:
        return f"{', '.join(paths[:5])} and {len(paths) - 5} more arrays"
    return " and ".join([", ".join(paths[:-1]), paths[-1]] if len(paths) > 1 else paths)
