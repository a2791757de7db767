"""What is said of a figure: words, and numbers with those that agree with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

NUMBER = r"(-?\d[-+.e\d]*)"


@dataclass(frozen=True)
class Number:
    """A number as it is written, and the least and the largest that agree with it."""

    text: str
    least: float
    largest: float

    def __str__(self) -> str:
        return self.text

    def agrees(self, text: str) -> bool:
        """Whether a written number looks like this one."""
        return self.least <= float(text) <= self.largest


@dataclass(frozen=True)
class Said:
    """A line of a description, and what of it is read aloud."""

    parts: tuple[str | Number, ...]
    aloud: str = ""

    def __str__(self) -> str:
        return "".join(map(str, self.parts))

    def agrees(self, text: str) -> bool:
        """Whether a written line has these words, and numbers that agree."""
        numbers = [part for part in self.parts if isinstance(part, Number)]
        words = [NUMBER if isinstance(part, Number) else re.escape(part) for part in self.parts]
        found = re.fullmatch("".join(words), text)
        return found is not None and all(map(Number.agrees, numbers, found.groups()))


Description = tuple[Said, ...]
Told = Mapping[str, "Description | str"]  # what each figure shows, or what is wrong with it


def said(*parts: str | Number | Iterable[str | Number], aloud: str = "") -> Said:
    """Return a line of a description."""
    split = ([part] if isinstance(part, str | Number) else part for part in parts)
    return Said(tuple(chain.from_iterable(split)), aloud)
