"""Rounding of scaled channels and depths against the functions of torchvision."""

import math

import pytest
import torch
from torchvision.models._utils import _make_divisible
from torchvision.models.efficientnet import MBConvConfig

from striate.errors import UsageError
from striate.layers import ChannelShuffle, round_channels, round_depth
from striate.layers.rounding import check_factor, check_fraction


@pytest.mark.parametrize("width", [0.25, 0.35, 0.5, 0.75, 1.0, 1.1, 1.2, 1.3, 1.4, 1.8, 3.1])
def test_channels_are_torchvisions(width):
    for channels in (3, 16, 24, 32, 40, 80, 112, 320, 1280):
        assert round_channels(channels, width) == _make_divisible(channels * width, 8)


def test_channels_to_the_whole():
    assert [round_channels(32, width, 1) for width in (0.25, 0.3, 0.75, 1.01, 0.001)] == [8, 10, 24, 32, 1]


@pytest.mark.parametrize("depth", [0.5, 1.0, 1.1, 1.2, 1.4, 1.8, 2.2, 2.6, 3.1])
def test_depth_is_torchvisions(depth):
    assert [round_depth(n, depth) for n in range(1, 5)] == [MBConvConfig.adjust_depth(n, depth) for n in range(1, 5)]


def test_depth_makes_no_block_of_float_dust():
    assert math.ceil(25 * 2.2) == 56
    assert round_depth(25, 2.2) == 55


@pytest.mark.parametrize("value", [0, -1, 9, math.nan])
def test_a_factor_out_of_range_is_named(value):
    with pytest.raises(UsageError, match="width is"):
        check_factor("width", value)


@pytest.mark.parametrize("value", [1, -0.1, math.nan])
def test_a_fraction_out_of_range_is_named(value):
    with pytest.raises(UsageError, match="dropout is"):
        check_fraction("dropout", value)


@pytest.mark.parametrize("groups", [1, 2, 3, 4])
def test_shuffle_is_torchs(groups):
    x = torch.randn(2, 24, 3, 5)
    assert torch.equal(ChannelShuffle(groups)(x), torch.nn.ChannelShuffle(groups)(x))


def test_shuffle_deals_the_groups_out_in_turn():
    x = torch.arange(6.0).reshape(1, 6, 1, 1)
    assert ChannelShuffle(2)(x).flatten().tolist() == [0, 3, 1, 4, 2, 5]


def test_the_bounds_themselves():
    check_factor("width", 8)
    check_factor("depth", 3, most=3)
    with pytest.raises(UsageError, match=r"depth is 3\.1; a multiplier above 0 and up to 3 is needed"):
        check_factor("depth", 3.1, most=3)
    with pytest.raises(UsageError, match="up to 8 is"):
        check_factor("width", 8.1)
    check_fraction("dropout", 0)
