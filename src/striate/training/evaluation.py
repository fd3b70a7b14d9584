"""One pass over a split: probabilities, labels and loss, whatever engine runs the network."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from striate.engines import Predictor
from striate.training.batches import Batches
from striate.training.gain import Gain, paired_difference
from striate.training.losses import class_logits
from striate.training.metrics import Evaluation


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
    classes: tuple[str, ...],
    shown: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Measure a network on the images of `batches`.

    Args:
        predictor: runs the network.
        batches: the images; of several views of each the probabilities are averaged, and the outcome says
            what that gained over the first.
        classes: names of the K classes.
        shown: told how many images are done.

    Returns:
        Probabilities (N, K), the labels and the mean cross-entropy without label smoothing.
    """
    seen = look_at(predictor, batches, shown)
    found = outcome(seen.logits, batches, classes)
    if len(batches.views) < 2:
        return found
    once = outcome(seen.logits[:, :1], batches, classes)
    difference = paired_difference(once.predicted == once.labels, found.predicted == found.labels)
    names = tuple(map(str, batches.views))
    gain = Gain(names, once.top1, *difference, seen.seconds / len(names), seen.seconds)
    return replace(found, views=gain)


def outcome(logits: NDArray[np.float32], batches: Batches, classes: tuple[str, ...]) -> Evaluation:
    """The evaluation that logits (N, V, K) of the images of `batches` are."""
    split, count = batches.split, len(batches.split)
    scores = class_logits(torch.from_numpy(logits).flatten(0, 1), len(classes)).unflatten(0, (count, -1))
    labels = torch.from_numpy(split.labels)
    if scores.shape[1] == 1:
        probabilities = scores[:, 0].softmax(1)
        loss = functional.cross_entropy(scores[:, 0].double(), labels).item()
    else:
        means = scores.double().softmax(2).mean(1)
        probabilities, loss = means.float(), functional.nll_loss(means.log(), labels).item()
    names = [split.images.name(index) for index in range(count)]
    return Evaluation(classes, split.labels, probabilities.numpy(), names, loss, split.name)


def pictures(images: Tensor) -> NDArray[np.uint8]:
    """uint8 (N, C, H, W), channels last in memory, as (N, H, W, C); no copy."""
    return images.permute(0, 2, 3, 1).numpy()
