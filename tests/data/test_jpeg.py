"""Damage in the coded data of JPEG files, which decoders fill with grey: named, and never printed."""

import ctypes
import io
import os
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from striate.data import jpeg
from striate.data import listen as listening
from striate.data.decode import SHRUNK, UnreadableImage, decode, inspect
from striate.data.listen import listen


def photo(mode: str = "RGB", size: tuple[int, int] = (160, 120), **options) -> bytes:
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    planes = np.stack([127 + 90 * np.sin(x / (7 + c)) * np.cos(y / (9 + c)) for c in range(3)], axis=2)
    noise = np.random.default_rng(0).normal(0, 10, planes.shape)
    stream = io.BytesIO()
    Image.fromarray(np.clip(planes + noise, 0, 255).astype(np.uint8)).convert(mode).save(stream, "JPEG", **options)
    return stream.getvalue()


def middle(data: bytes) -> int:
    scan = jpeg.read_header(data).scan
    return scan + (len(data) - scan) // 2


def damaged(data: bytes) -> dict[str, bytes]:
    at = middle(data)
    return {
        "cut, then an end mark": data[:at] + b"\xff\xd9",
        "zeroed": data[:at] + bytes(600) + data[at + 600 :],
        "lost bytes": data[:at] + data[at + 700 :],
        "two files joined": data[:at] + data,
        "cut": data[:at],
        "other bytes inside": data[:at] + bytes(range(1, 200)) * 3 + data[at:],
    }


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"restart_marker_blocks": 4}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_damage_in_the_middle_is_named(mode, options, capfd):
    data = photo(mode, **options)
    decode(data)
    for kind, content in damaged(data).items():
        if kind == "zeroed" and "progressive" in options:
            continue  # zeros mean "nothing here" in some of its scans, and the decoder may find its way back
        with pytest.raises(UnreadableImage) as caught:
            decode(content)
        assert caught.value.reason.startswith(("damaged: ", "truncated")), kind
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("orientation", [1, 6])
def test_damage_of_a_turned_picture_is_named(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = photo(exif=exif)
    assert ("rotated" in inspect(data).remarks) == (orientation == 6)
    with pytest.raises(UnreadableImage, match="premature end of data segment"):
        decode(data[: middle(data)] + b"\xff\xd9")


def test_padding_before_the_end_mark_is_harmless():
    data = photo()
    expected = decode(data)
    for padding in (b"\x7f\x7f", bytes(7), bytes(300), b"\x55" * 90):
        np.testing.assert_array_equal(decode(data[:-2] + padding + b"\xff\xd9"), expected)
    with pytest.raises(UnreadableImage, match="extraneous bytes"):
        decode(data[:-2] + bytes(range(1, 200)) + b"\xff\xd9")


def test_what_follows_the_end_mark_is_harmless():
    data = photo()
    for trailer in (b"of a camera", data[:400], bytes(100)):
        np.testing.assert_array_equal(decode(data + trailer), decode(data))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "truncated: another JPEG begins before it ends"),
        ({"restart_marker_blocks": 3}, "truncated: another JPEG begins before it ends"),
        ({"progressive": True}, "damaged: broken data stream when reading image file"),  # OpenCV declines
    ],
)
def test_a_picture_that_another_one_follows_before_its_end_is_truncated(options, words):
    data = photo(**options)
    for lost in (1, 2):
        joined = data[:-lost] + data
        with pytest.raises(OSError, match="broken data stream"):
            Image.open(io.BytesIO(joined)).load()
        with pytest.raises(UnreadableImage, match=f"^{words}$"):
            decode(joined)


@pytest.mark.parametrize("code", [0x01, 0x2B, 0xBF])
def test_a_marker_that_cannot_stand_there_is_damage_behind_the_last_row_too(code):
    data = photo()
    with pytest.raises(UnreadableImage, match=f"^damaged: a marker 0x{code:02x}$"):
        decode(data[:-2] + bytes([0xFF, code]) + data[-2:])
    for fill in (b"\xff", b"\xff\xff", b"\xff\0"):  # fill bytes, and a stuffed one
        np.testing.assert_array_equal(decode(data[:-2] + fill + data[-2:]), decode(data))


def test_a_zeroed_block_is_found_where_the_decoder_does_not_complain():
    data = photo(size=(320, 240))
    header = jpeg.read_header(data)
    silent = 0
    for start in range(header.scan + 100, len(data) - 200, 61):
        content = data[:start] + bytes(96) + data[start + 96 :]
        said = listen(lambda content=content: jpeg.decode(content, header))[1]
        silent += not said
        assert jpeg.damage(content, header, said)
    assert silent


def test_flat_pictures_are_sound_though_their_code_is_full_of_zeros():
    for mode, colour in (("L", 128), ("RGB", (20, 90, 200))):
        for options in ({}, {"optimize": True}, {"progressive": True}):
            stream = io.BytesIO()
            Image.new(mode, (800, 600), colour).save(stream, "JPEG", **options)
            assert np.ptp(decode(stream.getvalue(), None).astype(int), axis=(0, 1)).max() <= 1


def test_other_precisions_and_processes_are_refused_by_name():
    data = bytearray(photo("L"))
    frame = data.index(b"\xff\xc0")
    data[frame + 4] = 12
    with pytest.raises(UnreadableImage, match="JPEG of 12 bits"):
        decode(bytes(data))
    data[frame + 1] = 0xC3
    with pytest.raises(UnreadableImage, match="lossless"):
        decode(bytes(data))


def test_threads_tell_whose_damage_it_is(capfd):
    sound = photo(size=(320, 240))
    content = [sound, sound[: middle(sound)] + b"\xff\xd9"] * 60

    def refused(data: bytes) -> bool:
        try:
            decode(data)
        except UnreadableImage:
            return True
        return False

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(refused, content)) == [False, True] * 60
    assert capfd.readouterr() == ("", "")


def test_what_others_print_still_reaches_the_terminal(capfd):
    half = photo()
    half = half[: middle(half)] + b"\xff\xd9"
    libc = ctypes.CDLL(None)
    with pytest.raises(UnreadableImage):
        decode(half)
    libc.perror(b"said by C")
    os.write(2, b"said by Python\n")
    said = capfd.readouterr().err
    assert "said by C" in said
    assert "said by Python" in said
    assert "Corrupt" not in said


def test_where_the_variable_cannot_be_set_the_descriptor_is_turned(monkeypatch, capfd):
    monkeypatch.setattr(listening, "_stderr_variable", lambda: "")
    monkeypatch.setattr(listening, "_ear", listening._Ear())
    half = photo()
    half = half[: middle(half)] + b"\xff\xd9"
    with pytest.raises(UnreadableImage, match="premature end"):
        decode(half)
    assert isinstance(listening._ear.output, listening._Descriptor)
    os.write(2, b"said afterwards\n")
    assert capfd.readouterr().err == "said afterwards\n"


def test_a_forked_child_hears_too():
    half = photo()
    half = half[: middle(half)] + b"\xff\xd9"
    with pytest.raises(UnreadableImage):
        decode(half)
    child = os.fork()
    if child == 0:
        try:
            decode(half)
        except UnreadableImage:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_file_without_its_end_mark_is_no_ordinary_one():
    data = photo()
    assert jpeg.read_header(data).is_ordinary
    assert not jpeg.read_header(data[:-2]).is_ordinary


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(("side", "shrunk_to"), [(900, 900), (1100, 550), (1400, 700)])
def test_a_picture_too_large_for_the_memory_is_decoded_smaller(mode, side, shrunk_to, monkeypatch):
    data = photo(mode, (side, side - 100), quality=90)
    whole = decode(data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_200_000 if mode == "RGB" else 1_000_000)
    found = inspect(data, None)
    assert found.image.shape == (round((side - 100) * shrunk_to / side), shrunk_to, 3 if mode == "RGB" else 1)
    assert (SHRUNK in found.remarks) == (shrunk_to < side)
    if shrunk_to < side:
        averaged = whole.reshape(found.image.shape[0], 2, shrunk_to, 2, 3).mean((1, 3))
        assert np.abs(averaged - found.image).mean() < 3


def test_a_picture_of_more_than_twice_the_pixels_is_refused_at_any_size(monkeypatch):
    data = photo(size=(1000, 1000))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 499_000)
    with pytest.raises(UnreadableImage, match="not safe to open"):
        decode(data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500_000)
    assert decode(data).shape == (500, 500, 3)


def test_the_coefficients_of_a_progressive_picture_count_with_its_sampling():
    for subsampling, samples in (("4:4:4", 3), ("4:2:2", 2), ("4:2:0", 1.5)):
        header = jpeg.read_header(photo(progressive=True, subsampling=subsampling))
        assert header.samples == samples
        assert header.bytes_per_pixel(1) == 5 + 2 * samples
        assert header.bytes_per_pixel(2) == 5 / 4 + 2 * samples


def test_damage_is_heard_at_a_fraction_of_the_size(monkeypatch):
    data = photo(size=(1000, 900))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500_000)
    assert decode(data).shape == (450, 500, 3)
    with pytest.raises(UnreadableImage, match="damaged"):
        decode(damaged(data)["lost bytes"])


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def frame(process: int = 0xC0, factors: tuple[int, ...] = (0x22, 0x11, 0x11), precision: int = 8) -> bytes:
    """40 x 30 pixels of as many components as there are sampling factors (T.81, B.2.2)."""
    entries = b"".join(bytes([number + 1, factor, 0]) for number, factor in enumerate(factors))
    return segment(process, struct.pack(">BHHB", precision, 30, 40, len(factors)) + entries)


def tables(*tables: tuple[int, int, int]) -> bytes:
    """A DHT segment: of each table class and number, its first word's meaning, and how many words more (B.2.4.2)."""
    content = b""
    for number, first, more in tables:
        content += bytes([number, 1, more, *[0] * 14, first, *range(1, more + 1)])
    return segment(0xC4, content)


def scan(components: int = 3, selector: int = 0x00, end: bytes = b"\xff\xd9") -> bytes:
    entries = bytes([1, selector]) + b"".join(bytes([n + 2, 0x11]) for n in range(components - 1))
    return segment(0xDA, bytes([components]) + entries + b"\0\x3f\0") + b"coded" + end


def header(*parts: bytes) -> jpeg.JpegHeader | None:
    return jpeg.read_header(b"\xff\xd8" + b"".join(parts))


FRAMES = [0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF]
READ = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive", 0xC9: "arithmetic", 0xCA: "progressive, arithmetic"}


@pytest.mark.parametrize("process", FRAMES)
def test_every_process_is_known_and_refused_where_nobody_reads_it(process):
    found = header(segment(0xE0, b"JFIF\0"), frame(process), scan())
    assert (found.width, found.height, found.components, found.precision) == (40, 30, 3, 8)
    assert (found.process, found.samples, found.orientation, found.is_complete) == (process, 1.5, 1, True)
    assert found.is_ordinary == (process in (0xC0, 0xC1, 0xC2))
    coefficients = 0 if process in (0xC0, 0xC1, 0xC9) else 3
    assert found.bytes_per_pixel() == 5 + coefficients
    if process in READ:
        found.check()
        with pytest.raises(UnreadableImage) as caught:
            header(frame(process, precision=12), scan()).check()
        assert caught.value.reason == "a JPEG of 12 bits, which is not read; save it as PNG or TIFF"
    else:
        with pytest.raises(UnreadableImage) as caught:
            found.check()
        assert caught.value.reason == "a lossless or hierarchical JPEG, which is not read; save it as PNG"


def test_what_stands_before_the_scan_is_passed_over():
    before = b"".join(
        [
            segment(0xE0, b"JFIF\0" + bytes(9)),
            *(bytes([0xFF, marker]) for marker in (0x01, *range(0xD0, 0xD9))),
            b"\xff\xff\xff",
            segment(0xFE, b"a remark with \xff\xc0 in it"),
            segment(0xC8, bytes(20)),
            segment(0xCC, bytes(20)),
            segment(0xC4, b""),
            segment(0xC0, bytes(5)),  # too short to be a frame
        ]
    )
    found = header(before, frame(), segment(0xFE, b""), scan())
    assert (found.width, found.height) == (40, 30)
    assert found.scan == 2 + len(before) + len(frame()) + 4
    assert header(before, frame(), b"\xff\xd9").scan == 2 + len(before) + len(frame())
    assert not header(frame(), scan(end=b"\xff")).is_complete
    assert header(frame(0xC0, (0x11,)), frame(0xC2), scan()).process == 0xC2  # the last one counts


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8\xfe" + frame() + scan(),
        b"\xff\xd8" + scan(),
        b"\xff\xd8" + frame() + b"?" + scan(),
        b"\xff\xd8" + frame() + b"\xff\xe0\0\1" + scan(),
        b"\xff\xd8" + frame() + b"\xff\xe0\xff\0" + scan(),
        b"\xff\xd8" + frame()[:-1],
    ],
)
def test_a_header_that_makes_no_sense_is_none(data):
    assert jpeg.read_header(data) is None


def test_a_segment_may_be_empty_or_reach_to_the_end():
    assert header(frame(), b"\xff\xe0\0\2", scan()).width == 40
    assert header(frame()).scan == 2 + len(frame())
    assert header(frame(), segment(0xFE, b"to the end")).height == 30


def tagged(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


#: EXIF whose orientation is a floating-point number in the last bytes.
AT_ITS_END = b"Exif\0\0II*\0\x08\0\0\0\1\0" + struct.pack("<HHIII", 0x0112, 12, 1, 26, 0) + struct.pack("<d", 6)


def xmp(orientation: int) -> bytes:
    return b"http://ns.adobe.com/xap/1.0/\0" + b'<a tiff:Orientation="%d"/>' % orientation


@pytest.mark.parametrize(
    ("segments", "orientation"),
    [
        ([(0xE1, tagged(6))], 6),
        ([(0xE1, xmp(8))], 8),
        ([(0xE1, xmp(8)), (0xE1, tagged(3))], 3),
        ([(0xE1, tagged(3)), (0xE1, xmp(8))], 3),
        ([(0xE2, tagged(6)), (0xED, xmp(8))], 1),
        ([(0xE1, AT_ITS_END)], 6),
        ([(0xE1, b"Exif\0\0 damaged"), (0xE1, xmp(5))], 5),
        ([(0xE1, b"Exif"), (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + xmp(5)[29:])], 1),
        ([(0xE1, b"other " + tagged(6))], 1),
    ],
)
def test_the_orientation_is_that_of_exif_else_of_xmp(segments, orientation):
    parts = [segment(marker, content) for marker, content in segments]
    found = header(*parts, frame(), scan())
    assert found.orientation == orientation
    assert found.bytes_per_pixel() == (5 if orientation == 1 else 8)
    assert header(frame(), *parts, scan()).orientation == orientation


@pytest.mark.parametrize(
    ("factors", "samples"),
    [
        ((0x11,), 1),
        ((0x22,), 1),
        ((0x11, 0x11, 0x11), 3),
        ((0x21, 0x11, 0x11), 2),
        ((0x12, 0x11, 0x11), 2),
        ((0x22, 0x11, 0x11), 1.5),
        ((0x41, 0x11, 0x11), 1.5),
        ((0x22, 0x21, 0x11), 1.75),
        ((0x21, 0x12, 0x11), 1.25),  # a unit of 2 x 2 pixels has 2 + 2 + 1 samples
        ((0x22, 0x11, 0x11, 0x22), 2.5),
        ((0x00, 0x00, 0x00), 3),
        ((0x20, 0x20), 2),
    ],
)
def test_the_samples_of_a_pixel_follow_from_the_factors(factors, samples):
    found = header(frame(0xC2, factors), scan())
    assert found.samples == samples
    assert found.components == len(factors)
    assert found.is_ordinary == (len(factors) in (1, 3))


@pytest.mark.parametrize(
    ("process", "huffman", "selector", "damage"),
    [
        (0xC0, [(0x00, 0, 5), (0x10, 0, 9)], 0x00, False),
        (0xC0, [(0x00, 4, 5), (0x10, 0, 9)], 0x00, True),
        (0xC0, [(0x00, 0, 5), (0x10, 1, 9)], 0x00, True),
        (0xC1, [(0x00, 0, 5), (0x10, 1, 9)], 0x00, True),
        (0xC0, [(0x10, 0, 3), (0x00, 4, 0)], 0x00, True),
        (0xC2, [(0x00, 4, 5), (0x10, 1, 9)], 0x00, False),
        (0xC9, [(0x00, 4, 5), (0x10, 1, 9)], 0x00, False),
        # the first component's own tables count: of direct current the high digit, of the others the low one
        (0xC0, [(0x00, 4, 0), (0x10, 1, 3), (0x01, 0, 2), (0x12, 0, 1)], 0x12, False),
        (0xC0, [(0x00, 0, 0), (0x10, 0, 3), (0x01, 7, 2), (0x12, 0, 1)], 0x12, True),
        (0xC0, [(0x00, 0, 0), (0x10, 0, 3), (0x01, 0, 2), (0x12, 7, 1)], 0x12, True),
        (0xC0, [(0x01, 7, 2), (0x12, 7, 1)], 0x00, False),  # of tables that are not there nothing is known
    ],
)
def test_zeros_are_damage_where_the_code_gives_them_no_meaning(process, huffman, selector, damage):
    assert header(frame(process), tables(*huffman), scan(selector=selector)).zeros_are_damage == damage
    one_by_one = [tables(table) for table in huffman]
    assert header(frame(process), *one_by_one, scan(selector=selector)).zeros_are_damage == damage
    assert not header(frame(process), tables(*huffman), scan(1, selector)).zeros_are_damage
    assert not header(frame(process), tables(*huffman), b"\xff\xda\0\x08\3\1").zeros_are_damage


def complaint(text: str, coded: bytes, zeros_are_damage: bool = False) -> str | None:
    """What `damage` says of coded data between a header of 40 bytes and the end mark, where libjpeg says `text`."""
    found = jpeg.JpegHeader(40, 30, 3, 3.0, 8, 0xC0, 1, True, 40, zeros_are_damage)
    return jpeg.damage(bytes(38) + b"\xff\xd9" + coded + b"\xff\xd9" + bytes(99), found, text)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", None),
        ("Corrupt JPEG data: premature end of data segment", "damaged: premature end of data segment"),
        ("Corrupt JPEG data: 3 extraneous bytes before marker 0xd5", "damaged: 3 extraneous bytes before marker 0xd5"),
        ("Corrupt JPEG data: bad Huffman code", "damaged: bad Huffman code"),
        ("Premature end of JPEG file", "truncated"),
        ("Inconsistent progression sequence for component 0", "damaged: Inconsistent progression sequence for"),
        ("Invalid SOS parameters for sequential JPEG", "damaged: Invalid SOS parameters for sequential JPEG"),
        ("Unsupported marker type 0x3a", "damaged: Unsupported marker type 0x3a"),
        ("Warning: unknown Adobe color transform code 7", None),
        ("Of a JPEG: Corrupt JPEG data", None),
        ("Warning: of a tag\nCorrupt JPEG data: bad Huffman code\n", "damaged: bad Huffman code"),
        ("Corrupt JPEG data: 8 extraneous bytes before marker 0xd9", None),
        ("Corrupt JPEG data: 9 extraneous bytes before marker 0xd9", "damaged: 9 extraneous bytes before marker 0xd9"),
        ("Corrupt JPEG data: 8 extraneous bytes before marker 0xd9\nPremature end of JPEG file", "truncated"),
    ],
)
def test_every_complaint_of_the_coded_data_counts_but_for_padding(said, words):
    found = complaint(said, bytes(range(1, 100)))
    assert (found is None) if words is None else found.startswith(words)


def test_padding_may_be_long_where_it_is_of_one_kind():
    said = "Corrupt JPEG data: 50 extraneous bytes before marker 0xd9"
    assert complaint(said, bytes(range(1, 100)) + b"\x55" * 50) is None
    assert complaint(said, bytes(range(1, 100)) + b"\x55" * 49) == "damaged: 50 extraneous bytes before marker 0xd9"


def test_a_run_of_zeros_counts_only_inside_the_coded_data():
    coded, words = bytes(range(1, 100)), "damaged: a run of zeros in the coded data"
    assert complaint("", coded + bytes(64) + coded, True) == words
    assert complaint("", bytes(64) + coded, True) == words
    assert complaint("", coded + bytes(64), True) == words
    assert complaint("", coded + bytes(63) + coded, True) is None
    assert complaint("", coded + bytes(64) + coded, False) is None
    assert complaint("", coded, True) is None  # though there are zeros before and behind it
    said = "Corrupt JPEG data: 70 extraneous bytes before marker 0xd9"
    assert complaint(said, coded + bytes(70), True) is None
    assert complaint(said, coded + bytes(8 + 70), True) is None  # the decoder reads ahead
    assert complaint(said, coded + bytes(64 + 8 + 70), True) == words


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_older_opencv_gives_the_same_colours(mode, monkeypatch):
    data = photo(mode, (48, 32))
    expected = decode(data, None)
    monkeypatch.setattr(jpeg, "_RGB", None)
    found = jpeg.decode(data, jpeg.read_header(data))
    np.testing.assert_array_equal(found, expected)
    assert found.shape == (32, 48, 3 if mode == "RGB" else 1)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("scale", jpeg.SCALES)
def test_what_opencv_declines_is_none_and_no_error(mode, scale):
    header = jpeg.read_header(photo(mode, (48, 32)))
    for data in (b"", b"no picture"):
        assert jpeg.decode(data, header, scale) is None
        jpeg.skim(data)
