"""What a classifier says about one image."""

from __future__ import annotations

from dataclasses import dataclass
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
    """

    name: str
    top: tuple[tuple[str, float], ...] = ()
    error: str = ""

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


class Predictions(list[Prediction]):
    """Predictions in order; `notes` says which files of a folder were left out and why."""

    notes: tuple[str, ...] = ()
