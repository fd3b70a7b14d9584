"""Convolution and pooling under the three paddings, against timm, Keras and torch."""

import math
import os

import pytest
import timm.layers
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from striate.errors import UsageError
from striate.layers import ConvAct, ConvNormAct, SameConv2d, SamePool2d, conv2d
from striate.layers.overwriting import ReLU


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras")


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


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


@pytest.mark.parametrize("padding", ["tensorflow", "valid"])
@pytest.mark.parametrize(
    ("kernel_size", "stride", "groups"), [(3, 1, 1), (3, 2, 1), (5, 2, 2), (2, 1, 4), ((1, 7), 1, 1)]
)
def test_convolution_is_kerass(keras, padding, kernel_size, stride, groups):
    ours = conv2d(4, 8, kernel_size, stride=stride, groups=groups, padding=padding)
    theirs = keras.layers.Conv2D(
        8,
        kernel_size,
        stride,
        "same" if padding == "tensorflow" else "valid",
        groups=groups,
        data_format="channels_last",
    )
    x = torch.randn(2, 4, 11, 8)
    theirs.build((None, 11, 8, 4))
    theirs.set_weights([ours.weight.permute(2, 3, 1, 0).detach().numpy(), ours.bias.detach().numpy()])
    y = torch.as_tensor(theirs(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
    torch.testing.assert_close(ours(x), y, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("kernel_size", "stride"), [(2, 2), (3, 2), (3, 1), (2, 1), (5, 3)])
def test_maximum_is_kerass(keras, kernel_size, stride):
    x = torch.randn(2, 3, 10, 7) - 2  # mostly below zero: a zero in the padding would win the maximum
    pool = keras.layers.MaxPooling2D(kernel_size, stride, "same", data_format="channels_last")
    theirs = torch.as_tensor(pool(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
    ours = SamePool2d("max", kernel_size, stride)(x)
    torch.testing.assert_close(ours, theirs)
    assert ours.shape[2:] == (math.ceil(10 / stride), math.ceil(7 / stride))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(1, 5))
def test_average_leaves_the_padding_out(height, width, kernel_size, stride):
    """TensorFlow's rule, window by window; Keras on PyTorch repeats border pixels where the padding is uneven."""
    x = torch.randn(height, width)
    ours = SamePool2d("average", kernel_size, stride)(x[None, None])[0, 0]

    def windows(size):
        outputs = math.ceil(size / stride)
        before = max((outputs - 1) * stride + kernel_size - size, 0) // 2
        starts = [number * stride - before for number in range(outputs)]
        return [slice(max(start, 0), min(start + kernel_size, size)) for start in starts]

    expected = torch.stack(
        [torch.stack([x[rows, columns].mean() for columns in windows(width)]) for rows in windows(height)]
    )
    torch.testing.assert_close(ours, expected)


def test_pooling_at_the_border_by_hand():
    x = torch.tensor([[[[-1.0, -2.0, -6.0]]]])
    assert SamePool2d("max", 2, 2)(x).flatten().tolist() == [-1, -6]
    assert SamePool2d("average", 2, 2)(x).flatten().tolist() == [-1.5, -6]


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5, (1, 3), (3, 1), (5, 2)])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_symmetric_padding_is_half_of_what_the_kernel_reaches(kernel_size, dilation):
    conv = conv2d(1, 1, kernel_size, dilation=dilation)
    sides = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
    assert conv.padding == tuple(dilation * (side - 1) // 2 for side in sides)
    shape = conv(torch.zeros(1, 1, 12, 12)).shape[2:]
    assert shape == tuple(12 - dilation * (side - 1) % 2 for side in sides)


def test_at_stride_one_and_odd_kernels_symmetric_and_tensorflow_are_one_layer():
    assert type(conv2d(1, 1, 3, padding="tensorflow", dilation=2)) is nn.Conv2d
    assert conv2d(1, 1, 3, padding="tensorflow", dilation=2).padding == (2, 2)
    assert isinstance(conv2d(1, 1, (3, 2), padding="tensorflow"), SameConv2d)


def test_valid_is_no_padding():
    assert conv2d(1, 1, 3, padding="valid")(torch.zeros(1, 1, 7, 7)).shape == (1, 1, 5, 5)


def test_dilation_reads_every_other_pixel():
    conv = conv2d(1, 1, 3, dilation=2, padding="valid", bias=False)
    x = torch.randn(1, 1, 5, 5)
    torch.testing.assert_close(conv(x).flatten(), (x[0, 0, ::2, ::2] * conv.weight[0, 0]).sum()[None])


def test_groups_depthwise_and_pointwise_are_parts_of_a_full_convolution():
    x = torch.randn(2, 6, 5, 5)
    grouped = conv2d(6, 4, 3, groups=2)
    halves = [
        F.conv2d(x[:, 3 * half : 3 * half + 3], grouped.weight[2 * half : 2 * half + 2], padding=1) for half in (0, 1)
    ]
    torch.testing.assert_close(grouped(x), torch.cat(halves, 1) + grouped.bias[:, None, None])
    assert parameters(grouped) == (9 * 6 // 2 + 1) * 4

    depthwise = conv2d(6, 6, 3, groups=6)
    only_third = depthwise(x * (torch.arange(6) == 2)[:, None, None]) - depthwise.bias[:, None, None]
    assert only_third[:, 2].abs().max() > 0
    assert only_third[:, [0, 1, 3, 4, 5]].abs().max() < 1e-6

    pointwise = conv2d(6, 4, 1)
    dense = F.linear(x.permute(0, 2, 3, 1), pointwise.weight[:, :, 0, 0], pointwise.bias)
    torch.testing.assert_close(pointwise(x), dense.permute(0, 3, 1, 2))


@pytest.mark.parametrize(("channels", "into", "groups"), [(6, 8, 0), (6, 8, 4), (8, 6, 4)])
def test_groups_that_do_not_divide(channels, into, groups):
    with pytest.raises(UsageError, match=f"{groups} groups cannot divide {channels} into {into} channels"):
        conv2d(channels, into, 3, groups=groups)


def test_unknown_padding_and_pooling_are_named():
    with pytest.raises(UsageError, match="tensorflow"):
        conv2d(1, 1, 3, padding="tensorflo")
    with pytest.raises(UsageError, match="'average'"):
        SamePool2d("averge", 2, 2)


def test_conv_norm_act_is_its_three_parts():
    unit = ConvNormAct(3, 8, (1, 3), stride=2, groups=1, activation="elu", norm_eps=0.1).eval()
    assert [name for name, _ in unit.named_children()] == ["conv", "norm", "act"]
    assert unit.conv.bias is None
    assert parameters(unit) == 3 * 8 * 3 + 2 * 8
    nn.init.normal_(unit.norm.running_mean)
    nn.init.uniform_(unit.norm.running_var, 0.5, 2)
    x = torch.randn(2, 3, 7, 7)
    y = F.conv2d(x, unit.conv.weight, stride=2, padding=(0, 1))
    scale = 1 / (unit.norm.running_var + 0.1).sqrt()
    y = F.elu((y - unit.norm.running_mean[:, None, None]) * scale[:, None, None])
    torch.testing.assert_close(unit(x), y)
    assert [name for name, _ in ConvNormAct(3, 8, activation=None).named_children()] == ["conv", "norm"]


@pytest.mark.parametrize("kernel", [(3, 2), (2, 5), (1, 4), (5, 1)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_tensorflow_padding_goes_by_the_kernels_own_rows_and_columns(kernel, stride):
    ours = conv2d(2, 3, kernel, stride=stride, padding="tensorflow")
    theirs = timm.layers.Conv2dSame(2, 3, kernel, stride=stride)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(1, 2, 10, 13)
    torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("unit", [ConvNormAct, ConvAct])
@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ({}, "kernel_size=(3, 3), stride=(1, 1), padding=(1, 1)"),
        ({"stride": 2}, "kernel_size=(3, 3), stride=(2, 2), padding=(1, 1)"),
        ({"dilation": 2}, "kernel_size=(3, 3), stride=(1, 1), padding=(2, 2), dilation=(2, 2)"),
        ({"groups": 2}, "kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), groups=2"),
        ({"padding": "valid"}, "kernel_size=(3, 3), stride=(1, 1)"),
        ({"kernel_size": (1, 7)}, "kernel_size=(1, 7), stride=(1, 1), padding=(0, 3)"),
    ],
    ids=str,
)
def test_options_of_a_unit_reach_its_convolution(unit, options, printed):
    built = unit(4, 6, **options)
    bias = "" if unit is ConvAct else ", bias=False"
    assert str(built.conv) == f"Conv2d(4, 6, {printed}{bias})"
    assert type(built.act) is ReLU
    assert isinstance(unit(4, 6, stride=2, padding="tensorflow").conv, SameConv2d)
    assert isinstance(unit(4, 6, activation="elu").act, nn.ELU)
    assert [name for name, _ in unit(4, 6, activation=None).named_children()][-1] == (
        "conv" if unit is ConvAct else "norm"
    )
