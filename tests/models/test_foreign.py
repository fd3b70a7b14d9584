"""Somebody else's module with the face of a network: outputs, heads, freezing, maps, and what it cannot do."""

import copy
import importlib.util
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional

from striate.errors import StriateError, UsageError
from striate.models import Foreign, InputError, ModelSpec, Network

_spec = importlib.util.spec_from_file_location("odd_networks", Path(__file__).with_name("odd_networks.py"))
odd = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(odd)


def foreign(module: nn.Module, size: int = 16, **options) -> Foreign:
    torch.manual_seed(0)
    return Foreign(module, ModelSpec("mine"), 3, (size, size), **options)


IMAGES = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["Functional", "TwoOutputs", "TwoHeads", "Tokens"])
def test_its_logits_are_those_of_the_module(name):
    module = getattr(odd, name)().eval()
    expected = module(IMAGES)
    expected = expected[0] if isinstance(expected, tuple) else expected
    network = foreign(module).eval()
    assert isinstance(network, Network)
    torch.testing.assert_close(network(IMAGES), expected, rtol=1e-5, atol=1e-6)
    assert network(IMAGES).shape == (4, network.num_classes)


def test_outputs_by_name_and_single_places_become_logits():
    module = odd.OneDimensional(6).eval()
    torch.testing.assert_close(foreign(module).eval()(IMAGES), module(IMAGES)["logits"])
    module = odd.in_place().eval()
    torch.testing.assert_close(foreign(module).eval()(IMAGES), module(IMAGES.clone())[:, :, 0, 0])


def test_only_what_can_take_it_has_its_channels_last():
    assert foreign(odd.Functional()).memory_format is torch.contiguous_format
    assert foreign(odd.TwoOutputs()).memory_format is torch.channels_last
    assert foreign(odd.Functional(), channels_last=True).memory_format is torch.channels_last
    network = foreign(odd.Functional()).to(memory_format=torch.contiguous_format).eval()
    torch.testing.assert_close(network(IMAGES.contiguous(memory_format=torch.channels_last)), network(IMAGES))


def test_a_second_head_is_trained_beside_the_first():
    network = foreign(odd.TwoHeads()).train()
    assert network.auxiliary_heads == ("side",)
    logits, others = network(IMAGES, auxiliary=True)
    x = network.module.body(IMAGES).mean((2, 3))
    torch.testing.assert_close(logits, network.module.head(x), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(others["side"], network.module.side(x), rtol=1e-4, atol=1e-5)
    with pytest.raises(UsageError, match="auxiliary heads, so it cannot be given 5; have its function take"):
        network.reset_head(5)


@pytest.mark.parametrize("make", [odd.TwoOutputs, odd.in_place])
def test_a_fresh_head_stands_in_for_the_old_one_and_the_rest_stays(make):
    network = foreign(make())
    path = network.anatomy.classifier
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert network.reset_head(7) is network
    assert (network.num_classes, network.eval()(IMAGES).shape) == (7, (4, 7))
    assert network.fresh == (f"module.{path}",)
    after = network.state_dict()
    assert all(after[name].equal(before[name]) for name in after if not name.startswith(f"module.{path}."))
    with pytest.raises(UsageError, match="num_classes is 0"):
        network.reset_head(0)


def test_a_head_that_cannot_be_told_says_what_it_needs():
    with pytest.raises(UsageError, match=r"which layer makes its 10 outputs cannot be told.*have its function"):
        foreign(odd.Functional()).reset_head(3)


def test_parts_freeze_from_the_first_on_with_their_statistics():
    network = foreign(odd.TwoOutputs())
    assert list(network.parts()) == ["body.0", "body.1"]
    network.freeze("body.0").train()
    assert [name for name, weight in network.named_parameters() if not weight.requires_grad] == [
        "module.body.0.weight",
        "module.body.0.bias",
    ]
    network.freeze("all").train()
    before = network.module.body[1].running_mean.clone()
    network(IMAGES)
    assert network.module.body[1].running_mean.equal(before)
    assert network.module.last.weight.requires_grad
    assert network.frozen == ("body.0", "body.1")
    network.unfreeze().train()
    network(IMAGES)
    assert not network.module.body[1].running_mean.equal(before)
    with pytest.raises(UsageError, match=r"unknown stage of mine 'body\.7'"):
        network.freeze("body.7")


def test_bare_weights_are_frozen_with_the_first_part():
    network = foreign(odd.Tokens()).freeze("patches")
    assert not network.module.start.requires_grad
    assert network.module.fc.weight.requires_grad
    assert network.module.blocks[0].linear1.weight.requires_grad
    with pytest.raises(UsageError, match=r"mine cannot be frozen, nor trained .*: it has no parts before its"):
        foreign(odd.Functional()).freeze()


def test_each_weight_is_in_a_part_or_in_a_head():
    found = foreign(odd.Tokens()).part_of_weights()
    assert found.pop("module.start") == "patches"
    assert {name: part for name, part in found.items() if not name.startswith("module.blocks.")} == {
        "module.patches.weight": "patches",
        "module.patches.bias": "patches",
        "module.fc.weight": "",
        "module.fc.bias": "",
    }
    assert {name.split(".")[2] == part.split(".")[1] for name, part in found.items() if "blocks" in name} == {True}


def test_heads_that_run_in_training_alone_train_whatever_is_frozen():
    network = foreign(odd.TwoHeads())
    assert network.anatomy.training_only == ("side",)
    network.freeze("all")
    training = {name for name, weight in network.named_parameters() if weight.requires_grad}
    assert training == {"module.side.weight", "module.side.bias", "module.head.weight", "module.head.bias"}


def test_weights_that_their_author_fixed_never_train():
    module = odd.Tokens()
    module.start.requires_grad_(False)
    module.blocks[1].norm1.requires_grad_(False)
    fixed = {"module.start", "module.blocks.1.norm1.weight", "module.blocks.1.norm1.bias"}

    def still(network):
        return {name for name, weight in network.named_parameters() if not weight.requires_grad}

    network = foreign(module)
    assert still(network) == fixed
    assert still(network.freeze("patches")) == fixed | {"module.patches.weight", "module.patches.bias"}
    again = foreign(module)  # what was frozen here is not taken for its author's wish
    assert still(again) == still(again.freeze("patches").unfreeze()) == fixed
    assert still(copy.deepcopy(again).freeze("patches").unfreeze()) == fixed


def test_a_fresh_head_of_a_fixed_one_trains():
    module = odd.Tokens().requires_grad_(False)
    network = foreign(module).reset_head(5)
    assert [name for name, weight in network.named_parameters() if weight.requires_grad] == [
        "module.fc.weight",
        "module.fc.bias",
    ]
    assert network.freeze("all").module.fc.weight.requires_grad


def test_logits_and_maps_come_of_one_pass_with_gradients_between_them():
    network = foreign(odd.TwoOutputs()).eval()
    logits, maps = network.forward_maps(IMAGES)
    assert logits.equal(network(IMAGES))
    assert {name: tuple(found.shape) for name, found in maps.items()} == {"body.1": (4, 8, 16, 16)}
    (gradient,) = torch.autograd.grad(logits[:, 2].sum(), maps["body.1"])
    assert maps["body.1"].min() == 0  # the activation behind it works in place
    expected = network.module.last.weight[2][None, :, None, None] / 256
    torch.testing.assert_close(gradient, expected.expand_as(gradient))
    assert not any(module._forward_hooks for module in network.modules())


def test_tokens_become_maps_of_their_patches():
    network = foreign(odd.Tokens()).eval()
    logits, maps = network.forward_maps(IMAGES)
    assert {name: tuple(found.shape) for name, found in maps.items()} == {"blocks.1": (4, 8, 4, 4)}
    assert logits.equal(network(IMAGES))
    (gradient,) = torch.autograd.grad(logits.sum(), maps["blocks.1"])
    assert not gradient.any()  # the head reads the class token only


def test_gradients_reach_maps_of_tokens_and_of_channels_that_come_last():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches, self.mix, self.fc = nn.Conv2d(3, 6, 4, 4), nn.Linear(6, 6), nn.Linear(6, 3)

        def forward(self, x):
            x = self.mix(self.patches(x).permute(0, 2, 3, 1))
            return self.fc(x.mean((1, 2)))

    class Mean(Last):
        def forward(self, x):
            return self.fc(self.mix(self.patches(x).flatten(2).transpose(1, 2)).mean(1))

    for made in (Last(), Mean()):
        network = foreign(made).eval()
        logits, maps = network.forward_maps(IMAGES)
        assert maps["mix"].shape == (4, 6, 4, 4)
        assert logits.equal(network(IMAGES))
        (gradient,) = torch.autograd.grad(logits[:, 1].sum(), maps["mix"])
        expected = made.fc.weight[1][None, :, None, None].expand_as(gradient) / 16
        torch.testing.assert_close(gradient, expected)


def test_the_vector_before_the_classifier_gives_its_logits():
    for module in (odd.TwoOutputs(), odd.own_pool(3), odd.in_place()):
        network = foreign(module).eval()
        layer = network.module.get_submodule(network.anatomy.classifier)
        weight, vector = layer.weight.flatten(1), network.embed(IMAGES)
        assert vector.shape == (4, network.num_features)
        torch.testing.assert_close(functional.linear(vector, weight, layer.bias), network(IMAGES))


def test_an_input_of_another_kind_is_refused():
    network = foreign(odd.TwoOutputs())
    network.check_input(IMAGES)
    for wrong in (IMAGES[:, :1], IMAGES[0]):
        with pytest.raises(InputError, match=r"mine takes a floating-point batch \(N, 3, H, W\) and got one of shape"):
            network.check_input(wrong)


def test_a_size_that_it_cannot_work_at_is_named():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 14 * 14, 2))
    assert foreign(module).num_classes == 2
    with pytest.raises(InputError, match=r"mine cannot work on images of 3x20x20 \(channels x height x width\): mat1"):
        _ = foreign(module, 20).num_classes
    with pytest.raises(StriateError, match=r"mine: its output is Tensor of shape \(2, 4, 14, 14\); logits are"):
        _ = foreign(nn.Conv2d(3, 4, 3)).num_classes


def test_the_parts_of_a_known_network():
    network = foreign(torchvision.models.resnet18(num_classes=4), 64)
    assert list(network.parts()) == ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"]
    assert (network.anatomy.classifier, network.num_features, network.num_classes) == ("fc", 512, 4)
    maps = network.eval().forward_maps(torch.rand(1, 3, 64, 64))[1]
    sides = {name: found.shape[-1] for name, found in maps.items()}
    assert sides == {"bn1": 32, "layer1": 16, "layer2": 8, "layer3": 4, "layer4": 2}


@pytest.mark.parametrize(
    ("channels", "kernel", "stride", "together"),
    [(3, 1, 2, False), (3, 1, 1, True), (3, 3, 2, True), (8, 1, 2, True), (1, 1, (1, 2), False)],
)
def test_strided_1x1_convolutions_of_few_channels_are_kept_from_onednn(channels, kernel, stride, together):
    """Channels-last, their backward pass ended the process."""
    layers = [nn.Conv2d(channels, 16, kernel, stride), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3)]
    adapted = Foreign(nn.Sequential(*layers), ModelSpec("own"), channels, (16, 16))
    assert (adapted.memory_format is torch.channels_last) is together
