"""striate scale: make a network larger or smaller until it fits a budget."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.budgets import LatencyLimit, Macs, Memory, Params, limits_of
from striate.cli.formats import picture_path
from striate.cli.output import Json, print_json, terminal_width
from striate.text_tables import described
from striate.units import count, decimal_size, whole


def command(
    network: Annotated[str, typer.Argument(help="The network to start from.")],
    macs: Macs = None,
    params: Params = None,
    memory: Memory = None,
    latency: LatencyLimit = None,
    alpha: Annotated[float, typer.Option(help="Growth of the depth.")] = 1.2,
    beta: Annotated[float, typer.Option(help="Growth of the width.")] = 1.1,
    gamma: Annotated[float, typer.Option(help="Growth of the resolution.")] = 1.15,
    axes: Annotated[
        str | None, typer.Option(help="What to scale, such as width,resolution; by default all the family has.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Draw it to this .svg or .png file.")] = None,
    json: Json = False,
) -> None:
    """Scale depth, width and resolution together until a network just fits a budget."""
    if out is not None:
        picture_path(out)

    from striate.models.scaling import Coefficients, scale

    limits = limits_of(macs, params, memory, latency)
    chosen = [axis.strip() for axis in axes.split(",")] if axes else None
    scaled = scale(network, limits, coefficients=Coefficients(alpha, beta, gamma), axes=chosen)
    if out is not None:
        scaled.plot(out)
    if json:
        told = {name: getattr(scaled, name) for name in ("phi", "factors", "input_size", "latency")}
        print_json({"spec": scaled.spec.to_dict(), **told, "cost": asdict(scaled.cost), "limits": limits})
        return
    arguments = ", ".join(f"{key}={value!r}" for key, value in scaled.spec.arguments.items())
    print(f"create_model({scaled.spec.name!r}, {arguments})\n")
    said = [
        ("phi", f"{scaled.phi:.2f}"),
        *((axis, f"x {factor:.3f}") for axis, factor in scaled.factors.items()),
        ("multiply-adds", count(scaled.cost.multiply_adds)),
        ("parameters", whole(scaled.cost.parameters)),
        ("memory", f"{decimal_size(scaled.cost.memory)} of weights and activations, float32"),
    ]
    if scaled.latency is not None:
        said.append(("latency", f"{scaled.latency:.1f} ms an image on this machine"))
    print(described(said, terminal_width()))
    if out is not None:
        print(out)
