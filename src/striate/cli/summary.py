"""striate summary: what a network is made of, layer by layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from striate.cli.formats import Format, Out, chosen, give, room
from striate.cli.inputs import Inputs, parsed
from striate.cli.network import NETWORK, Device, called, locate
from striate.cli.output import Json, TrustOption
from striate.cli.pairs import NetworkOptions, options
from striate.cli.panels import INPUT
from striate.cli.panels import NETWORK as PANEL
from striate.errors import UsageError


def command(
    network: Annotated[str | None, typer.Argument(help=NETWORK)] = None,
    size: Annotated[int | None, typer.Option(help="Side of the input, pixels.", rich_help_panel=INPUT)] = None,
    classes: Annotated[int | None, typer.Option(help="Number of classes.", rich_help_panel=INPUT)] = None,
    channels: Annotated[int | None, typer.Option(help="Channels of the input.", rich_help_panel=INPUT)] = None,
    inputs: Inputs = None,
    depth: Annotated[int | None, typer.Option(help="Levels of modules to show; all by default.")] = None,
    device: Device = "meta",
    weights: Annotated[
        str | None,
        typer.Option(
            help="With these weights, as they have it: a name on its card, or a run, a file or hf:ORG/NAME, which may "
            "say the network.",
            rich_help_panel=PANEL,
        ),
    ] = None,
    option: NetworkOptions = None,
    trust: TrustOption = None,
    form: Format = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Show shapes, parameters, multiply-adds, FLOPs, memory and receptive fields, layer by layer."""
    form = chosen(form, out, json)
    if not (network or weights):
        raise UsageError("give a network: striate summary NETWORK; or weights that say theirs: --weights RUN.")

    from striate.analysis import plot_summaries, summary
    from striate.analysis.inputs import from_shapes

    shapes = parsed(inputs)
    found = locate(
        network or "",
        size=size,
        classes=classes,
        channels=channels,
        device=device,
        trust=trust,
        weights=weights,
        options=options(option),
    )
    network = network or found.name
    if shapes:
        found = replace(found, guess="")  # nothing is guessed
    with found.at_work():
        if shapes:
            result = summary(found.model, inputs=from_shapes(found.model, shapes), depth=depth, device=device)
        else:
            result = summary(found.model, found.example, depth=depth, device=device).noted(found.note)
    for line in found.taken:
        result = result.noted(line)
    give(
        form,
        out,
        {
            "text": lambda: result.to_text(depth, room(out)),
            "markdown": lambda: result.to_markdown(depth),
            "csv": lambda: result.to_csv(depth),
        },
        lambda: {"network": network, **result.to_dict(depth)},
        lambda path: plot_summaries([result], path, depth, names=[called(found, network)]),
    )
