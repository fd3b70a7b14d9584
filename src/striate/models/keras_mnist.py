"""Keras's first network for MNIST: 32, 64, 64 convolutions and a dense layer (Chollet, 2017)."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from striate.layers import activation as make_activation
from striate.layers import output_shape, xavier_uniform_
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet

PAPER = Paper("Deep Learning with Python, section 5.1", "Chollet", 2017)

#: Filters of the 3x3 convolutions, then the width of the dense layer.
WIDTHS = {"keras_mnist": ((32, 64, 64), 64)}


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    activation: str = "relu",
) -> ConvNet:
    """Unpadded 3x3 convolutions, a 2x2 max-pool after all but the last, for `input_size` (28x28)."""
    filters, dense = WIDTHS[name]
    size = input_size or (28, 28)
    blocks: list[nn.Module] = []
    for channels, width in zip((in_channels, *filters), filters, strict=False):
        block: OrderedDict[str, nn.Module] = OrderedDict(
            conv=nn.Conv2d(channels, width, 3), act=make_activation(activation)
        )
        if len(blocks) < len(filters) - 1:
            block["pool"] = nn.MaxPool2d(2)
        blocks.append(nn.Sequential(block))
    _, channels, height, width = output_shape(nn.Sequential(*blocks), (1, in_channels, *size))
    head = {
        "flatten": nn.Flatten(),  # (N, 64, 3, 3) -> (N, 576)
        "dense": nn.Linear(channels * height * width, dense),
        "act": make_activation(activation),
        "classifier": nn.Linear(dense, num_classes),
    }
    stages = {f"stage{i}": block for i, block in enumerate(blocks[1:], 1)}
    model = ConvNet(blocks[0], stages, head, in_channels=in_channels, min_size=18, fixed_size=size)
    xavier_uniform_(model)
    return model


FAMILY = Family(
    "keras_mnist",
    build,
    (
        Card(
            name="keras_mnist",
            family="keras_mnist",
            paper=PAPER,
            introduces="The small network that shows convolutions beating a dense network on digits.",
            input_size=28,
            parameters=93_322,
            min_size=18,
            num_classes=10,
            in_channels=1,
            fixed_size=True,
            published={"parameters": "93,322", "top1_error": "0.9 (MNIST, 5 epochs)"},
            aliases=("keras_mnist_convnet",),
        ),
    ),
)
