"""Tables and lists of facts as text that fits a width, as Markdown and as CSV.

A table that is wider than it may be loses its least important columns, then the middle of long names, and says so; a
row is never wrapped. Without a width, as in a pipe or a file, it is whole.
"""

from __future__ import annotations

import csv
import io
import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GAP = 2
#: Columns that are left of the last part of a name, or as many as it has.
LEAST_PART = 6


def displayed(text: str) -> int:
    """How many columns of a terminal a line takes: letters of East Asia take two, accents put on others none."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(letter) in "WF" else 0 if unicodedata.combining(letter) else 1
        for letter in text
    )


def shortened(text: str, width: int) -> str:
    """`text` in at most `width` columns, cut in its middle: both ends tell names and paths apart."""
    return _cut(text, width, (width - 1) // 2)


def clipped(text: str, width: int) -> str:
    """`text` in at most `width` columns, without its end where that is too far."""
    return _cut(text, width, width - 1)


def shortened_path(name: str, width: int) -> str:
    """A layer's dotted name in at most `width` columns.

    Their words become, in as many parts from the left as must, a letter and a number: "stages.stage2.down_sample.conv"
    is "s.s2.ds.conv".
    Then the last part loses its middle; where nothing is left of it, the name its beginning.
    """
    *parts, last = name.split(".")
    for place, part in enumerate(parts):
        if displayed(".".join([*parts, last])) <= width:
            break
        parts[place] = "".join(re.sub(r"^([^\W\d])[^\W\d]*", r"\1", word) for word in part.split("_"))
    room = width - displayed(".".join([*parts, ""]))
    return _cut(".".join([*parts, shortened(last, max(room, LEAST_PART))]), width, 0)


def _cut(text: str, width: int, head: int) -> str:
    """`text` itself where it fits, else its first `head` columns, an ellipsis and its last ones."""
    if displayed(text) <= width:
        return text
    start = _beginning(text, head)
    return f"{start}…{_beginning(text[::-1], width - 1 - displayed(start))[::-1]}"


def _beginning(text: str, width: int) -> str:
    text = text[: max(width, 0)]
    while displayed(text) > max(width, 0):
        text = text[:-1]
    return text


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        header: its name.
        right: whether it stands to the right, as figures do.
        rank: 0 for one that is always shown; of the others those of the highest rank are left out first.
        least: to how few characters its cells may be cut; None where they may not.
        cut: how a cell is cut.
    """

    header: str
    right: bool = True
    rank: int = 0
    least: int | None = None
    cut: Callable[[str, int], str] = shortened


@dataclass(frozen=True)
class Table:
    """Rows of cells under columns; `totals` are rows under a rule of their own."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    totals: Sequence[Sequence[str]] = ()

    def text(self, width: int | None = None, *, ruled: bool = True) -> str:
        """The table in at most `width` columns of a terminal, with rules around its header and below its rows."""
        kept = self._fitted(width)
        header, *rows = (self._line(row, kept, width) for row in self._all())
        if ruled:
            rule = "─" * min(_total(kept.values()), width or _total(kept.values()))
            last = len(rows) - len(self.totals)
            return "\n".join([rule, header, rule, *rows[:last], rule, *rows[last:]])
        return "\n".join([header, *rows])

    def left_out(self, width: int | None = None) -> list[tuple[str, str]]:
        """What `text` does not show in `width` columns, and where it does: a pair for `described`, or none."""
        kept, whole = self._fitted(width), self._fitted(None)
        missing = [column.header for place, column in enumerate(self.columns) if place not in kept]
        missing += [f"parts of {self.columns[place].header}" for place in kept if kept[place] < whole[place]]
        if width is not None and _total(kept.values()) > width:
            missing.append("ends of rows")
        said = f"{', '.join(missing)}; {_total(whole.values())} columns or a pipe show all"
        return [("left out", said)] if missing else []

    def fits(self, width: int) -> bool:
        """Whether no column is left out in `width`."""
        return len(self._fitted(width)) == len(self.columns) and _total(self._fitted(width).values()) <= width

    def markdown(self) -> list[str]:
        """The lines of a Markdown table."""
        header, *rows = ([cell.replace("|", "\\|") for cell in row] for row in self._all())
        rule = "|".join("---:" if column.right else "---" for column in self.columns)
        return [f"| {' | '.join(header)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)]

    def _all(self) -> list[Sequence[str]]:
        return [[column.header for column in self.columns], *self.rows, *self.totals]

    def _fitted(self, width: int | None) -> dict[int, int]:
        """The columns that there is room for, by place, and how wide each is."""
        whole = [max(map(displayed, cells)) for cells in zip(*self._all(), strict=True)]
        if width is None or _total(whole) <= width:
            return dict(enumerate(whole))
        least = [
            wide if column.least is None else min(wide, max(column.least, displayed(column.header)))
            for wide, column in zip(whole, self.columns, strict=True)
        ]
        kept: list[int] = []
        for place in sorted(range(len(whole)), key=lambda place: self.columns[place].rank):
            if not self.columns[place].rank or _total([least[place], *(least[other] for other in kept)]) <= width:
                kept.append(place)
        widths = {place: whole[place] for place in sorted(kept)}
        while _total(widths.values()) > width:
            longer = [place for place in widths if widths[place] > least[place]]
            if not longer:
                break  # the terminal is too narrow for a table: its lines will be cut
            widths[max(longer, key=lambda place: widths[place])] -= 1
        return widths

    def _line(self, row: Sequence[str], widths: Mapping[int, int], width: int | None) -> str:
        cells = []
        for place, wide in widths.items():
            cell = self.columns[place].cut(row[place], wide) if displayed(row[place]) > wide else row[place]
            room = " " * (wide - displayed(cell))
            cells.append(room + cell if self.columns[place].right else cell + room)
        line = (" " * GAP).join(cells).rstrip()
        return line if width is None else clipped(line, width)


def _total(widths: Iterable[int]) -> int:
    """How wide columns are side by side."""
    return sum(widths := [*widths]) + GAP * (len(widths) - 1)


def described(pairs: Iterable[tuple[str, str]], width: int | None = None, least: int = 0) -> str:
    """Headings with what is said of them beside, wrapped where there is a `width`; a heading takes `least` columns."""
    pairs = list(pairs)
    widest = max([least, *(displayed(heading) for heading, _ in pairs)])
    indent = " " * (widest + GAP)
    return "\n".join(
        wrapped(f"{heading}{indent[displayed(heading) :]}{said}", width, indent) for heading, said in pairs
    )


def wrapped(text: str, width: int | None, indent: str = "") -> str:
    """One line broken between words, its continuation indented; whole without a width."""
    if width is None or displayed(text) <= width:
        return text.rstrip()
    return textwrap.fill(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def csv_text(records: Sequence[Mapping[str, Any]]) -> str:
    """A line for each record under the names of the first one's values; sizes along several axes are joined by "x"."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(records[0]), lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({name: _csv_cell(value) for name, value in record.items()})
    return stream.getvalue()


def _csv_cell(value: Any) -> Any:
    return "x".join(map(str, value)) if isinstance(value, list) else value
