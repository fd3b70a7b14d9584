"""Decoded pictures that stay in memory, so that a small data set is decoded once and never again."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.data.channels import to_channels
from striate.data.decode import Serving
from striate.data.images import ArrayImages, FileImages, Images, held
from striate.data.workers import reading_threads

#: The most bytes of pixels of a data set that are kept in memory.
MEMORY_LIMIT = 1 << 30
#: Up to so many bytes, pictures of one size are copied into one array, of which batches are cut quickest.
ARRAY_LIMIT = 1 << 28
#: After so many images their mean size tells whether all of them can fit.
_SOUNDING = 100


@dataclass(frozen=True, eq=False)
class KeptImages:
    """Images of any sizes, decoded and held in memory; `source` is where they came from.

    A process that is sent a copy (a worker that was not forked) gets `source` in its place, lest the pixels take
    up memory once for every worker.
    """

    pictures: Sequence[np.ndarray]
    source: Images

    def __post_init__(self) -> None:
        if len(self.pictures) != len(self.source):
            raise ValueError(f"{len(self.pictures)} pictures of {len(self.source)} images")

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, index: int, serving: Serving | None = None) -> np.ndarray:
        """The image at `index`, uint8 (H, W, C); not a copy, unless a smaller one serves."""
        return held(self.pictures[index], self.source, index, serving)

    def name(self, index: int) -> str:
        """Where the image at `index` came from."""
        return self.source.name(index)

    def subset(self, indices: np.ndarray) -> KeptImages:
        """The images at `indices`, in that order; they share their pixels."""
        return KeptImages([self.pictures[index] for index in indices], self.source.subset(indices))

    def __reduce__(self) -> tuple[object, tuple[Images]]:
        return _itself, (self.source,)


@dataclass(frozen=True, eq=False)
class LateImages(FileImages):
    """Images of a set small enough to be kept, in files that nothing had to decode so far; see `in_memory`."""


def in_memory(images: Images, workers: int | None = None) -> Images:
    """The images, decoded now where they were only not decoded yet; any others as they are.

    Raises:
        UnreadableImage: a file that could be read before.
    """
    if not isinstance(images, LateImages) or not len(images):
        return images
    memory = Memory(len(images), sys.maxsize)
    with reading_threads(workers) as pool:
        for picture in pool.map(images.read, range(len(images))):
            memory.reserve(picture)
            memory.add(picture)
    return memory.images(np.arange(len(images)), FileImages(images.paths, images.channels))


def becomes(images: Images, sizes: np.ndarray) -> type[Images]:
    """The class of what `in_memory` makes of images of these heights and widths (N, 2)."""
    if not isinstance(images, LateImages):
        return type(images)
    one_size = len(np.unique(sizes, axis=0)) == 1
    return ArrayImages if one_size and _in_one_array(int(sizes.prod(1).sum()) * images.channels) else KeptImages


def _in_one_array(size: int) -> bool:
    """Whether pictures of one size, so many bytes together, are copied into one array."""
    return size <= ARRAY_LIMIT


def _itself(images: Images) -> Images:
    return images


class Memory:
    """Collects the pictures of a data set of `total` images, for as long as all of them fit into `limit` bytes.

    Threads `reserve` room for what they have decoded, in any order; then each picture is added in its turn.
    """

    def __init__(self, total: int, limit: int) -> None:
        self.total, self.limit = total, limit
        self.pictures: list[np.ndarray | None] = []
        self.is_open = limit > 0
        self._reserved = self._added = 0  # bytes
        self._lock = threading.Lock()

    def reserve(self, picture: np.ndarray) -> bool:
        """Whether there is room for one picture more; where there is none, no picture of the set is kept."""
        with self._lock:
            self._reserved += picture.nbytes
            self.is_open = self.is_open and self._reserved <= self.limit
            return self.is_open

    def add(self, picture: np.ndarray | None) -> None:
        """Keep the next picture, for which there is room; None for an image that cannot be read."""
        self.pictures.append(picture)
        self._added += 0 if picture is None else picture.nbytes
        expected = self._added / len(self.pictures) * self.total
        if not self.is_open or (len(self.pictures) >= _SOUNDING and expected > 2 * self.limit):
            self._close()

    def forget(self, row: int) -> None:
        """Keep nothing of an image that is not used after all."""
        if self.is_open:
            self.pictures[row] = None

    def give_channels(self, channels: int, pixels: int) -> None:
        """Convert what is kept, so many pixels, to so many channels, or keep nothing where that does not fit."""
        if pixels * channels > self.limit:
            self._close()
        for row, picture in enumerate(self.pictures):
            if picture is not None and picture.shape[2] != channels:
                self.pictures[row] = to_channels(picture, channels)

    def images(self, rows: np.ndarray, source: Images) -> Images:
        """The images of `source`, which were added as number `rows`, with their pixels where these are kept."""
        if not self.is_open:
            return source
        pictures = [picture for row in rows if (picture := self.pictures[row]) is not None]
        same_size = len({picture.shape for picture in pictures}) == 1
        if same_size and _in_one_array(sum(picture.nbytes for picture in pictures)):
            return ArrayImages(np.stack(pictures), [source.name(row) for row in range(len(pictures))], source)
        return KeptImages(pictures, source)

    def _close(self) -> None:
        self.is_open = False
        self.pictures = []


class LateMemory(Memory):
    """Keeps no picture of files that need not be decoded yet, but knows whether all of them will fit (`in_memory`)."""

    def reserve(self, picture: np.ndarray) -> bool:
        """There is no room for any of them now."""
        return False

    def add(self, picture: np.ndarray | None) -> None:
        """Nothing is kept."""

    def forget(self, row: int) -> None:
        """Nothing is kept."""

    def images(self, rows: np.ndarray, source: Images) -> Images:
        """The images of `source`, to be decoded once they are needed where all of them fit."""
        return LateImages(source.paths, source.channels) if self.is_open and isinstance(source, FileImages) else source
