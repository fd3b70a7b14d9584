"""ResNeXt: bottlenecks whose 3x3 convolution is split into groups (Xie et al., 2016, arXiv:1611.05431)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from striate.layers import bottleneck
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.residual_stages import STEM_WIDTH, large_stem, residual_network, stack
from striate.models.resnet import SMALL_STEM
from striate.models.stem import stem_for
from striate.weights import Figure, costs, errors, weights_of

PAPER = Paper(
    "Aggregated residual transformations for deep neural networks",
    "Xie, Girshick, Dollar, Tu and He",
    2016,
    "1611.05431",
)


@dataclass(frozen=True)
class Row:
    """Blocks in each stage, groups (the paper's cardinality), channels of each group in the first stage; parameters.

    `published`: the paper prints the costs of 32x4d alone, of 101 layers rounded.
    """

    depths: tuple[int, int, int, int]
    groups: int
    group_width: int
    parameters: int
    published: tuple[Figure, ...]


ROWS = {
    "resnext50_32x4d": Row(
        (3, 4, 6, 3),
        32,
        4,
        25_028_904,
        (*costs("25.0 M", "4.2 G"), *errors(22.2)),
    ),
    "resnext101_32x4d": Row(
        (3, 4, 23, 3),
        32,
        4,
        44_177_704,
        (*costs("44 M", "7.8 G"), *errors(21.2, 5.6)),
    ),
    "resnext101_32x8d": Row((3, 4, 23, 3), 32, 8, 88_791_336, costs("88 M", "16 G", source="Mahajan et al. (2018)")),
    "resnext101_64x4d": Row(
        (3, 4, 23, 3),
        64,
        4,
        83_455_272,
        (*costs(None, "15.6 G", source="authors' repository"), *errors(20.4, 5.3)),
    ),
}
#: Output channels of the four stages.
WIDTHS = (256, 512, 1024, 2048)


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    shortcut: str = "B",
    stride_in: str = "3x3",
    stem: str | None = None,
    zero_init_residual: bool = False,
    activation: str = "relu",
) -> ConvNet:
    """Assemble one of `ROWS`.

    Args:
        name: of the row.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        shortcut: one of `striate.layers.SHORTCUTS`.
        stride_in: convolution of a bottleneck that has the stride, "3x3" (the authors' code) or "1x1".
        stem: "paper" is a 7x7 convolution of stride 2 and a max-pool, "small" a 3x3 of stride 1 and no pool.
        zero_init_residual: start every block as its shortcut.
        activation: name of the activation function.
    """
    row = ROWS[name]

    def block(channels: int, out_channels: int, stride: int) -> nn.Module:
        return bottleneck(
            channels,
            row.groups * row.group_width * out_channels // WIDTHS[0],
            out_channels=out_channels,
            groups=row.groups,
            stride=stride,
            shortcut=shortcut,
            activation=activation,
            stride_in=stride_in,
        )

    first = large_stem(in_channels, small=stem_for(input_size, stem) == "small", activation=activation)
    return residual_network(
        first,
        stack(block, STEM_WIDTH, WIDTHS, row.depths),
        WIDTHS[-1],
        num_classes=num_classes,
        in_channels=in_channels,
        zero_init_residual=zero_init_residual,
    )


def _card(name: str) -> Card:
    row = ROWS[name]
    peers = {"timm": name} | ({} if name == "resnext101_32x4d" else {"torchvision": name})
    later = "The paper has no 32x8d; its figures are those of Mahajan et al. (2018, arXiv:1805.00932), printed rounded."
    return Card(
        name=name,
        family="resnext",
        paper=PAPER,
        introduces="Groups in the bottlenecks' 3x3 convolutions: more paths instead of more depth or width.",
        input_size=224,
        parameters=row.parameters,
        published=row.published,
        peers=peers,
        weights=weights_of(name, peers, shortcut="B"),
        deviations=(SMALL_STEM, *([later] if name == "resnext101_32x8d" else [])),
        aliases=(name.replace("resnext", "resnext_"),),
    )


FAMILY = Family("resnext", build, tuple(map(_card, ROWS)))
