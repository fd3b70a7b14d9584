"""striate recipes: the recipes that have a name, and what every field of one means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.output import Json, print_json, print_table, terminal_width
from striate.errors import UsageError
from striate.text_tables import Column, Table, clipped, described

if TYPE_CHECKING:
    from striate.training.fields import Field
    from striate.training.recipes import Recipe

COLUMNS = (
    Column("recipe", right=False),
    Column("network", right=False, rank=2),
    Column("epochs", rank=3),
    Column("batch", rank=4),
    Column("optimizer", right=False, rank=5),
    Column("rate", rank=6),
    Column("schedule", right=False, rank=7),
    Column("for", right=False, rank=1, least=34, cut=clipped),
)


def command(
    name: Annotated[str | None, typer.Argument(help="A recipe, to see every field of it.")] = None,
    fields: Annotated[
        bool, typer.Option("--fields", help="Explain the fields, what `--set` takes, with their defaults.")
    ] = False,
    json: Json = False,
) -> None:
    """List the recipes, or explain one: each field's value, its default, and what it means."""
    from striate.training.fields import described as fields_of
    from striate.training.recipes import Recipe
    from striate.training.shelf import PURPOSES, RECIPES, get_recipe

    if name is not None and fields:
        raise UsageError("--fields are those of any recipe; give it without a name, or a name without it.")
    if fields:
        rows = list(fields_of(Recipe()))
        if json:
            print_json({"fields": [asdict(row) for row in rows]})
        else:
            _explain(rows)
    elif name is not None:
        rows = list(fields_of(get_recipe(name)))
        if json:
            print_json({"recipe": name, "purpose": PURPOSES[name], "fields": [asdict(row) for row in rows]})
        else:
            print(f"{name}: {PURPOSES[name]}\n")
            _explain(rows[1:])  # the first is the name
    elif json:
        print_json({"recipes": [{**recipe.to_dict(), "purpose": PURPOSES[recipe.name]} for recipe in RECIPES.values()]})
    else:
        print_table(Table(COLUMNS, [_row(recipe, PURPOSES[recipe.name]) for recipe in RECIPES.values()]))


def _row(recipe: Recipe, purpose: str) -> list[str]:
    numbers = (recipe.epochs, recipe.batch_size, recipe.optimizer, recipe.learning_rate, recipe.schedule)
    return [recipe.name, recipe.network or "any", *map(_word, numbers), purpose]


def _explain(rows: Sequence[Field]) -> None:
    """Print each field with its value, its default where it differs, and its meaning."""
    names, values = (max(map(len, column)) for column in ([row.name for row in rows], [_said(row) for row in rows]))
    pairs = [(f"{row.name:{names}}  {_said(row):{values}}", row.meaning) for row in rows]
    print(described(pairs, terminal_width()))


def _said(row: Field) -> str:
    value = _word(row.value) or "-"
    return value if row.value == row.default else f"{value} (not {_word(row.default) or '-'})"


def _word(value: Any) -> str:
    """A value as `--set` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(_word, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
