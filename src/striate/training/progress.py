"""What a watcher of a training sees: a live display on a terminal, plain lines elsewhere, always on stderr."""

from __future__ import annotations

import sys
import time
from typing import Any

from striate.training.tables import head_losses

#: Above this share of time spent waiting for batches, loading is what slows training down.
LOADING_BOUND = 0.3


def bottleneck(loading_share: float) -> str:
    """Which of loading and computing is the bottleneck, in words."""
    kind = "loading" if loading_share > LOADING_BOUND else "computing"
    return f"{kind}-bound ({loading_share:.0%} waiting for images)"


def clock(seconds: float) -> str:
    """Seconds as 12s, 3m05s or 2h07m."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    return f"{seconds // 3600}h{seconds % 3600 // 60:02d}m"


def times(timing: dict[str, Any]) -> str:
    """How long an epoch took in all, and how much of it went into validating and saving."""
    validation = timing.get("validation_seconds") or 0.0
    return clock(timing["seconds"] + validation) + (f" ({clock(validation)} validating)" if validation >= 0.5 else "")


def epoch_line(row: dict[str, Any], epochs: int, timing: dict[str, Any]) -> str:
    """One line about a finished epoch."""
    parts = [f"epoch {row['epoch']}/{epochs}"]
    parts.append(f"train loss {row['train_loss']:.4f} accuracy {row['train_accuracy']:.2%}")
    parts += [f"{head} loss {row[column]:.4f}" for column, head in head_losses(row).items()]
    if row["val_loss"] != "":
        parts.append(f"val loss {row['val_loss']:.4f} accuracy {row['val_accuracy']:.2%}")
    parts.append(f"{timing['images_per_second']:,.0f} images/s")
    parts.append(times(timing))
    parts.append(bottleneck(timing["loading_share"]))
    return " | ".join(parts)


class Quiet:
    """Shows nothing; the others are this with something to see."""

    def message(self, text: str) -> None:
        """Something the watcher should know."""

    def start(self, epochs: int, steps: int) -> None:
        """Training begins: `epochs` in all, `steps` batches each."""

    def step(self, epoch: int, step: int, figures: dict[str, float]) -> None:
        """A moment in epoch `epoch` (from 1); called a few times a second."""

    def epoch(self, row: dict[str, Any], timing: dict[str, Any]) -> None:
        """An epoch is done: its row of metrics.csv and of timing.csv."""

    def stop(self) -> None:
        """Training is over, or has been stopped."""


class Lines(Quiet):
    """A line per epoch, and one now and then in long epochs."""

    every = 30.0  # seconds between lines within an epoch

    def message(self, text: str) -> None:
        """Print it."""
        print(text, file=sys.stderr, flush=True)

    def start(self, epochs: int, steps: int) -> None:
        """Remember how long it is."""
        self.epochs, self.steps, self.last = epochs, steps, time.monotonic()

    def step(self, epoch: int, step: int, figures: dict[str, float]) -> None:
        """Print when it has been quiet for long."""
        if time.monotonic() - self.last > self.every:
            self.last = time.monotonic()
            self.message(
                f"epoch {epoch}/{self.epochs} step {step}/{self.steps} | loss {figures['loss']:.4f} "
                f"accuracy {figures['accuracy']:.2%} | {figures['images_per_second']:,.0f} images/s | "
                f"{clock(figures['left'])} left | {bottleneck(figures['loading_share'])}"
            )

    def epoch(self, row: dict[str, Any], timing: dict[str, Any]) -> None:
        """Print the epoch's line."""
        self.last = time.monotonic()
        self.message(epoch_line(row, self.epochs, timing))


class Live(Lines):
    """A bar with the figures of the moment, and a line per finished epoch above it."""

    def start(self, epochs: int, steps: int) -> None:
        """Draw the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        super().start(epochs, steps)
        columns = (TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[figures]}"))
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task = self.bar.add_task("epoch 1", total=steps, figures="")
        self.bar.start()

    def message(self, text: str) -> None:
        """Print above the bar."""
        if hasattr(self, "bar") and self.bar.live.is_started:
            self.bar.console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)
        else:
            super().message(text)

    def step(self, epoch: int, step: int, figures: dict[str, float]) -> None:
        """Move the bar."""
        text = (
            f"{figures['images_per_second']:,.0f} images/s  loss {figures['loss']:.4f}  "
            f"accuracy {figures['accuracy']:.1%}  {clock(figures['left'])} left  "
            f"{bottleneck(figures['loading_share'])}"
        )
        description = f"epoch {epoch}/{self.epochs}"
        self.bar.update(self.task, completed=step, description=description, figures=text)

    def stop(self) -> None:
        """Take the bar away."""
        if hasattr(self, "bar"):
            self.bar.stop()


def create_progress(quiet: bool = False) -> Quiet:
    """The display that suits where standard error goes."""
    if quiet:
        return Quiet()
    return Live() if sys.stderr.isatty() else Lines()
