"""Building a network without memory for its weights, where it lets itself be built so."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from striate.errors import StriateError

#: How modules make weights and buffers. What else they make (`arange`, `linspace`, `tensor`) they compute sizes from.
_WEIGHTS = frozenset(
    (torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.empty_strided, torch.normal)
)


class _OnlyWeightsWeightless(TorchFunctionMode):
    """While active, weights are made on "meta" and everything else with values, for networks that compute with them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _WEIGHTS and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": "meta"}
        return func(*args, **kwargs)


def build_weightless(make: Callable[[], nn.Module]) -> nn.Module:
    """What `make` returns, built on "meta".

    Where that fails, because values are read while it is built, only weights are made there; where that fails too, or
    for another reason, it is built for real, and an error is the one met then.
    """
    attempts: tuple[AbstractContextManager[Any], ...] = (torch.device("meta"), _OnlyWeightsWeightless())
    for without_memory in attempts:
        try:
            with without_memory:
                return make()
        except StriateError:
            raise
        except Exception:
            continue  # whatever it was shows again below
    with torch.device("cpu"):
        return make()
