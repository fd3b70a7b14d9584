"""Shared layers against formulas and other libraries."""

import math

import pytest
import timm.layers
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.errors import UsageError
from striate.layers import (
    ACTIVATIONS,
    SameConv2d,
    ScaledTanh,
    ZeroPadShortcut,
    activation,
    conv2d,
    make_shortcut,
    output_shape,
)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_are_new_and_leave_their_input_alone(name):
    assert activation(name) is not activation(name)
    x = torch.randn(3, 4)
    before = x.clone()
    activation(name)(x)
    assert torch.equal(x, before)


def test_scaled_tanh_maps_one_to_one():
    y = ScaledTanh()(torch.tensor([1.0, -1.0, 0.5]))
    assert y.tolist() == pytest.approx([1.0, -1.0, 1.7159 * math.tanh(1 / 3)], abs=1e-4)


def test_unknown_activation_and_padding_are_named():
    with pytest.raises(UsageError, match="'relu'"):
        activation("rellu")
    with pytest.raises(UsageError, match="tensorflow"):
        conv2d(1, 1, 3, padding="tensorflo")


@settings(max_examples=40, deadline=None)
@given(st.integers(5, 20), st.integers(5, 20), st.integers(1, 5), st.integers(1, 3), st.integers(1, 2))
def test_tensorflow_padding_is_timms(height, width, kernel_size, stride, dilation):
    ours = conv2d(2, 3, kernel_size, stride=stride, dilation=dilation, padding="tensorflow")
    theirs = timm.layers.Conv2dSame(2, 3, kernel_size, stride=stride, dilation=dilation)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(1, 2, height, width)
    torch.testing.assert_close(ours(x), theirs(x))
    assert ours(x).shape[2:] == (math.ceil(height / stride), math.ceil(width / stride))


def test_tensorflow_padding_is_at_the_bottom_and_right():
    conv = conv2d(1, 1, 3, stride=2, padding="tensorflow", bias=False)
    assert isinstance(conv, SameConv2d)
    x = torch.randn(1, 1, 8, 8)
    torch.testing.assert_close(conv(x), F.conv2d(F.pad(x, (0, 1, 0, 1)), conv.weight, stride=2))


def test_zero_pad_shortcut_by_hand():
    x = torch.randn(1, 2, 5, 5)
    y = ZeroPadShortcut(2, 5, 2)(x)
    assert y.shape == (1, 5, 3, 3)
    assert torch.equal(y[:, 1:3], x[:, :, ::2, ::2])
    assert y[:, 0].abs().sum() == y[:, 3:].abs().sum() == 0


def test_shortcut_kinds():
    assert make_shortcut("none", 4, 8, 2) is None
    assert isinstance(make_shortcut("B", 4, 4, 1), torch.nn.Identity)
    assert sum(p.numel() for p in make_shortcut("C", 4, 4, 1).parameters()) == 16 + 8
    with pytest.raises(UsageError, match="shortcut 'D'"):
        make_shortcut("D", 4, 4, 1)


def test_output_shape_leaves_the_module_alone():
    conv = torch.nn.Conv2d(3, 10, 5, padding=2).train()
    assert output_shape(conv, (1, 3, 32, 32)) == (1, 10, 32, 32)
    assert conv.training
    assert conv.weight.device.type == "cpu"
