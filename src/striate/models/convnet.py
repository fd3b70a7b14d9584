"""ConvNet: every network is a stem, stages and a head, and answers the same questions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from striate.errors import UsageError
from striate.models.card import ModelSpec
from striate.models.network import InputError, Network
from striate.units import plural
from striate.weights import WeightSource


class ConvNet(Network):
    """A convolutional network: `stem` and `stages` make feature maps, `head` makes logits of them.

    What all networks have in common is said of `Network`.

    Attributes:
        stem: the first layers.
        stages: an `nn.Sequential` with named children, in order.
        head: an `nn.Sequential` whose child `classifier` (dense, a convolution, or `Refreshable`) has one output per
            class.
        auxiliary: heads on inner stages by the stage's name, trained beside the head and unused otherwise.
        num_features: width of the vector that `classifier` sees.
        num_classes: outputs of the head.
        in_channels: channels of an input image.
        min_size: smallest image side in pixels.
        fixed_size: (height, width) when dense layers tie the network to one size of image, else None.
        input_size: (height, width) of the images it was made for: what was asked for, else its card's; None for one
            put together by hand.
    """

    def __init__(
        self,
        stem: nn.Module,
        stages: Mapping[str, nn.Module],
        head: Mapping[str, nn.Module],
        *,
        in_channels: int,
        min_size: int = 1,
        fixed_size: tuple[int, int] | None = None,
        auxiliary: Mapping[str, nn.Module] | None = None,
        loss: str = "cross_entropy",
        auxiliary_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.stem = stem
        self.stages = nn.Sequential(OrderedDict(stages))
        self.head = nn.Sequential(OrderedDict(head))
        self.auxiliary = nn.ModuleDict(dict(auxiliary or {}))
        self.in_channels = in_channels
        self.min_size = min_size
        self.fixed_size = fixed_size
        self.loss = loss
        self.auxiliary_weight = auxiliary_weight
        self.input_size: tuple[int, int] | None = fixed_size
        self.spec = ModelSpec("custom")
        self.weights_source: WeightSource | None = None
        self.fresh: tuple[str, ...] = ()

    @property
    def auxiliary_heads(self) -> tuple[str, ...]:
        """Names of the stages with a head of their own."""
        return tuple(self.auxiliary)

    @property
    def num_features(self) -> int:
        """Width of the vector that the classifier sees."""
        return _width(self.head, 1)

    @property
    def num_classes(self) -> int:
        """Number of logits."""
        return _width(self.head, 0)

    def features(self, x: Tensor) -> Tensor:
        """The last feature map: (N, C, H, W) -> (N, C', H', W'); `head(features(x))` are the logits.

        Raises:
            InputError: wrong number of channels or a size the network cannot work on.
        """
        self.check_input(x)
        return self.map_of(self.stages(self.stem(x)))

    def map_of(self, y: Any) -> Tensor:
        """The feature map in what a stage hands to the next: all of it, unless a family hands on more."""
        return y

    def feature_maps(self, x: Tensor) -> dict[str, Tensor]:
        """The output of each stage by its name, in order.

        Raises:
            InputError: as `features`.
        """
        self.check_input(x)
        x = self.stem(x)
        maps = {}
        for name, stage in self.stages.named_children():
            x = stage(x)
            maps[name] = self.map_of(x)
        return maps

    def embed(self, x: Tensor) -> Tensor:
        """The vector that the classifier sees: (N, C, H, W) -> (N, num_features).

        Where the classifier is a convolution its input is averaged over the image.
        """
        x = self.features(x)
        for name, layer in self.head.named_children():
            if name == "classifier":
                break
            x = layer(x)
        return x.mean((2, 3)) if x.dim() == 4 else x

    def forward(self, x: Tensor, auxiliary: bool = False) -> Any:
        """Logits (N, num_classes) of a float batch (N, in_channels, H, W).

        With `auxiliary` the pair (logits, {stage: logits of its auxiliary head}).

        Raises:
            InputError: as `features`.
        """
        if not auxiliary:
            return self.head(self.features(x))
        maps = self.feature_maps(x)
        return self.head(list(maps.values())[-1]), {name: head(maps[name]) for name, head in self.auxiliary.items()}

    def check_input(self, x: Tensor) -> None:
        """Raise `InputError` when the network cannot work on `x`; no check while torch traces or exports."""
        if not isinstance(x, Tensor) or torch.compiler.is_compiling() or torch.jit.is_tracing():
            return
        shape = tuple(x.shape)
        if len(shape) != 4 or not x.is_floating_point():
            raise InputError(
                f"{self.spec.name} takes a floating-point batch (N, {self.in_channels}, H, W) "
                f"and got {x.dtype} of shape {shape}"
            )
        if shape[1] != self.in_channels:
            raise InputError(
                f"{self.spec.name} was built for {plural(self.in_channels, 'input channel')} and "
                f"got {shape[1]} "
                f"(shape {shape}); build it with in_channels={shape[1]}"
            )
        if min(shape[2:]) < self.min_size:
            raise InputError(
                f"{self.spec.name} cannot work on images of {shape[2]}x{shape[3]} pixels; "
                f"the smallest it takes is {self.min_size}x{self.min_size}"
            )
        if self.fixed_size is not None and shape[2:] != self.fixed_size:
            raise InputError(
                f"{self.spec.name} was built for {self.fixed_size[0]}x{self.fixed_size[1]} pixels and got "
                f"{shape[2]}x{shape[3]}; build it with input_size=({shape[2]}, {shape[3]})"
            )

    def fitted(self, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Weights (under our names) made to fit this network's size of image, where a family has a way to."""
        return state

    def to_fully_convolutional(self, form: str = "average") -> ConvNet:
        """A copy whose dense layers are convolutions, for any larger image; see `striate.models.fully_convolutional`.

        Args:
            form: "average" gives logits (N, num_classes), "map" those of each place, (N, num_classes, h, w).
        """
        from striate.models.fully_convolutional import to_fully_convolutional

        return to_fully_convolutional(self, form)

    def reset_head(self, num_classes: int) -> ConvNet:
        """Put a fresh last layer of `num_classes` outputs into the head and the auxiliary heads.

        Only the layer named `classifier` is new; dense layers before it stay.

        Raises:
            UsageError: fewer than one class.
        """
        if num_classes < 1:
            raise UsageError(f"num_classes is {num_classes}; a network needs at least 1")
        for head in (self.head, *self.auxiliary.values()):
            head.classifier = _fresh(head.get_submodule("classifier"), num_classes)
        if self.spec.arguments:
            self.spec = ModelSpec(self.spec.name, {**self.spec.arguments, "num_classes": num_classes})
        return self

    def parts(self) -> dict[str, nn.Module]:
        """The stem and the stages by name, in order: what can be frozen."""
        return {"stem": self.stem, **dict(self.stages.named_children())}


def _width(head: nn.Sequential, axis: int) -> int:
    weight = head.get_submodule("classifier").weight  # (classes, features, ...), trained or fixed
    assert isinstance(weight, Tensor)
    return int(weight.shape[axis])


@runtime_checkable
class Refreshable(Protocol):
    """A last layer of our own: its `weight` is (classes, features), and it makes another of its kind."""

    weight: Tensor

    def fresh(self, num_classes: int) -> nn.Module:
        """A layer like this with other outputs and first weights, on the same device."""


def _fresh(layer: nn.Module, num_classes: int) -> nn.Module:
    """A layer like `layer` with other outputs and PyTorch's first weights, on the same device."""
    if isinstance(layer, Refreshable):
        return layer.fresh(num_classes)
    fresh: nn.Module
    if isinstance(layer, nn.Linear):
        fresh = nn.Linear(layer.in_features, num_classes, layer.bias is not None, layer.weight.device)
        return fresh.to(layer.weight.dtype)
    if isinstance(layer, nn.Conv2d):
        fresh = nn.Conv2d(
            layer.in_channels,
            num_classes,
            layer.kernel_size,  # type: ignore[arg-type]
            layer.stride,  # type: ignore[arg-type]
            layer.padding,  # type: ignore[arg-type]
            bias=layer.bias is not None,
            device=layer.weight.device,
        )
        return fresh.to(layer.weight.dtype)
    raise TypeError(f"cannot make a fresh {type(layer).__name__} classifier")
