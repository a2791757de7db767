"""What the tests of the pages share: the built site, and a browser to look at it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser

from support.browsing import installed_chromium, served, started
from support.checkout import CI, ROOT, Run, build


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a run in CI fail if it skipped a test: there, nothing may be missing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if "CI" in os.environ and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Return a function that writes a page and runs pytest on it, as this project does."""

    def run_page(page: str, *options: str, name: str = "page.md") -> pytest.RunResult:
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(page, "utf-8")
        plugins = ["executed.plugin", "no:cacheprovider"]
        plugins += ["no:hypothesispytest"]  # each run would import it anew
        named = [part for plugin in plugins for part in ("-p", plugin)]
        return pytester.runpytest_inprocess(
            *named, "--markdown-docs", "-W", "error", *options, name
        )

    return run_page


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Build the site in strict mode, and say how long that takes.

    With other hashes than `.ci/run` has, so that no output hangs on the order of a set.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "site"
    with FileLock(shared / "site.lock"):  # what runs beside this waits for it
        if folder.exists():
            return folder
        start = time.perf_counter()
        log = build(ROOT / "mkdocs.yml", shared / "begun", PYTHONHASHSEED="1")
        (shared / "begun").rename(folder)  # of a build that fails, the next one takes nothing
        seconds = time.perf_counter() - start
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nThe site was built in {seconds:.1f} s.")
    assert "WARNING -" not in log
    return folder


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Serve the site below a path, as a project's pages are, and return its address."""
    with served(site) as address:
        yield address


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("packages")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def with_wheel(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Install the wheel, and return an environment in which it stands before the source."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = next(packages.glob("*.whl"))
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", folder, wheel], check=True, capture_output=True)
    return {**os.environ, "PYTHONPATH": str(folder), "MPLBACKEND": "agg"}


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the system's Chromium; without one, skip, and fail in CI."""
    if not (program := installed_chromium()):
        missing = pytest.fail if CI else pytest.skip
        missing("The pages are looked at in Chromium: install it from your system's packages.")
    return program


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Start the browser."""
    with started(chromium) as browser:
        yield browser
