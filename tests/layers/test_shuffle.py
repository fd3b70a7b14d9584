"""The channel shuffle, dealt out by hand and against PyTorch's own."""

import pytest
import torch
from torch import nn

from striate.layers import ChannelShuffle


def test_channels_of_each_group_are_dealt_out_in_turn():
    x = torch.arange(6.0).view(1, 6, 1, 1)
    assert ChannelShuffle(2)(x).flatten().tolist() == [0, 3, 1, 4, 2, 5]
    assert ChannelShuffle(3)(x).flatten().tolist() == [0, 2, 4, 1, 3, 5]


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 12])
def test_the_shuffle_is_pytorchs(groups):
    x = torch.randn(2, 12, 3, 5)
    assert torch.equal(ChannelShuffle(groups)(x), nn.ChannelShuffle(groups)(x))
