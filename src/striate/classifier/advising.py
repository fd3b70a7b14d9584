"""Advice: which network and how much of it to train, with the evidence, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from striate.classifier.advice import Advice
from striate.classifier.choices import typical_side_of
from striate.classifier.looking import MOST_NETWORKS, look_with
from striate.classifier.network_choice import by_accuracy, is_imagenets
from striate.classifier.places import open_place
from striate.data import Dataset
from striate.data.preprocessing import SMALL
from striate.data.targets import SINGLE_LABEL
from striate.errors import UsageError, unknown
from striate.models.at_hand import AtHand, weights_at_hand
from striate.transfer.decision import decide
from striate.transfer.evidence import FEWEST, MOST_IMAGES, Evidence, looked_at
from striate.transfer.preference import preferred


def advise(
    source: str | Path | Dataset,
    models: Sequence[str] = (),
    *,
    seed: int = 0,
    shown: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> Advice:
    """Find out which network, and how much of it to train, suits a data set; nothing is trained.

    Each network whose weights are on this machine looks at up to 500 of the training images. Linear classifiers of
    what its stages and its last layer see of them, each image judged by one that was fitted to the others, say how
    much it knows already; from how that grows with the number of images follows what a classifier of all features
    would reach. The statistics in its batch norms say how like the images are to those of its pretraining, and both
    with the number of images how much of it to train.

    Args:
        source: what `open_dataset` takes, or a data set.
        models: names of networks; by default the five most accurate on ImageNet whose weights are on this machine.
        seed: decides which images are looked at.
        shown: told of each network how many images have gone through it, and of how many.

    Returns:
        The evidence and the choice.

    Raises:
        UsageError: images of another task than one class each, or of fewer than two classes; a network without weights
            on this machine.
        StriateError: no weights are on this machine.
    """
    dataset = source if isinstance(source, Dataset) else open_place(source, seed=seed)
    rows = _rows(dataset, seed)
    found = look_with(_networks(dataset, models), dataset, rows, shown)
    order = _in_order([one.evidence for one in found], len(dataset.classes))
    found = [found[place] for place in order]
    best, at_hand, network, look = found[0]
    return Advice.on(
        dataset,
        [one.evidence for one in found],
        network,
        look,
        decide(len(dataset.train), len(dataset.classes), best.distance, best.side, best.forecast.accuracy),
        str(at_hand.path),
    )


def _in_order(found: Sequence[Evidence], classes: int) -> list[int]:
    """The places of networks: first of the one that is advised, then by what is forecast."""
    first = preferred(found, classes)
    return sorted(range(len(found)), key=lambda place: (found[place] is not first, -found[place].forecast.accuracy))


def _rows(dataset: Dataset, seed: int) -> NDArray[np.int64]:
    """The training images that are looked at.

    Raises:
        UsageError: they are not for this, or too few.
    """
    if dataset.task != SINGLE_LABEL:
        raise UsageError(f"{dataset.source}: advice is for images of one class each, not for several labels or values.")
    rows = looked_at(dataset.train, seed)
    if rows is None:
        raise UsageError(
            f"{dataset.source}: {len(dataset.train)} images of {len(np.unique(dataset.train.labels))} classes say "
            f"nothing of how they are told apart; it takes {FEWEST} images of two classes."
        )
    return rows


def _networks(dataset: Dataset, names: Sequence[str]) -> list[AtHand]:
    """The networks that look at the images: those that are named, else the most accurate of those at hand."""
    side, here = typical_side_of(dataset), weights_at_hand()
    if names:
        by_name = {at_hand.network: at_hand for at_hand in reversed(here)}
        missing = [name for name in names if name not in by_name]
        if missing:
            raise unknown("weights of", missing[0], by_name, "`striate weights list` shows how to get them.")
        return [by_name[name] for name in dict.fromkeys(names)]
    chosen = list(islice(by_accuracy(MOST_IMAGES), MOST_NETWORKS))
    others = [at_hand for at_hand in here if not is_imagenets(at_hand) and at_hand.source.input_size <= SMALL]
    if side is not None and side <= SMALL:  # networks that were trained on small images see these at their own size
        chosen = [*chosen[: MOST_NETWORKS - len(others[:2])], *others[:2]]
    if not chosen:
        raise UsageError("no pretrained weights are on this machine; `striate weights fetch mobilenet_v2` brings some.")
    return chosen
