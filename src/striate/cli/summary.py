"""striate summary: what a network is made of, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.output import Json, print_json
from striate.errors import UsageError


def command(
    network: Annotated[str, typer.Argument(help="A network's name, a run folder, or a model's .safetensors file.")],
    size: Annotated[int | None, typer.Option(help="Side of the input, pixels.")] = None,
    classes: Annotated[int | None, typer.Option(help="Number of classes.")] = None,
    channels: Annotated[int | None, typer.Option(help="Channels of the input.")] = None,
    depth: Annotated[int | None, typer.Option(help="Levels of modules to show; all by default.")] = None,
    json: Json = False,
) -> None:
    """Show shapes, parameters, multiply-adds, memory and receptive fields, layer by layer."""
    import torch

    from striate.analysis import summary
    from striate.models import create_model, get_card, list_models

    path = Path(network)
    if path.suffix == ".safetensors" or (path.is_dir() and network not in list_models()):
        from striate.classifier import load

        if classes is not None or channels is not None:
            raise UsageError(f"{network} is trained: --classes and --channels are for networks by name.")
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
