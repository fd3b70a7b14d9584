"""The network of a course's CIFAR-100 exercise: 3x3 convolutions factorised into 1x3 and 3x1, 32 and then 128 wide.

A ConvBlock is twice (1x3 convolution, batch norm, ReLU, 3x1 convolution, batch norm, ReLU), after Szegedy et al.
(2015, "Rethinking the Inception architecture for computer vision", arXiv:1512.00567, section 3.2). Sub is a 3x3
convolution of stride 2, batch norm, ReLU. Two blocks of 32, Sub, two of 128, Sub, average pool, 100 classes. What the
exercise compares (no batch norm, dropout of 0.5) and other ways to halve a map are options.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from striate.errors import unknown
from striate.layers import activation as make_activation
from striate.layers import conv2d, he_normal_
from striate.layers.rounding import check_fraction
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, Measured
from striate.models.heads import pooled
from striate.weights import count

PAPER = Paper(
    "A course's network for CIFAR-100, after Rethinking the Inception architecture for computer vision",
    "lecture notes, after Szegedy, Vanhoucke, Ioffe, Shlens and Wojna",
    2015,
    "1512.00567",
)

#: Widths of the ConvBlocks; each inner list ends with a Sub.
WIDTHS = ((32, 32), (128, 128))

#: How maps are halved: the course's Sub (a 3x3 convolution of stride 2, norm, activation), that convolution alone, or a
#: 2x2 pool.
SUBSAMPLINGS = ("sub", "conv", "max", "average")


class ConvBlock(nn.Sequential):
    """Twice 1x3 and 3x1, each with norm (or none) and activation: (N, C, H, W) -> (N, C', H, W).

    Children conv1, norm1, act1 to conv4, norm4, act4. Convolutions keep their biases beside the norms.
    """

    def __init__(self, in_channels: int, out_channels: int, *, norm: bool, activation: str) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, kernel in enumerate(((1, 3), (3, 1), (1, 3), (3, 1)), 1):
            layers[f"conv{number}"] = conv2d(in_channels if number == 1 else out_channels, out_channels, kernel)
            if norm:
                layers[f"norm{number}"] = nn.BatchNorm2d(out_channels)
            layers[f"act{number}"] = make_activation(activation)
        super().__init__(layers)


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    norm: bool = True,
    subsampling: str = "sub",
    dropout: float | None = None,
    activation: str = "relu",
) -> ConvNet:
    """Assemble the course's table; any size of image goes.

    Args:
        name: for the record.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: taken for the record.
        norm: whether convolutions have a batch norm; without, the count is the printed table's.
        subsampling: one of `SUBSAMPLINGS`.
        dropout: before the classifier, 0.5 in the course's last training; None leaves the layer out.
        activation: name of the activation function.
    """
    if subsampling not in SUBSAMPLINGS:
        raise unknown("subsampling", subsampling, SUBSAMPLINGS)
    if dropout is not None:
        check_fraction("dropout", dropout)
    blocks: OrderedDict[str, nn.Module] = OrderedDict()
    channels = in_channels
    for group, widths in enumerate(WIDTHS, 1):
        for number, width in enumerate(widths, 1):
            blocks[f"block{group}_{number}"] = ConvBlock(channels, width, norm=norm, activation=activation)
            channels = width
        blocks[f"subsampling{group}"] = _halve(channels, subsampling, norm, activation)
    stem = blocks.pop("block1_1")
    head = pooled(channels, num_classes, dropout=dropout)
    model = ConvNet(stem, blocks, head, in_channels=in_channels, min_size=4 if subsampling in ("max", "average") else 1)
    he_normal_(model)
    return model


def _halve(channels: int, subsampling: str, norm: bool, activation: str) -> nn.Module:
    if subsampling == "conv":
        return conv2d(channels, channels, 3, stride=2)
    if subsampling == "sub":
        layers: OrderedDict[str, nn.Module] = OrderedDict(conv=conv2d(channels, channels, 3, stride=2))
        if norm:
            layers["norm"] = nn.BatchNorm2d(channels)
        layers["act"] = make_activation(activation)
        return nn.Sequential(layers)
    return nn.MaxPool2d(2) if subsampling == "max" else nn.AvgPool2d(2)


#: What a unit behind each part sees, pixels.
FIELDS = {
    "stem": 5,
    "stages.block1_2": 9,
    "stages.subsampling1": 11,
    "stages.block2_1": 19,
    "stages.block2_2": 27,
    "stages.subsampling2": 31,
}
ERRATA = (
    Erratum(
        "About 2 M parameters",
        "by the printed table 549,156, with biases and without batch norm (norm=False), which is 2.2 MB as float32; "
        "with batch norms 552,036",
        (
            Measured(549_156, "parameters", "cifar100_course", options={"norm": False}),
            Measured(552_036, "parameters", "cifar100_course"),
        ),
    ),
    Erratum(
        "Receptive fields 5, 9, 15, 15, 23, 31",
        "5, 9, 11, 19, 27, 31: a Sub's 3x3 adds two pixels at stride 1 and four at stride 2",
        tuple(
            Measured(field, "receptive_field", "cifar100_course", layers=(f"{part}.*",))
            for part, field in FIELDS.items()
        ),
    ),
)

FAMILY = Family(
    "cifar100_course",
    build,
    (
        Card(
            name="cifar100_course",
            family="cifar100_course",
            paper=PAPER,
            introduces="A small network to show what batch norm, augmentation and regularisation each bring.",
            input_size=32,
            parameters=552_036,
            num_classes=100,
            published=(count("parameters", "2 M", source="lecture notes", note="about"),),
            errata=ERRATA,
        ),
    ),
)
