"""A Pillow image means what its file means, whatever its mode and however odd its EXIF."""

import io
import struct

import numpy as np
import PIL
import pytest
from PIL import Image

from striate.data.decode import UnreadableImage, decode, decode_image


def picture(mode: str) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (9, 14, 3), dtype=np.uint8)
    image = Image.fromarray(values)
    if mode in ("La", "RGBa"):
        return image.convert(mode.upper()).convert(mode)
    if mode == "PA":
        return image.convert("P").convert("PA")
    if mode.startswith("I;16"):
        return Image.frombytes(mode, (14, 9), values[..., 0].astype("<u2" if mode == "I;16" else ">u2").tobytes())
    if mode == "F":
        return Image.fromarray(values[..., 0].astype(np.float32) / 255)
    return image.convert(mode)


def odd_exif(kind: str) -> bytes:
    """EXIF with an orientation (or a width) of a type that the standard does not give it."""
    tag, type_, count, value = {
        "float": (0x0112, 11, 1, struct.pack("<f", 6.0)),
        "short": (0x0112, 3, 1, struct.pack("<HH", 6, 0)),
        "text": (0x0112, 2, 2, b"6\0\0\0"),
        "negative": (0x0112, 8, 1, struct.pack("<hh", -6, 0)),
        "nine": (0x0112, 3, 1, struct.pack("<HH", 9, 0)),
        "undefined": (0x0112, 7, 4, b"abcd"),
        "width as double": (0x0100, 12, 1, struct.pack("<I", 26)),
        "width as fraction": (0x0100, 5, 1, struct.pack("<I", 26)),
    }[kind]
    entry = struct.pack("<HHI", tag, type_, count) + value
    return b"Exif\0\0II*\0\x08\0\0\0\1\0" + entry + bytes(4) + struct.pack("<d", 14.0)


@pytest.mark.parametrize(
    "kind",
    ["float", "short", "text", "negative", "nine", "undefined", "width as double", "width as fraction"],
)
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("loaded", [False, True])
def test_odd_exif_means_the_same_as_in_the_file(kind, format, loaded):
    stream = io.BytesIO()
    picture("RGB").save(stream, format, exif=odd_exif(kind))
    expected = decode(stream.getvalue(), 3)
    assert expected.shape[:2] == ((14, 9) if kind in ("float", "short") else (9, 14))
    image = Image.open(io.BytesIO(stream.getvalue()))
    if loaded:
        image.load()
    np.testing.assert_array_equal(decode_image(image, 3), expected)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("loaded", [False, True])
def test_modes_mean_the_same_as_in_the_file(mode, loaded):
    for format in ("PNG", "TIFF"):
        if (mode, format) == ("CMYK", "PNG"):
            continue
        stream = io.BytesIO()
        picture(mode).save(stream, format)
        image = Image.open(io.BytesIO(stream.getvalue()))
        if loaded:
            image.load()
        for channels in (1, 3, 4):
            np.testing.assert_array_equal(decode_image(image, channels), decode(stream.getvalue(), channels))


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"]
)
def test_modes_in_memory_are_what_pillow_makes_of_them(mode):
    image = picture(mode)
    plain = image.convert({"La": "LA", "RGBa": "RGBA"}.get(mode, mode))
    expected = np.asarray(plain.convert("RGB"))
    assert np.abs(decode_image(image, 3).astype(int) - expected).max() <= 1
    exif = Image.Exif()
    exif[0x0112] = 3
    image.getexif()[0x0112] = 3
    assert np.abs(decode_image(image, 3).astype(int) - expected[::-1, ::-1]).max() <= 1


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_sixteen_bits_in_memory(mode):
    image = picture(mode)
    values = np.asarray(image).astype(float)
    np.testing.assert_array_equal(decode_image(image, 1)[..., 0], np.floor(values / 257 + 0.5))


def test_ranges_that_are_not_known_are_refused():
    for image, words in (
        (picture("L").convert("I"), "32-bit integer pixels, whose range is not known"),
        (Image.fromarray(np.full((3, 3), 7.5, np.float32)), "only 0 to 1 has a known meaning"),
        (Image.new("LAB", (3, 3)), "CIE Lab"),
    ):
        with pytest.raises(UnreadableImage, match=words):
            decode_image(image, 3)
    assert decode_image(picture("F"), 1).max() > 200


def test_sixteen_bit_pgm_is_known_though_pillow_calls_it_32(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 2 1 65535\n" + struct.pack(">2H", 65535, 257))
    image = Image.open(tmp_path / "a.pgm")
    image.load()
    assert decode_image(image, 1).ravel().tolist() == decode(tmp_path / "a.pgm", 1).ravel().tolist() == [255, 1]


def test_what_was_changed_after_opening_counts(tmp_path):
    picture("RGB").save(tmp_path / "a.png")
    image = Image.open(tmp_path / "a.png")
    image.paste((1, 2, 3), (0, 0, 14, 9))
    assert decode_image(image, 3).reshape(-1, 3).max(axis=0).tolist() == [1, 2, 3]
    frames = [Image.new("RGB", (5, 5), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "b.gif", save_all=True, append_images=frames[1:])
    image = Image.open(tmp_path / "b.gif")
    image.seek(1)
    assert decode_image(image, 3)[0, 0].tolist() == [0, 0, 255]


def test_sizes_that_are_refused_in_files_are_refused_in_memory():
    for size, words in (((0, 5), "there is no picture in it"), ((2001, 2), "one side is more than 1,000 times")):
        with pytest.raises(UnreadableImage, match=words):
            decode_image(Image.new("RGB", size), 3)


def test_the_file_behind_an_image_is_left_where_it_was():
    stream = io.BytesIO()
    picture("RGB").save(stream, "PNG")
    stream.seek(0)
    image = Image.open(stream)
    place = stream.tell()
    decode_image(image, 3)
    assert stream.tell() == place


def test_an_image_that_was_asked_for_smaller_stays_smaller():
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 40)).save(stream, "JPEG")
    image = Image.open(stream)
    image.draft("RGB", (16, 16))
    small = decode_image(image, 3)
    assert small.shape == (16, 16, 3)
    assert np.abs(small.astype(int) - [200, 30, 40]).max() <= 3


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        *((mode, {}) for mode in ("1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I;16")),
        ("RGB", {"compression": "jpeg", "quality": 95}),
        ("L", {"compression": "jpeg", "quality": 95}),
    ],
)
def test_a_loaded_tiff_means_what_its_file_means(mode, options):
    if mode == "YCbCr" and int(PIL.__version__.partition(".")[0]) < 13:
        pytest.skip(f"Pillow {PIL.__version__} does not load what it saves so")
    stream = io.BytesIO()
    picture(mode).save(stream, "TIFF", **options)
    image = Image.open(io.BytesIO(stream.getvalue()))
    image.load()
    for channels in (1, 3, 4):
        np.testing.assert_array_equal(decode_image(image, channels), decode(stream.getvalue(), channels))
