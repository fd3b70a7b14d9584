"""What came out of a run: each function turns the content into what the template prints, or None."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np

from striate.report import charts, words
from striate.report.content import Mistake, ReportContent
from striate.report.inputs import FEW_CLASSES, MOST_CLASSES, split_word
from striate.report.pictures import Picture, heat_map, thumbnail
from striate.report.results import result
from striate.training.figures import FIGURES, score_in
from striate.training.label_metrics import MultiLabelEvaluation
from striate.training.measured import Measured
from striate.training.metrics import Evaluation
from striate.training.tables import head_losses
from striate.units import duration, plural

#: Caps on what is printed in full; the page says how much it leaves out.
MOST_EPOCHS, MOST_PAIRS, MOST_MISTAKES, MOST_AUGMENTED, MOST_VERSIONS = 200, 12, 24, 6, 7
#: Labels whose mistakes are shown, and the longer side of each picture there, pixels.
MOST_LABELS, LABEL_PICTURE = 12, 120
#: The colour of the large confusion matrix, between the style sheet's blues for light and dark pages.
BLUE = (72, 130, 192)


def headline(content: ReportContent) -> dict[str, Any]:
    """The one figure that matters, what it was measured on, and the facts of the run."""
    evaluation = content.evaluation
    facts = [
        ("Network", content.network, content.card),
        ("Started from", content.start, ""),
        ("Frozen", content.frozen, ""),
        ("Unfrozen", content.unfrozen, ""),
        ("Data", content.source, _sizes_line(content)),
        ("When", words.when(content.created), ""),
        ("Ended by", content.stopped_by, ""),
    ]
    found = None if evaluation is None else result(evaluation, content.split, bool(content.history))
    return {"facts": [fact for fact in facts if fact[1]], "result": found}


def progress(content: ReportContent) -> dict[str, Any] | None:
    """Curves of loss, accuracy and learning rate, with the best epoch and the time taken."""
    rows = content.history
    if not rows:
        return None
    epochs = [words.number(row.get("epoch", place)) for place, row in enumerate(rows, 1)]
    epochs = [place if math.isnan(epoch) else epoch for place, epoch in enumerate(epochs, 1)]

    def column(name: str) -> list[float]:
        return [words.number(row.get(name)) for row in rows]

    def pair(name: str) -> list[charts.Curve]:
        both = [("training", f"train_{name}", charts.TRAIN), ("validation", f"val_{name}", charts.VAL)]
        found = [charts.Curve(label, epochs, column(key), colour) for label, key, colour in both]
        return [curve for curve in found if np.isfinite(curve.values).any()]

    rate = charts.Curve("learning rate", epochs, column("learning_rate"), charts.MUTED)
    scores = [name for name in FIGURES if name != "top5" and pair(name)]
    drawn = [
        ("Loss", charts.curves("Loss", pair("loss"))),
        *((title, charts.curves(title, pair(name), share=FIGURES[name].share)) for name, title in _titles(scores)),
        ("Learning rate", charts.curves("Learning rate", [rate], from_zero=True)),
    ]
    best = ""
    score = score_in(rows[0], "val_") if any(f"val_{name}" in rows[0] for name in FIGURES) else "accuracy"
    validated = np.array(column(f"val_{score}"))
    if np.isfinite(validated).any():
        losses = np.nan_to_num(np.array(column("val_loss")), nan=np.inf)
        place = int(np.lexsort((losses, np.nan_to_num(-validated, nan=np.inf)))[0])  # of two equal, the lower loss
        written = words.percent(validated[place]) if FIGURES[score].share else words.figure(validated[place])
        best = f"Best validation {FIGURES[score].words}: {written}, epoch {epochs[place]:g}."
    broken = [int(epochs[place]) for place, row in enumerate(rows) if _diverged(row)]
    return {
        "charts": [(title, chart) for title, chart in drawn if chart and len(rows) > 1],
        "validated": bool(best or np.isfinite(column("val_loss")).any()),
        "best": best,
        "gap": _gap(content),
        "broken": words.ranges(sorted(set(broken))),
        "time": _time_line(content),
        "table": _epoch_table(content),
        "epochs": plural(len(rows), "epoch"),
    }


def _titles(scores: list[str]) -> list[tuple[str, str]]:
    """The figures with the titles of their charts; a name such as mAP stays as it is."""
    words_of = [(name, FIGURES[name].words) for name in scores]
    return [(name, title.capitalize() if title.islower() else title) for name, title in words_of]


def classes(evaluation: Evaluation) -> dict[str, Any]:
    """Per-class scores: in their own order when few, the weakest first when many."""
    scores = evaluation.per_class()
    seen = [score for score in scores if score.support]
    many = len(scores) > FEW_CLASSES
    if many:
        scores = sorted(seen, key=lambda score: (score.f1, score.name))
    means = [float(np.mean([getattr(score, key) for score in seen])) for key in ("precision", "recall", "f1")]
    return {
        "scores": scores[:MOST_CLASSES],
        "total": len(scores),
        "left_out": max(0, len(scores) - MOST_CLASSES),
        "without_images": len(evaluation.classes) - len(seen) if many else 0,
        "many": many,
        "means": means,
        "images": len(evaluation),
    }


def confusion(evaluation: Evaluation) -> dict[str, Any]:
    """The confusion matrix as a table, or as a picture where it is too large; and the most confused pairs."""
    few = len(evaluation.classes) <= FEW_CLASSES
    pairs = evaluation.most_confused(MOST_PAIRS if not few else 8)
    table: list[dict[str, Any]] = []
    picture: Picture | None = None
    if few:
        matrix = evaluation.confusion
        support = np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        for name, counts, shares in zip(evaluation.classes, matrix, matrix / support, strict=True):
            table.append({"name": name, "cells": list(zip(counts.tolist(), shares.tolist(), strict=True))})
    else:
        picture = heat_map(_pooled(evaluation), BLUE)
    return {
        "table": table,
        "picture": picture,
        "pairs": [
            (evaluation.classes[pair.true], evaluation.classes[pair.predicted], pair.images, pair.share)
            for pair in pairs
        ],
        "size": len(evaluation.classes),
        "mistakes": len(evaluation) - evaluation.correct,
        "classes": evaluation.classes if few else (),
    }


def calibration(evaluation: Evaluation) -> dict[str, Any]:
    """Reliability diagram, histogram of confidence, and the expected calibration error in words."""
    found = evaluation.calibration()
    mean = float(evaluation.confidence.mean())
    gap = mean - evaluation.top1
    verdict = "about as sure as it should be"
    if abs(gap) > 0.02:
        verdict = "surer than it should be" if gap > 0 else "less sure than it could be"
    right = evaluation.predicted == evaluation.labels
    return {
        "ece": words.percent(found.ece),
        "mean": words.percent(mean),
        "top1": words.percent(evaluation.top1),
        "verdict": verdict,
        "diagram": charts.reliability(found),
        "histogram": charts.confidence_histogram(evaluation.confidence[right], evaluation.confidence[~right]),
    }


def mistakes(content: ReportContent) -> dict[str, Any] | None:
    """The most confident mistakes as pictures."""
    if content.evaluation is None and not content.worst:
        return None
    shown = [Mistake(*entry) for entry in islice(content.worst, MOST_MISTAKES)]
    wrong = _wrong(content.evaluation)
    by_label = [
        (name, [(thumbnail(entry.image, LABEL_PICTURE), entry) for entry in entries])
        for name, entries in islice(content.worst_of_labels, MOST_LABELS)
    ]
    return {
        "shown": [(thumbnail(entry.image), entry) for entry in shown],
        "wrong": wrong,
        "by_label": by_label,
        "left_out": max(0, len(content.worst_of_labels) - MOST_LABELS),
    }


def _wrong(evaluation: Measured | None) -> int | None:
    """On how many images something was said wrongly; None where it is more or less."""
    if isinstance(evaluation, Evaluation):
        return len(evaluation) - evaluation.correct
    if isinstance(evaluation, MultiLabelEvaluation):
        return int((evaluation.predicted != evaluation.labels).any(1).sum())
    return None


def augmented(content: ReportContent) -> list[tuple[Picture, list[Picture]]]:
    """Originals beside what augmentation makes of them."""
    return [
        (thumbnail(original), [thumbnail(version) for version in islice(versions, MOST_VERSIONS)])
        for original, versions in islice(content.augmented, MOST_AUGMENTED)
    ]


def cost(content: ReportContent) -> list[tuple[str, str, str]]:
    """Triples (what, rounded figure, remark)."""
    given = content.cost
    parameters, trainable = given.get("parameters"), given.get("trainable_parameters")
    exact = f"{words.whole(parameters)} exactly"
    if trainable is not None and trainable != parameters:
        exact += f", {words.whole(trainable)} of them trained"
    latency = words.number(given.get("latency_ms"))
    setup = str(given.get("latency_setup") or "")
    rows = [
        ("Parameters", words.count(parameters), exact),
        ("Multiply-adds", words.count(given.get("multiply_adds")), "for one image"),
        ("Size on disk", words.file_size(given.get("size_bytes")), "the model file"),
        ("Latency", f"{latency:.3g}\u00a0ms" if math.isfinite(latency) else "–", setup or "for one image"),
    ]
    return [row for row in rows if row[1] != "–"]


def _sizes_line(content: ReportContent) -> str:
    sizes = content.sizes or {split: sum(counts.values()) for split, counts in content.split_sizes.items()}
    parts = [f"{words.whole(size)} {split_word(split)}" for split, size in sizes.items() if size]
    names = {name for counts in content.split_sizes.values() for name in counts}
    outputs = content.outputs or plural(len(names), "class", "classes")
    return f"{outputs}; {', '.join(parts)} images" if parts else ""


def _diverged(row: Mapping[str, Any]) -> bool:
    """Whether a loss was written down and is no finite number (a missing one is no divergence)."""
    values = [row.get(name) for name in ("train_loss", "val_loss")]
    if row.get("train_loss") not in (None, ""):
        return not math.isfinite(words.number(row["train_loss"]))
    return any(value not in (None, "") and not math.isfinite(words.number(value)) for value in values)


def _gap(content: ReportContent) -> str:
    """Why training loss lies above validation loss, where it does in the last epoch that has both."""
    pairs = [(words.number(row.get("train_loss")), words.number(row.get("val_loss"))) for row in content.history]
    both = [pair for pair in pairs if all(map(math.isfinite, pair))]
    if not both or not content.differences or both[-1][0] <= both[-1][1]:
        return ""
    train, val = map(words.figure, both[-1])
    return f"Training loss lies above validation loss ({train} against {val}): {'; '.join(content.differences)}."


def _time_line(content: ReportContent) -> str:
    def column(name: str) -> np.ndarray:
        found = np.array([words.number(row.get(name)) for row in content.timing], dtype=float)
        return found[np.isfinite(found)]

    seconds, speed, loading = column("seconds"), column("images_per_second"), column("loading_share")
    validation = float(column("validation_seconds").sum())
    parts = []
    if len(seconds):
        share = f", {duration(validation)} of it validating" if validation else ""
        parts.append(f"{duration(float(seconds.sum()) + validation)} in all{share}")
    if len(speed):
        parts.append(f"{words.whole(np.median(speed))} images a second (median epoch)")
    if len(loading):
        parts.append(f"{words.percent(loading.mean())} of {'training' if validation else 'it'} waiting for data")
    return "; ".join(parts)


def _epoch_table(content: ReportContent) -> dict[str, Any]:
    names = {
        "epoch": "Epoch",
        "learning_rate": "Learning rate",
        "train_loss": "Training loss",
        **{column: f"Training loss, {head}" for column, head in head_losses(content.history[0]).items()},
        "val_loss": "Validation loss",
        **{f"train_{name}": f"Training {figure.words}" for name, figure in FIGURES.items()},
        **{f"val_{name}": f"Validation {figure.words}" for name, figure in FIGURES.items()},
    }
    rows = content.history
    used = [name for name in names if any(row.get(name) not in (None, "") for row in rows)]
    step = -(-len(rows) // MOST_EPOCHS)
    kept = [row for place, row in enumerate(rows) if place % step == 0 or place == len(rows) - 1]
    shares = {f"{part}_{name}" for name, figure in FIGURES.items() if figure.share for part in ("train", "val")}
    cells = [
        [words.percent(row.get(name)) if name in shares else words.figure(row.get(name)) for name in used]
        for row in kept
    ]
    return {"head": [names[name] for name in used], "rows": cells, "step": step}


def _pooled(evaluation: Evaluation, cells: int = 240) -> np.ndarray:
    """The matrix as shares of each row, neighbouring classes added up so that it has at most `cells` rows."""
    step = -(-len(evaluation.classes) // cells)
    size = -(-len(evaluation.classes) // step)
    flat = (evaluation.labels // step) * size + evaluation.predicted // step
    matrix = np.bincount(flat, minlength=size * size).reshape(size, size)
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
