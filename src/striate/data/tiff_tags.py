"""The numbers in a directory of a TIFF file (TIFF 6.0, 1992, section 2; BigTIFF), read without decoding.

A tag that says how the samples lie is never passed over: a default would hold in its place, and show another picture.
"""

from __future__ import annotations

import struct

import numpy as np

from striate.data.unreadable import UnreadableImage

Tags = dict[int, np.ndarray]

_TYPES = {1: "u1", 3: "u2", 4: "u4", 6: "i1", 7: "u1", 8: "i2", 9: "i4", 13: "u4", 16: "u8", 17: "i8", 18: "u8"}
_MOST_TAGS = 4096

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, SAMPLES, COLOURS = 256, 257, 258, 259, 262, 273, 277, 320
TILE_WIDTH, TILE_HEIGHT, TILES = 322, 323, 324
#: How the samples lie: names by tag. First those of one number, then those of one for each sample, then lists.
_SINGLE = {
    WIDTH: "ImageWidth",
    HEIGHT: "ImageLength",
    PHOTOMETRIC: "PhotometricInterpretation",
    266: "FillOrder",
    SAMPLES: "SamplesPerPixel",
    278: "RowsPerStrip",
    284: "PlanarConfiguration",
    317: "Predictor",
    TILE_WIDTH: "TileWidth",
    TILE_HEIGHT: "TileLength",
}
_PER_SAMPLE = {BITS: "BitsPerSample", COMPRESSION: "Compression", 339: "SampleFormat"}
_LISTS = {
    STRIPS: "StripOffsets",
    279: "StripByteCounts",
    COLOURS: "ColorMap",
    TILES: "TileOffsets",
    325: "TileByteCounts",
    338: "ExtraSamples",
    530: "YCbCrSubSampling",
}
#: Their types: integers of 2, 4 and 8 bytes. The standard lets them be bytes too; no writer makes them so.
_USUAL = (3, 4, 8, 9, 16, 17)
_NAMES = _SINGLE | _PER_SAMPLE | _LISTS
_MEANINGS = {266: (1, 2), 284: (1, 2)}


def read_tags(data: bytes, position: int, order: str, big: bool) -> tuple[Tags, int]:
    """The numeric tags of the directory at `position`, and where the next directory is (0: there is none).

    Args:
        data: the file.
        position: bytes from its begin.
        order: "<" or ">".
        big: whether it is a BigTIFF.

    Raises:
        UnreadableImage: a tag that says how the samples lie is damaged.
        struct.error: the directory is not in the file.
        ValueError: it has more tags than any.
    """
    count_format, entry_size, number = ("Q", 20, order + "Q") if big else ("H", 12, order + "I")
    (count,) = struct.unpack_from(order + count_format, data, position)
    if count > _MOST_TAGS:
        raise ValueError("too many tags")
    position += struct.calcsize(count_format)
    tags: Tags = {}
    for entry in range(position, position + count * entry_size, entry_size):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        values = _values(data, entry + 4, order, _TYPES[kind], number) if kind in _TYPES else None
        if tag in _NAMES and (tag in tags or values is None or kind not in _USUAL):
            raise _damaged(tag)
        if values is not None:
            tags[tag] = values
    (following,) = struct.unpack_from(number, data, position + count * entry_size)
    _check_values(tags)
    return tags, following


def demand_needed(tags: Tags) -> None:
    """Refuse a directory without what its page needs. Raises UnreadableImage."""
    needed = [WIDTH, HEIGHT, PHOTOMETRIC]
    several = SAMPLES in tags and int(tags[SAMPLES][0]) > 1
    needed += [BITS] if several or COLOURS in tags else []  # else one bit, as the standard has it
    needed += [SAMPLES] if len(tags.get(BITS, ())) > 1 else []
    tiles = (TILE_WIDTH, TILE_HEIGHT, TILES)
    needed += tiles if any(tag in tags for tag in tiles) else [STRIPS]
    for tag in needed:
        if tag not in tags:
            raise _damaged(tag)


def _values(data: bytes, where: int, order: str, type_: str, number: str) -> np.ndarray | None:
    """The values of an entry whose count is at `where`; None if there are none, or they are not in the file."""
    (length,) = struct.unpack_from(number, data, where)
    dtype, room = np.dtype(order + type_), struct.calcsize(number)
    where += room
    if length * dtype.itemsize > room:  # they stand elsewhere
        (where,) = struct.unpack_from(number, data, where)
    if length == 0 or where + length * dtype.itemsize > len(data):
        return None
    return np.frombuffer(data, dtype, length, where)


def _check_values(tags: Tags) -> None:
    """Refuse tags with other than their number of values, or with values that mean nothing."""
    samples = int(tags.get(SAMPLES, (1,))[0])
    for tag in tags.keys() & _NAMES:
        values = tags[tag]
        # One value may stand for all samples, and some writers give more than there are samples.
        as_many = tag in _LISTS or len(values) == 1 or (tag in _PER_SAMPLE and len(values) >= samples)
        if not as_many or values.min() < 0 or int(values[0]) not in _MEANINGS.get(tag, values):
            raise _damaged(tag)


def _damaged(tag: int) -> UnreadableImage:
    return UnreadableImage(f"damaged: the TIFF directory has no good {_NAMES[tag]} (tag {tag})")
