"""Several labels or values one by one, as the report prints them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from markupsafe import Markup

from striate.report import charts, together, words
from striate.report.inputs import FEW_CLASSES, MOST_CLASSES
from striate.training.label_metrics import MultiLabelEvaluation
from striate.training.value_metrics import RegressionEvaluation

#: Charts of values that are drawn, and points in each.
MOST_CHARTS, MOST_POINTS = 6, 1000


def labels(evaluation: MultiLabelEvaluation) -> dict[str, Any]:
    """Every label's scores: in their own order when few, the weakest first when many."""
    scores = evaluation.per_class()
    many = len(scores) > FEW_CLASSES
    if many:
        scores = sorted(scores, key=lambda score: (not score.support, score.average_precision, score.name))
    seen = [score for score in scores if score.support]
    keys = ("average_precision", "precision", "recall", "f1", "f1_at_half")
    return {
        "scores": scores[:MOST_CLASSES],
        "left_out": max(0, len(scores) - MOST_CLASSES),
        "many": many,
        "fitted": bool(evaluation.thresholds),
        "curves": together.curves(evaluation),
        "together": together.together(evaluation),
        "means": [float(np.mean([getattr(score, key) for score in seen])) if seen else math.nan for key in keys],
        "images": len(evaluation),
    }


def values(evaluation: RegressionEvaluation) -> dict[str, Any]:
    """Every value's errors in its own units, and predicted against true as pictures."""
    head = ("Value", "MAE", "95 % interval", "RMSE", "Median", "Largest", "Bias", "R²", "Mean said")
    rows = [
        [
            score.name,
            words.figure(score.mae),
            f"{words.figure(score.mae_low)} to {words.figure(score.mae_high)}",
            *map(words.figure, (score.rmse, score.median, score.largest, score.bias)),
            words.figure(score.r2),
            words.figure(score.baseline),
        ]
        for score in evaluation.per_class()
    ]
    return {
        "head": head,
        "rows": rows[:MOST_CLASSES],
        "left_out": max(0, len(rows) - MOST_CLASSES),
        "charts": [_chart(evaluation, place) for place in range(min(MOST_CHARTS, len(evaluation.classes)))],
        "points": min(MOST_POINTS, len(evaluation)),
        "images": len(evaluation),
    }


def _chart(evaluation: RegressionEvaluation, place: int) -> tuple[str, Markup]:
    shown = np.linspace(0, len(evaluation) - 1, min(MOST_POINTS, len(evaluation))).astype(int)
    name = evaluation.classes[place]
    return name, charts.agreement(name, evaluation.labels[shown, place], evaluation.predicted[shown, place])
