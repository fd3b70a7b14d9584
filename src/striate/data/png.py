"""PNG files (W3C, PNG 3): the header, transparency by colour, and the metadata that a picture does not need.

Pillow refuses a file whose text or colour profile inflates to more than a megabyte, though its pixels are sound, and
compares the transparent colour of 1-, 2-, 4- and 16-bit images with samples that it has scaled already.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from striate.data.unreadable import UnreadableImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_METADATA = frozenset({b"iCCP", b"tEXt", b"zTXt", b"iTXt"})
#: Texts in which Pillow looks for the orientation.
_ORIENTATION_TEXTS = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
_GREY, _RGB, _GREY_ALPHA = 0, 2, 4
_SAMPLES = {_GREY: 1, _RGB: 3, 3: 1, _GREY_ALPHA: 2, 6: 4}
#: First column and row of each pass over an interlaced image, and the steps from one to the next.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class PngHeader:
    """Size, bits per sample and colour type; `transparent` the samples of the colour that is not shown, if any."""

    width: int
    height: int
    bit_depth: int
    colour_type: int
    transparent: tuple[int, ...] | None
    interlaced: bool = False

    @property
    def inflated_bytes(self) -> int:
        """Bytes that the compressed data hold: each row of samples, and the number of its filter before it."""
        bits = self.bit_depth * _SAMPLES[self.colour_type]
        total = 0
        for left, top, across, down in _ADAM7 if self.interlaced else ((0, 0, 1, 1),):
            width, height = -(-(self.width - left) // across), -(-(self.height - top) // down)
            total += height * (1 + -(-width * bits // 8)) if width > 0 and height > 0 else 0
        return total

    @property
    def is_grey(self) -> bool:
        """Whether there is one sample of colour, with or without alpha."""
        return self.colour_type in (_GREY, _GREY_ALPHA)


def read_header(data: bytes) -> PngHeader | None:
    """What the chunks say; None where this is not a PNG file or its header is damaged."""
    header: PngHeader | None = None
    for kind, content, _ in _chunks(data):
        if kind == b"IHDR" and len(content) == 13:
            width, height, bit_depth, colour_type, *_, interlace = struct.unpack(">IIBBBBB", content)
            header = PngHeader(width, height, bit_depth, colour_type, transparent=None, interlaced=interlace == 1)
        elif header is None or kind == b"IDAT":
            break
        elif kind == b"tRNS" and header.colour_type in (_GREY, _RGB):
            samples = 3 if header.colour_type == _RGB else 1
            if len(content) >= 2 * samples:
                most = (1 << header.bit_depth) - 1
                key = tuple(value & most for value in struct.unpack(f">{samples}H", content[: 2 * samples]))
                return replace(header, transparent=key)
    return header


def without_metadata(data: bytes) -> bytes:
    """The file without colour profile and texts, but for those that tell its orientation.

    A chunk whose checksum is wrong stays, for the decoder to refuse.
    """
    kept, dropped = [SIGNATURE], False
    position = len(SIGNATURE)
    for kind, content, end in _chunks(data):
        droppable = kind in _METADATA and not content.startswith(_ORIENTATION_TEXTS)
        if droppable and int.from_bytes(data[end - 4 : end]) == zlib.crc32(content, zlib.crc32(kind)):
            dropped = True
        else:
            kept.append(data[position:end])
        position = end
    return b"".join([*kept, data[position:]]) if dropped else data


def check(header: PngHeader, image: Image.Image, data: bytes) -> None:
    """Refuse a loaded `image` whose compressed pixels ended early, which Pillow leaves black. Raises UnreadableImage.

    They are counted only where one of the last two rows (of interlaced images the last but one is the last) is zero.
    """
    last_rows = (image.crop((0, row, image.width, row + 1)) for row in range(max(0, image.height - 2), image.height))
    if all(row.getbbox(alpha_only=False) for row in last_rows):
        return
    inflate = zlib.decompressobj()
    found = 0
    for kind, content, _ in _chunks(data):
        while kind == b"IDAT" and content:
            found += len(inflate.decompress(content, _AT_ONCE))
            content = inflate.unconsumed_tail
    if found < header.inflated_bytes:
        raise UnreadableImage("truncated")


def alpha_of(header: PngHeader, image: Image.Image, data: bytes) -> np.ndarray | None:
    """Alpha uint8 (H, W, 1) that the transparent colour gives to the loaded `image`; None without one."""
    if header.transparent is None:
        return None
    if header.bit_depth < 8:
        scaled = header.transparent[0] * 255 // ((1 << header.bit_depth) - 1)
        matches = np.asarray(image.convert("L")) == scaled
    elif header.colour_type == _GREY:
        matches = np.asarray(image) == header.transparent[0]
    elif header.bit_depth == 8:
        matches = _matches(image, header.transparent)
    else:
        matches = _matches(image, [value >> 8 for value in header.transparent])
        matches &= _matches(_low_bytes(data), [value & 255 for value in header.transparent])
    return np.where(matches, np.uint8(0), np.uint8(255))[..., None]


def _matches(image: Image.Image, colour: Sequence[int]) -> np.ndarray:
    """Where an RGB image has exactly this colour, bool (H, W)."""
    first, *others = (np.asarray(image.getchannel(band)) == value for band, value in enumerate(colour))
    for plane in others:
        first &= plane
    return first


def _low_bytes(data: bytes) -> Image.Image:
    """The lower bytes of 16-bit RGB, of which Pillow keeps the upper: its little-endian reader takes the second."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        image.tile = [tile._replace(args="RGB;16L") for tile in image.tile]
        image.load()
        return image


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Type, content and end of each chunk, as far as they are whole."""
    position = len(SIGNATURE) if data.startswith(SIGNATURE) else len(data)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            return
        yield kind, data[position + 8 : end - 4], end
        position = end
