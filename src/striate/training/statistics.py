"""Batch-norm statistics of a network that has hardly been trained.

The statistics that evaluation uses trail behind the weights by some ten steps, and remember longer what they began
with. After a handful of steps they fit the weights so badly that a good network can have a loss of hundreds. While
training is that young they are measured anew before each validation, over a few training batches seen by the weights
as they are (as `torch.optim.swa_utils.update_bn` does for averaged weights). No weight depends on them.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from striate.data import Preprocessing
from striate.training.batches import Batch

#: Training is young until this many times the span over which a batch norm averages: 100 steps at momentum 0.1.
SPANS = 10

#: Training batches over which statistics are measured: about as many as a momentum of 0.1 remembers.
BATCHES = 20


def young(model: nn.Module, step: int) -> bool:
    """Whether some batch norm that trains has not forgotten, after so many optimizer steps, what it began with."""
    return any(step * (layer.momentum or 1.0) < SPANS for layer in _training_norms(model))


@torch.no_grad()
def measure(model: nn.Module, batches: Iterable[Batch], preprocessing: Preprocessing) -> None:
    """Put the mean over `batches` in place of the running statistics of every batch norm that trains.

    No random number is drawn: dropout and its kin stand still. Frozen parts keep their statistics, and the network
    comes back in the mode it was in.
    """
    weights, was_training, layers = next(model.parameters()), model.training, _training_norms(model)
    kept = [(layer.momentum, layer.get_buffer("num_batches_tracked").clone()) for layer in layers]
    model.eval()
    try:
        for layer in layers:
            layer.train()
            layer.reset_running_stats()
            layer.momentum = None  # a plain mean over all batches
        for images, _ in batches:
            model(preprocessing.normalise(images.to(weights.device)).to(weights.dtype))
    finally:
        for layer, (momentum, tracked) in zip(layers, kept, strict=True):
            layer.momentum = momentum
            layer.get_buffer("num_batches_tracked").copy_(tracked)
        model.train(was_training)


def _training_norms(model: nn.Module) -> list[_BatchNorm]:
    """Batch norms whose statistics training moves and evaluation uses: not those of auxiliary heads."""
    was_training = model.training
    model.train()
    norms = [
        layer
        for name, layer in model.named_modules()
        if isinstance(layer, _BatchNorm) and not name.startswith("auxiliary.")
    ]
    moving = [layer for layer in norms if layer.training and layer.track_running_stats]
    model.train(was_training)
    return moving
