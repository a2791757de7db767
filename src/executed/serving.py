"""Hooks of MkDocs: figures learn which page they are on; who writes sees what is wrong at once.

The notebook runs again where it, the library or the engine has changed, and shows its errors.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

from executed.sketches import sources

FIGURES = "executed.figures:Figures"
kept: list[TemporaryDirectory[str]] = []  # where the notebook is kept while the site is served
first: dict[str, str] = {}  # the pages as they were built first


def on_startup(command: str, **_: object) -> None:
    """Keep what is made of the notebook while the site is served, and nothing beside the source."""
    if command == "serve":
        kept.append(TemporaryDirectory())
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # src is watched


def on_config(config: MkDocsConfig) -> None:
    """Let the plugin keep the notebook, and MkDocs all pages, until the library or we change."""
    for folder in kept:
        notebooks = config.plugins["mkdocs-jupyter"].config
        cache = Path(folder.name, sources())
        notebooks["allow_errors"] = notebooks["cache"] = True
        notebooks["cache_dir"] = str(cache)
        if not cache.exists():
            stale = [*Path(folder.name).iterdir(), *Path(config.site_dir).rglob("*.html")]
            for old in stale:
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            cache.mkdir()


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: object) -> None:
    """Tell the figures of a page its file, whose lines are those that its author knows.

    A page that has changed since it was built first is tried even if it has no figures.
    """
    file = page.file.abs_src_path or ""
    changed = file.endswith(".md") and first.setdefault(file, markdown) != markdown
    config.mdx_configs[FIGURES] = {"file": file, "changed": changed}
