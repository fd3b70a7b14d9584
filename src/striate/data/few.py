"""Long lists in a line: the first of them, and how many more there are."""

from __future__ import annotations

from collections.abc import Sequence

#: Of so many a line tells.
LISTED = 5


def few(
    words: Sequence[str], most: int = LISTED, total: int | None = None, separator: str = ", ", kind: str = ""
) -> str:
    """The first words, and how many more of a kind there are, of `total` in all (as many as there are words)."""
    left = (len(words) if total is None else total) - min(len(words), most)
    return separator.join(words[:most]) + (f" and {left:,} more{kind}" if left else "")
