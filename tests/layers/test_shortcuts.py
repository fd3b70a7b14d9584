"""Every kind of shortcut, between equal and between different shapes, computed by hand from its own weights."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import UsageError
from striate.layers.shortcuts import SHORTCUTS, Gate, ZeroPadShortcut, make_addition, make_shortcut

#: Input channels, output channels and stride: the shape stays, only the size changes, only the channels, both.
SHAPES = [(4, 4, 1), (4, 4, 2), (4, 7, 1), (4, 6, 2), (4, 7, 3)]
PROJECTED = {kind: kind in ("B", "C") for kind in SHORTCUTS}


def padded(x: Tensor, channels: int, stride: int) -> Tensor:
    """Option A by slices: the maps stand in the middle of zeros, one more of which may follow than come before."""
    rows = x[:, :, ::stride, ::stride]
    y = x.new_zeros(len(x), channels, *rows.shape[2:])
    first = (channels - x.shape[1]) // 2
    y[:, first : first + x.shape[1]] = rows
    return y


@pytest.mark.parametrize(("kind", "shape"), itertools.product(SHORTCUTS, SHAPES))
def test_what_a_shortcut_does_before_the_sum(kind, shape):
    channels, out, stride = shape
    torch.manual_seed(0)
    shortcut = make_shortcut(kind, channels, out, stride)
    x = torch.randn(2, channels, 7, 6)
    if kind == "none":
        assert shortcut is None
        return
    shortcut.eval()
    same = shape == (4, 4, 1)
    if kind == "C" or (kind == "B" and not same):
        assert [name for name, _ in shortcut.named_children()] == ["conv", "norm"]
        nn.init.uniform_(shortcut.norm.running_mean)
        nn.init.uniform_(shortcut.norm.bias)
        wanted = F.conv2d(x, shortcut.conv.weight, stride=stride)
        assert shortcut.conv.bias is None
        assert wanted.shape[1] == out
        mean, shift = (t.view(1, -1, 1, 1) for t in (shortcut.norm.running_mean, shortcut.norm.bias))
        wanted = (wanted - mean) / (1 + 1e-5) ** 0.5 + shift
        torch.testing.assert_close(shortcut(x), wanted)
        return
    assert not list(shortcut.parameters())
    assert torch.equal(shortcut(x), padded(x, out, stride))
    shortcut.train()
    dropped = shortcut(x)
    if kind != "dropout":
        assert torch.equal(dropped, padded(x, out, stride))
        return
    there = padded(x, out, stride) != 0
    assert set((dropped / padded(x, out, stride))[there].round(decimals=4).tolist()) == {0.0, 2.0}  # half are left out


@pytest.mark.parametrize(("norm", "bias"), itertools.product([True, False], repeat=2))
def test_a_projection_has_the_norm_and_the_bias_asked_for(norm, bias):
    for kind in ("B", "C"):
        parts = dict(make_shortcut(kind, 4, 6, 2, norm=norm, bias=bias).named_children())
        assert list(parts) == (["conv", "norm"] if norm else ["conv"])
        assert (parts["conv"].bias is not None) == bias
        assert (parts["conv"].kernel_size, parts["conv"].stride) == ((1, 1), (2, 2))


def test_option_a_takes_maps_away_evenly_where_there_are_fewer_of_them():
    x = torch.randn(1, 5, 4, 4)
    assert torch.equal(ZeroPadShortcut(5, 3, 1)(x), x[:, 1:4])


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (1, 2), (3, 1), (3, 2), (5, 2)])
def test_a_gate_is_a_sigmoid_of_a_convolution_with_bias(kernel, stride):
    gate = Gate(3, 5, kernel, stride)
    x = torch.randn(2, 3, 9, 8)
    conv = F.conv2d(x, gate.conv.weight, gate.conv.bias, stride, kernel // 2)
    torch.testing.assert_close(gate(x), 1 / (1 + torch.exp(-conv)))
    assert gate(x).shape == (2, 5, -(-9 // stride), -(-8 // stride))
    assert gate.conv.weight.shape == (5, 3, kernel, kernel)


@pytest.mark.parametrize("kind", ["exclusive_gate", "shortcut_gate"])
@pytest.mark.parametrize("stride", [1, 2])
def test_gates_look_at_the_blocks_input_and_answer_in_its_outputs_shape(kind, stride):
    addition = make_addition(kind, 4, 6, stride)
    x, shortcut, branch = torch.randn(2, 4, 6, 6), *torch.randn(2, 2, 6, 6 // stride, 6 // stride)
    g = torch.sigmoid(F.conv2d(x, addition.gate.conv.weight, addition.gate.conv.bias, stride))
    wanted = (1 - g) * shortcut + (g * branch if kind == "exclusive_gate" else branch)
    torch.testing.assert_close(addition(x, shortcut, branch), wanted)


def test_an_unknown_kind_offers_those_there_are():
    with pytest.raises(UsageError, match="shortcut 'gate'"):
        make_shortcut("gate", 4, 4, 1)
