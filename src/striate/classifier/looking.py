"""Networks whose weights are on this machine look at images, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from striate.classifier.choices import preprocessing_for
from striate.classifier.network_choice import accuracy_of, made
from striate.data import Dataset, Preprocessing
from striate.data.targets import SINGLE_LABEL
from striate.engines import evaluating
from striate.models import Network
from striate.models.at_hand import AtHand
from striate.transfer.decision import FAR, kin_of
from striate.transfer.evidence import Evidence, distance_of, gather, looked_at
from striate.transfer.preference import preferred

#: Networks that look at images where none are named, at most.
MOST_NETWORKS = 5
#: Seconds that they may take together; nobody who has less time is kept waiting.
TAKE = 120.0
#: Images that tell whether others than the first shall look: those of ImageNet lie at a tenth of what is far.
GLANCE = 4


class Looked(NamedTuple):
    """A network that has looked at some images.

    Attributes:
        evidence: what it tells of them.
        at_hand: its weights.
        network: that.
        look: brings images to it.
    """

    evidence: Evidence
    at_hand: AtHand
    network: Network
    look: Preprocessing


def look_with(
    networks: Sequence[AtHand],
    dataset: Dataset,
    rows: NDArray[np.int64],
    shown: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> list[Looked]:
    """Let networks look at some of the training images.

    Args:
        networks: their weights.
        dataset: the images.
        rows: which of those to train on, of at least two classes.
        shown: told of each network how many images have gone through it, and of how many.
    """
    found = []
    for at_hand in networks:
        network = made(at_hand, dataset)
        look = preprocessing_for(network, dataset, at_hand.source.input_size)
        told = partial(shown, at_hand.network)
        evidence = gather(network, look, dataset.train, rows, accuracy_of(at_hand.network), told)
        found.append(Looked(evidence, at_hand, network, look))
    return found


def suited(
    first: AtHand, others: Iterable[AtHand], dataset: Dataset, seed: int, tell: Callable[[str], None]
) -> tuple[AtHand, tuple[str, ...]]:
    """Of networks in the order of their accuracy on ImageNet the one to take.

    It is the first, but of images far from ImageNet's, where that accuracy says little, the one that tells some of
    them most clearly (docs/transfer.md).

    Args:
        first: its weights.
        others: those of the rest, asked for where they look.
        dataset: whose training images are looked at.
        seed: decides which of them.
        tell: told what is done, where it takes a while.

    Returns:
        Its weights; and why, where it is not the first of all because of its accuracy.
    """
    rows = looked_at(dataset.train, seed) if dataset.task == SINGLE_LABEL else None
    if rows is None or not _is_far(first, dataset):
        return first, ()
    usable = [first, *others]
    if len(usable) < 2:
        return first, ()
    tell(f"these images look far from ImageNet's, so {len(usable)} networks look at {len(rows)} of them")
    found = look_with(usable, dataset, rows)
    best = preferred([one.evidence for one in found], len(dataset.classes))
    why = f"of {len(usable)} networks that looked at these images {best.network} is preferred"
    return next(one.at_hand for one in found if one.evidence is best), (why,)


def _is_far(at_hand: AtHand, dataset: Dataset) -> bool:
    """Whether training images are far from those of a network's pretraining."""
    network = made(at_hand, dataset)
    look = preprocessing_for(network, dataset, at_hand.source.input_size)
    with evaluating(network):
        far = distance_of(network, look, dataset.train, GLANCE)
    return kin_of(far, 1.0, len(dataset.classes), min(look.size)) is FAR
