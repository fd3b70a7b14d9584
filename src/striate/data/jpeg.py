"""JPEG files (ITU-T T.81): their header, their pixels by OpenCV, and what the decoder thinks of them.

OpenCV is faster than Pillow and gives the same pixels for grey and three components. It also lets libjpeg say what it
stumbled over (`listen`), which Pillow does not: damage in the middle of a file shows nowhere else.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

import cv2
import numpy as np

from striate.data import orientation
from striate.data.unreadable import UnreadableImage, check_size, fits

#: How many times smaller libjpeg's transform can give a picture, at the cost of the smaller one.
SCALES = (1, 2, 4, 8)
_REDUCED = {
    2: (cv2.IMREAD_REDUCED_GRAYSCALE_2, cv2.IMREAD_REDUCED_COLOR_2),
    4: (cv2.IMREAD_REDUCED_GRAYSCALE_4, cv2.IMREAD_REDUCED_COLOR_4),
    8: (cv2.IMREAD_REDUCED_GRAYSCALE_8, cv2.IMREAD_REDUCED_COLOR_8),
}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_HUFFMAN_DCT = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive: what every decoder reads
_SEQUENTIAL = frozenset({0xC0, 0xC1, 0xC9})
_LOSSLESS_OR_HIERARCHICAL = _FRAMES - _HUFFMAN_DCT - {0xC9, 0xCA}
_RGB = getattr(cv2, "IMREAD_COLOR_RGB", None)  # OpenCV 4.11
_DAMAGE = re.compile(r"(?:Corrupt JPEG data|Premature end|Inconsistent progression|Invalid SOS|Unsupported marker).*")
_LEFT_OVER = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0xd9")
_END = b"\xff\xd9"
#: The end mark, and markers that are never between a scan and the end; found in one pass over the coded data.
_STOP = re.compile(rb"\xff[\x01-\xbf\xd8\xd9]")
#: Bytes before the end mark that the decoder did not need are padding if they are so few, or all the same.
_FEW = 8
_READ_AHEAD = 8  # bytes that the decoder may hold without having needed them
_ZERO_RUN = bytes(64)


@dataclass(frozen=True)
class JpegHeader:
    """What stands before the coded data.

    Attributes:
        width: pixels; likewise `height`.
        components: 1 grey, 3 colour, 4 CMYK.
        samples: stored for a pixel, over all components: 1.5 where colour has half the resolution.
        precision: bits.
        process: the frame marker's second byte (T.81, table B.1).
        orientation: 1 to 8, of EXIF or XMP.
        is_complete: whether an end mark follows.
        scan: where the first scan begins.
        zeros_are_damage: whether the Huffman code cannot mean a flat surface by a long run of zero bits: its first
            words, all zeros, stand for other than "as the block before" and "no more in this block".
    """

    width: int
    height: int
    components: int
    samples: float
    precision: int
    process: int
    orientation: int
    is_complete: bool
    scan: int
    zeros_are_damage: bool

    @property
    def is_ordinary(self) -> bool:
        """Grey or three components, Huffman-coded, whole: any decoder gives the same pixels."""
        return self.components in (1, 3) and self.process in _HUFFMAN_DCT and self.is_complete

    def bytes_per_pixel(self, scale: int = 1) -> float:
        """Memory that decoding to 1/`scale` of the sides was measured to take, result included, for a stored pixel."""
        needed = {1: 4.0, 3: 5.0}.get(self.components, 9.0)
        needed += 0 if self.orientation == 1 else self.components
        coefficients = 0 if self.process in _SEQUENTIAL else 2 * self.samples  # all of them, 16 bits each
        return needed / scale**2 + coefficients

    @property
    def upright(self) -> tuple[int, int]:
        """Height and width of the picture when it is turned upright."""
        return (self.width, self.height) if self.orientation > 4 else (self.height, self.width)

    def scale(self, file_bytes: int, serving: int = 1) -> int:
        """How many times smaller than it is the picture is decoded: 1, or what the memory allows of 2, 4 and 8.

        Args:
            file_bytes: size of the file.
            serving: a scale that serves, whatever the memory.

        Raises:
            UnreadableImage: no scale is small enough, or the file is not one that can be decoded smaller.
        """
        scales = [scale for scale in SCALES if scale >= serving] if self.is_ordinary else SCALES[:1]
        size = (self.width, self.height)
        fitting = (scale for scale in scales if fits(*size, self.bytes_per_pixel(scale), file_bytes, scale))
        scale = next(fitting, scales[0])
        check_size(*size, self.bytes_per_pixel(scale), file_bytes, scale)
        return scale

    def check(self) -> None:
        """Refuse what no decoder here reads. Raises UnreadableImage."""
        if self.process in _LOSSLESS_OR_HIERARCHICAL:
            raise UnreadableImage("a lossless or hierarchical JPEG, which is not read; save it as PNG")
        if self.precision != 8:
            raise UnreadableImage(f"a JPEG of {self.precision} bits, which is not read; save it as PNG or TIFF")


def read_header(data: bytes) -> JpegHeader | None:
    """Read the markers up to the first scan; None where this is not a JPEG file or its header is damaged."""
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    frame: tuple[int, int, int, float, int, int] | None = None
    exif: int | None = None
    xmp: int | None = None
    first_words: dict[int, int] = {}
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
            samples = _samples(data[position + 10 : position + 2 + length])
            frame = (width, height, components, samples, precision, marker)
        elif marker == 0xE1 and data.startswith(b"Exif\0\0", position + 4):
            exif = orientation.from_exif(data[position + 4 : position + 2 + length])
        elif marker == 0xE1 and data.startswith(b"http://ns.adobe.com/xap", position + 4):
            xmp = orientation.from_xmp(data[position + 4 : position + 2 + length])
        elif marker == 0xC4:
            first_words |= _first_words(data[position + 4 : position + 2 + length])
        position += 2 + length
    if frame is None:
        return None
    return JpegHeader(
        *frame,
        orientation=exif or xmp or 1,
        is_complete=data.rfind(_END, position) >= 0,  # from behind, where it is
        scan=position,
        zeros_are_damage=frame[5] in (0xC0, 0xC1)
        and _zeros_are_damage(data[position : position + 8], frame[2], first_words),
    )


def _samples(components: bytes) -> float:
    """Samples for a pixel, by the sampling factors in the frame's component entries of three bytes each."""
    factors = [(byte >> 4, byte & 15) for byte in components[1::3]]
    most = max((across for across, _ in factors), default=0) * max((down for _, down in factors), default=0)
    return sum(across * down for across, down in factors) / most if most else float(len(factors))


def _first_words(tables: bytes) -> dict[int, int]:
    """What the first code word, of zero bits alone, means in each table of a DHT segment, by class and number."""
    found: dict[int, int] = {}
    position = 0
    while position + 18 <= len(tables):
        found[tables[position]] = tables[position + 17]
        position += 17 + sum(tables[position + 1 : position + 17])
    return found


def _zeros_are_damage(scan: bytes, components: int, first_words: dict[int, int]) -> bool:
    if len(scan) < 7 or scan[4] != components:  # a component a scan: each has a code of its own
        return False
    dc, ac = scan[6] >> 4, 0x10 | scan[6] & 15  # of the first component
    return first_words.get(dc, 0) != 0 or first_words.get(ac, 0) != 0


def decode(data: bytes, header: JpegHeader, scale: int = 1) -> np.ndarray | None:
    """The pixels of an ordinary file as stored, uint8 (H / scale, W / scale, 1 or 3); None where OpenCV declines."""
    is_grey = header.components == 1
    if scale == 1 and not is_grey and _RGB is not None:
        return _imdecode(data, _RGB)
    grey, colour = _REDUCED.get(scale, (cv2.IMREAD_GRAYSCALE, cv2.IMREAD_COLOR))
    image = _imdecode(data, grey if is_grey else colour)
    if image is None:
        return None
    return image[..., None] if is_grey else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def skim(data: bytes) -> None:
    """Decode without keeping the pixels, at an eighth of the size, to hear what libjpeg says of the file."""
    _imdecode(data, cv2.IMREAD_REDUCED_GRAYSCALE_8)


def damage(data: bytes, header: JpegHeader, said: str) -> str | None:
    """What is wrong with a file that libjpeg decoded, saying `said`; None for a sound one.

    Every complaint about the coded data counts, but for padding before the end mark, which is not shown. A marker that
    cannot stand there passes without one behind the last row. Zeroed blocks, of a failing disk or a broken-off copy,
    pass one time in three without a complaint, as the decoder finds its way back; they are found by the zeros
    themselves, where the file's code gives them no meaning.
    """
    stop = _STOP.search(data, header.scan)
    strange = None if stop is None or stop[0] == _END else stop[0][1]
    end = stop.start() if stop is not None and strange is None else data.find(_END, header.scan)
    for line in said.splitlines():
        left_over = _LEFT_OVER.fullmatch(line)
        if left_over:
            count = int(left_over[1])
            if count <= _FEW or len(set(data[end - count : end])) == 1:
                end -= count + _READ_AHEAD
                continue
        if _DAMAGE.fullmatch(line):
            return "truncated" if line.startswith("Premature end") else f"damaged: {line.split(': ')[-1]}"
    if strange == 0xD8:
        return "truncated: another JPEG begins before it ends"
    if strange is not None:
        return f"damaged: a marker {strange:#04x}"
    if header.zeros_are_damage and data.find(_ZERO_RUN, header.scan, end) >= 0:
        return "damaged: a run of zeros in the coded data"
    return None


def _imdecode(data: bytes, flags: int) -> np.ndarray | None:
    try:
        return cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
