"""MobileNet v1: depthwise separable convolutions throughout (Howard et al., 2017, arXiv:1704.04861).

The width multiplier is the option `width` (the paper's alpha), the resolution multiplier (rho) is the size of the
images: 224, 192, 160 or 128. The paper's table 1 gives the last depthwise convolution stride 2 on a 7x7 map that
stays 7x7; it has stride 1 here, as in the authors' code.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from torch import nn

from striate.layers import ConvNormAct, he_normal_, normal_
from striate.layers.rounding import check_factor, check_fraction, round_channels
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, Measured, macs
from striate.models.heads import pooled
from striate.models.stem import stem_for
from striate.weights import costs, errors, weights_of

PAPER = Paper(
    "MobileNets: Efficient convolutional neural networks for mobile vision applications",
    "Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto and Adam",
    2017,
    "1704.04861",
)

#: The paper's table 1: channels and blocks of each stage; the first block of all but the first has stride 2.
STAGES = ((64, 1), (128, 2), (256, 2), (512, 6), (1024, 2))
STEM = 32

#: Width multipliers (alpha) by name.
WIDTHS = {
    "mobilenet_v1": 1.0,
    "mobilenet_v1_0.75": 0.75,
    "mobilenet_v1_0.5": 0.5,
    "mobilenet_v1_0.25": 0.25,
}


def separable(in_channels: int, out_channels: int, stride: int, **unit: Any) -> nn.Sequential:
    """3x3 on each channel, then 1x1 across them, batch norm and activation after both (figure 3, right).

    (N, C, H, W) -> (N, C', ceil(H/s), ceil(W/s)).
    """
    return nn.Sequential(
        OrderedDict(
            depthwise=ConvNormAct(in_channels, in_channels, 3, stride=stride, groups=in_channels, **unit),
            pointwise=ConvNormAct(in_channels, out_channels, 1, **unit),
        )
    )


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    width: float = 1.0,
    full: bool = False,
    stem: str | None = None,
    padding: str = "symmetric",
    norm_eps: float = 1e-5,
    dropout: float = 1e-3,
    activation: str = "relu",
) -> ConvNet:
    """Assemble the paper's table 1.

    Args:
        name: for the record; the numbers come with `width`.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        width: multiplier of all channels, the paper's alpha.
        full: ordinary 3x3 convolutions in place of the separable ones, the paper's table 4.
        stem: "paper"; or "small", the same layers with stride 1 in the first convolution and in stage 2.
        padding: "symmetric" (PyTorch's habit) or "tensorflow" (the authors', their weights).
        norm_eps: epsilon of the batch norms; the authors' weights have 1e-3.
        dropout: before the classifier; the authors' code keeps 0.999.
        activation: name of the activation function; the authors' code, and so their weights, have "relu6".
    """
    check_factor("width", width)
    check_fraction("dropout", dropout)
    unit: dict[str, Any] = {"activation": activation, "padding": padding, "norm_eps": norm_eps}
    small = stem_for(input_size, stem) == "small"
    channels = round_channels(STEM, width, 1)
    first = ConvNormAct(in_channels, channels, 3, stride=1 if small else 2, **unit)
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (wide, depth) in enumerate(STAGES, 1):
        blocks: list[nn.Module] = []
        for position in range(depth):
            stride = 2 if position == 0 and number > (2 if small else 1) else 1
            out = round_channels(wide, width, 1)
            blocks.append(
                ConvNormAct(channels, out, 3, stride=stride, **unit)
                if full
                else separable(channels, out, stride, **unit)
            )
            channels = out
        stages[f"stage{number}"] = nn.Sequential(*blocks)
    model = ConvNet(first, stages, pooled(channels, num_classes, dropout=dropout), in_channels=in_channels)
    he_normal_(model)
    normal_(model.head, 0.01)
    return model


#: Exact parameters; parameters, multiply-adds (10^6) and top-1 accuracy as tables 4 and 6 print them.
FIGURES = {
    "mobilenet_v1": (4_231_976, "4.2", "569", "29.4"),
    "mobilenet_v1_0.75": (2_585_560, "2.6", "325", "31.6"),
    "mobilenet_v1_0.5": (1_331_592, "1.3", "149", "36.3"),
    "mobilenet_v1_0.25": (470_072, "0.5", "41", "49.4"),
    "mobilenet_v1_full": (29_294_088, "29.3", "4866", "28.3"),
}
SMALL_STEM = "With input_size of 64 pixels or less the first convolution and stage 2 have stride 1."
AUTHORS = (
    "Padding is symmetric, the batch norms' epsilon 1e-5 and the activation ReLU; the authors' code has "
    'padding="tensorflow", norm_eps=1e-3 and activation="relu6", and weights from there bring all three.'
)
MISPRINT = Erratum(
    "Stride 2 for the last depthwise convolution (the paper's table 1)",
    "1, or 7x7 would not stay 7x7",
    (Measured(7, "side", "mobilenet_v1", layers=("stages.*",)),),
)
FULL = Erratum(
    "4,866 M multiply-adds (the paper)",
    "without the classifier; 4,867 M with it",
    (
        macs(4_866e6, "mobilenet_v1_full", layers=("stem.*", "stages.*"), within=0.0001),
        macs(4_867e6, "mobilenet_v1_full", within=0.0001),
    ),
)


def _card(name: str) -> Card:
    parameters, millions, multiply_adds, error = FIGURES[name]
    full = name == "mobilenet_v1_full"
    width = WIDTHS.get(name, 1.0)
    spelled = f"mobilenetv1_{round(100 * width):03d}"
    aliases = ("mobilenetv1", "mobilenet", "mobilenet_v1_1.0", spelled) if name == "mobilenet_v1" else (spelled,)
    keras = {"keras": "MobileNet"} if width == 1 else {}
    return Card(
        name=name,
        family="mobilenet_v1",
        paper=PAPER,
        introduces="The same layers with ordinary convolutions, against which the separable ones are measured."
        if full
        else "Depthwise separable convolutions and one number for the width: a ninth of the arithmetic.",
        input_size=224,
        parameters=parameters,
        published=(*costs(f"{millions} M", f"{multiply_adds} M"), *errors(error)),
        peers={} if full else ({"timm": spelled} if width == 1 else {}) | keras,
        weights=() if full else weights_of(name, {"timm": spelled}),
        deviations=(AUTHORS, SMALL_STEM),
        errata=(MISPRINT, *((FULL,) if full else ())),
        aliases=() if full else aliases,
        options={"width": width, "full": full},
    )


FAMILY = Family("mobilenet_v1", build, tuple(_card(name) for name in FIGURES))
