"""The start and the end of the `striate` command: Ctrl-C is one line and exit code 130, whenever it comes.

Whatever takes time to import is imported once that holds, so this file imports only what Python has loaded by itself.
"""

from __future__ import annotations

import _signal
import os
import sys

from striate.cli.leaving import INTERRUPTED, leave_at_once


def main(alone: bool = False) -> None:
    """Run the command line: 0 done, 1 failed, 2 wrong usage, 130 interrupted; one line says why.

    Args:
        alone: whether the process runs nothing else, so that its memory is the command's to settle.

    Raises:
        SystemExit: always, with that code.
    """
    try:
        for number in (_signal.SIGINT, _signal.SIGTERM):
            _signal.signal(number, leave_at_once)
    except ValueError:
        pass  # not the main thread: signals are not its business
    from striate.cli.app import run

    run(alone)


def process() -> None:
    """The `striate` command: a process of its own, which ends here."""
    try:
        main(alone=True)
    except SystemExit as leaving:
        if not isinstance(leaving.code, int):
            raise
        _end_process(leaving.code)


def _end_process(code: int) -> None:
    """End with this exit code, but without taking every module down, which takes PyTorch half a second and more.

    Having seen an interrupt Python may moreover kill itself by SIGINT in place of the exit code, and libraries whose
    threads were just starting abort when they are taken down.
    """
    import atexit
    import threading

    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    if code != INTERRUPTED:
        threading._shutdown()  # type: ignore[attr-defined]  # what was begun is done to its end, as Python has it
    atexit._run_exitfuncs()  # ends the processes that read images
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
