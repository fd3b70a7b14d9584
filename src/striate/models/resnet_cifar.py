"""ResNet for CIFAR: three stages of n blocks, 6n + 2 layers (He et al., 2015, arXiv:1512.03385, 4.2)."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from striate.layers import activation as make_activation
from striate.layers import basic, he_normal_, zero_last_gamma_
from striate.models.card import Card, Family
from striate.models.convnet import ConvNet
from striate.models.heads import pooled
from striate.models.resnet import PAPER
from striate.weights import sources_of

#: Layers: n, the blocks in each stage.
DEPTHS = {"20": 3, "32": 5, "44": 7, "56": 9, "110": 18}
WIDTHS = (16, 32, 64)


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    shortcut: str = "A",
    zero_init_residual: bool = False,
    activation: str = "relu",
) -> ConvNet:
    """Assemble one row of `DEPTHS`; any size of image goes.

    Args:
        name: its digits name the row.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: taken for the record.
        shortcut: "A" (the paper's on CIFAR, no parameters), "B", "C" or "none".
        zero_init_residual: start every block as its shortcut.
        activation: name of the activation function.
    """
    depth = DEPTHS[name.removeprefix("plain").removeprefix("resnet").removesuffix("_cifar")]
    stem = nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(in_channels, WIDTHS[0], 3, padding=1, bias=False),
            norm=nn.BatchNorm2d(WIDTHS[0]),
            act=make_activation(activation),
        )
    )
    channels, stages = WIDTHS[0], {}
    for number, width in enumerate(WIDTHS, 1):
        blocks = []
        for position in range(depth):
            stride = 2 if position == 0 and number > 1 else 1
            blocks.append(basic(channels, width, stride=stride, shortcut=shortcut, activation=activation))
            channels = width
        stages[f"stage{number}"] = nn.Sequential(*blocks)
    model = ConvNet(stem, stages, pooled(channels, num_classes), in_channels=in_channels)
    he_normal_(model)
    if zero_init_residual:
        zero_last_gamma_(model)
    return model


#: Exact parameters; the paper's parameters and CIFAR-10 error (%), table 6.
FIGURES = {
    "20": (269_722, "0.27 M", "8.75"),
    "32": (464_154, "0.46 M", "7.51"),
    "44": (658_586, "0.66 M", "7.17"),
    "56": (853_018, "0.85 M", "6.97"),
    "110": (1_727_962, "1.7 M", "6.43"),
}


def _card(depth: str, plain: bool) -> Card:
    parameters, printed, error = FIGURES[depth]
    name = f"{'plain' if plain else 'resnet'}{depth}_cifar"
    return Card(
        name=name,
        family="resnet_cifar",
        paper=PAPER,
        introduces=(
            "The CIFAR layers without shortcuts, which a deeper one trains worse."
            if plain
            else "Residual blocks on 32x32 images; shortcuts without parameters."
        ),
        input_size=32,
        parameters=parameters,
        num_classes=10,
        published={} if plain else {"parameters": printed, "top1_error": f"{error} (CIFAR-10)"},
        weights=() if plain else sources_of(name),
        deviations=("The paper does not say where option A puts its zero channels; here half go on either side.",)
        if not plain
        else (),
        aliases=(f"plain{depth}", f"cifar_plain{depth}") if plain else (f"resnet{depth}", f"cifar_resnet{depth}"),
        options={"shortcut": "none" if plain else "A"},
    )


FAMILY = Family(
    "resnet_cifar",
    build,
    (*(_card(depth, False) for depth in DEPTHS), *(_card(depth, True) for depth in ("20", "56"))),
)
