"""striate predict: what a folder holds besides images is named on standard error, and in the JSON."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from striate.classifier.prediction import Prediction, Predictions


def test_files_that_are_left_out_are_named(cli, run, paint, tmp_path):
    photos = paint(tmp_path / "photos", ["red"], count=2)
    (photos / "red" / "phone.JXL").write_bytes(b"?")
    note = f"1 file left out (1 .jxl; the first: {photos / 'red' / 'phone.JXL'}): not read; convert them to JPEG or PNG"
    outcome = cli("predict", run, photos)
    assert outcome.code == 0
    assert outcome.err == f"note: {note}\n"
    assert len(outcome.out.splitlines()) == 2
    outcome = cli("predict", run, photos, "--json")
    assert outcome.err == f"note: {note}\n"
    found = json.loads(outcome.out)
    assert found.keys() == {"predictions", "notes"}
    assert found["notes"] == [note]
    assert len(found["predictions"]) == 2


def test_train_check_and_predict_take_the_same_files(cli, run, colours, tmp_path):
    photos = tmp_path / "photos"
    for name in ("red", "blue"):
        (photos / name / "folder.jpg").mkdir(parents=True)
        for file in ("A.PNG", "picture", "folder.jpg/inside.png"):
            (photos / name / file).write_bytes((colours / name / "0.png").read_bytes())
        (photos / name / "link").symlink_to(colours / name)
        (photos / name / "notes.txt").touch()
    checked = json.loads(cli("check", photos, "--json").out)
    assert sum(sum(counts.values()) for counts in checked["images"].values()) == 2 * 13
    predicted = json.loads(cli("predict", run, photos, "--json").out)
    assert len(predicted["predictions"]) == 2 * 13
    assert set(predicted["notes"]) <= set(checked["notes"])
    assert predicted["notes"][0].startswith("2 files left out (2 .txt; the first: ")
    trained = cli("train", photos, "--model", "lenet5", "--epochs", 1, "--run", "new", "--workers", 0)
    assert trained.code == 0, trained.err
    assert f"note: {predicted['notes'][0]}" in trained.err
    images = json.loads((tmp_path / "here" / "new" / "config.json").read_text(encoding="utf-8"))
    assert images["classes"] == ["blue", "red"]
    assert "23 train, 3 val images" in trained.err


@pytest.fixture
def unreadable(monkeypatch):
    """Makes a path one that may not be read, whoever runs the tests: unreadable(path)."""
    real, closed = {"access": os.access, "open": open, "stat": os.stat}, set()

    def refusing(name):
        def call(path, *arguments, **options):
            if isinstance(path, (str, os.PathLike)) and any(Path(path).is_relative_to(one) for one in closed):
                if name == "access":
                    return False
                if name == "open" or Path(path) not in closed:
                    raise PermissionError(13, "Permission denied", str(path))
            return real[name](path, *arguments, **options)

        return call

    monkeypatch.setattr(os, "access", refusing("access"))
    monkeypatch.setattr(os, "stat", refusing("stat"))
    monkeypatch.setattr("builtins.open", refusing("open"))
    monkeypatch.setattr("io.open", refusing("open"))
    return closed.add


def test_an_image_that_may_not_be_read_does_not_stop_the_rest(cli, run, colours, tmp_path, unreadable):
    good = (colours / "red" / "0.png").read_bytes()
    (tmp_path / "shut").mkdir()
    for name in ("secret.png", "fine.png", "shut/inside.png"):
        (tmp_path / name).write_bytes(good)
    unreadable(tmp_path / "secret.png")
    unreadable(tmp_path / "shut")
    outcome = cli("predict", run, *(tmp_path / name for name in ("secret.png", "shut/inside.png", "fine.png")))
    assert outcome.code == 0
    first, second = outcome.err.splitlines()
    assert f"{tmp_path / 'secret.png'}: permission denied" in first
    assert f"{tmp_path / 'shut' / 'inside.png'}: permission denied" in second
    assert outcome.out.startswith(f"{tmp_path / 'fine.png'}\t")


@pytest.mark.parametrize(
    "command", ["predict {} picture.png", "evaluate {}", "train --resume {}", "kernel {} --kernel mean"]
)
def test_what_may_not_be_read_is_found_out_by_reading_it(command, cli, tmp_path, unreadable):
    (tmp_path / "there").write_bytes(b"")
    unreadable(tmp_path / "there")
    assert "is not readable" not in cli(*command.format(tmp_path / "there").split()).line()


@pytest.fixture
def answers(monkeypatch):
    """What the classifier is asked; it answers with `answers.given`."""

    class Asked(list):
        given = ()

    asked = Asked()

    def predict(*said):
        asked.append(said)
        found = Predictions(asked.given)
        found.notes = ("a note", "b")
        return found

    def load(run, trust):
        asked.append(run)
        return SimpleNamespace(predict=predict)

    monkeypatch.setattr("striate.classifier.load", load)
    return asked


GOOD = Prediction("a b.png", (("cat", 0.75), ("dog", 0.125)))
BAD = Prediction("bad.png", error="bad.png: empty file")


@pytest.mark.parametrize(
    ("given", "code", "out", "err"),
    [
        ([GOOD], 0, "a b.png\tcat 75.00%\tdog 12.50%\n", ""),
        ([BAD, GOOD], 0, "a b.png\tcat 75.00%\tdog 12.50%\n", "striate: bad.png: empty file\n"),
        ([BAD, BAD], 1, "", "striate: bad.png: empty file\n" * 2),
    ],
)
def test_each_image_is_a_line_its_error_another_and_none_read_is_a_failure(given, code, out, err, cli, answers):
    answers.given = given
    notes = "note: a note\nnote: b\n"
    assert cli("predict", "run", "a b.png", "there") == (code, out, err + notes)
    assert answers == [Path("run"), ([Path("a b.png"), Path("there")], 1)]
    told = cli("predict", "run", "x", "--top", 2, "--json")
    assert (told.code, told.err) == (code, err + notes)
    assert answers[-1] == ([Path("x")], 2)
    assert json.loads(told.out) == {
        "predictions": [json.loads(json.dumps(one.to_dict())) for one in given],
        "notes": ["a note", "b"],
    }
