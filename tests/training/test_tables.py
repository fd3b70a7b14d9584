"""Rows of the tables, value by value."""

import numpy as np

from striate.training.metrics import Evaluation
from striate.training.tables import head_losses, in_columns, metrics_row, timing_row
from striate.training.tasks import SingleLabel

TASK = SingleLabel(tuple("abcdef"))
TRAINED = {"train_loss": 1.5, "train_a_loss": 2.5, "train_total_loss": 4.0, "train_accuracy": 0.25}


def test_every_figure_stands_in_its_own_column():
    labels = np.array([0, 1, 5])
    evaluation = Evaluation(tuple("abcdef"), labels, np.eye(6)[[0, 1, 2]], loss=0.75)
    assert metrics_row(3, 70, 0.01, TRAINED, TASK, evaluation) == {
        "epoch": 3,
        "step": 70,
        "learning_rate": 0.01,
        "train_loss": 1.5,
        "train_accuracy": 0.25,
        "val_loss": 0.75,
        "val_accuracy": 2 / 3,
        "val_top5": 2 / 3,
        "train_a_loss": 2.5,
        "train_total_loss": 4.0,
    }


def test_what_was_not_measured_is_empty_and_has_its_column():
    row = metrics_row(1, 2, 0.1, {"train_loss": 1.0, "train_accuracy": 0.5}, TASK, None)
    assert list(row) == [
        "epoch",
        "step",
        "learning_rate",
        "train_loss",
        "train_accuracy",
        "val_loss",
        "val_accuracy",
        "val_top5",
    ]
    assert [row[name] for name in ("val_loss", "val_accuracy", "val_top5")] == ["", "", ""]
    assert metrics_row(1, 2, 0.1, TRAINED, TASK, Evaluation(("a", "b"), [0], [[1.0, 0.0]], loss=0.1))["val_top5"] == ""


def test_the_losses_of_heads_are_told_from_the_others():
    assert head_losses({"epoch": 1, "train_accuracy": 0.5, "val_loss": 0.1} | TRAINED) == {
        "train_a_loss": "a",
        "train_total_loss": "total",
    }


def test_speed_is_that_of_training_and_validation_stands_apart():
    assert timing_row(2, 4.0, 1.23456, 100, 1.0) == {
        "epoch": 2,
        "seconds": 4.0,
        "validation_seconds": 1.235,
        "images_per_second": 25.0,
        "loading_share": 0.25,
    }


def test_rows_of_an_earlier_version_get_todays_columns():
    old = {"epoch": 1, "seconds": 4.0, "images_per_second": 25.0, "loading_share": 0.25}
    assert list(in_columns(old).items())[:3] == [("epoch", 1), ("seconds", 4.0), ("validation_seconds", "")]
    new = timing_row(2, 4.0, 1.0, 100, 1.0)
    assert in_columns(new) == new
