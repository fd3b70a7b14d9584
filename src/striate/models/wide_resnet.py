"""Wide ResNet: fewer, wider layers (Zagoruyko and Komodakis, 2016, arXiv:1605.07146); its form for large images."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from striate.layers import bottleneck
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum
from striate.models.residual_stages import STEM_WIDTH, large_stem, residual_network, stack
from striate.models.resnet import SMALL_STEM
from striate.models.stem import stem_for
from striate.weights import Figure, costs, errors, weights_of

PAPER = Paper("Wide residual networks", "Zagoruyko and Komodakis", 2016, "1605.07146")


@dataclass(frozen=True)
class Row:
    """Blocks in each stage, how many times the inner width is ResNet's; exact parameters and the paper's figures."""

    depths: tuple[int, int, int, int]
    widening: int
    parameters: int
    published: tuple[Figure, ...]


ROWS = {
    "wide_resnet50_2": Row((3, 4, 6, 3), 2, 68_883_240, (*costs("68.9 M"), *errors(21.9, 6.03))),
    "wide_resnet101_2": Row((3, 4, 23, 3), 2, 126_886_696, ()),
}
TWO_TABLES = Erratum(
    "5.79 % top-5 error (the paper's table 9)",
    "6.03 %, by its table 8 and the authors' code; 5.79 % is there of a pre-activation ResNet of 200 layers",
)
#: Output channels of the four stages: ResNet's, whatever the widening.
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
            row.widening * out_channels // 4,
            out_channels=out_channels,
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
    beyond = "The paper has 50 layers only; the deeper one is torchvision's."
    return Card(
        name=name,
        family="wide_resnet",
        paper=PAPER,
        introduces="Twice ResNet's width inside the bottlenecks, which does more than many more layers would.",
        input_size=224,
        parameters=row.parameters,
        published=row.published,
        peers={"torchvision": name, "timm": name},
        weights=weights_of(name, {"torchvision": name, "timm": name}, shortcut="B"),
        deviations=(SMALL_STEM, *([] if row.published else [beyond])),
        errata=(TWO_TABLES,) if row.published else (),
        aliases=(name.replace("wide_resnet", "wrn_") + "_bottleneck",),
    )


FAMILY = Family("wide_resnet", build, tuple(map(_card, ROWS)))
