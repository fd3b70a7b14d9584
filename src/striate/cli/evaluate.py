"""striate evaluate: measure a trained classifier on labelled images."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from striate.cli.output import Json, ModelArgument, TrustOption, WeightsOption, evaluation_lines, loaded, print_json


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
    json: Json = False,
) -> None:
    """Measure a trained classifier on labelled images."""
    classifier = loaded(run, weights, trust)
    evaluation = classifier.evaluate(source, split, views=views)
    for note in evaluation.notes:
        print(f"note: {note}", file=sys.stderr)
    if json:
        figures = {"run": str(run), "split": evaluation.split, **evaluation.to_dict()}
        print_json({**figures, "notes": list(evaluation.notes)})
        return
    print(evaluation_lines(evaluation, evaluation.split))
    width = max(map(len, ["class", *(score.name for score in evaluation.per_class())]))
    print(f"\n{'class':{width}}  precision  recall      F1  images")
    for score in evaluation.per_class():
        print(f"{score.name:{width}}  {score.precision:9.2%}  {score.recall:6.2%}  {score.f1:6.2%}  {score.support:6,}")
