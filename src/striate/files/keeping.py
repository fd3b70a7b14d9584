"""Folders of things that can be made again, such as converted networks: filled whole or not at all, the oldest go."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from striate.errors import StriateError
from striate.files.checksums import digest_of
from striate.files.writing import BEING_WRITTEN, write_atomically

#: File in a folder that says what the others in it must hash to.
SUMS = "sha256.json"
#: Seconds after which nobody is writing a file any longer.
ABANDONED = 3600.0


def fill_folder(folder: Path, fill: Callable[[Path], object]) -> None:
    """Have `fill` write into a folder that then takes this name, in place of an older one; whole or not at all.

    Of two that do this at once the last one wins. Where it cannot be written, nothing happens. `is_whole` tells later
    whether its files are what they were.

    Args:
        folder: its name; those above it are made.
        fill: writes into the folder that it is given.
    """
    with suppress(OSError, RuntimeError, StriateError):
        folder.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix="making-", dir=folder.parent))
        try:
            fill(making)
            sums = {file.name: digest_of(file) for file in making.iterdir()}
            write_atomically(making / SUMS, json.dumps(sums))
            shutil.rmtree(folder, ignore_errors=True)
            making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)


def is_whole(folder: Path) -> bool:
    """Whether a folder holds the files that `fill_folder` put there, bit for bit."""
    try:
        sums = json.loads((folder / SUMS).read_text(encoding="utf-8"))
        return bool(sums) and all(digest_of(folder / name) == digest for name, digest in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def used_now(folder: Path) -> None:
    """Let a folder count as used last."""
    with suppress(OSError):
        os.utime(folder)


def prune(parent: Path, most: int, spared: Path | None = None) -> None:
    """Remove the folders in `parent` that were not used for the longest time, until `most` bytes are left, or fewer.

    Args:
        parent: whose folders hold files alone.
        most: bytes.
        spared: one that stays whatever its size.
    """
    with suppress(OSError):
        left = most
        for folder in sorted(filter(Path.is_dir, parent.iterdir()), key=lambda path: -path.stat().st_mtime):
            left -= sum(file.stat().st_size for file in folder.iterdir())
            if left < 0 and folder != spared:
                shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what processes were writing in a folder when they were killed."""
    with suppress(OSError):
        for file in folder.iterdir():
            if BEING_WRITTEN.fullmatch(file.name) and time.time() - file.stat().st_mtime > ABANDONED:
                file.unlink()
