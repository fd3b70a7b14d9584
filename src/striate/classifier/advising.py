"""Advice: which network and how much of it to train, with the evidence, before anything is trained."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from striate.classifier.choices import SMALL, preprocessing_for, typical_side_of
from striate.classifier.places import open_place
from striate.classifier.transfer_choice import MOST_WORK, accuracy_of, is_imagenets, work_of
from striate.data import Dataset
from striate.data.targets import SINGLE_LABEL
from striate.errors import UsageError, unknown
from striate.models import Network, create_model
from striate.models.at_hand import AtHand, weights_at_hand
from striate.notebook import Facts, Shown
from striate.transfer.decision import Decision, decide, expected, is_unlike
from striate.transfer.evidence import Evidence, gather
from striate.transfer.pace import seconds_an_image
from striate.transfer.regimes import recipe_of
from striate.units import percent

#: Networks that are looked at where none are named, and images that each of them looks at, at most.
MOST_NETWORKS, MOST_IMAGES = 5, 500
#: Images of which fewer tell nothing.
FEWEST = 8


@dataclass(frozen=True)
class Plan:
    """What a regime would come to.

    Attributes:
        regime: one of `striate.transfer.regimes.REGIMES`.
        accuracy: to be expected, in [0, 1].
        seconds: that it takes.
    """

    regime: str
    accuracy: float
    seconds: float


@dataclass(frozen=True, eq=False, repr=False)
class Advice(Shown):
    """What to do with a data set, and why.

    Attributes:
        source: the data set as it was called.
        images: to train on.
        classes: names.
        counts: images of each class, int64 (K,).
        side: the longer side of a typical image, pixels; None where nobody has looked.
        evidence: of each network, that with the highest forecast first.
        plans: what each regime of the first network would come to.
        decision: the regime that suits, and why.
        weights: the file of the first network's weights.
    """

    source: str
    images: int
    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    side: int | None
    evidence: tuple[Evidence, ...]
    plans: tuple[Plan, ...]
    decision: Decision
    weights: Path

    @property
    def best(self) -> Evidence:
        """Of the network that is advised."""
        return self.evidence[0]

    @property
    def is_unlike(self) -> bool:
        """Whether the images are unlike those of the best network's pretraining."""
        return is_unlike(self.best.distance)

    @property
    def command(self) -> str:
        """What does as advised."""
        place = self.source or "FOLDER"
        words = ["striate", "train", place, "--weights", str(self.weights), "--transfer", self.decision.regime]
        return shlex.join(words)

    def _facts(self) -> Facts:
        values = {
            "advice": f"{self.decision.regime} of {self.best.network}",
            "why": self.decision.why,
            "forecast": ", ".join(f"{plan.regime} {percent(plan.accuracy, 1)}" for plan in self.plans),
        }
        columns = ("network", "ImageNet", "images", "probe", "nearest", "forecast")
        rows = [
            (
                one.network,
                percent(one.imagenet, 1) if math.isfinite(one.imagenet) else "–",
                one.images,
                percent(one.probe.accuracy, 1),
                percent(float(one.probe.nearest.mean()), 1),
                percent(one.forecast.accuracy, 1),
            )
            for one in self.evidence
        ]
        return Facts(values, columns, rows)

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain values."""
        return {
            "source": self.source,
            "images": self.images,
            "classes": dict(zip(self.classes, self.counts.tolist(), strict=True)),
            "side": self.side,
            "networks": [_plain(one) for one in self.evidence],
            "regimes": [vars(plan) for plan in self.plans],
            "unlike": self.is_unlike,
            "choice": {"network": self.best.network, "weights": str(self.weights), **self.decision._asdict()},
            "command": self.command,
        }


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
    found: list[tuple[Evidence, AtHand, Network]] = []
    for at_hand in _networks(dataset, models):
        network = _made(at_hand, dataset)
        look = preprocessing_for(network, dataset, at_hand.source.input_size)
        told = partial(shown, at_hand.network)
        evidence = gather(network, look, dataset.train, rows, accuracy_of(at_hand) or math.nan, told)
        found.append((evidence, at_hand, network))
    found.sort(key=lambda one: -one[0].forecast.accuracy)
    best, at_hand, network = found[0]
    images, classes = len(dataset.train), len(dataset.classes)
    return Advice(
        source=str(dataset.source),
        images=images,
        classes=tuple(dataset.classes),
        counts=dataset.train.counts(classes),
        side=typical_side_of(dataset),
        evidence=tuple(evidence for evidence, _, _ in found),
        plans=tuple(_plans(best, network, at_hand, dataset)),
        decision=decide(images, classes, best.distance),
        weights=at_hand.path,
    )


def _rows(dataset: Dataset, seed: int) -> NDArray[np.int64]:
    """The training images that are looked at: of each class as large a share as it has of all.

    Raises:
        UsageError: they are not for this, or too few.
    """
    if dataset.task != SINGLE_LABEL:
        raise UsageError(f"{dataset.source}: advice is for images of one class each, not for several labels or values.")
    rows = np.random.default_rng(seed).permutation(len(dataset.train))[:MOST_IMAGES]
    if len(rows) < FEWEST or len(np.unique(dataset.train.labels[rows])) < 2:
        raise UsageError(
            f"{dataset.source}: {len(dataset.train)} images of {len(np.unique(dataset.train.labels))} classes say "
            f"nothing of how they are told apart; it takes {FEWEST} images of two classes."
        )
    return np.sort(rows)


def _networks(dataset: Dataset, names: Sequence[str]) -> list[AtHand]:
    """The networks that look at the images: those that are named, else the most accurate of those at hand."""
    side, here = typical_side_of(dataset), weights_at_hand()
    if names:
        by_name = {at_hand.network: at_hand for at_hand in reversed(here)}
        missing = [name for name in names if name not in by_name]
        if missing:
            raise unknown("weights of", missing[0], by_name, "`striate weights list` shows how to get them.")
        return [by_name[name] for name in dict.fromkeys(names)]
    usable = [at_hand for at_hand in here if is_imagenets(at_hand) and work_of(at_hand) * MOST_IMAGES <= MOST_WORK]
    usable.sort(key=lambda at_hand: -accuracy_of(at_hand))
    others = [at_hand for at_hand in here if not is_imagenets(at_hand) and at_hand.source.input_size <= SMALL]
    chosen = usable[:MOST_NETWORKS]
    if side is not None and side <= SMALL:  # networks that were trained on small images see these at their own size
        chosen = [*usable[: MOST_NETWORKS - len(others[:2])], *others[:2]]
    if not chosen:
        raise UsageError("no pretrained weights are on this machine; `striate weights fetch mobilenet_v2` brings some.")
    return chosen


def _made(at_hand: AtHand, dataset: Dataset) -> Network:
    with torch.random.fork_rng(devices=()):
        return create_model(
            at_hand.network,
            weights=at_hand.path,
            **{**at_hand.options, "in_channels": dataset.channels},
        ).eval()


def _plans(best: Evidence, network: Network, at_hand: AtHand, dataset: Dataset) -> list[Plan]:
    """What each regime of a network would come to, from the least trained on."""
    look = preprocessing_for(network, dataset, at_hand.source.input_size)
    images, side = len(dataset.train), typical_side_of(dataset)
    plans = [Plan("features", best.forecast.accuracy, best.seconds)]
    for regime in ("head", "top", "full"):
        recipe = recipe_of(regime, images, side is not None and side <= SMALL)
        assert recipe is not None
        seconds = best.seconds + recipe.epochs * images * seconds_an_image(network, look, regime)
        foretold = expected(regime, best.forecast.accuracy, images / len(dataset.classes), best.distance)
        plans.append(Plan(regime, foretold, seconds))
    return plans


def _plain(one: Evidence) -> dict[str, Any]:
    low, high = one.probe.interval
    return {
        "network": one.network,
        "imagenet_top1": one.imagenet if math.isfinite(one.imagenet) else None,
        "images": one.images,
        "stages": {
            name: {
                "accuracy": probe.accuracy,
                "interval": list(probe.interval),
                "nearest": float(probe.nearest.mean()),
            }
            for name, probe in one.probes.items()
        },
        "accuracy": one.probe.accuracy,
        "interval": [low, high],
        "forecast": {
            "accuracy": one.forecast.accuracy,
            "interval": list(one.forecast.interval),
            "images": one.forecast.images,
        },
        "distance": one.distance if math.isfinite(one.distance) else None,
        "seconds": one.seconds,
    }
