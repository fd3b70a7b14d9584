"""The two cells of NASNet-A and what they are made of (Zoph et al., 2017, arXiv:1707.07012, figure 4).

`unit` is what all parts of one network share: activation, norm_eps and pool_padding.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.layers import SamePool2d, SeparableConv2d
from striate.layers import activation as make_activation

#: What the pools of a reduction see beyond the border, see `striate.models.nasnet.build`.
POOL_PADDINGS = ("ignored", "averaged", "zeros")


class Separable(nn.Sequential):
    """Separable convolution and batch norm twice, with an activation between; the first has the stride.

    The paper applies each separable convolution twice (appendix A.4). The activation before it is the cell's, as
    one serves all branches. (N, C, H, W) -> (N, C', ceil(H/s), ceil(W/s)).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int, unit: dict[str, Any]
    ) -> None:
        super().__init__(
            OrderedDict(
                conv1=SeparableConv2d(in_channels, out_channels, kernel_size, stride=stride, padding="tensorflow"),
                norm1=nn.BatchNorm2d(out_channels, eps=unit["norm_eps"]),
                act=make_activation(unit["activation"]),
                conv2=SeparableConv2d(out_channels, out_channels, kernel_size),
                norm2=nn.BatchNorm2d(out_channels, eps=unit["norm_eps"]),
            )
        )


class Squeeze(nn.Module):
    """Activation, 1x1 convolution, batch norm; with `split` one half of the channels sees the odd pixels.

    (N, C, H, W) -> (N, C', ceil(H/s), ceil(W/s)).
    """

    def __init__(
        self, in_channels: int, out_channels: int, unit: dict[str, Any], stride: int = 1, split: bool = False
    ) -> None:
        super().__init__()
        self.act = make_activation(unit["activation"])
        widths = (out_channels // 2, out_channels - out_channels // 2) if split else (out_channels,)
        self.convs = nn.ModuleList(nn.Conv2d(in_channels, width, 1, stride=stride, bias=False) for width in widths)
        self.norm = nn.BatchNorm2d(out_channels, eps=unit["norm_eps"])

    def forward(self, x: Tensor) -> Tensor:
        """Squeeze the channels."""
        x = self.act(x)
        if len(self.convs) == 1:
            return self.norm(self.convs[0](x))
        shifted = F.pad(x, (-1, 1, -1, 1))  # by one pixel, so that it begins at (1, 1) and ends in zeros
        return self.norm(torch.cat([self.convs[0](x), self.convs[1](shifted)], 1))


class ZeroPool2d(nn.Module):
    """3x3 pooling of stride s over zeros where TensorFlow's SAME pads, (N, C, H, W) -> (N, C, ceil(H/s), ceil(W/s))."""

    def __init__(self, kind: str, stride: int) -> None:
        super().__init__()
        self.kind, self.stride = kind, stride

    def forward(self, x: Tensor) -> Tensor:
        """Pad with zeros, then pool."""
        rows, columns = (int(size % self.stride > 0 or self.stride == 1) for size in x.shape[2:])
        padded = F.pad(x, (columns, 1, rows, 1))
        return (F.max_pool2d if self.kind == "max" else F.avg_pool2d)(padded, 3, self.stride)


def _pool(kind: str, stride: int, padding: str) -> nn.Module:
    zeros = padding == "zeros" or (padding == "averaged" and kind == "average")
    return ZeroPool2d(kind, stride) if zeros and stride > 1 else SamePool2d(kind, 3, stride)


def _average() -> nn.Module:
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


class Cell(nn.Module, ABC):
    """What both cells share: the inputs of this cell and of the last, squeezed to one width and size.

    Args:
        channels: of the cell's input.
        adjust: makes the last cell's input fit; None where that is the cell's own input (the very first cell).
        width: channels of each branch.
        unit: activation and norm_eps.
    """

    def __init__(self, channels: int, adjust: nn.Module | None, width: int, unit: dict[str, Any]) -> None:
        super().__init__()
        self.squeeze = Squeeze(channels, width, unit)
        self.adjust = adjust
        self.act_h = make_activation(unit["activation"])
        self.act_p = make_activation(unit["activation"])

    def forward(self, x: Tensor | tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """(this input, the one before) -> (output, the input before the next cell), all (N, C, H, W)."""
        x, before = (x, x) if isinstance(x, Tensor) else x
        output = self.combine(self.squeeze(x), before if self.adjust is None else self.adjust(before))
        return output, self.second(x, before)

    @abstractmethod
    def combine(self, h: Tensor, p: Tensor) -> Tensor:
        """The five blocks of the paper's figure 4 on the squeezed inputs."""

    def second(self, x: Tensor, before: Tensor) -> Tensor:
        """What the next cell gets beside the output."""
        return x


class NormalCell(Cell):
    """Figure 4, left: keeps the size; six times `width` channels."""

    def __init__(self, channels: int, adjust: nn.Module, width: int, unit: dict[str, Any]) -> None:
        super().__init__(channels, adjust, width, unit)
        self.left1 = Separable(width, width, 5, 1, unit)
        self.right1 = Separable(width, width, 3, 1, unit)
        self.left2 = Separable(width, width, 5, 1, unit)
        self.right2 = Separable(width, width, 3, 1, unit)
        self.left3 = _average()
        self.both4 = _average()
        self.left5 = Separable(width, width, 3, 1, unit)

    def combine(self, h: Tensor, p: Tensor) -> Tensor:
        """Two (N, width, H, W) -> (N, 6 width, H, W)."""
        act_h, act_p, averaged = self.act_h(h), self.act_p(p), self.both4(p)
        blocks = (
            self.left1(act_h) + self.right1(act_p),
            self.left2(act_p) + self.right2(act_p),
            self.left3(h) + p,
            averaged + averaged,  # the figure has two equal pools of p here
            self.left5(act_h) + h,
        )
        return torch.cat([p, *blocks], 1)


class ReductionCell(Cell):
    """Figure 4, right: halves the size (unless `stride` is 1); four times `width` channels.

    With `skip` the next cell looks past this one's input at the one before.
    """

    def __init__(
        self, channels: int, adjust: nn.Module | None, width: int, unit: dict[str, Any], stride: int, skip: bool
    ) -> None:
        super().__init__(channels, adjust, width, unit)
        p_channels = channels if adjust is None else width
        self.skip = skip
        self.left1 = Separable(width, width, 5, stride, unit)
        self.right1 = Separable(p_channels, width, 7, stride, unit)
        self.largest = _pool("max", stride, unit["pool_padding"])
        self.right2 = Separable(p_channels, width, 7, stride, unit)
        self.left3 = _pool("average", stride, unit["pool_padding"])
        self.right3 = Separable(p_channels, width, 5, stride, unit)
        self.left4 = _average()
        self.act1 = make_activation(unit["activation"])
        self.left5 = Separable(width, width, 3, 1, unit)

    def combine(self, h: Tensor, p: Tensor) -> Tensor:
        """(N, width, H, W) and (N, C, H, W) -> (N, 4 width, ceil(H/s), ceil(W/s))."""
        act_p, largest = self.act_p(p), self.largest(h)  # the figure takes this maximum twice
        first = self.left1(self.act_h(h)) + self.right1(act_p)
        second = largest + self.right2(act_p)
        third = self.left3(h) + self.right3(act_p)
        return torch.cat([second, third, self.left4(first) + second, self.left5(self.act1(first)) + largest], 1)

    def second(self, x: Tensor, before: Tensor) -> Tensor:
        """This cell's input, or the one before."""
        return before if self.skip else x
