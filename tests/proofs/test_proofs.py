"""The fast parts of the proofs, whose slow parts are commands, and what these have found."""

import ast
import copy
import gc
import json
import math
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backproof import Report, check_gradient, numerical_gradient, relative_difference
from backproof._report import ArrayReport
from executed.page import blocks
from proofs import fuzz, honest, mutants, pages, soak, verdicts
from support.catalogue import Model, Planted, Wrong
from support.checkout import in_ci
from support.families import FAMILIES, METHODS_OF, PRECISIONS_OF

HONESTY: dict[str, Any] = json.loads(honest.RESULTS.read_text("utf-8"))


# Fuzzed


@in_ci
def test_odd_input_gets_an_answer_or_one_clear_error() -> None:
    """Of some hundred examples, none ends in another way, and each way is taken by some."""
    counts = fuzz.run(300)
    assert counts.total() >= 300
    endings = {ending.partition(": ")[2] for ending in counts}
    assert endings >= {
        *("correct", "wrong", "undecided", "slopes or a number"),
        *("our TypeError", "our ValueError", "what the caller's function raised"),
    }


def example(cost: Any, gradient: Any, parameters: Any) -> fuzz.Example:
    """Return the example of a check."""
    return fuzz.Example("check_gradient", (cost, gradient, parameters), {})


def test_an_example_that_is_clear_passes() -> None:
    """The sibling of the faults below."""
    assert fuzz.outcome(example(np.sum, np.ones(3), np.ones(3))) == "correct"


def unclear(w: Any) -> Any:
    """Stand for a fault of the library, whose frame this pretends to be."""
    return np.linalg.inv(w)


def warning(w: Any) -> Any:
    """Divide by zero."""
    return np.float64(1) / np.float64(0)


@pytest.mark.parametrize(("fault", "words"), [(unclear, "raised in"), (warning, "warned: divide")])
def test_a_fault_of_the_library_is_seen(
    fault: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error from inside NumPy and a warning are seen where no function of the caller runs."""
    monkeypatch.setattr("backproof._checks.require_options", lambda *_: fault(np.ones(3)))
    with pytest.raises(AssertionError, match=words):
        fuzz.outcome(example(np.sum, np.ones(3), np.ones(3)))


def test_an_alteration_is_seen() -> None:
    """A cost that reaches for the caller's own array is found out."""
    w = np.ones(3)

    def spoils(_: Any) -> float:
        w[0] = 2.0
        return 1.0

    with pytest.raises(AssertionError, match="altered"):
        fuzz.outcome(example(spoils, np.zeros(3), w))


# Soaked


@in_ci
def test_checks_leave_nothing_behind() -> None:
    """Thirty checks that are done again hold no more memory in Python, and no more files."""
    soak.soak(30)
    tracemalloc.start()
    files, memory = held()
    soak.soak(30)
    again = held()
    tracemalloc.stop()
    assert again[0] == files
    assert again[1] < memory + 20_000


def held() -> tuple[float, int]:
    """Return the number of open files, and the bytes that Python holds."""
    gc.collect()
    return soak.held().files, tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize(("kind", "least"), [(soak.DiskFullError, 1), (KeyboardInterrupt, 4)])
def test_a_check_that_the_cost_breaks_off_leaves_the_parameters(
    kind: type[BaseException], least: int
) -> None:
    """In its first call, the third, the seventh and a later one.

    Beside the point, an exception breaks nothing off: the cost is not defined there.
    """
    broken_off = soak.by_the_cost((1, 3, 7, 20), kind)
    assert least * len(soak.TASKS) <= broken_off <= 4 * len(soak.TASKS)


def test_a_check_that_the_user_interrupts_leaves_the_parameters() -> None:
    """Ctrl-C may come at any time."""
    assert soak.by_the_user(8) > 0


def test_a_check_whose_worker_is_killed_leaves_the_parameters() -> None:
    """The pool says that it is broken, and the next check is as before."""
    assert soak.by_the_death_of_a_worker() == 2


def test_what_piles_up_is_seen() -> None:
    """Ten megabytes more, or an open file, are not flat; the allocator's keep is."""
    first = soak.Sample(40.0, 6)
    assert soak.is_flat(first, soak.Sample(40.5, 6))
    assert not soak.is_flat(first, soak.Sample(50.0, 6))
    assert not soak.is_flat(first, soak.Sample(40.0, 7))


# Honest


def test_the_page_shows_a_run_that_holds() -> None:
    """The counts of the file add up, over as many cases as the page says, and are as promised."""
    assert honest.holds(HONESTY)
    for kind in ("slopes", "right", "wrong"):
        assert sum(part["count"] for part in HONESTY[kind].values()) >= 3_000
    for precision in honest.PRECISIONS:
        assert sum(HONESTY["slopes"][precision]["ratios"]) == HONESTY["slopes"][precision]["count"]
        for part in (HONESTY["right"][precision], HONESTY["wrong"][precision]):
            assert all(sum(part[m].values()) == part["count"] for m in honest.METHODS)


@pytest.mark.parametrize(
    ("resolution", "named", "counted"),
    [
        (0.2, "", "unseen"),
        (0.05, "", "correct"),
        (0.2, "b", "others named"),
        (0.05, "W", "wrong"),
    ],
)
def test_a_mistake_below_the_resolution_is_unseen(
    resolution: float, named: str, counted: str
) -> None:
    """A tenth in W is, where the report claims no more, and names no right array."""
    arrays = {
        path: ArrayReport("wrong" if path == named else "correct", (2,), 0.0, resolution)
        for path in ("W", "b")
    }
    report = Report("wrong" if named else "correct", 0.0, arrays, evaluations=1, seed=0)
    assert honest.judged(a_tenth_off(), report) == counted


def a_tenth_off() -> Wrong:
    """Return a gradient that is wrong by a tenth of the largest entry in W, and right in b."""
    w = {"W": np.ones(2), "b": np.ones(2)}
    right = {"W": np.array([1.0, 2.0]), "b": np.ones(2)}
    model = Model("linear", squares, lambda _: right, w)
    claimed = {"W": np.array([1.0, 2.2]), "b": np.ones(2)}
    return Wrong("a tenth off", model, claimed, {"W": Planted("entry")})


def test_the_page_shows_all_families() -> None:
    """Each precision of each has all cases by all methods, and no gradient is left uncounted."""
    shown: dict[str, Any] = json.loads(verdicts.RESULTS.read_text("utf-8"))
    assert list(shown["families"]) == list(FAMILIES)
    for name, precisions in shown["families"].items():
        assert tuple(precisions) == PRECISIONS_OF[name]
        for methods in precisions.values():
            assert tuple(methods) == METHODS_OF[name]
            for counts in methods.values():
                assert sum(counts["right"].values()) == shown["cases"]


@in_ci
def test_a_part_of_the_run_holds_again() -> None:
    """In float64, the first cases are covered, judged and named as the file says of all."""
    again = honest.measured(40, workers=1)
    assert honest.faults(again, "float64")["alarms"] == 0
    assert honest.faults(again, "float64")["misses"] == 0
    missed = set(again["slopes"]["float64"]["not_covered"])
    assert missed <= set(HONESTY["slopes"]["float64"]["not_covered"])


@pytest.mark.parametrize(
    ("kind", "method", "ending"),
    [
        ("right", "entries", "wrong"),
        ("wrong", "directions", "correct"),
        ("wrong", "entries", "others named"),
    ],
)
def test_one_alarm_or_miss_is_enough(kind: str, method: str, ending: str) -> None:
    """In float64, a single false alarm, a miss or a wrong name breaks the promise."""
    spoilt = copy.deepcopy(HONESTY)
    counts, good = spoilt[kind]["float64"][method], "correct" if kind == "right" else "wrong"
    counts[good] -= 1
    counts[ending] = counts.get(ending, 0) + 1
    assert not honest.holds(spoilt)


# What the proofs have found


@pytest.mark.parametrize("method", honest.METHODS)
@pytest.mark.parametrize("claimed", [0.0, 5.0])
def test_where_there_is_no_slope_no_claim_is_wrong(method: str, claimed: float) -> None:
    """At the edge of its domain, a cost says nothing of its gradient."""
    with np.errstate(invalid="ignore"):
        report = check_gradient(lambda x: np.sqrt(1 - x * x), claimed, 1.0, method=method)
    assert report.verdict == "undecided"
    assert report.arrays["parameters"].reason == "not finite"


def replaces(p: dict[str, Any]) -> Any:
    """Put a copy in the place of W, which is displaced no more."""
    p["W"] = p["W"].astype(float)
    return {"W": 2 * p["W"]}


def squares(p: dict[str, Any]) -> Any:
    """Return a cost that leaves its parameters alone."""
    return np.sum(p["W"] ** 2)


def test_an_array_in_the_place_of_another_is_refused() -> None:
    """A cost, or a gradient, that rebinds an entry of the nest would hide each displacement."""
    w = {"W": np.ones(3)}
    with pytest.raises(ValueError, match="the cost replaces W in its parameters"):
        check_gradient(lambda p: np.sum(replaces(p)["W"]), w, w)
    with pytest.raises(ValueError, match="the gradient replaces W in its parameters"):
        check_gradient(squares, replaces, w)


@pytest.mark.parametrize("serial", [True, False])
def test_what_a_cost_keeps_in_its_parameters_is_none_of_them(serial: bool) -> None:
    """Activations that are put beside the weights do not get into the gradient."""

    def keeps(p: Any) -> Any:
        p[0]["cache"] = 3 * p[0]["W"]
        return np.sum(p[0]["W"] ** 2) + np.sum(p[1]["W"])

    layers = [{"W": np.ones(2)}, {"W": np.ones(3)}]
    workers = map if serial else lambda f, points: [f(point) for point in points]
    gradient, _ = numerical_gradient(keeps, layers, workers=workers)
    assert [list(layer) for layer in (*gradient, *layers)] == [["W"]] * 4
    np.testing.assert_allclose(gradient[0]["W"], 2)
    np.testing.assert_allclose(gradient[1]["W"], 1)


def test_gradients_of_any_size_are_probed() -> None:
    """The squares of their entries are too large, or too small, for a float."""
    w = np.linspace(-2, 2, 70)
    for scale in (1e-300, 1e-200, 1e200, 1e300):
        for factor, verdict in ((1, "correct"), (2, "wrong")):
            report = check_gradient(
                lambda w: scale * np.sum(np.sin(w)),
                factor * scale * np.cos(w),
                w,
                method="directions",
            )
            assert report.verdict == verdict


def test_threads_warn_of_no_more_than_the_serial_map() -> None:
    """A cost that overflows beside the point does so in silence, with workers, too."""
    point = np.full(2, np.log(np.finfo(float).max) * (1 - 1e-9))
    with ThreadPoolExecutor(1) as pool:
        for workers in (map, pool.map):
            report = check_gradient(
                lambda w: np.sum(np.exp(w) / 2), np.exp(point) / 2, point, workers=workers
            )
            assert report.verdict != "wrong"


def test_a_norm_of_high_order_sees_a_small_difference() -> None:
    """Powers of what is small do not vanish, and no gradients do not differ."""
    for ord in (1, 2, 50, 500, math.inf):
        assert relative_difference([1.0], [1 + 1e-8], ord) == pytest.approx(5e-9, rel=1e-6)
    assert relative_difference({}, {}) == 0.0


@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_a_number_too_large_for_a_float_is_infinite(number: int) -> None:
    """In parameters, in gradients and from a cost, it is refused, or wrong, and breaks nothing."""
    with pytest.raises(ValueError, match=r"parameters is -?inf"):
        check_gradient(lambda x: x, 1.0, number)
    with pytest.raises(ValueError, match=r"the cost is -?inf"):
        check_gradient(lambda x: number, 1.0, 1.0)
    assert check_gradient(lambda x: x, number, 1.0).verdict == "wrong"


def test_options_may_be_numbers_of_numpy() -> None:
    """A seed drawn from a generator, and a tolerance in another precision."""
    for tolerance in (np.float32(1e-3), np.int64(0)):
        assert check_gradient(np.sum, 1.0, 2.0, seed=np.int64(3), tolerance=tolerance)  # type: ignore[arg-type]


def test_a_report_is_text_where_there_is_no_terminal_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As under pythonw, where sys.stdout is None."""
    report = check_gradient(np.sum, 1.0, 2.0)
    text = str(report)
    monkeypatch.setattr("sys.stdout", None)
    assert str(report) == text


# Mutated


def test_the_library_is_not_there_before_a_mutant_is() -> None:
    """Its modules would be taken as they are, and every mutant survive."""
    command = "import runpy, sys; runpy.run_path(sys.argv[1]); print('backproof' in sys.modules)"
    run = [sys.executable, "-c", command, mutants.__file__]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert "_checks" in mutants.public_modules()


@pytest.mark.parametrize(
    ("statement", "others"),
    [
        ("if error > bound: pass", {"not error > bound", "error <= bound"}),
        ("if count > bound: pass", {"not count > bound", "count <= bound", "count >= bound"}),
        ("if error > 0: pass", {"not error > 0", "error <= 0", "error >= 0", "error > 1"}),
        (
            "if a.error < np.inf: pass",
            {"not a.error < np.inf", "a.error <= np.inf", "a.error >= np.inf"},
        ),
        ("draw(default_rng(0))", set()),
    ],
)
def test_a_limit_of_what_is_measured_is_no_mutant(
    statement: str, others: set[str], tmp_path: Path
) -> None:
    """It is met to the last bit by chance only, whereas counts and constants are met."""
    module = tmp_path / "module.py"
    module.write_text(statement, "utf-8")
    changed = {m.change.partition("  ->  ")[2] for m in mutants.mutants(module)}
    assert changed == {f"if {other}:" for other in others}


def test_no_mutant_is_listed_twice() -> None:
    """Of two lines for one, the second would undo the first."""
    lines = mutants.SURVIVORS.read_text("utf-8").splitlines()
    names = [line.partition(" ")[2] for line in lines if line and not line.startswith("#")]
    assert len(names) == len(mutants.known())


# Pages that are changed

CODE = '''\
# A page

    ```python
    from functools import cache; import math


    @cache
    def root(x):
        """Return a root."""
        if x < 0:
            raise ValueError("é" * 3); return 0
        return math.sqrt(
            x,
        )


    assert root(4) == 2
    axes.plot([1])
    ```
'''


def test_each_statement_is_taken_out_of_a_page_alone() -> None:
    """What is left is a program, so that a change is noticed for what it does, or not at all."""
    taken = [one for one in pages.changes(CODE) if one.kind != "number"]
    found = [(one.kind, one.line, one.was.strip().partition("(")[0]) for one in taken]
    assert sorted(found) == [
        ("assertion", 17, "assert root"),
        ("drawing", 18, "axes.plot"),
        ("statement", 4, "from functools import cache; import math"),
        ("statement", 4, "from functools import cache; import math"),
        ("statement", 7, "@cache"),
        ("statement", 7, "@cache"),
        ("statement", 10, "if x < 0:"),
        ("statement", 11, "raise ValueError"),
        ("statement", 11, "raise ValueError"),
        ("statement", 12, "return math.sqrt"),
    ]
    (code,) = blocks(CODE)
    programs = [ast.unparse(ast.parse(blocks(one.page)[0].text)) for one in taken]
    assert len({*programs, ast.unparse(ast.parse(code.text))}) == len(taken) + 1
