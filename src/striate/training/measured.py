"""What every evaluation has and answers, whatever the task: the images, what is true of them, and one score."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.errors import StriateError
from striate.notebook import Shown
from striate.training.gain import Gain
from striate.units import whole


@dataclass(frozen=True, eq=False, repr=False)
class Measured(Shown):
    """The outcome of one pass over a split of N images.

    Args:
        classes: names of the K classes, labels or values.
        labels: what is true, (N,) or (N, K), in the form of the task.
        names: N names of images, for reports; or none.
        loss: mean loss over the split.
        split: the split's name, "test" or "val", where it has one.
        notes: what the images are and what was left out of them, one line each.
        engine: what ran the network and how fast, where that was chosen.
        views: what several views of each picture gained, where there were several.

    Raises:
        StriateError: there are no images, or not as many names.
    """

    classes: tuple[str, ...]
    labels: NDArray[Any]
    names: list[str] = field(default_factory=list, kw_only=True)
    loss: float = field(default=math.nan, kw_only=True)
    split: str = field(default="", kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    engine: str = field(default="", kw_only=True)
    views: Gain | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._hold(classes=tuple(self.classes), names=list(self.names))
        self._check()
        if not len(self.labels):
            raise StriateError("evaluation: the split has no images; give at least one.")
        if self.names and len(self.names) != len(self.labels):
            raise StriateError(
                f"evaluation: {len(self.names)} names for {len(self.labels)} images; give one each, or none."
            )

    def _hold(self, **values: Any) -> None:
        """Set fields in the form in which they are kept."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @abstractmethod
    def _check(self) -> None:
        """Bring what is true and what was said into one form; raise `StriateError` where shapes disagree."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    @abstractmethod
    def score(self) -> float:
        """The figure by which weights are compared: more is better."""

    @abstractmethod
    def figures(self) -> dict[str, float]:
        """What metrics.csv keeps of it, by the names of `striate.training.figures`; the score first."""

    @abstractmethod
    def per_class(self) -> list[Any]:
        """A named tuple of figures for each of `classes`, in their order."""

    @abstractmethod
    def worst(self, count: int) -> NDArray[np.int64]:
        """Positions of the images that went most wrong, the worst first."""

    @abstractmethod
    def mistake(self, index: int) -> tuple[str, str, float | None, float | None]:
        """What is true of one image and what was said, in words, with the probabilities of the two where it has any.

        In the order true, predicted, probability of what was predicted, probability of what is true.
        """

    @abstractmethod
    def _overall(self) -> dict[str, float | None]:
        """The figures of `to_dict` for all classes together."""

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON can hold them: None for what is not finite."""
        return {
            "images": len(self),
            "loss": _finite(self.loss),
            **_all_finite(self._overall()),
            "per_class": [_all_finite(score._asdict()) for score in self.per_class()],
            **({} if self.views is None else {"views": self.views.to_dict()}),
        }

    def _said(self, score: str, classes: str) -> dict[str, str]:
        """What it says of itself where it is looked at: its score, its images, its classes in words, its loss."""
        return {
            "score": score,
            "images": " ".join(filter(None, [whole(len(self)), self.split, "images"])),
            "classes": classes,
            "loss": f"loss {self.loss:.4f}" if math.isfinite(self.loss) else "",
        }


def demand_finite(said: NDArray[Any]) -> None:
    """Raise `StriateError` where a network's outputs, (N, K), are not finite."""
    broken = int((~np.isfinite(said)).any(axis=1).sum())
    if broken:
        raise StriateError(
            f"evaluation: the network's outputs are not finite for {whole(broken)} of {whole(len(said))} images; "
            "training has diverged, try a lower learning rate."
        )


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _all_finite(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _finite(value) for name, value in figures.items()}
