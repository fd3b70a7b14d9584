"""The rows of metrics.csv, the same for equal runs, and of timing.csv, which never is."""

from __future__ import annotations

from typing import Any

from striate.training.metrics import Evaluation
from striate.training.state import Position


def metrics_row(
    position: Position, learning_rate: float, loss: float, accuracy: float, evaluation: Evaluation | None
) -> dict[str, Any]:
    """An epoch's figures; what was not measured is empty."""
    row: dict[str, Any] = {"epoch": position.epoch, "step": position.step, "learning_rate": learning_rate}
    row |= {"train_loss": loss, "train_accuracy": accuracy, "val_loss": "", "val_accuracy": "", "val_top5": ""}
    if evaluation is not None:
        row |= {"val_loss": evaluation.loss, "val_accuracy": evaluation.top1}
        row |= {} if evaluation.top5 is None else {"val_top5": evaluation.top5}
    return row


def timing_row(epoch: int, seconds: float, images: int, waited: float) -> dict[str, Any]:
    """An epoch's speed: seconds of training (without validation) and the share of them spent waiting for images."""
    return {
        "epoch": epoch,
        "seconds": round(seconds, 3),
        "images_per_second": round(images / seconds, 1),
        "loading_share": round(waited / seconds, 4),
    }
