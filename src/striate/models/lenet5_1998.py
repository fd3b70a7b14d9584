"""LeNet-5 as it was published (LeCun, Bottou, Bengio and Haffner, 1998, "Gradient-based learning applied to document
recognition", sections II.B and II.C).

Unlike the form taught today (`lenet5`) it sub-samples with trained coefficients and biases, each map of C3 sees only
some of the maps of S2, units squash by 1.7159 tanh(2x/3), and the outputs are distances of F6 from bitmaps of the
digits, trained with a loss of their own. 60,000 parameters are trained; the 840 of the bitmaps are fixed.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from striate.layers import RBFOutput, TableConv2d, TrainableSubsampling, lecun_uniform_, output_shape
from striate.layers import activation as make_activation
from striate.models.card import Card, Family
from striate.models.convnet import ConvNet
from striate.models.lenet import PAPER
from striate.weights import count, errors

#: Filters of C1; units of C5; units of F6, one for each of the 7x12 pixels of a bitmap.
C1, C5, F6 = 6, 120, 84

#: The paper's table I: for each map of C3 the maps of S2 that it sees.
C3 = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    activation: str = "scaled_tanh",
) -> ConvNet:
    """Assemble the paper's figure 2.

    Args:
        name: for the record.
        num_classes: outputs; ten have the digits' bitmaps, other numbers the codes of `striate.layers.rbf.codes`.
        in_channels: channels of the images.
        input_size: what F6 is built for (32x32). Below 32 pixels C1 pads by 2, so that images of 28x28 lie in the
            middle of the paper's field.
        activation: name of the squashing function.
    """
    size = input_size or (32, 32)

    def squashed(conv: nn.Module, maps: int) -> OrderedDict[str, nn.Module]:
        return OrderedDict(
            conv=conv,
            act=make_activation(activation),
            subsampling=TrainableSubsampling(maps),
            subsampling_act=make_activation(activation),
        )

    stem = nn.Sequential(squashed(nn.Conv2d(in_channels, C1, 5, padding=2 if min(size) < 32 else 0), C1))
    stages = {
        "stage1": nn.Sequential(squashed(TableConv2d(C3, C1, 5), len(C3))),
        "stage2": nn.Sequential(OrderedDict(conv=nn.Conv2d(len(C3), C5, 5), act=make_activation(activation))),
    }
    _, channels, height, width = output_shape(nn.Sequential(stem, *stages.values()), (1, in_channels, *size))
    head = {
        "flatten": nn.Flatten(),  # (N, 120, 1, 1) -> (N, 120)
        "f6": nn.Linear(channels * height * width, F6),
        "act6": make_activation(activation),
        "classifier": RBFOutput(num_classes),
    }
    model = ConvNet(stem, stages, head, in_channels=in_channels, min_size=28, fixed_size=size, loss="rbf")
    lecun_uniform_(model)
    return model


FAMILY = Family(
    "lenet5_1998",
    build,
    (
        Card(
            name="lenet5_1998",
            family="lenet5_1998",
            paper=PAPER,
            introduces="LeNet-5 as published: trained sub-sampling, a connection table, outputs that are distances.",
            input_size=32,
            parameters=60_000,
            min_size=28,
            num_classes=10,
            in_channels=1,
            fixed_size=True,
            published=(
                count("parameters", "60,000"),
                count("connections", "340,908"),
                *errors(0.95, data="MNIST", input_size=32),
                *errors(0.8, data="MNIST", input_size=32, note="trained with distortions"),
            ),
            deviations=(
                "The bitmaps of the ten digits are drawn anew in the manner of the paper's figure 3, which prints no "
                "numbers. Their 840 values are fixed and not counted as parameters, as in the paper.",
                "Outputs are the paper's distances with the sign turned, so that the largest wins as with logits.",
                "Numbers of classes other than ten have rows of a Hadamard matrix for codes.",
                "Below 32 pixels C1 pads by 2, which gives images of 28x28 the paper's field of 32x32.",
                "Recipes train it by first-order gradients; the paper divides each rate by a second derivative.",
            ),
            aliases=("lenet_5_1998", "lenet_1998"),
        ),
    ),
)
