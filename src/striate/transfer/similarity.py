"""How like images are to those that a network was trained on, which it remembers in its batch norms.

A batch norm keeps mean and variance of what its channels saw in training. Images of the same kind give much the same
again; others do not, the less the nearer a layer is to their own pixels. So the distance of the two tells how far a
data set lies from the training data without a look at that (Li et al., 2016, arXiv:1603.04779, use the same statistics
to bring a network to other images).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@torch.inference_mode()
def distance(network: nn.Module, images: Tensor) -> float:
    """How far the activations of images lie from those of the training data.

    Of each channel of each batch norm what it is fed now and what it was fed in training are taken for two normal
    distributions; their divergence (Kullback and Leibler) is averaged over the middle half of a layer's channels and
    then over the layers.

    Args:
        network: in evaluation mode.
        images: normalised, (N, C, H, W).

    Returns:
        Nats: near 0 for images like those of the training, above 1 for images of another kind; NaN where the network
        has no batch norm that keeps statistics.
    """
    found: list[float] = []

    def look(norm: _BatchNorm, given: tuple[Tensor, ...]) -> None:
        found.append(_divergence(given[0].movedim(1, -1).flatten(0, -2).float(), norm))

    handles = [norm.register_forward_pre_hook(look) for norm in _norms(network)]
    try:
        network(images)
    finally:
        for handle in handles:
            handle.remove()
    return sum(found) / len(found) if found else math.nan


def _norms(network: nn.Module) -> Iterator[_BatchNorm]:
    """Batch norms that keep statistics."""
    for module in network.modules():
        if isinstance(module, _BatchNorm) and module.running_mean is not None:
            yield module


def _divergence(x: Tensor, norm: _BatchNorm) -> float:
    """Of what a layer's channels see now, (all values, C), from what they saw: the mean of the middle half of them."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    mean = x.mean(0)
    variance = (x - mean).square_().sum(0) / (len(x) - 1) + norm.eps  # x.var does not make use of channels-last
    kept = norm.running_var + norm.eps
    ratio = variance / kept
    found = 0.5 * (ratio - 1 - ratio.log() + (mean - norm.running_mean).square() / kept)
    ordered = found.sort().values
    quarter = len(ordered) // 4
    return float(ordered[quarter : len(ordered) - quarter].mean())
