"""Check thousands of gradients in one process, and interrupt some: nothing piles up, or is left.

    python tests/proofs/soak.py [--checks 10000]

It prints the memory and the open files over the first and the last quarter of the checks,
and how many checks were broken off by what; after each of these, the caller's parameters
are as they were, and the next check says the same as the one before.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import signal
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from backproof import check_gradient, numerical_gradient
from backproof.course import gradient_check_n_test_case

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.catalogue import random_case

METHODS = ("entries", "directions")
EVERY = 100  # so many checks, a sample is taken
PAGE = os.sysconf("SC_PAGE_SIZE")


class Sample(NamedTuple):
    """What the process holds: memory in megabytes, and open files."""

    memory: float
    files: float


def held() -> Sample:
    """Return what this process holds now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return Sample(pages * PAGE / 2**20, len(os.listdir("/proc/self/fd")))


def soak(checks: int) -> list[Sample]:
    """Check this many random gradients, right and wrong, by both methods in turn."""
    rng, samples = np.random.default_rng(0), []
    for number in range(checks):
        case = random_case(rng)
        check = partial(check_gradient, case.model.cost, case.claimed, case.model.parameters)
        with np.errstate(all="ignore"):
            str(check(method=METHODS[number % 2]))
        if number % EVERY == EVERY - 1:
            gc.collect()
            samples.append(held())
    return samples


def quarters(samples: list[Sample]) -> tuple[Sample, Sample]:
    """Return the medians over the first and the last quarter."""
    n = len(samples) // 4
    first, last = (np.median(part, axis=0).tolist() for part in (samples[:n], samples[-n:]))
    return Sample(*first), Sample(*last)


def is_flat(first: Sample, last: Sample) -> bool:
    """Tell whether no more is held at the end, but for a megabyte that the allocator may keep."""
    return last.memory <= first.memory + 1 and last.files == first.files


# Checks that are broken off

Parameters = dict[str, Any]
Function = Callable[[Parameters], float]
_, _, PARAMETERS = gradient_check_n_test_case()


def cost(parameters: Parameters) -> float:
    """Return a cost that has a slope in every entry."""
    return float(sum(np.sum(np.sin(array)) for array in parameters.values()))


def gradient(parameters: Parameters) -> Parameters:
    """Return its gradient, wrong in W2."""
    return {key: np.cos(array) + (key == "W2") * array for key, array in parameters.items()}


TASKS: dict[str, Callable[..., object]] = {
    "entries": lambda cost: check_gradient(cost, gradient, PARAMETERS, method="entries"),
    "directions": lambda cost: check_gradient(cost, gradient, PARAMETERS, method="directions"),
    "numerical_gradient": lambda cost: numerical_gradient(cost, PARAMETERS),
}


class DiskFullError(Exception):
    """What a cost raises in one of its calls."""


class Breaks:
    """The cost, which raises in its n-th call."""

    def __init__(self, call: int, kind: type[BaseException]) -> None:
        self.calls_left, self.kind = call, kind

    def __call__(self, parameters: Parameters) -> float:
        self.calls_left -= 1
        if not self.calls_left:
            raise self.kind
        return cost(parameters)


class DiesElsewhere:
    """The cost, which kills any process but the one that it was made in."""

    def __init__(self) -> None:
        self.home = os.getpid()

    def __call__(self, parameters: Parameters) -> float:
        if os.getpid() != self.home:
            os.kill(os.getpid(), signal.SIGKILL)
        return cost(parameters)


def is_broken_off(run: Callable[[], object], kind: type[BaseException]) -> bool:
    """Run until an exception, if one comes; require that parameters and verdicts are as before."""
    before = {key: array.tobytes() for key, array in PARAMETERS.items()}
    said = str(check_gradient(cost, gradient, PARAMETERS))
    try:
        run()
        broken = False
    except kind:
        broken = True
    assert {key: array.tobytes() for key, array in PARAMETERS.items()} == before
    assert str(check_gradient(cost, gradient, PARAMETERS)) == said
    return broken


def by_the_cost(calls: Iterable[int], kind: type[BaseException]) -> int:
    """Break off each task in each of these calls of the cost; return how often that was."""
    return sum(
        is_broken_off(partial(task, Breaks(call, kind)), kind)
        for task in TASKS.values()
        for call in calls
    )


def by_the_user(times: int) -> int:
    """Interrupt each task after some random time, wherever it is; return how often it was."""
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    delays = random.Random(0)
    try:
        return sum(
            is_broken_off(
                partial(_interrupted, task, delays.uniform(1e-5, 2e-3)), KeyboardInterrupt
            )
            for task in TASKS.values()
            for _ in range(times)
        )
    finally:
        signal.signal(signal.SIGALRM, previous)


def _interrupted(task: Callable[[Function], object], delay: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, delay)
    try:
        task(cost)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def by_the_death_of_a_worker() -> int:
    """Kill the worker processes of the tasks that take some; return how often that was."""
    count = 0
    for check in (
        partial(check_gradient, DiesElsewhere(), gradient),
        partial(numerical_gradient, DiesElsewhere()),
    ):
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            run = partial(check, PARAMETERS, workers=pool.map)
            count += is_broken_off(run, BrokenProcessPool)
    return count


def main() -> None:
    """Soak, break off, and print what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--checks", type=int, default=10_000)
    checks = parser.parse_args().checks
    first, last = quarters(soak(checks))
    for name, sample in (("first", first), ("last", last)):
        print(f"{sample.memory:.1f} MB, {sample.files:.0f} files in the {name} quarter of {checks}")
    for name, count in (
        ("an exception in a call of the cost", by_the_cost(range(1, 30), DiskFullError)),
        ("Ctrl-C in a call of the cost", by_the_cost(range(1, 30), KeyboardInterrupt)),
        ("Ctrl-C at any time", by_the_user(200)),
        ("the death of a worker", by_the_death_of_a_worker()),
    ):
        print(f"{count} broken off by {name}: the parameters are as they were")
    sys.exit(not is_flat(first, last))


if __name__ == "__main__":
    main()
