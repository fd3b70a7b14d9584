"""Network: the face of every network. What trains, predicts, explains and exports asks for this and nothing else.

`ConvNet` is the implementation of the catalogue's networks, `Foreign` the adapter that gives it to any module.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from striate.caller import either
from striate.errors import StriateError, UsageError, unknown
from striate.models.card import ModelSpec
from striate.weights import WeightSource

#: What `freeze` calls the layers that came from a shallower network, which may lie anywhere.
COPIED = "copied"


class InputError(StriateError):
    """Images that a network cannot work on: wrong channels, too small, not the size it was built for."""


class Network(nn.Module, ABC):
    """A network that classifies images, whoever wrote it.

    Attributes:
        spec: what rebuilds it.
        in_channels: channels of an input image.
        input_size: (height, width) of the images it was made for; None where nobody said.
        loss: name of the loss it was made for (`striate.training.losses`); recipes train with it unless they say.
        auxiliary_weight: what its paper multiplies the loss of each auxiliary head by; recipes likewise.
        memory_format: how its weights and images lie in memory.
        weights_source: the record of the weights it was loaded with, None for random ones.
        fresh: names of the layers that these weights left random, such as a head for other classes.
        copied: names of the layers that a shallower network gave, where this one was grown from it.
        keeps_statistics: whether batch norms normalise by the statistics that they have, in training too.
    """

    spec: ModelSpec
    in_channels: int
    input_size: tuple[int, int] | None
    loss: str
    auxiliary_weight: float
    memory_format: torch.memory_format = torch.channels_last
    weights_source: WeightSource | None
    fresh: tuple[str, ...]
    copied: tuple[str, ...] = ()
    keeps_statistics: bool = False
    _frozen: tuple[str, ...] = ()

    @property
    @abstractmethod
    def num_classes(self) -> int:
        """Number of logits."""

    @property
    @abstractmethod
    def num_features(self) -> int:
        """Width of the vector that the classifier sees."""

    @property
    @abstractmethod
    def last_layer(self) -> nn.Module:
        """The layer that makes the logits.

        Raises:
            UsageError: no layer makes them by itself.
        """

    @property
    def auxiliary_heads(self) -> tuple[str, ...]:
        """Names of the heads that are trained beside the main one and unused otherwise."""
        return ()

    @abstractmethod
    def forward(self, x: Tensor, auxiliary: bool = False) -> Any:
        """Logits (N, num_classes) of a float batch (N, in_channels, H, W).

        With `auxiliary` the pair (logits, {name: logits of that auxiliary head}).

        Raises:
            InputError: wrong number of channels or a size the network cannot work on.
        """

    @abstractmethod
    def forward_maps(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The logits and, of the same pass, the feature maps by the name of the part that ends in each, in order.

        What this owes to those who look inside stands at the head of `striate.models.convnet`.
        """

    @abstractmethod
    def embed(self, x: Tensor) -> Tensor:
        """The vector that the classifier sees: (N, C, H, W) -> (N, num_features)."""

    @abstractmethod
    def check_input(self, x: Tensor) -> None:
        """Raise `InputError` when the network cannot work on `x`."""

    @abstractmethod
    def reset_head(self, num_classes: int) -> Network:
        """Put a fresh last layer of `num_classes` outputs into every head; the layers before it stay."""

    @abstractmethod
    def parts(self) -> Mapping[str, nn.Module]:
        """What can be frozen by name, from the first to the last before the classifier."""

    def freeze(self, until: str = "all") -> Network:
        """Freeze the parts up to and with `until` (one of `parts`, or "all"); the rest trains.

        Frozen parameters get no gradient. Frozen parts stay in evaluation mode whatever `train()` says, so
        their batch norms keep their statistics. Heads always train, but where a shallower network gave their layers:
        "copied" freezes the layers that it gave, wherever they lie, so that the new ones among them train first.

        Raises:
            UsageError: there is no such part.
        """
        frozen, before = self.up_to(until), self._frozen
        if before == (COPIED,):
            self.requires_grad_(True)
        self._frozen = frozen
        for name, part in self.parts().items():
            part.requires_grad_(name not in frozen)
        for layer in self.frozen_modules():
            layer.requires_grad_(False)
        return self.train(self.training)

    def up_to(self, until: str) -> tuple[str, ...]:
        """Names of the parts that `freeze(until)` freezes, from the first on.

        Raises:
            UsageError: there is no such part.
        """
        if until == COPIED:
            if not self.copied:
                raise UsageError(
                    f"no layer of {self.spec.name} is copied from a shallower network: '{COPIED}' is frozen of one "
                    f"that grows; give {either('--grow-from RUN', 'grow_from')} with it, or name a stage."
                )
            return (COPIED,)
        names = list(self.parts())
        if until != "all" and until not in names:
            raise unknown(f"stage of {self.spec.name}", until, [*names, "all"])
        return tuple(names if until == "all" else names[: names.index(until) + 1])

    def part_of_weights(self) -> dict[str, str]:
        """The part that each parameter, by its name, is frozen with; "" for those that always train, the heads'.

        Raises:
            UsageError: the parts of the network are not known.
        """
        parts = {id(weight): name for name, part in self.parts().items() for weight in part.parameters()}
        return {name: parts.get(id(weight), "") for name, weight in self.named_parameters()}

    def unfreeze(self) -> Network:
        """Let every part train again."""
        self._frozen = ()
        self.requires_grad_(True)
        return self.train(self.training)

    @property
    def frozen(self) -> tuple[str, ...]:
        """Names of the frozen parts; "copied" alone where those are the layers that a shallower network gave."""
        return self._frozen

    def frozen_modules(self) -> list[nn.Module]:
        """The frozen parts, or layers, themselves."""
        if not self._frozen:
            return []
        if self._frozen == (COPIED,):
            return [self.get_submodule(name) for name in self.copied]
        parts = self.parts()
        return [parts[name] for name in self._frozen]

    def train(self, mode: bool = True) -> Network:
        """Set training mode, but for frozen parts, and batch norms where these keep their statistics."""
        super().train(mode)
        if self.keeps_statistics:
            for norm in self.modules():
                if isinstance(norm, _BatchNorm):
                    norm.eval()
        if self._frozen:
            for part in self.frozen_modules():
                part.eval()
        return self
