"""striate weights: the commands about pretrained weights."""

from __future__ import annotations

import typer

from striate.cli import weights_fetch, weights_list, weights_verify, weights_where
from striate.cli.command import Command

SUBCOMMANDS = {
    "list": weights_list,
    "fetch": weights_fetch,
    "verify": weights_verify,
    "where": weights_where,
}

group = typer.Typer(
    name="weights",
    help="Pretrained weights: list them, fetch them, verify what is here, and say where it lies.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
for name, module in SUBCOMMANDS.items():
    group.command(name, cls=Command)(module.command)


@group.callback(invoke_without_command=True)
def _without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        context.get_help()  # prints it
        raise typer.Exit(2)
