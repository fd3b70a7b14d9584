"""Shallow classifiers on features: linear in them, fitted to the end, their strength found by cross-validation.

The features are standardised first, which is then part of the weights. What is minimised is the mean loss over the
images plus ½ strength ‖W‖² (Bishop, 2006, sections 4.3 and 7.1), by L-BFGS (Liu & Nocedal, 1989).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor
from torch.nn import functional

from striate.errors import UsageError, unknown

#: Strengths that are tried, the strongest first: each begins where the one before it ended.
STRENGTHS = tuple(10.0**power for power in (1, 0.5, 0, -0.5, -1, -1.5, -2, -2.5, -3, -3.5, -4))
#: Parts of the images, each of which is predicted by what was fitted to the others.
FOLDS = 5
#: Strengths in a row that are no better before no more are tried.
PATIENCE = 2
#: Images that cross-validation takes, at most.
MOST_COMPARED = 4_000
#: Steps of L-BFGS, at most, for a fit that is used; and for one that is compared.
STEPS, STEPS_COMPARED = 200, 30


def softmax(scores: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each image: scores (N, K), labels (N,)."""
    return functional.cross_entropy(scores, labels, reduction="none")


def squared_hinge(scores: Tensor, labels: Tensor) -> Tensor:
    """One class against the rest, max(0, 1 - y s)², as linear SVMs have it (Fan et al., 2008, LIBLINEAR)."""
    signs = 2 * functional.one_hot(labels, scores.shape[1]).to(scores.dtype) - 1
    return (1 - signs * scores).clamp(min=0).square().sum(1)


def logistic(scores: Tensor, labels: Tensor) -> Tensor:
    """The cross-entropy of each of several labels (N, K)."""
    return functional.binary_cross_entropy_with_logits(scores, labels.to(scores.dtype), reduction="none").sum(1)


def squared_error(scores: Tensor, labels: Tensor) -> Tensor:
    """Of values (N, K): ½ (s - y)²."""
    return 0.5 * (scores - labels.to(scores.dtype)).square().sum(1)


LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {"softmax": softmax, "svm": squared_hinge, "logistic": logistic, "ridge": squared_error}
)


@dataclass(frozen=True)
class Shallow:
    """A linear classifier.

    Attributes:
        weight: float32 (K, D), on the features as they are.
        bias: float32 (K,).
        loss: one of `LOSSES`.
        strength: of the penalty on the weights of standardised features.
        compared: for each strength that was tried the mean loss of images it was not fitted to.
        expected: what the classifier gives for each image that it is fitted to, fitted without it, (N, K); NaN where
            that was not reckoned.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    loss: str
    strength: float
    compared: Mapping[float, float]
    expected: NDArray[np.float32]

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (N, K) of features (N, D)."""
        return features @ self.weight.T + self.bias


def fit(
    features: NDArray[np.float32],
    labels: NDArray,
    outputs: int,
    loss: str = "softmax",
    strength: float | None = None,
    seed: int = 0,
    bias: bool = True,
) -> Shallow:
    """Fit a linear classifier.

    Args:
        features: float32 (N, D).
        labels: int64 (N,) of classes; (N, K) of several labels or values.
        outputs: K.
        loss: one of `LOSSES`.
        strength: of the penalty; None for the one that predicts best what it was not fitted to.
        seed: decides the parts of cross-validation.
        bias: whether it has one.

    Raises:
        UsageError: an unknown loss, or a negative strength.
    """
    if loss not in LOSSES:
        raise unknown("shallow classifier", loss, LOSSES)
    if strength is not None and not strength >= 0:
        raise UsageError(f"strength is {strength}; it is 0 or more")
    x, mean, scale = _standardised(features, bias)
    y = torch.from_numpy(labels)
    compared: dict[float, float] = {}
    expected = np.full((len(x), outputs), np.nan, np.float32)
    if strength is None:
        strength, compared, expected = _cross_validated(x, y, outputs, loss, seed, bias)
    weight, offset = _minimise(x, y, outputs, LOSSES[loss], strength, STEPS, None, bias)
    unscaled = weight / scale
    offset = offset - unscaled @ mean if bias else torch.zeros(outputs)
    return Shallow(unscaled.numpy(), offset.numpy(), loss, strength, compared, expected)


def _standardised(features: NDArray[np.float32], bias: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Features of mean 0 and deviation 1, and both; those that never change stay out of it.

    Without a bias, which alone can take up the means, these stay.
    """
    x = torch.from_numpy(np.ascontiguousarray(features, np.float32))
    scale, mean = torch.std_mean(x, 0, correction=0)
    mean = mean if bias else torch.zeros_like(mean)
    scale = torch.where(scale > 1e-6 * x.abs().amax(0), scale, torch.inf)
    return (x - mean) / scale, mean, scale


def _cross_validated(
    x: Tensor, y: Tensor, outputs: int, loss: str, seed: int, biased: bool
) -> tuple[float, dict[float, float], NDArray[np.float32]]:
    """The strength that predicts best; the loss of each; what the best one predicts of images it was not fitted to.

    From the strongest on, each fit begins where the one before it ended, until two in a row were no better.
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(x))[:MOST_COMPARED])
    fold, measure = _folds(y.numpy()[rows], rng), LOSSES[loss]
    parts = []
    for number in range(int(fold.max()) + 1):
        fitted, left = torch.from_numpy(rows[fold != number]), torch.from_numpy(rows[fold == number])
        parts.append((x[fitted], y[fitted], x[left], left))
    starts: list[Tensor | None] = [None] * len(parts)
    used, compared = torch.from_numpy(rows), dict[float, float]()
    best, predicted = STRENGTHS[0], torch.full((len(x), outputs), torch.nan)
    for strength in STRENGTHS:
        scores = torch.full((len(x), outputs), torch.nan)
        for number, (x_fitted, y_fitted, x_left, left) in enumerate(parts):
            start = starts[number]
            weight, bias = _minimise(x_fitted, y_fitted, outputs, measure, strength, STEPS_COMPARED, start, biased)
            starts[number] = torch.cat([weight, bias[:, None]], 1)
            scores[left] = x_left @ weight.T + bias
        compared[strength] = float(measure(scores[used], y[used]).mean())
        if compared[strength] <= compared[best]:
            best, predicted = strength, scores
        elif STRENGTHS.index(strength) - STRENGTHS.index(best) >= PATIENCE:
            break
    return best, compared, predicted.numpy()


def _folds(labels: NDArray, rng: np.random.Generator) -> NDArray[np.int64]:
    """A part for each image, each class spread over all of them; with few images of a class fewer parts."""
    count = len(labels)
    fold = np.empty(count, np.int64)
    if labels.ndim > 1:
        fold[rng.permutation(count)] = np.arange(count) % min(FOLDS, count)
        return fold
    order = np.lexsort((rng.permutation(count), labels))
    fold[order] = np.arange(count) % min(FOLDS, count)
    return fold


def _minimise(
    x: Tensor,
    y: Tensor,
    outputs: int,
    loss: Callable[[Tensor, Tensor], Tensor],
    strength: float,
    steps: int,
    start: Tensor | None,
    biased: bool,
) -> tuple[Tensor, Tensor]:
    """Weight (K, D) and bias (K,) at the least mean loss plus penalty."""
    width = x.shape[1]

    def value(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        parameters = torch.from_numpy(flat.astype(np.float32)).view(outputs, width + 1)
        weight, bias = parameters[:, :width], parameters[:, width]
        scores = torch.addmm(bias, x, weight.T).requires_grad_()
        with torch.enable_grad():
            total = loss(scores, y).mean()
        (slope,) = torch.autograd.grad(total, scores)
        gradient = torch.empty_like(parameters)
        gradient[:, :width] = torch.addmm(weight, slope.T, x, beta=strength)
        gradient[:, width] = slope.sum(0) if biased else 0.0
        penalty = 0.5 * strength * float(weight.square().sum())
        return float(total.detach()) + penalty, gradient.numpy().ravel().astype(np.float64)

    flat = np.zeros(outputs * (width + 1)) if start is None else start.numpy().ravel().astype(np.float64)
    found = minimize(value, flat, jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 10})
    parameters = torch.from_numpy(found.x.astype(np.float32)).view(outputs, width + 1)
    return parameters[:, :width].clone(), parameters[:, width].clone()
