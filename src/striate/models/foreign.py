"""Foreign: any module that makes logits of images, with the face of a network."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from striate.errors import StriateError, UsageError
from striate.models.anatomy import Anatomy, as_map, flat, from_map, study, tensors_of
from striate.models.card import ModelSpec
from striate.models.last_layer import fresh_like
from striate.models.network import InputError, Network

#: Set on a weight that was frozen here, and not by whoever wrote or handed over its module.
FROZEN_HERE = "_frozen_by_striate"


class Foreign(Network):
    """A module of a library's or of one's own: its logits, its parts and its classifier, found by running it once.

    Attributes:
        module: the module itself; training it here trains it.
        fixed: names of the weights that do not train by its author's wish, such as places of a sine: they never do.
        filters_for: channels of the images that its weights were for, where its first filters were adapted; else None.
    """

    def __init__(
        self,
        module: nn.Module,
        spec: ModelSpec,
        in_channels: int,
        input_size: tuple[int, int],
        channels_last: bool | None = None,
    ) -> None:
        """Give a module the face of a network.

        Args:
            module: makes logits (N, K) of images (N, C, H, W), alone or first among its outputs.
            spec: what rebuilds it.
            in_channels: C.
            input_size: (H, W) at which it is run to see what it is made of.
            channels_last: whether it works on images whose channels lie together in memory; None to try.
        """
        super().__init__()
        self.module, self.spec = module, spec
        self.in_channels, self.input_size = in_channels, input_size
        self.loss, self.auxiliary_weight = "cross_entropy", 0.0
        self.weights_source, self.fresh = None, ()
        self.filters_for: int | None = None
        for weight in self.parameters():
            if getattr(weight, FROZEN_HERE, False):  # of another training of the same module
                weight.requires_grad_(True)
        self.fixed = frozenset(name for name, weight in self.named_parameters() if not weight.requires_grad)
        together = _takes_channels_last(module, self._zeros) if channels_last is None else channels_last
        self.memory_format = torch.channels_last if together else torch.contiguous_format

    @property
    def _zeros(self) -> Tensor:
        assert self.input_size is not None
        weight = next(self.module.parameters(), None)
        zeros = torch.zeros((2, self.in_channels, *self.input_size))
        return zeros if weight is None else zeros.to(weight.device, weight.dtype)

    @cached_property
    def anatomy(self) -> Anatomy:
        """What running it once has shown."""
        try:
            return study(self.module, self._zeros)
        except ValueError as error:
            raise StriateError(f"{self.spec.name}: {error}") from error
        except StriateError:
            raise
        except Exception as error:
            size = "x".join(map(str, (self.in_channels, *(self.input_size or ()))))
            words = str(error).strip().splitlines() or [type(error).__name__]
            raise InputError(
                f"{self.spec.name} cannot work on images of {size} (channels x height x width): {words[0][:200]}; "
                "give the size that it takes"
            ) from error

    @property
    def num_classes(self) -> int:
        """Number of logits."""
        return self.anatomy.outputs

    @property
    def num_features(self) -> int:
        """Width of the vector that the classifier sees."""
        return int(self.last_layer.weight.shape[1])

    @property
    def auxiliary_heads(self) -> tuple[str, ...]:
        """Further outputs that are logits, too."""
        return self.anatomy.auxiliary

    def forward(self, x: Tensor, auxiliary: bool = False) -> Any:
        """Logits (N, num_classes); with `auxiliary` the pair (logits, {name: logits of that head})."""
        outputs = tensors_of(self.module(x.contiguous(memory_format=self.memory_format)))
        logits = flat(next(iter(outputs.values())))
        if not auxiliary:
            return logits
        return logits, {name: flat(outputs[name]) for name in self.auxiliary_heads}

    def forward_maps(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The logits and the last feature map of each resolution, by the name of the part that makes it."""
        maps: dict[str, Tensor] = {}

        def keep(name: str, output: Any) -> Any:
            """Keep the map, and have the rest of the network go on from it."""
            found = as_map(output, self.anatomy.grid)
            if found is None:
                return None
            maps[name] = found
            return None if found is output else from_map(found, output)

        handles = [
            self.module.get_submodule(name).register_forward_hook(lambda *given, name=name: keep(name, given[2]))
            for name in self.anatomy.maps
        ]
        try:
            logits = self(x)
        finally:
            for handle in handles:
                handle.remove()
        return logits, maps

    def embed(self, x: Tensor) -> Tensor:
        """The vector that the classifier sees: (N, C, H, W) -> (N, num_features), averaged over the image."""
        seen: list[Tensor] = []
        handle = self.last_layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        try:
            self(x)
        finally:
            handle.remove()
        return seen[-1].mean((2, 3)) if seen[-1].dim() == 4 else seen[-1]

    def check_input(self, x: Tensor) -> None:
        """Raise `InputError` for another number of axes or channels."""
        if x.dim() != 4 or x.shape[1] != self.in_channels:
            raise InputError(
                f"{self.spec.name} takes a floating-point batch (N, {self.in_channels}, H, W) and got one of shape "
                f"{tuple(x.shape)}"
            )

    def reset_head(self, num_classes: int) -> Foreign:
        """Put a fresh last layer of `num_classes` outputs in place of the classifier.

        Raises:
            UsageError: fewer than one class, or no layer makes the logits by itself.
        """
        if num_classes < 1:
            raise UsageError(f"num_classes is {num_classes}; a network needs at least 1")
        layer = self.last_layer
        if self.auxiliary_heads:
            raise UsageError(
                f"{self.spec.name} has {self.num_classes} outputs and auxiliary heads, so it cannot be given "
                f"{num_classes}; have its function take num_classes"
            )
        path = self.anatomy.classifier
        assert path is not None
        parent, _, name = path.rpartition(".")
        setattr(self.module.get_submodule(parent), name, fresh_like(layer, num_classes))
        self.fresh = (f"module.{path}",)
        self.fixed = frozenset(name for name in self.fixed if not name.startswith(f"module.{path}."))
        del self.anatomy  # of the module as it was
        return self

    def parts(self) -> Mapping[str, nn.Module]:
        """The parts before the classifier, in the order in which they run.

        Raises:
            UsageError: none can be told apart.
        """
        if not self.anatomy.parts:
            raise UsageError(
                f"{self.spec.name} cannot be frozen, nor trained at a rate for each part: it has no parts before its "
                "last layer; make its layers modules that are called one after the other"
            )
        return {name: self.module.get_submodule(name) for name in self.anatomy.parts}

    def part_of_weights(self) -> dict[str, str]:
        """As `Network.part_of_weights`; weights that are in no part of their own go with the first."""
        found, first = super().part_of_weights(), next(iter(self.parts()))
        heads = (self.anatomy.classifier, *self.anatomy.training_only)
        starts = tuple(f"module.{path}." for path in heads if path is not None)
        return {name: part or ("" if name.startswith(starts) else first) for name, part in found.items()}

    def freeze(self, until: str = "all") -> Foreign:
        """As `Network.freeze`; weights that are in no part of their own are frozen with the first."""
        super().freeze(until)
        for name, part in self.part_of_weights().items():
            self._let_train(name, part not in self.frozen)
        return self

    def unfreeze(self) -> Foreign:
        """Let every part train again."""
        super().unfreeze()
        for name in self.fixed:
            self._let_train(name, False)
        return self

    def _let_train(self, name: str, trains: bool) -> None:
        weight = self.get_parameter(name)
        weight.requires_grad_(trains and name not in self.fixed)
        if not trains and name not in self.fixed:
            setattr(weight, FROZEN_HERE, True)

    @property
    def last_layer(self) -> nn.Linear | nn.Conv2d:
        """The layer that makes the logits.

        Raises:
            UsageError: which one does cannot be told.
        """
        path = self.anatomy.classifier
        if path is None:
            raise UsageError(
                f"{self.spec.name}: which layer makes its {self.num_classes} outputs cannot be told, so it can be "
                "given no other head; have its function take num_classes, or end in a dense layer or 1x1 convolution"
            )
        layer = self.module.get_submodule(path)
        assert isinstance(layer, nn.Linear | nn.Conv2d)
        return layer


#: Channels from which on oneDNN has another way, which works.
ENOUGH_CHANNELS = 8


def _is_deadly(layer: nn.Module) -> bool:
    """Whether a layer is a strided 1x1 convolution of few channels."""
    if not isinstance(layer, nn.Conv2d):
        return False
    return layer.kernel_size == (1, 1) and max(layer.stride) > 1 and layer.in_channels < ENOUGH_CHANNELS


def _takes_channels_last(module: nn.Module, zeros: Tensor) -> bool:
    """Whether a step of training works on images whose channels lie together, which is faster.

    Code that calls `view` on a feature map does not take them. Strided 1x1 convolutions of few channels are not even
    tried: on processors oneDNN's backward pass of them ends the process (PyTorch 2.14).
    """
    if any(map(_is_deadly, module.modules())):
        return False
    try:
        twin = copy.deepcopy(module).train().to(memory_format=torch.channels_last)
        with torch.enable_grad(), torch.random.fork_rng(devices=()):
            outputs = tensors_of(twin(zeros.contiguous(memory_format=torch.channels_last)))
            torch.stack([tensor.float().sum() for tensor in outputs.values()]).sum().backward()
    except Exception:  # whatever it was, it shows again where the module itself is run
        return False
    return True
