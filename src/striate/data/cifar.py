"""CIFAR-10 and CIFAR-100 in their binary version (Krizhevsky, 2009, cs.toronto.edu/~kriz/cifar.html).

A record is one label byte (CIFAR-100: coarse, then fine), then 32x32 red, green and blue bytes. The Python
version is made of pickles, which can run any program, and is never read.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from striate.data.images import printable
from striate.data.listing import Listing, Part
from striate.errors import StriateError

_MEMBERS: dict[str, dict[str, tuple[str, ...]]] = {
    "cifar10": {"train": tuple(f"data_batch_{n}.bin" for n in range(1, 6)), "test": ("test_batch.bin",)},
    "cifar100": {"train": ("train.bin",), "test": ("test.bin",)},
}
_NAMES = {"cifar10": "batches.meta.txt", "cifar100": "fine_label_names.txt"}
_LABEL_BYTES = {"cifar10": 1, "cifar100": 2}
_PIXELS = 3 * 32 * 32


def list_cifar(name: str, place: Path) -> Listing:
    """List `cifar10` or `cifar100` from the binary archive (.tar.gz) or the folder unpacked from it.

    Raises StriateError when files are missing, damaged or cut short.
    """
    read = _folder_reader(place) if place.is_dir() else _archive_reader(place)
    wanted = [member for members in _MEMBERS[name].values() for member in members]
    contents = read([*wanted, _NAMES[name]])
    missing = [member for member in [*wanted, _NAMES[name]] if member not in contents]
    if missing:
        raise StriateError(f"{printable(place)} lacks {', '.join(missing)}; fetch it again")
    classes = tuple(contents[_NAMES[name]].decode("ascii", "replace").split())
    parts = {}
    for split, members in _MEMBERS[name].items():
        pixels, labels, names = [], [], []
        for member in members:
            images, fine = _parse(contents[member], _LABEL_BYTES[name], f"{printable(place)}/{member}")
            pixels.append(images)
            labels.append(fine)
            names += [f"{member}[{row}]" for row in range(len(fine))]
        every = np.concatenate(labels)
        if every.max() >= len(classes):
            raise StriateError(f"{printable(place)}: label {every.max()} is outside the {len(classes)} classes")
        parts[split] = Part(np.concatenate(pixels), names, every)
    return Listing(classes, parts)


def _parse(content: bytes, label_bytes: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    size = label_bytes + _PIXELS
    if not content or len(content) % size:
        raise StriateError(f"{where} is truncated: {len(content):,} bytes are no whole records of {size:,}")
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, size)
    planes = records[:, label_bytes:].reshape(-1, 3, 32, 32)  # (N, C, H, W)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), records[:, label_bytes - 1].astype(np.int64)


def _folder_reader(folder: Path) -> Callable[[list[str]], dict[str, bytes]]:
    return lambda members: {member: (folder / member).read_bytes() for member in members if (folder / member).is_file()}


def _archive_reader(archive: Path) -> Callable[[list[str]], dict[str, bytes]]:
    def read(members: list[str]) -> dict[str, bytes]:
        contents: dict[str, bytes] = {}
        try:
            with tarfile.open(archive, "r:*") as tar:
                for entry in tar:  # in one pass: going back means unpacking again
                    base = entry.name.rsplit("/", 1)[-1]
                    stream = tar.extractfile(entry) if entry.isfile() and base in members else None
                    if stream is not None:
                        contents[base] = stream.read()
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            cause = " ".join(str(error).split())  # tarfile's are of several lines
            raise StriateError(f"{printable(archive)} is damaged or cut short ({cause}); fetch it again") from error
        return contents

    return read
