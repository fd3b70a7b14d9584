"""The data doctor: everything that can be found out about a data set before anything is trained on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from striate.caller import either
from striate.classifier.choices import preprocessing_for
from striate.classifier.network_choice import by_accuracy, made
from striate.data import Dataset, Split, open_dataset
from striate.data.checkup import Checkup
from striate.data.finding import LABEL_ERROR, ODD, Finding
from striate.data.findings import findings, in_order
from striate.data.survey import Place
from striate.data.targets import SINGLE_LABEL
from striate.data.whole import Whole
from striate.errors import StriateError
from striate.models.at_hand import AtHand
from striate.units import percent

#: Images whose labels are looked at, at most, unless more are asked for; of more some are drawn.
MOST_IMAGES = 20_000

#: What is told of each step: its name, how many images are done, of how many.
Shown = Callable[[str, int, int], None]


def check(
    source: str | Path | Dataset,
    *,
    task: str | None = None,
    target: str | None = None,
    near: bool = True,
    labels: bool = True,
    label_images: int = MOST_IMAGES,
    seed: int = 0,
    shown: Shown = lambda step, done, total: None,
) -> Checkup:
    """Find out what is amiss with a data set: files, sizes, copies, leaks, classes, and labels that look wrong.

    Every image is read once. Near duplicates are found by perceptual hashes. Likely label errors and odd ones out are
    told by the features of the most accurate pretrained network on this machine that is not too slow for so many
    images; without one they are not looked for, which the notes say.

    Args:
        source: what `open_dataset` takes, or a data set.
        task: as for `open_dataset`.
        target: as for `open_dataset`.
        near: whether near duplicates are looked for.
        labels: whether wrong labels and odd ones are.
        label_images: among how many images at most; of more so many are drawn.
        seed: decides which, and the parts of cross-validation.
        shown: told how far each step is.

    Raises:
        StriateError: the source is missing, or holds nothing that can be learnt from.
    """
    dataset = source if isinstance(source, Dataset) else _opened(source, task, target)
    found = findings(dataset, near, lambda done, total: shown("comparing", done, total))
    if not labels:
        return Checkup(dataset, found)
    rows, notes = _looked_at(dataset, label_images, seed)
    at_hand = next(by_accuracy(len(rows)), None) if rows is not None else None
    if rows is None or at_hand is None:
        return Checkup(dataset, found, notes=tuple(notes) or (_no_weights(),))
    try:
        found += _by_features(dataset, at_hand, rows, seed, shown)
    except StriateError as error:  # a file that has gone since, a network that these images cannot be given to
        return Checkup(dataset, found, notes=(*notes, f"wrong labels and odd ones were not looked for: {error}"))
    return Checkup(dataset, in_order(found), at_hand.network, tuple(notes))


def _opened(source: str | Path, task: str | None, target: str | None) -> Dataset:
    return open_dataset(source, memory_limit=0, task=task, target=target, empty_classes=True)


def _looked_at(dataset: Dataset, most: int, seed: int) -> tuple[NDArray[np.int64] | None, list[str]]:
    """The images whose labels are looked at, numbered over all splits, and what is to be said of it."""
    from striate.transfer.label_errors import FEWEST

    unlooked = "wrong labels and odd ones were not looked for:"
    if dataset.task != SINGLE_LABEL:
        return None, [f"{unlooked} that is for images of one class each"]
    every = np.concatenate([split.labels for split in dataset.splits])
    if (np.bincount(every, minlength=1) >= FEWEST).sum() < 2:
        return None, [f"{unlooked} it takes {FEWEST} images of each of two classes"]
    if len(every) <= most:
        return np.arange(len(every)), []
    rows = np.sort(np.random.default_rng(seed).permutation(len(every))[:most])
    more = either("--label-images N", "label_images=N")
    return rows, [f"wrong labels and odd ones: {most:,} of {len(every):,} images were looked at; {more} takes others"]


def _no_weights() -> str:
    return (
        "wrong labels and odd ones were not looked for: no pretrained weights are on this machine; "
        "`striate weights fetch mobilenet_v2` brings some"
    )


def _by_features(dataset: Dataset, at_hand: AtHand, rows: NDArray[np.int64], seed: int, shown: Shown) -> list[Finding]:
    """Likely label errors and odd ones among some images."""
    from striate.transfer.features import Extractor
    from striate.transfer.odd_ones import odd_ones

    network = made(at_hand, dataset)
    extractor = Extractor(network, preprocessing_for(network, dataset, at_hand.source.input_size))
    whole, start, done = Whole(dataset.splits), 0, 0
    taken: list[NDArray[np.float32]] = []
    chosen: list[NDArray[np.int64]] = []
    for split in dataset.splits:
        inside = rows[(rows >= start) & (rows < start + len(split))] - start
        told = partial(_told, shown, done, len(rows))
        taken.append(extractor.take(_subset(split, inside), shown=told).of())
        chosen.append(split.labels[inside])
        start, done = start + len(split), done + len(inside)
    features, labels = np.concatenate(taken), np.concatenate(chosen)
    return [
        *_wrong(dataset, whole, rows, features, labels, seed),
        *(_odd(whole.place(int(rows[row])), off) for row, off in odd_ones(features, seed)),
    ]


def _told(shown: Shown, before: int, total: int, done: int, part: int) -> None:
    shown("looking at", before + done, total)


def _subset(split: Split, rows: NDArray[np.int64]) -> Split:
    return split if len(rows) == len(split) else split.subset(rows)


def _wrong(
    dataset: Dataset,
    whole: Whole,
    rows: NDArray[np.int64],
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    seed: int,
) -> Iterator[Finding]:
    from striate.transfer.label_errors import label_errors, out_of_fold

    probabilities = out_of_fold(features, labels, len(dataset.classes), seed)
    for entry in label_errors(probabilities, labels):
        place = whole.place(int(rows[entry.row]))
        own, other = dataset.classes[int(labels[entry.row])], dataset.classes[entry.suggested]
        text = f"{place.name} ({own} {percent(entry.own, 0)}, {other} {percent(entry.probability, 0)})"
        figures = {
            "suggested": other,
            "probability": round(entry.probability, 4),
            "own": round(entry.own, 4),
        }
        yield Finding(LABEL_ERROR, text, (place,), figures)


def _odd(place: Place, off: float) -> Finding:
    return Finding(ODD, f"{place.name} ({off:.0f} deviations off)", (place,), {"deviations": round(off, 2)})
