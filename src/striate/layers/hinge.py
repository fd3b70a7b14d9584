"""Hinge losses: the output of a support vector machine on top of a network's scores (Tang, 2013, arXiv:1306.0239)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import UsageError, unknown

#: How a hinge takes more than two classes. "one_versus_rest": a machine for each class, the others its negatives, as
#: in Tang's paper. "crammer_singer": the right class against its strongest rival (Crammer and Singer, 2001).
#: "weston_watkins": against every rival (Weston and Watkins, 1999), the "SVM loss" of many lectures.
HINGES = ("one_versus_rest", "crammer_singer", "weston_watkins")


class HingeLoss(nn.Module):
    """Mean hinge loss of a batch, from scores (N, K) and labels (N,), a number.

    With t = +1 for the right class y and -1 for the others, an image costs

        one_versus_rest   sum over j of max(0, margin - t_j s_j)
        crammer_singer    max over j other than y of max(0, margin + s_j - s_y)
        weston_watkins    sum over j other than y of max(0, margin + s_j - s_y)

    Args:
        kind: one of `HINGES`.
        margin: how clear a decision must be to cost nothing.
        squared: square each max(0, ...): the L2-SVM, whose gradient has no kink.

    Raises:
        UsageError: the kind is unknown, or the margin is not above 0.
    """

    def __init__(self, kind: str = "one_versus_rest", *, margin: float = 1.0, squared: bool = False) -> None:
        super().__init__()
        if kind not in HINGES:
            raise unknown("hinge loss", kind, HINGES)
        if not margin > 0:
            raise UsageError(f"a hinge loss's margin is {margin:g}; a number above 0 is needed")
        self.kind, self.margin, self.squared = kind, margin, squared

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        """The mean over the batch. Raises UsageError for other shapes, or fewer than two classes."""
        if scores.dim() != 2 or labels.shape != scores.shape[:1] or scores.shape[1] < 2:
            raise UsageError(
                f"a hinge loss takes scores (N, K) of at least two classes and labels (N,), not "
                f"{tuple(scores.shape)} and {tuple(labels.shape)}"
            )
        right = F.one_hot(labels, scores.shape[1]).bool()
        if self.kind == "one_versus_rest":
            short = self.margin - torch.where(right, scores, -scores)
        else:
            short = self.margin + scores - scores.gather(1, labels[:, None])
            short = short.masked_fill(right, 0)
        costs = short.clamp(min=0)
        costs = costs.square() if self.squared else costs
        return (costs.amax(1) if self.kind == "crammer_singer" else costs.sum(1)).mean()

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"{self.kind}, margin={self.margin:g}, squared={self.squared}"
