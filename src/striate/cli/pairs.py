"""Words of the command line that are written NAME=VALUE, such as --option shortcut=B."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from striate.cli.panels import NETWORK
from striate.errors import UsageError

#: What commands call `option` and hand to `options`.
NetworkOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        help="An option of the network, such as stem=paper; `striate card` lists them. Given again for another.",
        rich_help_panel=NETWORK,
    ),
]


def pairs(texts: list[str] | None, flag: str) -> dict[str, str]:
    """Values by name.

    Raises:
        UsageError: a word is written otherwise, or a name stands twice.
    """
    found: dict[str, str] = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{flag} {text}: write it as name=value.")
        if name.strip() in found:
            raise UsageError(f"{flag} {text}: {name.strip()} is given twice.")
        found[name.strip()] = value.strip()
    return found


def options(texts: list[str] | None) -> dict[str, Any]:
    """The options of a network that are asked for by --option."""
    return {name: value_of(text) for name, text in pairs(texts, "--option").items()}


def value_of(text: str) -> Any:
    """A word of the command line as a number or truth value where it is one; with commas a list of such."""
    if "," in text:
        return [value_of(part.strip()) for part in text.split(",")]
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
