"""`open_dataset`: from whatever the user points at to a checked and split data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from striate.data.asked import Asked, column_names, demand_targets
from striate.data.check import CheckedPart, check_parts
from striate.data.dataset import Dataset, Split
from striate.data.division import divide, fingerprint
from striate.data.images import printable
from striate.data.kept import MEMORY_LIMIT
from striate.data.listing import Listing, Part, alike_note, relabel
from striate.data.notes import absent_notes, class_notes
from striate.data.picture_notes import picture_notes
from striate.data.readers import list_source
from striate.data.surveying import survey_of
from striate.data.targets import REGRESSION, SINGLE_LABEL
from striate.errors import StriateError, UsageError, nearest


def open_dataset(
    source: str | Path,
    *,
    seed: int = 0,
    val_fraction: float = 0.1,
    test_fraction: float = 0.0,
    channels: int | None = None,
    cache: str | Path | None = None,
    workers: int | None = None,
    classes: Sequence[str] | None = None,
    memory_limit: int | None = None,
    task: str | None = None,
    target: str | Sequence[str] | None = None,
    remember: bool = False,
    empty_classes: bool = False,
) -> Dataset:
    """Open, check and split a set of labelled images.

    Args:
        source: a folder with one folder per class (or with `train`, `val`, `test` above them), or with a table
            `metadata.csv`, `.jsonl` or `.parquet`, or with lists `train.txt` and kin; a CSV file, a text list of paths
            and labels, a Parquet file or a folder of them, IDX files or their folder; a zip or tar file of any of
            these, read in place, or WebDataset's shards (a folder, or `train-{000..127}.tar`); the address (http,
            https) of such a file; or the name `digits`, `mnist`, `fashion_mnist`, `cifar10` or `cifar100`. A string
            that is exactly such a name is the name; a folder called so is opened as `./digits`, or as a `Path`.
        seed: decides which images are held out.
        val_fraction: share of all images cut off the training images for validation, by class, where the
            source has no validation split; 0 for none.
        test_fraction: the same for testing; 0 for none.
        channels: channels of every image; None for 1 when all are grey, else 3.
        cache: folder of the named data sets and of what is fetched or unpacked; None for STRIATE_CACHE, else
            ~/.cache/striate.
        workers: threads that check the images; None for one per processor.
        classes: the classes of a model, in its order, to evaluate it: the source may lack some, not add any, and may
            lack a train split, which is then empty.
        memory_limit: bytes of decoded pictures that are kept in memory, so that a small set is decoded once;
            a larger set stays in its files, as pictures in larger Parquet files do. None for 1 GiB, 0 to keep nothing.
        task: what a table's labels are: "single-label", "multi-label" (words with |, ; or , between, or columns of 0
            and 1; a list in Parquet) or "regression" (numbers); None for what the columns look like.
        target: the columns of the labels, as a list or with commas; None for those that are called so.
        remember: keep, in the cache folder, what was learnt of image files, and do not read those again that have not
            changed since (see `striate.data.remembered`).
        empty_classes: take a class that has no image to train on, too: for checking, not for training.

    Raises:
        StriateError: the source is missing, or holds nothing that can be learnt from.
        UsageError: an impossible fraction or number of channels, an unknown task or column.
    """
    for name, fraction in (("val_fraction", val_fraction), ("test_fraction", test_fraction)):
        if not 0 <= fraction < 1:
            raise UsageError(f"{name} is a share from 0 to below 1, not {fraction}")
    if val_fraction + test_fraction >= 1:
        raise UsageError(f"val_fraction {val_fraction} and test_fraction {test_fraction} leave none to train on")
    if channels is not None and channels < 1:
        raise UsageError(f"channels is 1, 3, 4 or the number of bands, not {channels}")
    where = printable(source)
    asked = Asked(task, column_names(target), tuple(classes or ()), empty_classes)
    listing = _list_source(source, cache, asked, memory_limit)
    listing = _to_learn(listing, where) if classes is None else _to_measure(relabel(listing, classes, where))
    checked = check_parts(listing.parts, channels, workers, memory_limit, remember)
    _demand_images(where, checked.parts)
    to_learn = classes is None
    if to_learn and listing.task == SINGLE_LABEL and not empty_classes:
        _demand_classes(where, listing.classes, checked.parts)
    elif to_learn and listing.task != SINGLE_LABEL:
        demand_targets(where, listing.task, listing.classes, checked.parts["train"].labels)

    notes = [*listing.notes, *checked.notes]
    splits = {name: Split(name, part.images, part.labels, part.facts) for name, part in checked.parts.items()}
    if to_learn:
        notes += alike_note(listing.classes)
        notes += [] if listing.task == REGRESSION else absent_notes(list(splits.values()), listing.classes)
    splits, uncut, division = divide(splits, {"test": test_fraction, "val": val_fraction}, seed)
    notes += uncut
    survey = survey_of([splits[name] for name in ("train", "val", "test") if name in splits])
    if to_learn or listing.divided:
        notes.append(division)
    if to_learn and listing.task != REGRESSION:
        notes += class_notes(splits["train"], listing.classes)
    notes += picture_notes(survey, listing.classes, checked.channels)
    return Dataset(
        source=where,
        classes=listing.classes,
        channels=checked.channels,
        train=splits["train"],
        val=splits.get("val"),
        test=splits.get("test"),
        skipped=listing.skipped + tuple(entry for part in checked.parts.values() for _, entry in part.skipped),
        notes=tuple(notes),
        fingerprint=fingerprint(listing.classes, splits),
        divided=listing.divided,
        survey=survey,
        task=listing.task,
    )


def _to_learn(listing: Listing, where: str) -> Listing:
    """The listing, where it has what training needs: images for it, and two classes."""
    if "train" not in listing.parts:
        raise StriateError(
            f"{where} holds {' and '.join(listing.parts)} images, but none to train on: put those to train on into a "
            "part called train, or give one of the parts alone"
        )
    if listing.task == SINGLE_LABEL and len(listing.classes) < 2:
        found = f"one class only, '{listing.classes[0]}'" if listing.classes else "no classes"
        raise StriateError(f"{where} holds {found}; a classifier needs two at least{listing.hint}")
    return listing


def _to_measure(listing: Listing) -> Listing:
    """The listing with a train part, an empty one where it has none."""
    if "train" in listing.parts or not listing.parts:
        return listing
    some = next(iter(listing.parts.values()))
    return replace(listing, parts={"train": Part(some.items[:0], [], some.labels[:0]), **listing.parts})


def _list_source(source: str | Path, cache: str | Path | None, asked: Asked, memory_limit: int | None) -> Listing:
    listing = list_source(source, cache, asked, MEMORY_LIMIT if memory_limit is None else memory_limit)
    if asked.target and not listing.table:
        raise UsageError(
            f"{printable(source)} has no columns, so target cannot name one; it is for tables, as CSV and Parquet are"
        )
    if asked.task not in (None, listing.task):
        raise UsageError(
            f"{printable(source)} gives each image one class; the task {asked.task} needs a table or a list"
        )
    return listing


def _demand_images(where: str, parts: Mapping[str, CheckedPart]) -> None:
    """Raise StriateError where there is no image at all."""
    if not any(len(part.labels) for part in parts.values()):
        skipped = [entry for part in parts.values() for _, entry in part.skipped]
        if not skipped:
            raise StriateError(f"{where} holds no images")
        raise StriateError(f"{where}: no image can be read; the first: {skipped[0].path}: {skipped[0].reason}")


def _demand_classes(where: str, classes: Sequence[str], parts: Mapping[str, CheckedPart]) -> None:
    """Raise StriateError where a class has no image to learn from."""
    counts = {name: np.bincount(part.labels, minlength=len(classes)) for name, part in parts.items()}
    empty = np.flatnonzero(counts["train"] == 0)
    if not len(empty):
        return
    label = int(empty[0])
    more = f" (and {len(empty) - 1} more classes)" if len(empty) > 1 else ""
    if first := parts["train"].reason_for(label):
        raise StriateError(
            f"{where}: class '{classes[label]}' has no readable image{more}; the first: {first.path}: {first.reason}"
        )
    elsewhere = " and ".join(f"{name} ({count[label]:,})" for name, count in counts.items() if count[label])
    known = [name for name, count in zip(classes, counts["train"], strict=True) if count]
    raise StriateError(
        f"{where}: class '{classes[label]}' has no training images{more}, only images in {elsewhere or 'no split'}; "
        f"train holds {', '.join(map(repr, known[:10]))}{', …' * (len(known) > 10)}: add some to train, or take the "
        f"class out.{nearest(classes[label], known)}"
    )
