"""How far a pass over images is: a line on a terminal that is written over and over, and goes when it is done."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from striate.units import clock, plural, whole

#: Seconds between two sights of what goes on.
SHOW_EVERY = 0.3

#: To the beginning of the line on the terminal, and what stands there taken away.
CLEAR = "\r\x1b[K"


def now_and_then(tell: Callable[[int, int], None], total: int, every: float = SHOW_EVERY) -> Callable[[int], None]:
    """Told after every batch how many images are done, it tells that and the `total` once `every` seconds are over."""
    last = time.monotonic()

    def shown(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > every:
            last = now
            tell(done, total)

    return shown


class Counter:
    """Shows nothing; `CounterLine` is this with something to see.

    Args:
        doing: what is done with the images, such as "evaluating".
    """

    def __init__(self, doing: str) -> None:
        self.doing = doing

    def __call__(self, done: int, total: int | None = None) -> None:
        """A moment: `done` images, of `total` where that is known."""

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While something else is written on the terminal."""
        yield

    def clear(self) -> None:
        """Take away what is shown."""

    def __enter__(self) -> Counter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()


class CounterLine(Counter):
    """One line on standard error: how many images, how many a second since the first ones came, how long it takes."""

    def __init__(self, doing: str) -> None:
        super().__init__(doing)
        self.first, self.began = 0, time.monotonic()
        self.last, self.text = self.began, ""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Write the line anew when it is due."""
        now = time.monotonic()
        if not self.first and done:  # what came before them was getting ready
            self.first, self.began = done, now
        if now - self.last > SHOW_EVERY and done:
            self.last = now
            self.text = self.line(done, total, now)[: shutil.get_terminal_size().columns - 1]
            self._write(CLEAR + self.text)

    def line(self, done: int, total: int | None, now: float) -> str:
        """What is shown at `now`, seconds of the monotonic clock."""
        rate = (done - self.first) / (now - self.began) if done > self.first else 0.0
        images = plural(done, "image") if total is None else f"{whole(done)}/{whole(total)} images"
        parts = [f"{self.doing} {images}"]
        if rate:
            parts.append(f"{whole(rate) if rate >= 10 else f'{rate:.1f}'} images/s")
        if rate and total is not None:
            parts.append(f"{clock((total - done) / rate)} left")
        return "  ".join(parts)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """The line makes room and comes again below."""
        text = self.text
        self.clear()
        yield
        self.text = text
        if text:
            self._write(text)

    def clear(self) -> None:
        """Take the line away until it is due again."""
        if self.text:
            self.text = ""
            self._write(CLEAR)

    def _write(self, text: str) -> None:
        print(text, end="", file=sys.stderr, flush=True)


def create_counter(doing: str, quiet: bool = False) -> Counter:
    """A line where standard error is a terminal, else nothing."""
    return CounterLine(doing) if not quiet and sys.stderr.isatty() else Counter(doing)
