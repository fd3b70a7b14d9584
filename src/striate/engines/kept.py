"""Networks that were converted for an engine, kept in the cache folder: converting takes seconds, reading them none.

Each lies in a folder of its own, named after the engine, its version and the network's content, so none is ever stale.
The ones used last stay; what cannot be written is made again the next time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from striate.errors import StriateError
from striate.files import cache_folder
from striate.files.keeping import fill_folder, is_whole, prune, used_now

#: Bytes that all of them may take together.
MOST = 2 << 30


class Place:
    """Where a converted network is kept, or would be.

    Args:
        kind: the engine and its version.
        content: a digest of all that the conversion depends on.
        name: of the file that is read.
    """

    def __init__(self, kind: str, content: str, name: str) -> None:
        self._folder = _folder(kind, content)
        self.file = Path() if self._folder is None else self._folder / name

    @property
    def is_kept(self) -> bool:
        """Whether it is there, as it was written; if so, it counts as used now."""
        if self._folder is None or not is_whole(self._folder):
            return False
        used_now(self._folder)
        return True

    def keep(self, write: Callable[[Path], object]) -> None:
        """Have `write` fill the folder; whole or not at all. Where nothing can be written nothing happens."""
        if self._folder is not None:
            fill_folder(self._folder, write)
            prune(self._folder.parent, MOST)


def _folder(kind: str, content: str) -> Path | None:
    try:
        name = hashlib.sha256(f"{kind} {content}".encode(), usedforsecurity=False).hexdigest()[:32]
        return cache_folder() / "engines" / name
    except StriateError:
        return None
