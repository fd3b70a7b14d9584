"""Locally connected layers: a convolution's windows, but weights of their own at each position.

Between a dense layer and a convolution (LeCun, 1989, "Generalization and network design strategies"): what is seen is
local, what is looked for differs from place to place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import UsageError


class _LocallyConnected(nn.Module):
    """The layer for any number of axes; weight (outputs..., C_out, C_in, kernel...), bias (outputs..., C_out)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        input_size: Sequence[int],
        kernel_size: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[int],
        bias: bool,
    ) -> None:
        super().__init__()
        if min(in_channels, out_channels, *kernel_size, *stride) < 1 or min(padding) < 0:
            raise UsageError("channels, kernel and stride of a locally connected layer are at least 1, padding 0")
        numbers = zip(input_size, kernel_size, stride, padding, strict=True)
        output_size = tuple((size + 2 * pad - side) // step + 1 for size, side, step, pad in numbers)
        if min(output_size) < 1:
            raise UsageError(
                f"a kernel of {tuple(kernel_size)} does not fit into {tuple(input_size)} with padding {tuple(padding)}"
            )
        self.in_channels, self.out_channels = in_channels, out_channels
        self.input_size, self.output_size = tuple(input_size), output_size
        self.kernel_size, self.stride, self.padding = tuple(kernel_size), tuple(stride), tuple(padding)
        self.weight = nn.Parameter(torch.empty(*output_size, out_channels, in_channels, *kernel_size))
        self.bias = nn.Parameter(torch.empty(*output_size, out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """PyTorch's first weights of a convolution: uniform in +-1 / sqrt(fan-in)."""
        bound = 1 / math.sqrt(self.in_channels * math.prod(self.kernel_size))
        for parameter in self.parameters():
            if not parameter.is_meta:
                nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, *input_size) -> (N, C_out, *output_size). Raises UsageError for an input of another size."""
        axes = len(self.kernel_size)
        if x.dim() != axes + 2 or tuple(x.shape[1:]) != (self.in_channels, *self.input_size):
            raise UsageError(
                f"a locally connected layer for inputs (N, {self.in_channels}, {', '.join(map(str, self.input_size))}) "
                f"was given {tuple(x.shape)}"
            )
        windows = F.pad(x, [pad for side in reversed(self.padding) for pad in (side, side)])
        for axis in range(axes):
            windows = windows.unfold(2 + axis, self.kernel_size[axis], self.stride[axis])
        # windows are (N, C_in, outputs..., kernel...)
        places, kernel = range(2, 2 + axes), range(2 + axes, 2 + 2 * axes)
        positions = math.prod(self.output_size)
        seen = windows.permute(*places, 1, *kernel, 0).reshape(positions, -1, len(x))  # (places, C_in * kernel, N)
        y = torch.bmm(self.weight.reshape(positions, self.out_channels, -1), seen)  # (places, C_out, N)
        y = y if self.bias is None else y + self.bias.reshape(positions, self.out_channels, 1)
        return y.permute(2, 1, 0).reshape(len(x), self.out_channels, *self.output_size)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return (
            f"{self.in_channels}, {self.out_channels}, input_size={self.input_size}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, bias={self.bias is not None}"
        )


class LocallyConnected1d(_LocallyConnected):
    """(N, C_in, L) -> (N, C_out, floor((L + 2p - k) / s) + 1), weights of its own for each output position.

    (k * C_in + 1) * C_out parameters for each position. `weight` is (L_out, C_out, C_in, k), so a convolution's
    weight can be copied into it: `layer.weight.copy_(conv.weight)`.

    Raises:
        UsageError: the kernel does not fit into the input.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        input_size: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, (input_size,), (kernel_size,), (stride,), (padding,), bias)


class LocallyConnected2d(_LocallyConnected):
    """(N, C_in, H, W) -> (N, C_out, H', W') of a convolution, weights of its own for each output position.

    (k_h * k_w * C_in + 1) * C_out parameters for each position. `weight` is (H', W', C_out, C_in, k_h, k_w), so a
    convolution's weight can be copied into it: `layer.weight.copy_(conv.weight)`.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        input_size: (H, W), or H for a square; the weights belong to its positions.
        kernel_size: (k_h, k_w), or one number; so with stride and padding.
        stride: between neighbouring windows.
        padding: zeros on each side.
        bias: one per output value.

    Raises:
        UsageError: the kernel does not fit into the input.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        input_size: int | tuple[int, int],
        kernel_size: int | tuple[int, int],
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        bias: bool = True,
    ) -> None:
        sizes = [(value, value) if isinstance(value, int) else value for value in (input_size, kernel_size)]
        steps = [(value, value) if isinstance(value, int) else value for value in (stride, padding)]
        super().__init__(in_channels, out_channels, sizes[0], sizes[1], steps[0], steps[1], bias)
