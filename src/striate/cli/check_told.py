"""What `striate check` says of a data set: as text, what matters most first, and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from striate.cli.output import print_table, terminal_width
from striate.text_tables import Column, Table, described, wrapped
from striate.units import tally, whole

if TYPE_CHECKING:
    from striate.data import Dataset, Survey
    from striate.data.checkup import Checkup
    from striate.data.setting_aside import Moved

#: What one of the outputs is called.
SINGULAR = {"classes": "class", "labels": "label"}
#: Lines of one kind that are printed; --json lists all.
MOST_LINES = 100


def as_json(checkup: Checkup, moved: Moved | None) -> dict[str, Any]:
    """All that was found, and what was set aside, for a program."""
    from striate.data.duplicates import contradictions, cross_split_duplicates
    from striate.data.targets import spelt

    dataset, survey = checkup.dataset, checkup.dataset.survey
    assert survey is not None

    def in_full(groups: Any) -> list[list[dict[str, str]]]:
        return [
            [{"name": name, "split": split, "class": spelt(label, dataset.classes)} for split, name, label in places]
            for places in groups
        ]

    return {
        "source": dataset.source,
        "task": dataset.task,
        "classes": list(dataset.classes),
        "channels": dataset.channels,
        "images": _counts(dataset),
        "formats": survey.formats,
        "sizes": asdict(survey.sizes),
        "file_channels": survey.file_channels,
        "bit_depths": survey.bit_depths,
        "skipped": [{"path": entry.path, "reason": entry.reason} for entry in dataset.skipped],
        "notes": [*dataset.notes, *checkup.notes],
        "duplicates": [list(pair) for pair in cross_split_duplicates(dataset, limit=sys.maxsize)],
        "same_pictures": in_full(survey.same_pictures),
        "contradictions": in_full(contradictions(survey.same_pictures)),
        "blank": list(survey.blank),
        "tiny": list(survey.tiny),
        "counts": checkup.counts,
        "findings": checkup.to_dict(),
        "network": checkup.network or None,
        "set_aside": None if moved is None else {"folder": str(moved.folder), "files": list(moved.files)},
        "fingerprint": dataset.fingerprint,
    }


def _counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Images by split and class or label."""
    return {
        split.name: dict(zip(dataset.classes, split.counts(len(dataset.classes)).tolist(), strict=True))
        for split in dataset.splits
    }


def print_checkup(checkup: Checkup) -> None:
    """Print what a person reads."""
    from striate.data.targets import OUTPUTS, REGRESSION

    dataset = checkup.dataset
    counts, survey, width = _counts(dataset), dataset.survey, terminal_width()
    assert survey is not None
    if dataset.task == REGRESSION:
        print_table(_value_table(dataset))
    else:
        columns = [Column(SINGULAR[OUTPUTS[dataset.task]], right=False, least=16)]
        rows = [[label, *(whole(count[label]) for count in counts.values())] for label in dataset.classes]
        print_table(Table([*columns, *map(Column, counts)], rows))
    print()
    print(described(_what_they_are(survey, dataset.channels), width))
    for line in _notes(checkup):
        print(wrapped(line, width, "  "))


def _value_table(dataset: Dataset) -> Table:
    """Least, mean, greatest and deviation of every value over the images of all splits."""
    import numpy as np

    values = np.concatenate([split.labels for split in dataset.splits])
    columns = [Column("value", right=False, least=16), *map(Column, ("least", "mean", "greatest", "deviation"))]
    figures = zip(dataset.classes, values.min(0), values.mean(0), values.max(0), values.std(0), strict=True)
    return Table(columns, [[name, *(f"{figure:.5g}" for figure in row)] for name, *row in figures])


def _notes(checkup: Checkup) -> Iterator[str]:
    """What is to be known, then what is amiss, what matters most first."""
    from striate.data.finding import KINDS
    from striate.data.findings import notes_beside

    yield from (f"note: {note}" for note in [*notes_beside(checkup.dataset), *checkup.notes])
    for kind, count in checkup.counts.items():
        words = KINDS[kind].words
        yield from (f"{words}: {entry.text}" for entry in checkup.of(kind)[:MOST_LINES])
        if count > MOST_LINES:
            yield f"{words}: {count - MOST_LINES:,} more; --json lists all"
    if checkup.network:
        yield f"labels were looked at with the features of {checkup.network}"


def _what_they_are(survey: Survey, channels: int) -> Iterator[tuple[str, str]]:
    """Formats, sizes, channels and bit depths of the images in words."""
    from striate.data.survey import size_text

    sizes = survey.sizes
    yield "format", _shares(survey.formats)
    if sizes.different == 1:
        yield "size", f"{size_text(sizes.commonest)} (height x width)"
    else:
        yield (
            "size",
            f"{size_text(sizes.commonest)} (height x width; {sizes.with_commonest:,} of {sizes.images:,}), "
            f"smallest {size_text(sizes.smallest)}, largest {size_text(sizes.largest)}, {sizes.different:,} sizes",
        )
    yield "channels", f"{_shares(survey.file_channels)} in the files, {channels} for the network"
    yield "bit depth", _shares(survey.bit_depths)


def _shares(counts: Mapping[Any, int]) -> str:
    """The values, with how often each occurs where there are several."""
    if len(counts) == 1:
        return str(next(iter(counts)))
    return tally(counts)
