"""Quantised weights, which PyTorch packs into objects that are neither parameters nor buffers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn


def is_packed(value: Any) -> bool:
    """Whether a value is such an object: a layer's weight and bias, or those of a recurrent cell."""
    return isinstance(value, torch.ScriptObject) and (hasattr(value, "unpack") or "CellParams" in str(value._type()))


def tensors_of(packed: Any) -> list[Tensor]:
    """What is packed in it, the weight first."""
    if hasattr(packed, "unpack"):
        return [tensor for tensor in packed.unpack() if isinstance(tensor, Tensor)]
    return list(_state(packed.__getstate__()))


def _state(value: Any) -> Iterator[Tensor]:
    """The tensors of a recurrent cell's state; its biases stand there and inside each weight's object."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, torch.ScriptObject):
        yield from tensors_of(value)[:1]
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _state(item)


def weights_in(values: Iterable[Any]) -> list[Tensor]:
    """The packed weights (not the biases) among an operation's arguments."""
    found = []
    for value in values:
        if is_packed(value):
            found += [tensor for tensor in tensors_of(value) if tensor.dim() > 1]
        elif isinstance(value, tuple | list):
            found += weights_in(value)
    return found


def packed_tensors(model: nn.Module) -> dict[int, list[Tensor]]:
    """What each module holds packed, by the module's id; empty for a network that is not quantised. None is trained."""
    held = {}
    for module in model.modules():
        packed = [value for value in vars(module).values() if isinstance(value, torch.ScriptObject)]
        tensors = [tensor.detach() for value in packed if is_packed(value) for tensor in tensors_of(value)]
        if tensors:
            held[id(module)] = tensors
    return held
