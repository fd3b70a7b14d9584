"""One pass over a split: probabilities, labels and loss, in the weights' own precision and in evaluation mode."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from striate.data import Preprocessing
from striate.training.batches import Batches
from striate.training.losses import class_logits
from striate.training.metrics import Evaluation


@torch.inference_mode()
def evaluate(model: nn.Module, batches: Batches, preprocessing: Preprocessing, classes: tuple[str, ...]) -> Evaluation:
    """Measure a network on the images of `batches`; the network comes back in the mode it was in.

    Returns:
        Probabilities (N, K), the labels and the mean cross-entropy without label smoothing.
    """
    weights = next(model.parameters())
    was_training = model.training
    model.eval()
    try:
        inputs = (preprocessing.normalise(images.to(weights.device)) for images, _ in batches.epoch())
        logits = torch.cat([model(images.to(weights.dtype)).float().cpu() for images in inputs])
    finally:
        model.train(was_training)
    logits = class_logits(logits, len(classes))
    labels = torch.from_numpy(batches.split.labels)
    loss = functional.cross_entropy(logits.double(), labels).item()
    names = [batches.split.images.name(index) for index in range(len(labels))]
    return Evaluation(classes, labels.numpy(), logits.softmax(1).numpy(), names, loss, batches.split.name)
