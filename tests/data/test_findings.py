import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from striate.data import ArrayImages, Dataset, Split, open_dataset
from striate.data.finding import KINDS, check_kinds
from striate.data.findings import findings, notes_beside
from striate.errors import UsageError
from striate.files import at_home


def found(folder, **options):
    dataset = open_dataset(folder, memory_limit=0, empty_classes=True, **options)
    return dataset, [(entry.kind, entry.text.replace(f"{at_home(folder)}/", "")) for entry in findings(dataset)]


def labelled(splits, classes=("a", "b", "c")):
    """A data set without pictures to speak of: {"train": [5, 5, 5]}."""
    rng, made = np.random.default_rng(0), {}
    for name, counts in splits.items():
        labels = np.repeat(np.arange(len(counts)), counts)
        array = rng.integers(0, 256, (len(labels), 3, 3, 1), dtype=np.uint8)
        made[name] = Split(name, ArrayImages(array, [f"{name}{row}" for row in range(len(labels))]), labels)
    return Dataset("", classes, 1, made["train"], made.get("val"), made.get("test"), (), (), "")


def test_each_planted_fault_is_found_under_its_kind_and_nothing_else(ailing):
    folder, planted = ailing
    dataset = open_dataset(folder, memory_limit=0, empty_classes=True)
    entries = findings(dataset)
    by_kind = {
        entry.kind: sorted(
            [place.name.removeprefix(f"{folder}/") for place in entry.places]
            or [entry.figures[name].removeprefix(f"{folder}/") for name in ("path",) if name in entry.figures]
        )
        for entry in entries
    }
    assert len(entries) == len(by_kind)  # one of each
    del planted["label-error"]  # which takes features
    assert by_kind == planted
    assert [entry.text for entry in entries if entry.kind == "empty-class"] == [
        "'yellow' has no image that can be read"
    ]
    assert next(entry for entry in entries if entry.kind == "near-leak").figures["mirrored"] is True
    assert [entry.kind for entry in entries] == [kind for kind in KINDS if kind in by_kind]
    assert sum(1 for path in folder.rglob("*.*")) == 200
    assert not {"near-leak", "near-duplicate"} & {entry.kind for entry in findings(dataset, near=False)}


def test_where_the_source_makes_no_splits_nothing_leaks(paint, tmp_path):
    paint(tmp_path / "photos", ["green", "red"], count=20)
    for number in range(20):
        shutil.copy(tmp_path / f"photos/green/{number}.png", tmp_path / f"photos/green/copy{number}.png")
    dataset, entries = found(tmp_path / "photos")
    assert dataset.val is not None
    assert Counter(kind for kind, _ in entries) == {"duplicate": 20}
    assert not any("train" in text for _, text in entries)


def test_one_picture_under_two_labels_in_two_splits_is_both(paint, tmp_path):
    for split in ("train", "val"):
        paint(tmp_path / "photos" / split, ["green", "red"], count=4, seed=len(split))
    shutil.copy(tmp_path / "photos/train/red/0.png", tmp_path / "photos/val/green/x.png")
    text = "train/red/0.png (train, red) = val/green/x.png (val, green)"
    assert found(tmp_path / "photos")[1] == [("leak", text), ("contradiction", text)]


def test_nearly_the_same_picture_under_two_labels(cloudy, tmp_path):
    for label, quality in (("a", 95), ("b", 70)):
        (tmp_path / label).mkdir()
        Image.fromarray(cloudy(0, "red")).save(tmp_path / label / "one.jpg", quality=quality)
    kind, text = found(tmp_path, val_fraction=0)[1][0]
    assert (kind, text) == ("near-contradiction", "a/one.jpg (a) = b/one.jpg (b)")


def test_classes_that_only_a_later_split_has_or_lacks(paint, tmp_path):
    paint(tmp_path / "photos/train", ["green", "red"], count=5)
    paint(tmp_path / "photos/val", ["blue", "red"], count=5, seed=1)
    assert found(tmp_path / "photos")[1] == [
        ("empty-class", "'blue' has no training images, only images in val (5)"),
        ("splits-differ", "val has no images of 'green'"),
    ]


def test_another_mixture_of_classes_differs_unless_chance_may_have_made_it():
    def differing(**splits):
        return [entry.text for entry in findings(labelled(splits), near=False) if entry.kind == "splits-differ"]

    assert differing(train=[100, 100, 100], val=[30, 34, 33], test=[80, 20, 20]) == [
        "the classes' shares of train and test are not those of one mixture: 'a' 33.3 % and 66.7 %, "
        "'b' 33.3 % and 16.7 %, 'c' 33.3 % and 16.7 %"
    ]
    assert differing(train=[100, 100, 100], val=[4, 2, 2]) == []  # too few to tell
    assert differing(train=[10_000, 10_000, 10_000], val=[10_900, 10_000, 9_100]) == []  # too little to matter


def test_imbalance_and_what_other_notes_say(paint, tmp_path):
    paint(tmp_path / "photos", ["green"], count=60)
    paint(tmp_path / "photos", ["red"], count=10, seed=1)
    Image.fromarray(np.random.default_rng(5).integers(0, 255, (16, 16, 3), np.uint8)).save(
        tmp_path / "photos/red/named.gif", "PNG"
    )
    dataset, entries = found(tmp_path / "photos", val_fraction=0)
    assert entries == [
        ("misnamed", "red/named.gif (PNG)"),
        ("imbalance", "'green' has 60 training images, 'red' 11 (5.5 times fewer)"),
    ]
    assert [note.split(":")[0] for note in dataset.notes] == [
        "1 image with the extension of another format, read by content (first",
        "images",
        "unbalanced",
    ]
    assert [note.split(":")[0] for note in notes_beside(dataset)] == ["images"]


def test_of_values_and_several_labels_only_files_are_judged(paint, tmp_path):
    paint(tmp_path / "im", ["green"], count=4)
    Image.open(tmp_path / "im/green/0.png").save(tmp_path / "im/green/0.jpg", quality=95)
    rows = [
        f"im/green/{name},{value}"
        for name, value in (("0.png", 1), ("1.png", 2), ("2.png", 3), ("3.png", 4), ("0.jpg", 9))
    ]
    (tmp_path / "t.csv").write_text("\n".join(["path,value", *rows]))
    assert [kind for kind, _ in found(tmp_path / "t.csv", task="regression", target="value", val_fraction=0)[1]] == [
        "near-duplicate"
    ]


def test_kinds_are_named_with_commas():
    assert check_kinds("leak, odd,leak,") == ("leak", "odd")
    assert check_kinds("") == ()
    with pytest.raises(UsageError, match=r"unknown kind of finding 'leek'\. Did you mean 'leak'"):
        check_kinds("leek")
