import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from striate.data import open_dataset
from striate.errors import StriateError


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


def test_labels_outside_the_names_are_refused_with_the_row(tmp_path):
    with pytest.raises(StriateError, match=r"a.parquet\[2\]: label 2 is outside the 2 class names"):
        open_dataset(write(tmp_path / "a.parquet", [0, 1, 2]))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"picture_bytes": [b""], "label": [0]}, "no image column: call it image or img; its columns are"),
        ({"image": [b""], "answer": [0]}, "no label column"),
        ({"image": ["a.png"], "label": [0]}, "column 'image' is string"),
        ({"image": [b""], "label": [0.5]}, "column 'label' is double"),
    ],
)
def test_tables_without_images_and_labels_say_why(tmp_path, table, message):
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    with pytest.raises(StriateError, match=message):
        open_dataset(tmp_path / "a.parquet")


def test_damaged_file_is_one_clear_line(tmp_path):
    path = write(tmp_path / "a.parquet", [0, 1])
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(StriateError, match="not a Parquet file, or it is damaged") as caught:
        open_dataset(path)
    assert "\n" not in str(caught.value)
