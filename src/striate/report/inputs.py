"""What went into a run, as the report prints it: the data and the recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np

from striate.report import words
from striate.report.content import ReportContent
from striate.units import plural

#: Up to this many classes they keep their own order and the confusion matrix is a table of numbers.
FEW_CLASSES = 30
#: Caps on what is printed in full; the page says how much it leaves out.
MOST_CLASSES, MOST_SKIPPED, MOST_REASONS, MOST_DUPLICATES, MOST_PLACES = 1000, 40, 12, 40, 8
SPLIT_WORDS = {"train": "training", "val": "validation", "test": "test"}


def data(content: ReportContent) -> dict[str, Any] | None:
    """Class counts per split, remarks, skipped files by reason, images in two splits or under two labels."""
    counts = _class_counts(content.split_sizes)
    skipped = [_path_and_reason(entry) for entry in islice(content.skipped, MOST_SKIPPED)]
    reasons = Counter(_path_and_reason(entry)[1] for entry in content.skipped).most_common()
    if not (counts or skipped or content.notes or content.duplicates or content.contradictions):
        return None
    return {
        "counts": counts,
        "notes": content.notes,
        "skipped": skipped,
        "skipped_total": len(content.skipped),
        "reasons": reasons[:MOST_REASONS] if len(reasons) < len(content.skipped) else [],
        "reasons_left_out": max(0, len(reasons) - MOST_REASONS),
        "duplicates": list(islice(content.duplicates, MOST_DUPLICATES)),
        "duplicates_total": getattr(content.duplicates, "total", len(content.duplicates)),
        "contradictions": [list(islice(places, MOST_PLACES)) for places in content.contradictions[:MOST_DUPLICATES]],
        "contradictions_total": len(content.contradictions),
    }


def recipe(content: ReportContent) -> list[tuple[str, list[tuple[str, str]]]]:
    """Groups (name, settings): the plain fields first, then each nested group with dotted names inside."""
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    plain = [(key, words.setting(value)) for key, value in content.recipe.items() if not _nested(value)]
    if plain:
        groups.append(("", plain))
    for key, value in content.recipe.items():
        if _nested(value):
            groups.append((key, _flat(value)))
    return groups


def split_word(name: str) -> str:
    """The word for a split: validation for "val"."""
    return SPLIT_WORDS.get(name, name)


def _class_counts(split_sizes: Mapping[str, Mapping[str, int]]) -> dict[str, Any] | None:
    splits = [split for split, counts in split_sizes.items() if sum(counts.values())]
    names = list(dict.fromkeys(name for split in splits for name in split_sizes[split]))
    if not names:
        return None
    rows = [(name, [int(split_sizes[split].get(name, 0)) for split in splits]) for name in names]
    first = [row[1][0] for row in rows]
    if len(rows) > FEW_CLASSES:
        rows.sort(key=lambda row: (-row[1][0], row[0]))
    largest, smallest = int(np.argmax(first)), int(np.argmin(first))
    balance = f"Every class has {plural(first[0], 'image')}"
    if first[largest] != first[smallest]:
        balance = (
            f"From {words.whole(first[smallest])} ({words.short(names[smallest], 40)}) to "
            f"{plural(first[largest], 'image')} ({words.short(names[largest], 40)}) a class"
        )
        if first[smallest] and first[largest] / first[smallest] >= 1.5:
            balance += f", {first[largest] / first[smallest]:.1f} times as many"
    return {
        "splits": [split_word(split) for split in splits],
        "rows": rows[:MOST_CLASSES],
        "left_out": max(0, len(rows) - MOST_CLASSES),
        "largest": [max(row[1][place] for row in rows) for place in range(len(splits))],
        "totals": [sum(split_sizes[split].values()) for split in splits],
        "balance": f"{balance} in the {split_word(splits[0])} split.",
        "many": len(rows) > FEW_CLASSES,
    }


def _path_and_reason(entry: Any) -> tuple[str, str]:
    if hasattr(entry, "path"):
        return str(entry.path), str(entry.reason)
    path, reason = entry
    return str(path), str(reason)


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value)


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        if _nested(value):
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", words.setting(value)))
    return rows
