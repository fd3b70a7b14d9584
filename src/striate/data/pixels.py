"""Pillow's many formats and modes as plain arrays: grey or RGB, 8 bits, upright, with or without alpha."""

from __future__ import annotations

import functools
import io
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from striate.allocator import make_room
from striate.data import orientation, png
from striate.data.scaling import to_eight_bits, unit_to_eight_bits, wide_integers
from striate.data.unreadable import UnreadableImage, check_size

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
_BIT_DEPTHS = {"1": "1", "I": "32", "F": "float32"}
#: Formats whose mode "I" holds 16 bits; elsewhere its range is not known.
_SIXTEEN_BITS = ("PNG", "PPM", "JPEG2000")
#: Bytes a pixel that decoding was measured to take, result included: by decoders that hold much, and by others for
#: modes of one or two bytes and of more (Pillow holds RGB in four bytes, the result three, alpha one more).
_DECODERS = {"WEBP": 17.5, "AVIF": 12.0, "JPEG2000": 20.0}
_NARROW, _WIDE = 3.2, 7.5
#: Pixels that are converted at a time, so that a large image is not held in a third form.
_STRIP = 1 << 20

logging.getLogger("PIL").addHandler(logging.NullHandler())  # or Python prints what Pillow logs where nobody listens


@dataclass(frozen=True, eq=False)
class Pixels:
    """What a reader found.

    Attributes:
        colour: uint8 (H, W, C): grey, RGB, or as many bands as the file has.
        alpha: uint8 (H, W, 1), only where the file calls a band alpha.
        format: a key of `decode.EXTENSIONS`.
        bit_depth: of a sample in the file.
        animated: there are further frames.
        rotated: the picture was turned upright.
        pages: there are further pages.
        shrunk: the picture was decoded smaller than it is.
        several: there are further pictures, of which this is the one to be shown.
        inks: the file holds amounts of printing inks.
    """

    colour: np.ndarray
    alpha: np.ndarray | None
    format: str
    bit_depth: str = "8"
    animated: bool = False
    rotated: bool = False
    pages: bool = False
    shrunk: bool = False
    several: bool = False
    inks: bool = False


def read_pixels(data: bytes, page: int = 0) -> Pixels:
    """Decode the content of an image file, of a TIFF file the given page.

    Raises:
        UnreadableImage: too large, or of a kind that is not read.
        Exception: anything, on damaged bytes; `reason` puts it into words.
    """
    header = png.read_header(data)
    if header:
        data = png.without_metadata(data)
    _check_icon(data)
    with Image.open(io.BytesIO(data), formats=_known_formats()) as image:
        if page:
            image.seek(page)
        format = image.format or ""
        narrow = image.mode in ("1", "L", "P") or image.mode.startswith("I;16")
        each = _DECODERS.get(format, _NARROW if narrow else _WIDE)
        check_size(*image.size, each, len(data))
        animated = format in _ANIMATED_FORMATS and bool(getattr(image, "is_animated", False))
        image.load()
        if format in _DECODERS:
            make_room(image.width * image.height * each)  # most of it is free now
        if header:
            png.check(header, image, data)
        alpha = png.alpha_of(header, image, data) if header else None
        if alpha is not None:
            del image.info["transparency"]
        pixels = from_image(image, alpha)
    depth = str(header.bit_depth) if header else pixels.bit_depth
    if header and header.is_grey:  # 16 bits with alpha come as RGBA
        pixels = replace(pixels, colour=pixels.colour[..., :1])
    return replace(pixels, format=_FAMILY.get(format, format), bit_depth=depth, animated=animated)


def reason(error: Exception) -> str:
    """What an exception out of Pillow, which raises anything on hostile bytes, says of the image, in words."""
    if isinstance(error, (Image.DecompressionBombWarning, Image.DecompressionBombError)):
        return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels, which is not safe to open; make it smaller"
    if isinstance(error, MemoryError):
        return "does not fit in memory"
    words = " ".join(str(error).split())
    return "truncated" if "truncated" in words.lower() else f"damaged: {words}" if words else "damaged"


def from_image(image: Image.Image, alpha: np.ndarray | None = None) -> Pixels:
    """The pixels of a loaded Pillow image in any mode, upright.

    `alpha` stands in for what the image itself says of transparency. Raises UnreadableImage for CIE Lab, for modes "I"
    and "F" of unknown range, and for a loaded TIFF file with bands that are neither colour nor alpha.
    """
    if _has_other_bands(image):
        raise UnreadableImage("bands beside the colours, which Pillow takes for alpha or drops; give the file's path")
    turn = orientation.of_image(image)
    colour, own_alpha = _to_arrays(image)
    if alpha is None:
        alpha = own_alpha
    if turn != 1:
        colour = orientation.upright(colour, turn)
        alpha = None if alpha is None else orientation.upright(alpha, turn)
    depth = "16" if _is_sixteen(image) else _BIT_DEPTHS.get(image.mode, "8")
    return Pixels(colour, alpha, image.format or "", depth, rotated=turn != 1, inks=image.mode == "CMYK")


def _has_other_bands(image: Image.Image) -> bool:
    tags = getattr(image, "tag_v2", None)
    if tags is None or 277 not in tags:
        return False
    extra = tags[277] - {2: 3, 5: 4, 6: 3, 8: 3}.get(tags.get(262, 0), 1)
    named = tags.get(338, ())
    return extra > 0 and (named if isinstance(named, tuple) else (named,)) not in ((1,), (2,))


@functools.cache
def _known_formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow was built with; it loads its rarer readers only when told to."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _check_icon(data: bytes) -> None:
    """The PNG files inside an icon are not measured before they are decoded. Raises UnreadableImage."""
    if not data.startswith(b"\0\0\1\0") or len(data) < 6:
        return
    for entry in range(struct.unpack_from("<H", data, 4)[0]):
        if len(data) >= 22 + 16 * entry:
            (start,) = struct.unpack_from("<I", data, 18 + 16 * entry)
            header = png.read_header(data[start : start + 64])
            if header:
                check_size(header.width, header.height, _WIDE)


def _to_arrays(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Colour (H, W, 1 or 3) and alpha (H, W, 1) or None of an image in any of Pillow's modes."""
    mode = image.mode
    if _is_sixteen(image):
        if mode == "I" and np.asarray(image).max() > 65535:
            raise wide_integers("32-bit integer")
        grey = _convert(image, 1, lambda strip: to_eight_bits(np.asarray(strip), 16))
        key = image.info.get("transparency")
        if key is None:
            return grey, None
        return grey, np.where(np.asarray(image) == key, np.uint8(0), np.uint8(255))[..., None]
    if mode == "I":
        raise wide_integers("32-bit integer")
    if mode == "F":
        return unit_to_eight_bits(np.asarray(image))[..., None], None
    if mode == "LAB":
        raise UnreadableImage("CIE Lab colours, which are not read; save it as RGB")
    is_grey = mode in ("1", "L", "LA", "La") or (mode in ("P", "PA") and _is_grey_palette(image))
    bands = 1 if is_grey else 3
    if mode in ("La", "RGBa") or image.has_transparency_data:
        rgba = _convert(image, 4, lambda strip: np.asarray(_plain_alpha(strip).convert("RGBA")))
        return rgba[..., :bands], rgba[..., 3:]
    return _convert(image, bands, lambda strip: np.asarray(strip.convert("L" if is_grey else "RGB"))), None


def _plain_alpha(image: Image.Image) -> Image.Image:
    """An image whose colours are not multiplied by alpha."""
    return image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode))


def _convert(image: Image.Image, bands: int, convert: Callable[[Image.Image], np.ndarray]) -> np.ndarray:
    """Convert an image strip by strip to uint8 (H, W, bands)."""
    width, height = image.size
    if width * height <= _STRIP:
        return convert(image).reshape(height, width, bands)
    converted = np.empty((height, width, bands), np.uint8)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        converted[top : top + rows] = convert(strip).reshape(-1, width, bands)
    return converted


def _is_sixteen(image: Image.Image) -> bool:
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format in _SIXTEEN_BITS)


def _is_grey_palette(image: Image.Image) -> bool:
    """Whether the colours that the image uses are all grey."""
    palette = image.getpalette("RGB")
    if palette is None:
        return True
    colours = np.asarray(palette, dtype=np.uint8).reshape(-1, 3)
    indices = image.getchannel(0) if image.mode == "PA" else image
    used = np.flatnonzero(indices.histogram()[: len(colours)])
    return bool((colours[used, :1] == colours[used]).all())
