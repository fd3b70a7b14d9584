"""Several labels and values from a table to a classifier: trained, stopped, resumed, loaded, measured, used."""

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics

import striate
from striate.classifier import reporting
from striate.classifier.prediction import LabelsPrediction, ValuesPrediction
from striate.classifier.prediction_table import prediction_table
from striate.data import open_dataset
from striate.errors import StriateError, UsageError
from striate.training.label_metrics import MultiLabelEvaluation
from striate.training.model_file import save_model
from striate.training.tasks import MultiLabel, Regression
from striate.training.thresholds import fitted_thresholds
from striate.training.value_metrics import RegressionEvaluation

FAST = {"model": "lenet5", "size": 16, "epochs": 8, "batch_size": 16, "workers": 0, "quiet": True}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A folder with two tables of the same 160 pictures: which corners are bright, and how bright and how blue."""
    folder = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    labels, values = [], []
    for number in range(160):
        corners, light, blue = rng.random(3) < 0.4, rng.uniform(40, 160), rng.uniform(0, 60)
        picture = rng.normal(light, 6, (16, 16, 3))
        picture[..., 2] += blue
        for corner, (y, x) in zip(corners, ((0, 0), (0, 8), (8, 0)), strict=True):
            picture[y : y + 8, x : x + 8] += 90 * corner
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
        split = "test" if number >= 130 else "train"
        names = [name for name, there in zip(("north", "east", "south"), corners, strict=True) if there]
        labels.append((f"{number}.png", "|".join(names), split))
        values.append((f"{number}.png", f"{light:.3f}", f"{blue:.3f}", split))
    for name, header, rows in (("labels", ("tags",), labels), ("values", ("light", "blue"), values)):
        with open(folder / f"{name}.csv", "w", newline="") as file:
            csv.writer(file).writerows([("path", *header, "split"), *rows])
    return folder


@pytest.fixture(scope="module")
def labelled(tables, tmp_path_factory):
    return striate.train(tables / "labels.csv", **FAST, run=tmp_path_factory.mktemp("runs") / "labels")


@pytest.fixture(scope="module")
def valued(tables, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "values"
    return striate.train(tables / "values.csv", target="light,blue", **FAST, run=run)


def replace_thresholds(classifier, cut):
    """The classifier with another threshold for all labels, read from a description."""
    task = MultiLabel(classifier.classes, (cut,) * len(classifier.classes)).to_dict()
    return striate.Classifier(classifier.model, replace(classifier.description, task=task))


def column(run, name):
    return [float(row[name]) for row in csv.DictReader((run / "metrics.csv").open())]


def test_labels_are_learnt_and_measured_as_scikit_learn_does(labelled):
    assert labelled.task == MultiLabel(("east", "north", "south"), labelled.task.thresholds)
    losses = column(labelled.path, "train_loss")
    assert losses[-1] < 0.5 * losses[0]
    found = labelled.evaluation
    assert isinstance(found, MultiLabelEvaluation)
    assert (found.split, len(found)) == ("test", 30)
    chances = np.array([labelled.predict_proba([name])[0] for name in found.names])
    wanted = metrics.average_precision_score(found.labels, chances, average="macro")
    assert found.mean_average_precision == pytest.approx(wanted, abs=1e-6)
    said = chances >= np.array(labelled.task.thresholds)
    assert found.micro_f1 == pytest.approx(metrics.f1_score(found.labels, said, average="micro"), abs=1e-6)
    at_half = metrics.f1_score(found.labels, chances >= 0.5, average="micro")
    assert found.at_half.micro_f1 == found.to_dict()["micro_f1_at_half"] == pytest.approx(at_half, abs=1e-6)
    assert found.mean_average_precision > 0.9


def test_values_are_learnt_and_measured_as_scikit_learn_does(valued):
    assert isinstance(valued.task, Regression)
    losses = column(valued.path, "train_loss")
    assert losses[-1] < 0.5 * losses[0]
    found = valued.evaluation
    assert isinstance(found, RegressionEvaluation)
    said = np.array([[value for _, value in valued.predict(name).values] for name in found.names])
    np.testing.assert_allclose(found.predicted, said, rtol=1e-4)
    assert found.r2 == pytest.approx(metrics.r2_score(found.labels, said), abs=1e-5)
    assert found.r2 > 0.6


def test_the_best_weights_are_those_of_the_best_score(labelled, valued):
    for classifier, score in ((labelled, "map"), (valued, "r2")):
        rows = column(classifier.path, f"val_{score}")
        kept = classifier.description.metrics
        assert kept[score] == max(rows) == rows[int(kept["epoch"]) - 1]
        assert kept.keys() == {"epoch", score, "loss"}


def test_predictions_say_labels_and_values(labelled, valued, tables):
    found = labelled.predict(tables / "3.png", top=3)
    assert isinstance(found, LabelsPrediction)
    assert [chance for _, chance in found.top] == sorted((chance for _, chance in found.top), reverse=True)
    cuts = dict(zip(labelled.classes, labelled.task.thresholds, strict=True))
    assert found.labels == tuple(pair for pair in found.top if pair[1] >= cuts[pair[0]])
    assert found.to_dict()["labels"] == [{"label": name, "probability": chance} for name, chance in found.labels]
    assert found.to_dict()["probabilities"] == dict(found.probabilities)
    assert sorted(found.probabilities) == sorted(found.top)
    assert [name for name, _ in found.probabilities] == list(labelled.classes)
    always, never = (replace_thresholds(labelled, cut).predict(tables / "3.png") for cut in (1e-9, 1 - 1e-9))
    assert [len(each.labels) for each in (always, never)] == [3, 0]
    assert never.text == ("none",)
    found = valued.predict([tables / "3.png", tables / "none.png"])
    assert isinstance(found[0], ValuesPrediction)
    assert [name for name, _ in found[0].values] == ["light", "blue"]
    assert found[0].to_dict() == {"name": str(tables / "3.png"), "values": dict(found[0].values)}
    assert found[1].to_dict().keys() == {"name", "error"}
    with pytest.raises(UsageError, match="predicts values, which have no probabilities"):
        valued.predict_proba(tables / "3.png")


def test_a_saved_file_is_all_that_is_needed(labelled, valued, tables, tmp_path):
    for classifier in (labelled, valued):
        again = striate.load(classifier.save(tmp_path / "a.safetensors"))
        assert (again.task, again.classes) == (classifier.task, classifier.classes)
        assert again.predict(tables / "5.png") == classifier.predict(tables / "5.png")


def test_other_tables_are_measured_by_the_names_of_the_outputs(labelled, valued, tables):
    (tables / "more.csv").write_text("path,blue,other,light\n1.png,20,7,99\n2.png,30,8,101\n")
    found = valued.evaluate(tables / "more.csv")
    np.testing.assert_array_equal(found.labels, [[99, 20], [101, 30]])
    (tables / "fewer.csv").write_text("path,tags\n1.png,south\n2.png,\n")
    found = labelled.evaluate(tables / "fewer.csv")
    np.testing.assert_array_equal(found.labels, [[0, 0, 1], [0, 0, 0]])
    (tables / "strange.csv").write_text("path,tags\n1.png,west\n")
    with pytest.raises(StriateError, match="a class that the model does not know: 'west'"):
        labelled.evaluate(tables / "strange.csv")
    (tables / "one.csv").write_text("path,light\n1.png,20\n")
    with pytest.raises(StriateError, match="blue"):
        valued.evaluate(tables / "one.csv")


def test_several_views_are_averaged(labelled, valued):
    for classifier in (labelled, valued):
        found = classifier.evaluate(views="flip")
        assert found.views.views == ("centre", "centre, mirrored")
        assert found.views.low <= found.views.gain <= found.views.high


@pytest.mark.parametrize("name", ["labels", "values"])
def test_a_run_that_was_stopped_goes_on_bit_for_bit(name, tables, tmp_path, monkeypatch):
    from striate.training.loop import Training

    fast = FAST | {"epochs": 2, "target": "light,blue" if name == "values" else None, "report": False}
    whole = striate.train(tables / f"{name}.csv", **fast, run=tmp_path / "whole")
    take = Training.train_step

    def step(self, batch):
        take(self, batch)
        self.interruption.requested = self.position.step == 5

    monkeypatch.setattr(Training, "train_step", step)
    with pytest.raises(StriateError, match="stopped"):
        striate.train(tables / f"{name}.csv", **fast, run=tmp_path / "parts")
    monkeypatch.undo()
    parts = striate.resume(tmp_path / "parts", quiet=True, report=False)
    assert (tmp_path / "parts" / "metrics.csv").read_bytes() == (tmp_path / "whole" / "metrics.csv").read_bytes()
    for key, tensor in whole.model.state_dict().items():
        assert tensor.equal(parts.model.state_dict()[key]), key


def test_the_report_shows_labels_and_values(labelled, valued):
    page = (labelled.path / "report.html").read_text(encoding="utf-8")
    assert "mean average precision" in page
    assert "Label by label" in page
    assert not re.search("What is taken for what|Value by value", page)
    page = (valued.path / "report.html").read_text(encoding="utf-8")
    assert "Value by value" in page
    assert page.count("predicted against true") >= 2
    assert not re.search("Label by label|Class by class", page)


def test_recipes_for_classes_are_fitted_and_what_is_asked_for_is_held_to(tables, tmp_path):
    with pytest.raises(UsageError, match="several labels take loss=binary"):
        striate.train(tables / "labels.csv", **FAST, run=tmp_path / "a", settings={"loss": "hinge"})
    with pytest.raises(UsageError, match="is for classes; values take one of"):
        striate.train(tables / "values.csv", target="light", **FAST, run=tmp_path / "b", settings={"loss": "hinge"})
    with pytest.raises(UsageError, match="outputs are distances from classes"):
        striate.train(tables / "labels.csv", **FAST | {"model": "lenet5_1998", "size": None}, run=tmp_path / "c")
    assert not any((tmp_path / name).exists() for name in "abc")


def test_the_configuration_says_what_was_asked(valued):
    config = json.loads((valued.path / "config.json").read_text())
    assert config["target"] == ["light", "blue"]
    assert config["task"]["kind"] == "regression"
    assert config["task"]["mean"] == pytest.approx([100, 30], rel=0.2)


def test_thresholds_are_those_of_the_validation_images_and_are_kept(labelled, tables):
    """Fitted to what the saved weights say of them, never to test images; without any they are one half."""
    val = labelled.evaluate(tables / "labels.csv", "val")
    assert labelled.task.thresholds == pytest.approx(fitted_thresholds(val.labels, val.probabilities), abs=1e-4)
    assert labelled.task.thresholds == labelled.evaluation.thresholds == striate.load(labelled.path).task.thresholds
    test = labelled.evaluation
    assert labelled.task.thresholds != pytest.approx(fitted_thresholds(test.labels, test.probabilities), abs=1e-4)
    page = (labelled.path / "report.html").read_text(encoding="utf-8")
    assert "thresholds, fitted to 13 validation images: " in page
    config = json.loads((labelled.path / "config.json").read_text())
    assert config["task"] == {"kind": "multi-label"}


def test_a_file_of_an_earlier_version_has_thresholds_of_one_half(labelled, tables, tmp_path):
    older = replace(labelled.description, task={"kind": "multi-label"})
    again = striate.load(striate.Classifier(labelled.model, older).save(tmp_path / "older.safetensors"))
    found = again.evaluate(tables / "labels.csv", "test")
    assert (again.task.thresholds, found.thresholds) == ((), ())
    np.testing.assert_array_equal(found.predicted, found.probabilities >= 0.5)
    for thresholds in ([0.5], [0.5, 0.0, 0.5], [0.5, 2, 0.5], "x"):
        broken = replace(older, task={"kind": "multi-label", "thresholds": thresholds})
        place = save_model(tmp_path / "broken.safetensors", labelled.model, broken)
        with pytest.raises(StriateError, match="the model file is damaged"):
            striate.load(place)


def test_without_validation_images_thresholds_stay_and_it_is_said(tables, tmp_path, capsys):
    fast = FAST | {"epochs": 1, "quiet": False, "report": False}
    found = striate.train(tables / "labels.csv", **fast, run=tmp_path / "run", val_fraction=0)
    assert found.task.thresholds == ()
    told = capsys.readouterr().err
    assert told.count("thresholds stay at 50%: there were no validation images to fit them to") == 1


def test_a_table_of_predictions_has_the_probability_of_every_label(labelled, tables, tmp_path):
    with prediction_table(tmp_path / "said.csv", labelled.task) as table:
        found = labelled.predict([tables / "3.png", tables / "none.png"])
        for prediction in found:
            table.write(prediction)
    first, second = csv.DictReader((tmp_path / "said.csv").open())
    assert list(first) == ["file", "labels", "east", "north", "south", "error"]
    for name, chance in found[0].probabilities:
        assert float(first[name]) == pytest.approx(chance, abs=1e-6)
    assert first["labels"] == "|".join(found[0].named)
    assert [second[name] for name in ("labels", "east", "south")] == ["", "", ""]
    assert second["error"]


def test_the_report_shows_the_mistakes_of_each_label_and_which_come_together(labelled):
    evaluation = labelled.evaluation
    page = (labelled.path / "report.html").read_text(encoding="utf-8")
    assert "Which labels come together" in page
    assert page.count("precision against recall") == 3
    wrong = sum(min(4, len(evaluation.worst_of(place, 99))) for place in range(3))
    assert len(re.findall('<span class="was">has it(?: not)?</span>', page)) == wrong
    told = reporting._label_mistakes(
        open_dataset(labelled.description.data["source"]), evaluation, labelled.description.preprocessing
    )
    for name, mistakes in told:
        place = labelled.classes.index(name)
        for mistake, row in zip(mistakes, evaluation.worst_of(place, 4), strict=True):
            assert mistake.name == evaluation.names[row]
            assert mistake.probability == pytest.approx(evaluation.probabilities[row, place])
            said, has = evaluation.predicted[row, place], evaluation.labels[row, place]
            assert (mistake.predicted, mistake.true) == (
                "said" if said else "not said",
                "has it" if has else "has it not",
            )
