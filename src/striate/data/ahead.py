"""Reading ahead: pictures are decoded and shrunk by threads while whoever asked for them works on earlier ones.

libjpeg, OpenCV and PyTorch let Python's lock go while they work, so threads suffice. Only a few pictures are held at a
time, however many there are, and they come in their order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import TypeVar

from striate.data.workers import reading_threads, worker_count

#: Pictures that a thread reads at a time, at most: fewer would cost more than tiny ones themselves.
PIECE = 16

T = TypeVar("T")
R = TypeVar("R")


def read_ahead(
    sources: Iterable[T], read: Callable[[T], R], together: int, workers: int | None = None
) -> Iterator[list[tuple[T, R]]]:
    """What `read` makes of each of `sources`, in groups of `together`, the last of which may be smaller.

    Args:
        sources: one after another; little more is taken from them than is asked for.
        read: may raise, which then happens here, once everything before has been handed out.
        together: how many make a group.
        workers: threads; by default one per processor.

    Yields:
        Pairs of a source and what was made of it.
    """
    remaining = iter(sources)
    piece = min(PIECE, -(-together // 2))
    with reading_threads(workers) as pool:
        waiting: deque[Future[list[tuple[T, R]]]] = deque()
        ready: list[tuple[T, R]] = []
        failed: Exception | None = None
        try:
            while True:
                while failed is None and len(waiting) <= 2 * worker_count(workers):
                    try:
                        taken = list(islice(remaining, piece))
                    except Exception as error:  # of the sources themselves: told in its turn
                        failed = error
                        break
                    if not taken:
                        break
                    waiting.append(pool.submit(lambda taken: [(source, read(source)) for source in taken], taken))
                if not waiting:
                    break
                ready += waiting.popleft().result()
                while len(ready) >= together:
                    yield ready[:together]
                    del ready[:together]
            if ready:
                yield ready
            if failed is not None:
                raise failed
        finally:
            for future in waiting:
                future.cancel()
