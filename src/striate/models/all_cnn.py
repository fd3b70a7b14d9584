"""All-CNN: strided convolutions in place of pooling (Springenberg et al., 2014, arXiv:1412.6806).

Model C of the paper's table 1 and its three derived networks of table 2, for CIFAR images of 32x32 pixels: two groups
of 3x3 convolutions, each of which halves the map, then 3x3 (without padding), 1x1 and a 1x1 with a map per class,
whose average is the logit. While training 20 % of the image's values are dropped and half of what leaves each group.
The 6x6 places that the paper averages need convolutions that pad by 1 and pools that count an incomplete window.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from striate.layers import activation as make_activation
from striate.layers.initialise import first_weights_
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, params
from striate.models.heads import convolutional, dropout_layer
from striate.weights import CIFAR10, costs, errors

PAPER = Paper(
    "Striving for simplicity: the all convolutional net",
    "Springenberg, Dosovitskiy, Brox and Riedmiller",
    2014,
    "1412.6806",
)

#: How a group halves its map: the strides of its 3x3 convolutions, and whether a 3x3 max-pool of stride 2 follows.
ROWS = {
    "cnn_c": ((1, 1), True),
    "strided_cnn_c": ((1, 2), False),
    "convpool_cnn_c": ((1, 1, 1), True),
    "all_cnn_c": ((1, 1, 2), False),
}
WIDTHS = (96, 192)


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    dropout: float = 0.5,
    dropout_image: float = 0.2,
    activation: str = "relu",
) -> ConvNet:
    """Assemble one row of `ROWS`; any size of image goes.

    Args:
        name: the row.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: taken for the record.
        dropout: behind each of the two groups.
        dropout_image: on the image.
        activation: name of the activation function.
    """
    strides, pooled = ROWS[name]
    first: OrderedDict[str, nn.Module] = OrderedDict(dropout=dropout_layer(dropout_image))
    groups, channels = [first, OrderedDict[str, nn.Module]()], in_channels
    for layers, width in zip(groups, WIDTHS, strict=True):
        for number, stride in enumerate(strides, 1):
            layers[f"conv{number}"] = nn.Conv2d(channels, width, 3, stride=stride, padding=1)
            layers[f"act{number}"] = make_activation(activation)
            channels = width
        if pooled:
            layers["pool"] = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        layers["dropout_out"] = dropout_layer(dropout)
    last = OrderedDict(
        conv=nn.Conv2d(channels, channels, 3),
        act=make_activation(activation),
        mlp=nn.Conv2d(channels, channels, 1),
        act_mlp=make_activation(activation),
    )
    model = ConvNet(
        nn.Sequential(groups[0]),
        {"stage1": nn.Sequential(groups[1]), "stage2": nn.Sequential(last)},
        convolutional(channels, num_classes, dropout=None, activation=activation),
        in_channels=in_channels,
        min_size=FIGURES[name][3],
    )
    first_weights_(model, "he")
    return model


#: Exact parameters; the paper's table 3: parameters, error in % on CIFAR-10 without augmentation; smallest image.
FIGURES = {
    "cnn_c": (954_730, "1.3 M", "9.74", 12),
    "strided_cnn_c": (954_730, "1.3 M", "10.19", 9),
    "convpool_cnn_c": (1_369_738, "1.4 M", "9.31", 12),
    "all_cnn_c": (1_369_738, "1.4 M", "9.08", 9),
}
INTRODUCES = {
    "cnn_c": "The base network with max-pooling, from which the other three derive.",
    "strided_cnn_c": "Pools left out, their stride put into the convolution before.",
    "convpool_cnn_c": "A further convolution before each pool: as many layers as All-CNN-C.",
    "all_cnn_c": "Each pool replaced by a convolution of stride 2: nothing but convolutions.",
}


def _card(name: str) -> Card:
    parameters, rounded, error, min_size = FIGURES[name]
    usual = name.replace("_cnn_", "cnn_") if name != "cnn_c" else "model_c"
    return Card(
        name=name,
        family="all_cnn",
        paper=PAPER,
        introduces=INTRODUCES[name],
        input_size=32,
        parameters=parameters,
        min_size=min_size,
        num_classes=10,
        published=(*costs(rounded), *errors(error, data=CIFAR10, input_size=32)),
        deviations=("First weights by He's rule; the paper does not give its own.",),
        errata=(
            Erratum(
                "1.3 M parameters (the paper)",
                f"its own tables 1 and 2 give {parameters:,}",
                (params(parameters, name),),
            ),
        )
        if rounded == "1.3 M"
        else (),
        aliases=(usual,),
    )


FAMILY = Family("all_cnn", build, tuple(_card(name) for name in ROWS))
