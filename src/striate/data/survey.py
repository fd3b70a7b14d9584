"""What a data set is found to hold, in numbers and names: the result of the check beside what was skipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Size = tuple[int, int]


class Place(NamedTuple):
    """Where an image lies in a data set; `label` is a position in its classes, else its labels or values."""

    split: str
    name: str
    label: int | tuple[float, ...]


#: All places of one picture that occurs more than once.
SamePicture = tuple[Place, ...]


@dataclass(frozen=True)
class Sizes:
    """A summary of sizes (height, width) in pixels.

    Attributes:
        commonest: the size that most images have; of equally common ones the largest.
        with_commonest: how many images have it.
        smallest: the smallest by area.
        largest: the largest by area.
        different: how many sizes there are.
        images: how many images there are.
    """

    commonest: Size
    with_commonest: int
    smallest: Size
    largest: Size
    different: int
    images: int

    @classmethod
    def of(cls, sizes: np.ndarray) -> Sizes:
        """Of heights and widths (N, 2) of one image at least."""
        distinct, counts = np.unique(sizes, axis=0, return_counts=True)
        areas = distinct.prod(axis=1, dtype=np.int64)
        commonest = np.lexsort((areas, counts))[-1]
        listed: list[Size] = [(height, width) for height, width in distinct.tolist()]
        return cls(
            listed[commonest],
            int(counts[commonest]),
            listed[areas.argmin()],
            listed[areas.argmax()],
            len(distinct),
            len(sizes),
        )

    @property
    def has_strays(self) -> bool:
        """Whether one size is that of more than half of the images, yet not of all."""
        return self.images / 2 < self.with_commonest < self.images


@dataclass(frozen=True)
class Survey:
    """What the files of all splits together hold: one image at least.

    Attributes:
        sizes: a summary of the sizes.
        file_channels: channels of the files, and how many images have so many.
        bit_depths: how samples are stored, such as "8", and in how many images.
        formats: the formats by content, and how many images have each.
        examples: for each number of file channels the first image that has it.
        strays: the first images whose size is not that of most, as "name (height x width)".
        blank: the images that show one colour only.
        tiny: the images that are too small to show anything.
        same_pictures: every picture that occurs more than once, with all its places, in the order of the first.
    """

    sizes: Sizes
    file_channels: Mapping[int, int]
    bit_depths: Mapping[str, int]
    formats: Mapping[str, int]
    examples: Mapping[int, str]
    strays: tuple[str, ...]
    blank: tuple[str, ...]
    tiny: tuple[str, ...]
    same_pictures: tuple[SamePicture, ...]


def typical_side(sizes: np.ndarray) -> int:
    """The middle one of the longer sides of sizes (N, 2): one stray image decides nothing. Of two the longer."""
    return int(np.sort(sizes.max(axis=1))[len(sizes) // 2])


def size_text(size: Size) -> str:
    """Height and width in words."""
    return f"{size[0]}x{size[1]}"
