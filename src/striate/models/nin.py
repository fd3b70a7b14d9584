"""Network in Network: each convolution is a small network, and the maps are averaged (Lin et al., 2013).

arXiv:1312.4400. An mlpconv layer is a convolution and two 1x1 convolutions, rectified each; the last one has a map per
class, whose average is the logit (rectified too). The paper draws its networks without numbers; these rows are the
authors' published Caffe models: `nin` for ImageNet (four mlpconv layers) and `nin_cifar` (three). Pools count an
incomplete last window, as in Caffe.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from striate.layers import activation as make_activation
from striate.layers.initialise import first_weights_
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.heads import convolutional, dropout_layer
from striate.models.stem import stem_for
from striate.weights import CIFAR10, count, errors

PAPER = Paper("Network in network", "Lin, Chen and Yan", 2013, "1312.4400")


@dataclass(frozen=True)
class MlpConv:
    """Maps, kernel, stride and padding of the convolution; maps of the 1x1 ones; what follows.

    The last 1x1 of a network is its classifier and stands in the head, so the last row has one less.
    """

    filters: int
    kernel: int
    stride: int
    padding: int
    pointwise: tuple[int, ...]
    pool: str | None = None
    dropout: bool = False


ROWS = {
    "nin": (
        MlpConv(96, 11, 4, 0, (96, 96), "max"),
        MlpConv(256, 5, 1, 2, (256, 256), "max"),
        MlpConv(384, 3, 1, 1, (384, 384), "max", dropout=True),
        MlpConv(1024, 3, 1, 1, (1024,)),
    ),
    "nin_cifar": (
        MlpConv(192, 5, 1, 2, (160, 96), "max", dropout=True),
        MlpConv(192, 5, 1, 2, (192, 192), "average", dropout=True),
        MlpConv(192, 3, 1, 1, (192,)),
    ),
}
#: The first row of `nin` in its small stem.
SMALL = MlpConv(96, 5, 1, 2, (96, 96), "max")


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    dropout: float = 0.5,
    stem: str | None = None,
    activation: str = "relu",
) -> ConvNet:
    """Assemble one of `ROWS`.

    Args:
        name: the rows.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        dropout: behind the pools that have it.
        stem: "paper"; "small" gives `nin` a first convolution of 5x5 with stride 1 in place of 11x11 with stride 4.
            `nin_cifar` is made for small images and has but one.
        activation: name of the activation function.
    """
    rows = ROWS[name]
    stem = stem_for(input_size, stem)
    if name == "nin" and stem == "small":
        rows = (SMALL, *rows[1:])
    channels, stages = in_channels, []
    for row in rows:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        layers["conv"] = nn.Conv2d(channels, row.filters, row.kernel, stride=row.stride, padding=row.padding)
        layers["act"] = make_activation(activation)
        channels = row.filters
        for number, maps in enumerate(row.pointwise, 1):
            layers[f"mlp{number}"] = nn.Conv2d(channels, maps, 1)
            layers[f"act{number}"] = make_activation(activation)
            channels = maps
        if row.pool is not None:
            pool = nn.MaxPool2d if row.pool == "max" else nn.AvgPool2d
            layers["pool"] = pool(3, stride=2, ceil_mode=True)
        if row.dropout:
            layers["dropout"] = dropout_layer(dropout)
        stages.append(nn.Sequential(layers))
    card = next(card for card in FAMILY.cards if card.name == name)
    model = ConvNet(
        stages[0],
        {f"stage{number}": stage for number, stage in enumerate(stages[1:], 2)},
        convolutional(channels, num_classes, dropout=None, activation=activation),
        in_channels=in_channels,
        min_size=card.smallest(stem),
    )
    first_weights_(model, "he")
    return model


INIT = "First weights by He's rule, not the authors' Gaussians."
FAMILY = Family(
    "nin",
    build,
    (
        Card(
            name="nin",
            family="nin",
            paper=PAPER,
            introduces="1x1 convolutions, and global average pooling in place of dense layers.",
            input_size=224,
            parameters=7_595_176,
            min_size=39,
            small_min_size=8,
            published=(
                count("bytes", "29 M", source="authors' file"),
                *errors(40.64, source="authors' file"),
            ),
            deviations=(
                "The paper has no numbers for ImageNet: this is the authors' Caffe model.",
                INIT,
                "With input_size of 64 pixels or less the first convolution is 5x5 with stride 1.",
            ),
            aliases=("nin_imagenet", "network_in_network"),
        ),
        Card(
            name="nin_cifar",
            family="nin",
            paper=PAPER,
            introduces="1x1 convolutions, and global average pooling in place of dense layers.",
            input_size=32,
            parameters=966_986,
            min_size=4,
            num_classes=10,
            published=(
                *errors(10.41, data=CIFAR10, input_size=32),
                *errors(8.81, data=CIFAR10, input_size=32, note="with augmentation"),
            ),
            deviations=("The paper draws it without numbers: this is the authors' Caffe model.", INIT),
            aliases=("nin_cifar10",),
        ),
    ),
)
