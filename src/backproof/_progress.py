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


class Progress:
    """When something began, and whether it was announced that it takes long, which is said once.

    All objectives of a check have one progress, such as those of the rows of a Jacobian.
    """

    def __init__(self) -> None:
        self.began, self.told = monotonic(), False

    def over(self, indices: Sequence[int], objective: Objective) -> Iterator[int]:
        """Yield the indices of entries, and say how long the whole takes if that is long."""
        start, before = monotonic(), objective.evaluations
        for done, index in enumerate(indices):
            now = monotonic()
            if done and len(indices) > FEW and not self.told and now - start > PATIENCE:
                left = len(indices) / done - 1
                seconds = now - self.began + left * (now - start)
                if seconds > LONG:
                    self.told = True
                    spent = objective.evaluations
                    _tell(len(indices), spent + left * (spent - before), seconds)
            yield index


def _tell(entries: int, evaluations: float, seconds: float) -> None:
    LOG.warning(
        "backproof: measuring %s entries takes at least %s evaluations, about %s. "
        "A check with method='directions' takes a few dozen.",
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
