"""Whose file it is, and whether its picture is turned, told from boxes put together here and from a real file's."""

import struct
from pathlib import Path

import pytest

from striate.data.heif_boxes import is_heif, is_turned

#: As pillow-heif wrote it: red beside blue, 20 x 12 pixels, to be turned a quarter clockwise (orientation 6).
TURNED = Path(__file__).with_name("turned.heic").read_bytes()


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def brands(main: bytes, *others: bytes) -> bytes:
    return box(b"ftyp", main + bytes(4) + b"".join(others))


@pytest.mark.parametrize("main", [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"])
def test_a_brand_of_hevc_is_enough(main):
    assert is_heif(brands(main))
    assert is_heif(brands(main, b"mif1", b"avif"))


@pytest.mark.parametrize("main", [b"mif1", b"msf1"])
def test_a_container_of_avif_is_avifs(main):
    assert is_heif(brands(main))
    assert is_heif(brands(main, b"heic"))
    assert is_heif(brands(main, b"miaf") + b"avif")  # behind the box
    for avif in (b"avif", b"avis"):
        assert not is_heif(brands(main, b"miaf", avif))
        assert not is_heif(brands(main, avif, b"heic"))


@pytest.mark.parametrize(
    "data", [b"", b"ftypheic", b"\0\0\0\x18FTYPheic", brands(b"avif"), brands(b"mp42"), b"\xff\xd8\xff\xe0ftyp"]
)
def test_other_content_is_no_heif(data):
    assert not is_heif(data)


def file(*properties: bytes, primary=2, places=(1,), wide=False, version=0, owner=None) -> bytes:
    """A HEIF file without pictures: the properties, and those by place that the primary picture has."""
    item = ">I" if version else ">H"
    pitm = box(b"pitm", bytes([version, 0, 0, 0]) + struct.pack(item, primary))
    entries = [(1, [1]), (primary if owner is None else owner, places)]
    table = bytes([version, 0, 0, wide]) + struct.pack(">I", len(entries))
    for number, own in entries:
        table += struct.pack(item, number) + bytes([len(own)])
        table += b"".join(struct.pack(">H", place | 0x8000) if wide else bytes([place | 0x80]) for place in own)
    iprp = box(b"iprp", box(b"ipco", b"".join(properties)) + box(b"ipma", table))
    return brands(b"heic", b"mif1") + box(b"meta", bytes(4) + box(b"hdlr", bytes(20)) + pitm + iprp)


SIZE, PLAIN = box(b"ispe", bytes(12)), box(b"irot", b"\0")


@pytest.mark.parametrize("form", [{}, {"wide": True}, {"version": 1}, {"version": 1, "wide": True, "primary": 70000}])
@pytest.mark.parametrize("angle", [0, 1, 2, 3])
def test_a_turn_counts_by_its_angle(angle, form):
    assert is_turned(file(SIZE, box(b"irot", bytes([angle])), places=(1, 2), **form)) == (angle > 0)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_mirror_counts_along_either_axis(axis):
    assert is_turned(file(SIZE, PLAIN, box(b"imir", bytes([axis])), places=(1, 2, 3)))


def test_only_the_primary_pictures_own_properties_count():
    turn = box(b"irot", b"\1")
    assert is_turned(file(SIZE, turn, places=(2,)))
    assert not is_turned(file(SIZE, turn, places=(1,)))
    assert not is_turned(file(SIZE, turn, places=(2,), owner=3))
    assert not is_turned(file(turn, SIZE, places=(2,)))  # that of picture 1, a thumbnail


def test_boxes_may_tell_their_size_in_eight_bytes_or_last_to_the_end():
    whole = file(box(b"irot", b"\1"))
    start = whole.index(b"meta") - 4
    meta = whole[start + 8 :]
    assert is_turned(whole[:start] + struct.pack(">I4sQ", 1, b"meta", 16 + len(meta)) + meta)
    assert is_turned(whole[:start] + struct.pack(">I4s", 0, b"meta") + meta)


def test_a_real_files_boxes_are_read():
    assert is_heif(TURNED)
    assert is_turned(TURNED)
    assert not is_turned(TURNED.replace(b"irot\3", b"irot\0"))


def test_boxes_that_make_no_sense_say_nothing():
    for length in range(len(TURNED)):
        assert is_turned(TURNED[:length]) in (False, True)
    for place in range(TURNED.index(b"mdat")):
        assert is_turned(TURNED[:place] + b"\xff" + TURNED[place + 1 :]) in (False, True)
    assert not is_turned(TURNED[: TURNED.index(b"ipma")])
    assert not is_turned(file(box(b"irot", b"\1"), places=(7,)))
    assert not is_turned(brands(b"heic") + struct.pack(">I4s", 4, b"meta"))
