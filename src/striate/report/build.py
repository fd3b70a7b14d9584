"""A report's content as one HTML file that needs nothing else: no script, no font, no request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from striate.files import make_folder_of, write_atomically
from striate.report import answers, inputs, sections, words
from striate.report.advice import advice
from striate.report.content import ReportContent
from striate.training.label_metrics import MultiLabelEvaluation
from striate.training.metrics import Evaluation
from striate.training.value_metrics import RegressionEvaluation
from striate.units import plural

if TYPE_CHECKING:
    from jinja2 import Environment


def write_report(path: str | Path, content: ReportContent) -> Path:
    """Write the report to `path`, whole or not at all, and return the path.

    Raises:
        StriateError: the file cannot be written, or a picture is no uint8 image.
    """
    path = Path(path)
    make_folder_of(path)
    return write_atomically(path, render(content).encode("utf-8", "replace"))


def environment() -> Environment:
    """What makes a page of a template beside this file, with the filters for numbers and names."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("striate.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("percent", "whole", "short", "linked"):
        made.filters[name] = getattr(words, name)
    made.filters["plural"] = plural
    return made


def render(content: ReportContent) -> str:
    """The page as text. The same content gives the same text."""
    evaluation = content.evaluation
    single = evaluation if isinstance(evaluation, Evaluation) else None
    return (
        environment()
        .get_template("template.html")
        .render(
            content=content,
            headline=sections.headline(content),
            progress=sections.progress(content),
            classes=sections.classes(single) if single is not None else None,
            confusion=sections.confusion(single) if single is not None else None,
            calibration=sections.calibration(single) if single is not None else None,
            labels=answers.labels(evaluation) if isinstance(evaluation, MultiLabelEvaluation) else None,
            values=answers.values(evaluation) if isinstance(evaluation, RegressionEvaluation) else None,
            mistakes=sections.mistakes(content),
            advice=advice(content),
            augmented=sections.augmented(content),
            cost=sections.cost(content),
            data=inputs.data(content),
            recipe=inputs.recipe(content),
        )
    )
