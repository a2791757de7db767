"""What runs blocks in the reader's browser, and what is sent there: tried by this Python, too."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from markdown import markdown
from matplotlib.figure import Figure

from executed import runtime
from executed.figures import Figures
from executed.kernel import Program
from executed.page import blocks, is_guide
from executed.runnable import aside, lacks
from executed.runtime import ENGINE, FOLDER, megabytes, released, renew, sums_of
from support.checkout import DOCS, ROOT


@pytest.fixture
def program() -> Program:
    """Return a program that no block has run in."""
    return Program()


def test_blocks_go_on_where_the_one_above_ended(program: Program) -> None:
    """Names stay, and what is printed is that of a terminal: errors' stream, rewritten lines."""
    program.run("x = 3", "block 1")
    code = "import sys\nprint(x)\nprint('warned', file=sys.stderr)\nprint('10 %\\r20 %')"
    assert program.run(code, "block 2") == {
        "printed": "3\nwarned\n20 %\n",
        "html": "",
        "line": None,
    }
    assert "NameError" in Program().run("x", "block 1")["printed"]


ERROR = """\
import numpy as np
from backproof import check_gradient

def cost(w):
    return np.sum(np.apply_along_axis(lambda row: row * unknown, 0, w))

check_gradient(cost, lambda w: 2 * w, np.ones(3))
"""
SHOWN = """\
Traceback (most recent call last):
  File "block 2", line 7, in <module>
    check_gradient(cost, lambda w: 2 * w, np.ones(3))
"""


def test_an_error_shows_lines_of_blocks_alone(program: Program) -> None:
    """Not those of the library, of NumPy, or of what runs the block."""
    outcome = program.run(ERROR, "block 2")
    assert outcome["line"] == 5
    assert outcome["printed"].startswith(SHOWN)
    assert outcome["printed"].endswith("NameError: name 'unknown' is not defined\n")
    lines = [line for line in outcome["printed"].splitlines() if line.startswith("  File")]
    assert lines
    assert all(line.startswith('  File "block 2"') for line in lines)


def test_the_line_of_an_error_is_that_of_its_own_block(program: Program) -> None:
    """A function of a block above may raise it, and what is no Python has a line, too."""
    program.run("def halved(x):\n    return 1 / x", "block 1")
    outcome = program.run("\n\nhalved(0)", "block 2")
    assert outcome["line"] == 3
    assert 'File "block 1", line 2' in outcome["printed"]
    assert program.run("x = 1\nx = = 2", "block 3")["line"] == 2
    assert program.run("raise SystemExit", "block 4")["line"] == 1


def test_a_report_at_the_end_is_shown_as_in_a_notebook(program: Program) -> None:
    """As HTML; a report that is printed, or another value, is not."""
    code = "import numpy as np\nfrom backproof import check_gradient\n"
    code += "report = check_gradient(np.sum, np.ones_like, np.ones(3))\n"
    assert program.run(f"{code}report", "block 1")["html"].startswith("<")
    assert program.run(f"{code}print(report)", "block 2")["html"] == ""
    assert program.run("np.ones(3)", "block 3") == {"printed": "", "html": "", "line": None}


DRAWN = """\
```python
import matplotlib.pyplot as plt

picture, axes = plt.subplots()
axes.plot([1, 2, 3], label="line")
axes.legend()
```

![A line.](figure:picture)
"""


def test_a_figure_is_drawn_as_the_build_draws_it(program: Program) -> None:
    """In the style of the site, and only those that the page shows."""
    (block,) = blocks(DRAWN)
    program.run(block.text, "block 1")
    drawn = program.drawn(["picture", "axes", "unknown"])
    assert list(drawn) == ["picture"]
    built = markdown(DRAWN, extensions=["fenced_code", Figures()])
    assert drawn["picture"].removeprefix("<svg") in built
    assert isinstance(program.variables["picture"], Figure)


# Which blocks run there


RUNS = "import numpy as np\nfrom backproof.plots import v_curve"


@pytest.mark.parametrize(
    ("codes", "alone", "together"),
    [
        ([RUNS, RUNS], ["", ""], ["", ""]),
        (["import torch", RUNS], ["torch", ""], ["torch", "a block above"]),
        (
            [RUNS, "def f():\n    from subprocess import run"],
            ["", "subprocess"],
            ["", "subprocess"],
        ),
        (["import jax\nimport scipy.optimize"], ["jax and scipy"], ["jax and scipy"]),
        (["def test_it():\n    pass"], ["pytest"], [""]),
    ],
)
def test_a_block_says_what_it_lacks(
    codes: list[str], alone: list[str], together: list[str]
) -> None:
    """A module, processes, or pytest; what follows it in a program lacks it, too."""
    page = blocks("\n\n".join(f"```python\n{code}\n```" for code in codes))
    assert list(lacks(page, are_alone=True)) == alone
    assert list(lacks(page, are_alone=False)) == together


CURVE = """\
import matplotlib.pyplot as plt
import numpy as np

steps = np.logspace(-3, 0)
curve, axes = plt.subplots()
axes.plot([k for k in steps])
"""


@pytest.mark.parametrize(
    ("below", "names"),
    [
        ("print(1)", ["axes", "curve", "np", "plt", "steps"]),
        ("steps = [1]\nprint(steps, [k for k in steps])", ["axes", "curve", "np", "plt"]),
        ("for steps in range(3):\n    print(steps)", ["axes", "curve", "np", "plt"]),
        ("def f(x):\n    return x + steps", None),
        ("print(steps)\nsteps = 1", None),
        ("axes.set(xlabel='step')", None),
    ],
)
def test_a_picture_that_nothing_below_uses_is_put_aside(
    below: str, names: list[str] | None
) -> None:
    """Not a block that draws nothing, and no picture whose names are read below."""
    page = blocks("\n\n".join(f"```python\n{code}\n```" for code in ("x = 3", CURVE, below)))
    assert list(aside(page, False)) == [None, names, None]
    assert list(aside(page, True)) == [None, None, None]


def aside_on(path: Path) -> list[list[str] | None]:
    """Return what is put aside on a page."""
    return list(aside(blocks(path.read_text("utf-8")), is_guide(str(path))))


PICTURED = [
    path
    for path in sorted(DOCS.rglob("*.md"))
    if any(names is not None for names in aside_on(path))
]


@pytest.mark.parametrize("path", PICTURED, ids=lambda path: path.stem)
def test_blocks_print_the_same_without_the_pictures(path: Path, program: Program) -> None:
    """Those that are put aside, which may have drawn random numbers or changed an array."""
    some = blocks(path.read_text("utf-8"))
    for block, names, lacking in zip(some, aside_on(path), lacks(some, False), strict=True):
        if names is None and not lacking:
            printed = program.run(block.text, "block 1")["printed"]
            if block.output:
                assert printed.split() == block.output.text.split(), block.text


# The runtime


def test_the_runtime_is_what_was_released() -> None:
    """Its files have their sums, the packages those of the release's own list; none is missing."""
    sums = sums_of(FOLDER)
    for name, expected in sums.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == expected, name
    listed = {one["file_name"]: one["sha256"] for one in released()["packages"].values()}
    assert {name: listed[name] for name in sums if name.endswith(".whl")}.items() <= sums.items()
    ours = {"SHA256SUMS", "ABOUT.txt", "LICENSE.MPL-2.0", "LICENSE.PSF", "worker.js"}
    assert {path.name for path in FOLDER.iterdir()} == {*sums, *ours}


def test_it_is_renewed_from_any_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a folder or an archive; a file that is not the one that was released changes nothing."""
    copy, folder = tmp_path / "copy" / "deep", tmp_path / "python"
    copy.mkdir(parents=True)
    folder.mkdir()
    content = {"a.mjs": b"first", "b.whl": b"second"}
    sums = [f"{hashlib.sha256(some).hexdigest()}  {name}\n" for name, some in content.items()]
    (folder / "SHA256SUMS").write_text("".join(sums))
    for name, some in content.items():
        (copy / name).write_bytes(some)
    monkeypatch.setattr(runtime, "FOLDER", folder)
    archive = Path(shutil.make_archive(str(tmp_path / "all"), "zip", copy.parent))
    for source in (copy.parent, archive.rename(archive.with_suffix(".whl"))):
        renew(source)
        assert {name: (folder / name).read_bytes() for name in content} == content
        for name in content:
            (folder / name).unlink()
    (copy / "b.whl").write_bytes(b"another")
    with pytest.raises(SystemExit, match=r"b\.whl: there is none with the sum"):
        renew(copy)
    assert [path.name for path in folder.iterdir()] == ["SHA256SUMS"]


def test_the_site_has_what_the_browser_loads(site: Path) -> None:
    """The library as its wheel has it, what runs blocks, and a list with their sums."""
    folder = site / "assets" / "python"
    packages = json.loads((folder / "pyodide-lock.json").read_text("utf-8"))["packages"]
    for one in packages.values():
        assert hashlib.sha256((folder / one["file_name"]).read_bytes()).hexdigest() == one["sha256"]
    with ZipFile(folder / packages["backproof"]["file_name"]) as wheel:
        for path in (ROOT / "src" / "backproof").glob("*.py"):
            assert wheel.read(f"backproof/{path.name}") == path.read_bytes()
    with ZipFile(folder / "executed.zip") as engine:
        assert engine.namelist() == [f"executed/{name}.py" for name in ENGINE]
    assert {path.suffix for path in folder.iterdir()} >= {".whl", ".wasm", ".mjs", ".zip"}


def test_what_runs_blocks_needs_nothing_that_the_browser_lacks(site: Path) -> None:
    """It imports what is sent with it, NumPy and Matplotlib, and the standard library."""
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(site / 'assets' / 'python' / 'executed.zip')!r})\n"
        "import executed.kernel\n"
        "assert not {'numpy', 'matplotlib'} & sys.modules.keys()\n"
        "import executed.drawing\n"
        "assert 'executed.zip' in executed.drawing.__file__\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    command = [sys.executable, "-S", "-c", code]
    path = str(Path(np.__file__).parents[1])
    done = subprocess.run(
        command, env={"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
    loaded = set(done.stdout.split())
    assert not loaded & {"mkdocs", "markdown", "backproof", "pytest"}


def test_a_figure_to_move_is_redrawn_without_matplotlib() -> None:
    """Its data are numbers, and where no block draws, nothing that draws is loaded."""
    code = (
        "from executed.kernel import Program\n"
        "program = Program()\n"
        "program.run('import numpy as np\\nmoved = {\"x\": [np.float32(0.1), 2]}', 'block 1')\n"
        "print(program.drawn(['moved', 'other']))\n"
    )
    command = [sys.executable, "-c", f"import sys\nsys.modules['matplotlib'] = None\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "{'moved': '{\"x\": [0.1, 2]}'}\n", done.stderr


def test_the_button_says_what_is_loaded() -> None:
    """Python with NumPy, and with Matplotlib, in millions of bytes."""
    files = [FOLDER / name for name in ("python_stdlib.zip", "pyodide.asm.wasm")]
    assert sum(path.stat().st_size for path in files) / 1e6 > megabytes("numpy") > 5
    assert megabytes("matplotlib") > megabytes("numpy") + 5
