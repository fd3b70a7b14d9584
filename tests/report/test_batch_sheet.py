"""The grid of a data set shows its images with their labels, as a network gets them."""

import numpy as np
import pytest

import striate
from striate.augment import Augment
from striate.data import ArrayImages, Dataset, Split
from striate.report.batch_sheet import ACROSS, SHOWN, batch_sheet


def dataset(side: int, labels: np.ndarray, classes: tuple[str, ...] = ("dark", "bright")) -> Dataset:
    """Images whose level of grey is their number."""
    pixels = np.repeat(np.arange(len(labels), dtype=np.uint8), side * side * 3).reshape(-1, side, side, 3)
    part = Split("train", ArrayImages(pixels, [""] * len(labels)), labels)
    return Dataset("", classes, 3, part, None, None, (), (), "")


@pytest.fixture
def halves() -> Dataset:
    return dataset(20, np.repeat([0, 1], 40))


def levels(rows) -> list[int]:
    return [int(cell.picture[0, 0, 0]) for row in rows for cell in row]


def test_images_stand_by_class_with_its_name(halves):
    rows = batch_sheet(halves, Augment(), 40)
    assert [len(row) for row in rows] == [ACROSS] * (SHOWN // ACROSS)
    words = [cell.words for row in rows for cell in row]
    assert words == sorted(words, reverse=True)  # dark, then bright
    assert words == ["dark" if level < 40 else "bright" for level in levels(rows)]
    assert len(set(levels(rows))) == SHOWN
    assert levels(batch_sheet(halves, Augment(), 40, seed=1)) != levels(rows)
    assert all(cell.picture.shape == (40, 40, 3) for row in rows for cell in row)


def test_a_policy_acts_on_them_as_in_training(halves):
    plain, brighter = (levels(batch_sheet(halves, policy, 40)) for policy in (Augment(), Augment(brightness=0.5)))
    assert plain != brighter
    assert all(0.5 * before - 1 <= after <= 1.5 * before + 1 for before, after in zip(plain, brighter, strict=True))


def test_few_images_of_several_labels_fill_one_row():
    several = dataset(8, np.array([[True, False], [True, True], [False, False]]), ("leaf", "stem"))
    (row,) = batch_sheet(several, Augment(mixup=1e-6), 32)
    assert sorted(cell.words for cell in row) == ["leaf", "leaf, stem", "none"]


def test_large_images_are_cut_and_small_ones_are_whole():
    gradient = np.tile(np.arange(200, dtype=np.uint8)[None, None, :, None], (2, 100, 1, 3))
    part = Split("train", ArrayImages(gradient, ["", ""]), np.arange(2))
    wide = Dataset("", ("a", "b"), 3, part, None, None, (), (), "")
    (row,) = batch_sheet(wide, Augment(), 50)
    assert 48 <= row[0].picture[0, 0, 0] <= 54  # the middle of the picture
    digits = striate.open_dataset("digits", val_fraction=0)
    (first, *_), *_ = batch_sheet(digits, Augment(), 32)
    assert first.words == "0"
    assert (
        first.picture[::4, ::4] == first.picture[1::4, 1::4]
    ).all()  # 8 pixels a side, each shown four times as large
