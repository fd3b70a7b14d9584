"""How objects show themselves where they are looked at: in one short line, and in a notebook as a table of HTML."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: Characters of a line at most, of one value in it, and of one name in a list of some.
LONGEST, LONGEST_VALUE, LONGEST_NAME = 300, 100, 24
#: Names of a list that are written out, and rows of a table in a notebook.
NAMED, ROWS = 5, 60


@dataclass(frozen=True)
class Facts:
    """What is to be said of an object.

    Attributes:
        values: words for each fact, by what it is about; a line has only the words.
        columns: headers of the table that follows in a notebook; none where there is no table.
        rows: the cells of that table.
    """

    values: Mapping[str, str]
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = field(default_factory=tuple)


class Shown(ABC):
    """What says its `_facts` shows itself."""

    @abstractmethod
    def _facts(self) -> Facts:
        """What is to be said of it."""

    def __repr__(self) -> str:
        words = [clipped(" ".join(value.split()), LONGEST_VALUE) for value in self._facts().values.values() if value]
        kind = type(self).__name__
        return f"{kind}({clipped('; '.join(words), LONGEST - len(kind) - 2)})"

    def _repr_html_(self) -> str:
        facts = self._facts()
        values = [(name, value) for name, value in facts.values.items() if value]
        parts = [f"<p><strong>{html.escape(type(self).__name__)}</strong></p>", table((), values)]
        if facts.columns:
            parts.append(table(facts.columns, facts.rows))
        return f"<div>{''.join(parts)}</div>"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table of HTML, every word escaped; of many rows the first, and a line on how many more there are."""
    lines = []
    if columns:
        cells = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
        lines.append(f"<thead><tr>{cells}</tr></thead>")
    lines.append("<tbody>")
    for row in rows[:ROWS]:
        lines.append(f"<tr>{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in row)}</tr>")
    lines.append("</tbody>")
    left = len(rows) - ROWS
    more = f"<p>and {left:,} more {'row' if left == 1 else 'rows'}</p>" if left > 0 else ""
    return f"<table>{''.join(lines)}</table>{more}"


def listed(names: Sequence[str], most: int = NAMED) -> str:
    """The first of some names, each short, and how many more there are."""
    words = ", ".join(clipped(name, LONGEST_NAME) for name in names[:most])
    return words + (f" and {len(names) - most:,} more" if len(names) > most else "")


def clipped(text: str, length: int) -> str:
    """`text` in at most so many characters."""
    return text if len(text) <= length else text[: length - 1] + "…"
