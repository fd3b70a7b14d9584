"""Splits and the data set of them."""

import numpy as np
import pytest

from striate.data import ArrayImages, Dataset, Skipped, Split
from striate.data.facts import Facts
from striate.errors import StriateError


def facts(count: int) -> Facts:
    """Of images that all differ in everything."""
    return Facts(
        contents=[bytes([row]) for row in range(count)],
        sizes=np.arange(2 * count, dtype=np.int32).reshape(count, 2),
        formats=[f"format {row}" for row in range(count)],
        channels=np.arange(count, dtype=np.int16) + 1,
        bit_depths=[str(row + 8) for row in range(count)],
        blank=np.arange(count) % 2 == 0,
        hashes=np.arange(count, dtype=np.uint64),
        remarks=[(f"remark {row}",) for row in range(count)],
        sums=np.arange(8 * count, dtype=np.int64).reshape(count, 2, 4),
    )


def split(name: str, labels: list[int], known: bool = False) -> Split:
    pixels = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1)
    images = ArrayImages(pixels, [f"{name}{row}" for row in range(len(labels))])
    return Split(name, images, np.array(labels, dtype=np.int64), facts(len(labels)) if known else None)


def dataset(train: Split, val: Split | None = None, test: Split | None = None, skipped=()) -> Dataset:
    return Dataset("pets", ("cat", "dog"), 1, train, val, test, tuple(skipped), (), "0" * 64)


def test_a_subset_takes_images_labels_and_facts_in_the_order_asked_for():
    whole = split("train", [5, 6, 7, 8], known=True)
    some = whole.subset(np.array([3, 0, 0]))
    assert (some.name, len(some)) == ("train", 3)
    assert [some.images.name(row) for row in range(3)] == ["train3", "train0", "train0"]
    assert [int(some.images.read(row)[0, 0, 0]) for row in range(3)] == [3, 0, 0]
    assert some.labels.tolist() == [8, 5, 5]
    assert some.facts.contents == [b"\3", b"\0", b"\0"]
    assert some.facts.sizes.tolist() == [[6, 7], [0, 1], [0, 1]]
    assert some.facts.formats == ["format 3", "format 0", "format 0"]
    assert some.facts.channels.tolist() == [4, 1, 1]
    assert some.facts.bit_depths == ["11", "8", "8"]
    assert some.facts.blank.tolist() == [False, True, True]
    assert some.facts.sums[:, 1, 3].tolist() == [31, 7, 7]


def test_a_subset_of_nothing_is_empty_and_unknown_facts_stay_unknown():
    none = split("val", [1, 0]).subset([])
    assert (len(none), none.name, none.facts) == (0, "val", None)
    assert split("val", [1, 0]).subset([1]).labels.tolist() == [0]


def test_images_labels_and_facts_are_of_one_number():
    images = ArrayImages(np.zeros((2, 1, 1, 1), np.uint8), ["a", "b"])
    with pytest.raises(ValueError, match=r"^2 images with 3 labels in 'val'$"):
        Split("val", images, np.zeros(3, np.int64))
    with pytest.raises(ValueError, match=r"^facts of 1 images with 2 labels in 'val'$"):
        Split("val", images, np.zeros(2, np.int64), facts(1))
    assert len(Split("val", images, np.zeros(2, np.int64), facts(2))) == 2


def test_every_class_is_counted_those_without_images_too():
    counts = split("train", [2, 0, 2]).counts(5)
    assert counts.tolist() == [1, 0, 2, 0, 0]
    assert counts.dtype == np.int64
    assert split("train", []).counts(2).tolist() == [0, 0]


def test_splits_come_in_their_order_without_those_that_are_not_there():
    train, val, test = split("train", [0]), split("val", [1]), split("test", [0, 1])
    assert dataset(train, val, test).splits == (train, val, test)
    assert dataset(train, None, test).splits == (train, test)
    assert dataset(train, val).splits == (train, val)
    assert dataset(split("train", [])).splits[0].name == "train"


def test_what_nobody_said_is_divided_and_not_surveyed():
    assert (dataset(split("train", [0])).divided, dataset(split("train", [0])).survey) == (True, None)


def test_skipped_files_are_written_with_their_reasons(tmp_path):
    skipped = [Skipped("cat/a, b.png", "truncated"), Skipped('dog/"x".png', "not an image")]
    target = tmp_path / "new" / "folder" / "skipped.csv"
    assert dataset(split("train", [0]), skipped=skipped).write_skipped(str(target)) == target
    assert target.read_text() == 'path,reason\n"cat/a, b.png",truncated\n"dog/""x"".png",not an image\n'


def test_where_no_folder_can_be_made_the_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    target = tmp_path / "file" / "skipped.csv"
    with pytest.raises(StriateError, match=r"skipped\.csv: cannot be written") as caught:
        dataset(split("train", [0])).write_skipped(target)
    assert isinstance(caught.value.__cause__, OSError)
