"""Print the time of `numerical_gradient` over that of as many bare calls of the cost.

The cost is that of the course's network: it takes some microseconds,
so that what the library does between two calls is as visible as it can be.
"""

import time
from collections.abc import Callable
from typing import Any

from backproof import course, numerical_gradient

X, Y, PARAMETERS = course.gradient_check_n_test_case()


def cost(parameters: dict[str, Any]) -> float:
    """Return the cost of the course's network."""
    return course.forward_propagation_n(X, Y, parameters)[0]


def evaluations() -> int:
    """Count the calls of the cost in one numerical gradient."""
    calls = 0

    def counted(parameters: dict[str, Any]) -> float:
        nonlocal calls
        calls += 1
        return cost(parameters)

    numerical_gradient(counted, PARAMETERS)
    return calls


def best_time(run: Callable[[], Any], repeats: int = 40) -> float:
    """Return the least time of several runs, which other work on the machine disturbs least."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Measure both in turn, and print their ratio."""
    calls = evaluations()
    floor = best_time(lambda: [cost(PARAMETERS) for _ in range(calls)])
    ours = best_time(lambda: numerical_gradient(cost, PARAMETERS))
    print(f"{calls} evaluations for 47 parameters: {ours * 1e3:.2f} ms")
    print(f"{calls} bare calls of the cost:         {floor * 1e3:.2f} ms")
    print(f"ratio: {ours / floor:.2f} (at most 1.30)")


if __name__ == "__main__":
    main()
