"""Evaluating: on a path, a data set, a split, or what it was trained with; classes are matched by name."""

import csv
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import striate
from striate.classifier.measuring import Measuring
from striate.errors import StriateError, UsageError

#: Measured in float32 throughout, whatever the processor multiplies.
FLOAT32 = {"model": "lenet5", "epochs": 2, "seed": 5, "precision": "32", "quiet": True, "report": False}


def measuring(classifier: striate.Classifier) -> Measuring:
    """What finds the images that a classifier is measured on."""
    return Measuring(classifier.description, classifier.path)


def best_row(run: Path) -> dict[str, str]:
    rows = list(csv.DictReader((run / "metrics.csv").open()))
    return max(rows, key=lambda row: (float(row["val_accuracy"]), -float(row["val_loss"])))


def test_on_what_it_was_trained_with_it_finds_the_figures_of_training(tmp_path):
    run = tmp_path / "run"
    trained = striate.train("digits", **FLOAT32, run=run)
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


def test_whoever_wants_to_see_is_told_how_many_images_are_done(trained, colours):
    classifier, told = striate.load(trained), []
    classifier.evaluate(striate.open_dataset(colours), "train", shown=lambda *counts: told.append(counts))
    assert told == [(27, 27)]
    classifier.evaluate(colours, views="ten", split="train", shown=lambda *counts: told.append(counts))
    assert told[1:] == [(6, 27), (12, 27), (18, 27), (24, 27), (27, 27)]


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


@pytest.mark.parametrize("source", ["", 5, ["photos"], np.zeros((2, 8, 8, 3), np.uint8)], ids=type)
def test_what_is_no_place_of_labelled_images_is_refused(trained, source):
    with pytest.raises(UsageError, match="no place of images"):
        striate.load(trained).evaluate(source)


def test_it_leaves_images_that_have_changed_alone(trained, colours, paint, tmp_path):
    photos = paint(tmp_path / "photos")
    run = tmp_path / "run"
    striate.train(photos, model="lenet5", epochs=1, run=run, quiet=True, report=False, workers=0)
    classifier = striate.load(run)
    assert classifier.evaluate().split == "val"
    shutil.copy(colours / "red" / "1.png", photos / "blue" / "new.png")
    with pytest.raises(StriateError, match="have changed since"):
        classifier.evaluate()
    named = classifier.evaluate(photos)  # asked for by its place: then all of them, among which trained ones are
    assert (named.split, len(named)) == ("train", 31)


def test_place_of_the_training_images_means_those_that_were_set_aside(trained, colours):
    classifier = striate.load(trained)
    aside = classifier.evaluate()
    for place in (colours, str(colours), colours / ".." / "colours"):
        named = classifier.evaluate(place)
        assert (named.split, named.names) == ("val", aside.names)
    assert classifier.evaluate(colours, "train").split == "train"
    assert len(classifier.evaluate(colours, "train")) == 27


def test_other_images_that_are_not_divided_are_all_measured(trained, paint, tmp_path):
    others = paint(tmp_path / "others", count=4, seed=1)
    evaluation = striate.load(trained).evaluate(others)
    assert (evaluation.split, len(evaluation)) == ("all", 12)


def test_some_of_the_classes_are_enough_to_measure_on(trained, paint, tmp_path):
    evaluation = striate.load(trained).evaluate(paint(tmp_path / "others", ["red"], count=4, seed=1))
    assert [score.support for score in evaluation.per_class()] == [0, 0, 4]
    assert evaluation.top1 == 1


@pytest.mark.parametrize(
    ("places", "split", "count"),
    [
        (["train", "val", "test"], "test", 6),
        (["train", "val"], "val", 6),
        (["train", "test"], "test", 6),
        (["train"], "train", 6),
        (["val", "test"], "test", 6),
        (["Testing"], "test", 6),
    ],
)
def test_training_images_are_measured_only_where_there_are_no_others(trained, paint, tmp_path, places, split, count):
    for seed, place in enumerate(places):
        paint(tmp_path / "photos" / place, count=2, seed=seed)
    evaluation = striate.load(trained).evaluate(tmp_path / "photos")
    assert (evaluation.split, len(evaluation)) == (split, count)
    assert all(f"/{places[[name.lower()[:3] for name in places].index(split[:3])]}/" in n for n in evaluation.names)


def test_string_labels_of_a_parquet_test_are_measured_on_the_test(trained, colours, tmp_path):
    for split, numbers in (("train", range(6)), ("test", range(6, 10))):
        rows = [(colours / name / f"{number}.png", name) for name in ("green", "red") for number in numbers]
        table = {"image": [path.read_bytes() for path, _ in rows], "label": [name for _, name in rows]}
        pq.write_table(pa.table(table), tmp_path / f"{split}.parquet")
    evaluation = striate.load(trained).evaluate(tmp_path)
    assert (evaluation.split, len(evaluation)) == ("test", 8)
    assert evaluation.classes == ("blue", "green", "red")
    assert evaluation.labels.tolist() == [1] * 4 + [2] * 4
    assert evaluation.top1 == 1


def test_names_in_unicodes_two_spellings_are_one_class(trained, colours):
    classifier = striate.load(trained)
    classifier.description = dataclasses.replace(classifier.description, classes=("blu\u00e9", "green", "red"))
    dataset = dataclasses.replace(striate.open_dataset(colours, val_fraction=0), classes=("blue\u0301", "green", "red"))
    assert classifier.evaluate(dataset).top1 == 1


@pytest.mark.parametrize(("split", "count"), [(None, 30), ("train", 30), ("val", 3)])
def test_only_where_validation_is_asked_for_some_are_set_aside(trained, paint, tmp_path, split, count):
    others = paint(tmp_path / "others", count=10, seed=1)
    evaluation = striate.load(trained).evaluate(others, split)
    assert len(evaluation) == count
    with pytest.raises(StriateError, match="has no test images; it has train"):
        striate.load(trained).evaluate(others, "test")


def test_a_named_data_set_is_that_of_the_training_only_by_its_name(trained, colours, monkeypatch, tmp_path):
    classifier = striate.load(trained)
    assert measuring(classifier)._is_of_training(colours)
    assert not measuring(classifier)._is_of_training("digits")
    data = {**classifier.description.data, "source": "digits"}
    monkeypatch.setattr(classifier, "description", dataclasses.replace(classifier.description, data=data))
    monkeypatch.setattr(classifier, "path", None)
    assert measuring(classifier)._is_of_training("digits")
    assert not measuring(classifier)._is_of_training("mnist")
    assert not measuring(classifier)._is_of_training(colours)
    monkeypatch.chdir(tmp_path)
    assert not measuring(classifier)._is_of_training(Path("digits"))


def test_notes_are_those_of_images_that_were_opened_to_measure_on(trained, paint, tmp_path):
    others = paint(tmp_path / "others", count=3, seed=1)
    (others / "red" / "bad.png").write_bytes(b"?")
    classifier = striate.load(trained)
    assert classifier.evaluate(others).notes[-1] == (
        f"1 left out, since they cannot be used (the first: {others}/red/bad.png: not an image)"
    )
    dataset = striate.open_dataset(others, val_fraction=0)
    assert classifier.evaluate(dataset).notes == classifier.evaluate(dataset.train).notes == ()


def test_the_images_of_the_training_are_known_wherever_they_lie(trained, colours, tmp_path):
    classifier, copy = striate.load(trained), shutil.copytree(colours, tmp_path / "copy")
    aside = [Path(name).relative_to(colours) for name in classifier.evaluate().names]
    for asked in (None, "val"):
        evaluation = classifier.evaluate(copy, asked)
        assert (evaluation.split, [Path(name).relative_to(copy) for name in evaluation.names]) == ("val", aside)
    assert len(classifier.evaluate(copy, "train")) == 27
    undivided = striate.open_dataset(copy, val_fraction=0)
    assert classifier.evaluate(undivided).split == "train"  # all of them: those learnt from are among them
    (copy / "red" / "1.png").unlink()
    assert (classifier.evaluate(copy).split, len(classifier.evaluate(copy))) == ("all", 29)


def test_a_copy_of_training_images_with_a_test_of_their_own_keeps_those_set_aside(paint, tmp_path):
    photos = paint(tmp_path / "photos" / "train").parent
    paint(photos / "test", count=2, seed=1)
    quick = {"epochs": 1, "quiet": True, "report": False, "workers": 0}
    classifier = striate.train(photos, model="lenet5", seed=3, val_fraction=0.2, run=tmp_path / "run", **quick)
    copy = shutil.copytree(photos, tmp_path / "copy")
    aside = [Path(name).relative_to(photos) for name in classifier.evaluate(split="val").names]
    assert [Path(name).relative_to(copy) for name in classifier.evaluate(copy, "val").names] == aside
    assert classifier.evaluate(copy).split == "test"


def test_changed_images_are_noticed_also_where_none_were_set_aside(paint, tmp_path):
    photos = paint(tmp_path / "photos", count=3)
    quick = {"epochs": 1, "quiet": True, "report": False, "workers": 0}
    classifier = striate.train(photos, model="lenet5", val_fraction=0, run=tmp_path / "run", **quick)
    assert classifier.evaluate().split == "train"
    (photos / "red" / "1.png").unlink()
    with pytest.raises(StriateError, match="have changed since"):
        classifier.evaluate()


def test_it_says_what_ran_the_network_where_that_was_asked_for_or_chosen(trained, colours):
    classifier = striate.load(trained)
    assert classifier.evaluate(colours).engine == ""  # too few images for any but the network as it is
    assert classifier.evaluate(colours, engine="folded").engine == "folded"
