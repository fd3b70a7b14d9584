"""The start of the `striate` command: from here on Ctrl-C is one line and exit code 130, imports included."""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """Run the command line: 0 done, 1 failed, 2 wrong usage, 130 interrupted; one line says why."""
    from striate.cli.interrupt import heed_interrupts, interrupted

    try:
        heed_interrupts()
        from striate.cli.app import run

        run()
    except KeyboardInterrupt:
        interrupted()
