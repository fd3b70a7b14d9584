"""striate check: look through a data set without training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.output import Json, print_json


def command(
    source: Annotated[str, typer.Argument(help="Images, as for train.")],
    skipped: Annotated[Path | None, typer.Option(help="Write the unreadable files to this CSV.")] = None,
    json: Json = False,
) -> None:
    """Check every image of a data set: what can be read, what cannot and why, how the classes are filled."""
    from striate.data import open_dataset
    from striate.data.duplicates import cross_split_duplicates

    dataset = open_dataset(source)
    duplicates = cross_split_duplicates(dataset)
    if skipped is not None:
        dataset.write_skipped(skipped)
    counts = {
        split.name: dict(zip(dataset.classes, split.counts(len(dataset.classes)).tolist(), strict=True))
        for split in dataset.splits
    }
    if json:
        print_json(
            {
                "source": dataset.source,
                "classes": list(dataset.classes),
                "channels": dataset.channels,
                "images": counts,
                "skipped": [{"path": entry.path, "reason": entry.reason} for entry in dataset.skipped],
                "notes": list(dataset.notes),
                "duplicates": [list(pair) for pair in duplicates],
                "fingerprint": dataset.fingerprint,
            }
        )
        return
    width = max(map(len, dataset.classes))
    print(f"{'':{width}}  " + "  ".join(f"{name:>8}" for name in counts))
    for label in dataset.classes:
        print(f"{label:{width}}  " + "  ".join(f"{count[label]:>8,}" for count in counts.values()))
    for note in dataset.notes:
        print(f"note: {note}")
    for first, second in duplicates:
        print(f"the same image in two splits: {first} and {second}")
    for entry in dataset.skipped:
        print(f"{entry.path}: {entry.reason}; skipped")
