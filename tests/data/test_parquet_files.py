"""Where Parquet files lie, and to which split each belongs."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from striate.data import open_dataset
from striate.data.parquet_files import parquet_files
from striate.errors import StriateError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def write(path: Path, labels: list[str]) -> Path:
    images = []
    for row in range(len(labels)):
        stream = io.BytesIO()
        Image.new("RGB", (8, 6), (row, 40, 90)).save(stream, "PNG")
        images.append(stream.getvalue())
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"image": images, "label": labels}), path)
    return path


def splits(folder: Path) -> dict[str, list[str]]:
    found = parquet_files(folder)
    assert found is not None
    return {split: [str(path.relative_to(folder)) for path in paths] for split, paths in found.splits.items()}


@pytest.mark.parametrize(
    "names",
    [
        ("train.parquet", "val.parquet", "test.parquet"),
        ("data/train.parquet", "data/validation.parquet", "data/test.parquet"),
        ("default/train/0000.parquet", "default/validation/0000.parquet", "default/test/0000.parquet"),
        ("train/a.parquet", "valid/a.parquet", "test/a.parquet"),
        ("pets.train.parquet", "pets.valid.parquet", "pets.test.parquet"),
        ("data/train/part-0.parquet", "data/dev/part-0.parquet", "data/test/part-0.parquet"),
        ("a/b/c/Training/0.PARQUET", "a/b/c/valid_set/0.parquet", "a/b/c/Testing/0.pq"),
        ("pets-train-00000-of-00001.parquet", "pets-validation.parquet", "pets_test_2.parquet"),
        ("default/partial-train/0.parquet", "default/partial-validation/0.parquet", "default/test/0.parquet"),
    ],
)
def test_layouts_are_known(tmp_path, names):
    assert splits(touch(tmp_path, *names)) == dict(
        zip(("train", "val", "test"), ([name] for name in names), strict=True)
    )


def test_shards_lie_in_order_and_missing_ones_are_named(tmp_path):
    touch(tmp_path, *(f"data/train-0000{number}-of-00004.parquet" for number in (2, 0, 1)), "data/test.parquet")
    found = parquet_files(tmp_path)
    assert [path.name[:11] for path in found.splits["train"]] == ["train-00000", "train-00001", "train-00002"]
    assert len(found.notes) == 1
    assert "train: only 3 of 4 shards are there" in found.notes[0]
    touch(tmp_path, "data/train-00003-of-00004.parquet")
    assert parquet_files(tmp_path).notes == ()


def test_file_of_no_split_is_train_alone_and_else_left_out_with_a_note(tmp_path):
    touch(tmp_path, "pets.parquet", "more.parquet")
    assert splits(tmp_path) == {"train": ["more.parquet", "pets.parquet"]}
    assert not parquet_files(tmp_path).divided
    touch(tmp_path, "train.parquet")
    assert splits(tmp_path) == {"train": ["train.parquet"]}
    assert parquet_files(tmp_path).divided
    assert parquet_files(tmp_path).notes == ("left out, since the name is of no split: more.parquet, pets.parquet",)


def test_what_is_said_about_the_files_arrives_in_the_notes(tmp_path):
    write(tmp_path / "train-00000-of-00002.parquet", ["cat", "dog"])
    write(tmp_path / "extra.parquet", ["cat", "dog"])
    notes = open_dataset(tmp_path, val_fraction=0).notes
    assert f"{tmp_path / 'train'}: only 1 of 2 shards are there; the images of the others are missing" in notes
    assert "left out, since the name is of no split: extra.parquet" in notes


def test_parts_of_a_split_may_lie_in_folders_of_their_own(tmp_path):
    touch(tmp_path, "train/part0/0.parquet", "train/part1/0.parquet", "test/part0/0.parquet")
    assert splits(tmp_path)["train"] == ["train/part0/0.parquet", "train/part1/0.parquet"]


def test_files_of_several_data_sets_are_asked_about(tmp_path):
    touch(tmp_path, "first/train/0.parquet", "second/train/0.parquet")
    with pytest.raises(StriateError, match=r"several data sets \(first, second\); give one of them"):
        parquet_files(tmp_path)


def test_hidden_files_and_what_systems_leave_are_no_data(tmp_path):
    touch(tmp_path, ".cache/train.parquet", "@eaDir/train.parquet", "$RECYCLE.BIN/train.parquet", "._train.parquet")
    assert parquet_files(tmp_path) is None


def test_parquet_below_folders_of_images_is_not_the_data(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    touch(folder, "cat/features/train.parquet")
    assert parquet_files(folder) is None
    assert open_dataset(folder).classes == ("cat", "dog")


def test_rows_of_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    write(tmp_path / "default" / "train" / "0000.parquet", ["cat", "dog", "cat", "dog"])
    write(tmp_path / "default" / "test" / "0000.parquet", ["dog", "cat"])
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert dataset.train.images.name(3) == "train/0000.parquet[3]"
    assert dataset.test.images.name(1) == "test/0000.parquet[1]"
    assert dataset.test.labels.tolist() == [1, 0]


def test_file_given_alone_is_not_divided(tmp_path):
    file = write(tmp_path / "test.parquet", ["a", "b"])
    assert not open_dataset(file, val_fraction=0).divided
    assert open_dataset(file, val_fraction=0).train.name == "train"


def test_images_beside_the_files_are_told_of(tmp_path):
    write(tmp_path / "train.parquet", ["cat", "dog"])
    assert parquet_files(tmp_path).notes == ()
    (tmp_path / "cats").mkdir()
    Image.new("RGB", (4, 3)).save(tmp_path / "cats" / "1.png")
    words = f"images beside the Parquet files (the first: {tmp_path}/cats/1.png): only those that rows name are used"
    assert words in open_dataset(tmp_path, val_fraction=0).notes
    (tmp_path / "train.parquet").rename(tmp_path / "pets.parquet")
    assert words in open_dataset(tmp_path, val_fraction=0).notes


def test_the_folder_data_goes_before_what_lies_deeper(tmp_path):
    touch(tmp_path, "data/train.parquet", "assets/picture.png", "more/test.parquet")
    assert splits(tmp_path) == {"train": ["data/train.parquet"]}


def test_files_parted_by_a_column_say_so(tmp_path):
    touch(tmp_path, "label=cat/0.parquet", "label=dog/0.parquet")
    with pytest.raises(StriateError, match=r"parted by the values of a column \(label=cat, label=dog\); write it into"):
        parquet_files(tmp_path)


def test_the_innermost_folder_says_the_split(tmp_path):
    touch(tmp_path, "test_set/train/0.parquet", "test_set/val/0.parquet")
    assert splits(tmp_path) == {"train": ["test_set/train/0.parquet"], "val": ["test_set/val/0.parquet"]}


def test_only_files_count_and_only_those_of_the_user(tmp_path):
    touch(tmp_path, "train.parquet", "B.PQ", "a.pq", ".hidden.parquet", "notes.txt")
    (tmp_path / "folder.parquet").mkdir()
    assert splits(tmp_path) == {"train": ["train.parquet"]}
    assert parquet_files(tmp_path).notes == ("left out, since the name is of no split: B.PQ, a.pq",)
    assert parquet_files(tmp_path).divided
    for name in ("train.parquet",):
        (tmp_path / name).unlink()
    assert splits(tmp_path) == {"train": ["B.PQ", "a.pq"]}
    assert parquet_files(tmp_path / "nowhere") is None


def test_notes_are_of_three_files_and_in_one_line(tmp_path):
    root = tmp_path / "two\nlines"
    touch(root, "train-0-of-3.parquet", "train-2-of-3.parquet", "test_0_of_2.parquet", *(f"{n}\n.pq" for n in range(4)))
    assert parquet_files(root).notes == (
        f"{tmp_path}/two\ufffdlines/test: only 1 of 2 shards are there; the images of the others are missing",
        f"{tmp_path}/two\ufffdlines/train: only 2 of 3 shards are there; the images of the others are missing",
        "left out, since the name is of no split: 0\ufffd.pq, 1\ufffd.pq, 2\ufffd.pq, …",
    )
    (root / "3\n.pq").unlink()
    assert parquet_files(root).notes[-1].endswith("1\ufffd.pq, 2\ufffd.pq")
    touch(root, "a\nb.JPG")
    assert parquet_files(root).notes[0] == (
        f"images beside the Parquet files (the first: {tmp_path}/two\ufffdlines/a\ufffdb.JPG): only those that rows "
        "name are used"
    )


def test_shards_of_one_name_in_two_sets_are_counted_apart(tmp_path):
    touch(tmp_path, "train-00000-of-00002.parquet", "TRAIN-00001-OF-00002.parquet", "train_0_of_1.parquet")
    notes = parquet_files(tmp_path).notes
    assert [note.split(":")[0] for note in notes] == [f"{tmp_path}/TRAIN", f"{tmp_path}/train"]


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        (("a/train/0.pq", "b\nc/train/0.pq"), "a, b\ufffdc"),
        (("x/train/0.pq", "train/0.pq"), "., x"),
        (("x/y/train/0.pq", "x/train/0.pq"), "x, x/y"),
    ],
)
def test_folders_that_part_the_files_are_listed(tmp_path, names, listed):
    root = tmp_path / "two\nlines"
    touch(root, *names)
    with pytest.raises(StriateError) as caught:
        parquet_files(root)
    shown = f"{tmp_path}/two\ufffdlines"
    assert str(caught.value) == f"{shown} holds the Parquet files of several data sets ({listed}); give one of them"


def test_files_parted_by_columns_are_told_from_sets(tmp_path):
    touch(tmp_path, "label=cat/0.pq", "label=dog/0.pq")
    with pytest.raises(StriateError) as caught:
        parquet_files(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} is parted by the values of a column (label=cat, label=dog); write it into the files"
    )
    touch(tmp_path, "more/0.pq")
    with pytest.raises(StriateError, match=r"several data sets \(label=cat, label=dog, more\)"):
        parquet_files(tmp_path)


def test_a_name_says_the_split_before_its_folders(tmp_path):
    touch(tmp_path, "data/train/test.parquet", "data/train/0.parquet", "data/train/val-1.pq")
    assert splits(tmp_path) == {
        "train": ["data/train/0.parquet"],
        "test": ["data/train/test.parquet"],
        "val": ["data/train/val-1.pq"],
    }


def test_one_image_below_makes_a_folder_of_images(tmp_path):
    touch(tmp_path, "a/train.parquet", "a/zebra.JPEG")
    assert parquet_files(tmp_path) is None
    (tmp_path / "a" / "zebra.JPEG").rename(tmp_path / "a" / "zebra.txt")
    assert splits(tmp_path) == {"train": ["a/train.parquet"]}
