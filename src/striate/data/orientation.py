"""Turning pictures upright, as the camera's tag says (TIFF 6.0 and EXIF, tag 274, Orientation)."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from PIL import Image

_TAG = 0x0112
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')


def orientation(value: Any) -> int:
    """The orientation 1 to 8 that a tag's value means; 1 (upright) where it means none.

    Cameras and editors write odd types: a whole number counts whatever its type, text does not.
    """
    if isinstance(value, (str, bytes)):
        return 1
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return 1
    return int(number) if number in range(1, 9) else 1


def from_exif(block: bytes) -> int | None:
    """The orientation in the content of an EXIF segment; None where it has none or is damaged."""
    exif = Image.Exif()
    try:
        exif.load(block)
        return orientation(exif[_TAG]) if _TAG in exif else None
    except Exception:  # damaged EXIF raises anything; the pixels are fine
        return None


def from_xmp(block: bytes) -> int | None:
    """The orientation in XMP; None where it has none."""
    match = _XMP.search(block)
    return orientation(int(match[1])) if match else None


def of_image(image: Image.Image) -> int:
    """The orientation of a Pillow image, from its EXIF, else its XMP."""
    try:
        return orientation(image.getexif().get(_TAG, 1))
    except Exception:  # as above
        return 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, ...) as it is to be shown; a view."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
