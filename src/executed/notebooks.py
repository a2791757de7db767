"""Hooks of MkDocs: mkdocs-jupyter executes a notebook, which becomes a page like all others."""

from __future__ import annotations

import json
import os
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from bs4 import BeautifulSoup
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
    content = json.loads(notebook)
    for cell in content["cells"]:
        text = without_markings("".join(cell["source"]))
        text = LINK.sub(lambda link: urljoin(address, f"{link[1]}.html"), text)
        cell["source"] = text.splitlines(keepends=True)
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def as_page(notebook: dict[str, Any]) -> str:
    """Return a notebook as a page: its cells are the blocks, with what they showed."""
    return "\n\n".join(map(as_part, notebook["cells"]))


def as_part(cell: dict[str, Any]) -> str:
    """Return a cell as a part of a page."""
    if cell["cell_type"] != "code":
        return str(cell["source"])
    code = f"```python\n{cell['source']}\n```"
    shown = shown_by(cell).rstrip("\n")
    return f'{code}\n\n```text title="Output"\n{shown}\n```' if shown else code


def shown_by(cell: dict[str, Any]) -> str:
    """Return the text of the outputs of a cell."""
    html = "".join(one.get("text") or one["data"]["text/html"] for one in cell["outputs"])
    return BeautifulSoup(html, "html.parser").get_text("\n") if html.startswith("<") else html
