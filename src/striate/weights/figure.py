"""Published figures as data: a number, and all that it holds for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from striate.units import PREFIXES, whole

#: The whole picture, or the one crop at its centre, seen once: what a figure beside the cost of one pass needs.
ONE_CROP = "one crop"

#: Who prints a figure where nobody else is named: the paper on the card.
THE_PAPER = "paper"

IMAGENET = "ImageNet"
CIFAR10 = "CIFAR-10"

#: What a figure can be of: a count, or a share of the pictures. Metric: words on a card.
METRICS = {
    "parameters": "parameters",
    "multiply_adds": "multiply-adds",
    "connections": "connections",
    "neurons": "neurons",
    "bytes": "bytes of the file",
    "top1": "top-1 error, %",
    "top5": "top-5 error, %",
}


@dataclass(frozen=True)
class Figure:
    """One figure as its source prints it.

    Attributes:
        metric: one of `METRICS`.
        value: a count, or for "top1" and "top5" the share of right answers from 0 to 1; None where training failed.
        source: who prints it: `THE_PAPER`, other authors ("He et al. (2015)"), or the publisher of weights.
        data: what pictures it was measured on ("ImageNet", "CIFAR-10"); empty for counts.
        input_size: side of the images it was measured at, pixels; None where it does not depend on that.
        crop: what of a picture was looked at: `ONE_CROP`, "10 crops", ...; empty where the source does not say.
        options: options of the network in which the measured form differs from the one on the card.
        note: what else the figure depends on.
        printed: the count as the source shortens it ("0.39 G").
    """

    metric: str
    value: float | None
    source: str = THE_PAPER
    data: str = ""
    input_size: int | None = None
    crop: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    printed: str = ""

    @property
    def is_share(self) -> bool:
        """Whether it is a share of right answers."""
        return self.metric in ("top1", "top5")

    @property
    def number(self) -> str:
        """The figure as its source shortens it; of a share the errors in percent, as papers print them."""
        if self.value is None:
            return "none"
        if self.is_share:
            return f"{100 * (1 - self.value):.4g}"
        return self.printed or whole(self.value)

    def __str__(self) -> str:
        size = f"{self.input_size} px" if self.input_size and self.is_share else ""
        form = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        said = [self.data, self.crop, size, form, self.note, self.source]
        return f"{METRICS[self.metric]}: {self.number} ({', '.join(part for part in said if part)})"


def count(metric: str, printed: str, **holds_for: Any) -> Figure:
    """A count as its source shortens it: "25.6 M", "0.39 G", "60,000".

    Raises:
        ValueError: it is no number with one of `striate.units.PREFIXES`.
    """
    number, _, letter = printed.partition(" ")
    if letter not in PREFIXES:
        raise ValueError(f"'{printed}' ends in no letter of {', '.join(filter(None, PREFIXES))}")
    return Figure(metric, float(number.replace(",", "")) * PREFIXES[letter], printed=printed, **holds_for)


def errors(
    top1: float | str | None = None,
    top5: float | str | None = None,
    *,
    data: str = IMAGENET,
    input_size: int = 224,
    crop: str = ONE_CROP,
    **holds_for: Any,
) -> tuple[Figure, ...]:
    """The errors in percent, as papers print them, as shares of right answers."""
    return tuple(
        Figure(metric, round(1 - float(error) / 100, 6), data=data, input_size=input_size, crop=crop, **holds_for)
        for metric, error in (("top1", top1), ("top5", top5))
        if error is not None
    )


def costs(
    parameters: str | None = None, multiply_adds: str | None = None, *, input_size: int = 224, **holds_for: Any
) -> tuple[Figure, ...]:
    """The counts that papers print of a network; the multiply-adds hold for images of `input_size`."""
    found = [] if parameters is None else [count("parameters", parameters, **holds_for)]
    if multiply_adds is not None:
        found.append(count("multiply_adds", multiply_adds, input_size=input_size, **holds_for))
    return tuple(found)
