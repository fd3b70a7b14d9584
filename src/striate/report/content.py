"""What a report is made from: plain values, filled in by whoever ran the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from striate.training.measured import Measured


class Mistake(NamedTuple):
    """A misclassified image.

    `image` is uint8 (H, W, C); `true` and `predicted` are names of classes, or labels or values in words; `probability`
    is the predicted class's, `true_probability` the true class's, where known.
    """

    image: np.ndarray
    name: str
    true: str
    predicted: str
    probability: float | None
    true_probability: float | None = None


@dataclass(frozen=True)
class ReportContent:
    """Everything a report shows. Only the title is required; what is left empty is left out of the page.

    Args:
        title: the headline, such as the run's name.
        created: when; a date is printed to the minute, a string as it is.
        network: the network's name.
        card: one line about it, such as its paper; an arXiv id in it becomes a link.
        start: what weights it started from, in words.
        frozen: which part was not trained, or not from the first epoch on, in words.
        unfrozen: what of it was trained later, and from when on, in words.
        source: the data, as the user gave it.
        command: the command line that repeats the run; empty where there was none.
        extensions: the command lines that then extended it, in order.
        kept: which weights these are, where they are not those of the best epoch; a sentence.
        stopped_by: what ended the training ("all 20 epochs done", "time limit").
        versions: package to version.
        advice: why it was trained so and not otherwise, as `Advice.to_dict` says it.
        recipe: the whole recipe, nested as in config.json.
        history: rows of metrics.csv: epoch, learning_rate, train_loss, train_accuracy, val_loss,
            val_accuracy, val_top5; numbers or their text, empty or None where missing. Accuracies in [0, 1].
        timing: rows of timing.csv: epoch, seconds of training, validation_seconds, images_per_second, loading_share in
            [0, 1].
        evaluation: the outcome on the split named `split`.
        split: "test", "val" or "train".
        split_sizes: split to class to number of images; of several labels or of values nothing.
        sizes: then split to number of images.
        outputs: then how many labels or values there are, in words.
        worst: mistakes, most confident first; plain tuples of Mistake's first five fields will do.
        worst_of_labels: of several labels those with mistakes, each with its surest ones.
        augmented: pairs (original, augmented versions), uint8 (H, W, C).
        cost: any of parameters, trainable_parameters, multiply_adds, size_bytes, latency_ms (one image),
            latency_setup (how that was measured, in words).
        skipped: files left out: pairs (path, reason), or objects with these two attributes.
        notes: remarks on the data, one line each.
        duplicates: pairs of names, the same image in two splits; a list with a `total` of its own counts more
            than it holds.
        contradictions: one picture under several labels: its places, pairs of name and class.
        differences: why the training loss is not the validation loss of the same network, a clause each.
    """

    title: str
    created: datetime | str = ""
    network: str = ""
    card: str = ""
    start: str = ""
    frozen: str = ""
    unfrozen: str = ""
    source: str = ""
    command: str = ""
    extensions: Sequence[str] = ()
    kept: str = ""
    stopped_by: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    advice: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()
    timing: Sequence[Mapping[str, Any]] = ()
    evaluation: Measured | None = None
    split: str = "test"
    split_sizes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    outputs: str = ""
    worst: Sequence[Mistake | tuple[np.ndarray, str, str, str, float]] = ()
    worst_of_labels: Sequence[tuple[str, Sequence[Mistake]]] = ()
    augmented: Sequence[tuple[np.ndarray, Sequence[np.ndarray]]] = ()
    cost: Mapping[str, Any] = field(default_factory=dict)
    skipped: Sequence[Any] = ()
    notes: Sequence[str] = ()
    duplicates: Sequence[tuple[str, str]] = ()
    contradictions: Sequence[Sequence[tuple[str, str]]] = ()
    differences: Sequence[str] = ()
