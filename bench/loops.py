"""The training loops that are compared, on the same arrays: striate's own and those written by hand."""

from __future__ import annotations

import contextlib
import math
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from striate.analysis import summary
from striate.data import ArrayImages, Preprocessing, Split
from striate.models import ConvNet
from striate.training.batches import Batches
from striate.training.fabric import create_fabric
from striate.training.hardware import choose_precision
from striate.training.loop import Training
from striate.training.progress import Quiet
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder
from striate.training.state import Position

RATE, MOMENTUM, DECAY = 0.01, 0.9, 5e-4
MEAN, STD = 0.5, 0.25


class Pixels(NamedTuple):
    """uint8 images (N, H, W, C) and int64 labels (N,), made at random: no loop gains from what is in them."""

    images: np.ndarray
    labels: np.ndarray

    @classmethod
    def random(cls, count: int, size: int, channels: int, classes: int) -> Pixels:
        """The same `count` images whenever they are asked for."""
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (count, size, size, channels), dtype=np.uint8)
        return cls(images, rng.integers(0, classes, count))


def automatic_precision(model: ConvNet, size: int, batch: int) -> str:
    """The precision that striate chooses for training on the CPU, in Fabric's words."""
    costs = summary(model, (model.in_channels, size, size))
    return choose_precision("auto", "cpu", costs.multiply_adds, batch)


class _StepsOnly(Training):
    """striate's loop without what costs seconds per run and nothing per step: checkpoints, and batch-norm statistics
    measured anew while a training is young.
    """

    def checkpoint(self) -> None:
        self.checkpointed = time.monotonic()

    def settle_statistics(self) -> None:
        pass


class StriateLoop:
    """Rounds of `striate.training.loop.Training`: each call trains an epoch and returns images per second."""

    def __init__(self, model: ConvNet, pixels: Pixels, batch: int, precision: str, folder: Path) -> None:
        channels, classes = pixels.images.shape[3], tuple(map(str, range(model.num_classes)))
        look = Preprocessing(pixels.images.shape[1:3], channels, (MEAN,) * channels, (STD,) * channels, "none")
        split = Split("train", ArrayImages(pixels.images, [""] * len(pixels.labels)), pixels.labels)
        recipe = Recipe(learning_rate=RATE, momentum=MOMENTUM, weight_decay=DECAY, batch_size=batch, epochs=1)
        self.training = _StepsOnly(
            model,
            Batches(split, look, batch, recipe.augment),
            None,
            classes,
            look,
            recipe,
            RunFolder.create(folder, "loop"),
            create_fabric("cpu", 1, precision),
            lambda network, figures, learnt: None,
            Quiet(),
            checkpoint_every=math.inf,
        )

    def __call__(self) -> float:
        """Train one epoch from where the weights stand; images per second."""
        self.training.position = Position([1])
        began = time.perf_counter()
        self.training.train()
        return self.training.position.step * self.training.batch_size / (time.perf_counter() - began)


class BareLoop:
    """The same steps in plain PyTorch, with nothing around them: no sums, no schedule, no display."""

    def __init__(self, model: nn.Module, pixels: Pixels, batch: int, precision: str) -> None:
        self.model = model.to(memory_format=torch.channels_last).train()
        self.optimizer = torch.optim.SGD(
            model.parameters(), RATE, momentum=MOMENTUM, nesterov=True, weight_decay=DECAY, fused=True
        )
        self.images, self.labels = (torch.from_numpy(array) for array in pixels)
        self.batch, self.mixed = batch, precision == "bf16-mixed"

    def __call__(self) -> float:
        """Train one epoch; images per second."""
        began, seen = time.perf_counter(), 0
        for indices in torch.randperm(len(self.labels)).split(self.batch):
            images = self.images[indices].permute(0, 3, 1, 2).float().div_(255).sub_(MEAN).div_(STD)
            with torch.autocast("cpu", torch.bfloat16) if self.mixed else contextlib.nullcontext():
                logits = self.model(images)
            loss = functional.cross_entropy(logits.float(), self.labels[indices])
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            seen += len(indices)
        return seen / (time.perf_counter() - began)


class PlainLoop:
    """The loop of the tutorials: float32, channels first, SGD as it comes, batches ready in memory."""

    def __init__(self, model: nn.Module, pixels: Pixels, batch: int) -> None:
        self.model = model.train()
        self.optimizer = torch.optim.SGD(model.parameters(), RATE, momentum=MOMENTUM, nesterov=True, weight_decay=DECAY)
        images = torch.from_numpy(pixels.images).permute(0, 3, 1, 2).contiguous()  # (N, C, H, W)
        self.images = (images.float() / 255 - MEAN) / STD
        self.labels, self.batch = torch.from_numpy(pixels.labels), batch

    def __call__(self) -> float:
        """Train one epoch; images per second."""
        began, seen = time.perf_counter(), 0
        pairs = zip(self.images.split(self.batch), self.labels.split(self.batch), strict=True)
        for images, labels in pairs:
            self.optimizer.zero_grad()
            loss = functional.cross_entropy(self.model(images), labels)
            loss.backward()
            self.optimizer.step()
            seen += len(labels)
        return seen / (time.perf_counter() - began)


def steps_in(seconds: float, model: ConvNet, size: int, batch: int, precision: str) -> int:
    """How many steps a bare loop takes in so many seconds, 3 at least."""
    loop = BareLoop(model, Pixels.random(2 * batch, size, model.in_channels, 10), batch, precision)
    loop()  # the first steps are slower
    return max(3, round(seconds * loop() / batch))
