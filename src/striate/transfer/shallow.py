"""Shallow classifiers on features: linear in them, fitted to the end, their strength found by cross-validation.

The features are standardised first, which is then part of the weights. What is minimised is the mean loss over the
images, each of which counts as its weight says, plus ½ strength ‖W‖² (Bishop, 2006, sections 4.3 and 7.1), by L-BFGS
(Liu & Nocedal, 1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from striate.data.workers import worker_count
from striate.errors import UsageError, unknown
from striate.transfer.shallow_losses import LOSSES, Loss

#: Strengths that are tried, the strongest first: each begins where the one before it ended.
STRENGTHS = tuple(10.0**power for power in (1, 0.5, 0, -0.5, -1, -1.5, -2, -2.5, -3, -3.5, -4))
#: Parts of the images, each of which is predicted by what was fitted to the others.
FOLDS = 5
#: Strengths in a row that are no better before no more are tried.
PATIENCE = 1
#: Images that cross-validation takes, at most.
MOST_COMPARED = 2_000
#: Steps of L-BFGS, at most, and the share by which one has to lower the loss: of a fit that is used, of one compared.
USED, COMPARED = (200, 1e-7), (30, 1e-4)
#: A feature whose deviation is less than this share of the largest hardly changes.
HARDLY = 1e-3
#: The temperature of cosines where one image of each class says nothing of it.
UNKNOWN = 0.05
#: Losses whose labels are numbers of classes; the others have a column for each output.
BY_CLASS = ("softmax", "svm")
#: Classifiers of one class an image, by name; the last is no fit but that of means.
COSINE = "cosine"
KINDS = (*BY_CLASS, COSINE)


@dataclass(frozen=True)
class Shallow:
    """A linear classifier.

    Attributes:
        weight: float32 (K, D), on the features as they are.
        bias: float32 (K,).
        loss: one of `LOSSES`.
        strength: of the penalty on the weights of standardised features.
        compared: for each strength that was tried the mean loss of images it was not fitted to.
        temperature: what the scores of a cross-validated SVM were divided by, so that softmax makes probabilities of
            them (Guo et al., 2017, arXiv:1706.04599); it is part of weight and bias.
        expected: what the classifier gives for each image that it is fitted to, fitted without it, (N, K); NaN where
            that was not reckoned.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    loss: str
    strength: float
    compared: Mapping[float, float]
    expected: NDArray[np.float32]
    temperature: float = 1.0

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (N, K) of features (N, D)."""
        return features @ self.weight.T + self.bias


def by_means(features: NDArray[np.float32], labels: NDArray, outputs: int, copies: int = 1) -> Shallow:
    """The class whose mean is the nearest in angle: all that few images tell (Snell et al., 2017, arXiv:1703.05175).

    The cosine's order is that of a linear classifier, whose weights are the directions of the means; its scores are
    divided by the length of a typical image's features.

    Args:
        features: float32 (N, D); of several copies of each image first those of the first copies, then of the second.
        labels: int64 (N,), of each class at least one.
        outputs: K.
        copies: of each image.
    """
    members = np.eye(outputs, dtype=np.float32)[labels]
    sums, counts = members.T @ features, members.sum(0)
    directions = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    # An image is not to be compared with a mean of which it is part: without its copies the mean is that of the others.
    whole = features.reshape(copies, -1, features.shape[1]).sum(0)
    others = sums[labels] - np.tile(whole, (copies, 1))
    scores = features @ directions.T
    alone = counts[labels] == copies
    own = (features * others).sum(1) / np.maximum(np.linalg.norm(others, axis=1), 1e-12)
    scores[np.arange(len(labels)), labels] = np.where(alone, np.nan, own)
    scores[alone] = np.nan
    length = float(np.linalg.norm(features, axis=1).mean())
    temperature = _temperature(scores / length, labels) if not alone.all() else UNKNOWN
    scale = length * temperature
    bias = np.zeros(outputs, np.float32)
    return Shallow(directions / scale, bias, COSINE, 0.0, {}, scores / scale, temperature)


def fit(
    features: NDArray[np.float32],
    labels: NDArray,
    outputs: int,
    loss: str = "softmax",
    strength: float | None = None,
    seed: int = 0,
    bias: bool = True,
    copies: int = 1,
    weights: NDArray[np.float32] | None = None,
) -> Shallow:
    """Fit a linear classifier.

    Args:
        features: float32 (N, D); of several copies of each image first those of the first copies, then of the second.
        labels: int64 (N,) of classes; (N, K) of several labels or values.
        outputs: K.
        loss: one of `LOSSES`.
        strength: of the penalty; None for the one that predicts best what it was not fitted to.
        seed: decides the parts of cross-validation.
        bias: whether it has one.
        copies: of each image, none of which is predicted by what was fitted to another.
        weights: what each image counts, float32 (N, 1), or each output of it, (N, K); None where all count alike.

    Raises:
        UsageError: an unknown loss, or a negative strength.
    """
    if loss not in LOSSES:
        raise unknown("shallow classifier", loss, LOSSES)
    if strength is not None and not strength >= 0:
        raise UsageError(f"strength is {strength}; it is 0 or more")
    with threadpool_limits(1, "blas"):  # threads of several libraries would wait for one another
        return _fit(features, labels, outputs, loss, strength, seed, bias, copies, weights)


def _fit(
    features: NDArray[np.float32],
    labels: NDArray,
    outputs: int,
    loss: str,
    strength: float | None,
    seed: int,
    bias: bool,
    copies: int,
    weights: NDArray[np.float32] | None,
) -> Shallow:
    x, mean, scale = _standardised(features, bias)
    y = labels if loss in BY_CLASS else labels.astype(np.float32)
    compared: dict[float, float] = {}
    expected = np.full((len(x), outputs), np.nan, np.float32)
    if strength is None:
        strength, compared, expected = _cross_validated(x, y, outputs, loss, seed, bias, copies, weights)
    found = _minimise(x, y, outputs, LOSSES[loss], strength, USED, bias, None, weights)
    temperature = _temperature(expected, y, weights) if loss == "svm" and compared else 1.0
    found, expected = found / temperature, expected / temperature
    unscaled, offset = found[:, :-1] / scale, found[:, -1]
    offset = offset - unscaled @ mean if bias else np.zeros(outputs, np.float32)
    return Shallow(unscaled, offset, loss, strength, compared, expected, temperature)


def _temperature(scores: NDArray, labels: NDArray, weights: NDArray | None = None) -> float:
    """What to divide scores (N, K) of images not fitted to by, so that softmax makes probabilities of them.

    Where all are told right no probability would be high enough, so one image more is taken to be of any class (as
    Platt, 1999, "Probabilistic outputs for support vector machines", section 2.2, does for two).
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    known = np.isfinite(scores[:, 0])
    scores, labels = scores[known].astype(np.float64), labels[known]
    counts = np.ones(len(scores)) if weights is None else weights[known, 0]
    own = np.average(scores[np.arange(len(scores)), labels], weights=counts)
    others = np.average(scores.mean(1), weights=counts)
    towards = own + (others - own) / (len(scores) + 1)

    def loss(power: float) -> float:
        return float(np.average(logsumexp(scores / 10.0**power, axis=1), weights=counts) - towards / 10.0**power)

    return float(10.0 ** minimize_scalar(loss, bounds=(-3, 1), method="bounded").x)


def _standardised(features: NDArray[np.float32], bias: bool) -> tuple[NDArray, NDArray, NDArray]:
    """Features of mean 0 and deviation 1, and both; those that never change stay out of it.

    Those that hardly change beside others are not made as large as they are: their weights would multiply what float32
    and engines differ by. Without a bias, which alone can take up the means, these stay.
    """
    x = np.asarray(features, np.float32)
    mean, scale = x.mean(0, dtype=np.float64), x.std(0, dtype=np.float64)
    changes = scale > 1e-6 * np.abs(x).max(0)
    scale = np.where(changes, np.maximum(scale, HARDLY * scale.max(initial=0)), np.inf).astype(np.float32)
    mean = (mean if bias else np.zeros_like(mean)).astype(np.float32)
    return np.ascontiguousarray((x - mean) / scale), mean, scale


def _cross_validated(
    x: NDArray,
    y: NDArray,
    outputs: int,
    loss: str,
    seed: int,
    biased: bool,
    copies: int,
    weights: NDArray | None,
) -> tuple[float, dict[float, float], NDArray[np.float32]]:
    """The strength that predicts best; the loss of each; what the best one predicts of images it was not fitted to.

    From the strongest on, each fit begins where the one before it ended, until they are no better.
    """
    rng, images = np.random.default_rng(seed), len(x) // copies
    some = np.sort(rng.permutation(images)[: MOST_COMPARED // copies])
    rows = np.concatenate([some + images * copy for copy in range(copies)])
    fold, measure = np.tile(_folds(y[some], rng), copies), LOSSES[loss]
    parts = []
    for number in range(int(fold.max()) + 1):
        fitted, left = rows[fold != number], rows[fold == number]
        parts.append((x[fitted], y[fitted], x[left], left, None if weights is None else weights[fitted]))
    starts: list[NDArray | None] = [None] * len(parts)
    compared: dict[float, float] = {}
    best, predicted = STRENGTHS[0], np.full((len(x), outputs), np.nan, np.float32)
    for strength in STRENGTHS:
        scores = np.full((len(x), outputs), np.nan, np.float32)

        def fitted_to(number: int, strength: float = strength, scores: NDArray = scores) -> None:
            x_fitted, y_fitted, x_left, left, counts = parts[number]
            found = _minimise(x_fitted, y_fitted, outputs, measure, strength, COMPARED, biased, starts[number], counts)
            starts[number] = found
            scores[left] = x_left @ found[:, :-1].T + found[:, -1]

        with ThreadPoolExecutor(worker_count()) as pool:
            list(pool.map(fitted_to, range(len(parts))))
        losses = measure(scores[rows], y[rows])[0] * (1 if weights is None else weights[rows])
        compared[strength] = float(losses.sum(1).mean())
        if compared[strength] <= compared[best]:
            best, predicted = strength, scores
        elif STRENGTHS.index(strength) - STRENGTHS.index(best) >= PATIENCE:
            break
    return best, compared, predicted


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
    x: NDArray,
    y: NDArray,
    outputs: int,
    loss: Loss,
    strength: float,
    until: tuple[int, float],
    biased: bool,
    start: NDArray | None = None,
    weights: NDArray | None = None,
) -> NDArray[np.float32]:
    """Weight and bias (K, D + 1) at the least mean loss plus penalty.

    `until` says after how many steps to stop, or when one lowers the loss by no more than which share; `weights` is as
    for `fit`.
    """
    from scipy.optimize import minimize

    shape = (outputs, x.shape[1] + 1)

    def value(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        parameters = flat.astype(np.float32).reshape(shape)
        weight = parameters[:, :-1]
        losses, slopes = loss(x @ weight.T + parameters[:, -1], y)
        if weights is not None:
            losses, slopes = losses * weights, slopes * weights
        gradient = np.empty(shape)
        gradient[:, :-1] = slopes.T @ x / len(x) + strength * weight
        gradient[:, -1] = slopes.mean(0) if biased else 0.0
        return float(losses.sum(1).mean()) + 0.5 * strength * float(np.square(weight).sum()), gradient.ravel()

    flat = np.zeros(shape).ravel() if start is None else start.astype(np.float64).ravel()
    options = {"maxiter": until[0], "ftol": until[1], "maxcor": 10}
    found = minimize(value, flat, jac=True, method="L-BFGS-B", options=options)
    return found.x.astype(np.float32).reshape(shape)
