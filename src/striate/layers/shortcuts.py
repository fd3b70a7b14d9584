"""Shortcuts of residual blocks, and how they meet the branch.

Between different shapes: He et al. (2015, arXiv:1512.03385, section 4.1). Other than identities: He et al. (2016,
arXiv:1603.05027, figure 2 and table 1), which found that whatever stands on the shortcut makes training worse.
"""

from __future__ import annotations

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import unknown

#: Kinds by name. "A": take every stride-th pixel and pad the channels with zeros, no parameters; "B": a projection
#: (1x1 convolution and batch norm) where shapes differ, else identity; "C": a projection in every block, which the
#: second paper calls the 1x1 convolutional shortcut; "none": no shortcut at all, a plain network. The others are
#: the second paper's and keep option A where shapes differ. "scaled": half the shortcut; "scaled_both": half the
#: shortcut and half the branch; "exclusive_gate": 1 - g(x) times the shortcut, g(x) times the branch;
#: "shortcut_gate": the same with the whole branch; "dropout": half of the shortcut's values left out in training.
SHORTCUTS = ("A", "B", "C", "none", "scaled", "scaled_both", "exclusive_gate", "shortcut_gate", "dropout")

#: The second paper's constants: factor of the scaled shortcuts, rate of the dropout.
SCALE, DROPOUT = 0.5, 0.5


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


class Gate(nn.Sequential):
    """sigmoid(convolution + bias): (N, C, H, W) -> (N, C', ceil(H/s), ceil(W/s)), values from 0 to 1.

    How far it is open at first is the bias's business: `striate.layers.gate_bias_`.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 1, stride: int = 1) -> None:
        conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, padding=kernel_size // 2)
        super().__init__(OrderedDict(conv=conv, act=nn.Sigmoid()))


class ScaledAddition(nn.Module):
    """`shortcut_scale` times the shortcut plus `branch_scale` times the branch (figure 2b)."""

    def __init__(self, shortcut_scale: float, branch_scale: float) -> None:
        super().__init__()
        self.shortcut_scale, self.branch_scale = shortcut_scale, branch_scale

    def forward(self, x: Tensor, shortcut: Tensor, branch: Tensor) -> Tensor:
        """The sum; the block's input `x` does not matter here."""
        return self.shortcut_scale * shortcut + self.branch_scale * branch

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"shortcut_scale={self.shortcut_scale:g}, branch_scale={self.branch_scale:g}"


class GatedAddition(nn.Module):
    """(1 - g(x)) times the shortcut plus the branch, which is times g(x) if `exclusive` (figures 2c and 2d)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, exclusive: bool) -> None:
        super().__init__()
        self.gate = Gate(in_channels, out_channels, stride=stride)
        self.exclusive = exclusive

    def forward(self, x: Tensor, shortcut: Tensor, branch: Tensor) -> Tensor:
        """The gated sum, for the block's input `x`."""
        gate = self.gate(x)
        return (1 - gate) * shortcut + (gate * branch if self.exclusive else branch)


def make_shortcut(
    kind: str, in_channels: int, out_channels: int, stride: int, *, norm: bool = True, bias: bool = False
) -> nn.Module | None:
    """What one block's shortcut does before it meets the branch; None for "none".

    Args:
        kind: one of `SHORTCUTS`.
        in_channels: of the block's input.
        out_channels: of its output.
        stride: of the block.
        norm: give projections a batch norm.
        bias: give projections a bias.

    Raises:
        UsageError: the kind is not in `SHORTCUTS`.
    """
    if kind not in SHORTCUTS:
        raise unknown("shortcut", kind, SHORTCUTS)
    if kind == "none":
        return None
    same = stride == 1 and in_channels == out_channels
    if kind == "C" or (kind == "B" and not same):
        conv = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=bias)
        parts: OrderedDict[str, nn.Module] = OrderedDict(conv=conv)
        if norm:
            parts["norm"] = nn.BatchNorm2d(out_channels)
        return nn.Sequential(parts)
    if kind == "dropout":
        return (
            nn.Dropout(DROPOUT)
            if same
            else nn.Sequential(ZeroPadShortcut(in_channels, out_channels, stride), nn.Dropout(DROPOUT))
        )
    return nn.Identity() if same else ZeroPadShortcut(in_channels, out_channels, stride)


def make_addition(kind: str, in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
    """How a block adds its shortcut to its branch, called with (input, shortcut, branch); None for a plain sum."""
    if kind in ("scaled", "scaled_both"):
        return ScaledAddition(SCALE, 1 - SCALE if kind == "scaled_both" else 1.0)
    if kind in ("exclusive_gate", "shortcut_gate"):
        return GatedAddition(in_channels, out_channels, stride, exclusive=kind == "exclusive_gate")
    return None
