"""Pace: how long training would take, from a step or two of it."""

from __future__ import annotations

import copy
import time

import torch
from torch.nn.functional import cross_entropy

from striate.data import Preprocessing
from striate.models import Network
from striate.transfer.regimes import frozen_until

#: Images of a step, and steps that are measured after a first one.
BATCH, STEPS = 8, 2


def seconds_an_image(network: Network, look: Preprocessing, regime: str) -> float:
    """Seconds that training takes for each image that is seen, reading it apart.

    Args:
        network: with pretrained weights; it stays as it is.
        look: brings images to it.
        regime: "head", "top" or "full".
    """
    trained = copy.deepcopy(network).to(memory_format=network.memory_format)
    trained.keeps_statistics = True
    until = frozen_until(trained, regime)
    if until is not None:
        trained.freeze(until)
    trained.train()
    weight = next(trained.parameters())
    x = torch.zeros(BATCH, network.in_channels, *look.size, device=weight.device, dtype=weight.dtype)
    x, labels = x.to(memory_format=network.memory_format), torch.zeros(BATCH, dtype=torch.long, device=weight.device)
    best = float("inf")
    for _ in range(1 + STEPS):
        began = time.perf_counter()
        cross_entropy(trained(x), labels).backward()
        best = min(best, time.perf_counter() - began)
    return best / BATCH
