"""Running the command line in this process, or in one of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest


class Outcome(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    def line(self) -> str:
        """The one line of a failed command; what it said before it failed does not count."""
        assert "Traceback" not in self.err
        assert self.out == ""
        *before, last = self.err.splitlines()
        assert last.startswith("striate: ")
        assert not any(line.startswith("striate: ") for line in before)
        return last


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path) -> Callable[..., Outcome]:
    """Run a command in this process, from an empty folder `here`: cli("train", folder, ...) -> Outcome."""
    from striate.cli import main

    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["striate", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main()
        return Outcome(leaving.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def on_terminal(cli, monkeypatch) -> Callable[..., Outcome]:
    """As `cli`, but standard error is a terminal, where progress is shown."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        return cli(*arguments)

    return run


@pytest.fixture(scope="session")
def start() -> Callable[..., subprocess.Popen]:
    """Start a command in a process, and a process group, of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def run(*arguments: object, **options) -> subprocess.Popen:
        command = [sys.executable, "-m", "striate", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
        return subprocess.Popen(command, start_new_session=True, **{**pipes, **options})

    return run
