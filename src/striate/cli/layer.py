"""striate layer: a layer by numbers, or several in a chain, without a network; and the layer that fits two shapes."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli.output import Json, print_json, print_table, terminal_width
from striate.errors import StriateError, UsageError
from striate.text_tables import Column, Table, described, wrapped
from striate.units import along_axes, binary_size, count, whole

if TYPE_CHECKING:
    from striate.models.by_numbers import Step

#: Layers that --solve shows.
SHOWN = 10
COLUMNS = (
    Column("layer", right=False, least=16),
    Column("output"),
    Column("parameters"),
    Column("mult-adds"),
    Column("memory", rank=1),
    Column("field", rank=2),
    Column("stride", rank=3),
)


def command(
    shape: Annotated[str, typer.Argument(help="The input: height x width x channels, such as 32x32x3.")],
    layers: Annotated[
        list[str],
        typer.Argument(help="A layer in words each: 'conv 10 5x5 pad 2', 'pool max 2x2', relu, 'dense 1000', ..."),
    ],
    solve: Annotated[
        str | None,
        typer.Option(help="The output wanted, such as 55x55: find what the words leave open of kernel, stride, pad."),
    ] = None,
    json: Json = False,
) -> None:
    """Show what a layer makes of an input: shape, parameters, cost, receptive field, with the arithmetic."""
    height, width, channels = _sizes(shape, "32x32x3", "height x width x channels")
    if solve is not None:
        if len(layers) != 1:
            raise UsageError("--solve is for one layer; the shape is of what comes before it")
        rows, columns = _sizes(solve, "55x55", "--solve takes rows x columns")
        _solve(layers[0], (height, width), (rows, columns), json)
        return

    from striate.models.by_numbers import by_numbers

    steps = by_numbers((channels, height, width), *layers)
    if json:
        print_json({"input": [channels, height, width], "layers": [asdict(step) for step in steps]})
    else:
        print_table(_table((channels, height, width), steps))
        for line in _arithmetic(steps):
            print(wrapped(line, terminal_width(), " " * 14))


def _sizes(text: str, example: str, meaning: str) -> tuple[int, ...]:
    """The numbers of a shape. Raises UsageError."""
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) != example.count("x") + 1 or not all(part.isdecimal() and int(part) for part in parts):
        raise UsageError(f"'{text}' is no shape: {meaning}, such as {example}")
    return tuple(map(int, parts))


def _table(shape: tuple[int, ...], steps: list[Step]) -> Table:
    from striate.layers.from_words import channels_last

    def text(sizes: tuple[int, ...]) -> str:
        return "x".join(map(str, channels_last(sizes)))

    rows = [["input", text(shape), "", "", binary_size(4 * math.prod(shape)), "", ""]]
    for step in steps:
        parameters = whole(step.parameters) if step.parameters else ""
        multiply_adds = count(step.multiply_adds, tenths=True) if step.multiply_adds else ""
        seen = "all" if step.sees_all else along_axes(step.receptive_field) or "?"
        cost = [parameters, multiply_adds, binary_size(step.output_bytes)]
        rows.append([step.words, text(step.output_shape), *cost, seen, along_axes(step.stride)])
    if len(steps) > 1:
        parameters = whole(sum(step.parameters for step in steps))
        multiply_adds = count(sum(step.multiply_adds for step in steps), tenths=True)
        rows.append(["together", "", parameters, multiply_adds, "", "", ""])
    return Table(COLUMNS, rows)


def _arithmetic(steps: list[Step]) -> list[str]:
    lines = []
    for step in steps:
        if step.arithmetic:
            lines += ["", step.words, *(f"  {name:12}{text}" for name, text in step.arithmetic)]
    return lines


def _solve(text: str, sizes: tuple[int, ...], outputs: tuple[int, ...], json: bool) -> None:
    """Print the layers that give such outputs, the most usual ones first."""
    from striate.layers.in_words import parse
    from striate.layers.solving import solve
    from striate.layers.window import LONGEST

    found = solve(parse(text, whole=False), sizes, outputs)
    if json:
        fields = ("kernel", "stride", "padding")
        layers = [{"words": one.spelt(), **{name: getattr(one, name) for name in fields}} for one in found]
        print_json({"input": sizes, "output": outputs, "layers": layers})
        return
    if not found:
        raise StriateError(
            f"'{text}': nothing turns {sizes[0]}x{sizes[1]} into {outputs[0]}x{outputs[1]} with a kernel of up to "
            f"{LONGEST}, a stride no longer than it and the same numbers along height and width"
        )
    lines: list[tuple[str, str]] = []
    for one in found[:SHOWN]:
        high, wide = (window.arithmetic(size) for window, size in zip(one.windows() or (), sizes, strict=True))
        lines += [(one.spelt(), high), *([("", wide)] if wide != high else [])]
    print(described(lines, terminal_width()))
    if len(found) > SHOWN:
        print(f"and {len(found) - SHOWN} less usual ones (--json)")
