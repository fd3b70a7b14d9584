"""ShuffleNet v2: half the channels pass, half are worked on, all are shuffled (Ma et al., 2018, arXiv:1807.11164)."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from striate.errors import UsageError
from striate.layers import Chain, ChannelShuffle, ConvNormAct, he_normal_
from striate.layers import activation as make_activation
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, macs
from striate.models.heads import pooled
from striate.models.stem import stem_for
from striate.weights import costs, errors, sources_of

PAPER = Paper(
    "ShuffleNet V2: Practical guidelines for efficient CNN architecture design",
    "Ma, Zhang, Zheng and Sun",
    2018,
    "1807.11164",
)

#: The paper's table 5: units of stages 2 to 4, and the channels of these and of the last convolution by width.
DEPTHS = (4, 8, 4)
STEM = 24
CHANNELS = {
    "0.5": (48, 96, 192, 1024),
    "1.0": (116, 232, 464, 1024),
    "1.5": (176, 352, 704, 1024),
    "2.0": (244, 488, 976, 2048),
}


class ShuffleUnit(nn.Module):
    """The paper's figure 3c, and 3d at stride 2: (N, C, H, W) -> (N, C', ceil(H/s), ceil(W/s)).

    Raises:
        UsageError: C' is odd, so there are no halves, or differs from C at stride 1.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, activation: str = "relu") -> None:
        super().__init__()
        if out_channels % 2 or (stride == 1 and in_channels != out_channels):
            raise UsageError(
                f"a shuffle unit of stride {stride} cannot make {out_channels} channels of {in_channels}; "
                "it needs an even number, at stride 1 the same as it gets"
            )
        half = out_channels // 2
        self.stride = stride
        self.passing = None if stride == 1 else self._thin(in_channels, half, stride, activation)
        inner = half if stride == 1 else in_channels
        self.working = nn.Sequential(
            OrderedDict(
                expand=ConvNormAct(inner, half, 1, activation=activation),
                **dict(self._thin(half, half, stride, activation).named_children()),
            )
        )
        self.shuffle = ChannelShuffle(2)

    @staticmethod
    def _thin(in_channels: int, out_channels: int, stride: int, activation: str) -> nn.Sequential:
        return nn.Sequential(
            OrderedDict(
                depthwise=ConvNormAct(in_channels, in_channels, 3, stride=stride, groups=in_channels, activation=None),
                pointwise=ConvNormAct(in_channels, out_channels, 1, activation=activation),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Split (or copy), work on one half, join, shuffle."""
        if self.passing is None:
            left, right = x.chunk(2, 1)
        else:
            left, right = self.passing(x), x
        return self.shuffle(torch.cat([left, self.working(right)], 1))


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    stem: str | None = None,
    activation: str = "relu",
) -> ConvNet:
    """Assemble the paper's table 5.

    Args:
        name: its number names the column of channels.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        stem: "paper"; or "small", a convolution of stride 1 and no pool.
        activation: name of the activation function.
    """
    *widths, last = CHANNELS[name.rpartition("x")[2].replace("_", ".")]
    small = stem_for(input_size, stem) == "small"
    first = shuffle_stem(in_channels, STEM, small=small, activation=activation)
    channels, stages = STEM, OrderedDict[str, nn.Module]()
    for number, (width, depth) in enumerate(zip(widths, DEPTHS, strict=True), 2):
        units = []
        for position in range(depth):
            units.append(ShuffleUnit(channels, width, 2 if position == 0 else 1, activation))
            channels = width
        stages[f"stage{number}"] = nn.Sequential(*units)
    stages["stage5"] = ConvNormAct(channels, last, 1, activation=activation)
    model = ConvNet(first, stages, pooled(last, num_classes), in_channels=in_channels)
    he_normal_(model)
    return model


def shuffle_stem(in_channels: int, channels: int, *, small: bool, activation: str) -> nn.Sequential:
    """3x3 of stride 2 and a max-pool, children conv, norm, act, pool; the small one has stride 1 and no pool."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(in_channels, channels, 3, stride=1 if small else 2, padding=1, bias=False),
        norm=nn.BatchNorm2d(channels),
        act=make_activation(activation),
    )
    if not small:
        layers["pool"] = nn.MaxPool2d(3, stride=2, padding=1)
    return Chain(layers)


SMALL_STEM = "With input_size of 64 pixels or less the first convolution has stride 1 and there is no max-pool."

#: Exact parameters; parameters, multiply-adds (10^6) and top-1 error (%) as the paper prints them.
FIGURES = {
    "0.5": (1_366_792, "1.4", "41", "39.7"),
    "1.0": (2_278_604, "2.3", "146", "30.6"),
    "1.5": (3_503_624, "3.5", "299", "27.4"),
    "2.0": (7_393_996, "7.4", "591", "25.1"),
}
#: Multiply-adds (10^6) as counted.
COUNTED = {"0.5": 40, "1.0": 145, "1.5": 296, "2.0": 583}


def _card(width: str) -> Card:
    parameters, millions, multiply_adds, error = FIGURES[width]
    name = f"shufflenet_v2_x{width.replace('.', '_')}"
    return Card(
        name=name,
        family="shufflenet_v2",
        paper=PAPER,
        introduces="A channel split in place of grouped convolutions, designed by measured speed.",
        input_size=224,
        parameters=parameters,
        published=(*costs(f"{millions} M", f"{multiply_adds} M"), *errors(error)),
        peers={"torchvision": name},
        weights=sources_of(name),
        deviations=(SMALL_STEM,),
        errata=(
            Erratum(
                f"{multiply_adds} M multiply-adds (the paper)",
                f"its table 5 gives {COUNTED[width]} M",
                (macs(COUNTED[width] * 1e6, name, within=0.02 if width == "0.5" else 0.005),),
            ),
        ),
        aliases=(f"shufflenet_v2_{width}", *(("shufflenet_v2",) if width == "1.0" else ())),
    )


FAMILY = Family("shufflenet_v2", build, tuple(_card(width) for width in CHANNELS))
