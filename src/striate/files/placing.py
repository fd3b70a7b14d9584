"""Putting a file of the user's into a folder, as a copy or a link, without ever taking the place of another."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from striate.errors import StriateError
from striate.files.writing import explain


def place(source: Path, folder: Path, *, link: bool = False) -> Path:
    """Copy a file into a folder, whole or not at all, with its times; return where it lies now.

    Where its name is taken there it gets a number: `cat.jpg`, `cat_2.jpg`, `cat_3.jpg`.

    Args:
        source: the file.
        folder: where to; it is made where it is missing.
        link: put a symbolic link to the file there instead.

    Raises:
        StriateError: the file cannot be read, or the folder not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain(error, folder) from error
    wanted = folder / source.name
    try:
        if link:
            return _named(wanted, lambda target: os.symlink(os.path.abspath(source), target))
        with _copied(source, folder) as copy:
            return _named(wanted, lambda target: _take(copy, target))
    except OSError as error:
        raise explain(error, wanted) from error


def _named(wanted: Path, put: Callable[[Path], None]) -> Path:
    """The first name that is free, once it is taken."""
    for target in _names(wanted):
        with suppress(FileExistsError):
            put(target)
            return target
    raise AssertionError("names never end")


def _names(wanted: Path) -> Iterator[Path]:
    yield wanted
    for number in count(2):
        yield wanted.with_name(f"{wanted.stem}_{number}{wanted.suffix}")


@contextmanager
def _copied(source: Path, folder: Path) -> Iterator[Path]:
    """A whole copy in the folder under a name for what is being written, which is gone when the block ends."""
    try:
        reading = open(source, "rb")  # noqa: SIM115 (its errors are others than those of the copy)
    except OSError as error:
        raise StriateError(f"{source}: cannot be read ({error.strerror}), so it was not copied.") from error
    copy = folder / f".copy.{secrets.token_hex(4)}"
    try:
        with reading, open(copy, "xb") as writing:
            shutil.copyfileobj(reading, writing)
        shutil.copystat(source, copy)
        yield copy
    finally:
        with suppress(OSError):
            copy.unlink(missing_ok=True)


def _take(copy: Path, target: Path) -> None:
    """Give a copy its name in one step, unless that is taken."""
    try:
        os.link(copy, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without second names: an empty file keeps the name free until it is replaced
        open(target, "xb").close()
        try:
            os.replace(copy, target)
        except BaseException:
            target.unlink()
            raise
