"""Cutting splits off the training images, and the mark by which a division is known again."""

from dataclasses import replace

import numpy as np
import pytest

from striate.data import ArrayImages, Dataset, Split, open_dataset
from striate.data.division import divide, divide_again, fingerprint


def split(name: str, *counts: int, first: int = 0) -> Split:
    """So many images of each class; every image says its number, from `first` on."""
    labels = np.repeat(np.arange(len(counts)), counts)
    pixels = np.arange(first, first + len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1)
    return Split(name, ArrayImages(pixels, [f"{name}{row}" for row in range(len(labels))]), labels)


def numbers(part: Split) -> list[int]:
    return [int(part.images.read(row)[0, 0, 0]) for row in range(len(part))]


@pytest.mark.parametrize(
    ("given", "shares", "sizes", "told"),
    [
        ({}, {"test": 0.2, "val": 0.1}, {"train": [28, 42], "val": [4, 6], "test": [8, 12]}, "val and test cut from"),
        ({}, {"val": 0.5, "test": 0.25}, {"train": [10, 15], "val": [20, 30], "test": [10, 15]}, "val and test cut"),
        ({}, {"test": 0, "val": 0.1}, {"train": [36, 54], "val": [4, 6]}, "(val cut from train by class with seed 3)"),
        ({}, {"test": 0, "val": 0}, {"train": [40, 60]}, "100 train (not divided)"),
        ({"test": (1, 2)}, {"test": 0.2, "val": 0.1}, {"train": [36, 54], "val": [4, 6], "test": [1, 2]}, "test as in"),
        ({"val": (1, 2)}, {"val": 0.1}, {"train": [40, 60], "val": [1, 2]}, "100 train, 3 val (as the source divides"),
        ({"test": (0, 0)}, {"val": 0.1}, {"train": [36, 54], "val": [4, 6], "test": [0, 0]}, "with seed 3)"),
    ],
)
def test_shares_are_of_all_images_and_given_splits_stay(given, shares, sizes, told):
    splits = {"train": split("train", 40, 60), **{name: split(name, *counts) for name, counts in given.items()}}
    divided, notes, told_of = divide(splits, shares, seed=3)
    assert {name: part.counts(2).tolist() for name, part in divided.items()} == sizes
    assert {name: part.name for name, part in divided.items()} == {name: name for name in sizes}
    assert notes == ()
    assert told in told_of
    cut = [number for name, part in divided.items() if name not in given for number in numbers(part)]
    assert sorted(cut) == list(range(100))
    for name, part in divided.items():
        if name in given:
            assert part is splits[name]
        else:
            assert [0 if number < 40 else 1 for number in numbers(part)] == part.labels.tolist()
    assert (list(splits), len(splits["train"])) == (["train", *given], 100)  # not changed in place


def test_another_seed_cuts_off_others():
    parts = [numbers(divide({"train": split("train", 40, 60)}, {"val": 0.1}, seed)[0]["val"]) for seed in (1, 1, 2)]
    assert parts[0] == parts[1] != parts[2]


def test_what_cannot_be_cut_off_is_told_with_its_share():
    alone = {"train": split("train", 1, 1)}
    divided, notes, told = divide(alone, {"test": 0.2, "val": 0.15}, seed=0)
    assert list(divided) == ["train"]
    assert notes == (
        "no test split: 2 images are too few to cut 20% off by class",
        "no val split: 2 images are too few to cut 15% off by class",
    )
    assert told == "images: 2 train (not divided)"
    later = divide({"train": split("train", 2, 2)}, {"test": 0.5, "val": 0.4}, seed=0)
    assert later[1] == ("no val split: 4 images are too few to cut 40% off by class",)
    assert later[2] == "images: 2 train, 2 test (test cut from train by class with seed 0)"


def test_nothing_is_cut_off_nothing():
    divided, notes, told = divide({"train": split("train"), "test": split("test", 1, 1)}, {"val": 0.5}, seed=0)
    assert (list(divided), notes, told) == (["train", "test"], (), "images: 0 train, 2 test (not divided)")


def test_a_set_is_divided_again_as_it_would_have_been_opened(make_folder):
    folder = make_folder({"cat": 12, "dog": 18})
    whole, opened = open_dataset(folder, val_fraction=0), open_dataset(folder, val_fraction=0.2, seed=4)
    again = divide_again(whole, 0.2, 4)
    assert whole.val is None
    assert (len(again.train), len(again.val)) == (24, 6)
    assert again.fingerprint == opened.fingerprint != whole.fingerprint
    for name in ("train", "val"):
        some, others = getattr(again, name), getattr(opened, name)
        assert [some.images.name(row) for row in range(len(some))] == [
            others.images.name(row) for row in range(len(others))
        ]
    assert (again.source, again.classes, again.survey) == (whole.source, whole.classes, whole.survey)
    assert divide_again(opened, 0.5, 9).fingerprint == opened.fingerprint  # it has validation images


def test_dividing_again_leaves_the_test_images():
    made = Dataset("x", ("a", "b"), 1, split("train", 5, 5), None, split("test", 1, 1, first=50), (), (), "")
    again = divide_again(made, 0.2, 0)
    assert numbers(again.test) == [50, 51]
    assert len(again.val) == 2
    parts = {"train": again.train, "val": again.val, "test": again.test}
    assert again.fingerprint == fingerprint(("a", "b"), parts)
    assert again.fingerprint != fingerprint(("a", "b"), {"train": again.train, "val": again.val})


def test_a_fingerprint_changes_with_all_that_counts_and_nothing_else():
    train, val = split("train", 3, 2), split("val", 1, 1, first=50)
    original = fingerprint(("ab", "c"), {"train": train, "val": val})
    turned = {"val": val.subset([1, 0]), "train": train.subset([4, 2, 0, 1, 3])}
    assert fingerprint(["ab", "c"], turned) == original
    renamed = ArrayImages(train.images.array, ["elsewhere"] * 5)
    assert fingerprint(("ab", "c"), {"train": replace(train, images=renamed), "val": val}) == original
    one_more, exchanged = train.subset([0, 1, 2, 3, 4, 4]), train.labels.copy()
    exchanged[[0, 4]] = exchanged[[4, 0]]
    others = [
        fingerprint(("a", "bc"), {"train": train, "val": val}),
        fingerprint(("c", "ab"), {"train": train, "val": val}),
        fingerprint(("ab", "c", ""), {"train": train, "val": val}),
        fingerprint(("ab", "c"), {"train": train}),
        fingerprint(("ab", "c"), {"train": train, "test": val}),
        fingerprint(("ab", "c"), {"train": val, "val": train}),
        fingerprint(("ab", "c"), {"train": one_more, "val": val}),
        fingerprint(("ab", "c"), {"train": replace(train, labels=exchanged), "val": val}),
        fingerprint(("ab", "c"), {"train": replace(train, labels=train.labels + 1), "val": val}),
        fingerprint(("ab", "c"), {"train": split("train", 3, 2, first=1), "val": val}),
        fingerprint(("\udcff", "c"), {"train": train, "val": val}),
    ]
    assert len({original, *others}) == 12


def test_a_fingerprint_stays_what_it_was_in_the_reports_of_earlier_runs():
    parts = {"val": split("val", 1, 1, first=9), "train": split("train", 2, 1)}
    assert fingerprint(("café", "\udcff"), parts) == (
        "864868fd045714721951a611868e5f63b0c452413b5e6e05fa51b582498d51ec"
    )
