"""Several labels as pictures and as a table: precision against recall, and which labels come together."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from striate.report import charts
from striate.training.label_metrics import MultiLabelEvaluation

#: Curves that are drawn, and labels that are crossed with one another.
MOST_CURVES, MOST_CROSSED = 6, 15


def curves(evaluation: MultiLabelEvaluation) -> list[tuple[str, Markup]]:
    """Precision against recall of labels, the weakest of many, with a dot at the threshold."""
    scores = evaluation.per_class()
    seen = [place for place, score in enumerate(scores) if score.support]
    weakest = sorted(seen, key=lambda place: scores[place].average_precision)[:MOST_CURVES]
    found = []
    for place in sorted(weakest):
        score = scores[place]
        recall, precision = evaluation.curve(place)
        at = (score.recall, score.precision) if evaluation.predicted[:, place].any() else None
        found.append((score.name, charts.precision_and_recall(f"{place}-{score.name}", recall, precision, at)))
    return found


def together(evaluation: MultiLabelEvaluation) -> dict[str, Any] | None:
    """Of the images that have a label, the share that have another, and that are said to have it; of the commonest."""
    images = evaluation.labels.sum(0)
    known = np.flatnonzero(images)
    if len(known) < 2:
        return None
    chosen = np.sort(known[np.argsort(-images[known], kind="stable")][:MOST_CROSSED])
    has, said = evaluation.labels[:, chosen].astype(float), evaluation.predicted[:, chosen].astype(float)
    both, told = has.T @ has / images[chosen, None], has.T @ said / images[chosen, None]
    names = [evaluation.classes[place] for place in chosen]
    rows = [
        {"name": name, "cells": list(zip(true.tolist(), found.tolist(), strict=True))}
        for name, true, found in zip(names, both, told, strict=True)
    ]
    return {"names": names, "rows": rows, "left_out": len(evaluation.classes) - len(chosen)}
