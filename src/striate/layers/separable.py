"""Depthwise separable convolution: space first, then channels (Chollet, 2016, arXiv:1610.02357, section 1.1)."""

from __future__ import annotations

from torch import Tensor, nn

from striate.layers.conv import conv2d


class SeparableConv2d(nn.Module):
    """k x k on each channel by itself, then 1x1 across them, nothing in between.

    k*k*C_in + C_in*C_out weights in place of k*k*C_in*C_out: a fraction 1/C_out + 1/k^2.
    (N, C_in, H, W) -> (N, C_out, ceil(H/s), ceil(W/s)).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        *,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = False,
        padding: str = "symmetric",
    ) -> None:
        super().__init__()
        self.depthwise = conv2d(
            in_channels,
            in_channels,
            kernel_size,
            stride=stride,
            dilation=dilation,
            groups=in_channels,
            bias=False,
            padding=padding,
        )
        self.pointwise = conv2d(in_channels, out_channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Filter each channel, then mix them."""
        return self.pointwise(self.depthwise(x))
