"""What a report says of a run in words, each clause by itself."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

import striate
from striate.augment import Augment
from striate.classifier import run_facts
from striate.layers import DropPath
from striate.models import ModelSpec
from striate.training.recipes import Recipe
from striate.training.shelf import RECIPES
from striate.training.state import Position
from striate.training.tasks import SingleLabel

PLAIN = replace(RECIPES["tiny"], label_smoothing=0.0, average=0.0, augment=Augment(), loss="cross_entropy")
LEARNING = "it is the mean over an epoch in which the network was still learning"

TASK = SingleLabel(tuple("abcd"))


def differences(network: nn.Module | None = None, **fields) -> list[str]:
    network = network or nn.Sequential(nn.Linear(1, 1))
    network.loss = getattr(network, "loss", "cross_entropy")
    found = run_facts.loss_differences(replace(PLAIN, **fields), network, TASK)
    assert found[-1] == LEARNING
    return found[:-1]


@pytest.mark.parametrize(
    ("fields", "clauses"),
    [
        ({}, []),
        ({"loss": "hinge"}, ["training minimises hinge, validation measures cross-entropy"]),
        ({"augment": Augment(flip=0.5)}, ["training images are augmented"]),
        ({"augment": Augment(hue=5)}, ["training images are augmented"]),
        ({"average": 0.99}, ["the average of the weights is what is validated"]),
    ],
)
def test_each_difference_of_the_losses_has_its_clause(fields, clauses):
    assert differences(**fields) == clauses


def test_smoothed_labels_leave_a_least_loss():
    # of four classes 0.2 / 4 = 0.05 for each, and 0.85 for the true one
    floor = -(0.85 * math.log(0.85) + 3 * 0.05 * math.log(0.05))
    assert run_facts.smoothing_floor(0.2, 4) == pytest.approx(floor)
    assert differences(label_smoothing=0.2) == [
        f"labels are smoothed by 0.2 in training only, so its loss is {floor:.3g} or more"
    ]


@pytest.mark.parametrize(
    "layer",
    [nn.Dropout(0.5), nn.Dropout1d(0.5), nn.Dropout2d(0.5), nn.Dropout3d(0.5), nn.AlphaDropout(0.5), DropPath(0.5)],
)
def test_layers_that_drop_by_chance_count_while_they_train(layer):
    assert differences(nn.Sequential(layer)) == ["dropout is on in training only"]
    assert differences(nn.Sequential(layer).eval()) == []


@pytest.mark.parametrize("layer", [nn.Dropout(0.0), DropPath(0.0), nn.Linear(1, 1)])
def test_layers_that_drop_nothing_do_not(layer):
    assert differences(nn.Sequential(layer)) == []


def test_a_network_with_a_loss_of_its_own_is_said_to_minimise_it():
    network = nn.Sequential(nn.Identity())
    network.loss = "margin"
    assert differences(network, loss="own") == ["training minimises margin, validation measures cross-entropy"]


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (None, "random first weights, seed 7"),
        ("imagenet", "pretrained weights 'imagenet' of resnet18"),
        (str(Path("/there/w.safetensors").absolute()), str(Path("/there/w.safetensors").absolute())),
    ],
)
def test_what_it_started_from(weights, words):
    config = SimpleNamespace(weights=weights, seed=7, network=ModelSpec("resnet18"), grown={})
    assert run_facts.start(config) == words
    config.grown = {"from": "/there/a", "shallow": "resnet18"}
    assert run_facts.start(config) == "/there/a, whose resnet18 it grew from"


@pytest.mark.parametrize(
    ("frozen", "words"),
    [((), ""), (("stem",), "stem"), (("stem", "a"), "stem to a"), (("stem", "a", "b"), "stem to b"),
     (("stem", "a", "b", "c"), "all but the head")],
)  # fmt: skip
def test_what_was_frozen(frozen, words):
    assert run_facts.frozen(SimpleNamespace(frozen=frozen, parts=lambda: ["stem", "a", "b", "c"])) == words


def test_a_network_as_trained_is_a_copy_that_trains_all_but_what_was_frozen():
    network = striate.create_model("resnet20_cifar", num_classes=2).eval()
    twin = run_facts.as_trained(network, "stem")
    assert (list(twin.frozen), list(network.frozen), network.training) == (["stem"], [], False)
    assert twin.head.training
    assert not next(twin.stem.parameters()).requires_grad
    assert not run_facts.as_trained(network, None).frozen


@pytest.mark.parametrize(
    ("epoch", "steps", "words", "still"),
    [
        (2, 0, "", "stage3"),
        (2, 1, "stage2 to stage3 from epoch 3 on", "stage1"),
        (4, 0, "stage2 to stage3 from epoch 3 on", "stage1"),
        (9, 0, "stage2 to stage3 from epoch 3 on, stem to stage1 from epoch 5 on", ""),
    ],
)
def test_what_was_unfrozen_and_when_as_far_as_training_came(epoch, steps, words, still):
    twin = run_facts.as_trained(striate.create_model("resnet20_cifar", num_classes=2), "all")
    recipe = Recipe(unfreeze="3:stage1,5:none")
    assert run_facts.unfrozen(twin, recipe, Position([10], epoch=epoch, step_in_epoch=steps)) == words
    assert (twin.frozen[-1] if twin.frozen else "") == still
    assert run_facts.unfrozen(twin, Recipe(), Position([10], epoch=9)) == ""


def test_extensions_are_commands_a_shell_takes():
    assert run_facts.extensions(Path("my run"), []) == []
    assert run_facts.extensions(Path("my run"), [2, 1]) == [
        "striate train --resume 'my run' --extend 2",
        "striate train --resume 'my run' --extend 1",
    ]


@pytest.mark.parametrize(("smoothing", "classes"), [(0.1, 2), (0.1, 3), (0.3, 100)])
def test_the_floor_of_smoothed_labels_is_the_loss_of_the_best_logits(smoothing, classes):
    other = smoothing / classes
    best = torch.full((1, classes), other, dtype=torch.float64)
    best[0, 0] += 1 - smoothing
    loss = functional.cross_entropy(best.log(), torch.tensor([0]), label_smoothing=smoothing)
    assert run_facts.smoothing_floor(smoothing, classes) == pytest.approx(loss.item())
