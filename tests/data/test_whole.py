import numpy as np

from striate.data import ArrayImages, Place, Split
from striate.data.whole import Whole


def split(name, count, first=0):
    images = ArrayImages(np.zeros((count, 1, 1, 1), np.uint8), [f"{name}{row}" for row in range(count)])
    return Split(name, images, np.arange(first, first + count))


def test_images_are_numbered_through_all_splits_the_empty_ones_too():
    whole = Whole([split("train", 0), split("val", 2, first=5), split("test", 3, first=7)])
    assert len(whole) == 5
    assert [whole.name(number) for number in range(5)] == ["val0", "val1", "test0", "test1", "test2"]
    assert [(part.name, row) for part, row in map(whole.locate, range(5))] == [
        ("val", 0), ("val", 1), ("test", 0), ("test", 1), ("test", 2),
    ]  # fmt: skip
    assert whole.place(3) == Place("test", "test1", 8)
