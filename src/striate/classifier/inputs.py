"""Whatever a user calls an image, one at a time, as uint8 (H, W, C)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from striate.data import decode
from striate.errors import StriateError, UsageError

IMAGE_SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".apng",
        ".gif",
        ".webp",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
        ".pbm",
        ".jp2",
        ".avif",
        ".npy",
    ]
)


class Source(NamedTuple):
    """One image still to be read."""

    name: str
    read: Callable[[int], np.ndarray]  # channels -> uint8 (H, W, channels)


def is_single(images: Any) -> bool:
    """Whether `images` is one image rather than a folder or a sequence of them."""
    if isinstance(images, (str, Path)):
        return not Path(images).is_dir()
    if isinstance(images, np.ndarray):
        return images.ndim <= 3
    return hasattr(images, "getbands") or isinstance(images, bytes)


def sources(images: Any) -> Iterator[Source]:
    """The images in what a user gives.

    Args:
        images: a path, a folder (searched through, in order of names), a PIL image, the bytes of an image file,
            a uint8 array (H, W), (H, W, C) or (N, H, W, C), or an iterable of these.

    Raises:
        UsageError: something that is no image.
    """
    if isinstance(images, (str, Path)) and Path(images).is_dir():
        paths = sorted(path for path in Path(images).rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
        if not paths:
            raise StriateError(f"{images}: no images in this folder or below it.")
        yield from (_source(path, "") for path in paths)
    elif is_single(images):
        yield _source(images, "image")
    elif isinstance(images, Iterable):
        for index, image in enumerate(images):
            yield _source(image, f"[{index}]")
    else:
        raise UsageError(f"{type(images).__name__} is no image: give a path, a PIL image or a uint8 array.")


def _source(image: Any, name: str) -> Source:
    if isinstance(image, (str, Path)):
        return Source(str(image), lambda channels: decode(Path(image), channels))
    if isinstance(image, bytes):
        return Source(name, lambda channels: decode(image, channels))
    if hasattr(image, "getbands"):
        return Source(str(getattr(image, "filename", "") or name), lambda channels: _from_pillow(image, channels))
    if isinstance(image, np.ndarray):
        return Source(name, lambda channels: _from_array(image, name))
    raise UsageError(f"{name} is a {type(image).__name__}: give a path, a PIL image or a uint8 array.")


def _from_pillow(image: Any, channels: int) -> np.ndarray:
    # Through the one decoder, so that palettes, alpha, 16 bits and rotation mean the same everywhere.
    encoded = io.BytesIO()
    try:
        image.save(encoded, "PNG", exif=image.getexif())
    except OSError:  # a mode that PNG has no room for, such as CMYK
        image.save(encoded, "TIFF", exif=image.getexif())
    return decode(encoded.getvalue(), channels)


def _from_array(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.size == 0:
        raise UsageError(
            f"{name}: an array of {array.dtype} and shape {array.shape}; an image is uint8 (H, W) or (H, W, C)."
        )
    return array if array.ndim == 3 else array[:, :, None]
