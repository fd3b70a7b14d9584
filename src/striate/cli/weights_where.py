"""striate weights where: the folders in which weights are looked for, and where those of a network lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.output import Json, print_json, print_table, terminal_width
from striate.cli.weights_list import tell_none
from striate.text_tables import Column, Table, clipped

if TYPE_CHECKING:
    from striate.models.weights_listed import Listed

GIVEN, CACHE, HUB = "given", "cache", "hub"
MEANINGS = {
    GIVEN: "named by STRIATE_WEIGHTS; only read",
    CACHE: "the cache: what is fetched is put here (STRIATE_CACHE names another)",
    HUB: "the Hugging Face Hub's own cache (HF_HOME names another)",
}
BY_HAND = (
    "Without a network, put a file there under its published name, which `striate weights list --json` names; of the "
    "Hub's, a folder ORG/NAME with config.json and model.safetensors. In folders that STRIATE_WEIGHTS names, separated "
    "as in PATH, files are also known by their content."
)


COLUMNS = (
    Column("network", right=False, rank=1),
    Column("weights", right=False, least=12, cut=clipped),
    Column("at hand", right=False),
    Column("path", right=False, least=20, cut=clipped),
)


def command(
    network: Annotated[
        str | None, typer.Argument(help="A network: where its weights lie, or the place for a file put there by hand.")
    ] = None,
    json: Json = False,
) -> None:
    """Say in which folders weights are looked for, in order, and how to put a file there by hand."""
    if network is None:
        _tell_folders(json)
    else:
        _tell_files(network, json)


def _tell_files(network: str, json: bool) -> None:
    from striate.models.weights_listed import listed

    rows = listed(network)
    if json:
        plain = [
            {"network": row.network, "name": row.source.name, "at_hand": row.path is not None, "path": str(_place(row))}
            for row in rows
        ]
        print_json({"weights": plain})
    elif rows:
        cells = [[row.network, row.short_name, "no" if row.path is None else "yes", str(_place(row))] for row in rows]
        print_table(Table(COLUMNS, cells))
    else:
        tell_none(network)


def _place(row: Listed) -> Path:
    """Where weights lie, or belong: of a repository of the Hub the folder."""
    from striate.files import cache_folder
    from striate.weights.hub import folder_by_hand

    if row.path is not None:
        return row.path
    return folder_by_hand(row.source.repository) if row.source.repository else cache_folder() / row.source.file


def _tell_folders(json: bool) -> None:
    from striate.files import cache_folder
    from striate.text_tables import wrapped
    from striate.weights.places import given_folders

    places = [*((GIVEN, folder) for folder in given_folders()), (CACHE, cache_folder()), *_of_the_hub()]
    if json:
        print_json({"folders": [_as_dict(kind, folder) for kind, folder in places], "cache": str(cache_folder())})
        return
    width = terminal_width()
    for number, (kind, folder) in enumerate(places, 1):
        missing = "" if folder.is_dir() else " (not there yet)"
        said = wrapped(MEANINGS[kind], None if width is None else width - 3)
        print(f"{number}. {folder}{missing}", *said.splitlines(), sep="\n   ")
    print(f"\n{wrapped(BY_HAND, width)}")


def _of_the_hub() -> list[tuple[str, Path]]:
    """The cache of the Hub's client, where that is installed."""
    try:
        from huggingface_hub.constants import HF_HUB_CACHE
    except ImportError:
        return []
    return [(HUB, Path(HF_HUB_CACHE))]


def _as_dict(kind: str, folder: Path) -> dict[str, Any]:
    return {"path": str(folder), "kind": kind, "exists": folder.is_dir()}
