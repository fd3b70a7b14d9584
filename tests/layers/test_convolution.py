"""Cross-correlation and true convolution against SciPy and torch."""

import numpy as np
import pytest
import scipy.signal
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from striate.errors import UsageError
from striate.layers import TrueConv1d, TrueConv2d, convolve, cross_correlate


def random(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def test_one_dimension_by_hand():
    x = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    kernel = torch.tensor([[[1.0, 0.0, -2.0]]])
    assert cross_correlate(x, kernel).flatten().tolist() == [1 - 6, 2 - 8]
    assert convolve(x, kernel).flatten().tolist() == [3 - 2, 4 - 4]
    assert convolve(x, kernel, padding=2).flatten().tolist() == np.convolve([1, 2, 3, 4], [1, 0, -2]).tolist()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 5), st.integers(1, 5))
def test_full_convolution_and_correlation_are_scipys(height, width, rows, columns):
    x, kernel = random(1, 1, height, width), random(1, 1, rows, columns)
    padding = (rows - 1, columns - 1)
    image, small = x[0, 0].numpy(), kernel[0, 0].numpy()
    np.testing.assert_allclose(
        convolve(x, kernel, padding=padding)[0, 0], scipy.signal.convolve2d(image, small), atol=1e-12
    )
    np.testing.assert_allclose(
        cross_correlate(x, kernel, padding=padding)[0, 0], scipy.signal.correlate2d(image, small), atol=1e-12
    )
    np.testing.assert_allclose(
        convolve(x[:, :, 0], kernel[:, :, 0], padding=columns - 1)[0, 0],
        scipy.signal.convolve(image[0], small[0]),
        atol=1e-12,
    )


def test_channels_add_up_and_filters_stand_side_by_side():
    x, kernel, bias = random(2, 4, 9, 8), random(3, 4, 3, 3), random(3)
    y = convolve(x, kernel, bias)
    for image in range(2):
        for out in range(3):
            planes = [
                scipy.signal.convolve2d(x[image, channel].numpy(), kernel[out, channel].numpy(), mode="valid")
                for channel in range(4)
            ]
            np.testing.assert_allclose(y[image, out], sum(planes) + bias[out].item(), atol=1e-12)


def test_stride_dilation_and_groups_are_torchs():
    x, kernel = random(2, 6, 13, 11), random(4, 3, 3, 2)
    options = {"stride": (2, 1), "padding": (1, 2), "dilation": (2, 3), "groups": 2}
    torch.testing.assert_close(cross_correlate(x, kernel, **options), F.conv2d(x, kernel, **options))
    torch.testing.assert_close(convolve(x, kernel, **options), F.conv2d(x, kernel.flip(2, 3), **options))
    assert not torch.allclose(convolve(x, kernel, **options), cross_correlate(x, kernel, **options))


@pytest.mark.parametrize(
    ("ours", "theirs", "shape"), [(TrueConv1d, nn.Conv1d, (2, 4, 9)), (TrueConv2d, nn.Conv2d, (2, 4, 9, 9))]
)
def test_layers_are_torchs_with_the_kernel_flipped(ours, theirs, shape):
    layer = ours(4, 6, 3, stride=2, padding=1, groups=2).double()
    other = theirs(4, 6, 3, stride=2, padding=1, groups=2).double()
    other.load_state_dict({"weight": layer.weight.flip(*range(2, len(shape))), "bias": layer.bias})
    x = random(*shape)
    torch.testing.assert_close(layer(x), other(x))
    layer(x).square().sum().backward()
    other(x).square().sum().backward()
    torch.testing.assert_close(layer.weight.grad.flip(*range(2, len(shape))), other.weight.grad)


@pytest.mark.parametrize(
    ("x", "kernel", "said"),
    [
        ((1, 2, 5, 5), (1, 3, 3, 3), "kernel of shape (1, 3, 3, 3)"),
        ((1, 2, 5, 5), (1, 2, 7, 7), "kernel of shape (1, 2, 7, 7)"),
        ((1, 2, 5), (1, 2, 3, 3), "an input of shape (1, 2, 5)"),
        ((5, 5), (3, 3), "a kernel of shape (3, 3)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(x, kernel, said):
    with pytest.raises(UsageError) as error:
        convolve(torch.zeros(x), torch.zeros(kernel))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
