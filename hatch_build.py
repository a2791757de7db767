"""The addresses of the project, which the packages state where the build is told them.

`SITE_ADDRESS` is where the site is, as for mkdocs.yml, and `SOURCE_ADDRESS` the repository.
README is shown by others, who do not have the files beside it: its links lead to the repository.
"""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE = re.compile(r"(?<=\]\()(?![a-z]+:|#)")


class Addresses(MetadataHookInterface):
    """Adds the addresses that are known to the metadata of the packages."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the URLs; without an address, there are none."""
        readme = Path(self.root, "README.md").read_text("utf-8")
        metadata["urls"] = {}
        if site := os.environ.get("SITE_ADDRESS"):
            metadata["urls"] |= {
                "Documentation": site,
                "Changelog": f"{site}reference/changelog.html",
            }
        if source := os.environ.get("SOURCE_ADDRESS"):
            metadata["urls"] |= {"Source": source, "Issues": f"{source}/issues"}
            readme = RELATIVE.sub(f"{source}/blob/v{metadata['version']}/", readme)
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}
