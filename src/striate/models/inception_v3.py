"""Inception v2 and v3: factorised convolutions (Szegedy et al., 2015, arXiv:1512.00567).

Large kernels become stacks of small ones: 5x5 two of 3x3 (figure 5), 7x7 a 1x7 and a 7x1 (figure 6), 3x3 a 1x3 beside
a 3x1 (figure 7); pools and strided convolutions side by side halve the map (figure 10).

"Inception v2" is the paper's table 1 with plain auxiliary head; what some libraries call so is BN-Inception. The
paper's v3 is v2 with batch norm in that head; "Inception v3" is here what its authors released by that name, which
has another stem and a 5x5 in its first modules. Neither paper nor table prints the widths inside modules: both
networks have the release's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import nn

from striate.errors import UsageError
from striate.layers import Branches, ConvAct, ConvNormAct, OverlappingPool, he_normal_
from striate.layers.branches import Conv, Pool, Split, Step, Table, Unit, named_chain, stages_of, unstrided
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, macs, params
from striate.models.heads import pooled
from striate.models.stem import stem_for
from striate.weights import costs, errors, weights_of

PAPER = Paper(
    "Rethinking the Inception architecture for computer vision",
    "Szegedy, Vanhoucke, Ioffe, Shlens and Wojna",
    2015,
    "1512.00567",
)
NORM_EPS = 1e-3
#: Of the auxiliary head's loss, as in the authors' code; the paper does not say.
AUXILIARY_WEIGHT = 0.4

#: Layers before the first module: the paper's table 1, and the released network's.
_FIRST: dict[str, Step] = {
    "conv1": Conv(32, 3, 2, "valid"),
    "conv2": Conv(32, 3, 1, "valid"),
    "conv3": Conv(64, 3),
    "pool1": Pool("max", 2, "valid"),
}
STEMS: dict[str, dict[str, Step]] = {
    "inception_v2": _FIRST
    | {"conv4": Conv(80, 3, 1, "valid"), "conv5": Conv(192, 3, 2, "valid"), "conv6": Conv(288, 3)},
    "inception_v3": _FIRST | {"conv4": Conv(80), "conv5": Conv(192, 3, 1, "valid"), "pool2": Pool("max", 2, "valid")},
}
#: Width of the pool's projection in each 35x35 module, and of the 7x7 reductions in each 17x17 module.
PROJECTIONS = {"inception_v2": (64, 64, 64), "inception_v3": (32, 64, 64)}
REDUCTIONS = (128, 160, 160, 192)
#: Smallest image side with the paper's stem and with the small one.
MIN_SIZE = {"inception_v2": (75, 15), "inception_v3": (75, 13)}

STRIDED: Table = {"pool": (Pool("max", 2, "valid"),)}
ROW, COLUMN = (1, 7), (7, 1)


def module_a(projection: int, wide: int, average: Pool) -> Table:
    """Figure 5, for 35x35 maps; `wide` is 3, or the release's 5."""
    return {
        "conv1x1": (Conv(64),),
        "conv5x5": (Conv(48), Conv(64, wide)),
        "double3x3": (Conv(64), Conv(96, 3), Conv(96, 3)),
        "pool": (average, Conv(projection)),
    }


def module_b(reduced: int, average: Pool) -> Table:
    """Figure 6 with n = 7, for 17x17 maps."""
    return {
        "conv1x1": (Conv(192),),
        "conv7x7": (Conv(reduced), Conv(reduced, ROW), Conv(192, COLUMN)),
        "double7x7": (
            Conv(reduced),
            Conv(reduced, COLUMN),
            Conv(reduced, ROW),
            Conv(reduced, COLUMN),
            Conv(192, ROW),
        ),
        "pool": (average, Conv(192)),
    }


def module_c(average: Pool) -> Table:
    """Figure 7, for 8x8 maps."""
    both = Split({"row": (Conv(384, (1, 3)),), "column": (Conv(384, (3, 1)),)})
    return {
        "conv1x1": (Conv(320),),
        "conv3x3": (Conv(384), both),
        "double3x3": (Conv(448), Conv(384, 3), both),
        "pool": (average, Conv(192)),
    }


#: Figure 10, from 35x35 to 17x17, and the same idea from 17x17 to 8x8.
REDUCTION_A: Table = {
    "conv3x3": (Conv(384, 3, 2, "valid"),),
    "double3x3": (Conv(64), Conv(96, 3), Conv(96, 3, 2, "valid")),
    **STRIDED,
}
REDUCTION_B: Table = {
    "conv3x3": (Conv(192), Conv(320, 3, 2, "valid")),
    "conv7x7": (Conv(192), Conv(192, ROW), Conv(192, COLUMN), Conv(192, 3, 2, "valid")),
    **STRIDED,
}


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    auxiliary: bool = False,
    stem: str | None = None,
    count_padding: bool = False,
    dropout: float = 0.2,
    activation: str = "relu",
) -> ConvNet:
    """Assemble table 1, or the released network.

    Args:
        name: "inception_v2" or "inception_v3".
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        auxiliary: a head on the last 17x17 module, whose loss training adds 0.4 times. By default there is none:
            prediction, transfer and export never run it.
        stem: "paper"; or "small", the same layers without strides and pools.
        count_padding: average pools take the zeros around the map as pixels, as torchvision's do; the authors' leave
            them out.
        dropout: before the classifier; the paper does not say, the authors' code has 0.2.
        activation: name of the activation function.
    """
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is {dropout}; a fraction from 0 up to 1 is needed")
    unit: Unit = partial(ConvNormAct, activation=activation, norm_eps=NORM_EPS)
    average = Pool("average", count_padding=count_padding)
    wide = 5 if name == "inception_v3" else 3
    small = stem_for(input_size, stem) == "small"
    first, channels = named_chain(in_channels, unstrided(STEMS[name]) if small else STEMS[name], unit)
    tables: Mapping[str, list[Table]] = {
        "inception_a": [module_a(projection, wide, average) for projection in PROJECTIONS[name]],
        "reduction_a": [REDUCTION_A],
        "inception_b": [module_b(reduced, average) for reduced in REDUCTIONS],
        "reduction_b": [REDUCTION_B],
        "inception_c": [module_c(average), module_c(average)],
    }
    stages, channels = stages_of(channels, tables, unit)
    heads = {}
    if auxiliary:
        last = stages["inception_b"][-1]
        assert isinstance(last, Branches)
        plain = partial(ConvAct, activation=activation)
        heads["inception_b"] = _head(last.out_channels, num_classes, unit if name == "inception_v3" else plain)
    model = ConvNet(
        first,
        stages,
        pooled(channels, num_classes, dropout=dropout),
        in_channels=in_channels,
        min_size=MIN_SIZE[name][small],
        auxiliary=heads,
        auxiliary_weight=AUXILIARY_WEIGHT,
    )
    he_normal_(model)
    return model


def _head(channels: int, num_classes: int, unit: Unit) -> nn.Sequential:
    """The auxiliary head of figure 8: (N, C, H, W) -> (N, num_classes)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        pool=OverlappingPool(5),  # (N, C, 17, 17) -> (N, C, 5, 5)
        conv1=unit(channels, 128, 1),
        conv2=unit(128, 768, 5, padding="valid"),  # (N, 768, 1, 1)
        flatten=nn.Flatten(),
        classifier=nn.Linear(768, num_classes),
    )
    return nn.Sequential(layers)


SMALL_STEM = "With input_size of 64 pixels or less the stem has no strides and no pools."
HEAD = "The auxiliary head is built with auxiliary=True only: {} parameters with it."
WIDTHS = "The paper leaves the widths inside modules open; they are those of the released Inception v3."


def _card(name: str, parameters: int, introduces: str, **facts: Any) -> Card:
    smallest, small = MIN_SIZE[name]
    facts |= {"min_size": smallest, "small_min_size": small, "auxiliary_weight": AUXILIARY_WEIGHT}
    return Card(name, "inception_v3", PAPER, introduces, 299, parameters, **facts)


FAMILY = Family(
    "inception_v3",
    build,
    (
        _card(
            "inception_v2",
            24_263_240,
            "Factorised convolutions: stacks of small, or of one-dimensional, kernels in place of large ones.",
            published=(*costs(None, "3.8 G", input_size=299), *errors(23.4, input_size=299)),
            deviations=(
                SMALL_STEM,
                WIDTHS,
                "Four 17x17 modules, with the halving ones (figure 10) apart, as released; table 1 says 3x, 5x, 2x.",
                HEAD.format("27,589,040"),
            ),
            errata=(
                Erratum(
                    "Inception v2 with 11 M parameters (some libraries)",
                    "that is `bn_inception`",
                    (params(11e6, "bn_inception", within=0.03),),
                ),
                Erratum(
                    "3.8 G multiply-adds (the paper's table 3)",
                    "the layers of its table 1 cost 5.9 G with these widths",
                    (macs(5.9e9, "inception_v2"),),
                ),
            ),
        ),
        _card(
            "inception_v3",
            23_834_568,
            "Inception v2 with batch norm in the auxiliary head, and label smoothing to train it.",
            published=(*costs("25 M", "5 G", input_size=299), *errors(21.2, 5.6, input_size=299)),
            peers={"torchvision": "inception_v3", "timm": "inception_v3", "keras": "InceptionV3"},
            weights=weights_of("inception_v3", {"torchvision": "inception_v3"}),
            deviations=(
                SMALL_STEM,
                WIDTHS,
                "As released: another stem than table 1's, and a 5x5 where figure 5 has two 3x3.",
                "Average pools leave the padding out as the authors' do; torchvision's and timm's weights bring "
                "count_padding=True. Keras's batch norms have no scale: it is one here.",
                HEAD.format("27,161,264"),
            ),
            errata=(
                Erratum(
                    "27.2 M parameters, or 23.8 M",
                    "the first with its auxiliary head, the second without",
                    (
                        params(27_161_264, "inception_v3", options={"auxiliary": True}),
                        params(23_834_568, "inception_v3"),
                    ),
                ),
            ),
            aliases=("inceptionv3",),
        ),
    ),
)
