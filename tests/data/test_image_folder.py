"""Layouts as huggingface.co/docs/datasets/image_dataset documents those of `imagefolder`."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from striate.data import open_dataset
from striate.errors import StriateError


def write_metadata(folder, kind, rows, names=()):
    """The rows as `metadata.KIND`; `names` are those of the numbers in the column label."""
    path = folder / f"metadata.{kind}"
    if kind == "csv":
        columns = list(dict.fromkeys(name for row in rows for name in row))
        lines = [",".join(columns), *(",".join(str(row.get(name, "")) for name in columns) for row in rows)]
        path.write_text("\n".join(lines))
    elif kind == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        table = pa.Table.from_pylist(rows)
        if names:
            features = {"label": {"names": list(names), "_type": "ClassLabel"}}
            table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
        pq.write_table(table, path)
    return path


def told(source, **options) -> str:
    with pytest.raises(StriateError) as caught:
        open_dataset(source, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


KINDS = ("csv", "jsonl", "parquet")


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_says_the_classes_of_the_images_beside_it(make_folder, kind):
    folder = make_folder({"images": 4})
    rows = [
        {"file_name": f"images/{row:03d}.png", "text": "x", "label": "cat" if row % 2 else "dog"} for row in range(4)
    ]
    write_metadata(folder, kind, rows)
    dataset = open_dataset(folder, val_fraction=0)
    assert (dataset.classes, dataset.train.labels.tolist()) == (("cat", "dog"), [1, 0, 1, 0])
    assert not dataset.divided


@pytest.mark.parametrize("kind", KINDS)
def test_each_split_has_a_folder_with_its_table(make_folder, kind):
    for split, count in (("train", 4), ("test", 2)):
        folder = make_folder({split: count}, name="pets") / split
        write_metadata(folder, kind, [{"file_name": f"{row:03d}.png", "label": row % 2} for row in range(count)])
    dataset = open_dataset(folder.parent, val_fraction=0)
    assert [(split.name, split.labels.tolist()) for split in dataset.splits] == [
        ("train", [0, 1, 0, 1]),
        ("test", [0, 1]),
    ]
    assert dataset.classes == ("0", "1")


@pytest.mark.parametrize("kind", KINDS)
def test_one_table_above_the_splits_names_their_files(make_folder, kind):
    folder = make_folder({"train": 4, "validation": 2}, name="pets")
    rows = [{"file_name": f"train/{row:03d}.png", "label": "ab"[row % 2]} for row in range(4)]
    rows += [{"file_name": f"validation/{row:03d}.png", "label": "ab"[row % 2]} for row in range(2)]
    write_metadata(folder, kind, rows)
    dataset = open_dataset(folder)
    assert [(split.name, len(split)) for split in dataset.splits] == [("train", 4), ("val", 2)]


def test_names_of_files_say_the_split_where_folders_do_not(make_folder):
    folder = make_folder({"x": 4})
    for row, name in enumerate(("train_0", "train_1", "test_0", "test_1")):
        (folder / "x" / f"{row:03d}.png").rename(folder / f"{name}.png")
    (folder / "x").rmdir()
    rows = [{"file_name": f"{name}.png", "label": name[-1]} for name in ("train_0", "train_1", "test_0", "test_1")]
    write_metadata(folder, "csv", rows)
    assert [(split.name, len(split)) for split in open_dataset(folder, val_fraction=0).splits] == [
        ("train", 2),
        ("test", 2),
    ]


def test_without_a_column_of_labels_the_folders_are_the_classes(make_folder):
    folder = make_folder({"train/cat": 2, "train/dog": 2, "test/cat": 1, "test/dog": 1})
    for split, rows in (("train", 2), ("test", 1)):
        names = [f"{name}/{row:03d}.png" for name in ("cat", "dog") for row in range(rows)]
        write_metadata(folder / split, "jsonl", [{"file_name": name, "caption": "x"} for name in names])
    dataset = open_dataset(folder, val_fraction=0)
    assert dataset.classes == ("cat", "dog")
    assert [split.labels.tolist() for split in dataset.splits] == [[0, 0, 1, 1], [0, 1]]


def test_images_in_no_class_folder_are_not_given_one(make_folder):
    folder = make_folder({"images": 2})
    write_metadata(folder, "csv", [{"file_name": "images/000.png", "caption": "x"}])
    assert told(folder) == (
        f"{folder} has no rows with a path and a label; the first: {folder}/metadata.csv:2: "
        "the row has no label, and its file lies in no class folder"
    )


@pytest.mark.parametrize("column", ["image_file_name", "left_file_name"])
def test_other_columns_of_file_names_do(make_folder, column):
    folder = make_folder({"images": 2})
    rows = [{column: f"images/{row:03d}.png", "label": "ab"[row], "z_file_name": "no"} for row in range(2)]
    write_metadata(folder, "jsonl", rows)
    dataset = open_dataset(folder, val_fraction=0)
    assert dataset.classes == ("a", "b")
    assert f"column 'z_file_name' not used: '{column}' says where the images are" in dataset.notes


def test_numbers_in_parquet_have_the_names_of_its_features(make_folder):
    folder = make_folder({"images": 3})
    rows = [{"file_name": f"images/{row:03d}.png", "label": row % 2} for row in range(3)]
    write_metadata(folder, "parquet", rows, ("cat", "dog"))
    dataset = open_dataset(folder, val_fraction=0)
    assert (dataset.classes, dataset.train.labels.tolist()) == (("cat", "dog"), [0, 1, 0])


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_lists_are_several_labels_and_numbers_may_be_values(make_folder, kind):
    folder = make_folder({"images": 3})
    rows = [
        {"file_name": f"images/{row:03d}.png", "tags": ["sea", "sky"][: row % 3], "age": row + 0.5} for row in range(3)
    ]
    write_metadata(folder, kind, rows)
    several = open_dataset(folder, val_fraction=0, target="tags", task="multi-label")
    assert several.train.labels.tolist() == [[False, False], [True, False], [True, True]]
    values = open_dataset(folder, val_fraction=0, target="age")
    assert values.train.labels.tolist() == [[0.5], [1.5], [2.5]]


def test_images_that_no_row_names_are_told(make_folder):
    folder = make_folder({"images": 4})
    rows = [{"file_name": f"images/{row:03d}.png", "label": "ab"[row]} for row in range(2)]
    write_metadata(folder, "csv", rows)
    dataset = open_dataset(folder, val_fraction=0)
    assert f"2 images left out, which no row names (first: {folder}/images/002.png)" in dataset.notes


def test_tables_of_several_kinds_and_broken_ones(make_folder):
    folder = make_folder({"images": 2})
    rows = [{"file_name": f"images/{row:03d}.png", "label": "ab"[row]} for row in range(2)]
    write_metadata(folder, "csv", rows)
    write_metadata(folder, "jsonl", rows)
    assert "holds metadata of several kinds" in told(folder)
    (folder / "metadata.csv").unlink()
    (folder / "metadata.jsonl").write_text(
        json.dumps(rows[0]) + "\n{broken\n[1]\n" + json.dumps(rows[1]) + "\n" + "[" * 100_000
    )
    dataset = open_dataset(folder, val_fraction=0)
    assert [(entry.path.rpartition(":")[2], entry.reason) for entry in dataset.skipped] == [
        (line, "the line holds no JSON object") for line in ("2", "3", "5")
    ]
    (folder / "metadata.jsonl").write_text("nothing")
    assert told(folder) == f"{folder}/metadata.jsonl holds no lines of JSON objects"


def test_a_table_without_file_names_is_about_something_else(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    (folder / "metadata.csv").write_text("camera,date\nx,y\n")
    assert open_dataset(folder, val_fraction=0).classes == ("cat", "dog")
