"""striate experiment: it lists, explains and runs; every flag arrives; what it prints is what it wrote."""

import json
from pathlib import Path

import pytest

from striate.errors import UsageError
from striate.experiments import running
from striate.experiments.outcomes import DONE, Outcome, Results

OUTCOME = Outcome("scratch", "from nothing", 0.72, DONE, epochs=3, of_epochs=3, accuracy=0.75, low=0.5, high=1.0)
OTHER = Outcome("frozen", "on a base", 0.9, "missing", "no weights: put them there")


@pytest.fixture
def asked(monkeypatch):
    """What `striate.experiment` is called with, in place of training."""
    calls = []

    def experiment(name, source, **options):
        calls.append((name, source, options))
        images = {"source": source, "fingerprint": "f", "train": 20, "val": 10, "measured": "val"}
        return Results(name, "What?", "Nobody", "nothing", Path("runs/x"), images, (OUTCOME, OTHER))

    monkeypatch.setattr(running, "experiment", experiment)
    return calls


def test_without_a_name_it_lists_and_without_images_it_explains(cli):
    listed = cli("experiment")
    assert listed.code == 0
    assert listed.out.splitlines()[1].split()[:2] == ["cats_and_dogs", "6"]
    told = cli("experiment", "cats_and_dogs").out
    assert "Chollet (2017)" in told
    rows = [line.split()[:4] for line in told.splitlines()]
    assert ["scratch", "15", "30", "72%"] in rows
    assert ["fine_tuned", "5", "100", "97%"] in rows
    found = json.loads(cli("experiment", "cats_and_dogs", "--json").out)
    assert found.keys() == {"name", "question", "source", "conditions", "steps"}
    assert found["steps"][2].keys() == {"name", "does", "claim", "epochs", "full"}
    assert json.loads(cli("experiment", "--json").out) == {"experiments": [found]}


def test_every_flag_arrives(cli, asked):
    flags = ("--run", "r", "--epochs", 3, "--model", "m", "--weights", "w", "--size", 64, "--seed", 5)
    more = ("--time-limit", "2m", "--workers", 0, "--device", "cpu", "--quiet", "--full")
    assert cli("experiment", "cats_and_dogs", "photos", *flags, *more).code == 0
    ((name, source, options),) = asked
    assert (name, source) == ("cats_and_dogs", "photos")
    assert options == {
        "run": Path("r"),
        "epochs": 3,
        "full": True,
        "model": "m",
        "weights": "w",
        "size": 64,
        "seed": 5,
        "time_limit": 120,
        "workers": 0,
        "device": "cpu",
        "quiet": True,
    }


def test_the_steps_stand_side_by_side_and_what_is_missing_says_why(cli, asked):
    lines = cli("experiment", "cats_and_dogs", "photos").out.splitlines()
    assert [line.split()[:2] for line in lines[3:5]] == [["scratch", "75.0%"], ["frozen", "missing"]]
    assert any(line.split() == ["missing", "frozen:", "no", "weights:", "put", "them", "there"] for line in lines)
    assert lines[-1].startswith("written to runs/x")
    found = json.loads(cli("experiment", "cats_and_dogs", "photos", "--json").out)
    assert found["steps"][0]["accuracy"] == 0.75
    assert found["steps"][1]["why"] == "no weights: put them there"


def test_a_run_without_images_and_an_unknown_experiment_are_wrong_usage(cli):
    assert cli("experiment", "cats_and_dogs", "--run", "r").code == UsageError.exit_code
    assert "Did you mean 'cats_and_dogs'?" in cli("experiment", "cats_and_dog", "photos").line()


@pytest.mark.slow
def test_a_real_route_runs_and_goes_on(cli, paint, tmp_path, trained):
    """The whole sequence on small noise, with a small network as the base."""
    photos = paint(tmp_path / "photos", names=("blue", "red"), count=18)
    base = tmp_path / "base"
    small = ("--epochs", 1, "--workers", 0, "--quiet")
    assert cli("train", photos, "--model", "resnet20_cifar", "--run", base, *small).code == 0
    command = ("experiment", "cats_and_dogs", photos, "--weights", base, "--size", 46, *small, "--json")
    first = json.loads(cli(*command).out)
    assert [step["state"] for step in first["steps"]] == ["done"] * 6
    assert first["path"] == str(Path("runs/cats_and_dogs"))
    assert json.loads(cli(*command).out) == first
    started = json.loads(Path("runs/cats_and_dogs/fine_tuned/config.json").read_text(encoding="utf-8"))
    assert started["freeze"] == "stage2"
    assert Path(started["weights"]).parent.name == "frozen_augmented"
