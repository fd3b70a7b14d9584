"""BN-Inception: GoogLeNet rebuilt around batch norm (Ioffe & Szegedy, 2015, arXiv:1502.03167, appendix, figure 5).

Besides the batch norms: two 3x3 convolutions for each 5x5, average pools in most modules, one module more at 28x28,
and modules 3c and 4e that halve the map themselves in place of pools between modules. TF-slim calls it Inception v2.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from torch import nn

from striate.errors import UsageError
from striate.layers import ConvNormAct, he_normal_
from striate.layers.branches import Conv, Pool, Step, Table, Unit, branches, named_chain, unstrided
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum
from striate.models.heads import pooled
from striate.models.stem import stem_for
from striate.weights import costs, errors

PAPER = Paper(
    "Batch normalization: Accelerating deep network training by reducing internal covariate shift",
    "Ioffe and Szegedy",
    2015,
    "1502.03167",
)

STEM: dict[str, Step] = {
    "conv1": Conv(64, 7, 2),
    "pool1": Pool("max", 2),
    "conv2": Conv(64),
    "conv3": Conv(192, 3),
    "pool2": Pool("max", 2),
}
#: Figure 5: 1x1; 3x3 reduce, 3x3; double 3x3 reduce, both of its 3x3; kind of pool, its projection. Modules without
#: 1x1 and projection have stride 2.
MODULES: dict[str, tuple[int, int, int, int, int, str, int]] = {
    "3a": (64, 64, 64, 64, 96, "average", 32),
    "3b": (64, 64, 96, 64, 96, "average", 64),
    "3c": (0, 128, 160, 64, 96, "max", 0),
    "4a": (224, 64, 96, 96, 128, "average", 128),
    "4b": (192, 96, 128, 96, 128, "average", 128),
    "4c": (160, 128, 160, 128, 160, "average", 128),
    "4d": (96, 128, 192, 160, 192, "average", 128),
    "4e": (0, 128, 192, 192, 256, "max", 0),
    "5a": (352, 192, 320, 160, 224, "average", 128),
    "5b": (352, 192, 320, 192, 224, "max", 128),
}


def module(one: int, reduce3: int, three: int, reduced: int, double: int, pool: str, projection: int) -> Table:
    """A row of `MODULES` as branches."""
    stride = 1 if one else 2
    table: dict[str, tuple[Step, ...]] = {
        "conv3x3": (Conv(reduce3), Conv(three, 3, stride)),
        "double3x3": (Conv(reduced), Conv(double, 3), Conv(double, 3, stride)),
    }
    if not one:
        return table | {"pool": (Pool(pool, stride),)}
    return {"conv1x1": (Conv(one),), **table, "pool": (Pool(pool), Conv(projection))}


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    stem: str | None = None,
    dropout: float = 0.0,
    activation: str = "relu",
) -> ConvNet:
    """Assemble figure 5.

    Args:
        name: for the record; there is one network.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        stem: "paper"; or "small", the same layers without strides and pools.
        dropout: before the classifier; the paper leaves GoogLeNet's out.
        activation: name of the activation function.
    """
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is {dropout}; a fraction from 0 up to 1 is needed")
    unit: Unit = partial(ConvNormAct, activation=activation)
    small = stem_for(input_size, stem) == "small"
    first, channels = named_chain(in_channels, unstrided(STEM) if small else STEM, unit)
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    for key, row in MODULES.items():
        stages[f"inception{key}"] = built = branches(channels, module(*row), unit)
        channels = built.out_channels
    model = ConvNet(first, stages, pooled(channels, num_classes, dropout=dropout), in_channels=in_channels)
    he_normal_(model)
    return model


FAMILY = Family(
    "bn_inception",
    build,
    (
        Card(
            name="bn_inception",
            family="bn_inception",
            paper=PAPER,
            introduces="Batch norm: each map brought to mean 0 and variance 1 over the batch, then scaled and shifted.",
            input_size=224,
            parameters=11_285_224,
            published=(*costs(None, "2.0 G", source="Szegedy et al. (2015)"), *errors(25.2, 7.82)),
            deviations=(
                "With input_size of 64 pixels or less the stem has no strides and no pools.",
                "The first convolution is a plain 7x7; TF-slim's is separable.",
            ),
            errata=(
                Erratum(
                    "Projections of 128 in 4c and 4d, but 576 and 1024 maps behind 4c to 4e (figure 5)",
                    "the projections are kept, as in Caffe's reproduction, and give 608 and 1056 maps",
                ),
            ),
            aliases=("bninception",),
        ),
    ),
)
