"""The pages of a TIFF file (TIFF 6.0, 1992; BigTIFF): what the tags say of each, read without decoding."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from striate.data.tiff_tags import Tags, demand_needed, read_tags
from striate.data.unreadable import UnreadableImage

_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MOST_PAGES = 4096
_DAMAGE = re.compile(r"^(?:\w+Decode|JPEGLib|JPEGPreDecode): (?!Warning)(.*?)\.?$", re.MULTILINE)

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
_COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3}
_UNSIGNED = 1
_KINDS = {_UNSIGNED: "u", 2: "i", 3: "f", 4: "u"}  # of SampleFormat; 4 is "undefined", to be read as unsigned
_PREDICTED = (5, 8, 32946, 34925, 50000)  # LZW, Deflate, LZMA, Zstandard: the others pass a predictor over
_ALPHA = (1, 2)  # of ExtraSamples: multiplied into the colour, and not
_EXTRA = {0, *_ALPHA, 999}  # "unspecified", and what an old drawing program wrote for it


@dataclass(frozen=True)
class Page:
    """One image of the file.

    Attributes:
        order: "<" or ">", the byte order of numbers and samples.
        width: pixels; likewise `height`.
        bits: of each sample.
        samples: per pixel, extra ones among them.
        photometric: what the samples mean (one of the constants here), or another number.
        kind: "u" unsigned, "i" signed, "f" floating point.
        extra: the meaning of each sample beyond the colour, 0 where none is told.
        compression: the number in the file; likewise `fill_order`.
        predictor: likewise, 1 (none) where the compression has none.
        planar: each band lies by itself.
        chunk: (height, width) of a strip or tile.
        offsets: where each chunk begins; `counts` their bytes.
        colours: palette (3, 2 ** bits), 16 bits, or None.
        orientation: tag 274.
        subsampling: of the chroma, (2, 2) where the file does not say.
        number: which directory of the file it is, from 0, reduced copies and masks counted.
    """

    order: str
    width: int
    height: int
    bits: int
    samples: int
    photometric: int
    kind: str
    extra: tuple[int, ...]
    compression: int
    predictor: int
    fill_order: int
    planar: bool
    chunk: tuple[int, int]
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    colours: np.ndarray | None
    orientation: Any
    subsampling: tuple[int, ...]
    number: int = 0

    @property
    def alpha(self) -> int | None:
        """What kind of alpha the one extra sample is (1 multiplied into the colour, 2 not); None for another."""
        return self.extra[0] if len(self.extra) == 1 and self.extra[0] in _ALPHA else None

    @property
    def chunks(self) -> tuple[int, int, int]:
        """How many strips or tiles there must be: planes of samples, rows of chunks, chunks side by side."""
        across, down = -(-self.width // self.chunk[1]), -(-self.height // self.chunk[0])
        return self.samples if self.planar else 1, down, across

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of a strip or tile, unpacked."""
        return -(-self.chunk[1] * (1 if self.planar else self.samples) * self.bits // 8)

    @property
    def bit_depth(self) -> str:
        """Bits of a sample, as `Decoded.bit_depth` spells them."""
        return f"float{self.bits}" if self.kind == "f" else str(self.bits)

    @property
    def bytes_per_pixel(self) -> float:
        """Memory that decoding takes: the bands, and the samples of one strip or tile row in three forms."""
        rows = min(self.chunk[0], self.height) if self.compression != 1 or self.planar else 1
        return self.bands + 3 * self.samples * self.bits / 8 * rows / max(1, self.height)

    @property
    def bands(self) -> int:
        """Channels as they are shown: grey, RGB (of a palette, CMYK or YCbCr too), alpha, further bands."""
        colour = 1 if self.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO) else 3
        return colour + len(self.extra)


def is_tiff(data: bytes) -> bool:
    """Whether the content begins as TIFF files do."""
    return data[:4] in _STARTS


def damage(said: str) -> str | None:
    """What is wrong with a file of which libtiff said this; None for a sound one. Its warnings are of tags."""
    found = _DAMAGE.search(said)
    return f"damaged: {found[1]}" if found else None


def read_pages(data: bytes) -> list[Page]:
    """The pages of a TIFF file, without reduced copies and masks of others.

    Raises:
        UnreadableImage: the directory is damaged, or says what this reader does not know.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    pages: list[Page] = []
    visited: set[int] = set()
    try:
        (position,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        while position and position not in visited and len(visited) < _MOST_PAGES:
            visited.add(position)
            tags, position = read_tags(data, position, order, big)
            if not int(tags.get(254, (0,))[0]) & 5:
                pages.append(replace(_page(tags, order), number=len(visited) - 1))
    except (UnreadableImage, struct.error, ValueError, KeyError, OverflowError) as error:
        if pages:  # the first is whole
            return pages
        if isinstance(error, UnreadableImage):
            raise
        raise UnreadableImage("damaged: the TIFF directory does not make sense") from error
    if not pages:
        raise UnreadableImage("a TIFF file without a page")
    return pages


def _page(tags: Tags, order: str) -> Page:
    def one(tag: int, default: int) -> int:
        return int(tags[tag][0]) if tag in tags else default

    demand_needed(tags)
    width, height, photometric, samples = one(256, 0), one(257, 0), one(262, 0), one(277, 1)
    depths = {int(depth) for depth in tags.get(258, (1,))[:samples]}
    formats = {int(kind) for kind in tags.get(339, (_UNSIGNED,))[:samples]}
    if len(depths) > 1 or len(formats) > 1:
        raise UnreadableImage("a TIFF file whose bands differ in depth; save them with one")
    bits, format = depths.pop(), formats.pop()
    if format not in _KINDS:
        raise UnreadableImage(f"a TIFF file of sample format {format}, which is not read; save it as integers")
    extra = [int(meaning) for meaning in tags.get(338, ())]
    missing = samples - _COLOURS.get(photometric, samples)
    if missing < 0:
        raise UnreadableImage(f"damaged: {samples} samples a pixel are too few for its colours")
    # Some writers say nothing of further samples; none does so where white is zero.
    unsaid = missing and not extra and photometric == WHITE_IS_ZERO
    if unsaid or len(extra) > missing or not set(extra) <= _EXTRA:
        raise UnreadableImage(f"damaged: {samples} samples a pixel are not what its colours and extra samples take")
    extra += [0] * (missing - len(extra))
    compression, tiled = one(259, 1), 322 in tags
    chunk = (one(323, height), one(322, width)) if tiled else (min(one(278, height), height), width)
    planar = one(284, 1) == 2 and samples > 1
    offsets = tuple(int(offset) for offset in tags[324 if 324 in tags else 273])
    counts = tuple(int(count) for count in tags.get(325 if 325 in tags else 279, ()))
    colours = tags[320].reshape(3, -1) if photometric == PALETTE and 320 in tags else None
    return Page(
        order=order,
        width=width,
        height=height,
        bits=bits,
        samples=samples,
        photometric=photometric,
        kind=_KINDS[format],
        extra=tuple(extra),
        compression=compression,
        predictor=one(317, 1) if compression in _PREDICTED else 1,
        fill_order=one(266, 1),
        planar=planar,
        chunk=chunk,
        offsets=offsets,
        counts=counts,
        colours=colours,
        orientation=tags[274][0] if 274 in tags else 1,
        subsampling=tuple(int(factor) for factor in tags.get(530, (2, 2))),
    )
