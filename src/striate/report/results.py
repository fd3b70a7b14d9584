"""The one figure that matters of an evaluation, with its interval and what it is to be compared with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate.report import words
from striate.report.inputs import split_word
from striate.training.label_metrics import MultiLabelEvaluation
from striate.training.measured import Measured
from striate.training.metrics import Evaluation
from striate.training.value_metrics import RegressionEvaluation

#: What is to be said of figures on images that played a part in training.
CAUTIONS = {
    "val": "There is no test split: these images also chose the best epoch, which flatters it.",
    "val without epochs": "There is no test split; nothing was chosen by these images.",
    "train": "These are the images it learnt from: the figure says little about new ones.",
}


def result(evaluation: Measured, split: str, epochs: bool = True) -> dict[str, Any]:
    """What stands at the head of the page: figure, unit, what it is, its interval drawn and in words.

    `epochs` says whether the weights are those of the best of several.
    """
    found = _of(evaluation)
    loss = f" Loss {words.figure(evaluation.loss)}." if math.isfinite(evaluation.loss) else ""
    return {
        **found,
        "sentence": found["sentence"] + loss,
        "split": split_word(split),
        "caution": CAUTIONS.get(split if epochs or split != "val" else "val without epochs", ""),
    }


def _of(evaluation: Measured) -> dict[str, Any]:
    if isinstance(evaluation, Evaluation):
        return _accuracy(evaluation)
    if isinstance(evaluation, MultiLabelEvaluation):
        return _average_precision(evaluation)
    assert isinstance(evaluation, RegressionEvaluation)
    return _explained(evaluation)


def _accuracy(evaluation: Evaluation) -> dict[str, Any]:
    images, (low, high) = len(evaluation), evaluation.top1_interval
    common = int(np.bincount(evaluation.labels).max())
    share, least, most, baseline = (
        words.percent(value, images) for value in (evaluation.top1, low, high, common / images)
    )
    return {
        "figure": share.removesuffix(f"{words.NO_BREAK}%"),
        "unit": "%",
        "what": "top-1 accuracy",
        "more": f", {words.percent(evaluation.top5, images)} top-5" if evaluation.top5 is not None else "",
        "interval": (low * 100, high * 100, evaluation.top1 * 100),
        "sentence": (
            f"{words.whole(evaluation.correct)} of {words.whole(images)} images right; 95 % interval {least} to {most} "
            f"(Wilson). Always naming the commonest class: {baseline}.{_alike(evaluation)}"
        ),
    }


def _alike(evaluation: Evaluation) -> str:
    """The figures to which each class counts alike, where some class has many times the images of another."""
    if not evaluation.unbalanced:
        return ""
    shares = (words.percent(share, len(evaluation)) for share in (evaluation.balanced_accuracy, evaluation.macro_f1))
    return " Each class counting alike: balanced accuracy {}, macro F1 {}.".format(*shares)


def _average_precision(evaluation: MultiLabelEvaluation) -> dict[str, Any]:
    images, (low, high) = len(evaluation), evaluation.map_interval
    mean, known = evaluation.mean_average_precision, math.isfinite(low)
    interval = f"95 % interval {words.percent(low, images)} to {words.percent(high, images)} (bootstrap). " * known
    shares = [score.support / images for score in evaluation.per_class() if score.support]
    return {
        "figure": words.percent(mean, images).removesuffix(f"{words.NO_BREAK}%"),
        "unit": "%" if math.isfinite(mean) else "",
        "what": "mean average precision",
        "more": f", {words.percent(evaluation.micro_f1, images)} F1",
        "interval": (low * 100, high * 100, mean * 100) if known else None,
        "sentence": (
            f"{interval}Of {words.whole(images)} images {words.percent(evaluation.subset_accuracy, images)} have all "
            f"their labels right; of all labels {words.percent(evaluation.hamming_loss, images)} are wrong. Guessing: "
            f"a mean average precision of {words.percent(float(np.mean(shares)) if shares else math.nan, images)}."
        ),
    }


def _explained(evaluation: RegressionEvaluation) -> dict[str, Any]:
    images, (low, high) = len(evaluation), evaluation.r2_interval
    known = math.isfinite(evaluation.r2) and math.isfinite(low)
    interval = f"95 % interval {low:.3f} to {high:.3f} (bootstrap). " * known
    drawn = [min(1.0, max(0.0, value)) * 100 for value in (low, high, evaluation.r2)] if known else None
    first = evaluation.per_class()[0]
    return {
        "figure": f"{evaluation.r2:.3f}" if math.isfinite(evaluation.r2) else "–",
        "unit": "",
        "what": "R²",
        "more": "",
        "interval": drawn,
        "sentence": (
            f"{interval}On {words.whole(images)} images '{words.short(first.name, 40)}' is off by "
            f"{words.figure(first.mae)} in the mean; always saying the mean would be off by "
            f"{words.figure(first.baseline)}."
        ),
    }
