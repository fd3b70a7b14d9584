import shutil

import numpy as np
import pytest
from PIL import Image

from striate.data import open_dataset
from striate.data.picture_notes import oddities, oddity_notes, picture_notes
from striate.data.survey import Place, Sizes, Survey


def notes(folder, **options):
    """The notes on the pictures, with paths as they lie below the folder."""
    dataset = open_dataset(folder, **{"val_fraction": 0, **options})
    texts = [note.replace(f"{folder}/", "") for note in dataset.notes]
    return [text for text in texts if not text.startswith(("images:", "fewer", "unbalanced"))]


def save(folder, name, *shape, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels).save(folder / name)


def test_ordinary_images_need_no_notes(make_folder):
    assert notes(make_folder({"cat": 12, "dog": 12})) == []


def test_a_stray_size_is_named(make_folder):
    folder = make_folder({"cat": 12, "dog": 12})
    save(folder, "dog/odd.png", 13, 10, 3)
    assert notes(folder) == ["1 of 25 images is not 12x10 (height x width) like the rest: dog/odd.png (13x10)"]
    for number in range(7):
        save(folder, f"cat/x{number}.png", 20 + number, 10, 3, seed=number)
    (note,) = notes(folder)
    assert note.startswith(
        "8 of 32 images are not 12x10 (height x width) like the rest: cat/x0.png (20x10), cat/x1.png"
    )
    assert note.endswith("cat/x4.png (24x10) and 3 more")


def test_blank_and_tiny_images_are_named(make_folder):
    folder = make_folder({"cat": 12, "dog": 12}, size=(2, 10))
    Image.new("RGB", (10, 2), "white").save(folder / "cat/white.png")
    Image.new("L", (10, 2), 0).save(folder / "dog/black.png")
    first, second, third = notes(folder)
    assert first == "1 image in grey, repeated over 3 channels (first: dog/black.png)"
    assert second == "one colour only: cat/white.png, dog/black.png"
    assert third.startswith(
        "too small to show anything: cat/000.png, cat/001.png, cat/002.png, cat/003.png, cat/004.png"
    )
    assert third.endswith(" and 21 more")


@pytest.mark.parametrize(
    ("mode", "channels", "text"),
    [
        ("L", 3, "2 images in grey, repeated over 3 channels (first: dog/000.png)"),
        ("LA", 3, "2 images with transparency, laid on white (first: dog/000.png)"),
        ("RGBA", 3, "2 images with transparency, laid on white (first: dog/000.png)"),
        ("RGB", 1, "2 images in colour, turned to grey (first: dog/000.png)"),
        ("RGBA", 1, "2 images with transparency, laid on white (first: dog/000.png)"),
        ("RGB", 4, "2 images given an opaque fourth channel (first: dog/000.png)"),
    ],
)
def test_what_was_done_to_channels_is_said(make_folder, mode, channels, text):
    folder = make_folder({"cat": 2}, mode={1: "L", 3: "RGB", 4: "RGBA"}[channels])
    make_folder({"dog": 2}, mode=mode)
    assert text in notes(folder, channels=channels)


def test_the_same_picture_is_told_in_the_way_that_matters(make_folder):
    root = make_folder({"cat": 12, "dog": 12}, name="pets/train").parent
    make_folder({"cat": 12, "dog": 12}, name="pets/val", size=(10, 12))
    shutil.copy(root / "train/cat/003.png", root / "train/cat/z.png")
    shutil.copy(root / "train/cat/004.png", root / "train/dog/z.png")
    shutil.copy(root / "train/dog/005.png", root / "val/dog/z.png")
    for copy in ("train/cat/p0", "train/dog/p1", "val/cat/p2", "val/dog/p3"):
        save(root, f"{copy}.png", 10, 12, 3, seed=99)
    every = "train/cat/p0.png (train, cat) = train/dog/p1.png (train, dog) = val/cat/p2.png (val, cat)"
    every += " = val/dog/p3.png (val, dog)"
    dataset = open_dataset(root)
    found = {
        kind: [text.replace(f"{root}/", "") for text in texts]
        for kind, texts in oddities(dataset.survey, dataset.classes).items()
    }
    assert found == {
        "the same picture again": ["train/cat/003.png = train/cat/z.png"],
        "the same picture under two labels": ["train/cat/004.png (cat) = train/dog/z.png (dog)", every],
        "the same picture in two splits": [every, "train/dog/005.png (train) = val/dog/z.png (val)"],
        "the same picture many times, perhaps in place of what was not to be had": [every],
    }
    told = notes(root)
    assert f"the same picture under two labels: train/cat/004.png (cat) = train/dog/z.png (dog); {every}" in told
    assert "the same picture again: train/cat/003.png = train/cat/z.png" in told


@pytest.mark.parametrize(("times", "kind"), [(3, "again"), (4, "many times")])
def test_four_times_is_many(make_folder, times, kind):
    folder = make_folder({"cat": 12, "dog": 12})
    for number in range(times - 1):
        shutil.copy(folder / "cat/000.png", folder / f"cat/copy{number}.png")
    (note,) = notes(folder)
    assert note.startswith(f"the same picture {kind}")


def test_of_many_copies_the_first_are_named_and_all_are_counted(make_folder):
    folder = make_folder({"cat": 12, "dog": 12})
    for number in range(30):
        shutil.copy(folder / "cat/000.png", folder / f"dog/copy{number:02d}.png")
    kinds = notes(folder)
    assert len(kinds) == 2
    for note in kinds:
        assert "cat/000.png (cat) = dog/copy00.png (dog) = dog/copy01.png (dog)" in note
        assert note.endswith("dog/copy03.png (dog) and 26 more")


def made_up(**known) -> Survey:
    sizes = Sizes(commonest=(8, 9), with_commonest=1200, smallest=(1, 1), largest=(8, 9), different=1, images=1200)
    nothing = {"bit_depths": {}, "formats": {}, "strays": (), "blank": (), "tiny": (), "same_pictures": ()}
    return Survey(**{"sizes": sizes, "file_channels": {3: 1200}, "examples": {3: "c"}, **nothing, **known})


WHITE, REPEATED = "with transparency, laid on white", "in grey, repeated over {} channels"


@pytest.mark.parametrize(
    ("own", "channels", "text"),
    [
        *((1, count, REPEATED.format(count)) for count in (3, 4)),
        (1, 1, ""),
        (2, 1, WHITE),
        (2, 3, WHITE),
        (2, 4, REPEATED.format(4)),
        (3, 1, "in colour, turned to grey"),
        (3, 3, ""),
        (3, 4, "given an opaque fourth channel"),
        (4, 1, WHITE),
        (4, 3, WHITE),
        (4, 4, ""),
        (7, 7, ""),
    ],
)
def test_every_change_of_channels_has_its_words(own, channels, text):
    survey = made_up(file_channels={own: 1, 5: 0}, examples={own: "a.png", 5: "b"})
    assert picture_notes(survey, ("cat",), channels) == ([f"1 image {text} (first: a.png)"] if text else [])
    many = made_up(file_channels={own: 1200}, examples={own: "a.png"})
    assert picture_notes(many, ("cat",), channels) == ([f"1,200 images {text} (first: a.png)"] if text else [])


def test_notes_come_in_one_order():
    strays = tuple(f"s{number} (1x1)" for number in range(5))
    sizes = Sizes(commonest=(8, 9), with_commonest=1100, smallest=(1, 1), largest=(8, 9), different=9, images=2100)
    twins = ((Place("train", "a", 0), Place("train", "b", 0)), (Place("train", "c", 0), Place("val", "d", 1)))
    channels = {"file_channels": {1: 2, 3: 4}, "examples": {1: "g", 3: "c"}}
    survey = made_up(sizes=sizes, strays=strays, blank=("w",), tiny=("t", "u"), same_pictures=twins, **channels)
    assert picture_notes(survey, ("cat", "dog"), 3) == [
        "2 images in grey, repeated over 3 channels (first: g)",
        "1,000 of 2,100 images are not 8x9 (height x width) like the rest: "
        "s0 (1x1), s1 (1x1), s2 (1x1), s3 (1x1), s4 (1x1) and 995 more",
        "one colour only: w",
        "too small to show anything: t, u",
        "the same picture again: a = b",
        "the same picture under two labels: c (train, cat) = d (val, dog)",
        "the same picture in two splits: c (train, cat) = d (val, dog)",
    ]
    assert list(oddities(survey, ("cat", "dog"))) == [
        "one colour only", "too small to show anything", "the same picture again", "the same picture under two labels",
        "the same picture in two splits",
    ]  # fmt: skip
    assert oddities(made_up(), ("cat",)) == {}
    assert oddity_notes(survey, ("cat", "dog")) == picture_notes(survey, ("cat", "dog"), 3)[2:]


@pytest.mark.parametrize(
    ("places", "text", "kinds"),
    [
        ([("train", 0)] * 2, "n0 = n1", ["again"]),
        ([("train", 0)] * 3, "n0 = n1 = n2", ["again"]),
        ([("train", 0)] * 4, "n0 = n1 = n2 = n3", ["many times"]),
        ([("train", 0), ("train", 1)], "n0 (cat) = n1 (dog)", ["under two labels"]),
        ([("train", 1), ("val", 1)], "n0 (train) = n1 (val)", ["in two splits"]),
        (
            [("val", 1), ("val", 1), ("test", 1), ("val", 1)],
            "n0 (val) = n1 (val) = n2 (test) = n3 (val)",
            ["in two splits", "many times"],
        ),
    ],
)
def test_places_of_a_picture_are_told_where_they_differ(places, text, kinds):
    group = tuple(Place(split, f"n{number}", label) for number, (split, label) in enumerate(places))
    found = oddities(made_up(same_pictures=(group,)), ("cat", "dog"))
    assert [kind.removeprefix("the same picture ").split(",")[0] for kind in found] == kinds
    assert list(found.values()) == [[text]] * len(kinds)
