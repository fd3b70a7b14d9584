"""Networks that were converted for an engine, kept in the cache folder: converting takes seconds, reading them none.

Each lies in a folder of its own, named after the engine, its version and the network's content, so none is ever stale.
The ones used last stay; what cannot be written is made again the next time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from striate.errors import StriateError
from striate.files import cache_folder

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
        """Whether it is there; if so, it counts as used now."""
        if self._folder is None or not self.file.is_file():
            return False
        with suppress(OSError):
            os.utime(self._folder)
        return True

    def keep(self, write: Callable[[Path], object]) -> None:
        """Have `write` fill the folder; whole or not at all. Where nothing can be written nothing happens."""
        if self._folder is None:
            return
        engines = self._folder.parent
        with suppress(OSError, RuntimeError):
            engines.mkdir(parents=True, exist_ok=True)
            making = Path(tempfile.mkdtemp(prefix="making-", dir=engines))
            try:
                write(making)
                shutil.rmtree(self._folder, ignore_errors=True)
                making.rename(self._folder)
            finally:
                shutil.rmtree(making, ignore_errors=True)
            _prune(engines)


def _folder(kind: str, content: str) -> Path | None:
    try:
        name = hashlib.sha256(f"{kind} {content}".encode(), usedforsecurity=False).hexdigest()[:32]
        return cache_folder() / "engines" / name
    except StriateError:
        return None


def _prune(engines: Path) -> None:
    """Remove those that were not used for the longest time, down to `MOST` bytes in all, and what was cut off."""
    left = MOST
    for folder in sorted(filter(Path.is_dir, engines.iterdir()), key=lambda path: -path.stat().st_mtime):
        left -= sum(file.stat().st_size for file in folder.iterdir())
        if left < 0:
            shutil.rmtree(folder, ignore_errors=True)
