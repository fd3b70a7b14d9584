"""ZFNet: AlexNet with a finer first layer, found by looking inside it (Zeiler and Fergus, 2013, arXiv:1311.2901).

Figure 3 of the paper: 7x7 with stride 2 in place of 11x11 with stride 4, 5x5 with stride 2 in the second layer,
no groups. Each of the first two convolutions is rectified, pooled, then normalised across maps; the paper gives no
constants, so they are AlexNet's. Its map sizes (110, 55, 26, 13, 6 from 224 pixels) need a padding of 1 in the first
layer and pools that count an incomplete window.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from striate.layers import LocalResponseNorm, output_shape
from striate.layers import activation as make_activation
from striate.layers.initialise import first_weights_
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.heads import dense
from striate.models.stem import stem_for
from striate.weights import errors

PAPER = Paper("Visualizing and understanding convolutional networks", "Zeiler and Fergus", 2013, "1311.2901")

#: Figure 3 by stem: filters, kernel, stride, padding, and whether a 3x3 pool of stride 2 follows.
LAST_THREE = ((384, 3, 1, 1, False), (384, 3, 1, 1, False), (256, 3, 1, 1, True))
ROWS = {
    "paper": ((96, 7, 2, 1, True), (256, 5, 2, 0, True), *LAST_THREE),
    "small": ((96, 5, 1, 2, True), (256, 5, 1, 2, True), *LAST_THREE),
}
DENSE = (4096, 4096)


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    dropout: float = 0.5,
    stem: str | None = None,
    init: str = "he",
    activation: str = "relu",
) -> ConvNet:
    """Assemble the paper's figure 3 for images of `input_size` (224x224).

    Args:
        name: for the record.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: what the dense layers are built for; chooses the stem when `stem` is None, see
            `striate.models.stem`.
        dropout: on both hidden dense layers.
        stem: "paper"; "small" has a 5x5 first convolution and stride 1 in the first two.
        init: one of `striate.layers.initialise.INITS`.
        activation: name of the activation function.
    """
    stem = stem_for(input_size, stem)
    stages, channels = [], in_channels
    for number, (filters, kernel, stride, padding, pooled) in enumerate(ROWS[stem], 1):
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv=nn.Conv2d(channels, filters, kernel, stride=stride, padding=padding), act=make_activation(activation)
        )
        if pooled:
            layers["pool"] = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        if number <= 2:
            layers["norm"] = LocalResponseNorm()
        stages.append(nn.Sequential(layers))
        channels = filters
    size = input_size or (224, 224)
    channels, height, width = output_shape(nn.Sequential(*stages), (1, in_channels, *size))[1:]
    model = ConvNet(
        stages[0],
        {f"stage{number}": stage for number, stage in enumerate(stages[1:], 2)},
        dense((channels, height, width), DENSE, num_classes, dropout=dropout, activation=activation),
        in_channels=in_channels,
        min_size=FAMILY.cards[0].smallest(stem),
        fixed_size=size,
    )
    first_weights_(model, init)
    return model


FAMILY = Family(
    "zfnet",
    build,
    (
        Card(
            name="zfnet",
            family="zfnet",
            paper=PAPER,
            introduces="The deconvnet, which shows what each layer sees, and an AlexNet mended by what it showed.",
            input_size=224,
            parameters=62_357_608,
            min_size=47,
            small_min_size=8,
            fixed_size=True,
            published=errors(38.4, 16.5, crop=""),
            deviations=(
                'First weights by He\'s rule, not a constant 0.01 as printed; init="gaussian" gives N(0, 0.01^2).',
                "Local response normalisation with AlexNet's constants stands for the paper's contrast normalisation "
                "across maps, whose constants it does not give.",
                "With input_size of 64 pixels or less the first convolution is 5x5 and the first two have stride 1.",
            ),
            aliases=("zf_net", "zf5", "zeiler_fergus"),
        ),
    ),
)
