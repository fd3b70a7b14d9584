"""Material: the batches that a network learns from and is measured on."""

from __future__ import annotations

from dataclasses import dataclass

from striate.data import Preprocessing
from striate.training.batches import Batches
from striate.training.tasks import Task


@dataclass(frozen=True)
class Material:
    """What a training is about.

    Attributes:
        train: batches to learn from.
        val: batches to validate on, or None: then the last weights are the result.
        task: what is learnt from them.
        preprocessing: the network's.
        final_images: how many are measured at the end, for the time that is left.
        cache: where decoded pictures are kept: "ram", "disk" or "off"; empty of pixels that were given.
    """

    train: Batches
    val: Batches | None
    task: Task
    preprocessing: Preprocessing
    final_images: int = 0
    cache: str = ""
