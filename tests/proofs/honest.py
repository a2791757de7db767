"""Count, over random functions and gradients, how often what the library says is true.

    python tests/proofs/honest.py [--cases 10000] [--workers 2] [--write]

- Slopes: does the stated error cover the true one? The true slope is known to many digits.
- Right gradients of the catalogue's models: is one of them accused?
- Wrong ones, by 1e-4 of the largest entry of the array or more: does one pass, and are the
  arrays that are named those that are wrong?

A mistake that passes, but is smaller than the resolution that the report states for its array,
is counted as unseen: the report does not claim that it would have seen it.

All is counted for float64 and for float32 apart: there, slopes are known to some percent only.
Every case is drawn from its own number, so that any of them can be had again, and what is
printed does not depend on the number of workers. With `--write`, the counts go to
docs/explanation/honesty.json, from which the page docs/explanation/honesty.md prints.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import mpmath
import numpy as np

from backproof import Report, check_gradient, derivative

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.catalogue import Right, Wrong, random_case
from support.catalogue.functions import FUNCTIONS
from support.catalogue.mistakes import relative_change
from support.catalogue.model import arrays_of
from support.measured import made, summed

RESULTS = Path(__file__).parents[2] / "docs" / "explanation" / "honesty.json"
METHODS = ("entries", "directions")
PRECISIONS = ("float64", "float32")
DIGITS = 200  # enough for what is left of an exponential far out
SEED = 20261121
COUNTING = 1  # raised when the same cases are counted in another way
SMALLEST = 1e-4  # mistakes, relative to the largest entry of their array

# The true error over the stated one, in powers of ten.
BINS = (-math.inf, *np.arange(-5.0, 1.5, 0.5).tolist(), math.inf)


class Trial(NamedTuple):
    """A slope that was measured: the true error over the stated one, and that over the slope."""

    name: str
    precision: str
    ratio: float
    coarseness: float

    @property
    def covered(self) -> bool:
        """Whether the stated error covers the true one."""
        return self.ratio <= 1


class Ending(NamedTuple):
    """How a gradient was judged by each method."""

    precision: str
    said: dict[str, str]


# Slopes


def slope_trial(number: int) -> Trial:
    """Measure the slope of c f(a x) + d, or of f(a x) in float32, and compare with the true one."""
    rng = np.random.default_rng([SEED, 0, number])
    name, function, exact, points = FUNCTIONS[rng.integers(len(FUNCTIONS))]
    near = float(rng.choice(points)) * 2 ** rng.uniform(-1, 1)
    single = rng.random() < 0.2 and 1e-30 < abs(function(near)) < 1e30
    a = 10 ** rng.uniform(-3, 3)
    c = 1.0 if single else float(rng.choice([-1, 1])) * 10 ** rng.uniform(-12, 12)
    d = 0.0 if single or rng.random() < 0.5 else c * function(near) * 10 ** rng.uniform(-3, 6)
    x = near / a

    def cost(x: float) -> Any:
        value = c * function(a * x) + d
        return np.float32(value) if single else value

    with np.errstate(all="ignore"):
        slope = derivative(cost, x)
    with mpmath.workdps(DIGITS):
        at = mpmath.mpf(a) * mpmath.mpf(x)
        true = mpmath.mpf(c) * mpmath.mpf(a) * mpmath.diff(exact, at)
        apart, size = abs(slope.value - true), abs(true)
        ratio = float(apart / slope.error) if slope.error else math.inf * bool(apart)
        coarseness = float(slope.error / size) if size else 0.0
    title = f"{number}: {name} at {near:.3g}"
    return Trial(title, PRECISIONS[single], ratio, coarseness)


def about_slopes(trials: list[Trial]) -> dict[str, Any]:
    """Return what is to be said of slopes: how many are covered, how closely, and which are not."""
    logs = np.log10(np.maximum([trial.ratio for trial in trials], 1e-99))
    return {
        "count": len(trials),
        "covered": sum(trial.covered for trial in trials),
        "median_error": float(np.median([trial.coarseness for trial in trials])),
        "ratios": np.histogram(logs, BINS)[0].tolist(),
        "not_covered": [trial.name for trial in trials if not trial.covered],
    }


# Gradients


def right_case(number: int) -> Right:
    """Draw the right gradient of this number."""
    return next(case for case in cases(1, number) if isinstance(case, Right))


def wrong_case(number: int) -> Wrong:
    """Draw the wrong gradient of this number, wrong enough to be seen."""
    wrong = (case for case in cases(2, number) if isinstance(case, Wrong))
    return next(case for case in wrong if case.change >= SMALLEST)


def cases(kind: int, number: int) -> Iterator[Right | Wrong]:
    """Yield random cases, always the same for a number."""
    rng = np.random.default_rng([SEED, kind, number])
    while True:
        yield random_case(rng)


def right_ending(number: int) -> Ending:
    """Judge a right gradient by each method."""
    return ending_of(right_case(number))


def wrong_ending(number: int) -> Ending:
    """Judge a wrong gradient by each method."""
    return ending_of(wrong_case(number))


def ending_of(case: Right | Wrong) -> Ending:
    """Judge a case by each method."""
    precisions = {array.dtype.name for array in case.model.arrays.values()}
    return Ending(max(precisions), {method: said_of(case, method) for method in METHODS})


def said_of(case: Right | Wrong, method: str) -> str:
    """Return the verdict, or that other arrays are named than those that are wrong."""
    with np.errstate(all="ignore"):
        report = check_gradient(case.model.cost, case.claimed, case.model.parameters, method=method)
    return judged(case, report) if isinstance(case, Wrong) else report.verdict


def judged(case: Wrong, report: Report) -> str:
    """Return how a report on a wrong gradient is to be counted.

    Where not all wrong arrays are named, it is "unseen" if all mistakes in the others pass as
    correct, and lie below the resolution that is stated for them.
    """
    named = {path for path, array in report.arrays.items() if array.verdict == "wrong"}
    left = case.arrays - named
    if left and named <= case.arrays and all(is_unseen(case, report, path) for path in left):
        return "unseen"
    return "others named" if report.verdict == "wrong" and named != case.arrays else report.verdict


def is_unseen(case: Wrong, report: Report, path: str) -> bool:
    """Tell whether an array passes whose mistake is below the resolution that is stated for it."""
    mistake = relative_change(arrays_of(case.claimed)[path], case.model.right[path])
    array = report.arrays[path]
    return array.verdict == "correct" and mistake < array.resolution


def about_gradients(endings: list[tuple[int, Ending]], good: str) -> dict[str, Any]:
    """Return the counts of each method, and the numbers of those that ended otherwise."""
    counts: dict[str, Any] = {
        method: dict(Counter(ending.said[method] for _, ending in endings)) for method in METHODS
    }
    others = [
        f"{number}, {method}: {ending.said[method]}"
        for number, ending in endings
        for method in METHODS
        if ending.said[method] != good
    ]
    return {"count": len(endings), **counts, "others": others}


# The command


def measured(cases: int, workers: int) -> dict[str, Any]:
    """Run everything over this many cases, and return all that is counted."""
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:

        def over(task: Callable[[int], Any]) -> list[Any]:
            return list(pool.map(task, range(cases), chunksize=50))

        trials = over(slope_trial)
        right, wrong = enumerate(over(right_ending)), enumerate(over(wrong_ending))
    slopes = {p: about_slopes([t for t in trials if t.precision == p]) for p in PRECISIONS}
    return {
        "date": datetime.now(UTC).strftime("%B %Y"),
        "seed": SEED,
        "digits": DIGITS,
        "smallest": SMALLEST,
        "slopes": slopes,
        "right": _by_precision([*right], "correct"),
        "wrong": _by_precision([*wrong], "wrong"),
    }


def _by_precision(endings: list[tuple[int, Ending]], good: str) -> dict[str, Any]:
    return {
        precision: about_gradients([e for e in endings if e[1].precision == precision], good)
        for precision in PRECISIONS
    }


def faults(results: dict[str, Any], precision: str) -> dict[str, int]:
    """Return how many slopes are not covered, and how many alarms and misses there are.

    What is unseen is no miss.
    """
    slopes, right, wrong = (results[kind][precision] for kind in ("slopes", "right", "wrong"))
    return {
        "not covered": slopes["count"] - slopes["covered"],
        "alarms": sum(right[method].get("wrong", 0) for method in METHODS),
        "misses": sum(missed(wrong, method) for method in METHODS),
        "unseen": sum(wrong[method].get("unseen", 0) for method in METHODS),
    }


def missed(wrong: dict[str, Any], method: str) -> int:
    """Return how many wrong gradients are neither told and named, nor below the resolution."""
    return int(wrong["count"] - sum(wrong[method].get(one, 0) for one in ("wrong", "unseen")))


def holds(results: dict[str, Any]) -> bool:
    """Tell whether the results are as promised.

    In float64, 99 of 100 slopes are covered, no right gradient is accused, and of no wrong one
    an array is missed whose mistake is above the resolution that is stated;
    in float32, 9 of 10 slopes are, and 99 of 100 verdicts are right.
    In both, no more than 1 of 100 mistakes is unseen.
    """
    double, single = (faults(results, precision) for precision in PRECISIONS)
    slopes, right, wrong = (results[kind] for kind in ("slopes", "right", "wrong"))
    return (
        double["not covered"] <= 0.01 * slopes["float64"]["count"]
        and double["alarms"] == double["misses"] == 0
        and single["not covered"] <= 0.1 * slopes["float32"]["count"]
        and single["alarms"] <= 0.01 * len(METHODS) * right["float32"]["count"]
        and single["misses"] <= 0.01 * len(METHODS) * wrong["float32"]["count"]
        and double["unseen"] <= 0.01 * len(METHODS) * wrong["float64"]["count"]
        and single["unseen"] <= 0.01 * len(METHODS) * wrong["float32"]["count"]
    )


def main() -> None:
    """Run, print the counts, and write them where that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the results for the page")
    options = parser.parse_args()
    results = measured(options.cases, options.workers)
    print(json.dumps(results, indent=1))
    print({precision: faults(results, precision) for precision in PRECISIONS})
    if options.write:
        content = summed({"made": made(COUNTING), **results})
        RESULTS.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    sys.exit(not holds(results))


if __name__ == "__main__":
    main()
