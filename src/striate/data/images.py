"""Where the pixels of a data set come from: memory, files, or encoded rows.

All three answer the same questions, so that nothing above has to know which one it holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from striate.data.decode import Serving, UnreadableImage, decode
from striate.data.stored import Stored

#: Control characters, and halves of characters but those that stand for bytes of a file name.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udc7f\udd00-\udfff]")


def printable(path: object) -> str:
    """A path that can be written to any report: line ends and what is no UTF-8 become a replacement mark."""
    text = _UNPRINTABLE.sub("\ufffd", str(path))
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Images(Protocol):
    """A sequence of images with as many channels as their data set has."""

    def __len__(self) -> int: ...

    def read(self, index: int, serving: Serving | None = None) -> np.ndarray:
        """The image at `index`, uint8 (H, W, C). Raises UnreadableImage.

        `serving` says how much smaller it serves as well, where that is quicker (see `decode`). What is read does not
        depend on whether the picture is held in memory.
        """
        ...

    def name(self, index: int) -> str:
        """Where the image came from, for reports: a file path, or `train.parquet[17]`."""
        ...

    def subset(self, indices: np.ndarray) -> Images:
        """The images at `indices`, in that order."""
        ...


def held(picture: np.ndarray, source: Images, index: int, serving: Serving | None) -> np.ndarray:
    """A picture that is held in memory, or what its source gives where a smaller one serves."""
    height, width = picture.shape[:2]
    return source.read(index, serving) if serving is not None and serving(height, width) > 1 else picture


@dataclass(frozen=True, eq=False)
class ArrayImages:
    """Images of one size, decoded and held in memory; `array` is uint8 (N, H, W, C), `source` where they came from."""

    array: np.ndarray
    names: Sequence[str]
    source: Images | None = None

    def __post_init__(self) -> None:
        if self.array.ndim != 4 or self.array.dtype != np.uint8:
            raise TypeError(f"images are uint8 (N, H, W, C), not {self.array.dtype} {self.array.shape}")
        if len(self.names) != len(self.array):
            raise ValueError(f"{len(self.array)} images with {len(self.names)} names")

    def __len__(self) -> int:
        return len(self.array)

    def read(self, index: int, serving: Serving | None = None) -> np.ndarray:
        """The image at `index`, uint8 (H, W, C); a view, not a copy, unless a smaller one serves."""
        picture = self.array[index]
        return picture if self.source is None else held(picture, self.source, index, serving)

    def name(self, index: int) -> str:
        """Where the image at `index` came from."""
        return self.names[index]

    def subset(self, indices: np.ndarray) -> ArrayImages:
        """The images at `indices`, in that order (copied)."""
        source = None if self.source is None else self.source.subset(indices)
        return ArrayImages(self.array[indices], [self.names[i] for i in indices], source)


@dataclass(frozen=True, eq=False)
class FileImages:
    """Images that stay where they are, in files, archives or tables, and are decoded each time they are read."""

    paths: Sequence[Stored]
    channels: int

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int, serving: Serving | None = None) -> np.ndarray:
        """Decode the file at `index` to uint8 (H, W, C). Raises UnreadableImage."""
        return decode(self.paths[index], self.channels, serving)

    def name(self, index: int) -> str:
        """The path of the file at `index`."""
        return printable(self.paths[index])

    def subset(self, indices: np.ndarray) -> FileImages:
        """The files at `indices`, in that order."""
        return replace(self, paths=[self.paths[i] for i in indices])


@dataclass(frozen=True, eq=False)
class EncodedImages:
    """Images held in memory as the bytes of their files (the rows of a Parquet file)."""

    encoded: Sequence[bytes]
    names: Sequence[str]
    channels: int

    def __len__(self) -> int:
        return len(self.encoded)

    def read(self, index: int, serving: Serving | None = None) -> np.ndarray:
        """Decode the row at `index` to uint8 (H, W, C). Raises UnreadableImage."""
        try:
            return decode(self.encoded[index], self.channels, serving)
        except UnreadableImage as error:
            raise UnreadableImage(error.reason, self.names[index]) from error

    def name(self, index: int) -> str:
        """The file and row the image at `index` came from."""
        return self.names[index]

    def subset(self, indices: np.ndarray) -> EncodedImages:
        """The rows at `indices`, in that order."""
        return EncodedImages([self.encoded[i] for i in indices], [self.names[i] for i in indices], self.channels)
