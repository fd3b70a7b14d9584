"""HEIC pictures as pillow-heif writes them, read as the same pictures of other formats are."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data import heif, open_dataset, unreadable
from striate.data.decode import ROTATED, SEVERAL, WRONG_EXTENSION, UnreadableImage, decode, decode_image, inspect

TURNED = Path(__file__).with_name("turned.heic")


@pytest.fixture
def library():
    """pillow-heif, which these tests write their files with."""
    return pytest.importorskip("pillow_heif", reason="pillow-heif is not installed: pip install 'striate[heic]'")


@pytest.fixture
def encoded(library):
    """Writes samples of a mode of pillow-heif's, without loss but for rounding, with an EXIF orientation."""

    def encode(mode: str, *pictures: np.ndarray, orientation: int = 1, primary: int = 0) -> bytes:
        file = library.HeifFile()
        for samples in pictures:
            height, width = samples.shape[:2]
            file.add_frombytes(mode, (width, height), np.ascontiguousarray(samples).tobytes())
        exif = Image.Exif()
        exif[0x0112] = orientation
        stream = io.BytesIO()
        file.save(stream, quality=-1, chroma=444, exif=exif.tobytes(), primary_index=primary)
        return stream.getvalue()

    return encode


def ramp(bands: int = 3, height: int = 48, width: int = 64) -> np.ndarray:
    """Smooth uint8 samples, (H, W, bands)."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 3, y * 5, (x + y) * 2, 255 - x * 2], axis=-1)[..., :bands].astype(np.uint8)


def assert_close(found: np.ndarray, wanted: np.ndarray, most: int = 1) -> None:
    assert found.dtype == np.uint8
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= most


def test_colours_are_read(encoded):
    found = inspect(encoded("RGB", ramp()))
    assert_close(found.image, ramp())
    assert (found.format, found.bit_depth, found.channels, found.remarks) == ("HEIC", "8", 3, ())


def test_grey_stays_grey(encoded):
    data = encoded("L", ramp(1))
    assert inspect(data, None).channels == 1
    assert_close(decode(data, None), ramp(1))
    assert_close(decode(data, 3), np.repeat(ramp(1), 3, axis=2))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_upright_once(encoded, orientation):
    stored = ramp()
    found = inspect(encoded("RGB", stored, orientation=orientation))
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(stream, "PNG", exif=exif)
    assert_close(found.image, decode(stream.getvalue()))
    assert found.remarks == ((ROTATED,) if orientation > 1 else ())


def test_orientation_in_exif_alone_is_not_applied(library):
    """The file's own properties say how it is shown."""
    lying = TURNED.read_bytes().replace(b"irot\3", b"irot\0")
    assert library.open_heif(lying).info["exif"] == library.open_heif(TURNED).info["exif"]
    found = inspect(lying)
    assert (found.image.shape, found.remarks) == ((12, 20, 3), ())
    assert inspect(TURNED).image.shape == (20, 12, 3)


def test_samples_of_ten_bits_are_scaled_by_their_own_range(encoded):
    values = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    found = inspect(encoded("L;16", values << 6), None)
    assert (found.bit_depth, found.channels) == ("10", 1)
    wanted = np.round(values * (255 / 1023))[..., None]
    assert_close(found.image, wanted)
    assert np.mean(found.image == wanted) > 0.9  # neither shifted nor taken for sixteen bits
    assert found.image.max() == 255


def test_colours_of_ten_bits_are_read(encoded):
    found = inspect(encoded("RGB;16", ramp().astype(np.uint16) * 257))
    assert_close(found.image, ramp())
    assert found.bit_depth == "10"


@pytest.mark.parametrize("depth", [8, 10])
def test_alpha_is_composited_on_white_or_kept(encoded, depth):
    samples = ramp(4)
    data = encoded("RGBA", samples) if depth == 8 else encoded("RGBA;16", samples.astype(np.uint16) * 257)
    assert inspect(data).channels == 4
    assert_close(decode(data, 4), samples)
    opacity = samples[..., 3:].astype(float) / 255
    assert_close(decode(data, 3), np.round(samples[..., :3] * opacity + 255 * (1 - opacity)).astype(int), 2)


def test_colours_multiplied_by_alpha_are_divided_again(encoded):
    samples = np.full((16, 16, 4), (100, 50, 0, 128), np.uint8)
    assert_close(decode(encoded("RGBa", samples), 4), np.full((16, 16, 4), (199, 100, 0, 128)), 2)


@pytest.mark.parametrize("primary", [0, 1])
def test_of_several_pictures_the_primary_one_is_read(encoded, primary):
    pictures = [np.full((16, 24, 3), grey, np.uint8) for grey in (40, 200)]
    found = inspect(encoded("RGB", *pictures, primary=primary))
    assert_close(found.image, pictures[primary])
    assert found.remarks == (SEVERAL,)


def test_an_opened_picture_is_read_as_its_file(encoded, library):
    library.register_heif_opener()
    data = encoded("RGBA", ramp(4), orientation=6)
    for channels in (3, 4):
        np.testing.assert_array_equal(decode_image(Image.open(io.BytesIO(data)), channels), decode(data, channels))


def test_a_picture_cut_short_is_refused(encoded):
    data = encoded("RGB", np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    for length in (30, 100, len(data) // 2, len(data) - 1):
        with pytest.raises(UnreadableImage, match=r"^(truncated|damaged: .*)$"):
            decode(data[:length])
    with pytest.raises(UnreadableImage, match="truncated"):
        decode(data[:-1])


def refusal(data: bytes) -> str:
    try:
        decode(data)
    except UnreadableImage as error:
        return error.reason
    return ""


def test_damaged_headers_are_one_line_or_a_picture(library):
    data = TURNED.read_bytes()
    words = {refusal(data[:place] + b"\xff\xff" + data[place + 2 :]) for place in range(8, data.index(b"mdat"), 3)}
    assert not [refused for refused in words if "\n" in refused]
    assert len(words) > 10


@pytest.mark.parametrize("code", [b"jpeg jpgC", b"av01 av1C"])
def test_a_picture_coded_in_another_way_is_called_so(library, code):
    item, configuration = code.split()
    data = TURNED.read_bytes().replace(b"hvc1", item).replace(b"hvcC", configuration)
    assert refusal(data) == "a kind of HEIF that is not read; convert it to JPEG or PNG"


@pytest.mark.parametrize(
    ("mode", "shape", "needed"),
    [
        ("L", (), 2.7),
        ("RGB", (3,), 9.1),
        ("RGBA", (4,), 14.9),
        ("L;16", (), 5.4),
        ("RGB;16", (3,), 18.5),
        ("RGBA;16", (4,), 23.9),
    ],
)
def test_memory_is_counted_as_the_decoder_was_measured(encoded, monkeypatch, mode, shape, needed):
    data = encoded(mode, np.zeros((640, 640, *shape), np.uint16 if "16" in mode else np.uint8))
    most = 640 * 640 * needed + len(data)
    monkeypatch.setattr(unreadable, "_BYTES", 1.0)
    monkeypatch.setattr(unreadable, "_SMALL", 0)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(most) + 2)
    assert decode(data).shape == (640, 640, 3)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(most) - 2)
    assert f"640 x 640 pixels need {most / 1e6:.2f} MB to be decoded" in refusal(data)


def test_the_largest_pictures_of_telephones_fit():
    assert unreadable.fits(8064, 6048, heif._bytes_per_pixel("RGB", 8, 420), 12_000_000)


def test_more_pixels_than_are_safe_are_refused(encoded, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    assert refusal(encoded("L", np.zeros((64, 64), np.uint8))).startswith("64 x 64 is more than 4,000 pixels")


def test_a_folder_of_them_is_a_data_set(encoded, tmp_path):
    for name, colour in (("red", (200, 30, 30)), ("blue", (30, 30, 200))):
        (tmp_path / name).mkdir()
        for number, ending in enumerate((".heic", ".HEIF", ".hif", "")):
            picture = np.full((32, 32, 3), colour, np.uint8)
            picture[number] = 255
            (tmp_path / name / f"{number}{ending}").write_bytes(encoded("RGB", picture))
    data = open_dataset(tmp_path)
    assert data.classes == ("blue", "red")
    assert sum(map(len, data.splits)) == 8
    assert not [note for note in data.notes if "left out" in note]


def test_the_tiny_file_is_red_above_blue(library):
    picture = decode(TURNED)
    assert picture.shape == (20, 12, 3)
    assert picture[2, 6].argmax() == 0
    assert picture[17, 6].argmax() == 2


def test_what_does_not_load_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr(heif, "is_installed", lambda: True)
    with pytest.raises(UnreadableImage, match=r"^.*pillow-heif does not load .*; install it anew$"):
        decode(TURNED)


def test_without_the_library_the_mend_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(heif, "is_installed", lambda: False)
    content = TURNED.read_bytes()
    (tmp_path / "photo.jpg").write_bytes(content)
    for source in (content, TURNED, tmp_path / "photo.jpg"):
        with pytest.raises(UnreadableImage) as caught:
            decode(source)
        assert caught.value.reason == (".heic is not read; pip install 'striate[heic]', or convert it to JPEG or PNG")


def test_another_format_under_its_name_is_remarked(tmp_path):
    Image.new("RGB", (4, 3), (9, 8, 7)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.heic")
    found = inspect(tmp_path / "a.heic")
    assert found.remarks == (WRONG_EXTENSION,)
    assert found.image[0, 0].tolist() == [9, 8, 7]
