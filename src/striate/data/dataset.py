"""A data set that has been checked and split: what `open_dataset` returns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from striate.data.facts import Facts
from striate.data.images import Images
from striate.data.survey import Survey
from striate.data.targets import SINGLE_LABEL, counted
from striate.files import make_folder_of, write_csv
from striate.notebook import Facts as Said
from striate.notebook import Shown, listed
from striate.units import plural, whole


@dataclass(frozen=True, eq=False, repr=False)
class Split(Shown):
    """One part of a data set: `images` and their `labels`, int64 (N,), positions in the classes; see `targets`.

    `facts` are what the check has learnt of the images; None where nobody has looked at them yet.
    """

    name: str
    images: Images
    labels: np.ndarray
    facts: Facts | None = None

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise ValueError(f"{len(self.images)} images with {len(self.labels)} labels in '{self.name}'")
        if self.facts is not None and len(self.facts) != len(self.labels):
            raise ValueError(f"facts of {len(self.facts)} images with {len(self.labels)} labels in '{self.name}'")

    def __len__(self) -> int:
        return len(self.labels)

    def _facts(self) -> Said:
        classes = f" of {plural(len(np.unique(self.labels)), 'class', 'classes')}" if self.labels.ndim == 1 else ""
        return Said({"split": self.name, "images": f"{plural(len(self), 'image')}{classes}"})

    def subset(self, indices: np.ndarray) -> Split:
        """The images and labels at `indices`, in that order."""
        indices = np.asarray(indices, dtype=np.int64)
        facts = None if self.facts is None else self.facts.take(indices)
        return Split(self.name, self.images.subset(indices), self.labels[indices], facts)

    def counts(self, num_classes: int) -> np.ndarray:
        """How many images each class or label has, int64 (num_classes,)."""
        return counted(self.labels, num_classes)


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Shown):
    """A checked data set, split for training.

    Attributes:
        source: the source as the user gave it.
        classes: class names; labels are positions in this tuple. Of other tasks the names of labels or values.
        channels: channels of every image, 1 (grey), 3 (RGB), 4 (RGBA) or more.
        train: the images to learn from; none where a source to evaluate on has no such part.
        val: the images that decide when to stop, or None.
        test: the images that measure the result, or None.
        skipped: what could not be read, with the reason.
        notes: what the user should know about the data, one line each.
        fingerprint: sha256 (hexadecimal) of class names, splits, labels and content; the same wherever
            the data lies and in whatever order its files are listed.
        divided: whether the source itself says which images are for training.
        survey: sizes, formats and oddities of the images; None where nobody has looked.
        task: what the labels are: "single-label", "multi-label" or "regression"; see `striate.data.targets`.
    """

    source: str
    classes: tuple[str, ...]
    channels: int
    train: Split
    val: Split | None
    test: Split | None
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    fingerprint: str
    divided: bool = True
    survey: Survey | None = None
    task: str = SINGLE_LABEL

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits there are, in the order train, val, test."""
        return tuple(split for split in (self.train, self.val, self.test) if split is not None)

    def _facts(self) -> Said:
        sizes = ", ".join(f"{whole(len(split))} {split.name}" for split in self.splits)
        kind = "value" if self.train.labels.dtype.kind == "f" else "class" if self.train.labels.ndim == 1 else "label"
        many = "classes" if kind == "class" else ""
        values = {
            "source": self.source or "images in memory",
            "classes": f"{plural(len(self.classes), kind, many)}: {listed(self.classes)}",
            "images": f"{sizes} images of {plural(self.channels, 'channel')}",
            "skipped": f"{plural(len(self.skipped), 'file')} skipped" if self.skipped else "",
        }
        if kind == "value":  # of which nothing is to be counted
            return Said(values)
        counts = [split.counts(len(self.classes)).tolist() for split in self.splits]
        rows = list(zip(self.classes, *(map(whole, count) for count in counts), strict=True))
        return Said(values, (kind, *(split.name for split in self.splits)), rows)

    def write_skipped(self, path: str | Path) -> Path:
        """Write the skipped files as CSV (path, reason), whole or not at all; only those names when there are none."""
        target = Path(path)
        make_folder_of(target)
        rows = [{"path": entry.path, "reason": entry.reason} for entry in self.skipped]
        return write_csv(target, rows, ("path", "reason"))
