"""striate recipes: the recipes that have a name, and what every field of one means."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.output import Json, print_json
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.training.fields import Field

#: Columns of the list: a field of a recipe, or what it is for.
COLUMNS = ("name", "network", "epochs", "batch_size", "optimizer", "learning_rate", "schedule", "purpose")

#: Columns of a terminal where nothing says how many there are.
WIDTH = 100


def command(
    name: Annotated[str | None, typer.Argument(help="A recipe, to see every field of it.")] = None,
    fields: Annotated[
        bool, typer.Option("--fields", help="Explain the fields, what `--set` takes, with their defaults.")
    ] = False,
    json: Json = False,
) -> None:
    """List the recipes, or explain one field by field: what it sets, what is the default, what each field means."""
    from striate.training.fields import described
    from striate.training.recipes import Recipe
    from striate.training.shelf import PURPOSES, RECIPES, get_recipe

    if name is not None and fields:
        raise UsageError("--fields are those of any recipe; give it without a name, or a name without it.")
    if fields:
        rows = list(described(Recipe()))
        _give({"fields": _as_json(rows)} if json else _explained(rows))
    elif name is not None:
        rows = list(described(get_recipe(name)))
        plain = {"recipe": name, "purpose": PURPOSES[name], "fields": _as_json(rows)}
        _give(plain if json else [f"{name}: {PURPOSES[name]}", "", *_explained(rows[1:])])  # the first is the name
    else:
        records = [{**recipe.to_dict(), "purpose": PURPOSES[recipe.name]} for recipe in RECIPES.values()]
        _give({"recipes": records} if json else _table(records))


def _give(output: dict[str, Any] | list[str]) -> None:
    if isinstance(output, dict):
        print_json(output)
    else:
        print("\n".join(output))


def _as_json(rows: Iterable[Field]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]


def _table(records: list[dict[str, Any]]) -> list[str]:
    """One line for each recipe under a line of headings."""
    heading = [column.replace("_", " ") for column in COLUMNS[:-1]] + ["for"]
    rows = [heading, *([_word(record[column]) or "any" for column in COLUMNS] for record in records)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _explained(rows: list[Field]) -> list[str]:
    """Each field with its value, its default where it differs, and its meaning."""
    said = [(row.name, _said(row), row.meaning) for row in rows]
    names, values = (max(map(len, column)) for column in list(zip(*said, strict=True))[:2])
    indent = names + values + 4
    width = max(indent + 40, shutil.get_terminal_size((WIDTH, 24)).columns)
    lines = []
    for name, value, meaning in said:
        text = f"{name:{names}}  {value:{values}}  {meaning}"
        lines += textwrap.wrap(text, width, subsequent_indent=" " * indent, break_on_hyphens=False) or [text]
    return lines


def _said(row: Field) -> str:
    value = _word(row.value) or "-"
    return value if row.value == row.default else f"{value} (not {_word(row.default) or '-'})"


def _word(value: Any) -> str:
    """A value as `--set` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ",".join(map(_word, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
