"""Ctrl-C and termination as a request to stop at the next step, not in the middle of one."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """Inside `with Interruption() as stop:` the first Ctrl-C sets `stop.requested`; a second one interrupts.

    Termination (SIGTERM, as a cluster's scheduler sends it) counts as Ctrl-C. Outside the main thread signals
    cannot be caught, and `requested` stays false. Where the handler before it says that it has `raised` an interrupt,
    as that of the command line does, and work goes on all the same, a library has swallowed it: it is requested anew.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._request)
            if any(getattr(handler, "raised", False) for handler in self._previous.values()):
                self.requested = True
        return self

    def _request(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
