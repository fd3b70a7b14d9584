"""striate predict: classify images."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.output import Json, ModelArgument, TrustOption, WeightsOption, loaded, print_json


def command(
    run: ModelArgument,
    images: Annotated[list[Path], typer.Argument(help="Images and folders of images.", readable=False)],
    top: Annotated[int, typer.Option(help="How many classes to name.")] = 1,
    weights: WeightsOption = None,
    trust: TrustOption = None,
    json: Json = False,
) -> None:
    """Classify images; one that cannot be read is named on standard error, and the rest go on."""
    from striate.classifier.prediction import Predictions

    predictions = loaded(run, weights, trust).predict(images, top)
    assert isinstance(predictions, Predictions)
    if json:
        print_json(
            {"predictions": [prediction.to_dict() for prediction in predictions], "notes": list(predictions.notes)}
        )
    for prediction in predictions:
        if prediction.error:
            print(f"striate: {prediction.error}", file=sys.stderr)
        elif not json:
            print(prediction.name, *prediction.text, sep="\t")
    for note in predictions.notes:
        print(f"note: {note}", file=sys.stderr)
    if all(prediction.error for prediction in predictions):
        raise typer.Exit(1)
