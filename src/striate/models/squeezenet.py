"""SqueezeNet: AlexNet's accuracy with 50 times fewer parameters (Iandola et al., 2016, arXiv:1602.07360).

Fire modules squeeze the channels by 1x1 convolutions before they expand them; the pools come late; the classifier is
a 1x1 convolution whose maps are averaged. Version 1.0 is the paper's table 1; 1.1 is the authors' later one, with a
smaller first layer and earlier pools, for less arithmetic. Pools count an incomplete last window, as in
Caffe, where it was trained. The paper's plain form; its bypass connections are not built.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from striate.layers import Chain, activate
from striate.layers import activation as make_activation
from striate.layers.initialise import first_weights_
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, Measured, macs
from striate.models.heads import convolutional
from striate.models.stem import stem_for
from striate.weights import Figure, costs, errors, sources_of

PAPER = Paper(
    "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    "Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer",
    2016,
    "1602.07360",
)

#: The first convolution's filters and kernel, then between pools the numbers of the fire modules.
ROWS = {
    "squeezenet1_0": ((96, 7), ((2, 3, 4), (5, 6, 7, 8), (9,))),
    "squeezenet1_1": ((64, 3), ((2, 3), (4, 5), (6, 7, 8, 9))),
}
#: The paper's table 1: maps of the squeeze layer, and of each of the two expand layers, by the module's number.
FIRES = {
    2: (16, 64),
    3: (16, 64),
    4: (32, 128),
    5: (32, 128),
    6: (48, 192),
    7: (48, 192),
    8: (64, 256),
    9: (64, 256),
}


class Fire(nn.Module):
    """1x1 down to `squeeze` maps, then 1x1 and 3x3 side by side, `expand` maps each (figure 1).

    (N, C, H, W) -> (N, 2 expand, H, W).
    """

    def __init__(self, in_channels: int, squeeze: int, expand: int, activation: str) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(in_channels, squeeze, 1)
        self.act = make_activation(activation)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)
        self.act_expand = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """Squeeze, expand, stack."""
        x = activate(self.act, self.squeeze(x), self.squeeze)
        return activate(self.act_expand, torch.cat([self.expand1x1(x), self.expand3x3(x)], 1))


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    dropout: float = 0.5,
    stem: str | None = None,
    activation: str = "relu",
) -> ConvNet:
    """Assemble one row of `ROWS`.

    Args:
        name: the row.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        dropout: after the last fire module.
        stem: "paper" is a convolution of stride 2, "small" a 3x3 of stride 1 with padding; both pool after it.
        activation: name of the activation function.
    """
    (filters, kernel), groups = ROWS[name]
    stem = stem_for(input_size, stem)
    paper = stem == "paper"
    first = OrderedDict(
        conv=nn.Conv2d(in_channels, filters, kernel, stride=2)
        if paper
        else nn.Conv2d(in_channels, filters, 3, padding=1),
        act=make_activation(activation),
        pool=nn.MaxPool2d(3, stride=2, ceil_mode=True),
    )
    channels, stages = filters, {}
    for number, fires in enumerate(groups, 1):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for fire in fires:
            squeeze, expand = FIRES[fire]
            layers[f"fire{fire}"] = Fire(channels, squeeze, expand, activation)
            channels = 2 * expand
        if number < len(groups):
            layers["pool"] = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        stages[f"stage{number}"] = nn.Sequential(layers)
    head = convolutional(channels, num_classes, dropout=dropout, activation=activation)
    smallest = {card.name: card for card in FAMILY.cards}[name].smallest(stem)
    model = ConvNet(Chain(first), stages, head, in_channels=in_channels, min_size=smallest)
    first_weights_(model, "he")
    return model


ERRATA = {
    "squeezenet1_0": (
        Erratum(
            "224x224 pixels and a first map of 111x111 (the paper's table 1)",
            "that is 227's map; 224 gives 109x109",
            (
                Measured(111, "side", "squeezenet1_0", layers=("stem.conv",), input_size=227),
                Measured(109, "side", "squeezenet1_0", layers=("stem.conv",)),
            ),
        ),
    ),
    "squeezenet1_1": (
        Erratum(
            "2.4 times less arithmetic than 1.0 (the authors)",
            "2.3 times at 224 pixels",
            (macs(2.35, "squeezenet1_0", per=macs(1, "squeezenet1_1")),),
        ),
    ),
}


def _card(name: str, parameters: int, min_size: int, published: tuple[Figure, ...], aliases: tuple[str, ...]) -> Card:
    return Card(
        name=name,
        family="squeezenet",
        paper=PAPER,
        introduces="Fire modules: few 1x1 maps between wide layers, for small files.",
        input_size=224,
        parameters=parameters,
        min_size=min_size,
        small_min_size=8,
        published=published,
        peers={"torchvision": name},
        weights=sources_of(name),
        deviations=(
            "First weights by He's rule; the authors had Xavier's.",
            "With input_size of 64 pixels or less the first convolution is 3x3 with stride 1 and padding.",
        ),
        errata=ERRATA[name],
        aliases=aliases,
    )


FAMILY = Family(
    "squeezenet",
    build,
    (
        _card(
            "squeezenet1_0",
            1_248_424,
            21,
            (*costs("1,248,424"), *errors(42.5, 19.7, input_size=227, crop="")),
            ("squeezenet", "squeezenet_1_0", "squeezenet_v1.0"),
        ),
        _card("squeezenet1_1", 1_235_496, 17, (), ("squeezenet_1_1", "squeezenet_v1.1")),
    ),
)
