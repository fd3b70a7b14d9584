"""Threads that read images side by side: libjpeg, libpng and OpenCV release Python's lock, so threads suffice.

While they work OpenCV has no threads of its own: all processors are busy already, and its threads do not survive the
fork that starts worker processes. How many it has is a matter of the whole process, which is the user's: it gets its
number back.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import cv2


def worker_count(workers: int | None = None) -> int:
    """`workers` when given, else one per processor this process may use, at most 16."""
    if workers is not None:
        return max(1, workers)
    try:
        available = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        available = os.cpu_count() or 1
    return min(16, available)


@contextmanager
def reading_threads(workers: int | None = None) -> Iterator[ThreadPoolExecutor]:
    """As many threads as `worker_count` says, in each of which OpenCV works alone."""
    with opencv_alone(), ThreadPoolExecutor(worker_count(workers)) as pool:
        yield pool


@contextmanager
def opencv_alone() -> Iterator[None]:
    """While this lasts OpenCV works in the thread that calls it; then it has as many threads as before.

    Blocks may overlap, in any threads: the number comes back when the last of them ends.
    """
    _blocks.enter()
    try:
        yield
    finally:
        _blocks.leave()


class _Blocks:
    """The blocks of `opencv_alone` that are going on in this process, and OpenCV's number of threads before them."""

    def __init__(self) -> None:
        self.lock, self.count, self.before = threading.Lock(), 0, 0

    def restart_in_child(self) -> None:
        """Start anew after a fork: whoever would end the blocks, or holds the lock, is not here."""
        self.__init__()  # type: ignore[misc]

    def enter(self) -> None:
        with self.lock:
            if not self.count:
                self.before = cv2.getNumThreads()
                cv2.setNumThreads(0)
            self.count += 1

    def leave(self) -> None:
        with self.lock:
            self.count -= 1
            if not self.count:
                cv2.setNumThreads(self.before)


_blocks = _Blocks()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_blocks.restart_in_child)
