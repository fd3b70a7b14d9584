"""The rows of metrics.csv, the same for equal runs, and of timing.csv, which never is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from striate.training.measured import Measured
from striate.training.tasks import Task

#: The columns of timing.csv: seconds of training, seconds of validating and saving, and how training went.
TIMING = ("epoch", "seconds", "validation_seconds", "images_per_second", "loading_share")


def metrics_row(
    epoch: int, step: int, learning_rate: float, trained: dict[str, float], task: Task, evaluation: Measured | None
) -> dict[str, Any]:
    """An epoch's figures, what was not measured empty; `trained` holds "train_loss", "train_accuracy" and others.

    It is empty where nothing was trained by steps.
    """
    row: dict[str, Any] = {"epoch": epoch, "step": step, "learning_rate": learning_rate}
    row |= {name: trained.get(name, "") for name in ("train_loss", f"train_{task.running}")}
    row |= {f"val_{name}": "" for name in ("loss", *task.figures)}
    if evaluation is not None:
        row |= {"val_loss": evaluation.loss}
        row |= {f"val_{name}": value for name, value in evaluation.figures().items()}
    return row | trained


def head_losses(row: Mapping[str, Any]) -> dict[str, str]:
    """The columns of auxiliary heads' losses, and of the sum that is minimised, with the names of the heads."""
    columns = [name for name in row if name.startswith("train_") and name.endswith("_loss") and name != "train_loss"]
    return {column: column.removeprefix("train_").removesuffix("_loss") for column in columns}


def timing_row(epoch: int, seconds: float, validation: float, images: int, waited: float) -> dict[str, Any]:
    """An epoch's speed.

    Args:
        epoch: from 1.
        seconds: of training.
        validation: seconds of validating and saving.
        images: trained on in `seconds`.
        waited: seconds of training spent waiting for images.
    """
    figures = (epoch, round(seconds, 3), round(validation, 3), round(images / seconds, 1), round(waited / seconds, 4))
    return dict(zip(TIMING, figures, strict=True))


def in_columns(row: dict[str, Any]) -> dict[str, Any]:
    """A row of timing.csv in today's columns; what an earlier version did not measure is empty."""
    return {name: row.get(name, "") for name in TIMING}
