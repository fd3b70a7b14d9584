"""Highway layers against the paper's equations."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from striate.layers import Gate, Highway, gate_bias_, highway_conv


def test_output_is_equation_3():
    layer = highway_conv(5).double()
    x = torch.randn(2, 5, 6, 8, dtype=torch.float64)
    h = F.conv2d(x, layer.transform.conv.weight, layer.transform.conv.bias, padding=1).clamp(min=0)
    t = 1 / (1 + (-F.conv2d(x, layer.gate.conv.weight, layer.gate.conv.bias, padding=1)).exp())
    torch.testing.assert_close(layer(x), h * t + x * (1 - t))


def test_closed_gates_carry_and_open_ones_transform():
    """Equation 4: y = x where T is 0 and y = H(x) where T is 1."""
    layer = highway_conv(3).double()
    x = torch.randn(1, 3, 5, 5, dtype=torch.float64)
    gate_bias_(layer, -1000.0)
    assert torch.equal(layer(x), x)
    gate_bias_(layer, 1000.0)
    assert torch.equal(layer(x), layer.transform(x))


def test_any_modules_will_do():
    layer = Highway(nn.Sequential(nn.Linear(4, 4), nn.Tanh()), nn.Sequential(nn.Linear(4, 4), nn.Sigmoid()))
    x = torch.randn(3, 4)
    t = torch.sigmoid(layer.gate[0](x))
    torch.testing.assert_close(layer(x), t * torch.tanh(layer.transform[0](x)) + (1 - t) * x)


def test_gate_bias_touches_gates_alone():
    layer = highway_conv(3)
    before = layer.transform.conv.bias.clone()
    gate_bias_(layer, -2.0)
    assert layer.gate.conv.bias.eq(-2).all()
    assert torch.equal(layer.transform.conv.bias, before)
    assert isinstance(layer.gate, Gate)


@pytest.mark.parametrize("kernel_size", [1, 5])
def test_kernel_and_activation_are_those_asked_for(kernel_size):
    layer = highway_conv(3, kernel_size, "tanh").double()
    x = torch.randn(2, 3, 7, 6, dtype=torch.float64)
    h, t = (
        F.conv2d(x, part.conv.weight, part.conv.bias, padding=kernel_size // 2)
        for part in (layer.transform, layer.gate)
    )
    assert h.shape == x.shape
    torch.testing.assert_close(layer(x), h.tanh() * t.sigmoid() + x * (1 - t.sigmoid()))
