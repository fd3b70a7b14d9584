"""Files written whole or not at all, on POSIX and on Windows: the one way in which striate writes files.

Windows differs in three ways, which are met here by what happens and not by what the system is called, so that they
can be tested anywhere: a folder cannot be opened, only what is open for writing can be flushed, and a file that
another program has open cannot be replaced until that program lets go.
"""

from __future__ import annotations

import csv
import errno
import io
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from striate.errors import StriateError

#: Seconds to wait, again and again, for a program that has the old file open: a virus scanner, a spreadsheet.
PATIENCE = (0.05, 0.1, 0.2, 0.4, 0.8)

#: What systems say where there is no more space, or where a quota or a limit is reached.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

#: Windows' numbers for "access denied", "open in another program" and "locked by another program".
OPEN_ELSEWHERE = (5, 32, 33)

#: Names of files that are being written, or were when their process was killed; see `replacing`.
BEING_WRITTEN = re.compile(r"\..+\.[0-9a-f]{8}")

CHOOSE_ANOTHER = "Choose a folder that you may write to."


def write_atomically(path: str | Path, content: str | bytes | Callable[[BinaryIO], object]) -> Path:
    """Write a file so that a reader, a crash or a full disk never meets half of it; see `replacing`.

    Args:
        path: the file to write; its folder must exist (`make_folder_of`).
        content: text (written as UTF-8), bytes, or a function that writes into the open file it is given.

    Raises:
        StriateError: the disk is full or the folder cannot be written to.
    """
    path = Path(path)
    try:
        with replacing(path) as file:
            if callable(content):
                content(file)
            else:
                file.write(content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content)
    except OSError as error:
        raise explain(error, path) from error
    return path


def write_csv(path: str | Path, rows: Sequence[Mapping[str, Any]], names: Sequence[str] = ()) -> Path:
    """Write rows as CSV under a line of their names, in the order in which they first come; see `write_atomically`.

    Args:
        path: the file to write.
        rows: the rows, each by name.
        names: names that stand there even without a row, before the others.

    Raises:
        StriateError: as `write_atomically`.
    """
    text = io.StringIO()
    columns = list(dict.fromkeys(chain(names, (name for row in rows for name in row))))
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return write_atomically(path, text.getvalue())


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` to write to, which takes the name `path` in one step when the block ends.

    It is flushed to the disk before, and the name after. When the block raises, it is removed and the older file of
    that name stays as it was. The mode is that of any new file.

    Raises:
        OSError: what the operating system says.
    """
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    file = _made(temporary)
    try:
        yield file
        file.flush()
        os.fsync(file.fileno())
        file.close()
        take_name(temporary, path)
    except BaseException:
        with suppress(OSError):  # a full disk does not take the rest either; what went wrong first is what is told
            file.close()
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _made(temporary: Path) -> BinaryIO:
    """A new file, open for writing; what lies there already is another's, and stays.

    A busy disk takes its time, so an interrupt may come when it is made and not yet open: then it is removed.
    """
    try:
        return open(temporary, "xb")
    except KeyboardInterrupt:
        temporary.unlink(missing_ok=True)
        raise


def make_folder_of(path: Path, mend: str = CHOOSE_ANOTHER) -> None:
    """Make the folder in which a file is to be written, and those above it, where they are missing.

    Raises:
        StriateError: it cannot be made; the message names the file, and `mend` as `explain` does.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain(error, path, mend) from error


def explain(error: OSError, path: Path, mend: str = CHOOSE_ANOTHER) -> StriateError:
    """One line for a failure of the operating system to write `path`; `mend` says what helps where it may not."""
    if error.errno in DISK_FULL:
        return StriateError(f"{path}: the disk is full; what was there before is untouched. Free some space.")
    reason = error.strerror or str(error)
    if getattr(error, "winerror", None) in OPEN_ELSEWHERE:
        return StriateError(f"{path}: cannot be written ({reason}). Close it in other programs and try again.")
    return StriateError(f"{path}: cannot be written ({reason}). {mend}")


def take_name(temporary: Path, path: Path) -> None:
    """Give a file that is on the disk its name, in one step, and put that on the disk, too.

    Raises:
        OSError: what the operating system says.
    """
    _rename(temporary, path)
    _flush_folder(path.parent)


def _rename(temporary: Path, path: Path) -> None:
    for pause in PATIENCE:
        try:
            os.replace(temporary, path)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    os.replace(temporary, path)


def _flush_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system has a way to."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.EBADF):  # some network drives flush no folders
            raise
    finally:
        os.close(descriptor)
