"""ConvNet: every network is a stem, stages and a head, and answers the same questions.

What looks inside a network (heat maps, explanations, feature pyramids, transfer) asks one of them, `forward_maps`.
Whatever gives another module this face (an adapter of a torchvision or timm network, say) owes what a ConvNet gives:

1. `forward_maps(x)` is the pair (logits, {stage: map}) of one forward pass: every layer runs once, training batch
   norms count the images once, and it draws the random numbers that `forward(x)` would.
2. The logits are those of `forward(x)` bit for bit, in the same mode and from the same state of the generator.
3. The names are exactly those of the stages, in the order in which they run: `parts()` without the stem.
4. A map is (N, C, H, W), of a signal (N, C, L): what the stage hands on, neither copied nor detached, nor overwritten
   by a later layer. Of a stage that hands on more (tokens, pairs of maps) it is the part that has places, as a view.
5. A map lies on the way to the logits: `torch.autograd.grad(logits[:, 0].sum(), list(maps.values()))` answers for
   every map that requires a gradient, with what else its stage hands on held fast. Which do is autograd's own rule:
   grad is on, and a parameter before the map trains or `x` requires a gradient (`x.requires_grad_()` will do where
   all is frozen). Without a gradient nothing is done for this; with one, tokens are joined anew behind their map.
6. All of it holds wherever `forward` works: training and evaluation, `no_grad` and `inference_mode`, weightless
   tensors, fully convolutional forms, `torch.compile`, export and tracing (`strict=False`, as it returns a dictionary).
   A compiled pass hands out its maps beside the logits, so there, as torch has it, point 5 has nothing to ask.
7. `feature_maps(x)` are the same maps without a head. `features(x)` is what the head reads, `embed(x)` the vector
   that the classifier sees. All raise `InputError` for images that the network cannot work on.

Stem, stages and head are how a ConvNet keeps this; a family that hands on more than maps overrides `map_of` and its
two neighbours, never a pass. A foreign network may keep it by hooks on its parts, some of which it may leave out: what
a hook returns takes the place of what the part has handed on, and so can be joined anew behind its map.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from striate.errors import UsageError
from striate.models.card import ModelSpec
from striate.models.fully_convolutional import to_fully_convolutional
from striate.models.hidden_layers import hidden_widths, with_hidden
from striate.models.last_layer import fresh_like, width
from striate.models.network import InputError, Network
from striate.units import plural
from striate.weights import WeightSource


class ConvNet(Network):
    """A convolutional network: `stem` and `stages` make feature maps, `head` makes logits of them.

    What all networks have in common is said of `Network`.

    Attributes:
        stem: the first layers.
        stages: an `nn.Sequential` with named children, in order.
        head: an `nn.Sequential` whose child `classifier` (dense, a convolution, or `last_layer.Refreshable`) has one
            output per class.
        auxiliary: heads on inner stages by the stage's name, trained beside the head and unused otherwise.
        num_features: width of the vector that `classifier` sees.
        num_classes: outputs of the head.
        in_channels: channels of an input image.
        min_size: smallest image side in pixels.
        fixed_size: (height, width) when dense layers tie the network to one size of image, else None.
        input_size: (height, width) of the images it was made for: what was asked for, else its card's; None for one
            put together by hand.
        is_cut: whether it ends before its family's last stage or head (`striate.models.cutting`).
    """

    is_cut = False

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
    def last_layer(self) -> nn.Module:
        """The layer that makes the logits."""
        return self.head.get_submodule("classifier")

    @property
    def num_features(self) -> int:
        """Width of the vector that the classifier sees."""
        return width(self.last_layer, 1)

    @property
    def num_classes(self) -> int:
        """Number of logits."""
        return width(self.last_layer, 0)

    def map_of(self, y: Any) -> Tensor:
        """The feature map in what a stage hands to the next: all of it, unless a family hands on more."""
        return y

    def features_of(self, y: Any) -> Tensor:
        """What the head reads in what the last stage hands on: the map, unless a family's head reads more."""
        return self.map_of(y)

    def _read(self, y: Any) -> Tensor:
        """The same, wherever the network ends."""
        return self.map_of(y) if self.is_cut else self.features_of(y)

    def through_map(self, y: Any) -> tuple[Tensor, Any]:
        """The map in `y`, and `y` for the next stage, which must depend on that very tensor.

        A family whose map is made of what its stages hand on puts this together from the map again.
        """
        return self.map_of(y), y

    def _walk(self, x: Tensor, maps: dict[str, Tensor] | None = None) -> Any:
        """Run stem and stages, note each stage's map where asked, and return what the last one hands on."""
        self.check_input(x)
        y = self.stem(x)
        if maps is None:
            return self.stages(y)
        for name, stage in zip(self.stages._modules, self.stages, strict=True):
            maps[name], y = self.through_map(stage(y))
        return y

    def features(self, x: Tensor) -> Tensor:
        """What the head reads, the last feature map: (N, C, H, W) -> (N, C', H', W'); `head` makes logits of it.

        Raises:
            InputError: wrong number of channels or a size the network cannot work on.
        """
        return self._read(self._walk(x))

    def feature_maps(self, x: Tensor) -> dict[str, Tensor]:
        """The output of each stage by its name, in order; those of `forward_maps`.

        Raises:
            InputError: as `features`.
        """
        maps: dict[str, Tensor] = {}
        self._walk(x, maps)
        return maps

    def forward_maps(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits and the output of each stage by its name in one pass; this module's docstring is the contract.

        Raises:
            InputError: as `features`.
        """
        maps: dict[str, Tensor] = {}
        return self.head(self._read(self._walk(x, maps))), maps

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
        logits, maps = self.forward_maps(x)
        return logits, {name: head(maps[name]) for name, head in self.auxiliary.items()}

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
        return to_fully_convolutional(self, form)

    def reset_head(
        self, num_classes: int, hidden: int | Sequence[int] | None = None, hidden_dropout: float | None = None
    ) -> ConvNet:
        """Put a fresh last layer of `num_classes` outputs into the head and the auxiliary heads.

        Args:
            num_classes: outputs.
            hidden: widths of new hidden layers, each with the network's activation and a dropout, in place of all
                dense layers of the head; none (`()`) for a classifier alone. By default only the layer named
                `classifier` is new; dense layers before it stay.
            hidden_dropout: share of each new hidden layer's outputs that is dropped in training; by default that of
                the hidden layers which are replaced, 0.5 where there are none.

        Raises:
            UsageError: fewer than one class, impossible widths, or a head that ends in no dense layer.
        """
        if num_classes < 1:
            raise UsageError(f"num_classes is {num_classes}; a network needs at least 1")
        changed: dict[str, Any] = {"num_classes": num_classes}
        heads = [self.head, *self.auxiliary.values()]
        if hidden is not None:
            widths, activation = hidden_widths(hidden), str(self.spec.arguments.get("activation", "relu"))
            self.head, dropped = with_hidden(
                self.head, widths, num_classes, activation=activation, dropout=hidden_dropout, whose=self.spec.name
            )
            changed |= {"hidden": widths, "hidden_dropout": dropped}
            heads = heads[1:]
        elif hidden_dropout is not None:
            raise UsageError("hidden_dropout is for new hidden layers; give hidden, their widths, with it")
        for head in heads:
            head.classifier = fresh_like(head.get_submodule("classifier"), num_classes)
        if self.spec.arguments:
            self.spec = ModelSpec(self.spec.name, {**self.spec.arguments, **changed})
        return self

    def parts(self) -> dict[str, nn.Module]:
        """The stem and the stages by name, in order: what can be frozen."""
        return {"stem": self.stem, **dict(self.stages.named_children())}
