"""LeNet-5 as it is taught today, after LeCun et al. (1998): convolutions, sub-sampling, dense layers.

The taught form has 6 and 16 filters of 5x5, average pooling without parameters, dense layers of 120 and 84 and a
softmax over 10 classes; `lenet5_1998` is the network as published. Its squashing function is the hyperbolic
tangent, nearer to the original's 1.7159 tanh(2x/3); `activation="sigmoid"` gives the other form found in textbooks.
"""

from __future__ import annotations

from torch import nn

from striate.layers import activation as make_activation
from striate.layers import output_shape, xavier_uniform_
from striate.models.card import Card, Family, Paper
from striate.models.chain import convolved
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum

PAPER = Paper("Gradient-based learning applied to document recognition", "LeCun, Bottou, Bengio and Haffner", 1998)

#: Filters of the two convolutions, then widths of the two dense layers.
WIDTHS = {"lenet5": ((6, 16), (120, 84))}


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    activation: str = "tanh",
) -> ConvNet:
    """LeNet for images of `input_size` (28x28 unless said).

    Below 32 pixels the first convolution pads by 2, so that 28x28 images meet the original's 32x32 field;
    from 32 on it does not pad.
    """
    (first, second), (c5, f6) = WIDTHS[name]
    size = input_size or (28, 28)
    padding = 2 if min(size) < 32 else 0

    stem = convolved(in_channels, first, 5, activation=activation, padding=padding, pool=nn.AvgPool2d(2))
    stage = convolved(first, second, 5, activation=activation, pool=nn.AvgPool2d(2))
    _, channels, height, width = output_shape(nn.Sequential(stem, stage), (1, in_channels, *size))
    head = {
        "flatten": nn.Flatten(),  # (N, 16, 5, 5) -> (N, 400)
        "c5": nn.Linear(channels * height * width, c5),
        "act5": make_activation(activation),
        "f6": nn.Linear(c5, f6),
        "act6": make_activation(activation),
        "classifier": nn.Linear(f6, num_classes),
    }
    model = ConvNet(stem, {"stage1": stage}, head, in_channels=in_channels, min_size=12, fixed_size=size)
    xavier_uniform_(model)
    return model


FAMILY = Family(
    "lenet",
    build,
    (
        Card(
            name="lenet5",
            family="lenet",
            paper=PAPER,
            introduces="Convolution, sub-sampling and dense layers trained together by gradient descent.",
            input_size=28,
            parameters=61_706,
            min_size=12,
            num_classes=10,
            in_channels=1,
            fixed_size=True,
            deviations=(
                "The form taught today: average pooling without parameters, a fully connected C3, tanh and "
                "softmax where the 1998 network has trainable sub-sampling, a connection table, scaled tanh "
                "and RBF outputs.",
            ),
            errata=(Erratum("LeNet-5 of an earlier year", "of 1998; those of 1989 and 1990 came before it"),),
            aliases=("lenet", "lenet_5"),
        ),
    ),
)
