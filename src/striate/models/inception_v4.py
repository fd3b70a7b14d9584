"""Inception v4: uniform modules behind a branching stem (Szegedy et al., 2016, arXiv:1602.07261, figures 3 to 9)."""

from __future__ import annotations

from functools import partial

from striate.errors import UsageError
from striate.layers import ConvNormAct, he_normal_
from striate.layers.branches import Conv, Pool, Split, Step, Table, Unit, named_chain, stages_of, unstrided
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum
from striate.models.heads import pooled
from striate.models.stem import stem_for
from striate.weights import errors, weights_of

PAPER = Paper(
    "Inception-v4, Inception-ResNet and the impact of residual connections on learning",
    "Szegedy, Ioffe, Vanhoucke and Alemi",
    2016,
    "1602.07261",
)
NORM_EPS = 1e-3
ROW, COLUMN = (1, 7), (7, 1)
HALVED: tuple[Step, ...] = (Pool("max", 2, "valid"),)
AVERAGE = Pool("average")

#: Figure 3, (N, C, 299, 299) -> (N, 384, 35, 35). Inception-ResNet v2 has it too.
STEM: dict[str, Step] = {
    "conv1": Conv(32, 3, 2, "valid"),
    "conv2": Conv(32, 3, 1, "valid"),
    "conv3": Conv(64, 3),
    "mixed1": Split({"pool": HALVED, "conv3x3": (Conv(96, 3, 2, "valid"),)}),
    "mixed2": Split(
        {
            "conv3x3": (Conv(64), Conv(96, 3, 1, "valid")),
            "conv7x7": (Conv(64), Conv(64, ROW), Conv(64, COLUMN), Conv(96, 3, 1, "valid")),
        }
    ),
    "mixed3": Split({"conv3x3": (Conv(192, 3, 2, "valid"),), "pool": HALVED}),
}

#: Figure 4, for 35x35 maps.
MODULE_A: Table = {
    "conv1x1": (Conv(96),),
    "conv3x3": (Conv(64), Conv(96, 3)),
    "double3x3": (Conv(64), Conv(96, 3), Conv(96, 3)),
    "pool": (AVERAGE, Conv(96)),
}
#: Figure 5, for 17x17 maps.
MODULE_B: Table = {
    "conv1x1": (Conv(384),),
    "conv7x7": (Conv(192), Conv(224, ROW), Conv(256, COLUMN)),
    "double7x7": (Conv(192), Conv(192, COLUMN), Conv(224, ROW), Conv(224, COLUMN), Conv(256, ROW)),
    "pool": (AVERAGE, Conv(128)),
}
#: Figure 6, for 8x8 maps.
_BOTH = Split({"row": (Conv(256, (1, 3)),), "column": (Conv(256, (3, 1)),)})
MODULE_C: Table = {
    "conv1x1": (Conv(256),),
    "conv3x3": (Conv(384), _BOTH),
    "double3x3": (Conv(384), Conv(448, (3, 1)), Conv(512, (1, 3)), _BOTH),
    "pool": (AVERAGE, Conv(256)),
}
#: Figure 8, from 17x17 to 8x8.
REDUCTION_B: Table = {
    "conv3x3": (Conv(192), Conv(192, 3, 2, "valid")),
    "conv7x7": (Conv(256), Conv(256, ROW), Conv(320, COLUMN), Conv(320, 3, 2, "valid")),
    "pool": HALVED,
}


def reduction_a(k: int, l: int, m: int, n: int) -> Table:  # noqa: E741 - the paper's letters
    """Figure 7, from 35x35 to 17x17, with the widths of table 1."""
    return {
        "conv3x3": (Conv(n, 3, 2, "valid"),),
        "double3x3": (Conv(k), Conv(l, 3), Conv(m, 3, 2, "valid")),
        "pool": HALVED,
    }


#: Figure 9: the modules of each stage.
STAGES: dict[str, list[Table]] = {
    "inception_a": [MODULE_A] * 4,
    "reduction_a": [reduction_a(192, 224, 256, 384)],
    "inception_b": [MODULE_B] * 7,
    "reduction_b": [REDUCTION_B],
    "inception_c": [MODULE_C] * 3,
}
#: Smallest image side with the paper's stem and with the small one.
MIN_SIZE = (75, 17)


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    stem: str | None = None,
    dropout: float = 0.2,
    activation: str = "relu",
) -> ConvNet:
    """Assemble figure 9.

    Args:
        name: for the record; there is one network.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        stem: "paper"; or "small", the same layers without strides.
        dropout: before the classifier.
        activation: name of the activation function.
    """
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is {dropout}; a fraction from 0 up to 1 is needed")
    unit: Unit = partial(ConvNormAct, activation=activation, norm_eps=NORM_EPS)
    small = stem_for(input_size, stem) == "small"
    first, channels = named_chain(in_channels, unstrided(STEM) if small else STEM, unit)
    stages, channels = stages_of(channels, STAGES, unit)
    head = pooled(channels, num_classes, dropout=dropout)
    model = ConvNet(first, stages, head, in_channels=in_channels, min_size=MIN_SIZE[small])
    he_normal_(model)
    return model


FAMILY = Family(
    "inception_v4",
    build,
    (
        Card(
            name="inception_v4",
            family="inception_v4",
            paper=PAPER,
            introduces="Inception modules of one kind for each size of map, and a stem that branches as they do.",
            input_size=299,
            parameters=42_679_816,
            min_size=MIN_SIZE[0],
            small_min_size=MIN_SIZE[1],
            published=errors(20.0, 5.0, input_size=299),
            peers={"timm": "inception_v4"},
            weights=weights_of("inception_v4", {"timm": "inception_v4"}),
            deviations=("With input_size of 64 pixels or less the stem has no strides.",),
            errata=(Erratum("1x7 twice in figure 5's second branch", "the second of them is 7x1, as released"),),
            aliases=("inceptionv4",),
        ),
    ),
)
