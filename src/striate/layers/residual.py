"""Residual blocks and their shortcuts (He et al., 2015, arXiv:1512.03385, figure 5 and section 4.1)."""

from __future__ import annotations

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import unknown
from striate.layers.activation import activation as make_activation

#: The paper's options for a shortcut between different shapes. "A": take every stride-th pixel and pad the
#: channels with zeros, no parameters; "B": a projection (1x1 convolution and batch norm) where shapes differ,
#: else identity; "C": a projection in every block. "none": no shortcut at all, a plain network.
SHORTCUTS = ("A", "B", "C", "none")


class ZeroPadShortcut(nn.Module):
    """Option A: (N, C, H, W) -> (N, C', ceil(H/s), ceil(W/s)), new channels zero, half on either side."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.before = (out_channels - in_channels) // 2
        self.after = out_channels - in_channels - self.before

    def forward(self, x: Tensor) -> Tensor:
        """Sub-sample and pad; no arithmetic."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.after))


def make_shortcut(kind: str, in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
    """The shortcut of one block, None for "none".

    Raises:
        UsageError: the kind is not in `SHORTCUTS`, or "A" would have to drop channels.
    """
    if kind not in SHORTCUTS:
        raise unknown("shortcut", kind, SHORTCUTS)
    if kind == "none":
        return None
    same = stride == 1 and in_channels == out_channels
    if same and kind != "C":
        return nn.Identity()
    if kind == "A":
        return ZeroPadShortcut(in_channels, out_channels, stride)
    conv = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, norm=nn.BatchNorm2d(out_channels)))


class Residual(nn.Module):
    """act(residual(x) + shortcut(x)); without a shortcut act(residual(x)), the plain network's layers."""

    def __init__(self, residual: nn.Sequential, shortcut: nn.Module | None, activation: str = "relu") -> None:
        super().__init__()
        self.residual = residual
        self.shortcut = shortcut
        self.act = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', ceil(H/s), ceil(W/s))."""
        y = self.residual(x)
        return self.act(y if self.shortcut is None else y + self.shortcut(x))


def basic(in_channels: int, width: int, *, stride: int = 1, shortcut: str = "B", activation: str = "relu") -> Residual:
    """Two 3x3 convolutions, the first of which has the stride (figure 5, left); out channels = width."""
    residual = OrderedDict(
        conv1=nn.Conv2d(in_channels, width, 3, stride=stride, padding=1, bias=False),
        norm1=nn.BatchNorm2d(width),
        act1=make_activation(activation),
        conv2=nn.Conv2d(width, width, 3, padding=1, bias=False),
        norm2=nn.BatchNorm2d(width),
    )
    return Residual(nn.Sequential(residual), make_shortcut(shortcut, in_channels, width, stride), activation)


def bottleneck(
    in_channels: int,
    width: int,
    *,
    stride: int = 1,
    shortcut: str = "B",
    activation: str = "relu",
    stride_in: str = "1x1",
) -> Residual:
    """1x1 down to `width`, 3x3, 1x1 up to 4 width (figure 5, right).

    `stride_in` says which convolution has the stride: "1x1", the first, as in the paper, or "3x3", the form
    known as v1.5 for which most published weights were trained.

    Raises:
        UsageError: `stride_in` is neither.
    """
    if stride_in not in ("1x1", "3x3"):
        raise unknown("stride_in", stride_in, ("1x1", "3x3"))
    first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
    residual = OrderedDict(
        conv1=nn.Conv2d(in_channels, width, 1, stride=first, bias=False),
        norm1=nn.BatchNorm2d(width),
        act1=make_activation(activation),
        conv2=nn.Conv2d(width, width, 3, stride=second, padding=1, bias=False),
        norm2=nn.BatchNorm2d(width),
        act2=make_activation(activation),
        conv3=nn.Conv2d(width, 4 * width, 1, bias=False),
        norm3=nn.BatchNorm2d(4 * width),
    )
    return Residual(nn.Sequential(residual), make_shortcut(shortcut, in_channels, 4 * width, stride), activation)
