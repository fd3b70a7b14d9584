"""A command of the command line: what stands on it, and that its errors speak of that."""

from __future__ import annotations

import sys
from typing import Any

from typer.core import TyperCommand

from striate.caller import by_flags


class Command(TyperCommand):
    """A command whose errors name the flags that were typed, where Python's would name arguments."""

    def invoke(self, ctx: Any) -> Any:
        """Run it."""
        with by_flags(given(ctx)):
            return super().invoke(ctx)


def given(context: Any) -> dict[str, str]:
    """The parameters that stand on the command line, each as it was typed: {"lr": "--lr", "source": "SOURCE"}."""
    typed = {word.partition("=")[0] for word in sys.argv[1:]}
    found = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name)
        if source is not None and source.name == "COMMANDLINE":
            is_option = parameter.param_type_name == "option"
            spelled = next((flag for flag in parameter.opts if flag in typed), parameter.opts[0])
            found[parameter.name] = spelled if is_option else parameter.name.upper()
    return found
