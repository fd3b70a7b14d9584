"""Files offered as models and weights: pickles, damage, strangers; and data that does not fit a model."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from striate.training.checkpoints import load_checkpoint

NETWORK = ("--model", "lenet5", "--epochs", 1, "--workers", 0)


class Bomb:
    """Goes off when unpickled."""

    def __reduce__(self):
        return (open, ("exploded", "w"))


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.safetensors", "run"])
def test_a_pickle_is_refused_as_a_model_and_never_opened(name, cli, colours, tmp_path):
    path = tmp_path / name
    if name == "run":
        path.mkdir()
    file = path / "model.safetensors" if name == "run" else path
    file.write_bytes(pickle.dumps(Bomb()))
    for command in (("predict", path, colours), ("evaluate", path, colours)):
        outcome = cli(*command)
        assert outcome.code == 1
        assert "a pickle can run any code" in outcome.line()
        assert "safetensors" in outcome.line()
    assert not (tmp_path / "here" / "exploded").exists()


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_a_pickle_is_refused_as_weights(name, cli, colours, tmp_path):
    torch.save({"weight": torch.ones(3)}, tmp_path / name)
    outcome = cli("train", colours, *NETWORK, "--weights", tmp_path / name)
    assert outcome.code == 1
    assert name in outcome.line()
    assert "pickle" in outcome.line()
    assert not list((tmp_path / "here").iterdir())


def test_safetensors_without_a_description_are_no_model(cli, colours, run, tmp_path):
    save_file(load_file(run / "model.safetensors"), tmp_path / "bare.safetensors")
    outcome = cli("predict", tmp_path / "bare.safetensors", colours)
    assert outcome.code == 1
    assert "do not say what network" in outcome.line()
    assert "--weights" in outcome.line()


@pytest.mark.parametrize("damage", ["truncated", "emptied", "header"])
def test_a_damaged_model_says_so(damage, cli, colours, run):
    file = run / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes({"truncated": whole[:-100], "emptied": b"", "header": whole[:20] + b"#" + whole[21:]}[damage])
    outcome = cli("predict", run, colours)
    assert outcome.code == 1
    assert "model.safetensors: the model file is damaged" in outcome.line()


def test_a_folder_that_is_no_run_is_no_model(cli, colours, tmp_path):
    outcome = cli("predict", colours, colours)
    assert outcome.code == 1
    assert "no model.safetensors" in outcome.line()
    outcome = cli("predict", tmp_path / "nowhere", colours)
    assert outcome.code == 1
    assert "nowhere: no such model file" in outcome.line()


def test_a_checkpoint_is_no_model(cli, colours, run):
    outcome = cli("predict", run / "last.ckpt", colours)
    assert outcome.code == 1
    assert "load" in outcome.line()
    assert "model.safetensors" in outcome.line()


def test_weights_of_another_network_do_not_fit(cli, colours, run):
    outcome = cli("train", colours, "--model", "resnet20_cifar", "--weights", run / "model.safetensors")
    assert outcome.code == 2
    assert f"{run / 'model.safetensors'}: weights of lenet5, which do not fit resnet20_cifar" in outcome.line()


def test_weights_that_are_not_there(cli, colours):
    outcome = cli("train", colours, *NETWORK, "--weights", "nowhere/model.safetensors")
    assert outcome.code == 1
    assert "nowhere/model.safetensors: no such file" in outcome.line()


def test_evaluate_on_other_classes_names_them(cli, run, paint, tmp_path):
    outcome = cli("evaluate", run, paint(tmp_path / "others", ["red", "yellow"], count=2))
    assert outcome.code == 1
    assert "yellow" in outcome.line()
    assert "green" in outcome.line()


def test_evaluate_on_some_of_the_classes(cli, run, paint, tmp_path):
    outcome = cli("evaluate", run, paint(tmp_path / "some", ["red", "blue"], count=3), "--json")
    assert outcome.code == 0
    support = {score["name"]: score["support"] for score in json.loads(outcome.out)["per_class"]}
    assert support == {"blue": 3, "green": 0, "red": 3}


def test_evaluate_on_a_split_that_is_missing(cli, run, colours):
    outcome = cli("evaluate", run, colours, "--split", "test")
    assert outcome.code == 1
    assert "has no test images; it has train" in outcome.line()
    outcome = cli("evaluate", run, colours, "--split", "tets")
    assert outcome.code == 2
    assert "split 'tets' is unknown" in outcome.line()


def test_evaluate_when_the_training_images_have_changed(cli, paint, tmp_path):
    photos = paint(tmp_path / "photos")
    assert cli("train", photos, *NETWORK, "--run", "run").code == 0
    (photos / "red" / "0.png").unlink()
    outcome = cli("evaluate", "run")
    assert outcome.code == 1
    assert "the images have changed" in outcome.line()


def test_a_diverging_training_stops_says_so_and_keeps_the_checkpoint(cli, colours):
    outcome = cli("train", colours, *NETWORK, "--lr", 100, "--set", "weight_decay=100", "--run", "run")
    assert outcome.code == 1
    line = outcome.err.splitlines()[-1]
    assert "not a number" in line
    assert "lower --learning-rate" in line
    tensors, _ = load_checkpoint(Path("run/last.ckpt"))
    assert all(np.isfinite(tensor.numpy()).all() for tensor in tensors.values())
