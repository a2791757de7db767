"""Random cases that nobody looked at: each commit draws its own.

So what passes here passes in CI, too, and a failure can be had again.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from math import ceil, sqrt
from pathlib import Path

import numpy as np


def draws(count: int) -> Iterator[np.random.Generator]:
    """Yield generators from the seed of the commit; where a test fails, pytest shows it."""
    sequence = np.random.SeedSequence(_of_the_commit())
    print(f"drawn from SeedSequence({sequence.entropy})")
    yield from map(np.random.default_rng, sequence.spawn(count))


def at_least(rate: float, count: int) -> int:
    """Return how many of random cases are to succeed, of a goal: three deviations below it.

    Examples
    --------
    >>> at_least(0.9, 20), at_least(0.9, 60)
    (14, 48)
    """
    return ceil(rate * count - 3 * sqrt(count * rate * (1 - rate)))


@cache
def _of_the_commit() -> int | None:
    """Return the hash of the commit as a number, or nothing where there is no history."""
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return int(done.stdout, 16) if done.returncode == 0 else None
