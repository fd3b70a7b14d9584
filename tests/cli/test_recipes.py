"""striate recipes: the list, a recipe field by field, the fields by themselves; for people and for programs."""

import dataclasses
import json
import re

import pytest

from striate.training.fields import described
from striate.training.recipes import Recipe
from striate.training.shelf import PURPOSES, RECIPES


def test_the_list_has_a_line_for_each_recipe(cli):
    heading, *lines = cli("recipes").out.splitlines()
    assert heading.split() == ["recipe", "network", "epochs", "batch", "optimizer", "rate", "schedule", "for"]
    for line, (name, recipe) in zip(lines, RECIPES.items(), strict=True):
        assert re.split(r"  +", line) == [
            *(name, recipe.network or "any", str(recipe.epochs), str(recipe.batch_size), recipe.optimizer),
            *(f"{recipe.learning_rate:g}", recipe.schedule, PURPOSES[name]),
        ]


def test_the_list_for_programs_is_whole(cli):
    found = json.loads(cli("recipes", "--json").out)["recipes"]
    for record in found:
        assert record.pop("purpose") == PURPOSES[record["name"]]
        assert Recipe.from_dict(record) == RECIPES[record["name"]]
    assert [record["name"] for record in found] == list(RECIPES)


def entries(text: str) -> dict[str, str]:
    """What stands behind each name, its lines put together."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith(" "):
            name, _, line = line.partition(" ")
            found[name] = ""
        else:
            name = list(found)[-1]
        found[name] += f" {line.strip()}"
    return {name: " ".join(text.split()) for name, text in found.items()}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_explained_field_by_field(name, cli):
    title, _, rest = cli("recipes", name).out.partition("\n\n")
    assert title == f"{name}: {PURPOSES[name]}"
    found = entries(rest)
    rows = [row for row in described(RECIPES[name]) if row.name != "name"]
    assert list(found) == [row.name for row in rows]
    for row in rows:
        value, meaning = found[row.name][: -len(row.meaning)].strip(), found[row.name][-len(row.meaning) :]
        assert meaning == row.meaning
        assert (" (not " in value) == (row.value != row.default)
        assert value.partition(" (not ")[0] == said(row.value)
        if row.value != row.default:
            assert value.endswith(f" (not {said(row.default)})")


def said(value: object) -> str:
    """As a recipe's value is typed behind --set, by hand; a dash for nothing."""
    if isinstance(value, float):
        return f"{value:g}"
    return {"True": "true", "False": "false", "": "-", "(0.5, 0.75)": "0.5,0.75"}.get(str(value), str(value))


def test_what_is_printed_can_be_typed_behind_set(cli):
    for row in described(Recipe()):
        if row.value != "" and row.name != "augment.ratio":  # a third has no end
            assert Recipe().override({row.name: said(row.value)}) == Recipe()


def test_a_recipe_for_programs_has_value_default_and_meaning(cli):
    found = json.loads(cli("recipes", "tiny", "--json").out)
    assert (found["recipe"], found["purpose"]) == ("tiny", PURPOSES["tiny"])
    rows = [dataclasses.asdict(row) for row in described(RECIPES["tiny"])]
    assert found["fields"] == json.loads(json.dumps(rows))


def test_the_fields_by_themselves_have_their_defaults(cli):
    found = entries(cli("recipes", "--fields").out)
    assert list(found) == [row.name for row in described(Recipe())]
    assert not any("(not " in text for text in found.values())
    assert found["epochs"] == "30 passes over the training images."
    plain = json.loads(cli("recipes", "--fields", "--json").out)["fields"]
    assert [row["name"] for row in plain] == list(found)


def test_lines_are_as_long_as_the_terminal_is_wide(cli, monkeypatch):
    for columns in (80, 140):
        monkeypatch.setenv("COLUMNS", str(columns))
        longest = max(map(len, cli("recipes", "--fields").out.splitlines()))
        assert columns - 15 < longest <= columns
        lines = cli("recipes").out.splitlines()
        assert max(map(len, lines)) <= columns
        assert all(lines[number].startswith(name) for number, name in enumerate(RECIPES, 1))
        assert any(line.startswith("left out ") for line in lines)


def test_a_name_and_the_fields_of_any_are_one_too_many(cli):
    outcome = cli("recipes", "tiny", "--fields")
    assert outcome.code == 2
    assert "--fields are those of any recipe" in outcome.line()


@pytest.mark.parametrize("words", [("recipes", "tinny"), ("train", "nowhere", "--recipe", "tinny")])
def test_an_unknown_recipe_offers_the_nearest_and_says_how_to_list_them(words, cli):
    outcome = cli(*words)
    assert outcome.code == 2
    assert outcome.line() == "striate: unknown recipe 'tinny'. Did you mean 'tiny'? `striate recipes` lists them all."


def test_an_unknown_field_offers_the_nearest_and_says_how_to_list_them(cli):
    outcome = cli("train", "nowhere", "--set", "augment.rotat=3")
    assert outcome.code == 2
    assert outcome.line() == (
        "striate: unknown field 'augment.rotat'. Did you mean 'augment.rotate' or 'augment.ratio' or "
        "'augment.contrast'? `striate recipes --fields` lists them all."
    )
