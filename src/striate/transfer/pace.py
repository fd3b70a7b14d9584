"""Pace: how long training would take, from a step of it."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy

from striate.analysis.rows import Row
from striate.data import Preprocessing
from striate.models import Network
from striate.transfer.regimes import FULL, HEAD, TOP, steps_of

#: Images of a step.
BATCH = 4
#: Steps that are measured, but no more than two once they have taken so many seconds: the quickest counts, for whatever
#: else the machine does at the moment only makes them slower, and so does what the first one has to get ready.
STEPS, PATIENCE = 6, 1.5
#: What numbers a precision casts to where it casts.
MIXED = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
#: What the backward pass of a layer costs, in its forward passes.
BACKWARD = 2


@dataclass(frozen=True)
class Pace:
    """Seconds that an image takes when it goes through a network, reading it apart.

    Attributes:
        trained: in a step of training, by regime.
        validated: in a pass that only tells its class.
    """

    trained: Mapping[str, float]
    validated: float

    def of(self, regime: str, epochs: int, images: int, others: int) -> float:
        """Seconds that so many epochs of a regime take, with so many images to train on and others to validate on."""
        return epochs * (images * self.trained[regime] + others * self.validated)


def pace_of(network: Network, look: Preprocessing, rows: tuple[Row, ...], precision: str) -> Pace:
    """How long training would take.

    Training all of a network is measured; for the rest it follows from how much of the work lies in what is trained.

    Args:
        network: with pretrained weights; it stays as it is.
        look: brings images to it.
        rows: of its summary.
        precision: of training, in Fabric's words.
    """
    whole = _of_all(network, look, precision)
    shares = {regime.name: _trained_share(network, rows, regime.name) for regime in (HEAD, TOP, FULL)}
    trained = {name: whole * (1 + BACKWARD * share) / (1 + BACKWARD) for name, share in shares.items()}
    return Pace(trained, whole / (1 + BACKWARD))


def _of_all(network: Network, look: Preprocessing, precision: str) -> float:
    trained = copy.deepcopy(network).to(memory_format=network.memory_format)
    trained.keeps_statistics = True
    trained.train()
    weight = next(trained.parameters())
    x = torch.zeros(BATCH, network.in_channels, *look.size, device=weight.device, dtype=weight.dtype)
    x, labels = x.to(memory_format=network.memory_format), torch.zeros(BATCH, dtype=torch.long, device=weight.device)
    seconds: list[float] = []
    while len(seconds) < 2 or (len(seconds) < STEPS and sum(seconds) < PATIENCE):
        began = time.perf_counter()
        with torch.autocast(weight.device.type, MIXED.get(precision), enabled=precision in MIXED):
            loss = cross_entropy(trained(x), labels)
        loss.backward()
        seconds.append(time.perf_counter() - began)
    return min(seconds) / BATCH


def _trained_share(network: Network, rows: tuple[Row, ...], regime: str) -> float:
    """Of all multiply-adds of a network the share in what a regime trains, on average over its steps."""
    total = max(1, sum(row.multiply_adds for row in rows))
    parts, paths = network.parts(), {id(module): path for path, module in network.named_modules()}
    shares = []
    for until in steps_of(network, regime):
        frozen = () if until is None else network.up_to(until)
        places = tuple(f"{paths[id(parts[name])]}." for name in frozen)
        shares.append(sum(row.multiply_adds for row in rows if not f"{row.name}.".startswith(places)) / total)
    return sum(shares) / len(shares)
