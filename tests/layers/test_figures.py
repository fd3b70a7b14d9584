"""Each figure of a layer that lectures print: output sizes, parameters, multiplications, as our counter has them."""

import math

import pytest
import torch
from torch import nn

from striate.analysis import summary
from striate.layers import LocallyConnected2d, SeparableConv2d, conv2d, output_shape, toeplitz_of


def parameters(*modules):
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def multiply_adds(module, shape):
    return summary(module, shape).multiply_adds


@pytest.mark.parametrize(
    ("input_size", "kernel_size", "stride", "padding", "output_size"),
    [(32, 5, 1, 2, 32), (7, 3, 2, 0, 3), (7, 3, 1, 1, 7), (227, 11, 4, 0, 55), (224, 7, 2, 3, 112)],
)
def test_output_sizes(input_size, kernel_size, stride, padding, output_size):
    conv = nn.Conv2d(3, 10, kernel_size, stride, padding)
    assert output_shape(conv, (1, 3, input_size, input_size)) == (1, 10, output_size, output_size)


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 5])
def test_formula_of_the_output_size_and_the_parameters(kernel_size, stride, dilation):
    for groups in (1, 2):
        conv = conv2d(4, 6, kernel_size, stride=stride, dilation=dilation, groups=groups)
        padding = conv.padding[0]
        size = math.floor((17 + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1
        assert output_shape(conv, (1, 4, 17, 17)) == (1, 6, size, size)
        assert parameters(conv) == (kernel_size * kernel_size * 4 // groups + 1) * 6


def test_ten_filters_of_five_by_five_on_a_colour_image():
    conv = nn.Conv2d(3, 10, 5, padding=2)
    assert output_shape(conv, (1, 3, 32, 32)) == (1, 10, 32, 32)
    assert parameters(conv) == 760


@pytest.mark.parametrize("channels", [1, 3, 4, 200])
def test_any_number_of_input_channels(channels):
    """Grey, RGB, RGBA, hyperspectral."""
    assert parameters(conv2d(channels, 8, 3)) == (9 * channels + 1) * 8
    assert conv2d(channels, 8, 3)(torch.zeros(1, channels, 5, 5)).shape == (1, 8, 5, 5)


def test_fully_connected_locally_connected_convolutional():
    """A 200x200 image with 40,000 hidden units."""
    with torch.device("meta"):
        assert nn.Linear(200 * 200, 200 * 200).weight.numel() == 1_600_000_000
        assert parameters(LocallyConnected2d(1, 1, 200, 3, padding=1)) == 400_000
    assert parameters(nn.Conv2d(1, 1, 3, padding=1)) == 10


def test_separable_on_six_by_six():
    """Five 3x3 filters on 6x6x3: 4x4 outputs, 2,160 multiplications against 432 + 240."""
    full = conv2d(3, 5, 3, padding="valid", bias=False)
    separable = SeparableConv2d(3, 5, 3, padding="valid")
    assert multiply_adds(full, (3, 6, 6)) == 2_160
    assert multiply_adds(separable.depthwise, (3, 6, 6)) == 432
    assert multiply_adds(separable.pointwise, (3, 4, 4)) == 240
    assert multiply_adds(separable, (3, 6, 6)) == 672


def test_separable_on_twelve_by_twelve():
    """12x12x3 to 10x10x5: 13,500 against 2,700 + 1,500."""
    separable = SeparableConv2d(3, 5, 3, padding="valid")
    assert output_shape(separable, (1, 3, 12, 12)) == (1, 5, 10, 10)
    assert multiply_adds(conv2d(3, 5, 3, padding="valid"), (3, 12, 12)) == 13_500
    assert multiply_adds(separable.depthwise, (3, 12, 12)) == 2_700
    assert multiply_adds(separable.pointwise, (3, 10, 10)) == 1_500
    assert multiply_adds(separable, (3, 12, 12)) == 4_200


@pytest.mark.parametrize(
    ("out_channels", "kernel_size", "printed"), [(5, 3, 672 / 2_160), (1024, 3, 0.112), (64, 5, None)]
)
def test_separable_is_a_fraction_of_one_over_channels_and_one_over_area(out_channels, kernel_size, printed):
    with torch.device("meta"):
        full = conv2d(32, out_channels, kernel_size, bias=False)
        separable = SeparableConv2d(32, out_channels, kernel_size)
    ratio = multiply_adds(separable, (32, 20, 20)) / multiply_adds(full, (32, 20, 20))
    assert ratio == pytest.approx(1 / out_channels + 1 / kernel_size**2)
    assert ratio == pytest.approx(parameters(separable) / parameters(full))
    if printed is not None:
        assert ratio == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize("channels", [1, 8, 64])
def test_two_small_kernels_in_place_of_a_large_one(channels):
    """One 5x5 has 25 K^2 parameters, two 3x3 18 K^2, and both see 5x5 pixels."""
    large = nn.Conv2d(channels, channels, 5, padding=2, bias=False)
    small = nn.Sequential(*[nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2)])
    assert (parameters(large), parameters(small)) == (25 * channels**2, 18 * channels**2)
    for module in (large, small):
        assert summary(module, (channels, 9, 9)).receptive_field == (5, 5)


def saving(new, old, channels):
    return 1 - multiply_adds(new, (channels, 16, 16)) / multiply_adds(old, (channels, 16, 16))


def test_savings_where_channels_double():
    """n to 2n maps: two 3x3 in place of 5x5 save 24 %, 1x3 then 3x1 in place of 3x3 saves 30 % (29.3 %)."""
    n, between = 1000, 1414  # sqrt(2) * 1000, that the channels grow by the same factor in each layer
    with torch.device("meta"):

        def layers(*kernels):
            widths = [n, 2 * n] if len(kernels) == 1 else [n, between, 2 * n]
            pairs = zip(widths, widths[1:], kernels, strict=False)
            return nn.Sequential(*[conv2d(inputs, outputs, kernel, bias=False) for inputs, outputs, kernel in pairs])

        five, two_threes, three, row_then_column = layers(5), layers(3, 3), layers(3), layers((1, 3), (3, 1))
    assert saving(two_threes, five, n) == pytest.approx(1 - 27 / 50 * 2**0.5, abs=2e-4)
    assert saving(two_threes, five, n) == pytest.approx(0.24, abs=5e-3)
    assert saving(row_then_column, three, n) == pytest.approx(1 - 2**-0.5, abs=2e-4)
    assert saving(row_then_column, three, n) == pytest.approx(0.30, abs=1e-2)


def test_bottleneck():
    """5x5 from 192 to 32 maps on 28x28: 120 M multiplications; through 16 maps 2.4 M + 10 M = 12.4 M."""
    with torch.device("meta"):
        direct = conv2d(192, 32, 5)
        squeeze, expand = conv2d(192, 16, 1), conv2d(16, 32, 5)
    shape = (192, 28, 28)
    assert multiply_adds(direct, shape) == 28 * 28 * 25 * 192 * 32 == 120_422_400
    assert multiply_adds(squeeze, shape) == 2_408_448
    assert multiply_adds(expand, (16, 28, 28)) == 10_035_200
    assert multiply_adds(nn.Sequential(squeeze, expand), shape) == 12_443_648


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.AvgPool2d(2)])
def test_pooling_drops_three_quarters_and_has_no_parameters(pool):
    rows = summary(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), pool), (3, 32, 32)).rows
    before, after = (math.prod(row.output_shape) for row in rows)
    assert 1 - after / before == 0.75
    assert parameters(pool) == 0


def test_overlapping_pooling():
    """AlexNet's 3x3 with stride 2 on 55x55: every second row and column is seen twice."""
    x = torch.arange(55.0)[None, None, :, None].expand(1, 1, 55, 55)
    pooled = nn.MaxPool2d(3, 2)(x)
    assert pooled.shape == (1, 1, 27, 27)
    assert pooled[0, 0, :, 0].tolist() == list(range(2, 55, 2))
    assert (-nn.MaxPool2d(3, 2)(-x))[0, 0, :, 0].tolist() == list(range(0, 54, 2))


def test_gradient_and_transposed_convolution_come_from_one_matrix():
    layer = nn.Conv2d(3, 4, 3, 2, 1, bias=False).double()
    x = torch.randn(1, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(1, 4, 4, 4, dtype=torch.float64)
    (gradient,) = torch.autograd.grad(layer(x), x, upstream)
    matrix = toeplitz_of(layer, (8, 8))
    torch.testing.assert_close((matrix.T @ upstream.flatten()).reshape(1, 3, 8, 8), gradient)
    transposed = nn.functional.conv_transpose2d(upstream, layer.weight, stride=2, padding=1, output_padding=1)
    torch.testing.assert_close(gradient, transposed)
