"""striate recommend: which network for which pictures and which budget."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from striate.cli.budgets import LatencyLimit, Macs, Memory, Params, limits_of
from striate.cli.output import Json, Quiet, print_json


def command(
    images: Annotated[int, typer.Option(help="How many labelled images there are to train on.")],
    size: Annotated[int, typer.Option(help="Side of the images, pixels.")] = 224,
    latency: LatencyLimit = None,
    macs: Macs = None,
    params: Params = None,
    memory: Memory = None,
    top: Annotated[int, typer.Option(help="How many networks to name.")] = 3,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Name networks that fit the pictures and the budget, with the reasons."""
    from striate.models.recommendation import recommend

    def tell(name: str) -> None:
        if not quiet and sys.stderr.isatty():
            print(f"\r\x1b[Klooking at {name}", end="", file=sys.stderr, flush=True)

    limits = limits_of(macs, params, memory, latency)
    try:
        found = recommend(images, size, limits=limits, count=top, progress=tell)
    finally:
        if not quiet and sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if json:
        print_json({"images": images, "size": size, "limits": limits, "networks": [asdict(one) for one in found]})
        return
    for number, one in enumerate(found, 1):
        weights = f" --weights {one.weights}" if one.weights else ""
        print(f"{number}. {one.name}   striate train FOLDER --model {one.name}{weights} --size {size}")
        for reason in one.reasons:
            print(f"   - {reason}")
