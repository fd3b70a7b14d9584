"""Copies of any module: weightless ones, whose tensors have shapes but no memory (device "meta"), and real ones.

A copy is deep in structure, so whatever its forward pass writes stays away from the user's model. While it is made
each tensor is replaced by one of its own kind, without memory or with the same values; PyTorch's own copy refuses the
tensors that weight norm and pruning compute and those of lazy layers.
"""

from __future__ import annotations

import copy
import copyreg
from collections import OrderedDict
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from torch.overrides import TorchFunctionMode

from striate.errors import StriateError


def emptied(tensor: Tensor) -> Tensor:
    """A tensor of the same class, shape, strides and dtype on "meta"."""
    if is_lazy(tensor):
        lazy_class: Any = UninitializedParameter if isinstance(tensor, nn.Parameter) else UninitializedBuffer
        return lazy_class(device="meta", dtype=tensor.dtype)
    empty: Tensor
    if type(tensor) in (Tensor, nn.Parameter) and tensor.layout is torch.strided:
        # what `empty_like` would find out, for which it first imports PyTorch's symbolic shapes
        empty = torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype, device="meta")
    else:
        empty = torch.empty_like(tensor, device="meta", requires_grad=False)
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(empty, requires_grad=tensor.requires_grad)
    return empty


def _with_values(tensor: Tensor, device: torch.device | str | None = None) -> Tensor:
    """A tensor of the same kind and values, free of what computed it; zeros where it is on "meta"."""
    place = tensor.device if device is None else torch.device(device)
    if is_lazy(tensor):
        lazy_class: Any = UninitializedParameter if isinstance(tensor, nn.Parameter) else UninitializedBuffer
        return lazy_class(device=place, dtype=tensor.dtype)
    with torch.no_grad():
        real = torch.zeros_like(tensor, device=place) if tensor.is_meta else tensor.detach().to(place, copy=True)
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(real, requires_grad=tensor.requires_grad)
    return real


class _Copying(TorchFunctionMode):
    """While active, `copy.deepcopy` of a tensor gives what `make` makes of it, and on "meta" a clone an empty one."""

    def __init__(self, make: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self._make = make

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.__deepcopy__:
            tensor, memo = args
            if id(tensor) not in memo:
                memo[id(tensor)] = self._make(tensor)
            return memo[id(tensor)]
        if func is Tensor.clone and self._make is emptied:
            return torch.empty_like(args[0], device="meta")
        return func(*args, **(kwargs or {}))


def uncompiled(model: nn.Module) -> nn.Module:
    """What `torch.compile` wraps, where it does."""
    return getattr(model, "_orig_mod", model)


def weightless(model: nn.Module) -> nn.Module:
    """A copy of `model` on "meta"; tied tensors stay tied, nothing is allocated.

    Raises:
        StriateError: the model holds something that cannot be copied (an open file, a lock).
    """
    return without_observers(_copy(model, emptied))


def duplicate(model: nn.Module, device: torch.device | str | None = None) -> nn.Module:
    """A copy of `model` with the same values and hooks, on `device`, or each tensor where it is.

    Raises:
        StriateError: as `weightless`.
    """
    return _copy(model, lambda tensor: _with_values(tensor, device))


def on_device(model: nn.Module, device: str) -> nn.Module:
    """A copy of `model` with real tensors on `device`, for watching it run; a weightless one gets zeros.

    Raises:
        StriateError: as `weightless`.
    """
    return without_observers(duplicate(model, device))


def _copy(model: nn.Module, make: Callable[[Tensor], Tensor]) -> nn.Module:
    memo: dict[int, Any] = {}
    for module in model.modules():
        for tensor in (*module._parameters.values(), *module._buffers.values()):
            if tensor is not None and id(tensor) not in memo:
                memo[id(tensor)] = make(tensor)
        for value in vars(module).values():
            if isinstance(value, _SHARED):
                memo[id(value)] = value
            elif isinstance(value, torch.Generator):
                memo[id(value)] = value.clone_state()  # which is no copy of its tensor of numbers
    try:
        with _Copying(make):
            return _copied(model, memo)
    except Exception as error:
        raise StriateError(
            f"{type(model).__name__} cannot be copied ({type(error).__name__}: {error}); "
            "keep open files and locks out of the module's attributes"
        ) from error


#: What Python refuses to copy and a copy can share: modules of Python, operations of a user's own.
_SHARED = (ModuleType, torch.library.CustomOpDef)
#: Other values that a copy can share.
_IMMUTABLE = (type(None), bool, int, float, str, bytes, FunctionType, type)


def _copied(module: nn.Module, memo: dict[int, Any]) -> nn.Module:
    """`copy.deepcopy(module, memo)`, several times as fast on what modules mostly hold."""
    known = memo.get(id(module))
    if known is not None:
        return known
    kind = type(module)
    if hasattr(kind, "__deepcopy__") or kind.__reduce_ex__ is not object.__reduce_ex__ or _has_own_state(kind):
        return copy.deepcopy(module, memo)
    twin = kind.__new__(kind)
    memo[id(module)] = twin
    for name, value in vars(module).items():
        if name != "_compiled_call_impl":  # which cannot be copied; modules leave it out themselves
            twin.__dict__[name] = _copied_value(name, value, memo)
    return twin


def _has_own_state(kind: type[nn.Module]) -> bool:
    """Whether the class says itself how it is pickled and copied."""
    return (
        kind.__getstate__ is not nn.Module.__getstate__
        or kind.__setstate__ not in (nn.Module.__setstate__, nn.modules.conv._ConvNd.__setstate__)
        or kind.__reduce__ is not object.__reduce__
        or bool(copyreg.dispatch_table.get(kind))
    )


def _copied_value(name: str, value: Any, memo: dict[int, Any]) -> Any:
    if isinstance(value, (*_IMMUTABLE, *_SHARED)):
        return value
    if name == "_modules" and type(value) is dict:
        return {key: child if child is None else _copied(child, memo) for key, child in value.items()}
    if name in ("_parameters", "_buffers") and type(value) is dict:
        return {
            key: memo.get(id(item)) if id(item) in memo else copy.deepcopy(item, memo) for key, item in value.items()
        }
    if type(value) in (dict, OrderedDict, set) and not value:
        return type(value)()
    if type(value) in (tuple, list) and all(isinstance(item, _IMMUTABLE) for item in value):
        return value if type(value) is tuple else list(value)
    return copy.deepcopy(value, memo)


def observers(model: nn.Module) -> list[tuple[dict[int, Any], int]]:
    """The plain functions among its hooks: where each stands, and its key."""
    return [
        (hooks, key)
        for module in model.modules()
        for hooks in (module._forward_hooks, module._forward_pre_hooks)
        for key, hook in hooks.items()
        if isinstance(hook, FunctionType)
    ]


def without_observers(twin: nn.Module) -> nn.Module:
    """Take plain functions off the hooks of a copy: their closures would write into the user's variables.

    Hooks that are objects or methods (weight norm, spectral norm, pruning) were copied with it and stay.
    """
    for hooks, key in observers(twin):
        del hooks[key]
    return twin
