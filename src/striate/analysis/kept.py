"""Memory for training: the tensors that autograd keeps from the forward pass for the backward pass.

Nothing is estimated: a forward pass in training mode runs with `torch.autograd.graph.saved_tensors_hooks`, and each
storage that an operation saves counts once, whole, at the first layer that saves it. Parameters and buffers do not
count, they are there anyway; the input counts where it is saved (a first convolution needs it for its weight's
gradient).
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from striate.analysis import meta_shapes
from striate.analysis.inputs import Inputs
from striate.analysis.visits import Recorder, Visit, storage_of, tensors_in


class _QuickShapes(TorchDispatchMode):
    """Runs operations on weightless tensors without PyTorch's slow ways; autograd, above it, saves as always."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # as in the watcher

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        return meta_shapes.run(func, args, kwargs, [*tensors_in(args), *tensors_in(kwargs)])[0]


_NOTHING = torch.empty(0)


def _no_backward(packed: Tensor) -> Tensor:
    raise RuntimeError("the tensors of a watched pass are not kept, so no backward pass can follow it")


class _Keeper(Recorder):
    """Puts each storage that autograd saves down to the module that runs."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._held: dict[int, Any] = {}  # holding them keeps their addresses from being used again
        for tensor in (*model.parameters(), *model.buffers()):
            self._hold(tensor)

    def _hold(self, tensor: Tensor) -> int:
        """Bytes of the tensor's storage where it is new, else 0."""
        storage = storage_of(tensor)
        if storage._cdata in self._held:
            return 0
        self._held[storage._cdata] = storage
        return storage.nbytes()

    def pack(self, tensor: Tensor) -> Tensor:
        """What autograd calls with each tensor that it saves, and keeps the answer of: here a stand-in.

        The tensor itself would hold on to the graph that holds on to it.
        """
        self.current().kept_bytes += self._hold(tensor)
        return _NOTHING


def watch_training(model: nn.Module, inputs: Inputs) -> Visit | None:
    """Run `model` (a copy) in training mode; the visit of its outermost call, with `kept_bytes` in the leaves.

    None where the network cannot run in training mode on this input.
    """
    visit = _attempt(model, inputs)
    doubled = _doubled(inputs) if visit is None else None
    if doubled is None:
        return visit
    visit = _attempt(model, doubled)  # batch norm refuses to train on a single value per channel
    for part in visit.every() if visit is not None else ():
        part.kept_bytes //= 2
    return visit


def _attempt(model: nn.Module, inputs: Inputs) -> Visit | None:
    keeper = _Keeper(model)
    weightless = any(tensor.is_meta for tensor in inputs.tensors)
    shapes: AbstractContextManager[Any] = _QuickShapes() if weightless else nullcontext()
    hooks = torch.autograd.graph.saved_tensors_hooks(keeper.pack, _no_backward)
    was_training = model.training
    model.train()
    try:
        with torch.enable_grad(), keeper.around(model), hooks, shapes:
            output = model(*inputs.args, **inputs.kwargs)
    except Exception:
        return None
    finally:
        model.train(was_training)
    del output  # only now: what autograd keeps must not be freed while others are counted
    return keeper.outermost(model)


def _doubled(inputs: Inputs) -> Inputs | None:
    """The same inputs as a batch of two, where they are a batch of one."""
    if not all(tensor.dim() > 1 and len(tensor) == 1 for tensor in inputs.tensors):
        return None
    return inputs.each(lambda tensor: torch.cat([tensor, tensor]))
