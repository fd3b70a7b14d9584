"""The `striate` command: its commands, and how errors become one line and an exit code."""

from __future__ import annotations

import functools
import os
import sys
from typing import Any, NoReturn

import typer

from striate.allocator import LARGEST_KEPT, keep_memory
from striate.cli import (
    advise,
    augment,
    card,
    check,
    compare,
    embed,
    evaluate,
    experiment,
    field,
    gradients,
    grow,
    kernel,
    layer,
    models,
    predict,
    recipes,
    recommend,
    scale,
    summary,
    train,
    weights,
)
from striate.cli.command import Command
from striate.cli.interrupt import heed_interrupts, interrupted, leave, was_interrupted
from striate.cli.leaving import INTERRUPTED
from striate.errors import StriateError, is_out_of_memory
from striate.files import DISK_FULL
from striate.version import __version__

app = typer.Typer(
    name="striate",
    help="Train, explain and deploy image classifiers; see what a convolutional network is made of.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
COMMANDS = {
    "train": train,
    "advise": advise,
    "evaluate": evaluate,
    "predict": predict,
    "embed": embed,
    "grow": grow,
    "recipes": recipes,
    "models": models,
    "card": card,
    "summary": summary,
    "compare": compare,
    "field": field,
    "layer": layer,
    "scale": scale,
    "recommend": recommend,
    "check": check,
    "augment": augment,
    "kernel": kernel,
    "gradients": gradients,
    "experiment": experiment,
    "weights": weights,
}
#: The headings under which the help lists the commands.
GROUPS = {
    "Train and use": ("train", "advise", "evaluate", "predict", "embed", "grow", "recipes"),
    "Look inside": ("summary", "field", "gradients"),
    "Networks": ("models", "card", "compare", "scale", "recommend", "weights"),
    "Data": ("check", "augment"),
    "Learn": ("experiment", "layer", "kernel"),
}
#: Commands that are quicker where freed memory is kept (`bench/allocator.py`), and the bytes of the largest block that
#: each keeps; the others gain nothing by it. What does not train takes few pictures at once, and needs little memory.
KEEP_MEMORY = {
    "train": LARGEST_KEPT,
    "experiment": LARGEST_KEPT,
    "evaluate": 64 << 20,
    "predict": 64 << 20,
    "embed": 64 << 20,
    "advise": 64 << 20,
    "field": LARGEST_KEPT,
    "check": LARGEST_KEPT,
}
for group, names in GROUPS.items():
    for name in names:
        if name == "weights":  # commands of their own, below this word
            app.add_typer(weights.group, rich_help_panel=group)
        else:
            app.command(name, cls=Command, rich_help_panel=group)(COMMANDS[name].command)


@app.callback(invoke_without_command=True)
def _without_command(
    context: typer.Context, version: bool = typer.Option(False, "--version", help="Print the version and leave.")
) -> None:
    if version:
        print(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        context.get_help()  # prints it
        raise typer.Exit(2)
    if context.obj and context.invoked_subcommand in KEEP_MEMORY:
        keep_memory(KEEP_MEMORY[context.invoked_subcommand])


def run(alone: bool = False) -> NoReturn:
    """Run the command that the command line asks for, and leave with its exit code.

    `alone` says that the process runs nothing else, so that its memory is the command's to settle.
    """
    _open_streams()
    try:
        heed_interrupts(alone)
        code = _command()(prog_name="striate", standalone_mode=False, obj=alone)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        _leave_quietly()
    except Exception as error:
        if os.environ.get("STRIATE_DEBUG"):
            raise
        if was_interrupted():
            interrupted()
        _fail(*_explain(error))
    if code == INTERRUPTED or (code and was_interrupted()):
        interrupted()
    leave(code or 0)


@functools.cache
def _command() -> Any:
    """All commands with their options, read off their functions: it takes long, and they stay as they are."""
    return typer.main.get_command(app)


def _open_streams() -> None:
    """Make output that never fails for what it says: the caller may have closed it, or may not show every letter."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (until the end)
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _explain(error: Exception) -> tuple[str, int]:
    """What went wrong, and the exit code."""
    if isinstance(error, StriateError):
        return str(error), error.exit_code
    if hasattr(error, "format_message"):  # what Typer says about the words of the command line
        return f"{error.format_message().rstrip('.')}. `striate --help` explains.", 2
    if isinstance(error, OSError) and error.strerror:
        unnamed = "the output cannot be written: " if error.errno in DISK_FULL else ""
        return f"{f'{error.filename}: ' if error.filename else unnamed}{error.strerror}", 1
    text = str(error).strip() or type(error).__name__
    if is_out_of_memory(error):
        return f"out of memory; {_less_memory()}", 1
    return f"{text.splitlines()[0]} ({type(error).__name__}; STRIATE_DEBUG=1 shows where)", 1


def _less_memory() -> str:
    """What helps against running out of memory: the options of this command that make it need less."""
    called = next((word for word in sys.argv[1:] if word in COMMANDS), "")
    commands = getattr(_command(), "commands", {})
    options = {name for parameter in getattr(commands.get(called), "params", ()) for name in parameter.opts}
    helpful = [name for name in ("--batch-size", "--size", "--input") if name in options]
    return f"try a smaller {' or '.join(helpful)}" if helpful else "it needs a machine with more of it"


def _fail(text: str, code: int) -> NoReturn:
    """Print one line and leave."""
    try:
        print("striate:", " ".join(part.strip() for part in text.splitlines()), file=sys.stderr, flush=True)
    except BrokenPipeError:
        _leave_quietly()
    sys.exit(code)


def _leave_quietly() -> NoReturn:
    """Leave when the reader of our output has left; nothing more can be said to it."""
    for stream in (sys.stdout, sys.stderr):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(1)
