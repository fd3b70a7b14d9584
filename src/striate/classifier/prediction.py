"""What a classifier says about one image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prediction:
    """The most probable classes of one image.

    Attributes:
        name: the image's path, or its place in what was given.
        top: (class, probability) pairs, the most probable first; empty when the image could not be read.
        error: why it could not be read; empty otherwise.
        path: the file that it was read from; None for one in memory.
    """

    name: str
    top: tuple[tuple[str, float], ...] = ()
    error: str = ""
    path: Path | None = field(default=None, compare=False)

    @property
    def label(self) -> str | None:
        """The most probable class, or None when the image could not be read."""
        return self.top[0][0] if self.top else None

    @property
    def probability(self) -> float:
        """The probability of `label`; 0 when the image could not be read."""
        return self.top[0][1] if self.top else 0.0

    @classmethod
    def of(cls, name: str, probabilities: NDArray[np.float32], classes: tuple[str, ...], top: int) -> Prediction:
        """The `top` most probable of all classes."""
        order = np.argsort(-probabilities, kind="stable")[:top]
        return cls(name, tuple((classes[index], float(probabilities[index])) for index in order))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        if self.error:
            return {"name": self.name, "error": self.error}
        top = [{"class": label, "probability": probability} for label, probability in self.top]
        return {"name": self.name, "class": self.label, "probability": self.probability, "top": top}


class Stream(Iterator[Prediction]):
    """Predictions one after another, in order, each made when it is asked for (a group of images at a time)."""

    def __init__(self, predictions: Iterator[Prediction], notes: list[str]) -> None:
        self._predictions, self._notes = predictions, notes

    def __next__(self) -> Prediction:
        return next(self._predictions)

    @property
    def notes(self) -> tuple[str, ...]:
        """Which files of the folders gone through so far were left out, and why."""
        return tuple(self._notes)


class Predictions(list[Prediction]):
    """Predictions in order; `notes` says which files of a folder were left out and why."""

    notes: tuple[str, ...] = ()
