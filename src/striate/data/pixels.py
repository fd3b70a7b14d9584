"""Pillow's many modes as plain arrays: grey or RGB, 8 bits, upright, with or without alpha."""

from __future__ import annotations

import functools
import io
import os
import threading
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

#: Formats that are tried: raster images whose first bytes identify them. Formats that run programs
#: (PostScript), or take any bytes for an image (TGA), are left out.
FORMATS = (
    "JPEG",
    "MPO",
    "PNG",
    "GIF",
    "WEBP",
    "BMP",
    "DIB",
    "TIFF",
    "PPM",
    "JPEG2000",
    "AVIF",
    "ICO",
)
_FAMILY = {"MPO": "JPEG", "DIB": "BMP"}
_ANIMATED_FORMATS = ("GIF", "WEBP", "PNG", "AVIF")
_BIT_DEPTHS = {"1": "1", "I": "32", "I;16": "16", "I;16B": "16", "I;16L": "16", "F": "float32"}

_filters_lock = threading.Lock()


def _renew_lock() -> None:
    global _filters_lock
    _filters_lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # a worker process must not inherit a lock that a thread held
    os.register_at_fork(after_in_child=_renew_lock)


@dataclass(frozen=True, eq=False)
class Pixels:
    """`colour` uint8 (H, W, 1, 3 or number of pages), `alpha` uint8 (H, W, 1) or None."""

    colour: np.ndarray
    alpha: np.ndarray | None
    format: str
    animated: bool = False
    rotated: bool = False
    bit_depth: str = "8"


def read_pixels(data: bytes, pages: int | None = None) -> Pixels:
    """Decode the content of an image file.

    Args:
        data: the content of the file.
        pages: read a file of exactly so many grey pages (TIFF) as so many channels.

    Raises:
        ValueError: the reason in words, whatever is wrong with the content.
    """
    try:
        with _open(data) as image:
            if pages is not None:
                return _stack_pages(image, pages)
            format = image.format or ""
            animated = format in _ANIMATED_FORMATS and bool(getattr(image, "is_animated", False))
            image.load()
            upright = ImageOps.exif_transpose(image)
            rotated = image.getexif().get(0x0112, 1) in range(2, 9)
            colour, alpha = _to_arrays(upright)
            depth = _BIT_DEPTHS.get(image.mode, "8")
            return Pixels(colour, alpha, _FAMILY.get(format, format), animated, rotated, depth)
    except _Refused as error:
        raise ValueError(str(error)) from None
    except UnidentifiedImageError:
        raise ValueError("not an image") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ValueError(
            f"more than {Image.MAX_IMAGE_PIXELS:,} pixels, which is not safe to open; make it smaller"
        ) from None
    except MemoryError:
        raise ValueError("does not fit in memory") from None
    except Exception as error:  # Pillow's readers raise anything on hostile bytes
        if "truncated" in str(error).lower():
            raise ValueError("truncated") from error
        raise ValueError(f"damaged: {error or type(error).__name__}") from error


class _Refused(Exception):
    """A reason of our own, already in words."""


@functools.cache
def _known_formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow was built with; it loads its rarer readers only when told to."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _open(data: bytes) -> Image.Image:
    """Open with the warning about decompression bombs as an error.

    The filters of `warnings` belong to the whole process, hence the lock; it is held for the header only.
    """
    with _filters_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(data), formats=_known_formats())


def _stack_pages(image: Image.Image, pages: int) -> Pixels:
    present = getattr(image, "n_frames", 1)
    if present != pages:
        bands = len(image.getbands())
        found = f"{present} pages" if present > 1 else f"{bands} channel{'s' * (bands > 1)}"
        raise _Refused(f"the image has {found}, {pages} channels are wanted")
    planes: list[np.ndarray] = []
    for page in range(pages):
        image.seek(page)
        plane, _ = _to_arrays(image.copy())
        if plane.shape[2] != 1 or plane.shape != (planes[0].shape if planes else plane.shape):
            raise _Refused("the pages are not all grey and of one size, so they are not channels")
        planes.append(plane)
    return Pixels(np.concatenate(planes, axis=2), None, image.format or "")


def _to_arrays(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Colour (H, W, 1 or 3) and alpha (H, W, 1) or None of an image in any of Pillow's modes."""
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        return _to_eight_bits(np.asarray(image))[..., None], None
    if image.has_transparency_data:
        if mode == "PA" or (mode == "P" and not _is_grey_palette(image)) or mode.startswith("RGB"):
            rgba = np.asarray(image.convert("RGBA"))
            return rgba[..., :3], rgba[..., 3:]
        rgba = np.asarray(image.convert("RGBA"))
        return rgba[..., :1], rgba[..., 3:]
    if mode in ("1", "L") or (mode == "P" and _is_grey_palette(image)):
        return np.asarray(image.convert("L"))[..., None], None
    if mode == "LAB":
        raise _Refused("CIE Lab colours; save it as RGB")
    return np.asarray(image.convert("RGB")), None


def _is_grey_palette(image: Image.Image) -> bool:
    """Whether the colours that the image uses are all grey."""
    palette = image.getpalette("RGB")
    if palette is None:
        return True
    colours = np.asarray(palette, dtype=np.uint8).reshape(-1, 3)
    used = np.flatnonzero(image.histogram()[: len(colours)])
    return bool((colours[used, :1] == colours[used]).all())


def sixteen_to_eight(values: np.ndarray) -> np.ndarray:
    """Scale 0..65535 to 0..255, rounded."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _to_eight_bits(values: np.ndarray) -> np.ndarray:
    """Grey values of more than 8 bits as uint8: 0..65535 and floats 0..1 have a known range, others not."""
    low, high = values.min(), values.max()
    if values.dtype.kind == "f":
        if not (low >= 0 and high <= 1):
            raise _Refused(f"floating-point pixels from {low:g} to {high:g}; only 0 to 1 has a known meaning")
        return np.round(values * 255).astype(np.uint8)
    if low < 0 or high > 65535:
        raise _Refused(f"32-bit pixels from {low} to {high}; save it with 8 or 16 bits")
    return sixteen_to_eight(values)
