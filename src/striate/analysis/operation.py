"""One aten operation at work, and the rules that all kinds of operation share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from striate.analysis.fields import Field, State, changed, merged, moved
from striate.analysis.ramps import UNKNOWN, Everywhere, Ramp


@dataclass(frozen=True)
class Call:
    """One aten operation at work; `field_of` gives a tensor's field, None where the input does not matter."""

    name: str
    args: Sequence[Any]
    kwargs: dict[str, Any]
    outputs: Sequence[torch.Tensor]
    field_of: Callable[[torch.Tensor], Field | None]
    tracked: Sequence[torch.Tensor]

    def argument(self, position: int, keyword: str, default: Any = None) -> Any:
        """A positional argument that may be left out or named."""
        if position < len(self.args):
            return self.args[position]
        return self.kwargs.get(keyword, default)

    @property
    def source(self) -> torch.Tensor:
        """The first operand that depends on the input."""
        return self.tracked[0]

    @property
    def field(self) -> Field:
        """The field of `source`."""
        return self.field_of(self.source) or ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the first output."""
        return tuple(self.outputs[0].shape)

    def each(self, change: Callable[[State], State]) -> list[Field]:
        """The field of `source` with every known state changed, for all outputs."""
        return [tuple(changed(state, change, self.shape) for state in self.field)] * len(self.outputs)


Rule = Callable[[Call], list[Field]]


def several(value: Any, count: int) -> tuple[int, ...]:
    """One number for each of `count` dimensions, whether one or all were given."""
    values = tuple(value) if isinstance(value, Sequence) else (value,)
    return values * count if len(values) == 1 else values


def positive(dim: int, rank: int) -> int:
    """A dimension counted from the front."""
    return dim + rank if dim < 0 else dim


def dimensions(value: Any, rank: int) -> tuple[int, ...]:
    """One dimension or several, counted from the front; all of them where none is named."""
    if value is None or (isinstance(value, Sequence) and not value):
        return tuple(range(rank))
    return tuple(positive(dim, rank) for dim in (value if isinstance(value, Sequence) else (value,)))


def combined(operands: Sequence[tuple[Sequence[int], Field]], shape: tuple[int, ...]) -> Field:
    """Merge operands broadcast to `shape`, axis by axis."""
    result: list[State] = []
    for axis in range(len(operands[0][1])):
        state: State = None
        for operand_shape, field in operands:
            state = merged(state, _broadcast(field[axis], tuple(operand_shape), shape), shape)
        result.append(state)
    return tuple(result)


def _broadcast(state: State, source: tuple[int, ...], target: tuple[int, ...]) -> State:
    extra = len(target) - len(source)

    def change(part: State) -> State:
        if isinstance(part, Ramp) and source[part.dim] == 1 != target[part.dim + extra]:
            return Everywhere(part.low(0), part.high(0))
        return moved(part, lambda dim: dim + extra)

    return changed(state, change, target)


def elementwise(call: Call) -> list[Field]:
    """Arithmetic and activations: unit by unit, operands broadcast together."""
    operands = [(tensor.shape, call.field_of(tensor) or ()) for tensor in call.tracked]
    return [combined(operands, call.shape)] * len(call.outputs)


def independent(call: Call) -> list[Field]:
    """New tensors of a given shape or filled with a number: they depend on nothing."""
    return [(None,) * len(call.field)] * len(call.outputs)


def unknown(call: Call) -> list[Field]:
    """Any other operation."""
    return [(UNKNOWN,) * len(call.field)] * len(call.outputs)
