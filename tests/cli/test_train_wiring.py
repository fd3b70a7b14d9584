"""Every word of `striate train` is passed on, each under its own name; what runs is recorded, not trained."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from striate.cli.pairs import value_of
from striate.cli.train import WITH_RESUME
from striate.training.metrics import Evaluation

#: What is said, and what `striate.train` is given; every value differs from every other and from its default.
TRAIN = {
    "--model resnet18": {"model": "resnet18"},
    "--weights w.safetensors": {"weights": "w.safetensors"},
    "--grow-from there": {"grow_from": "there"},
    "--grow-rule paper": {"grow_rule": "paper"},
    "--recipe photos": {"recipe": "photos"},
    "--epochs 3": {"epochs": 3},
    "--batch-size 5": {"batch_size": 5},
    "--learning-rate 0.7": {"learning_rate": 0.7},
    "--lr 0.8": {"learning_rate": 0.8},
    "--set augment.flip=0.25 --set epochs=x=y": {"settings": {"augment.flip": "0.25", "epochs": "x=y"}},
    "--option a=1 --option b=0.5 --option c=TRUE --option d=False --option e=B": {
        "options": {"a": 1, "b": 0.5, "c": True, "d": False, "e": "B"}
    },
    "--size 48": {"size": 48},
    "--resize letterbox": {"resize": "letterbox"},
    "--policy mild": {"policy": "mild"},
    "--freeze stem": {"freeze": "stem"},
    "--transfer head": {"transfer": "head"},
    "--views 3": {"views": 3},
    "--shallow svm": {"shallow": "svm"},
    "--balance sampler": {"balance": "sampler"},
    "--task regression": {"task": "regression"},
    "--target age,height": {"target": "age,height"},
    "--val-fraction 0.3": {"val_fraction": 0.3},
    "--seed 11": {"seed": 11},
    "--run there": {"run": Path("there")},
    "--device cpu": {"device": "cpu"},
    "--devices 2": {"devices": 2},
    "--precision bf16": {"precision": "bf16"},
    "--workers 4": {"workers": 4},
    "--cache disk": {"cache": "disk"},
    "--time-limit 2m": {"time_limit": 120.0},
    "--quiet": {"quiet": True},
    "--drop-checkpoint": {"drop_checkpoint": True},
}
PLAIN = {
    **dict.fromkeys(
        (
            "model",
            "weights",
            "grow_from",
            "transfer",
            "views",
            "shallow",
            "policy",
            "resize",
            "recipe",
            "epochs",
            "batch_size",
            "learning_rate",
            "balance",
        )
    ),
    **dict.fromkeys(("size", "freeze", "run")),
    "grow_rule": "identity",
    "settings": {},
    "options": {},
    "task": None,
    "target": None,
    "val_fraction": 0.1,
    "seed": 0,
    "device": "auto",
    "devices": 1,
    "precision": "auto",
    "workers": None,
    "cache": "auto",
    "time_limit": 0.0,
    "quiet": False,
    "drop_checkpoint": False,
}
RESUME = {
    "--extend 6": {"extend": 6},
    "--data new": {"data": "new"},
    "--trust net.py": {"trust": "net.py"},
    "--workers 4": {"workers": 4},
    "--cache off": {"cache": "off"},
    "--time-limit 90s": {"time_limit": 90.0},
    "--quiet": {"quiet": True},
    "--drop-checkpoint": {"drop_checkpoint": True},
}
PLAIN_RESUME = {
    **dict.fromkeys(("data", "workers", "cache", "trust")),
    "extend": 0,
    "time_limit": 0.0,
    "quiet": False,
    "drop_checkpoint": False,
}


@pytest.fixture
def said(monkeypatch, cli):
    """Runs a command line whose training is only recorded: said(words) -> outcome, function, source, arguments."""
    calls = []
    evaluation = Evaluation(("a", "b"), np.array([0, 1]), np.eye(2))
    result = SimpleNamespace(path=Path("the run"), evaluation=replace(evaluation, loss=0.5, split="val"))

    def record(name):
        return lambda source, **arguments: (calls.append((name, source, arguments)), result)[1]

    for name in ("train", "resume"):
        monkeypatch.setattr(f"striate.classifier.{name}", record(name))

    def run(*words):
        calls.clear()
        outcome = cli("train", *words)
        assert outcome.code == 0, outcome.err
        return (outcome, *calls[0])

    return run


@pytest.mark.parametrize("words", ["", *TRAIN])
def test_each_flag_of_a_new_run_is_passed_on_alone(words, said):
    _, name, source, arguments = said("my photos", *words.split())
    command = arguments.pop("command")
    assert (name, source) == ("train", "my photos")
    assert arguments == PLAIN | TRAIN.get(words, {})
    assert command == " ".join(["striate train 'my photos'", *words.split()])  # as a shell takes it


@pytest.mark.parametrize("words", ["", *RESUME])
def test_each_flag_of_a_run_that_goes_on_is_passed_on_alone(words, said):
    assert said("--resume", "the run", *words.split())[1:] == (
        "resume",
        Path("the run"),
        PLAIN_RESUME | RESUME.get(words, {}),
    )


def test_every_flag_is_here(said):
    from striate.cli.app import app

    (train,) = (command for command in app.registered_commands if command.name == "train")
    flags = {word.split()[0].strip("-").replace("-", "_") for word in (*TRAIN, *RESUME)} | {"source", "resume", "json"}
    assert flags - {"lr"} == {name.strip("_") for name in train.callback.__annotations__} - {"context", "return"}
    going_on = {word.split()[0].strip("-").replace("-", "_") for word in RESUME}
    assert going_on | {"resume", "json"} == WITH_RESUME


def test_what_is_said_at_the_end(said, monkeypatch):
    outcome = said("photos")[0]
    assert outcome.out.splitlines()[-2:] == ["model   the run/model.safetensors", "report  the run/report.html"]
    found = json.loads(said("photos", "--json")[0].out)
    assert (found["run"], found["split"], found["report"]) == ("the run", "val", "the run/report.html")
    monkeypatch.setenv("LOCAL_RANK", "1")  # the first of several processes speaks
    assert said("photos")[0].out == ""


@pytest.mark.parametrize("words", ["--set epochs", "--set =3", "--option a", "--option =b"])
def test_pairs_have_a_name_and_a_value(words, cli):
    outcome = cli("train", "photos", *words.split())
    assert outcome.code == 2
    assert f"{words}: write it as name=value" in outcome.line()


@pytest.mark.parametrize("flag", ["--set", "--option"])
def test_a_name_given_twice(flag, cli):
    outcome = cli("train", "photos", flag, "width=1", flag, "width =2")
    assert outcome.code == 2
    assert f"{flag} width =2: width is given twice" in outcome.line()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-2", -2),
        ("0.5", 0.5),
        ("1e-3", 0.001),
        ("true", True),
        ("FALSE", False),
        ("B", "B"),
        ("256,128", [256, 128]),
        ("a, 0.5", ["a", 0.5]),
    ],
)
def test_words_of_the_command_line_are_what_they_look_like(text, value):
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        ("photos", "SOURCE"),
        ("--set epochs=3", "--set"),
        ("--batch-size 3", "--batch-size"),
        ("--val-fraction 0.2", "--val-fraction"),
        ("--set epochs=3 --seed 0", "--set, --seed"),
    ],
)
def test_what_was_decided_when_a_run_began_is_named_as_it_was_said(words, flags, cli):
    outcome = cli("train", "--resume", "run", *words.split())
    assert outcome.code == 2
    assert outcome.line() == (
        f"striate: a run goes on as it began, so {flags} cannot be given with --resume; --extend N adds epochs."
    )


@pytest.mark.parametrize("epochs", [1, 2])
def test_only_a_run_is_extended(epochs, cli):
    outcome = cli("train", "photos", "--extend", epochs)
    assert outcome.code == 2
    assert outcome.line() == "striate: --extend adds epochs to a run: give --resume RUN with it."


def test_blanks_about_names_and_values_are_no_part_of_them(said):
    assert said("photos", "--set", " epochs = 3 ", "--option", " width = 2 ")[3]["settings"] == {"epochs": "3"}
    assert said("photos", "--option", " width = 2 ")[3]["options"] == {"width": 2}


def test_a_transform_that_makes_classes_alike_is_told_of_once_and_stands_in_the_report(cli):
    asked = ("--model", "lenet5", "--epochs", 1, "--run", "run")
    outcome = cli("train", "digits", "--policy", "flips", *asked)
    assert outcome.code == 0
    words = "augment.flip=0.5 seems to change what these images show"
    assert outcome.err.count(words) == 1
    assert words in Path("run/report.html").read_text(encoding="utf-8")
    assert words not in cli("train", "--resume", "run", "--extend", 1).err
