"""Output that a person or a program reads."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli.panels import MACHINE, NETWORK, OUTPUT
from striate.strict_json import to_json
from striate.text_tables import Table, described

Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print one JSON object on standard output, all else on standard error.",
        rich_help_panel=OUTPUT,
    ),
]
#: Whether a file may be read is found out by reading it: its error is told as that of any other that is unreadable.
RunArgument = Annotated[Path, typer.Argument(help="A run folder, or a model's .safetensors file.", readable=False)]
#: What `predict` and `evaluate` use.
ModelArgument = Annotated[
    Path,
    typer.Argument(
        metavar="RUN|NETWORK",
        help="A run folder, a model's .safetensors file, or a pretrained network, also timm:NAME, torchvision:NAME, "
        "hf:ORG/NAME.",
        readable=False,
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        "--weights",
        help="Weights of the network: a name on its card, hf:ORG/NAME, a run or a file.",
        rich_help_panel=NETWORK,
    ),
]
TrustOption = Annotated[
    str | None,
    typer.Option(
        "--trust",
        metavar="FILE.py",
        help="The file whose code makes the network, where it is your own.",
        rich_help_panel=NETWORK,
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", help="auto, cpu, cuda or mps; auto is the fastest there is.", rich_help_panel=MACHINE)
]
#: The engines for the help, which has no time to import what knows them; a test compares the two.
ENGINES = ("eager", "folded", "openvino", "onnxruntime", "compiled", "openvino-bf16", "folded-bf16")
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        help=f"What runs the network: auto, the fastest that gives the same, or one of {', '.join(ENGINES)}; "
        "those in bf16 give nearly the same.",
        rich_help_panel=MACHINE,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.", rich_help_panel=OUTPUT)]


def loaded(run: Path, weights: str | None, trust: str | None, device: str) -> Any:
    """The classifier that a command's argument names, on the device where it is to run."""
    from striate.classifier import Classifier, load

    if weights is None:
        return load(run, trust=trust, device=device)
    return Classifier.pretrained(str(run), weights).to(device)


def print_json(value: Any) -> None:
    """Print one JSON value, in letters that standard output can carry; what is not a number becomes null."""
    print(as_json(value))


def as_json(value: Any) -> str:
    """The text that `print_json` prints."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return to_json(value, indent=2, ascii_only=not unicode)


def terminal_width() -> int | None:
    """The columns that are there for standard output; None where it is no terminal, and nothing is to be lost.

    The variable COLUMNS counts in either case.
    """
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_table(table: Table, *, ruled: bool = False) -> None:
    """Print a table as wide as the terminal, and what is left out of it."""
    width = terminal_width()
    print("\n".join(filter(None, [table.text(width, ruled=ruled), described(table.left_out(width), width)])))
