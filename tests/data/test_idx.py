import gzip
import struct

import numpy as np
import pytest

from striate.data import open_dataset
from striate.data.idx import idx_pairs, is_idx_name, labels_beside, list_idx, read_idx
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
        (lambda data: gzip.compress(data)[:-20], "gzip stream is damaged or cut short"),  # it ends
        (lambda data: gzip.compress(data)[:-8] + bytes(8), "gzip stream is damaged or cut short"),  # another checksum
        (lambda data: gzip.compress(data)[:10] + b"\xff" * 99, "gzip stream is damaged or cut short"),  # no such code
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
        list_idx({"train": pairs["train"]}, ("a", "b"))


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


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("train-images-idx3-ubyte", True),
        ("train-images-idx3-ubyte.gz", True),
        ("T10K-IMAGES.IDX3-UBYTE", True),
        ("t10k-labels.idx1-ubyte", True),
        ("images-ubyte", True),
        ("images.idx", True),
        ("images.IDX.gz", True),
        ("images.idx3", True),
        ("labels_idx1.gz", True),
        ("a-idx2-float.bin", True),
        ("images.idx2", False),
        ("ubyte", False),
        ("images.idx.zip", False),
        ("index.txt", False),
        ("images.gz", False),
    ],
)
def test_files_are_known_by_their_names(name, known):
    assert is_idx_name(name) is known


def test_labels_are_called_as_their_images(tmp_path):
    for images, labels in (
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ("b-images-idx4-ubyte.gz", "b-labels-idx1-ubyte"),
        ("c-images.idx3", "c-labels.idx1.gz"),
        ("d-images-idx3-ubyte.gz", "d-labels-idx1-ubyte.gz"),
    ):
        (tmp_path / labels).touch()
        assert labels_beside(tmp_path / images) == tmp_path / labels
    (tmp_path / "d-labels-idx1-ubyte").touch()
    assert labels_beside(tmp_path / "d-images-idx3-ubyte.gz").name == "d-labels-idx1-ubyte"  # quicker to read
    (tmp_path / "e-labels-idx1-ubyte").mkdir()
    for images in ("e-images-idx3-ubyte", "pictures-ubyte"):
        (tmp_path / "pictures-ubyte").touch()
        with pytest.raises(StriateError) as caught:
            labels_beside(tmp_path / images)
        name = images.replace("images-idx3", "labels-idx1")
        assert str(caught.value) == f"the labels of {tmp_path / images} are missing: {name} should lie beside it"


def test_the_first_place_that_holds_images_is_taken(tmp_path):
    def pairs():
        return {split: path.parent.relative_to(tmp_path).as_posix() for split, (path, _) in idx_pairs(tmp_path).items()}

    assert pairs() == {}
    (tmp_path / "raw").mkdir()
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    (tmp_path / ".train-images-idx3-ubyte").touch()
    (tmp_path / "train-labels-idx1-ubyte").touch()
    for place in ("b/raw", "a/raw"):
        write_set(tmp_path / place)
        assert pairs() == dict.fromkeys(("train", "test"), place)
    write_set(tmp_path / "raw")
    assert pairs() == {"train": "raw", "test": "raw"}
    (tmp_path / "train-images-idx3-ubyte").rmdir()
    write_set(tmp_path)
    assert pairs() == {"train": ".", "test": "."}
    for path in tmp_path.glob("train*"):
        path.unlink()
    assert pairs() == {"train": "."}  # one pair, whatever it is called
    write(tmp_path / "val-images-idx3-ubyte", np.zeros((1, 2, 2), np.uint8))
    write(tmp_path / "val-labels-idx1-ubyte", np.zeros(1, np.uint8))
    assert pairs() == {"test": ".", "val": "."}
    assert idx_pairs(tmp_path / "gone") == {}


def test_other_names_are_of_training_images(tmp_path):
    write(tmp_path / "images.idx", np.zeros((1, 2, 2), np.uint8))
    write(tmp_path / "labels.idx", np.zeros(1, np.uint8))
    assert idx_pairs(tmp_path) == {"train": (tmp_path / "images.idx", tmp_path / "labels.idx")}


def test_a_list_holds_what_its_files_hold(tmp_path):
    write_set(tmp_path, count=7, test=4, compress=True)
    listing = list_idx(idx_pairs(tmp_path))
    assert (listing.classes, listing.notes, listing.divided) == (("0", "1", "2"), (), True)
    for split, prefix, count in (("train", "train", 7), ("test", "t10k", 4)):
        part = listing.parts[split]
        images = gzip.decompress((tmp_path / f"{prefix}-images-idx3-ubyte.gz").read_bytes())[16:]
        assert part.items.tobytes() == images
        assert part.items.shape == (count, 4, 5, 1)
        assert part.names == [f"{prefix}-images-idx3-ubyte[{row}]" for row in range(count)]
        assert (part.labels.tolist(), part.labels.dtype) == ([row % 3 for row in range(count)], np.int64)
    (pair,) = ({"train": pair} for split, pair in idx_pairs(tmp_path).items() if split == "test")
    assert list_idx(pair).divided is False
    named = list_idx(pair, ("a", "b", "c", "d"))
    assert (named.classes, named.parts["train"].labels.tolist()) == (("a", "b", "c", "d"), [0, 1, 2, 0])


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        ((4, 5), (4,), "images holds 2 dimensions; images have 3 or 4"),
        ((4,), (4,), "images holds 1 dimensions; images have 3 or 4"),
        ((4, 2, 2), (4, 1), "labels holds 2 dimensions; labels have 1"),
        ((1200, 1, 1), (1100,), "images holds 1,200 images, but {0}/labels 1,100 labels"),
    ],
)
def test_dimensions_that_do_not_fit_are_refused(tmp_path, images, labels, words):
    write(tmp_path / "images", np.zeros(images, np.uint8))
    write(tmp_path / "labels", np.zeros(labels, np.uint8))
    with pytest.raises(StriateError) as caught:
        list_idx({"train": (tmp_path / "images", tmp_path / "labels")})
    assert str(caught.value) == f"{tmp_path}/{words.format(tmp_path)}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\0\0\x08", "is not an IDX file: it begins with 00 00 08"),
        (b"\0\1\x08\1\0\0\0\0", "is not an IDX file: it begins with 00 01 08 01"),
        (b"\0\0\x08\0", "is not an IDX file: it begins with 00 00 08 00"),
        (b"\0\0\x08\5" + bytes(20), "is not an IDX file: it begins with 00 00 08 05"),
        (b"\0\0\x0b\1", ": IDX type 0x0b; images and labels are unsigned bytes (0x08)"),
        (b"\0\0\x08\1\0\0\0", "is truncated: it ends within its header"),
        (b"\0\0\x08\2\0\0\0\2\0\0\0\3" + bytes(5), "is truncated: 5 bytes of 6 ((2, 3))"),
        (b"\0\0\x08\2\0\0\0\2\0\0\0\3" + bytes(7), "is longer than its header says: 7 bytes of 6 ((2, 3))"),
    ],
)
def test_headers_are_believed_in_nothing(tmp_path, content, words):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(StriateError) as caught:
        read_idx(tmp_path / "a")
    assert str(caught.value) == f"{tmp_path}/a{'' if words.startswith(':') else ' '}{words}"
    with pytest.raises(StriateError, match=r"gone cannot be read: No such file or directory$"):
        read_idx(tmp_path / "gone")


@pytest.mark.parametrize("shape", [(3,), (0,), (2, 3), (2, 3, 4), (2, 1, 3, 2)])
def test_files_of_one_to_four_dimensions_are_read(tmp_path, shape):
    array = np.arange(int(np.prod(shape)), dtype=np.uint8).reshape(shape)
    for compress in (False, True):
        np.testing.assert_array_equal(read_idx(write(tmp_path / "a", array, compress)), array)


def test_what_is_wrong_is_told_in_one_line_whatever_the_folder(tmp_path):
    folder, shown = tmp_path / "two\nlines", f"{tmp_path}/two\ufffdlines"
    write_set(folder)
    pairs = idx_pairs(folder)
    with pytest.raises(StriateError) as caught:
        list_idx({"train": pairs["train"]}, ("a", "b"))
    assert str(caught.value) == f"{shown}/train-labels-idx1-ubyte: label 2 is outside the 2 classes"
    for pair, words in (
        (pairs["train"][::-1], f"{shown}/train-labels-idx1-ubyte holds 1 dimensions; images have 3 or 4"),
        ((pairs["train"][0],) * 2, f"{shown}/train-images-idx3-ubyte holds 3 dimensions; labels have 1"),
        (
            (pairs["train"][0], pairs["test"][1]),
            f"{shown}/train-images-idx3-ubyte holds 20 images, but {shown}/t10k-labels-idx1-ubyte 5 labels",
        ),
    ):
        with pytest.raises(StriateError) as caught:
            list_idx({"train": pair})
        assert str(caught.value) == words
    (folder / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(StriateError, match=f"the labels of {shown}/train-images-idx3-ubyte are missing"):
        idx_pairs(folder)
    for name in ("a-train", "b-train"):
        write(tmp_path / "se\nts" / f"{name}-images-idx3-ubyte", np.zeros((1, 1, 1), np.uint8))
        write(tmp_path / "se\nts" / f"{name}-labels-idx1-ubyte", np.zeros(1, np.uint8))
    with pytest.raises(StriateError) as caught:
        idx_pairs(tmp_path / "se\nts")
    assert str(caught.value) == (
        f"{tmp_path}/se\ufffdts holds the train images of several sets (a-train-images-idx3-ubyte, "
        "b-train-images-idx3-ubyte); give a folder that holds one set"
    )
