"""AlexNet: five convolutions and three dense layers (Krizhevsky, Sutskever and Hinton, 2012).

"ImageNet classification with deep convolutional neural networks", NIPS 2012. Three forms:

- `alexnet`, the paper's: convolutions 2, 4 and 5 in two groups, one per GPU; local response normalisation
  after the first two; overlapping pooling; images of 227x227.
- `alexnet_ungrouped`, the same without groups, as most lectures draw it.
- `alexnet_one_column`, fewer filters in one column, no local response normalisation (Krizhevsky, 2014,
  arXiv:1404.5997), as torchvision has it: the last map is averaged to 6x6, whatever the image's size, and
  dropout is on the dense layers' inputs.

The paper draws first weights from N(0, 0.01^2) with biases of one in places, for pixels up to 255; that is
`init="gaussian"`. On images of unit variance it fades, so the default is He's rule.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from striate.layers import LocalResponseNorm, conv2d, output_shape
from striate.layers import activation as make_activation
from striate.layers.initialise import first_weights_
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, Measured, macs, params
from striate.models.heads import dense
from striate.models.stem import stem_for
from striate.weights import costs, count, errors, sources_of

PAPER = Paper(
    "ImageNet classification with deep convolutional neural networks", "Krizhevsky, Sutskever and Hinton", 2012
)
ONE_COLUMN = Paper("One weird trick for parallelizing convolutional neural networks", "Krizhevsky", 2014, "1404.5997")


@dataclass(frozen=True)
class Row:
    """Filters and groups of the five convolutions, rows of zeros around the image, local response norm or not."""

    filters: tuple[int, int, int, int, int]
    groups: tuple[int, int, int, int, int] = (1, 1, 1, 1, 1)
    padding: int = 0
    local_norm: bool = True


ROWS = {
    "alexnet": Row((96, 256, 384, 384, 256), (1, 2, 1, 2, 2)),
    "alexnet_ungrouped": Row((96, 256, 384, 384, 256)),
    "alexnet_one_column": Row((64, 192, 384, 256, 256), padding=2, local_norm=False),
}
KERNELS = (11, 5, 3, 3, 3)
POOLED = (1, 2, 5)
DENSE = (4096, 4096)


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    pool: int | None = None,
    dropout: float = 0.5,
    dropout_on: str = "outputs",
    stem: str | None = None,
    init: str = "he",
    activation: str = "relu",
) -> ConvNet:
    """Assemble one row of `ROWS`.

    Args:
        name: the row.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: what the dense layers are built for (227x227) unless `pool` is given; chooses the stem when
            `stem` is None, see `striate.models.stem`.
        pool: side to which the last map is averaged before the dense layers (torchvision: 6); then any size of
            image goes. None: the map as it is.
        dropout: on both hidden dense layers.
        dropout_on: their "outputs" (the paper), or their "inputs" (torchvision).
        stem: "paper" is an 11x11 convolution of stride 4, "small" a 5x5 of stride 1; both pool after it.
        init: one of `striate.layers.initialise.INITS`; with "gaussian" biases start as the paper says.
        activation: name of the activation function.
    """
    row = ROWS[name]
    small = stem_for(input_size, stem) == "small"
    stages = []
    for number, (channels, filters) in enumerate(pairwise((in_channels, *row.filters)), 1):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if number > 1 or small:
            kernel = KERNELS[number - 1] if number > 1 else 5
            layers["conv"] = conv2d(channels, filters, kernel, groups=row.groups[number - 1])
        else:
            layers["conv"] = nn.Conv2d(channels, filters, KERNELS[0], stride=4, padding=row.padding)
        layers["act"] = make_activation(activation)
        if row.local_norm and number <= 2:
            layers["norm"] = LocalResponseNorm()
        if number in POOLED:
            layers["pool"] = nn.MaxPool2d(3, stride=2)
        stages.append(nn.Sequential(layers))
    size = input_size or (227, 227)
    channels, height, width = output_shape(nn.Sequential(*stages), (1, in_channels, *size))[1:]
    model = ConvNet(
        stages[0],
        {f"stage{number}": stage for number, stage in enumerate(stages[1:], 2)},
        dense(
            (channels, height, width),
            DENSE,
            num_classes,
            pool=pool,
            dropout=dropout,
            dropout_on=dropout_on,
            activation=activation,
        ),
        in_channels=in_channels,
        min_size=15 if small else 67 - 2 * row.padding,
        fixed_size=None if pool else size,
    )
    first_weights_(model, init)
    if init == "gaussian":
        _biases_of_one(model)
    return model


def _biases_of_one(model: ConvNet) -> None:
    """The paper's section 5: ones in convolutions 2, 4 and 5 and in the hidden dense layers."""
    for key in ("stages.stage2.conv", "stages.stage4.conv", "stages.stage5.conv", "head.dense1", "head.dense2"):
        bias = model.get_parameter(f"{key}.bias")
        if not bias.is_meta:
            nn.init.ones_(bias)


SMALL_STEM = "With input_size of 64 pixels or less the first convolution is 5x5 with stride 1."
INIT = "First weights by He's rule, not N(0, 0.01^2); init=\"gaussian\" gives the paper's."


def _card(name: str, parameters: int, **more: object) -> Card:
    values: dict[str, object] = {
        "paper": PAPER,
        "input_size": 227,
        "min_size": 67,
        "fixed_size": True,
        "deviations": (INIT, SMALL_STEM),
        **more,
    }
    return Card(name=name, family="alexnet", parameters=parameters, small_min_size=15, **values)  # type: ignore[arg-type]


#: The convolutions' outputs at 227 pixels: 1.9 MiB of four bytes each.
AT_227 = Measured(1.9 * 2**20 / 4, "values", "alexnet_one_column", types=("Conv2d",), input_size=227, within=0.02)

FAMILY = Family(
    "alexnet",
    build,
    (
        _card(
            "alexnet",
            60_965_224,
            introduces="The deep network that won ImageNet 2012: ReLU, dropout, two GPUs.",
            published=(
                *costs("60 M"),
                *errors(40.7, 18.2, input_size=227, crop="10 crops"),
                count("neurons", "650,000"),
            ),
            errata=(
                Erratum(
                    "Images of 224x224 (the paper)",
                    "the sizes only work for 227, or for 224 with padding 2",
                    (Measured(55, "side", "alexnet", layers=("stem.conv",)),),
                ),
                Erratum(
                    "253,440 neurons for the first layer (the paper)",
                    "55 x 55 x 96 are 290,400",
                    (Measured(290_400, "values", "alexnet", layers=("stem.conv",)),),
                ),
            ),
            aliases=("alexnet_2012", "alexnet_two_groups", "alexnet_grouped"),
        ),
        _card(
            "alexnet_ungrouped",
            62_378_344,
            introduces="AlexNet as lectures draw it: each convolution sees all maps of the layer before.",
            deviations=("No groups, unlike the paper.", INIT, SMALL_STEM),
        ),
        _card(
            "alexnet_one_column",
            61_100_840,
            paper=ONE_COLUMN,
            introduces="AlexNet with fewer filters in one column, the form most published weights have.",
            input_size=224,
            min_size=63,
            fixed_size=False,
            peers={"torchvision": "alexnet"},
            weights=sources_of("alexnet"),
            deviations=(
                "As in torchvision: the last map is averaged to 6x6, so that any size of image goes, and dropout is on "
                "the inputs of the hidden dense layers, where the paper has it on their outputs.",
                INIT,
                SMALL_STEM,
            ),
            errata=(
                Erratum(
                    "The AlexNet of 2012 (libraries)",
                    "the one-column form of 2014: 61,100,840 parameters against 60,965,224, and dropout on the inputs "
                    "of the dense layers",
                    (params(61_100_840, "alexnet_one_column"), params(60_965_224, "alexnet")),
                ),
                Erratum(
                    "145 M multiply-adds for the fourth convolution at 227 pixels (lectures' table)",
                    "13 x 13 x 256 x 384 x 9 are 149.5 M",
                    (macs(149.5e6, AT_227.network, layers=("stages.stage4.conv",), input_size=227, within=0.001),),
                ),
                Erratum(
                    "37,749 K, 16,777 K and 4,096 K parameters for the dense layers (that table)",
                    "without the biases; with them 37,753 K, 16,781 K and 4,097 K",
                    tuple(
                        params(count, AT_227.network, layers=(layer,))
                        for count, layer in (
                            (37_752_832, "head.dense1"),
                            (16_781_312, "head.dense2"),
                            (4_097_000, "head.classifier"),
                        )
                    ),
                ),
                Erratum(
                    "1.9 MB of memory (that table)",
                    "the convolutions' outputs alone, with or without the dense layers', in MiB; pools are left out",
                    (AT_227,),
                ),
            ),
            options={"pool": 6, "dropout_on": "inputs"},
            aliases=("alexnet_torchvision", "alexnet_2014"),
        ),
    ),
)
