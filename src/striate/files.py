"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from striate.errors import StriateError


def write_atomically(path: str | Path, content: str | bytes | Callable[[Path], object]) -> Path:
    """Write a file so that a reader, a crash or a full disk never meets half of it.

    The content goes to a temporary file in the same folder, is flushed to the disk, and takes the name in one
    step; an older file of that name stays whole until then.

    Args:
        path: the file to write; its folder must exist.
        content: text (written as UTF-8), bytes, or a function that writes the file at the path it is given.

    Raises:
        StriateError: the disk is full or the folder cannot be written to.
    """
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            if callable(content):
                os.close(handle)
                content(temporary)
            else:
                with os.fdopen(handle, "wb") as file:
                    file.write(content.encode() if isinstance(content, str) else content)
            _flush(temporary)
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _flush(path.parent)
    except OSError as error:
        raise explain(error, path) from error
    return path


def explain(error: OSError, path: Path) -> StriateError:
    """One line for a failure of the operating system to write `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StriateError(f"{path}: the disk is full; what was there before is untouched. Free some space.")
    reason = error.strerror or str(error)
    return StriateError(f"{path}: cannot be written ({reason}). Choose a folder that you may write to.")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
