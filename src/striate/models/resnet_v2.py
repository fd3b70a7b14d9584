"""ResNet v2 for large images: pre-activated bottlenecks (He et al., 2016, arXiv:1603.05027).

Others train it in other forms, see `FORMS`: Keras Applications puts a stage's stride into its last block, so that the
next stage sees smaller maps later, and gives some convolutions a bias; timm pools before it normalises and has the
stride in the 3x3. Their weights bring `form`; Keras's is a network of its own name too.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from striate.errors import unknown
from striate.layers import Residual, bottleneck_convolutions, make_shortcut, norm_act, residual_block
from striate.models.card import Card, Family
from striate.models.convnet import ConvNet
from striate.models.residual_stages import STEM_WIDTH, large_stem, residual_network
from striate.models.resnet import SMALL_STEM
from striate.models.resnet_cifar import SECOND_PAPER
from striate.models.stem import stem_for
from striate.weights import Figure, errors, weights_of


@dataclass(frozen=True)
class Form:
    """How somebody builds it.

    Attributes:
        stem_norm: norm and activation right behind the first convolution; otherwise the first block brings them.
        stride_at: block of a stage that has the stride: "first" of stages 2 to 4, or "last" of stages 1 to 3.
        stride_in: convolution that has it.
        zero_padded_pool: zeros around the map take part in the stem's maxima.
        bias: of the first convolution, the projections and the last convolution of each block.
        norm_eps: epsilon of the batch norms.
    """

    stem_norm: bool
    stride_at: str
    stride_in: str
    zero_padded_pool: bool = False
    bias: bool = False
    norm_eps: float = 1e-5


FORMS = {
    "paper": Form(stem_norm=True, stride_at="first", stride_in="1x1"),
    "timm": Form(stem_norm=False, stride_at="first", stride_in="3x3"),
    "keras": Form(
        stem_norm=False, stride_at="last", stride_in="3x3", zero_padded_pool=True, bias=True, norm_eps=1.001e-5
    ),
}


@dataclass(frozen=True)
class Row:
    """Blocks in each of the four stages; exact parameters of the paper's form and the paper's figures."""

    depths: tuple[int, int, int, int]
    parameters: int
    published: tuple[Figure, ...]


#: The paper's table 5 has 152 and 200 layers, measured on one crop of 320x320.
ROWS = {
    "50": Row((3, 4, 6, 3), 25_549_352, ()),
    "101": Row((3, 4, 23, 3), 44_541_480, ()),
    "152": Row((3, 8, 36, 3), 60_185_128, errors(21.1, 5.5, input_size=320)),
    "200": Row((3, 24, 36, 3), 64_666_152, errors(20.7, 5.3, input_size=320)),
}
#: Output channels of the four stages.
WIDTHS = (256, 512, 1024, 2048)


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    form: str = "paper",
    stem: str | None = None,
    activation: str = "relu",
) -> ConvNet:
    """Assemble one of `ROWS`.

    Args:
        name: its first digits name the row.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        form: one of `FORMS`.
        stem: "paper" is a 7x7 convolution of stride 2 and a max-pool, "small" a 3x3 of stride 1 and no pool.
        activation: name of the activation function.

    Raises:
        UsageError: unknown form, stem or activation.
    """
    if form not in FORMS:
        raise unknown("form", form, FORMS)
    habits = FORMS[form]
    row = ROWS[name.removeprefix("resnet").partition("_")[0]]
    channels, stages = STEM_WIDTH, {}
    for number, (width, depth) in enumerate(zip(WIDTHS, row.depths, strict=True), 1):
        strided = (0 if number > 1 else None) if habits.stride_at == "first" else (depth - 1 if number < 4 else None)
        blocks: list[nn.Module] = []
        for position in range(depth):
            preactivation = "shared" if position == 0 else "own"
            if number == 1 and position == 0 and habits.stem_norm:
                preactivation = "none"
            stride = 2 if position == strided else 1
            blocks.append(_block(channels, width, stride, preactivation, habits, activation))
            channels = width
        stages[f"stage{number}"] = nn.Sequential(*blocks)
    for child, module in norm_act(channels, activation, habits.norm_eps).named_children():
        stages["stage4"].add_module(child, module)
    first = large_stem(
        in_channels,
        small=stem_for(input_size, stem) == "small",
        norm=habits.stem_norm,
        activation=activation,
        bias=habits.bias,
        zero_padded_pool=habits.zero_padded_pool,
    )
    return residual_network(first, stages, channels, num_classes=num_classes, in_channels=in_channels)


def _block(
    in_channels: int, out_channels: int, stride: int, preactivation: str, habits: Form, activation: str
) -> Residual:
    """A projection where the channels change; else identity, of every stride-th pixel where there is a stride."""
    convolutions = bottleneck_convolutions(
        in_channels,
        out_channels // 4,
        out_channels,
        stride=stride,
        stride_in=habits.stride_in,
        last_bias=habits.bias,
    )
    kind = "A" if in_channels == out_channels else "B"
    return residual_block(
        convolutions,
        make_shortcut(kind, in_channels, out_channels, stride, norm=False, bias=habits.bias),
        placement="full_preactivation",
        preactivation=preactivation,
        activation=activation,
        norm_eps=habits.norm_eps,
    )


#: Keras Applications' networks: exact (trainable) parameters, top-1 and top-5 error (%) as their documentation has.
KERAS = {
    "50": (25_568_360, "24.0", "7.0"),
    "101": (44_577_896, "22.8", "6.2"),
    "152": (60_236_904, "22.0", "5.8"),
}
INTRODUCES = "Pre-activation: batch norm and ReLU before each convolution, so that shortcuts stay clean throughout."


def _card(depth: str) -> Card:
    row = ROWS[depth]
    deviations = [
        SMALL_STEM,
        "The paper does not say which convolution of a bottleneck has the stride; its CIFAR code has the first 1x1. "
        "timm's weights need form='timm': stride in the 3x3, norm and ReLU behind the stem's pool.",
    ]
    if not row.published:
        deviations.append("The paper has 152 and 200 layers only.")
    peers = {} if depth == "200" else {"timm": f"resnetv2_{depth}"}
    return Card(
        name=f"resnet{depth}_v2",
        family="resnet_v2",
        paper=SECOND_PAPER,
        introduces=INTRODUCES,
        input_size=224,
        parameters=row.parameters,
        published=row.published,
        peers=peers,
        weights=weights_of(f"resnet{depth}_v2", peers),
        deviations=tuple(deviations),
        aliases=(f"preresnet{depth}", f"preact_resnet{depth}", f"resnetv2_{depth}"),
        options={"form": "paper"},
    )


def _keras_card(depth: str) -> Card:
    parameters, top1, top5 = KERAS[depth]
    return Card(
        name=f"resnet{depth}_v2_keras",
        family="resnet_v2",
        paper=SECOND_PAPER,
        introduces=INTRODUCES,
        input_size=224,
        parameters=parameters,
        published=errors(top1, top5, source="Keras Applications"),
        peers={"keras": f"ResNet{depth}V2"},
        weights=weights_of(f"resnet{depth}_v2_keras", {}),
        deviations=(
            SMALL_STEM,
            "As Keras Applications has it: the stride in the 3x3 of the last block of stages 1 to 3, whose shortcut "
            "takes every second pixel; biases in the first convolution, the projections and each block's last "
            "convolution; epsilon 1.001e-5; norm and ReLU behind the stem's pool, where padded zeros can win.",
        ),
        aliases=(f"resnet{depth}v2",),
        options={"form": "keras"},
    )


FAMILY = Family("resnet_v2", build, (*map(_card, ROWS), *map(_keras_card, KERAS)))
