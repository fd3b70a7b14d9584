"""What a watcher of a training sees: a live display on a terminal, plain lines elsewhere, always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from striate.training.counting import Counter, create_counter
from striate.training.figures import FIGURES, score_in
from striate.training.tables import head_losses
from striate.units import clock, percent, whole

#: Above this share of time spent waiting for batches, loading is what slows training down.
LOADING_BOUND = 0.3
#: Characters of the bar on a terminal with much room, and with little: 80 columns have room for all that matters.
LONGEST_BAR, SHORTEST_BAR = 24, 6


def bottleneck(loading_share: float) -> str:
    """Which of loading and computing is the bottleneck, in words."""
    kind = "loading" if loading_share > LOADING_BOUND else "computing"
    return f"{kind}-bound ({percent(loading_share, 0)} waiting for images)"


def times(timing: dict[str, Any]) -> str:
    """How long an epoch took in all, and how much of it went into validating and saving."""
    validation = timing.get("validation_seconds") or 0.0
    return clock(timing["seconds"] + validation) + (f" ({clock(validation)} validating)" if validation >= 0.5 else "")


def validated(done: int, total: int) -> str:
    """How far validation is."""
    return f"validating {whole(done)}/{whole(total)} images"


def epoch_parts(row: dict[str, Any], epochs: int, timing: dict[str, Any]) -> list[str]:
    """What there is to say about a finished epoch."""
    parts = [f"epoch {row['epoch']}/{epochs}"]
    parts.append(f"train loss {row['train_loss']:.4f} {score(row, 'train_')}")
    parts += [f"{head} loss {row[column]:.4f}" for column, head in head_losses(row).items()]
    if row["val_loss"] != "":
        parts.append(f"val loss {row['val_loss']:.4f} {score(row, 'val_')}")
    parts.append(f"{whole(timing['images_per_second'])} images/s")
    parts.append(times(timing))
    parts.append(bottleneck(timing["loading_share"]))
    return parts


def score(figures: Mapping[str, Any], prefix: str = "", decimals: int = 2) -> str:
    """The score among some figures, with its name."""
    name = score_in(figures, prefix)
    return f"{FIGURES[name].words} {FIGURES[name].write(figures[prefix + name], decimals)}"


def epoch_line(row: dict[str, Any], epochs: int, timing: dict[str, Any]) -> str:
    """One line about a finished epoch."""
    return " | ".join(epoch_parts(row, epochs, timing))


def in_lines(parts: Sequence[str], width: int) -> list[str]:
    """`parts` side by side in as few lines of at most `width` as they fit in; a longer one has a line of its own."""
    lines = [parts[0]]
    for part in parts[1:]:
        together = f"{lines[-1]} | {part}"
        lines = [*lines[:-1], together] if len(together) <= width else [*lines, f"  {part}"]
    return lines


class Quiet:
    """Shows nothing; the others are this with something to see."""

    def message(self, text: str) -> None:
        """Something the watcher should know."""

    def start(self, epochs: int, steps: int) -> None:
        """Training begins: `epochs` in all, `steps` batches each."""

    def step(self, epoch: int, step: int, figures: dict[str, float]) -> None:
        """A moment in epoch `epoch` (from 1); called a few times a second."""

    def validation(self, done: int, total: int) -> None:
        """A moment while an epoch is validated: `done` of `total` images; called a few times a second."""

    def epoch(self, row: dict[str, Any], timing: dict[str, Any]) -> None:
        """An epoch is done: its row of metrics.csv and of timing.csv."""

    def evaluating(self) -> Counter:
        """What is shown while the result is evaluated, told how many images are done and of how many."""
        return Counter("evaluating")

    def counting(self, doing: str) -> Counter:
        """The same while something else is done with images, such as "taking features of"."""
        return Counter(doing)

    def stop(self) -> None:
        """Training is over, or has been stopped."""


class Lines(Quiet):
    """A line per epoch, and one now and then in long epochs."""

    every = 30.0  # seconds between lines within an epoch

    def __init__(self) -> None:
        self.epochs, self.steps, self.current, self.last = 0, 0, "", time.monotonic()

    def message(self, text: str) -> None:
        """Print it."""
        sys.stderr.write(f"{text}\n")  # at once: between text and end of a print an interrupt may come
        sys.stderr.flush()

    def start(self, epochs: int, steps: int) -> None:
        """Remember how long it is."""
        self.epochs, self.steps, self.last = epochs, steps, time.monotonic()

    def step(self, epoch: int, step: int, figures: dict[str, float]) -> None:
        """Print when it has been quiet for long."""
        self.current = f"epoch {epoch}/{self.epochs}"
        if self._quiet_for_long():
            self.message(
                f"{self.current} step {step}/{self.steps} | loss {figures['loss']:.4f} "
                f"{score(figures)} | {whole(figures['images_per_second'])} images/s | "
                f"{clock(figures['left'])} left | {bottleneck(figures['loading_share'])}"
            )

    def validation(self, done: int, total: int) -> None:
        """Print when it has been quiet for long."""
        if self._quiet_for_long():
            self.message(" | ".join(filter(None, [self.current, validated(done, total)])))

    def _quiet_for_long(self) -> bool:
        if time.monotonic() - self.last <= self.every:
            return False
        self.last = time.monotonic()
        return True

    def epoch(self, row: dict[str, Any], timing: dict[str, Any]) -> None:
        """Print the epoch's line."""
        self.last = time.monotonic()
        self.message(epoch_line(row, self.epochs, timing))

    def evaluating(self) -> Counter:
        """A line that counts, on a terminal."""
        return self.counting("evaluating")

    def counting(self, doing: str) -> Counter:
        """The same for another work."""
        return create_counter(doing)


class Live(Lines):
    """A bar with the figures of the moment, and what there is to say of each finished epoch above it."""

    def start(self, epochs: int, steps: int) -> None:
        """Draw the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        super().start(epochs, steps)
        columns = (TextColumn("{task.description}"), BarColumn(LONGEST_BAR), TextColumn("{task.fields[figures]}"))
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
        self.current = f"epoch {epoch}/{self.epochs}"
        self._show(
            step,
            self.steps,
            f"step {step}/{self.steps}",
            f"loss {figures['loss']:.4f}",
            score(figures, decimals=1),
            f"{clock(figures['left'])} left",
            f"{whole(figures['images_per_second'])} images/s",
            bottleneck(figures["loading_share"]),
        )

    def validation(self, done: int, total: int) -> None:
        """Move the bar through the images of validation; without a training there is none."""
        if hasattr(self, "bar"):
            self._show(done, total, validated(done, total))
        else:
            super().validation(done, total)

    def _show(self, done: int, total: int, *figures: str) -> None:
        """The bar at `done` of `total`, with as many of the figures, from the first on, as leave room for it."""
        room = self.bar.console.width - len(self.current) - 1 - (SHORTEST_BAR + 1)
        text = figures[0]
        for figure in figures[1:]:
            if len(text) + 2 + len(figure) > room:
                break
            text += f"  {figure}"
        self.bar.update(self.task, completed=done, total=total, description=self.current, figures=text)

    def epoch(self, row: dict[str, Any], timing: dict[str, Any]) -> None:
        """Print what there is to say of the epoch, in lines as wide as the terminal."""
        for line in in_lines(epoch_parts(row, self.epochs, timing), self.bar.console.width):
            self.message(line)

    def stop(self) -> None:
        """Take the bar away."""
        if hasattr(self, "bar"):
            self.bar.stop()


def create_progress(quiet: bool = False) -> Quiet:
    """The display that suits where standard error goes."""
    if quiet:
        return Quiet()
    return Live() if sys.stderr.isatty() else Lines()
