"""Change the library in one place at a time, and count how many changes the tests notice.

    python tests/proofs/mutants.py docs|unit [--only slopes ...] [--sample 200] [--workers 2]

`docs` runs the pages, README and the examples of public docstrings, and nothing else;
`unit` runs the tests of the library, and no page.
A mutant is a copy of a module with another operator, constant, comparison, branch or return.
It is run with the tests whose files call its function, those first that have killed the most in a
second, until one of them fails.
survivors.txt lists the mutants that survive, with a reason for each: "none" before those that
change nothing, which are not run, and "docs", "unit" or "both" before those that escape them.
What ends otherwise than it says is printed with its place, and the command fails.
"""

from __future__ import annotations

import argparse
import ast
import math
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from tempfile import TemporaryFile
from types import CodeType, FrameType, ModuleType, SimpleNamespace
from typing import Any, NamedTuple, cast

sys.path.insert(0, str(Path(__file__).parents[1]))

from proofs.forks import ROOT, in_child, processes, warm

LIBRARY = ROOT / "src" / "backproof"
SURVIVORS = Path(__file__).with_name("survivors.txt")
TRACED_SECONDS = 1200  # noting what is called makes tests slower
HANGS = 30  # what takes so many seconds more than while its calls were noted, does not end
THREADED = (
    "test_frameworks.py"  # other libraries start threads, which no copy of a process survives
)

TWINS: list[tuple[type[ast.AST], type[ast.AST]]] = [
    (ast.Add, ast.Sub),
    (ast.Mult, ast.Div),
    (ast.BitAnd, ast.BitOr),
    (ast.And, ast.Or),
    (ast.Lt, ast.LtE),
    (ast.Lt, ast.GtE),
    (ast.Gt, ast.GtE),
    (ast.Gt, ast.LtE),
    (ast.Eq, ast.NotEq),
    (ast.Is, ast.IsNot),
    (ast.In, ast.NotIn),
]
SWAPS = [*TWINS, *((other, one) for one, other in TWINS)]
SWAPS += [(one, ast.Mult) for one in (ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)]

# Annotations are never evaluated; decorators stay, since without them nothing imports.
NO_CODE = {"annotation", "returns", "decorator_list", "ctx"}

# NumPy takes any negative length for what is left, no zip of ours is uneven, and directions that
# are drawn with another seed are as good.
SAME = re.compile(r"(?<=reshape\(-)\d|(?<=strict=)\w+|(?<=default_rng\()\d")

# What is measured differs from what it is compared with in its last bits at least, and so does what
# is multiplied by the ratio of steps, which is irrational: no limit is met.
MEASURED = re.compile(
    r"\b(apart|beyond|change|curved|errors?|estimate|gap|largest|least|left|level|misfit|off|rounding"
    r"|seen|still|within|RATIO)\b(?!\.size)"
)
LIMITS = ({ast.Lt, ast.LtE}, {ast.Gt, ast.GtE})


class Mutant(NamedTuple):
    """A change: where, between which lines, from what to what, and the module that has it."""

    module: str
    first: int
    last: int
    change: str
    code: CodeType

    def __str__(self) -> str:
        return f"{self.module}:{self.first}: {self.change}"

    @property
    def name(self) -> str:
        """The mutant without its line, which changes with what stands above it."""
        return f"{self.module}: {self.change}"


# Mutants


def mutants(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of a module."""
    tree = ast.parse(path.read_text("utf-8"))
    for statement in statements(tree):
        before = head(statement)
        for owner, field, i, new in list(changes(statement)):
            old = put(owner, field, i, new)
            after = head(statement)
            code = compile(ast.fix_missing_locations(tree), str(path), "exec")
            put(owner, field, i, old)
            if SAME.sub("", before) != SAME.sub("", after):
                lines = statement.lineno, last_line(statement)
                yield Mutant(path.stem, *lines, f"{before}  ->  {after}", code)


def statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements that compute something, docstrings and type checks left out."""
    for node in ast.walk(tree):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and not docstring:
            yield node


def head(statement: ast.stmt) -> str:
    """Return a statement as code, without the block that it heads."""
    return ast.unparse(statement).split("\n")[0]


def last_line(statement: ast.stmt) -> int:
    """Return the last line of a statement without the block that it heads."""
    body = getattr(statement, "body", None)
    return body[0].lineno - 1 if body else statement.end_lineno or statement.lineno


def changes(statement: ast.stmt) -> Iterator[tuple[ast.AST, str, int, ast.AST]]:
    """Yield what may change in a statement: the owner, its field, the place in it, the new."""
    match statement:
        case ast.If(test=test) | ast.While(test=test) if not isinstance(test, ast.UnaryOp):
            yield statement, "test", 0, ast.UnaryOp(ast.Not(), test)
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield statement, "value", 0, ast.Constant(None)
    waiting: list[ast.AST] = [statement]
    while waiting:
        owner = waiting.pop(0)
        for field, value in ast.iter_fields(owner):
            if field in NO_CODE:
                continue
            for i, node in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(node, ast.AST) and not isinstance(node, ast.stmt):
                    news = (new for new in replacements(node) if not same_limit(owner, node, new))
                    yield from ((owner, field, i, new) for new in news)
                    waiting.append(node)


def same_limit(owner: ast.AST, old: ast.AST, new: ast.AST) -> bool:
    """Tell whether a change only moves a limit of what is measured inside, or outside."""
    if not isinstance(owner, ast.Compare) or {type(old), type(new)} not in LIMITS:
        return False
    sides = [ast.unparse(side) for side in (owner.left, *owner.comparators)]
    fixed = any(re.fullmatch(r"[\d.]+|\w+\.inf", side) for side in sides)
    return not fixed and any(map(MEASURED.search, sides))


def replacements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a part."""
    yield from (other() for one, other in SWAPS if type(node) is one)
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)) if value + 1 != value:
            yield ast.Constant(value + 1)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.IfExp(test=test, body=body, orelse=other):
            yield ast.IfExp(test, other, body)
        case ast.Call(func=ast.Name(id="min" | "max" as name), args=args, keywords=keywords):
            other_one = ast.Name({"min": "max", "max": "min"}[name], ast.Load())
            yield ast.Call(other_one, args, keywords)


def put(owner: ast.AST, field: str, i: int, new: ast.AST) -> ast.AST:
    """Put a part of a tree in its place, and return the one that stood there."""
    old = getattr(owner, field)
    if not isinstance(old, list):
        setattr(owner, field, new)
        return cast(ast.AST, old)
    old[i], was = new, old[i]
    return cast(ast.AST, was)


# Tests


def test_files(kind: str) -> list[str]:
    """Return the files of the tests of the docs, or of the library's own."""
    if kind == "unit":
        files = sorted((ROOT / "tests" / "library").glob("test_*.py"))
        return [str(file.relative_to(ROOT)) for file in files if file.name != THREADED]
    pages = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md"))
    return [*pages, "README.md", *(f"src/backproof/{name}.py" for name in public_modules())]


def public_modules() -> list[str]:
    """Return the modules of what the package gives; if they were imported, no mutant would be."""
    tree = ast.parse((LIBRARY / "__init__.py").read_text("utf-8"))
    sources = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
    own = {name.partition(".")[2] for name in sources if name.startswith("backproof.")}
    return sorted(own | {"course", "plots"})


def passes(file: str, *plugins: object) -> bool:
    """Run a file of tests until one fails, and tell whether none did."""
    import pytest

    # Where pytest rewrites assertions, it reads the modules that it is given itself.
    options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain"]
    result = pytest.main([file, *options], plugins)
    return result in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


class Coverage(NamedTuple):
    """The lines of the functions that a file of tests calls, and the seconds that it takes."""

    lines: set[tuple[str, int]]
    seconds: float


def coverage(file: str) -> Coverage | None:
    """Run a file of tests in a process of its own, and note where it comes along."""
    found: Coverage | None = in_child(partial(traced, file), TRACED_SECONDS)
    return found


def traced(file: str) -> Coverage | None:
    """Run a file of tests, and return the lines of what it calls; None if it fails."""
    seen: set[tuple[str, int]] = set()

    def enter(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        place = code.co_filename, code.co_firstlineno
        if code.co_filename.startswith(str(LIBRARY)) and place not in seen:
            seen.add(place)
            lines = {line for *_, line in code.co_lines() if line}
            text = "".join(f"{Path(code.co_filename).stem} {line}\n" for line in lines)
            os.write(notes.fileno(), text.encode())

    # Python ends a trace that an endless recursion goes through, so it begins anew in each test.
    each = SimpleNamespace(pytest_runtest_call=lambda: sys.settrace(enter))
    # Pages run in copies of this process, which write to its files.
    with TemporaryFile() as notes:
        sys.settrace(enter)
        start = time.perf_counter()
        passed = passes(file, each)
        sys.settrace(None)
        seconds = time.perf_counter() - start
        notes.seek(0)
        lines = {
            (name, int(line)) for name, line in map(str.split, notes.read().decode().splitlines())
        }
    return Coverage(lines, seconds) if passed else None


class Planted(Loader):
    """Finds one module of the library as a mutant, and leaves the others to Python."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Find the module if it is the one that is changed."""
        if name != f"backproof.{self.mutant.module}":
            return None
        return spec_from_loader(name, self, origin=str(LIBRARY / f"{self.mutant.module}.py"))

    def create_module(self, _: ModuleSpec) -> None:
        """Leave it to Python to create the module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed code."""
        module.__file__ = str(LIBRARY / f"{self.mutant.module}.py")
        exec(self.mutant.code, module.__dict__)


def survives(mutant: Mutant, file: str) -> bool:
    """Run a file of tests on a mutant."""
    sys.meta_path.insert(0, Planted(mutant))
    return passes(file)


# The run


class Run:
    """One kind of tests, and all mutants: made anew in each process that works on them."""

    def __init__(self, kind: str, modules: list[str], reached: dict[str, Coverage]) -> None:
        self.reached = reached
        self.mutants = [m for name in modules for m in mutants(LIBRARY / f"{name}.py")]
        self.tried: Counter[str] = Counter()
        self.killed: Counter[str] = Counter()

    def files_for(self, mutant: Mutant) -> list[str]:
        """Return the files that reach a mutant, first those that kill the most in a second."""
        lines = {(mutant.module, line) for line in range(mutant.first, mutant.last + 1)}
        files = [file for file, found in self.reached.items() if found.lines & lines]
        return sorted(files, key=self.seconds_to_kill)

    def seconds_to_kill(self, file: str) -> float:
        """Return how long a file takes for each mutant that it kills, as far as is known."""
        # One kill in two tries before the first.
        return self.reached[file].seconds * (self.tried[file] + 2) / (self.killed[file] + 1)

    def verdict(self, number: int) -> tuple[int, str]:
        """Return whether a mutant is killed, survives, or is not reached at all."""
        mutant = self.mutants[number]
        files = self.files_for(mutant)
        for file in files:
            self.tried[file] += 1
            seconds = HANGS + math.ceil(self.reached[file].seconds)
            if not in_child(partial(survives, mutant, file), seconds):
                self.killed[file] += 1
                return number, "killed"
        return number, "survived" if files else "not reached"


def reach(files: list[str], workers: int) -> dict[str, Coverage]:
    """Return what each file of tests reaches; stop if one of them fails as it is."""
    with processes(workers, warm) as pool:
        found = dict(zip(files, pool.map(coverage, files), strict=True))
    if failed := [file for file, reached in found.items() if not reached]:
        raise SystemExit(f"These fail before anything is changed: {', '.join(failed)}.")
    return {file: reached for file, reached in found.items() if reached}


THE_RUN: list[Run] = []


def begin(*arguments: Any) -> None:
    """Prepare a process for its mutants."""
    warm()
    THE_RUN.append(Run(*arguments))


def verdict(number: int) -> tuple[int, str]:
    """Judge one mutant in the process that this runs in."""
    return THE_RUN[0].verdict(number)


def known() -> dict[str, str]:
    """Return the mutants that are listed, by name, and which tests do not notice them."""
    lines = SURVIVORS.read_text("utf-8").splitlines()
    parts = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return {name: kind for kind, _, name in parts}


def gone(run: Run, modules: list[str]) -> list[str]:
    """Return the listed mutants that the modules no longer have."""
    names = {mutant.name for mutant in run.mutants}
    return [name for name in known() if name.partition(":")[0] in modules and name not in names]


def judged(run: Run, numbers: list[int], workers: int, *arguments: Any) -> Counter[str]:
    """Judge mutants, count the endings, and print those that are not as listed."""
    counts: Counter[str] = Counter()
    listed, kind = known(), arguments[0]
    with processes(workers, begin, *arguments) as pool:
        for number, ending in pool.map(verdict, numbers):
            counts[ending] += 1
            expected = listed.get(run.mutants[number].name) in (kind, "both")
            if (ending != "killed") != expected:
                counts["unexpected"] += 1
                print(f"{ending}: {run.mutants[number]}", flush=True)
    return counts


def options() -> argparse.Namespace:
    """Return what the command was told."""
    parser = argparse.ArgumentParser(description="Measure what the tests notice.")
    parser.add_argument("kind", choices=("docs", "unit"))
    parser.add_argument("--only", nargs="+", default=[p.stem for p in sorted(LIBRARY.glob("*.py"))])
    parser.add_argument("--sample", type=int, help="only so many mutants, drawn at random")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    return parser.parse_args()


def main() -> None:
    """Judge the mutants, and print the rate; fail below 95 percent, or if the list is not right."""
    told = options()
    arguments = (told.kind, told.only, reach(test_files(told.kind), told.workers))
    run, listed = Run(*arguments), known()
    numbers = [i for i, m in enumerate(run.mutants) if listed.get(m.name) != "none"]
    print(f"{len(run.mutants)} mutants, {len(run.mutants) - len(numbers)} of them change nothing.")
    if told.sample:
        numbers = sorted(random.Random(0).sample(numbers, min(told.sample, len(numbers))))
    lost = gone(run, told.only)
    print(*(f"no longer there: {name}" for name in lost), sep="\n", end="\n" if lost else "")
    counts = judged(run, numbers, told.workers, *arguments)
    rate = counts["killed"] / len(numbers)
    print(f"{told.kind}: of {len(numbers)} mutants, {rate:.1%} are noticed: {dict(counts)}")
    sys.exit(rate < 0.95 or counts["unexpected"] > 0 or bool(lost))


if __name__ == "__main__":
    main()
