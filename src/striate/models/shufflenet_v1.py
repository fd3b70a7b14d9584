"""ShuffleNet v1: grouped 1x1 convolutions and a channel shuffle between them (Zhang et al., 2017, arXiv:1707.01083)."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from striate.errors import UsageError
from striate.layers import ChannelShuffle, ConvNormAct, he_normal_
from striate.layers import activation as make_activation
from striate.layers.rounding import check_factor
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.heads import pooled
from striate.models.shufflenet_v2 import SMALL_STEM, shuffle_stem
from striate.models.stem import stem_for
from striate.weights import costs, errors

PAPER = Paper(
    "ShuffleNet: An extremely efficient convolutional neural network for mobile devices",
    "Zhang, Zhou, Lin and Sun",
    2017,
    "1707.01083",
)

#: The paper's table 1: units of stages 2 to 4; channels of stage 2 by the number of groups, doubled in each next.
DEPTHS = (4, 8, 4)
STEM = 24
CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
#: How far from a whole number of channels a width may lie: it was typed with some digits only, such as 0.277778.
TYPED = 0.01


class GroupedUnit(nn.Module):
    """The paper's figure 2b, and 2c at stride 2: (N, C, H, W) -> (N, C', ceil(H/s), ceil(W/s)).

    Grouped 1x1 to C'/4 channels, shuffle, 3x3 depthwise, grouped 1x1; added to the input, or at stride 2 put
    beside its 3x3 average. Batch norm everywhere, no activation after the depthwise convolution.

    Args:
        in_channels: C.
        out_channels: C', of which C are the average's at stride 2.
        stride: 1 or 2.
        groups: of the 1x1 convolutions.
        group_first: the first of these too; the paper does not at the start of stage 2, where C is small.
        activation: name of the activation function.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        groups: int,
        *,
        group_first: bool = True,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        inner = out_channels // 4
        made = out_channels - in_channels if stride == 2 else out_channels
        self.reduce = ConvNormAct(in_channels, inner, 1, groups=groups if group_first else 1, activation=activation)
        self.shuffle = ChannelShuffle(groups) if groups > 1 else None
        self.depthwise = ConvNormAct(inner, inner, 3, stride=stride, groups=inner, activation=None)
        self.expand = ConvNormAct(inner, made, 1, groups=groups, activation=None)
        self.pool = nn.AvgPool2d(3, stride=2, padding=1) if stride == 2 else None
        self.act = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """Reduce, shuffle, filter, expand; add or join."""
        y = self.reduce(x)
        y = self.expand(self.depthwise(y if self.shuffle is None else self.shuffle(y)))
        return self.act(x + y if self.pool is None else torch.cat([self.pool(x), y], 1))


def widths(groups: int, width: float) -> tuple[int, int, int, int]:
    """Channels of the stem and of stages 2 to 4.

    The stem has 24, or 12 below a width of 1 and 48 from 2 on, rounded up to a multiple of the groups: as in the
    authors' code, and with the paper's multiply-adds.

    Raises:
        UsageError: the paper has no row for so many groups, or they cannot divide the scaled channels.
    """
    if groups not in CHANNELS:
        raise UsageError(f"groups is {groups}; the paper's table 1 has {', '.join(map(str, CHANNELS))}")
    stage2 = CHANNELS[groups] * width
    whole = round(stage2)
    if abs(stage2 - whole) > TYPED or whole % 4 or whole // 4 % groups:
        fitting = 4 * groups / CHANNELS[groups]
        below = max(1, int(width / fitting)) * fitting
        raise UsageError(
            f"width={width:g} makes {stage2:g} channels in stage 2, a quarter of which groups={groups} cannot divide; "
            f"widths that fit are multiples of {fitting:.6g}, such as {below:.6g}"
        )
    channels = STEM // 2 if width < 1 else STEM * 2 if width >= 2 else STEM
    stem = -(-channels // groups) * groups
    return stem, whole, 2 * whole, 4 * whole


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    groups: int = 3,
    width: float = 1.0,
    stem: str | None = None,
    activation: str = "relu",
) -> ConvNet:
    """Assemble the paper's table 1.

    Args:
        name: for the record; the numbers come with `groups` and `width`.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        groups: of the 1x1 convolutions: 1, 2, 3, 4 or 8.
        width: multiplier of all channels, the paper's scale factor s.
        stem: "paper"; or "small", a convolution of stride 1 and no pool.
        activation: name of the activation function.
    """
    check_factor("width", width)
    channels, *stage_widths = widths(groups, width)
    small = stem_for(input_size, stem) == "small"
    first = shuffle_stem(in_channels, channels, small=small, activation=activation)
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (out, depth) in enumerate(zip(stage_widths, DEPTHS, strict=True), 2):
        units = []
        for position in range(depth):
            stride = 2 if position == 0 else 1
            group_first = number > 2 or position > 0
            units.append(GroupedUnit(channels, out, stride, groups, group_first=group_first, activation=activation))
            channels = out
        stages[f"stage{number}"] = nn.Sequential(*units)
    model = ConvNet(first, stages, pooled(channels, num_classes), in_channels=in_channels)
    he_normal_(model)
    return model


#: Groups and width; exact parameters; multiply-adds (10^6) and top-1 error (%) as tables 1, 2 and 4 print them.
FIGURES = {
    (3, 1.0): (1_865_728, "137", "32.6"),
    (1, 1.0): (1_531_936, "143", "33.6"),
    (2, 1.0): (1_733_848, "140", "32.7"),
    (4, 1.0): (1_968_344, "133", "32.8"),
    (8, 1.0): (2_434_768, "137", "32.4"),
    (1, 0.5): (534_484, "38", "45.1"),
    (3, 0.5): (718_324, "38", "43.2"),
    (8, 0.5): (1_011_448, "38", "42.3"),
    (1, 0.25): (209_908, "13", "57.1"),
    (3, 0.25): (306_124, "13", "55.0"),
    (8, 0.25): (454_888, "13", "52.7"),
    (3, 1.5): (3_442_168, "292", "28.5"),
    (3, 2.0): (5_450_776, "524", "26.3"),
}


def _card(groups: int, width: float) -> Card:
    parameters, multiply_adds, error = FIGURES[groups, width]
    grouped = "" if groups == 3 else f"_g{groups}"
    name = f"shufflenet_v1{grouped}" + ("" if width == 1 else f"_{width:g}")
    aliases = (name.replace("_v1", "_v1_g3"),) if groups == 3 else ()
    return Card(
        name=name,
        family="shufflenet_v1",
        paper=PAPER,
        introduces="Grouped 1x1 convolutions, with a shuffle of the channels so that groups learn of each other.",
        input_size=224,
        parameters=parameters,
        published=(*costs(None, f"{multiply_adds} M"), *errors(error)),
        deviations=(
            SMALL_STEM,
            "Below a width of 1 the stem has 12 channels, from 2 on 48, rounded up to a multiple of the groups"
            + (": 16, which cost more than the paper prints." if groups == 8 and width < 1 else "."),
        ),
        aliases=(*aliases, *(("shufflenet",) if (groups, width) == (3, 1.0) else ())),
        options={"groups": groups, "width": width},
    )


FAMILY = Family("shufflenet_v1", build, tuple(_card(groups, width) for groups, width in FIGURES))
