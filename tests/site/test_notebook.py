"""The exercise in a notebook: it is right, it can be solved, and its page is like all others."""

from __future__ import annotations

import json
import re
from contextlib import redirect_stdout
from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient

from executed.built import resolves, shown_code, visible_markup
from executed.names import unknown_names
from executed.notebooks import as_page, published, shown_by
from executed.page import programs
from executed.prose import unquoted_numbers
from executed.trials import in_order
from support.checkout import DOCS, build, in_ci, planted

PATH = DOCS / "learn" / "find-the-mistake.ipynb"
NOTEBOOK: Any = nbformat.read(PATH, as_version=4)  # type: ignore[no-untyped-call]
CELLS = {cell["id"]: cell for cell in NOTEBOOK["cells"]}
CORRECTIONS = {
    "db2": ("db2 = np.sum", "db2 = 1 / m * np.sum"),
    "dZ1": ("(1 - A1**2)", "(A1 > 0)"),
}

Cells = list[dict[str, Any]]


def results(notebook: dict[str, Any]) -> list[str]:
    """Return the identifiers of the cells that hold results of a run."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [cell["id"] for cell in cells if cell["outputs"] or cell["execution_count"]]


def test_the_notebook_is_kept_without_outputs() -> None:
    """What a run leaves is not committed; the build runs it anew."""
    assert not results(NOTEBOOK)
    ran = deepcopy(NOTEBOOK)
    next(cell for cell in ran["cells"] if cell["id"] == "judge")["execution_count"] = 1
    assert results(ran) == ["judge"]


@pytest.fixture(scope="module")
def executed(with_wheel: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Cells:
    """Run the notebook as who downloads it: in an empty folder, with the wheel."""
    folder = tmp_path_factory.mktemp("downloaded")
    notebook = deepcopy(NOTEBOOK)
    NotebookClient(notebook, resources={"metadata": {"path": folder}}).execute(env=with_wheel)
    cells: Cells = notebook["cells"]
    return cells


# What each cell shows, to the letter, but for white space: a report is a table of HTML there.
PRINTED = {
    "number": """The gradient is wrong by the course's rule: difference 9.3e-01 > 1e-07
        0.930288""",
    "predict": "47 0.333333",
    "report": """The gradient is wrong in W1, b1 and b2.
        array shape verdict difference resolution untested
        W1 5x4 wrong 1e+00 <1e-06
        b1 5x1 wrong 1e+00 <1e-06
        W2 3x5 correct <1e-08 <1e-06 11
        b2 3x1 wrong 5e-01 <1e-05 2
        W3 1x3 correct <1e-09 <1e-06 2
        b3 1x1 correct <1e-07 <1e-05
        W1 and b1: every entry is wrong, in no known pattern
        b2: it is 3 times the numerical gradient:
        is there a 3 too many, or a mean over 3 missing?
        W1[0, 1]: gradient 11.7305, numerical -1.47903 ± 8.5e-09, off by 113 %
        b1[0, 0]: gradient -5.38573, numerical 0.632908 ± 1.3e-08, off by 112 %
        b2[2, 0]: gradient 0.5929, numerical 0.197633 ± 1.3e-08, off by 67 %
        W3 and b3 are right, b2 is not: look at the code between them.
        15 of 47 entries are untested: 15 with gradient and slope 0.
        276 evaluations, seed 0.""",
    "factors": """3 examples: 3.0
        2 examples: 2.0""",
    "judge": """Not yet: the gradient is wrong in W1, b1 and b2.
        W1: every entry is wrong, in no known pattern
        b1: every entry is wrong, in no known pattern
        b2: it is 10 times the numerical gradient:
        is there a 10 too many, or a mean over 10 missing?""",
    **dict.fromkeys(
        ("central-difference", "relative-difference", "check-n"),
        "Not yet: it returns the three dots: replace them with your formula.",
    ),
    "steps": """Not yet.
        1e6 + cos(x) at 1: too small, the error is mostly round-off.
        log(x) at 1e-7: too large, the function has no value at x - h.""",
    "dropout": "Not yet: it raises ValueError: the cost is random",
}


def test_the_notebook_shows_what_is_expected(executed: Cells) -> None:
    """To the letter, like the outputs of a page; it keeps none of its own, and warns of nothing."""
    shown = {cell["id"]: shown_by(cell).split() for cell in executed if cell.get("outputs")}
    assert shown == {name: text.split() for name, text in PRINTED.items()}
    assert not [1 for cell in executed for one in cell.get("outputs", ()) if is_warning(one)]


def page_of(cells: Cells, text: str = "") -> str:
    """Return cells and some text behind them as a page."""
    return as_page({**NOTEBOOK, "cells": [*cells, {"cell_type": "markdown", "source": text}]})


def test_the_notebook_keeps_to_the_rules_of_a_page(executed: Cells) -> None:
    """Its numbers are quoted, its names exist, and what it states holds."""
    page = page_of(executed)
    assert not unquoted_numbers(page, PATH.name)
    assert not unknown_names(page, PATH.name)
    assert "holds:" in page
    trials = [*in_order({}, programs(page), page, PATH.name)]
    assert trials
    assert [trial.problem for _, trial in trials if trial.problem] == []


def test_what_is_not_so_in_a_notebook_is_reported(executed: Cells) -> None:
    """A number that no cell has, a name that does not exist, and a sentence that does not hold."""
    assert len(unquoted_numbers(page_of(executed, "It was 0.930281."), PATH.name)) == 1
    assert len(unknown_names(page_of(executed, "Call `check_gradients`."), PATH.name)) == 1
    page = page_of(executed, "It is small. <!-- holds: difference < 0.1 -->")
    *_, (_, trial) = in_order({}, programs(page), page, PATH.name)
    assert "difference < 0.1 does not hold" in trial.problem


def is_warning(output: dict[str, Any]) -> bool:
    """Whether an output is none that the page shows."""
    return output.get("name") != "stdout" and "text/html" not in output.get("data", ())


# What shows a picture, in a kernel that is as new as a kernel is.
DRAW = """
from backproof import check_gradient
from backproof.plots import wrong_entries
report = check_gradient(lambda w: w**2, 1.0, 3.0)
"""
LAST = 'wrong_entries(report, "parameters")'
PYPLOT = "from matplotlib import pyplot"
SHOWN = {
    f"{DRAW}{LAST}": 1,
    PYPLOT: 0,
    f"{LAST}  # once pyplot is there": 1,
    f"pyplot.plot([1, 2])\n{LAST}  # beside a figure of pyplot's": 2,
    f"{LAST}  # after a figure of pyplot's": 1,
    f"picture = {LAST}": 0,
    "display(picture)": 1,
    "picture;": 0,
}


@in_ci
def test_a_picture_that_is_the_last_line_of_a_cell_is_shown(with_wheel: dict[str, str]) -> None:
    """Once, whether pyplot is there or not, and not where nothing asks for it."""
    assert pictures([*SHOWN], with_wheel) == [*SHOWN.values()]
    plain = [DRAW, "from matplotlib.figure import Figure\nFigure()"]
    assert pictures(plain, with_wheel) == [0, 0]


@in_ci
def test_a_picture_is_shown_in_the_format_that_the_notebook_chose(
    with_wheel: dict[str, str],
) -> None:
    """It is one output, of which a notebook shows the best format that it knows."""
    chosen = "%config InlineBackend.figure_formats = ['svg']"
    *_, cell = run([f"{PYPLOT}\n{DRAW}", f"{chosen}\npyplot.figure();", LAST], with_wheel)
    assert ["image/svg+xml" in output["data"] for output in cell["outputs"]] == [True]


def pictures(sources: list[str], environment: dict[str, str]) -> list[int]:
    """Return how many pictures each of some cells shows."""
    cells = run(sources, environment)
    return [sum("image/png" in out.get("data", ()) for out in cell["outputs"]) for cell in cells]


def run(sources: list[str], environment: dict[str, str]) -> Cells:
    """Return cells as they are once a new kernel has run them, with the backend it chooses."""
    chosen = {name: value for name, value in environment.items() if name != "MPLBACKEND"}
    new: Any = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    code: Any = nbformat.v4.new_code_cell
    new["cells"] = [code(source) for source in sources]
    NotebookClient(new).execute(env=chosen)
    cells: Cells = new["cells"]
    return cells


@pytest.mark.parametrize(
    ("corrected", "answer"),
    [
        ([], "Not yet: the gradient is wrong in W1, b1 and b2."),
        (["db2"], "Not yet: the gradient is wrong in W1 and b1."),
        (["dZ1"], "Not yet: the gradient is wrong in b2."),
        (["db2", "dZ1"], "Solved."),
    ],
)
def test_the_judge_knows_a_solution(corrected: list[str], answer: str) -> None:
    """A reader who corrects both lines has solved it; who corrects one of them or none has not."""
    exercise = source("exercise")
    for name in corrected:
        assert CORRECTIONS[name][0] in exercise
        exercise = exercise.replace(*CORRECTIONS[name])
    assert answer in judged(exercise)


def test_a_correction_for_three_examples_alone_is_none() -> None:
    """A factor that fits the number of examples in the exercise does not pass."""
    exercise = source("exercise").replace(*CORRECTIONS["dZ1"])
    exercise = exercise.replace("db2 = np.sum", "db2 = 1 / 3 * np.sum")
    assert "Not yet: the gradient is wrong in b2." in judged(exercise)


def test_the_solution_differs_from_the_exercise_in_the_two_lines() -> None:
    """The solution is the exercise, corrected."""
    given = source("exercise").splitlines()
    lines = [re.sub(r"  #.*", "", line) for line in source("solution").splitlines()]
    added = [line.split()[0] for line in lines if line not in given]
    assert added == ["def", "db2", "dZ1"]
    assert "Solved." in judged(source("exercise"), source("solution"), "judge(corrected)")


@pytest.mark.parametrize(
    ("mend", "answer"),
    [
        ("draw_mask = lambda: 1.0", "Not yet: dropout is off."),
        ("draw_mask = lambda: np.ones((5, 10)) / 0.8", "Not yet: dropout is off."),
        ("draw_mask = lambda mask=draw_mask(): mask", "Solved."),
    ],
)
def test_dropout_is_judged_with_its_mask_on(mend: str, answer: str) -> None:
    """A mask that is drawn once solves it; one that keeps every unit does not."""
    draws, found, checks = source("dropout").partition("def checked_cost")
    assert found
    told = judged(source("exercise"), "\n".join([draws, mend, found + checks]))
    assert told.splitlines()[-1] == answer


def source(name: str) -> str:
    """Return the source of a cell."""
    return str(CELLS[name]["source"])


def judged(exercise: str, *more: str) -> str:
    """Return what the judge says of an exercise."""
    cells = [source("number"), source("report"), exercise, source("judge"), *more]
    with redirect_stdout(StringIO()) as printed:
        exec("\n".join(cells), {})
    return printed.getvalue()


def test_the_page_shows_the_cells_and_what_they_show(site: Path) -> None:
    """Nothing of the notebook is lost on its page, all of it is rendered, and no style is added."""
    html = (site / "learn" / "find-the-mistake.html").read_text("utf-8")
    code = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert shown_code(html) == [cell["source"] for cell in code]
    text = " ".join(BeautifulSoup(html, "html.parser").get_text(" ").split())
    assert not [words for words in PRINTED.values() if " ".join(words.split()) not in text]
    assert not visible_markup(html)
    assert "<style" not in html
    assert "holds:" not in html


def test_links_of_the_notebook_lead_to_the_site(site: Path) -> None:
    """In the notebook that is offered beside the page, they do so wherever it is moved."""
    offered = site / "learn" / PATH.name
    targets = links(offered.read_text("utf-8"))
    assert len(targets) >= 3
    assert all(resolves(offered, target) for target in targets)
    assert "holds:" not in offered.read_text("utf-8")
    moved = published(PATH.read_text("utf-8"), "https://example.org/site/learn/find.html")
    assert links(moved)[1] == "https://example.org/site/learn/n-dimensions.html"
    assert all(target.startswith("https://example.org/site/") for target in links(moved))


def links(notebook: str) -> list[str]:
    """Return where the links in the cells of a notebook lead."""
    return re.findall(r"\]\(([^)]+)\)", notebook)


@in_ci
def test_a_notebook_is_run_by_every_build(tmp_path: Path) -> None:
    """What its cells show is on the page, and nothing of what they showed before."""
    code = "import os; print('a < b > c', os.environ['CHANGED'])"
    assert "a &lt; b &gt; c before" in built_with(code, tmp_path, CHANGED="before")
    assert "a &lt; b &gt; c after" in built_with(code, tmp_path, CHANGED="after")


@in_ci
def test_a_notebook_that_fails_fails_the_build(tmp_path: Path) -> None:
    """A cell that raises leaves no page behind."""
    with pytest.raises(pytest.fail.Exception, match="ZeroDivisionError"):
        built_with("1 / 0", tmp_path)


def built_with(code: str, folder: Path, **environment: str) -> str:
    """Build a site with a notebook of one cell, and return its page."""
    configuration = planted(folder, index="# Home\n")
    settings = configuration.read_text("utf-8").replace("page.md", "page.ipynb")
    hooks = f"sources.py, {DOCS / 'executed' / 'notebooks.py'}]"
    configuration.write_text(settings.replace("sources.py]", hooks), "utf-8")
    notebook = {**NOTEBOOK, "cells": [CELLS["title"], {**CELLS["judge"], "source": code}]}
    (folder / "docs" / "page.ipynb").write_text(json.dumps(notebook), "utf-8")
    build(configuration, folder / "site", **environment)
    return (folder / "site" / "page.html").read_text("utf-8")
