"""Workers that are gone: killed by the kernel for want of memory as a rule, and PyTorch says so in several ways.

It raises a RuntimeError wherever the main process happens to be, or the queue between them breaks with an OSError.
Whatever it is, a worker that ended by a signal or a failure is the reason, and is told in one line.
"""

from __future__ import annotations

import multiprocessing
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

from striate.caller import either
from striate.errors import StriateError

#: What is raised where a worker is gone.
SIGNS = (RuntimeError, OSError, EOFError)
#: Seconds in which the system tells how a worker ended whose queue is broken; a busy one takes its time.
PATIENCE = 5.0


def may_be_sign(error: BaseException) -> bool:
    """Whether an error, one of `SIGNS`, may come of a worker that is gone: of PyTorch's those that speak of one."""
    return not isinstance(error, RuntimeError) or "DataLoader worker" in str(error)


class LostWorker(StriateError):
    """A worker that reads images is gone."""

    def of_run(self, run: Path) -> StriateError:
        """The same with how to go on with a run."""
        return StriateError(f"{self} Go on with: striate train --resume {shlex.quote(str(run))}")


class Workers:
    """The processes that were started in `starting`."""

    def __init__(self) -> None:
        self._processes: set[BaseProcess] = set()

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Whatever processes are started meanwhile are workers."""
        before = set(multiprocessing.active_children())
        yield
        self._processes |= set(multiprocessing.active_children()) - before

    def lost(self) -> LostWorker | None:
        """What to tell of the first worker that is gone, after which the others are ended; None where all are there."""
        codes = []
        for process in self._processes:
            with suppress(RuntimeError):  # PyTorch's, which may come only now
                process.join(PATIENCE / len(self._processes))
            codes.append(process.exitcode or 0)
        code = next(filter(None, codes), None)
        if code is None:
            return None
        for process in self._processes:
            with suppress(RuntimeError):
                process.terminate()
                process.join()
        return LostWorker(_line(code, len(self._processes)))


def _line(code: int, count: int) -> str:
    how, name = "failed", ""
    if code < 0:
        with suppress(ValueError):
            name = f" ({signal.Signals(-code).name})"
        how = f"was killed by signal {-code}{name}"
    fewer = either(f"--workers {count // 2}", f"workers={count // 2}")
    smaller = either("a smaller --batch-size", "a smaller batch_size")
    why = "; most likely the memory ran out" if code == -9 else ""
    return f"a worker process that reads images {how}{why}. Fewer workers ({fewer}) or {smaller} need less."
