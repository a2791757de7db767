"""Print what measuring every entry takes, over the time of as many bare calls of the cost.

The cost is that of the course's network: it takes some microseconds,
so that what the library does between two calls is as visible as it can be.
A cost that takes 50 milliseconds shows what two processes save.
"""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

from backproof import check_gradient, course, numerical_gradient
from backproof._objective import Workers

X, Y, PARAMETERS = course.gradient_check_n_test_case()
CACHE = course.forward_propagation_n(X, Y, PARAMETERS)[1]
GRADIENTS = course.backward_propagation_n(X, Y, CACHE)
CLAIMED = {key: GRADIENTS["d" + key] for key in PARAMETERS}

Cost = Callable[[dict[str, Any]], float]


def cost(parameters: dict[str, Any]) -> float:
    """Return the cost of the course's network."""
    return course.forward_propagation_n(X, Y, parameters)[0]


def slow_cost(parameters: dict[str, Any]) -> float:
    """Return the same, as late as a larger network would."""
    time.sleep(0.05)
    return cost(parameters)


def check(cost: Cost, workers: Workers = map) -> Any:
    """Check the right gradient, entry by entry."""
    return check_gradient(cost, CLAIMED, PARAMETERS, method="entries", workers=workers)


def measure(cost: Cost) -> Any:
    """Measure the numerical gradient."""
    return numerical_gradient(cost, PARAMETERS)


def bare(calls: int) -> None:
    """Call the cost, and nothing else."""
    for _ in range(calls):
        cost(PARAMETERS)


def evaluations(task: Callable[[Cost], Any]) -> int:
    """Count the calls of the cost in a task."""
    calls = 0

    def counted(parameters: dict[str, Any]) -> float:
        nonlocal calls
        calls += 1
        return cost(parameters)

    task(counted)
    return calls


def best_time(run: Callable[[], Any], repeats: int = 60) -> float:
    """Return the least time of several runs, which other work on the machine disturbs least."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Time both tasks and their floors in turn, then the slow cost, and print the ratios."""
    for name, task in (("check_gradient", check), ("numerical_gradient", measure)):
        calls = evaluations(task)
        floor = best_time(partial(bare, calls))
        ours = best_time(partial(task, cost))
        print(f"{name}: {calls} evaluations for 47 parameters, {ours * 1e3:.2f} ms;")
        print(f"  as many bare calls {floor * 1e3:.2f} ms, ratio {ours / floor:.2f}")
    serial = best_time(partial(check, slow_cost), repeats=1)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(abs, range(4)))  # the processes have started
        shared = best_time(partial(check, slow_cost, pool.map), repeats=1)
    print(f"two processes, 50 ms a call: {shared:.2f} s, serial {serial:.2f} s,", end=" ")
    print(f"ratio {shared / serial:.2f}")


if __name__ == "__main__":
    main()
