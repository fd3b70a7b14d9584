"""striate field: the receptive field of a unit in theory, and what it is really moved by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.formats import picture_path
from striate.cli.inputs import Input, parsed_shape
from striate.cli.network import NETWORK, called, locate, tell_taken, weights_in_words
from striate.cli.output import Json, TrustOption, print_json, terminal_width
from striate.cli.pairs import NetworkOptions, options
from striate.cli.panels import INPUT, OUTPUT


def command(
    network: Annotated[str, typer.Argument(help=NETWORK)],
    size: Annotated[int | None, typer.Option(help="Side of the input, pixels.", rich_help_panel=INPUT)] = None,
    shape: Input = None,
    weights: Annotated[str | None, typer.Option(help="Pretrained weights by name or path; random by default.")] = None,
    layer: Annotated[str | None, typer.Option(help="Whose unit to look at; the last map's by default.")] = None,
    samples: Annotated[int, typer.Option(help="Images of noise to average over.")] = 16,
    seed: Annotated[int, typer.Option(help="Seed of weights and noise.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Draw it to this .svg or .png file.", rich_help_panel=OUTPUT)
    ] = None,
    option: NetworkOptions = None,
    trust: TrustOption = None,
    json: Json = False,
) -> None:
    """Measure the effective receptive field: which pixels move the middle unit of a feature map, and how far."""
    if out is not None:
        picture_path(out)

    import torch

    from striate.analysis import effective_receptive_field

    torch.manual_seed(seed)
    given = None if shape is None else parsed_shape(shape)
    asked = options(option)
    found = locate(network, size=size, shape=given, device="cpu", trust=trust, weights=weights, options=asked)
    tell_taken(found)
    with found.at_work():
        field = effective_receptive_field(found.model, found.shape, layer=layer, samples=samples, seed=seed)
    if weights is None:
        field = replace(field, weights=weights_in_words(network, seed))
    field = replace(field, network=called(found, network))
    if out is not None:
        field.plot(out)
    if json:
        print_json({"network": network, **field.to_dict(), "picture": None if out is None else str(out)})
    else:
        print(field.to_text(terminal_width()))
        if out is not None:
            print(out)
