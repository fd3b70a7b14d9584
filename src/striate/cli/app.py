"""The `striate` command: its commands, and how errors become one line and an exit code."""

from __future__ import annotations

import os
import sys

import typer

from striate.cli import check, evaluate, models, predict, summary, train
from striate.errors import StriateError

app = typer.Typer(
    name="striate",
    help="Train, explain and deploy image classifiers; see what a convolutional network is made of.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
COMMANDS = {
    "train": train,
    "evaluate": evaluate,
    "predict": predict,
    "models": models,
    "summary": summary,
    "check": check,
}
for name, module in COMMANDS.items():
    app.command(name)(module.command)


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version and leave.")) -> None:
    if version:
        import striate

        print(striate.__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line: 0 done, 1 failed, 2 wrong usage, 130 interrupted; one line says why."""
    try:
        app()
    except StriateError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of our output has left
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}", 1)
    except MemoryError:
        _fail("out of memory; try a smaller --batch-size or --size", 1)
    except RuntimeError as error:
        if os.environ.get("STRIATE_DEBUG"):
            raise
        _fail(f"{str(error).splitlines()[0]} (STRIATE_DEBUG=1 shows where)", 1)


def _fail(line: str, code: int) -> None:
    print(f"striate: {line}", file=sys.stderr)
    sys.exit(code)
