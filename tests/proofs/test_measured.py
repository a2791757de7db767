"""The files of measured numbers are those that their scripts wrote, and a part comes out again."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks import peers
from proofs import honest, verdicts
from support.checkout import in_ci
from support.families import METHODS
from support.measured import complaints, made, summed

SCRIPTS = [peers, honest, verdicts]
HONESTY: dict[str, Any] = json.loads(honest.RESULTS.read_text("utf-8"))
FAMILIES: dict[str, Any] = json.loads(verdicts.RESULTS.read_text("utf-8"))
PEERS: dict[str, Any] = json.loads(peers.RESULTS.read_text("utf-8"))
# Of what is measured again, so many may lie so near to a threshold that rounding decides.
FEW = 3


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_a_file_is_what_its_script_wrote(script: ModuleType) -> None:
    """It says what made it, and no number was changed since."""
    content = json.loads(script.RESULTS.read_text("utf-8"))
    assert not complaints(content, script.COUNTING)


def leaves(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values in some content."""
    items = part.items() if isinstance(part, dict) else enumerate(part)
    return [
        leaf
        for key, one in items
        for leaf in (leaves(one, (*path, key)) if isinstance(one, dict | list) else [(*path, key)])
    ]


@pytest.mark.parametrize("content", [PEERS, HONESTY, FAMILIES], ids=["peers", "honest", "families"])
def test_every_change_by_hand_is_seen(content: dict[str, Any]) -> None:
    """Whichever number or word it is, since the sum is over all of them; the layout is free."""
    paths = leaves(content)
    for path in [*paths[:: max(len(paths) // 40, 1)], ("sum",)]:
        changed = part = deepcopy(content)
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = "1 more"
        assert complaints(changed, content["made"]["counting"]), path
    again = json.loads(json.dumps(content, indent=7, sort_keys=True))
    assert not complaints(again, content["made"]["counting"])


def test_another_way_to_count_asks_for_a_new_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """So does a file that does not say what made it; one that is written now is in order."""
    script = Path(honest.__file__)
    monkeypatch.setattr("sys.argv", [str(script), "--write"])
    about = made(1)
    assert about["command"] == "python tests/proofs/honest.py --write"
    assert not complaints(summed({"made": about, "count": 5}), counting=1)
    assert len(complaints(summed({"made": about, "count": 5}), counting=2)) == 1
    assert len(complaints(summed({"made": {"counting": 1}, "count": 5}), counting=1)) == 1


# What follows from other numbers of the file


@pytest.mark.parametrize("checker", PEERS["checkers"], ids=lambda checker: checker["checker"])
def test_what_is_counted_of_a_checker_fits_the_cases(checker: dict[str, Any]) -> None:
    """Errors and time-outs are among the verdicts, and no more arrays are named than are wrong."""
    letters = Counter(checker["verdicts"])
    assert (letters["e"], letters["t"]) == (checker["errors"], checker["cut_off"])
    assert (checker["named"] is None) == (checker["blamed"] is None)
    assert (checker["named"] or 0) <= PEERS["arrays"]


def test_the_wrong_arrays_are_those_of_the_catalogue() -> None:
    """As many as the cases of the file have, as they are drawn now."""
    wrong = [case for case in peers.all_cases() if case.verdict == "wrong"]
    arrays = sum(len(case.arrays) for case in wrong if case.name in PEERS["cases"])
    assert abs(arrays - PEERS["arrays"]) <= 0.05 * PEERS["arrays"]


@pytest.mark.parametrize("precision", honest.PRECISIONS)
def test_what_is_counted_is_what_is_listed(precision: str) -> None:
    """The numbers of the cases that ended otherwise are as many as the counts say."""
    slopes = HONESTY["slopes"][precision]
    assert slopes["count"] - slopes["covered"] == len(slopes["not_covered"])
    for kind, good in (("right", "correct"), ("wrong", "wrong")):
        part = HONESTY[kind][precision]
        listed = Counter(one.split(", ")[1] for one in part["others"])
        for method in honest.METHODS:
            others = {f"{method}: {ending}": n for ending, n in part[method].items()}
            del others[f"{method}: {good}"]
            assert others == {one: n for one, n in listed.items() if one.startswith(method)}


# A part that is measured again


@pytest.mark.parametrize("precision", honest.PRECISIONS)
def test_the_same_slopes_are_not_covered(precision: str) -> None:
    """Those that are listed, and none of three hundred others."""
    listed = HONESTY["slopes"][precision]["not_covered"]
    again = [honest.slope_trial(int(one.split(":")[0])) for one in listed]
    differ = [one.name for one in again if one.covered or one.precision != precision]
    assert [one.name for one in again] == listed
    others = map(honest.slope_trial, range(0, 9000, 30))
    fresh = [one.name for one in others if one.precision == precision and not one.covered]
    assert len({*differ, *fresh} - {*listed}) + len(differ) <= FEW


@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_the_same_gradients_end_otherwise(kind: str) -> None:
    """In the way that is listed, by the method that is."""
    ending_of = getattr(honest, f"{kind}_ending")
    differ = []
    for precision in honest.PRECISIONS:
        for one in HONESTY[kind][precision]["others"]:
            number, method, ending = one.replace(": ", ", ").split(", ")
            fresh = ending_of(int(number))
            assert fresh.precision == precision
            differ += [one] if fresh.said[method] != ending else []
    assert len(differ) <= FEW, differ


@in_ci
@pytest.mark.parametrize("name", ["mixed scales", "least squares at the optimum", "dropout"])
def test_a_family_is_counted_again(name: str) -> None:
    """All of its cases, in each precision and by each method, end as the file says."""
    shown = FAMILIES["families"][name]
    jobs = [
        verdicts.Job(name, precision, number, FAMILIES["seed"])
        for precision in shown
        for number in range(FAMILIES["cases"])
    ]
    found = [
        one for job in jobs for one in verdicts.outcomes(job, METHODS, mistakes=2, fixed=False)
    ]
    again = verdicts.summary(found, FAMILIES["seed"], FAMILIES["cases"])["families"][name]
    assert differing(again, shown) <= FEW


def differing(again: dict[str, Any], shown: dict[str, Any]) -> int:
    """Return how many checks ended in another way."""
    counts = [
        Counter({path: part_at(content, path) for path in leaves(content)})
        for content in (again, shown)
    ]
    return max((counts[0] - counts[1]).total(), (counts[1] - counts[0]).total())


def part_at(content: Any, path: tuple[Any, ...]) -> Any:
    """Return what stands at a path."""
    for key in path:
        content = content[key]
    return content


def test_one_check_that_ends_otherwise_counts_once() -> None:
    """A shift of a verdict in one method is one difference."""
    shown = {"float64": {"entries": {"right": {"correct": 20}, "planted": {"exact": 40}}}}
    again = {
        "float64": {
            "entries": {"right": {"correct": 19, "wrong": 1}, "planted": {"exact": 39, "passed": 1}}
        }
    }
    assert differing(again, shown) == 2
    assert differing(shown, shown) == 0
    fewer = {"float64": {"entries": {"right": {"correct": 16}, "planted": {"exact": 40}}}}
    assert differing(fewer, shown) == differing(shown, fewer) == 4
