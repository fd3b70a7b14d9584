"""striate grow: a trained network made deeper, as a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.output import Json, print_json
from striate.cli.pairs import NetworkOptions, options


def command(
    run: Annotated[Path, typer.Argument(help="The trained run, or its model file.")],
    to: Annotated[
        str, typer.Option(metavar="NETWORK", help="The deeper network of its family; a wrong one names those that do.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="The file to write; by default the network's name.safetensors.")
    ] = None,
    rule: Annotated[
        str,
        typer.Option(
            help="How new layers begin: identity (it predicts what the run does) or random; paper copies what VGG's "
            "authors did."
        ),
    ] = "identity",
    option: NetworkOptions = None,
    json: Json = False,
) -> None:
    """Make a trained network deeper: its layers are copied, new ones begin as identity.

    The file predicts, and trains on with --weights; train with --grow-from RUN to train its new layers first.
    """
    from striate.models import get_card
    from striate.transfer import grow_into

    out = Path(f"{get_card(to).name}.safetensors") if out is None else out
    grown = grow_into(run, to, out, options(option), rule)
    if json:
        print_json({"model": str(out), **grown.to_dict()})
        return
    print(f"{grown.network.spec.name} grown from {run} ({grown.shallow}): {grown.words}")
    print(f"model   {out}")
