"""Random cases that nobody looked at: each run of a test draws its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def draws(count: int) -> Iterator[np.random.Generator]:
    """Yield generators from a seed of their own; where a test fails, pytest shows the seed."""
    sequence = np.random.SeedSequence()
    print(f"drawn from SeedSequence({sequence.entropy})")
    yield from map(np.random.default_rng, sequence.spawn(count))
