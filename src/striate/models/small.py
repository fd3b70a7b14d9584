"""Small networks for small images, striate's own, after ResNet-9 (Page, 2018, "How to train your ResNet").

Page's network learns CIFAR-10 in seconds on a GPU. These rows keep its plan (one convolution per stage, a residual
pair where it pays, a global maximum before the classifier) and change what a processor core minds: each stage pools
before its convolution and not after, so that none works at a resolution which is then thrown away (a stride would do
the same, but the gradient of a strided convolution takes three times as long), and widths are multiples of 16, the
grain of the matrix units.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from striate.layers import ConvNormAct
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.heads import pooled

PAPER = Paper("How to train your ResNet (myrtle.ai)", "Page", 2018)

#: Stem: width, kernel, stride. Stages, each at half the resolution: width, and whether a residual pair follows.
ROWS: dict[str, tuple[tuple[int, int, int], tuple[tuple[int, bool], ...]]] = {
    "striate_s": ((16, 5, 2), ((32, True), (64, False))),
    "striate_m": ((32, 5, 2), ((64, True), (128, False))),
    "striate_l": ((16, 3, 1), ((32, True), (64, True), (128, True))),
}


class ResidualPair(nn.Module):
    """x + two convolutions of x, each with its norm and activation; nothing after the sum."""

    def __init__(self, channels: int, activation: str) -> None:
        super().__init__()
        self.first = ConvNormAct(channels, channels, activation=activation)
        self.second = ConvNormAct(channels, channels, activation=activation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return x + self.second(self.first(x))


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    activation: str = "relu",
) -> ConvNet:
    """Assemble one row of `ROWS`; any size of image goes.

    Args:
        name: the row.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: taken for the record.
        activation: name of the activation function.
    """
    (channels, kernel, stride), rows = ROWS[name]
    stem = ConvNormAct(in_channels, channels, kernel, stride=stride, activation=activation)
    stages = {}
    for number, (width, residual) in enumerate(rows, 1):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        layers["pool"] = nn.MaxPool2d(2)
        layers["conv"] = ConvNormAct(channels, width, activation=activation)
        if residual:
            layers["pair"] = ResidualPair(width, activation)
        stages[f"stage{number}"] = nn.Sequential(layers)
        channels = width
    head = pooled(channels, num_classes, pool=nn.AdaptiveMaxPool2d)
    return ConvNet(stem, stages, head, in_channels=in_channels, min_size=stride * 2 ** len(rows) - stride + 1)


def _card(name: str, parameters: int, introduces: str, in_channels: int, input_size: int, min_size: int) -> Card:
    return Card(
        name=name,
        family="small",
        paper=PAPER,
        introduces=introduces,
        input_size=input_size,
        parameters=parameters,
        num_classes=10,
        in_channels=in_channels,
        min_size=min_size,
        deviations=("Not Page's network: pools before convolutions, other widths, no scaling of the logits.",),
    )


FAMILY = Family(
    "small",
    build,
    (
        _card("striate_s", 42_874, "99 % on MNIST in seconds on two processor cores.", 1, 28, 7),
        _card("striate_m", 168_682, "The same, wider: 99.6 % on MNIST.", 1, 28, 7),
        _card("striate_l", 486_938, "For colour images of 32x32 pixels.", 3, 32, 8),
    ),
)
