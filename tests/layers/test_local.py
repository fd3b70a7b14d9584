"""Locally connected layers against convolutions and a loop over positions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from striate.analysis import summary
from striate.errors import UsageError
from striate.layers import LocallyConnected1d, LocallyConnected2d


def random(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([1, 2]), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.booleans()
)
def test_equal_weights_at_all_positions_make_a_convolution(axes, channels, kernel_size, stride, padding, bias):
    size, filters = (8, 6)[:axes], 4
    conv = (nn.Conv1d, nn.Conv2d)[axes - 1](channels, filters, kernel_size, stride, padding, bias=bias).double()
    make = (LocallyConnected1d, LocallyConnected2d)[axes - 1]
    where = size[0] if axes == 1 else size
    layer = make(channels, filters, where, kernel_size, stride=stride, padding=padding, bias=bias).double()
    with torch.no_grad():
        layer.weight.copy_(conv.weight)
        if bias:
            layer.bias.copy_(conv.bias)
    x = random(3, channels, *size)
    y = conv(x)
    assert layer.output_size == tuple(y.shape[2:])
    torch.testing.assert_close(layer(x), y)
    assert parameters(layer) == parameters(conv) * y[0, 0].numel()


def test_each_position_has_weights_of_its_own():
    layer = LocallyConnected2d(2, 3, (5, 7), (3, 2), stride=(1, 2), padding=(1, 0)).double()
    x = random(2, 2, 5, 7)
    y = layer(x)
    padded = nn.functional.pad(x, (0, 0, 1, 1))
    assert y.shape == (2, 3, 5, 3)
    for row in range(5):
        for column in range(3):
            window = padded[:, :, row : row + 3, 2 * column : 2 * column + 2]
            expected = torch.einsum("nchw,ochw->no", window, layer.weight[row, column]) + layer.bias[row, column]
            torch.testing.assert_close(y[:, :, row, column], expected)


def test_gradients():
    layer = LocallyConnected1d(2, 2, 5, 3, stride=2, padding=1).double()
    x = random(2, 2, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (x, layer.weight, layer.bias))


def test_first_weights_are_a_convolutions():
    layer = LocallyConnected2d(4, 8, 10, 5)
    bound = 1 / 10  # 4 * 5 * 5 inputs
    for parameter in layer.parameters():
        assert bound * 0.95 < parameter.abs().max() <= bound


def test_two_hundred_pixels_square():
    """Fully connected 1.6 billion, locally connected 400,000, convolutional 10."""
    with torch.device("meta"):
        dense = nn.Linear(200 * 200, 40_000)
        local = LocallyConnected2d(1, 1, 200, 3, padding=1)
    assert dense.weight.numel() == 1_600_000_000
    assert parameters(local) == 400_000
    assert parameters(nn.Conv2d(1, 1, 3, padding=1)) == 10


def test_summary_counts_it():
    row = summary(LocallyConnected2d(3, 4, 8, 3), (3, 8, 8))
    assert row.multiply_adds == 6 * 6 * 4 * 27
    assert row.parameters == 6 * 6 * 4 * 28


def test_impossible_sizes_and_inputs():
    with pytest.raises(UsageError, match=r"\(9, 9\) does not fit into \(8, 8\)"):
        LocallyConnected2d(1, 1, 8, 9)
    with pytest.raises(UsageError, match="at least 1"):
        LocallyConnected2d(1, 1, 8, 3, stride=0)
    with pytest.raises(UsageError, match="padding 0"):
        LocallyConnected2d(1, 1, 8, 3, padding=-1)
    with pytest.raises(UsageError, match=r"\(N, 1, 8, 8\) was given \(2, 1, 9, 9\)"):
        LocallyConnected2d(1, 1, 8, 3)(torch.zeros(2, 1, 9, 9))


@pytest.mark.parametrize(
    "numbers",
    [
        {"in_channels": 0},
        {"out_channels": 0},
        {"kernel_size": (0, 3)},
        {"kernel_size": (3, 0)},
        {"stride": (0, 1)},
        {"stride": (1, 0)},
        {"padding": (-1, 0)},
        {"padding": (0, -1)},
    ],
    ids=str,
)
def test_each_number_has_its_least(numbers):
    usual = {"in_channels": 1, "out_channels": 1, "input_size": 8, "kernel_size": 3}
    with pytest.raises(UsageError, match="at least 1, padding 0"):
        LocallyConnected2d(**usual | numbers)


@pytest.mark.parametrize("shape", [(2, 1, 8, 7), (2, 1, 7, 8), (2, 2, 8, 8), (1, 8, 8), (2, 1, 8, 8, 1)])
def test_an_input_of_another_shape_is_named(shape):
    with pytest.raises(UsageError, match=r"\(N, 1, 8, 8\) was given"):
        LocallyConnected2d(1, 1, 8, 3)(torch.zeros(shape))


def test_a_kernel_may_just_fit_in_either_direction():
    assert LocallyConnected2d(1, 1, (8, 3), (8, 3)).output_size == (1, 1)
    for kernel in ((9, 3), (8, 4)):
        with pytest.raises(UsageError, match="does not fit"):
            LocallyConnected2d(1, 1, (8, 3), kernel)
