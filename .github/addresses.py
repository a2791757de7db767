"""The addresses of the project, which the packages state where the build is told them.

`SITE_ADDRESS` is where the site is, as for mkdocs.yml, and `SOURCE_ADDRESS` the repository.
"""

import os
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Addresses(MetadataHookInterface):
    """Adds the addresses that are known to the metadata of the packages."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the URLs; without an address, there are none."""
        metadata["urls"] = {}
        if site := os.environ.get("SITE_ADDRESS"):
            metadata["urls"] |= {
                "Documentation": site,
                "Changelog": f"{site}reference/changelog.html",
            }
        if source := os.environ.get("SOURCE_ADDRESS"):
            metadata["urls"] |= {"Source": source, "Issues": f"{source}/issues"}
