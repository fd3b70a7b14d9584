"""Inception-ResNet v1 and v2: Inception modules as residuals (Szegedy et al., 2016, arXiv:1602.07261).

The branches of a module are brought to the width of its input by a linear 1x1 convolution, scaled down and added.
The paper's v2 (figures 3 and 15 to 19) and the network its authors released by that name, which Keras and timm
have, differ: the release has Inception v3's stem, a module of Inception before the residual ones, twice as many of
these and a last convolution. `form="released"`, or the name `inception_resnet_v2_released`, builds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from striate.errors import UsageError, unknown
from striate.layers import ConvNormAct, he_normal_
from striate.layers import activation as make_activation
from striate.layers.branches import Conv, Pool, Split, Step, Table, Unit, branches, named_chain, unstrided
from striate.models.card import Card, Family
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, params
from striate.models.heads import pooled
from striate.models.inception_v3 import STEMS as INCEPTION_V3_STEMS
from striate.models.inception_v3 import module_a as inception_v3_module_a
from striate.models.inception_v4 import AVERAGE, HALVED, NORM_EPS, PAPER, reduction_a
from striate.models.inception_v4 import STEM as INCEPTION_V4_STEM
from striate.models.stem import stem_for
from striate.weights import errors, weights_of

#: Scales of the residuals at 35x35, 17x17 and 8x8: the released ones; the paper says 0.1 to 0.3.
SCALES = (0.17, 0.10, 0.20)


class InceptionResidual(nn.Module):
    """act(x + scale * linear(branches(x))), (N, C, H, W) -> the same shape; `activation` None leaves act out."""

    def __init__(self, channels: int, table: Table, unit: Unit, scale: float, activation: str | None) -> None:
        super().__init__()
        self.branches = branches(channels, table, unit)
        self.linear = nn.Conv2d(self.branches.out_channels, channels, 1)
        self.scale = scale
        self.act = None if activation is None else make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the branches see to what came in."""
        y = x + self.scale * self.linear(self.branches(x))
        return y if self.act is None else self.act(y)


def _residual(one: int, *others: tuple[int | tuple[int, Any], ...]) -> Table:
    """Branches of a residual: a 1x1 convolution; then others, whose steps are a 1x1's width or (width, kernel)."""
    table: dict[str, tuple[Step, ...]] = {"branch1": (Conv(one),)}
    for number, steps in enumerate(others, 2):
        table[f"branch{number}"] = tuple(Conv(step) if isinstance(step, int) else Conv(*step) for step in steps)
    return table


def _reduction_b(*branches: tuple[int, ...]) -> Table:
    """From 17x17 to 8x8: a 1x1, then 3x3 convolutions of which the last has the stride; and a pool."""
    table: dict[str, tuple[Step, ...]] = {}
    for number, (first, *inner, last) in enumerate(branches, 1):
        table[f"branch{number}"] = (Conv(first), *(Conv(width, 3) for width in inner), Conv(last, 3, 2, "valid"))
    return table | {"pool": HALVED}


@dataclass(frozen=True)
class Row:
    """One network: its stem, the three kinds of residuals and how many of each, the two reductions."""

    stem: Mapping[str, Step]
    residuals: tuple[Table, Table, Table]
    counts: tuple[int, int, int]
    reductions: tuple[Table, Table]
    last: int | None
    min_size: tuple[int, int]


_V2 = (
    _residual(32, (32, (32, 3)), (32, (48, 3), (64, 3))),
    _residual(192, (128, (160, (1, 7)), (192, (7, 1)))),
    _residual(192, (192, (224, (1, 3)), (256, (3, 1)))),
)
_V2_REDUCTIONS = (reduction_a(256, 256, 384, 384), _reduction_b((256, 384), (256, 288), (256, 288, 320)))
_MODULE = Split({**inception_v3_module_a(64, 5, AVERAGE), "conv1x1": (Conv(96),)})

ROWS = {
    "inception_resnet_v1": Row(
        stem={  # figure 14
            "conv1": Conv(32, 3, 2, "valid"),
            "conv2": Conv(32, 3, 1, "valid"),
            "conv3": Conv(64, 3),
            "pool1": Pool("max", 2, "valid"),
            "conv4": Conv(80),
            "conv5": Conv(192, 3, 1, "valid"),
            "conv6": Conv(256, 3, 2, "valid"),
        },
        residuals=(  # figures 10, 11, 13
            _residual(32, (32, (32, 3)), (32, (32, 3), (32, 3))),
            _residual(128, (128, (128, (1, 7)), (128, (7, 1)))),
            _residual(192, (192, (192, (1, 3)), (192, (3, 1)))),
        ),
        counts=(5, 10, 5),
        reductions=(reduction_a(192, 192, 256, 384), _reduction_b((256, 384), (256, 256), (256, 256, 256))),
        last=None,
        min_size=(75, 15),
    ),
    "inception_resnet_v2": Row(INCEPTION_V4_STEM, _V2, (5, 10, 5), _V2_REDUCTIONS, None, (75, 17)),
    "released": Row(
        {**INCEPTION_V3_STEMS["inception_v3"], "mixed": _MODULE}, _V2, (10, 20, 10), _V2_REDUCTIONS, 1536, (75, 13)
    ),
}


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    form: str = "paper",
    stem: str | None = None,
    dropout: float = 0.2,
    activation: str = "relu",
) -> ConvNet:
    """Assemble figure 15.

    Args:
        name: a row of `ROWS`.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        form: "paper", or of v2 also "released".
        stem: "paper"; or "small", the same layers without strides and, but for those that are branches, without pools.
        dropout: before the classifier.
        activation: name of the activation function.
    """
    if form not in ("paper", "released"):
        raise unknown(f"form of {name}", form, ("paper", "released"))
    if form == "released" and name == "inception_resnet_v1":
        raise UsageError("inception_resnet_v1 was never released; leave the option form out")
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is {dropout}; a fraction from 0 up to 1 is needed")
    row = ROWS["released" if form == "released" else name]
    unit: Unit = partial(ConvNormAct, activation=activation, norm_eps=NORM_EPS)
    small = stem_for(input_size, stem) == "small"
    first, channels = named_chain(in_channels, unstrided(row.stem) if small else row.stem, unit)
    stages: dict[str, nn.Module] = {}
    for letter, table, count, scale in zip("abc", row.residuals, row.counts, SCALES, strict=True):
        blocks = [InceptionResidual(channels, table, unit, scale, activation) for _ in range(count)]
        if form == "released" and letter == "c":  # the very last is neither scaled nor activated
            blocks[-1] = InceptionResidual(channels, table, unit, 1.0, None)
        stages[f"inception_{letter}"] = nn.Sequential(*blocks)
        if letter != "c":
            reduction = branches(channels, row.reductions["ab".index(letter)], unit)
            stages[f"reduction_{letter}"], channels = reduction, reduction.out_channels
    if row.last is not None:
        stages["conv"], channels = unit(channels, row.last, 1), row.last
    model = ConvNet(
        first,
        stages,
        pooled(channels, num_classes, dropout=dropout),
        in_channels=in_channels,
        min_size=row.min_size[small],
    )
    he_normal_(model)
    return model


SMALL_STEM = "With input_size of 64 pixels or less the stem has no strides"


def _card(name: str, parameters: int, introduces: str, row: Row, **facts: Any) -> Card:
    pools = "." if row.stem is INCEPTION_V4_STEM else " and no pools."  # pools that are branches stay
    facts["deviations"] = (SMALL_STEM + pools, *facts.get("deviations", ()))
    facts["min_size"], facts["small_min_size"] = row.min_size
    return Card(name, "inception_resnet", PAPER, introduces, 299, parameters, **facts)


FAMILY = Family(
    "inception_resnet",
    build,
    (
        _card(
            "inception_resnet_v1",
            22_756_328,
            "Inception modules as scaled residuals, at the cost of Inception v3.",
            ROWS["inception_resnet_v1"],
            published=errors(21.3, 5.5, input_size=299),
            deviations=("The residuals' scales are those of the released v2; the paper says 0.1 to 0.3.",),
            aliases=("inceptionresnetv1",),
        ),
        _card(
            "inception_resnet_v2",
            32_433_928,
            "The wider of the two, at the cost of Inception v4 and with its stem.",
            ROWS["inception_resnet_v2"],
            published=errors(19.9, 4.9, input_size=299),
            deviations=(
                "The residuals' scales are those of the release; the paper says 0.1 to 0.3.",
                "The network released by this name is `inception_resnet_v2_released`; its weights bring that form.",
            ),
            errata=(
                Erratum(
                    "1154 maps in figure 17 and 2048 in figure 19",
                    "384 + 384 + 384 = 1152 come in, and 2144",
                ),
                Erratum(
                    "55.8 M parameters",
                    "those of the released network; the paper's figures give 32.4 M",
                    (
                        params(55.8e6, "inception_resnet_v2_released", within=0.001),
                        params(32.4e6, "inception_resnet_v2", within=0.002),
                    ),
                ),
            ),
        ),
        _card(
            "inception_resnet_v2_released",
            55_843_464,
            "Inception-ResNet v2 as its authors released it, and as Keras and timm have it.",
            ROWS["released"],
            published=errors(19.6, input_size=299, source="TF-slim"),
            peers={"timm": "inception_resnet_v2", "keras": "InceptionResNetV2"},
            weights=weights_of("inception_resnet_v2_released", {"timm": "inception_resnet_v2"}),
            deviations=(
                "Inception v3's stem, one Inception module, then 10, 20 and 10 residual ones in place of 5, 10 and 5, "
                "the last without scale and activation, and a 1x1 convolution to 1,536 maps.",
                "Keras's batch norms have no scale: it is one here.",
            ),
            aliases=("inceptionresnetv2",),
            options={"form": "released"},
        ),
    ),
)
