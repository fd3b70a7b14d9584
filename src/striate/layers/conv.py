"""Convolution with a choice of padding, and the convolution-norm-activation unit of nearly every network."""

from __future__ import annotations

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import unknown
from striate.layers.activation import activation as make_activation

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
    need
    it: symmetric padding shifts every layer of stride 2 by one pixel.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Pad as TensorFlow does, then convolve."""
        rows, columns = (
            same_padding(input.shape[2 + i], self.kernel_size[i], self.stride[i], self.dilation[i]) for i in (0, 1)
        )
        padded = F.pad(input, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
        return self._conv_forward(padded, self.weight, self.bias)


def conv2d(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = True,
    padding: str = "symmetric",
) -> nn.Conv2d:
    """A square convolution under one of `PADDINGS`; at stride 1 and an odd kernel the first two are the same.

    Raises:
        UsageError: the padding is not in `PADDINGS`.
    """
    if padding not in PADDINGS:
        raise unknown("padding", padding, PADDINGS)
    around = 0 if padding == "valid" else dilation * (kernel_size - 1) // 2
    dynamic = padding == "tensorflow" and (stride > 1 or kernel_size % 2 == 0)
    return (SameConv2d if dynamic else nn.Conv2d)(
        in_channels,
        out_channels,
        kernel_size,
        stride=stride,
        padding=0 if dynamic else around,
        dilation=dilation,
        groups=groups,
        bias=bias,
    )


class ConvNormAct(nn.Sequential):
    """Convolution without bias, batch norm, activation (or none); children conv, norm, act."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        *,
        stride: int = 1,
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
                groups=groups,
                bias=False,
                padding=padding,
            ),
            norm=nn.BatchNorm2d(out_channels, eps=norm_eps),
        )
        if activation is not None:
            parts["act"] = make_activation(activation)
        super().__init__(parts)
