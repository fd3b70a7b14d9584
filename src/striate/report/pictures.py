"""Images as small data URIs, so that a report needs no other file."""

from __future__ import annotations

import base64
import io
from typing import NamedTuple

import numpy as np

from striate.errors import StriateError

#: Images up to this size are kept whole and lossless, and drawn with square pixels.
TINY = 64


class Picture(NamedTuple):
    """A data URI; `width` and `height` are its pixels, `tiny` says that single pixels are worth seeing."""

    source: str
    width: int
    height: int
    tiny: bool


def thumbnail(image: np.ndarray, size: int = 160) -> Picture:
    """`image`, uint8 (H, W, C) or (H, W), as a picture whose longer side is `size` pixels at most.

    One or two channels are shown grey (the first), three or more in colour (the first three). PNG or JPEG,
    whichever is smaller; images of `TINY` pixels and below are PNG, exact to the pixel.

    Raises:
        StriateError: the array is no such image.
    """
    from PIL import Image

    image = np.asarray(image)
    if image.ndim not in (2, 3) or image.dtype != np.uint8 or 0 in image.shape:
        raise StriateError(
            f"report: a picture has shape {image.shape} and type {image.dtype}; it must be uint8 (H, W, C)."
        )
    if image.ndim == 3:
        image = image[:, :, :3] if image.shape[2] >= 3 else image[:, :, 0]
    picture = Image.fromarray(np.ascontiguousarray(image))
    longer = max(picture.size)
    if longer > size:
        scale = size / longer
        new_size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(new_size, Image.Resampling.LANCZOS)
    tiny = longer <= TINY
    kind, data = "png", encoded(picture, "PNG", optimize=True)
    if not tiny:
        smaller = encoded(picture, "JPEG", quality=82, optimize=True)
        kind, data = ("jpeg", smaller) if len(smaller) < len(data) else (kind, data)
    return Picture(_uri(kind, data), picture.width, picture.height, tiny)


def heat_map(shares: np.ndarray, colour: tuple[int, int, int]) -> Picture:
    """A matrix of shares in [0, 1] as a picture of one colour, opaque where a share is high.

    Being transparent elsewhere it fits a light page and a dark one.
    """
    from PIL import Image

    pixels = np.empty((*shares.shape, 4), dtype=np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = np.round(np.sqrt(np.clip(shares, 0, 1)) * 255)  # the root lifts rare confusions into sight
    picture = Image.fromarray(pixels)
    return Picture(_uri("png", encoded(picture, "PNG", optimize=True)), *picture.size, tiny=True)


def encoded(picture: object, form: str, **options: object) -> bytes:
    """The file of a Pillow image in a format, "PNG" or "JPEG", with the options that Pillow has for it."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)  # type: ignore[attr-defined]
    return buffer.getvalue()


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
