"""MixNet: depthwise convolutions of several kernel sizes in one layer (Tan and Le, 2019, arXiv:1907.09595).

The rows are figure 8's; the 1x1 convolutions too are split in two groups where a row says so. MixNet-L is MixNet-M with
1.3 times the channels.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from striate.layers import ConvNormAct, InvertedResidual, SqueezeExcite, conv2d, he_normal_
from striate.layers import activation as make_activation
from striate.layers.rounding import check_factor, check_fraction, round_channels
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, macs
from striate.models.heads import pooled
from striate.models.stem import stem_for
from striate.weights import costs, errors, weights_of

PAPER = Paper("MixConv: Mixed depthwise convolutional kernels", "Tan and Le", 2019, "1907.09595")


class Row(NamedTuple):
    """Equal blocks: kernel sizes of the depthwise convolution, parts of the 1x1 before and after, gate's width."""

    blocks: int
    kernels: tuple[int, ...]
    stride: int
    expansion: int
    channels: int
    parts: tuple[int, int] = (1, 1)
    excite: float = 0.0
    activation: str = "silu"


SMALL = (
    (Row(1, (3,), 1, 1, 16, activation="relu"),),
    (Row(1, (3,), 2, 6, 24, (2, 2), activation="relu"), Row(1, (3,), 1, 3, 24, (2, 2), activation="relu")),
    (Row(1, (3, 5, 7), 2, 6, 40, excite=0.5), Row(3, (3, 5), 1, 6, 40, (2, 2), 0.5)),
    (Row(1, (3, 5, 7), 2, 6, 80, (1, 2), 0.25), Row(2, (3, 5), 1, 6, 80, (1, 2), 0.25)),
    (Row(1, (3, 5, 7), 1, 6, 120, (2, 2), 0.5), Row(2, (3, 5, 7, 9), 1, 3, 120, (2, 2), 0.5)),
    (Row(1, (3, 5, 7, 9, 11), 2, 6, 200, excite=0.5), Row(2, (3, 5, 7, 9), 1, 6, 200, (1, 2), 0.5)),
)
MEDIUM = (
    (Row(1, (3,), 1, 1, 24, activation="relu"),),
    (Row(1, (3, 5, 7), 2, 6, 32, (2, 2), activation="relu"), Row(1, (3,), 1, 3, 32, (2, 2), activation="relu")),
    (Row(1, (3, 5, 7, 9), 2, 6, 40, excite=0.5), Row(3, (3, 5), 1, 6, 40, (2, 2), 0.5)),
    (Row(1, (3, 5, 7), 2, 6, 80, excite=0.25), Row(3, (3, 5, 7, 9), 1, 6, 80, (2, 2), 0.25)),
    (Row(1, (3,), 1, 6, 120, excite=0.5), Row(3, (3, 5, 7, 9), 1, 3, 120, (2, 2), 0.5)),
    (Row(1, (3, 5, 7, 9), 2, 6, 200, excite=0.5), Row(3, (3, 5, 7, 9), 1, 6, 200, (1, 2), 0.5)),
)

#: Rows, channels of the stem, width, dropout.
VARIANTS = {
    "mixnet_s": (SMALL, 16, 1.0, 0.2),
    "mixnet_m": (MEDIUM, 24, 1.0, 0.25),
    "mixnet_l": (MEDIUM, 24, 1.3, 0.25),
}
LAST = 1536


def shares(channels: int, parts: int) -> list[int]:
    """Channels of each part: equal, and the first has what is left over."""
    each = channels // parts
    return [channels - each * (parts - 1), *[each] * (parts - 1)]


class MixedConv2d(nn.ModuleList):
    """The channels in parts, each with a convolution of its own: (N, C, H, W) -> (N, C', ceil(H/s), ceil(W/s)).

    Args:
        in_channels: C.
        out_channels: C'.
        kernels: kernel size of each part.
        stride: of all.
        depthwise: each channel by itself, C' = C.
        padding: see `striate.layers.conv`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernels: Sequence[int],
        *,
        stride: int = 1,
        depthwise: bool = False,
        padding: str = "symmetric",
    ) -> None:
        self.shares = shares(in_channels, len(kernels))
        pairs = zip(self.shares, shares(out_channels, len(kernels)), kernels, strict=True)
        super().__init__(
            conv2d(inner, outer, kernel, stride=stride, groups=inner if depthwise else 1, bias=False, padding=padding)
            for inner, outer, kernel in pairs
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve the parts and put them together again."""
        parts = x.split(self.shares, 1)
        return torch.cat([conv(part) for conv, part in zip(self, parts, strict=True)], 1)


def mixed_unit(
    in_channels: int,
    out_channels: int,
    kernels: Sequence[int],
    *,
    activation: str | None,
    norm_eps: float,
    padding: str,
    **options: Any,
) -> nn.Sequential:
    """A mixed convolution (a plain one for one kernel), batch norm and activation: children conv, norm, act."""
    if len(kernels) == 1:
        groups = in_channels if options.pop("depthwise", False) else 1
        kernel = kernels[0]
        return ConvNormAct(
            in_channels,
            out_channels,
            kernel,
            groups=groups,
            activation=activation,
            norm_eps=norm_eps,
            padding=padding,
            **options,
        )
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        conv=MixedConv2d(in_channels, out_channels, kernels, padding=padding, **options),
        norm=nn.BatchNorm2d(out_channels, eps=norm_eps),
    )
    if activation is not None:
        parts["act"] = make_activation(activation)
    return nn.Sequential(parts)


def block(row: Row, in_channels: int, out_channels: int, stride: int, **unit: Any) -> InvertedResidual:
    """An inverted residual block whose convolutions are mixed."""
    hidden = in_channels * row.expansion
    before, after = row.parts
    reduced = round(in_channels * row.excite)
    return InvertedResidual(
        mixed_unit(in_channels, hidden, (1,) * before, activation=row.activation, **unit)
        if row.expansion > 1
        else None,
        mixed_unit(hidden, hidden, row.kernels, stride=stride, depthwise=True, activation=row.activation, **unit),
        mixed_unit(hidden, out_channels, (1,) * after, activation=None, **unit),
        excite=SqueezeExcite(hidden, reduced, row.activation) if reduced else None,
        shortcut=stride == 1 and in_channels == out_channels,
    )


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
    dropout: float = 0.25,
) -> ConvNet:
    """Assemble the rows of a variant.

    Args:
        name: names the rows.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        width: multiplier of all channels but the last layer's, rounded to multiples of 8.
        stem: "paper"; or "small", the same layers with stride 1 in the first convolution and in stage 2.
        padding: "symmetric" (PyTorch's habit) or "tensorflow" (the authors').
        norm_eps: epsilon of the batch norms; the authors have 1e-3.
        dropout: before the classifier.
    """
    check_factor("width", width)
    check_fraction("dropout", dropout)
    rows, stem_channels, _, _ = VARIANTS[name]
    unit: dict[str, Any] = {"padding": padding, "norm_eps": norm_eps}
    small = stem_for(input_size, stem) == "small"
    channels = round_channels(stem_channels, width)
    first = ConvNormAct(in_channels, channels, 3, stride=1 if small else 2, **unit)
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    for number, stage in enumerate(rows, 1):
        blocks = []
        for row in stage:
            out = round_channels(row.channels, width)
            for position in range(row.blocks):
                stride = row.stride if position == 0 and not (small and number == 2) else 1
                blocks.append(block(row, channels, out, stride, **unit))
                channels = out
        stages[f"stage{number}"] = nn.Sequential(*blocks)
    stages["stage7"] = ConvNormAct(channels, LAST, 1, **unit)
    model = ConvNet(first, stages, pooled(LAST, num_classes, dropout=dropout), in_channels=in_channels)
    he_normal_(model)
    return model


#: Exact parameters; parameters, multiply-adds and top-1 error (%) as the paper's table 2 prints them.
FIGURES = {
    "mixnet_s": (4_134_606, "4.1", "256", "24.2"),
    "mixnet_m": (5_014_382, "5.0", "360", "23.0"),
    "mixnet_l": (7_329_252, "7.3", "565", "21.1"),
}
#: Multiply-adds (10^6) as counted.
COUNTED = {"mixnet_s": 239, "mixnet_m": 339, "mixnet_l": 555}


def _card(name: str) -> Card:
    _, _, width, dropout = VARIANTS[name]
    parameters, millions, multiply_adds, error = FIGURES[name]
    return Card(
        name=name,
        family="mixnet",
        paper=PAPER,
        introduces="Kernels from 3x3 to 11x11 side by side in one depthwise layer.",
        input_size=224,
        parameters=parameters,
        published=(*costs(f"{millions} M", f"{multiply_adds} M"), *errors(error)),
        peers={"timm": name},
        weights=weights_of(name, {"timm": name}, width=width),
        deviations=(
            "Padding is symmetric and the batch norms' epsilon 1e-5, as in timm; the authors' code has "
            'padding="tensorflow" and norm_eps=1e-3.',
            "With input_size of 64 pixels or less the first convolution and stage 2 have stride 1.",
        ),
        errata=(
            Erratum(
                f"{multiply_adds} M multiply-adds (the paper)",
                f"its network's convolutions and classifier have {COUNTED[name]} M",
                (macs(COUNTED[name] * 1e6, name, within=0.005),),
            ),
        ),
        aliases=(name.replace("_", ""),),
        options={"width": width, "dropout": dropout},
    )


FAMILY = Family("mixnet", build, tuple(_card(name) for name in VARIANTS))
