"""The fields of a recipe: what each means, by its class's own documentation, and how it is set by name."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from striate.errors import UsageError, unknown

#: Where all fields are listed.
LISTED = "`striate recipes --fields` lists them all."

WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
WANTED = {"bool": "true or false", "tuple": "numbers with commas", "int": "a whole number", "float": "a number"}


@dataclass(frozen=True)
class Field:
    """One field of a recipe.

    Attributes:
        name: as it is set, with a dot where it belongs to a group: "augment.rotate".
        value: what it is in this recipe.
        default: what it is where a recipe does not say.
        meaning: what its class's documentation says of it.
    """

    name: str
    value: Any
    default: Any
    meaning: str


def described(recipe: Any, prefix: str = "") -> Iterator[Field]:
    """Every field of a recipe in order, those of groups one by one."""
    meanings = documented(type(recipe))
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        if dataclasses.is_dataclass(value):
            yield from described(value, f"{prefix}{field.name}.")
        else:
            yield Field(prefix + field.name, value, field.default, meanings.get(field.name, ""))


def documented(kind: type) -> dict[str, str]:
    """What the section "Attributes:" of a class's documentation says of each of them, in one line."""
    _, _, section = (inspect.getdoc(kind) or "").partition("Attributes:\n")
    entries = re.split(r"^    (?=\w+: )", section, flags=re.MULTILINE)[1:]
    pairs = (entry.split(": ", 1) for entry in entries)
    return {name: " ".join(text.split()) for name, text in pairs}


def with_field(target: Any, path: str, value: Any) -> Any:
    """A copy of a recipe with one field set, perhaps by a word of the command line.

    Args:
        target: the recipe.
        path: the field's name, with a dot where it belongs to a group.
        value: what it is to be.

    Raises:
        UsageError: an unknown field (the nearest is offered) or a value that does not fit it.
    """
    fields = {field.name: field for field in described(target)}
    if path not in fields:
        raise _no_field(path, fields)
    return _replaced(target, path.split("."), _converted(fields[path].default, value, path))


def _no_field(path: str, fields: Iterable[str]) -> UsageError:
    for name in fields:
        if name.startswith(f"{path}."):
            return UsageError(f"'{path}' is a group of fields; set one of them, such as {name}=0.5.")
        if path.startswith(f"{name}."):
            return UsageError(f"'{name.rpartition('.')[2]}' has no fields, so '{path}' cannot be set.")
    return unknown("field", path, fields, LISTED)


def _replaced(target: Any, path: list[str], value: Any) -> Any:
    name, *rest = path
    return dataclasses.replace(target, **{name: _replaced(getattr(target, name), rest, value) if rest else value})


def _converted(default: Any, value: Any, name: str) -> Any:
    """`value`, perhaps a word of the command line, as the type that the field has, which is that of its default."""
    try:
        if isinstance(default, bool):
            return WORDS[str(value).lower()]
        if isinstance(default, tuple):
            return tuple(float(item) for item in (value.split(",") if isinstance(value, str) else value))
        if isinstance(value, bool):
            raise TypeError
        converted = type(default)(value)
        if isinstance(converted, int) and converted != float(value):
            raise ValueError
        return converted
    except (KeyError, OverflowError, TypeError, ValueError):
        wanted = WANTED.get(type(default).__name__, "a word")
        raise UsageError(f"{name}={value} does not fit: {name} takes {wanted}.") from None
