"""Highway networks: layers that learn what to carry past themselves (Srivastava et al., 2015).

arXiv:1505.00387 and 1507.06228. Widths change in plain convolutions; all others are highway layers. The papers give
depths, widths and counts; kernels, pools, dropout and gate biases are those of the authors' published Caffe models.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from striate.layers import activation as make_activation
from striate.layers import gate_bias_, highway_conv, output_shape, xavier_uniform_
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.heads import dropout_layer, pooled
from striate.weights import CIFAR10, Figure, costs, errors

PAPER = Paper("Training very deep networks", "Srivastava, Greff and Schmidhuber", 2015, "1507.06228")


@dataclass(frozen=True)
class Stage:
    """Highway layers of some width, behind a plain convolution where that changes; what ends the stage.

    `pool` is the kernel of a max-pool of stride 2, which counts an incomplete last window as Caffe does.
    """

    width: int
    highways: int
    pool: int | None
    dropout: float | None = None


@dataclass(frozen=True)
class Row:
    """The first convolution's kernel and padding, the stages, the last 1x1's maps (None: dense layer on the map).

    `dropout` is that of the image and of what the classifier sees; exact parameters and the paper's figures.
    """

    kernel: int
    padding: int
    stages: tuple[Stage, ...]
    last: int | None
    dropout: tuple[float, float]
    gate_bias: float
    parameters: int
    published: tuple[Figure, ...]


def _mnist(width: int, parameters: int, published: tuple[Figure, ...]) -> Row:
    stages = (Stage(width, 2, 3, 0.3), Stage(width, 3, 3, 0.4), Stage(width, 3, 2))
    return Row(5, 0, stages, None, (0.2, 0.5), -1.0, parameters, published)


#: The paper's table 1 (MNIST) and its CIFAR network of 19 layers.
ROWS = {
    "highway10_w16_mnist": _mnist(16, 38_986, (*costs("39 k"), *errors(0.57, data="MNIST", input_size=28))),
    "highway10_w32_mnist": _mnist(32, 151_690, (*costs("151 k"), *errors(0.45, data="MNIST", input_size=28))),
    "highway19_cifar": Row(
        3,
        1,
        (Stage(32, 4, 2, 0.2), Stage(80, 5, 2, 0.2), Stage(128, 5, None)),
        100,
        (0.2, 0.2),
        -2.0,
        2_256_838,
        (
            *costs("2.3 M"),
            *errors(7.60, data=CIFAR10, input_size=32),
            *errors(32.24, data="CIFAR-100", input_size=32),
        ),
    ),
}
#: A pixel has to be left behind the last pool.
MNIST_MIN_SIZE, CIFAR_MIN_SIZE = 12, 4


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    gate_bias: float | None = None,
    dropout: bool = True,
    activation: str = "relu",
) -> ConvNet:
    """Assemble one of `ROWS`.

    Args:
        name: of the row.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: of the images, for the rows with a dense layer on the map (28x28).
        gate_bias: first bias of the transform gates, below zero so that layers carry at first (-1 to -3 in the
            papers); None takes the row's.
        dropout: the row's, or none.
        activation: of the transforms and the plain convolutions.

    Raises:
        UsageError: unknown activation.
    """
    row = ROWS[name]
    first, before_classifier = row.dropout if dropout else (None, None)
    width = row.stages[0].width
    stem: OrderedDict[str, nn.Module] = OrderedDict()
    if first is not None:
        stem["dropout"] = dropout_layer(first)
    stem["conv"] = nn.Conv2d(in_channels, width, row.kernel, padding=row.padding)
    stem["act"] = make_activation(activation)
    channels, stages = width, {}
    for number, stage in enumerate(row.stages, 1):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if stage.width != channels:
            layers["conv"] = nn.Conv2d(channels, stage.width, 3, padding=1)
            layers["act"] = make_activation(activation)
        layers |= {f"highway{i}": highway_conv(stage.width, 3, activation) for i in range(1, stage.highways + 1)}
        if stage.pool is not None:
            layers["pool"] = nn.MaxPool2d(stage.pool, stride=2, ceil_mode=stage.pool == 3)
        if dropout and stage.dropout is not None:
            layers["dropout"] = dropout_layer(stage.dropout)
        channels = stage.width
        stages[f"stage{number}"] = nn.Sequential(layers)
    stem_and_stages = nn.Sequential(nn.Sequential(stem), *stages.values())
    if row.last is None:
        size = input_size or (28, 28)
        _, channels, height, width = output_shape(stem_and_stages, (1, in_channels, *size))
        head = _dense(channels * height * width, num_classes, before_classifier)
    else:
        size = None
        head = {"conv": nn.Conv2d(channels, row.last, 1), "act": make_activation(activation)}
        head |= pooled(row.last, num_classes, dropout=before_classifier)
    smallest = MNIST_MIN_SIZE if row.last is None else CIFAR_MIN_SIZE
    model = ConvNet(nn.Sequential(stem), stages, head, in_channels=in_channels, min_size=smallest, fixed_size=size)
    xavier_uniform_(model)
    gate_bias_(model, row.gate_bias if gate_bias is None else gate_bias)
    return model


def _dense(features: int, num_classes: int, dropout: float | None) -> dict[str, nn.Module]:
    head: dict[str, nn.Module] = {"flatten": nn.Flatten()}  # (N, C, 3, 3) -> (N, 9 C) on 28x28 pixels
    if dropout is not None:
        head["dropout"] = dropout_layer(dropout)
    return head | {"classifier": nn.Linear(features, num_classes)}


def _card(name: str) -> Card:
    row = ROWS[name]
    mnist = row.last is None
    return Card(
        name=name,
        family="highway",
        paper=PAPER,
        introduces="Gates that let a layer carry its input past itself, so that networks of any depth train.",
        input_size=28 if mnist else 32,
        parameters=row.parameters,
        min_size=MNIST_MIN_SIZE if mnist else CIFAR_MIN_SIZE,
        num_classes=10,
        in_channels=1 if mnist else 3,
        fixed_size=mnist,
        published=row.published,
        deviations=("Kernels, pools, dropout and the gates' first biases are from the authors' Caffe models.",),
        aliases=(name.replace("highway", "highway_"),),
        options={"gate_bias": row.gate_bias},
    )


FAMILY = Family("highway", build, tuple(map(_card, ROWS)))
