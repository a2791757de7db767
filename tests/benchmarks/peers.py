"""Print how the gradient checkers of others do on our catalogue, beside ours.

    python tests/benchmarks/peers.py [--cases 50] [--write]

A peer that is not installed is left out.
With `--write`, the results go to docs/explanation/peers.json,
which the page docs/explanation/other-checkers.md shows, and test_peers.py compares.

Fairness: each peer runs with its defaults, and as its documentation says.

- Steps, widths and tolerances are never adapted to a case, ours included.
- All peers get float64, which most of them ask for, even where the cost is in float32;
  only backproof takes these costs as they are.
- A peer that takes several arrays gets them by position; one that takes a vector gets all in one.
- PyTorch, JAX and autograd differentiate; here they check a gradient written by hand,
  of the first order and backward, which is how they are told of one.
  Their time includes what this costs them: JAX compiles each case.
- A peer that returns a number without a verdict is judged by the course's rule:
  the relative difference of the two gradients, |g - a| / (|g| + |a|), is at most 1e-7.
  SciPy's `check_grad` returns |g - a| with a by `approx_fprime`, so that a is taken from there.
  `check_derivative` is judged by the 1e-6 that its documentation names.
- At a point without a gradient, a checker is right if it says that it cannot tell,
  or if it counts entries as untested for what is there: a kink, a jump or a steep slope.
  That holds for all, though only backproof counts entries.
- The catalogue is ours, and holds what we know that other checkers get wrong.
  It says nothing of what they do beyond it: Jacobians, complex numbers, second derivatives.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backproof import check_gradient, relative_difference
from backproof._parameters import Nest, Parameters, replace_leaves
from backproof.course import THRESHOLD

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.catalogue import AT_A_KINK, RIGHT, WRONG, Model
from support.measured import made, summed

Array = NDArray[np.float64]

RESULTS = Path(__file__).parents[2] / "docs" / "explanation" / "peers.json"
COUNTING = 1  # raised when the same cases are counted in another way

# For these reasons, backproof counts an entry as untested where there is no gradient.
NO_GRADIENT = {"kink", "jump", "steep"}

# SciPy's documentation of check_derivative calls a gradient right at this accuracy.
SCIPY_ACCURACY = 1e-6

MOST_SECONDS = 10.0  # for one peer on one case


class Case(NamedTuple):
    """A claimed gradient, the verdict that it deserves, and its wrong arrays."""

    name: str
    model: Model
    claimed: Nest
    verdict: str
    arrays: set[str]


class Outcome(NamedTuple):
    """What a peer says: correct, wrong, undecided, error or cut off; and the arrays it names.

    `untested` tells that it counts entries as untested since they have no gradient.
    """

    verdict: str
    named: frozenset[str] = frozenset()
    remark: str = ""
    untested: bool = False


class Run(NamedTuple):
    """A case, what a peer said of it, and what that took."""

    case: Case
    outcome: Outcome
    calls: int
    seconds: float

    @property
    def verdict(self) -> str:
        """What the peer said; "undecided" if it saw that there is no gradient, where there is none.

        A peer that calls the other entries correct, and counts these as untested, has seen it.
        """
        seen = self.case.verdict == "undecided" and self.outcome.untested
        return "undecided" if seen and self.outcome.verdict == "correct" else self.outcome.verdict

    @property
    def letter(self) -> str:
        """The first letter of the verdict, or t for cut off."""
        return LETTERS[self.verdict]


class Problem:
    """A case as peers take it: as a nest, as arrays or as a vector; calls of its cost are counted.

    The arrays and the vector are in float64, and the cost is called with float64 then.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.calls = 0
        self.point = Parameters(replace_leaves(case.model.parameters, _in_float64))
        self.vector = self.point.vector()
        self.claimed = self.point.vector_of(case.claimed, "gradient")

    def cost(self, nest: Nest) -> Any:
        """Return the cost of a nest."""
        self.calls += 1
        return self.case.model.cost(nest)

    def cost_of_vector(self, vector: Array) -> float:
        """Return the cost of a vector."""
        self.point.assign(vector)
        return float(self.cost(self.point.nest))

    def cost_of_arrays(self, *arrays: Any) -> np.float64:
        """Return the cost of the arrays, given by position."""
        return np.float64(self.cost_of_vector(np.concatenate([np.ravel(a) for a in arrays])))

    def gradient(self, _: Array) -> Array:
        """Return the claimed gradient as a vector."""
        return self.claimed

    def arrays(self, vector: Array) -> list[Array]:
        """Return a vector cut into arrays."""
        ends = np.cumsum([block.values.size for block in self.point.blocks])[:-1]
        parts = np.split(vector, ends)
        return [p.reshape(b.shape) for p, b in zip(parts, self.point.blocks, strict=True)]

    def path(self, position: int) -> frozenset[str]:
        """Return the path of an array given by its position."""
        return frozenset([self.point.blocks[position].path])

    def path_of_entry(self, index: int) -> frozenset[str]:
        """Return the path of the array that holds an entry of the vector."""
        return frozenset([self.point.entry(index)[0].path])


def _in_float64(_: str, leaf: Any) -> Any:
    return np.float64(leaf)


# The peers


def backproof(problem: Problem, method: str = "auto") -> Outcome:
    """Take the verdict of the report, the arrays that it calls wrong, and what it left untested."""
    case = problem.case
    report = check_gradient(problem.cost, case.claimed, case.model.parameters, method=method)
    wrong = frozenset(path for path, a in report.arrays.items() if a.verdict == "wrong")
    return Outcome(report.verdict, wrong, untested=not NO_GRADIENT.isdisjoint(report.untested))


def pytorch(problem: Problem, *, fast: bool = False) -> Outcome:
    """Check an autograd.Function; the message names the first wrong input by its position."""
    torch, checks = import_module("torch"), import_module("torch.autograd.gradcheck")
    claimed = [torch.tensor(array) for array in problem.arrays(problem.claimed)]
    forward = staticmethod(lambda _, *arrays: torch.tensor(problem.cost_of_arrays(*arrays)))
    backward = staticmethod(lambda _, slope: tuple(slope * array for array in claimed))
    bases, methods = (torch.autograd.Function,), {"forward": forward, "backward": backward}
    cost: Any = type("Cost", bases, methods)
    inputs = [torch.tensor(a, requires_grad=True) for a in problem.arrays(problem.vector)]
    try:
        checks.gradcheck(cost.apply, inputs, fast_mode=fast)
    except checks.GradcheckError as error:
        place = re.search(r"with respect to input (\d+)", str(error))
        return Outcome("wrong", problem.path(int(place[1])) if place else frozenset())
    return Outcome("correct")


def jax(problem: Problem) -> Outcome:
    """Check a custom_vjp around a pure_callback."""
    jax, test_util = import_module("jax"), import_module("jax.test_util")
    jax.config.update("jax_enable_x64", True)
    scalar = jax.ShapeDtypeStruct((), "float64")
    claimed = problem.arrays(problem.claimed)

    def call(*arrays: Any) -> Any:
        return jax.pure_callback(problem.cost_of_arrays, scalar, *arrays)

    cost = jax.custom_vjp(call)
    cost.defvjp(
        lambda *arrays: (call(*arrays), None), lambda _, slope: tuple(slope * a for a in claimed)
    )
    inputs = tuple(problem.arrays(problem.vector))
    return _asserted(lambda: test_util.check_grads(cost, inputs, order=1, modes=["rev"]))


def autograd(problem: Problem) -> Outcome:
    """Check a primitive; its random direction is drawn from NumPy's global state."""
    extend, test_util = import_module("autograd.extend"), import_module("autograd.test_util")
    cost = extend.primitive(problem.cost_of_arrays)
    claimed, inputs = problem.arrays(problem.claimed), problem.arrays(problem.vector)
    extend.defvjp(cost, *(lambda _, *__, a=array: lambda slope: slope * a for array in claimed))
    np.random.seed(0)
    places = tuple(range(len(inputs)))
    return _asserted(lambda: test_util.check_grads(cost, places, modes=["rev"], order=1)(*inputs))


def derivcheck(problem: Problem) -> Outcome:
    """Let Ridders' method decide or, with a FloatingPointError, decline; it names one entry."""
    check = import_module("derivcheck").assert_deriv
    try:
        check(problem.cost_of_vector, problem.gradient, problem.vector)
    except FloatingPointError:
        return Outcome("undecided")
    except AssertionError as error:
        place = re.search(r"toward \((?:np\.int64\()?(\d+)", str(error))
        return Outcome("wrong", problem.path_of_entry(int(place[1])) if place else frozenset())
    return Outcome("correct")


def scipy_check_grad(problem: Problem) -> Outcome:
    """Judge the number that check_grad returns by the course's rule."""
    optimize = import_module("scipy.optimize")
    epsilon = math.sqrt(np.finfo(float).eps)  # the default of check_grad
    return _by_the_course(
        problem, optimize.approx_fprime(problem.vector, problem.cost_of_vector, epsilon)
    )


def scipy_check_derivative(problem: Problem) -> Outcome:
    """Judge the accuracy of three-point differences as its documentation does."""
    check = import_module("scipy.optimize._numdiff").check_derivative
    accuracy = check(problem.cost_of_vector, problem.gradient, problem.vector)
    return Outcome("correct" if accuracy <= SCIPY_ACCURACY else "wrong")


def scipy_three_points(problem: Problem) -> Outcome:
    """Judge three-point differences by the course's rule."""
    differentiate = import_module("scipy.optimize._numdiff").approx_derivative
    return _by_the_course(problem, differentiate(problem.cost_of_vector, problem.vector))


def statsmodels(problem: Problem) -> Outcome:
    """Judge centred differences by the course's rule."""
    differentiate = import_module("statsmodels.tools.numdiff").approx_fprime
    return _by_the_course(
        problem, differentiate(problem.vector, problem.cost_of_vector, centered=True)
    )


def numdifftools(problem: Problem) -> Outcome:
    """Judge extrapolated differences by the course's rule."""
    gradient = import_module("numdifftools").Gradient(problem.cost_of_vector)
    return _by_the_course(problem, gradient(problem.vector))


def course(problem: Problem, epsilon: float = 1e-7) -> Outcome:
    """Judge central differences by the course's rule, which is made for them."""
    x, cost = problem.vector, problem.cost_of_vector
    steps = epsilon * np.eye(x.size)
    return _by_the_course(
        problem, np.array([(cost(x + s) - cost(x - s)) / (2 * epsilon) for s in steps])
    )


def _by_the_course(problem: Problem, approximation: Any) -> Outcome:
    """Judge by the relative difference of the claimed gradient and a numerical one."""
    difference = relative_difference(problem.claimed, np.ravel(approximation))
    return Outcome("correct" if difference <= THRESHOLD else "wrong")


def _asserted(check: Callable[[], Any]) -> Outcome:
    """Take an AssertionError for an accusation that names nothing."""
    try:
        check()
    except AssertionError:
        return Outcome("wrong")
    return Outcome("correct")


class Peer(NamedTuple):
    """A checker: its name, the package that it comes in, and how it is called."""

    name: str
    package: str
    check: Callable[[Problem], Outcome]

    @property
    def installed(self) -> bool:
        """Whether its package can be imported."""
        return find_spec(self.package) is not None


OURS = Peer("backproof", "backproof", backproof)
PEERS = (
    OURS,
    Peer("backproof, directions", "backproof", partial(backproof, method="directions")),
    Peer("PyTorch gradcheck", "torch", pytorch),
    Peer("PyTorch gradcheck, fast", "torch", partial(pytorch, fast=True)),
    Peer("JAX check_grads", "jax", jax),
    Peer("autograd check_grads", "autograd", autograd),
    Peer("derivcheck", "derivcheck", derivcheck),
    Peer("SciPy check_derivative", "scipy", scipy_check_derivative),
    Peer("SciPy check_grad*", "scipy", scipy_check_grad),
    Peer("SciPy three-point*", "scipy", scipy_three_points),
    Peer("statsmodels*", "statsmodels", statsmodels),
    Peer("numdifftools*", "numdifftools", numdifftools),
    Peer("the course*", "numpy", course),
)

# The runs


def all_cases() -> list[Case]:
    """Return the catalogue: right gradients, wrong ones, and points without a gradient."""
    right = [Case(c.name, c.model, c.claimed, "correct", set()) for c in RIGHT]
    wrong = [Case(c.name, c.model, c.claimed, "wrong", c.arrays) for c in WRONG]
    kinks = [Case(c.name, c.model, c.claimed, c.verdict, c.arrays) for c in AT_A_KINK]
    return [*right, *wrong, *kinks]


def spread(cases: list[Case], count: int) -> list[Case]:
    """Return so many of the cases, evenly spread."""
    places = np.linspace(0, len(cases) - 1, min(count, len(cases)))
    return [cases[int(place)] for place in places]


def run(peer: Peer, case: Case) -> Run:
    """Let a peer check a case, for a limited time."""
    problem = Problem(case)
    start = time.perf_counter()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        outcome = _outcome(peer, problem)
    return Run(case, outcome, problem.calls, time.perf_counter() - start)


def _outcome(peer: Peer, problem: Problem) -> Outcome:
    try:
        with at_most(MOST_SECONDS):
            return peer.check(problem)
    except TimeoutError:
        return Outcome("cut off")
    except Exception as error:  # a crash is an outcome, whatever it is
        return Outcome("error", remark=f"{type(error).__name__}: {error}".splitlines()[0])


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise a TimeoutError in the block when the time is over."""

    def stop(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# The results


class Result(NamedTuple):
    """How a peer did; `verdicts` has the first letter of what it said of each case."""

    checker: str
    package: str
    version: str
    alarms: int
    misses: int
    unsure_right: int
    unsure_wrong: int
    kinks: int
    errors: int
    cut_off: int
    named: int | None
    blamed: int | None
    calls: int
    time: float
    verdicts: str


LETTERS = {"correct": "c", "wrong": "w", "undecided": "u", "error": "e", "cut off": "t"}

LEGEND = f"""\
alarms   right gradients that are called wrong
misses   wrong gradients that pass
unsure   the peer says that it cannot tell: of right gradients, of wrong ones
kinks    points without a gradient of which the peer says that it cannot tell,
         or of which it counts entries as untested
errors   crashes; cut_off: after {MOST_SECONDS:g} s
named    wrong arrays that are named; blamed: right arrays that are named as wrong
calls    evaluations of the cost, the median of the cases
time     as a multiple of backproof's on the same case, the median of the cases
*        returns a number, which is judged by the course's rule"""


def result(peer: Peer, runs: list[Run], ours: list[Run]) -> Result:
    """Return how a peer did on the cases, and how fast, beside ours."""
    wrong = [r for r in runs if r.case.verdict == "wrong"]
    names = any(r.outcome.named for r in runs)
    times = [r.seconds / our.seconds for r, our in zip(runs, ours, strict=True)]
    verdicts = "".join(r.letter for r in runs)
    return Result(
        peer.name,
        peer.package,
        version(peer.package),
        *tally([r.case.verdict for r in runs], verdicts),
        verdicts.count(LETTERS["error"]),
        verdicts.count(LETTERS["cut off"]),
        sum(len(r.outcome.named & r.case.arrays) for r in wrong) if names else None,
        sum(len(r.outcome.named - r.case.arrays) for r in runs) if names else None,
        round(median(r.calls for r in runs)),
        round(median(times), 2),
        verdicts,
    )


def tally(deserved: Iterable[str], verdicts: str) -> tuple[int, int, int, int, int]:
    """Count the alarms, the misses, the unsure of right and of wrong gradients, and the kinks."""
    n = Counter(zip(deserved, verdicts, strict=True))
    unsure = n["correct", "u"], n["wrong", "u"], n["undecided", "u"]
    return n["correct", "w"], n["wrong", "c"], *unsure


def table(results: list[Result]) -> str:
    """Return the results in columns, the first one to the left."""
    names = [name for name in Result._fields if name not in ("package", "verdicts")]
    cells = ([getattr(one, name) for name in names] for one in results)
    shown = [names, *(["" if cell is None else str(cell) for cell in row] for row in cells)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in shown
    )


def write(results: list[Result], cases: list[Case]) -> None:
    """Write the results to the file that the page shows."""
    content = {
        "made": made(COUNTING),
        "date": f"{datetime.now(UTC):%B %Y}",
        "arrays": sum(len(case.arrays) for case in cases if case.verdict == "wrong"),
        "checkers": [r._asdict() for r in results],
        "cases": {case.name: case.verdict for case in cases},
    }
    RESULTS.write_text(json.dumps(summed(content), indent=1) + "\n", "utf-8")


def remarks(peer: Peer, runs: list[Run]) -> Iterator[str]:
    """Yield the first error of a peer and, for ourselves, each case that we do not tell."""
    errors = [r for r in runs if r.outcome.verdict == "error"]
    for r in errors[:1]:
        yield f"{peer.name}, first error: {r.outcome.remark} ({r.case.name})"
    if peer.package != "backproof":
        return
    for one in runs:
        case, named = one.case, one.outcome.named
        wrong = case.arrays if case.verdict == "wrong" else set()
        if one.verdict != case.verdict or named != wrong:
            said = ", ".join([one.verdict, *sorted(named)])
            yield f"{peer.name}: {case.name}: {said} for {case.verdict}"


def main() -> None:
    """Run every peer over the same cases, case by case, and print the table."""
    parser = argparse.ArgumentParser(description="Compare gradient checkers on our catalogue.")
    parser.add_argument("--cases", type=int, help="how many cases, evenly spread; all if not given")
    parser.add_argument("--write", action="store_true", help="write the results for the page")
    options, cases = parser.parse_args(), all_cases()
    cases = spread(cases, options.cases or len(cases))
    missing = [peer.name for peer in PEERS if not peer.installed]
    runs: dict[Peer, list[Run]] = {peer: [] for peer in PEERS if peer.installed}
    for peer in runs:
        run(peer, cases[0])  # what is imported and built only once
    for case in cases:
        for peer, own in runs.items():
            own.append(run(peer, case))
    results = [result(peer, own, runs[OURS]) for peer, own in runs.items()]
    if options.write:
        write(results, cases)
    print(table(results))
    print("", LEGEND, "", *(f"left out, not installed: {name}" for name in missing), sep="\n")
    print(*(line for peer, own in runs.items() for line in remarks(peer, own)), sep="\n")


if __name__ == "__main__":
    main()
