"""A data set as a grid: some of its images with their labels, as they are or as a policy hands them to a network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from striate.augment import Augment
from striate.augment.colour import principal_axes
from striate.data import Dataset, Preprocessing
from striate.data.channel_statistics import colour_covariance
from striate.data.preprocessing import SMALL
from striate.data.survey import typical_side
from striate.data.targets import spelt
from striate.report.contact_sheet import Cell
from striate.report.input_sheet import on_paper
from striate.training.batches import Batches

#: Images that are shown, and how many in a row.
SHOWN, ACROSS = 24, 6


def batch_sheet(dataset: Dataset, policy: Augment, side: int, seed: int = 0) -> list[list[Cell]]:
    """Rows of training images, spread over the classes as they are over the data set, with the names of their labels.

    Args:
        dataset: the images.
        policy: how they are augmented; one that changes nothing shows them as they are.
        side: pixels a side of each cell; smaller images are enlarged to it, pixel by pixel.
        seed: decides which images are shown, and what chance does to them.
    """
    rows = np.random.default_rng(seed).permutation(len(dataset.train))[:SHOWN]
    rows = rows[np.argsort(_first_label(dataset.train.labels[rows]), kind="stable")]
    chosen = dataset.train.subset(rows)
    axes = principal_axes(colour_covariance(chosen.images)) if policy.pca and dataset.channels == 3 else None
    batches = Batches(
        replace(chosen, labels=np.arange(len(rows))),
        _look(dataset, side),
        len(rows),
        policy,
        seed,
        classes=len(rows),
        axes=axes,
    )
    batch = next(batches.epoch(0))
    whose = batch.labels.numpy() if batch.labels.ndim == 1 else batch.labels.argmax(1).numpy()
    images = batch.images.permute(0, 2, 3, 1).numpy()
    cells = [
        Cell(_label(dataset, int(rows[place])), on_paper(images[number], side))
        for place, number in sorted((int(place), number) for number, place in enumerate(whose))
    ]
    return [cells[first : first + ACROSS] for first in range(0, len(cells), ACROSS)]


def _look(dataset: Dataset, side: int) -> Preprocessing:
    """Small images at their own size, whole; others at that of a cell."""
    known = dataset.train.facts
    usual = max(dataset.train.images.read(0).shape[:2]) if known is None else typical_side(known.sizes)
    small = usual <= SMALL
    size, ones = (usual, usual) if small else (side, side), (1.0,) * dataset.channels
    return Preprocessing(size, dataset.channels, ones, ones, "stretch" if small else "crop", 1.0)


def _first_label(labels: np.ndarray) -> np.ndarray:
    return labels if labels.ndim == 1 else labels.argmax(1)


def _label(dataset: Dataset, row: int) -> str:
    label = dataset.train.labels[row]
    return spelt(int(label) if label.ndim == 0 else tuple(label.tolist()), dataset.classes)
