"""Highway layers: gates that learn what to transform and what to carry (Srivastava et al., 2015, arXiv:1505.00387)."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from striate.layers.activation import activation as make_activation
from striate.layers.shortcuts import Gate


class Highway(nn.Module):
    """T(x) H(x) + (1 - T(x)) x, equation 3: (N, C, ...) -> the same shape.

    Args:
        transform: H, from and to the shape of x.
        gate: T, the transform gate, from 0 to 1; what it leaves is the carry gate.
    """

    def __init__(self, transform: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.transform = transform
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:
        """Transform and carry."""
        gate = self.gate(x)
        return gate * self.transform(x) + (1 - gate) * x


def highway_conv(channels: int, kernel_size: int = 3, activation: str = "relu") -> Highway:
    """The convolutional form: H is a convolution with bias and an activation, T one with a sigmoid; same padding."""
    conv = nn.Conv2d(channels, channels, kernel_size, padding=kernel_size // 2)
    transform = nn.Sequential(OrderedDict(conv=conv, act=make_activation(activation)))
    return Highway(transform, Gate(channels, channels, kernel_size))
