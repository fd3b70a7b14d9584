"""One update of the weights in any precision: backward, clip, step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from striate.training.optimizers import start_momenta

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Update:
    """Lets a loss change the weights.

    In 16-bit precision the loss is scaled up before the gradients are made, so that small ones do not vanish, and a
    step whose gradients overflow is left out (Micikevicius et al., 2018, arXiv:1710.03740, section 3.2). Clipping
    measures the gradients as they are without that scale.

    Args:
        fabric: precision and devices.
        model: whose gradients are clipped.
        optimizer: takes the step; as Fabric set it up.
        clip_norm: largest norm of all gradients together; 0 leaves them alone.
    """

    def __init__(self, fabric: Fabric, model: nn.Module, optimizer: Optimizer, clip_norm: float) -> None:
        self.fabric, self.model, self.optimizer, self.clip_norm = fabric, model, optimizer, clip_norm
        self.scaler: torch.amp.GradScaler | None = getattr(fabric.strategy.precision, "scaler", None)
        self._start_momenta()

    def __call__(self, loss: Tensor) -> None:
        """Take the step that `loss`, the mean over a batch, asks for."""
        self.fabric.backward(loss)
        if self.clip_norm:
            if self.scaler is not None:
                # Not Fabric's clip_gradients, which refuses fused optimizers; the scaler itself knows them.
                self.scaler.unscale_(self._plain)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()

    def state(self) -> dict[str, Any]:
        """What of the scale decides the next steps, for the checkpoint; empty where nothing is scaled."""
        return {} if self.scaler is None else self.scaler.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        """Put `state` back, once the optimizer has its own."""
        if self.scaler is not None and state:
            self.scaler.load_state_dict(state)
        self._start_momenta()

    @property
    def _plain(self) -> Optimizer:
        return getattr(self.optimizer, "optimizer", self.optimizer)

    def _start_momenta(self) -> None:
        if self.scaler is not None:  # it may leave out the very first step
            start_momenta(self._plain)
