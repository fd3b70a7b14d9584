"""An experiment: a question, who answered it, and the runs that answer it again, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from striate.data import Dataset


@dataclass(frozen=True, kw_only=True)
class Step:
    """One run of an experiment.

    Attributes:
        name: what its row and its run folder are called.
        does: what is done, in words.
        claim: the accuracy that the experiment's source reports, in [0, 1]; None where it reports none.
        epochs: passes over as many images as the source had.
        full: the source's own number of them.
        train: keywords for `striate.train`.
        start: the step from whose run it starts; empty where it starts from none.
        missing: why it cannot be done, in a line; empty where it can.
    """

    name: str
    does: str
    claim: float | None = None
    epochs: int
    full: int
    train: Mapping[str, Any] = field(default_factory=dict)
    start: str = ""
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a caller asks of an experiment; what is left open is the experiment's to decide.

    Attributes:
        source: the images.
        model: the network that pretrained steps use.
        weights: its weights: a name on its card, a run or a file.
        epochs: of every step, instead of its own.
        full: whether every step has the source's epochs.
        size: side of the images that the networks see, pixels.
        seed: decides split, first weights, order and augmentations.
    """

    source: str | Path
    model: str | None = None
    weights: str | Path | None = None
    epochs: int | None = None
    full: bool = False
    size: int | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A question and the runs that answer it.

    Attributes:
        name: what the command line calls it.
        question: what it asks.
        source: whose experiment it is.
        conditions: what the source's figures were measured on.
        steps: the runs, in order, as the source has them.
        images: opens the images that are asked for; raises UsageError where they do not suit.
        filled: the steps as they are to be run on these images, with all that `striate.train` must be told.
    """

    name: str
    question: str
    source: str
    conditions: str
    steps: Sequence[Step]
    images: Callable[[Asked], Dataset]
    filled: Callable[[Asked, Dataset], Sequence[Step]]
