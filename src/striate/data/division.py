"""How a data set is divided into splits, and the fingerprint by which a division is known again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from striate.data.dataset import Dataset, Split
from striate.data.duplicates import content_digests
from striate.data.notes import split_note
from striate.data.targets import MULTI_LABEL, REGRESSION, SINGLE_LABEL, as_bytes, held_out, kind_of

#: Of what each part gets the same share.
STRATA = {SINGLE_LABEL: "class", MULTI_LABEL: "label", REGRESSION: "value"}


def divide(
    splits: Mapping[str, Split], shares: Mapping[str, float], seed: int
) -> tuple[dict[str, Split], tuple[str, ...], str]:
    """Cut the splits that are not there off the training images, by class, label or value.

    Args:
        splits: those there are, "train" among them.
        shares: of all images, for each split by name, in the order of cutting; 0 for none.
        seed: decides which images are cut off.

    Returns:
        The splits; a line for each that could not be cut; and how the images are divided, in a line.
    """
    given = [name for name in ("train", "val", "test") if name in splits and len(splits[name])]
    divided, total, stratum = dict(splits), len(splits["train"]), STRATA[kind_of(splits["train"].labels)]
    made, notes = {}, []
    for name, share in shares.items():
        train = divided["train"]
        if name in splits or not share or not total:
            continue
        kept, held = held_out(train.labels, share * total / len(train), seed)
        if not len(held):
            notes.append(f"no {name} split: {total:,} images are too few to cut {share:.0%} off by {stratum}")
            continue
        divided[name], divided["train"] = replace(train.subset(held), name=name), train.subset(kept)
        made[name] = len(held)
    sizes = {name: len(split) for name, split in divided.items()}
    return divided, tuple(notes), split_note(given, made, sizes, seed, stratum)


def divide_again(dataset: Dataset, val_fraction: float, seed: int) -> Dataset:
    """A data set with validation images cut off where it has none, as `open_dataset` does with these values."""
    splits, _, _ = divide({split.name: split for split in dataset.splits}, {"val": val_fraction}, seed)
    again = fingerprint(dataset.classes, splits)
    return replace(dataset, train=splits["train"], val=splits.get("val"), fingerprint=again)


def fingerprint(classes: Sequence[str], splits: Mapping[str, Split]) -> str:
    """Sha256 over classes, splits, labels and contents; images count as a set, so no order matters."""
    total = hashlib.sha256()
    for name in classes:
        encoded = name.encode("utf-8", "surrogatepass")
        total.update(len(encoded).to_bytes(8, "little") + encoded)
    for name in sorted(splits):
        split, digests = splits[name], content_digests(splits[name])
        total.update(name.encode() + len(digests).to_bytes(8, "little"))
        records = [label + digest for label, digest in zip(as_bytes(split.labels), digests, strict=True)]
        for record in sorted(records):
            total.update(record)
    return total.hexdigest()
