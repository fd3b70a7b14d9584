"""Images whose decoded pictures lie in a block, and where images of any kind are decoded from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.data.block import Block
from striate.data.block_file import open_block
from striate.data.decode import Serving
from striate.data.images import ArrayImages, EncodedImages, FileImages, Images
from striate.data.kept import KeptImages


@dataclass(frozen=True, eq=False)
class BlockImages:
    """Images whose pictures lie in a block at the scales that are wanted; others are read from their `source`.

    A process that is sent a copy of a block of memory (a worker that was not forked) gets `source` in its place.

    Attributes:
        block: the pictures.
        rows: of each image in it.
        sizes: heights and widths of the images themselves, (N, 2).
        source: where they came from.
    """

    block: Block
    rows: NDArray[np.int64]
    sizes: NDArray[np.int32]
    source: Images

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, index: int, serving: Serving | None = None) -> NDArray[np.uint8]:
        """The image at `index`, uint8 (H, W, C), so much smaller as serves; not a copy where it is held."""
        scale = 1 if serving is None else serving(*self.sizes[index].tolist())
        picture = self.block.picture(int(self.rows[index]), scale)
        return self.source.read(index, serving) if picture is None else picture

    def name(self, index: int) -> str:
        """Where the image at `index` came from."""
        return self.source.name(index)

    def subset(self, indices: np.ndarray) -> BlockImages:
        """The images at `indices`, in that order; they share their pictures."""
        return BlockImages(self.block, self.rows[indices], self.sizes[indices], self.source.subset(indices))

    def __reduce__(self) -> tuple[object, tuple[Any, ...]]:
        return open_again, (self.block.path, self.rows, self.sizes, self.source)


def origin(images: Images) -> FileImages | EncodedImages | None:
    """The files, or the rows of a table, that images are decoded from; None of pixels that were given."""
    if isinstance(images, KeptImages | BlockImages):
        return origin(images.source)
    if isinstance(images, ArrayImages):
        return None if images.source is None else origin(images.source)
    if isinstance(images, FileImages):
        return FileImages(images.paths, images.channels)
    return images if isinstance(images, EncodedImages) else None


def open_again(
    path: Path | None, rows: NDArray[np.int64], sizes: NDArray[np.int32], source: Images
) -> BlockImages | Images:
    """Stored images in a process that was sent them: those of a file, or, of memory, their source."""
    block = None if path is None else open_block(path)
    return source if block is None else BlockImages(block, rows, sizes, source)
