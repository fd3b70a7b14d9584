"""What the header of a JPEG file says (ITU-T T.81, annex B), read without decoding it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from PIL import Image

_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_HUFFMAN_DCT = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive: what every decoder reads
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class JpegHeader:
    """Size, components and EXIF orientation of a JPEG file, and whether its end is there."""

    width: int
    height: int
    components: int
    precision: int
    process: int
    orientation: int
    is_complete: bool

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    @property
    def is_ordinary(self) -> bool:
        """Grey or three components, 8 bits, upright, whole: any decoder gives the same pixels."""
        return (
            self.components in (1, 3)
            and self.precision == 8
            and self.process in _HUFFMAN_DCT
            and self.orientation == 1
            and self.is_complete
            and self.pixels > 0
        )


def read_header(data: bytes) -> JpegHeader | None:
    """Read the markers up to the first scan; None where this is not a JPEG file or its header is damaged."""
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    frame: tuple[int, int, int, int, int] | None = None
    orientation = 1
    position, end = 2, len(data)
    while position + 4 <= end:
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF:  # padding
            position += 1
            continue
        if marker in _STANDALONE:
            position += 2
            continue
        if marker in (0xDA, 0xD9):
            break
        (length,) = struct.unpack_from(">H", data, position + 2)
        if length < 2 or position + 2 + length > end:
            return None
        if marker in _FRAMES and length >= 8:
            precision, height, width, components = struct.unpack_from(">BHHB", data, position + 4)
            frame = (width, height, components, precision, marker)
        elif marker == 0xE1 and data.startswith(b"Exif\0\0", position + 4):
            orientation = _exif_orientation(data[position + 4 : position + 2 + length])
        elif marker == 0xE1 and b"tiff:Orientation" in data[position + 4 : position + 2 + length]:
            orientation = 0  # in XMP, whose rules Pillow knows
        position += 2 + length
    if frame is None:
        return None
    return JpegHeader(*frame, orientation, data.endswith(b"\xff\xd9"))


def _exif_orientation(block: bytes) -> int:
    exif = Image.Exif()
    try:
        exif.load(block)
        return int(exif.get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF raises anything; the pixels are fine, and Pillow ignores it too
        return 0
