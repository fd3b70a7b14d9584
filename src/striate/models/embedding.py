"""What a network knows of a picture before it classifies it, as modules of their own that an engine can run."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from striate.models.network import Network


class Embedding(nn.Module):
    """Runs `network.embed`: (N, C, H, W) -> (N, num_features)."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    @property
    def unused(self) -> tuple[str, ...]:
        """The path of the last layer, of whose weights the vector is independent."""
        return last_layer_in(self, self.network)

    def forward(self, x: Tensor) -> Tensor:
        """The vector that the classifier sees."""
        return self.network.embed(x)


class Probes(nn.Module):
    """The vector that the classifier sees and, behind it, the mean of each stage's feature map over the image.

    (N, C, H, W) -> (N, num_features + channels of the stages); `columns` tells them apart.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    @property
    def unused(self) -> tuple[str, ...]:
        """The path of the last layer, of whose weights the vectors are independent."""
        return last_layer_in(self, self.network)

    def parts(self, x: Tensor) -> dict[str, Tensor]:
        """The vectors by name, each (N, D): "features" first, then the stages in order.

        The last stage is left out where its map has as many channels as there are features, which are its mean.
        """
        seen: list[Tensor] = []
        handle = self.network.last_layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        try:
            _, maps = self.network.forward_maps(x)
        finally:
            handle.remove()
        vector = seen[-1].mean((2, 3)) if seen[-1].dim() == 4 else seen[-1]
        found = {"features": vector}
        for name, feature_map in maps.items():
            if feature_map.shape[1] != vector.shape[1] or name != next(reversed(maps)):
                found[name] = feature_map.flatten(2).mean(2)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """All of them in one row."""
        return torch.cat(list(self.parts(x).values()), 1)

    @torch.no_grad()
    def columns(self, size: tuple[int, int]) -> dict[str, slice]:
        """Which columns belong to which, for images of this size."""
        weight = next(self.network.parameters())
        x = torch.zeros(1, self.network.in_channels, *size, device=weight.device, dtype=weight.dtype)
        found, start = {}, 0
        for name, vector in self.parts(x).items():
            found[name] = slice(start, start + vector.shape[1])
            start += vector.shape[1]
        return found


def last_layer_in(whole: nn.Module, network: Network) -> tuple[str, ...]:
    """The path of a network's last layer in a module that holds the network."""
    return tuple(path for path, module in whole.named_modules() if module is network.last_layer)
