import pickle

import numpy as np
import pytest
from PIL import Image

from striate.data import ArrayImages, EncodedImages, FileImages, KeptImages, open_dataset
from striate.data import kept as kept_module
from striate.data.kept import ARRAY_LIMIT, Memory


def picture(row, size=(4, 5), channels=3):
    return np.full((*size, channels), row, dtype=np.uint8)


def source(count):
    return EncodedImages([b""] * count, [f"row {row}" for row in range(count)], 3)


def filled(limit, *pictures):
    """A memory of these pictures, added as the check adds them."""
    memory = Memory(len(pictures), limit)
    for one in pictures:
        memory.add(one if one is not None and memory.reserve(one) else None)
    return memory


def levels(images):
    return [int(images.read(row)[0, 0, 0]) for row in range(len(images))]


def test_pictures_of_several_sizes_keep_their_order_and_names():
    memory = filled(10_000, *(picture(row, (4 + row % 2, 5)) for row in range(4)))
    images = memory.images(np.array([3, 1, 2]), source(4).subset(np.array([3, 1, 2])))
    assert isinstance(images, KeptImages)
    assert levels(images) == [3, 1, 2]
    assert [images.name(row) for row in range(3)] == ["row 3", "row 1", "row 2"]
    turned = images.subset(np.array([2, 0]))
    assert levels(turned) == [2, 3]
    assert [turned.name(row) for row in range(2)] == ["row 2", "row 3"]


def test_pictures_of_one_size_lie_in_one_array():
    memory = filled(10_000, *map(picture, range(3)))
    images = memory.images(np.array([2, 0]), source(3).subset(np.array([2, 0])))
    assert isinstance(images, ArrayImages)
    assert levels(images) == [2, 0]
    assert [images.name(row) for row in range(2)] == ["row 2", "row 0"]


def test_large_pictures_of_one_size_are_not_copied_into_an_array():
    large = np.zeros((1 << 13, 1 << 13, 3), dtype=np.uint8)  # 192 MiB of untouched memory
    assert large.nbytes < ARRAY_LIMIT < 2 * large.nbytes
    memory = filled(1 << 30, large, large)
    assert isinstance(memory.images(np.array([0, 1]), source(2)), KeptImages)


@pytest.mark.parametrize(("limit", "kind"), [(180, ArrayImages), (179, KeptImages)])
def test_pictures_are_copied_into_an_array_up_to_the_last_byte(limit, kind, monkeypatch):
    monkeypatch.setattr(kept_module, "ARRAY_LIMIT", limit)
    memory = filled(10_000, *map(picture, range(3)))
    assert type(memory.images(np.arange(3), source(3))) is kind


@pytest.mark.parametrize(("limit", "kept"), [(3 * 60, True), (3 * 60 - 1, False), (0, False)])
def test_either_all_pictures_are_kept_or_none(limit, kept):
    memory = filled(limit, *map(picture, range(3)))
    files = source(3)
    assert (memory.images(np.arange(3), files) is files) != kept
    assert memory.is_open == kept
    assert bool(memory.pictures) == kept


@pytest.mark.parametrize("limit", [100 * 60 * 2, 10_000 * 60 // 2 - 1])
def test_a_set_that_will_not_fit_is_given_up_early(limit):
    memory = Memory(10_000, limit)
    for row in range(99):
        assert memory.reserve(picture(row))
        memory.add(picture(row))
    assert len(memory.pictures) == 99
    assert memory.reserve(picture(99))
    memory.add(picture(99))
    assert not memory.is_open
    assert memory.pictures == []


def test_pictures_that_wait_for_their_turn_take_up_room():
    memory = Memory(1000, 5 * 60)
    assert [memory.reserve(picture(row)) for row in range(7)] == [True] * 5 + [False] * 2
    assert not memory.reserve(picture(0, (1, 1)))


def test_unreadable_images_take_their_place():
    memory = filled(10_000, picture(7), None, picture(9, (1, 2)))
    memory.give_channels(3, 20 + 2)
    assert levels(memory.images(np.array([0, 2]), source(2))) == [7, 9]


def test_grey_is_given_three_channels_where_that_fits():
    for limit, kept in ((2 * 60, True), (2 * 60 - 1, False)):
        memory = filled(limit, picture(7, channels=1), picture(8))
        memory.give_channels(3, 2 * 20)
        assert memory.is_open == kept
        if kept:
            images = memory.images(np.arange(2), source(2))
            assert images.read(0).tolist() == picture(7).tolist()


def test_a_copy_for_another_process_leaves_the_pixels_behind(tmp_path):
    Image.fromarray(picture(5)).save(tmp_path / "a.png")
    kept = KeptImages([picture(5)], FileImages([tmp_path / "a.png"], 3))
    there = pickle.loads(pickle.dumps(kept))
    assert isinstance(there, FileImages)
    assert np.array_equal(there.read(0), kept.read(0))


def test_pictures_without_their_names_are_refused():
    with pytest.raises(ValueError, match="1 pictures of 2 images"):
        KeptImages([picture(0)], source(2))


def test_every_kept_picture_has_its_own_name_and_label(make_folder):
    """Two classes of several sizes, a damaged file in the middle of each, and a split off them."""
    folder = make_folder({"cat": 9, "dog": 9})
    for klass in ("cat", "dog"):
        Image.fromarray(picture(60, (20, 7))).save(folder / klass / "004.png")
        damaged = folder / klass / "002.png"
        damaged.write_bytes(damaged.read_bytes()[:90])
    dataset = open_dataset(folder, val_fraction=0.3)
    assert isinstance(dataset.train.images, KeptImages)
    assert sorted(entry.path for entry in dataset.skipped) == [str(folder / k / "002.png") for k in ("cat", "dog")]
    assert len(dataset.train) + len(dataset.val) == 16
    for split in dataset.splits:
        for row in range(len(split)):
            name = split.images.name(row)
            assert np.array_equal(split.images.read(row), np.asarray(Image.open(name)))
            assert dataset.classes[split.labels[row]] in name


def test_a_set_that_begins_with_its_largest_pictures_is_not_given_up():
    memory = Memory(400, 20_000)  # at first the mean says 24,000 bytes
    for row in range(400):
        one = picture(row % 256, (4, 5) if row < 100 else (1, 5))
        assert memory.reserve(one)
        memory.add(one)
    assert memory.is_open
    assert len(memory.pictures) == 400


def test_a_gibibyte_is_kept_unless_another_limit_is_given(make_folder, monkeypatch):
    limits = []
    really = Memory.__init__

    def watched(self, total, limit):
        limits.append((total, limit))
        really(self, total, limit)

    monkeypatch.setattr(Memory, "__init__", watched)
    folder = make_folder({"cat": 2, "dog": 1})
    for limit in (None, 5_000, 0):
        open_dataset(folder, val_fraction=0, memory_limit=limit)
    assert limits == [(3, 1 << 30), (3, 5_000), (3, 0)]


def test_a_set_that_may_fit_is_not_given_up_early():
    memory = Memory(10_000, 10_000 * 60 // 2)
    for row in range(100):
        assert memory.reserve(picture(row))
        memory.add(picture(row))
    assert memory.is_open


def test_a_picture_that_is_not_used_is_let_go():
    memory = filled(1000, picture(1), picture(2))
    memory.forget(0)
    assert memory.pictures[0] is None
    assert levels(memory.images(np.array([1]), source(1))) == [2]
    closed = filled(10, picture(1))
    closed.forget(0)  # nothing is kept, so there is nothing to forget
    assert closed.pictures == []


def test_converting_may_need_more_than_there_is():
    memory = filled(3 * 20, picture(1, channels=1), picture(2, channels=1))
    memory.give_channels(3, 2 * 20)
    files = source(2)
    assert memory.images(np.arange(2), files) is files
    roomy = filled(6 * 20, picture(1, channels=1), picture(2, channels=1))
    roomy.give_channels(3, 2 * 20)
    assert roomy.images(np.arange(2), files).array.shape == (2, 4, 5, 3)


def test_an_early_mean_counts_what_cannot_be_read_too():
    memory = Memory(1000, 40 * 60 * 10)
    for row in range(100):
        one = picture(row) if row % 2 else None
        memory.add(one if one is not None and memory.reserve(one) else None)
    # 50 pictures of 60 bytes among 100: 30,000 bytes are expected, the limit is 24,000
    assert memory.is_open
    assert len(memory.pictures) == 100


def test_kept_pictures_answer_as_the_images_they_came_from():
    kept = KeptImages([picture(3), picture(4, (9, 9))], source(2))
    assert len(kept) == 2
    assert kept.read(1) is kept.pictures[1]
    assert (kept.name(0), kept.name(1)) == ("row 0", "row 1")
    none = kept.subset(np.array([], dtype=np.int64))
    assert (len(none), isinstance(none, KeptImages)) == (0, True)


@pytest.mark.parametrize(("sizes", "kind"), [([(300, 400)] * 3, ArrayImages), ([(300, 400), (310, 400)], KeptImages)])
def test_where_a_smaller_picture_serves_it_is_what_the_file_gives(tmp_path, sizes, kind):
    """Or what a network makes of a picture would depend on whether the set fits into memory."""
    rng = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for row, (height, width) in enumerate(sizes):
            Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(tmp_path / label / f"{row}.jpg")
    kept, files = (open_dataset(tmp_path, val_fraction=0, memory_limit=limit).train.images for limit in (None, 0))
    assert (type(kept), type(files)) == (kind, FileImages)
    order = np.array([len(files) - 1, 0])
    for pictures, theirs in ((kept, files), (kept.subset(order), files.subset(order))):
        for row in range(len(theirs)):
            half = pictures.read(row, lambda height, width: 2 if height >= 300 <= width else 1)
            assert half.shape[:2] == (pictures.read(row).shape[0] // 2, 200)
            np.testing.assert_array_equal(half, theirs.read(row, lambda height, width: 2))
            np.testing.assert_array_equal(pictures.read(row, lambda height, width: 1), theirs.read(row))
