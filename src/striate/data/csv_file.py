"""A CSV file as rows of cells by column."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass

from striate.data.dataset import Skipped
from striate.data.images import printable
from striate.data.table_splits import Row
from striate.data.tree import Place
from striate.errors import StriateError


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a table: `columns` by their names in lower case with _ for spaces, `skipped` what is no row.

    Paths in it are taken from the folder that `path`, the table itself, lies in.
    """

    path: Place
    columns: dict[str, str]
    rows: list[Row]
    skipped: tuple[Skipped, ...] = ()


def read_csv(path: Place) -> Table:
    """The rows of a CSV file (comma, semicolon, tab or bar; UTF-8, or UTF-16 with its mark) with a header.

    Raises:
        StriateError: it is no text, no CSV, or has two columns of one name.
    """
    where = printable(path)
    try:
        lines = io.StringIO(_decode(path.read_bytes()), newline="")
        head = lines.readline()
        if head.strip().strip('"').lower().startswith("sep="):  # Excel's own line
            head = lines.readline()
        start = lines.tell() - len(head)
        lines.seek(start)
        reader = csv.DictReader(lines, delimiter=max(",;\t|", key=head.count), restval="")
        names = [(name.strip().lower().replace(" ", "_"), name) for name in reader.fieldnames or [] if name.strip()]
        columns = dict(names)
        if len(columns) < len(names):
            twice = next(name for name, count in Counter(name for name, _ in names).items() if count > 1)
            raise StriateError(f"{where} has two columns '{printable(columns[twice])}'; rename one")
        first = lines.getvalue()[:start].count("\n")
        rows: list[Row] = []
        skipped = []
        for cells in reader:
            line = reader.line_num + first
            if any(cells.pop(None, ())):
                skipped.append(Skipped(f"{where}:{line}", "the row has more cells than the first line"))
            else:
                rows.append((line, cells))
    except UnicodeDecodeError as error:
        raise StriateError(f"{where} is not a text in UTF-8 ({error}); save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise StriateError(f"{where} is not a CSV file: {error}") from error
    except OSError as error:
        raise StriateError(f"{where} cannot be read: {error.strerror}") from error
    return Table(path, columns, rows, tuple(skipped))


def text_of(path: Place) -> str:
    """The text of a file in UTF-8, or in UTF-16 with its mark. Raises StriateError where it is none."""
    where = printable(path)
    try:
        return _decode(path.read_bytes())
    except UnicodeDecodeError as error:
        raise StriateError(f"{where} is not a text in UTF-8 ({error}); save it in UTF-8") from error
    except OSError as error:
        raise StriateError(f"{where} cannot be read: {error.strerror}") from error


def _decode(content: bytes) -> str:
    sixteen = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if sixteen else "utf-8-sig")
    if "\0" in text:
        raise UnicodeDecodeError("utf-8", content[:1], 0, 1, "it holds zero bytes")
    return text
