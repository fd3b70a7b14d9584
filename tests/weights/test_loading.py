"""Loading names what does not fit, a few keys of each kind, and leaves what it was told to leave."""

import re

import pytest
import torch
from torch import nn

from striate.errors import StriateError
from striate.weights import adapt_channels, load_state
from striate.weights.loading import first_convolution


class Network(nn.Module):
    """A body, a head with a classifier and an auxiliary head, under the names that networks have."""

    def __init__(self, classes=2):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(4, 3))
        self.head = nn.ModuleDict({"classifier": nn.Linear(3, classes)})


def tensors(network, add=1.0):
    return {key: value + add for key, value in network.state_dict().items()}


def test_every_tensor_arrives():
    network = Network()
    state = tensors(network)
    load_state(network, state)
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


def test_what_is_left_stays_and_need_not_be_there():
    network = Network()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = {key: value for key, value in tensors(network).items() if not key.startswith("head")}
    state["body.0.weight"] = torch.zeros(9)  # of another shape, and left too
    load_state(network, {**state, "head.other": torch.zeros(1)}, leave=("head.", "body.0."))
    for key, value in network.state_dict().items():
        left = key.startswith(("head.", "body.0."))
        assert torch.equal(value, before[key] if left else state[key])


def test_dense_layers_take_convolutions_over_their_map_and_the_other_way_round():
    dense, conv = nn.Sequential(nn.Linear(12, 5)), nn.Sequential(nn.Conv2d(3, 5, 2))
    for one, other in ((dense, conv), (conv, dense)):
        load_state(one, other.state_dict())
        x = torch.randn(4, 3, 2, 2)
        torch.testing.assert_close(dense(x.flatten(1)), conv(x).flatten(1))
        nn.init.normal_(one[0].weight)
    # the same number of values in other rows is another layer, and so are the same dimensions
    for given in (torch.zeros(6, 10), torch.zeros(3, 5, 2, 2), torch.zeros(5, 12, 1)):
        with pytest.raises(StriateError, match=r"misshapen 0.weight is .*, wanted \((5, 3, 2, 2|5, 12)\)"):
            load_state(conv, {**conv.state_dict(), "0.weight": given})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"drop": ["body.0.weight"]}, "missing body.0.weight"),
        ({"drop": ["body.1.num_batches_tracked", "body.1.bias"]}, "missing body.1.bias"),
        (
            {"drop": ["body.0.weight", "body.0.bias", "body.1.weight"]},
            "missing body.0.weight, body.0.bias, body.1.weight",
        ),
        (
            {"drop": ["body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias", "body.2.bias"]},
            "missing body.0.weight, body.0.bias, body.1.weight and 2 more",
        ),
        ({"add": {"z": (1,), "y": (2,)}}, "extra z, y"),
        ({"add": {"body.2.bias": (4,)}}, "misshapen body.2.bias is (4,), wanted (3,)"),
        (
            {"drop": ["body.2.bias"], "add": {"z": (1,), "body.1.bias": (1,)}},
            "missing body.2.bias; extra z; misshapen body.1.bias is (1,), wanted (2,)",
        ),
    ],
)
def test_what_does_not_fit_is_named_and_changes_nothing(change, said):
    network = Network()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = {key: value for key, value in tensors(network).items() if key not in change.get("drop", ())}
    state |= {key: torch.zeros(shape) for key, shape in change.get("add", {}).items()}
    with pytest.raises(StriateError, match=f"^some file: does not fit this network: {re.escape(said)}$"):
        load_state(network, state, where="some file")
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_other_classes_are_told_from_other_widths():
    three = Network(classes=3)
    said = (
        "the weights: trained on 3 classes and the network has 2; build it with num_classes=3, load, "
        "then call reset_head(2)"
    )
    with pytest.raises(StriateError, match=f"^{re.escape(said)}$"):
        load_state(Network(), three.state_dict())
    narrow = {**Network().state_dict(), "head.classifier.weight": torch.zeros(2, 7)}
    with pytest.raises(StriateError, match=r"misshapen head.classifier.weight is \(2, 7\), wanted \(2, 3\)"):
        load_state(Network(), narrow)


def test_the_first_convolution_is_the_first_that_was_defined():
    network = Network()
    name, layer = first_convolution(network)
    assert name == "body.0"
    assert layer is network.body[0]
    assert first_convolution(nn.Sequential(nn.Conv1d(1, 1, 1), nn.Linear(1, 1))) is None


def test_channels_are_repeated_in_turn_and_scaled():
    weight = torch.arange(12.0).view(2, 3, 1, 2)
    assert adapt_channels(weight, 3) is weight
    assert torch.equal(adapt_channels(weight, 1), weight[:, :1] + weight[:, 1:2] + weight[:, 2:])
    five = torch.stack([weight[:, i] for i in (0, 1, 2, 0, 1)], 1) * 0.6
    torch.testing.assert_close(adapt_channels(weight, 5), five)
    torch.testing.assert_close(adapt_channels(weight, 2), weight[:, :2] * 1.5)
    torch.testing.assert_close(adapt_channels(weight[:, :2], 1), weight[:, :1] + weight[:, 1:2])
