"""Inverted residuals: thin maps joined by shortcuts, a wide depthwise convolution between (arXiv:1801.04381).

Sandler et al. (2018), figure 3b and table 1; later networks put squeeze-and-excitation after the depthwise
convolution, drop whole blocks in training, or mix kernel sizes.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from striate.layers.conv import ConvNormAct
from striate.layers.drop_path import DropPath
from striate.layers.squeeze import SqueezeExcite


class InvertedResidual(nn.Module):
    """Widen, filter, weigh the channels, narrow, add: (N, C, H, W) -> (N, C', ceil(H/s), ceil(W/s)).

    Args:
        expand: 1x1 up to the inner width, None where the block has no expansion.
        depthwise: filters each channel; has the stride.
        project: 1x1 down, without activation.
        excite: weighs the channels of the inner map, or None.
        shortcut: add the input.
        drop_path: probability of leaving out all but the shortcut, in training.
    """

    def __init__(
        self,
        expand: nn.Module | None,
        depthwise: nn.Module,
        project: nn.Module,
        *,
        excite: nn.Module | None = None,
        shortcut: bool = False,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.expand = expand
        self.depthwise = depthwise
        self.excite = excite
        self.project = project
        self.shortcut = shortcut
        self.drop_path = DropPath(drop_path) if shortcut and drop_path > 0 else None

    def forward(self, x: Tensor) -> Tensor:
        """Expand, filter, weigh, project, add."""
        y = self.depthwise(x if self.expand is None else self.expand(x))
        y = self.project(y if self.excite is None else self.excite(y))
        if not self.shortcut:
            return y
        return x + (y if self.drop_path is None else self.drop_path(y))


def inverted_residual(
    in_channels: int,
    out_channels: int,
    *,
    stride: int,
    expansion: int,
    kernel_size: int = 3,
    reduced: int = 0,
    drop_path: float = 0.0,
    **unit: Any,
) -> InvertedResidual:
    """One block from numbers.

    Args:
        in_channels: C.
        out_channels: C'; a shortcut joins the ends where it is C and the stride is 1.
        stride: of the depthwise convolution.
        expansion: inner channels over C; 1 leaves the first convolution out.
        kernel_size: of the depthwise convolution.
        reduced: width of the squeeze-and-excitation, 0 for none.
        drop_path: as `InvertedResidual`.
        unit: activation, padding and norm_eps of the convolutions, as `ConvNormAct`.
    """
    hidden = in_channels * expansion
    activation = unit.get("activation") or "relu"
    return InvertedResidual(
        ConvNormAct(in_channels, hidden, 1, **unit) if expansion > 1 else None,
        ConvNormAct(hidden, hidden, kernel_size, stride=stride, groups=hidden, **unit),
        ConvNormAct(hidden, out_channels, 1, **{**unit, "activation": None}),
        excite=SqueezeExcite(hidden, reduced, activation) if reduced else None,
        shortcut=stride == 1 and in_channels == out_channels,
        drop_path=drop_path,
    )
