"""The tree of calls that a running network makes: one visit per call of a module, costs put down to it."""

from __future__ import annotations

import copy
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from striate.analysis.fields import Field


@dataclass
class Visit:
    """One call of a module, or a run of functional operations between two such calls (`module` is None)."""

    name: str
    module: nn.Module | None
    children: list[Visit] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    multiply_adds: int = 0
    not_counted: Counter[str] = field(default_factory=Counter)
    activation_bytes: int = 0
    kept_bytes: int = 0
    output_shape: tuple[int, ...] | None = None
    receptive_field: Field | None = None
    parameters_read: set[int] = field(default_factory=set)

    @property
    def is_leaf(self) -> bool:
        """Whether no module was called inside."""
        return all(child.module is None for child in self.children)

    def every(self) -> Iterator[Visit]:
        """This visit and all inside it."""
        yield self
        for child in self.children:
            yield from child.every()


def tensors_in(value: Any) -> list[Tensor]:
    """All tensors in nested tuples, lists, mappings and dataclasses, in order."""
    found: list[Tensor] = []
    _collect(value, found)
    return found


#: What holds no tensors and comes by often.
_PLAIN = (type(None), bool, int, float, str, torch.dtype, torch.device, torch.layout, torch.memory_format)


def _collect(value: Any, found: list[Tensor]) -> None:
    if isinstance(value, Tensor):
        found.append(value)
    elif isinstance(value, _PLAIN):
        return
    elif isinstance(value, (tuple, list)):
        for item in value:
            _collect(item, found)
    elif isinstance(value, Mapping):
        for item in value.values():
            _collect(item, found)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for entry in dataclasses.fields(value):
            _collect(getattr(value, entry.name, None), found)


def with_tensors(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The same with each of `tensors_in(value)` changed; what holds them is copied, not written to."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, (tuple, list)):
        items = [with_tensors(item, change) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if not tensors_in(value):
        return value
    twin: Any = dict(value) if isinstance(value, MappingProxyType) else copy.copy(value)
    if isinstance(value, Mapping):
        for key, item in value.items():
            twin[key] = with_tensors(item, change)
    else:
        for entry in dataclasses.fields(value):
            if hasattr(value, entry.name):  # past `__setattr__`, which a frozen one forbids
                object.__setattr__(twin, entry.name, with_tensors(getattr(value, entry.name), change))
    return twin


def class_of(module: nn.Module) -> str:
    """The name of a module's class; of a scripted one that of the class it was made from."""
    scripted = isinstance(module, torch.jit.ScriptModule)
    return str(module.original_name) if scripted else type(module).__name__


def storage_of(tensor: Tensor) -> torch.UntypedStorage:
    """Where a tensor's values lie; those of a sparse one that it holds."""
    if tensor.layout is torch.strided:
        return tensor.untyped_storage()
    return (tensor._values() if tensor.layout is torch.sparse_coo else tensor.values()).untyped_storage()


class Recorder:
    """Notes which module runs; `root` holds the tree of visits."""

    def __init__(self) -> None:
        self.root = Visit("", None)
        self._running = [self.root]

    def current(self) -> Visit:
        """Where an operation that runs now is put down: the functional run of the innermost module."""
        running = self._running[-1]
        if not running.children or running.children[-1].module is not None:
            running.children.append(Visit(running.name, None))
        return running.children[-1]

    def left(self, visit: Visit, output: Any) -> None:
        """Called when a module has returned `output`."""

    @contextmanager
    def around(self, model: nn.Module) -> Iterator[None]:
        """While active, every module of `model` notes its entry and exit."""
        before = []
        inside = _compiled_inside(model)
        for name, module in model.named_modules():
            if id(module) not in inside:
                before.append((module, module.__dict__.get("forward")))
                module.__dict__["forward"] = self._wrapped(name, module)  # as setattr does, which searches long
        try:
            yield
        finally:
            for module, forward in before:
                del module.__dict__["forward"]
                if forward is not None:
                    module.__dict__["forward"] = forward

    def _wrapped(self, name: str, module: nn.Module) -> Callable[..., Any]:
        forward = module.forward

        def watched(*args: Any, **kwargs: Any) -> Any:
            visit = Visit(name, module)
            self._running[-1].children.append(visit)
            self._running.append(visit)
            try:
                output = forward(*args, **kwargs)
            except Exception as error:
                if not getattr(error, "__notes__", None):  # the innermost module, where it happened
                    error.add_note(_layer_text(name, module, [args, kwargs]))
                raise
            finally:
                self._running.pop()
            self.left(visit, output)
            return output

        return watched

    def outermost(self, model: nn.Module) -> Visit:
        """The visit of the one call of `model` itself, else the root."""
        visits = [child for child in self.root.children if child.module is model]
        return visits[0] if len(visits) == 1 else self.root


def _compiled_inside(model: nn.Module) -> set[int]:
    """Modules within scripted ones: these call them in the interpreter, and not as Python would."""
    scripted = [module for module in model.modules() if isinstance(module, torch.jit.ScriptModule)]
    return {id(part) for module in scripted for part in module.modules() if part is not module}


def _layer_text(name: str, module: nn.Module, given: Any) -> str:
    """Such as "layer conv1, Conv2d(3, 64, kernel_size=(7, 7)), given (1, 4, 224, 224)"."""
    shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors_in(given))
    settings = " ".join(module.extra_repr().split())
    return f"layer {name or 'itself'}, {type(module).__name__}({settings}), given {shapes}"
