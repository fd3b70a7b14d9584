"""Keras's examples of convolutional networks (Chollet, 2017, "Deep Learning with Python", chapter 5).

`keras_mnist` (section 5.1) reads digits. `keras_cats_dogs` (section 5.2) tells two kinds of photographs apart by one
sigmoid, that is by one logit; the book trains it without and then with dropout. `vgg16_cats_dogs` (section 5.3) does so
with the convolutions of VGG-16, which `start_from_vgg16` takes from a trained network, and a dense layer of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import nn

from striate.errors import UsageError
from striate.layers import first_weights_, xavier_uniform_
from striate.models import vgg
from striate.models.card import Card, Family, Paper
from striate.models.chain import chain, convolved
from striate.models.convnet import ConvNet
from striate.weights import costs, errors, sources_of

PAPER = Paper("Deep Learning with Python, chapter 5", "Chollet", 2017)


@dataclass(frozen=True)
class Row:
    """Filters of the 3x3 convolutions, how many of them a pool follows, the dense layer, the side of the image."""

    filters: tuple[int, ...]
    pools: int
    dense: int
    side: int
    min_size: int


ROWS = {
    "keras_mnist": Row((32, 64, 64), pools=2, dense=64, side=28, min_size=18),
    "keras_cats_dogs": Row((32, 64, 128, 128), pools=4, dense=512, side=150, min_size=46),
}

#: The book's pictures: 2,000 to train on.
CATS_DOGS = "cats and dogs"

#: The dense layer on VGG-16's convolutions, and the side of the image.
VGG_DENSE, VGG_SIDE = 256, 150


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    dropout: float | None = None,
    activation: str = "relu",
) -> ConvNet:
    """Unpadded 3x3 convolutions and 2x2 max-pools, or VGG-16's layers; then one dense layer.

    Args:
        name: one of `ROWS`, or "vgg16_cats_dogs".
        num_classes: outputs; one is a sigmoid's logit for two classes.
        in_channels: channels of the images.
        input_size: what the dense layer is built for; by default the row's.
        dropout: on the dense layer's inputs (the book's second training of cats and dogs: 0.5).
        activation: name of the activation function.
    """
    if name == "vgg16_cats_dogs":
        return _on_vgg16(num_classes, in_channels, input_size or (VGG_SIDE, VGG_SIDE), dropout, activation)
    row = ROWS[name]
    blocks = [
        convolved(channels, width, 3, activation=activation, pool=nn.MaxPool2d(2) if number < row.pools else None)
        for number, (channels, width) in enumerate(pairwise((in_channels, *row.filters)))
    ]
    model = chain(
        blocks,
        (row.dense,),
        num_classes,
        in_channels=in_channels,
        input_size=input_size or (row.side, row.side),
        min_size=row.min_size,
        activation=activation,
        dropout=dropout,
    )
    xavier_uniform_(model)
    return model


def _on_vgg16(
    num_classes: int, in_channels: int, size: tuple[int, int], dropout: float | None, activation: str
) -> ConvNet:
    with torch.device("meta"):  # nothing is allocated for dense layers that are not used
        base = vgg.build("vgg16", num_classes=1, in_channels=in_channels, input_size=size, activation=activation)
    blocks = [part.to_empty(device=torch.get_default_device()) for part in base.parts().values()]
    model = chain(
        blocks,
        (VGG_DENSE,),
        num_classes,
        in_channels=in_channels,
        input_size=size,
        min_size=base.min_size,
        activation=activation,
        dropout=dropout,
    )
    first_weights_(model, "he")
    return model


def start_from_vgg16(model: ConvNet, trained: ConvNet) -> ConvNet:
    """Give `vgg16_cats_dogs` the convolutions of a trained VGG-16, such as `create_model("vgg16", weights="imagenet")`.

    Freeze them with `model.freeze()` to train the dense layers alone, as the book does first.

    Raises:
        UsageError: the two networks' convolutions differ.
    """
    own = [tensor for part in model.parts().values() for tensor in part.state_dict().values()]
    given = [tensor for part in trained.parts().values() for tensor in part.state_dict().values()]
    if [tensor.shape for tensor in own] != [tensor.shape for tensor in given]:
        raise UsageError(
            f"{model.spec.name} cannot start from {trained.spec.name}: their convolutions differ; "
            "it takes a vgg16 with as many input channels"
        )
    with torch.no_grad():
        for tensor, source in zip(own, given, strict=True):
            tensor.copy_(source)
    return model


FAMILY = Family(
    "keras_examples",
    build,
    (
        Card(
            name="keras_mnist",
            family="keras_examples",
            paper=PAPER,
            introduces="The small network that shows convolutions beating a dense network on digits.",
            input_size=28,
            parameters=93_322,
            min_size=18,
            num_classes=10,
            in_channels=1,
            fixed_size=True,
            published=(*costs("93,322"), *errors(0.9, data="MNIST", input_size=28, note="5 epochs")),
            aliases=("keras_mnist_convnet",),
        ),
        Card(
            name="keras_cats_dogs",
            family="keras_examples",
            paper=PAPER,
            introduces="A network from scratch for two thousand photographs: overfitting, augmentation, dropout.",
            input_size=150,
            parameters=3_453_121,
            min_size=46,
            num_classes=1,
            fixed_size=True,
            published=(
                *costs("3,453,121"),
                *errors(28, data=CATS_DOGS, input_size=150),
                *errors(18, data=CATS_DOGS, input_size=150, options={"dropout": 0.5}, note="with augmentation"),
            ),
            aliases=("keras_cats_and_dogs",),
        ),
        Card(
            name="vgg16_cats_dogs",
            family="keras_examples",
            paper=PAPER,
            introduces="A pretrained VGG-16 under a dense layer of one's own: features carried over to two classes.",
            input_size=150,
            parameters=16_812_353,
            min_size=32,
            num_classes=1,
            fixed_size=True,
            base="vgg_d",
            weights=tuple(replace(source, accuracy=()) for source in sources_of("vgg16")),  # VGG-16's, not this one's
            published=(
                *costs("16,812,353"),
                *errors(4, data=CATS_DOGS, input_size=150, note="base frozen"),
                *errors(3, data=CATS_DOGS, input_size=150, note="block 5 fine-tuned"),
            ),
            aliases=("vgg16_cats_and_dogs",),
        ),
    ),
)
