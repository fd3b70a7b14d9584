"""First weights by a recipe's rule: on all layers of a network, or on those that pretrained weights leave fresh."""

import math

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from striate.models import create_model, obtain
from striate.training.first_weights import draw_first_weights, first_weights_note
from striate.training.losses import OWN


def drawn(init: str, seed: int = 0, **arguments: object) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    model = create_model("lenet5", **arguments)
    torch.manual_seed(seed)
    draw_first_weights(model, init, arguments.get("weights"))
    return model.state_dict()


def test_the_networks_own_way_draws_nothing():
    torch.manual_seed(1)
    plain = create_model("lenet5").state_dict()
    before = torch.get_rng_state()
    after = drawn(OWN)
    assert all(map(torch.equal, after.values(), plain.values()))
    draw_first_weights(create_model("lenet5"), OWN, None)
    torch.manual_seed(1)
    create_model("lenet5")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("init", "deviation"),
    [
        ("gaussian", 0.01),
        ("he", math.sqrt(2 / 400)),
        ("xavier", math.sqrt(2 / (400 + 120))),
        ("fan_in", 1 / 400 / math.sqrt(3)),
    ],
)
def test_a_rule_reaches_every_layer(init, deviation):
    weights, own = drawn(init), drawn(OWN)
    assert weights["head.c5.weight"].std().item() == pytest.approx(deviation, rel=0.02)  # 400 inputs, 120 outputs
    assert not any(torch.equal(weights[name], own[name]) for name in own if name.endswith("weight"))
    assert not any(weights[name].any() for name in own if name.endswith("bias"))


def test_the_same_seed_draws_the_same_weights():
    first, again, other = drawn("he", 3), drawn("he", 3), drawn("he", 4)
    assert all(map(torch.equal, first.values(), again.values()))
    assert not torch.equal(first["stem.conv.weight"], other["stem.conv.weight"])


@pytest.mark.parametrize(
    ("arguments", "fresh"),
    [
        ({}, set()),
        ({"num_classes": 3}, {"head.classifier"}),
        ({"num_classes": 3, "hidden": 20}, {"head.dense1", "head.classifier"}),
    ],
)
def test_pretrained_weights_are_never_drawn_over(arguments, fresh, tmp_path):
    torch.manual_seed(7)
    save_file(create_model("lenet5").state_dict(), tmp_path / "lenet.safetensors")
    start = drawn(OWN, weights=tmp_path / "lenet.safetensors", **arguments)
    after = drawn("gaussian", weights=tmp_path / "lenet.safetensors", **arguments)
    changed = {name.rpartition(".")[0] for name in start if not torch.equal(start[name], after[name])}
    assert changed == fresh
    for layer in fresh:
        assert after[f"{layer}.weight"].std().item() == pytest.approx(0.01, rel=0.15)
    told = {
        0: "init=gaussian changes nothing: all weights are pretrained",
        1: "init=gaussian is for head.classifier; the other weights are pretrained",
        2: "init=gaussian is for head.dense1, head.classifier; the other weights are pretrained",
    }
    file = tmp_path / "lenet.safetensors"
    model = create_model("lenet5", weights=file, **arguments)
    assert first_weights_note(model, "gaussian", file) == told[len(fresh)]
    assert first_weights_note(model, OWN, file) == ""


def test_without_pretrained_weights_there_is_nothing_to_tell():
    assert first_weights_note(create_model("lenet5"), "he", None) == ""


def tower(num_classes: int = 3) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 40, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(40, num_classes))


def test_somebody_elses_network_is_drawn_too(tmp_path):
    network = obtain(tower, num_classes=3, input_size=(8, 8))
    draw_first_weights(network, "gaussian", None)
    assert [layer.weight.std().item() for layer in (network.module[0], network.module[3])] == pytest.approx(
        [0.01, 0.01], rel=0.2
    )
    assert first_weights_note(network, "gaussian", None) == ""
    save_file(tower(5).state_dict(), tmp_path / "tower.safetensors")
    cut = obtain(tower, num_classes=3, input_size=(8, 8), weights=tmp_path / "tower.safetensors")
    before = {name: tensor.clone() for name, tensor in cut.state_dict().items()}
    draw_first_weights(cut, "gaussian", "tower.safetensors")
    changed = {name for name, tensor in cut.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"module.3.weight", "module.3.bias"}
    told = "init=gaussian is for module.3; the other weights are pretrained"
    assert first_weights_note(cut, "gaussian", "tower.safetensors") == told


def test_a_module_that_is_handed_over_keeps_its_weights():
    mine = tower()
    before = [parameter.detach().clone() for parameter in mine.parameters()]
    network = obtain(mine, num_classes=3, input_size=(8, 8))
    draw_first_weights(network, "he", None)
    assert all(map(torch.equal, mine.parameters(), before))
    assert first_weights_note(network, "he", None) == (
        "init=he changes nothing: a module that is handed over keeps its weights"
    )
