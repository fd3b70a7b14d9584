"""From the visits of a watched run to the rows of a summary: parameters claimed once, costs summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from striate.analysis.fields import Field
from striate.analysis.packed import packed_tensors
from striate.analysis.ramps import Everywhere, Ramp
from striate.analysis.visits import Visit, class_of


@dataclass(frozen=True)
class Row:
    """One line of a summary: a call of a module, or functional operations between calls.

    Attributes:
        name: dotted path of the module; functional operations add their names in brackets.
        type: class of the module, or "function".
        depth: 0 for the network itself.
        output_shape: of the (first) output, batch included; None where the module did not run.
        parameters: values in weights and biases (quantised ones too), counted at the first use.
        trainable: those of them that require a gradient.
        multiply_adds: in convolutions and matrix products, over the whole input given.
        activation_bytes: memory of new outputs; views and in-place operations take none, layers of
            `watcher.ONE_OUTPUT` no work space.
        kept_bytes: memory of what autograd keeps here for the backward pass, each storage at its first keeper;
            None where the network could not run in training mode.
        receptive_field: extent in input pixels per axis, not clipped at the image (the image's own where each
            unit sees all of it); None where it is unknown or differs from unit to unit.
        stride: input pixels from one unit to the next, per axis; None where units do not differ.
        offset: position of the first unit's centre per axis (0: centre of the first pixel); None likewise.
        sees_all: each unit sees the whole image.
        reused: the module had run before, so its parameters are on an earlier row.
        not_counted: operations that no rule counts, or the part of one, and how often each ran.
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
    kept_bytes: int | None = None
    receptive_field: tuple[int, ...] | None = None
    stride: tuple[float, ...] | None = None
    offset: tuple[float, ...] | None = None
    sees_all: bool = False
    reused: bool = False
    not_counted: Mapping[str, int] = field(default_factory=dict)
    children: tuple[Row, ...] = ()

    @property
    def flops(self) -> int:
        """Floating-point operations in convolutions and matrix products: a multiplication and an addition each."""
        return 2 * self.multiply_adds

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
    covered = 0
    for state, extent in zip(field, extents, strict=True):
        if isinstance(state, Ramp):
            sizes.append(state.size)
        elif isinstance(state, Everywhere):
            covers = state.low <= 0 and state.high >= extent - 1
            covered += covers
            sizes.append(extent if covers else state.high - state.low + 1)
        else:
            return _Seen()
    ramps = [state for state in field if isinstance(state, Ramp)]
    if len(ramps) == len(field):
        strides = tuple(whole_number(float(ramp.stride)) for ramp in ramps)
        return _Seen(tuple(sizes), strides, tuple(whole_number(ramp.offset) for ramp in ramps))
    return _Seen(tuple(sizes), sees_all=covered == len(field))


class _Training:
    """What the visits of a run in training mode kept, to be given to the rows of the same calls.

    `visits` are those inside one call; a module is found by its name and how often it was called before, a run of
    functional operations by the call before it.
    """

    def __init__(self, visits: Iterable[Visit] | None) -> None:
        self.known = visits is not None
        self._left = dict(_keyed(visits or ()))

    def take(self, key: _Key) -> Visit | None:
        """The visit of that call, once."""
        return self._left.pop(key, None)

    def take_inside(self, module: nn.Module) -> int | None:
        """Bytes kept in calls of `module` and its parts."""
        if not self.known:
            return None
        inside = {id(part) for part in module.modules()}
        keys = [key for key, visit in self._left.items() if id(visit.module) in inside]
        return sum(kept(self._left.pop(key)) for key in keys)

    def rest(self) -> int:
        """Bytes kept in calls that nobody has taken."""
        return sum(map(kept, self._left.values()))


_Key = tuple[str, int, bool]


def _keyed(visits: Iterable[Visit]) -> Iterator[tuple[_Key, Visit]]:
    """Each visit with (module's name, how often it was called before, whether it is the functional run after it)."""
    calls: dict[str, int] = {}
    before = ("", 0)
    for visit in visits:
        if visit.module is not None:
            before = (visit.name, calls.get(visit.name, 0))
            calls[visit.name] = before[1] + 1
        yield (*before, visit.module is None), visit


def kept(visit: Visit) -> int:
    """Bytes kept in all of a visit."""
    return sum(part.kept_bytes for part in visit.every())


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """How often each came up in all."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(total)


class RowBuilder:
    """Turns visits into rows, giving each parameter to the first row that uses it."""

    def __init__(self, model: nn.Module, extents: tuple[int, ...], root: Visit) -> None:
        self.model = model
        self.extents = extents
        self.claimed: set[int] = set()
        self.visited: set[int] = set()
        self.owner: dict[int, nn.Module] = {}
        self.packed = packed_tensors(model)
        for visit in root.every():
            if visit.module is not None:
                self.visited.add(id(visit.module))
                inside = self._weights_of(visit.module) if visit.is_leaf else visit.module._parameters.values()
                for parameter in inside:
                    self.owner.setdefault(id(parameter), visit.module)
        self.parameters = {id(parameter): parameter for parameter in self._weights_of(model)}
        self.seen_modules: set[int] = set()

    def row(self, visit: Visit, twin: Visit | None, depth: int = 0, name: str = "") -> Row:
        """The row of a visit with the rows inside it; `twin` is the same call when the network trained."""
        module = visit.module if visit.module is not None else self.model
        reused = id(module) in self.seen_modules
        self.seen_modules.add(id(module))
        seen = _seen(visit.receptive_field, self.extents)
        name = name or visit.name or class_of(module)
        if visit.is_leaf:
            parameters, trainable = self._claim(map(id, self._weights_of(module)))
            return Row(
                name,
                class_of(module),
                depth,
                visit.output_shape,
                parameters,
                trainable,
                sum(child.multiply_adds for child in visit.children),
                sum(child.activation_bytes for child in visit.children),
                None if twin is None else kept(twin),
                **vars(seen),
                not_counted=_added(child.not_counted for child in visit.children),
                reused=reused and bool(self._weights_of(module)),
            )
        training = _Training(None if twin is None else twin.children)
        children = list(self._inside(visit, module, training, depth + 1))
        return Row(
            name,
            class_of(module),
            depth,
            visit.output_shape,
            sum(child.parameters for child in children),
            sum(child.trainable for child in children),
            sum(child.multiply_adds for child in children),
            sum(child.activation_bytes for child in children),
            None if twin is None else sum(child.kept_bytes or 0 for child in children),
            **vars(seen),
            not_counted=_added(child.not_counted for child in children),
            children=tuple(children),
        )

    def _inside(self, visit: Visit, module: nn.Module, training: _Training, depth: int) -> Iterator[Row]:
        for key, child in _keyed(visit.children):
            twin = training.take(key)
            if child.module is None:
                yield from self._function(child, twin, training.known, module, depth)
                continue
            if twin is None and training.known:  # training went without it
                twin = Visit(child.name, child.module)
            yield self.row(child, twin, depth)
        yield from self._left_over(visit.name, module, training, depth)
        if training.rest():
            name = f"{visit.name}.(training)" if visit.name else "(training)"
            yield Row(name, "function", depth, None, 0, 0, 0, 0, training.rest())

    def _function(
        self, visit: Visit, twin: Visit | None, known: bool, container: nn.Module, depth: int
    ) -> Iterator[Row]:
        read = [key for key in visit.parameters_read if self.owner.get(key, container) is container]
        parameters, trainable = self._claim(read)
        kept_bytes = (kept(twin) if twin is not None else 0) if known else None
        if not visit.operations and not parameters and not kept_bytes and not visit.not_counted:
            return
        operations = list(dict.fromkeys(name.strip("_") for name in visit.operations))
        label = ", ".join(operations[:3]) + (", …" if len(operations) > 3 else "")
        label = label or "training"
        yield Row(
            f"{visit.name}.({label})" if visit.name else f"({label})",
            "function",
            depth,
            visit.output_shape,
            parameters,
            trainable,
            visit.multiply_adds,
            visit.activation_bytes,
            kept_bytes,
            **vars(_seen(visit.receptive_field, self.extents)),
            not_counted=dict(visit.not_counted),
        )

    def _left_over(self, path: str, module: nn.Module, training: _Training, depth: int) -> Iterator[Row]:
        """Parameters that no operation has read: the container's own and those of parts that did not run."""
        parameters, trainable = self._claim(map(id, self._own_weights(module)))
        prefix = f"{path}." if path else ""
        if parameters:
            nothing = 0 if training.known else None
            yield Row(f"{prefix}(parameters)", "Parameter", depth, None, parameters, trainable, 0, 0, nothing)
        for name, child in module.named_children():
            if id(child) in self.visited:
                continue
            if any(id(inner) in self.visited for inner in child.modules()):
                yield from self._left_over(prefix + name, child, training, depth)
                continue
            parameters, trainable = self._claim(map(id, self._weights_of(child)))
            if parameters:
                kept_bytes = training.take_inside(child)
                yield Row(prefix + name, class_of(child), depth, None, parameters, trainable, 0, 0, kept_bytes)

    def _own_weights(self, module: nn.Module) -> list[Tensor]:
        """What the module itself holds, its parts left out."""
        own = [parameter for parameter in module._parameters.values() if parameter is not None]
        return [*own, *self.packed.get(id(module), ())]

    def _weights_of(self, module: nn.Module) -> list[Tensor]:
        """All parameters of a module and its parts, packed ones too; at once where it has no parts."""
        if not module._modules:
            return self._own_weights(module)
        packed = (
            [tensor for part in module.modules() for tensor in self.packed.get(id(part), ())] if self.packed else []
        )
        return [*module.parameters(), *packed]

    def _claim(self, keys: Iterable[int]) -> tuple[int, int]:
        """Values in all, and in those that require a gradient, of the parameters not yet counted."""
        new = {key for key in keys if key in self.parameters and key not in self.claimed}
        self.claimed |= new
        tensors = [self.parameters[key] for key in new]
        return sum(t.numel() for t in tensors), sum(t.numel() for t in tensors if t.requires_grad)
