"""striate models: the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.output import Json, print_json, print_table
from striate.errors import unknown
from striate.text_tables import Column, Table, clipped
from striate.units import count, whole

if TYPE_CHECKING:
    from striate.models import Card

COLUMNS = (
    Column("network", right=False),
    Column("parameters"),
    Column("mult-adds"),
    Column("input", rank=2),
    Column("top-1 %", rank=1),
    Column("year", rank=3),
    Column("weights", right=False, rank=5),
    Column("introduced", right=False, rank=4, least=16, cut=clipped),
)


def command(
    pattern: Annotated[
        str, typer.Argument(help="Part of a name, such as mobilenet, or a shell pattern, such as 'resnet*'.")
    ] = "*",
    json: Json = False,
) -> None:
    """List the networks of the catalogue: what each costs, its published top-1 on ImageNet, what it introduced.

    Multiply-adds are of one image of the network's own input size (pixels), whose side is named.
    """
    from striate.models import get_card, list_models
    from striate.models.catalogue import aliases

    part = pattern if set("*?[") & set(pattern) else f"*{pattern}*"
    names = list_models(part)
    if not names:
        raise unknown("network", pattern, [*list_models(), *aliases()], "`striate models` lists them all.")
    cards = [get_card(name) for name in names]
    if json:
        print_json({"models": [{**card.to_dict(), **_figures(card)} for card in cards]})
        return
    print_table(Table(COLUMNS, [_row(card, part) for card in cards]))


def _figures(card: Card) -> dict[str, Any]:
    """What is known of a network beside its card."""
    from striate.models.accuracy import accuracy_of
    from striate.models.figures import multiply_adds_of

    found = accuracy_of(card)
    top1 = {"top1": None, "top1_source": None} if found is None else {"top1": found.value, "top1_source": found.source}
    return {"multiply_adds": multiply_adds_of(card.name), **top1}


def _row(card: Card, part: str) -> list[str]:
    from striate.models.catalogue import name_matching

    figures = _figures(card)
    spelled = name_matching(card, part)
    return [
        card.name if spelled == card.name else f"{card.name} ({spelled})",
        whole(card.parameters),
        "?" if figures["multiply_adds"] is None else count(figures["multiply_adds"]),
        str(card.input_size),
        "" if figures["top1"] is None else f"{100 * figures['top1']:.1f}",
        str(card.paper.year),
        ", ".join(source.name for source in card.weights),
        card.introduces,
    ]
