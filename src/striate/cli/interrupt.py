"""Ctrl-C at any moment: one line, exit code 130, nothing half-done.

An extension module that is being loaded takes a KeyboardInterrupt, raised in the Python code it calls, for the end of
the world: PyTorch's aborts the process. So while anything is being imported an interrupt waits until that is done, and
a second one leaves at once. A library that calls Python code may also take the KeyboardInterrupt for an error of that
code and raise one of its own, so an interrupt that was raised is remembered; or it can raise nothing at all, and Python
would print what is lost there with its traceback: then the interrupt comes again a moment later. Training has its own
way (`striate.training.interruption`).
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

from striate.cli.leaving import INTERRUPTED, leave_at_once

#: Seconds between looks at whether the import is done.
PATIENCE = 0.02


class Handler:
    """Raises KeyboardInterrupt in the main thread of this process as soon as that is safe."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.waiting = self.looking_again = self.raised = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if os.getpid() != self.process:
            return  # a worker just forked: its main process decides
        if self.waiting and not self.looking_again:
            leave_at_once(number, frame)
        self.waiting, self.looking_again = importing(frame), False
        if not self.waiting:
            self.raised = True
            raise KeyboardInterrupt
        self._wait()

    def swallowed(self, lost: sys.UnraisableHookArgs) -> None:
        """Take what was raised where nothing can be raised: an interrupt comes again, anything else Python tells."""
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            sys.__unraisablehook__(lost)
            return
        self.waiting, self.raised = True, False
        self._wait()

    def _wait(self) -> None:
        timer = threading.Timer(PATIENCE, self._look_again)
        timer.daemon = True
        timer.start()

    def _look_again(self) -> None:
        self.looking_again = True
        _thread.interrupt_main()


def importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported where `frame` stands."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def heed_interrupts(alone: bool = False) -> None:
    """Take Ctrl-C, and termination as a cluster's scheduler sends it, from now on; only the main thread can.

    `alone` says that the process runs nothing else, so that what its libraries swallow is the command's to take.
    """
    if threading.current_thread() is threading.main_thread():
        handler = Handler()
        signal.signal(signal.SIGINT, handler)
        signal.signal(signal.SIGTERM, handler)
        if alone:
            sys.unraisablehook = handler.swallowed


def was_interrupted() -> bool:
    """Whether an interrupt was raised, whatever became of it."""
    handler = signal.getsignal(signal.SIGINT)
    return isinstance(handler, Handler) and handler.raised


def leave(code: int) -> NoReturn:
    """Leave; once Python takes itself down another Ctrl-C changes nothing."""
    if threading.current_thread() is threading.main_thread():
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def interrupted() -> NoReturn:
    """Say so and leave."""
    print("striate: interrupted", file=sys.stderr, flush=True)
    leave(INTERRUPTED)
