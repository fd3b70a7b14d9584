"""Folded batch norms against the network itself, and what must not be folded."""

import pytest
import torch
from torch import nn

import striate
from striate.engines.folding import foldable, folded
from striate.layers.conv import SameConv2d
from striate.models.obtain import adapt


def shaken(network: nn.Module) -> nn.Module:
    """The network with batch norms that do something."""
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor, values in (
                (layer.weight, (0.5, 2)),
                (layer.bias, (-1, 1)),
                (layer.running_mean, (-1, 1)),
                (layer.running_var, (0.5, 2)),
            ):
                if tensor is not None:
                    nn.init.uniform_(tensor, *values)
    return network.eval()


class Twice(nn.Module):
    """One convolution that runs twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.one, self.two = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x):
        return self.two(self.conv(self.one(self.conv(x)))).mean((2, 3))


class ReadTwice(nn.Module):
    """What lies between convolution and norm is read by somebody else, too."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)

    def forward(self, x):
        y = self.conv(x)
        return (self.norm(y) + y).mean((2, 3))


class Standardised(nn.Conv2d):
    """A convolution that makes its weight from the one it has."""

    def forward(self, x):
        weight = self.weight / self.weight.std()
        return self._conv_forward(x, weight, self.bias)


def tied():
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
    network[2].weight = network[0].weight
    return network


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_a_pair_is_one_convolution_of_the_same_outputs(bias, affine):
    convolution = nn.Conv2d(3, 6, 3, stride=2, groups=3, bias=bias)
    network = shaken(nn.Sequential(convolution, nn.BatchNorm2d(6, eps=1e-2, affine=affine), nn.ReLU()).double())
    twin = folded(network, 3, (9, 11))
    x = torch.randn(4, 3, 9, 11, dtype=torch.float64)
    torch.testing.assert_close(twin(x), network(x), rtol=1e-12, atol=1e-12)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in twin.modules())
    assert isinstance(network[1], nn.BatchNorm2d)
    assert network[0].bias is convolution.bias


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "size", "left"),
    [
        ("resnet18", 64, 0),
        ("mobilenet_v2", 64, 0),
        ("densenet121", 64, 62),  # of 58 layers and 3 transitions the first norm, and the last of all
        ("efficientnet_b0", 64, 0),
        ("googlenet_bn", 64, 0),
        ("resnet50_v2", 64, 16),  # one before each block but the first, and the last of all
        ("shufflenet_v2_x1_0", 64, 0),
        ("vgg11_bn", 64, 0),
        ("inception_v3", 96, 0),
        ("xception", 96, 0),
    ],
)
def test_networks_of_the_catalogue_answer_as_before(name, size, left):
    options = {"input_size": (size, size)} if name.startswith("vgg") else {}
    network = shaken(striate.create_model(name, num_classes=7, **options))
    twin = folded(network, 3, (size, size))
    x = torch.randn(2, 3, size, size)
    with torch.no_grad():
        wanted = network(x)
        torch.testing.assert_close(twin(x), wanted, rtol=0, atol=float(wanted.abs().max()) * 1e-4)
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in twin.modules()) == left


@pytest.mark.parametrize(
    "network",
    [
        Twice(),
        ReadTwice(),
        tied(),
        nn.Sequential(Standardised(3, 3, 3), nn.BatchNorm2d(3)),
        nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3, track_running_stats=False)),
        nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU(), nn.BatchNorm2d(3)),
        nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 3, 3)), nn.BatchNorm2d(3)),
    ],
    ids=["twice", "read twice", "tied", "standardised", "no statistics", "relu between", "weight norm"],
)
def test_what_does_not_belong_to_a_norm_alone_is_left(network):
    assert foldable(shaken(network), 3, (8, 8)) == []
    assert folded(network, 3, (8, 8)) is network


def test_a_hooked_network_is_left_since_the_hooks_would_not_be_called():
    network = shaken(nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3)))
    assert foldable(network, 3, (8, 8)) == [("0", "1")]
    handle = network[0].register_forward_hook(lambda *_: None)
    assert folded(network, 3, (8, 8)) is network
    handle.remove()
    assert not network[0]._forward_hooks
    assert folded(network, 3, (8, 8)) is not network


def test_padding_as_tensorflow_has_it_and_networks_of_others_fold_too():
    network = shaken(nn.Sequential(SameConv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 2)))
    assert foldable(network, 3, (8, 8)) == [("0", "1")]
    foreign = adapt(network, {"input_size": (8, 8), "in_channels": 3})
    assert foldable(foreign, 3, (8, 8)) == [("module.0", "module.1")]
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(folded(foreign, 3, (8, 8))(x), network(x))


def test_a_network_that_cannot_run_is_left_to_show_it_where_it_is_run():
    assert foldable(nn.Sequential(nn.Conv2d(3, 3, 9), nn.BatchNorm2d(3)).eval(), 3, (8, 8)) == []
