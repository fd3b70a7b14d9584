"""A small network and pictures for it, with everything in it that has a state."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import MixedPrecision
from torch import nn

from striate.data import ArrayImages, Preprocessing, Split
from striate.models import ConvNet
from striate.training.batches import Batch, Batches
from striate.training.loop import Training
from striate.training.material import Material
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder
from striate.training.tasks import MultiLabel, Regression, SingleLabel, Task
from striate.training.watch import Watch

LOOK = Preprocessing((12, 12), 1, (0.5,), (0.25,))
CLASSES = ("above", "below")


def split(name: str, count: int, seed: int) -> Split:
    """Two classes that are hard enough to take some epochs: a little brighter above, or below."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    images = rng.integers(0, 200, (count, 12, 12, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[6 * label : 6 * label + 6] += 25
    return Split(name, ArrayImages(images, [f"{name}[{i}]" for i in range(count)]), labels)


#: The same pictures with one class, with several labels (both, where they are bright), and with values.
TASKS: dict[str, Task] = {
    "single-label": SingleLabel(CLASSES),
    "multi-label": MultiLabel(CLASSES),
    "regression": Regression(("place", "brightness"), (0.5, 110.0), (0.5, 3.0)),
}


def with_labels_of(task: Task, plain: Split) -> Split:
    """The pictures with what the task wants known of them."""
    brightness = np.array([plain.images.read(row).mean() for row in range(len(plain))])
    if isinstance(task, MultiLabel):
        return replace(plain, labels=np.eye(2, dtype=bool)[plain.labels] | (brightness > 112)[:, None])
    if isinstance(task, Regression):
        return replace(plain, labels=np.stack([plain.labels.astype(float), brightness], axis=1))
    return plain


def network(auxiliary: bool = False) -> ConvNet:
    """Convolution, batch norm and dropout; with `auxiliary` a head on each of its two stages."""
    stages = {
        "one": nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.ReLU()),
        "two": nn.Sequential(nn.Conv2d(6, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU()),
    }

    def head() -> nn.Sequential:
        parts = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.3))
        parts.add_module("classifier", nn.Linear(24, 2))
        return parts

    main = dict(head().named_children())
    heads = {name: head() for name in stages} if auxiliary else None
    stem = nn.Conv2d(1, 4, 3)
    return ConvNet(stem, stages, main, in_channels=1, auxiliary=heads, auxiliary_weight=0.5 if auxiliary else 0.0)


def stateless() -> ConvNet:
    """Neither batch norm nor dropout: the mean of two halves of a batch is that of the whole."""
    head = {"pool": nn.AdaptiveAvgPool2d(2), "flatten": nn.Flatten(), "classifier": nn.Linear(24, 2)}
    return ConvNet(nn.Conv2d(1, 4, 3), {"one": nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU())}, head, in_channels=1)


def half_precision() -> Fabric:
    """float16 with a scaled loss, on the processor."""
    return Fabric(accelerator="cpu", devices=1, plugins=MixedPrecision("16-mixed", "cpu"))


def recipe(**fields: Any) -> Recipe:
    """Four steps an epoch."""
    return Recipe(**{"epochs": 3, "batch_size": 16, "learning_rate": 0.05, "warmup_epochs": 0, **fields})


def training(
    folder: Path,
    chosen: Recipe,
    *,
    model: ConvNet | None = None,
    auxiliary: bool = False,
    val: bool = True,
    fabric: Fabric | None = None,
    task: str = "single-label",
    save: Callable[[nn.Module, dict[str, float], Task], None] = lambda network, figures, learnt: None,
    final_images: int = 0,
    identity: str = "",
    **watch: Any,
) -> Training:
    """A training in `folder`, at its first step; this process's part of it where `fabric` has several."""
    torch.manual_seed(0)
    fabric = fabric or Fabric(accelerator="cpu", devices=1)
    part = (fabric.global_rank, fabric.world_size)
    folder.mkdir(exist_ok=True)
    learnt = TASKS[task]
    images, measured = (with_labels_of(learnt, split(*each)) for each in (("train", 64, 0), ("val", 32, 1)))
    return Training(
        network(auxiliary) if model is None else model,
        Material(
            Batches(images, LOOK, chosen.batch_size // fabric.world_size, chosen.augment, 5, part=part),
            Batches(measured, LOOK, 32) if val else None,
            learnt,
            LOOK,
            final_images,
        ),
        chosen,
        RunFolder(folder),
        fabric,
        Watch(**watch),
        save,
        identity,
    )


def stop_after(run: Training, steps: int) -> None:
    """Have a training be interrupted once it has taken so many steps."""
    take = run.train_step

    def step(batch: Batch) -> None:
        take(batch)
        run.interruption.requested = run.position.step >= steps

    run.train_step = step  # type: ignore[method-assign]
