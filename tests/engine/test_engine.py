"""The engine's own proof: each check catches a planted fault, and passes what is right."""

from __future__ import annotations

from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from textwrap import dedent, indent

import pytest
from bs4 import BeautifulSoup
from markdown import Markdown
from mkdocs.config import load_config

from executed import built
from executed.commands import GROUPS
from executed.proofs import without_markings
from executed.prose import unquoted_numbers
from support.checkout import BLOCK, DOCS, ROOT, Run, build, in_ci, planted


def within(header: str, text: str) -> str:
    """Return the text as the content of a tab, note or list item."""
    return f"{header}\n\n{indent(text, '    ')}"


PLACES = {
    "top level": BLOCK,
    "tab": within('=== "One"', BLOCK),
    "second tab": within('=== "One"', "Text.\n") + "\n" + within('=== "Two"', BLOCK),
    "note": within("!!! note", BLOCK),
    "details": within("??? question", BLOCK),
    "nested note": within("!!! note", within("!!! tip", BLOCK)),
    "list": within("-   Item.", BLOCK),
}
every_place = pytest.mark.parametrize("page", PLACES.values(), ids=PLACES)


@every_place
def test_a_wrong_digit_in_an_output_is_caught_anywhere(page: str, run: Run) -> None:
    """The right output passes; the wrong one is shown with page, line, expected and printed."""
    run(page).assert_outcomes(passed=1)
    line = page[: page.index("```python")].count("\n") + 1
    result = run(page.replace("0.125", "0.126"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"page.md:{line}: this prints something else than expected.",
            f"--- expected: the Output block in line {line + 4}",
            "+++ printed",
            "-0.126",
            "+0.125",
            "*--update-outputs*",
        ]
    )


@every_place
def test_outputs_are_updated_to_the_byte(page: str, run: Run, pytester: pytest.Pytester) -> None:
    """A wrong output is rewritten, a missing one inserted, and nothing else changes."""
    written = pytester.path / "page.md"
    for faulty in (page.replace("0.125", "0.126\n" * 3), without_output(page)):
        run(faulty, "--update-outputs").assert_outcomes(passed=1)
        assert written.read_text("utf-8") == page


def test_an_output_may_stand_below_the_box_that_hides_its_block(
    run: Run, pytester: pytest.Pytester
) -> None:
    """It is compared and updated as one beside the block is, and keeps its indentation."""
    code, output = BLOCK.split("\n\n")
    page = within("??? question", code) + "\n\n" + output
    faulty = page.replace("0.125", "0.126")
    run(page).assert_outcomes(passed=1)
    run(faulty).assert_outcomes(failed=1)
    run(faulty, "--update-outputs").assert_outcomes(passed=1)
    assert (pytester.path / "page.md").read_text("utf-8") == page


def test_only_the_outputs_of_the_page_that_is_named_are_updated(
    run: Run, pytester: pytest.Pytester
) -> None:
    """The pages beside it keep what they say, be it wrong."""
    faulty = BLOCK.replace("0.125", "0.126")
    beside = pytester.path / "beside.md"
    beside.write_text(faulty, "utf-8")
    run(faulty, "--update-outputs").assert_outcomes(passed=1)
    assert (pytester.path / "page.md").read_text("utf-8") == BLOCK
    assert beside.read_text("utf-8") == faulty


def without_output(page: str) -> str:
    """Return the page without its Output block."""
    lines = page.split("\n")
    start = next(number for number, line in enumerate(lines) if "Output" in line)
    return "\n".join(lines[: start - 1] + lines[start + 3 :])


@every_place
def test_the_blocks_that_run_are_those_that_are_shown(page: str) -> None:
    """Whatever the place of a block, the built page shows the block that runs."""
    html = render(page)
    assert built.shown_code(html) == ["print(1 / 8)"]
    assert not built.blocks_that_differ(html, page)
    assert not built.visible_markup(html)


FAULTS = {
    "an assert in a second tab": (
        within('=== "One"', "Text.\n") + "\n" + within('=== "Two"', "```python\nassert 1 < 2\n```"),
        ("1 < 2", "1 > 2"),
        ["page.md:7: this failed.", '*page.md", line 8*', "*assert 1 > 2", "AssertionError"],
    ),
    "a silent print": (
        BLOCK + "\n```python\nx = 2\n```\n",
        ("x = 2", "print(2)"),
        ["page.md:9: this prints, but no Output block follows.", "2"],
    ),
    "an output without printing": (
        BLOCK,
        ("print(1 / 8)", "1 / 8"),
        ["page.md:1: this prints nothing, but an Output block follows in line 5."],
    ),
    "an output after no block": (
        BLOCK,
        ("```\n\n```", "```\n\nThis comes between.\n\n```"),
        ["page.md:7: no Python block stands directly before this Output block."],
    ),
    "an exception": (
        BLOCK.replace("print", "x = 1\nprint"),
        ("1 / 8", "1 / 0"),
        ["page.md:1: this failed.", '*page.md", line 3*', "ZeroDivisionError: division by zero"],
    ),
    "a syntax error": (BLOCK, ("1 / 8", "1 /"), ['*page.md", line 2', "SyntaxError*"]),
    "a warning": (
        BLOCK.replace("print", "import warnings\nprint"),
        ("print", 'warnings.warn("old")\nprint'),
        ["UserWarning: old"],
    ),
}


@pytest.mark.parametrize(("page", "change", "report"), FAULTS.values(), ids=FAULTS)
def test_a_fault_in_a_block_is_reported(
    page: str, change: tuple[str, str], report: list[str], run: Run
) -> None:
    """The page passes, and with a fault planted it fails in words that say where and what."""
    run(page).assert_outcomes(passed=page.count("```python"))
    assert change[0] in page
    result = run(page.replace(*change))
    assert result.parseoutcomes()["failed"] >= 1
    result.stdout.fnmatch_lines(report)


PROVED = """\
# Sizes

A quarter is twice an eighth. <!-- holds: quarter / eighth == 2 -->

```python
eighth, quarter = 1 / 8, 1 / 4
print("two")
```

```text title="Output"
two
```

Both are printed. <!-- holds: printed.startswith("two") and eighth < quarter -->

## More

```python
quarter, eighth = 0.25, 8
```

Eight is larger. <!-- holds: quarter < eighth -->
"""


@pytest.mark.parametrize("name", ["page.md", "guides/page.md"])
@pytest.mark.parametrize(
    ("change", "report"),
    [
        (("1 / 4", "1 / 2"), "*page.md, line 3: *: quarter / eighth is 4.0."),
        (
            ('print("two', 'print("three'),
            "*page.md, line 14: * and eighth < quarter does not hold*",
        ),
        (("0.25, 8", "0.25, 0"), "*page.md, line 22: *: quarter is 0.25, eighth is 0."),
    ],
)
def test_what_a_sentence_states_is_proved(
    name: str, change: tuple[str, str], report: str, run: Run
) -> None:
    """It holds beside the blocks of its section; where it does not, both sides are shown."""
    run(PROVED, name=name).assert_outcomes(passed=2)
    assert change[0] in PROVED
    result = run(PROVED.replace(*change), name=name)
    assert result.parseoutcomes()["failed"] >= 1
    result.stdout.fnmatch_lines([report])


def test_a_reader_sees_no_proof() -> None:
    """It is taken out with the space before it; the sentence stays."""
    assert without_markings(PROVED).count("<!--") == 0
    assert "twice an eighth.\n\n```python" in without_markings(PROVED)


def test_a_changed_library_is_caught(run: Run, pytester: pytest.Pytester) -> None:
    """A page fails when the function that it calls begins to return something else."""
    path = f"import sys\n\nsys.path.insert(0, {str(pytester.path)!r})"
    page = BLOCK.replace("print(1 / 8)", f"{path}\nfrom planted import f\n\nprint(f())")
    pytester.makepyfile(planted="def f(): return 0.125")
    run(page).assert_outcomes(passed=1)
    pytester.makepyfile(planted="def f(): return 0.1250001")
    run(page).assert_outcomes(failed=1)


def test_a_wrong_docstring_output_is_caught(pytester: pytest.Pytester) -> None:
    """The examples of docstrings are doctest's, and no other plugin's."""
    options = ("-p", "executed.plugin", "--markdown-docs", "--doctest-modules")
    pytester.makepyfile(right='"""\n>>> 1 + 1\n2\n"""', wrong='"""\n>>> 1 + 1\n3\n"""')
    pytester.runpytest_inprocess(*options).assert_outcomes(passed=1, failed=1)


def test_a_block_runs_once_whatever_it_raises(run: Run, pytester: pytest.Pytester) -> None:
    """A TypeError is reported and does not make the block run again."""
    count = f"""
        ```python
        with open({str(pytester.path / "runs")!r}, "a") as runs:
            runs.write("x")
        1 + "1"
        ```
    """
    result = run(dedent(count))
    result.stdout.fnmatch_lines(["TypeError: *"])
    assert (pytester.path / "runs").read_text() == "x"


def test_a_page_is_one_program(run: Run) -> None:
    """A block sees the names of those before it, also when it is tested alone."""
    page = "```python\nx = 0.125\n```\n\n" + BLOCK.replace("1 / 8", "x")
    run(page).assert_outcomes(passed=2)
    run(page, "-k", "line:5").assert_outcomes(passed=1, deselected=1)
    result = run(page.replace("x = 0.125", "x = y"))
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["page.md:5: not run, since a block before it raised."])


def test_a_block_of_a_guide_runs_alone(run: Run, pytester: pytest.Pytester) -> None:
    """It has what it defines itself, and neither names nor failures of the blocks before it."""
    page = "```python\nx = 0.125\n```\n\n" + BLOCK.replace("print(1 / 8)", "x = 1 / 8\nprint(x)")
    run(page, name="guides/page.md").assert_outcomes(passed=2)
    run(page.replace("x = 0.125", "y"), name="guides/page.md").assert_outcomes(passed=1, failed=1)
    leaning = page.replace("x = 1 / 8\n", "")
    run(leaning).assert_outcomes(passed=2)
    result = run(leaning, name="guides/page.md")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["NameError: name 'x' is not defined"])
    run(leaning, "--update-outputs", name="guides/page.md").assert_outcomes(passed=1, failed=1)
    assert (pytester.path / "guides" / "page.md").read_text("utf-8") == leaning


SCRIPT = """\
```python
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def eighth(x):
    return x / 8


if __name__ == "__main__":
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        print(*pool.map(eighth, [1]))
```

```text title="Output"
0.125
```
"""


def test_a_script_of_a_guide_runs_as_a_file(run: Run) -> None:
    """The processes that it starts find its functions; what fails there is shown, with its line."""
    run(SCRIPT, name="guides/page.md").assert_outcomes(passed=1)
    for change, report in [
        (("0.125", "0.126"), ["+0.125"]),
        (("x / 8", "x / 0"), ['*block.py", line 7,*', "ZeroDivisionError: *"]),
    ]:
        result = run(SCRIPT.replace(*change), name="guides/page.md")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(report)


TESTS = """\
```python
def test_an_eighth():
    assert 1 / 8 == 0.125
```

```text title="Output"
1 passed
```
"""


def test_the_tests_of_a_guide_are_run(run: Run) -> None:
    """Pytest runs them, and its count is compared; what fails is shown, with its line."""
    run(TESTS, name="guides/page.md").assert_outcomes(passed=1)
    for change, report in [
        (("1 passed", "2 passed"), ["+1 passed"]),
        (("== 0.125", "== 0.126"), ["block.py:3: AssertionError"]),
    ]:
        result = run(TESTS.replace(*change), name="guides/page.md")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(report)


REQUIRING = "---\nrequires: [numpy, no-such-package]\n---\n\n" + BLOCK


def test_a_page_that_lacks_a_package_is_skipped(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason names the group to install; in CI, where nothing may lack, the run fails."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setitem(GROUPS, "planted", ["no-such-package>=1"])
    run(REQUIRING.replace(", no-such-package", "")).assert_outcomes(passed=1)
    result = run(REQUIRING, "-rs", "-p", "conftest")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*page.md needs no-such-package: install the group frameworks."])
    assert result.ret == pytest.ExitCode.OK
    monkeypatch.setenv("CI", "true")
    assert run(REQUIRING, "-p", "conftest").ret == pytest.ExitCode.TESTS_FAILED


def test_a_slip_in_what_a_page_requires_is_no_reason_to_skip_it(run: Run) -> None:
    """What no group installs, nobody will ever have."""
    result = run(REQUIRING)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["page.md: requires: no group installs no-such-package."])


def test_the_site_is_built_without_such_packages() -> None:
    """A page that requires any has no figures, which would be drawn when it is built."""
    pages = {path: path.read_text("utf-8") for path in DOCS.rglob("*.md")}
    requiring = {path for path, page in pages.items() if page.startswith("---\nrequires:")}
    drawing = {path for path, page in pages.items() if "](figure:" in page}
    assert requiring
    assert drawing
    assert not requiring & drawing


@pytest.mark.parametrize(
    "page",
    [
        BLOCK.replace("python", "python continuation"),
        BLOCK.replace("python", "Python"),
        indent(BLOCK, "> "),
        indent(BLOCK, "    "),
        f"- {BLOCK}",
    ],
    ids=["no info string of superfences", "another name", "quote", "indented", "list mark"],
)
def test_a_fence_that_does_not_run_or_render_is_caught(page: str) -> None:
    """A block that runs unseen, or is seen and does not run, is reported."""
    html = render(page)
    assert built.blocks_that_differ(html, page) or built.visible_markup(html)


def test_an_example_that_doctest_does_not_run_is_caught() -> None:
    """Examples with prompts are shown only where doctest runs them."""
    html = render("```pycon\n>>> 1 + 1\n2\n```\n")
    assert not built.examples_that_differ(html, [("1 + 1", "2")])
    assert built.examples_that_differ(html, [("1 + 1", "3")])


@pytest.mark.parametrize("markup", ["!!! note", "::: x", "It costs $5 or $ 6.", '=== "One"', "~~~"])
def test_visible_markup_is_caught(markup: str) -> None:
    """Markup that a reader would see is reported; in code it may stand."""
    assert built.visible_markup(f"<p>{markup}</p>")
    assert not built.visible_markup(f"<p>Text.</p><pre>{markup}</pre>")


def test_formulas_are_typeset() -> None:
    """Formulas become MathML and HTML, in notes too; dollars in code stay dollars."""
    html = render("!!! note\n    $x_1 * 2 * 3$ and $$\\frac{1}{2}$$ but `$x$` and \\$5.\n")
    assert html.count("<math") == 2
    assert "<code>$x$</code> and $5" in html
    assert not built.visible_markup(html.replace("$5", ""))


def test_a_block_in_a_paragraph_is_caught() -> None:
    """It runs, but without an empty line before it, it is a part of the text."""
    assert built.blocks_in_paragraphs(render(f"Text.\n{BLOCK}"))
    assert not built.blocks_in_paragraphs(render(f"Text.\n\n{BLOCK}"))


def test_prose_that_is_indented_too_far_is_caught() -> None:
    """In a note it belongs there; behind the note it is shown as code."""
    page = within("!!! note", BLOCK) + "\n    Text.\n"
    assert not built.prose_shown_as_code(render(page), page)
    page = f"{BLOCK}\n    Text.\n"
    assert built.prose_shown_as_code(render(page), page) == ["Text."]


@pytest.mark.parametrize("tex", [r"\frac{1", r"\unknown{x}", r"x_1_2", "é"])
def test_wrong_latex_fails_the_build(tex: str) -> None:
    """The error shows the formula, and what KaTeX says of it."""
    with pytest.raises(ValueError, match="KaTeX cannot typeset") as raised:
        render(f"Text ${tex}$.")
    assert tex in str(raised.value)
    assert "KaTeX parse error" in str(raised.value)


FIGURE = """\
```python
import matplotlib.pyplot as plt

drawing, axes = plt.subplots()
axes.plot([1, 2], [1, 2], label="a line")
axes.plot([2, 1], color="gray")
axes.legend()
print("drawn")
```

```text title="Output"
drawn
```

![Two lines that cross.](figure:drawing)
"""


def test_a_figure_is_drawn_inline() -> None:
    """The same SVG at every build: text as text, own ids, the colours of the scheme."""
    html = render(FIGURE)
    assert html == render(FIGURE)
    assert '<svg role="img" aria-label="Two lines that cross."' in html
    assert ">a line</text>" in html
    svg = html[html.index("<svg") :]
    assert svg.count(' id="') == svg.count(' id="drawing-')
    assert not any(alien in svg for alien in ("<?xml", "<style", "<metadata", "#0060a8", "DejaVu"))
    assert not built.images_without_words(html)


def test_a_colour_that_ignores_the_scheme_is_caught() -> None:
    """Red is red on any ground; the colours of the style are not."""
    assert not built.fixed_colours(render(FIGURE))
    assert built.fixed_colours(render(FIGURE.replace("gray", "red"))) == ["#ff0000"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("figure:drawing", "figure:unknown"), "figure:unknown: the page leaves no Matplotlib"),
        (("figure:drawing", "figure:axes"), "figure:axes: the page leaves no Matplotlib figure"),
        (("Two lines that cross.", " "), "figure:drawing: say what it shows"),
        (
            ("[1, 2], [1, 2]", "[1, 2], [1]"),
            "page:1: this failed.\nTraceback*line 5, in*ValueError",
        ),
        (("plt.subplots", "plt.subplot_"), "figure:drawing is drawn when the blocks of the page"),
        (("\n![", "\n![Twice.](figure:drawing)\n!["), "figure:drawing is shown twice"),
        (("drawn\n```", "drawm\n```"), "page:1: this prints something else*\n-drawm\n+drawn\n"),
        (('print("drawn")', ""), "page:1: this prints nothing, but an Output block follows"),
        (("\n![", "\n<!-- hold: 1 -->\n!["), "page, line 15: <!-- hold: 1 --> marks nothing"),
    ],
)
def test_what_is_wrong_with_a_page_is_shown_on_it_when_it_is_built(
    change: tuple[str, str], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A figure or a block that is wrong: it is said as by the tests, in the place of what it is."""
    assert "wrong" not in render(FIGURE)
    assert change[0] in FIGURE
    shown = BeautifulSoup(render(FIGURE.replace(*change)), "html.parser").select(".wrong")
    for said in ([one.get_text() for one in shown], caplog.messages):
        assert any(fnmatch(one, f"*{message}*") for one in said)


@pytest.mark.parametrize("place", ["tab", "note", "details"])
def test_what_is_wrong_with_a_block_stands_where_the_block_does(place: str) -> None:
    """In the tab or the note that holds the block, behind its Output."""
    page = f"{FIGURE}\n{PLACES[place]}".replace("0.125", "0.126")
    (wrong,) = BeautifulSoup(render(page), "html.parser").select(".wrong")
    assert wrong.find_parent(class_=["tabbed-block", "admonition", "note", "question"])
    assert wrong.find_all_previous("code")[0].get_text() == "0.126\n"


@in_ci
def test_a_strict_build_stops_at_an_output_that_differs(tmp_path: Path) -> None:
    """It says so in the words of the tests, with the line of the file, not of what is built."""
    page = f"---\ntitle: P\n---\n\n# P <!-- holds: True -->\n\n{FIGURE}"
    build(planted(tmp_path, index="# Home", page=page), tmp_path / "sound")
    faulty = page.replace("drawn\n```", "drawm\n```")
    with pytest.raises(pytest.fail.Exception) as failed:
        build(planted(tmp_path, index="# Home", page=faulty), tmp_path / "faulty")
    assert "page.md:7: this prints something else than expected." in str(failed.value)
    assert "-drawm\n+drawn" in str(failed.value)


@pytest.mark.parametrize(
    "image", ['<img src="a.png">', '<img src="a.png" alt="">', "<svg role=img>"]
)
def test_an_image_without_words_is_caught(image: str) -> None:
    """Each image says what it shows."""
    assert built.images_without_words(image)
    assert not built.images_without_words('<img src="a.png" alt="A line."><svg></svg>')


def test_a_resource_of_another_host_is_caught(tmp_path: Path) -> None:
    """Links may lead to other hosts; images, scripts and style sheets may not come from there."""
    page, sheet = tmp_path / "page.html", tmp_path / "a.css"
    page.write_text(
        '<a href="https://example.org">x</a><img src="a.png"><img src="data:,x">'
        "<script>f('a.js', 1 //2\n)</script>"
    )
    sheet.write_text("a { background: url(b.png) }")
    assert not built.foreign_resources(tmp_path)
    page.write_text(
        '<img src="https://example.org/a.png"><script src="//example.org/b"></script>'
        "<script>s.src = 'https://example.org/c.js'</script>"
    )
    sheet.write_text('@import "https://example.org/a.css"; a { background: url(//example.org/b) }')
    assert len(built.foreign_resources(tmp_path)) == 5


def test_a_link_that_leads_nowhere_is_caught(tmp_path: Path) -> None:
    """A file and an anchor in it must be there; a folder is no page when read from disk."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "b.html").write_text('<p id="here">')
    page = tmp_path / "a.html"
    page.write_text('<a href="b.html#here"></a><a href="#"></a><a href="https://x.org"></a>')
    assert not built.broken_links(tmp_path)
    dead = ["b.html#gone", "c.html", "#gone", "folder", "/b.html"]
    page.write_text("".join(f'<a href="{target}"></a>' for target in dead))
    assert len(built.broken_links(tmp_path)) == len(dead)


@in_ci
def test_a_strict_build_catches_what_leads_nowhere(tmp_path: Path) -> None:
    """With the project's own settings, dead links, anchors, images and lost pages stop a build."""
    sound = "# Home\n\n[A page](page.md#part)\n"
    build(planted(tmp_path, index=sound, page="# Page\n\n## Part\n"), tmp_path / "sound")
    faulty = sound.replace("part", "gone") + "\n[x](lost.md) ![x](lost.png) [x](/page.md)\n"
    with pytest.raises(pytest.fail.Exception) as failed:
        build(planted(tmp_path, index=faulty, page="# P", orphan="# O"), tmp_path / "faulty")
    for fault in ("page.md#gone", "lost.md", "lost.png", "/page.md", "orphan.md"):
        assert fault in str(failed.value)


QUOTED = """\
# A page

{}

```python
print(f"{{1.19e-07:.2e}} of {{1_000}}", 1e-4)  # W2 of 47
```

```text title="Output"
1.19e-07 of 1000 0.0001
```
"""


@pytest.mark.parametrize(
    "prose",
    [
        "W2, float64, the two; Python 3.11+, (Ridders, 1982), Moré and Wild (2011).",
        "[Link](page-9.md#part-9) <https://x.org/9> <i class='9'> [^9]\n\n1. one\n1. or",
        "Formulas have whole numbers: $x^2 + 3 \\cdot y$ and $$\\frac{1}{6}$$.",
    ],
)
def test_what_is_no_number_passes(prose: str) -> None:
    """Digits that are no numbers, and names that stand in blocks, may stand in prose."""
    page = QUOTED.format(prose)
    assert not unquoted_numbers(page, "page.md")
    assert not unquoted_numbers(f"---\nsearch:\n  boost: 1.5\n---\n\n{page}", "page.md")


@pytest.mark.parametrize(
    ("prose", "number"),
    [
        ("About 1.2e-07.", "1.2e-07"),
        ("A `value` of `x=0.3`", "0.3"),
        ("48% or 49x", "48"),
        ("| 2,000 |", "2,000"),
        ("![At 0.5.](figure:f)", "0.5"),
        ("Near $\\varepsilon = 0.25$", "0.25"),
        ("Near $10^{-5}$", "1e-5"),
        ("Near $3 \\cdot 10^{-5}$", "3e-5"),
        ("Over\n\ntwo lines (1, 2) 1982.", "1982"),
        ("---\n0.7\n---", "0.7"),
    ],
)
def test_a_number_that_no_block_gives_is_caught(prose: str, number: str) -> None:
    """A number in a sentence, in code, in a table, in a formula or in an image's words."""
    line = 3 + prose.partition(number)[0].count("\n")
    problems = unquoted_numbers(QUOTED.format(prose), "page.md")
    assert any(problem.startswith(f"page.md:{line}: {number} ") for problem in problems)


def render(page: str) -> str:
    """Return the HTML of a page, with the Markdown extensions of the site."""
    extensions, configs = extensions_of_the_site()
    return str(Markdown(extensions=extensions, extension_configs=configs).convert(page))


@cache
def extensions_of_the_site() -> tuple[list[str], dict[str, dict[str, object]]]:
    """Return the Markdown extensions that mkdocs.yml lists, and their settings."""
    configuration = load_config(str(ROOT / "mkdocs.yml"))
    return configuration["markdown_extensions"], configuration["mdx_configs"]
