"""Squeeze-and-excitation against timm's and by hand."""

import pytest
import timm.layers
import torch
from torch import nn

from striate.layers import SqueezeExcite


@pytest.mark.parametrize(
    ("act", "theirs", "gate"),
    [("relu", nn.ReLU, "sigmoid"), ("silu", nn.SiLU, "sigmoid"), ("relu", nn.ReLU, "tanh")],
)
def test_it_is_timms(act, theirs, gate):
    ours = SqueezeExcite(12, 3, act, gate).double()
    other = timm.layers.SqueezeExcite(12, rd_channels=3, act_layer=theirs, gate_layer=gate).double()
    renamed = {"reduce": "fc1", "expand": "fc2"}
    other.load_state_dict(
        {f"{renamed[key.split('.')[0]]}.{key.split('.')[1]}": v for key, v in ours.state_dict().items()}
    )
    x = torch.randn(2, 12, 5, 4, dtype=torch.float64)
    torch.testing.assert_close(ours(x), other(x))


def test_channels_are_weighed_by_hand():
    layer = SqueezeExcite(2, 1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
        layer.reduce.weight[0, 0] = 1  # the mean of channel 0 ...
        layer.expand.weight[1, 0] = 2  # ... decides about channel 1
    x = torch.stack([torch.full((2, 2), 3.0), torch.full((2, 2), 10.0)])[None]
    y = layer(x)
    torch.testing.assert_close(y[0, 0], torch.full((2, 2), 1.5))  # sigmoid(0)
    torch.testing.assert_close(y[0, 1], torch.full((2, 2), 10 / (1 + torch.tensor(-6.0).exp().item())))
    torch.testing.assert_close(layer(-x)[0, 1], torch.full((2, 2), -5.0))  # relu stops the mean below zero


def test_the_paper_adds_two_c_squared_over_r_weights():
    layer = SqueezeExcite(256, 16)
    weights = sum(p.numel() for name, p in layer.named_parameters() if name.endswith("weight"))
    assert weights == 2 * 256**2 // 16
