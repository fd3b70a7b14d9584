"""Frozen: a network in evaluation mode with what brings pictures to it, which every engine runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from striate.engines.code import code_of
from striate.engines.eager import Eager
from striate.engines.folding import folded

#: Pictures that an engine takes at once, at most.
MOST = 64
#: Pixels that it takes at once on a processor, 5 pictures of 224 x 224: their maps stay in the processor's caches.
PIXELS = 1 << 18


@dataclass(frozen=True, eq=False)
class Frozen:
    """What is run.

    Attributes:
        network: in evaluation mode; one floating tensor (N, K) of normalised images (N, C, H, W).
        normalise: from uint8 (N, C, H, W) to what the network takes.
        size: (height, width) of the pictures.
        channels: C.
        name: what the network is called in messages.
    """

    network: nn.Module
    normalise: Callable[[Tensor], Tensor]
    size: tuple[int, int]
    channels: int
    name: str = "the network"

    @property
    def device(self) -> torch.device:
        """Where its weights lie."""
        weight = next(self.network.parameters(), None)
        return torch.device("cpu") if weight is None else weight.device

    @cached_property
    def folded(self) -> nn.Module:
        """The network with its batch norms folded, as far as they can be."""
        return folded(self.network, self.channels, self.size)

    @property
    def together(self) -> int:
        """Pictures that a converted network takes at once."""
        fitting = PIXELS // (self.size[0] * self.size[1]) if self.device.type == "cpu" else MOST
        return max(1, min(MOST, fitting))

    @property
    def example(self) -> Tensor:
        """So many pictures, black: uint8 (N, H, W, C)."""
        return torch.zeros(self.together, *self.size, self.channels, dtype=torch.uint8, device=self.device)

    def whole(self) -> nn.Module:
        """From uint8 (N, H, W, C) to (N, K) float32, in one module; its batch norms are folded."""
        return Whole(self.folded, self.normalise).eval()

    def eager(self) -> Eager:
        """The network as it is: what every engine must equal."""
        return Eager(self.network, self.normalise)

    @cached_property
    def kind(self) -> str:
        """A digest of what the network is made of, whatever its weights: how fast it is follows from that."""
        return _digest(self._structure().encode()).hexdigest()

    @cached_property
    def content(self) -> str:
        """A digest of all that its outputs depend on: what the network is made of, its weights, its code, and how
        pictures are brought to it.
        """
        digest = _digest(f"{self._structure()} {code_of(self.network, self._unused)}".encode())
        ramp = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, self.channels, 16, 16)
        tensors = {"ramp": self.normalise(ramp.to(self.device)), **self._tensors()}
        for name, tensor in tensors.items():
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
        return digest.hexdigest()

    @cached_property
    def _unused(self) -> tuple[str, ...]:
        """Paths of the layers whose outputs are not asked for."""
        return getattr(self.network, "unused", ())

    def _tensors(self) -> dict[str, Tensor]:
        """Weights and statistics of all that is used."""
        state, unused = self.network.state_dict(), tuple(f"{path}." for path in self._unused)
        return {name: tensor for name, tensor in state.items() if not (unused and name.startswith(unused))}

    def _structure(self) -> str:
        layers = [
            f"{path}: {type(layer).__name__}({layer.extra_repr()})"
            for path, layer in self.network.named_modules()
            if path not in self._unused
        ]
        shapes = {name: (tuple(tensor.shape), str(tensor.dtype)) for name, tensor in self._tensors().items()}
        return f"{self.name} {layers} {shapes} {self.size} {self.channels}"


def _digest(content: bytes) -> hashlib._Hash:
    return hashlib.sha256(content, usedforsecurity=False)


class Whole(nn.Module):
    """Normalisation and network in one: uint8 (N, H, W, C) -> (N, K) float32."""

    def __init__(self, network: nn.Module, normalise: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network, self.normalise = network, normalise
        weight = next(network.parameters(), None)
        self.dtype = torch.float32 if weight is None else weight.dtype

    def forward(self, images: Tensor) -> Tensor:
        """Outputs of pictures before normalisation."""
        return self.network(self.normalise(images.permute(0, 3, 1, 2)).to(self.dtype)).float()


def in_pieces(
    run: Callable[[NDArray[np.uint8]], NDArray[np.float32]], images: NDArray[np.uint8], together: int
) -> NDArray[np.float32]:
    """The outputs of `run`, which takes `together` pictures each time; the last few are filled up, and cut off again.

    Converted networks take one number of pictures: some have it in their operations.
    """
    found = []
    for start in range(0, len(images), together):
        piece = images[start : start + together]
        if len(piece) < together:
            piece = np.concatenate([piece, np.zeros((together - len(piece), *piece.shape[1:]), np.uint8)])
        found.append(run(np.ascontiguousarray(piece)))
    return (found[0] if len(found) == 1 else np.concatenate(found))[: len(images)]
