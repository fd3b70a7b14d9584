import shutil

import numpy as np
import pytest

from striate.data import ArrayImages, Dataset, Split, cross_split_duplicates, open_dataset


@pytest.mark.parametrize("in_memory", [True, False])
def test_copies_across_splits_are_found_by_name(make_folder, in_memory):
    root = make_folder({"cat": 5, "dog": 5}, name="pets/train").parent
    make_folder({"cat": 2, "dog": 2}, name="pets/val", size=(12, 10))
    for path in (root / "val").rglob("*.png"):
        path.unlink()
    shutil.copy(root / "train/cat/003.png", root / "val/dog/copy.png")
    make_folder({"other": 1, "cat": 2}, name="more")
    shutil.copy(root.parent / "more/cat/001.png", root / "val/cat/same_noise_as_dog.png")
    found = cross_split_duplicates(open_dataset(root, memory_limit=None if in_memory else 0))
    assert (str(root / "train/cat/003.png"), str(root / "val/dog/copy.png")) in found
    assert found.total == len(found) == 2


def test_no_copies_no_pairs(make_folder):
    found = cross_split_duplicates(open_dataset(make_folder({"cat": 20, "dog": 20})))
    assert found == []
    assert found.total == 0


def test_listing_is_capped_but_the_count_is_true():
    array = np.zeros((30, 2, 2, 1), dtype=np.uint8)
    splits = [
        Split(name, ArrayImages(array, [f"{name}{row}" for row in range(30)]), np.zeros(30, dtype=np.int64))
        for name in ("train", "val", "test")
    ]
    found = cross_split_duplicates(Dataset("", ("a", "b"), 1, *splits, (), (), ""), limit=7)
    assert len(found) == 7
    assert found.total == 90  # val against train, test against train, test against val
