"""VGG: deep stacks of 3x3 convolutions (Simonyan and Zisserman, 2014, arXiv:1409.1556).

The six columns of the paper's table 1, and torchvision's forms of A, B, D and E with a batch norm after each
convolution (whose biases stay). The dense layers are built for one size of image, 224x224 unless said; `pool=7`
averages the last map to 7x7 first, as torchvision does, so that any size goes. Weights of others bring that option.
`ConvNet.to_fully_convolutional` is the paper's own way to other sizes (section 3.2).

The paper draws first weights from a normal distribution "with variance 10^-2", read by everybody as deviation
0.01 (`init="gaussian"`): under it the signal fades from layer to layer, the deeper columns stall, and the paper starts
them from a trained A (`striate.transfer.grow`, rule "paper"). The default is He's rule, which keeps the signal's size
through all of them.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from striate.errors import UsageError
from striate.layers import Chain, LocalResponseNorm, conv2d, output_shape
from striate.layers import activation as make_activation
from striate.layers.initialise import first_weights_
from striate.layers.rounding import check_factor, round_channels
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, Measured, macs, params
from striate.models.heads import dense
from striate.weights import costs, errors, weights_of

PAPER = Paper(
    "Very deep convolutional networks for large-scale image recognition", "Simonyan and Zisserman", 2014, "1409.1556"
)

#: Columns of the paper's table 1, one group per size of map; a max-pool ends each. A number is a 3x3 convolution of
#: that width, a pair (width, kernel) one of another kernel, "N" local response normalisation.
Column = tuple[tuple[int | str | tuple[int, int], ...], ...]
COLUMNS: dict[str, Column] = {
    "vgg_a": ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "vgg_a_lrn": ((64, "N"), (128,), (256, 256), (512, 512), (512, 512)),
    "vgg_b": ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    "vgg_c": ((64, 64), (128, 128), (256, 256, (256, 1)), (512, 512, (512, 1)), (512, 512, (512, 1))),
    "vgg_d": ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3),
    "vgg_e": ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4),
}
#: The usual names with the number of weight layers, where it tells columns apart.
NUMBERED = {"vgg11": "vgg_a", "vgg13": "vgg_b", "vgg16": "vgg_d", "vgg19": "vgg_e"}
DENSE = (4096, 4096)


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    width: float = 1.0,
    pool: int | None = None,
    norm: str | None = None,
    dropout: float = 0.5,
    init: str = "he",
    activation: str = "relu",
) -> ConvNet:
    """Assemble one of `COLUMNS`.

    Args:
        name: the column, or a number of layers from `NUMBERED` and "_bn".
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: what the dense layers are built for (224x224) unless `pool` is given.
        width: multiplier of the channels and of the hidden dense layers, for small images and quick trials.
        pool: side to which the last map is averaged before the dense layers (torchvision: 7); then any size of
            image goes. None: the map as it is.
        norm: "batch" puts a batch norm after each convolution, None nothing.
        dropout: on the outputs of both hidden dense layers.
        init: one of `striate.layers.initialise.INITS`.
        activation: name of the activation function.
    """
    check_factor("width", width)
    if norm not in (None, "batch"):
        raise UsageError(f"norm is {norm!r}; VGG has 'batch' or None")
    plain = name.removesuffix("_bn")
    stages, channels = [], in_channels
    for group in COLUMNS[NUMBERED.get(plain, plain)]:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        number = 0
        for entry in group:
            if isinstance(entry, str):
                layers["norm"] = LocalResponseNorm()
                continue
            number += 1
            wide, kernel = entry if isinstance(entry, tuple) else (entry, 3)
            out = round_channels(wide, width, 1)
            layers[f"conv{number}"] = conv2d(channels, out, kernel)
            if norm == "batch":
                layers[f"norm{number}"] = nn.BatchNorm2d(out)
            layers[f"act{number}"] = make_activation(activation)
            channels = out
        layers["pool"] = nn.MaxPool2d(2)
        stages.append(Chain(layers))
    size = input_size or (224, 224)
    height, side = output_shape(nn.Sequential(*stages), (1, in_channels, *size))[2:]
    hidden = [round_channels(wide, width, 1) for wide in DENSE]
    model = ConvNet(
        stages[0],
        {f"stage{number}": stage for number, stage in enumerate(stages[1:], 2)},
        dense((channels, height, side), hidden, num_classes, pool=pool, dropout=dropout, activation=activation),
        in_channels=in_channels,
        min_size=32,
        fixed_size=None if pool else size,
    )
    first_weights_(model, init)
    return model


#: Exact parameters with and without batch norms; the paper's table 2 (parameters) and table 3 (errors in %, trained
#: and tested at 256 pixels).
FIGURES = {
    "vgg_a": (132_863_336, "133 M", "29.6", "10.4"),
    "vgg_a_lrn": (132_863_336, "133 M", "29.7", "10.5"),
    "vgg_b": (133_047_848, "133 M", "28.7", "9.9"),
    "vgg_c": (133_638_952, "134 M", "28.1", "9.4"),
    "vgg_d": (138_357_544, "138 M", "27.0", "8.8"),
    "vgg_e": (143_667_240, "144 M", "27.3", "9.0"),
}
#: Multiply-adds as the ResNet paper prints them.
LATER = {"vgg_d": "15.3 G", "vgg_e": "19.6 G"}
BATCH_NORM = {"vgg11": 132_868_840, "vgg13": 133_053_736, "vgg16": 138_365_992, "vgg19": 143_678_248}
INTRODUCES = {
    "vgg_a": "Depth from small kernels: 8 convolutions of 3x3 and 3 dense layers.",
    "vgg_a_lrn": "Column A with local response normalisation, which does not help.",
    "vgg_b": "10 convolutions: two 3x3 where A has one.",
    "vgg_c": "13 convolutions, three of them 1x1: more nonlinearity without a wider field.",
    "vgg_d": "13 convolutions of 3x3, the most used column.",
    "vgg_e": "16 convolutions of 3x3, the deepest column.",
}
INIT = 'First weights by He\'s rule, not N(0, 0.01^2), under which deep columns stall (init="gaussian").'
OTHER_SIZES = "Weights of others bring pool=7: the last map is averaged to 7x7, so that other sizes of image go."
TO_28 = ("stem.*", "stages.stage2.*", "stages.stage3.*")  # all before the third pool, which gives 28x28
SECOND = Erratum("VGG won ILSVRC 2014", "GoogLeNet did; VGG came second")
SIXTEEN = (
    Erratum(
        "13.6 G multiply-adds (or FLOPs) and 48.6 MB of activations",
        "sums without the third convolution of 256 maps; all thirteen and the dense layers cost 15.5 G, the "
        "convolutions' outputs take 51.7 MiB",
        (
            macs(15.5e9, "vgg_d"),
            Measured(51.7 * 2**20 / 4, "values", "vgg_d", types=("Conv2d",), within=0.001),
        ),
    ),
    Erratum(
        "19 to 20 times AlexNet's multiply-adds",
        "21.6 times those of its one-column form",
        (macs(21.6, "vgg_d", per=macs(1, "alexnet_one_column", input_size=227)),),
    ),
    Erratum(
        "24 M values of 4 bytes, 96 MB",
        "that table's rows add up to 15,237,608 values, 61.0 MB: 150,528 of the image, 15,087,080 of convolutions, "
        "pools and dense layers",
        (Measured(15_237_608 - 3 * 224 * 224, "values", "vgg_d", types=("Conv2d", "MaxPool2d", "Linear")),),
    ),
    Erratum(
        "42.9 MB, 1.1 M parameters and 7,485 M multiply-adds down to 28x28",
        "45.9 MiB, 1,735,488 and 9,335 M; the print leaves the third convolution of 256 maps out",
        (
            Measured(45.9 * 2**20 / 4, "values", "vgg_d", layers=TO_28, types=("Conv2d",), within=0.001),
            params(1_735_488, "vgg_d", layers=TO_28),
            macs(9_335e6, "vgg_d", layers=TO_28, within=0.0001),
        ),
    ),
)


def _card(name: str) -> Card:
    parameters, rounded, top1, top5 = FIGURES[name]
    usual = next((number for number, column in NUMBERED.items() if column == name), None)
    peers = {"torchvision": usual, "timm": usual} if usual else {}
    if usual in ("vgg16", "vgg19"):
        peers["keras"] = usual.upper()
    published = (
        *costs(rounded),
        *costs(None, LATER.get(name), source="He et al. (2015)"),
        *errors(top1, top5, input_size=256, crop="whole image, dense"),
    )
    return Card(
        name=name,
        family="vgg",
        paper=PAPER,
        introduces=INTRODUCES[name],
        input_size=224,
        parameters=parameters,
        min_size=32,
        fixed_size=True,
        published=published,
        peers=peers,
        weights=weights_of(name, peers),
        deviations=(INIT, OTHER_SIZES) if usual else (INIT,),
        errata=(SECOND, *(SIXTEEN if name == "vgg_d" else ())),
        aliases=(usual, usual.replace("vgg", "vgg_")) if usual else (),
    )


def _batch_norm_card(usual: str) -> Card:
    return Card(
        name=f"{usual}_bn",
        family="vgg",
        paper=PAPER,
        introduces=f"Column {NUMBERED[usual][-1].upper()} with a batch norm after each convolution.",
        input_size=224,
        parameters=BATCH_NORM[usual],
        min_size=32,
        fixed_size=True,
        peers={"torchvision": f"{usual}_bn", "timm": f"{usual}_bn"},
        weights=weights_of(f"{usual}_bn", {"torchvision": f"{usual}_bn"}),
        deviations=(
            "Not in the paper, which is older than batch normalisation: torchvision's form, whose convolutions keep "
            "their biases.",
            INIT,
            OTHER_SIZES,
        ),
        aliases=(f"{NUMBERED[usual]}_bn",),
        options={"norm": "batch"},
    )


FAMILY = Family("vgg", build, (*(_card(name) for name in COLUMNS), *(_batch_norm_card(usual) for usual in NUMBERED)))
