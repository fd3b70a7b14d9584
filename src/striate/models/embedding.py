"""Embedding: a network up to the vector that its classifier sees, as a module of its own."""

from __future__ import annotations

from torch import Tensor, nn

from striate.models.network import Network


class Embedding(nn.Module):
    """Runs `network.embed`: (N, C, H, W) -> (N, num_features)."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """The vector that the classifier sees."""
        return self.network.embed(x)
