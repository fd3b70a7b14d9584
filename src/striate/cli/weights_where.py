"""striate weights where: the folders in which weights are looked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from striate.cli.output import Json, print_json, terminal_width

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


def command(json: Json = False) -> None:
    """Say in which folders weights are looked for, in order, and how to put a file there by hand."""
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
