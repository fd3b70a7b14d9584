"""One JSON object with a list that is too long to be held: it waits in a file, and is printed when it is whole."""

from __future__ import annotations

import sys
import tempfile
import textwrap
from collections.abc import Mapping
from typing import Any

from striate.cli.output import as_json

#: Bytes that are kept in memory before a file is used.
IN_MEMORY = 1 << 22


class LongJson:
    """Takes the items of the list `name` one by one, then the other values; the text is that of `print_json`."""

    def __init__(self, name: str) -> None:
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8", newline="")  # noqa: SIM115
        self._head, self._count = f'{{\n  "{name}": [', 0

    def add(self, item: Any) -> None:
        """The next item."""
        self._file.write(f"{',' if self._count else ''}\n{textwrap.indent(as_json(item), '    ')}")
        self._count += 1

    def print(self, others: Mapping[str, Any]) -> None:
        """Print the list and, after it, `others` (one at least) on standard output."""
        self._file.seek(0)
        sys.stdout.write(self._head)
        while part := self._file.read(1 << 16):
            sys.stdout.write(part)
        self._file.close()
        print(("\n  ]," if self._count else "],") + as_json(dict(others)).removeprefix("{"))
