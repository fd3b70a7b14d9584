"""What to do where training waits for images: chosen by what was measured, not a list of all that might help."""

from __future__ import annotations

from dataclasses import dataclass

from striate.caller import either
from striate.training.cache_choice import DISK, OFF
from striate.training.progress import LOADING_BOUND
from striate.units import percent

#: Seconds of an epoch that have to be lost by waiting before anything is said.
WORTH_IT = 5.0
#: The share of a batch's making from which on reading its pictures, or all the rest, is what takes so long.
MOST_OF_IT = 0.6


@dataclass(frozen=True)
class Loading:
    """How images were loaded in an epoch.

    Attributes:
        seconds: of training.
        waited: seconds of these spent waiting for images.
        workers: processes that made batches.
        processors: that this process may use.
        reading: the share of making a batch that goes into reading and decoding its pictures.
        cache: where decoded pictures are kept; empty of pixels that were given.
    """

    seconds: float
    waited: float
    workers: int
    processors: int
    reading: float
    cache: str

    @property
    def advice(self) -> str:
        """That loading is the bottleneck and what would mend it, in a line."""
        mends = []
        if self.workers < self.processors:
            more = either(f"--workers {self.processors}", f"workers={self.processors}")
            mends.append(f"{more} ({self.workers} of {self.processors} processors load now)")
        slow = f"{percent(self.reading, 0)} of the work is reading and decoding"
        if self.reading >= MOST_OF_IT and self.cache == OFF:
            mends.append(f"{either(f'--cache {DISK}', f'cache={DISK!r}')} ({slow})")
        elif self.reading >= MOST_OF_IT:
            mends.append(f"smaller pictures ({slow})")
        elif self.reading <= 1 - MOST_OF_IT:
            mends.append(f"a policy of fewer transforms ({percent(1 - self.reading, 0)} of the work is augmentation)")
        mend = f"; {' or '.join(mends)} would mend it" if mends else ""
        return f"loading is the bottleneck: {percent(self.waited / self.seconds, 0)} of the time is waiting{mend}"


def is_bottleneck(seconds: float, waited: float) -> bool:
    """Whether so much of an epoch was spent waiting for images that it should be told."""
    return waited >= WORTH_IT and waited > LOADING_BOUND * seconds
