"""Planting faults: each is put into a copy of the project, where the tests named with it must then fail.

A fault is one line changed. Every worker has a copy of the project of its own, so that the checkout is never
touched; the copy is put right again before the next fault.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

PROJECT = Path(__file__).resolve().parents[1]
COPIED = ("src", "tests", "docs", "examples", "bench", "pyproject.toml", "README.md", "CHANGELOG.md", "Makefile")
#: Seconds after which a hanging test counts as failed.
PATIENCE = 600


@dataclass(frozen=True)
class Fault:
    """One line of the source to spoil: `right`, which stands in it once, becomes `wrong`; `tests` must fail."""

    file: str  # below src/striate
    right: str
    wrong: str
    tests: str  # files below tests, with spaces between

    @property
    def path(self) -> str:
        """The spoilt file, from the project's folder."""
        return f"src/striate/{self.file}"

    def problem(self) -> str:
        """Why this row of the table is itself wrong; empty where it is right."""
        text = (PROJECT / self.path).read_text(encoding="utf-8")
        if (count := text.count(self.right)) != 1:
            return f"{self.file}: {self.right!r} stands in it {count} times, not once"
        if missing := [name for name in self.tests.split() if not (PROJECT / "tests" / name).exists()]:
            return f"{self.file}: there is no tests/{missing[0]}"
        try:
            compile(text.replace(self.right, self.wrong), self.path, "exec")
        except SyntaxError as error:
            return f"{self.file}: {self.wrong!r} is no Python ({error})"
        return ""


def faults(file: str, tests: str, *spoilt: tuple[str, str]) -> tuple[Fault, ...]:
    """Faults of one file that the same tests must notice: pairs of what is right and what is put there."""
    return tuple(Fault(file, right, wrong, tests) for right, wrong in spoilt)


@contextmanager
def planted(fault: Fault, copy: Path) -> Iterator[None]:
    """The fault stands in the copy of the project meanwhile."""
    file = copy / fault.path
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")


def failing(copy: Path, tests: str) -> bool:
    """Whether one of the test files fails in a copy of the project; one that hangs fails."""
    files = [f"tests/{name}" for name in tests.split()]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *files]
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",  # a fault of the same length in the same second would not be compiled
        "OMP_NUM_THREADS": "1",
    }
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, 1, 2):  # 2: a test file cannot even be imported
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.returncode != 0


def plant_all(faults: Sequence[Fault], workers: int = 2) -> int:
    """Plant each fault, print whether it was noticed, and return how many were not."""
    copies: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        for number in range(workers):
            copies.put(_copy(Path(folder) / str(number) / "project"))
        named = {name for fault in faults for name in fault.tests.split()}
        if _in_a_copy(copies, None, " ".join(sorted(named))):
            print("the tests fail without any fault; mend that first")
            return len(faults)

        def try_one(fault: Fault) -> bool:
            began = time.monotonic()
            noticed = _in_a_copy(copies, fault, fault.tests)
            word = "noticed " if noticed else "SURVIVED"
            print(f"{word} {time.monotonic() - began:5.1f} s  {fault.file}: {fault.wrong.strip()}", flush=True)
            return noticed

        with ThreadPoolExecutor(workers) as pool:
            noticed = sum(pool.map(try_one, faults))
    print(f"{noticed} of {len(faults)} faults noticed")
    return len(faults) - noticed


def _in_a_copy(copies: SimpleQueue[Path], fault: Fault | None, tests: str) -> bool:
    copy = copies.get()
    try:
        if fault is None:
            return failing(copy, tests)
        with planted(fault, copy):
            return failing(copy, tests)
    finally:
        copies.put(copy)


def _copy(place: Path) -> Path:
    place.mkdir(parents=True)
    for name in COPIED:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (PROJECT / name).exists():
            shutil.copy(PROJECT / name, place / name)
    return place
