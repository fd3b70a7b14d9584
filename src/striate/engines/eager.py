"""Eager: PyTorch itself runs the network, operation by operation, in the precision of its weights or a lower one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class Eager:
    """The reference that every other engine must equal.

    Args:
        network: in evaluation mode; see `evaluating`. Its weights may change between calls.
        normalise: from uint8 (N, C, H, W) to what the network takes.
        dtype: what convolutions and products are cast to (autocast); None for the precision of the weights.
    """

    name = "eager"

    def __init__(
        self, network: nn.Module, normalise: Callable[[Tensor], Tensor], dtype: torch.dtype | None = None
    ) -> None:
        self.network, self.normalise, self.dtype = network, normalise, dtype

    @torch.inference_mode()
    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits (N, K) of pictures uint8 (N, H, W, C)."""
        weight = next(self.network.parameters())
        batch = (
            torch.from_numpy(np.require(images, requirements="W")).permute(0, 3, 1, 2).to(weight.device)
        )  # (N, C, H, W), channels-last
        images_in = self.normalise(batch).to(weight.dtype)
        with torch.autocast(weight.device.type, self.dtype, enabled=self.dtype is not None):
            return self.network(images_in).float().cpu().numpy()


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while; the network comes back in the mode it was in, whatever happens."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
