"""Why a point says nothing of an entry: in a sentence, in a count, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

REASONS = {
    "kink": "the cost has a kink here, and the gradient lies between the slopes on its two sides",
    "jump": "the cost jumps here, so it has no slope",
    "steep": "the slope of the cost is infinite here, like that of a square root at 0",
    "precision": "the round-off error or the noise of the cost hides the slope",
    "rounded": (
        "the cost is flat here, or changes only in jumps: "
        "it is rounded, counts something, or is masked"
    ),
    "not finite": "the cost is finite on at most one side of the point",
    "zero": "gradient and slope are 0, and the cost does not change",
}
ADVICE = {
    "kink": "Move the parameters a little, and check again.",
    "jump": "Look for rounding, a comparison or an index that depends on the parameters.",
    "steep": "Move the parameters to where the cost has a finite slope, and check again.",
    "precision": (
        "Check in float64, drop a large constant from the cost, or move away from an optimum."
    ),
    "rounded": (
        "Return the cost unrounded, in float64 and without a large constant; "
        "use a smooth loss instead of a count; or check at parameters that no mask hides."
    ),
    "not finite": "Check at a point inside the domain of the cost.",
    "zero": "Check at other parameters, such as random ones, or with other data.",
}
_COUNTED = {
    "kink": "at a kink",
    "jump": "at a jump",
    "steep": "with an infinite slope",
    "precision": "hidden by round-off error or noise",
    "rounded": "where the cost is flat, or changes only in jumps",
    "not finite": "at the edge of the domain",
    "zero": "with gradient and slope 0",
}


def main_reason(untested: Mapping[str, int]) -> str:
    """Return the most frequent reason; "zero" only if there is no other."""
    others = [reason for reason in untested if reason != "zero"]
    return max(others, key=lambda reason: untested[reason], default="zero")


def counted(untested: Mapping[str, int]) -> str:
    """Return how many entries are untested for each reason, such as "3 at a kink"."""
    return ", ".join(f"{count} {_COUNTED[reason]}" for reason, count in untested.items())
