"""MCDNN: columns of one network on digits of several widths, averaged (Ciresan, Meier and Schmidhuber, 2012).

"Multi-column deep neural networks for image classification", arXiv:1202.2745. One column for MNIST is
1x29x29-20C4-MP2-40C5-MP3-150N-10N: 20 maps of 4x4 convolutions, 2x2 max-pool, 40 maps of 5x5, 3x3 max-pool, 150 units.
Each column sees the digits at one width, and five are trained for each of seven (`WIDTHS`): 35 columns, whose
probabilities are averaged by `MultiColumn`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from striate.errors import UsageError
from striate.layers import uniform_
from striate.models.card import Card, Family, Paper
from striate.models.chain import chain, convolved
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, params
from striate.weights import errors

PAPER = Paper(
    "Multi-column deep neural networks for image classification", "Ciresan, Meier and Schmidhuber", 2012, "1202.2745"
)

#: Filters, kernel and pool of the two convolutions; units of the dense layer.
CONVOLUTIONS, DENSE = ((20, 4, 2), (40, 5, 3)), 150

#: Widths of the digits in pixels that the paper's columns see; None leaves them as they are.
WIDTHS = (10, 12, 14, 16, 18, 20, None)


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    activation: str = "scaled_tanh",
) -> ConvNet:
    """Assemble one column for images of `input_size` (29x29); first weights uniform in +-0.05, as in the paper."""
    blocks, channels = [], in_channels
    for width, kernel, pool in CONVOLUTIONS:
        blocks.append(convolved(channels, width, kernel, activation=activation, pool=nn.MaxPool2d(pool)))
        channels = width
    model = chain(
        blocks,
        (DENSE,),
        num_classes,
        in_channels=in_channels,
        input_size=input_size or (29, 29),
        min_size=17,
        activation=activation,
    )
    uniform_(model, 0.05)
    return model


def normalise_width(digits: Tensor, width: int) -> Tensor:
    """Stretch or squeeze each digit across to `width` pixels and put it into the middle; its rows stay where they are.

    Args:
        digits: (N, C, H, W), ink brighter than the background, which is each image's darkest value.
        width: of the digit, from its first to its last column with ink; at most W.

    Returns:
        The same shape; an empty image as it is. The digit's columns are resized with antialiasing, as torch's bilinear
        interpolation does it.

    Raises:
        UsageError: the width is not between 1 and W, or the shape is another.
    """
    if digits.dim() != 4:
        raise UsageError(f"normalise_width takes images (N, C, H, W), not {tuple(digits.shape)}")
    field = digits.shape[3]
    if not 1 <= width <= field:
        raise UsageError(f"the digits' width is {width}; between 1 and the images' {field} pixels are possible")
    background = digits.amin((1, 2, 3), keepdim=True)
    ink = digits - background
    columns = torch.arange(field, device=digits.device, dtype=digits.dtype)
    inked = ink.amax((1, 2)) > 0  # (N, W)
    first = torch.where(inked, columns, field).amin(1, keepdim=True)  # (N, 1)
    last = torch.where(inked, columns, -1).amax(1, keepdim=True)
    scale = (last - first + 1) / width  # old columns for each new one
    left = (field - width) // 2
    sources = first + (columns - left + 0.5) * scale - 0.5  # (N, W): where each new column lies among the old ones
    distances = (columns[:, None] - sources[:, None, :]).abs()  # (N, W old, W new)
    weights = (1 - distances / scale.clamp(min=1)[:, None]).clamp(min=0)
    weights *= ((columns >= first) & (columns <= last))[:, :, None]
    weights *= (columns >= left) & (columns < left + width)
    weights /= weights.sum(1, keepdim=True).clamp(min=1e-6)  # new columns beside the digit have no weights
    return background + torch.einsum("nchw,nwv->nchv", ink, weights)


class MultiColumn(nn.Module):
    """Several columns, each with digits of its own width; their probabilities are averaged.

    Args:
        columns: networks of the same classes.
        widths: for each column the width of its digits in pixels, or None for the images as they are.

    Raises:
        UsageError: no columns, other than one width for each, or columns of different classes.
    """

    def __init__(self, columns: Sequence[ConvNet], widths: Sequence[int | None] | None = None) -> None:
        super().__init__()
        widths = [None] * len(columns) if widths is None else list(widths)
        if not columns or len(widths) != len(columns):
            raise UsageError(f"{len(columns)} columns and {len(widths)} widths; one each is needed, and at least one")
        classes = {column.num_classes for column in columns}
        if len(classes) > 1:
            raise UsageError(
                f"the columns have {', '.join(map(str, sorted(classes)))} classes; they must have the same"
            )
        self.columns = nn.ModuleList(columns)
        self.widths = widths

    def probabilities(self, x: Tensor) -> Tensor:
        """The mean of the columns' softmax, (N, C, H, W) -> (N, K)."""
        seen = {width: x if width is None else normalise_width(x, width) for width in set(self.widths)}
        answers = [column(seen[width]).softmax(1) for column, width in zip(self.columns, self.widths, strict=True)]
        return torch.stack(answers).mean(0)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, K) whose softmax is `probabilities`: its logarithm."""
        return self.probabilities(x).log()


FAMILY = Family(
    "mcdnn",
    build,
    (
        Card(
            name="mcdnn_column",
            family="mcdnn",
            paper=PAPER,
            introduces="One of the columns whose average first read MNIST as well as people do.",
            input_size=29,
            parameters=76_040,
            min_size=17,
            num_classes=10,
            in_channels=1,
            fixed_size=True,
            published=errors(0.23, data="MNIST", input_size=29, crop="35 columns averaged"),
            errata=(
                Erratum(
                    "1.5 million parameters",
                    "35 columns of 76,040 are 2.66 M",
                    (params(76_040, "mcdnn_column"), params(2.66e6 / 35, "mcdnn_column", within=0.001)),
                ),
            ),
            deviations=("The card is one column; `striate.models.mcdnn.MultiColumn` averages several.",),
        ),
    ),
)
