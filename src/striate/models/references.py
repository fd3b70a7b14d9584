"""Names of networks that are not of the catalogue: a library's, a function's in a file, a class of some package."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

#: Libraries whose networks go by their names there.
LIBRARIES = ("torchvision", "timm")
#: A function in a file: `net.py:build`, `C:\\nets\\net.py:build`; the name may be missing still.
_IN_FILE = re.compile(r"(.+\.py)(?::(.*))?")
#: A function or class of a package: `package.module:Class`.
_IN_PACKAGE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_][\w.]*)")


@dataclass(frozen=True)
class Reference:
    """Where a network of somebody else's comes from.

    Attributes:
        kind: "torchvision", "timm", "file" or "package".
        place: the library, the file's path, or the module's import path.
        name: of the network, or of the function or class that makes it.
    """

    kind: str
    place: str
    name: str

    def __str__(self) -> str:
        return f"{self.place}:{self.name}"

    @property
    def is_named_code(self) -> bool:
        """Whether building it runs code that only the user can vouch for."""
        return self.kind not in LIBRARIES


def reference_to(text: str) -> Reference | None:
    """What `text` refers to; None where it is the name of a network of the catalogue."""
    library, _, name = text.partition(":")
    if library in LIBRARIES and name:
        return Reference(library, library, name)
    if match := _IN_FILE.fullmatch(text):
        return Reference("file", match[1], match[2] or "")
    if match := _IN_PACKAGE.fullmatch(text):
        return Reference("package", match[1], match[2])
    return None


def reference_of(make: Callable[..., object]) -> Reference:
    """The reference to a function or class that is at hand."""
    return Reference("package", make.__module__, getattr(make, "__qualname__", type(make).__qualname__))
