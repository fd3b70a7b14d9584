"""What the package page shows is README.md with its links made absolute: there is no repository beside it there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

#: An exclamation mark where it is a picture, the words, and a place that is neither an address nor on the page itself.
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)")


def with_absolute_links(text: str, files: str, pictures: str) -> str:
    """Markdown whose links to files of the repository lead below `files`, those that are shown below `pictures`."""

    def absolute(link: re.Match[str]) -> str:
        shown, words, place = link.groups()
        return f"{shown}[{words}]({pictures if shown else files}{place})"

    return _LINK.sub(absolute, text)


class ReadmeHook(MetadataHookInterface):
    """Fills in `readme`, from `files` and `pictures` of pyproject.toml; {version} in them is the project's."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling with the table [project]."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        places = (self.config[name].format(version=metadata["version"]) for name in ("files", "pictures"))
        metadata["readme"] = {"content-type": "text/markdown", "text": with_absolute_links(text, *places)}
