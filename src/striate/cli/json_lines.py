"""A JSON object a line, printed as it comes: what a program at the other end of a pipe reads while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from striate.strict_json import to_json


class JsonLines:
    """Prints each item on a line of standard output; `LongJson` with nothing to wait for."""

    def add(self, item: Any) -> None:
        """Print the next item."""
        print(to_json(item), flush=True)

    def print(self, others: Mapping[str, Any]) -> None:
        """What stands beside the items is told on standard error."""
