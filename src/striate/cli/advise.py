"""striate advise: which pretrained network suits a folder of images, and how much of it to train."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli.output import Json, Quiet, print_json, print_table, terminal_width
from striate.cli.panels import NETWORK
from striate.text_tables import Column, Table

if TYPE_CHECKING:
    from striate.classifier.advice import Advice


def command(
    source: Annotated[
        str, typer.Argument(help="Images to train on, as for train: a folder with one folder per class, a table, ...")
    ],
    models: Annotated[
        str | None,
        typer.Option(
            help="Networks with commas; by default the five most accurate on ImageNet whose weights are on this "
            "machine.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides which of the images are looked at.")] = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say which pretrained network suits these images and how much of it to train, with the evidence."""
    from striate.classifier.advising import advise as advise_on
    from striate.training.counting import create_counter

    names = [name.strip() for name in models.split(",") if name.strip()] if models else []
    with create_counter("looking at", quiet or json) as counter:
        advice = advise_on(source, names, seed=seed, shown=lambda name, done, total: counter(done, total))
    if json:
        print_json(advice.to_dict())
        return
    _print(advice)


def _print(advice: Advice) -> None:
    from striate.text_tables import wrapped
    from striate.units import percent, plural

    width, best = terminal_width(), advice.best
    few, many = int(advice.counts.min()), int(advice.counts.max())
    each = f"{few:,}" if few == many else f"{few:,} to {many:,}"
    side = f", typically {advice.side} pixels" if advice.side else ""
    images = plural(advice.images, "image")
    line = f"{advice.source}: {images} to train on, {each} of each of {len(advice.classes)} classes{side}"
    print(wrapped(line, width, "  "))
    print()
    print_table(_networks(advice))
    print()
    told = [f"{name} {percent(probe.accuracy, 1)}" for name, probe in best.probes.items()]
    early = f"; {advice.earlier} tells plainly more: --option until={advice.earlier}" if advice.earlier else ""
    print(wrapped(f"linear probe of each part of {best.network}: {', '.join(told)}{early}", width, "  "))
    print()
    print_table(_two_by_two(advice))
    print()
    print_table(_regimes(advice))
    print()
    over = f" (these images speak for it rather than {advice.overruled})" if advice.overruled else ""
    print(wrapped(f"advice: {advice.decision.regime} of {best.network}{over}, for {advice.decision.why}", width, "  "))
    print(f"  {advice.command}")


def _networks(advice: Advice) -> Table:
    from striate.units import percent

    def between(interval: tuple[float, float]) -> str:
        return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"

    rows = [
        [
            one.network,
            percent(one.imagenet, 1) if math.isfinite(one.imagenet) else "–",
            f"{one.images:,}",
            f"{one.distance:.2g}" if math.isfinite(one.distance) else "–",
            percent(float(one.probe.nearest.mean()), 1),
            percent(one.probe.accuracy, 1),
            between(one.probe.interval),
            percent(one.forecast.accuracy, 1),
            between(one.forecast.interval),
        ]
        for one in advice.evidence
    ]
    return Table(
        [
            Column("network", right=False, least=12),
            Column("ImageNet", rank=3),
            Column("looked at", rank=4),
            Column("distance", rank=2),
            Column("nearest", rank=5),
            Column("probe", rank=1),
            Column("95 %", rank=6),
            Column(f"forecast of {advice.best.forecast.images:,}"),
            Column("95 %", rank=1),
        ],
        rows,
    )


def _two_by_two(advice: Advice) -> Table:
    heads, rows = advice.two_by_two
    return Table([Column(name, right=False, least=20) for name in heads], rows)


def _regimes(advice: Advice) -> Table:
    from striate.units import clock, percent

    rows = [
        [
            plan.regime,
            percent(plan.accuracy, 1),
            clock(plan.seconds),
            "<- advised" if plan.regime == advice.decision.regime else "",
        ]
        for plan in advice.plans
    ]
    return Table([Column("regime", right=False), Column("forecast"), Column("takes"), Column("", right=False)], rows)
