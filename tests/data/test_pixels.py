"""Pillow's images: strips, palettes, turned opacity, and what decoding takes."""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from striate.data import jpeg, pixels
from striate.data.decode import UnreadableImage, decode, decode_image, inspect
from striate.data.tiff import read_pages
from striate.units import decimal_size


def encoded(image, format, **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("rows", [0.5, 1, 4])
def test_strips_give_what_the_whole_gives(mode, rows, monkeypatch):
    if mode == "I;16":
        image = Image.fromarray(noise(9, 7).astype(np.uint16) * 257)
    else:
        image = Image.fromarray(noise(9, 7, 3)).convert(mode)
    whole = decode_image(image, 4)
    monkeypatch.setattr(pixels, "_STRIP", int(7 * rows))
    assert np.array_equal(decode_image(image, 4), whole)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_opacity_is_turned_with_the_colours(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = noise(4, 6, 4)
    expected = decode(encoded(Image.fromarray(image[..., :3]), "PNG", exif=exif), 3)
    decoded = inspect(encoded(Image.fromarray(image), "PNG", exif=exif), 4)
    assert np.array_equal(decoded.image[..., :3], expected)
    alpha = decode(encoded(Image.fromarray(image[..., 3]), "PNG", exif=exif), 1)
    assert np.array_equal(decoded.image[..., 3:], alpha)


def test_a_palette_is_grey_where_the_colours_in_use_are():
    image = Image.fromarray(np.array([[0, 1, 2, 1]], np.uint8), "P")
    image.putpalette([0, 0, 0, 90, 90, 90, 250, 250, 250, 255, 0, 0])
    assert decode(encoded(image, "PNG"), None)[0].tolist() == [[0], [90], [250], [90]]
    image.putpixel((3, 0), 3)
    assert decode(encoded(image, "PNG"), None)[0, 3].tolist() == [255, 0, 0]
    image.putpalette([0, 0, 0, 90, 90, 91, 250, 250, 250, 0, 0, 0])
    assert decode(encoded(image, "PNG"), None).shape == (1, 4, 3)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000"])
def test_an_opened_image_can_be_used_afterwards(format):
    data = encoded(Image.fromarray(noise(9, 7, 3)), format)
    image = Image.open(io.BytesIO(data))
    first = decode_image(image, 3)
    assert np.array_equal(first, decode(data, 3))
    assert np.array_equal(decode_image(image, 3), first)
    assert np.array_equal(np.asarray(image.convert("RGB")), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


SIDE = 1000


@pytest.fixture
def a_million(monkeypatch):
    """As many pixels are allowed as a picture of SIDE by SIDE has: 3.3 MB of memory."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", SIDE * SIDE)


@pytest.mark.parametrize(
    ("format", "mode", "needed"),
    [
        ("WEBP", "RGB", 17.5),
        ("AVIF", "RGB", 12.0),
        ("JPEG2000", "L", 20.0),
        *((format, "RGB", 7.5) for format in ("PNG", "BMP", "PPM")),
        ("PNG", "RGBA", 7.5),
        ("PNG", "LA", 7.5),
    ],
)
def test_memory_is_counted_as_each_decoder_was_measured(format, mode, needed, a_million):
    data = encoded(Image.new(mode, (SIDE, SIDE)), format)
    told = f"1,000 x 1,000 pixels need {decimal_size(needed * 1e6 + len(data))} to be decoded, 3.30 MB are"
    with pytest.raises(UnreadableImage, match=told):
        decode(data, 3)


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16"])
def test_narrow_pixels_take_little_more_than_the_limit_allows_for(mode, a_million):
    data = encoded(Image.new(mode, (SIDE, SIDE)), "PNG")
    room = 100_000 - len(data)  # 3.2 of 3.3 MB
    assert decode(data + bytes(room), 1).shape == (SIDE, SIDE, 1)
    with pytest.raises(UnreadableImage, match=r"need 3\.30 MB to be decoded, 3\.30 MB are allowed"):
        decode(data + bytes(room + 1), 1)


def test_an_icons_picture_is_measured_before_it_is_decoded(a_million):
    picture = encoded(Image.new("RGB", (SIDE, SIDE)), "PNG")
    entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 24, len(picture), 22)
    with pytest.raises(UnreadableImage, match=r"need 7\.50 MB to be decoded"):
        decode(struct.pack("<HHH", 0, 1, 1) + entry + picture)
    second = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 24, len(picture), 38)
    small = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 24, 0, 0)
    with pytest.raises(UnreadableImage, match=r"need 7\.50 MB to be decoded"):
        decode(struct.pack("<HHH", 0, 1, 2) + small + second + picture)
    with pytest.raises(UnreadableImage, match=r"need 7\.50 MB to be decoded"):  # whichever of them Pillow would take
        pixels._check_icon(struct.pack("<HHH", 0, 1, 2) + small + second + picture)


@pytest.mark.parametrize(
    ("mode", "options", "needed"),
    [
        ("L", {}, (4, 1, 0.25, 0.0625)),
        ("RGB", {}, (5, 1.25, 0.3125, 0.078125)),
        ("CMYK", {}, (9, 2.25, 0.5625, 0.140625)),
        ("L", {"progressive": True}, (6, 3, 2.25, 2.0625)),
        ("RGB", {"progressive": True, "subsampling": "4:2:0"}, (8, 4.25, 3.3125, 3.078125)),
        ("RGB", {"progressive": True, "subsampling": "4:4:4"}, (11, 7.25, 6.3125, 6.078125)),
    ],
)
def test_memory_of_a_jpeg_is_counted_by_components_process_and_scale(mode, options, needed):
    header = jpeg.read_header(encoded(Image.new(mode, (16, 16)), "JPEG", **options))
    assert tuple(header.bytes_per_pixel(scale) for scale in (1, 2, 4, 8)) == needed


@pytest.mark.parametrize(("mode", "more"), [("L", 1), ("RGB", 3)])
def test_memory_of_a_jpeg_holds_the_turned_picture_too(mode, more):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = jpeg.read_header(encoded(Image.new(mode, (16, 16)), "JPEG", exif=exif))
    plain = jpeg.read_header(encoded(Image.new(mode, (16, 16)), "JPEG"))
    assert turned.bytes_per_pixel() - plain.bytes_per_pixel() == more


@pytest.mark.parametrize("scale", jpeg.SCALES)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_scale_of_a_jpeg_gives_the_picture_so_much_smaller(scale, channels):
    smooth = np.stack([np.add.outer(np.arange(64), np.arange(96)) * (band + 1) / 3 for band in range(channels)], axis=2)
    image = np.clip(smooth, 0, 255).astype(np.uint8)
    data = encoded(Image.fromarray(image.squeeze()), "JPEG", quality=95)
    found = jpeg.decode(data, jpeg.read_header(data), scale)
    assert found.shape == (64 // scale, 96 // scale, channels)
    small = cv2.resize(image, (96 // scale, 64 // scale), interpolation=cv2.INTER_AREA).reshape(found.shape)
    assert np.abs(found.astype(int) - small).mean() < 3


def test_planes_of_a_tiff_are_counted_together(monkeypatch):
    pages = [Image.new("L", (400, 400)) for _ in range(7)]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="tiff_adobe_deflate")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400 * 400)
    assert decode(data, 1).shape == (400, 400, 1)
    with pytest.raises(UnreadableImage, match=r"400 x 400 pixels need 2\.24 MB to be decoded, 1\.05 MB are allowed"):
        decode(data, 7)


@pytest.mark.parametrize(
    ("mode", "options", "needed"),
    [
        ("L", {}, 1 + 3 / 40),
        ("RGB", {}, 3 + 9 / 40),
        ("RGBA", {}, 4 + 12 / 40),
        ("I;16", {}, 1 + 6 / 40),
        ("L", {"compression": "tiff_lzw"}, 1 + 3),
        ("RGB", {"compression": "tiff_lzw", "tiffinfo": {278: 10}}, 3 + 9 / 4),
    ],
)
def test_memory_of_a_tiff_holds_the_bands_and_the_samples_of_a_strip(mode, options, needed):
    (page,) = read_pages(encoded(Image.new(mode, (30, 40)), "TIFF", **options))
    assert page.bytes_per_pixel == pytest.approx(needed)


def test_memory_of_an_array_of_sixteen_bits_holds_its_scaling(a_million):
    stream = io.BytesIO()
    np.save(stream, np.zeros((SIDE, SIDE), np.uint16))
    with pytest.raises(UnreadableImage, match=r"need 11\.0 MB"):  # 9 for each sample, and the file
        decode(stream.getvalue(), 1)


@pytest.mark.parametrize(
    ("mode", "format", "options", "depth"),
    [
        ("1", "PNG", {}, "1"),
        ("1", "PPM", {}, "1"),
        ("1", "BMP", {}, "1"),
        ("1", "TIFF", {"compression": "group4"}, "1"),
        ("1", "TIFF", {}, "1"),
        ("L", "PPM", {}, "8"),
        ("I;16", "PPM", {}, "16"),
        ("I;16", "JPEG2000", {}, "16"),
        ("F", "TIFF", {}, "float32"),
        ("RGB", "WEBP", {}, "8"),
        ("P", "GIF", {}, "8"),
        ("CMYK", "JPEG", {}, "8"),
    ],
)
def test_the_depth_of_a_sample_is_the_files(mode, format, options, depth):
    decoded = inspect(encoded(Image.new(mode, (16, 16)), format, **options), None)
    assert (decoded.bit_depth, decoded.format) == (depth, format)
    channels = {"RGB": 3, "P": decoded.channels, "CMYK": 3}.get(mode, 1)
    assert decoded.channels == channels


@pytest.mark.parametrize(
    ("mode", "format", "channels"), [("LA", "PNG", 2), ("RGBA", "PNG", 4), ("RGBA", "WEBP", 4), ("RGBA", "TIFF", 4)]
)
def test_alpha_is_one_of_the_files_channels_whatever_is_wanted(mode, format, channels):
    data = encoded(Image.new(mode, (8, 8), (9, 100) if mode == "LA" else (9, 9, 9, 100)), format)
    for wanted in (None, 1, 3, 4):
        assert inspect(data, wanted).channels == channels


def test_thirty_two_bits_hold_sixteen_where_the_format_has_no_more():
    image = Image.new("I", (2, 1), 65535)
    image.format = "PNG"  # as Pillow opens some
    assert decode_image(image, 1).tolist() == [[[255], [255]]]
    image.putpixel((1, 0), 65536)
    with pytest.raises(UnreadableImage, match="32-bit integer pixels, whose range is not known"):
        decode_image(image, 1)


def test_kinds_of_a_format_are_called_by_it():
    photo = Image.new("RGB", (16, 16))
    assert pixels.read_pixels(encoded(photo, "MPO", save_all=True, append_images=[photo])).format == "JPEG"
    assert pixels.read_pixels(encoded(photo, "DIB")).format == "BMP"


@pytest.mark.parametrize(
    ("xmp", "exif", "orientation"),
    [
        (b'<x tiff:Orientation="6"/>', None, 6),
        (b"<tiff:Orientation>8</tiff:Orientation>", None, 8),
        (b"<x/>", None, 1),
        (b'<x tiff:Orientation="6"/>', 3, 3),
        (b'<x tiff:Orientation="9"/>', None, 1),
    ],
)
def test_orientation_in_xmp_counts_where_exif_has_none(xmp, exif, orientation):
    options = {}
    if exif:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = exif
    data = encoded(Image.fromarray(noise(8, 16, 3)), "JPEG", xmp=xmp, **options)
    assert jpeg.read_header(data).orientation == orientation
    assert decode(data).shape == ((16, 8, 3) if orientation >= 5 else (8, 16, 3))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError("image file is truncated (3 bytes not processed)"), "truncated"),
        (SyntaxError("Truncated File Read"), "truncated"),
        (ValueError("bad\n  header "), "damaged: bad header"),
        (ValueError(""), "damaged"),
        (MemoryError(), "does not fit in memory"),
        (
            Image.DecompressionBombError("of Pillow"),
            "more than 1,234 pixels, which is not safe to open; make it smaller",
        ),
        (Image.DecompressionBombWarning("of it"), "more than 1,234 pixels, which is not safe to open; make it smaller"),
    ],
)
def test_what_pillow_raises_is_put_into_words(error, words, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1234)
    assert pixels.reason(error) == words


def tagged(mode: str, **tags: object) -> Image.Image:
    """An image as Pillow opens a TIFF file, with the numbers of its tags."""
    image = Image.new(mode, (3, 2))
    image.tag_v2 = {int(tag.removeprefix("t")): value for tag, value in tags.items()}
    return image


@pytest.mark.parametrize(
    ("tags", "other"),
    [
        ({}, False),
        ({"t277": 1}, False),
        ({"t277": 2}, True),
        ({"t277": 2, "t262": 1}, True),
        ({"t277": 2, "t262": 1, "t338": 2}, False),
        ({"t277": 2, "t262": 0, "t338": (1,)}, False),
        ({"t277": 2, "t262": 1, "t338": (0,)}, True),
        ({"t277": 3, "t262": 2}, False),
        ({"t277": 4, "t262": 2, "t338": 0}, True),
        ({"t277": 4, "t262": 2, "t338": (2,)}, False),
        ({"t277": 5, "t262": 2, "t338": (2, 0)}, True),
        ({"t277": 4, "t262": 5}, False),
        ({"t277": 5, "t262": 5}, True),
        ({"t277": 3, "t262": 6}, False),
        ({"t277": 4, "t262": 6}, True),
        ({"t277": 3, "t262": 8}, False),
        ({"t277": 4, "t262": 8}, True),
        ({"t277": 2, "t262": 3}, True),
    ],
)
def test_bands_beside_the_colours_are_refused_in_a_loaded_tiff(tags, other):
    image = tagged("RGB", **tags)
    if other:
        with pytest.raises(UnreadableImage, match="bands beside the colours, which Pillow takes for alpha or drops"):
            pixels.from_image(image)
    else:
        assert pixels.from_image(image).colour.shape == (2, 3, 3)


def test_an_image_is_described_whole():
    exif = Image.Exif()
    exif[0x0112] = 8
    image = Image.open(io.BytesIO(encoded(Image.fromarray(noise(4, 6, 4)), "PNG", exif=exif)))
    image.load()
    found = pixels.from_image(image)
    np.testing.assert_array_equal(found.colour, np.rot90(noise(4, 6, 4)[..., :3]))
    np.testing.assert_array_equal(found.alpha, np.rot90(noise(4, 6, 4)[..., 3:]))
    assert (found.format, found.bit_depth, found.rotated, found.animated) == ("PNG", "8", True, False)
    mine = np.arange(24, dtype=np.uint8).reshape(4, 6, 1)
    np.testing.assert_array_equal(pixels.from_image(image, mine).alpha, np.rot90(mine))
    plain = pixels.from_image(Image.new("L", (2, 2)))
    assert (plain.format, plain.alpha, plain.rotated) == ("", None, False)


def test_an_icon_that_ends_early_is_left_to_the_decoder():
    for data in (b"\0\0\1\0", b"\0\0\1\0\1\0", b"\0\0\1\0\2\0" + bytes(18)):
        with pytest.raises(UnreadableImage):
            decode(data, 3)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_moving_pictures_are_known_and_still_ones_are_not(format):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    assert pixels.read_pixels(encoded(frames[0], format, save_all=True, append_images=frames[1:])).animated is True
    assert pixels.read_pixels(encoded(frames[0], format)).animated is False


def test_the_page_that_is_asked_for_is_read():
    frames = [Image.new("L", (16, 16), level) for level in (10, 90, 200)]
    data = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:], compression="jpeg")
    assert [int(pixels.read_pixels(data, page).colour[8, 8, 0]) for page in range(3)] == [10, 90, 200]
    assert int(pixels.read_pixels(data).colour[8, 8, 0]) == 10
