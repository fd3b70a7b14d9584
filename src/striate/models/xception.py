"""Xception: depthwise separable convolutions in place of Inception modules (Chollet, 2016, arXiv:1610.02357)."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from striate.errors import UsageError
from striate.layers import ConvNormAct, SamePool2d, SeparableConv2d, he_normal_
from striate.layers import activation as make_activation
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, params
from striate.models.heads import pooled
from striate.models.stem import stem_for
from striate.weights import costs, errors, weights_of

PAPER = Paper("Xception: Deep learning with depthwise separable convolutions", "Chollet", 2016, "1610.02357")

#: The paper's figure 5: widths of a block's separable convolutions; with them, in the entry flow, its stride.
ENTRY: tuple[tuple[tuple[int, ...], int], ...] = (((128, 128), 2), ((256, 256), 2), ((728, 728), 2))
MIDDLE, REPEATS = (728, 728, 728), 8
EXIT = (728, 1024)
#: Plain convolutions before the entry flow, separable ones behind the exit flow.
STEM, LAST = (32, 64), (1536, 2048)
#: Smallest image side with the paper's stem and with the small one.
MIN_SIZE = (7, 5)


class Block(nn.Module):
    """Separable convolutions, each behind an activation, then a max-pool where `stride` is 2; a shortcut past all.

    (N, C, H, W) -> (N, C', ceil(H/s), ceil(W/s)). The shortcut is a 1x1 convolution where the shape changes.

    Args:
        channels: C, then the width of each convolution.
        stride: of pool and shortcut.
        leading: the block begins with an activation; not so the first one, which follows one.
        padding: of the pool, "symmetric" or "tensorflow".
        norm_eps: epsilon of the batch norms.
        activation: name of the activation function.
    """

    def __init__(
        self, channels: tuple[int, ...], *, stride: int, leading: bool, padding: str, norm_eps: float, activation: str
    ) -> None:
        super().__init__()
        residual: OrderedDict[str, nn.Module] = OrderedDict()
        for number, (before, after) in enumerate(pairwise(channels), 1):
            if leading or number > 1:
                residual[f"act{number}"] = make_activation(activation)
            residual[f"conv{number}"] = SeparableConv2d(before, after)
            residual[f"norm{number}"] = nn.BatchNorm2d(after, eps=norm_eps)
        if stride > 1:
            same = padding == "tensorflow"
            residual["pool"] = SamePool2d("max", 3, stride) if same else nn.MaxPool2d(3, stride, padding=1)
        self.residual = nn.Sequential(residual)
        self.shortcut = None
        if stride > 1 or channels[0] != channels[-1]:
            self.shortcut = ConvNormAct(
                channels[0], channels[-1], 1, stride=stride, activation=None, padding=padding, norm_eps=norm_eps
            )

    def forward(self, x: Tensor) -> Tensor:
        """Filter and add."""
        y = self.residual(x)
        return y + (x if self.shortcut is None else self.shortcut(x))


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    stem: str | None = None,
    padding: str = "symmetric",
    norm_eps: float = 1e-5,
    dropout: float = 0.5,
    activation: str = "relu",
) -> ConvNet:
    """Assemble figure 5.

    Args:
        name: for the record; there is one network.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        stem: "paper"; or "small", the same layers with stride 1 in the first convolution and the first block.
        padding: "symmetric" (PyTorch's habit, timm's weights) or "tensorflow" (Keras's weights).
        norm_eps: epsilon of the batch norms; Keras's weights have 1e-3.
        dropout: before the classifier.
        activation: name of the activation function.
    """
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is {dropout}; a fraction from 0 up to 1 is needed")
    small = stem_for(input_size, stem) == "small"
    unit = partial(ConvNormAct, padding="valid", norm_eps=norm_eps, activation=activation)
    first = nn.Sequential(OrderedDict(conv1=unit(in_channels, STEM[0], stride=1 if small else 2), conv2=unit(*STEM)))
    common: dict[str, Any] = {"padding": padding, "norm_eps": norm_eps, "activation": activation}
    channels, stages = STEM[1], OrderedDict[str, nn.Module]()
    for number, (widths, stride) in enumerate(ENTRY, 1):
        first_stride = 1 if small and number == 1 else stride
        stages[f"entry{number}"] = Block((channels, *widths), stride=first_stride, leading=number > 1, **common)
        channels = widths[-1]
    blocks = [Block((channels, *MIDDLE), stride=1, leading=True, **common) for _ in range(REPEATS)]
    stages["middle"] = nn.Sequential(*blocks)
    stages["exit"] = Block((channels, *EXIT), stride=2, leading=True, **common)
    channels = EXIT[-1]
    last: OrderedDict[str, nn.Module] = OrderedDict()
    for number, width in enumerate(LAST, 1):
        last[f"conv{number}"] = SeparableConv2d(channels, width)
        last[f"norm{number}"] = nn.BatchNorm2d(width, eps=norm_eps)
        last[f"act{number}"] = make_activation(activation)
        channels = width
    stages["last"] = nn.Sequential(last)
    head = pooled(channels, num_classes, dropout=dropout)
    model = ConvNet(first, stages, head, in_channels=in_channels, min_size=MIN_SIZE[small])
    he_normal_(model)
    return model


FAMILY = Family(
    "xception",
    build,
    (
        Card(
            name="xception",
            family="xception",
            paper=PAPER,
            introduces="Inception taken to its end: every channel filtered by itself, then all of them mixed by 1x1.",
            input_size=299,
            parameters=22_855_952,
            min_size=MIN_SIZE[0],
            small_min_size=MIN_SIZE[1],
            published=(*costs("22,855,952"), *errors(21.0, 5.5, input_size=299)),
            peers={"timm": "legacy_xception", "keras": "Xception"},
            weights=weights_of("xception", {"timm": "legacy_xception"}),
            deviations=(
                "Padding is symmetric and the batch norms' epsilon 1e-5, as in timm; the author's code (Keras) has "
                'padding="tensorflow" and norm_eps=1e-3, and weights from there bring both.',
                "With input_size of 64 pixels or less the first convolution and the first block have stride 1.",
            ),
            errata=(
                Erratum(
                    "22,910,480 parameters (Keras)",
                    "22,855,952; 54,528 are the batch norms' running statistics, which do not train",
                    (params(22_910_480 - 54_528, "xception"),),
                ),
            ),
            aliases=("legacy_xception",),
        ),
    ),
)
