"""striate summary: what a network is made of, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.output import Json, print_json


def command(
    network: Annotated[str, typer.Argument(help="A network's name, or a run folder.")],
    size: Annotated[int | None, typer.Option(help="Side of the input, pixels.")] = None,
    classes: Annotated[int | None, typer.Option(help="Number of classes.")] = None,
    channels: Annotated[int | None, typer.Option(help="Channels of the input.")] = None,
    depth: Annotated[int | None, typer.Option(help="Levels of modules to show; all by default.")] = None,
    json: Json = False,
) -> None:
    """Show shapes, parameters, multiply-adds, memory and receptive fields, layer by layer."""
    import torch

    from striate.analysis import summary
    from striate.models import create_model, get_card

    if Path(network).is_dir():
        from striate.classifier import load

        classifier = load(network)
        model, look = classifier.model, classifier.description.preprocessing
        shape = (model.in_channels, *(look.size if size is None else (size, size)))
    else:
        side = get_card(network).input_size if size is None else size
        with torch.device("meta"):
            model = create_model(network, num_classes=classes, in_channels=channels, input_size=size)
        shape = (model.in_channels, side, side)
    result = summary(model, shape, depth=depth)
    if json:
        print_json({"network": network, **result.to_dict()})
    else:
        print(result)
