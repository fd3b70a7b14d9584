"""The three places of pixels answer alike."""

import io

import numpy as np
import pytest
from PIL import Image

from striate.data import ArrayImages, EncodedImages, FileImages, UnreadableImage
from striate.data.images import printable


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (4, 3, 5, 3), dtype=np.uint8)


@pytest.fixture(params=["array", "files", "encoded"])
def images(request, pictures, tmp_path):
    names = [str(tmp_path / f"{row}.png") for row in range(4)]
    for name, picture in zip(names, pictures, strict=True):
        Image.fromarray(picture).save(name)
    if request.param == "array":
        return ArrayImages(pictures, names)
    paths = [tmp_path / f"{row}.png" for row in range(4)]
    return (
        FileImages(paths, 3) if request.param == "files" else EncodedImages([p.read_bytes() for p in paths], names, 3)
    )


def test_pixels_keep_their_names_in_any_subset(images, pictures):
    assert len(images) == 4
    some = images.subset(np.array([3, 0, 2]))
    assert type(some) is type(images)
    assert len(some) == 3
    for place, row in enumerate((3, 0, 2)):
        assert np.array_equal(some.read(place), pictures[row])
        assert some.name(place) == images.name(row)
        assert some.name(place).endswith(f"{row}.png")


@pytest.mark.parametrize("channels", [1, 4])
def test_files_and_rows_are_read_with_their_sets_channels(pictures, tmp_path, channels):
    stream = io.BytesIO()
    Image.fromarray(pictures[0]).save(stream, "PNG")
    (tmp_path / "a.png").write_bytes(stream.getvalue())
    for images in (FileImages([tmp_path / "a.png"], channels), EncodedImages([stream.getvalue()], ["a"], channels)):
        assert images.read(0).shape == images.subset(np.array([0])).read(0).shape == (3, 5, channels)


def test_what_cannot_be_read_is_named(tmp_path):
    for images, where in (
        (EncodedImages([b"x", b"y"], ["t.parquet[4]", "t.parquet[7]"], 3), "t.parquet[7]"),
        (FileImages([tmp_path / "a", tmp_path / "b"], 3), str(tmp_path / "b")),
    ):
        with pytest.raises(UnreadableImage) as caught:
            images.read(1)
        assert caught.value.where == where
        assert str(caught.value).startswith(f"{where}: ")


def test_arrays_are_bytes_with_as_many_names(pictures):
    with pytest.raises(TypeError, match="uint8"):
        ArrayImages(pictures.astype(np.float32), ["a"] * 4)
    with pytest.raises(TypeError, match="uint8"):
        ArrayImages(pictures[0], ["a"] * 3)
    with pytest.raises(ValueError, match="4 images with 3 names"):
        ArrayImages(pictures, ["a"] * 3)


def test_paths_are_printed_whatever_is_in_them():
    assert printable("a/b c.png") == "a/b c.png"
    assert printable("a\nb\tc\x7f") == "a\ufffdb\ufffdc\ufffd"
    assert printable("caf\udce9") == "caf\ufffd"  # a byte that is no UTF-8
    assert printable("caf\udcc3\udca9") == "café"  # two that are
    assert printable("\ud800") == "\ufffd"


@pytest.mark.parametrize("code", [0x00, 0x09, 0x1F, 0x7F, 0xD800, 0xDC7F, 0xDD00, 0xDFFF, 0xDC80, 0xDCFF])
def test_no_sign_that_nobody_can_print_gets_into_a_report(code):
    assert printable(f"a{chr(code)}b") == "a\ufffdb"


@pytest.mark.parametrize("code", [0x20, 0x7E, 0x80, 0xA0, 0xD7FF, 0xE000, 0x1F600])
def test_other_signs_stay(code):
    assert printable(f"a{chr(code)}b") == f"a{chr(code)}b"
