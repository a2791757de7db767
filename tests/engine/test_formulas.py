"""Formulas say what the code does: each fault in one is noticed, and what is right passes."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from executed import calculus
from executed.page import programs, without_fences
from executed.proofs import without_markings
from executed.runtime import sums_of
from executed.tex import read
from executed.ties import untied
from executed.trials import in_order
from support.checkout import DOCS, ROOT, in_ci

PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"]
MODULES = sorted((ROOT / "src" / "backproof").rglob("*.py"))

PAGE = r"""
<!-- symbols:
double = lambda x: 2 * x
-->

The cube of $x$ is $x^3$<!-- formula: cube(x) -->, and twice of it $2 x^3$<!-- formula:
    double(cube(x)) -->.

$$
\begin{aligned}
\lVert v \rVert_1 &= \sum_i |v_i| \\
\lVert v \rVert_\infty &= \max_i |v_i|
\end{aligned}
$$
<!-- formula: -->

$$
f(x \pm h) = f(x) \pm h f'(x) + \frac{h^2}{2} f''(x) + \dots
\tag{1}
$$
<!-- formula: f=np.exp, h=h / 100 -->

A root is $y = \sqrt[3]{|x|}$<!-- formula: y=cube_root(abs(x)) -->, of $(1)$ a part $h^2 / 2$.
It is small if $|x - \tilde x| \le t / 8$<!-- formula: near(x, tilde_x, t) -->.
$C = 2 \pi r$<!-- free: no code has it --> is Greek.

```python
def cube(x):
    return x * x * x


def cube_root(x):
    return x ** (1 / 3)


def near(x, other, room):
    return 8 * abs(x - other) <= room
```
"""

FAULTS = [
    ("$x^3$", "$x^2$", r"line 6: the formula \$x\^2\$ does not hold at x = .*the code says"),
    ("2 x^3", "3 x^3", r"line 6: the formula \$3 x\^3\$ does not hold"),
    ("_1 &= \\sum_i |v_i|", "_1 &= \\sum_i v_i", "line 9: .*norm"),
    (r"\max_i |v_i|", r"\max_i v_i", "line 9"),
    (r"\rVert_\infty", r"\rVert_2", "line 9"),
    (r"\pm h f'(x)", r"\mp h f'(x)", "line 17"),
    ("h^2}{2}", "h^2}{3}", "line 17"),
    ("f''(x)", "f'''(x) + 1", "line 17"),
    ("sqrt[3]", "sqrt", "line 23"),
    (r"{|x|}", "{x}", "line 23"),
    (r"\le", r"\ge", "line 24"),
    ("t / 8", "t / 4", "line 24"),
    ("cube_root(abs(x)", "abs(x)", "line 23"),
    ("return x * x * x", "return x * x", "line 6"),
    ("cube(x) -->,", "cube(x -->,", "line 6: .* cannot be evaluated: SyntaxError"),
    ("cube(x) -->,", "cubed(x) -->,", "line 6: .* cannot be evaluated: TypeError"),
    (r"\sqrt[3]", r"\oint", r"line 23: .* cannot be read"),
    (
        "t / 8$<!-- formula: near(x, tilde_x, t)",
        "9$<!-- formula: near(x, tilde_x, 72)",
        "line 24: .* is True at all points",
    ),
    ("y=cube_root(abs(x))", "y=np.nan", "line 23: .* is a number at 0 of 5000 points"),
]


@cache
def prose(path: Path) -> str:
    """Return the prose of a page."""
    return without_fences(path.read_text("utf-8"))


def everything() -> str:
    """Return the prose of all pages."""
    return "\n".join(map(prose, PAGES))


def problems(page: str) -> str:
    """Run the blocks of a page; return what is wrong."""
    return "".join(trial.problem for _, trial in in_order({}, programs(page), page, "page.md"))


def test_katex_is_whole_and_of_one_version() -> None:
    """Its files are those that were released, and its style is that of its script."""
    folder = DOCS / "assets" / "katex"
    sums = sums_of(folder)
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.*")}
    assert sums.keys() == {*files, "LICENSE"}
    for name, expected in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected, name
    (script,) = set(re.findall(r'version:"([\d.]+)"', files["katex.min.js"].read_text("utf-8")))
    (style,) = re.findall(
        r'katex-version:after{content:"([\d.]+)"', files["katex.min.css"].read_text()
    )
    assert script == style


def test_right_formulas_pass() -> None:
    """None of them is taken for wrong, and none of them needs another tie."""
    assert problems(PAGE) == ""
    assert untied(without_fences(PAGE), "page.md") == []


@pytest.mark.parametrize(("right", "wrong", "report"), FAULTS)
def test_a_fault_in_a_formula_is_noticed(right: str, wrong: str, report: str) -> None:
    """The message names the line, the formula, the point and the values."""
    assert right in PAGE
    assert re.search(report, problems(PAGE.replace(right, wrong)))


@pytest.mark.parametrize(
    ("right", "wrong", "report"),
    [
        ("$h^2 / 2$", "$h^2 / 4$", "line 23: nothing ties $h^2 / 4$"),
        ("$(1)$", "$(2)$", "line 23: nothing ties $(2)$"),
        ("<!-- free: no code has it -->", "", "line 25: nothing ties $C"),
        ("$x$ is", r"$\oint$ is", r"line 6: nothing ties $\oint$"),
    ],
)
def test_a_formula_that_nothing_ties_is_noticed(right: str, wrong: str, report: str) -> None:
    """A name, a number that a formula has, and a part of one that is tied need no comment."""
    assert right in PAGE
    (found,) = untied(without_fences(PAGE.replace(right, wrong)), "page.md")
    assert report in found


def test_a_marking_that_follows_no_formula_is_refused() -> None:
    """A word between the two would leave the formula untied, and the marking unread."""
    page = PAGE.replace("$x^3$<!--", "$x^3$, or <!--")
    with pytest.raises(ValueError, match=r"line 6: formula: cube.x. marks no formula before it"):
        problems(page)


@pytest.mark.parametrize(
    ("tex", "value"),
    [
        (r"\frac12 + \tfrac{1}{4} - 2 \cdot 3 / 4", -0.75),
        (r"2 |x - 3| \, |x|^2", 8.0),
        (r"x^{1 + 1} (x - 1)^3", 4.0),
        (r"\lim_{h \to 0} \frac{(x + h)^2 - x^2}{h}", 4.0),
        (r"\frac{d}{dt} (x + t)^3 \Big|_{t = 1}", 27.0),
        (r"\int_0^x v^2 \, dv", 8 / 3),
        (r"\sum_{ij} w_{ij} v_j", 16.0),
        (r"\prod_i 2 v_i", 8.0),
        (r"\max(x - 1, x, h_0)", 5.0),
        (r"v^T w v + h_{\text{best}} - s_\alpha", 26.0),
        (r"\lVert v - w^T v \rVert", 10.0),
        (r"x \propto h_0", 0.4),
        (r"\frac{\partial q}{\partial v_i}", 4.0),
        (r"f(x) f'(x) + h' \hat x_+", 23.0),
        (r"\begin{cases} x & \text{one} \\ 1 & \text{other} \end{cases}", [2.0, 1.0]),
    ],
)
def test_a_formula_is_read_as_one_reads_it(tex: str, value: float | list[float]) -> None:
    """Each form that the pages may use has the value that it has on paper."""
    v, w = np.array([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    known = {
        "x": 2.0,
        "v": v,
        "w": w,
        "i": 1,
        "h_prime": 1.0,
        "hat_x_plus": 7.0,
        "h_0": 5.0,
        "h_best": 1.0,
        "s_alpha": 2.0,
    }
    known |= {"f": np.square, "q": lambda v: v @ v, "_": calculus}
    (statement,) = read(tex).statements
    assert eval(statement.sides[0], known) == pytest.approx(value)


def test_a_reader_sees_no_comment() -> None:
    """Not in the site, nor in its Markdown."""
    assert "<!--" not in without_markings(PAGE)


@in_ci
def test_formulas_of_notebooks_and_docstrings_are_on_a_page() -> None:
    """They are parts of formulas that a page ties to code."""
    texts = {
        notebook.name: "\n".join(
            "".join(cell["source"])
            for cell in json.loads(notebook.read_text("utf-8"))["cells"]
            if cell["cell_type"] == "markdown"
        )
        for notebook in DOCS.rglob("*.ipynb")
    }
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for module in MODULES:
        nodes = ast.walk(ast.parse(module.read_text("utf-8")))
        docs = (ast.get_docstring(node) or "" for node in nodes if isinstance(node, documented))
        texts[module.name] = "\n".join(docs)
    assert texts
    found = [one for name, text in texts.items() for one in untied(text, name, everything())]
    assert not found, "\n".join(found)
