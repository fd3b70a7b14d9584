"""Whatever a user calls an image, one at a time, as uint8 (H, W, C)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from striate.data.channels import to_channels
from striate.data.decode import Serving, UnreadableImage, decode, decode_image
from striate.data.images import printable
from striate.data.walk import Walk, holdings
from striate.errors import UsageError

#: Names of one folder that are held at a time: a folder of millions of pictures takes the memory of these.
NAMES_AT_ONCE = 100_000

_BYTES = (bytes, bytearray, memoryview)


class Read(Protocol):
    """Decodes an image."""

    def __call__(self, channels: int, serving: Serving | None = None, /) -> np.ndarray:
        """The image, uint8 (H, W, channels); `serving` as `decode` takes it."""
        ...


class Source(NamedTuple):
    """One image still to be read; `path` where it lies in a file of its own."""

    name: str
    read: Read
    path: Path | None = None


def is_single(images: Any) -> bool:
    """Whether `images` is one image rather than a folder or a sequence of them."""
    if isinstance(images, (str, Path)):
        return not _is_folder(images)
    if isinstance(images, np.ndarray):
        return images.ndim <= 3
    return isinstance(images, _BYTES) or hasattr(images, "getbands") or hasattr(images, "read")


class Sources:
    """The images in what a user gives, one after another.

    `notes` says, once a folder has been gone through, which of its files are left out and why.
    """

    def __init__(self, images: Any) -> None:
        """Take anything that holds images.

        Args:
            images: a path, a folder (searched at any depth, as for training), a PIL image, an open binary file or its
                bytes, a uint8 array (H, W), (H, W, C) or (N, H, W, C), or an iterable of these. A folder without images
                counts as an image that cannot be read.

        Raises:
            UsageError: something that is no image.
        """
        several = isinstance(images, Iterable) and not isinstance(images, Mapping)
        if not (several or is_single(images) or _is_folder(images)):
            raise UsageError(f"{type(images).__name__} is no image: give a path, a PIL image or a uint8 array.")
        self.images = images
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[Source]:
        if _is_folder(self.images):
            yield from self._below(Path(self.images))
        elif is_single(self.images):
            yield _source(self.images, "image")
        else:
            for index, image in enumerate(self.images):
                yield from self._below(Path(image)) if _is_folder(image) else [_source(image, f"[{index}]")]

    def at_least(self, limit: int) -> int:
        """How many images there are, up to `limit`, as far as that can be told without taking them; else 0."""
        if is_single(self.images):
            return 1
        if _is_folder(self.images):
            return _count(Path(self.images), limit)
        if not isinstance(self.images, Sized):
            return 0
        many = min(limit, len(self.images))
        if not isinstance(self.images, Sequence) or not many:
            return many
        folders = [image for image in islice(self.images, limit) if _is_folder(image)]
        return min(limit, many - len(folders) + sum(_count(Path(folder), limit) for folder in folders))

    def _below(self, folder: Path) -> Iterator[Source]:
        walk, is_empty = Walk(at_once=NAMES_AT_ONCE), True
        for path in walk.images(folder):
            is_empty = False
            yield _source(path, "")
        self.notes += walk.notes()
        yield from (_unreadable(entry.path, entry.reason) for entry in walk.skipped)
        if is_empty and not walk.skipped:
            instead = f", {holdings(walk.left_out)}" if walk.left_out else ""
            yield _unreadable(printable(folder), f"no images in this folder or below it{instead}")


def _count(folder: Path, limit: int) -> int:
    return sum(1 for _ in islice(Walk(at_once=NAMES_AT_ONCE).images(folder), limit))


def _is_folder(images: Any) -> bool:
    return isinstance(images, (str, Path)) and os.path.isdir(images)  # no error, whatever may be asked of the path


def _unreadable(name: str, reason: str) -> Source:
    def read(channels: int, serving: Serving | None = None) -> np.ndarray:
        raise UnreadableImage(reason, name)

    return Source(name, read)


def _source(image: Any, name: str) -> Source:
    if isinstance(image, (str, Path)):
        path = Path(image)
        return Source(printable(image), lambda channels, serving=None: decode(path, channels, serving), path)
    if isinstance(image, _BYTES):
        return Source(name, lambda channels, serving=None: decode(bytes(image), channels, serving))
    if hasattr(image, "read"):
        content = image.read()
        if not isinstance(content, bytes):
            raise UsageError(f"{getattr(image, 'name', name)} is open as text; open it in binary mode ('rb').")
        called = str(getattr(image, "name", name))
        return Source(called, lambda channels, serving=None: decode(content, channels, serving))
    if hasattr(image, "getbands"):
        called = str(getattr(image, "filename", "") or name)
        return Source(called, lambda channels, _=None: _from_pillow(image, channels))
    if isinstance(image, np.ndarray):
        return Source(name, lambda channels, _=None: _from_array(image, channels, name))
    raise UsageError(f"{name} is a {type(image).__name__}: give a path, a PIL image or a uint8 array.")


def _from_pillow(image: Any, channels: int) -> np.ndarray:
    try:
        return decode_image(image, channels)
    except UnreadableImage as error:
        raise UnreadableImage(error.reason, getattr(image, "filename", "") or "image") from error


def _from_array(array: np.ndarray, channels: int, name: str) -> np.ndarray:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.size == 0:
        raise UsageError(
            f"{name}: an array of {array.dtype} and shape {array.shape}; an image is uint8 (H, W) or (H, W, C)."
        )
    image = array if array.ndim == 3 else array[:, :, None]
    if image.shape[2] not in (1, 3, 4, channels):
        raise UsageError(
            f"{name}: an array of shape {array.shape} would be one image of {image.shape[2]} channels, and the model "
            f"takes {channels}; several images are (N, H, W, C)."
        )
    return to_channels(image, channels)
