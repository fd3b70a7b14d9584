"""Evaluations as a person reads them."""

from __future__ import annotations

import math
from typing import Any

from striate.data.targets import MULTI_LABEL, REGRESSION, SINGLE_LABEL, kind_of
from striate.text_tables import Column, Table
from striate.units import percent, whole


def evaluation_lines(evaluation: Any, split: str) -> str:
    """An evaluation in a few lines: its score with the interval, and what else is measured."""
    of = {"train": "training images, which says little about new ones", "all": "images"}.get(split, f"{split} images")
    on = f"on {whole(len(evaluation))} {of}"
    kind = kind_of(evaluation.labels)
    lines = {SINGLE_LABEL: _classes, MULTI_LABEL: _labels, REGRESSION: _values}[kind](evaluation, on)
    if evaluation.views is not None:
        lines.insert(-1, str(evaluation.views))
    return "\n".join(lines)


def _classes(evaluation: Any, on: str) -> list[str]:
    lines = [f"top-1 {percent(evaluation.top1, 2)} ({_interval(evaluation.top1_interval)}) {on}"]
    if evaluation.top5 is not None:
        lines.append(f"top-5 {percent(evaluation.top5, 2)}")
    if evaluation.unbalanced:
        recall, f1 = percent(evaluation.balanced_accuracy, 2), percent(evaluation.macro_f1, 2)
        lines.append(f"balanced accuracy {recall}, macro F1 {f1}: the means over the classes, each counting alike")
    return [*lines, f"loss {evaluation.loss:.4f}, calibration error {evaluation.calibration().ece:.4f}"]


def _labels(evaluation: Any, on: str) -> list[str]:
    score = f"mAP {percent(evaluation.mean_average_precision, 2)} ({_interval(evaluation.map_interval)}) {on}"
    f1 = f"F1 {percent(evaluation.micro_f1, 2)} over all labels, {percent(evaluation.macro_f1, 2)} mean of the labels'"
    lines = [score, f1]
    if evaluation.thresholds:
        lines[1] += f", at thresholds fitted to {'these' if on.endswith('val images') else 'validation'} images"
        micro, macro = (percent(each, 2) for each in (evaluation.at_half.micro_f1, evaluation.at_half.macro_f1))
        lines.append(f"F1 {micro} over all labels, {macro} mean of the labels', at 50%")
    whole_right = f"all labels right on {percent(evaluation.subset_accuracy, 2)} of the images"
    return [
        *lines,
        whole_right,
        f"loss {evaluation.loss:.4f}, {percent(evaluation.hamming_loss, 2)} of labels wrong",
    ]


def _values(evaluation: Any, on: str) -> list[str]:
    low, high = evaluation.r2_interval
    score = f"R² {evaluation.r2:.4f} ({low:.4f} to {high:.4f}, 95 % interval) {on}"
    return [score, f"loss {evaluation.loss:.4f}, mean absolute error {evaluation.mae:.5g}"]


def _interval(ends: tuple[float, float]) -> str:
    if not math.isfinite(ends[0]):
        return "too many for an interval"
    return f"{percent(ends[0], 2)} to {percent(ends[1], 2)}, 95 % interval"


def score_table(evaluation: Any) -> Table:
    """The figures of every class, label or value."""
    kind = kind_of(evaluation.labels)
    names, shares = {
        SINGLE_LABEL: (("class", "precision", "recall", "F1", "images"), ("precision", "recall", "f1")),
        MULTI_LABEL: (
            ("label", "AP", "threshold", "precision", "recall", "F1", "F1 at 50%", "images"),
            ("average_precision", "threshold", "precision", "recall", "f1", "f1_at_half"),
        ),
        REGRESSION: (("value", "MAE", "RMSE", "R²", "bias", "largest", "mean said"), ()),
    }[kind]
    rows = []
    for score in evaluation.per_class():
        if kind == REGRESSION:
            figures = (score.mae, score.rmse, score.r2, score.bias, score.largest, score.baseline)
            rows.append([score.name, *(f"{value:.4g}" for value in figures)])
        else:
            found = (getattr(score, share) for share in shares)
            rows.append(
                [
                    score.name,
                    *(percent(each, 2) if score.support and math.isfinite(each) else "–" for each in found),
                    whole(score.support),
                ]
            )
    return Table((Column(names[0], right=False, least=16), *map(Column, names[1:])), rows)
