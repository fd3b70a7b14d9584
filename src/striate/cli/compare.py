"""striate compare: networks side by side, in tables and pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.formats import Format, Out, chosen, give, picture_path, room
from striate.cli.network import NETWORK, Device, called, locate
from striate.cli.output import Json, Quiet, TrustOption
from striate.cli.pairs import NetworkOptions, options
from striate.cli.panels import INPUT, OUTPUT
from striate.errors import UsageError


def command(
    networks: Annotated[list[str] | None, typer.Argument(help=NETWORK)] = None,
    all_networks: Annotated[
        bool, typer.Option("--all", help="All networks with a published top-1 on ImageNet, too.")
    ] = False,
    size: Annotated[
        int | None,
        typer.Option(help="Side of the input, pixels; each network's own by default.", rich_help_panel=INPUT),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            help="Draw memory, parameters and multiply-adds by layer to this .svg or .png.", rich_help_panel=OUTPUT
        ),
    ] = None,
    bubbles: Annotated[
        Path | None,
        typer.Option(
            help="Draw accuracy against multiply-adds and parameters to this .svg or .png.", rich_help_panel=OUTPUT
        ),
    ] = None,
    depth: Annotated[int | None, typer.Option(help="Levels of modules in the bars; as many as fit by default.")] = None,
    device: Device = "meta",
    option: NetworkOptions = None,
    trust: TrustOption = None,
    form: Format = None,
    out: Out = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare networks: parameters, multiply-adds, FLOPs, memory, receptive field, published accuracy."""
    form = chosen(form, out, json)
    for path in (plot, bubbles):
        if path is not None:
            picture_path(path)
    if not networks and not all_networks:
        raise UsageError("name the networks to compare: striate compare alexnet vgg16 (or --all)")

    from striate.analysis import Comparison, Entry, summary
    from striate.models.catalogue import own_name
    from striate.models.comparison import as_entry, published

    def tell(name: str) -> None:
        if not quiet and sys.stderr.isatty():
            print(f"\r\x1b[K{name}", end="", file=sys.stderr, flush=True)

    def measured(network: str) -> Entry:
        tell(network)
        found = locate(network, size=size, device=device, trust=trust, options=asked_options)
        with found.at_work():
            result = summary(found.model, found.example, device=device)
        title = called(found, network)
        notes.extend(line for line in found.taken if network in names)
        return Entry(title, result) if found.card is None else as_entry(found.card, result, title)

    names, asked_options = list(networks or []), options(option)
    notes: list[str] = []
    if all_networks:
        asked = {own_name(name) for name in names}
        names += [name for name in published() if name not in asked]
    result = Comparison(tuple(map(measured, names)))
    if not quiet and sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if plot is not None:
        result.plot(plot, depth)
    if bubbles is not None:
        result.plot_accuracy(bubbles)
    give(
        form,
        out,
        {"text": lambda: result.to_text(room(out)), "markdown": result.to_markdown, "csv": result.to_csv},
        lambda: {"networks": result.to_dicts()},
        lambda path: result.plot(path, depth),
    )
