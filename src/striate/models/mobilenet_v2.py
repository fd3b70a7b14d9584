"""MobileNet v2: inverted residuals with linear bottlenecks (Sandler et al., 2018, arXiv:1801.04381)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from torch import nn

from striate.layers import ConvNormAct, he_normal_, inverted_residual, normal_
from striate.layers.rounding import check_factor, check_fraction, round_channels
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, params
from striate.models.heads import pooled
from striate.models.stem import stem_for
from striate.weights import costs, errors, weights_of

PAPER = Paper(
    "MobileNetV2: Inverted residuals and linear bottlenecks",
    "Sandler, Howard, Zhu, Zhmoginov and Chen",
    2018,
    "1801.04381",
)

#: The paper's table 2: expansion t, channels c, blocks n, stride s of the first of them.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
STEM, LAST = 32, 1280

#: Width multipliers by name.
WIDTHS = {
    "mobilenet_v2": 1.0,
    "mobilenet_v2_1.4": 1.4,
    "mobilenet_v2_0.75": 0.75,
    "mobilenet_v2_0.5": 0.5,
    "mobilenet_v2_0.35": 0.35,
}


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    width: float = 1.0,
    stem: str | None = None,
    padding: str = "symmetric",
    norm_eps: float = 1e-5,
    dropout: float = 0.2,
    activation: str = "relu6",
) -> ConvNet:
    """Assemble the paper's table 2.

    Args:
        name: for the record; the numbers come with `width`.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        width: multiplier of all channels; the last layer's 1280 only grows.
        stem: "paper"; or "small", the same layers with stride 1 in the first convolution and in stage 2.
        padding: "symmetric" (PyTorch's habit, torchvision's weights) or "tensorflow" (the authors', their
            weights).
        norm_eps: epsilon of the batch norms; the authors' weights have 1e-3.
        dropout: before the classifier.
        activation: name of the activation function.
    """
    check_factor("width", width)
    check_fraction("dropout", dropout)
    unit: dict[str, Any] = {"activation": activation, "padding": padding, "norm_eps": norm_eps}
    small = stem_for(input_size, stem) == "small"
    channels = round_channels(STEM, width)
    first = ConvNormAct(in_channels, channels, 3, stride=1 if small else 2, **unit)
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (expansion, out_channels, depth, row_stride) in enumerate(STAGES, 1):
        stride = 1 if small and number == 2 else row_stride
        blocks = []
        for position in range(depth):
            out = round_channels(out_channels, width)
            blocks.append(
                inverted_residual(channels, out, stride=stride if position == 0 else 1, expansion=expansion, **unit)
            )
            channels = out
        stages[f"stage{number}"] = nn.Sequential(*blocks)
    last = round_channels(LAST, max(1.0, width))
    stages["stage8"] = ConvNormAct(channels, last, 1, **unit)
    model = ConvNet(first, stages, pooled(last, num_classes, dropout=dropout), in_channels=in_channels)
    he_normal_(model)
    normal_(model.head, 0.01)
    return model


ZOO = "authors' model zoo"

#: Exact parameters; multiply-adds, parameters and top-1 error (%) as the authors print them (1.0 and 1.4:
#: table 4; the others: their model zoo).
FIGURES = {
    "mobilenet_v2": (3_504_872, (*costs("3.4 M", "300 M"), *errors(28.0))),
    "mobilenet_v2_1.4": (6_108_776, (*costs("6.9 M", "585 M"), *errors(25.3))),
    "mobilenet_v2_0.75": (2_636_424, (*costs(None, "209 M", source=ZOO), *errors(30.2, source="authors' model zoo"))),
    "mobilenet_v2_0.5": (1_968_680, (*costs(None, "97 M", source=ZOO), *errors(34.6, source="authors' model zoo"))),
    "mobilenet_v2_0.35": (1_677_128, (*costs(None, "59 M", source=ZOO), *errors(39.7, source="authors' model zoo"))),
}


LARGER = Erratum(
    "6.9 M parameters (the paper)", "its own table gives 6.1 M", (params(6.1e6, "mobilenet_v2_1.4", within=0.002),)
)


def _card(name: str) -> Card:
    width = WIDTHS[name]
    parameters, published = FIGURES[name]
    spelled = f"mobilenetv2_{round(100 * width):03d}"
    peers = {"timm": spelled} | ({"torchvision": "mobilenet_v2", "keras": "MobileNetV2"} if width == 1 else {})
    return Card(
        name=name,
        family="mobilenet_v2",
        paper=PAPER,
        introduces="Inverted residuals: thin linear layers joined by shortcuts, wide depthwise ones between.",
        input_size=224,
        parameters=parameters,
        published=published,
        peers=peers,
        weights=weights_of(name, peers, {"padding": "symmetric", "norm_eps": 1e-5}, width=width),
        deviations=(
            "Padding is symmetric and the batch norms' epsilon 1e-5, as in PyTorch; the authors' code has "
            'padding="tensorflow" and norm_eps=1e-3, and weights from there bring both.',
            "With input_size of 64 pixels or less the first convolution and stage 2 have stride 1.",
        ),
        errata=(LARGER,) if width == 1.4 else (),
        aliases=(spelled, "mobilenetv2", "mobilenet_v2_1.0") if width == 1 else (spelled,),
        options={"width": width},
    )


FAMILY = Family("mobilenet_v2", build, tuple(_card(name) for name in WIDTHS))
