"""What the report says of several labels and of values."""

import re

import numpy as np
import pytest

from striate.report import ReportContent, answers
from striate.report.build import render
from striate.report.results import result
from striate.training.label_metrics import MultiLabelEvaluation
from striate.training.value_metrics import RegressionEvaluation


def labelled(names: int = 3, images: int = 50) -> MultiLabelEvaluation:
    rng = np.random.default_rng(0)
    labels = rng.random((images, names)) < np.linspace(0.2, 0.5, names)
    chances = np.clip(labels * np.linspace(0.2, 0.8, names) + rng.random(labels.shape) / 2, 0, 1)
    return MultiLabelEvaluation(tuple(f"label {k}" for k in range(names)), labels, chances, loss=0.25, split="val")


def valued(images: int = 50) -> RegressionEvaluation:
    rng = np.random.default_rng(0)
    true = rng.normal([4, 300], [1, 20], (images, 2))
    return RegressionEvaluation(("age", "<b>height"), true, true + rng.normal(0, [0.5, 9], true.shape), loss=0.25)


def test_the_head_of_the_page_says_the_score_and_what_guessing_gives():
    found = result(labelled(), "val")
    figure = f"{labelled().mean_average_precision:.1%}"[:-1]
    assert (found["figure"], found["unit"], found["what"]) == (figure, "%", "mean average precision")
    guessed = f"{labelled().labels.mean(0).mean():.1%}".replace("%", "\u00a0%")
    assert f"Guessing: a mean average precision of {guessed}." in found["sentence"]
    assert found["sentence"].endswith("Loss 0.25.")
    assert "also chose the best epoch" in found["caution"]
    low, value, high = found["interval"][0], found["interval"][2], found["interval"][1]
    assert 0 < low < value <= high <= 100
    found = result(valued(), "test")
    assert (found["figure"], found["unit"], found["what"]) == (f"{valued().r2:.3f}", "", "R²")
    score = valued().per_class()[0]
    assert f"'age' is off by {score.mae:.4g} in the mean; always saying the mean" in found["sentence"]
    assert f"off by {score.baseline:.4g}." in found["sentence"]


def test_a_score_that_is_not_defined_is_a_dash():
    none = MultiLabelEvaluation(("a",), np.zeros((2, 1)), np.full((2, 1), 0.2))
    assert (result(none, "test")["figure"], result(none, "test")["interval"]) == ("–", None)
    one = RegressionEvaluation(("a",), [[1.0]], [[2.0]])
    assert (result(one, "test")["figure"], result(one, "test")["interval"]) == ("–", None)
    worse = RegressionEvaluation(("a",), [[1.0], [2.0], [3.0]], [[9.0], [-4.0], [1.0]])
    assert result(worse, "test")["interval"][2] == 0  # drawn at the left end, told as it is
    assert result(worse, "test")["figure"].startswith("-")


def test_few_labels_keep_their_order_and_of_many_the_weakest_come_first():
    assert [score.name for score in answers.labels(labelled())["scores"]] == ["label 0", "label 1", "label 2"]
    many = answers.labels(labelled(40, 400))
    found = [score.average_precision for score in many["scores"]]
    assert found == sorted(found)
    assert (many["many"], len(many["scores"]), many["left_out"]) == (True, 40, 0)
    assert many["means"][0] == pytest.approx(labelled(40, 400).mean_average_precision)


def test_values_are_told_in_their_own_units():
    found = answers.values(valued())
    score = valued().per_class()[1]
    assert found["rows"][1][:2] == ["<b>height", f"{score.mae:.4g}"]
    assert len(found["rows"][1]) == len(found["head"])
    assert [name for name, _ in found["charts"]] == ["age", "<b>height"]
    assert found["charts"][0][1].count("<use") + found["charts"][0][1].count("<path") >= 50  # a dot for each image


@pytest.mark.parametrize("evaluation", [labelled(), valued()], ids=["labels", "values"])
def test_the_page_holds_together(evaluation):
    page = render(
        ReportContent("x", evaluation=evaluation, sizes={"train": 9, "val": 2}, outputs="3 labels", source="s")
    )
    assert "3 labels; 9 training, 2 validation images" in page
    assert "<b>height" not in page  # names are escaped
    for href in re.findall(r"<nav.*?</nav>", page, re.S)[0].split('href="#')[1:]:
        assert f'<section id="{href.partition(chr(34))[0]}">' in page
    assert page.count("<section") == page.count("</section>")
