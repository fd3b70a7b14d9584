"""What is said of the fields of a recipe: all of them, each with a meaning that names what it takes."""

import dataclasses
from dataclasses import dataclass, field

import pytest

from striate.augment import Augment
from striate.training.fields import described, documented
from striate.training.recipes import CHOICES, Recipe


@dataclass(frozen=True)
class Inner:
    """A group.

    Attributes:
        depth: how deep: from the top.
    """

    depth: int = 3


@dataclass(frozen=True)
class Outer:
    """Some settings.

    More of them.

    Attributes:
        first: what comes first,
            in two lines.
        second: see first; {"a": 1}.
        inner: the group.
    """

    first: float = 0.5
    second: str = "b"
    inner: Inner = field(default_factory=Inner)
    silent: int = 0


def test_the_documentation_is_read_field_by_field():
    assert documented(Outer) == {
        "first": "what comes first, in two lines.",
        "second": 'see first; {"a": 1}.',
        "inner": "the group.",
    }
    assert documented(int) == {}


def test_fields_come_in_order_with_those_of_groups_in_their_place():
    found = [dataclasses.astuple(one) for one in described(Outer(second="c", inner=Inner(4)))]
    assert found == [
        ("first", 0.5, 0.5, "what comes first, in two lines."),
        ("second", "c", "b", 'see first; {"a": 1}.'),
        ("inner.depth", 4, 3, "how deep: from the top."),
        ("silent", 0, 0, ""),
    ]


def test_every_field_of_a_recipe_has_its_meaning():
    rows = list(described(Recipe()))
    own = [one.name for one in dataclasses.fields(Recipe) if one.name != "augment"]
    assert [row.name for row in rows] == own + [f"augment.{one.name}" for one in dataclasses.fields(Augment)]
    assert all(10 < len(row.meaning) < 500 for row in rows)
    assert all(row.value == row.default for row in rows)


@pytest.mark.parametrize("name", CHOICES)
def test_a_field_that_takes_some_words_names_them_all(name):
    (meaning,) = (row.meaning for row in described(Recipe()) if row.name == name)
    missing = [word for word in CHOICES[name] if f'"{word}"' not in meaning]
    assert not missing


#: A value for each kind of field that is no default.
ANOTHER = {"bool": "false", "int": "2", "float": "0.9", "tuple": "0.25,0.5"}


def test_what_is_described_is_what_can_be_set():
    before = {row.name: row.value for row in described(Recipe())}
    for name, value in before.items():
        special = {"augment.ratio": "2", "momentum": "0.8", "augment.elastic": "0.04"}
        word = special.get(name, ANOTHER.get(type(value).__name__))
        if word is not None:
            after = {row.name: row.value for row in described(Recipe().override({name: word}))}
            assert {key for key in after if after[key] != before[key]} == {name}
