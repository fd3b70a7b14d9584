"""The last layer of a network as a shallow classifier: given the weights of one that was fitted to its features."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from striate.errors import StriateError
from striate.models import Network
from striate.transfer.shallow import Shallow

#: How far the outputs of the network may lie from those of the classifier on the same features, as a share of the
#: largest: engines and PyTorch differ by as much.
TOLERANCE = 1e-3


class UnfitHead(StriateError):
    """A head that no linear classifier can take the place of."""


def is_linear(network: Network) -> bool:
    """Whether the last layer is dense, or a convolution of one pixel, with a weight of its own.

    Libraries have kinds of their own of both; whether theirs do what the plain ones do, `check_head` tells.
    """
    layer = network.last_layer
    if "weight" not in dict(layer.named_parameters(recurse=False)):  # made of others, as by weight normalisation
        return False
    return not isinstance(layer, nn.Conv2d) or (layer.kernel_size == (1, 1) and layer.groups == 1)


def has_bias(network: Network) -> bool:
    """Whether the last layer has one."""
    return getattr(network.last_layer, "bias", None) is not None


@torch.no_grad()
def put_in_head(network: Network, classifier: Shallow) -> None:
    """Give the last layer of a network the weights of a classifier of its features.

    Raises:
        UnfitHead: it is no linear layer.
    """
    layer = network.last_layer
    if not is_linear(network):
        raise UnfitHead(
            f"{network.spec.name} ends in a layer of the kind {type(layer).__name__}, whose place no linear classifier "
            "can take (--transfer head trains it)"
        )
    weight = layer.get_parameter("weight")
    weight.copy_(torch.from_numpy(classifier.weight).view_as(weight))
    if has_bias(network):
        layer.get_parameter("bias").copy_(torch.from_numpy(classifier.bias))


def check_head(name: str, outputs: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """How far what a network gives lies from what the classifier in its head gives of the features that were kept.

    Args:
        name: the network's.
        outputs: logits (N, K) of some pictures by the network itself.
        expected: the classifier's, of their features.

    Raises:
        UnfitHead: too far: between its features and its outputs the network does more than its last layer.
    """
    largest = max(float(np.abs(expected).max(initial=0)), 1e-12)
    off = float(np.abs(outputs - expected).max(initial=0)) / largest
    if not off <= TOLERANCE:
        raise UnfitHead(
            f"{name}: with a classifier of its features in its head it gives other outputs than that classifier (they "
            f"differ by {off:.2g} of the largest; --transfer head trains it)"
        )
    return off
