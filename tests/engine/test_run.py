"""How a page runs: what it may show as code, in which world that runs, and how it is updated."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from textwrap import indent

import pytest
from mkdocs.config import load_config

import backproof
from executed import plugin
from executed.fences import unknown_in
from executed.plugin import tokens
from executed.texts import CHECKS
from executed.trials import trials
from support.checkout import BLOCK, DOCS, ROOT, Run, in_ci


def block(code: str, output: str = "") -> str:
    """Return a Python block, and its Output if it has one."""
    shown = f'\n```text title="Output"\n{output}\n```\n' if output else ""
    return f"```python\n{code}\n```\n{shown}"


# The world of a page


PLANTED = str(ROOT / "planted.txt")
FAULTS = {
    "os._exit": (
        "import os\n\nos._exit(0)",
        "*: here the process of the page ended, with exit status 0.",
    ),
    "crash": ("import ctypes\n\nctypes.string_at(0)", "*SIGSEGV*"),
    "end": ("import sys\n\nsys.exit(0)", "SystemExit: 0"),
    "endless": ("while True:\n    pass", "*or took longer than 1 seconds."),
    "endless in a process": (
        "import subprocess, sys\n\nsubprocess.run([sys.executable, '-c', 'while True: pass'])",
        "*or took longer than 1 seconds.",
    ),
    "network": (
        "import socket\n\nsocket.create_connection(('192.0.2.1', 80))",
        "*another machine*",
    ),
    "name": ("import socket\n\nsocket.getaddrinfo('example.org', 80)", "*another machine*"),
    "name like an address": (
        "import socket\n\nsocket.gethostbyname('127.0.0.1.example.org')",
        "*another machine*",
    ),
    "program": ("import subprocess\n\nsubprocess.run(['echo', 'x'])", "*program but*"),
    "shell": ("import os\n\nos.system('echo x')", "*program but*"),
    "write": (f"open({PLANTED!r}, 'w')", "*into the checkout*"),
    "remove": (f"import os\n\nos.remove({str(ROOT / 'README.md')!r})", "*into the checkout*"),
    "open a folder": (
        f"import os\n\nos.open({str(ROOT / 'docs')!r}, os.O_RDONLY)",
        "*into the checkout*",
    ),
    "write in a Python that it starts": (
        "import subprocess, sys\n\n"
        f"code = {f'open({PLANTED!r}, chr(119))'!r}\n"
        "subprocess.run([sys.executable, '-c', code], check=True)",
        "subprocess.CalledProcessError: *",
    ),
}


@pytest.mark.parametrize("name", ["page.md", "guides/page.md"])
@pytest.mark.parametrize(("code", "report"), FAULTS.values(), ids=FAULTS)
def test_what_a_block_may_not_do_fails_and_names_it(
    code: str, report: str, name: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block before it passes; one behind it does not run, but in a guide it does."""
    seconds = 1 if "while" in code else 30
    monkeypatch.setattr(plugin, "trials", partial(trials, seconds=seconds))
    result = run(BLOCK + "\n" + block(code) + "\n" + BLOCK, name=name)
    failed = 1 if name.startswith("guides") else 2
    result.assert_outcomes(passed=3 - failed, failed=failed)
    result.stdout.fnmatch_lines([f"{name}:9: *"])
    result.stdout.fnmatch_lines([report])
    assert not Path(PLANTED).exists()


def test_what_a_block_may_do_passes(run: Run, pytester: pytest.Pytester) -> None:
    """It finds an empty folder, writes there, reads the checkout, and talks to itself."""
    code = f"""\
import os
import socket
from pathlib import Path

assert not os.listdir() and Path({str(ROOT / "README.md")!r}).read_text()
Path("own.txt").write_text("x")
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()"""
    run(block(code)).assert_outcomes(passed=1)
    assert sorted(path.name for path in pytester.path.iterdir()) == ["page.md"]


@pytest.mark.parametrize("name", ["page.md", "guides/page.md"])
def test_a_file_that_a_page_names_lies_in_its_folder(name: str, run: Run) -> None:
    """It is a copy, at the path that it has in the checkout."""
    code = "from pathlib import Path\n\nPath('docs/index.md').write_text('2')"
    text = (DOCS / "index.md").read_text("utf-8")
    run(f"---\nreads: [docs/index.md]\n---\n\n{block(code)}", name=name).assert_outcomes(passed=1)
    assert (DOCS / "index.md").read_text("utf-8") == text
    run(block(code), name=name).assert_outcomes(failed=1)


def test_a_page_leaves_nothing_to_the_next(run: Run, pytester: pytest.Pytester) -> None:
    """What it sets in a module is gone; within a page it stays."""
    setting = "import json\n\nassert not hasattr(json, 'planted')\njson.planted = 1"
    (pytester.path / "after.md").write_text(block(setting))
    run(block(setting), "after.md").assert_outcomes(passed=2)
    run(block(setting) + "\n" + block(setting)).assert_outcomes(passed=1, failed=1)
    guide = block(setting) + "\n" + block(setting)
    run(guide, name="guides/page.md").assert_outcomes(passed=2)


def test_what_a_test_has_set_no_page_sees(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages run in copies of a process that has collected no test; nor has it their threads."""
    monkeypatch.setattr("json.planted", 1, raising=False)
    assert hasattr(json, "planted")
    run(block("import json\n\nassert not hasattr(json, 'planted')")).assert_outcomes(passed=1)


ASKING = """
import warnings

from executed.server import elsewhere

def warned(number):
    warnings.warn(str(number), stacklevel=1)
    return number

for number, action in enumerate(("ignore", "error", "ignore")):
    warnings.simplefilter(action)
    try:
        print(elsewhere(warned, number))
    except UserWarning as error:
        print("raised", error)
"""


def test_a_copy_does_work_under_the_same_warnings_and_raises_what_that_raises() -> None:
    """It answers as often as it is asked, and goes on after an error."""
    command = [sys.executable, "-c", ASKING]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "0\nraised 1\n2\n"


def test_a_copy_ends_with_the_process_that_made_it() -> None:
    """Also where that one is killed."""
    code = (
        "import os; from executed.server import elsewhere; "
        "print(elsewhere(os.getpid), flush=True); os.abort()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == -signal.SIGABRT
    ended = time.monotonic() + 10
    while is_running(int(done.stdout)):
        assert time.monotonic() < ended
        time.sleep(0.01)


def is_running(process: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_pages_run_without_processes_where_there_are_none(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows cannot copy a process."""
    monkeypatch.delattr("os.fork")
    for name in ("page.md", "guides/page.md"):
        run(BLOCK, name=name).assert_outcomes(passed=1)
        run(BLOCK.replace("0.125", "0.126"), name=name).assert_outcomes(failed=1)


@in_ci
def test_the_order_of_a_set_is_no_output(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers have other hashes: what one run of Python records, another one reports."""
    texts = ("print(*{*'abcdefgh'})", "print(*sorted({*'abcdefgh'}))")
    path = pytester.path / "page.md"
    path.write_text("\n\n".join(block(code, "none") for code in texts), "utf-8")
    options = ("-p", "executed.plugin", "-p", "no:cacheprovider", "--markdown-docs", "page.md")
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    pytester.runpytest_subprocess(*options, "--update-outputs").assert_outcomes(passed=2)
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=2)
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=1, failed=1)


# What is printed


@pytest.mark.parametrize(
    "code",
    [
        "import sys\n\nprint('first')\nprint('second', file=sys.stderr)",
        "import subprocess, sys\n\nprint('first')\n"
        "subprocess.run([sys.executable, '-c', 'print(\"second\")'])",
        "import warnings\n\nwarnings.simplefilter('always')\nprint('first')\n"
        "warnings.formatwarning = lambda *_: 'second\\n'\nwarnings.warn('x')",
        "import os\n\nprint('first')\nos.write(2, b'second\\n')",
        "print('10 %', end='\\rfirst\\r\\n')\nprint('second')",
    ],
    ids=["stderr", "subprocess", "warning", "descriptor", "carriage return"],
)
def test_all_that_is_written_is_output(code: str, run: Run, pytester: pytest.Pytester) -> None:
    """It is compared in the order of a terminal, and updated for good."""
    run(block(code, "first\nsecond")).assert_outcomes(passed=1)
    run(block(code, "first")).assert_outcomes(failed=1)
    run(block(code, "first"), "--update-outputs").assert_outcomes(passed=1)
    assert (pytester.path / "page.md").read_text() == block(code, "first\nsecond")


@pytest.mark.parametrize(
    "code",
    [
        "from threading import Thread\n\nthread = Thread(target=lambda: 1 / 0)\n"
        "thread.start()\nthread.join()",
        "class C:\n    def __del__(self):\n        raise ValueError\n\n\nC()",
        "import logging\n\nlogging.getLogger('a').warning('x')",
    ],
    ids=["thread", "finalizer", "log"],
)
def test_an_error_that_stops_nothing_is_output(code: str, run: Run) -> None:
    """A terminal shows it, so that a page without it would say less."""
    result = run(block(code))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*this prints, but no Output block follows."])


def test_a_progress_bar_and_logs_of_ours_are_no_output(run: Run) -> None:
    """They tell of time; a page that asks for logs shows them."""
    bar = "import logging\n\nfrom tqdm import tqdm\n\nassert list(tqdm([1]))\n"
    bar += "logging.getLogger('backproof').warning('x')"
    run(block(bar)).assert_outcomes(passed=1)
    run(block(bar.replace("assert", "logging.basicConfig()\nassert"))).assert_outcomes(failed=1)


def test_what_no_page_can_show_is_refused(run: Run) -> None:
    """Colours of a terminal and tabs would be invisible, or other signs."""
    for sign in ("\\x1b[1m", "\\t", "\\0"):
        result = run(block(f"print('a{sign}b')", "ab"))
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*which no page can show*"])


# What may be shown as code


@pytest.mark.parametrize(
    ("page", "line"),
    [
        ("```python2\nx\n```", 1),
        ("```py\nx = 1\n```", 1),
        ('```python hl_lines="1"\nx = 1\n```', 1),
        ("```numpy\nx\n```", 1),
        ("```\nx\n```", 1),
        ("```pytb\nx\n```", 1),
        (BLOCK.replace('text title="Output"', "text title='Output'"), 5),
        (BLOCK.replace('text title="Output"', 'text hl_lines="1" title="Output"'), 5),
        (BLOCK.replace('text title="Output"', 'console title="Output"'), 5),
        (BLOCK.replace("```\n\n```text", "```\n\nText.\n\n```text"), 7),
        ("Text.\n\n    x = 1", 3),
        ('=== "One"\n\n    Text.\n\n        x = 1', 5),
        ("!!! note\n\n    Text.\n\nText.\n\n    x = 1", 7),
        (">     x = 1", 1),
        ("Text.\n\n<pre>x = 1</pre>", 3),
        ("Text <tt>x = 1</tt>.", 1),
        ("Text.\n\n<div class='highlight'><code>x</code></div>", 3),
        ("> ```python\n> x = 1\n> ```", 1),
        ("- ```python\n  x = 1\n  ```", 1),
        ("\t```python\n\tx = 1\n\t```", 1),
        ("```python\nx = 1", 1),
        ("```toml\nx = 1\n```", 1),
        ('```toml title="pyproject.toml"\nx = \n```', 1),
        ('```toml title="pyproject.toml"\n[project]\nname = "a"\n```', 1),
        ('```toml title="pyproject.toml"\n[tool.pytest.ini_options]\nadopts = ["-q"]\n```', 1),
        ("```diff\n-x\n+y\n```", 1),
        ("```bash\npip install backrpoof\n```", 1),
    ],
)
def test_code_that_no_test_knows_is_caught(page: str, line: int, run: Run) -> None:
    """Whatever looks like code, and is neither run nor checked, fails with its line."""
    result = run(page)
    assert result.parseoutcomes()["failed"] >= 1
    result.stdout.fnmatch_lines([f"page.md:{line}: *"])


@pytest.mark.parametrize(
    "page",
    [
        BLOCK,
        '=== "One"\n\n    Text.\n\n' + indent(BLOCK, "    "),
        "-   Item.\n\n    More of it.\n\n    - Inner.\n\n        More of it.",
        "Inline `<pre>`, `` ``` ``, `x`, $a <b$, 1 < 2 and <https://example.org>.",
        '```toml title="pyproject.toml"\n[tool.pytest.ini_options]\naddopts = ["-q"]\n```',
        '```bash\npip install "backproof[plot]"\n```',
    ],
)
def test_code_that_is_tested_passes(page: str, run: Run) -> None:
    """Blocks and text in tabs, notes and lists, and each kind of fence."""
    outcomes = run(page).parseoutcomes()
    assert not outcomes.get("failed")
    assert outcomes.get("passed", 0) == bool(tokens(page))


@pytest.mark.parametrize(
    "command",
    [
        "pip install backrpoof",
        "pip install 'backproof[plots]'",
        "pip install --quite backproof",
        "python -m pytset",
        "python -m pytest --update-output",
        "python tests/proofs/mutant.py",
        "mkdocs serve --strikt",
        "pip instal backproof",
        "cat README.md",
        "CI=true cat README.md",
        "pip install . --group tests",
        "pip install . --group",
        "pytest --group test",
        "python3 -m venv",
        "python3 -m venv --upgrade-deps",
        "python3 -m venv --upgrade-dep .venv",
        "pip install backproof  # and more\npip install backprof",
        "pip install \\\n    --quite backproof",
        "if true",
    ],
)
def test_a_command_of_something_that_does_not_exist_is_caught(command: str) -> None:
    """Packages, extras, modules, options, files, and bash itself."""
    assert list(unknown_in(command))
    right = "python3 -m venv --upgrade-deps .venv && .venv/bin/pip install --quiet '.[plot]'"
    tests = "--group test && CI=true .venv/bin/python -m pytest > README.md"
    assert not list(unknown_in(f"{right} {tests}"))


WRONG = block("x = 2\n\n\ndef f():\n    return x\n\n\nprint(f())", "2")


@pytest.mark.parametrize("name", ["page.md", "guides/page.md"])
def test_a_diff_changes_what_the_block_above_prints(name: str, run: Run) -> None:
    """It runs, and is what a proof below it is about; one of other lines, or to no end, fails."""
    page = WRONG + '\n```diff\n-x = 2\n+x = 3\n```\n\nThree. <!-- holds: printed == "3\\n" -->\n'
    run(page, name=name).assert_outcomes(passed=2)
    for change, report in [
        (("-x = 2", "-x = 4"), "*no block above holds the old lines of this diff once."),
        (("+x = 3", "+x = 2  # two"), "*does not hold*"),
        (("+x = 3", "+x = y"), "NameError: *"),
        (('"3', '"4'), "*does not hold*"),
    ]:
        result = run(page.replace(*change), name=name)
        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines([report])
    result = run(page.replace("+x = 3", "+x = 2  # two").partition("Three")[0], name=name)
    result.stdout.fnmatch_lines(["*the block above prints what it printed before."])


# Code that never runs


IDLE = {
    "function": "def f():\n    return 1",
    "branch": "if 1 > 2:\n    x = 1",
    "else": "if 1 < 2:\n    x = 1\nelse:\n    x = 2",
    "except": "try:\n    x = 1\nexcept ValueError:\n    x = 2",
    "rest": "try:\n    x = 1 / 0\n    x = 2\nexcept ZeroDivisionError:\n    x = 3",
    "method": "class C:\n    def m(self):\n        '''Say.'''\n        return 1",
    "lambda": "f = lambda: 1",
    "expression": "x = 1 if 1 < 2 else 2",
    "function in a function": "def f():\n    def g():\n        return 1\n\n    return 2\n\n\nf()",
    "case": "match 1:\n    case 1:\n        x = 1\n    case _:\n        x = 2",
}


@pytest.mark.parametrize("name", ["page.md", "guides/page.md"])
@pytest.mark.parametrize("code", IDLE.values(), ids=IDLE)
def test_code_that_never_runs_is_caught(code: str, name: str, run: Run) -> None:
    """It fails with its line, and passes where the page says so; that may not be false, either."""
    result = run(block(code), name=name)
    result.assert_outcomes(failed=1)
    quoted = re.search(r"<!-- never runs: .* -->", result.stdout.str())
    assert quoted
    run(f"{block(code)}\n{quoted[0]}\n", name=name).assert_outcomes(passed=1)
    run(f"{block('x = 1')}\n{quoted[0]}\n", name=name).assert_outcomes(failed=1)


def test_code_that_runs_later_passes(run: Run) -> None:
    """A function may be called in a later block of its page, or of a thread."""
    page = (
        block("def f():\n    return 1")
        + "\n"
        + block("from threading import Thread\n\nThread(target=f).start()")
    )
    run(page).assert_outcomes(passed=2)
    run(block("f = lambda x: 1 if x else 2\nf(0), f(1)")).assert_outcomes(passed=1)


# Updating


def test_updating_says_what_it_changes(run: Run, pytester: pytest.Pytester) -> None:
    """It prints the lines that differ; a page that is right is not written."""
    faulty = BLOCK.replace("0.125", "0.126")
    run(faulty, "--update-outputs").stdout.fnmatch_lines(["--- page.md", "-0.126", "+0.125"])
    path = pytester.path / "page.md"
    path.chmod(0o444)
    before = path.stat().st_mtime_ns
    plugins = ("-p", "executed.plugin", "--markdown-docs", "-p", "no:cacheprovider")
    pytester.runpytest_inprocess(*plugins, "--update-outputs", "page.md").assert_outcomes(passed=1)
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("options", [["--collect-only"], ["-k", "nothing"]])
def test_nothing_is_updated_that_is_not_tested(
    options: list[str], run: Run, pytester: pytest.Pytester
) -> None:
    """Neither where tests are only listed, nor where none of the page is selected."""
    faulty = BLOCK.replace("0.125", "0.126")
    run(faulty, "--update-outputs", *options)
    assert (pytester.path / "page.md").read_text() == faulty


def test_line_ends_are_kept(run: Run, pytester: pytest.Pytester) -> None:
    """A page of Windows stays one, in what is inserted and rewritten, too."""
    path = pytester.path / "page.md"
    for faulty in (BLOCK.replace("0.125", "0.126"), block("print(1 / 8)")):
        run(faulty.replace("\n", "\r\n"), "--update-outputs").assert_outcomes(passed=1)
        assert path.read_bytes().decode() == BLOCK.replace("\n", "\r\n")


def test_backticks_in_an_output_get_a_longer_fence(run: Run, pytester: pytest.Pytester) -> None:
    """A second run changes nothing."""
    code = block("print('```\\nx\\n```')")
    run(code, "--update-outputs").assert_outcomes(passed=1)
    page = (pytester.path / "page.md").read_text()
    assert '````text title="Output"\n```\nx\n```\n````' in page
    run(page, "--update-outputs").assert_outcomes(passed=1)
    assert (pytester.path / "page.md").read_text() == page


@pytest.mark.parametrize("fault", ["raise SystemExit", "import os\n\nos._exit(0)", "1 / 0"])
def test_what_stands_behind_a_failing_block_of_a_guide_is_updated(
    fault: str, run: Run, pytester: pytest.Pytester
) -> None:
    """Each is alone; elsewhere what is behind it keeps what it says."""
    faulty = f"{block(fault)}\n{BLOCK.replace('0.125', '0.126')}"
    run(faulty, "--update-outputs", name="guides/page.md").assert_outcomes(passed=1, failed=1)
    assert (pytester.path / "guides" / "page.md").read_text() == f"{block(fault)}\n{BLOCK}"
    run(faulty, "--update-outputs").assert_outcomes(failed=2)
    assert (pytester.path / "page.md").read_text() == faulty


def test_an_output_that_is_never_the_same_does_not_pass(run: Run) -> None:
    """What was written is compared with a second run."""
    page = block("import os\n\nprint(os.urandom(4).hex())", "x")
    run(page, "--update-outputs").assert_outcomes(failed=1)


def test_a_page_that_is_no_text_is_named(run: Run, pytester: pytest.Pytester) -> None:
    """It stops nothing but itself, and is left as it is."""
    (pytester.path / "latin.md").write_bytes("é".encode("latin-1"))
    result = run(BLOCK, "latin.md", "--update-outputs")
    result.stdout.fnmatch_lines(["*ERROR*latin.md*"])
    assert (pytester.path / "latin.md").read_bytes() == b"\xe9"


# The census


@in_ci
def test_what_runs_is_what_is_shown() -> None:
    """As configured, pytest collects each fence, each check of a text, and each docstring."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    collected = set(listed.splitlines())
    pages = [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]
    wanted = {
        f"{path.relative_to(ROOT).as_posix()}::[CodeFence#{n}][line:{token.map[0] + 1}]"
        for path in pages
        for n, token in enumerate(tokens(path.read_text("utf-8")), 1)
    }
    assert len(wanted) > 200
    texts = [path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md")]
    wanted |= {f"{path}::{check}" for path in texts for check in CHECKS}
    assert not wanted - collected
    files = {name.partition("::")[0] for name in collected}
    tests = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/**/test_*.py")}
    assert len(tests) > 40
    assert not tests - files
    library = Path(backproof.__file__).parent
    examples = [path for path in library.rglob("*.py") if ">>> " in path.read_text("utf-8")]
    assert not {f"src/backproof/{path.name}" for path in examples} - files


def test_every_page_of_the_site_is_one_that_runs() -> None:
    """The navigation, which has to hold all pages of docs, has no page from elsewhere."""
    listed = re.findall(r"[\w/-]+\.md", str(load_config(str(ROOT / "mkdocs.yml"))["nav"]))
    assert sorted(listed) == sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))


@in_ci
def test_warnings_are_errors_as_configured(tmp_path: Path) -> None:
    """A block that warns fails, with the settings of the project; a message of BLAS does not."""
    kinds = ("UserWarning", "DeprecationWarning", "ImportWarning")
    blas = "'overflow encountered in matmul', RuntimeWarning"
    for number, warning in enumerate([blas, *(f"'x', {kind}" for kind in kinds)]):
        code = block(f"import warnings\n\nwarnings.warn({warning})")
        (tmp_path / f"page{number}.md").write_text(code, "utf-8")
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "3 failed, 1 passed" in done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
