"""The option --input: shapes of one or several inputs, their names and types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli.panels import INPUT
from striate.errors import UsageError, unknown

if TYPE_CHECKING:
    from striate.analysis.inputs import Shape

Input = Annotated[
    str | None,
    typer.Option(
        "--input", help="Shape of one input, such as 3x224x224; else what the network says.", rich_help_panel=INPUT
    ),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        help="Shape of one input, such as 3x224x224 or 2x1000, or with its batch, 1x2x1000; else what the network "
        "says. Give it again for each further input; 128:int64 says the type and mask=1x128 the argument's name.",
        rich_help_panel=INPUT,
    ),
]

#: Types of an input's values, as PyTorch names them.
TYPES = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool")


def parsed_shape(text: str) -> tuple[int, ...]:
    """The numbers of "3x224x224" or "3,224,224".

    Raises:
        UsageError: they are none.
    """
    try:
        sizes = tuple(int(part) for part in re.split("[x×,]", text))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise UsageError(f"--input {text}: a shape is written such as 3x224x224")
    return sizes


def parsed(texts: list[str] | None) -> list[Shape] | dict[str, Shape]:
    """One shape for each input: by position, or by name where they have names.

    Raises:
        UsageError: no shape, an unknown type, or names for some of them only.
    """
    named: dict[str, Shape] = {}
    plain: list[Shape] = []
    for text in texts or ():
        name, equals, rest = text.rpartition("=")
        if name in named:
            raise UsageError(f"--input {text}: there are two inputs named {name}")
        if equals and not name:
            raise UsageError(f"--input {text}: an argument's name stands before the =, such as mask=1x128")
        if name:
            named[name] = _shape(rest)
        else:
            plain.append(_shape(rest))
    if named and plain:
        raise UsageError("--input: give names to all inputs or to none")
    return named or plain


def _shape(text: str) -> Shape:
    import torch

    from striate.analysis.inputs import Shape

    sizes, colon, kind = text.partition(":")
    if colon and kind not in TYPES:
        raise unknown("type of an input", kind, TYPES)
    return Shape(parsed_shape(sizes), getattr(torch, kind) if kind else None)
