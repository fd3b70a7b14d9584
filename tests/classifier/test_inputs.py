"""Whatever is called an image: what it is named, how it is read, what is left out."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.classifier.inputs import Sources, is_single
from striate.data import UnreadableImage
from striate.errors import UsageError

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)


@pytest.fixture
def photo(tmp_path) -> Path:
    (tmp_path / "photos").mkdir()
    Image.fromarray(PIXELS).save(tmp_path / "photos" / "a.png")
    return tmp_path / "photos" / "a.png"


def test_each_way_has_its_name_and_reads_the_same_pixels(photo):
    content = photo.read_bytes()
    with photo.open("rb") as stream:
        images = [
            photo,
            str(photo),
            content,
            io.BytesIO(content),
            stream,
            Image.open(photo),
            Image.fromarray(PIXELS),
            PIXELS,
        ]
        sources = list(Sources(images))
    names = [str(photo), str(photo), "[2]", "[3]", str(photo), str(photo), "[6]", "[7]"]
    assert [source.name for source in sources] == names
    for source in sources:
        assert np.array_equal(source.read(3), PIXELS)
        assert source.read(1).shape == (4, 5, 1)
    for image in (
        content,
        bytearray(content),
        memoryview(content),
        io.BytesIO(content),
        Image.fromarray(PIXELS),
        PIXELS,
    ):
        (alone,) = Sources(image)
        assert (alone.name, is_single(image)) == ("image", True)
        assert np.array_equal(alone.read(3), PIXELS)


def test_an_open_file_is_read_from_where_it_stands(photo):
    stream = io.BytesIO(b"head of another form" + photo.read_bytes())
    stream.seek(20)
    (source,) = Sources(stream)
    assert np.array_equal(source.read(3), PIXELS)


def test_several_folders_name_all_that_they_leave_out(photo, tmp_path):
    for name in ("photos", "others"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "b.heic").touch()
    sources = Sources([tmp_path / "photos", str(tmp_path / "others"), photo])
    names = [source.name for source in sources]
    assert names == [str(photo), str(tmp_path / "others"), str(photo)]
    assert [
        str(tmp_path / name / "b.heic") in note for name, note in zip(("photos", "others"), sources.notes, strict=True)
    ] == [
        True,
        True,
    ]


def test_a_folder_that_cannot_be_listed_is_an_image_that_cannot_be_read(photo, locked):
    (photo.parent / "locked").mkdir()
    first, second = Sources(photo.parent)
    assert first.name == str(photo)
    assert second.name == str(photo.parent / "locked")
    with pytest.raises(UnreadableImage, match=r"locked: cannot be listed: permission denied"):
        second.read(3)
    (only,) = Sources(photo.parent / "locked")
    with pytest.raises(UnreadableImage, match=r"locked: cannot be listed"):
        only.read(3)


@pytest.mark.parametrize("bands", [1, 3, 4, 7])
def test_arrays_may_have_usual_bands_or_those_of_the_model(bands):
    array = np.zeros((4, 5, bands), np.uint8)
    (source,) = Sources(array)
    assert source.read(bands).shape == (4, 5, bands)
    if bands in (1, 3, 4):
        assert source.read(1).shape == (4, 5, 1)
    else:
        with pytest.raises(UsageError, match=r"image: an array of shape \(4, 5, 7\) would be one image of 7 channels"):
            source.read(3)


def test_errors_call_the_image_by_its_place_or_name(tmp_path):
    first, second = Sources([b"x", np.zeros((2, 2), np.int64)])
    with pytest.raises(UnreadableImage, match="not an image"):
        first.read(3)
    with pytest.raises(UsageError, match=r"^\[1\]: an array of int64"):
        second.read(3)
    Image.new("RGB", (3, 3)).save(tmp_path / "a.pcx")
    (opened,) = Sources(Image.open(tmp_path / "a.pcx"))
    with pytest.raises(UnreadableImage, match=r"a\.pcx: \.pcx is not read"):
        opened.read(3)
    with pytest.raises(UsageError, match=r"^\[0\] is a int"):
        list(Sources([3]))


def test_a_file_that_is_open_as_text_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("cat")
    with (tmp_path / "notes.txt").open() as stream, pytest.raises(UsageError, match=r"notes.txt is open as text"):
        list(Sources(stream))
