"""Print what a check along random directions takes, and what it misses, at any size.

    python tests/benchmarks/directions.py [--seeds 200] [--only 1e6]

Each seed draws another network, other mistakes and other directions; 1e7 parameters get one seed.

- The evaluations are the most over the seeds, those at the point itself among them.
- The seconds are the median; beside them stands how many bare calls of the cost take as long.
- The memory is the peak of the check less that of one call of the cost, over the parameters'.
- A miss is a wrong entry that is not at its place in the report, or a factor that is not told.
- A false alarm is a right array that is not called correct, or a right entry that is listed.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from backproof import check_gradient
from backproof._report import ArrayReport, Report

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.entries import best_time
from support.catalogue import Model
from support.networks import ACT, network, plant_entries

SIZES = {
    "1e3": (20, 30, 10, 5),
    "1e4": (80, 100, 20, 5),
    "1e5": (300, 250, 90, 10),
    "1e6": (784, 1000, 200, 10),
    "1e7": (3000, 2800, 550, 20),
}
ONE_SEED = "1e7"

FACTORS = (2.0, 0.5, -1.0, 32.0, 1 / 32, 1.01)

# An array of at most 64 entries may be measured entry by entry, and W3 of this size has 50.
ANY_EVALUATIONS = "1e3"

MOST_MEMORY = 6.0  # times the parameters, at 1e7


class Planted(NamedTuple):
    """A claimed gradient, the array in which it is wrong, and the places or the factor there."""

    claimed: dict[str, Any]
    path: str = ""
    places: frozenset[int] = frozenset()
    factor: float | None = None


class Task(NamedTuple):
    """What is planted, and the most evaluations that its check may take."""

    name: str
    most: int
    plant: Callable[[dict[str, Any], int], Planted]


class Run(NamedTuple):
    """What one check took, and how many times it was wrong."""

    seed: int
    evaluations: int
    seconds: float
    misses: int
    false_alarms: int


class Row(NamedTuple):
    """The checks of one task on one kind of network, over all seeds."""

    size: str
    activation: str
    task: Task
    parameters: int
    cost_seconds: float
    memory: float
    runs: list[Run]

    @property
    def evaluations(self) -> int:
        """The most evaluations of any seed."""
        return max(run.evaluations for run in self.runs)

    @property
    def mistaken(self) -> tuple[int, int]:
        """The misses and the false alarms of all seeds."""
        return sum(run.misses for run in self.runs), sum(run.false_alarms for run in self.runs)


# What is planted


def nothing(right: dict[str, Any], _: int) -> Planted:
    """Claim the right gradient."""
    return Planted(right)


def entries(count: int, right: dict[str, Any], seed: int) -> Planted:
    """Make entries of a weight matrix wrong by one percent of a typical one, up or down."""
    claimed, path = dict(right), f"W{1 + seed % 3}"
    places = plant_entries(claimed, path, np.random.default_rng(seed), count)
    return Planted(claimed, path, frozenset(places))


def factor(right: dict[str, Any], seed: int) -> Planted:
    """Multiply a whole array, matrices and biases in turn."""
    path, factor = list(right)[seed % len(right)], FACTORS[seed // len(right) % len(FACTORS)]
    return Planted({**right, path: factor * right[path]}, path, factor=factor)


TASKS = (
    Task("right", 20, nothing),
    Task("one entry", 30, partial(entries, 1)),
    Task("ten entries", 300, partial(entries, 10)),
    Task("two equal or opposite", 300, partial(entries, 2)),
    Task("a factor", 30, factor),
)


# What a check says, and takes


def run(model: Model, planted: Planted, seed: int) -> Run:
    """Check a gradient, and compare what the report says with what was planted."""
    start = time.perf_counter()
    report = checked(model, planted, seed)
    seconds = time.perf_counter() - start
    return Run(
        seed, report.evaluations, seconds, misses(report, planted), false_alarms(report, planted)
    )


def checked(model: Model, planted: Planted, seed: int) -> Report:
    """Check a claimed gradient along directions."""
    return check_gradient(
        model.cost, planted.claimed, model.parameters, method="directions", seed=seed
    )


def misses(report: Report, planted: Planted) -> int:
    """Count the planted mistakes that a report does not tell."""
    if not planted.path:
        return 0
    array = report.arrays[planted.path]
    if planted.factor is None:
        return len(planted.places - found(array))
    told = array.mistake.factor if array.mistake else None
    return int(told is None or not math.isclose(told, planted.factor, rel_tol=1e-3))


def false_alarms(report: Report, planted: Planted) -> int:
    """Count the right arrays and entries that a report does not leave alone."""
    arrays = {path for path, array in report.arrays.items() if array.verdict != "correct"}
    entries = found(report.arrays[planted.path]) - planted.places if planted.places else set()
    return len(arrays - {planted.path}) + len(entries)


def found(array: ArrayReport) -> set[int]:
    """Return the places of the wrong entries that a report lists."""
    return {int(np.ravel_multi_index(entry.index, array.shape)) for entry in array.entries}


def peak(call: Callable[[], Any]) -> int:
    """Return the bytes that a call holds at most beyond those that were held before."""
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def memory(model: Model, planted: Planted) -> float:
    """Return the peak of a check less that of a call of the cost, over the parameters' bytes."""
    own = peak(lambda: model.cost(model.parameters))
    held = sum(array.nbytes for array in model.arrays.values())
    return (peak(lambda: checked(model, planted, 0)) - own) / held


# The table


def measured(size: str, activation: str, seeds: int) -> Iterator[Row]:
    """Yield the rows of one kind of network, every task over all seeds."""
    runs: dict[Task, list[Run]] = {task: [] for task in TASKS}
    for seed in range(seeds):
        model = network(activation, SIZES[size], seed)
        right = model.gradient(model.parameters)
        for task, own in runs.items():
            own.append(run(model, task.plant(right, seed), seed))
    count = sum(array.size for array in model.arrays.values())
    seconds = best_time(partial(model.cost, model.parameters), repeats=10)
    for task, own in runs.items():
        yield Row(size, activation, task, count, seconds, memory(model, task.plant(right, 0)), own)


HEADINGS = (
    f"{'parameters':>10}  {'network':7}  {'mistake':21}  {'evaluations':>11}  {'seconds':>8}  "
    f"{'/ cost':>6}  {'memory':>6}  {'misses':>6}  {'false alarms':>12}"
)


def line(row: Row) -> str:
    """Return a row of the table."""
    seconds = median(run.seconds for run in row.runs)
    missed, alarms = row.mistaken
    return (
        f"{row.parameters:10,}  {row.activation:7}  {row.task.name:21}  {row.evaluations:11}  "
        f"{seconds:8.3f}  {seconds / row.cost_seconds:6.0f}  {row.memory:6.1f}  "
        f"{missed:6}  {alarms:12}"
    )


def claims(rows: list[Row]) -> Iterator[str]:
    """Say of each claim what was measured, and whether it held."""
    for task in TASKS:
        own = [row for row in rows if row.task == task and row.size != ANY_EVALUATIONS]
        if own:
            yield claim(f"{task.name}: evaluations", max(r.evaluations for r in own), task.most)
    at_most = [row.memory for row in rows if row.size == ONE_SEED]
    if at_most:
        yield claim(f"memory at {ONE_SEED}", max(at_most), MOST_MEMORY)
    missed, alarms = map(sum, zip(*(row.mistaken for row in rows), strict=True))
    yield claim("misses", missed, 0)
    yield claim("false alarms", alarms, 0)


def claim(name: str, value: float, most: float) -> str:
    """Say whether a number is at most what is claimed."""
    return f"{name}: {value:.3g}, at most {most:g}: {'held' if value <= most else 'BROKEN'}"


def mistaken(rows: list[Row]) -> Iterator[str]:
    """Say which seeds to look at."""
    for row in rows:
        if seeds := [str(run.seed) for run in row.runs if run.misses or run.false_alarms]:
            yield f"{row.size} {row.activation}, {row.task.name}: seeds {', '.join(seeds)}"


def main() -> None:
    """Measure all sizes on both kinds of network, and print a line as soon as it is known."""
    parser = argparse.ArgumentParser(description="Measure the check along random directions.")
    parser.add_argument("--seeds", type=int, default=20, help="how many, below 1e7 parameters")
    parser.add_argument("--only", choices=SIZES, nargs="+", default=list(SIZES), help="sizes")
    options = parser.parse_args()
    print(f"{options.seeds} seeds; {ONE_SEED}: one seed", HEADINGS, sep="\n")
    rows = []
    for size in options.only:
        for activation in ACT:
            for row in measured(size, activation, 1 if size == ONE_SEED else options.seeds):
                print(line(row), flush=True)
                rows.append(row)
    print("", *claims(rows), *mistaken(rows), sep="\n")


if __name__ == "__main__":
    main()
