"""From the visits of a watched run to the rows of a summary: parameters claimed once, costs summed up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import nn

from striate.analysis.fields import Everywhere, Field, Ramp
from striate.analysis.watcher import Visit


@dataclass(frozen=True)
class Row:
    """One line of a summary: a call of a module, or functional operations between calls.

    Attributes:
        name: dotted path of the module; functional operations add their names in brackets.
        type: class of the module, or "function".
        depth: 0 for the network itself.
        output_shape: of the (first) output, batch included; None where the module did not run.
        parameters: values in weights and biases, counted at the first use.
        trainable: those of them that require a gradient.
        multiply_adds: in convolutions and matrix products, over the whole input given.
        activation_bytes: memory of new outputs; views and in-place operations take none.
        receptive_field: extent in input pixels per axis, not clipped at the image (the image's own where each
            unit sees all of it); None where it is unknown or differs from unit to unit.
        stride: input pixels from one unit to the next, per axis; None where units do not differ.
        offset: position of the first unit's centre per axis (0: centre of the first pixel); None likewise.
        sees_all: each unit sees the whole image.
        reused: the module had run before, so its parameters are on an earlier row.
        children: the rows inside; empty for a leaf.
    """

    name: str
    type: str
    depth: int
    output_shape: tuple[int, ...] | None
    parameters: int
    trainable: int
    multiply_adds: int
    activation_bytes: int
    receptive_field: tuple[int, ...] | None = None
    stride: tuple[float, ...] | None = None
    offset: tuple[float, ...] | None = None
    sees_all: bool = False
    reused: bool = False
    children: tuple[Row, ...] = ()

    def leaves(self, depth: int | None = None) -> Iterator[Row]:
        """The rows without children, or the rows at which the tree is cut when `depth` is given."""
        if not self.children or (depth is not None and self.depth >= depth):
            yield self
        else:
            for child in self.children:
                yield from child.leaves(depth)


def whole_number(value: float) -> float:
    """An int where the value is one."""
    return int(value) if value == int(value) else float(value)


@dataclass(frozen=True)
class _Seen:
    receptive_field: tuple[int, ...] | None = None
    stride: tuple[float, ...] | None = None
    offset: tuple[float, ...] | None = None
    sees_all: bool = False


def _seen(field: Field | None, extents: tuple[int, ...]) -> _Seen:
    """What a row says of a field; `extents` are the sizes of the input's axes."""
    if not field:
        return _Seen()
    sizes: list[int] = []
    for state, extent in zip(field, extents, strict=True):
        if isinstance(state, Ramp):
            sizes.append(state.size)
        elif isinstance(state, Everywhere):
            covers = state.low <= 0 and state.high >= extent - 1
            sizes.append(extent if covers else state.high - state.low + 1)
        else:
            return _Seen()
    ramps = [state for state in field if isinstance(state, Ramp)]
    if len(ramps) == len(field):
        strides = tuple(whole_number(float(ramp.stride)) for ramp in ramps)
        return _Seen(tuple(sizes), strides, tuple(whole_number(ramp.offset) for ramp in ramps))
    return _Seen(tuple(sizes), sees_all=not ramps and tuple(sizes) == extents)


class RowBuilder:
    """Turns visits into rows, giving each parameter to the first row that uses it."""

    def __init__(self, model: nn.Module, extents: tuple[int, ...], root: Visit) -> None:
        self.model = model
        self.extents = extents
        self.claimed: set[int] = set()
        self.visited: set[int] = set()
        self.owner: dict[int, nn.Module] = {}
        for visit in _every(root):
            if visit.module is not None:
                self.visited.add(id(visit.module))
                for parameter in visit.module.parameters(recurse=visit.is_leaf):
                    self.owner.setdefault(id(parameter), visit.module)
        self.parameters = {id(parameter): parameter for parameter in model.parameters()}
        self.seen_modules: set[int] = set()

    def row(self, visit: Visit, depth: int = 0) -> Row:
        """The row of a visit with the rows inside it."""
        module = visit.module if visit.module is not None else self.model
        reused = id(module) in self.seen_modules
        self.seen_modules.add(id(module))
        seen = _seen(visit.receptive_field, self.extents)
        name = visit.name or type(module).__name__
        if visit.is_leaf:
            parameters, trainable = self._claim(map(id, module.parameters()))
            return Row(
                name,
                type(module).__name__,
                depth,
                visit.output_shape,
                parameters,
                trainable,
                sum(child.multiply_adds for child in visit.children),
                sum(child.activation_bytes for child in visit.children),
                **vars(seen),
                reused=reused and any(True for _ in module.parameters()),
            )
        children = []
        for child in visit.children:
            if child.module is not None:
                children.append(self.row(child, depth + 1))
            else:
                children.extend(self._function(child, module, depth + 1))
        children.extend(self._left_over(visit.name, module, depth + 1))
        return Row(
            name,
            type(module).__name__,
            depth,
            visit.output_shape,
            sum(child.parameters for child in children),
            sum(child.trainable for child in children),
            sum(child.multiply_adds for child in children),
            sum(child.activation_bytes for child in children),
            **vars(seen),
            children=tuple(children),
        )

    def _function(self, visit: Visit, container: nn.Module, depth: int) -> Iterator[Row]:
        read = [key for key in visit.parameters_read if self.owner.get(key, container) is container]
        parameters, trainable = self._claim(read)
        if not visit.operations and not parameters:
            return
        operations = list(dict.fromkeys(name.strip("_") for name in visit.operations))
        label = ", ".join(operations[:3]) + (", …" if len(operations) > 3 else "")
        yield Row(
            f"{visit.name}.({label})" if visit.name else f"({label})",
            "function",
            depth,
            visit.output_shape,
            parameters,
            trainable,
            visit.multiply_adds,
            visit.activation_bytes,
            **vars(_seen(visit.receptive_field, self.extents)),
        )

    def _left_over(self, path: str, module: nn.Module, depth: int) -> Iterator[Row]:
        """Parameters that no operation has read: the container's own and those of parts that did not run."""
        parameters, trainable = self._claim(map(id, module._parameters.values()))
        prefix = f"{path}." if path else ""
        if parameters:
            yield Row(f"{prefix}(parameters)", "Parameter", depth, None, parameters, trainable, 0, 0)
        for name, child in module.named_children():
            if id(child) in self.visited:
                continue
            if any(id(inner) in self.visited for inner in child.modules()):
                yield from self._left_over(prefix + name, child, depth)
                continue
            parameters, trainable = self._claim(map(id, child.parameters()))
            if parameters:
                yield Row(prefix + name, type(child).__name__, depth, None, parameters, trainable, 0, 0)

    def _claim(self, keys: Iterable[int]) -> tuple[int, int]:
        """Values in all, and in those that require a gradient, of the parameters not yet counted."""
        new = set(keys) & self.parameters.keys() - self.claimed
        self.claimed |= new
        tensors = [self.parameters[key] for key in new]
        return sum(t.numel() for t in tensors), sum(t.numel() for t in tensors if t.requires_grad)


def _every(visit: Visit) -> Iterator[Visit]:
    yield visit
    for child in visit.children:
        yield from _every(child)
