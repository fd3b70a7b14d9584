"""Decoding is compared with Pillow's own pixels, or with values worked out by hand."""

import contextlib
import io
import os
import pickle
import sys
import warnings
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from striate.data import heif
from striate.data.decode import (
    ANIMATED,
    PAGES,
    ROTATED,
    SHRUNK,
    WRONG_EXTENSION,
    UnreadableImage,
    decode,
    decode_content,
    decode_image,
    inspect,
    read_file,
)
from striate.errors import StriateError


def encode(image: Image.Image, format: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def photograph(height: int = 60, width: int = 80, channels: int = 3) -> np.ndarray:
    """Smooth colours with some noise, as JPEG likes them."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 90 * np.sin(x / (7 + c)) * np.cos(y / (9 + c)) for c in range(channels)]
    noise = np.random.default_rng(0).normal(0, 8, (height, width, channels))
    return np.clip(np.stack(planes, axis=2) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 30}])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_ordinary_jpeg_has_pillows_pixels(mode, options):
    data = encode(Image.fromarray(photograph()).convert(mode), "JPEG", **options)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert np.abs(decode(data, 3) - expected).max() <= 2


def test_real_photographs_have_pillows_pixels(shared_data):
    import pyarrow.parquet as pq

    rows = next(pq.ParquetFile(shared_data / "imagenet_sample.parquet").iter_batches(40, columns=["image"]))
    for row in rows.to_pylist():
        data = row["image"]["bytes"]
        expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
        assert np.abs(decode(data, 3) - expected).max() <= 2


def test_room_is_made_before_a_picture_is_decoded_and_before_it_gets_its_channels(monkeypatch):
    asked = []
    for place in ("unreadable", "pixels", "decode"):
        note = partial(lambda place, wanted: asked.append((place, wanted)), place)
        monkeypatch.setattr(sys.modules[f"striate.data.{place}"], "make_room", note)
    decode(encode(Image.new("L", (50, 40)), "PNG"), 3)
    assert [place for place, _ in asked] == ["unreadable", "decode"]
    assert asked[0][1] > asked[1][1] == 50 * 40
    asked.clear()
    decode(encode(Image.new("RGB", (50, 40)), "JPEG2000"), 3)  # whose decoder holds several times its result
    assert [place for place, _ in asked] == ["unreadable", "pixels", "decode"]
    assert asked[1][1] == 50 * 40 * 20


def test_colour_becomes_grey_as_in_pillow():
    image = Image.fromarray(photograph())
    grey = decode(encode(image, "PNG"), 1)
    assert grey.shape == (60, 80, 1)
    assert np.abs(grey[..., 0].astype(int) - np.asarray(image.convert("L"))).max() <= 1


def test_channels_are_the_images_own_when_none_are_asked():
    grey = Image.fromarray(photograph(channels=1)[..., 0])
    colour = Image.fromarray(photograph())
    assert decode(encode(grey, "PNG"), None).shape[2] == 1
    assert decode(encode(grey, "JPEG"), None).shape[2] == 1
    assert decode(encode(colour, "JPEG"), None).shape[2] == 3
    assert decode(encode(colour.convert("RGBA"), "PNG"), None).shape[2] == 3
    assert decode(encode(grey.convert("LA"), "PNG"), None).shape[2] == 1
    assert decode(encode(grey.convert("P"), "PNG"), None).shape[2] == 1
    assert decode(encode(grey, "GIF"), None).shape[2] == 1


def test_sixteen_bit_grey_uses_its_full_range():
    values = np.array([[0, 128, 129, 257, 32768, 65535]], dtype=np.uint16)
    expected = [0, 0, 1, 1, 128, 255]  # value * 255 / 65535, rounded
    for format in ("PNG", "TIFF"):
        assert decode(encode(Image.fromarray(values), format), 1)[0, :, 0].tolist() == expected


def test_sixteen_bit_colour_png_is_scaled():
    values = np.random.default_rng(0).integers(0, 65536, (9, 7, 3), dtype=np.uint16)
    data = cv2.imencode(".png", values[..., ::-1])[1].tobytes()
    assert np.abs(decode(data, 3) - values / 257).max() <= 1


def test_float_tiff_is_read_from_zero_to_one_only():
    ramp = np.linspace(0, 1, 6, dtype=np.float32).reshape(1, 6)
    assert decode(encode(Image.fromarray(ramp), "TIFF"), 1)[0, :, 0].tolist() == [0, 51, 102, 153, 204, 255]
    with pytest.raises(UnreadableImage, match="floating-point"):
        decode(encode(Image.fromarray(ramp * 300), "TIFF"), 1)


def test_bilevel_is_black_and_white():
    data = encode(Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1"), "PNG")
    assert decode(data, 1).ravel().tolist() == [0, 255]


def test_cmyk_jpeg_becomes_rgb():
    data = encode(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), "JPEG")  # full cyan
    assert np.abs(decode(data, 3)[8, 8].astype(int) - [0, 255, 255]).max() <= 3


def test_alpha_is_composited_onto_white():
    pixels = np.array([[[10, 20, 30, 0], [10, 20, 30, 255], [0, 0, 0, 128]]], dtype=np.uint8)
    data = encode(Image.fromarray(pixels), "PNG")
    assert decode(data, 3)[0].tolist() == [[255, 255, 255], [10, 20, 30], [127, 127, 127]]
    assert decode(data, 1)[0, :, 0].tolist()[0] == 255
    assert np.array_equal(decode(data, 4), pixels)


def test_grey_with_alpha_is_composited_onto_white():
    pixels = np.array([[[10, 0], [10, 255]]], dtype=np.uint8)
    data = encode(Image.fromarray(pixels, "LA"), "PNG")
    assert decode(data, 1)[0, :, 0].tolist() == [255, 10]
    assert decode(data, 4)[0].tolist() == [[10, 10, 10, 0], [10, 10, 10, 255]]


def test_opaque_images_get_full_alpha_when_four_channels_are_asked():
    image = photograph()
    rgba = decode(encode(Image.fromarray(image), "PNG"), 4)
    assert np.array_equal(rgba[..., :3], image)
    assert (rgba[..., 3] == 255).all()


def test_palette_with_a_transparent_colour():
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    assert decode(encode(image, "PNG"), 3)[0].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    assert decode(encode(image, "PNG", transparency=1), 3)[0].tolist() == [
        [255, 0, 0],
        [255, 255, 255],
        [0, 0, 255],
    ]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_exif_rotation_is_applied(orientation, format):
    image = np.zeros((32, 64, 3), dtype=np.uint8)
    image[:16, :32] = 255  # white in the upper left corner of the stored pixels
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = inspect(encode(Image.fromarray(image), format, exif=exif))
    # where the first stored row and column are to be shown: TIFF 6.0, tag Orientation
    turns = {1: image, 2: image[:, ::-1], 3: image[::-1, ::-1], 4: image[::-1]}
    sideways = image.transpose(1, 0, 2)
    turns |= {5: sideways, 6: sideways[:, ::-1], 7: sideways[::-1, ::-1], 8: sideways[::-1]}
    assert decoded.image.shape == turns[orientation].shape
    assert np.abs(decoded.image.astype(int) - turns[orientation]).mean() < 3
    assert (ROTATED in decoded.remarks) == (orientation != 1)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation_is_taken(format):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ((250, 0, 0), (0, 250, 0))]
    decoded = inspect(encode(frames[0], format, save_all=True, append_images=frames[1:]))
    assert np.abs(decoded.image[10, 10].astype(int) - [250, 0, 0]).max() <= 6
    assert ANIMATED in decoded.remarks


@pytest.mark.parametrize("format", ["BMP", "WEBP", "TIFF", "PPM", "JPEG2000", "GIF", "ICO"])
def test_other_formats_are_read(format):
    image = Image.new("RGB", (32, 32), (200, 100, 0))
    assert np.abs(decode(encode(image, format), 3)[16, 16].astype(int) - [200, 100, 0]).max() <= 6


def test_wrong_extension_is_read_and_remarked(tmp_path):
    image = photograph()
    path = tmp_path / "cat.jpg"
    path.write_bytes(encode(Image.fromarray(image), "PNG"))
    assert np.array_equal(decode(path), image)
    assert inspect(path).remarks == (WRONG_EXTENSION,)
    right = tmp_path / "cat.JPEG"
    right.write_bytes(encode(Image.fromarray(image), "JPEG"))
    assert inspect(right).remarks == ()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_truncated_files_are_refused_with_a_reason(format, share):
    data = encode(Image.fromarray(photograph()), format)
    with pytest.raises(UnreadableImage) as caught:
        decode(data[: int(len(data) * share)])
    assert caught.value.reason
    assert "\n" not in str(caught.value)
    if format in ("JPEG", "PNG", "BMP"):
        assert caught.value.reason == "truncated"


def test_jpeg_with_bytes_after_its_end_is_read():
    data = encode(Image.fromarray(photograph()), "JPEG")
    assert np.array_equal(decode(data + b"trailer of a camera"), decode(data))


def test_what_is_no_image_is_refused(tmp_path):
    empty = tmp_path / "empty.jpg"
    empty.touch()
    text = tmp_path / "text.jpg"
    text.write_text("not a picture")
    for path, reason in (
        (empty, "empty file"),
        (text, "not an image"),
        (tmp_path / "gone.jpg", "no such file"),
    ):
        with pytest.raises(UnreadableImage, match=reason) as caught:
            decode(path)
        assert str(path) in str(caught.value)
        assert isinstance(caught.value, StriateError)
    with pytest.raises(UnreadableImage, match="not a file"):
        decode(tmp_path)


def test_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(UnreadableImage, match="not a file"):
        decode(tmp_path / "pipe.jpg")


def test_random_bytes_never_raise_anything_else():
    generator = np.random.default_rng(1)
    for format in ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"):
        data = np.frombuffer(encode(Image.fromarray(photograph(24, 24)), format), np.uint8)
        for _ in range(60):
            damaged = data.copy()
            damaged[generator.integers(0, len(data), 4)] = generator.integers(0, 256, 4)
            with contextlib.suppress(UnreadableImage):
                assert decode(damaged.tobytes()).shape[2] == 3


@pytest.mark.parametrize(("format", "most"), [("PNG", "3,000"), ("JPEG", "1,000")])
def test_decompression_bomb_is_refused_without_a_warning(format, most, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(most.replace(",", "")))
    data = encode(Image.fromarray(photograph()), format)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UnreadableImage, match=f"more than {most} pixels"):
            decode(data)


def test_formats_that_run_programs_are_not_opened():
    with pytest.raises(UnreadableImage, match="not an image"):
        decode(encode(Image.new("RGB", (8, 8)), "EPS"))


def test_array_files_give_many_channels(tmp_path):
    spectrum = np.random.default_rng(0).integers(0, 256, (5, 6, 9), dtype=np.uint8)
    np.save(tmp_path / "field.npy", spectrum)
    assert np.array_equal(decode(tmp_path / "field.npy", 9), spectrum)
    assert np.array_equal(decode(tmp_path / "field.npy", None), spectrum)
    with pytest.raises(UnreadableImage, match="9 channels, 3 are wanted"):
        decode(tmp_path / "field.npy", 3)
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(UnreadableImage, match="npy"):
        decode(tmp_path / "objects.npy", 9)


def test_pages_of_a_tiff_are_channels():
    spectrum = np.random.default_rng(0).integers(0, 256, (5, 6, 7), dtype=np.uint8)
    pages = [Image.fromarray(np.ascontiguousarray(spectrum[..., band])) for band in range(7)]
    data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert np.array_equal(decode(data, 7), spectrum)
    with pytest.raises(UnreadableImage, match="7 pages, 5 channels are wanted"):
        decode(data, 5)


def test_unreadable_image_travels_between_processes():
    error = pickle.loads(pickle.dumps(UnreadableImage("truncated", "cat/7.jpg")))
    assert (error.reason, error.where, str(error)) == ("truncated", "cat/7.jpg", "cat/7.jpg: truncated")


def test_path_may_be_a_string(tmp_path: Path):
    Image.fromarray(photograph()).save(tmp_path / "a.png")
    assert np.array_equal(decode(str(tmp_path / "a.png")), photograph())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "permission denied"),
        (FileNotFoundError(2, "No such file"), "no such file"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
    ],
)
def test_why_a_file_cannot_be_read_is_told(tmp_path, monkeypatch, error, words):
    path = tmp_path / "a.png"
    path.write_bytes(b"?")

    def refuse(self):
        raise error

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UnreadableImage) as raised:
        decode(path)
    assert (raised.value.reason, raised.value.where) == (words, str(path))


HEIC = Path(__file__).with_name("turned.heic").read_bytes().replace(b"irot\3", b"irot\0")
ENDINGS = {
    "JPEG": ".jpg .jpeg .jpe .jfif .mpo",
    "PNG": ".png .apng",
    "GIF": ".gif",
    "WEBP": ".webp",
    "BMP": ".bmp .dib",
    "TIFF": ".tif .tiff",
    "PPM": ".ppm .pgm .pbm .pnm",
    "JPEG2000": ".jp2 .j2k .jpx",
    "AVIF": ".avif",
    "HEIC": ".heic .heif .hif",
    "ICO": ".ico",
    "NPY": ".npy",
}


def test_every_ending_belongs_to_one_format():
    image = Image.new("RGB", (16, 16), (200, 100, 0))
    array = io.BytesIO()
    np.save(array, np.asarray(image))
    others = {"NPY": array.getvalue(), "HEIC": HEIC}
    for format in ENDINGS:
        if format == "HEIC" and not heif.is_installed():
            continue
        data = others[format] if format in others else encode(image, format)
        assert decode_content(data, None).format == format
        for other, endings in ENDINGS.items():
            for ending in endings.split():
                remarks = decode_content(data, None, ending).remarks
                assert remarks == (() if other == format else (WRONG_EXTENSION,)), (format, ending)
        for unknown in ("", ".", ".image", ".JPG"):
            assert decode_content(data, None, unknown).remarks == ()


def test_what_had_to_be_done_is_remarked_in_one_order():
    frames = [Image.new("RGB", (20, 12), colour) for colour in ((250, 0, 0), (0, 250, 0))]
    exif = Image.Exif()
    exif[0x0112] = 6
    moving = encode(frames[0], "PNG", save_all=True, append_images=frames[1:], exif=exif)
    assert decode_content(moving, 3, ".jpg").remarks == (WRONG_EXTENSION, ANIMATED, ROTATED)
    pages = encode(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert decode_content(pages, 3, ".png").remarks == (WRONG_EXTENSION, PAGES)
    assert decode_content(encode(frames[0], "TIFF"), 3, ".tif").remarks == ()
    still = encode(frames[0], "GIF")
    assert decode_content(still, 3, ".gif").remarks == ()


@pytest.mark.parametrize(
    ("pages", "mode", "wanted", "words"),
    [
        (1, "L", 5, "the image has 1 channel, 5 channels are wanted"),
        (1, "RGB", 2, "the image has 3 channels, 2 channels are wanted"),
        (2, "L", 5, "the image has 2 pages, 5 channels are wanted"),
        (3, "L", 5, "the image has 3 pages, 5 channels are wanted"),
        (5, "RGB", 5, "the pages are not all grey and of one size, so they are not channels"),
    ],
)
def test_pages_that_are_no_channels_are_counted(pages, mode, wanted, words):
    images = [Image.new(mode, (8, 6)) for _ in range(pages)]
    data = encode(images[0], "TIFF", save_all=True, append_images=images[1:])
    with pytest.raises(UnreadableImage) as caught:
        decode(data, wanted)
    assert caught.value.reason == words


@pytest.mark.parametrize("odd", [Image.new("L", (8, 7)), Image.new("L", (9, 6)), Image.new("RGB", (8, 6))])
def test_pages_of_other_sizes_or_colours_are_no_channels(odd):
    images = [Image.new("L", (8, 6)), Image.new("L", (8, 6)), odd, Image.new("L", (8, 6)), Image.new("L", (8, 6))]
    data = encode(images[0], "TIFF", save_all=True, append_images=images[1:])
    with pytest.raises(UnreadableImage, match="not all grey and of one size"):
        decode(data, 5)


def test_pages_as_channels_keep_what_is_known_of_them():
    values = np.random.default_rng(0).integers(0, 65536, (6, 8, 5), dtype=np.uint16)
    pages = [Image.fromarray(np.ascontiguousarray(values[..., band])) for band in range(5)]
    found = inspect(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:]), 5)
    assert (found.format, found.bit_depth, found.channels, found.remarks) == ("TIFF", "16", 5, ())
    np.testing.assert_array_equal(found.image, np.floor(values / 257 + 0.5))


def test_an_image_whose_file_cannot_be_read_again_is_taken_as_it_is(tmp_path):
    image = photograph()
    (tmp_path / "a.png").write_bytes(encode(Image.fromarray(image), "PNG"))
    with open(tmp_path / "a.png", "rb") as file:
        opened = Image.open(file)
        opened.load()
    np.testing.assert_array_equal(decode_image(opened, 3), image)

    class Once(io.BytesIO):
        """A stream that can be read once, as from a network."""

        def tell(self):
            raise OSError("not seekable")

    for stream, tile in ((Once(b"?"), True), (io.BytesIO(b""), True), (io.BytesIO(b"?"), False)):
        plain = Image.fromarray(image)
        plain.format, plain.fp, plain.tile = "PNG", stream, [object()] if tile else []
        plain.load = lambda: None
        np.testing.assert_array_equal(decode_image(plain, 3), image)
    closed = io.BytesIO(b"?")
    closed.close()
    plain = Image.fromarray(image)
    plain.format, plain.fp, plain.tile, plain.load = "PNG", closed, [object()], lambda: None
    np.testing.assert_array_equal(decode_image(plain, 3), image)


def test_an_opened_image_is_read_as_its_file_with_its_own_ending():
    values = np.array([[[0, 65535, 300]]], np.uint16)
    data = cv2.imencode(".png", values)[1].tobytes()
    opened = Image.open(io.BytesIO(data))
    np.testing.assert_array_equal(decode_image(opened, None), decode(data, None))
    with pytest.raises(UnreadableImage, match="3 channels, 5 are wanted"):
        decode_image(Image.open(io.BytesIO(data)), 5)


@pytest.mark.parametrize(("channels", "shape"), [(None, (4, 5, 3)), (1, (4, 5, 1)), (3, (4, 5, 3)), (4, (4, 5, 4))])
def test_alpha_goes_or_stays_as_the_channels_ask(channels, shape):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 4), dtype=np.uint8)
    found = inspect(encode(Image.fromarray(pixels), "PNG"), channels)
    assert found.image.shape == shape
    assert (found.channels, found.bit_depth, found.format) == (4, "8", "PNG")
    assert found.image.flags.c_contiguous
    if channels == 4:
        np.testing.assert_array_equal(found.image, pixels)
    else:
        share = pixels[..., 3:] / 255
        white = np.floor(pixels[..., :3] * share + 255 * (1 - share) + 0.5)
        expected = white if channels != 1 else white @ [[0.299], [0.587], [0.114]]
        assert np.abs(found.image - expected).max() <= 1


def test_two_ways_of_asking_for_a_file_give_three_channels_where_none_are_named(tmp_path):
    (tmp_path / "a.png").write_bytes(encode(Image.new("L", (4, 3), 9), "PNG"))
    assert decode(tmp_path / "a.png").shape == inspect(tmp_path / "a.png").image.shape == (3, 4, 3)


def test_a_file_that_cannot_be_read_is_named_by_who_reads_it(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    for error, words in (
        (None, "no such file"),
        (PermissionError(13, "Permission denied"), "permission denied"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
        (OSError("of a driver"), "cannot be read: of a driver"),
    ):
        if error is not None:
            path.touch()

            def refuse(self, error=error):
                raise error

            monkeypatch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(UnreadableImage) as caught:
            read_file(path)
        assert (caught.value.reason, caught.value.where) == (words, str(path))
    with pytest.raises(UnreadableImage) as caught:
        read_file(tmp_path)
    assert (caught.value.reason, caught.value.where) == ("not a file", str(tmp_path))


def test_the_file_itself_counts_among_the_memory_to_the_last_byte(monkeypatch):
    # grey JPEG takes 4 bytes a pixel; TIFF one, and three for each of a row; of pages as channels two for each
    grey = Image.new("L", (1000, 1000))
    page = Image.new("L", (500, 500))
    pages = {"save_all": True, "append_images": [page] * 4, "compression": "tiff_adobe_deflate"}
    for data, channels, needed, pixels in (
        (encode(grey, "JPEG"), 1, 4_000_000, 1_300_000),
        (encode(grey, "TIFF"), 1, 1_003_000, 1_000_000),
        (encode(page, "TIFF", **pages), 5, 2_500_000, 1_000_000),
    ):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pixels)
        room = 33 * pixels // 10 - needed - len(data)
        assert inspect(data + bytes(room), channels).remarks == ()
        more = data + bytes(room + 1)
        if data.startswith(b"\xff\xd8"):
            assert inspect(more, channels).remarks == (SHRUNK,)
        else:
            with pytest.raises(UnreadableImage, match=r"need 3\.30 MB to be decoded, 3\.30 MB are allowed"):
                decode(more, channels)
