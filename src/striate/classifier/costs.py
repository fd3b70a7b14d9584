"""What a network costs on one image, whoever wrote it."""

from __future__ import annotations

import torch

from striate.analysis import summary
from striate.analysis.summaries import Summary
from striate.data import Preprocessing
from striate.errors import StriateError
from striate.models import Network


def costs_of(network: Network, look: Preprocessing) -> Summary:
    """The summary of a network on one image as it sees them, but for training's memory.

    One that reads its own values is run on real ones.
    """
    image = torch.empty((1, network.in_channels, *look.size), device="meta")
    try:
        return summary(network, inputs=image, training=False)
    except StriateError:
        if not network.spec.origin:
            raise
        return summary(network, inputs=torch.zeros(image.shape), device="cpu", training=False)
