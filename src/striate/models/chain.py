"""Chains: convolutions and pools one after the other, dense layers on the last map, one size of image."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from striate.layers import activation as make_activation
from striate.layers import output_shape
from striate.models.convnet import ConvNet
from striate.models.heads import dense


def convolved(
    in_channels: int, width: int, kernel_size: int, *, activation: str, padding: int = 0, pool: nn.Module | None = None
) -> nn.Sequential:
    """A convolution, its activation and perhaps a pool: children conv, act, pool."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(in_channels, width, kernel_size, padding=padding), act=make_activation(activation)
    )
    if pool is not None:
        layers["pool"] = pool
    return nn.Sequential(layers)


def chain(
    blocks: Sequence[nn.Module],
    widths: Sequence[int],
    num_classes: int,
    *,
    in_channels: int,
    input_size: tuple[int, int],
    min_size: int,
    activation: str,
    dropout: float | None = None,
) -> ConvNet:
    """A network of `blocks`, the first of them its stem, and dense layers on the last block's map.

    Args:
        blocks: what is computed, in order.
        widths: of the hidden dense layers.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: (height, width) of the images; the dense layers tie the network to it.
        min_size: smallest side that the blocks can work on.
        activation: of the hidden dense layers.
        dropout: on the inputs of the hidden dense layers; None leaves the layers out.

    Raises:
        UsageError: an impossible dropout.
    """
    _, channels, height, width = output_shape(nn.Sequential(*blocks), (1, in_channels, *input_size))
    return ConvNet(
        blocks[0],
        {f"stage{number}": block for number, block in enumerate(blocks[1:], 1)},
        dense(
            (channels, height, width), widths, num_classes, dropout=dropout, dropout_on="inputs", activation=activation
        ),
        in_channels=in_channels,
        min_size=min_size,
        fixed_size=input_size,
    )
