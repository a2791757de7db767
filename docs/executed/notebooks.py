"""Hooks of MkDocs: mkdocs-jupyter executes a notebook, which becomes a page like all others."""

from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from executed.proofs import without_markings

# Where Jupyter finds, before all others, a template that writes Markdown, in place of HTML with
# half a megabyte of styles, and a kernel of this Python that does not warn of unencrypted TCP.
JUPYTER = Path(__file__).parent / "jupyter"
LINK = re.compile(r"(?<=\]\()([^():]+)\.md(?=[)#])")


def on_config(config: MkDocsConfig) -> None:
    """Let mkdocs-jupyter use our template and kernel."""
    os.environ["JUPYTER_PATH"] = str(JUPYTER)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Render the Markdown of a notebook, and put the notebook itself beside its page."""
    source = Path(page.file.abs_src_path or "")
    if source.suffix != ".ipynb":
        return html
    # Styles are appended to what the template writes.
    page.markdown = without_markings(unescape(html.partition("<style>")[0]))
    Page.render(page, config, files)
    notebook = published(source.read_text("utf-8"), page.canonical_url or "")
    target = Path(config.site_dir, page.file.src_uri)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(notebook, "utf-8", newline="\n")
    return page.content or ""


def published(notebook: str, address: str) -> str:
    """Return a notebook whose links lead to the site, from wherever it is downloaded to."""
    return LINK.sub(lambda link: urljoin(address, f"{link[1]}.html"), notebook)
