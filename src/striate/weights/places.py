"""Where files of weights are looked for."""

from __future__ import annotations

import os
from pathlib import Path

from striate.files import at_home, cache_folder

#: The environment variable that names folders of one's own.
VARIABLE = "STRIATE_WEIGHTS"


def given_folders() -> list[Path]:
    """The folders that `STRIATE_WEIGHTS` names, in their order: they are looked into first, and never written to.

    Several stand behind one another as in PATH, with ":" between, on Windows ";".
    """
    return [at_home(folder) for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]


def folders() -> list[Path]:
    """Every folder in which published files are looked for, in order: those that are given, then the cache."""
    return [*given_folders(), cache_folder()]
