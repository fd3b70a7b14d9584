"""Convolution with a choice of padding, and the convolution-norm-activation unit of nearly every network."""

from __future__ import annotations

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import UsageError, unknown
from striate.layers.activation import activation as make_activation
from striate.layers.overwriting import Chain

#: "symmetric": k // 2 rows and columns on each side, PyTorch's habit. "tensorflow": TensorFlow's SAME, which
#: gives ceil(n / stride) outputs and puts the odd row and column at the bottom and right. "valid": none.
PADDINGS = ("symmetric", "tensorflow", "valid")


def same_padding(size: int, kernel_size: int, stride: int, dilation: int) -> int:
    """Rows that TensorFlow's SAME adds in all to `size` rows."""
    outputs = -(-size // stride)
    return max((outputs - 1) * stride + dilation * (kernel_size - 1) + 1 - size, 0)


class SameConv2d(nn.Conv2d):
    """Convolution under TensorFlow's SAME padding, (N, C_in, H, W) -> (N, C_out, ceil(H/s), ceil(W/s)).

    The padding depends on the input's size and is asymmetric where it is odd. Weights trained in TensorFlow
    need it: symmetric padding shifts every layer of stride 2 by one pixel.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Pad as TensorFlow does, then convolve."""
        rows, columns = (
            same_padding(input.shape[2 + i], self.kernel_size[i], self.stride[i], self.dilation[i]) for i in (0, 1)
        )
        padded = F.pad(input, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
        return self._conv_forward(padded, self.weight, self.bias)


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """A size for height and width."""
    return (size, size) if isinstance(size, int) else size


def conv2d(
    in_channels: int,
    out_channels: int,
    kernel_size: int | tuple[int, int],
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = True,
    padding: str = "symmetric",
) -> nn.Conv2d:
    """A convolution under one of `PADDINGS`; at stride 1 and an odd kernel the first two are the same.

    Raises:
        UsageError: the padding is not in `PADDINGS`, or `groups` does not divide the channels.
    """
    if padding not in PADDINGS:
        raise unknown("padding", padding, PADDINGS)
    if groups < 1 or in_channels % groups or out_channels % groups:
        raise UsageError(
            f"{groups} groups cannot divide {in_channels} into {out_channels} channels; both must be multiples of it"
        )
    kernel = pair(kernel_size)
    height, width = (0 if padding == "valid" else dilation * (side - 1) // 2 for side in kernel)
    dynamic = padding == "tensorflow" and (stride > 1 or any(side % 2 == 0 for side in kernel))
    return (SameConv2d if dynamic else nn.Conv2d)(
        in_channels,
        out_channels,
        kernel,
        stride=stride,
        padding=(0, 0) if dynamic else (height, width),
        dilation=dilation,
        groups=groups,
        bias=bias,
    )


class ConvNormAct(Chain):
    """Convolution without bias, batch norm, activation (or none); children conv, norm, act."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int] = 3,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        activation: str | None = "relu",
        padding: str = "symmetric",
        norm_eps: float = 1e-5,
    ) -> None:
        parts: OrderedDict[str, nn.Module] = OrderedDict(
            conv=conv2d(
                in_channels,
                out_channels,
                kernel_size,
                stride=stride,
                dilation=dilation,
                groups=groups,
                bias=False,
                padding=padding,
            ),
            norm=nn.BatchNorm2d(out_channels, eps=norm_eps),
        )
        if activation is not None:
            parts["act"] = make_activation(activation)
        super().__init__(parts)


class ConvAct(Chain):
    """Convolution with bias and activation (or none), from before batch norm; children conv, act."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int] = 3,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        activation: str | None = "relu",
        padding: str = "symmetric",
    ) -> None:
        parts: OrderedDict[str, nn.Module] = OrderedDict(
            conv=conv2d(
                in_channels,
                out_channels,
                kernel_size,
                stride=stride,
                dilation=dilation,
                groups=groups,
                padding=padding,
            )
        )
        if activation is not None:
            parts["act"] = make_activation(activation)
        super().__init__(parts)


class SamePool2d(nn.Module):
    """Max or average pooling under TensorFlow's SAME padding, (N, C, H, W) -> (N, C, ceil(H/s), ceil(W/s)).

    Padding never wins a maximum and is left out of an average, as in TensorFlow.
    """

    def __init__(self, kind: str, kernel_size: int, stride: int) -> None:
        super().__init__()
        if kind not in ("max", "average"):
            raise unknown("pooling", kind, ("max", "average"))
        self.kind, self.kernel_size, self.stride = kind, kernel_size, stride

    def forward(self, x: Tensor) -> Tensor:
        """Pad as TensorFlow does, then pool."""
        rows, columns = (same_padding(size, self.kernel_size, self.stride, 1) for size in x.shape[2:])
        around = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        if self.kind == "max":
            return F.max_pool2d(F.pad(x, around, value=float("-inf")), self.kernel_size, self.stride)
        sums = F.avg_pool2d(F.pad(x, around), self.kernel_size, self.stride, divisor_override=1)
        counts = F.avg_pool2d(
            F.pad(x.new_ones(1, 1, *x.shape[2:]), around), self.kernel_size, self.stride, divisor_override=1
        )
        return sums / counts

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"{self.kind}, kernel_size={self.kernel_size}, stride={self.stride}"
