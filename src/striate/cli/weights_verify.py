"""striate weights verify: whether the weights on this machine are what they are published as."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli.output import Json, print_json, print_table
from striate.text_tables import Column, Table, clipped

COLUMNS = (
    Column("network", right=False),
    Column("checksum", right=False, rank=1),
    Column("is", right=False),
    Column("file", right=False, least=20, cut=clipped),
)


def command(
    network: Annotated[str | None, typer.Argument(help="A network, for its own alone; by default all.")] = None,
    json: Json = False,
) -> None:
    """Read all weights on this machine and compare their checksums; exit code 1 where one is damaged."""
    from striate.models.weights_listed import DAMAGED, verified

    rows = verified(network)
    damaged = [row for row in rows if row.state == DAMAGED]
    if json:
        print_json(
            {
                "verified": [
                    {
                        "network": row.network,
                        "name": row.name,
                        "path": str(row.path),
                        "checksum": row.checksum or None,
                        "state": row.state,
                    }
                    for row in rows
                ]
            }
        )
    elif rows:
        print_table(Table(COLUMNS, [[row.network, row.checksum, row.state, str(row.path)] for row in rows]))
    else:
        print("no weights are on this machine; `striate weights where` says where they are looked for")
    if damaged:
        raise typer.Exit(1)
