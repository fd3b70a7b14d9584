"""A convolution's matrix against the layer, its transposed layer and autograd."""

import sys

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from striate.errors import UsageError
from striate.layers import TrueConv1d, TrueConv2d, conv2d, toeplitz, toeplitz_of


def random(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def vec(x):
    """(N, C, ...) -> (C * ..., N): an image a column."""
    return x.flatten(1).T


def test_one_dimension_by_hand():
    matrix = toeplitz(torch.tensor([[[1.0, 2.0, 3.0]]]), (4,), padding=1)
    assert matrix.is_sparse
    assert matrix.to_dense().tolist() == [[2, 3, 0, 0], [1, 2, 3, 0], [0, 1, 2, 3], [0, 0, 1, 2]]


def test_two_dimensions_by_hand():
    matrix = toeplitz(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), (2, 3))
    assert matrix.to_dense().tolist() == [[1, 2, 0, 3, 4, 0], [0, 1, 2, 0, 3, 4]]


def test_several_channels_are_blocks_and_groups_a_block_diagonal():
    full = toeplitz(torch.ones(2, 2, 1), (3,)).to_dense()
    assert torch.equal(full, torch.eye(3).repeat(2, 2))
    grouped = toeplitz(torch.ones(2, 1, 1), (3,), groups=2).to_dense()
    assert torch.equal(grouped, torch.eye(6))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_matrix_is_the_layer_and_its_transpose_the_transposed_layer_and_the_gradient(data):
    axes = data.draw(st.sampled_from([1, 2]))
    numbers = lambda low, high: tuple(data.draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes)))  # noqa: E731
    groups = data.draw(st.sampled_from([1, 1, 2, 3]))
    in_channels, out_channels = groups * data.draw(st.integers(1, 2)), groups * data.draw(st.integers(1, 2))
    size, kernel, stride, padding, dilation = numbers(1, 7), numbers(1, 4), numbers(1, 3), numbers(0, 3), numbers(1, 3)
    assume(all(n + 2 * p >= d * (k - 1) + 1 for n, k, p, d in zip(size, kernel, padding, dilation, strict=True)))
    make = (nn.Conv1d, nn.Conv2d)[axes - 1]
    layer = make(in_channels, out_channels, kernel, stride, padding, dilation, groups).double()

    x = random(2, in_channels, *size).requires_grad_()
    matrix = toeplitz_of(layer, size)
    y = layer(x)
    positions = y[0, 0].numel()
    assert matrix.shape == (y[0].numel(), x[0].numel())
    bias = layer.bias.repeat_interleave(positions)[:, None]
    torch.testing.assert_close(matrix @ vec(x) + bias, vec(y))

    upstream = random(*y.shape)
    (gradient,) = torch.autograd.grad(y, x, upstream)
    back = matrix.T @ vec(upstream)
    torch.testing.assert_close(back, vec(gradient))

    # torch's transposed layer forgets input rows that no window reaches; output_padding gives them back
    short = tuple(
        n - ((o - 1) * s - 2 * p + d * (k - 1) + 1)
        for n, o, k, s, p, d in zip(size, y.shape[2:], kernel, stride, padding, dilation, strict=True)
    )
    if all(0 <= missing < max(s, d) for missing, s, d in zip(short, stride, dilation, strict=True)):
        transposed = (F.conv_transpose1d, F.conv_transpose2d)[axes - 1]
        theirs = transposed(upstream, layer.weight, None, stride, padding, short, groups, dilation)
        torch.testing.assert_close(back, vec(theirs))


@pytest.mark.parametrize("mode", ["circular", "reflect", "replicate"])
@pytest.mark.parametrize("axes", [1, 2])
def test_padding_that_repeats_pixels_has_a_matrix_too(mode, axes):
    make = (nn.Conv1d, nn.Conv2d)[axes - 1]
    layer = make(2, 3, 4, padding=2, bias=False, padding_mode=mode).double()
    x = random(2, 2, *(5, 4)[:axes])
    torch.testing.assert_close(toeplitz_of(layer, x.shape[2:]) @ vec(x), vec(layer(x)))


def test_asymmetric_padding_and_flipped_kernels():
    x = random(1, 2, 7, 8)
    layers = [
        nn.Conv2d(2, 3, (4, 3), padding="same", bias=False),
        conv2d(2, 3, 3, stride=2, padding="tensorflow", bias=False),
        TrueConv2d(2, 3, 3, stride=2, bias=False),
    ]
    for layer in layers:
        torch.testing.assert_close(toeplitz_of(layer.double(), (7, 8)) @ vec(x), vec(layer(x)))
    layer = TrueConv1d(2, 1, 3, bias=False).double()
    torch.testing.assert_close(toeplitz_of(layer, (8,)) @ vec(x[:, :, 0]), vec(layer(x[:, :, 0])))


def test_it_is_sparse():
    matrix = toeplitz(torch.ones(1, 1, 3, 3), (50, 50))
    assert matrix.shape == (48 * 48, 50 * 50)
    assert matrix._nnz() == 48 * 48 * 9


@pytest.mark.parametrize(
    ("weight", "size", "options", "said"),
    [
        ((64, 64, 3, 3), (224, 224), {"padding": 1}, "1,849,688,064 values (36,864 weights at 50,176 positions)"),
        ((1, 1, 5), (4,), {}, "reaches over 5 values does not fit into 4"),
        ((1, 1, 3, 3), (4,), {}, "goes with a size (L,)"),
        ((3, 1, 3), (4,), {"groups": 2}, "2 groups cannot divide 3"),
        ((1, 1, 3), (4,), {"stride": 0}, "at least 1"),
        ((1, 1, 3), (4,), {"padding": 4, "padding_mode": "reflect"}, "padding (4, 4) of 4 values"),
        ((1, 1, 3), (4,), {"padding_mode": "mirror"}, "'mirror'; known are zeros"),
    ],
)
def test_impossible_matrices(weight, size, options, said):
    with pytest.raises(UsageError) as error:
        toeplitz(torch.zeros(weight), size, **options)
    assert said in str(error.value)


def test_other_layers_have_no_such_matrix():
    with pytest.raises(UsageError, match="not for Linear"):
        toeplitz_of(nn.Linear(2, 2), (3,))


@pytest.mark.parametrize(
    "options",
    [{"stride": (1, 0)}, {"stride": (0, 1)}, {"dilation": (0, 1)}, {"dilation": (1, 0)}, {"padding": (0, -1)},
     {"padding": [(0, 0), (-1, 0)]}, {"padding": [(0, -1), (0, 0)]}],
    ids=str,
)  # fmt: skip
def test_each_number_of_each_axis_has_its_least(options):
    with pytest.raises(UsageError, match="at least 1, padding at least 0"):
        toeplitz(torch.zeros(1, 1, 2, 2), (4, 4), **options)


@pytest.mark.parametrize(("size", "kernel"), [((0, 4), (2, 2)), ((4, 0), (2, 2)), ((4, 4), (0, 2))])
def test_sizes_and_kernels_have_values(size, kernel):
    with pytest.raises(UsageError, match="must be at least 1"):
        toeplitz(torch.zeros(1, 1, *kernel), size)


def test_no_groups_cannot_divide_and_three_axes_have_no_matrix():
    with pytest.raises(UsageError, match="0 groups cannot divide 2"):
        toeplitz(torch.zeros(2, 1, 3), (4,), groups=0)
    with pytest.raises(UsageError, match="goes with a size"):
        toeplitz(torch.zeros(1, 1, 2, 2, 2), (4, 4, 4))


def test_a_matrix_of_the_most_values_is_built_and_one_more_is_not(monkeypatch):
    """Three weights at four places."""
    monkeypatch.setattr(sys.modules[toeplitz.__module__], "MOST_VALUES", 12)
    assert toeplitz(torch.ones(1, 1, 3), (6,))._nnz() == 12
    with pytest.raises(UsageError, match=r"15 values \(3 weights at 5 positions\), more than 12"):
        toeplitz(torch.ones(1, 1, 3), (7,))
