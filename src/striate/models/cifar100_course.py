"""The network of a course's CIFAR-100 exercise: 3x3 convolutions factorised into 1x3 and 3x1, 32 and then 128 wide.

A ConvBlock is twice (1x3 convolution, batch norm, ReLU, 3x1 convolution, batch norm, ReLU), after Szegedy et al.
(2015, "Rethinking the Inception architecture for computer vision", arXiv:1512.00567, section 3.2). Two blocks of 32,
sub-sampling, two of 128, sub-sampling, average pool, 100 classes. What the exercise compares (no batch norm, dropout,
other sub-sampling) are options.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from striate.errors import unknown
from striate.layers import activation as make_activation
from striate.layers import conv2d, he_normal_
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.heads import pooled

PAPER = Paper(
    "A course's network for CIFAR-100, after Rethinking the Inception architecture for computer vision",
    "lecture notes, after Szegedy, Vanhoucke, Ioffe, Shlens and Wojna",
    2015,
    "1512.00567",
)

#: Widths of the ConvBlocks; each inner list ends with a sub-sampling.
WIDTHS = ((32, 32), (128, 128))

#: How maps are halved: a 3x3 convolution of stride 2 without activation, which gives the printed count of parameters,
#: or a 2x2 pool.
SUBSAMPLINGS = ("conv", "max", "average")


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
    subsampling: str = "conv",
    dropout: float | None = None,
    activation: str = "relu",
) -> ConvNet:
    """Assemble the course's table; any size of image goes.

    Args:
        name: for the record.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: taken for the record.
        norm: whether convolutions of the blocks have a batch norm; without, the count is the printed table's.
        subsampling: one of `SUBSAMPLINGS`.
        dropout: before the classifier; None leaves the layer out.
        activation: name of the activation function.
    """
    if subsampling not in SUBSAMPLINGS:
        raise unknown("subsampling", subsampling, SUBSAMPLINGS)
    blocks: OrderedDict[str, nn.Module] = OrderedDict()
    channels = in_channels
    for group, widths in enumerate(WIDTHS, 1):
        for number, width in enumerate(widths, 1):
            blocks[f"block{group}_{number}"] = ConvBlock(channels, width, norm=norm, activation=activation)
            channels = width
        blocks[f"subsampling{group}"] = _halve(channels, subsampling)
    stem = blocks.pop("block1_1")
    head = pooled(channels, num_classes, dropout=dropout)
    model = ConvNet(stem, blocks, head, in_channels=in_channels, min_size=1 if subsampling == "conv" else 4)
    he_normal_(model)
    return model


def _halve(channels: int, subsampling: str) -> nn.Module:
    if subsampling == "conv":
        return conv2d(channels, channels, 3, stride=2)
    return nn.MaxPool2d(2) if subsampling == "max" else nn.AvgPool2d(2)


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
            parameters=551_716,
            num_classes=100,
            published={"parameters": "about 2 M"},
            deviations=(
                "The notes do not say how maps are halved; a 3x3 convolution of stride 2 gives their printed table's "
                "count.",
            ),
            errata=(
                '"About 2 M parameters": by the printed table 549,156, with biases and without batch norm '
                "(norm=False); the batch norms add 2,560. As float32 that is 2.2 MB.",
            ),
        ),
    ),
)
