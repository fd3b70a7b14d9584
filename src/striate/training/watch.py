"""Watch: how a training is carried out, decided anew each time it goes on; nothing of it changes the result."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TypedDict

from striate.training.progress import Quiet

#: Seconds that are left of a time limit that has passed.
LEAST_TIME = 1e-3


@dataclass(frozen=True)
class Watch:
    """What is shown, when it stops, and what is written beside the weights.

    Attributes:
        progress: what to show.
        time_limit: seconds after which to stop cleanly; 0 for none.
        checkpoint_every: seconds between checkpoints within an epoch.
        report: whether to write report.html.
        drop_checkpoint: whether to remove last.ckpt once the training is finished.
    """

    progress: Quiet = field(default_factory=Quiet)
    time_limit: float = 0
    checkpoint_every: float = 60
    report: bool = True
    drop_checkpoint: bool = False

    def until(self, moment: float) -> Watch:
        """The same with the time that is left to a moment, by `time.monotonic`: enough at least to stop cleanly."""
        return replace(self, time_limit=max(moment - time.monotonic(), LEAST_TIME)) if self.time_limit else self


class Watching(TypedDict, total=False):
    """The same as keywords, as a caller gives them: times may be text such as "15m"; `quiet` shows no progress."""

    time_limit: float | str
    checkpoint_every: float | str
    quiet: bool
    report: bool
    drop_checkpoint: bool
