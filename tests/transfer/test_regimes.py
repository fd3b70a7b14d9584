"""The regimes: how what they train is trained, and in which steps a network is freed."""

import csv
import json

import pytest
import torch

import striate
from striate.models import create_model
from striate.training.checkpoints import load_checkpoint
from striate.training.shelf import get_recipe
from striate.training.unfreezing import thaws_in
from striate.transfer.regimes import recipe_of, steps_of, unfreezing

FAST = {"quiet": True, "report": False, "workers": 0}


@pytest.mark.parametrize(("images", "epochs"), [(3000, 6), (100_000, 6), (750, 12), (83, 36), (2, 36)])
def test_the_fewer_images_the_more_often_each_is_seen(images, epochs):
    assert recipe_of("full", images, False, 224).epochs == epochs


def test_small_images_are_augmented_as_such():
    assert recipe_of("head", 100, True, 224).augment == get_recipe("tiny").augment
    assert recipe_of("head", 100, False, 224).augment == get_recipe("transfer_head").augment
    assert recipe_of("features", 100, True, 224).augment == recipe_of("head", 100, True, 224).augment
    assert recipe_of("auto", 100, False, 224) == recipe_of("full", 100, False, 224)
    assert recipe_of("", 100, False, 224) is None


def test_a_network_of_small_pictures_learns_twice_as_fast():
    assert [recipe_of("full", 100, True, side).learning_rate for side in (65, 64, 32)] == [1e-3, 2e-3, 2e-3]
    assert recipe_of("head", 100, False, 32).learning_rate == 2 * get_recipe("transfer_head").learning_rate


def test_the_last_stages_are_freed_one_by_one_until_half_of_the_parameters_train():
    network = create_model("mobilenet_v2")
    steps = steps_of(network, "top")
    assert steps == ("stage7", "stage6", "stage5")
    sizes = {name: sum(weight.numel() for weight in part.parameters()) for name, part in network.parts().items()}
    before = sum(sizes[name] for name in ("stage8", "stage7"))
    assert before < sum(sizes.values()) / 2 <= before + sizes["stage6"]
    assert steps_of(create_model("resnet18"), "top") == ("stage3",)
    assert [steps_of(network, regime) for regime in ("features", "head", "full")] == [("all",), ("all",), (None,)]


@pytest.mark.parametrize(
    ("steps", "epochs", "said"),
    [
        (("a", "b", "c"), 6, "3:b,5:c"),
        (("a", "b", "c"), 36, "13:b,25:c"),
        (("a", None), 6, "4:none"),
        (("a", "b", "c"), 2, "2:c"),
        (("a", "b", "c"), 1, ""),
        (("a",), 6, ""),
    ],
)
def test_steps_are_a_schedule(steps, epochs, said):
    assert unfreezing(steps, epochs) == said
    assert ",".join(f"{thaw.epoch}:{thaw.until}" for thaw in thaws_in(said)) == said


def test_a_run_takes_the_steps_and_says_so(paint, tmp_path):
    photos = paint(tmp_path / "photos", names=["blue", "violet"], count=12)
    first = {"model": "mobilenet_v1_0.25", "size": 32, "epochs": 2}
    network = striate.train(paint(tmp_path / "first", count=12), run=tmp_path / "source", **first, **FAST).model
    given = {**first, "weights": tmp_path / "source", "transfer": "top"}
    striate.train(photos, run=tmp_path / "run", **given, **FAST | {"report": True})
    config = json.loads((tmp_path / "run/config.json").read_text(encoding="utf-8"))
    assert (config["freeze"], config["recipe"]["unfreeze"]) == ("stage4", "2:stage3")
    with (tmp_path / "run/metrics.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 2
    tensors, _ = load_checkpoint(tmp_path / "run/last.ckpt")
    before = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith("head")}
    moved = {name.split(".")[1] for name, tensor in before.items() if not torch.equal(tensors[f"model/{name}"], tensor)}
    assert moved == {"stage4", "stage5"}
    assert "stage4 from epoch 2 on" in (tmp_path / "run/report.html").read_text(encoding="utf-8")
    # what was asked for is not meddled with
    striate.train(photos, run=tmp_path / "own", **given, settings={"unfreeze": ""}, **FAST)
    config = json.loads((tmp_path / "own/config.json").read_text(encoding="utf-8"))
    assert (config["freeze"], config["recipe"]["unfreeze"]) == ("stage4", "")
