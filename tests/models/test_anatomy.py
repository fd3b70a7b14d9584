"""What running a network once shows of it, against networks whose insides are known."""

import importlib.util
from pathlib import Path

import pytest
import torch
from torch import nn

from striate.models.anatomy import as_map, flat, study, tensors_of

_spec = importlib.util.spec_from_file_location("odd_networks", Path(__file__).with_name("odd_networks.py"))
odd = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(odd)

IMAGES = torch.zeros(2, 3, 16, 16)


@pytest.mark.parametrize(
    ("make", "outputs", "classifier", "parts", "maps"),
    [
        (odd.Functional, 10, None, (), ()),
        (odd.TwoOutputs, 10, "last", ("body.0", "body.1"), ("body.1",)),
        (lambda: odd.own_pool(7), 7, "4", ("0", "1"), ("1",)),
        (lambda: odd.OneDimensional(4), 4, "fc", ("net.0", "net.1", "net.3"), ()),
        (odd.in_place, 5, "5", ("0", "2"), ("0", "2")),
        (odd.TwoHeads, 3, "head", ("body.0", "body.1"), ("body.1",)),
        (odd.Tokens, 3, "fc", ("patches", "blocks.0", "blocks.1"), ("blocks.1",)),
    ],
)
def test_outputs_classifier_parts_and_maps_are_found(make, outputs, classifier, parts, maps):
    found = study(make(), IMAGES)
    assert (found.outputs, found.classifier, found.parts, found.maps) == (outputs, classifier, parts, maps)


def test_a_second_head_is_found_while_it_trains_and_features_are_none():
    assert study(odd.TwoHeads(), IMAGES).auxiliary == ("side",)
    assert study(odd.TwoOutputs(), IMAGES).auxiliary == ()


def test_the_part_that_holds_the_classifier_is_taken_apart():
    network = nn.Sequential()
    network.add_module("body", nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), odd.TopPool()))
    network.add_module("head", nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)))
    found = study(network, IMAGES)
    assert (found.classifier, found.parts) == ("head.2", ("body.0", "body.2", "head.0"))


def test_a_network_is_left_as_it_was():
    network = odd.TwoOutputs()
    network.body.eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    state = torch.get_rng_state()
    study(network, torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(1)))
    assert all(tensor.equal(before[name]) for name, tensor in network.state_dict().items())
    assert [module.training for module in network.modules()] == modes
    assert torch.get_rng_state().equal(state)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_lazy_layers_take_their_shapes():
    network = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))
    assert study(network, IMAGES).outputs == 5
    assert network[3].weight.shape == (5, 4 * 14 * 14)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (nn.Conv2d(3, 4, 3), r"Tensor of shape \(2, 4, 14, 14\)"),
        (nn.Sequential(nn.Flatten(0), nn.Linear(1536, 5)), r"Tensor of shape \(5,\)"),
    ],
)
def test_what_makes_no_logits_is_told(network, said):
    with pytest.raises((ValueError, IndexError), match=said):
        study(network, IMAGES)


def test_the_logits_are_the_first_tensor_or_the_one_so_called():
    a, b = torch.zeros(2, 3), torch.ones(2, 4)
    assert list(tensors_of((a, b))) == ["output0", "output1"]
    assert next(iter(tensors_of({"features": b, "logits": a}).values())) is a
    assert next(iter(tensors_of({"x": None, "first": b, "second": a}).values())) is b
    assert tensors_of([None, a])["output1"] is a
    assert tensors_of("text") == {}


def test_single_places_are_flattened():
    assert flat(torch.zeros(2, 5, 1, 1)).shape == (2, 5)
    assert flat(torch.zeros(2, 5, 2, 1)).shape == (2, 5, 2, 1)


def test_tokens_and_channels_that_come_last_are_maps():
    tokens = torch.arange(2 * 7 * 3.0).reshape(2, 7, 3)
    found = as_map(tokens, (2, 3))
    assert found.shape == (2, 3, 2, 3)
    assert found[1, 2, 1, 0] == tokens[1, 1 + 3, 2]  # one token stands before the six patches
    assert as_map(tokens, (0, 0)) is None
    last = torch.rand(2, 4, 4, 6)
    assert as_map(last, (0, 0))[1, 5, 2, 3] == last[1, 2, 3, 5]
    first = torch.rand(2, 6, 4, 4)
    assert as_map(first, (0, 0)) is first
    assert as_map((first,), (0, 0)) is None
