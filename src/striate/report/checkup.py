"""The page of a check: what is amiss with a data set, with pictures, sorted by what matters; one HTML file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from striate.data.checkup import Checkup
from striate.data.decode import UnreadableImage
from striate.data.finding import KINDS, LABEL_ERROR, Finding
from striate.data.findings import notes_beside
from striate.data.survey import Place, size_text
from striate.data.targets import OUTPUTS, REGRESSION, spelt
from striate.files import make_folder_of, write_atomically
from striate.report import words
from striate.report.pictures import Picture, thumbnail
from striate.units import plural, tally

#: Findings of one kind that are shown, pictures of one finding, and classes that are counted.
MOST_SHOWN, MOST_PICTURES, MOST_CLASSES = 60, 6, 100


def write_checkup(path: str | Path, checkup: Checkup) -> Path:
    """Write the page to `path`, whole or not at all, and return the path.

    Raises:
        StriateError: the file cannot be written.
    """
    path = Path(path)
    make_folder_of(path)
    return write_atomically(path, render(checkup).encode("utf-8", "replace"))


def render(checkup: Checkup) -> str:
    """The page as text. The same checkup gives the same text."""
    from striate.report.build import environment

    return (
        environment()
        .get_template("checkup.html")
        .render(
            source=checkup.dataset.source,
            facts=_facts(checkup),
            grave=plural(len(checkup.grave), "grave finding"),
            is_grave=bool(checkup.grave),
            total=plural(len(checkup.findings), "finding"),
            sections=_sections(checkup),
            notes=[*notes_beside(checkup.dataset), *checkup.notes],
            counts=_counts(checkup),
        )
    )


def _facts(checkup: Checkup) -> list[tuple[str, str]]:
    """What the images are."""
    dataset, survey = checkup.dataset, checkup.dataset.survey
    assert survey is not None
    sizes = survey.sizes
    splits = ", ".join(f"{words.whole(len(split))} {split.name}" for split in dataset.splits)
    shape = size_text(sizes.commonest)
    if sizes.different > 1:
        shape += f" and {sizes.different - 1:,} others, {size_text(sizes.smallest)} to {size_text(sizes.largest)}"
    found = [
        ("Images", splits),
        ("Outputs", f"{len(dataset.classes):,} {OUTPUTS[dataset.task]}"),
        ("Formats", tally(survey.formats)),
        ("Sizes", f"{shape} (height x width)"),
        ("Channels", f"{tally(survey.file_channels)} in the files"),
        ("Bit depths", tally(survey.bit_depths)),
    ]
    return [*found, ("Labels seen by", checkup.network)] if checkup.network else found


def _sections(checkup: Checkup) -> list[dict[str, Any]]:
    """The findings by kind, what matters most first, with their pictures."""
    shown = _pictures(checkup)
    sections = []
    for kind, count in checkup.counts.items():
        entries = [_entry(checkup, entry, shown) for entry in checkup.of(kind)[:MOST_SHOWN]]
        sections.append(
            {
                "kind": kind,
                "title": KINDS[kind].words[0].upper() + KINDS[kind].words[1:],
                "why": KINDS[kind].why,
                "grave": KINDS[kind].grave,
                "count": count,
                "entries": entries,
                "left_out": count - len(entries),
                "several": any(len(entry["pictures"]) > 1 for entry in entries),
                "pictured": any(entry["pictures"] for entry in entries),
            }
        )
    return sections


def _entry(checkup: Checkup, entry: Finding, shown: Callable[[Place], Picture | None]) -> dict[str, Any]:
    classes, figures = checkup.dataset.classes, entry.figures
    pictures = [
        {
            "picture": shown(place),
            "split": place.split,
            "label": spelt(place.label, classes),
            "name": place.name.removeprefix(f"{checkup.dataset.source.rstrip('/')}/"),
        }
        for place in entry.places[:MOST_PICTURES]
    ]
    return {
        "text": entry.text,
        "pictures": pictures,
        "left_out": len(entry.places) - len(pictures),
        "suggested": figures.get("suggested", ""),
        "probability": figures.get("probability"),
        "own": figures.get("own"),
        "likeness": figures.get("likeness"),
        "mirrored": figures.get("mirrored", False),
        "remark": "" if entry.kind == LABEL_ERROR else _remark(entry),
    }


def _remark(entry: Finding) -> str:
    """What the text says beside the name of the one image that it is about."""
    return entry.text.removeprefix(entry.places[0].name).strip(" ()") if len(entry.places) == 1 else ""


def _pictures(checkup: Checkup) -> Callable[[Place], Picture | None]:
    """What makes a thumbnail of the image that lies somewhere; none of one that has gone."""
    rows = {
        (split.name, split.images.name(row)): (split, row)
        for wanted in [{place[:2] for entry in checkup.findings for place in entry.places}]
        for split in checkup.dataset.splits
        for row in range(len(split))
        if (split.name, split.images.name(row)) in wanted
    }
    made: dict[tuple[str, str], Picture | None] = {}

    def shown(place: Place) -> Picture | None:
        key = place[:2]
        if key not in made:
            split, row = rows[key]
            try:
                made[key] = thumbnail(split.images.read(row))
            except UnreadableImage:
                made[key] = None
        return made[key]

    return shown


def _counts(checkup: Checkup) -> dict[str, Any] | None:
    """Images of each class and split, the classes in their own order."""
    dataset = checkup.dataset
    if dataset.task == REGRESSION:
        return None
    counts = [split.counts(len(dataset.classes)).tolist() for split in dataset.splits]
    rows = list(zip(dataset.classes, zip(*counts, strict=True), strict=True))
    return {
        "splits": [split.name for split in dataset.splits],
        "rows": rows[:MOST_CLASSES],
        "largest": [max(1, *count) for count in counts],
        "left_out": max(0, len(rows) - MOST_CLASSES),
    }
