import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from striate.data import open_dataset
from striate.data.parquet import list_parquet
from striate.errors import StriateError

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def png(seed: int) -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def write(path, labels, names=("cat", "dog"), column="label", images=None, image_column="image"):
    if images is None:
        images = [{"bytes": png(row), "path": f"{row}.png"} for row in range(len(labels))]
    table = pa.table({image_column: images, column: labels})
    if names:
        features = {column: {"names": list(names), "_type": "ClassLabel"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=3)
    return path


def test_rows_are_images_with_named_classes(tmp_path):
    dataset = open_dataset(write(tmp_path / "pets.parquet", [1, 0, 1, 0]), val_fraction=0)
    assert dataset.classes == ("cat", "dog")
    assert dataset.train.labels.tolist() == [1, 0, 1, 0]
    assert dataset.train.images.name(2) == "pets.parquet[2]"
    assert np.array_equal(dataset.train.images.read(2), np.asarray(Image.open(io.BytesIO(png(2)))))


@pytest.mark.parametrize("folder", [".", "data"])
def test_folder_of_shards_is_divided_by_file_name(tmp_path, folder):
    write(tmp_path / folder / "train-00000-of-00002.parquet", [0, 1])
    write(tmp_path / folder / "train-00001-of-00002.parquet", [1, 1, 0])
    write(tmp_path / folder / "validation.parquet", [0, 1])
    write(tmp_path / folder / "test_1.parquet", [1])
    dataset = open_dataset(tmp_path)
    assert [split.labels.tolist() for split in dataset.splits] == [[0, 1, 1, 1, 0], [0, 1], [1]]
    assert dataset.train.images.name(2) == "train-00001-of-00002.parquet[0]"


def test_classes_without_names_are_numbers_or_the_strings_themselves(tmp_path):
    assert open_dataset(write(tmp_path / "a.parquet", [0, 2, 1, 0], names=None)).classes == ("0", "1", "2")
    strings = open_dataset(write(tmp_path / "b.parquet", ["dog", "cat", "dog"], names=None), val_fraction=0)
    assert strings.classes == ("cat", "dog")
    assert strings.train.labels.tolist() == [1, 0, 1]


def test_bytes_may_stand_in_the_column_itself_under_another_name(tmp_path):
    write(tmp_path / "a.parquet", [0, 1], images=[png(0), png(1)], image_column="img", column="fine_label")
    assert len(open_dataset(tmp_path / "a.parquet", val_fraction=0).train) == 2


def test_the_path_may_stand_before_the_bytes(tmp_path):
    (tmp_path / "there.png").write_bytes(png(5))
    kind = pa.struct([("path", pa.string()), ("bytes", pa.binary())])
    images = pa.array([{"path": "there.png", "bytes": None}, {"path": None, "bytes": png(1)}], kind)
    dataset = open_dataset(write(tmp_path / "a.parquet", [0, 1], images=images), val_fraction=0)
    assert len(dataset.train) == 2
    assert dataset.skipped == ()


def test_paths_stand_in_for_missing_bytes_and_broken_rows_are_skipped(tmp_path):
    (tmp_path / "there.png").write_bytes(png(5))
    images = [
        {"bytes": None, "path": "there.png"},
        {"bytes": None, "path": "gone.png"},
        {"bytes": png(0)[:90], "path": "0.png"},
        {"bytes": png(1), "path": None},
        {"bytes": None, "path": None},
    ]
    dataset = open_dataset(write(tmp_path / "a.parquet", [0, 0, 0, 1, 1], images=images), val_fraction=0)
    assert len(dataset.train) == 2
    assert {entry.path: entry.reason for entry in dataset.skipped} == {
        "a.parquet[1]": "gone.png: no such file",
        "a.parquet[2]": "truncated",
        "a.parquet[4]": "the row has no image",
    }


def test_test_split_without_answers_is_left_out(tmp_path):
    write(tmp_path / "train.parquet", [0, 1, 0, 1])
    write(tmp_path / "test.parquet", [-1, -1])
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert dataset.test is None
    assert any("no labels" in note for note in dataset.notes)


def by_name(dataset):
    """Class name to number of images, for each split."""
    return {
        split.name: dict(zip(dataset.classes, split.counts(len(dataset.classes)).tolist(), strict=True))
        for split in dataset.splits
    }


def test_class_names_belong_to_each_file(tmp_path):
    write(tmp_path / "test.parquet", [0, 0, 2], names=("fox", "dog", "cat"))
    write(tmp_path / "train-00000-of-00002.parquet", [0, 1, 2, 2], names=("cat", "dog", "fox"))
    write(tmp_path / "train-00001-of-00002.parquet", [0, 1], names=("dog", "cat"))
    write(tmp_path / "val.parquet", [0, 1, 1], names=("cat", "fox"))
    dataset = open_dataset(tmp_path)
    assert dataset.classes == ("cat", "dog", "fox")
    assert by_name(dataset) == {
        "train": {"cat": 2, "dog": 2, "fox": 2},
        "val": {"cat": 1, "dog": 0, "fox": 2},
        "test": {"cat": 1, "dog": 0, "fox": 2},
    }
    assert dataset.train.labels.tolist() == [0, 1, 2, 2, 1, 0]
    assert dataset.test.labels.tolist() == [2, 2, 0]
    assert "val has no images of 'dog'" in dataset.notes


def test_order_of_the_classes_is_that_of_the_training_files(tmp_path):
    write(tmp_path / "test.parquet", [1, 0], names=("ant", "zebra"))
    write(tmp_path / "train.parquet", [0, 1], names=("zebra", "ant"))
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert dataset.classes == ("zebra", "ant")
    assert dataset.test.labels.tolist() == [0, 1]


def test_labels_outside_the_names_are_refused_with_their_own_file_and_row(tmp_path):
    with pytest.raises(StriateError, match=r"/a.parquet\[2\]: label 2 is outside the 2 class names \(0 to 1\)"):
        open_dataset(write(tmp_path / "a.parquet", [0, 1, 2]))
    write(tmp_path / "both" / "train.parquet", [0, 1, 2], names=("cat", "dog", "fox"))
    write(tmp_path / "both" / "test.parquet", [0, 1, 2], names=("cat", "fox"))
    with pytest.raises(StriateError, match=r"both/test.parquet\[2\]: label 2 is outside the 2 class names"):
        open_dataset(tmp_path / "both")


def test_highest_label_is_inside_the_names(tmp_path):
    dataset = open_dataset(write(tmp_path / "a.parquet", [1, 0, 1]), val_fraction=0)
    assert by_name(dataset) == {"train": {"cat": 1, "dog": 2}}


def test_numbers_without_names_take_those_the_other_files_agree_on(tmp_path):
    write(tmp_path / "train.parquet", [0, 1, 1], names=("cat", "dog"))
    write(tmp_path / "test.parquet", [1, 1], names=None)
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert by_name(dataset)["test"] == {"cat": 0, "dog": 2}
    assert "test.parquet: no class names of its own, so those of train.parquet are used" in dataset.notes
    write(tmp_path / "test.parquet", [1, 2], names=None)
    with pytest.raises(
        StriateError, match=r"/test.parquet\[1\]: label 2 is outside the 2 class names of train.parquet \(0 to 1\)"
    ):
        open_dataset(tmp_path)
    write(tmp_path / "val.parquet", [1], names=("dog", "cat"))
    with pytest.raises(StriateError, match=r"/test.parquet has no class names, and those of the other files differ"):
        open_dataset(tmp_path)


def test_names_and_strings_are_the_same_classes(tmp_path):
    write(tmp_path / "train.parquet", [0, 1, 1], names=("dog", "cat"))
    write(tmp_path / "test.parquet", ["cat", "cat", "dog"], names=None)
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert dataset.classes == ("dog", "cat")
    assert by_name(dataset)["test"] == {"dog": 1, "cat": 2}


def test_named_classes_without_rows_are_left_out_with_a_note(tmp_path):
    write(tmp_path / "train.parquet", [0, 2, 2], names=("cat", "dog", "fox", "gnu"))
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert dataset.classes == ("cat", "fox")
    assert dataset.train.labels.tolist() == [0, 1, 1]
    assert "no rows of 2 of the named classes: 'dog', 'gnu'" in dataset.notes
    assert open_dataset(tmp_path, val_fraction=0, classes=("fox", "cat")).train.labels.tolist() == [1, 0, 0]


def test_class_that_only_the_test_has_is_refused_by_name(tmp_path):
    write(tmp_path / "train.parquet", [0, 1], names=("cat", "dog"))
    write(tmp_path / "test.parquet", [0, 1, 1], names=("cat", "fox"))
    with pytest.raises(StriateError, match=r"class 'fox' has no training images, only images in test \(2\)"):
        open_dataset(tmp_path)


def test_test_split_of_strings_is_kept(tmp_path):
    write(tmp_path / "train.parquet", ["cat", "dog", "cat", "dog"], names=None)
    write(tmp_path / "test.parquet", ["dog", "dog", "cat"], names=None)
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert by_name(dataset)["test"] == {"cat": 1, "dog": 2}
    assert not any("left out" in note for note in dataset.notes)


@pytest.mark.parametrize(
    ("labels", "note"),
    [
        ([-1, -1], "the test split has no labels (all are -1) and was left out"),
        (pa.array([None, None], pa.int64()), "the test split has no labels (all are empty) and was left out"),
        (pa.array([None, None], pa.string()), "the test split has no labels (all are empty) and was left out"),
        (["", ""], "the test split has no labels (all are empty) and was left out"),
        (pa.array([], pa.int64()), "the test split has no rows and was left out"),
    ],
)
def test_split_without_any_label_is_left_out_with_its_reason(tmp_path, labels, note):
    write(tmp_path / "train.parquet", [0, 1, 0, 1])
    images = pa.array([{"bytes": png(row), "path": ""} for row in range(len(labels))], IMAGE)
    write(tmp_path / "test.parquet", labels, images=images)
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert dataset.test is None
    assert note in dataset.notes
    assert dataset.skipped == ()


def test_a_split_of_hidden_and_broken_rows_says_what_is_broken(tmp_path):
    write(tmp_path / "train.parquet", [0, 1, 0, 1])
    images = [{"bytes": png(0), "path": ""}, {"bytes": None, "path": None}]
    write(tmp_path / "test.parquet", [-1, 0], images=images)
    (note,) = [note for note in open_dataset(tmp_path, val_fraction=0).notes if "left out" in note]
    assert note.startswith("the test split has no usable rows (the first: test.parquet[0]: label -1, which stands for")


def test_rows_without_a_label_among_others_are_skipped_with_their_reason(tmp_path):
    write(tmp_path / "train.parquet", [0, 1, -1, 0], names=("cat", "dog"))
    write(tmp_path / "test.parquet", pa.array(["cat", None, "dog"]), names=None)
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert by_name(dataset) == {"train": {"cat": 2, "dog": 1}, "test": {"cat": 1, "dog": 1}}
    assert {entry.path: entry.reason for entry in dataset.skipped} == {
        "train.parquet[2]": "label -1, which stands for no label",
        "test.parquet[1]": "the row has no label",
    }


def test_other_negative_labels_are_refused_with_the_row(tmp_path):
    with pytest.raises(StriateError, match=r"/a.parquet\[1\]: label -2 is negative"):
        open_dataset(write(tmp_path / "a.parquet", [0, -2, 1], names=None))


def test_labels_of_minus_one_and_one_are_refused_with_the_reason(tmp_path):
    with pytest.raises(StriateError, match=r"one class only, '1'.*; 2 rows have no label \(-1 stands for none\)"):
        open_dataset(write(tmp_path / "a.parquet", [1, -1, 1, -1], names=None))


def test_numbers_from_one_are_classes_of_their_own(tmp_path):
    dataset = open_dataset(write(tmp_path / "a.parquet", [1, 2, 3, 2, 10], names=None), val_fraction=0)
    assert dataset.classes == ("1", "2", "3", "10")
    assert dataset.train.labels.tolist() == [0, 1, 2, 1, 3]
    assert "the labels begin at 1: the 4 classes are called as they are, 1 to 10" in dataset.notes
    gaps = open_dataset(write(tmp_path / "b.parquet", [0, 2, 2], names=None), val_fraction=0)
    assert gaps.classes == ("0", "2")
    assert any("leave numbers out" in note for note in gaps.notes)


@pytest.mark.parametrize(
    ("labels", "classes", "positions"),
    [
        (pa.array(["dog", "cat", "dog"]).dictionary_encode(), ("cat", "dog"), [1, 0, 1]),
        (pa.array([3, 5, 3]).dictionary_encode(), ("3", "5"), [0, 1, 0]),
        (pa.array([True, False, True]), ("False", "True"), [1, 0, 1]),
        (pa.array([1.0, 0.0, 1.0]), ("0", "1"), [1, 0, 1]),
        (pa.array(["dog", "cat", "dog"], pa.large_string()), ("cat", "dog"), [1, 0, 1]),
        (pa.array([" dog", "cat ", "dog"]), ("cat", "dog"), [1, 0, 1]),
        (pa.array([1, 0, 1], pa.uint8()), ("0", "1"), [1, 0, 1]),
        (pa.array(["10", "9", "10"]), ("9", "10"), [1, 0, 1]),
    ],
)
def test_labels_of_many_types_are_read(tmp_path, labels, classes, positions):
    dataset = open_dataset(write(tmp_path / "a.parquet", labels, names=None), val_fraction=0)
    assert dataset.classes == classes
    assert dataset.train.labels.tolist() == positions


def test_pandas_categories_and_numbers_with_gaps_are_read(tmp_path):
    pd = pytest.importorskip("pandas")
    images = [{"bytes": png(row), "path": ""} for row in range(4)]
    pd.DataFrame({"image": images, "label": pd.Categorical(["b", "a", "b", "a"])}).to_parquet(tmp_path / "a.parquet")
    assert open_dataset(tmp_path / "a.parquet", val_fraction=0).train.labels.tolist() == [1, 0, 1, 0]
    pd.DataFrame({"image": images, "label": [1, 0, None, 1]}).to_parquet(tmp_path / "b.parquet")
    dataset = open_dataset(tmp_path / "b.parquet", val_fraction=0)
    assert (dataset.classes, dataset.train.labels.tolist()) == (("0", "1"), [1, 0, 1])
    assert [entry.reason for entry in dataset.skipped] == ["the row has no label"]
    labels = pa.array([1.0, 0.0, float("nan"), 1.0])  # not a null, but a number that is none
    dataset = open_dataset(write(tmp_path / "c.parquet", labels, names=None), val_fraction=0)
    assert (dataset.classes, dataset.train.labels.tolist()) == (("0", "1"), [1, 0, 1])
    assert [entry.reason for entry in dataset.skipped] == ["the row has no label"]


def test_names_in_unicodes_two_spellings_are_one_class(tmp_path):
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    write(tmp_path / "train.parquet", [0, 1], names=(composed, "tea"))
    write(tmp_path / "test.parquet", [decomposed, "tea", composed], names=None)
    dataset = open_dataset(tmp_path, val_fraction=0)
    assert dataset.classes == (composed, "tea")
    assert dataset.test.labels.tolist() == [0, 1, 0]
    assert open_dataset(tmp_path, val_fraction=0, classes=("tea", decomposed)).test.labels.tolist() == [1, 0, 1]


def test_without_a_train_file_training_is_refused(tmp_path):
    write(tmp_path / "test.parquet", [0, 1])
    write(tmp_path / "val.parquet", [0, 1])
    with pytest.raises(StriateError, match="holds val and test images, but none to train on"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"picture_bytes": [b""], "label": [0]}, "no image column: call it image or img; its columns are"),
        ({"image": [b""], "answer": [0]}, "no label column"),
        ({"image": ["a.png"], "label": [0]}, "column 'image' is string"),
        ({"image": [b""], "label": [{"a": 1}]}, "column 'label' is struct"),
    ],
)
def test_tables_without_images_and_labels_say_why(tmp_path, table, message):
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    with pytest.raises(StriateError, match=message):
        open_dataset(tmp_path / "a.parquet")


def test_strings_that_are_no_text_are_one_clear_line(tmp_path):
    no_text = pa.Array.from_buffers(pa.string(), 2, pa.array([b"caf\xe9", b"dog"], pa.binary()).buffers())
    path = write(tmp_path / "a.parquet", no_text, names=None)
    with pytest.raises(StriateError, match="not a Parquet file, or it is damaged") as caught:
        open_dataset(path)
    assert "\n" not in str(caught.value)


def test_damaged_file_is_one_clear_line(tmp_path):
    path = write(tmp_path / "a.parquet", [0, 1])
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(StriateError, match="not a Parquet file, or it is damaged") as caught:
        open_dataset(path)
    assert "\n" not in str(caught.value)


def test_columns_are_found_in_any_case_and_a_choice_is_told(tmp_path):
    path = write(tmp_path / "a.parquet", [0, 1, 0, 1], names=None, column="Label", image_column="Image")
    pq.write_table(pq.read_table(path).append_column("category", pa.array(["x", "y", "x", "y"])), path)
    dataset = open_dataset(path, val_fraction=0)
    assert dataset.classes == ("0", "1")
    assert "column 'category' not used: 'Label' says the classes" in dataset.notes


def test_a_name_for_two_numbers_is_one_class_and_told(tmp_path):
    write(tmp_path / "train.parquet", [0, 1, 2, 2], names=("cat", "dog", "cat"))
    write(tmp_path / "val.parquet", [0, 1], names=("cat", "dog"))
    dataset = open_dataset(tmp_path)
    assert dataset.train.labels.tolist() == [0, 1, 0, 0]
    assert [note for note in dataset.notes if "more than once" in note] == [
        "train.parquet: 'cat' named more than once: each is one class"
    ]


def test_where_no_row_has_a_label_that_is_said(tmp_path):
    write(tmp_path / "train.parquet", [-1, -1])
    write(tmp_path / "test.parquet", [-1])
    with pytest.raises(StriateError, match=r"holds no classes.*; 3 rows have no label \(-1 stands for none\)"):
        open_dataset(tmp_path)


def test_rows_without_a_label_are_counted_over_all_files_where_classes_are_missing(tmp_path):
    write(tmp_path / "train-00000-of-00002.parquet", [1, -1], names=None)
    write(tmp_path / "train-00001-of-00002.parquet", [1, -1, -1], names=None)
    with pytest.raises(StriateError, match=r"one class only, '1'.*; 3 rows have no label \(-1 stands for none\)"):
        open_dataset(tmp_path)


def test_names_by_number_count_by_their_numbers(tmp_path):
    path = write(tmp_path / "a.parquet", [0, 1, 10, 1], names=None)
    names = {str(number): f"class {number}" for number in (10, 1, 2, 0, *range(3, 10))}
    schema = {"huggingface": json.dumps({"info": {"features": {"label": {"names": names}}}})}
    pq.write_table(pq.read_table(path).replace_schema_metadata(schema), path)
    dataset = open_dataset(path, val_fraction=0)
    assert dataset.classes == ("class 0", "class 1", "class 10")
    assert dataset.train.labels.tolist() == [0, 1, 2, 1]


NONE = pa.array([None], pa.int64())


@pytest.mark.parametrize(
    ("shards", "why"),
    [
        ([[], []], "has no rows"),
        ([[], [-1]], "has no labels (all are -1)"),
        ([[-1, -1], [-1]], "has no labels (all are -1)"),
        ([[-1, -1], NONE], "has no labels (all are empty)"),
        ([NONE, [-1]], "has no labels (all are empty)"),
    ],
)
def test_why_a_split_is_left_out_is_said_of_all_its_files(tmp_path, shards, why):
    train = write(tmp_path / "train.parquet", [0, 1, 0, 1])
    files = []
    for number, labels in enumerate(shards):
        images = pa.array([{"bytes": png(row), "path": ""} for row in range(len(labels))], IMAGE)
        labels = pa.array(labels, pa.int64())
        files.append(write(tmp_path / f"test-{number}.parquet", labels, images=images))
    listing = list_parquet({"test": files, "train": [train]})
    assert listing.notes == (f"the test split {why} and was left out",)
    assert list(listing.parts) == ["train"]


def test_the_first_row_that_cannot_be_used_may_be_of_a_later_file(tmp_path):
    train = write(tmp_path / "train.parquet", [0, 1])
    empty = write(tmp_path / "test-0.parquet", pa.array([], pa.int64()), images=pa.array([], IMAGE))
    broken = write(tmp_path / "test-1.parquet", [-1, 0], images=pa.array([None, None], IMAGE))
    assert list_parquet({"train": [train], "test": [empty, broken]}).notes == (
        "the test split has no usable rows (the first: test-1.parquet[0]: label -1, which stands for no label) and was "
        "left out",
    )


def test_every_file_without_names_takes_those_of_the_others(tmp_path):
    named = write(tmp_path / "c.parquet", [0, 1], names=("dog", "cat"))
    others = [write(tmp_path / f"{name}.parquet", [1, 0, 1], names=None) for name in "ab"]
    listing = list_parquet({"train": [others[0], named], "val": [others[1]]})
    assert listing.notes == ("a.parquet, b.parquet: no class names of its own, so those of c.parquet are used",)
    assert listing.classes == ("dog", "cat")
    assert {split: part.labels.tolist() for split, part in listing.parts.items()} == {
        "train": [1, 0, 1, 0, 1],
        "val": [1, 0, 1],
    }


def test_what_one_of_the_files_has_is_told_of_it(tmp_path):
    plain = write(tmp_path / "a.parquet", ["x", "y"], names=None)
    more = write(tmp_path / "b.parquet", ["y", "x"], names=None)
    pq.write_table(pq.read_table(more).append_column("category", pa.array([1, 2])), more)
    note = "column 'category' not used: 'label' says the classes"
    assert list_parquet({"train": [plain, more]}).notes == (note,)
    assert list_parquet({"val": [more], "train": [plain]}).notes == (note,)
    twice = [write(tmp_path / f"{name}.parquet", [0, 1, 2], names=("cat", "dog", "cat")) for name in "cd"]
    other = write(tmp_path / "e.parquet", [0, 1], names=("dog", "dog"))
    assert list_parquet({"train": [*twice, other]}).notes[:2] == (
        "e.parquet: 'dog' named more than once: each is one class",
        "c.parquet: 'cat' named more than once: each is one class",
    )


def test_numbers_beside_words_are_names_like_them(tmp_path):
    words = write(tmp_path / "a.parquet", ["cat", "3"], names=None)
    numbers = write(tmp_path / "b.parquet", [3, 1], names=None)
    listing = list_parquet({"train": [words, numbers]})
    assert (listing.classes, listing.notes) == (("1", "3", "cat"), ())
    assert listing.parts["train"].labels.tolist() == [2, 1, 1, 0]
