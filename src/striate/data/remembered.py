"""What was learnt of image files is remembered, so that a folder that has not changed need not be decoded again.

A file is what it was while its path, size, inode and times of change are: the kernel sets the time of the last change
of status (ctime) itself, so that no program can alter a file and leave that as it was. A file that had just been
changed when it was looked at is not remembered, for it might change again within one tick of the clock. (Git trusts
its index for the same reasons; see "racy git" in its documentation.) On Windows, where ctime is when a file was made,
the time of the last writing has to do.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL import __version__ as pillow_version

from striate.data.look import Look
from striate.data.stored import InFile, Stored
from striate.errors import StriateError
from striate.files import cache_folder
from striate.files.keeping import used_now
from striate.files.kept_arrays import keep_arrays, read_arrays
from striate.version import __version__

#: Bytes that all that is remembered may take.
MOST = 1 << 28
#: Nanoseconds for which a file must have been left alone: the clocks of some file systems tick every two seconds.
SETTLED = 3_000_000_000
#: Changes with what a look tells.
_FORM = 2
#: Which of a file's states says when it was changed last.
_CHANGED = 3 if os.name == "nt" else 2
_NAMES = ("paths", "states", "given", "digests", "shapes", "words", "blank", "hashes", "remarks", "sums")


class Remembered:
    """What is known of image files from an earlier look.

    Args:
        paths: where they lie; of what is part of a larger file that one's state counts.
        channels: those that the images were or are to be given; None for their own.
    """

    def __init__(self, paths: Sequence[Stored], channels: int | None) -> None:
        self._given, self._channels = paths, channels or 0
        self._paths = [_spelt(path) for path in paths]
        state = lru_cache(1)(_state)  # the parts of a file follow one another
        self._states = np.array([state(_file(path)) for path in paths], np.int64).reshape(-1, 5)
        self._now = time.time_ns()
        self._file: Path | None = None
        with suppress(StriateError, ValueError):  # no home folder; files of several drives
            parent = os.path.commonpath(self._paths)
            reader = f"{_FORM} {__version__} {cv2.__version__} {pillow_version} {Image.MAX_IMAGE_PIXELS} "
            key = hashlib.sha256(reader.encode() + os.fsencode(parent)).hexdigest()[:32]
            self._file = cache_folder() / "checked" / key / "looks.safetensors"

    def looks(self) -> dict[int, Look]:
        """What is known of each file, by its place among them; nothing of one that has changed or cannot be read."""
        read = None if self._file is None else read_arrays(self._file, _NAMES)
        if read is None or self._file is None:
            return {}
        used_now(self._file.parent)
        arrays, words = read
        row_of = {bytes(path): row for row, path in enumerate(arrays["paths"])}
        rows = np.array([row_of.get(_short(path), -1) for path in self._paths])
        same = (rows >= 0) & (self._states[:, 0] >= 0) & (arrays["states"][rows] == self._states).all(1)
        # A picture that has the channels by itself is the same whether it was to be given them or not.
        given = arrays["given"][rows]
        same &= (given == self._channels) | ((given == 0) & (arrays["shapes"][rows, 2] == self._channels))
        return {place: _look(arrays, words, int(rows[place])) for place in np.flatnonzero(same).tolist()}

    def keep(self, looks: Sequence[Look]) -> None:
        """Remember a look at each of the files, in their order; where that cannot be written, nothing happens."""
        settled = (self._states[:, 0] >= 0) & (self._states[:, _CHANGED] < self._now - SETTLED)
        settled &= np.array([_file(path) is not None for path in self._given])  # as reading has told by now
        rows = [row for row, look in enumerate(looks) if settled[row] and not look.reason]
        if self._file is None or not rows:
            return
        arrays, words = _arrays([looks[row] for row in rows])
        arrays["paths"] = np.frombuffer(b"".join(_short(self._paths[row]) for row in rows), np.uint8).reshape(-1, 16)
        arrays["states"] = self._states[rows]
        arrays["given"] = np.full(len(rows), self._channels, np.int32)
        with suppress(OSError, StriateError):
            keep_arrays(self._file, arrays, MOST, words)


def _spelt(path: Stored) -> str:
    """The path that holds from any folder, and what part of the file there it is."""
    if isinstance(path, InFile) and path.file is not None:
        return os.path.join(path.file, path.part)
    return os.path.abspath(str(path))


def _file(path: Stored) -> Path | None:
    """The file whose state says whether anything has changed."""
    if isinstance(path, Path):
        return path
    return path.file if isinstance(path, InFile) else None


def _state(path: Path | None) -> tuple[int, int, int, int, int]:
    """What changes with a file: its size, inode, times of change and of writing, and device; -1 where it is not."""
    if path is None:
        return -1, 0, 0, 0, 0
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return -1, 0, 0, 0, 0
    device = found.st_dev - (1 << 63)  # an unsigned number
    return found.st_size, found.st_ino - (1 << 63), found.st_ctime_ns, found.st_mtime_ns, device


def _short(path: str) -> bytes:
    return hashlib.sha256(os.fsencode(path)).digest()[:16]


def _arrays(looks: Sequence[Look]) -> tuple[dict[str, NDArray], list[str]]:
    """Looks as arrays, a row for each, and the words that these number."""
    words = sorted({word for look in looks for word in (look.format, look.bit_depth, *look.remarks)})
    number = {word: place for place, word in enumerate(words)}
    sums = np.zeros((len(looks), max(len(look.sums) for look in looks), 4), np.int64)
    remarks = np.zeros((len(looks), len(words)), bool)
    for row, look in enumerate(looks):
        sums[row, : len(look.sums)] = look.sums
        remarks[row, [number[remark] for remark in look.remarks]] = True
    return {
        "digests": np.frombuffer(b"".join(look.digest for look in looks), np.uint8).reshape(len(looks), -1),
        "shapes": np.array([(*look.shape, look.channels) for look in looks], np.int32),
        "words": np.array([(number[look.format], number[look.bit_depth]) for look in looks], np.int32),
        "blank": np.array([look.blank for look in looks], bool),
        "hashes": np.array([look.hash for look in looks], np.uint64),
        "remarks": remarks,
        "sums": sums,
    }, words


def _look(arrays: dict[str, NDArray], words: Any, row: int) -> Look:
    *shape, channels = arrays["shapes"][row].tolist()
    format, depth = arrays["words"][row].tolist()
    return Look(
        digest=bytes(arrays["digests"][row]),
        shape=tuple(shape),
        format=words[format],
        channels=channels,
        bit_depth=words[depth],
        blank=bool(arrays["blank"][row]),
        hash=int(arrays["hashes"][row]),
        sums=arrays["sums"][row, : shape[2]],
        remarks=tuple(word for word, said in zip(words, arrays["remarks"][row].tolist(), strict=True) if said),
    )
