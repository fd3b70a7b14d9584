"""Predictor: the one protocol from pictures to logits, which evaluation, prediction and reports use."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Predictor(Protocol):
    """Runs a network in evaluation mode."""

    @property
    def name(self) -> str:
        """What runs it, such as "eager"."""
        ...

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits (N, K) of pictures uint8 (N, H, W, C) of the network's size, before normalisation."""
        ...
