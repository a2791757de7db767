"""What checks say, and what they take, as it is recorded: a change of it is seen, and looked at.

The costs are of sums, products and roots, which every machine rounds alike. Where a change is
meant, `--update-outputs` writes the record anew, and its difference is read before it is kept.
"""

from __future__ import annotations

import math
import re
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pytest

from backproof import Report, check_gradient, check_jacobian, derivative, numerical_gradient
from backproof._decide import Claim, decide
from backproof._directions import Direction, of_arrays, of_entry
from backproof._objective import Objective
from backproof._parameters import Parameters
from backproof._slopes import measure
from support.recorded.claims import CHANGES, claim
from support.recorded.costs import EXAMPLES, FUNCTIONS, Example, Values, lattice

NAMES = [*EXAMPLES, *FUNCTIONS]
RECORD = Path(__file__).parents[1] / "support" / "recorded" / "reports.txt"

# What is measured has six digits; counts, and numbers in words, are compared as text.
MEASURED = re.compile(r"-?\d\.\d{5}e[+-]\d+")


def recorded() -> dict[str, list[str]]:
    """Return the recorded lines of each example."""
    parts = re.split(r"^# (.+)\n", RECORD.read_text("utf-8"), flags=re.M)[1:]
    return {name: text.splitlines() for name, text in zip(parts[::2], parts[1::2], strict=True)}


def write(lines: dict[str, list[str]]) -> None:
    """Write the record, in the order of the examples."""
    parts = ("\n".join([f"# {name}", *lines[name]]) for name in NAMES if name in lines)
    RECORD.write_text("\n".join(parts) + "\n", "utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_checks_say_what_is_recorded(name: str, request: pytest.FixtureRequest) -> None:
    """Words and counts to the letter, numbers to a thousandth."""
    if name in EXAMPLES:
        lines = reports(EXAMPLES[name](), list(EXAMPLES).index(name))
    else:
        lines = jacobians(FUNCTIONS[name](), list(FUNCTIONS).index(name))
    if request.config.getoption("--update-outputs"):
        write({**recorded(), name: lines})
    for line, expected in zip_longest(lines, recorded().get(name, []), fillvalue="nothing"):
        message = (
            f"{line}\n  is recorded as\n{expected}\n"
            "If the change is meant, run this with --update-outputs and read the difference."
        )
        assert MEASURED.sub("", line) == MEASURED.sub("", expected), message
        found, kept = (list(map(float, MEASURED.findall(each))) for each in (line, expected))
        assert found == pytest.approx(kept, rel=1e-3, abs=0), message


def reports(example: Example, turn: int) -> list[str]:
    """Check the right gradient of an example, and some wrong ones; return a line for each array."""
    cost, gradient, point = example
    right = gradient(point)
    lines = []
    for method in ("entries", "directions"):
        for given, claimed in (("array", right), ("function", gradient)):
            report = check_gradient(cost, claimed, point, method=method)
            lines += said(f"{method}, right, as {given}", report)
        for k, change in enumerate(CHANGES):
            if (k + turn) % 3 == 0:
                name = list(point)[k % len(point)]
                report = check_gradient(
                    cost, claim(right, point, name, change), point, method=method
                )
                lines += said(f"{method}, {name} {change}", report)
    lines += steps(example)
    slope = derivative(cost, point, {name: np.ones_like(x) for name, x in point.items()})
    lines.append(f"slope {slope.value:.5e} +- {slope.error:.5e}")
    slopes, errors = numerical_gradient(cost, point)
    for path in point:
        lines.append(f"  {path}: {abs(slopes[path]).max():.5e} +- {errors[path].max():.5e}")
    return lines


def steps(example: Example) -> list[str]:
    """Return how well a cost is known, and how some of its entries and all of them are decided."""
    cost, gradient, point = example
    objective = Objective(cost, Parameters(point))
    claims = np.concatenate([g.ravel() for g in gradient(point).values()])
    largest = float(abs(claims).max())
    lines = [known(objective)]
    objective.listen()
    lines.append(known(objective))
    places = np.linspace(0, claims.size - 1, min(4, claims.size)).astype(int).tolist()
    for place in places:
        direction = of_entry(objective.parameters, place)
        slope = float(claims[place])
        lines += decided(f"entry {place}", objective, direction, (slope, largest, largest))
    weights = {n: lattice(*b.shape, turn=2) for n, b in enumerate(objective.parameters.blocks)}
    sizes = [
        (block.scale * weights[n] * gradient(point)[block.path]).ravel()
        for n, block in enumerate(objective.parameters.blocks)
    ]
    products = np.concatenate(sizes)
    claim = float(products.sum()), float(abs(products).max()), math.hypot(*products)
    lines += decided("all", objective, of_arrays(objective.parameters, weights), claim)
    return lines


def known(objective: Objective) -> str:
    """Return what is known of a cost."""
    level, grid, step, moved, _ = objective.noise
    parts = [f"noise {level:.5e}, grid {grid:.5e}, first step {step:.5e}"]
    parts += [] if moved else ["unmoved"]
    parts += ["rounded"] if objective.rounded else []
    return ", ".join(parts)


def decided(
    name: str, objective: Objective, direction: Direction, claim: tuple[float, float, float]
) -> list[str]:
    """Return what is measured along a direction, and how some claims are decided there."""
    slope, largest, size = claim
    try:
        found = measure(objective, direction)
    except ValueError as failure:
        return [f"{name}: {failure}"]
    taken = f"{len(found.steps)} steps, best {found.best}"
    parts = [f"{found.value:.5e} +- {found.error:.5e}, {taken}"]
    parts += [found.reason] if found.reason else []
    parts += [f"kink {found.kink:.5e}"] if found.kink else []
    lines = [f"{name}: {', '.join(parts)}"]
    for factor in (1.0, 1.001, 1.2):
        said = Claim(factor * slope, 1e-7 * largest, 1e-14, largest, size)
        before = objective.evaluations
        finding = decide(objective, direction, said)
        reasons = [text for text in (finding.reason, str(finding.failure or "")) if text]
        calls = f"{objective.evaluations - before} calls, error {finding.error:.5e}"
        taken = f"step {finding.step:.5e}, curved {finding.curved:.5e}"
        lines.append(f"  times {factor}: {', '.join([finding.verdict, *reasons, calls, taken])}")
    return lines


def jacobians(example: Values, turn: int) -> list[str]:
    """Check the right Jacobian of an example, and some wrong ones."""
    function, right, x = example
    lines = []
    for method in ("entries", "directions"):
        lines += said(f"{method}, right", check_jacobian(function, right, x, method=method))
        for k, (name, change) in enumerate(CHANGES.items()):
            if (k + turn) % 2 == 0:
                wrong = change(right, np.broadcast_to(x, right.shape))
                lines += said(
                    f"{method}, {name}", check_jacobian(function, wrong, x, method=method)
                )
                row = np.where(np.arange(5)[:, None] == 3, wrong, right)
                report = check_jacobian(function, row, x, method=method)
                lines += said(f"{method}, a row {name}", report)
    return lines


def said(what: str, report: Report) -> list[str]:
    """Return what a report says, in few words."""
    whole = [f"{report.verdict}, {report.evaluations} calls", *report.notes]
    lines = [f"{what}: {'. '.join(whole)}"]
    for path, array in report.arrays.items():
        parts = [array.verdict, f"seen {array.resolution:.5e}"]
        parts += [array.reason] if array.reason else []
        parts += ["tolerated"] if array.tolerated else []
        parts += [f"within {array.within:.5e}"] if math.isfinite(array.within) else []
        parts += [f"untested {array.untested}"] if array.untested else []
        parts += [array.mistake.text] if array.mistake else []
        # Which entries are listed first may hang on a last bit.
        errors = [entry.error for entry in array.entries]
        parts += [f"{len(errors)} listed, within {max(errors):.5e}"] if errors else []
        lines.append(f"  {path}: {', '.join(parts)}")
    return lines
