"""The boxes of a HEIF file (ISO/IEC 14496-12 and 23008-12): whose file it is, and whether its picture is turned."""

from __future__ import annotations

import struct
from collections.abc import Iterator

#: Brands of files that hold pictures coded by HEVC, alone and in sequences.
HEVC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
#: Brands of the container, whatever codes the picture.
CONTAINER_BRANDS = (b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")

Span = tuple[int, int]


def is_heif(data: bytes) -> bool:
    """Whether content is a HEIF file by its brands; with AVIF's among them it is AVIF's."""
    if data[4:8] != b"ftyp":
        return False
    main = data[8:12]
    end = min(int.from_bytes(data[:4], "big"), len(data))
    others = [data[place : place + 4] for place in range(16, end - 3, 4)]
    return main in HEVC_BRANDS or (main in CONTAINER_BRANDS and not any(brand in _AVIF_BRANDS for brand in others))


def is_turned(data: bytes) -> bool:
    """Whether the primary picture is shown turned or mirrored; False where the boxes make no sense."""
    try:
        meta = _by_kind(data, _after_version(_by_kind(data, (0, len(data)))[b"meta"]))
        properties = _by_kind(data, meta[b"iprp"])
        kinds = list(_boxes(data, properties[b"ipco"]))
        for number in _properties_of(data, properties[b"ipma"], _primary(data, meta[b"pitm"])):
            kind, (start, _) = kinds[number - 1]
            if kind == b"imir" or (kind == b"irot" and data[start] & 3):
                return True
    except (KeyError, IndexError, struct.error):
        pass
    return False


def _boxes(data: bytes, span: Span) -> Iterator[tuple[bytes, Span]]:
    """The kind of each box in a span, and where its content lies."""
    place, end = span
    while place + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, place)
        header = 8
        if size == 1:
            (size,), header = struct.unpack_from(">Q", data, place + 8), 16
        elif size == 0:  # up to the end
            size = end - place
        if size < header or place + size > end:
            return
        yield kind, (place + header, place + size)
        place += size


def _by_kind(data: bytes, span: Span) -> dict[bytes, Span]:
    return dict(_boxes(data, span))


def _after_version(span: Span) -> Span:
    return span[0] + 4, span[1]


def _primary(data: bytes, span: Span) -> int:
    """The number of the picture that is shown."""
    return int(struct.unpack_from(">I" if data[span[0]] else ">H", data, span[0] + 4)[0])


def _properties_of(data: bytes, span: Span, item: int) -> Iterator[int]:
    """The places, from 1, of a picture's properties among all properties."""
    place = span[0]
    wide_items, wide_places = data[place] > 0, data[place + 3] & 1
    (entries,) = struct.unpack_from(">I", data, place + 4)
    place += 8
    for _ in range(entries):
        (number,) = struct.unpack_from(">I" if wide_items else ">H", data, place)
        place += 4 if wide_items else 2
        count = data[place]
        place += 1
        for _ in range(count):
            (value,) = struct.unpack_from(">H" if wide_places else ">B", data, place)
            place += 2 if wide_places else 1
            if number == item:
                yield value & (0x7FFF if wide_places else 0x7F)  # the topmost bit: must be understood
