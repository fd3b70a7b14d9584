"""One pass over a split: what a network says of its images, whatever engine runs it, measured by its task."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from striate.engines import Predictor
from striate.training.batches import Batches
from striate.training.gain import Gain
from striate.training.measured import Measured
from striate.training.tasks import Task


class Seen(NamedTuple):
    """What a predictor made of a split's N images: logits (N, V, K) of the V views of each, and its seconds."""

    logits: NDArray[np.float32]
    seconds: float


def look_at(predictor: Predictor, batches: Batches, shown: Callable[[int], None] = lambda done: None) -> Seen:
    """Run a predictor over the images of `batches`, in their order; `shown` is told how many are done."""
    logits, seconds, done = [], 0.0, 0
    for batch in batches.epoch():
        began = time.perf_counter()
        logits.append(predictor(pictures(batch.images)))
        seconds += time.perf_counter() - began
        done += len(batch.labels)
        shown(done)
    together = np.concatenate(logits)
    return Seen(together.reshape(len(batches.split), -1, together.shape[-1]), seconds)


def evaluate(
    predictor: Predictor,
    batches: Batches,
    task: Task,
    shown: Callable[[int], None] = lambda done: None,
) -> Measured:
    """Measure a network on the images of `batches`.

    Args:
        predictor: runs the network.
        batches: the images; of several views of each the answers are averaged, and the outcome says what that
            gained over the first.
        task: says what the outputs mean.
        shown: told how many images are done.

    Returns:
        The task's evaluation.
    """
    seen = look_at(predictor, batches, shown)
    found = _measured(task, seen.logits, batches)
    if len(batches.views) < 2:
        return found
    once = _measured(task, seen.logits[:, :1], batches)
    names = tuple(map(str, batches.views))
    costs = (seen.seconds / len(names), seen.seconds)
    gain = Gain(names, *task.gain(once, found), *costs, _different(seen.logits), task.gained, task.gained_share)
    return replace(found, views=gain)


def _different(logits: NDArray[np.float32]) -> int:
    """How many of V views are left, in the logits (N, V, K), when of those with the same outcome only one counts."""
    kept: list[NDArray[np.float32]] = []
    for view in logits.swapaxes(0, 1):
        if not any(np.allclose(view, other, rtol=1e-4, atol=1e-5) for other in kept):
            kept.append(view)
    return len(kept)


def _measured(task: Task, logits: NDArray[np.float32], batches: Batches) -> Measured:
    """The evaluation that outputs (N, V, K) for V views of the images are."""
    together = torch.from_numpy(logits)
    columns = task.logits(together.flatten(0, 1)).unflatten(0, (len(logits), -1))
    return task.measure(columns, batches.split)


def pictures(images: Tensor) -> NDArray[np.uint8]:
    """uint8 (N, C, H, W), channels last in memory, as (N, H, W, C); no copy."""
    return images.permute(0, 2, 3, 1).numpy()
