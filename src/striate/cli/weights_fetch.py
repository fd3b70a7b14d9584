"""striate weights fetch: bring a network's weights onto this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.output import Json, Quiet, print_json
from striate.errors import UsageError, unknown
from striate.units import decimal_size


def command(
    network: Annotated[str, typer.Argument(help="A network, or hf:ORG/NAME for a repository of the Hugging Face Hub.")],
    name: Annotated[
        str | None,
        typer.Argument(help="Which of its weights, as `striate weights list` calls them; the first by default."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fetch weights and check them; a fetch that broke off goes on from where it was. Prints where they lie."""
    from striate.models import get_card
    from striate.models.hub import hub_model
    from striate.weights import source_called
    from striate.weights.hub import is_hub

    if is_hub(network):
        if name is not None:
            raise UsageError(f"{network} is one set of weights; give no name with it.")
        found = hub_model(network)
        _tell(found.network, network, found.path(), json)
        return
    card = get_card(network)
    if not card.weights:
        raise UsageError(f"{card.name} has no published weights; `striate weights list` names the networks that have.")
    source = card.weights[0] if name is None else source_called(card.weights, name)
    if source is None:
        raise unknown(f"weights of {card.name}", str(name), [source.name for source in card.weights])
    from striate.weights import locate

    with _Shown(quiet or json) as shown:
        path = locate(source, shown)
    _tell(card.base or card.name, source.name, path, json)


def _tell(network: str, name: str, path: Path, json: bool) -> None:
    if json:
        print_json({"network": network, "name": name, "path": str(path), "bytes": path.stat().st_size})
    else:
        print(path)


class _Shown:
    """A line on the terminal that says how much has arrived, and goes when it is done."""

    def __init__(self, quiet: bool) -> None:
        self.is_seen = not quiet and sys.stderr.isatty()
        self.last = 0

    def __enter__(self) -> _Shown:
        return self

    def __call__(self, done: int, total: int | None) -> None:
        of = "" if total is None else f" of {decimal_size(total)}"
        if self.is_seen and (done - self.last > 1 << 20 or done == total):
            self.last = done
            print(f"\r\x1b[Kfetching {decimal_size(done)}{of}", end="", file=sys.stderr, flush=True)

    def __exit__(self, *given: object) -> None:
        if self.last:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
