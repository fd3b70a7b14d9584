"""striate evaluate: measure a trained classifier on labelled images."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from striate.cli.output import (
    DeviceOption,
    EngineOption,
    Json,
    ModelArgument,
    Quiet,
    TrustOption,
    WeightsOption,
    loaded,
    print_json,
    print_table,
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
    engine: EngineOption = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure a trained classifier on labelled images."""
    from striate.cli.evaluations import evaluation_lines, score_table

    classifier = loaded(run, weights, trust, device)

    from striate.training.counting import create_counter

    with create_counter("evaluating", quiet or json) as shown:
        evaluation = classifier.evaluate(source, split, views=views, engine=engine, shown=shown)
    for note in evaluation.notes:
        print(f"note: {note}", file=sys.stderr)
    if json:
        figures = {"run": str(run), "split": evaluation.split, **evaluation.to_dict()}
        print_json({**figures, "notes": list(evaluation.notes), "engine": evaluation.engine})
        return
    if evaluation.engine and not quiet:
        print(f"engine {evaluation.engine}", file=sys.stderr)
    print(evaluation_lines(evaluation, evaluation.split))
    print()
    print_table(score_table(evaluation))
