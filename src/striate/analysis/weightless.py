"""A copy of any module whose tensors have shapes but no memory (device "meta"), for watching it run.

The copy is deep in structure, so whatever its forward pass writes stays away from the user's model, and empty
of data: while it is made, each tensor that would be copied is replaced by one without memory.
"""

from __future__ import annotations

import copy
import copyreg
from collections import OrderedDict
from types import FunctionType
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


class _CopyWithoutData(TorchFunctionMode):
    """While active, `copy.deepcopy` of a tensor, and a clone, give an empty one."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.__deepcopy__:
            tensor, memo = args
            if id(tensor) not in memo:
                memo[id(tensor)] = emptied(tensor)
            return memo[id(tensor)]
        if func is Tensor.clone:
            return torch.empty_like(args[0], device="meta")
        return func(*args, **(kwargs or {}))


def weightless(model: nn.Module) -> nn.Module:
    """A copy of `model` on "meta"; tied tensors stay tied, nothing is allocated.

    Raises:
        StriateError: the model holds something that cannot be copied (an open file, a lock).
    """
    memo: dict[int, Any] = {}
    for module in model.modules():
        for tensor in (*module._parameters.values(), *module._buffers.values()):
            if tensor is not None:
                memo[id(tensor)] = emptied(tensor)
    try:
        with _CopyWithoutData():
            twin = _copied(model, memo)
    except Exception as error:
        raise StriateError(
            f"{type(model).__name__} cannot be copied ({type(error).__name__}: {error}); "
            "keep files, locks and tensors that carry a gradient out of the module's attributes"
        ) from error
    return without_observers(twin)


#: Values that a copy can share.
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
        or kind.__setstate__ is not nn.Module.__setstate__
        or kind.__reduce__ is not object.__reduce__
        or bool(copyreg.dispatch_table.get(kind))
    )


def _copied_value(name: str, value: Any, memo: dict[int, Any]) -> Any:
    if isinstance(value, _IMMUTABLE):
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


def on_device(model: nn.Module, device: str) -> nn.Module:
    """A copy of `model` with real tensors on `device`; a weightless one gets zeros."""
    if any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers())):
        twin = weightless(model).to_empty(device=device)
        with torch.no_grad():
            for tensor in (*twin.parameters(), *twin.buffers()):
                tensor.zero_()
        return twin
    return without_observers(copy.deepcopy(model).to(device))


def without_observers(twin: nn.Module) -> nn.Module:
    """Take plain functions off the hooks of a copy: their closures would write into the user's variables.

    Hooks that are objects or methods (weight norm, spectral norm, pruning) were copied with it and stay.
    """
    for module in twin.modules():
        for hooks in (module._forward_hooks, module._forward_pre_hooks):
            for key, hook in list(hooks.items()):
                if isinstance(hook, FunctionType):
                    del hooks[key]
    return twin
