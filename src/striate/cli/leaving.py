"""Leaving because of an interrupt: its exit code, and the way out while nothing has been begun.

The `striate` command takes signals before it imports anything that takes time, so this file imports only what Python
has loaded by itself.
"""

from __future__ import annotations

import os

INTERRUPTED = 130


def leave_at_once(number: int, frame: object) -> None:
    """Leave while nothing has been begun, or because somebody insists."""
    os.write(2, b"striate: interrupted\n")
    os._exit(INTERRUPTED)
