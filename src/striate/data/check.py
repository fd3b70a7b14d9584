"""Looking at every image before the first epoch, so that none stops the training in its middle.

Every file is decoded once, in threads. What can be read is counted and hashed; what cannot is listed with its
reason. Images of one size that fit are kept, so that a small data set is never decoded again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from striate.data.channels import to_channels
from striate.data.dataset import Skipped
from striate.data.decode import (
    REMARKS,
    Decoded,
    UnreadableImage,
    decode_content,
    read_file,
)
from striate.data.images import ArrayImages, EncodedImages, FileImages, Images
from striate.data.listing import Part
from striate.data.workers import worker_count
from striate.errors import StriateError

#: The most pixels that are kept in memory, in bytes.
MEMORY_LIMIT = 1 << 30
_CHUNK = 32


@dataclass(frozen=True, eq=False)
class CheckedPart:
    """A part without what cannot be read; `digests` are sha256 of the contents, one per image."""

    images: Images
    labels: np.ndarray
    digests: list[bytes]
    skipped: tuple[tuple[int, Skipped], ...]  # the label, and what was skipped

    def reason_for(self, label: int) -> Skipped | None:
        """The first image of a class that was skipped."""
        return next((entry for skipped_label, entry in self.skipped if skipped_label == label), None)


@dataclass(frozen=True, eq=False)
class Checked:
    """All parts of a source, checked, with the channels they share."""

    parts: dict[str, CheckedPart]
    channels: int
    notes: tuple[str, ...]


@dataclass(eq=False)
class _Seen:
    """What the check learns of one image; `image` only while it may be kept."""

    digest: bytes = b""
    shape: tuple[int, ...] = ()
    image: np.ndarray | None = None
    remarks: tuple[str, ...] = ()
    reason: str = ""


@dataclass(eq=False)
class _Memory:
    """The pixels of all images for as long as they have one size and fit; `array` uint8 (N, H, W, C)."""

    total: int
    array: np.ndarray | None = None
    alive: bool = True

    def may_keep(self, image: np.ndarray) -> bool:
        return self.alive and image.nbytes * self.total <= MEMORY_LIMIT

    def keep(self, row: int, image: np.ndarray | None) -> None:
        if not self.alive or image is None:
            self.alive, self.array = False, None
            return
        if self.array is None:
            self.array = np.empty((self.total, *image.shape), dtype=np.uint8)
        channels = {self.array.shape[3], image.shape[2]}
        if channels == {1, 3} and self.array.shape[3] == 1 and 3 * self.array.nbytes <= MEMORY_LIMIT:
            self.array = np.repeat(self.array, 3, axis=3)
        same_size = image.shape[:2] == self.array.shape[1:3]
        if same_size and (len(channels) == 1 or (channels == {1, 3} and self.array.shape[3] == 3)):
            self.array[row] = image  # grey repeats over RGB
        else:
            self.alive, self.array = False, None


@dataclass(eq=False)
class _Report:
    """Counts for the notes."""

    remarks: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, seen: _Seen) -> None:
        for remark in seen.remarks:
            self.remarks[remark] += 1
            self.first.setdefault(remark, name)

    def notes(self) -> tuple[str, ...]:
        return tuple(
            f"{self.remarks[key]:,} image{'s' * (self.remarks[key] > 1)} {text} (first: {self.first[key]})"
            for key, text in REMARKS.items()
            if self.remarks[key]
        )


def check_parts(parts: Mapping[str, Part], channels: int | None = None, workers: int | None = None) -> Checked:
    """Read every image of every part.

    Args:
        parts: what a reader listed.
        channels: the channels wanted; None for 1 when every image is grey, their own number when all have
            the same number above four, else 3.
        workers: threads; None for one per processor.

    Raises:
        StriateError: no channels can be found that all images share, or the wanted ones cannot be made.
    """
    if all(isinstance(part.items, np.ndarray) for part in parts.values()):
        return _check_arrays(parts, channels)
    names = [name for part in parts.values() for name in part.names]
    items = [item for part in parts.values() for item in part.items]
    memory, report, seen = _Memory(len(items)), _Report(), []
    for row, entry in enumerate(_look_at_all(items, channels, memory, worker_count(workers))):
        if not entry.reason:
            memory.keep(row, entry.image)
            report.add(names[row], entry)
        entry.image = None
        seen.append(entry)
    if channels is None:
        channels = _common_channels(Counter(entry.shape[2] for entry in seen if not entry.reason))
    array = memory.array
    if array is not None and array.shape[3] != channels:
        array = _array_to_channels(array, channels)

    checked: dict[str, CheckedPart] = {}
    start = 0
    for name, part in parts.items():
        entries = seen[start : start + len(part.items)]
        pixels = None if array is None else array[start : start + len(part.items)]
        checked[name] = _keep_readable(part, entries, pixels, channels)
        start += len(part.items)
    return Checked(checked, channels, report.notes())


def _look_at_all(items: list[Path | bytes], channels: int | None, memory: _Memory, workers: int) -> Iterator[_Seen]:
    """Look at the items in threads, a chunk at a time, and yield in their order."""

    def look_at(chunk: list[Path | bytes]) -> list[_Seen]:
        return [_look_at(item, channels, memory) for item in chunk]

    chunks = (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
    pool = ThreadPoolExecutor(workers)
    try:
        for found in pool.map(look_at, chunks):
            yield from found
    finally:
        pool.shutdown(cancel_futures=True)


def _look_at(item: Path | bytes, channels: int | None, memory: _Memory) -> _Seen:
    try:
        content = item if isinstance(item, bytes) else read_file(item)
        extension = "" if isinstance(item, bytes) else item.suffix.lower()
        decoded: Decoded = decode_content(content, channels, extension)
    except UnreadableImage as error:
        return _Seen(reason=error.reason)
    kept = decoded.image if memory.may_keep(decoded.image) else None
    return _Seen(hashlib.sha256(content).digest(), decoded.image.shape, kept, decoded.remarks)


def _keep_readable(part: Part, entries: list[_Seen], pixels: np.ndarray | None, channels: int) -> CheckedPart:
    kept = np.array([row for row, entry in enumerate(entries) if not entry.reason], dtype=np.int64)
    skipped = tuple(
        (int(part.labels[row]), Skipped(part.names[row], entry.reason))
        for row, entry in enumerate(entries)
        if entry.reason
    )
    images: Images
    names = [part.names[row] for row in kept]
    if pixels is not None:
        images = ArrayImages(pixels if len(kept) == len(pixels) else pixels[kept], names)
    elif all(isinstance(item, Path) for item in part.items):
        images = FileImages([part.items[row] for row in kept], channels)
    else:
        images = EncodedImages([part.items[row] for row in kept], names, channels)
    return CheckedPart(images, part.labels[kept], [entries[row].digest for row in kept], skipped)


def _common_channels(counts: Counter[int]) -> int:
    if not counts or counts.keys() == {1}:
        return 1 if counts else 3
    if len(counts) == 1:
        return next(iter(counts))
    if counts.keys() <= {1, 3, 4}:
        return 3
    listed = ", ".join(f"{number} ({count:,} images)" for number, count in sorted(counts.items()))
    raise StriateError(f"the images have different numbers of channels: {listed}; ask for one with channels=")


def _check_arrays(parts: Mapping[str, Part], channels: int | None) -> Checked:
    """Pixels that are in memory already need no decoding, only hashing."""
    if channels is None:
        channels = _common_channels(Counter(np.asarray(part.items).shape[3] for part in parts.values()))
    checked = {}
    for name, part in parts.items():
        array = _array_to_channels(np.asarray(part.items), channels)
        digests = [hashlib.sha256(image.tobytes()).digest() for image in array]
        checked[name] = CheckedPart(ArrayImages(array, part.names), part.labels, digests, ())
    return Checked(checked, channels, ())


def _array_to_channels(array: np.ndarray, channels: int) -> np.ndarray:
    """`to_channels` for uint8 (N, H, W, C)."""
    count, height, width, present = array.shape
    if present == channels:
        return array
    rows = to_channels(array.reshape(count * height, width, present), channels)  # (N * H, W, channels)
    return rows.reshape(count, height, width, channels)
