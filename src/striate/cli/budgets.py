"""Options of the commands that take a budget, and how their quantities are written."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli.panels import BUDGET

Macs = Annotated[str | None, typer.Option(help="Most multiply-adds for an image: 1e9, 300M.", rich_help_panel=BUDGET)]
Params = Annotated[str | None, typer.Option(help="Most parameters: 5e6, 5M.", rich_help_panel=BUDGET)]
Memory = Annotated[
    str | None, typer.Option(help="Most memory of weights and activations for an image: 50MB.", rich_help_panel=BUDGET)
]
LatencyLimit = Annotated[
    str | None, typer.Option("--latency", help="Most time for an image, measured here: 20ms.", rich_help_panel=BUDGET)
]


def limits_of(macs: str | None, params: str | None, memory: str | None, latency: str | None) -> dict[str, float]:
    """The limits that were given, by the library's names for them."""
    from striate.models.budget import parse

    given = {"multiply_adds": macs, "parameters": params, "memory": memory, "latency": latency}
    return {kind: parse(kind, text) for kind, text in given.items() if text is not None}
