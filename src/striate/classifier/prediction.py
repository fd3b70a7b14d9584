"""What a classifier says about one image: its class, its labels or its values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.data.targets import MULTI_LABEL, REGRESSION
from striate.engines import Chosen
from striate.notebook import Facts, Shown, listed
from striate.training.tasks import MultiLabel, Task
from striate.training.thresholds import HALF
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
        """The most probable class or label; None of values, and when the image could not be read."""
        return self.top[0][0] if self.top else None

    @property
    def probability(self) -> float:
        """The probability of `label`; 0 where there is none."""
        return self.top[0][1] if self.top else 0.0

    @property
    def named(self) -> tuple[str, ...]:
        """The classes that the image is said to be of: one, of several labels any number, of values none."""
        return () if self.label is None else (self.label,)

    @property
    def text(self) -> tuple[str, ...]:
        """What is said, in words: class and probability, one after the other."""
        return tuple(f"{label} {percent(chance, 2)}" for label, chance in self.top)

    def cells(self, top: int) -> list[str]:
        """What stands in a table of which `columns_of` made the header: "" where nothing can be said."""
        cells = [cell for label, chance in self.top for cell in (label, f"{chance:.6f}")]
        return cells + [""] * (2 * top - len(cells))

    def _facts(self) -> Facts:
        if self.error:
            return Facts({"image": self.name, "error": f"cannot be read: {self.error}"})
        rows = [(label, percent(chance, 2)) for label, chance in self.top]
        return Facts({"image": self.name, "says": listed(self.text)}, ("class", "probability") if rows else (), rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        if self.error:
            return {"name": self.name, "error": self.error}
        top = [{"class": label, "probability": probability} for label, probability in self.top]
        return {"name": self.name, "class": self.label, "probability": self.probability, "top": top}


@dataclass(frozen=True, repr=False)
class LabelsPrediction(Prediction):
    """The labels of one image.

    Attributes:
        labels: (label, probability) pairs of those that it is said to have, the most probable first.
        probabilities: such pairs of all labels, in the order of the outputs.
        top: those of all labels that are the most probable, as many as were asked for.
    """

    labels: tuple[tuple[str, float], ...] = ()
    probabilities: tuple[tuple[str, float], ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """The labels that it is said to have."""
        return tuple(label for label, _ in self.labels)

    def cells(self, top: int) -> list[str]:
        """The labels with | between them, then the probability of every label there is."""
        return ["|".join(self.named), *(f"{chance:.6f}" for _, chance in self.probabilities)]

    @property
    def text(self) -> tuple[str, ...]:
        """The labels and their probabilities; "none" where there are none."""
        return tuple(f"{label} {percent(chance, 2)}" for label, chance in self.labels) or ("none",)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        if self.error:
            return {"name": self.name, "error": self.error}
        pairs = {"labels": self.labels, "top": self.top}
        told = {
            key: [{"label": label, "probability": probability} for label, probability in found]
            for key, found in pairs.items()
        }
        return {"name": self.name, **told, "probabilities": dict(self.probabilities)}


@dataclass(frozen=True, repr=False)
class ValuesPrediction(Prediction):
    """The values of one image.

    Attributes:
        values: (name, value) pairs, in the order of the outputs.
    """

    values: tuple[tuple[str, float], ...] = ()

    def cells(self, top: int) -> list[str]:
        """The values."""
        return [f"{value:.9g}" for _, value in self.values]

    @property
    def text(self) -> tuple[str, ...]:
        """The values; with their names where there are several."""
        return tuple(f"{name} {value:.6g}" if len(self.values) > 1 else f"{value:.6g}" for name, value in self.values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        if self.error:
            return {"name": self.name, "error": self.error}
        return {"name": self.name, "values": dict(self.values)}


def predicted(task: Task, name: str, answer: NDArray[Any], top: int) -> Prediction:
    """What a task's answer (K,) for one image says; `top` is how many classes or labels are named."""
    if task.kind == REGRESSION:
        return ValuesPrediction(name, values=tuple(zip(task.classes, answer.tolist(), strict=True)))
    if task.kind == MULTI_LABEL:
        assert isinstance(task, MultiLabel)
        every = tuple(zip(task.classes, answer.tolist(), strict=True))
        said = np.flatnonzero(answer >= np.array(task.thresholds or [HALF] * len(every)))
        labels = tuple(every[place] for place in said[np.argsort(-answer[said], kind="stable")])
        return LabelsPrediction(name, _most_probable(task.classes, answer, top), labels=labels, probabilities=every)
    return Prediction(name, _most_probable(task.classes, answer, top))


def _most_probable(classes: Sequence[str], answer: NDArray[Any], count: int) -> tuple[tuple[str, float], ...]:
    """So many (class, probability) pairs, the most probable first, of equal ones the first class; not a number is last.

    Only those that may be among them are sorted: pictures are classified faster than Python ranks a thousand classes.
    """
    last = min(count, len(answer)) - 1
    places = np.flatnonzero(~(answer < -np.partition(-answer, last)[last]))
    order = places[np.argsort(-answer[places], kind="stable")][:count]
    return tuple((classes[place], float(answer[place])) for place in order)


def columns_of(task: Task, top: int) -> list[str]:
    """The header over `Prediction.cells`."""
    if task.kind == REGRESSION:
        return list(task.classes)
    if task.kind == MULTI_LABEL:
        return ["labels", *task.classes]
    more = [f"{name}_{place}" for place in range(2, top + 1) for name in ("class", "probability")]
    return ["class", "probability", *more]


class Stream(Iterator[Prediction]):
    """Predictions one after another, in order, each made when it is asked for (a group of images at a time)."""

    def __init__(
        self, predictions: Iterator[Prediction], notes: list[str], chosen: Callable[[], Any] = lambda: None
    ) -> None:
        self._predictions, self._notes, self._chosen_by = predictions, notes, chosen

    def __next__(self) -> Prediction:
        return next(self._predictions)

    @property
    def notes(self) -> tuple[str, ...]:
        """Which files of the folders gone through so far were left out, and why; engines that were not used."""
        return (*self._notes, *(self._chosen.notes if self._chosen else ()))

    @property
    def engine(self) -> str:
        """What runs the network, how fast and why, in a clause; empty before it has begun, or for a few pictures."""
        return self._chosen.words if self._chosen else ""

    @property
    def _chosen(self) -> Chosen | None:
        """The engine, once the first pictures have come."""
        return self._chosen_by()


class Predictions(Shown, list[Prediction]):
    """Predictions in order; `notes` says which files of a folder were left out and why."""

    notes: tuple[str, ...] = ()

    def _facts(self) -> Facts:
        counts = Counter(name for prediction in self for name in prediction.named)
        unread = sum(bool(prediction.error) for prediction in self)
        values = {
            "images": plural(len(self), "image"),
            "classes": listed([f"{whole(count)} {label}" for label, count in counts.most_common()]),
            "unreadable": f"{whole(unread)} could not be read" if unread else "",
        }
        rows = [(one.name, one.error or ", ".join(one.text)) for one in self]
        return Facts(values, ("image", "says"), rows)
