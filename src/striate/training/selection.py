"""The one rule by which weights are better than others: it chooses what is saved and when training stops early.

Better is the higher validation score: accuracy, mean average precision or R squared, as the task has it; where two
are equal, the lower validation loss. What is equal in both is no better, so the earlier weights stay. A classifier of
features, with which transfer begins, was fitted to the end, so it stays until an epoch tells more right than chance
would among so many epochs and so few images.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate

from striate.training.figures import FIGURES, score_in
from striate.training.measured import Measured
from striate.training.state import Position

#: The epoch of what there was before the first.
BEGINNING = 0


def figures_of(evaluation: Measured) -> dict[str, float]:
    """What is kept of the weights with this evaluation: score and loss."""
    score = next(iter(evaluation.figures()))
    return {score: evaluation.score, "loss": evaluation.loss}


def better(evaluation: Measured, best: Mapping[str, float] | None) -> bool:
    """Whether weights with this evaluation are better than the best so far, if there are any."""
    if best is None:
        return True
    found = figures_of(evaluation)
    if best.get("epoch") == BEGINNING and "accuracy" in found:
        return found["accuracy"] - best["accuracy"] > doubt(best["accuracy"], len(evaluation.labels))
    return _rank(found) > _rank(best)


def doubt(accuracy: float, images: int) -> float:
    """The standard error of an accuracy of so many images; at 0 and 1 too there is one (Agresti & Coull, 1998)."""
    share = (accuracy * images + 2) / (images + 4)
    return math.sqrt(share * (1 - share) / (images + 4))


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


def beginning_line(position: Position) -> str:
    """That the classifier which training began with is kept, and why; empty where it is not, or nothing tells."""
    best = position.best
    if best is None or best["epoch"] != BEGINNING or not position.history or len(best) == 1:
        return ""
    name = score_in(best)
    figure = FIGURES[name]
    told_of = ((row["epoch"], row.get(f"val_{name}")) for row in position.history)
    scores = {epoch: score for epoch, score in told_of if isinstance(score, float) and math.isfinite(score)}
    told = f"Kept is the classifier of features that it began with, {figure.words} {figure.write(best[name])}"
    highest = max(scores, key=scores.__getitem__, default=BEGINNING)
    if scores.get(highest, -math.inf) <= best[name]:
        return f"{told}: no epoch was better."
    return f"{told}: epoch {highest:g} with {figure.write(scores[highest])} is less than one standard error better."
