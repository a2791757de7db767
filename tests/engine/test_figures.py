"""What a figure shows is described by code, and compared with the file beside its page."""

from __future__ import annotations

import re
from typing import Any

import matplotlib.pyplot as plt
import pytest
from bs4 import BeautifulSoup
from markdown import markdown
from matplotlib import rc_context

from executed.descriptions import beside, figures_of, settled, text_of, written
from executed.drawing import STYLE
from executed.figures import Figures
from executed.pictures import described
from support.checkout import DOCS, Run, in_ci

CODE = """\
import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(0)
steps = np.logspace(-15, 0, 300)
rounding = np.abs(rng.normal(size=300)) * 1e-16 / steps

errors, axes = plt.subplots()
axes.loglog(steps, rounding, label="rounding")
axes.loglog(steps, steps**2, "--", label="truncation")
axes.axhline(1e-6, color="gray")
axes.text(1e-12, 1e-9, "threshold", color="gray")
axes.set(title="Two errors", xlabel="step", ylabel="error")
axes.legend()

counts, axes = plt.subplots()
axes.bar([1, 2, 3], [5, 0, 2], label="wrong")
axes.scatter(np.arange(20), np.arange(20) / 4, label="right")
axes.fill_between([0, 10, 20], [0, 1, 2], [1, 2, 4], color="C2", alpha=0.5)
axes.set(xlim=(0, 20), xticks=[0, 10], xticklabels=["none", "ten"], xlabel="size")
axes.text(1, 4, "found", color="C1")
axes.legend(loc="upper center")
"""
PAGE = f"""\
```python
{CODE}```

![Two errors against the step.](figure:errors)

![Counts.](figure:counts)
"""


def descriptions(code: str) -> dict[str, Any]:
    """Return what the figures show that code draws."""
    variables: dict[str, Any] = {}
    plt.close("all")
    with rc_context(STYLE):
        exec(code, variables)
        return {name: described(variables[name]) for name in ("errors", "counts")}


RIGHT = {name: [*map(str, one)] for name, one in descriptions(CODE).items()}


def differs(code: str) -> bool:
    """Whether what code draws is not what the code above draws."""
    return {name: settled(RIGHT[name], one) for name, one in descriptions(code).items()} != RIGHT


CHANGES = {
    "a line is taken out": ('axes.loglog(steps, steps**2, "--", label="truncation")\n', ""),
    "a line that scatters is taken out": (
        'axes.loglog(steps, rounding, label="rounding")\n',
        "",
    ),
    "labels are swapped": (
        'rounding, label="rounding")\naxes.loglog(steps, steps**2, "--", label="truncation")',
        'rounding, label="truncation")\naxes.loglog(steps, steps**2, "--", label="rounding")',
    ),
    "data are swapped": (
        'steps, rounding, label="rounding")\naxes.loglog(steps, steps**2,',
        'steps, steps**2, label="rounding")\naxes.loglog(steps, rounding,',
    ),
    "another power": ("steps**2", "steps**1.5"),
    "another factor": ("1e-16 / steps", "1e-14 / steps"),
    "an axis is linear": ('"--", label="truncation")\n', '"--")\naxes.set_xscale("linear")\n'),
    "the other axis is linear": ("axes.set(title", 'axes.set_yscale("linear")\naxes.set(title'),
    "other limits": ('ylabel="error")', 'ylabel="error", ylim=(1e-12, 1))'),
    "limits a little wider": ("xlim=(0, 20)", "xlim=(0, 21)"),
    "limits as the data have them": ("xlim=(0, 20), ", ""),
    "an axis upside down": ("axes.legend()\n", "axes.legend()\naxes.invert_yaxis()\n"),
    "figures are exchanged": (
        'loc="upper center")\n',
        'loc="upper center")\nerrors, counts = counts, errors\n',
    ),
    "another axis label": ('xlabel="step"', 'xlabel="error"'),
    "axis labels are swapped": (
        'xlabel="step", ylabel="error"',
        'xlabel="error", ylabel="step"',
    ),
    "a false title": ("Two errors", "Three errors"),
    "no title": ('title="Two errors", ', ""),
    "no legend": ("axes.legend()\n", ""),
    "another colour": ('"--", label', '"--", color="C3", label'),
    "another style": ('"--"', '"-."'),
    "a threshold elsewhere": ("axhline(1e-6", "axhline(1e-4"),
    "a text elsewhere": ("text(1e-12, 1e-9", "text(1e-4, 1e-9"),
    "a text that is false": ('"threshold"', '"bound"'),
    "a bar that is higher": ("[5, 0, 2]", "[5, 1, 2]"),
    "bars elsewhere": ("[1, 2, 3], [5", "[2, 3, 4], [5"),
    "points that lie lower": ("np.arange(20) / 4", "np.arange(20) / 5"),
    "fewer points": ("np.arange(20), np.arange(20)", "np.arange(19), np.arange(19)"),
    "another area": ("[1, 2, 4]", "[1, 3, 4]"),
    "ticks that are swapped": ('["none", "ten"]', '["ten", "none"]'),
    "ticks that have moved": ("xticks=[0, 10]", "xticks=[0, 11]"),
}
UNSEEN = {
    "rounding": ("default_rng(0)", "default_rng(1)"),
    "other rounding": ("default_rng(0)", "default_rng(2)"),
    "last digits": ("steps**2,", "steps**2 * (1 + 1e-12),"),
    "zero": ("[5, 0, 2]", "[5, 1e-17, 2]"),
    "digits of points": ("np.arange(20) / 4", "np.arange(20) * 0.25 + 1e-15"),
    "names in the code": ("import numpy as np\n", "import numpy as np\n\nunused = 1\n"),
}


@pytest.mark.parametrize(("sound", "faulty"), CHANGES.values(), ids=CHANGES)
def test_a_change_that_is_seen_is_noticed(sound: str, faulty: str) -> None:
    """Whatever a reader would see is in the description."""
    assert CODE.count(sound) == 1
    assert differs(CODE.replace(sound, faulty))


@pytest.mark.parametrize(("one", "other"), UNSEEN.values(), ids=UNSEEN)
def test_what_nobody_sees_is_not_compared(one: str, other: str) -> None:
    """Rounding errors differ from machine to machine; what is written of them stays as it is."""
    assert CODE.count(one) == 1
    assert not differs(CODE.replace(one, other))


# Texts that are cut off


@pytest.mark.parametrize(
    "faulty",
    [
        CODE.replace(
            'axes.set(title="Two', 'errors.set_layout_engine("none"); axes.set(title="x" * 90 + "'
        ),
        CODE.replace("text(1, 4,", "text(17, 4, in_layout=False, s=3 *"),
    ],
    ids=["title", "text"],
)
def test_a_text_that_the_edge_cuts_off_is_refused(faulty: str) -> None:
    """A reader would see a part of it; what merely leaves the axes has its room."""
    beside_the_axes = CODE.replace("text(1, 4,", "text(21, 4,")
    assert descriptions(beside_the_axes)
    with pytest.raises(ValueError, match="the edge of the picture cuts off the text"):
        descriptions(faulty)


def test_what_has_no_description_is_refused() -> None:
    """No part of a figure is left out in silence."""
    with pytest.raises(ValueError, match="no description knows what a Table shows"):
        descriptions(CODE.replace("axes.bar(", 'axes.table([["a"]])\naxes.bar('))


# The file beside a page


def test_the_file_is_written_compared_and_rewritten(run: Run, pytester: pytest.Pytester) -> None:
    """A writer is told at the line of the figure what has changed, and what to do about it."""
    file = pytester.path / "page.figures.txt"
    run(PAGE).assert_outcomes(passed=1, failed=2)
    run(PAGE, "--update-outputs").assert_outcomes(passed=3)
    assert file.read_text("utf-8").startswith(
        'errors\n    title "Two errors"\n    x axis "step", log'
    )
    run(PAGE.replace("default_rng(0)", "default_rng(1)")).assert_outcomes(passed=3)
    changed = PAGE.replace("Two errors", "Three errors")
    result = run(changed)
    result.assert_outcomes(passed=2, failed=1)
    line = figures_of(PAGE)["errors"]
    result.stdout.fnmatch_lines(
        [
            f"page.md:{line}: figure:errors shows something else than page.figures.txt says.",
            '-title "Two errors"',
            '+title "Three errors"',
            "*--update-outputs*",
        ]
    )
    before = file.read_text("utf-8")
    result = run(changed, "--update-outputs")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["--- page.figures.txt", '-*"Two errors"', '+*"Three errors"'])
    assert file.read_text("utf-8") == before.replace("Two errors", "Three errors")


@in_ci
def test_a_picture_in_place_of_a_figure_is_noticed(run: Run, pytester: pytest.Pytester) -> None:
    """What the file describes is shown, and drawn by the page."""
    run(PAGE, "--update-outputs").assert_outcomes(passed=3)
    static = PAGE.replace("figure:counts", "counts.png")
    result = run(static)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*describes counts, which the page does not show.*"])
    run(static, "--update-outputs").assert_outcomes(passed=2)
    run("No figure.\n\n```python\n```\n", "--update-outputs").assert_outcomes(passed=1)
    assert not (pytester.path / "page.figures.txt").exists()


@pytest.mark.parametrize(
    ("sound", "faulty", "message"),
    [
        ("errors, axes", "other, axes", "no block that ran left a figure in 'errors'."),
        ("counts, axes", "raise ValueError\ncounts, axes", "no block that ran left a figure*"),
        ("axes.bar(", "errors = 1\naxes.bar(", "this is no Matplotlib figure."),
    ],
)
def test_a_figure_that_is_missing_is_said(
    sound: str, faulty: str, message: str, run: Run, pytester: pytest.Pytester
) -> None:
    """In words, at its line; an update does not take it for a figure that shows nothing."""
    assert PAGE.count(sound) == 1
    file = pytester.path / "page.figures.txt"
    file.write_text(text_of(RIGHT), "utf-8")
    result = run(PAGE.replace(sound, faulty), "--update-outputs")
    result.stdout.fnmatch_lines([f"page.md:*: figure:errors: {message}"])
    assert file.read_text("utf-8") == text_of(RIGHT)


@in_ci
def test_figures_of_a_guide_are_those_of_the_block_alone(run: Run) -> None:
    """A block draws the figure that a reader gets who copies it."""
    guide = PAGE.replace(
        "counts, axes",
        "```\n\n```python\nimport matplotlib.pyplot as plt\nimport numpy as np\ncounts, axes",
    )
    run(guide, "--update-outputs", name="guides/page.md").assert_outcomes(passed=4)
    changed = guide.replace("[5, 0, 2]", "[5, 1, 2]")
    run(changed, name="guides/page.md").assert_outcomes(passed=3, failed=1)


def test_each_file_belongs_to_a_page() -> None:
    """None is left where a page has moved."""
    pages = [path for path in DOCS.rglob("*.md") if figures_of(path.read_text("utf-8"))]
    assert {beside(path) for path in pages} == {*DOCS.rglob("*.figures.txt")}
    assert all({*written(path)} == {*figures_of(path.read_text("utf-8"))} for path in pages)


# Data, and what is read aloud


DATA = {"steps": [1, 2, 0.5], "sine": {"x": 1.0, "plus": [0.1, -3.0, 7.0]}}


@pytest.mark.parametrize(
    "faulty",
    [
        {**DATA, "steps": [1, 2, 0.6]},
        {**DATA, "steps": [1, 2, 2, 0.5]},
        {**DATA, "sine": {"x": 1.0, "plus": [0.1, -3.0, 8.0]}},
        {**DATA, "sine": {"x": 1.0}},
        {**DATA, "cosine": {}, "sine": {"y": 1.0, "plus": [0.1, -3.0, 7.0]}},
    ],
)
def test_data_of_a_figure_to_move_are_described(faulty: dict[str, Any]) -> None:
    """Their names, how many numbers there are, and what they range over; not the last digits."""
    lines = [*map(str, described(DATA))]
    same = {**DATA, "steps": [1.0, 2.0, 0.5 + 1e-12]}
    assert settled(lines, described(same)) == lines
    assert settled(lines, described(faulty)) != lines


def test_numbers_are_read_to_those_who_do_not_see() -> None:
    """After the author's words, each line and crowd that has a name, in numbers of the file."""
    html = markdown(PAGE, extensions=["fenced_code", Figures()])
    errors, counts = BeautifulSoup(html, "html.parser").select("svg")
    for svg, lines in ((errors, RIGHT["errors"]), (counts, RIGHT["counts"])):
        (said,) = svg.select(f"desc[id={svg['aria-describedby']}]")
        numbers = re.findall(r"\([^)]+\)|x from .*?(?=\.)", said.get_text())
        assert numbers
        assert all(any(number in line for line in lines) for number in numbers)
    assert errors.desc
    assert errors.desc.get_text().startswith("rounding: from (1e-15, ")
    assert "threshold: from (" in errors.desc.get_text()


def test_a_figure_without_names_is_not_described_aloud() -> None:
    """The author's words are all there is to say."""
    code = "from matplotlib.figure import Figure\n\nempty = Figure()"
    page = f"```python\n{code}\n```\n\n![Nothing.](figure:empty)"
    (svg,) = BeautifulSoup(
        markdown(page, extensions=["fenced_code", Figures()]), "html.parser"
    ).select("svg")
    assert not svg.get("aria-describedby")
    assert not svg.select("desc")
