"""Which network for which pictures and which budget, with the reasons.

Networks that fit the budget are ranked by their published accuracy: the better an ImageNet network is on
ImageNet, the better it transfers (Kornblith et al., 2019, arXiv:1805.08974, section 4: rank correlation 0.96
after fine-tuning). With few images a network has to start from published weights; for small images the weights
and the errors are those of CIFAR-10.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from striate.errors import StriateError, UsageError
from striate.models.budget import LIMITS, Cost, cost_of, latency_of
from striate.models.card import Card
from striate.models.card_text import quantity
from striate.models.catalogue import cards, defaults_of
from striate.models.stem import SMALL_SIDE

#: Below this many images a network that starts from random weights learns them by heart.
ENOUGH_TO_START_FROM_NOTHING = 20_000
#: A processor core does no more than this many multiply-adds in a millisecond; what needs longer is not timed.
FASTEST = 500_000_000


@dataclass(frozen=True)
class Recommendation:
    """One network that fits.

    Attributes:
        name: of the network; `arguments` build the form that is meant.
        arguments: for `create_model`.
        weights: name of the weights to start from; None to start from nothing.
        accuracy: published top-1 as a fraction, on the data set `measured_on`.
        cost: of one image.
        latency: milliseconds for one image on this machine; None where no latency was asked for.
        reasons: why, in sentences.
    """

    name: str
    arguments: Mapping[str, Any]
    weights: str | None
    accuracy: float
    measured_on: str
    cost: Cost
    latency: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Candidate:
    card: Card
    accuracy: float
    measured_on: str
    weights: str | None


def imagenet_accuracy(card: Card) -> float | None:
    """Top-1 on ImageNet as a fraction: the best of the card's published weights, else what the paper printed."""
    measured = [value for source in card.weights for what, value in source.accuracy.items() if "ImageNet val" in what]
    return max(measured) if measured else _printed(card, "ImageNet")


def cifar_accuracy(card: Card) -> float | None:
    """Top-1 on CIFAR-10 as a fraction, as printed."""
    return _printed(card, "CIFAR-10")


def _printed(card: Card, data: str) -> float | None:
    """The published top-1 error on `data`; an error that names no data set is on ImageNet."""
    text = card.published.get("top1_error", "")
    number = re.match(r"[0-9.]+", text)
    named = re.search(r"\(([^)]*)\)", text)
    is_on = named[1].startswith(data) if named else data == "ImageNet" and card.num_classes == 1000
    return 1 - float(number[0]) / 100 if number and is_on else None


def recommend(
    images: int,
    size: int | tuple[int, int],
    *,
    limits: Mapping[str, float] | None = None,
    count: int = 3,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Recommendation]:
    """The `count` best networks for `images` training pictures of `size` within `limits`.

    Args:
        images: how many labelled pictures there are to train on.
        size: side in pixels, or (height, width).
        limits: the most a network may cost, by the keys of `striate.models.budget.LIMITS`; latency is measured here.
        count: how many to name.
        progress: told what is being measured.

    Raises:
        UsageError: an impossible number, or an unknown limit.
        StriateError: nothing in the catalogue fits.
    """
    if images < 1 or count < 1:
        raise UsageError(f"{images} images, {count} networks: both must be at least 1")
    limits = dict(limits or {})
    if not set(limits) <= set(LIMITS):
        raise UsageError(f"limits {sorted(limits)}; known: {', '.join(LIMITS)}")
    sides = (size, size) if isinstance(size, int) else size
    found: list[Recommendation] = []
    for candidate in _candidates(images, min(sides)):
        progress(candidate.card.name)
        fitting = _fitting(candidate, images, sides, limits)
        if fitting is not None:
            found.append(fitting)
        if len(found) == count:
            break
    if not found:
        asked = ", ".join(f"{LIMITS[key][0]} {quantity(value)}{LIMITS[key][1]}" for key, value in limits.items())
        within = f" within {asked}" if asked else ""
        raise StriateError(
            f"no network fits images of {sides[0]}x{sides[1]}{within}; allow more, or take smaller images"
        )
    return found


def _candidates(images: int, side: int) -> Iterator[_Candidate]:
    """Networks for this kind of picture, the most accurate first."""
    found = []
    few = images < ENOUGH_TO_START_FROM_NOTHING
    for card in cards().values():
        if side <= SMALL_SIDE:
            accuracy, data = cifar_accuracy(card), "CIFAR-10"
        else:
            accuracy, data = imagenet_accuracy(card), "ImageNet"
        if accuracy is None or card.in_channels != 3:
            continue
        starts = [source for source in card.weights if (source.input_size > SMALL_SIDE) == (side > SMALL_SIDE)]
        if few and not starts:
            continue
        best = max(starts, key=lambda source: max(source.accuracy.values(), default=0.0), default=None)
        found.append(_Candidate(card, accuracy, data, best.name if best else None))
    return iter(sorted(found, key=lambda candidate: (-candidate.accuracy, candidate.card.parameters)))


def _fitting(
    candidate: _Candidate, images: int, sides: tuple[int, int], limits: Mapping[str, float]
) -> Recommendation | None:
    card = candidate.card
    arguments: dict[str, Any] = {}
    if candidate.weights is not None:
        source = next(source for source in card.weights if source.name == candidate.weights)
        arguments = {key: value for key, value in source.options.items() if key in defaults_of(card)}
    try:
        cost = cost_of(card.name, sides, **arguments)
    except StriateError:
        return None  # too small an image for it, or a size its weights were not made for
    if any(cost.get(kind) > limit for kind, limit in limits.items() if kind != "latency"):
        return None
    latency = None
    if "latency" in limits:
        if cost.multiply_adds > FASTEST * limits["latency"]:
            return None
        latency = latency_of(card.name, sides, **arguments)
        if latency > limits["latency"]:
            return None
    reasons = tuple(_reasons(candidate, images, cost, latency, limits))
    return Recommendation(
        card.name, arguments, candidate.weights, candidate.accuracy, candidate.measured_on, cost, latency, reasons
    )


def _reasons(
    candidate: _Candidate, images: int, cost: Cost, latency: float | None, limits: Mapping[str, float]
) -> Iterator[str]:
    yield f"{candidate.accuracy:.1%} top-1 on {candidate.measured_on}, the best of what fits and is not named above"
    if candidate.weights:
        few = f"{images:,} images are too few to start from nothing"
        if images >= ENOUGH_TO_START_FROM_NOTHING:
            few = "even many images gain from a trained start"
        yield f"starts from its weights '{candidate.weights}': {few}"
    else:
        yield f"{images:,} images are enough to start from nothing"
    if latency is not None:
        yield f"{latency:.1f} ms an image on this machine, of {limits['latency']:g} ms allowed"
    for kind, limit in limits.items():
        if kind != "latency":
            words, unit = LIMITS[kind]
            yield f"{quantity(cost.get(kind))}{unit} {words}, of {quantity(limit)}{unit} allowed"
