"""Directories of TIFF files laid out byte by byte (TIFF 6.0, section 2), sound ones and damaged ones."""

import struct

import numpy as np
import pytest

from striate.data.tiff_tags import demand_needed, read_tags
from striate.data.unreadable import UnreadableImage

BYTE, SHORT, LONG, SBYTE, UNDEFINED, SSHORT, SLONG, FLOAT, DOUBLE, IFD, LONG8, SLONG8, IFD8 = (
    *(1, 3, 4, 6, 7, 8, 9, 11, 12, 13, 16, 17, 18),
)
SIZES = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}


def entry(tag: int, kind: int, *numbers: int, order: str = "<", big: bool = False) -> bytes:
    """An entry whose values stand within it."""
    content = struct.pack(f"{order}{len(numbers)}{SIZES.get(kind, 'B')}", *numbers)
    count = struct.pack(order + ("Q" if big else "I"), len(numbers))
    return struct.pack(order + "HH", tag, kind) + count + content.ljust(8 if big else 4, b"\0")


def directory(*entries: bytes, order: str = "<", big: bool = False, following: int = 0) -> bytes:
    count = struct.pack(order + ("Q" if big else "H"), len(entries))
    return count + b"".join(entries) + struct.pack(order + ("Q" if big else "I"), following)


def refused(name: str, tag: int):
    words = rf"^damaged: the TIFF directory has no good {name} \(tag {tag}\)$"
    return pytest.raises(UnreadableImage, match=words)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [SHORT, LONG, SSHORT, SLONG, LONG8, SLONG8])
def test_whole_numbers_of_every_type_are_read(kind, order):
    for big in (False, True) if kind not in (LONG8, SLONG8) else (True,):
        data = b"before" + directory(entry(256, kind, 30, order=order, big=big), order=order, big=big, following=77)
        tags, following = read_tags(data, 6, order, big)
        assert {tag: values.tolist() for tag, values in tags.items()} == {256: [30]}
        assert following == 77


@pytest.mark.parametrize("order", "<>")
def test_values_without_room_in_the_entry_stand_elsewhere(order):
    pointing = struct.pack(order + "HHII", 273, SHORT, 3, 50)
    data = directory(pointing, order=order).ljust(50) + struct.pack(order + "3H", 7, 8, 9)
    tags, _ = read_tags(data, 0, order, False)
    assert tags[273].tolist() == [7, 8, 9]
    with refused("StripOffsets", 273):
        read_tags(data[:-1], 0, order, False)


@pytest.mark.parametrize("kind", [0, BYTE, SBYTE, UNDEFINED, FLOAT, DOUBLE, IFD, IFD8, 99, 259])
def test_sizes_of_other_types_are_damage_and_notes_of_other_types_are_not(kind):
    with refused("ImageWidth", 256):
        read_tags(directory(entry(256, kind, 0)), 0, "<", False)
    sound = entry(257, SHORT, 40)
    tags, _ = read_tags(directory(sound, entry(700, kind, 0)), 0, "<", False)
    assert tags[257] == 40


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        (256, "ImageWidth"),
        (257, "ImageLength"),
        (258, "BitsPerSample"),
        (259, "Compression"),
        (262, "PhotometricInterpretation"),
        (266, "FillOrder"),
        (273, "StripOffsets"),
        (277, "SamplesPerPixel"),
        (278, "RowsPerStrip"),
        (279, "StripByteCounts"),
        (284, "PlanarConfiguration"),
        (317, "Predictor"),
        (320, "ColorMap"),
        (322, "TileWidth"),
        (323, "TileLength"),
        (324, "TileOffsets"),
        (325, "TileByteCounts"),
        (338, "ExtraSamples"),
        (339, "SampleFormat"),
        (530, "YCbCrSubSampling"),
    ],
)
def test_a_default_never_takes_the_place_of_a_damaged_tag(tag, name):
    sound = entry(tag, SHORT, 1)
    tags, _ = read_tags(directory(sound), 0, "<", False)
    assert tags[tag] == 1
    twice, none, negative = (sound, sound), (entry(tag, SHORT),), (entry(tag, SSHORT, -1),)
    far = (struct.pack("<HHII", tag, SHORT, 1000, 8),)
    for damaged in (twice, none, negative, far):
        with refused(name, tag):
            read_tags(directory(*damaged), 0, "<", False)


@pytest.mark.parametrize("tag", [254, 274, 700, 34675])
def test_what_says_nothing_of_the_samples_may_be_damaged(tag):
    far = struct.pack("<HHII", tag, SHORT, 1000, 8)
    tags, _ = read_tags(directory(far, entry(tag, SHORT), entry(256, SHORT, 3)), 0, "<", False)
    assert list(tags) == [256]


def read(*entries: bytes):
    return read_tags(directory(*entries, big=True), 0, "<", True)[0]


def shorts(tag: int, *numbers: int) -> bytes:
    return entry(tag, SHORT, *numbers, big=True)


def test_each_tag_has_its_number_of_values():
    three, two, bits = shorts(277, 3), shorts(277, 2), shorts(258, 8, 8, 8)
    for entries in ((three, bits), (three, shorts(258, 8)), (two, bits), (shorts(277, 1), bits)):
        assert len(read(*entries)) == 2
    with refused("BitsPerSample", 258):
        read(three, shorts(258, 8, 8))
    for tag, name in ((259, "Compression"), (339, "SampleFormat")):
        read(two, shorts(tag, 1, 1))
        with refused(name, tag):
            read(three, shorts(tag, 1, 1))
    for tag, name in ((256, "ImageWidth"), (278, "RowsPerStrip"), (284, "PlanarConfiguration"), (317, "Predictor")):
        with refused(name, tag):
            read(three, shorts(tag, 1, 1, 1))


@pytest.mark.parametrize("tag", [254, 274, 700])
def test_notes_may_be_bytes_of_any_number(tag):
    assert read(entry(tag, BYTE, 1, 2, 3, big=True))[tag].tolist() == [1, 2, 3]


@pytest.mark.parametrize(("tag", "name"), [(266, "FillOrder"), (284, "PlanarConfiguration")])
def test_of_two_ways_there_is_no_third(tag, name):
    for value in (1, 2):
        assert read_tags(directory(entry(tag, SHORT, value)), 0, "<", False)[0][tag] == value
    for value in (0, 3, 513):
        with refused(name, tag):
            read_tags(directory(entry(tag, SHORT, value)), 0, "<", False)


def test_what_a_page_needs_is_asked_for():
    names = {256: "ImageWidth", 257: "ImageLength", 262: "PhotometricInterpretation", 273: "StripOffsets"}
    bit = {tag: shorts(tag, 1) for tag in names}
    tiles = {322: "TileWidth", 323: "TileLength", 324: "TileOffsets"}
    tiled = {tag: shorts(tag, 1) for tag in (256, 257, 262, *tiles)}
    bands = bit | {258: shorts(258, 8, 8), 277: shorts(277, 2)}
    palette = bit | {258: shorts(258, 1), 320: shorts(320, 1, 2, 3)}
    all_names = names | tiles | {258: "BitsPerSample", 277: "SamplesPerPixel"}
    for whole, needed in ((bit, bit), (tiled, tiled), (bands, bands), (palette, palette.keys() - {320})):
        demand_needed(read(*whole.values()))
        for tag in needed:
            tags = read(*(content for other, content in whole.items() if other != tag))
            with refused(all_names[tag], tag):
                demand_needed(tags)


def test_more_tags_than_any_file_has_are_not_read():
    data = directory(*(entry(1000 + number, SHORT, 1) for number in range(4096)))
    assert len(read_tags(data, 0, "<", False)[0]) == 4096
    with pytest.raises(ValueError, match="too many tags"):
        read_tags(directory(*[entry(1000, SHORT, 1)] * 4097), 0, "<", False)
    with pytest.raises(struct.error):
        read_tags(data[:-1], 0, "<", False)


def test_numbers_have_the_order_and_the_size_that_their_types_say():
    data = directory(entry(257, SHORT, 0x0102, order=">"), order=">")
    tags, _ = read_tags(data, 0, ">", False)
    assert tags[257].dtype == np.dtype(">u2")
    assert tags[257] == 0x0102
