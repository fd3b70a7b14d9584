"""striate models: the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli.output import Json, print_json
from striate.errors import unknown


def command(
    pattern: Annotated[str, typer.Argument(help="A shell pattern, such as 'resnet*'.")] = "*",
    json: Json = False,
) -> None:
    """List the networks of the catalogue: name, parameters, input, year, what each introduced."""
    from striate.models import get_card, list_models
    from striate.models.catalogue import aliases

    names = list_models(pattern)
    if not names:
        raise unknown("network", pattern, [*list_models(), *aliases()], "`striate models` lists them all.")
    cards = [get_card(name) for name in names]
    if json:
        print_json({"models": [card.to_dict() for card in cards]})
        return
    width = max(map(len, names))
    for card in cards:
        sources = f" [weights: {', '.join(source.name for source in card.weights)}]" if card.weights else ""
        print(
            f"{card.name:{width}}  {card.parameters:>12,}  {card.input_size:>3} px  {card.paper.year}  "
            f"{card.introduces}{sources}"
        )
