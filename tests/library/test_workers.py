"""The workers of a check: any map gives what the serial one gives, and tells what broke where."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict
from importlib import import_module
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest
from tqdm import contrib as tqdm

from backproof import check_gradient, course, numerical_gradient
from backproof._objective import Workers
from backproof._parameters import flatten

X, Y, PARAMETERS = course.gradient_check_n_test_case()


def cost(parameters: dict[str, Any]) -> float:
    """Return the cost of the course's network; at module level, so that processes find it."""
    return course.forward_propagation_n(X, Y, parameters)[0]


def broken_cost(parameters: dict[str, Any]) -> float:
    """Return the cost, but raise where `W2[0, 3]` is the only entry that is displaced."""
    displaced = [np.argwhere(parameters[key] != PARAMETERS[key]).tolist() for key in PARAMETERS]
    if displaced == [[], [], [[0, 3]], [], [], []]:
        raise RuntimeError("the disk is full")
    return cost(parameters)


def stuck_cost(parameters: dict[str, Any]) -> float:
    """Return the cost, but raise where anything is displaced."""
    if any((parameters[key] != PARAMETERS[key]).any() for key in PARAMETERS):
        raise RuntimeError("the disk is full")
    return cost(parameters)


# The maps


def serial() -> Iterator[Workers]:
    """Give the built-in map."""
    yield map


def threads() -> Iterator[Workers]:
    """Give the map of four threads."""
    with ThreadPoolExecutor(4) as pool:
        yield pool.map


def processes() -> Iterator[Workers]:
    """Give the map of two processes."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        yield pool.map


def pool() -> Iterator[Workers]:
    """Give the map of a pool of two processes."""
    with get_context("spawn").Pool(2) as pool:
        yield pool.map


def progress() -> Iterator[Workers]:
    """Give tqdm's map with its progress bar."""
    yield tqdm.tmap


def dask() -> Iterator[Workers]:
    """Give the map of a local cluster of two worker processes."""
    distributed: Any = import_module("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1"}
    with distributed.Client(processes=True, dashboard_address="127.0.0.1:0", **options) as client:
        yield lambda f, points: client.gather(client.map(f, list(points)))


MAPS = (serial, threads, processes, pool, progress, dask)


@pytest.fixture(scope="module", params=MAPS, ids=lambda make: make.__name__)
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    """Start the workers of one map, keep them for its tests, and stop them."""
    yield from request.param()


# What holds for each


def test_every_map_gives_what_the_serial_one_gives(
    workers: Workers, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report of a right and of a wrong gradient, slopes and errors are the same, bit by bit."""
    start = time.perf_counter()
    parallel = results(workers)
    seconds = time.perf_counter() - start
    assert parallel == results(map)
    with capsys.disabled():
        print(f"\n{request.node.name}: {seconds:.2f} s")


def results(workers: Workers) -> list[str]:
    """Return all that is computed with workers; the repr of a float tells each of its bits."""
    _, cache = course.forward_propagation_n(X, Y, PARAMETERS)
    gradients = course.backward_propagation_n(X, Y, cache)
    right = {key: gradients[f"d{key}"] for key in PARAMETERS}
    wrong = {**right, "W2": right["W2"] + 0.1 * PARAMETERS["W2"], "b1": -right["b1"]}
    reports = [
        asdict(check_gradient(cost, claim, PARAMETERS, workers=workers)) for claim in (right, wrong)
    ]
    slopes = numerical_gradient(cost, PARAMETERS, workers=workers)
    return [*map(repr, reports), *(array.tobytes().hex() for array in flatten(slopes).values())]


def test_processes_are_other_processes(workers: Workers, request: pytest.FixtureRequest) -> None:
    """What is to run in other processes runs in none of ours."""
    elsewhere = request.node.callspec.id in {"processes", "pool", "dask"}
    assert (os.getpid() not in set(workers(process_of, range(8)))) == elsewhere


def process_of(_: int) -> int:
    """Return the number of the process that computes this."""
    return os.getpid()


def intact() -> bool:
    """Tell whether the parameters are as they were."""
    fresh = course.gradient_check_n_test_case()[2]
    return all((PARAMETERS[key] == array).all() for key, array in fresh.items())


def test_an_entry_at_which_a_worker_raises_is_untested(workers: Workers) -> None:
    """Whatever a cost raises beside the point means that it is not defined there."""
    _, cache = course.forward_propagation_n(X, Y, PARAMETERS)
    gradients = course.backward_propagation_n(X, Y, cache)
    right = {key: gradients[f"d{key}"] for key in PARAMETERS}
    report = check_gradient(broken_cost, right, PARAMETERS, workers=workers)
    assert report.verdict == "correct"
    assert report.arrays["W2"].untested.get("not finite") == 1
    assert intact()


CHECKS: dict[str, tuple[str, Callable[[Workers], object]]] = {
    "check_gradient": (
        "",
        lambda workers: check_gradient(stuck_cost, PARAMETERS, PARAMETERS, workers=workers),
    ),
    "numerical_gradient": (
        "W2[0, 3]",
        lambda workers: numerical_gradient(broken_cost, PARAMETERS, workers=workers),
    ),
}


@pytest.mark.parametrize(("entry", "check"), CHECKS.values(), ids=CHECKS)
def test_what_a_worker_raises_arrives_if_nothing_else_is_known(
    entry: str, check: Callable[[Workers], object], workers: Workers
) -> None:
    """The exception says what was displaced, also once pickled; the parameters are intact."""
    with pytest.raises(RuntimeError, match="the disk is full") as raised:
        check(workers)
    for error in (raised.value, pickle.loads(pickle.dumps(raised.value))):
        assert error.__notes__[0].startswith(f"In this call, {entry}")
        assert "had been displaced by" in error.__notes__[0]
    assert intact()
