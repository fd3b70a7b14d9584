"""Squeeze-and-excitation: channels weigh each other (Hu et al., 2017, arXiv:1709.01507, section 3)."""

from __future__ import annotations

from torch import Tensor, nn

from striate.layers.activation import activation as make_activation


class SqueezeExcite(nn.Module):
    """x times sigmoid(expand(act(reduce(mean over the map)))), (N, C, H, W) -> the same shape.

    Args:
        channels: C.
        reduced: width of the bottleneck; the paper has C / 16.
        activation: between the two 1x1 convolutions.
        gate: of the weights, "sigmoid" in the paper.
    """

    def __init__(self, channels: int, reduced: int, activation: str = "relu", gate: str = "sigmoid") -> None:
        super().__init__()
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, reduced, 1)
        self.act = make_activation(activation)
        self.expand = nn.Conv2d(reduced, channels, 1)
        self.gate = make_activation(gate)

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels."""
        return x * self.gate(self.expand(self.act(self.reduce(self.squeeze(x)))))
