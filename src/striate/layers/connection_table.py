"""A convolution whose maps see some of the maps before, as LeNet's C3 does (LeCun et al., 1998, table I)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import UsageError


class TableConv2d(nn.Module):
    """Unpadded convolution with weights for the connections of a table only.

    (N, C, H, W) -> (N, C', H - k + 1, W - k + 1) with connections x k^2 + C' parameters. It equals a convolution whose
    other weights are zero, and computes as one: a pass costs as many multiplications as a full table would.

    Args:
        table: for each output map, the input maps it sees.
        in_channels: number of input maps.
        kernel_size: side of the square kernels.

    Attributes:
        weight: (connections, k, k), by output map and then by input map.
        bias: (C',).

    Raises:
        UsageError: a map without inputs, an input twice, or one that is not there.
    """

    connections: Tensor

    def __init__(self, table: Sequence[Sequence[int]], in_channels: int, kernel_size: int) -> None:
        super().__init__()
        for number, inputs in enumerate(table):
            if not inputs or len(set(inputs)) < len(inputs) or not set(inputs) <= set(range(in_channels)):
                raise UsageError(
                    f"map {number} of the connection table sees {list(inputs)}; "
                    f"it must see some of the maps 0 to {in_channels - 1}, each once"
                )
        self.table = tuple(tuple(sorted(inputs)) for inputs in table)
        self.in_channels, self.out_channels, self.kernel_size = in_channels, len(self.table), kernel_size
        count = sum(map(len, self.table))
        # (C' C): where in `weight` the kernel from an input map to an output map stands; `count` where there is none
        places = [count] * (self.out_channels * in_channels)
        pairs = [row * in_channels + column for row, inputs in enumerate(self.table) for column in inputs]
        for place, pair in enumerate(pairs):
            places[pair] = place
        self.register_buffer("connections", torch.tensor(places))
        self.weight = nn.Parameter(torch.empty(count, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.empty(self.out_channels))
        self.uniform_([count**-0.5 for count in self.fan_in])

    @property
    def fan_in(self) -> list[int]:
        """How many inputs a unit of each output map has: k^2 times the maps it sees."""
        return [len(inputs) * self.kernel_size**2 for inputs in self.table]

    def kernels(self) -> tuple[Tensor, ...]:
        """Views of `weight`, the kernels (inputs, k, k) of each output map."""
        return self.weight.split([*map(len, self.table)])

    @torch.no_grad()
    def uniform_(self, bounds: Sequence[float]) -> None:
        """Draw weights and bias of output map i uniform in +-bounds[i] (PyTorch's 1 / sqrt(fan_in) when new)."""
        for bound, weight, bias in zip(bounds, self.kernels(), self.bias, strict=True):
            weight.uniform_(-bound, bound)
            bias.uniform_(-bound, bound)

    def dense_weight(self) -> Tensor:
        """The weight (C', C, k, k) of the equal convolution, zero where the table has no connection."""
        side = self.kernel_size
        padded = F.pad(self.weight.flatten(1), (0, 0, 0, 1))  # a last kernel of zeros
        return padded.index_select(0, self.connections).view(self.out_channels, self.in_channels, side, side)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        return F.conv2d(x, self.dense_weight(), self.bias)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        full = self.in_channels * self.out_channels
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"{len(self.weight)} of {full} connections"
        )
