"""Moving a file of the user's to another name, without ever taking the place of another."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from striate.errors import StriateError
from striate.files.writing import explain


def move(source: Path, target: Path) -> None:
    """Give a file, or a link to one, another name on the same drive; the folders of that are made.

    Killed in the middle it has both names, or one of them; `move` again ends it.

    Raises:
        StriateError: another file has that name, or the drive refuses.
    """
    if os.path.lexists(target) and not _same(source, target):
        raise StriateError(f"{target} is in the way of {source}; move it elsewhere first")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _take(source, target)
    except FileNotFoundError:
        raise StriateError(f"{source} has gone; nothing was moved to {target}") from None
    except OSError as error:
        raise explain(error, target) from error


def _take(source: Path, target: Path) -> None:
    if not os.path.lexists(target):
        try:
            os.link(source, target, follow_symlinks=False)
        except (FileExistsError, FileNotFoundError):
            raise
        except (OSError, NotImplementedError):  # a drive, or a system, without second names
            os.rename(source, target)
            return
    try:
        os.unlink(source)
    except OSError:  # a folder that may not be written to: the file keeps the name that it had
        os.unlink(target)
        raise


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(os.lstat(one), os.lstat(other))
    except OSError:
        return False


def remove_empty(folder: Path) -> None:
    """Remove a folder, and those in it, where they hold no files."""
    for place, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # it holds something
            os.rmdir(place)
