"""striate evaluate: measure a trained classifier on labelled images."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from striate.cli.output import (
    DeviceOption,
    Json,
    ModelArgument,
    Quiet,
    TrustOption,
    WeightsOption,
    evaluation_lines,
    loaded,
    print_json,
    print_table,
)
from striate.text_tables import Column, Table
from striate.units import percent, whole

COLUMNS = (
    Column("class", right=False, least=16),
    *map(Column, ("precision", "recall", "F1", "images")),
)


def command(
    run: ModelArgument,
    source: Annotated[
        str | None,
        typer.Argument(help="Labelled images, as for train; by default those the model was trained with."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="train, val or test; by default the most independent there is.")
    ] = None,
    views: Annotated[
        str, typer.Option(help="How each image is looked at: centre, flip, five, ten (or 10) or scales.")
    ] = "centre",
    weights: WeightsOption = None,
    trust: TrustOption = None,
    device: DeviceOption = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure a trained classifier on labelled images."""
    classifier = loaded(run, weights, trust, device)

    from striate.training.counting import create_counter

    with create_counter("evaluating", quiet or json) as shown:
        evaluation = classifier.evaluate(source, split, views=views, shown=shown)
    for note in evaluation.notes:
        print(f"note: {note}", file=sys.stderr)
    if json:
        figures = {"run": str(run), "split": evaluation.split, **evaluation.to_dict()}
        print_json({**figures, "notes": list(evaluation.notes)})
        return
    print(evaluation_lines(evaluation, evaluation.split))
    print()
    rows = []
    for score in evaluation.per_class():
        shares = (percent(share, 2) for share in (score.precision, score.recall, score.f1))
        rows.append([score.name, *shares, whole(score.support)])
    print_table(Table(COLUMNS, rows))
