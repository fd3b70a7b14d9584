"""NASNet-A: two cells found by search on CIFAR-10 and stacked (Zoph et al., 2017, arXiv:1707.07012).

A cell takes the outputs of the two cells before it, so the stages of this network hand on pairs. The stages are
its cells; cell numbers are those of the authors' Keras form, in which the first reduction takes a number and the
second does not.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from torch import Tensor, nn

from striate.errors import UsageError, unknown
from striate.layers import ConvNormAct, he_normal_
from striate.layers import activation as make_activation
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, params
from striate.models.heads import pooled
from striate.models.nasnet_cells import POOL_PADDINGS, NormalCell, ReductionCell, Squeeze
from striate.models.stem import stem_for
from striate.weights import CIFAR10, costs, errors, weights_of

PAPER = Paper(
    "Learning transferable architectures for scalable image recognition",
    "Zoph, Vasudevan, Shlens and Le",
    2017,
    "1707.07012",
)

#: Of the auxiliary head's loss, as in the authors' code.
AUXILIARY_WEIGHT = 0.4

#: Network: normal cells between reductions (the paper's N), channels of the last map (its "@"), of the first
#: convolution, side of the images, whether the cell after a reduction looks past the reduction's own input.
ROWS = {
    "nasnet_mobile": (4, 1056, 32, 224, False),
    "nasnet_large": (6, 4032, 96, 331, True),
    "nasnet_cifar": (6, 768, 96, 32, False),
}


class NASNet(ConvNet):
    """A ConvNet whose stages hand on pairs: the output of a cell, and the map before it."""

    def map_of(self, y: Tensor | tuple[Tensor, Tensor]) -> Tensor:
        """The cell's output."""
        return y if isinstance(y, Tensor) else y[0]


def plan(depth: int, width: int, cifar: bool, small: bool) -> list[tuple[str, int, int]]:
    """(name, width, stride) of every cell; stride 0 marks a normal one."""
    cells = [] if cifar else [("stem1", width // 4, 1 if small else 2), ("stem2", width // 2, 2)]
    for number in range(3):
        if number > 0:
            cells.append((f"reduction{number}", width * 2**number, 2))
        start = number * depth + min(number, 1)
        cells += [(f"cell{start + i}", width * 2**number, 0) for i in range(depth)]
    return cells


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    stem: str | None = None,
    auxiliary: bool = False,
    pool_padding: str = "ignored",
    norm_eps: float = 1e-3,
    dropout: float = 0.5,
    activation: str = "relu",
) -> ConvNet:
    """Assemble one row of `ROWS`.

    Args:
        name: names the row.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`; an auxiliary head works on
            images of this size only (by default the card's).
        stem: "paper"; or "small", the same layers with stride 1 in the first convolution and in the first cell.
            The network for CIFAR has one stem.
        auxiliary: a second head on the last cell before the second reduction, for training.
        pool_padding: what a reduction's pools see beyond the border: "ignored", nothing (the authors' code);
            "averaged", zeros that count in averages (timm); "zeros", zeros, in maxima too (Keras).
        norm_eps: epsilon of the batch norms.
        dropout: before the classifier.
        activation: name of the activation function.

    Raises:
        UsageError: an impossible value, or images too small for the auxiliary head.
    """
    if pool_padding not in POOL_PADDINGS:
        raise unknown("pool_padding", pool_padding, POOL_PADDINGS)
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is {dropout}; a fraction from 0 up to 1 is needed")
    depth, last, first, side, skip = ROWS[name]
    unit: dict[str, Any] = {"activation": activation, "norm_eps": norm_eps, "pool_padding": pool_padding}
    cifar = name == "nasnet_cifar"
    small = stem_for(input_size, stem) == "small" or cifar
    start = nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(in_channels, first, 3, stride=1 if small else 2, padding=int(small), bias=False),
            norm=nn.BatchNorm2d(first, eps=norm_eps),
        )
    )
    size = [n if small else (n - 1) // 2 for n in input_size or (side, side)]
    stages: dict[str, nn.Module] = {}
    heads = {}
    # (channels, halvings in the paper's form, stride) of what a cell and the one before it were given
    x = before = (first, 0, 1)
    for cell, width, stride in plan(depth, last // 24, cifar, small):
        fitted = (before[0], width, unit, x[2] // before[2], x[1] > before[1])
        if stride:
            adjust = None if cell == "stem1" else Squeeze(*fitted)
            skips = skip and not cell.startswith("stem")
            stages[cell] = ReductionCell(x[0], adjust, width, unit, stride, skips)
            before, x = (before if skips else x), (4 * width, x[1] + 1, x[2] * stride)
            size = [-(-n // stride) for n in size]
        else:
            stages[cell] = NormalCell(x[0], Squeeze(*fitted), width, unit)
            before, x = x, (6 * width, x[1], x[2])
        if auxiliary and cell == f"cell{2 * depth}":
            heads[cell] = _auxiliary_head(x[0], size, num_classes, unit)
    head = {"act": make_activation(activation), **pooled(x[0], num_classes, dropout=dropout or None)}
    model = NASNet(
        start,
        stages,
        head,
        in_channels=in_channels,
        min_size=1 if small else 3,
        auxiliary=heads,
        auxiliary_weight=AUXILIARY_WEIGHT,
    )
    he_normal_(model)
    return model


def _auxiliary_head(channels: int, size: list[int], num_classes: int, unit: dict[str, Any]) -> nn.Module:
    """The authors' code's: 5x5 mean of stride 3, 1x1 to 128, a convolution over the whole map to 768, dense."""
    if min(size) < 5:
        raise UsageError(
            f"the auxiliary head averages 5x5 pixels of its map, which is {size[0]}x{size[1]}; "
            "build it for larger images or leave it out (auxiliary=False)"
        )
    rows, columns = ((n - 5) // 3 + 1 for n in size)
    norm: dict[str, Any] = {"activation": unit["activation"], "norm_eps": unit["norm_eps"]}
    return nn.Sequential(
        OrderedDict(
            act=make_activation(unit["activation"]),
            pool=nn.AvgPool2d(5, stride=3),
            project=ConvNormAct(channels, 128, 1, **norm),
            whole=ConvNormAct(128, 768, (rows, columns), padding="valid", **norm),  # (N, 768, 1, 1)
            flatten=nn.Flatten(),
            classifier=nn.Linear(768, num_classes),
        )
    )


#: Exact parameters, and what the paper's tables 1 to 3 print.
FIGURES = {
    "nasnet_mobile": (
        5_289_978,
        (*costs("5.3 M", "564 M"), *errors(26.0, 8.4)),
    ),
    "nasnet_large": (
        88_753_150,
        (*costs("88.9 M", "23.8 G", input_size=331), *errors(17.3, 3.8, input_size=331)),
    ),
    "nasnet_cifar": (3_328_234, (*costs("3.3 M"), *errors(3.41, data=CIFAR10, input_size=32))),
}
DEVIATIONS = (
    "Batch norms average over ten batches or so (momentum 0.1), PyTorch's habit; the authors' over thousands.",
    "Drop path, with which the authors trained, is left out.",
)


def _card(name: str) -> Card:
    depth, last, _, side, _ = ROWS[name]
    parameters, published = FIGURES[name]
    cifar = name == "nasnet_cifar"
    small = "With input_size of 64 pixels or less the first convolution and the first cell have stride 1."
    adjusted = "The first cell squeezes the 96 channels of the stem; the authors' squeezes them branch by branch."
    peers = {
        "nasnet_mobile": {"keras": "NASNetMobile"},
        "nasnet_large": {"timm": "nasnetalarge", "keras": "NASNetLarge"},
    }
    aliases = {
        "nasnet_mobile": ("nasnetmobile", "nasnet_a_mobile", "nasnetamobile"),
        "nasnet_large": ("nasnetlarge", "nasnet_a_large", "nasnetalarge"),
        "nasnet_cifar": ("nasnet_a_cifar",),
    }
    return Card(
        name=name,
        family="nasnet",
        paper=PAPER,
        introduces=f"Cells found by search on small images, stacked for large ones: NASNet-A ({depth} @ {last}).",
        input_size=side,
        parameters=parameters,
        min_size=1 if cifar else 3,
        small_min_size=None if cifar else 1,
        num_classes=10 if cifar else 1000,
        published=published,
        peers=peers.get(name, {}),
        weights=weights_of(name, peers.get(name, {})),
        deviations=(*DEVIATIONS, adjusted if cifar else small),
        errata=(
            (
                Erratum(
                    "5,326,716 parameters (Keras)",
                    "5,289,978; the others are the batch norms' running statistics",
                    (params(5_289_978, "nasnet_mobile"),),
                ),
            )
            if name == "nasnet_mobile"
            else ()
        ),
        aliases=aliases[name],
        options={"dropout": 0.0} if cifar else {},
        auxiliary_weight=AUXILIARY_WEIGHT,
    )


FAMILY = Family("nasnet", build, tuple(_card(name) for name in ROWS))
