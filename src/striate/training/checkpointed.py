"""What of a training goes into last.ckpt, and how it comes back: all that decides the next step."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from striate.errors import StriateError
from striate.models import Network
from striate.training.averaging import WeightAverage
from striate.training.checkpoints import load_checkpoint, save_checkpoint
from striate.training.divergence import Guard
from striate.training.recipes import FLOAT32
from striate.training.run_folder import RunFolder
from striate.training.schedules import Plateau
from striate.training.state import Position, gather, put_back
from striate.training.sums import EpochSums
from striate.training.trained_set import TrainedSet
from striate.training.update import Update
from striate.training.validation import Validation

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Checkpointed(ABC):
    """A training that can be written down whole, and put back where it stood."""

    run: RunFolder
    fabric: Fabric
    identity: str
    module: Network
    optimizer: Any  # as Fabric wraps it
    average: WeightAverage | None
    trained: TrainedSet
    update: Update
    sums: EpochSums
    position: Position
    plateau: Plateau
    validation: Validation | None
    guard: Guard
    checkpointed: float

    @abstractmethod
    def retrain(self, until: str, step: int) -> str:
        """Have another part of the network be trained from `step` on; say which."""

    def checkpoint(self) -> None:
        """Write last.ckpt.

        Raises:
            StriateError: weights are not finite (nothing is written), or the file cannot be written.
        """
        self.checkpointed = time.monotonic()
        self.guard.check_losses(together=False)
        tensors = gather(self.module, self.optimizer, self.average) | {"sums": self.sums.sums}
        self.guard.check_weights(tensors)
        if not self.fabric.is_global_zero:
            return
        state = {"position": asdict(self.position), "plateau": asdict(self.plateau), "seen": self.sums.seen}
        if self.validation is not None:
            state |= {"validation": self.validation.chosen}
        state |= {"scale": self.update.state(), "trained": self.trained.state(), "identity": self.identity}
        save_checkpoint(self.run.checkpoint, tensors, state)

    def restore(self) -> None:
        """Go back to where last.ckpt stands.

        Raises:
            StriateError: the checkpoint is missing, damaged, or of another run.
        """
        tensors, state = load_checkpoint(self.run.checkpoint)
        if state.get("identity") != self.identity:
            raise StriateError(f"{self.run.checkpoint}: belongs to another run than {self.run.config} describes.")
        try:
            trained = state.get("trained", self.trained.state())  # earlier versions never changed it
            if trained["frozen"] != self.trained.frozen:
                self.retrain(trained["frozen"], trained["since"])
            self.trained.sealed = trained.get("sealed", self.trained.sealed)
            put_back(tensors, self.module, self.optimizer.optimizer, self.average)
            self.update.restore(state.get("scale", {}))
            self.position = Position.from_state(state["position"])
            self.plateau = Plateau(**state["plateau"])
            self.sums.restore(tensors["sums"], state["seen"])
            if self.validation is not None:
                self.validation.chosen = state.get("validation", FLOAT32)  # as earlier versions had it
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise StriateError(
                f"{self.run.checkpoint}: does not fit the run's network and recipe ({str(error)[:200]})."
            ) from error
        if self.position.stopped_by in ("interrupted", "time limit"):
            self.position.stopped_by = ""
