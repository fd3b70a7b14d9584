"""The way out of an interrupted command that has begun nothing."""

import os
import signal
import subprocess
import sys

from striate.cli import leaving


def test_leaving_at_once_is_a_line_and_exit_code_130(monkeypatch):
    done = []
    monkeypatch.setattr(os, "write", lambda descriptor, text: done.append((descriptor, text)))
    monkeypatch.setattr(os, "_exit", done.append)
    leaving.leave_at_once(signal.SIGINT, None)
    assert done == [(2, b"striate: interrupted\n"), 130]


def test_nothing_that_takes_time_is_imported_before_signals_are_taken():
    code = "import sys; before = set(sys.modules); import striate.cli.leaving; print(*set(sys.modules) - before)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not {"signal", "threading", "pathlib", "subprocess", "typer", "torch"} & set(process.stdout.split())
    assert "striate.cli.leaving" in process.stdout
