"""Whatever is called an image: what it is named, how it is read, what is left out."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data import UnreadableImage
from striate.data.given_images import Sources, is_single
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
        (tmp_path / name / "b.jxl").touch()
    sources = Sources([tmp_path / "photos", str(tmp_path / "others"), photo])
    names = [source.name for source in sources]
    assert names == [str(photo), str(tmp_path / "others"), str(photo)]
    assert [
        str(tmp_path / name / "b.jxl") in note for name, note in zip(("photos", "others"), sources.notes, strict=True)
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


def test_one_image_is_told_from_several(photo):
    single = [str(photo), photo, "nowhere.png", PIXELS, PIXELS[:, :, 0], b"", bytearray(), memoryview(b"")]
    several = [str(photo.parent), photo.parent, PIXELS[None], [], [PIXELS], (photo,), iter([photo]), 3, None]
    assert [is_single(each) for each in [*single, Image.open(photo), io.BytesIO()]] == [True] * (len(single) + 2)
    assert [is_single(each) for each in several] == [False] * len(several)


@pytest.mark.parametrize("wrong", [3, None, {"a": 1}, {}, object(), 1.5, True])
def test_what_holds_no_images_is_refused_at_once(wrong):
    with pytest.raises(
        UsageError, match=rf"^{type(wrong).__name__} is no image: give a path, a PIL image or a uint8 arr"
    ):
        Sources(wrong)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (
            np.zeros((2, 2), np.float32),
            "image: an array of float32 and shape (2, 2); an image is uint8 (H, W) or (H, W, C).",
        ),
        (np.zeros(5, np.uint8), "image: an array of uint8 and shape (5,); an image is uint8 (H, W) or (H, W, C)."),
        (
            np.zeros((0, 5), np.uint8),
            "image: an array of uint8 and shape (0, 5); an image is uint8 (H, W) or (H, W, C).",
        ),
        (
            np.zeros((4, 5, 2), np.uint8),
            "image: an array of shape (4, 5, 2) would be one image of 2 channels, and the model takes 3; several "
            "images are (N, H, W, C).",
        ),
    ],
)
def test_an_array_that_is_no_image_is_told_what_one_is(array, said):
    (source,) = Sources(array)
    with pytest.raises(UsageError) as error:
        source.read(3)
    assert str(error.value) == said


def test_an_array_of_arrays_is_refused_by_the_place_of_the_image():
    (source,) = Sources([np.zeros((2, 2, 2, 3), np.uint8)])
    with pytest.raises(UsageError, match=r"^\[0\]: an array of uint8 and shape \(2, 2, 2, 3\)"):
        source.read(3)


def test_a_grey_array_is_a_picture_of_one_channel():
    (flat,), (deep,) = Sources(PIXELS[:, :, 0]), Sources(PIXELS[:, :, :1])
    np.testing.assert_array_equal(flat.read(1), PIXELS[:, :, :1])
    np.testing.assert_array_equal(deep.read(3), np.repeat(PIXELS[:, :, :1], 3, axis=2))


def test_a_picture_without_a_file_is_called_image_where_it_cannot_be_read(monkeypatch):
    def refuse(image, channels):
        raise UnreadableImage("broken", "somewhere")

    monkeypatch.setattr("striate.data.given_images.decode_image", refuse)
    (source,) = Sources(Image.new("RGB", (2, 2)))
    with pytest.raises(UnreadableImage, match=r"^image: broken"):
        source.read(3)


def test_a_name_is_one_that_can_be_printed(tmp_path):
    strange = tmp_path / "a\nb"
    strange.mkdir()
    (source,) = Sources(strange)
    assert source.name == str(tmp_path / "a\ufffdb")
    (missing,) = Sources(tmp_path / "c\nd.png")
    assert missing.name == str(tmp_path / "c\ufffdd.png")


def test_an_open_file_without_a_name_is_called_by_its_place():
    for images, name in ((io.StringIO("text"), "image"), ([b"", io.StringIO("text")], r"\[1\]")):
        with pytest.raises(UsageError, match=rf"^{name} is open as text; open it in binary mode \('rb'\)\.$"):
            list(Sources(images))


@pytest.mark.parametrize(("left", "said"), [((), ""), (("1.jxl", "notes.txt"), r", only 1 file \(.*")])
def test_a_folder_without_images_is_one_that_cannot_be_read(tmp_path, left, said):
    for name in left:
        (tmp_path / name).touch()
    (only,) = Sources([str(tmp_path)])
    assert only.name == str(tmp_path)
    with pytest.raises(UnreadableImage, match=f"^{tmp_path}: no images in this folder or below it{said}$"):
        only.read(3)


def test_notes_are_of_this_time_through_and_none_of_files(photo):
    sources = Sources(photo.parent)
    list(sources)
    assert sources.notes == []
    (photo.parent / "b.jxl").touch()
    list(sources)
    assert len(sources.notes) == 1
