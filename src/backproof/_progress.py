"""Long checks are announced: how many evaluations they take, and about how long that is."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backproof._objective import Objective

LOG = logging.getLogger("backproof")

# What takes more than LONG seconds is announced once PATIENCE seconds have shown how many.
PATIENCE, LONG = 2, 10

# So few entries are not announced: they are a small part of something longer.
FEW = 10


def announced(indices: Sequence[int], objective: Objective) -> Iterator[int]:
    """Yield the indices of entries, and say how long they take if that is long."""
    start, before, told = monotonic(), objective.evaluations, len(indices) <= FEW
    for done, index in enumerate(indices):
        seconds = monotonic() - start
        share = done / len(indices)
        if not told and seconds > max(PATIENCE, LONG * share) and done:
            told = True
            _tell(len(indices), (objective.evaluations - before) / share, seconds / share)
        yield index


def _tell(entries: int, evaluations: float, seconds: float) -> None:
    LOG.warning(
        "backproof: measuring %s entries takes about %s evaluations of the cost, or %s. Faster: "
        "check_gradient(..., method='directions') takes a few dozen. For a progress bar: "
        "workers=tqdm.contrib.tmap.",
        f"{entries:,}",
        f"{round(evaluations):,}",
        duration(seconds),
    )


def duration(seconds: float) -> str:
    """Return a duration in the unit that suits it.

    Examples
    --------
    >>> duration(42.3), duration(500), duration(9000)
    ('42 s', '8 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
