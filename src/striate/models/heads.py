"""Heads that networks share: dense layers on the whole map or, since Network in Network, a pool and one layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from striate.errors import UsageError, unknown
from striate.layers.activation import activation as make_activation


def pooled(
    channels: int, num_classes: int, *, pool: type[nn.Module] = nn.AdaptiveAvgPool2d, dropout: float | None = None
) -> dict[str, nn.Module]:
    """Children of a head: (N, channels, H, W) -> (N, num_classes) (Lin et al., 2013, arXiv:1312.4400, section 3.2).

    Args:
        channels: of the last feature map.
        num_classes: outputs.
        pool: an adaptive pool.
        dropout: before the classifier; None leaves the layer out.
    """
    head: dict[str, nn.Module] = {"pool": pool(1), "flatten": nn.Flatten()}  # (N, C, 1, 1) -> (N, C)
    if dropout is not None:
        head["dropout"] = nn.Dropout(dropout)
    return head | {"classifier": nn.Linear(channels, num_classes)}


#: Which side of a dense layer is dropped while training: its outputs, or its inputs.
DROPOUT_ON = ("outputs", "inputs")


def dense(
    shape: tuple[int, int, int],
    widths: Sequence[int],
    num_classes: int,
    *,
    pool: int | None = None,
    dropout: float | None = 0.5,
    dropout_on: str = "outputs",
    activation: str = "relu",
) -> dict[str, nn.Module]:
    """Children of a head of dense layers on the whole map: (N, C, H, W) -> (N, num_classes).

    Args:
        shape: (C, H, W) of the last feature map.
        widths: of the hidden dense layers.
        num_classes: outputs.
        pool: side to which the map is first averaged, whatever its size; None takes the map as it is.
        dropout: on every hidden layer, a fraction; None leaves the layers out.
        dropout_on: one of `DROPOUT_ON`.
        activation: of the hidden layers.

    Raises:
        UsageError: an impossible pool or dropout.
    """
    if dropout_on not in DROPOUT_ON:
        raise unknown("dropout_on", dropout_on, DROPOUT_ON)
    if pool is not None and pool < 1:
        raise UsageError(f"pool is {pool}; the side of the averaged map must be at least 1")
    channels, height, width = shape
    head: dict[str, nn.Module] = {}
    if pool is not None:
        height = width = pool
        head["pool"] = nn.AdaptiveAvgPool2d((pool, pool))
    head["flatten"] = nn.Flatten()  # (N, C, H, W) -> (N, C * H * W)
    inputs = channels * height * width
    for number, outputs in enumerate(widths, 1):
        if dropout is not None and dropout_on == "inputs":
            head[f"dropout{number}"] = dropout_layer(dropout)
        head[f"dense{number}"] = nn.Linear(inputs, outputs)
        head[f"act{number}"] = make_activation(activation)
        if dropout is not None and dropout_on == "outputs":
            head[f"dropout{number}"] = dropout_layer(dropout)
        inputs = outputs
    return head | {"classifier": nn.Linear(inputs, num_classes)}


def convolutional(channels: int, num_classes: int, *, dropout: float | None, activation: str) -> dict[str, nn.Module]:
    """Children of a head whose last layer is a 1x1 convolution: (N, channels, H, W) -> (N, num_classes).

    One map per class, rectified, then averaged (Lin et al., 2013, arXiv:1312.4400, section 3.2).

    Args:
        channels: of the last feature map.
        num_classes: outputs.
        dropout: before the classifier; None leaves the layer out.
        activation: of the class maps.
    """
    head: dict[str, nn.Module] = {}
    if dropout is not None:
        head["dropout"] = dropout_layer(dropout)
    return head | {
        "classifier": nn.Conv2d(channels, num_classes, 1),
        "act": make_activation(activation),
        "pool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),  # (N, classes, 1, 1) -> (N, classes)
    }


def dropout_layer(probability: float) -> nn.Dropout:
    """Dropout, never in place.

    Raises:
        UsageError: the probability is not a fraction.
    """
    if not 0 <= probability < 1:
        raise UsageError(f"dropout is {probability}; a fraction from 0 up to 1 is needed")
    return nn.Dropout(probability)
