"""PNG files written here chunk by chunk (PNG, third edition), so that no library's reading is taken for the truth."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from striate.data import png as png_module
from striate.data.decode import UnreadableImage, decode, inspect

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(samples: np.ndarray, depth: int, colour_type: int, *more: tuple[bytes, bytes], after: bytes = b"") -> bytes:
    """A file of samples (H, W, S)."""
    rows = b""
    for row in samples.reshape(len(samples), -1):
        bits = "".join(f"{int(value):0{depth}b}" for value in row)
        bits += "0" * (-len(bits) % 8)
        rows += b"\0" + int(bits, 2).to_bytes(len(bits) // 8)
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, colour_type, 0, 0, 0)
    chunks = b"".join(chunk(kind, content) for kind, content in more)
    body = chunk(b"IHDR", header) + chunks + chunk(b"IDAT", zlib.compress(rows)) + after + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_grey_is_compared_at_the_files_depth(depth):
    most = 2**depth - 1
    samples = np.unique(np.linspace(0, most, 16).astype(int))[None, :, None]
    for value in samples.ravel():
        data = png(samples, depth, GREY, (b"tRNS", struct.pack(">H", value)))
        expected = [255 if v == value else (v * 255 + most // 2) // most for v in samples.ravel().tolist()]
        decoded = inspect(data, 1)
        assert decoded.image[0, :, 0].tolist() == expected
        assert (decoded.bit_depth, decoded.channels) == (str(depth), 2)
        assert decode(data, 4)[0, :, 3].tolist() == [0 if v == value else 255 for v in samples.ravel()]


def test_bits_above_the_depth_do_not_count():
    samples = np.arange(4)[None, :, None]
    assert decode(png(samples, 2, GREY, (b"tRNS", b"\xff\xf5")), 1)[0, :, 0].tolist() == [0, 255, 170, 255]


@pytest.mark.parametrize("depth", [8, 16])
def test_the_transparent_colour_must_match_in_every_bit(depth):
    colour = [0x12, 0x34, 0x56] if depth == 8 else [0x1234, 0x5678, 0x9ABC]
    near = [[value + (place == other) for place, value in enumerate(colour)] for other in range(3)]
    data = png(np.array([[colour, *near]]), depth, RGB, (b"tRNS", struct.pack(">3H", *colour)))
    assert decode(data, 4)[0, :, 3].tolist() == [0, 255, 255, 255]
    assert decode(data, 3)[0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_palettes_with_alpha(depth):
    count = 2**depth
    colours = np.random.default_rng(depth).integers(0, 256, (count, 3), dtype=np.uint8)
    alpha = np.random.default_rng(9).integers(0, 256, count, dtype=np.uint8)
    samples = np.arange(count)[None, :, None]
    data = png(samples, depth, PALETTE, (b"PLTE", colours.tobytes()), (b"tRNS", alpha.tobytes()))
    np.testing.assert_array_equal(decode(data, 4)[0], np.column_stack([colours, alpha]))
    assert inspect(data, 4).bit_depth == str(depth)


@pytest.mark.parametrize(("colour_type", "bands"), [(GREY, 1), (RGB, 3), (GREY_ALPHA, 2), (RGB_ALPHA, 4)])
@pytest.mark.parametrize("depth", [8, 16])
def test_colour_types_of_both_depths(colour_type, bands, depth):
    samples = np.random.default_rng(0).integers(0, 2**depth, (3, 5, bands))
    decoded = inspect(png(samples, depth, colour_type), 4 if bands in (2, 4) else None)
    eight = samples / (1 if depth == 8 else 257)
    expected = eight[..., [0, 0, 0, 1]] if bands == 2 else eight
    assert np.abs(decoded.image - expected).max() <= (0 if depth == 8 else 1)
    assert (decoded.bit_depth, decoded.channels) == (str(depth), bands)


def big_metadata() -> dict[str, tuple[bytes, bytes]]:
    inflating = zlib.compress(bytes(3_000_000))
    return {
        "profile": (b"iCCP", b"name\0\0" + inflating),
        "zTXt": (b"zTXt", b"workflow\0\0" + inflating),
        "iTXt": (b"iTXt", b"workflow\0\1\0\0\0" + inflating),
        "tEXt": (b"tEXt", b"workflow\0" + b"x" * 2_000_000),
    }


@pytest.mark.parametrize("kind", ["profile", "zTXt", "iTXt", "tEXt"])
def test_large_metadata_is_passed_over(kind):
    samples = np.random.default_rng(0).integers(0, 256, (6, 7, 3))
    limits = PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY, Image.MAX_IMAGE_PIXELS
    before = png(samples, 8, RGB, big_metadata()[kind])
    behind = png(samples, 8, RGB, after=chunk(*big_metadata()[kind]))
    for data in (before, behind):
        np.testing.assert_array_equal(decode(data, 3), samples)
    assert limits == (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY, Image.MAX_IMAGE_PIXELS)


def test_metadata_with_a_wrong_checksum_is_damage():
    data = png(np.zeros((2, 2, 3), int), 8, RGB, (b"zTXt", b"a\0\0" + zlib.compress(b"text")))
    at = data.index(b"zTXt") + 8
    with pytest.raises(UnreadableImage):
        decode(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


@pytest.mark.parametrize("how", ["eXIf", "XMP", "Raw profile type exif"])
def test_orientation_is_still_found(how):
    samples = np.random.default_rng(0).integers(0, 256, (2, 5, 3))
    exif = Image.Exif()
    exif[0x0112] = 6
    content = exif.tobytes()[6:]
    raw = b"\nexif\n" + f"{len(content):8}\n".encode() + b"Exif\0\0".hex().encode() + content.hex().encode() + b"\n"
    chunks = {
        "eXIf": (b"eXIf", content),
        "XMP": (b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>'),
        "Raw profile type exif": (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw)),
    }
    decoded = inspect(png(samples, 8, RGB, chunks[how]), 3)
    np.testing.assert_array_equal(decoded.image, np.rot90(samples, -1))


def test_a_transparent_grey_is_the_same_from_pillow():
    samples = np.arange(16)[None, :, None]
    data = png(samples, 4, GREY, (b"tRNS", struct.pack(">H", 4)))
    from striate.data.decode import decode_image

    np.testing.assert_array_equal(decode_image(Image.open(io.BytesIO(data)), 1), decode(data, 1))


PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def sized(data: bytes, width: int, height: int, interlaced: bool = False) -> bytes:
    """The file with another size in its header."""
    header = struct.pack(">II", width, height) + data[24:28] + bytes([interlaced])
    return data[:8] + chunk(b"IHDR", header) + data[33:]


def interlaced(samples: np.ndarray) -> bytes:
    """A file of 8-bit RGB samples (H, W, 3) in the seven passes of Adam7."""
    passes = [samples[top::down, left::across] for left, top, across, down in PASSES]
    rows = b"".join(b"\0" + row.astype(np.uint8).tobytes() for part in passes if part.size for row in part)
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], 8, RGB, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("colour_type", "bands", "depth"),
    [*((GREY, 1, depth) for depth in (1, 4, 8, 16)), (RGB, 3, 8), (RGB, 3, 16), (GREY_ALPHA, 2, 8), (RGB_ALPHA, 4, 16)],
)
def test_pixels_that_end_early_are_truncated_and_black_ones_are_not(colour_type, bands, depth):
    samples = np.random.default_rng(0).integers(0, 2**depth, (6, 9, bands))
    for more in (1, 3):
        with pytest.raises(UnreadableImage, match="truncated"):
            decode(sized(png(samples, depth, colour_type), 9, 6 + more))
    samples[3:] = 0
    assert decode(png(samples, depth, colour_type), 4).shape == (6, 9, 4)
    assert decode(sized(png(samples, depth, colour_type), 9, 5), 4).shape == (5, 9, 4)  # more than needed


@pytest.mark.parametrize("height", [1, 2, 5, 7, 8])
@pytest.mark.parametrize("width", [1, 3, 9])
def test_interlaced_pixels_are_counted_in_their_passes(width, height):
    samples = np.random.default_rng(0).integers(1, 256, (height, width, 3))
    np.testing.assert_array_equal(decode(interlaced(samples)), samples)
    np.testing.assert_array_equal(decode(interlaced(0 * samples)), 0 * samples)
    with pytest.raises(UnreadableImage):
        decode(sized(interlaced(samples), width, height + 1, interlaced=True))


def test_a_transparent_colour_behind_a_suggested_palette_counts():
    for depth in (8, 16):
        samples = np.array([[[1, 2, 3], [1, 2, 4]]])
        chunks = (b"PLTE", bytes(6)), (b"tRNS", struct.pack(">3H", 1, 2, 3))
        assert decode(png(samples, depth, RGB, *chunks), 4)[0, :, 3].tolist() == [0, 255]


@pytest.mark.parametrize("at_once", [1, 7, 1 << 20])
def test_pixels_are_counted_a_piece_at_a_time(at_once, monkeypatch):
    monkeypatch.setattr(png_module, "_AT_ONCE", at_once)
    samples = np.zeros((9, 11, 3), int)
    assert decode(png(samples, 8, RGB)).shape == (9, 11, 3)
    with pytest.raises(UnreadableImage, match="truncated"):
        decode(sized(png(samples, 8, RGB), 11, 10))


def header(colour_type: int, depth: int, *chunks: tuple[bytes, bytes], size=(9, 6), interlace: int = 0) -> bytes:
    """The beginning of a file, as far as its image data."""
    start = struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, interlace)
    every = [(b"IHDR", start), *chunks, (b"IDAT", b""), (b"tRNS", bytes(6)), (b"IEND", b"")]
    return png_module.SIGNATURE + b"".join(chunk(kind, content) for kind, content in every)


@pytest.mark.parametrize(
    ("colour_type", "depth", "content", "transparent"),
    [
        (GREY, 8, b"\0\7", (7,)),
        (GREY, 8, b"\1\7", (7,)),
        (GREY, 16, b"\1\7and more", (0x107,)),
        (GREY, 1, b"\xff\xff", (1,)),
        (GREY, 8, b"\7", None),
        (RGB, 8, b"\0\1\0\2\0\3", (1, 2, 3)),
        (RGB, 16, b"\1\1\2\2\3\3", (0x101, 0x202, 0x303)),
        (RGB, 8, b"\0\1\0\2\0", None),
        (PALETTE, 8, bytes(6), None),
        (GREY_ALPHA, 8, bytes(6), None),
        (RGB_ALPHA, 8, bytes(6), None),
    ],
)
def test_a_header_says_what_stands_before_the_pixels(colour_type, depth, content, transparent):
    found = png_module.read_header(header(colour_type, depth, (b"gAMA", bytes(4)), (b"tRNS", content)))
    assert (found.width, found.height, found.bit_depth, found.colour_type) == (9, 6, depth, colour_type)
    assert found.transparent == transparent
    assert found.interlaced is False
    assert found.is_grey == (colour_type in (GREY, GREY_ALPHA))
    assert png_module.read_header(header(colour_type, depth)).transparent is None  # tRNS behind the pixels is too late
    assert png_module.read_header(header(colour_type, depth, interlace=1)).interlaced is True
    assert png_module.read_header(header(colour_type, depth, interlace=2)).interlaced is False


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(12)),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13))[:-1],
        b"\x89PNG\r\n\x1a\n" + chunk(b"gAMA", bytes(4)) + chunk(b"IHDR", bytes(13)),
        b"\x89PNG\r\n\x1a\r" + chunk(b"IHDR", bytes(13)),
    ],
)
def test_without_a_whole_header_it_is_no_png(data):
    assert png_module.read_header(data) is None


@pytest.mark.parametrize(("colour_type", "bands"), [(GREY, 1), (RGB, 3), (PALETTE, 1), (GREY_ALPHA, 2), (RGB_ALPHA, 4)])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_inflated_bytes_are_those_of_all_rows_and_passes(colour_type, bands, depth):
    for width in (1, 2, 3, 5, 8, 17):
        for height in (1, 2, 4, 5, 9):
            grid = np.zeros((height, width))
            rows = [len(row) for row in grid]
            passes = [len(row) for left, top, across, down in PASSES for row in grid[top::down, left::across]]
            for lengths, interlaced in ((rows, 0), ([length for length in passes if length], 1)):
                bytes_ = sum(1 + int(np.ceil(length * bands * depth / 8)) for length in lengths)
                start = header(colour_type, depth, size=(width, height), interlace=interlaced)
                assert png_module.read_header(start).inflated_bytes == bytes_


def test_only_metadata_that_nobody_needs_goes():
    kept = [(b"gAMA", bytes(4)), (b"iTXt", b"XML:com.adobe.xmp\0more"), (b"zTXt", b"Raw profile type exif\0\0x")]
    gone = [(b"iCCP", b"x"), (b"tEXt", b"a\0b"), (b"zTXt", b"a\0\0"), (b"iTXt", b"XML:com.adobe\0")]
    mixed = [entry for pair in zip(kept, gone, strict=False) for entry in pair] + gone[3:]
    trailer = b"bytes behind the end"
    assert png_module.without_metadata(header(RGB, 8, *mixed) + trailer) == header(RGB, 8, *kept) + trailer
    plain = header(RGB, 8, *kept)
    assert png_module.without_metadata(plain) is plain
    damaged = header(RGB, 8, gone[1]).replace(b"a\0b", b"a\0c")
    assert png_module.without_metadata(damaged) == damaged
