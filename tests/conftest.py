"""What the tests of the pages share: the built site, and a browser to look at it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Build the site in strict mode, and say how long that takes."""
    folder = tmp_path_factory.mktemp("built") / "site"
    start = time.perf_counter()
    log = build(ROOT / "mkdocs.yml", folder)
    seconds = time.perf_counter() - start
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nThe site was built in {seconds:.1f} s.")
    assert "WARNING" not in log
    return folder


def build(configuration: Path, folder: Path) -> str:
    """Build a site in strict mode and return the log; fail with it where that fails."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(
        [*command, "--config-file", configuration, "--site-dir", folder],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},  # the theme's notice, not a warning of ours
    )
    if done.returncode:
        pytest.fail(done.stderr, pytrace=False)
    return done.stderr


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Serve the site below a path, as a project's pages are, and return its address."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(site.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{site.name}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the system's Chromium; without one, skip on a reader's machine and fail in CI."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if not program:
        missing = pytest.fail if "CI" in os.environ else pytest.skip
        missing("The pages are looked at in Chromium: install it from your system's packages.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        browser.close()
