"""Optimizers by name, with weight decay on the weights that want it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim import Optimizer

from striate.errors import unknown

OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop")


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """Two groups: matrices and kernels with weight decay; biases and normalisation's scales without."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decayed = [parameter for parameter in trained if parameter.ndim > 1]
    spared = [parameter for parameter in trained if parameter.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": spared, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def create_optimizer(
    name: str, groups: Iterable[dict], learning_rate: float, momentum: float, nesterov: bool
) -> Optimizer:
    """Build an optimizer.

    Args:
        name: "sgd" (momentum, Nesterov's if wanted), "adam" (Kingma & Ba, 2015, arXiv:1412.6980; `momentum` is
            beta 1, and weight decay is L2 in the gradient), "adamw" (Loshchilov & Hutter, 2019, arXiv:1711.05101:
            the same, and weight decay takes its share of the weights beside the gradient) or "rmsprop" (Hinton's
            lecture 6e; `momentum` on top).
        groups: parameter groups.
        learning_rate: the rate that the schedule's factor multiplies.
        momentum: see name.
        nesterov: whether SGD looks ahead.

    Raises:
        UsageError: an unknown name.
    """
    if name == "sgd":
        return torch.optim.SGD(groups, learning_rate, momentum=momentum, nesterov=nesterov and momentum > 0, fused=True)
    if name == "adam":
        return torch.optim.Adam(groups, learning_rate, betas=(momentum, 0.999), fused=True)
    if name == "adamw":
        return torch.optim.AdamW(groups, learning_rate, betas=(momentum, 0.999), fused=True)
    if name == "rmsprop":
        return torch.optim.RMSprop(groups, learning_rate, alpha=0.9, eps=1e-7, momentum=momentum, foreach=True)
    raise unknown("optimizer", name, OPTIMIZERS)
