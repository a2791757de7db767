"""What the page of other checkers shows of them is what they say when they are run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.peers import (
    PEERS,
    RESULTS,
    Case,
    Outcome,
    Peer,
    Run,
    all_cases,
    run,
    spread,
    tally,
)
from support.checkout import CI

SHOWN: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
CHECKERS = {checker["checker"]: checker for checker in SHOWN["checkers"]}

# CI runs those that its extras bring, and takes a skipped test for a failure.
RUN = [peer for peer in PEERS if peer.installed or not CI]


def test_every_checker_is_shown() -> None:
    """The file has those of the benchmark, in its order, and each verdict on each case."""
    assert list(CHECKERS) == [peer.name for peer in PEERS]
    lengths = {len(checker["verdicts"]) for checker in CHECKERS.values()}
    assert lengths == {len(SHOWN["cases"])}


def test_the_cases_are_those_of_the_catalogue() -> None:
    """A few may have come since; after more than that, `peers.py --write` is due."""
    shown = SHOWN["cases"]
    now = {case.name: case.verdict for case in all_cases()}
    assert len(shown.items() & now.items()) >= 0.95 * max(len(shown), len(now))


@pytest.mark.parametrize("name", CHECKERS)
def test_counts_are_those_of_the_verdicts(name: str) -> None:
    """The counts that are shown follow from the verdicts in the same file."""
    shown = CHECKERS[name]
    columns = ("alarms", "misses", "unsure_right", "unsure_wrong", "kinks")
    assert tally(SHOWN["cases"].values(), shown["verdicts"]) == tuple(
        shown[column] for column in columns
    )


def test_our_own_counts_are_the_promise() -> None:
    """No right gradient is accused, and no wrong one passes; along directions, one may.

    There, a mistake that is smaller than the resolution passes, and counts as a miss all the same.
    """
    entries, directions = (c for c in CHECKERS.values() if c["package"] == "backproof")
    assert entries["alarms"] == directions["alarms"] == 0
    assert entries["misses"] == 0
    assert directions["misses"] <= 1


@pytest.mark.parametrize(
    ("deserved", "said", "untested", "letter"),
    [
        ("undecided", "correct", True, "u"),
        ("undecided", "correct", False, "c"),
        ("undecided", "wrong", True, "w"),
        ("correct", "correct", True, "c"),
        ("wrong", "correct", True, "c"),
    ],
)
def test_untested_entries_count_at_a_kink_alone(
    deserved: str, said: str, untested: bool, letter: str
) -> None:
    """Where there is no gradient, they show that it was seen; elsewhere, the verdict counts."""
    case = all_cases()[0]._replace(verdict=deserved)
    assert Run(case, Outcome(said, untested=untested), calls=1, seconds=1.0).letter == letter


@pytest.mark.parametrize("peer", RUN, ids=lambda peer: peer.name)
def test_a_fresh_run_says_what_is_shown(peer: Peer) -> None:
    """On thirty cases; a few may lie so near to a threshold that rounding decides."""
    if not peer.installed:
        pytest.skip(f"{peer.package} is not installed")
    some = spread([case for case in all_cases() if case.name in SHOWN["cases"]], 30)
    differ = [case.name for case in some if fresh(peer, case) != shown(peer, case)]
    assert len(differ) <= 3, differ


def fresh(peer: Peer, case: Case) -> str:
    """Return what a checker says of a case now."""
    return run(peer, case).letter


def shown(peer: Peer, case: Case) -> str:
    """Return what the file says that it said."""
    return str(CHECKERS[peer.name]["verdicts"][list(SHOWN["cases"]).index(case.name)])
