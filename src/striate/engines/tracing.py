"""A network as the straight line of operations that it is for pictures of one size, by PyTorch's tracer."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor

from striate.engines.frozen import Frozen
from striate.engines.quiet import without_words


def traced(frozen: Frozen, example: Tensor) -> Any:
    """The traced module, its weights constants of the graph: uint8 (N, H, W, C) -> (N, K) float32, for the example's N.

    Nothing that depends on values is followed, which the check of every engine against the network itself would show.
    """
    with warnings.catch_warnings(), without_words(), torch.no_grad():
        warnings.simplefilter("ignore")
        module = torch.jit.trace(frozen.whole(), example, check_trace=False)
        return torch.jit.freeze(module)
