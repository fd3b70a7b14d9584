import gzip
import struct

import numpy as np
import pytest

from striate.data import open_dataset
from striate.data.idx import idx_pairs, list_idx, read_idx
from striate.errors import StriateError


def write(path, array, compress=False):
    data = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if compress else data)
    return path


def write_set(folder, count=20, test=5, compress=False):
    generator = np.random.default_rng(0)
    end = ".gz" if compress else ""
    for prefix, number in (("train", count), ("t10k", test)):
        write(
            folder / f"{prefix}-images-idx3-ubyte{end}",
            generator.integers(0, 256, (number, 4, 5), np.uint8),
            compress,
        )
        write(folder / f"{prefix}-labels-idx1-ubyte{end}", np.arange(number, dtype=np.uint8) % 3, compress)
    return folder


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("place", ["", "raw", "MNIST/raw"])
def test_folder_is_searched_for_images_and_labels(tmp_path, compress, place):
    write_set(tmp_path / place, compress=compress)
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert (dataset.classes, dataset.channels) == (("0", "1", "2"), 1)
    assert [len(split) for split in dataset.splits] == [20, 5]
    assert dataset.train.images.array.shape == (20, 4, 5, 1)
    assert dataset.train.labels.tolist() == [row % 3 for row in range(20)]
    assert dataset.test.images.name(4) == "t10k-images-idx3-ubyte[4]"


def test_one_file_is_opened_with_the_labels_beside_it(tmp_path):
    write_set(tmp_path)
    dataset = open_dataset(tmp_path / "t10k-images-idx3-ubyte", val_fraction=0)
    assert len(dataset.train) == 5
    assert dataset.test is None


def test_mnist_is_counted_as_its_readme_says(shared_data):
    dataset = open_dataset(shared_data / "mnist", val_fraction=0)
    assert dataset.train.counts(10).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert dataset.test.counts(10).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    raw = gzip.decompress((shared_data / "mnist/MNIST/raw/t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    assert dataset.test.images.array.tobytes() == raw


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"\x89PNG" + data[4:], "not an IDX file"),
        (lambda data: data[:2] + b"\x0d" + data[3:], "type 0x0d"),
        (lambda data: data[:-7], "truncated: 393 bytes of 400"),
        (lambda data: data + b"x", "longer than its header"),
        (lambda data: data[:9], "within its header"),
        (lambda data: b"", "begins with nothing"),
        (lambda data: gzip.compress(data)[:-20], "gzip stream"),
    ],
)
def test_damaged_files_say_how(tmp_path, change, message):
    path = write(tmp_path / "train-images-idx3-ubyte", np.zeros((20, 4, 5), np.uint8))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(StriateError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_counts_that_differ_and_missing_labels_are_refused(tmp_path):
    write_set(tmp_path)
    write(tmp_path / "train-labels-idx1-ubyte", np.zeros(19, np.uint8))
    with pytest.raises(StriateError, match=r"holds 20 images, but .* 19 labels"):
        open_dataset(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(StriateError, match="train-labels-idx1-ubyte should lie beside it"):
        open_dataset(tmp_path)


def test_labels_from_one_are_classes_of_their_own(tmp_path):
    write(tmp_path / "train-images-idx3-ubyte", np.zeros((4, 4, 5), np.uint8))
    write(tmp_path / "train-labels-idx1-ubyte", np.array([1, 3, 2, 1], np.uint8))
    write(tmp_path / "t10k-images-idx3-ubyte", np.zeros((2, 4, 5), np.uint8))
    write(tmp_path / "t10k-labels-idx1-ubyte", np.array([3, 3], np.uint8))
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert dataset.classes == ("1", "2", "3")
    assert dataset.train.labels.tolist() == [0, 2, 1, 0]
    assert dataset.test.labels.tolist() == [2, 2]
    assert any(note.startswith("the labels begin at 1") for note in dataset.notes)


def test_label_equal_to_the_number_of_classes_is_refused(tmp_path):
    write(tmp_path / "train-images-idx3-ubyte", np.zeros((3, 4, 5), np.uint8))
    write(tmp_path / "train-labels-idx1-ubyte", np.array([0, 1, 2], np.uint8))
    pairs = {"train": (tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte")}
    assert list_idx(pairs, ("a", "b", "c")).parts["train"].labels.tolist() == [0, 1, 2]
    with pytest.raises(StriateError, match=r"labels.*: label 2 is outside the 2 classes"):
        list_idx(pairs, ("a", "b"))


def test_files_of_several_sets_in_one_folder_are_asked_about(tmp_path):
    for name in ("emnist-letters", "emnist-digits"):
        write(tmp_path / f"{name}-train-images-idx3-ubyte", np.zeros((2, 4, 5), np.uint8))
        write(tmp_path / f"{name}-train-labels-idx1-ubyte", np.array([0, 1], np.uint8))
    with pytest.raises(StriateError, match="the train images of several sets"):
        open_dataset(tmp_path)


def test_a_file_beside_its_packed_self_is_one_set(tmp_path):
    write_set(tmp_path)
    for path in list(tmp_path.iterdir()):
        with gzip.open(f"{path}.gz", "wb") as packed:
            packed.write(b"not read")
    assert idx_pairs(tmp_path)["train"][0].suffix != ".gz"
    assert len(open_dataset(tmp_path).train) > 0


def test_one_pair_is_not_divided_and_two_are(tmp_path):
    write_set(tmp_path)
    assert open_dataset(tmp_path).divided
    for path in tmp_path.glob("t10k*"):
        path.unlink()
    assert not open_dataset(tmp_path).divided
    assert not open_dataset(next(tmp_path.glob("*images*"))).divided


def test_colour_has_a_fourth_dimension(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3), np.uint8)
    write(tmp_path / "train-images-idx4-ubyte", images)
    write(tmp_path / "train-labels-idx1-ubyte", np.array([0, 1, 1, 0], np.uint8))
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert dataset.channels == 3
    assert np.array_equal(dataset.train.images.array, images)
    write(tmp_path / "five", np.zeros((1, 1, 1, 1, 1), np.uint8))
    with pytest.raises(StriateError, match="is not an IDX file"):
        read_idx(tmp_path / "five")


@pytest.mark.parametrize(("images", "labels"), [(3, 4), (4, 3)])
def test_as_many_labels_as_images(tmp_path, images, labels):
    write(tmp_path / "train-images-idx3-ubyte", np.zeros((images, 2, 2), np.uint8))
    write(tmp_path / "train-labels-idx1-ubyte", np.zeros(labels, np.uint8))
    with pytest.raises(StriateError, match=f"holds {images} images, but .* {labels} labels"):
        open_dataset(tmp_path)
