"""Print what measuring every entry takes, over the time of as many bare calls of the cost.

The cost is that of the course's network: it takes some microseconds,
so that what the library does between two calls is as visible as it can be.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from backproof import check_gradient, course, numerical_gradient

X, Y, PARAMETERS = course.gradient_check_n_test_case()
CACHE = course.forward_propagation_n(X, Y, PARAMETERS)[1]
GRADIENTS = course.backward_propagation_n(X, Y, CACHE)
CLAIMED = {key: GRADIENTS["d" + key] for key in PARAMETERS}

Cost = Callable[[dict[str, Any]], float]


def cost(parameters: dict[str, Any]) -> float:
    """Return the cost of the course's network."""
    return course.forward_propagation_n(X, Y, parameters)[0]


def check(cost: Cost) -> Any:
    """Check the right gradient, entry by entry."""
    return check_gradient(cost, CLAIMED, PARAMETERS, method="entries")


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
    """Time both tasks and their floors in turn, and print the ratios."""
    for name, task in (("check_gradient", check), ("numerical_gradient", measure)):
        calls = evaluations(task)
        floor = best_time(partial(bare, calls))
        ours = best_time(partial(task, cost))
        print(f"{name}: {calls} evaluations for 47 parameters, {ours * 1e3:.2f} ms;")
        print(f"  as many bare calls {floor * 1e3:.2f} ms, ratio {ours / floor:.2f}")


if __name__ == "__main__":
    main()
