"""How many threads decode images: libjpeg, libpng and OpenCV release Python's lock, so threads suffice."""

from __future__ import annotations

import os


def worker_count(workers: int | None = None) -> int:
    """`workers` when given, else one per processor this process may use, at most 16."""
    if workers is not None:
        return max(1, workers)
    try:
        available = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        available = os.cpu_count() or 1
    return min(16, available)
