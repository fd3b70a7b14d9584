"""Shapes that are told at once against those of real tensors."""

import itertools

import pytest
import torch
from torch import nn

from striate.analysis import summary
from striate.errors import StriateError

POOLS = [
    kind(kernel, stride, padding, ceil_mode=ceil_mode)
    for kind, kernel, stride, padding, ceil_mode in itertools.product(
        (nn.MaxPool2d, nn.AvgPool2d), (2, 3, (3, 2)), (None, 1, (2, 3)), (0, 1), (False, True)
    )
]
CONVOLUTIONS = [
    nn.Conv2d(4, 6, (3, 2), stride, padding, dilation, groups)
    for stride, padding, dilation, groups in itertools.product((1, (2, 3)), (0, (2, 1)), (1, 2), (1, 2))
]


@pytest.mark.parametrize("layer", [*POOLS, *CONVOLUTIONS, nn.MaxPool2d(3, 2, dilation=2)], ids=str)
def test_windows_give_the_shapes_of_real_tensors(layer: nn.Module) -> None:
    for height, width in ((7, 8), (10, 9), (11, 13)):
        result = summary(layer, (2, 4, height, width))
        assert result.root.output_shape == tuple(layer(torch.rand(2, 4, height, width)).shape)


@pytest.mark.parametrize(
    ("layer", "shape"), [(nn.MaxPool2d(3), (4, 2, 2)), (nn.AvgPool2d(3), (4, 2, 2)), (nn.Conv2d(4, 2, 5), (4, 3, 3))]
)
def test_too_small_a_map_is_still_pytorchs_error(layer: nn.Module, shape: tuple[int, ...]) -> None:
    with pytest.raises(StriateError, match=r"small|size"):
        summary(layer, shape)
