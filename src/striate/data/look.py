"""One look at an image: all that is learnt of it while its file is read and decoded once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from striate.data.decode import UnreadableImage, decode_content, read_file
from striate.data.facts import channel_sums, is_blank
from striate.data.kept import Memory
from striate.data.perceptual_hash import perceptual_hash
from striate.data.stored import Stored


@dataclass(eq=False)
class Look:
    """What the check learns of one image; `picture` only until it is kept or not, `reason` where it cannot be read."""

    digest: bytes = b""
    shape: tuple[int, ...] = ()
    format: str = ""
    channels: int = 0  # of the file
    bit_depth: str = ""
    blank: bool = False
    hash: int = 0
    sums: np.ndarray = field(default_factory=lambda: np.empty((0, 4), dtype=np.int64))
    remarks: tuple[str, ...] = ()
    reason: str = ""
    picture: np.ndarray | None = None


def look_at(item: Stored | bytes, channels: int | None, memory: Memory) -> Look:
    """Read and decode a file, or the bytes of one, to so many channels; None for its own.

    Its pixels come along where `memory` has room for them.
    """
    try:
        content = item if isinstance(item, bytes) else read_file(item)
        extension = "" if isinstance(item, bytes) else item.suffix.lower()
        decoded = decode_content(content, channels, extension)
    except UnreadableImage as error:
        return Look(reason=error.reason)
    image = decoded.image
    sums = channel_sums(image)
    return Look(
        digest=hashlib.sha256(content).digest(),
        shape=image.shape,
        format=decoded.format,
        channels=decoded.channels,
        bit_depth=decoded.bit_depth,
        blank=is_blank(image, sums),
        hash=perceptual_hash(image),
        sums=sums,
        remarks=decoded.remarks,
        picture=image if memory.reserve(image) else None,
    )
