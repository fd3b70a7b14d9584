"""Predictions as CSV, a line written as each comes; the file takes its name when all of them are there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from striate.classifier.prediction import Prediction, columns_of
from striate.files import at_home, explain, replacing
from striate.training.tasks import Task


class PredictionTable:
    """A CSV file that is open, and its columns: file, class, probability, then class_2, probability_2 and so on.

    Of several labels: file, labels with | between them, then the probability of each label; of values: file and each
    value. The last column, error, says why a picture could not be read; one before it, unsure, is there where it is
    asked for.
    """

    def __init__(self, file: BinaryIO, path: Path, task: Task, top: int, unsure: bool) -> None:
        self._file, self._path, self._top, self._unsure = file, path, min(top, len(task.classes)), unsure
        self._columns = columns_of(task, self._top)
        self._row(["file", *self._columns, *["unsure"] * unsure, "error"])

    def write(self, prediction: Prediction, is_sure: bool = True) -> None:
        """Write a line.

        Raises:
            StriateError: the disk is full.
        """
        cells = [""] * len(self._columns) if prediction.error else prediction.cells(self._top)
        told = "" if prediction.error else "no" if is_sure else "yes"
        self._row([prediction.name, *cells, *[told] * self._unsure, prediction.error])

    def _row(self, cells: Sequence[str]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        try:
            self._file.write(line.getvalue().encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise explain(error, self._path) from error


@contextmanager
def prediction_table(path: str | Path, task: Task, top: int = 1, unsure: bool = False) -> Iterator[PredictionTable]:
    """A table to write to, which becomes the file `path` when the block ends; where it raises, nothing is left of it.

    Args:
        path: the file to write, in a folder that is there.
        task: what is predicted.
        top: how many classes each line names.
        unsure: whether a column tells which pictures the classifier is not sure of.

    Raises:
        StriateError: it cannot be written.
    """
    target, is_ours = at_home(path), True
    try:
        with replacing(target) as file:
            table = PredictionTable(file, target, task, top, unsure)
            is_ours = False
            yield table
            is_ours = True
    except OSError as error:
        if not is_ours:  # whoever wrote lines had troubles of their own
            raise
        raise explain(error, target) from error
