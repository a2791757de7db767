"""The checkout: where things are in it, and how its site is built, whole or with other pages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from executed.page import programs
from executed.trials import in_order

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HOOKS = ROOT / "src" / "executed"

CI = "CI" in os.environ
in_ci = pytest.mark.skipif(not CI, reason="It takes long: it runs where CI is set.")

Run = Callable[..., pytest.RunResult]

# A page that passes.
BLOCK = """\
```python
print(1 / 8)
```

```text title="Output"
0.125
```
"""


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


def left_by(page: str) -> dict[str, Any]:
    """Return what the blocks of a page leave, which is given as its text."""
    variables: dict[str, Any] = {}
    list(in_order(variables, programs(page), page, "page"))
    return variables


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
        f"theme: {{custom_dir: {DOCS / 'overrides'}}}\n"
        f"hooks: [{HOOKS / 'sources.py'}, {HOOKS / 'serving.py'}]\n"
        "watch: []\n"
        "nav: [index.md, page.md]\n"
    )
    return configuration
