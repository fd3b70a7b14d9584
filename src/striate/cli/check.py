"""striate check: look through a data set without training."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.output import Json, print_json, print_table, terminal_width
from striate.cli.panels import OUTPUT
from striate.text_tables import Column, Table, described, wrapped
from striate.units import tally, whole

if TYPE_CHECKING:
    from striate.data import Dataset, Survey

#: What one of the outputs is called.
SINGULAR = {"classes": "class", "labels": "label"}
#: Lines of one kind that are printed; --json lists all.
MOST_LINES = 100


def command(
    source: Annotated[str, typer.Argument(help="Images, as for train.")],
    task: Annotated[
        str | None, typer.Option(help="What a table's labels are: single-label, multi-label or regression.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN[,...]", help="The columns of a table that hold the labels or values."),
    ] = None,
    skipped: Annotated[
        Path | None, typer.Option(help="Write the unreadable files to this CSV.", rich_help_panel=OUTPUT)
    ] = None,
    json: Json = False,
) -> None:
    """Check every image of a data set: what can be read, what cannot and why, how the classes are filled."""
    from striate.data import open_dataset

    dataset = open_dataset(source, memory_limit=0, task=task, target=target)
    if skipped is not None:
        dataset.write_skipped(skipped)
    if json:
        print_json(_as_json(dataset))
        return
    _print(dataset)


def _as_json(dataset: Dataset) -> dict[str, Any]:
    from striate.data.duplicates import contradictions, cross_split_duplicates
    from striate.data.targets import spelt

    survey = dataset.survey
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
        "notes": list(dataset.notes),
        "duplicates": [list(pair) for pair in cross_split_duplicates(dataset, limit=sys.maxsize)],
        "same_pictures": in_full(survey.same_pictures),
        "contradictions": in_full(contradictions(survey.same_pictures)),
        "blank": list(survey.blank),
        "tiny": list(survey.tiny),
        "fingerprint": dataset.fingerprint,
    }


def _counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Images by split and class or label."""
    return {
        split.name: dict(zip(dataset.classes, split.counts(len(dataset.classes)).tolist(), strict=True))
        for split in dataset.splits
    }


def _print(dataset: Dataset) -> None:
    """What a person reads."""
    from striate.data.targets import OUTPUTS, REGRESSION

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
    for line in _notes(dataset, survey):
        print(wrapped(line, width, "  "))


def _value_table(dataset: Dataset) -> Table:
    """Least, mean, greatest and deviation of every value over the images of all splits."""
    import numpy as np

    values = np.concatenate([split.labels for split in dataset.splits])
    columns = [Column("value", right=False, least=16), *map(Column, ("least", "mean", "greatest", "deviation"))]
    figures = zip(dataset.classes, values.min(0), values.mean(0), values.max(0), values.std(0), strict=True)
    return Table(columns, [[name, *(f"{figure:.5g}" for figure in row)] for name, *row in figures])


def _notes(dataset: Dataset, survey: Survey) -> Iterator[str]:
    """What is odd or left out."""
    from striate.data.picture_notes import oddities, oddity_notes

    found = oddities(survey, dataset.classes)
    short = oddity_notes(survey, dataset.classes)  # the lines below say the same in full
    yield from (f"note: {note}" for note in dataset.notes if note not in short)
    for kind, entries in found.items():
        yield from (f"{kind}: {entry}" for entry in entries[:MOST_LINES])
        if len(entries) > MOST_LINES:
            yield f"{kind}: {len(entries) - MOST_LINES:,} more; --json lists all"
    yield from (f"{entry.path}: {entry.reason}; skipped" for entry in dataset.skipped)


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
