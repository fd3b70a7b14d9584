"""Losses by name. Each takes logits (N, K) and labels and gives the mean over the batch.

Labels are classes, int64 (N,), or soft: the share of each class in a mixed image, (N, K), rows that sum to 1.

A network of one logit z separates two classes by a sigmoid: `class_logits` makes the logits (0, z) of it, whose
softmax is (1 - sigmoid(z), sigmoid(z)) and whose cross-entropy is the binary one, so that nothing else need know.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor

from striate.errors import UsageError, unknown
from striate.layers import HingeLoss, RBFDistanceLoss, RBFLoss

Loss = Callable[[Tensor, Tensor], Tensor]

#: What a recipe says when each network is to train with the loss it was made for.
OWN = "own"


def class_logits(logits: Tensor, num_classes: int) -> Tensor:
    """Logits of `num_classes` classes: as they are, but (0, z) where two classes share one logit z."""
    return F.pad(logits, (1, 0)) if num_classes == 2 and logits.shape[1] == 1 else logits


def shares(labels: Tensor, logits: Tensor) -> Tensor:
    """Labels as shares of the classes (N, K), in the logits' precision."""
    hard = labels.dim() == 1
    return (F.one_hot(labels, logits.shape[1]) if hard else labels).to(logits.dtype)


def taking_shares(loss: Loss) -> Loss:
    """A loss of classes that takes soft labels too: the mean of what it gives for each class, by its share."""

    def one(logits: Tensor, label: Tensor) -> Tensor:
        return loss(logits[None], label[None])

    def mean(logits: Tensor, labels: Tensor) -> Tensor:
        if labels.dim() == 1:
            return loss(logits, labels)
        rows, classes = labels.nonzero(as_tuple=True)
        found = torch.vmap(one)(logits[rows], classes)
        return (labels[rows, classes] * found).sum() / len(labels)

    return mean


def weighed(loss: Loss, weights: Tensor) -> Loss:
    """A loss of classes to which each class counts as its weight (K,) says, in hard and soft labels alike.

    It is divided by the images and not by the sum of their weights, so that a class counts the same in every batch.
    """

    def one(logits: Tensor, label: Tensor) -> Tensor:
        return loss(logits[None], label[None])

    def mean(logits: Tensor, labels: Tensor) -> Tensor:
        parts = shares(labels, logits) * weights.to(logits)
        rows, classes = parts.nonzero(as_tuple=True)
        found = torch.vmap(one)(logits[rows], classes)
        return (parts[rows, classes] * found).sum() / len(labels)

    return mean


def cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor, label_smoothing: float) -> Tensor:
    """The cross-entropy to which each class counts as its weight (K,) says: PyTorch's, of labels as shares."""
    return F.cross_entropy(logits, shares(labels, logits), weights.to(logits), label_smoothing=label_smoothing)


def binary(logits: Tensor, labels: Tensor) -> Tensor:
    """A sigmoid for each class, each with its binary cross-entropy; summed over the classes."""
    truth = shares(labels, logits)
    return F.binary_cross_entropy_with_logits(logits, truth, reduction="sum") / len(labels)


def squared_error(logits: Tensor, labels: Tensor) -> Tensor:
    """Squared error of the softmax, summed over the classes (Brier, 1950): 0 at best, 2 at worst."""
    truth = shares(labels, logits)
    return (logits.softmax(1) - truth).square().sum(1).mean()


def half_squared_error(logits: Tensor, labels: Tensor) -> Tensor:
    """Half of it, 1/2 sum (t - o)^2, whose derivative by each output is o - t (Rumelhart et al., 1986): 1 at worst."""
    return squared_error(logits, labels) / 2


#: Units of F6. LeNet's losses add up one squared error for each; divided by their number, they train at the rates of
#: other losses.
RBF_UNITS = 84


def rbf(logits: Tensor, labels: Tensor) -> Tensor:
    """LeNet's equation 9, per unit of F6."""
    return RBFLoss()(logits, labels) / RBF_UNITS


def rbf_distance(logits: Tensor, labels: Tensor) -> Tensor:
    """LeNet's equation 8, per unit of F6: the mean squared error."""
    return RBFDistanceLoss()(logits, labels) / RBF_UNITS


#: "hinge" is the form that lectures call the SVM loss.
LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "cross_entropy": F.cross_entropy,
        "binary": binary,
        "squared_error": squared_error,
        "half_squared_error": half_squared_error,
        "hinge": taking_shares(HingeLoss("weston_watkins")),
        "rbf": taking_shares(rbf),
        "rbf_distance": taking_shares(rbf_distance),
    }
)

#: Losses of values (N, T), the mean over values and images; the first is what is taken when none is named.
VALUE_LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "mean_squared_error": F.mse_loss,
        "mean_absolute_error": F.l1_loss,
        "huber": F.huber_loss,
    }
)


def choose_loss(name: str, own: str, label_smoothing: float = 0.0, weights: Tensor | None = None) -> Loss:
    """The loss that training minimises.

    Args:
        name: one of `LOSSES`, or `OWN`.
        own: name of the network's own.
        label_smoothing: share of each label spread over all classes.
        weights: what each class counts, (K,); None where all count alike.

    Raises:
        UsageError: an unknown name; smoothed labels with a loss that has none; LeNet's losses with other outputs.
    """
    chosen = own if name == OWN else name
    if chosen in VALUE_LOSSES:
        raise UsageError(f"the loss '{chosen}' is for values; classes take one of {', '.join(LOSSES)}.")
    if chosen not in LOSSES:
        raise unknown("loss", chosen, [OWN, *LOSSES])
    if chosen.startswith("rbf") and own != "rbf":
        raise UsageError(f"the loss '{chosen}' is for networks with RBF outputs, such as lenet5_1998.")
    if chosen == "cross_entropy":
        if weights is not None:
            return functools.partial(cross_entropy, weights=weights, label_smoothing=label_smoothing)
        return functools.partial(F.cross_entropy, label_smoothing=label_smoothing)
    if label_smoothing:
        raise UsageError(f"the loss '{chosen}' has no smoothed labels; set label_smoothing=0 or loss=cross_entropy.")
    return LOSSES[chosen] if weights is None else weighed(LOSSES[chosen], weights)
