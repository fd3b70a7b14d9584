"""The shape that comes out of a module, found by running it on a weightless copy."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

#: Operations on each value of one tensor of floating numbers.
_POINTWISE = ("relu", "hardtanh", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "pow", "neg")

#: Batch norms in evaluation mode: the output, and no statistics.
_NORMS = ("native_batch_norm", "_native_batch_norm_legit_no_training")


class _Pointwise(TorchDispatchMode):
    """Shapes of frequent operations told at once; PyTorch would import its compiler first, for seconds."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here; with True PyTorch would import its compiler when the mode is entered."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        tensors = [value for value in args if isinstance(value, Tensor)]
        if name in _NORMS and args[0].is_meta:
            return torch.empty_like(args[0]), args[0].new_empty(0), args[0].new_empty(0)
        if not kwargs and all(x.is_meta and x.dtype == tensors[0].dtype for x in tensors):
            if name in _POINTWISE and tensors[0].is_floating_point() and len(tensors) == 1:
                return torch.empty_like(tensors[0])
            if name in ("add", "sub", "rsub", "mul", "div") and len(tensors) > 0 and tensors[0].is_floating_point():
                return tensors[0].new_empty(torch.broadcast_shapes(*(x.shape for x in tensors)))
        result = func(*args, **(kwargs or {}))
        if name == "convolution" and 0 in result.shape[2:]:  # PyTorch 2.6 says nothing
            raise RuntimeError(f"{tuple(tensors[0].shape[2:])} is less than the kernel {tuple(tensors[1].shape[2:])}")
        return result


def output_shape(module: nn.Module, input_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The output's shape for an input of `input_shape` (batch included); `module` is left as it is.

    Raises:
        RuntimeError: torch's own, when the input is too small for the module.
    """
    weightless = copy.deepcopy(module).to("meta").eval()
    with torch.no_grad(), _Pointwise():
        return tuple(weightless(torch.empty(input_shape, dtype=_dtype(module), device="meta")).shape)


def _dtype(module: nn.Module) -> torch.dtype:
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.get_default_dtype())
