"""Predictions as CSV: every column, and whole or not at all."""

import csv
import os

import numpy as np
import pytest

from striate.classifier.prediction import Prediction, predicted
from striate.classifier.prediction_table import PredictionTable, prediction_table
from striate.errors import StriateError
from striate.training.tasks import MultiLabel, Regression, SingleLabel

CAT = Prediction("a,b.png", (("cat", 0.75), ("dog", 0.125)))
BAD = Prediction("bad.png", error='bad.png: "empty" file')

TASK = SingleLabel(("cat", "dog", "owl"))


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_columns_are_as_many_as_classes_are_named(tmp_path):
    with prediction_table(tmp_path / "t.csv", TASK, top=3) as table:
        table.write(CAT)
        table.write(BAD)
    assert rows(tmp_path / "t.csv") == [
        ["file", "class", "probability", "class_2", "probability_2", "class_3", "probability_3", "error"],
        ["a,b.png", "cat", "0.750000", "dog", "0.125000", "", "", ""],
        ["bad.png", *[""] * 6, 'bad.png: "empty" file'],
    ]


def test_what_is_unsure_has_a_column_where_it_is_asked_for(tmp_path):
    with prediction_table(tmp_path / "t.csv", TASK, top=2, unsure=True) as table:
        table.write(CAT, is_sure=False)
        table.write(CAT)
        table.write(BAD, is_sure=False)
    assert [row[-2] for row in rows(tmp_path / "t.csv")] == ["unsure", "yes", "no", ""]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), BrokenPipeError(32, "Broken pipe"), StriateError("no")])
def test_until_all_of_it_is_there_the_older_file_stays(tmp_path, error):
    (tmp_path / "t.csv").write_text("older", encoding="utf-8")

    def interrupted():
        with prediction_table(tmp_path / "t.csv", TASK, 2) as table:
            table.write(CAT)
            assert len(list(tmp_path.iterdir())) == 2
            raise error

    with pytest.raises(type(error)) as raised:
        interrupted()
    assert raised.value is error
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["older"]


def test_lines_are_written_as_they_come(tmp_path):
    """Not held until the end: more than any buffer of a few of them."""
    with prediction_table(tmp_path / "t.csv", TASK, 2) as table:
        for _ in range(10_000):
            table.write(CAT)
        (growing,) = tmp_path.iterdir()
        assert growing.name != "t.csv"
        assert growing.stat().st_size > 250_000
    assert len(rows(tmp_path / "t.csv")) == 10_001


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder.csv").mkdir()
    for place in (tmp_path / "file" / "t.csv", tmp_path / "folder.csv"):
        with pytest.raises(StriateError, match=f"{place}: cannot be written"), prediction_table(place, TASK) as table:
            table.write(CAT)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_told_whenever_it_is_full(tmp_path):
    with open("/dev/full", "wb", buffering=0) as file, pytest.raises(StriateError, match=r"t\.csv: the disk is full"):
        PredictionTable(file, tmp_path / "t.csv", TASK, 1, False)


def test_labels_and_values_have_columns_of_their_own(tmp_path):
    labels, values = MultiLabel(("sea", "sky")), Regression(("age", "height"), (0.0, 0.0), (1.0, 1.0))
    with prediction_table(tmp_path / "l.csv", labels) as table:
        table.write(predicted(labels, "a.png", np.array([0.5, 0.75]), 1))
        table.write(predicted(labels, "b.png", np.array([0.25, 0.125]), 1))
        table.write(Prediction("c.png", error="truncated"))
    assert (tmp_path / "l.csv").read_text() == (
        "file,labels,sea,sky,error\na.png,sky|sea,0.500000,0.750000,\nb.png,,0.250000,0.125000,\nc.png,,,,truncated\n"
    )
    with prediction_table(tmp_path / "v.csv", values) as table:
        table.write(predicted(values, "a.png", np.array([41.5, 1.0 / 3]), 1))
        table.write(Prediction("c.png", error="truncated"))
    assert (tmp_path / "v.csv").read_text() == "file,age,height,error\na.png,41.5,0.333333333,\nc.png,,,truncated\n"
