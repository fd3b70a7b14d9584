"""Validation while training goes on: in float32, or in bfloat16 where that was checked and is quicker.

Casts to bfloat16 double the speed of a network on hardware that multiplies it, and change its figures in the third
digit. Where training itself is in bfloat16, the first validation is therefore made in both; the later ones are in
bfloat16 if score and loss of the two agree, else in float32. What is measured at the end of a run is always float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

from striate.data import Preprocessing
from striate.engines import Eager, evaluating
from striate.training.batches import Batches
from striate.training.evaluation import evaluate
from striate.training.figures import FIGURES
from striate.training.measured import Measured
from striate.training.recipes import FLOAT32
from striate.training.tasks import Task

#: Scores that differ by no more, and losses that differ by no larger share, agree.
SCORES_AGREE, LOSSES_AGREE = 0.002, 0.01

BFLOAT16 = "bf16"

#: Is told how many images are done.
Shown = Callable[[int], None]


class Validation:
    """Measures a network on the validation images, each time it is called.

    Args:
        batches: the images.
        task: what is learnt.
        preprocessing: the network's.
        wanted: "auto", or "32" for float32 alone, as a recipe says it.
        precision: of training, in Fabric's words.

    Attributes:
        chosen: "32" or "bf16" once that is decided, else empty. It decides figures, so a checkpoint keeps it.
        words: how the two compared, for a person; empty where only one was tried.
    """

    def __init__(self, batches: Batches, task: Task, preprocessing: Preprocessing, wanted: str, precision: str) -> None:
        self.batches, self.task, self.preprocessing = batches, task, preprocessing
        self.chosen = "" if wanted != FLOAT32 and precision.startswith(BFLOAT16) else FLOAT32
        self.words = ""

    def __call__(self, network: nn.Module, shown: Shown = lambda done: None) -> Measured:
        """The evaluation of a network, which comes back in the mode it was in; `shown` is told of images done."""
        with evaluating(network):
            if self.chosen:
                return self._measured(network, self.chosen, shown)
            exact = self._measured(network, FLOAT32, shown)
            self._choose(exact, self._measured(network, BFLOAT16, shown))
            return exact

    def _measured(self, network: nn.Module, precision: str, shown: Shown) -> Measured:
        dtype = torch.bfloat16 if precision == BFLOAT16 else None
        return evaluate(Eager(network, self.preprocessing.normalise, dtype), self.batches, self.task, shown)

    def _choose(self, exact: Measured, reduced: Measured) -> None:
        agree = agrees(exact, reduced)
        self.chosen = BFLOAT16 if agree else FLOAT32
        figure = FIGURES[next(iter(exact.figures()))]
        low, high = (f"{figure.words} {figure.write(each.score)}, loss {each.loss:.4f}" for each in (reduced, exact))
        outcome = "agrees with" if agree else "differs from"
        later = "bfloat16" if agree else "float32"
        self.words = f"validation in bfloat16 {outcome} float32 ({low}; {high}): later epochs are validated in {later}"


def agrees(exact: Measured, reduced: Measured) -> bool:
    """Whether figures in reduced precision stand for those in float32."""
    if not all(map(math.isfinite, (exact.score, reduced.score, exact.loss, reduced.loss))):
        return False
    close = round(abs(reduced.score - exact.score), 9) <= SCORES_AGREE
    return close and abs(reduced.loss - exact.loss) <= LOSSES_AGREE * abs(exact.loss)
