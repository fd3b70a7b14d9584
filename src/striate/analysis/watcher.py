"""Watching a network run: each aten operation is seen, counted and put down to the module that is running.

`torch.utils._python_dispatch.TorchDispatchMode` shows the operations below every layer, functional call and
attention kernel, so nothing depends on knowing the module's class.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from striate.analysis.counting import multiply_adds
from striate.analysis.fields import UNKNOWN, Field, identity, widened
from striate.analysis.operation import Call
from striate.analysis.propagation import propagated


@dataclass
class Visit:
    """One call of a module, or a run of functional operations between two such calls (`module` is None)."""

    name: str
    module: nn.Module | None
    children: list[Visit] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    multiply_adds: int = 0
    activation_bytes: int = 0
    output_shape: tuple[int, ...] | None = None
    receptive_field: Field | None = None
    parameters_read: set[int] = field(default_factory=set)

    @property
    def is_leaf(self) -> bool:
        """Whether no module was called inside."""
        return all(child.module is None for child in self.children)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """All tensors in nested tuples, lists, mappings and dataclasses, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors_in(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for entry in dataclasses.fields(value):
            yield from tensors_in(getattr(value, entry.name, None))


def _like_input(x: Tensor, *_: Any, **__: Any) -> Tensor:
    """The shape of an operation on each value."""
    return torch.empty_like(x)


def _sum(x: Tensor, y: Any, **_: Any) -> Any:
    """The shape of a sum of two equal shapes; other sums are PyTorch's."""
    return torch.empty_like(x) if isinstance(y, Tensor) and y.shape == x.shape else _ATEN.add.Tensor(x, y)


def _batch_norm(x: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The shapes of a batch norm in evaluation mode: its output, and no statistics."""
    return torch.empty_like(x), x.new_empty(0), x.new_empty(0)


_ATEN = torch.ops.aten
#: Frequent operations of plain shape, for which PyTorch would first import its compiler, which takes seconds.
_SHORTCUTS: dict[Any, Callable[..., Any]] = {
    _ATEN.native_batch_norm.default: _batch_norm,
    _ATEN._native_batch_norm_legit_no_training.default: _batch_norm,
    _ATEN.relu.default: _like_input,
    _ATEN.hardtanh.default: _like_input,
    _ATEN.add.Tensor: _sum,
    _ATEN.mean.dim: _ATEN.sum.dim_IntList,
    _ATEN.addmm.default: lambda bias, x, weight, **_: x.new_empty(len(x), weight.shape[1]),
}


class Watcher(TorchDispatchMode):
    """While active, notes what every operation costs and sees; `root` holds the tree of visits.

    `inputs` are the tensors the network will be given; their dimensions from the third on are the axes along
    which receptive fields are followed.
    """

    def __init__(self, model: nn.Module, inputs: list[Tensor]) -> None:
        super().__init__()
        self.root = Visit("", None)
        self._running = [self.root]
        self._fields = WeakIdKeyDictionary()
        self._partly_written: dict[int, Any] = {}
        self._parameters = {id(parameter) for parameter in model.parameters()}
        rank = max((tensor.dim() for tensor in inputs), default=0)
        for tensor in inputs:
            is_map = tensor.dim() == rank > 2
            self._fields[tensor] = tuple(identity(dim) if is_map else None for dim in range(2, rank))
        self._extents = next((tuple(tensor.shape[2:]) for tensor in inputs if tensor.dim() == rank), ())

    def field_of(self, tensor: Tensor) -> Field | None:
        """What `tensor` sees of the input; None where it does not depend on it."""
        known = self._fields.get(tensor)
        if self._partly_written and tensor.untyped_storage()._cdata in self._partly_written:
            return (UNKNOWN,) * len(self._extents)
        return known

    def wrapped(self, name: str, module: nn.Module) -> Callable[..., Any]:
        """The module's forward, with its entry and exit noted."""
        forward = module.forward

        def watched(*args: Any, **kwargs: Any) -> Any:
            visit = Visit(name, module)
            self._running[-1].children.append(visit)
            self._running.append(visit)
            try:
                output = forward(*args, **kwargs)
            except Exception as error:
                if not getattr(error, "__notes__", None):  # the innermost module, where it happened
                    error.add_note(_layer_text(name, module, args))
                raise
            finally:
                self._running.pop()
            first = next(tensors_in(output), None)
            if first is not None:
                visit.output_shape, visit.receptive_field = tuple(first.shape), self.field_of(first)
            return output

        return watched

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here; with True PyTorch would import its compiler, which doubles its import time."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if torch.is_inference_mode_enabled():  # composite operations arrive whole there
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        operands = [*tensors_in(args), *tensors_in(kwargs)]
        if any(operand.is_meta for operand in operands):
            args, kwargs = _on_meta(args), _on_meta(kwargs)
        shortcut = _SHORTCUTS.get(func) if operands and all(operand.is_meta for operand in operands) else None
        result = shortcut(*args, **kwargs) if shortcut else func(*args, **kwargs)
        self._note(func, args, kwargs, operands, list(tensors_in(result)))
        return result

    def _note(self, func: Any, args: Any, kwargs: Any, operands: list[Tensor], outputs: list[Tensor]) -> None:
        visit = self._current()
        visit.parameters_read.update(id(operand) for operand in operands if id(operand) in self._parameters)
        if not outputs:
            return
        name = func.overloadpacket.__name__
        counted = multiply_adds(name, args, outputs[0])
        visit.multiply_adds += counted
        tracked = [operand for operand in operands if self.field_of(operand) is not None]
        if not tracked:
            if counted:
                visit.operations.append(name)
            return
        plain = name if name.startswith("__") else name.rstrip("_")
        call = Call(plain, args, kwargs, outputs, self.field_of, tracked)
        try:
            fields = propagated(call, torch.Tag.pointwise in func.tags)
        except Exception:  # an unforeseen form of a known operation must not stop the summary
            fields = [(UNKNOWN,) * len(self._extents)] * len(outputs)
        written = any(outputs[0] is operand for operand in operands)
        for output, output_field in zip(outputs, fields, strict=True):
            self._fields[output] = widened(output_field, self._extents)
        if written:
            self._note_written(outputs[0])
        storages = {operand.untyped_storage()._cdata for operand in operands}
        is_new = outputs[0].untyped_storage()._cdata not in storages
        if is_new or written or counted:
            visit.operations.append(name)
            visit.output_shape, visit.receptive_field = tuple(outputs[0].shape), self.field_of(outputs[0])
        if is_new:
            visit.activation_bytes += outputs[0].numel() * outputs[0].element_size()

    def _note_written(self, target: Tensor) -> None:
        """A write into a part of a tensor changes what the whole sees."""
        storage = target.untyped_storage()
        if target.numel() * target.element_size() < storage.nbytes():
            self._partly_written[storage._cdata] = storage

    def _current(self) -> Visit:
        running = self._running[-1]
        if not running.children or running.children[-1].module is not None:
            running.children.append(Visit(running.name, None))
        return running.children[-1]


def _layer_text(name: str, module: nn.Module, args: tuple[Any, ...]) -> str:
    """Such as "layer conv1, Conv2d(3, 64, kernel_size=(7, 7)), given (1, 4, 224, 224)"."""
    shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors_in(args))
    settings = " ".join(module.extra_repr().split())
    return f"layer {name or 'itself'}, {type(module).__name__}({settings}), given {shapes}"


def _on_meta(value: Any) -> Any:
    """Constants that the network made on the processor, brought to the weightless tensors they meet."""
    if isinstance(value, Tensor):
        return value if value.is_meta or value.dim() == 0 else value.to("meta")
    if isinstance(value, (tuple, list)):
        return type(value)(_on_meta(item) for item in value)
    if isinstance(value, dict):
        return {key: _on_meta(item) for key, item in value.items()}
    return value


def watch(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Visit:
    """Run `model` (a copy: its forward methods are wrapped) and return the visit of its outermost call."""
    watcher = Watcher(model, [*tensors_in(args), *tensors_in(kwargs)])
    for name, module in model.named_modules():
        if not isinstance(module, torch.jit.ScriptModule):
            module.forward = watcher.wrapped(name, module)
    with torch.no_grad(), watcher:
        model(*args, **kwargs)
    visits = [child for child in watcher.root.children if child.module is model]
    return visits[0] if len(visits) == 1 else watcher.root
