"""The steps of an experiment side by side: accuracy by epoch, in training and validation, and the source's figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from striate.analysis.drawing import COLOURS, SMALL, sheet

#: Charts in a row, and inches of a row.
IN_A_ROW, ROW = 3, 1.7
READING = "A training curve that leaves the validation curve behind shows overfitting; dotted: the source's figure."


class Course(NamedTuple):
    """One step: accuracies in [0, 1] by epoch, the first epoch first; `claim` is the source's, where it has one."""

    name: str
    train: tuple[float, ...]
    val: tuple[float, ...]
    claim: float | None


def plot_courses(courses: Sequence[Course], path: str | Path, title: str, about: str) -> Path:
    """A chart for each step, all on one axis of accuracy; .svg, .png or .pdf.

    Raises:
        UsageError: another ending.
        StriateError: the file cannot be written.
    """
    rows = math.ceil(len(courses) / IN_A_ROW)
    with sheet(path, ROW * rows + 0.3, title, about=about, reading=READING) as body:
        charts = body.subplots(rows, min(IN_A_ROW, len(courses)), sharey=True, squeeze=False).flat
        for place, axes in enumerate(charts):
            if place < len(courses):
                _draw(axes, courses[place])
            else:
                axes.set_visible(False)
        handles, labels = body.axes[0].get_legend_handles_labels()
        body.legend(handles, labels, loc="outside lower left", ncols=2, fontsize=SMALL, frameon=False)
    return Path(path)


def _draw(axes: Any, course: Course) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs = range(1, len(course.val) + 1)
    marker = "o" if len(course.val) == 1 else ""
    for values, label, colour in ((course.train, "training", COLOURS[1]), (course.val, "validation", COLOURS[0])):
        axes.plot(epochs, [100 * value for value in values], color=colour, linewidth=1.2, marker=marker, label=label)
    if course.claim is not None:
        axes.axhline(100 * course.claim, color="0.35", linewidth=0.9, linestyle=":")
    axes.set_title(course.name)
    axes.set_xlabel("epoch")
    if axes.get_subplotspec().is_first_col():
        axes.set_ylabel("accuracy, %")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
