"""What a network is to learn: one class for each image, several labels, or values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from striate.data import Dataset
from striate.data.targets import MULTI_LABEL, REGRESSION, SINGLE_LABEL, check_kind
from striate.training.tasks.multi_label import MultiLabel
from striate.training.tasks.regression import Regression
from striate.training.tasks.single_label import SingleLabel
from striate.training.tasks.task import Task

__all__ = ["MultiLabel", "Regression", "SingleLabel", "Task", "read_task", "task_of"]


def task_of(dataset: Dataset) -> Task:
    """The task that a data set sets."""
    if dataset.task == REGRESSION:
        return Regression.of(dataset.classes, dataset.train.labels)
    return {SINGLE_LABEL: SingleLabel, MULTI_LABEL: MultiLabel}[dataset.task](dataset.classes)


def read_task(classes: tuple[str, ...], written: Mapping[str, Any]) -> Task:
    """The task that `Task.to_dict` described; nothing stands for one class per image, as earlier versions wrote.

    Raises:
        UsageError, KeyError, TypeError, ValueError: it describes none.
    """
    kind = check_kind(written.get("kind", SINGLE_LABEL))
    if kind == SINGLE_LABEL:
        return SingleLabel(classes)
    if kind == MULTI_LABEL:
        thresholds = tuple(map(float, written.get("thresholds", ())))
        if len(thresholds) not in (0, len(classes)) or not all(0 < threshold < 1 for threshold in thresholds):
            raise ValueError(f"{len(thresholds)} thresholds of {len(classes)} labels, or one that is no probability")
        return MultiLabel(classes, thresholds)
    mean, deviation = (tuple(map(float, written[name])) for name in ("mean", "deviation"))
    if len(mean) != len(classes) or len(deviation) != len(classes):
        raise ValueError(f"{len(mean)} means and {len(deviation)} deviations of {len(classes)} values")
    return Regression(classes, mean, deviation)
