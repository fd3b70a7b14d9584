"""What is said about classes and parts, at the numbers where it begins to be said."""

import numpy as np
import pytest

from striate.data import ArrayImages, Split
from striate.data.notes import FEW_IMAGES, IMBALANCE, absent_notes, class_notes, split_note

CLASSES = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu")


def split(*counts, name="train"):
    labels = np.repeat(np.arange(len(counts)), counts)
    return Split(name, ArrayImages(np.zeros((len(labels), 1, 1, 1), np.uint8), ["x"] * len(labels)), labels)


def test_classes_are_unbalanced_beyond_a_factor():
    assert class_notes(split(20, 20 * IMBALANCE, 30), CLASSES[:3]) == []
    assert class_notes(split(30, 20 * IMBALANCE + 1, 20, 0), CLASSES[:4]) == [
        "unbalanced: 'bee' has 101 training images, 'cat' 20 (5.0 times fewer); so that rare ones are not missed, "
        'train with balance="weights"'
    ]


def test_classes_of_few_images_are_counted_and_the_first_named():
    assert class_notes(split(FEW_IMAGES, 12), CLASSES[:2]) == []
    assert class_notes(split(FEW_IMAGES - 1, 12, 0), CLASSES[:3]) == ["fewer than 10 training images: 'ant' (9)"]
    (note,) = class_notes(split(9, 8, 7, 6, 5, 4, 3), CLASSES)
    assert note == (
        "fewer than 10 training images: 'ant' (9), 'bee' (8), 'cat' (7), 'dog' (6), 'eel' (5) and 2 more"
    )  # fmt: skip
    assert class_notes(split(), CLASSES) == []


def test_labels_that_every_image_has_are_told_of():
    labels = np.array([[1, 1, 0], [1, 0, 0]] * 20, bool)
    labelled = Split("train", ArrayImages(np.zeros((40, 1, 1, 1), np.uint8), ["x"] * 40), labels)
    assert class_notes(labelled, CLASSES[:3]) == ["every training image has 'ant', so nothing is to be learnt of that"]
    assert class_notes(labelled.subset(np.arange(0)), CLASSES[:3]) == []
    assert class_notes(split(20), CLASSES[:1]) == []


def test_parts_without_a_class_name_it_and_empty_parts_do_not():
    parts = [split(1, 1, 1), split(0, 2, name="val"), split(name="test")]
    assert absent_notes(parts, CLASSES[:3]) == ["val has no images of 'ant', 'cat'"]
    assert absent_notes([split(1, 1, name="test")], CLASSES) == [
        "test has no images of 'cat', 'dog', 'eel', 'fox', 'gnu'"
    ]
    assert absent_notes([split(1, name="test")], CLASSES)[0].endswith("'fox' and 1 more")


@pytest.mark.parametrize(
    ("given", "made", "sizes", "how"),
    [
        (["train"], {}, {"train": 1200}, "1,200 train (not divided)"),
        (["train", "val"], {}, {"train": 9, "val": 1}, "9 train, 1 val (as the source divides them)"),
        (
            ["train"],
            {"test": 2, "val": 1},
            {"test": 2, "train": 7, "val": 1},
            "7 train, 1 val, 2 test (val and test cut from train by class with seed 5)",
        ),
        (
            ["train", "test"],
            {"val": 1},
            {"train": 7, "val": 1, "test": 2},
            "7 train, 1 val, 2 test (val cut from train by class with seed 5, test as in the source)",
        ),
    ],
)
def test_the_division_is_told_in_the_order_of_the_parts(given, made, sizes, how):
    assert split_note(given, made, sizes, 5, "class") == f"images: {how}"
