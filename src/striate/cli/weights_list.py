"""striate weights list: the sets of pretrained weights, and which of them are on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.output import Json, print_json, print_table
from striate.text_tables import Column, Table, clipped
from striate.units import decimal_size

if TYPE_CHECKING:
    from striate.models.weights_listed import Listed

COLUMNS = (
    Column("network", right=False),
    Column("weights", right=False, least=12, cut=clipped),
    Column("from", right=False, rank=3, least=16, cut=clipped),
    Column("size", rank=2),
    Column("licence", right=False, rank=4),
    Column("top-1 %", rank=1),
    Column("at hand", right=False),
)


def command(
    network: Annotated[str | None, typer.Argument(help="A network, for its own alone; by default all.")] = None,
    json: Json = False,
) -> None:
    """List pretrained weights: publisher, size, licence, top-1 as published, and what is on this machine.

    A size with ~ is not published; it is what the parameters come to.
    """
    from striate.models.weights_listed import listed

    rows = listed(network)
    if json:
        print_json({"weights": [_as_dict(row) for row in rows]})
        return
    if not rows and network is not None:
        tell_none(network)
        return
    print_table(Table(COLUMNS, [_row(row) for row in rows]))


def tell_none(network: str) -> None:
    """Print that a network has no weights at all."""
    from striate.models import get_card

    print(f"{get_card(network).name} has no published weights, and none are on this machine")


def _row(row: Listed) -> list[str]:
    size, is_known = row.size
    return [
        row.network,
        row.short_name,
        row.source.origin,
        decimal_size(size) if is_known else f"~{decimal_size(size)}",
        row.source.licence,
        "" if row.top1 is None else f"{100 * row.top1:.1f}",
        "" if row.path is None else "yes",
    ]


def _as_dict(row: Listed) -> dict[str, Any]:
    size, is_known = row.size
    source = row.source
    return {
        "network": row.network,
        "name": source.name,
        "origin": source.origin,
        "url": row.place,
        "file": source.file,
        "bytes": size if is_known else None,
        "checksum": f"{source.checksum.algorithm} {source.checksum.digits}" if source.checksum.digits else None,
        "licence": source.licence,
        "input_size": source.input_size,
        "top1": row.top1,
        "path": None if row.path is None else str(row.path),
    }
