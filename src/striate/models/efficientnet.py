"""EfficientNet: depth, width and resolution scaled together (Tan and Le, 2019, arXiv:1905.11946).

B0 is table 1. The larger ones have its rows with `width` and `depth` as multipliers and larger images: by the paper's
section 4, depth alpha^phi, width beta^phi and resolution gamma^phi, with alpha * beta^2 * gamma^2 about 2, so that one
more phi doubles the arithmetic (`compound`). The authors' B1 to B7 are rounded, and not exactly powers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from striate.layers import ConvNormAct, he_normal_, inverted_residual
from striate.layers.rounding import check_factor, check_fraction, round_channels, round_depth
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.heads import pooled
from striate.models.stem import stem_for
from striate.weights import costs, errors, weights_of

PAPER = Paper(
    "EfficientNet: Rethinking model scaling for convolutional neural networks", "Tan and Le", 2019, "1905.11946"
)

#: The paper's table 1: expansion, kernel size, channels, blocks, stride of the first of them.
STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)
STEM, LAST = 32, 1280

#: What one more phi multiplies: depth, width and resolution (section 4, step 1).
ALPHA, BETA, GAMMA = 1.2, 1.1, 1.15

#: Width, depth, side of the images, dropout of each, as the authors' code has them.
VARIANTS = {
    "efficientnet_b0": (1.0, 1.0, 224, 0.2),
    "efficientnet_b1": (1.0, 1.1, 240, 0.2),
    "efficientnet_b2": (1.1, 1.2, 260, 0.3),
    "efficientnet_b3": (1.2, 1.4, 300, 0.3),
    "efficientnet_b4": (1.4, 1.8, 380, 0.4),
    "efficientnet_b5": (1.6, 2.2, 456, 0.4),
    "efficientnet_b6": (1.8, 2.6, 528, 0.5),
    "efficientnet_b7": (2.0, 3.1, 600, 0.5),
}


def compound(phi: float) -> tuple[float, float, float]:
    """The factors (width, depth, resolution) of B0 at the compound coefficient `phi`: about 2^phi the arithmetic."""
    return BETA**phi, ALPHA**phi, GAMMA**phi


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    width: float = 1.0,
    depth: float = 1.0,
    stem: str | None = None,
    padding: str = "symmetric",
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    dropout: float = 0.2,
    drop_path: float = 0.2,
    activation: str = "silu",
) -> ConvNet:
    """Assemble the paper's table 1, wider and deeper.

    Args:
        name: for the record; the numbers come with `width` and `depth`.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        width: multiplier of all channels, rounded to multiples of 8.
        depth: multiplier of the blocks of each stage, rounded up.
        stem: "paper"; or "small", the same layers with stride 1 in the first convolution and in stage 2.
        padding: "symmetric" (PyTorch's habit, torchvision's weights) or "tensorflow" (the authors').
        norm_eps: epsilon of the batch norms; the authors have 1e-3.
        norm_momentum: share of the new batch in the running statistics; the authors have 0.01.
        dropout: before the classifier.
        drop_path: probability of leaving out the last block in training; it grows from 0 with the depth.
        activation: name of the activation function.
    """
    for option, factor in (("width", width), ("depth", depth)):
        check_factor(option, factor)
    for option, fraction in (("dropout", dropout), ("drop_path", drop_path)):
        check_fraction(option, fraction)
    return assemble(
        [(*row[:2], round_channels(row[2], width), round_depth(row[3], depth), row[4]) for row in STAGES],
        ends=(round_channels(STEM, width), round_channels(LAST, width)),
        num_classes=num_classes,
        in_channels=in_channels,
        small=stem_for(input_size, stem) == "small",
        norm_momentum=norm_momentum,
        dropout=dropout,
        drop_path=drop_path,
        unit={"activation": activation, "padding": padding, "norm_eps": norm_eps},
    )


def assemble(
    rows: Sequence[tuple[int, int, int, int, int]],
    *,
    ends: tuple[int, int],
    num_classes: int,
    in_channels: int,
    small: bool,
    norm_momentum: float,
    dropout: float,
    drop_path: float,
    unit: Mapping[str, Any],
    excite: bool = True,
) -> ConvNet:
    """The network of a table like `STAGES`, scaled already.

    Args:
        rows: expansion, kernel size, channels, blocks and stride of each stage.
        ends: channels of the first convolution and of the last.
        num_classes: outputs.
        in_channels: channels of the images.
        small: whether the first convolution and stage 2 have stride 1.
        norm_momentum: share of the new batch in the running statistics.
        dropout: before the classifier.
        drop_path: probability of leaving out the last block in training; it grows from 0 with the depth.
        unit: activation, padding and norm_eps of the convolutions.
        excite: squeeze-and-excitation in every block, a quarter of its input wide.
    """
    channels, last = ends
    first = ConvNormAct(in_channels, channels, 3, stride=1 if small else 2, **unit)
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    passed, total = 0, sum(depth for _, _, _, depth, _ in rows)
    for number, (expansion, kernel_size, out, depth, row_stride) in enumerate(rows, 1):
        blocks = []
        for position in range(depth):
            stride = row_stride if position == 0 and not (small and number == 2) else 1
            blocks.append(
                inverted_residual(
                    channels,
                    out,
                    stride=stride,
                    expansion=expansion,
                    kernel_size=kernel_size,
                    reduced=channels // 4 if excite else 0,
                    drop_path=drop_path * passed / total,
                    **unit,
                )
            )
            channels, passed = out, passed + 1
        stages[f"stage{number}"] = nn.Sequential(*blocks)
    stages["stage8"] = ConvNormAct(channels, last, 1, **unit)
    model = ConvNet(first, stages, pooled(last, num_classes, dropout=dropout), in_channels=in_channels)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = norm_momentum
    he_normal_(model)
    return model


#: Exact parameters; parameters (M), multiply-adds (10^9) and top-1 error (%) as the paper's table 2 prints them.
FIGURES = {
    "efficientnet_b0": (5_288_548, "5.3", "0.39", "22.9"),
    "efficientnet_b1": (7_794_184, "7.8", "0.70", "20.9"),
    "efficientnet_b2": (9_109_994, "9.2", "1.0", "19.9"),
    "efficientnet_b3": (12_233_232, "12", "1.8", "18.4"),
    "efficientnet_b4": (19_341_616, "19", "4.2", "17.1"),
    "efficientnet_b5": (30_389_784, "30", "9.9", "16.4"),
    "efficientnet_b6": (43_040_704, "43", "19", "16.0"),
    "efficientnet_b7": (66_347_960, "66", "37", "15.7"),
}


def _card(name: str) -> Card:
    width, depth, size, dropout = VARIANTS[name]
    parameters, millions, multiply_adds, error = FIGURES[name]
    # torchvision took B5 to B7 from a conversion that kept the authors' batch norms
    norm = {"norm_eps": 1e-3, "norm_momentum": 0.01} if name[-1] in "567" else {}
    peers = {"torchvision": name, **({} if norm else {"timm": name}), "keras": f"EfficientNetB{name[-1]}"}
    kept = "The batch norms of B5 to B7 are the authors' and " if norm else "The batch norms' epsilon is 1e-5 and "
    return Card(
        name=name,
        family="efficientnet",
        paper=PAPER,
        introduces="One coefficient for depth, width and resolution together, on a base network found by search.",
        input_size=size,
        parameters=parameters,
        published=(
            *costs(f"{millions} M", f"{multiply_adds} G", input_size=size),
            *errors(error, input_size=size),
        ),
        peers=peers,
        weights=weights_of(name, peers, {"padding": "symmetric", "norm_eps": 1e-5, **norm}, width=width, depth=depth),
        deviations=(
            f'{kept}padding is symmetric, as in torchvision; the authors\' code has padding="tensorflow", '
            "norm_eps=1e-3 and norm_momentum=0.01.",
            "With input_size of 64 pixels or less the first convolution and stage 2 have stride 1.",
        ),
        aliases=(name.replace("_", ""),),
        options={"width": width, "depth": depth, "dropout": dropout, **norm},
    )


FAMILY = Family("efficientnet", build, tuple(_card(name) for name in VARIANTS))
