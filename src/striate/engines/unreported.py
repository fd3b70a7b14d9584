"""OpenVINO without its telemetry, which would tell of every import and conversion to a server, unasked.

It does so by a process forked from a thread, and keeps a number for its user in the home folder. A user's pictures and
machine are nobody else's business; and a fork of a process that holds a data set takes time.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

_REPORTER = "openvino_telemetry"


def openvino() -> Any:
    """The package, imported so that it finds nobody to report by; as it is where the user's program has imported it.

    Raises:
        ImportError: it is not installed.
    """
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]  # None: not to be had
    was_there = _REPORTER in modules
    if not was_there:
        modules[_REPORTER] = None
    try:
        import openvino as package
    finally:
        if not was_there:
            del modules[_REPORTER]
    return package
