"""LeNet's trainable sub-sampling: sum, scale, shift (LeCun et al., 1998, section II.B)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TrainableSubsampling(nn.Module):
    """Each map's windows are added up, multiplied by the map's coefficient, and its bias is added.

    (N, C, H, W) -> (N, C, H // k, W // k) with 2 C parameters. LeNet squashes the result; that is a layer of its own
    here. The first coefficients and biases are uniform in +-1 / k^2, PyTorch's habit for k^2 inputs.
    """

    def __init__(self, channels: int, kernel_size: int = 2) -> None:
        super().__init__()
        self.channels, self.kernel_size = channels, kernel_size
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -1 / kernel_size**2, 1 / kernel_size**2)

    def forward(self, x: Tensor) -> Tensor:
        """Add up each window, then scale and shift each map."""
        sums = F.avg_pool2d(x, self.kernel_size, divisor_override=1)
        return sums * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"{self.channels}, kernel_size={self.kernel_size}"
