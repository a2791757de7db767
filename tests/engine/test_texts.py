"""One command tests a page: its text beside its blocks, in words with page and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from executed import plugin
from executed.texts import CHECKS
from support.checkout import ROOT, Run

PAGE = """\
# A page

See [the part](#part-a), [what is `x`](other.md#here), and [it](folder/more.ipynb).
There are 12, `x` among them, and $x^2$<!-- formula: square(x) -->. <!-- "12" quotes: square(12 -->
No link: `[x](gone.md)`.<!-- "`[x](gone.md)`" free: a form --> [Out](https://example.org/gone).

## Part `a`

```python
def square(x):
    return x * x


x = square(12)
```
"""


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """Return a folder with what the page leads to."""
    (tmp_path / "other.md").write_text("# Other\n\n## Elsewhere {#here}\n", "utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "more.ipynb").write_text("{}", "utf-8")
    return tmp_path


FAULTS = {
    "a number": ("numbers", ("12, `x`", "13, `x`"), "page.md:4: a comment names"),
    "a comparison": ("numbers", ("There are", "At most"), 'page.md:4: "At most" compares'),
    "a formula": ("formulas", ("<!-- formula: square(x) -->", ""), "page.md, line 4: nothing ties"),
    "a name": ("names", ("`x` among", "`y_z` among"), "page.md:4: `y_z`: y_z is in no block"),
    "a file": ("links", ("(other.md#here)", "(others.md)"), "page.md:3: others.md leads nowhere"),
    "a folder": ("links", ("(other.md#here)", "(folder)"), "page.md:3: folder leads nowhere"),
    "an anchor": ("links", ("#part-a", "#part-b"), "page.md:3: #part-b leads nowhere"),
    "an anchor elsewhere": ("links", ("#here", "#elsewhere"), "page.md:3: other.md#elsewhere"),
    "a heading": ("links", ("## Part", "## The part"), "page.md:3: #part-a leads nowhere"),
    "a notebook": ("links", ("more.ipynb", "most.ipynb"), "page.md:3: folder/most.ipynb leads"),
    "spaces": ("layout", ("x * x", "x*x"), "page.md:11: ruff would write it like this.\n"),
    "a long line": ("layout", ("square(12)", f"square(12){' + 12' * 15}"), "page.md:14: ruff"),
}


@pytest.mark.parametrize(("check", "change", "report"), FAULTS.values(), ids=FAULTS)
def test_a_fault_in_a_text_is_reported(
    check: str, change: tuple[str, str], report: str, beside: Path
) -> None:
    """The page passes every check; with a fault, one of them says where it is."""
    page = beside / "page.md"
    page.write_text(PAGE, "utf-8")
    assert not [one for judge in CHECKS.values() for one in judge(page, "page.md")]
    assert change[0] in PAGE
    page.write_text(PAGE.replace(*change), "utf-8")
    found = {name: judge(page, "page.md") for name, judge in CHECKS.items()}
    assert [name for name, problems in found.items() if problems] == [check]
    assert found[check][0].startswith(report)


@pytest.mark.parametrize("check", ["numbers", "formulas", "links", "layout"])
def test_the_text_of_readme_is_tested(check: str) -> None:
    """As that of a page; its names are tested with what it is about, in `test_names`."""
    problems = CHECKS[check](ROOT / "README.md", "README.md")
    assert not problems, "\n".join(problems)


def test_exchanged_figures_are_reported(tmp_path: Path) -> None:
    """Each stands beside the block that draws it, above or below; then nothing is said."""
    drawn = "```python\n{0}, axes = plt.subplots()\n```\n"
    page = f"![One.](figure:a)\n\n{drawn.format('a')}\n{drawn.format('b')}\n![Two.](figure:b)\n"
    path = tmp_path / "page.md"
    path.write_text(page, "utf-8")
    assert not CHECKS["figures"](path, "page.md")
    exchanged = page.replace("figure:a", "figure:x").replace("figure:b", "figure:a")
    path.write_text(exchanged.replace("figure:x", "figure:b"), "utf-8")
    first, second = CHECKS["figures"](path, "page.md")
    assert first.startswith(
        "page.md:1: the block in line 3 draws a, and stands nearer than that of b"
    )
    assert second.startswith("page.md:11: the block in line 7 draws b")


def test_the_text_of_a_page_is_tested_beside_its_blocks(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each check is a test of the page, fails in its own words, and is left out elsewhere."""
    page = '# Page\n\nThere are 12. <!-- "12" quotes: x = 12 -->\n\n```python\nx = 12\n```\n'
    run(page, name="docs/page.md").assert_outcomes(passed=1)
    monkeypatch.setattr(plugin, "ROOT", pytester.path)
    run(page, name="docs/page.md").assert_outcomes(passed=1 + len(CHECKS))
    run(page, name="page.md").assert_outcomes(passed=1)
    result = run(page.replace("are 12", "are 13"), "--update-outputs", name="docs/page.md")
    result.assert_outcomes(passed=len(CHECKS), failed=1)
    result.stdout.fnmatch_lines(
        ['docs/page.md:3: a comment names "12", which the line does not say*']
    )
