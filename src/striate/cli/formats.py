"""The forms in which a table is printed or written: text, Markdown, CSV, JSON, or a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli.output import print_json, terminal_width
from striate.cli.panels import OUTPUT
from striate.errors import StriateError, UsageError, unknown
from striate.files import write_atomically
from striate.strict_json import to_json

FORMATS = ("text", "markdown", "csv", "json")
SUFFIXES = {".txt": "text", ".md": "markdown", ".csv": "csv", ".json": "json"}
PICTURES = (".svg", ".png", ".pdf")

Format = Annotated[
    str | None, typer.Option("--format", help="text, markdown, csv or json; text by default.", rich_help_panel=OUTPUT)
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Write to this file instead; its ending (.md, .csv, .svg, ...) says how.",
        rich_help_panel=OUTPUT,
    ),
]


def picture_path(path: Path) -> Path:
    """The path, once it is sure that a picture can be written there.

    Raises:
        UsageError: the ending is none of .svg, .png, .pdf.
        StriateError: its folder is not there.
    """
    if path.suffix.lower() not in PICTURES:
        raise UsageError(f"cannot draw to '{path}': its name must end in {', '.join(PICTURES)}")
    demand_folder(path)
    return path


def demand_folder(path: Path) -> None:
    """Raise `StriateError` where the folder that a file is to be written to is not there, before the work for it."""
    if not path.parent.is_dir():
        raise StriateError(f"{path}: there is no folder {path.parent}")


def chosen(form: str | None, out: Path | None, json: bool) -> str:
    """One of `FORMATS`, or "picture".

    Raises:
        UsageError: an unknown form or ending, or forms that contradict each other.
        StriateError: the folder of `out` is not there.
    """
    if form is not None and form not in FORMATS:
        raise unknown("format", form, FORMATS)
    asked = {form} - {None} | ({"json"} if json else set())
    if out is not None:
        demand_folder(out)
        suffix = out.suffix.lower()
        if suffix not in (*SUFFIXES, *PICTURES):
            raise UsageError(f"--out {out}: its name must end in {', '.join((*SUFFIXES, *PICTURES))}")
        asked.add(SUFFIXES.get(suffix, "picture"))
    if len(asked) > 1:
        raise UsageError(f"the output cannot be {' and '.join(sorted(map(str, asked)))} at once; give one")
    return str(next(iter(asked), "text"))


def room(out: Path | None) -> int | None:
    """The columns that a text may take: those of the terminal, and any number in a file."""
    return terminal_width() if out is None else None


def give(
    form: str,
    out: Path | None,
    tables: Mapping[str, Callable[[], str]],
    plain: Callable[[], Any],
    draw: Callable[[Path], object],
) -> None:
    """Print, or write to `out` and print its path.

    `tables` make "text", "markdown" and "csv"; `plain` makes what goes into JSON; `draw` draws to a path.
    """
    if out is None:
        if form == "json":
            print_json(plain())
        else:
            print(tables[form]().rstrip("\n"))
        return
    if form == "picture":
        draw(out)
    elif form == "json":
        write_atomically(out, to_json(plain(), indent=2) + "\n")
    else:
        write_atomically(out, tables[form]().rstrip("\n") + "\n")
    print(out)
