"""The command line: one file per command, imported when the command runs, so that --help is quick."""

from striate.cli.start import main, process

__all__ = ["main", "process"]
