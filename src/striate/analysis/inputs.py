"""What a network is run on: shapes made into tensors, with a batch before a single input, or tensors as they are given.

How many sizes one input has is told by the network's first layer that is bound to a number of axes, in the order in
which layers are registered: two for one-dimensional layers (channels, length) and recurrent ones (steps, features),
three for images, four for volumes, one for the tokens of an embedding. A shape of just as many sizes is one input, and
a batch of one is put before it; a shape of one more has its batch. Where no layer tells, or the shape has another
number of sizes, one size (a vector) and three (an image) are one input and any others a batch. Of several inputs the
first decides for all.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from striate.analysis.visits import class_of, tensors_in, with_tensors
from striate.errors import UsageError


@dataclass(frozen=True)
class Inputs:
    """The arguments of one call.

    Attributes:
        args, kwargs: what the network is called with.
        first_axis: the first dimension of the largest tensors along which receptive fields are followed.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    first_axis: int = 2

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors in them, in order."""
        return [*tensors_in(self.args), *tensors_in(self.kwargs)]

    @property
    def rank(self) -> int:
        """Number of dimensions of the largest."""
        return max((tensor.dim() for tensor in self.tensors), default=0)

    @property
    def extents(self) -> tuple[int, ...]:
        """Sizes of the axes along which receptive fields are followed."""
        return next((tuple(x.shape[self.first_axis :]) for x in self.tensors if x.dim() == self.rank), ())

    def each(self, change: Callable[[Tensor], Tensor]) -> Inputs:
        """The same arguments with every tensor changed."""
        args, kwargs = with_tensors((self.args, self.kwargs), change)
        return Inputs(args, kwargs, self.first_axis)


@dataclass(frozen=True)
class Shape:
    """Sizes of one input and the type of its values; None is the network's own."""

    sizes: tuple[int, ...]
    dtype: torch.dtype | None = None


@dataclass(frozen=True)
class FirstLayer:
    """The first layer that tells how many sizes one input has (`rank`); `tokens`: they are whole numbers."""

    name: str
    type: str
    rank: int
    tokens: bool = False


_AXES = re.compile("([123])d$")
_SEQUENCES = ("RNN", "LSTM", "GRU", "TransformerEncoder", "TransformerEncoderLayer", "MultiheadAttention")
_TOKENS = ("Embedding", "EmbeddingBag")


def first_layer(model: nn.Module, with_tokens: bool = True) -> FirstLayer | None:
    """The first registered layer that tells what one input is; None where none does."""
    for name, module in model.named_modules():
        for kind in _kinds(module):
            axes = _AXES.search(kind)
            if axes and kind not in ("BatchNorm1d", "LazyBatchNorm1d"):  # which takes vectors too
                return FirstLayer(name, class_of(module), 1 + int(axes[1]))
            if kind == "Unfold":
                return FirstLayer(name, kind, 3)
            if kind in _SEQUENCES:
                return FirstLayer(name, kind, 2)
            if kind in _TOKENS and with_tokens:
                return FirstLayer(name, kind, 1, tokens=True)
    return None


def _kinds(module: nn.Module) -> Iterator[str]:
    """Names of the classes that a module is one of, such as LocallyConnected1d; a scripted one says what it was."""
    yield class_of(module)
    for kind in type(module).__mro__:
        yield kind.__name__


def own_shape(model: nn.Module) -> tuple[int, ...] | None:
    """What a network says of its input: `input_shape`, its input size with its channels, or timm's `default_cfg`."""
    shape = getattr(model, "input_shape", None)
    if shape is None:
        card = getattr(model, "card", None)
        channels = getattr(model, "in_channels", getattr(card, "in_channels", None))
        size = getattr(model, "input_size", getattr(card, "input_size", None))
        if channels is not None and size is not None:
            shape = (channels, size, size) if isinstance(size, int) else (channels, *size)
    if shape is None:
        settings = getattr(model, "default_cfg", None)
        shape = settings.get("input_size") if isinstance(settings, Mapping) else None
    return None if shape is None else tuple(shape)


def from_shapes(model: nn.Module, shapes: Shape | Sequence[Shape] | Mapping[str, Shape]) -> Inputs:
    """Weightless tensors of these shapes: one or several arguments, or named ones.

    Raises:
        UsageError: a shape is not made of positive whole numbers.
    """
    if isinstance(shapes, Shape):
        shapes = [shapes]
    several = list(shapes.values()) if isinstance(shapes, Mapping) else list(shapes)
    for shape in several:
        if not shape.sizes or not all(type(size) is int and size > 0 for size in shape.sizes):
            raise UsageError(f"input shape {shape.sizes} must be positive whole numbers, such as (3, 224, 224)")
    first = several[0].sizes if several else ()
    layer = first_layer(model, with_tokens=len(first) <= 2)
    if layer is not None and len(first) not in (layer.rank, layer.rank + 1):
        layer = None
    single = len(first) in (1, 3) if layer is None else len(first) == layer.rank
    is_tokens = layer is not None and layer.tokens
    usual = torch.long if is_tokens else _dtype(model)
    tensors = [
        torch.empty((1, *shape.sizes) if single else shape.sizes, dtype=shape.dtype or usual, device="meta")
        for shape in several
    ]
    if isinstance(shapes, Mapping):
        return Inputs((), dict(zip(shapes, tensors, strict=True)), 1 if is_tokens else 2)
    return Inputs(tuple(tensors), {}, 1 if is_tokens else 2)


def _dtype(model: nn.Module) -> torch.dtype:
    kinds = (parameter.dtype for parameter in model.parameters() if parameter.is_floating_point())
    return next(kinds, torch.get_default_dtype())


def from_values(model: nn.Module, values: Any) -> Inputs:
    """Arguments as they are given: a tensor, several, or a mapping.

    A mapping whose names are all parameters of the network's `forward` gives those; another is itself the one argument.
    """
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    if isinstance(values, Mapping) and _are_parameters(model, values):
        kwargs = dict(values)
    elif isinstance(values, Sequence):
        args = tuple(values)
    else:
        args = (values,)
    inputs = Inputs(args, kwargs)
    layer = first_layer(model, with_tokens=not any(tensor.is_floating_point() for tensor in inputs.tensors))
    has_no_batch = layer is not None and not layer.tokens and inputs.rank == layer.rank
    is_tokens = layer is not None and layer.tokens and inputs.rank == 2
    return Inputs(args, kwargs, 1 if has_no_batch or is_tokens else 2)


def _are_parameters(model: nn.Module, names: Mapping[Any, Any]) -> bool:
    try:
        parameters = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):
        return False
    named = {parameter.name for parameter in parameters if parameter.kind in (1, 3)}  # by position or name, by name
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    return all(isinstance(name, str) and (takes_any or name in named) for name in names)


def as_shapes(given: Any) -> Shape | list[Shape] | dict[str, Shape]:
    """A shape, several, or named ones, as plain numbers made into `Shape`s."""
    if isinstance(given, Mapping):
        return {str(name): Shape(tuple(sizes)) for name, sizes in given.items()}
    sizes = tuple(given)
    if sizes and all(isinstance(size, Sequence) for size in sizes):
        return [Shape(tuple(inner)) for inner in sizes]
    return Shape(sizes)
