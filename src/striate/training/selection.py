"""The one rule by which weights are better than others: it chooses what is saved and when training stops early.

Better is the higher validation score: accuracy, mean average precision or R squared, as the task has it; where two
are equal, the lower validation loss. What is equal in both is no better, so the earlier weights stay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate

from striate.training.figures import FIGURES, score_in
from striate.training.measured import Measured
from striate.training.state import Position


def figures_of(evaluation: Measured) -> dict[str, float]:
    """What is kept of the weights with this evaluation: score and loss."""
    score = next(iter(evaluation.figures()))
    return {score: evaluation.score, "loss": evaluation.loss}


def better(evaluation: Measured, best: Mapping[str, float] | None) -> bool:
    """Whether weights with this evaluation are better than the best so far, if there are any."""
    return best is None or _rank(figures_of(evaluation)) > _rank(best)


def _rank(figures: Mapping[str, float]) -> tuple[float, float]:
    """What is compared; a score that is not defined, such as R squared of one image, is below all others."""
    score = figures[score_in(figures)]
    return (-math.inf if math.isnan(score) else score), -figures["loss"]


def epochs_waited(position: Position) -> int:
    """Epochs done since the best one; an extension begins to wait anew."""
    start = 0
    for end in accumulate(position.phases):
        if position.epoch > end:
            start = end
    best = position.best["epoch"] if position.best else 0
    return position.epoch - max(start, int(best))


def early_stop_line(position: Position, patience: int) -> str:
    """Why training ended before its last epoch, and which weights are kept."""
    assert position.best is not None
    best, done = position.best, position.epoch
    name = score_in(best)
    score = f"{FIGURES[name].words} {FIGURES[name].write(best[name])}"
    return (
        f"stopped early after epoch {done} of {position.epochs}: none of the last {patience} epochs was better. "
        f"Kept is the best, epoch {best['epoch']:g}: val loss {best['loss']:.4f} {score}."
    )
