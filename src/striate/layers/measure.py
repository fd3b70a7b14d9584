"""The shape that comes out of a module, found by running it on a weightless copy."""

from __future__ import annotations

import copy

import torch
from torch import nn


def output_shape(module: nn.Module, input_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The output's shape for an input of `input_shape` (batch included); `module` is left as it is.

    Raises:
        RuntimeError: torch's own, when the input is too small for the module.
    """
    weightless = copy.deepcopy(module).to("meta").eval()
    with torch.no_grad():
        return tuple(weightless(torch.empty(input_shape, dtype=_dtype(module), device="meta")).shape)


def _dtype(module: nn.Module) -> torch.dtype:
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.get_default_dtype())
