"""What the user should know about a data set before training on it, one line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from striate.caller import either
from striate.data.dataset import Split
from striate.data.few import few

#: The largest class over the smallest, above which a set is called unbalanced.
IMBALANCE = 5
#: How the note begins that says so.
UNBALANCED = "unbalanced:"
#: Images in a class, below which they are called few.
FEW_IMAGES = 10


def class_notes(train: Split, classes: Sequence[str]) -> list[str]:
    """Notes on imbalance and on classes with few training images."""
    counts = train.counts(len(classes))
    present = np.flatnonzero(counts)
    notes = []
    if len(present):
        largest = int(present[counts[present].argmax()])
        smallest = int(present[counts[present].argmin()])
        if counts[largest] > IMBALANCE * counts[smallest]:
            ratio = counts[largest] / counts[smallest]
            mend = either("--balance weights", 'balance="weights"')
            notes.append(
                f"{UNBALANCED} '{classes[largest]}' has {counts[largest]:,} training images, "
                f"'{classes[smallest]}' {counts[smallest]:,} ({ratio:.1f} times fewer); "
                f"so that rare ones are not missed, train with {mend}"
            )
    every = np.flatnonzero(counts == len(train)) if train.labels.ndim > 1 and len(train) else np.empty(0, int)
    if len(every):
        listed = few([f"'{classes[label]}'" for label in every.tolist()])
        notes.append(f"every training image has {listed}, so nothing is to be learnt of that")
    small = np.flatnonzero((counts > 0) & (counts < FEW_IMAGES))
    if len(small):
        listed = few([f"'{classes[label]}' ({counts[label]})" for label in small.tolist()])
        notes.append(f"fewer than {FEW_IMAGES} training images: {listed}")
    return notes


def absent_notes(splits: Sequence[Split], classes: Sequence[str]) -> list[str]:
    """Notes on classes of which a split has no images, though it has others."""
    notes = []
    for split in splits:
        absent = np.flatnonzero(split.counts(len(classes)) == 0)
        if len(split) and len(absent):
            listed = few([f"'{classes[label]}'" for label in absent.tolist()])
            notes.append(f"{split.name} has no images of {listed}")
    return notes


def split_note(given: Sequence[str], made: Mapping[str, int], sizes: Mapping[str, int], seed: int, by: str) -> str:
    """How the images came to be divided, with the number in each split; `by` is what was cut by."""
    order = [name for name in ("train", "val", "test") if name in sizes]
    listed = ", ".join(f"{sizes[name]:,} {name}" for name in order)
    if not made:
        how = "as the source divides them" if len(given) > 1 else "not divided"
    else:
        cut = " and ".join(name for name in order if name in made)
        rest = f", {' and '.join(given[1:])} as in the source" if len(given) > 1 else ""
        how = f"{cut} cut from train by {by} with seed {seed}{rest}"
    return f"images: {listed} ({how})"
