"""striate evaluate: what was measured stands in the line of the figure."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from striate.cli.evaluations import evaluation_lines
from striate.training.metrics import Evaluation


@pytest.mark.parametrize(
    ("places", "split", "words"),
    [
        (["train"], "train", "on 6 training images, which says little about new ones"),
        (["train", "val"], "val", "on 6 val images"),
        (["training_set", "val", "test_set"], "test", "on 6 test images"),
        ([], "all", "on 6 images"),
    ],
)
def test_the_line_of_the_figure_says_which_images_were_measured(cli, run, paint, tmp_path, places, split, words):
    for seed, place in enumerate(places or [""]):
        paint(tmp_path / "photos" / place, count=2, seed=seed)
    outcome = cli("evaluate", run, tmp_path / "photos")
    assert outcome.code == 0, outcome.err
    first = outcome.out.splitlines()[0]
    assert first.startswith("top-1 ")
    assert first.endswith(words)
    figures = json.loads(cli("evaluate", run, tmp_path / "photos", "--json").out)
    assert (figures["split"], sum(map(sum, figures["confusion"]))) == (split, 6)


@pytest.mark.parametrize(("place", "split"), [("train", "train"), ("test_set", "test"), ("Validation", "val")])
def test_the_name_of_the_folder_says_which_images_it_holds(cli, run, paint, tmp_path, place, split):
    figures = json.loads(cli("evaluate", run, paint(tmp_path / "photos" / place, count=2), "--json").out)
    assert figures["split"] == split


def test_training_images_are_measured_when_asked_for(cli, run, colours):
    figures = json.loads(cli("evaluate", run, colours, "--json").out)
    assert (figures["split"], sum(map(sum, figures["confusion"]))) == ("val", 3)
    asked = cli("evaluate", run, colours, "--split", "train")
    assert asked.out.splitlines()[0].endswith("on 27 training images, which says little about new ones")


def test_what_was_left_out_is_named_on_standard_error(cli, run, paint, tmp_path):
    photos = paint(tmp_path / "photos", count=2, seed=1)
    bad, phone = photos / "red" / "bad.png", photos / "red" / "phone.JXL"
    bad.write_bytes(b"")
    phone.write_bytes(b"?")
    left_out = [
        f"1 file left out (1 .jxl; the first: {phone}): not read; convert them to JPEG or PNG",
        f"1 left out, since they cannot be used (the first: {bad}: empty file)",
    ]
    outcome = cli("evaluate", run, photos)
    assert outcome.err.splitlines() == [f"note: {line}" for line in left_out]
    assert json.loads(cli("evaluate", run, photos, "--json").out)["notes"] == left_out
    assert cli("evaluate", run).err == ""


def test_a_split_that_is_not_there_is_named(cli, run, paint, tmp_path):
    paint(tmp_path / "photos" / "val", count=2)
    paint(tmp_path / "photos" / "test", count=2)
    outcome = cli("evaluate", run, tmp_path / "photos", "--split", "train")
    assert outcome.code == 1
    assert "has no train images; it has val, test" in outcome.line()


def test_training_on_all_images_says_so_in_the_line_of_the_figure(cli, paint, tmp_path):
    photos = paint(tmp_path / "photos", count=2)
    outcome = cli(
        *("train", photos, "--model", "lenet5", "--epochs", 1, "--val-fraction", 0, "--run", "all", "--workers", 0)
    )
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[0].endswith("on 6 training images, which says little about new ones")
    assert cli("evaluate", "all", photos).out.splitlines()[0] == outcome.out.splitlines()[0]


def test_scores_and_notes_stand_under_their_names(cli, monkeypatch):
    labels, predicted = np.array([0, 0, 0, 0, 1]), np.array([0, 0, 0, 1, 1])
    found = Evaluation(("red", "deep blue"), labels, np.eye(2)[predicted])
    asked = []

    def measure(source, split, views, engine, shown):
        asked.append((source, split, views))
        return replace(found, split="test", notes=("left out",))

    monkeypatch.setattr("striate.classifier.load", lambda run, trust, device: SimpleNamespace(evaluate=measure))
    outcome = cli("evaluate", "run", "photos", "--split", "val")
    assert asked == [("photos", "val", "centre")]
    assert outcome.err == "note: left out\n"
    assert outcome.out.splitlines()[-3:] == [
        "class      precision   recall      F1  images",
        "red          100.00%   75.00%  85.71%       4",
        "deep blue     50.00%  100.00%  66.67%       1",
    ]
    figures = json.loads(cli("evaluate", "runs/it", "--json").out)
    assert asked[1:] == [(None, None, "centre")]
    assert (figures["run"], figures["split"], figures["notes"]) == ("runs/it", "test", ["left out"])


def test_a_class_without_images_has_no_figures(cli, monkeypatch):
    found = replace(Evaluation(("a", "b", "c"), np.array([0, 1]), np.eye(3)[[0, 2]]), split="test")
    monkeypatch.setattr(
        "striate.classifier.load", lambda run, trust, device: SimpleNamespace(evaluate=lambda *_, **__: found)
    )
    assert cli("evaluate", "run").out.splitlines()[-3:] == [
        "a        100.00%  100.00%  100.00%       1",
        "b          0.00%    0.00%    0.00%       1",
        "c              –        –        –       0",
    ]
    assert ["c", "–", "–", "–", "0"] in [list(row) for row in found._facts().rows]


def test_short_names_stand_under_theirs_too(cli, monkeypatch):
    found = replace(Evaluation(("a", "b"), np.array([0, 1]), np.eye(2)), split="test")
    monkeypatch.setattr(
        "striate.classifier.load", lambda run, trust, device: SimpleNamespace(evaluate=lambda *_, **__: found)
    )
    assert cli("evaluate", "run").out.splitlines()[-3:] == [
        "class  precision   recall       F1  images",
        "a        100.00%  100.00%  100.00%       1",
        "b        100.00%  100.00%  100.00%       1",
    ]


@pytest.mark.parametrize(
    ("split", "words"), [("val", "5 val images"), ("test", "5 test images"), ("all", "5 images"),
                         ("train", "5 training images, which says little about new ones")],
)  # fmt: skip
@pytest.mark.parametrize("classes", [5, 6])
def test_the_lines_of_an_evaluation(split, words, classes):
    labels = np.arange(5)
    found = replace(Evaluation(tuple("abcdef"[:classes]), labels, np.eye(classes)[[0, 1, 2, 3, 0]]), loss=0.25)
    low, high = found.top1_interval
    top, *rest = evaluation_lines(found, split).splitlines()
    assert top == f"top-1 80.00% ({low:.2%} to {high:.2%}, 95 % interval) on {words}"
    assert rest == [*(["top-5 100.00%"] if classes > 5 else []), "loss 0.2500, calibration error 0.2000"]


def test_none_right_among_the_first_five_is_a_line_too():
    found = Evaluation(tuple("abcdef"), np.array([5]), np.array([[0.3, 0.2, 0.2, 0.15, 0.1, 0.05]]))
    assert "top-5 0.00%" in evaluation_lines(found, "val").splitlines()


def test_several_views_say_what_they_gained(cli, run, colours):
    outcome = cli("evaluate", run, colours, "--views", 10)
    assert outcome.code == 0, outcome.err
    (line,) = (line for line in outcome.out.splitlines() if "views" in line)
    assert line.startswith("10 views instead of one: ")
    figures = json.loads(cli("evaluate", run, colours, "--views", "flip", "--json").out)
    assert figures["views"].keys() == {
        "views",
        "once",
        "gain",
        "low",
        "high",
        "seconds_once",
        "seconds",
        "different",
        "figure",
        "share",
    }
    assert figures["views"]["views"] == ["centre", "centre, mirrored"]
    assert figures["top1"] == pytest.approx(figures["views"]["once"] + figures["views"]["gain"])
    assert "unknown set of views 'tenn'" in cli("evaluate", run, colours, "--views", "tenn").line()


def test_images_are_counted_on_a_terminal_and_nowhere_else(cli, on_terminal, run, colours, monkeypatch):
    monkeypatch.setattr("striate.training.counting.SHOW_EVERY", -1)
    shown = on_terminal("evaluate", run, colours)
    assert "\x1b[Kevaluating 3/3 images" in shown.err
    assert shown.err.endswith("\r\x1b[K")
    assert "evaluating" not in shown.out
    assert on_terminal("evaluate", run, colours, "--quiet").err == ""
    assert on_terminal("evaluate", run, colours, "--json").err == ""
    monkeypatch.undo()
    assert cli("evaluate", run, colours).err == ""
