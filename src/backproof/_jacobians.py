"""The check of a Jacobian: each of its rows is the gradient of one value of the function.

A row is checked as any gradient is. Since a call of the function gives all of its values, the rows
share their calls, and together take hardly more of them than one row alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from backproof._calling import OPTIONS, WORKERS, is_ours, public
from backproof._checks import MOST_ENTRIES, TOLERANCE, Point, by_entries, judged, require_options
from backproof._claims import Check, Options, listed
from backproof._entries import FEW
from backproof._functions import Function, called_with
from backproof._many import Form, is_function, require_finite, rows_of, values_of
from backproof._mistakes import Mistake, placed
from backproof._objective import Kin
from backproof._parameters import (
    Nest,
    Parameters,
    entry_name,
    replace_leaves,
)
from backproof._patterns import places
from backproof._reasons import main_reason
from backproof._report import ArrayReport, Entry, Report, overall, require_correct, worst
from backproof._rungs import Entries
from backproof._shared import Shared
from backproof._slopes import RATIO

# Up to so many entries in all rows, the method "auto" measures every one.
MOST_IN_ALL = 100_000

# What is said of a cost and its gradient, as it is said of a function.
WORDS = {
    "check_gradient": "check_jacobian",
    "gradient": "Jacobian",
    "the cost": "the function",
    "(cost,": "(values,",
}

# Mistakes that say no more than where they lie.
VAGUE = {"unknown", "row", "entry", "column", "slice"}


@public(OPTIONS | WORKERS)
def check_jacobian(
    function: Function,
    jacobian: Nest | Function,
    parameters: Nest,
    *,
    method: str = "auto",
    tolerance: float = TOLERANCE,
    seed: int = 0,
    in_place: bool = False,
) -> JacobianReport:
    """Check the Jacobian of a function with many values, and say what is wrong with it.

    Each row is checked by itself, as the gradient of one value. Since the rows share the calls
    of the function, a correct Jacobian takes about two calls for each parameter, more if some
    of its entries are 0, or a few dozen along random directions, however many rows it has.

    Parameters
    ----------
    function
        Takes `parameters` and returns a number, or an array or a list of them, of any shape.
    jacobian
        The Jacobian that is claimed, of shape `values.shape + parameters.shape`: an array,
        a sparse matrix or a `LinearOperator` of SciPy, or a function of the parameters that
        returns one. For a nest of parameters, a nest in its structure of such arrays.
        True if `function` returns the pair (values, Jacobian).
    parameters
        A number, an array of floats, or a nest of dicts, lists, tuples and dataclasses of them.
    method
        "entries" measures every entry, "directions" probes each row along random directions.
        "auto" measures every entry for up to 5,000 parameters and 100,000 entries.
    tolerance
        How far an entry may lie outside the error of its slope,
        relative to the largest entry of its array in the same row.
    seed
        As for `check_gradient`.
    in_place
        As for `check_gradient`.

    Returns
    -------
    JacobianReport
        True if the Jacobian is correct; printing it shows what was found. `evaluations` counts
        the calls of `function`. The index of a wrong entry is the index of the value, followed by
        that of the parameter.

    Raises
    ------
    TypeError
        If parameters, values or Jacobian are not real numbers.
    ValueError
        If the function is random, not finite at the parameters, changes them or does not read
        them, if the Jacobian has the wrong structure or shape, changes the parameters or differs
        at its second call, or if the value of an option is invalid.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.linspace(0.0, 2.0, 5)
    >>> def residuals(p):
    ...     return p["a"] * np.exp(-p["b"] * t) - 1.0
    >>> def jacobian(p):
    ...     decay = np.exp(-p["b"] * t)
    ...     return {"a": decay, "b": t * p["a"] * decay}
    >>> report = check_jacobian(residuals, jacobian, {"a": 2.0, "b": 0.5})
    >>> print(report.arrays["b"].mistake.text)
    it has the wrong sign
    """
    require_options(method, tolerance, seed)
    with np.errstate(all="ignore"), _in_words_of_functions():
        here = Parameters(parameters)
        with called_with(parameters, function, jacobian, in_place=in_place) as functions:
            rows = Rows(*functions, here, tolerance)
            moves = rows.require_read(in_place=in_place)
            few = here.size <= MOST_ENTRIES and rows.count * here.size <= MOST_IN_ALL
            every = method == "entries" or (method == "auto" and few)
            found = rows.judged(Options(tolerance, seed, map), moves=moves, every=every)
        entries = _entries_of(found) if every else None
        arrays = rows.reports(found, entries)
    difference = entries.difference() if entries else math.nan
    return JacobianReport(
        verdict=overall(arrays),
        difference=difference,
        arrays=arrays,
        evaluations=rows.values.calls,
        seed=seed,
        notes=tuple(dict.fromkeys(note for row in found for note in row.point.notes)),
        values=rows.shape,
    )


def assert_jacobian(
    function: Function, jacobian: Nest | Function, parameters: Nest, **options: Any
) -> None:
    """Raise an AssertionError with the whole report if the Jacobian is not correct.

    It takes the options of `check_jacobian`.

    Raises
    ------
    AssertionError
        If the verdict is "wrong" or "undecided".
    TypeError, ValueError
        As `check_jacobian` does.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> assert_jacobian(lambda x: A @ x, A, np.ones(2))
    """
    __tracebackhide__ = True
    require_correct(check_jacobian(function, jacobian, parameters, **options))


@dataclass(frozen=True, repr=False, kw_only=True)
class JacobianReport(Report):
    """The report on a Jacobian, whose arrays hold the values along their first axes.

    Attributes
    ----------
    values
        The shape of what the function returned.
    """

    values: tuple[int, ...]

    _what = "Jacobian"
    _beside = "row"

    def _said(self, text: str) -> str:
        return _in_words(text)

    def _entry_name(self, path: str, entry: Entry) -> str:
        value, own = entry.index[: len(self.values)], entry.index[len(self.values) :]
        row = f"{_row_name(value)} with respect to " if value else ""
        return f"{row}{entry_name(path, own)}"

    def _where_to_begin(self) -> str:
        return ""


# The rows


class Row(NamedTuple):
    """What was found of one row."""

    point: Point
    arrays: dict[str, ArrayReport]
    entries: Entries | None


class Rows:
    """The rows of a Jacobian at a point, whose calls of the functions are shared."""

    def __init__(
        self,
        function: Function,
        jacobian: Nest | Function,
        parameters: Parameters,
        tolerance: float,
    ) -> None:
        self.parameters = parameters
        self.values = Shared(lambda nest: values_of(function(nest)))
        first = self.values.reader()(parameters.nest)
        self.shape, self.count = first.shape, first.size
        require_finite(first)
        self.movable = is_function(jacobian)
        given = jacobian if self.movable else lambda _: jacobian
        form = Form(first.shape, tolerance)
        self.claims = Shared(lambda nest: rows_of(given(nest), parameters, form))

    def require_read(self, *, in_place: bool) -> bool:
        """Tell whether any value moves; if none does, refuse claims that say some should."""
        moves = any(self._point(i).objective.noise.moved for i in range(self.count))
        if not moves:
            for i in range(self.count):
                self._point(i).require_read(in_place=in_place)
        return moves

    def judged(self, options: Options, *, moves: bool, every: bool) -> list[Row]:
        """Judge each row by itself; what it takes for mistakes is left to the first of them."""
        rows: list[Row] = []
        most = FEW + (3 if every else 0) * self.parameters.size
        kin = Kin(moves, Steps())
        for i in range(self.count):
            point, left = self._point(i, kin), max(0, most - self.values.calls)
            rows.append(Row(point, *judged(point, options._replace(budget=left), every=every)))
        return rows

    def reports(self, rows: list[Row], entries: Entries | None) -> dict[str, ArrayReport]:
        """Report on each array of all rows."""
        apart = {path: self._apart(path, rows) for path in self.parameters.leaves}
        if entries is None:
            return apart
        for path, together in by_entries(self._as_one(rows), entries).items():
            count = sum(row.arrays[path].verdict == "wrong" for row in rows)
            apart[path] = _of_both(together, apart[path], alone=count == 1)
        return apart

    def _apart(self, path: str, rows: list[Row]) -> ArrayReport:
        """Report on one array by what was found of it in each row."""
        shape = self.shape + np.shape(self.parameters.leaves[path])
        reports = _without_structure(path, rows)
        return _of_rows(reports, self.shape, shape)

    def _as_one(self, rows: list[Row]) -> Check:
        """Return the claims of all rows as one check, in which every entry was measured."""
        points = [row.point for row in rows]
        gradient = {
            path: np.stack([point.claimed[path] for point in points]).reshape(self.shape + g.shape)
            for path, g in points[0].claimed.items()
        }
        return Check(points[0].objective, gradient, Options(0.0, 0, map))

    def _point(self, i: int, kin: Kin | None = None) -> Point:
        """Return the point at which the gradient of one value is claimed."""
        values, claims = self.values.reader(), self.claims.reader()

        def cost(parameters: Nest) -> Any:
            result = values(parameters)
            if result.shape != self.shape:
                raise TypeError(
                    f"the function returned values of shape {result.shape} after values of shape "
                    f"{self.shape}: expected the same shape at all parameters."
                )
            return result.reshape(-1)[i]

        def gradient(parameters: Nest) -> Nest:
            blocks = claims(parameters)
            return replace_leaves(parameters, lambda path, _: blocks[path][i])

        here = self.parameters
        return Point(cost, gradient if self.movable else gradient(here.nest), here, kin)


class Steps:
    """First steps: where those of two values are nearly the same, they take one, and share calls.

    Nearly is less than from one step of a ladder to the next, which would be tried anyway.
    """

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, own: float) -> float:
        """Return a step that was taken before, if one is near its own."""
        near = [step for step in self.taken if own / RATIO < step < own * RATIO]
        self.taken += [] if near else [own]
        return near[0] if near else own


@contextmanager
def _in_words_of_functions() -> Iterator[None]:
    """Let errors of ours that speak of a cost and its gradient speak of a function."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if not is_ours(error):
            raise
        in_words = type(error)(_in_words(str(error)))
        raise in_words from None


def _row_name(index: Sequence[Any]) -> str:
    """Return what a row is called: by its number, or the index of its value."""
    return f"row {index[0]}" if len(index) == 1 else f"row [{', '.join(map(str, index))}]"


# What is said of all rows


def _without_structure(path: str, rows: list[Row]) -> list[ArrayReport]:
    """Return the reports of rows on an array, without the zeros of columns that another row reads.

    There, the point says something of the parameter, and of this row that it does not read it.
    """
    read = np.any([row.point.claimed[path] != 0 for row in rows], axis=0)
    unread = int(np.count_nonzero(~read))
    reports = []
    for report in (row.arrays[path] for row in rows):
        untested = {**report.untested, "zero": min(report.untested.get("zero", 0), unread)}
        kept = {reason: count for reason, count in untested.items() if count}
        reports.append(replace(report, untested=kept))
    return reports


def _of_both(together: ArrayReport, apart: ArrayReport, *, alone: bool) -> ArrayReport:
    """Return the report on all entries together, with the verdict of the worst row.

    What names the mistake best is believed: the one wrong row, if it is `alone`, or all together.
    """
    mistakes = [together.mistake and _of_a_function(together.mistake), apart.mistake]
    named = [m for m in mistakes if m and m.kind not in VAGUE] or mistakes[:1]
    mistake = named[-1 if alone else 0]
    return replace(
        together,
        verdict=apart.verdict,
        reason=apart.reason,
        mistake=mistake,
        untested=apart.untested,
    )


def _entries_of(rows: list[Row]) -> Entries:
    """Return the entries of all rows, one row after the other."""
    return Entries.joined([row.entries for row in rows if row.entries])


def _of_rows(
    reports: list[ArrayReport], values: tuple[int, ...], shape: tuple[int, ...]
) -> ArrayReport:
    """Report on an array by what was found of it in each row."""
    entries = [
        entry._replace(index=(*map(int, np.unravel_index(i, values)), *entry.index))
        for i, report in enumerate(reports)
        for entry in report.entries
    ]
    untested = sum((Counter(report.untested) for report in reports), Counter[str]())
    reasons = Counter(report.reason for report in reports if report.reason)
    verdict = worst(report.verdict for report in reports)
    wrong = verdict == "wrong"
    within = [report.within for report in reports]
    return ArrayReport(
        verdict=verdict,
        shape=shape,
        difference=math.nan,
        resolution=max(report.resolution for report in reports),
        mistake=_shared_mistake(reports, values, entries, shape) if wrong else None,
        entries=listed(entries),
        untested=dict(untested),
        reason=main_reason(reasons) if verdict == "undecided" else "",
        within=max(within) if all(map(math.isfinite, within)) else math.nan,
        tolerated=verdict == "correct" and any(report.tolerated for report in reports),
    )


def _shared_mistake(
    reports: list[ArrayReport],
    values: tuple[int, ...],
    entries: list[Entry],
    shape: tuple[int, ...],
) -> Mistake:
    """Return the mistake that all wrong rows share, and which rows these are."""
    wrong = np.array([report.verdict == "wrong" for report in reports])
    mistakes = {r.mistake.text: r.mistake for r in reports if r.mistake}
    kinds = {mistake.kind for mistake in mistakes.values()}
    count, of = int(np.count_nonzero(wrong)), len(reports)
    if kinds == {"entry"} and (mistake := placed(shape, np.array([e.index for e in entries]))):
        return mistake
    if len(mistakes) == 1 and (of == 1 or not kinds & VAGUE):
        (mistake,) = map(_of_a_function, mistakes.values())
        if count == of:
            return mistake
        where = places(wrong[:, None], 0) if len(values) == 1 else f"{count} of its {of} rows"
        return Mistake("part", mistake.factor, f"in {where}, {mistake.text}")
    if count == 1:
        row = _row_name(tuple(np.argwhere(wrong.reshape(values))[0]))
        return Mistake("row", None, f"only its {row} is wrong")
    which = "every row is" if count == of else f"{count} of its {of} rows are"
    return Mistake("unknown", None, f"{which} wrong, in no known pattern")


def _of_a_function(mistake: Mistake) -> Mistake:
    return mistake._replace(text=_in_words(mistake.text))


def _in_words(text: str) -> str:
    """Return what is said of a cost and its gradient as it is said of a function."""
    for word, other in WORDS.items():
        text = text.replace(word, other)
    return text
