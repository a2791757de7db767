"""Count how right and wrong gradients are judged, over families of costs that nobody tuned to.

    python tests/proofs/verdicts.py [--cases 8] [--seed 1] [--workers 2] [--only REGEX]
        [--methods entries,directions] [--mistakes 2] [--fixed] [--json FILE] [--write]
    python tests/proofs/verdicts.py --case FAMILY:PRECISION:NUMBER

For each family, precision and method, a line counts how right gradients are judged,
and those with a planted mistake, and gives the median and the largest number of evaluations:

- "exact": the wrong array is named, and no other;
- "others": others are named;
- "unseen": it passes as correct, but the mistake is below what the report says it would see;
- "passed": it passes as correct.

Gradients are given as functions, and with `--fixed` also as arrays.
A ValueError or a TypeError counts as refused, any other error as raised.
With `--write`, the counts go to docs/explanation/families.json, which the page
docs/explanation/honesty.md shows.
What should not have happened is listed at the end; `--case` prints the reports of one case.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from backproof import Report, check_gradient

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.families import (
    FAMILIES,
    KINDS,
    METHODS,
    METHODS_OF,
    PRECISIONS_OF,
    Case,
    case_of,
    mistaken,
    possible,
)
from support.families.model import arrays_of
from support.measured import made, summed

SEED = 20261128
COUNTING = 1  # raised when the same cases are counted in another way
RESULTS = Path(__file__).parents[2] / "docs" / "explanation" / "families.json"
ENDINGS = {
    "right": ("correct", "wrong", "undecided", "refused", "raised"),
    "planted": ("exact", "others", "undecided", "unseen", "passed", "refused", "raised"),
}


class Job(NamedTuple):
    """What a case is drawn from."""

    family: str
    precision: str
    number: int
    seed: int

    def case(self) -> Case:
        """Draw the case; what is random in its cost begins anew."""
        return case_of(self.family, self.precision, self.number, self.seed)


class Claim(NamedTuple):
    """A gradient by its kind: "right", or the mistake that is planted; and how it is given."""

    kind: str
    fixed: bool

    @property
    def group(self) -> str:
        return "right" if self.kind == "right" else "planted"

    def gradient(self, job: Job, case: Case) -> tuple[Any, set[str]]:
        """Return the gradient that is claimed, and the paths of its wrong arrays."""
        gradient, wrong = case.gradient, set[str]()
        if self.group == "planted":
            rng = np.random.default_rng([job.seed, job.number, KINDS.index(self.kind)])
            gradient, wrong = mistaken(case, rng, self.kind)
        return gradient(case.parameters) if self.fixed else gradient, wrong

    def __str__(self) -> str:
        return f"{self.kind}{', as arrays' * self.fixed}"


class Outcome(NamedTuple):
    """How one check ended."""

    family: str
    precision: str
    method: str
    given: str
    group: str
    kind: str
    number: int
    ending: str
    acceptable: bool
    evaluations: int
    seconds: float


# One case


def outcomes(job: Job, methods: tuple[str, ...], mistakes: int, fixed: bool) -> list[Outcome]:
    """Check the right gradient of a case and some mistakes by each method."""
    kinds = possible(job.case())
    some = [kinds[(job.number * mistakes + k) % len(kinds)] for k in range(mistakes) if kinds]
    return [
        outcome(job, method, Claim(kind, as_arrays))
        for method in methods
        if method in METHODS_OF[job.family]
        for as_arrays in (False, True)[: 1 + fixed]
        for kind in ("right", *dict.fromkeys(some))
    ]


def outcome(job: Job, method: str, claim: Claim) -> Outcome:
    """Check one claim by one method."""
    case, start = job.case(), time.perf_counter()
    gradient, wrong = claim.gradient(job, case)
    report, ending = checked(case, gradient, method)
    seconds = time.perf_counter() - start
    if claim.group == "planted" and report is not None:
        ending = judged(job, claim, wrong, report)
    return Outcome(
        *(job.family, job.precision, method, "arrays" if claim.fixed else "function"),
        *(claim.group, claim.kind, job.number, ending),
        ending in acceptable(case, claim),
        0 if report is None else report.evaluations,
        seconds,
    )


def checked(case: Case, gradient: Any, method: str) -> tuple[Report | None, str]:
    """Return the report on a claim, if there is one, and the verdict or what was raised."""
    try:
        with np.errstate(all="ignore"):
            report = check_gradient(case.cost, gradient, case.parameters, method=method)
    except (TypeError, ValueError):
        return None, "refused"
    except Exception:
        return None, "raised"
    return report, report.verdict


def judged(job: Job, claim: Claim, wrong: set[str], report: Report) -> str:
    """Return how a report on a planted mistake is to be counted."""
    if report.verdict == "wrong":
        named = {path for path, array in report.arrays.items() if array.verdict == "wrong"}
        return "exact" if named == wrong else "others"
    if report.verdict == "undecided":
        return "undecided"
    (path,) = wrong
    array, (mistake, largest) = report.arrays[path], sizes_of(job, claim, path)
    seen = mistake >= array.resolution * largest and not mistake < array.within
    return "passed" if seen else "unseen"


def sizes_of(job: Job, claim: Claim, path: str) -> tuple[float, float]:
    """Return the sizes of the largest mistake in an array, and of its largest entry."""
    case = job.case()
    claimed = arrays_of(claim._replace(fixed=True).gradient(job, case)[0])[path]
    right = arrays_of(case.gradient(case.parameters))[path]
    return float(np.abs(claimed - right).max()), float(np.abs([claimed, right]).max())


def acceptable(case: Case, claim: Claim) -> frozenset[str]:
    """Return the endings of a check that are no fault."""
    if claim.group == "right" or case.expected == {"refused"}:
        return case.expected
    return case.expected - {"correct"} | {"exact", "unseen"}


def show(job: Job, fixed: bool) -> None:
    """Print the reports of a case, on the right gradient and on each planted mistake."""
    case = job.case()
    print(f"{job.family}, {job.precision}, {job.number}: {case.detail}")
    print(f"expected: {' or '.join(sorted(case.expected))}")
    for method in METHODS_OF[job.family]:
        for kind in ("right", *possible(case)):
            for claim in (Claim(kind, False), Claim(kind, True))[: 1 + fixed]:
                fresh = job.case()
                gradient, wrong = claim.gradient(job, fresh)
                report, ending = checked(fresh, gradient, method)
                print(f"\n== {method}: {claim}{' in ' * bool(wrong)}{''.join(wrong)}")
                print(ending if report is None else report)


# All cases


def run(jobs: Iterable[Job], workers: int, **options: Any) -> Iterator[Outcome]:
    """Yield the outcomes of many cases, in their order."""
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for found in pool.map(partial(outcomes, **options), jobs):
            yield from found


def table(found: list[Outcome]) -> Iterator[str]:
    """Yield a line of counts for each family, precision, method and form, and for all families."""
    groups: dict[tuple[str, ...], list[Outcome]] = defaultdict(list)
    for one in found:
        groups[one.family, one.precision, one.method, one.given].append(one)
    for one in found:
        groups["all", one.precision, one.method, one.given].append(one)
    heads = [name[:7] for names in ENDINGS.values() for name in (*names, "median", "largest")]
    yield _line(("", "", "", ""), heads)
    for key, own in groups.items():
        counts = [n for group in ENDINGS for n in _counts(own, group)]
        yield _line(key, [str(n) if n else "." for n in counts])


def _line(key: tuple[str, ...], cells: list[str]) -> str:
    name, precision, method, given = key
    split = len(ENDINGS["right"]) + 2
    right, wrong = ("".join(f"{c:>8}" for c in some) for some in (cells[:split], cells[split:]))
    return f"{name:29}{precision:15}{method:11}{given:9}{right} |{wrong}"


def _counts(own: list[Outcome], group: str) -> list[int]:
    """Return the counts of the endings, and the median and largest number of evaluations."""
    some = [one for one in own if one.group == group]
    counts = Counter(one.ending for one in some)
    numbers = [one.evaluations for one in some] or [0]
    return [*(counts[name] for name in ENDINGS[group]), round(median(numbers)), max(numbers)]


def faults(found: list[Outcome]) -> Iterator[str]:
    """Yield a line for each kind of fault of a family, with the numbers of the cases.

    That others are named follows where the right gradient is accused, and is left out.
    """
    accused = {
        (*one[:4], one.number) for one in found if (one.kind, one.ending) == ("right", "wrong")
    }
    lines: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for one in found:
        follows = one.ending == "others" and (*one[:4], one.number) in accused
        if not one.acceptable and not follows:
            kind = f" ({one.kind})" if one.group == "planted" else ""
            lines[(*one[:4], one.group, one.ending)].append(f"{one.number}{kind}")
    for (name, precision, method, given, group, ending), cases in lines.items():
        yield f"{name}:{precision}, {method}, {given}: {group} is {ending}: {', '.join(cases)}"


def summary(found: list[Outcome], seed: int, cases: int) -> dict[str, Any]:
    """Return the counts of each family, precision and method, and what should not have happened."""
    families: dict[str, Any] = {}
    for one in found:
        methods = families.setdefault(one.family, {}).setdefault(one.precision, {})
        counts = methods.setdefault(one.method, {group: {} for group in ENDINGS})[one.group]
        counts[one.ending] = counts.get(one.ending, 0) + 1
    return {
        "date": datetime.now(UTC).strftime("%B %Y"),
        "seed": seed,
        "cases": cases,
        "families": families,
        "faults": [*faults(found)],
    }


def write(results: dict[str, Any]) -> None:
    """Write a summary to the file that the page shows, the counts of a group in one line."""
    text = json.dumps(summed({"made": made(COUNTING), **results}), indent=1)
    text = re.sub(r"{[^{}]*}", lambda counts: json.dumps(json.loads(counts[0])), text)
    RESULTS.write_text(f"{text}\n", "utf-8")


def main() -> None:
    """Run what is asked for, and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--cases", type=int, default=8, help="of each family and precision")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="a pattern of FAMILY:PRECISION")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--mistakes", type=int, default=2, help="planted in each case, in turn")
    parser.add_argument("--fixed", action="store_true", help="give the right one as arrays, too")
    parser.add_argument("--json", type=Path, help="where the outcomes go")
    parser.add_argument("--write", action="store_true", help="write the counts for the page")
    parser.add_argument("--case", help="FAMILY:PRECISION:NUMBER, whose reports are printed")
    options = parser.parse_args()
    if options.case:
        name, precision, number = options.case.split(":")
        return show(Job(name, precision, int(number), options.seed), options.fixed)
    jobs = [
        Job(name, precision, number, options.seed)
        for name in FAMILIES
        for precision in PRECISIONS_OF[name]
        if re.search(options.only, f"{name}:{precision}")
        for number in range(options.cases)
    ]
    methods = tuple(options.methods.split(","))
    asked = {"methods": methods, "mistakes": options.mistakes, "fixed": options.fixed}
    found = list(run(jobs, options.workers, **asked))
    print(*table(found), "", *faults(found), sep="\n")
    if options.json:
        options.json.write_text(json.dumps([one._asdict() for one in found], indent=0), "utf-8")
    if options.write:
        write(summary(found, options.seed, options.cases))
    return None


if __name__ == "__main__":
    main()
