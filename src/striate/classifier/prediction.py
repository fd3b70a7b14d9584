"""What a classifier says about one image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.notebook import Facts, Shown, listed
from striate.units import percent, plural, whole


@dataclass(frozen=True, repr=False)
class Prediction(Shown):
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

    def _facts(self) -> Facts:
        if self.error:
            return Facts({"image": self.name, "error": f"cannot be read: {self.error}"})
        chances = [f"{label} {percent(chance, 2)}" for label, chance in self.top]
        rows = [(label, percent(chance, 2)) for label, chance in self.top]
        return Facts({"image": self.name, "classes": listed(chances)}, ("class", "probability"), rows)

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


class Predictions(Shown, list[Prediction]):
    """Predictions in order; `notes` says which files of a folder were left out and why."""

    notes: tuple[str, ...] = ()

    def _facts(self) -> Facts:
        counts = Counter(prediction.label for prediction in self if prediction.label is not None)
        unread = sum(prediction.label is None for prediction in self)
        values = {
            "images": plural(len(self), "image"),
            "classes": listed([f"{whole(count)} {label}" for label, count in counts.most_common()]),
            "unreadable": f"{whole(unread)} could not be read" if unread else "",
        }
        rows = [(one.name, one.label or "", percent(one.probability, 2) if one.label else one.error) for one in self]
        return Facts(values, ("image", "class", "probability"), rows)
