"""What the tests of the pages share: the built site, and a browser to look at it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from browsing import served

Run = Callable[..., pytest.RunResult]

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# The browser is to call no host by itself, and runs as root in CI.
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]


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
    """Build the site in strict mode, and say how long that takes."""
    folder = tmp_path_factory.mktemp("built") / "site"
    start = time.perf_counter()
    log = build(ROOT / "mkdocs.yml", folder)
    seconds = time.perf_counter() - start
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nThe site was built in {seconds:.1f} s.")
    assert "WARNING -" not in log
    return folder


def build(configuration: Path, folder: Path, **environment: str) -> str:
    """Build a site in strict mode and return the log; fail with it where that fails."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    # The notice is the theme's, not a warning of ours.
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", **environment}
    done = subprocess.run(
        [*command, "--config-file", configuration, "--site-dir", folder],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode:
        pytest.fail(done.stderr, pytrace=False)
    return done.stderr


def planted(folder: Path, **pages: str) -> Path:
    """Write a site of these pages with the settings of the project; return its configuration."""
    shutil.rmtree(folder / "docs", ignore_errors=True)
    shutil.copytree(DOCS / "assets", folder / "docs" / "assets")
    for name, page in pages.items():
        (folder / "docs" / f"{name}.md").write_text(page, "utf-8")
    configuration = folder / "mkdocs.yml"
    configuration.write_text(
        f"INHERIT: {ROOT / 'mkdocs.yml'}\n"
        f"docs_dir: {folder / 'docs'}\n"
        f"theme: {{custom_dir: {DOCS / 'theme'}}}\n"
        f"hooks: [{DOCS / 'executed' / 'sources.py'}, {DOCS / 'executed' / 'serving.py'}]\n"
        "watch: []\n"
        "nav: [index.md, page.md]\n"
    )
    return configuration


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
        missing = pytest.fail if "CI" in os.environ else pytest.skip
        missing("The pages are looked at in Chromium: install it from your system's packages.")
    return program


def installed_chromium() -> str:
    """Return the path of the system's Chromium, or nothing."""
    return next(filter(None, map(shutil.which, CHROMIUM)), "")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Start the browser."""
    with started(chromium) as browser:
        yield browser


@contextmanager
def started(chromium: str) -> Iterator[Browser]:
    """Start a browser, which belongs to the thread that does so."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()
