"""ResNet for large images, and its plain twins: residual blocks (He et al., 2015, arXiv:1512.03385).

The paper puts a bottleneck's stride into its first 1x1 convolution. torchvision and most published weights
put it into the 3x3 (known as v1.5): `stride_in="3x3"`, or the names that end in `_v1_5`.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from striate.errors import UsageError
from striate.layers import basic, bottleneck
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, macs, params
from striate.models.residual_stages import STEM_WIDTH, keras_habits_, large_stem, residual_network, stack
from striate.models.stem import stem_for
from striate.weights import costs, errors, weights_of

PAPER = Paper("Deep residual learning for image recognition", "He, Zhang, Ren and Sun", 2015, "1512.03385")


@dataclass(frozen=True)
class Row:
    """A column of the paper's table 1: kind of block, blocks in each of the four stages; and its figures.

    Exact parameters, the paper's multiply-adds (10^9) and errors (%, table 3 and for 18 layers table 2; 10 crops), and
    torchvision's top-5 error (%, one crop), which is the one that is usually printed.
    """

    kind: str
    depths: tuple[int, int, int, int]
    parameters: int
    multiply_adds: str
    ten_crops: tuple[float, float | None]
    top5_error: float


ROWS = {
    "18": Row("basic", (2, 2, 2, 2), 11_689_512, "1.8", (27.88, None), 10.92),
    "34": Row("basic", (3, 4, 6, 3), 21_797_672, "3.6", (24.52, 7.46), 8.58),
    "50": Row("bottleneck", (3, 4, 6, 3), 25_557_032, "3.8", (22.85, 6.71), 7.13),
    "101": Row("bottleneck", (3, 4, 23, 3), 44_549_160, "7.6", (21.75, 6.05), 6.44),
    "152": Row("bottleneck", (3, 8, 36, 3), 60_192_808, "11.3", (21.43, 5.71), 5.94),
}
#: Output channels of the four stages.
WIDTHS = {"basic": (64, 128, 256, 512), "bottleneck": (256, 512, 1024, 2048)}


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    shortcut: str = "B",
    stride_in: str | None = None,
    stem: str | None = None,
    zero_init_residual: bool = False,
    conv_bias: bool = False,
    norm_eps: float = 1e-5,
    activation: str = "relu",
) -> ConvNet:
    """Assemble one of `ROWS`.

    Args:
        name: its digits name the row.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        shortcut: the paper's "A", "B" (its choice for deep ones), "C", or "none" for a plain network; or another
            of `striate.layers.SHORTCUTS`.
        stride_in: convolution of a bottleneck that has the stride, "1x1" (the paper) or "3x3" (v1.5).
        stem: "paper" is a 7x7 convolution of stride 2 and a max-pool, "small" a 3x3 of stride 1 and no pool.
        zero_init_residual: start every block as its shortcut.
        conv_bias: give all convolutions biases, which the norms behind them make idle; Keras's weights have them.
        norm_eps: epsilon of the batch norms; Keras's weights have 1.001e-5.
        activation: name of the activation function.
    """
    row = ROWS[name.removeprefix("plain").removeprefix("resnet").removesuffix("_v1_5")]
    if row.kind == "basic" and stride_in not in (None, "3x3"):
        raise UsageError(f"{name} has basic blocks of 3x3 convolutions; stride_in='{stride_in}' needs bottlenecks")

    def block(channels: int, out_channels: int, stride: int) -> nn.Module:
        if row.kind == "basic":
            return basic(channels, out_channels, stride=stride, shortcut=shortcut, activation=activation)
        return bottleneck(
            channels,
            out_channels // 4,
            stride=stride,
            shortcut=shortcut,
            activation=activation,
            stride_in=stride_in or "1x1",
        )

    first = large_stem(in_channels, small=stem_for(input_size, stem) == "small", activation=activation)
    widths = WIDTHS[row.kind]
    model = residual_network(
        first,
        stack(block, STEM_WIDTH, widths, row.depths),
        widths[-1],
        num_classes=num_classes,
        in_channels=in_channels,
        zero_init_residual=zero_init_residual,
    )
    keras_habits_(model, conv_bias=conv_bias, norm_eps=norm_eps)
    return model


BODY = ("stem.*", "stages.*")
ADDITION = (
    Erratum("ResNet: a[l+2] = g(z[l+2]) + a[l]", "the addition comes before the activation, g(z[l+2] + a[l])"),
    Erratum("Winner of ILSVRC 2014, or VGG in its stead", "ResNet won in 2015, GoogLeNet in 2014"),
)
ERRATA = {
    "34": (
        Erratum(
            "0.46 M parameters",
            "that is the CIFAR ResNet-32; ResNet-34 has 21.8 M",
            (params(0.46e6, "resnet32_cifar", within=0.01), params(21.8e6, "resnet34", within=0.001)),
        ),
    ),
    "50": (
        Erratum(
            "23 M parameters",
            "25.6 M with its classifier, 23.5 M without",
            (
                params(25.6e6, "resnet50", within=0.002),
                params(23.5e6, "resnet50", layers=BODY, within=0.001),
            ),
        ),
        Erratum(
            "3.8 G multiply-adds, or 4.1 G",
            "3.8 G are the paper's form's (3.86 counted), 4.1 G the usual form's, with the stride in the 3x3 (v1.5)",
            (macs(3.86e9, "resnet50"), macs(4.1e9, "resnet50_v1_5")),
        ),
    ),
}
SMALL_STEM = "With input_size of 64 pixels or less the stem is a 3x3 convolution of stride 1 without pooling."


def _residual_card(depth: str, version: str = "") -> Card:
    row = ROWS[depth]
    name = f"resnet{depth}{version}"
    deep = row.kind == "bottleneck"
    deviations = [SMALL_STEM]
    if version:
        deviations.append("Stride in the 3x3 convolution of a bottleneck, not in the first 1x1 as in the paper.")
    elif deep:
        deviations.append(
            "Published weights need the stride in the 3x3 (v1.5); with them that form is built and recorded. Keras's "
            "have it in the 1x1, as the paper, and biases in the convolutions."
        )
    options = {"stride_in": "1x1" if deep and not version else "3x3"}  # a basic block has nothing but 3x3
    published = errors(top5=row.top5_error, source="torchvision", options={"stride_in": "3x3"})
    if not version:
        shortcut = "A" if depth == "18" else "B"  # table 2 has A throughout
        papers = errors(*row.ten_crops, crop="10 crops", options={"shortcut": shortcut})
        published = (*costs(None, f"{row.multiply_adds} G"), *papers, *published)
    spelled = (f"resnet{depth}_v1.5", f"resnet{depth}v1.5", f"tv_resnet{depth}") if version else (f"resnet_{depth}",)
    peers = {"torchvision": f"resnet{depth}", "timm": f"resnet{depth}"}
    return Card(
        name=name,
        family="resnet",
        paper=PAPER,
        introduces="Shortcuts past every two or three layers, so that far deeper networks train.",
        input_size=224,
        parameters=row.parameters,
        published=published,
        peers=peers | ({"keras": f"ResNet{depth}"} if deep and not version else {}),
        weights=weights_of(name, peers, shortcut="B"),
        deviations=tuple(deviations),
        errata=(*ADDITION, *ERRATA.get(depth, ())),
        aliases=spelled,
        options=options,
    )


def _plain_card(depth: str, parameters: int, multiply_adds: str, top1: float, top5: float | None) -> Card:
    return Card(
        name=f"plain{depth}",
        family="resnet",
        paper=PAPER,
        introduces="The same layers without shortcuts, which a deeper one trains worse.",
        input_size=224,
        parameters=parameters,
        published=(*costs(None, f"{multiply_adds} G"), *errors(top1, top5, crop="10 crops")),
        deviations=(SMALL_STEM,),
        aliases=(f"plain_{depth}",),
        options={"shortcut": "none"},
    )


FAMILY = Family(
    "resnet",
    build,
    (
        *(_residual_card(depth) for depth in ROWS),
        *(_residual_card(depth, "_v1_5") for depth in ("50", "101", "152")),
        _plain_card("18", 11_515_688, "1.8", 27.94, None),
        _plain_card("34", 21_623_848, "3.6", 28.54, 10.02),
    ),
)
