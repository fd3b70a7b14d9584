"""Advice: what to do with a data set, and the evidence for it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.classifier.choices import typical_side_of
from striate.classifier.costs import costs_of
from striate.data import Dataset, Preprocessing
from striate.data.preprocessing import SMALL
from striate.models import Network
from striate.notebook import Facts, Shown
from striate.training.hardware import choose_precision
from striate.training.shelf import get_recipe
from striate.transfer.decision import FAR, LIKE, STRANGE, UNLIKE, Decision, Kin, expected, kin_of
from striate.transfer.evidence import Evidence
from striate.transfer.pace import pace_of
from striate.transfer.preference import is_plainly_better
from striate.transfer.regimes import FEATURES, FULL, recipe_of
from striate.units import percent, whole


@dataclass(frozen=True)
class Plan:
    """What a regime would come to.

    Attributes:
        regime: one of `striate.transfer.regimes.REGIMES`.
        accuracy: to be expected, in [0, 1].
        seconds: that it takes.
    """

    regime: str
    accuracy: float
    seconds: float


@dataclass(frozen=True, eq=False, repr=False)
class Advice(Shown):
    """What to do with a data set, and why.

    Attributes:
        source: the data set as it was called.
        images: to train on.
        classes: names.
        counts: images of each class, int64 (K,).
        side: the longer side of a typical image, pixels; None where nobody has looked.
        evidence: of each network, the one that is advised first, then by forecast.
        plans: what each regime of the first network would come to.
        decision: the regime that suits, and why.
        weights: the first network's: a file, or a name on its card.
    """

    source: str
    images: int
    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    side: int | None
    evidence: tuple[Evidence, ...]
    plans: tuple[Plan, ...]
    decision: Decision
    weights: str

    @classmethod
    def on(
        cls,
        dataset: Dataset,
        evidence: Sequence[Evidence],
        network: Network,
        look: Preprocessing,
        decision: Decision,
        weights: str,
        precision: str | None = None,
    ) -> Advice:
        """Put together what was found out about a data set.

        Args:
            dataset: whose training images were looked at.
            evidence: of each network, the one that is advised first.
            network: that one.
            look: brings images to it.
            decision: the regime.
            weights: the network's.
            precision: in which it would be trained, in Fabric's words; None for that which suits this machine.
        """
        classes = tuple(dataset.classes)
        return cls(
            source=str(dataset.source),
            images=len(dataset.train),
            classes=classes,
            counts=dataset.train.counts(len(classes)),
            side=typical_side_of(dataset),
            evidence=tuple(evidence),
            plans=_plans(evidence[0], network, look, dataset, precision),
            decision=decision,
            weights=weights,
        )

    @property
    def best(self) -> Evidence:
        """Of the network that is advised."""
        return self.evidence[0]

    @property
    def kin(self) -> Kin:
        """How the images are akin to those of the best network's pretraining."""
        return kin_of(self.best.distance, self.best.forecast.accuracy, len(self.classes), self.best.side)

    @property
    def command(self) -> str:
        """What does as advised."""
        place = self.source or "FOLDER"
        words = ["striate", "train", place, "--weights", self.weights, "--transfer", self.decision.regime]
        return shlex.join(words)

    @property
    def overruled(self) -> str:
        """The network that is most accurate on ImageNet, where these images speak for another; else nothing."""
        rated = [one for one in self.evidence if math.isfinite(one.imagenet)]
        first = max(rated, key=lambda one: one.imagenet, default=self.best)
        return "" if first is self.best else first.network

    @property
    def earlier(self) -> str:
        """A stage whose features tell the classes plainly better than those that the classifier sees; else nothing."""
        stage = self.best.best_stage
        return stage if is_plainly_better(self.best.probes[stage], self.best.probe) else ""

    @property
    def two_by_two(self) -> tuple[tuple[str, ...], list[list[str]]]:
        """Heads and rows of the lectures' table: few images or many, like the pretraining's or not; these in it."""
        here, trained = self.kin, self.decision.regime == FULL.name
        columns = (here if here is STRANGE else LIKE, here if here is FAR else UNLIKE)

        def cell(words: str, kin: Kin, many: bool) -> str:
            return f"{words}  <- your images" if (kin, many) == (here, trained) else words

        least = [kin.enough_of(len(self.classes)) for kin in columns]
        words = [f"{FEATURES.name} (below {whole(count)} a class)" for count in least]
        few = [cell(said, kin, many=False) for said, kin in zip(words, columns, strict=True)]
        many = [cell(FULL.name, kin, many=True) for kin in columns]
        return ("", "like the pretraining's", "unlike them"), [["few images", *few], ["many images", *many]]

    def _facts(self) -> Facts:
        values = {
            "advice": f"{self.decision.regime} of {self.best.network}",
            "why": self.decision.why,
            "forecast": ", ".join(f"{plan.regime} {percent(plan.accuracy, 1)}" for plan in self.plans),
        }
        columns = ("network", "ImageNet", "images", "probe", "nearest", "forecast")
        rows = [
            (
                one.network,
                percent(one.imagenet, 1) if math.isfinite(one.imagenet) else "–",
                one.images,
                percent(one.probe.accuracy, 1),
                percent(float(one.probe.nearest.mean()), 1),
                percent(one.forecast.accuracy, 1),
            )
            for one in self.evidence
        ]
        return Facts(values, columns, rows)

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain values."""
        heads, cells = self.two_by_two
        return {
            "source": self.source,
            "images": self.images,
            "classes": dict(zip(self.classes, self.counts.tolist(), strict=True)),
            "side": self.side,
            "networks": [one.to_dict() for one in self.evidence],
            "regimes": [asdict(plan) for plan in self.plans],
            "akin": self.kin.words,
            "table": [list(heads), *cells],
            "choice": {"network": self.best.network, "weights": self.weights, **self.decision._asdict()},
            "overruled": self.overruled,
            "earlier": self.earlier,
            "command": self.command,
        }


def _plans(
    best: Evidence, network: Network, look: Preprocessing, dataset: Dataset, precision: str | None
) -> tuple[Plan, ...]:
    """What each regime of a network would come to, from the least trained on."""
    images, others, side = len(dataset.train), len(dataset.val or ()), typical_side_of(dataset)
    costs, device = costs_of(network, look), next(network.parameters()).device.type
    batch = get_recipe(FULL.recipe).batch_size
    pace = pace_of(network, look, costs.rows, precision or choose_precision("auto", device, costs.multiply_adds, batch))
    kin = kin_of(best.distance, best.forecast.accuracy, len(dataset.classes), best.side)
    plans = [Plan(FEATURES.name, best.forecast.accuracy, best.seconds)]
    for regime in pace.trained:
        recipe = recipe_of(regime, images, side is not None and side <= SMALL, best.side)
        assert recipe is not None
        foretold = expected(regime, best.forecast.accuracy, images, len(dataset.classes), kin)
        plans.append(Plan(regime, foretold, best.seconds + pace.of(regime, recipe.epochs, images, others)))
    return tuple(plans)
