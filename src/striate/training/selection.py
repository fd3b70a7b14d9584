"""The one rule by which weights are better than others: it chooses what is saved and when training stops early.

Better is the higher validation accuracy; where two are equal, the lower validation loss. What is equal in both is no
better, so the earlier weights stay.
"""

from __future__ import annotations

from itertools import accumulate

from striate.training.metrics import Evaluation
from striate.training.state import Position


def better(evaluation: Evaluation, best: dict[str, float] | None) -> bool:
    """Whether weights with this evaluation are better than the best so far, if there are any."""
    return best is None or (evaluation.top1, -evaluation.loss) > (best["accuracy"], -best["loss"])


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
    return (
        f"stopped early after epoch {done} of {position.epochs}: none of the last {patience} epochs was better. "
        f"Kept is the best, epoch {best['epoch']:g}: val loss {best['loss']:.4f} accuracy {best['accuracy']:.2%}."
    )
