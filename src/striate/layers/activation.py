"""Activation functions by name, so that any network can be compared with another one by changing a word.

Each call makes a new module and none works in place: hooks and pictures of the inside need both.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from striate.errors import unknown
from striate.layers.overwriting import ReLU, ReLU6, SiLU


class ScaledTanh(nn.Module):
    """LeNet's squashing function 1.7159 tanh(2x/3) (LeCun et al., 1998, appendix A); any shape."""

    def forward(self, x: Tensor) -> Tensor:
        """Return 1.7159 tanh(2x/3), which maps 1 to 1 and -1 to -1."""
        return 1.7159 * torch.tanh(x * (2 / 3))


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "scaled_tanh": ScaledTanh,
    "relu": ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "relu6": ReLU6,
    "silu": SiLU,
    "identity": nn.Identity,
}


def activation(name: str) -> nn.Module:
    """A new activation module, e.g. `activation("relu")`.

    Raises:
        UsageError: the name is not in `ACTIVATIONS`.
    """
    if name not in ACTIVATIONS:
        raise unknown("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]()
