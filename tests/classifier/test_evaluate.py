"""Evaluating: on a path, a data set, a split, or what it was trained with; classes are matched by name."""

import csv
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

import striate
from striate.errors import StriateError, UsageError


def best_row(run: Path) -> dict[str, str]:
    rows = list(csv.DictReader((run / "metrics.csv").open()))
    return max(rows, key=lambda row: (float(row["val_accuracy"]), -float(row["val_loss"])))


def test_on_what_it_was_trained_with_it_finds_the_figures_of_training(tmp_path):
    run = tmp_path / "run"
    trained = striate.train("digits", model="lenet5", epochs=2, seed=5, run=run, quiet=True, report=False)
    again = striate.load(run).evaluate(split="val")
    assert again.top1 == float(best_row(run)["val_accuracy"])
    assert again.loss == pytest.approx(float(best_row(run)["val_loss"]), rel=1e-4)
    assert trained.evaluation.split == "test"
    assert striate.load(run).evaluate().top1 == trained.evaluation.top1


def test_path_data_set_and_split_agree(trained, colours):
    classifier = striate.load(trained)
    dataset = striate.open_dataset(colours, val_fraction=0.3, seed=1)
    on_split = classifier.evaluate(dataset.val)
    on_dataset = classifier.evaluate(dataset)
    assert on_split.top1 == on_dataset.top1
    assert on_split.names == on_dataset.names
    assert len(classifier.evaluate(dataset, "train")) == len(dataset.train)


def test_classes_in_another_order_are_matched_by_name(trained, colours):
    classifier = striate.load(trained)
    dataset = striate.open_dataset(colours, val_fraction=0)
    order = [2, 0, 1]
    split = dataset.train
    shuffled = dataclasses.replace(
        dataset,
        classes=tuple(dataset.classes[index] for index in order),
        train=dataclasses.replace(split, labels=np.argsort(order)[split.labels]),
    )
    assert classifier.evaluate(shuffled).top1 == classifier.evaluate(dataset).top1 == 1
    np.testing.assert_array_equal(classifier.evaluate(shuffled).labels, classifier.evaluate(dataset).labels)


def test_a_data_set_of_other_classes_is_refused(trained, paint, tmp_path):
    others = striate.open_dataset(paint(tmp_path / "others", ["red", "gren"]))
    with pytest.raises(StriateError, match=r"gren.*Did you mean 'green'"):
        striate.load(trained).evaluate(others)


def test_a_missing_or_unknown_split_is_named(trained, colours):
    classifier = striate.load(trained)
    with pytest.raises(StriateError, match="no test images"):
        classifier.evaluate(striate.open_dataset(colours), "test")
    with pytest.raises(UsageError, match="'tset' is unknown"):
        classifier.evaluate(colours, "tset")


def test_it_leaves_images_that_have_changed_alone(trained, colours, paint, tmp_path):
    photos = paint(tmp_path / "photos")
    run = tmp_path / "run"
    striate.train(photos, model="lenet5", epochs=1, run=run, quiet=True, report=False, workers=0)
    classifier = striate.load(run)
    assert classifier.evaluate().split == "val"
    shutil.copy(colours / "red" / "1.png", photos / "blue" / "new.png")
    with pytest.raises(StriateError, match="have changed since"):
        classifier.evaluate()
