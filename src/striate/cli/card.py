"""striate card: what is known about a network before any of it is built."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from striate.cli.output import Json, print_json, terminal_width
from striate.errors import UsageError


def command(
    network: Annotated[str, typer.Argument(help="A network's name or alias.")],
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    json: Json = False,
) -> None:
    """Show a network's card: the paper's figures, ours and the peers', deviations, errata, weights, options."""
    from striate.models import get_card
    from striate.models.card_text import as_markdown, as_text
    from striate.models.figures import measured, of_peers

    if markdown and json:
        raise UsageError("--markdown and --json: a card is printed in one form")
    card = get_card(network)
    if json:
        figures = [asdict(row) for row in (measured(card.name), *of_peers(card.name))]
        print_json({**card.to_dict(), "figures": figures})
    else:
        print(as_markdown(card).rstrip("\n") if markdown else as_text(card, terminal_width()))
