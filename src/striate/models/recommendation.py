"""Which network for which pictures and which budget, with the reasons.

Networks that fit the budget are ranked by their published accuracy: the better an ImageNet network is on ImageNet, the
better it transfers (Kornblith et al., 2019, arXiv:1805.08974, section 4: rank correlation 0.96 after fine-tuning). A
figure counts only at the size of image that it was measured at, so each network is named with that size; pictures are
never enlarged to a size beyond the usual 224. What a network costs stays in proportion to the data (`in_proportion`).
Small pictures get the networks made for CIFAR. How to train is what the lectures advise (`striate.models.regimes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch

from striate.errors import StriateError, UsageError
from striate.models.accuracy import Accuracy, accuracy_of
from striate.models.budget import LIMITS, Cost, cost_of, latency_of, limit_written, written
from striate.models.card import Card
from striate.models.catalogue import cards
from striate.models.create import create_model
from striate.models.regimes import ENOUGH_TO_START_FROM_NOTHING, MIDDLE, Regime, regimes
from striate.models.stem import SMALL_SIDE
from striate.units import percent
from striate.weights import CIFAR10, IMAGENET

#: A processor core does no more than this many multiply-adds in a millisecond; what needs longer is not timed.
FASTEST = 500_000_000
#: The size to which ordinary photographs are brought, enlarged where they are smaller.
USUAL_SIDE = 224
#: Multiply-adds that a network may spend on one image for each pixel of all training images together: 2,000 images of
#: 224x224 pixels make 2.0 G. With fewer images it is what 2,000 would have; networks for small pictures keep the full
#: resolution longer, so that a pixel costs more, and there it is what 6,400 would have: 131 M for 32x32.
PER_PIXEL = 20
FEWEST, FEWEST_SMALL = 2_000, 6_400


@dataclass(frozen=True)
class Recommendation:
    """One network that fits, in the form that its card describes.

    Attributes:
        name: of the network.
        input_size: side of its images, pixels.
        weights: name of the weights to start from; None to start from nothing.
        accuracy: published top-1 as a fraction, on the data set `measured_on`; None where none holds for images of
            `input_size`.
        measured_on: the data set.
        source: who published the accuracy.
        freeze: what not to train at first, for `train(..., freeze=...)`; None for nothing.
        cost: of one image of `input_size`.
        latency: milliseconds for one image on this machine; None where no latency was asked for.
        reasons: why, in sentences.
    """

    name: str
    input_size: int
    weights: str | None
    accuracy: float | None
    measured_on: str
    source: str
    freeze: str | None
    cost: Cost
    latency: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Candidate:
    card: Card
    found: Accuracy
    side: int  # at which it would work


def in_proportion(images: int, side: int) -> float:
    """The most multiply-adds for one image of `side` pixels that so many training images are worth."""
    return PER_PIXEL * max(images, FEWEST_SMALL if side <= SMALL_SIDE else FEWEST) * side**2


def recommend(
    images: int,
    size: int | tuple[int, int],
    *,
    limits: Mapping[str, float] | None = None,
    count: int = 3,
    similar: bool | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Recommendation]:
    """The `count` best networks for `images` training pictures of `size` within `limits`.

    Args:
        images: how many labelled pictures there are to train on.
        size: side in pixels, or (height, width), of the pictures.
        limits: the most a network may cost, by the keys of `striate.models.budget.LIMITS`; latency is measured here.
        count: how many to name.
        similar: whether the pictures are like those that the weights were trained on (photographs of things); None
            where nobody knows.
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
    if min(sides) < 1:
        raise UsageError(f"images of {sides[0]}x{sides[1]} pixels: a side must be at least 1")
    regime = regimes(images, similar, pretrained=min(sides) > SMALL_SIDE)[0]
    found: list[Recommendation] = []
    for candidate in _candidates(images, min(sides)):
        progress(candidate.card.name)
        fitting = _fitting(candidate, images, min(sides), limits, regime)
        if fitting is not None:
            found.append(fitting)
        if len(found) == count:
            break
    if not found:
        asked = ", ".join(f"{LIMITS[kind]} {limit_written(kind, value)}" for kind, value in limits.items())
        within = f" within {asked}; allow more, or take smaller images" if asked else "; take larger images"
        raise StriateError(
            f"no network with {_needed(images, min(sides))} fits images of {sides[0]}x{sides[1]}{within}"
        )
    return found


def _needed(images: int, side: int) -> str:
    """What a network must have to be named for so many pictures of this size."""
    if side <= SMALL_SIDE:
        return f"a published accuracy on {CIFAR10}"
    return "weights" if images < ENOUGH_TO_START_FROM_NOTHING else f"a published accuracy on {IMAGENET}"


def _candidates(images: int, side: int) -> Iterator[_Candidate]:
    """Networks for pictures of this size, the most accurate first."""
    small = side <= SMALL_SIDE
    found = []
    for card in cards().values():
        accuracy = accuracy_of(card, CIFAR10 if small else IMAGENET)
        if accuracy is None or card.in_channels != 3:
            continue
        if not small and images < ENOUGH_TO_START_FROM_NOTHING and accuracy.weights is None:
            continue
        if small and card.fixed_size:
            continue
        if small or card.input_size <= max(side, USUAL_SIDE):
            found.append(_Candidate(card, accuracy, side if small else card.input_size))
    return iter(sorted(found, key=lambda candidate: (-candidate.found.value, candidate.card.parameters)))


def _fitting(
    candidate: _Candidate, images: int, side: int, limits: Mapping[str, float], regime: Regime
) -> Recommendation | None:
    card, at = candidate.card, (candidate.side, candidate.side)
    if card.parameters > limits.get("parameters", card.parameters):
        return None  # seen without building it
    try:
        cost = cost_of(card.name, at)
    except StriateError:
        return None  # too small an image for it
    if cost.multiply_adds > in_proportion(images, candidate.side):
        return None
    if any(cost.get(kind) > limit for kind, limit in limits.items() if kind != "latency"):
        return None
    latency = None
    if "latency" in limits:
        if cost.multiply_adds > FASTEST * limits["latency"]:
            return None
        latency = latency_of(card.name, at)
        if latency > limits["latency"]:
            return None
    figure, weights = candidate.found.figure, candidate.found.weights
    return Recommendation(
        name=card.name,
        input_size=candidate.side,
        weights=weights.name if weights else None,
        accuracy=candidate.found.value if figure.input_size == candidate.side else None,
        measured_on=figure.data,
        source=candidate.found.source,
        freeze=_frozen(card, regime) if weights else None,
        cost=cost,
        latency=latency,
        reasons=tuple(_reasons(candidate, images, side, cost, latency, limits)),
    )


def _frozen(card: Card, regime: Regime) -> str | None:
    """What the regime freezes of this network."""
    if regime.freeze != MIDDLE:
        return regime.freeze
    with torch.device("meta"):
        parts = list(create_model(card.name).parts())
    return parts[len(parts) // 2 - 1]


def _reasons(
    candidate: _Candidate, images: int, side: int, cost: Cost, latency: float | None, limits: Mapping[str, float]
) -> Iterator[str]:
    figure = candidate.found.figure
    yield (
        f"{percent(candidate.found.value)} top-1 on {figure.data} at {figure.input_size} px "
        f"({candidate.found.source}), the best of what fits and is not named above"
    )
    if figure.input_size != candidate.side:
        yield f"that figure is of {figure.input_size} px and ranks it only; there is none for {candidate.side} px"
    elif side < candidate.side:
        yield f"the pictures are enlarged from {side} px, the figure is of pictures that were not"
    weights = candidate.found.weights
    if weights is not None:
        few = f"{images:,} images are too few to start from nothing"
        if images >= ENOUGH_TO_START_FROM_NOTHING:
            few = "even many images gain from a trained start"
        yield f"starts from its weights '{weights.name}': {few}"
    elif images < ENOUGH_TO_START_FROM_NOTHING:
        yield f"{images:,} images are few to start from nothing, but no weights were trained on pictures so small"
    else:
        yield f"{images:,} images are enough to start from nothing"
    worth = written("multiply_adds", in_proportion(images, candidate.side))
    spent = written("multiply_adds", cost.multiply_adds)
    yield f"{spent} multiply-adds an image, of {worth} that so many pictures are worth"
    if latency is not None:
        yield f"{latency:.1f} ms an image on this machine, of {limits['latency']:g} ms allowed"
    for kind, limit in limits.items():
        if kind != "latency":
            yield f"{written(kind, cost.get(kind))} {LIMITS[kind]}, of {limit_written(kind, limit)} allowed"
