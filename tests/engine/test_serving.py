"""`mkdocs serve` shows what is wrong while one writes, and goes on when that is mended."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from support.checkout import ROOT, in_ci

PAGE = """\
# Norms

```python
import matplotlib.pyplot as plt

from backproof import relative_difference

print(relative_difference(1.0, 3.0))
figure, axes = plt.subplots()
```

```text title="Output"
0.5
```

![Nothing.](figure:figure)
"""
# Nothing of it is tried until it changes.
OTHER = """\
# Halves

```python
print(1 / 2)
```

```text title="Output"
0.5
```
"""
PATIENCE = 60  # seconds, on a busy machine


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout with two pages."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("src", "docs/assets", "docs/overrides"):
        shutil.copytree(ROOT / part, folder / part)
    for name in ("pyproject.toml", "hatch_build.py", "CHANGELOG.md", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder)
    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = re.sub(r"(?s)\nnav:\n.*?\n\n", "\nnav: [index.md, other.md]\n\n", settings)
    (folder / "mkdocs.yml").write_text(pages, "utf-8")
    (folder / "docs" / "index.md").write_text(PAGE, "utf-8")
    (folder / "docs" / "other.md").write_text(OTHER, "utf-8")
    return folder


@pytest.fixture(scope="module")
def address(checkout: Path) -> Iterator[str]:
    """Serve the copy, and return where that is."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = "{}:{}".format(*free.getsockname())
    with (checkout / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mkdocs", "serve", "--dirty", "--dev-addr", place],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout / "src")},
            stdout=log,
            stderr=log,
        )
        yield f"http://{place}/"
        server.terminate()
        server.wait()


def shown(address: str, *, wrong: str) -> str:
    """Return the page as soon as it shows this as wrong, or, if that is nothing, nothing."""
    html, end = "", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            html = urlopen(address, timeout=PATIENCE).read().decode()
        except (URLError, OSError):
            html = ""
        if html and (wrong in html if wrong else "wrong" not in html):
            return html
        time.sleep(0.1)
    pytest.fail(f"This was to be served: {wrong or 'nothing wrong'}.\n{html[-2000:]}")


for_ci = partial(pytest.param, marks=in_ci)


@pytest.mark.parametrize(
    ("name", "change", "wrong"),
    [
        ("docs/index.md", ("\n0.5\n", "\n0.6\n"), "docs/index.md:3: this prints something else"),
        ("src/backproof/_norms.py", ("return norm(g", "return 2 * norm(g"), "+1.0"),
        for_ci("docs/index.md", ("axes = ", "axes = 1 / 0, "), "line 9, in &lt;module&gt;"),
        for_ci("docs/index.md", ("figure:figure", "figure:other"), "figure:other: the page leaves"),
        for_ci("docs/other.md", ("\n0.5\n", "\n0.6\n"), "docs/other.md:3: this prints something"),
        for_ci("docs/other.md", ("print(1 / 2)", "print(1 / 0)"), "ZeroDivisionError"),
    ],
    ids=["output", "library", "error", "figure", "output alone", "error alone"],
)
def test_what_is_wrong_is_served_until_it_is_mended(
    name: str, change: tuple[str, str], wrong: str, checkout: Path, address: str
) -> None:
    """A change of the page or the library shows on the page, and is gone with its cause."""
    file = checkout / name
    address += "other.html" if file.name == "other.md" else "index.html"
    shown(address, wrong="")
    sound = file.read_text("utf-8")
    assert change[0] in sound
    file.write_text(sound.replace(*change), "utf-8")
    assert "<h1" in shown(address, wrong=wrong)
    file.write_text(sound, "utf-8")
    assert "<h1" in shown(address, wrong="")
