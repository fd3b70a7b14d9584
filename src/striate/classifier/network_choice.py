"""Which pretrained network of those on this machine is taken where none is named."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch

from striate.analysis import summary
from striate.data import Dataset
from striate.models import Network, create_model, get_card
from striate.models.accuracy import accuracies
from striate.models.at_hand import AtHand, weights_at_hand
from striate.models.imagenet import imagenet_names
from striate.weights.store import locate

#: The network that is fetched where no weights are at hand: small, quick and good.
USUAL_NETWORK = "mobilenet_v2"
#: Multiply-adds that features of all images may take together: about a minute on two processor cores.
MOST_WORK = 4e12


def is_imagenets(at_hand: AtHand) -> bool:
    """Whether weights know ImageNet's thousand classes."""
    return at_hand.source.num_classes == len(imagenet_names())


def accuracy_of(network: str) -> float:
    """A network's published top-1 on ImageNet, with whichever weights; NaN where none is known."""
    return max((found.value for found, _ in accuracies(get_card(network))), default=math.nan)


def work_of(at_hand: AtHand) -> float:
    """Multiply-adds for one image, about."""
    side = at_hand.source.input_size
    with torch.device("meta"):  # no weight is made
        network = create_model(at_hand.network, **at_hand.options)
    return float(summary(network, (network.in_channels, side, side)).multiply_adds)


def by_accuracy(images: int) -> Iterator[AtHand]:
    """The networks whose ImageNet weights are on this machine and that are not too slow for so many images.

    The most accurate on ImageNet is the first: that says best how well a network transfers to photographs (Kornblith et
    al., 2019, arXiv:1805.08974). Where all are too slow, the quickest is the only one. What a network costs is counted
    when it comes to that, which takes a moment.
    """
    rated = {at_hand.network: at_hand for at_hand in reversed(weights_at_hand()) if is_imagenets(at_hand)}
    work: dict[str, float] = {}
    for name in sorted(rated, key=_rank, reverse=True):
        work[name] = work_of(rated[name])
        if work[name] * images <= MOST_WORK:
            yield rated[name]
    if rated and min(work.values()) * images > MOST_WORK:
        yield rated[min(work, key=lambda name: work[name])]


def _rank(network: str) -> float:
    """Its accuracy on ImageNet, where none is known below all others."""
    accuracy = accuracy_of(network)
    return -math.inf if math.isnan(accuracy) else accuracy


def usual_network() -> tuple[str, str | Path]:
    """The network that describes images where none is named, and its weights: the most accurate on this machine.

    Raises:
        StriateError: none are here, and the usual ones cannot be fetched.
    """
    for at_hand in by_accuracy(1):
        return at_hand.network, at_hand.path
    source = get_card(USUAL_NETWORK).weights[0]
    locate(source)
    return USUAL_NETWORK, source.name


def made(at_hand: AtHand, dataset: Dataset) -> Network:
    """A network with its pretrained weights, for a data set's channels."""
    with torch.random.fork_rng(devices=()):
        options = {**at_hand.options, "in_channels": dataset.channels}
        return create_model(at_hand.network, weights=at_hand.path, **options).eval()
