"""WebDataset's shards: tar files in which `KEY.jpg` and `KEY.cls` or `KEY.json` belong together.

A key is a member's path up to the first dot of its name (github.com/webdataset/webdataset). The class is what `.cls`
says, else a column of the JSON object; numbers have the names of a `classes.txt` beside the shards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from striate.data.archives import Archive, Member
from striate.data.asked import NOTHING, Asked
from striate.data.class_names import with_names
from striate.data.csv_file import Table
from striate.data.dataset import Skipped
from striate.data.decode import is_read
from striate.data.images import printable
from striate.data.listing import Listing
from striate.data.metadata_files import table_of
from striate.data.split_names import split_and_rest
from striate.data.table import LABEL_COLUMNS, list_tables
from striate.data.table_targets import WORD_COLUMNS
from striate.data.tree import Place
from striate.data.walk import Walk

#: Endings of members that hold a class in words or as a number.
_CLASS = ("cls", "cls.txt", "label", "label.txt")
#: What the columns of the tables made of shards are called.
PATH, LABEL = "file_name", "label"
#: Members that are looked at to tell whether a tar file is a shard.
_LOOKED_AT = 200


@dataclass
class Sample:
    """The members of one key, by their endings."""

    image: Member | None = None
    label: Member | None = None
    described: Member | None = None


def is_shard(archive: Archive, asked: Asked = NOTHING) -> bool:
    """Whether the members of an archive belong together as WebDataset's do, with labels among them."""
    labels = {*LABEL_COLUMNS, *WORD_COLUMNS, "cls", *asked.target}
    samples = _samples(islice(Walk().files(archive.root), _LOOKED_AT))
    whole = [sample for sample in samples.values() if sample.image is not None]
    if any(sample.label is not None for sample in whole):
        return True
    try:
        described = next((_described(sample) for sample in whole if sample.described is not None), {})
    except (OSError, ValueError, RecursionError):
        return False
    return not labels.isdisjoint(described)


def key_of(inner: str) -> tuple[str, str]:
    """The key of a member, and its ending in lower case: ("a/b", "seg.png") of "a/b.seg.png"."""
    folder, slash, name = inner.rpartition("/")
    base, _, ending = name.partition(".")
    return f"{folder}{slash}{base}", ending.lower()


def list_shards(archives: Sequence[Archive], folder: Place, asked: Asked = NOTHING) -> Listing:
    """List the images of shards; a shard's split is said by its name.

    Args:
        archives: the shards, in order.
        folder: where names of classes may lie.
        asked: what the caller says of the labels.

    Raises:
        StriateError: no labels.
        UsageError: there is no column of a name that was asked for.
    """
    splits = {archive.shown: split_and_rest(archive.root.stem)[0] for archive in archives}
    tables = [_table(archive) for archive in archives]

    def split_in(table: Table, image: Place) -> str | None:
        return splits[image.archive.shown] if isinstance(image, Member) else None

    listed = list_tables(tables, PATH, printable(archives[0].shown), asked, split_in)
    notes = tuple(note for archive in archives for note in archive.notes)
    skipped = tuple(entry for archive in archives for entry in archive.skipped)
    listed = replace(listed, notes=notes + listed.notes, skipped=skipped + listed.skipped)
    return with_names(listed, folder)


def _table(archive: Archive) -> Table:
    """The samples of a shard as a table of their paths, labels and what their JSON objects say."""
    samples = _samples(Walk().files(archive.root))
    rows: list[tuple[int, dict[str, Any]]] = []
    skipped = []
    for number, (key, sample) in enumerate(samples.items(), 1):
        if sample.image is None:
            if sample.label is not None:
                skipped.append(Skipped(printable(f"{archive.shown}/{key}"), "the sample has no image"))
            continue
        try:
            rows.append((number, {**_described(sample), PATH: sample.image.inner}))
        except (OSError, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            skipped.append(Skipped(printable(sample.image), f"its label cannot be read: {reason}"))
    return table_of(archive.root / "sample", rows, skipped)


def _samples(members: Iterable[Member]) -> dict[str, Sample]:
    """The members by their keys; of several pictures of a key the first."""
    samples: dict[str, Sample] = {}
    for member in members:
        key, ending = key_of(member.inner)
        sample = samples.setdefault(key, Sample())
        if is_read(f".{ending.rpartition('.')[2]}"):
            sample.image = sample.image or member
        elif ending in _CLASS:
            sample.label = sample.label or member
        elif ending == "json":
            sample.described = member
    return samples


def _described(sample: Sample) -> dict[str, Any]:
    """What is said of a sample. Raises OSError or ValueError where it cannot be read."""
    said: dict[str, Any] = {}
    if sample.described is not None:
        found = json.loads(sample.described.read_bytes())
        if not isinstance(found, dict):
            raise ValueError("its JSON is no object")
        said = {"label" if name == "cls" else name: value for name, value in found.items()}
    if sample.label is not None:
        said[LABEL] = sample.label.read_bytes().decode("utf-8").strip()
    return said
