"""Impossible values are refused before an image is looked for, and before a folder is made."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import striate
from striate.classifier import resume
from striate.classifier.request import DECIDED, seconds, share, whole
from striate.data import open_dataset
from striate.errors import StriateError, UsageError
from striate.training.recipes import Recipe

BAD = [
    ("seed", -1),
    ("seed", 1.5),
    ("seed", "7"),
    ("seed", True),
    ("seed", 2**32),
    ("seed", None),
    ("time_limit", "soon"),
    ("time_limit", "-5"),
    ("time_limit", -5),
    ("time_limit", math.nan),
    ("time_limit", "15 minutes"),
    ("time_limit", None),
    ("checkpoint_every", -1),
    ("checkpoint_every", math.nan),
    ("checkpoint_every", "often"),
    ("val_fraction", -0.1),
    ("val_fraction", 1),
    ("val_fraction", math.nan),
    ("val_fraction", "0.1"),
    ("val_fraction", None),
    ("workers", -3),
    ("workers", 2.5),
    ("workers", 10**6),
    ("size", 0),
    ("size", -32),
    ("size", 10**6),
    ("size", 32.0),
    ("devices", 0),
    ("devices", -1),
    ("devices", "2"),
    ("epochs", 0),
    ("epochs", 2.5),
    ("epochs", math.nan),
    ("batch_size", 0),
    ("learning_rate", -0.1),
    ("learning_rate", math.nan),
    ("learning_rate", math.inf),
    ("device", "quantum"),
    ("precision", "8"),
    ("recipe", "tinny"),
    ("recipe", {"epochs": 3}),
    ("model", "lenet6"),
    ("freeze", "stage9"),
    ("weights", "imagenett"),
    ("weights", "nowhere.safetensors"),
    ("options", {"colour": "red"}),
    ("settings", {"augment.rotat": 3}),
    ("settings", {"augment.flip": 7}),
    ("settings", {"network": "lenet6"}),
    ("settings", {"epochs": True}),
    ("settings", {3: 4}),
    ("settings", "epochs=3"),
    ("settings", ["epochs=3"]),
    ("options", ["shortcut=B"]),
    *(("options", {name: 3}) for name in DECIDED),
    ("epochs", True),
    ("time_limit", True),
    ("model", ""),
    ("model", 5),
    ("freeze", ""),
    ("freeze", 5),
    ("weights", ""),
    ("weights", 5),
    ("run", ""),
    ("run", 5),
    ("run", "a\0b"),
    ("precision", 8),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=lambda item: str(item)[:30])
def test_an_impossible_value_is_refused_before_images_and_folder(name, value, tmp_path):
    values = {"model": "resnet18", "run": tmp_path / "run", name: value}
    if name == "settings":
        values["model"] = None
    with pytest.raises(StriateError) as error:
        striate.train(tmp_path / "no_images_here", **values)
    assert "no_images_here" not in str(error.value)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("source", ["", None, 5, "a\0b", b"photos"])
def test_what_is_no_place_of_images_is_refused(source, tmp_path):
    with pytest.raises(UsageError, match=r"source is .*; give a path"):
        striate.train(source, run=tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_a_field_that_is_given_twice_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"epochs is given twice, as 2 and as 3 \(among settings\)"):
        striate.train(tmp_path / "no_images_here", epochs=2, settings={"epochs": 3})


def test_a_run_folder_among_the_images_is_refused(paint, tmp_path, monkeypatch):
    photos = paint(tmp_path / "photos", count=3)
    monkeypatch.chdir(photos)
    for source in (".", photos, open_dataset(".")):
        for place in ({}, {"run": "red/run"}, {"run": photos / "new"}):
            with pytest.raises(UsageError, match=r"would lie among the images of .*--run FOLDER"):
                striate.train(source, **place)
    assert sorted(path.name for path in photos.iterdir()) == ["blue", "green", "red"]
    (tmp_path / "link").symlink_to(photos)
    with pytest.raises(UsageError, match="would lie among the images of"):
        striate.train(photos, run=tmp_path / "link" / "run")
    with pytest.raises(UsageError, match="would lie among the images of"):
        striate.train(tmp_path / "link", run=photos / "run")
    fast = {"model": "lenet5", "epochs": 1, "workers": 0, "report": False, "quiet": True}
    assert striate.train(".", run="../photos-run", **fast).path == Path("../photos-run")


def test_a_home_is_a_home_in_every_path(colours, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    fast = {"model": "lenet5", "epochs": 1, "workers": 0, "report": False, "quiet": True}
    (tmp_path / "photos").symlink_to(colours)
    assert striate.train("~/photos", run="~/deep/run", **fast).path == tmp_path / "deep" / "run"
    assert striate.load("~/deep/run").save("~/copy.safetensors") == tmp_path / "copy.safetensors"
    assert resume("~/deep/run", quiet=True, report=False).evaluate("~/photos").split == "val"
    with pytest.raises(UsageError, match="~no-such-user/run does not exist"):
        resume("~no-such-user/run")


def test_a_recipes_network_can_be_set_and_its_weights_say_the_channels(colours, tmp_path):
    fast = {"epochs": 1, "workers": 0, "report": False, "quiet": True}
    first = striate.train(colours, run=tmp_path / "first", settings={"network": "keras_mnist"}, **fast)
    assert first.description.network["name"] == first.description.recipe["network"] == "keras_mnist"
    grey = striate.train(open_dataset(colours, channels=1), model="striate_s", run=tmp_path / "grey", **fast)
    weights = grey.path / "model.safetensors"
    again = striate.train(colours, recipe="mnist_fast", weights=weights, run=tmp_path / "again", **fast)
    assert (again.description.network["name"], again.model.in_channels) == ("striate_s", 1)


def test_a_possible_request_gets_as_far_as_the_images(tmp_path):
    possible = {"seed": 0, "time_limit": "15m", "val_fraction": 0, "workers": 0, "size": 64, "freeze": "stage2"}
    possible |= {"recipe": Recipe(), "settings": {"augment.flip": 0.5}, "options": {"stem": "small"}, "devices": 1}
    with pytest.raises(StriateError, match="no_images_here"):
        striate.train(tmp_path / "no_images_here", model="resnet18", run=tmp_path / "run", **possible)


@pytest.mark.parametrize(
    ("name", "value"),
    [("extend", -1), ("extend", 1.5), ("workers", -3), ("time_limit", "soon"), ("checkpoint_every", math.nan)],
)
def test_going_on_refuses_the_same(run, name, value):
    before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    with pytest.raises(UsageError, match=name):
        resume(run, **{name: value})
    assert {path: path.read_bytes() for path in run.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("given", "expected"),
    [("90s", 90), ("15m", 900), ("2h", 7200), ("1.5h", 5400), ("90", 90), (" 15 m ", 900), (0, 0), (0.5, 0.5), (7, 7)],
)
def test_a_time_is_seconds_or_text_with_a_unit(given, expected):
    assert seconds("time_limit", given) == expected


def test_numbers_of_numpy_are_taken_and_become_pythons():
    assert type(whole("seed", np.int64(3), 0, 9)) is int
    assert [whole("seed", edge, 0, 9) for edge in (0, 9)] == [0, 9]
    assert share("val_fraction", np.float64(0.25)) == 0.25
    assert share("val_fraction", 0) == 0
    assert share("val_fraction", np.float32(0.25)) == seconds("time_limit", np.float32(0.25)) == 0.25
    assert type(share("val_fraction", np.float32(0.25))) is type(seconds("time_limit", np.int64(3))) is float
    with pytest.raises(UsageError, match="val_fraction"):
        share("val_fraction", 1)
    with pytest.raises(UsageError, match="seed is 10; whole numbers from 0 to 9"):
        whole("seed", 10, 0, 9)


def test_frozen_random_weights_and_a_rate_of_zero_are_told(colours, tmp_path, capsys):
    fast = {"model": "lenet5", "epochs": 1, "workers": 0, "report": False}
    notes = {}
    for name, values in {
        "all": {"freeze": "all"},
        "stem": {"freeze": "stem"},
        "stage": {"model": "striate_s", "freeze": "stage1"},
        "rate": {"learning_rate": 0},
        "climb": {"settings": {"warmup_epochs": 5}},
        "none": {},
    }.items():
        run = Path(tmp_path / name)
        striate.train(colours, run=run, **(fast | values))
        written = _notes(run)
        notes[name], said = written, capsys.readouterr().err
        for note in written:
            assert f"note: {note}" in said
    assert any("frozen until 'all' at random first weights" in note for note in notes["all"])
    assert any("frozen until 'stem' at random first weights" in note for note in notes["stem"])
    assert any("frozen until 'stage1' at random first weights" in note for note in notes["stage"])
    assert any("learning rate is 0" in note for note in notes["rate"])
    assert any("warm-up takes 90% of training, not 5 epochs" in note for note in notes["climb"])
    assert not any("frozen" in note or "rate is 0" in note or "warm-up" in note for note in notes["none"])
    start = tmp_path / "none" / "model.safetensors"
    striate.train(colours, run=tmp_path / "tuned", weights=start, freeze="all", **fast)
    assert not any("frozen" in note for note in _notes(tmp_path / "tuned"))


def _notes(run: Path) -> list[str]:
    return json.loads((run / "config.json").read_text(encoding="utf-8"))["notes"]
