"""PyTorch's compiler: on a GPU, kernels fused and recorded as CUDA graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from striate.engines.frozen import Frozen, in_pieces


class Compiled:
    """A network compiled by `torch.compile`, its batch norms folded.

    Args:
        frozen: what to run, where its weights lie.
        backend: PyTorch's name of the compiler.
    """

    name = "compiled"

    def __init__(self, frozen: Frozen, backend: str = "inductor") -> None:
        options: dict[str, Any] = {"mode": "reduce-overhead"} if frozen.device.type == "cuda" else {}
        self._device, self._together = frozen.device, frozen.together
        self._network = torch.compile(frozen.whole(), backend=backend, dynamic=False, **options)

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Outputs (N, K) of pictures uint8 (N, H, W, C)."""
        return in_pieces(self._run, images, self._together)

    @torch.inference_mode()
    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._network(torch.from_numpy(np.require(images, requirements="W")).to(self._device)).cpu().numpy()
