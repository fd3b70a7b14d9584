"""striate recommend: which network for which pictures and which budget."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.budgets import LatencyLimit, Macs, Memory, Params, limits_of
from striate.cli.formats import picture_path
from striate.cli.output import Json, Quiet, print_json, terminal_width
from striate.text_tables import wrapped


def command(
    images: Annotated[int, typer.Option(help="How many labelled images there are to train on.")],
    size: Annotated[int, typer.Option(help="Side of the images, pixels.")] = 224,
    latency: LatencyLimit = None,
    macs: Macs = None,
    params: Params = None,
    memory: Memory = None,
    top: Annotated[int, typer.Option(help="How many networks to name.")] = 3,
    similar: Annotated[
        bool | None,
        typer.Option("--similar/--different", help="Whether they are like ImageNet's photographs; both by default."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Draw them to this .svg or .png file.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Name networks that fit the pictures and the budget, with the reasons, and how to train them."""
    if out is not None:
        picture_path(out)

    from striate.models.recommendation import recommend
    from striate.models.recommendation_plot import plot_recommendations
    from striate.models.regimes import regimes
    from striate.models.stem import SMALL_SIDE

    def tell(name: str) -> None:
        if not quiet and sys.stderr.isatty():
            print(f"\r\x1b[Klooking at {name}", end="", file=sys.stderr, flush=True)

    limits = limits_of(macs, params, memory, latency)
    try:
        found = recommend(images, size, limits=limits, count=top, similar=similar, progress=tell)
    finally:
        if not quiet and sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if out is not None:
        plot_recommendations(found, out, images=images, size=size, limits=limits)
    advice = regimes(images, similar, pretrained=size > SMALL_SIDE)
    if json:
        record = {"images": images, "size": size, "limits": limits, "advice": [asdict(one) for one in advice]}
        print_json({**record, "networks": [asdict(one) for one in found]})
        return
    width = terminal_width()
    for regime in advice:
        print(wrapped(f"{regime.when}: {regime.advice}", width, "  "))
    print()
    for number, one in enumerate(found, 1):
        weights = f" --weights {one.weights}" if one.weights else ""
        freeze = f" --freeze {one.freeze}" if one.freeze else ""
        call = f"striate train FOLDER --model {one.name}{weights} --size {one.input_size}{freeze}"
        aside = width is None or len(f"{number}. {one.name}   {call}") <= width
        print(f"{number}. {one.name}{'   ' if aside else chr(10) + '   '}{call}")  # not broken, to be copied
        for reason in one.reasons:
            print(wrapped(f"   - {reason}", width, "     "))
    if out is not None:
        print(out)
