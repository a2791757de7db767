"""What stands in backticks exists, and what docstrings say of numbers and options is so."""

from __future__ import annotations

import inspect
import re
from pydoc import locate
from typing import Any

import pytest
import yaml

import backproof
from executed.commands import EXTRAS, GROUPS, PROJECT
from executed.docstrings import as_page, untrue
from executed.library import public
from executed.names import not_installed, unknown_names
from executed.prose import unquoted_numbers
from support.checkout import DOCS, ROOT

ABOUT = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
# What CONTRIBUTING is about: the settings, the engine and the scripts.
SOURCES = (
    "mkdocs.yml",
    "pyproject.toml",
    ".ci/run",
    ".github/**/*.yml",
    "src/executed/*.py",
    "tests/site/test_browser.py",
)


def about(page: str) -> str:
    """Return a block with what a file beside README is about, for it has no code of its own."""
    words = [*EXTRAS, *GROUPS, f"v{PROJECT['version']}"]
    if page == "CONTRIBUTING.md":
        paths = (path for name in (*SOURCES, "tests/proofs/*.py") for path in ROOT.glob(name))
        words += [path.read_text("utf-8") for path in paths]
    return "\n".join(["````````text", *words, "````````"])


@pytest.mark.parametrize("page", ABOUT)
def test_inline_code_beside_the_site_names_what_exists(page: str) -> None:
    """README and its like name files, commands and extras that are there."""
    text = (ROOT / page).read_text("utf-8")
    problems = unknown_names(f"{text}\n{about(page)}\n", page)
    assert not problems, "\n".join(problems)


PAGE = """---
names: [math.isclose, logging]
---

Some of these are `tokens`. <!-- "`tokens`" free: the reader's own -->

{}

```python
import numpy as np
from backproof import check_gradient

report = check_gradient(lambda w: np.sum(w**2), lambda w: 2 * w, np.ones(3))
print(report.arrays["parameters"].verdict)
```
"""


@pytest.mark.parametrize(
    "span",
    [
        "check_gradients",
        "report.array_reports",
        'report.arrays["weights"]',
        "Report.untestd",
        "ArrayReport.resolutions",
        "np.linalg.norms",
        "backproof.plot",
        "epsilon=1e-6",
        'method="entry"',
        "in_place=Yes",
        "seeds=0",
        "check_gradient(cost, gradient)",
        "check_gradient(cost, gradient, parameters, tol=1)",
        "check_vjp(forward, backward, inputs, in_place=True)",
        'check_gradient(..., method="entry")',
        "import backprof",
        "from backproof import slope",
        "KeyError",
        "ValueError: there are no parameter: expected at least one number.",
        "TypeErrors: there are no parameters: expected at least one number.",
        '"entrie"',
        "tests/test_nothing.py",
        "learn/normss.html",
        "python tests/proofs/honest.py --wite",
        "python tests/proofs/honset.py",
        "python -m pytest --update-output",
        "--update-output",
        'pip install "backproof[plots]"',
        "pip install backprof",
        "mkdcs build",
        "mkdocs build --strickt",
        "isclosed",
        "rel_tolerance",
        "rel_tol=Tre",
        "logging.getLoger",
        "token",
    ],
)
def test_a_name_that_does_not_exist_is_reported(span: str) -> None:
    """With the page, the line and, where one is spelt alike, the name that may be meant."""
    (problem, *_) = unknown_names(PAGE.format(f"See `{span}`."), "page.md")
    assert problem.startswith(f"page.md:7: `{span}`: ")


@pytest.mark.parametrize(
    "span",
    [
        "check_gradient",
        "report.arrays",
        'report.arrays["parameters"]',
        "Report.untested",
        "Report.verdict",
        "np.linalg.norm",
        "backproof.plots",
        "epsilon=1e-7",
        'method="entries"',
        "in_place=True",
        "seed=0",
        "check_gradient(cost, gradient, parameters)",
        "check_gradient(cost, gradient, parameters, tolerance=1)",
        "assert check_gradient(...)",
        'check_gradient(..., method="entries")',
        "import backproof",
        "from backproof.course import gradient_check as check",
        "lambda q: np.sum(q)",
        "ValueError",
        "ValueError: there are no parameters: expected at least one number.",
        '"kink"',
        "tests/engine/test_names.py",
        "test_names.py",
        "learn/norms.html",
        "docs",
        "python tests/proofs/honest.py --write",
        "python -m pytest --update-outputs docs README.md",
        "--update-outputs",
        'pip install "backproof[plot]"',
        "mkdocs build --strict",
        "isclose",
        "rel_tol",
        'logging.getLogger("backproof")',
        "tokens",
        "+=",
        ".copy()",
    ],
)
def test_a_name_that_exists_passes(span: str) -> None:
    """Whatever it is that has it."""
    assert not unknown_names(PAGE.format(f"See `{span}`."), "page.md")


def test_a_name_that_is_meant_is_offered() -> None:
    """A slip of the pen is mended by who reads the message."""
    (problem,) = unknown_names(PAGE.format("See `check_gradiant`."), "page.md")
    assert "Did you mean check_gradient" in problem


def test_what_a_page_says_that_it_names_exists() -> None:
    """A path in the front matter that leads nowhere gives no names."""
    page = PAGE.replace("math.isclose", "math.isclosed").format("Nothing.")
    assert unknown_names(page, "page.md") == ["page.md: names: there is no math.isclosed."]


def test_a_module_that_is_missing_is_told() -> None:
    """So that a page is judged where it is there."""
    page = PAGE.replace("logging", "no_such_module.part").format("See `isclose`.")
    assert not_installed(page) == ["no_such_module"]
    assert not not_installed(PAGE)


# What describes the project


def test_the_changelog_has_no_number_of_its_own() -> None:
    """It has no code from which one could be quoted; versions and dates stand in headings."""
    text = re.sub(r"^#.*$", "", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)
    assert not unquoted_numbers(text, "CHANGELOG.md")
    assert unquoted_numbers(f"{text}- Twelve are 13.", "CHANGELOG.md")


def test_the_oldest_python_is_one() -> None:
    """README and the classifiers name the one that is required."""
    versions = re.findall(r":: Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert PROJECT["requires-python"] == f">={versions[0]}"
    assert versions == sorted(versions, key=lambda version: int(version[2:]))
    named = re.findall(r"Python (3\.\d+) or later", (ROOT / "README.md").read_text("utf-8"))
    assert {*named} == {versions[0]}


def test_who_cites_the_project_names_it() -> None:
    """Title, licence, authors, words and what it is are those of the package."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["title"].lower().startswith(f"{PROJECT['name']}:")
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]
    assert citation["keywords"] == PROJECT["keywords"]
    assert citation["abstract"] == PROJECT["description"]
    sources = (DOCS / "reference" / "sources.md").read_text("utf-8")
    assert all(f"https://doi.org/{one['doi']}" in sources for one in citation["references"])


def commands(text: str, pattern: str) -> set[str]:
    """Return the first two words of the commands that a text has by this pattern."""
    return {" ".join(one.split()[:2]) for one in re.findall(pattern, text, re.MULTILINE)}


def test_commands_have_names() -> None:
    """What CONTRIBUTING tells to run, the justfile runs."""
    recipes = (ROOT / "justfile").read_text("utf-8").replace("{{bin}}", ".venv/bin")
    named = re.sub(r"(benchmarks|proofs)/\{\{name\}\}\.py", r"\1/*.py", recipes)
    table = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("\n## ")[0]
    told = re.sub(r"(benchmarks|proofs)/\w+\.py", r"\1/*.py", table)
    wanted = commands(told, r"^\| [^|`]+ \| `([^`]+)`")
    assert len(wanted) >= 8
    assert wanted <= commands(named, r"^    (.+)$")


# Docstrings

LISTED = re.findall(r"^::: (\S+)", (DOCS / "reference" / "api.md").read_text("utf-8"), re.MULTILINE)


def documented() -> dict[str, Any]:
    """Return what the reference shows, with the methods and properties of classes."""
    found = {**{path: locate(path) for path in LISTED}, **public()}
    parts = {
        f"{path}.{name}": getattr(part, "fget", part)
        for path, one in found.items()
        if inspect.isclass(one)
        for name, part in vars(one).items()
        if name[0] != "_" and (inspect.isfunction(part) or isinstance(part, property))
    }
    return {**found, **parts}


@pytest.mark.parametrize("path", documented())
def test_docstrings_say_what_the_code_has(path: str) -> None:
    """Their inline code, numbers, options and defaults are those of the code and the examples."""
    one = documented()[path]
    problems = untrue(one)
    if problems and (lacking := ", ".join(not_installed(as_page(one)))):
        pytest.skip(f"{path} names what is in {lacking}: install the group frameworks.")
    assert not problems, "\n".join(problems)


def test_the_reference_lists_what_is_public() -> None:
    """All of it, and beside it nothing but the classes of what is returned."""
    own = {path for path in LISTED if not path.split(".")[1].startswith("_")}
    assert own == {f"backproof.{name}" for name in backproof.__all__}
    assert all(inspect.isclass(locate(path)) for path in set(LISTED) - own)


MOST = 500


def halved(x: float, order: int = 2, kind: str = "auto") -> float:
    """Return `x` over 2.

    Parameters
    ----------
    x
        A number.
    order
        2 (the default), or another number up to 500.
    kind
        "auto" (the default), or `kind="other"`.

    Returns
    -------
    float
        The half of `x`, 1.5 for 3.

    Raises
    ------
    ValueError
        Never.

    Examples
    --------
    >>> halved(3)
    1.5
    """
    return x / 2 if kind in ("auto", "other") else x / order


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("`x` over", "`xs` over"),
        ("to 500", "to 600"),
        ("3.\n", "3; twelve are more.\n"),
        ('"auto" (the default), or', '"auto" (the default), "autos" or'),
        ("ValueError\n", "KeyError\n"),
        ("1.5 for", "2.5 for"),
        ("2 (the default)", "1.5 (the default)"),
        ("2 (the default)", "by default, 2"),
        ('"auto" (the default)', '"other" (the default)'),
        ('`kind="other"`', '`kindly="other"`'),
        ("\norder\n", "\norders\n"),
        ("\nkind\n    ", "\nand\n    "),
    ],
)
def test_a_docstring_that_says_something_else_is_reported(
    right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each by one line, which names the function."""
    assert not untrue(halved)
    text = inspect.getdoc(halved) or ""  # from Python 3.13 on, docstrings come without indentation
    assert right in text
    monkeypatch.setattr(halved, "__doc__", text.replace(right, wrong))
    (problem, *_) = untrue(halved)
    assert problem.startswith("halved: ")


def test_options_without_a_description_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a docstring has sections at all."""
    text = halved.__doc__ or ""
    parameters = text[text.index("Parameters") : text.index("Returns")]
    monkeypatch.setattr(halved, "__doc__", text.replace(parameters, ""))
    assert untrue(halved) == [
        "halved: kind, order, x: in the code or under Parameters, not in both."
    ]
