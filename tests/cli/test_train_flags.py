"""Every flag of `striate train` arrives: in config.json, in the run, in the model file."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

import striate
from striate.cli.app import app
from striate.cli.train import RECIPES as NAMES
from striate.training.shelf import RECIPES

#: Flags that config.json keeps: what is said, where it stands there, and what stands there.
KEPT: dict[str, tuple[list[str], str, Any]] = {
    "model": (["--model", "resnet20_cifar"], "network.name", "resnet20_cifar"),
    "option": (["--option", "shortcut=B", "--option", "hidden=6,5"], "network.arguments.shortcut", "B"),
    "size": (["--size", "24"], "preprocessing.size", [24, 24]),
    "recipe": (["--recipe", "cifar10_fast"], "recipe.name", "cifar10_fast"),
    "epochs": (["--epochs", "1"], "recipe.epochs", 1),
    "batch_size": (["--batch-size", "5"], "recipe.batch_size", 5),
    "learning_rate": (["--lr", "0.015"], "recipe.learning_rate", 0.015),
    "set_": (["--set", "augment.rotate=15"], "recipe.augment.rotate", 15),
    "policy": (["--policy", "cifar"], "recipe.augment.crop_padding", 4),
    "resize": (["--resize", "letterbox"], "preprocessing.resize", "letterbox"),
    "balance": (["--balance", "sampler"], "recipe.balance", "sampler"),
    "freeze": (["--freeze", "stem"], "freeze", "stem"),
    "task": (["--task", "single-label"], "task.kind", "single-label"),
    "val_fraction": (["--val-fraction", "0.2"], "val_fraction", 0.2),
    "seed": (["--seed", "7"], "seed", 7),
    "device": (["--device", "cpu"], "device", "cpu"),
    "precision": (["--precision", "64"], "precision", "64-true"),
    "workers": (["--workers", "1"], "workers", 1),
    "cache": (["--cache", "disk"], "cache", "disk"),
}
#: Flags that are not kept there; a test of its own holds each.
ELSEWHERE = {
    "source": "test_flags_arrive_in_the_configuration",
    "run": "test_flags_arrive_in_the_configuration",
    "json": "test_json_keys",
    "quiet": "test_commands",
    "weights": "test_weights_are_the_start",
    "transfer": "test_transfer",
    "views": "test_transfer",
    "shallow": "test_transfer",
    "grow_from": "test_a_network_grows_from_a_run",
    "grow_rule": "test_a_network_grows_from_a_run",
    "target": "test_tasks",
    "devices": "test_devices_share_a_batch",
    "resume": "test_run_state",
    "extend": "test_run_state",
    "data": "test_run_state",
    "trust": "test_foreign_networks",
    "drop_checkpoint": "test_run_state",
    "time_limit": "test_time_limits_have_units",
}


def value_at(config: dict[str, Any], path: str) -> Any:
    for name in path.split("."):
        config = config[name]
    return config


def test_every_flag_has_a_test():
    (train,) = (command for command in app.registered_commands if command.name == "train")
    parameters = set(train.callback.__annotations__) - {"context", "return"}
    assert parameters == KEPT.keys() | ELSEWHERE.keys()


@pytest.fixture(scope="module")
def flagged(colours, tmp_path_factory) -> Path:
    """A run with every flag of `KEPT` set to what is not its default."""
    import sys

    from striate.cli import main

    run = tmp_path_factory.mktemp("flags") / "deep" / "run"
    words = [word for flag, _, _ in KEPT.values() for word in flag]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["striate", "train", str(colours), *words, "--run", str(run), "--quiet"])
        with pytest.raises(SystemExit) as leaving:
            main()
    assert leaving.value.code == 0
    return run


@pytest.mark.parametrize("flag", KEPT)
def test_flags_arrive_in_the_configuration(flag, flagged):
    _, path, value = KEPT[flag]
    assert value_at(json.loads((flagged / "config.json").read_text(encoding="utf-8")), path) == value


def test_the_configuration_says_where_the_images_are_and_how_it_was_called(flagged, colours):
    config = json.loads((flagged / "config.json").read_text(encoding="utf-8"))
    assert config["source"] == config["absolute_source"] == str(colours)
    assert config["command"].startswith(f"striate train {colours} --model resnet20_cifar ")
    assert config["fingerprint"] == striate.open_dataset(colours, seed=7, val_fraction=0.2).fingerprint
    assert config["classes"] == ["blue", "green", "red"]


def test_the_configuration_arrives_in_the_run(flagged, colours):
    description = striate.load(flagged).description
    assert description.network["arguments"]["shortcut"] == "B"
    assert description.network["arguments"]["hidden"] == [6, 5]
    assert description.preprocessing.size == (24, 24)
    assert description.recipe["augment"]["rotate"] == 15
    assert description.data["images"] == {"train": 24, "val": 6}
    assert (description.data["seed"], description.data["val_fraction"]) == (7, 0.2)
    (row,) = csv.DictReader((flagged / "metrics.csv").open(encoding="utf-8"))
    assert row["step"] == "4"  # 24 images in batches of 5, the last ones left out
    held = striate.open_dataset(colours, seed=7, val_fraction=0.2).val
    evaluation = striate.load(flagged).evaluate()
    assert evaluation.names == [held.images.name(number) for number in range(6)]


def test_what_was_frozen_has_the_first_weights_of_the_seed(flagged):
    import torch

    torch.manual_seed(7)
    fresh = (
        striate.create_model("resnet20_cifar", num_classes=3, input_size=24, shortcut="B", hidden=(6, 5))
        .double()
        .state_dict()
    )
    trained = load_file(flagged / "model.safetensors")
    same = {name for name, tensor in trained.items() if torch.equal(tensor.double(), fresh[name].double())}
    weights = {name for name in trained if name.endswith("weight")}
    assert same & weights == {name for name in weights if name.startswith("stem.")}


def test_weights_are_the_start(cli, trained, colours):
    file = trained / "model.safetensors"
    flags = ("--weights", file, "--lr", 0, "--epochs", 1, "--workers", 0, "--run", "run", "--quiet")
    assert cli("train", colours, "--model", "lenet5", *flags).code == 0
    assert json.loads(Path("run/config.json").read_text(encoding="utf-8"))["weights"] == str(file)
    before, after = load_file(file), load_file("run/model.safetensors")
    assert all(before[name].equal(after[name]) for name in before)


def test_a_network_grows_from_a_run(cli, colours):
    narrow = ("--workers", 0, "--epochs", 1, "--quiet")
    size = ("--size", 32, "--option", "width=0.05")
    assert cli("train", colours, "--model", "vgg_a", *size, *narrow, "--run", "a").code == 0
    grown = ("--model", "vgg_b", "--grow-from", "a", "--grow-rule", "random", "--lr", 0)
    assert cli("train", colours, *grown, *narrow, "--run", "b").code == 0
    config = json.loads(Path("b/config.json").read_text(encoding="utf-8"))
    assert (config["grown"]["from"], config["grown"]["rule"]) == (str(Path("a").absolute()), "random")
    assert (config["network"]["arguments"]["width"], config["weights"]) == (0.05, None)
    before, after = load_file("a/model.safetensors"), load_file("b/model.safetensors")
    assert all(before[name].equal(after[name]) for name in before)


def test_devices_share_a_batch(cli, colours):
    outcome = cli("train", colours, "--model", "lenet5", "--devices", 3, "--batch-size", 4)
    assert "a batch of 4 cannot be shared evenly by 3 devices" in outcome.line()


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("15m", 900), ("2h", 7200), (" 3 h ", 10800)]
)
def test_time_limits_have_units(text, seconds):
    from striate.classifier import values

    assert values.seconds("--time-limit", text) == seconds


def test_an_extension_is_as_long_as_asked(cli, run):
    shutil.rmtree(run / "events", ignore_errors=True)
    assert cli("train", "--resume", run, "--extend", 2, "--workers", 0, "--quiet").code == 0
    assert [row["epoch"] for row in csv.DictReader((run / "metrics.csv").open(encoding="utf-8"))] == list("1234")


def test_the_help_names_every_recipe_and_where_the_fields_are_explained(cli):
    assert set(RECIPES) == set(NAMES)
    told = " ".join(cli("train", "--help").out.replace("│", " ").split())
    assert all(name in told for name in NAMES)
    assert "`striate recipes` tells what each is for" in told
    assert "`striate recipes --fields` explains them all" in told


def test_the_help_has_every_flag_under_a_heading(cli):
    headings: dict[str, list[str]] = {}
    for line in cli("train", "--help").out.splitlines():
        if line.startswith("╭─ "):
            headings[line.strip("╭─╮ ")] = []
        elif line.startswith("│ --"):
            headings[list(headings)[-1]].append(line.split()[1].split(",")[0])
    assert headings.pop("Arguments") == []
    assert headings.pop("Options") == ["--help"]
    assert headings == {
        "Network": [
            *(
                "--model",
                "--weights",
                "--grow-from",
                "--grow-rule",
                "--size",
                "--resize",
                "--freeze",
                "--transfer",
                "--views",
                "--shallow",
                "--option",
            )
        ],
        "Training": [
            *(
                "--recipe",
                "--epochs",
                "--batch-size",
                "--learning-rate",
                "--policy",
                "--balance",
                "--set",
                "--task",
                "--target",
            ),
            *("--val-fraction", "--seed"),
        ],
        "The run and its folder": [
            "--run",
            "--resume",
            "--extend",
            "--data",
            "--trust",
            "--time-limit",
            "--drop-checkpoint",
        ],
        "Machine": ["--device", "--devices", "--precision", "--workers", "--cache"],
        "Output": ["--json", "--quiet"],
    }
