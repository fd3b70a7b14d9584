"""DenseNet: every layer sees the maps of all layers before it (Huang et al., 2016, arXiv:1608.06993).

For large images with bottlenecks and compression (DenseNet-BC); for CIFAR the plain form, named by its layers and its
growth rate k, and the BC form.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from striate.layers import Chain, he_normal_, norm_act
from striate.layers import activation as make_activation
from striate.layers.dense_block import DenseBlock, DenseLayer
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum
from striate.models.heads import pooled
from striate.models.stem import stem_for
from striate.weights import CIFAR10, Figure, costs, errors, weights_of

PAPER = Paper(
    "Densely connected convolutional networks", "Huang, Liu, van der Maaten and Weinberger", 2016, "1608.06993"
)


@dataclass(frozen=True)
class Row:
    """Growth rate k, layers in each block, maps of the first convolution; exact parameters.

    `bottleneck` is the width of a layer's 1x1 in growth rates (None: no 1x1), `compression` the part of the maps that
    a transition keeps. `published`: the paper's figures.
    """

    growth: int
    depths: tuple[int, ...]
    first: int
    parameters: int
    published: tuple[Figure, ...] = ()
    bottleneck: int | None = 4
    compression: float = 0.5


def _cifar(parameters: str, cifar10: float, cifar100: float) -> tuple[Figure, ...]:
    note = "with flips and translations"
    return (
        *costs(parameters),
        *errors(cifar10, data=CIFAR10, input_size=32, note=note),
        *errors(cifar100, data="CIFAR-100", input_size=32, note=note),
    )


#: The paper's tables 1 to 3.
ROWS = {
    "densenet121": Row(32, (6, 12, 24, 16), 64, 7_978_856, errors(25.02, 7.71)),
    "densenet161": Row(48, (6, 12, 36, 24), 96, 28_681_000, errors(22.33, 6.15)),
    "densenet169": Row(32, (6, 12, 32, 32), 64, 14_149_480, errors(23.80, 6.85)),
    "densenet201": Row(32, (6, 12, 48, 32), 64, 20_013_928, errors(22.58, 6.34)),
    "densenet264": Row(32, (6, 12, 64, 48), 64, 33_337_704, errors(22.15, 6.12)),
    "densenet40_k12_cifar": Row(
        12, (12, 12, 12), 16, 1_019_722, _cifar("1.0 M", 5.24, 24.42), bottleneck=None, compression=1.0
    ),
    "densenet_bc100_k12_cifar": Row(12, (16, 16, 16), 24, 769_162, _cifar("0.8 M", 4.51, 22.27)),
    "densenet_bc250_k24_cifar": Row(24, (41, 41, 41), 48, 15_324_406, _cifar("15.3 M", 3.62, 17.60)),
    "densenet_bc190_k40_cifar": Row(40, (31, 31, 31), 80, 25_624_430, _cifar("25.6 M", 3.46, 17.18)),
}


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    dropout: float = 0.0,
    memory_efficient: bool = False,
    stem: str | None = None,
    norm_eps: float = 1e-5,
    activation: str = "relu",
) -> ConvNet:
    """Assemble one of `ROWS`.

    Args:
        name: of the row.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        dropout: of each layer's new maps; the paper's 0.2 where images are not augmented.
        memory_efficient: compute in the backward pass again what would take most memory to keep.
        stem: "paper" is a 7x7 convolution of stride 2 and a max-pool, "small" a 3x3 of stride 1 and no pool. The
            networks for CIFAR are made for small images and have but one.
        norm_eps: epsilon of the batch norms; Keras's weights have 1.001e-5.
        activation: name of the activation function.

    Raises:
        UsageError: an impossible dropout, unknown stem or activation.
    """
    row = ROWS[name]
    large = not name.endswith("_cifar")
    small = stem_for(input_size, stem) == "small"
    channels, stages = row.first, {}
    for number, depth in enumerate(row.depths, 1):
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        if number > 1:
            kept = int(channels * row.compression)
            parts["transition"] = _transition(channels, kept, activation, norm_eps)
            channels = kept
        parts["block"] = DenseBlock(
            *(
                DenseLayer(
                    channels + position * row.growth,
                    row.growth,
                    bottleneck=row.bottleneck and row.bottleneck * row.growth,
                    dropout=dropout,
                    memory_efficient=memory_efficient,
                    activation=activation,
                    norm_eps=norm_eps,
                )
                for position in range(depth)
            )
        )
        channels += depth * row.growth
        if number == len(row.depths):
            parts.update(norm_act(channels, activation, norm_eps).named_children())
        stages[f"stage{number}"] = nn.Sequential(parts)
    model = ConvNet(
        _stem(in_channels, row.first, large, small, activation, norm_eps),
        stages,
        pooled(channels, num_classes),
        in_channels=in_channels,
        min_size=CIFAR_MIN_SIZE if not large else SMALL_MIN_SIZE if small else MIN_SIZE,
    )
    he_normal_(model)
    return model


#: A pixel has to be left behind two transitions, three, and three behind the stem that leaves a quarter.
CIFAR_MIN_SIZE, SMALL_MIN_SIZE, MIN_SIZE = 4, 8, 29


def _stem(in_channels: int, width: int, large: bool, small: bool, activation: str, norm_eps: float) -> nn.Sequential:
    """The paper's table 1 for large images; on CIFAR a convolution alone, since each layer begins with its norm."""
    kernel, stride = (7, 2) if large and not small else (3, 1)
    conv = nn.Conv2d(in_channels, width, kernel, stride=stride, padding=kernel // 2, bias=False)
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv=conv)
    if large:
        layers["norm"] = nn.BatchNorm2d(width, eps=norm_eps)
        layers["act"] = make_activation(activation)
    if stride == 2:
        layers["pool"] = nn.MaxPool2d(3, stride=2, padding=1)
    return Chain(layers)


def _transition(in_channels: int, out_channels: int, activation: str, norm_eps: float) -> nn.Sequential:
    """Norm, activation, 1x1 and 2x2 average: (N, C, H, W) -> (N, C', H/2, W/2)."""
    layers = OrderedDict(norm_act(in_channels, activation, norm_eps).named_children())
    layers["conv"] = nn.Conv2d(in_channels, out_channels, 1, bias=False)
    layers["pool"] = nn.AvgPool2d(2)
    return Chain(layers)


TORCHVISION = ("densenet121", "densenet161", "densenet169", "densenet201")
KERAS = {name: f"DenseNet{name.removeprefix('densenet')}" for name in TORCHVISION if name != "densenet161"}


def _card(name: str) -> Card:
    row = ROWS[name]
    cifar = name.endswith("_cifar")
    shared = {"torchvision": name, "timm": name} if name in TORCHVISION else {}
    deviations = ["With input_size of 64 pixels or less the stem is a 3x3 convolution of stride 1 without pooling."]
    if name == "densenet161":
        deviations.append("Its figures are of the paper's version of 2017; the last one has DenseNet-264 in its place.")
    return Card(
        name=name,
        family="densenet",
        paper=PAPER,
        introduces="Each layer gets the maps of all layers before it and adds a few of its own.",
        input_size=32 if cifar else 224,
        parameters=row.parameters,
        min_size=CIFAR_MIN_SIZE if cifar else MIN_SIZE,
        small_min_size=None if cifar else SMALL_MIN_SIZE,
        num_classes=10 if cifar else 1000,
        published=row.published,
        peers=shared | ({"keras": KERAS[name]} if name in KERAS else {}),
        weights=weights_of(name, shared),
        errata=(Erratum("DenseNet of an earlier year", "of 2016, and at a conference in 2017"),),
        deviations=() if cifar else tuple(deviations),
        aliases=() if cifar else (name.replace("densenet", "densenet_"),),
    )


FAMILY = Family("densenet", build, tuple(map(_card, ROWS)))
