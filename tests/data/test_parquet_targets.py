"""Parquet files of several labels or of values."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from striate.data import open_dataset
from striate.data.asked import NOTHING
from striate.data.parquet_targets import kind_in
from striate.data.targets import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from striate.errors import StriateError


def png(seed: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def write(path, features=None, **columns):
    rows = len(next(iter(columns.values())))
    table = pa.table({"image": [png(row) for row in range(rows)], **columns})
    if features is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def opened(path, **options):
    return open_dataset(path, **{"val_fraction": 0, **options})


def test_a_list_of_words_is_labels(tmp_path):
    dataset = opened(write(tmp_path / "a.parquet", labels=[["sky", "sea"], [], None, ["sky"]]))
    assert (dataset.task, dataset.classes) == (MULTI_LABEL, ("sea", "sky"))
    assert dataset.train.labels.tolist() == [[1, 1], [0, 0], [0, 1]]
    assert [(entry.path, entry.reason) for entry in dataset.skipped] == [("a.parquet[2]", "the row has no labels")]
    assert dataset.train.images.name(2) == "a.parquet[3]"


@pytest.mark.parametrize(
    "feature",
    [
        {"feature": {"names": ["cat", "dog", "owl"], "_type": "ClassLabel"}, "_type": "Sequence"},
        [{"names": ["cat", "dog", "owl"], "_type": "ClassLabel"}],
        {"feature": {"names": {"0": "cat", "1": "dog", "2": "owl"}}, "_type": "List"},
    ],
)
def test_numbers_in_a_list_stand_for_the_files_names(tmp_path, feature):
    path = write(tmp_path / "a.parquet", {"label": feature}, label=[[0, 2], [], [2]])
    dataset = opened(path)
    assert dataset.classes == ("cat", "dog", "owl")  # also the one without images: others may have it
    assert dataset.train.labels.tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 1]]
    wrong = write(tmp_path / "b.parquet", {"label": feature}, label=[[0], [3]])
    assert [entry.reason for entry in opened(wrong).skipped] == ["label 3 is outside the 3 names"]


def test_numbers_without_names_are_called_by_themselves(tmp_path):
    dataset = opened(write(tmp_path / "a.parquet", label=[[10, 9], [9]]))
    assert (dataset.classes, dataset.train.labels.tolist()) == (("9", "10"), [[1, 1], [1, 0]])


def test_truth_values_are_labels_in_a_list_or_in_columns(tmp_path):
    flags = pa.array([[True, False], [False, False], [True, True]], pa.list_(pa.bool_(), 2))
    listed = opened(write(tmp_path / "a.parquet", label=flags))
    columns = opened(write(tmp_path / "b.parquet", x=[1, 0, 1], y=[False, False, True]), target="x,y")
    assert (listed.classes, columns.classes) == (("0", "1"), ("x", "y"))
    assert listed.train.labels.tolist() == columns.train.labels.tolist() == [[1, 0], [0, 0], [1, 1]]


def test_fractions_are_values_in_a_list_or_in_columns(tmp_path):
    wanted = [[0.5, 2.0], [1.5, 3.0]]
    listed = opened(write(tmp_path / "a.parquet", target=wanted))
    columns = opened(write(tmp_path / "b.parquet", x=[0.5, 1.5], y=[2.0, 3.0]), target=["x", "y"])
    alone = opened(write(tmp_path / "c.parquet", label=[0.5, 1.5, None]))
    assert {listed.task, columns.task, alone.task} == {REGRESSION}
    assert (listed.classes, columns.classes, alone.classes) == (("target[0]", "target[1]"), ("x", "y"), ("label",))
    assert listed.train.labels.tolist() == columns.train.labels.tolist() == wanted
    assert alone.train.labels.tolist() == [[0.5], [1.5]]
    assert alone.skipped[0].reason == "the row has no value"


def test_the_caller_decides_where_both_could_be(tmp_path):
    path = write(tmp_path / "a.parquet", label=[3, 5, 3, 5])
    assert (opened(path).task, opened(path, task="regression").task) == (SINGLE_LABEL, REGRESSION)
    assert kind_in(write(tmp_path / "c.parquet", label=[3.0, None, 5.0]), NOTHING) == SINGLE_LABEL  # as pandas has it
    assert kind_in(write(tmp_path / "d.parquet", label=[3.0, 5.5]), NOTHING) == REGRESSION
    assert opened(path, task="regression").train.labels[:, 0].tolist() == [3, 5, 3, 5]
    assert opened(write(tmp_path / "b.parquet", kind=["x", "y"], label=[1, 2]), target="kind").classes == ("x", "y")


def test_splits_have_the_same_names(tmp_path):
    write(tmp_path / "train.parquet", labels=[["b"], ["a", "b"]])
    write(tmp_path / "test.parquet", labels=[["c"], []])
    dataset = open_dataset(tmp_path)
    assert (dataset.classes, dataset.test.labels.tolist()) == (("a", "b", "c"), [[0, 0, 1], [0, 0, 0]])
    assert any("train has no images of 'c'" in note for note in dataset.notes)


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        ({"label": ["a", "b"]}, {"task": "multi-label"}, "column 'label' is string; several labels are a list"),
        ({"label": [[0.5, 1.0], [0.5], [1.0, 2.0]]}, {}, "the row has 1 values, not 2"),
        ({"label": [[0.5], [float("inf")], [1.5]]}, {}, "a value is no finite number"),
        ({"x": [1, 2], "y": [0, 1]}, {"target": "x,y"}, "2 is neither yes nor no"),
        ({"x": [1, 2]}, {"target": "X,Image"}, "column 'image' says where the images are; name another one"),
        ({"x": [1, 2]}, {"target": "image", "task": "regression"}, "column 'image' says where the images are"),
        ({"x": [1, 2]}, {"target": "image", "task": "single-label"}, "column 'image' says where the images are"),
        (
            {"x": [1, 2], "Xy": [1, 2]},
            {"target": "xz"},
            "'xz'. Did you mean 'x' or 'xy'? Its columns are: image, x, Xy",
        ),
        ({"label": [[], []]}, {"task": "multi-label"}, "no training image has a label"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path, columns, options, words):
    path = write(tmp_path / "a.parquet", **columns)
    try:
        told = [entry.reason for entry in opened(path, **options).skipped]
    except StriateError as error:
        told = [str(error)]
    assert any(words in line for line in told), told
    assert not any("\n" in line for line in told)
