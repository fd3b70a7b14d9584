"""Depthwise separable convolution against its dense equivalent and Keras."""

import os

import pytest
import torch
import torch.nn.functional as F

from striate.layers import SeparableConv2d


def test_it_is_one_convolution_whose_kernel_is_an_outer_product():
    layer = SeparableConv2d(4, 6, 3, stride=2, dilation=2, bias=True).double()
    kernel = layer.pointwise.weight * layer.depthwise.weight.permute(1, 0, 2, 3)  # (6, 4, 1, 1) x (1, 4, 3, 3)
    x = torch.randn(2, 4, 11, 9, dtype=torch.float64)
    expected = F.conv2d(x, kernel, layer.pointwise.bias, stride=2, dilation=2, padding=2)
    torch.testing.assert_close(layer(x), expected)


def test_no_bias_between_and_none_unless_asked():
    assert [name for name, _ in SeparableConv2d(4, 6).named_parameters()] == ["depthwise.weight", "pointwise.weight"]
    weights = sum(parameter.numel() for parameter in SeparableConv2d(32, 64, 5).parameters())
    assert weights == 25 * 32 + 32 * 64
    assert weights / (25 * 32 * 64) == pytest.approx(1 / 64 + 1 / 25)


@pytest.mark.parametrize("stride", [1, 2])
def test_it_is_kerass(stride):
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    ours = SeparableConv2d(4, 6, 3, stride=stride, bias=True, padding="tensorflow")
    theirs = keras.layers.SeparableConv2D(6, 3, stride, "same", data_format="channels_last")
    theirs.build((None, 9, 8, 4))
    depthwise, pointwise = ours.depthwise.weight, ours.pointwise.weight
    values = [depthwise.permute(2, 3, 0, 1), pointwise.permute(2, 3, 1, 0), ours.pointwise.bias]
    theirs.set_weights([value.detach().numpy() for value in values])
    x = torch.randn(2, 4, 9, 8)
    y = torch.as_tensor(theirs(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
    torch.testing.assert_close(ours(x), y, atol=1e-5, rtol=1e-5)
