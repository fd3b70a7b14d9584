"""Putting a file of the user's into a folder, as a copy or a link, without ever taking the place of another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
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
    for target in _names(folder / source.name):
        try:
            if link:
                os.symlink(os.path.abspath(source), target)
            else:
                _copy(source, target)
        except FileExistsError:
            continue
        except OSError as error:
            raise explain(error, target) from error
        return target
    raise AssertionError("names never end")


def _names(wanted: Path) -> Iterator[Path]:
    yield wanted
    for number in count(2):
        yield wanted.with_name(f"{wanted.stem}_{number}{wanted.suffix}")


def _copy(source: Path, target: Path) -> None:
    try:
        reading = open(source, "rb")  # noqa: SIM115 (its errors are others than those of the copy)
    except OSError as error:
        raise StriateError(f"{source}: cannot be read ({error.strerror}), so it was not copied.") from error
    with reading:
        writing = open(target, "xb")  # noqa: SIM115 (what lies there already is another's, and stays)
        try:
            with writing:
                shutil.copyfileobj(reading, writing)
            shutil.copystat(source, target)
        except BaseException:
            with suppress(OSError):
                target.unlink()
            raise
