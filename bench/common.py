"""What the benchmarks share: data, the machine's description, fair alternation, printing and writing.

This module imports nothing heavy: the peak memory of a child process on Linux is never below that of the
process that started it, so the parents stay small.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

BENCH = Path(__file__).resolve().parent
RESULTS = BENCH / "RESULTS.md"


def arguments(description: str | None) -> argparse.ArgumentParser:
    """A parser that shows the script's docstring and knows --write."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=description, formatter_class=formatter)
    parser.add_argument("--write", action="store_true", help="append the results to bench/RESULTS.md")
    return parser


def skip(reason: str) -> NoReturn:
    """Leave with one line; a benchmark that cannot run here is no failure."""
    print(f"skipped: {reason}")
    raise SystemExit(0)


def data(*parts: str) -> Path:
    """A file or folder of the image data: under STRIATE_DATA, else ../shared/data beside the repository."""
    folder = Path(os.environ.get("STRIATE_DATA", BENCH.parents[1] / "shared" / "data"))
    path = folder.joinpath(*parts)
    if not path.exists():
        skip(f"there is no {path} (set STRIATE_DATA to the folder of the image data)")
    return path


def machine() -> str:
    """Processor, cores this process may use, memory, and how busy the machine is already."""
    processor = platform.processor() or platform.machine()
    fields = {}
    try:
        for line in Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines():
            key, _, value = line.partition(":")
            fields[key.strip()] = value.strip()
        processor = f"{fields['model name']} (family {fields['cpu family']}, model {fields['model']})"
    except (OSError, KeyError):  # not Linux, or not x86
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return f"{processor}, {cores()} cores, {memory:.0f} GiB RAM; load average at the start {load:.1f}"


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions(*packages: str) -> str:
    """Versions of Python, striate, torch and further packages."""
    parts = [f"Python {platform.python_version()}"]
    for package in ("striate", "torch", *packages):
        try:
            parts.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            parts.append(f"{package} not installed")
    return ", ".join(parts)


def alternate(contestants: Mapping[str, Callable[[], float]], rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
    """What each contestant returns in each round: they take turns, every other round in reverse order."""
    for _ in range(warm_up):
        for contest in contestants.values():
            contest()
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name in list(contestants)[:: 1 if number % 2 == 0 else -1]:
            figures[name].append(contestants[name]())
    return figures


def child(script: str, *words: object, python: str = sys.executable, **environment: str) -> dict[str, Any]:
    """Run a script in a process of its own; the JSON it prints last, with the whole process's seconds."""
    command = [python, script, *map(str, words)]
    began = time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        print(done.stderr[-4000:], file=sys.stderr)
        raise SystemExit(f"{shlex.join(command[1:])} failed with exit code {done.returncode}")
    return {**json.loads(done.stdout.strip().splitlines()[-1]), "process_seconds": seconds}


class Peers:
    """Other people's libraries in an environment of their own, whose Python STRIATE_PEERS names; it must see torch too.

    Attributes:
        python: that Python; empty where none is named.
    """

    def __init__(self) -> None:
        self.python = os.environ.get("STRIATE_PEERS", "")

    def versions(self, *packages: str) -> dict[str, str]:
        """The versions of those of the packages that are there."""
        if not self.python:
            return {}
        code = (
            "import importlib.metadata as known, json, sys\n"
            "names = {each.metadata['Name'] for each in known.distributions()}\n"
            "print(json.dumps({name: known.version(name) for name in sys.argv[1:] if name in names}))"
        )
        done = subprocess.run([self.python, "-c", code, *packages], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def child(self, script: str, *words: object, **environment: str) -> dict[str, Any]:
        """As `child`, in their environment, where this checkout's striate can be imported too."""
        paths = (str(BENCH.parent / "src"), os.environ.get("PYTHONPATH", ""))
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), **environment}
        return child(script, *words, python=self.python, **environment)


def peak_memory() -> float:
    """The largest resident memory this process has had so far, GiB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)


def each(values: Sequence[float], form: str = ".2f") -> str:
    """The values one by one."""
    return " ".join(format(value, form) for value in values)


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The results that were kept so far, a JSON object a line."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def add_row(file: Path, row: Mapping[str, Any]) -> None:
    """Keep one result more, for a benchmark that goes on where it was left."""
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row) + "\n")


class Report:
    """Prints as it goes; at the end appends a section to RESULTS.md when --write was given."""

    def __init__(self, title: str, options: argparse.Namespace, *packages: str) -> None:
        words = [word for word in sys.argv[1:] if word != "--write"]
        self.title, self.write, self.lines = title, options.write, [""]
        self.line(f"- Command: `{shlex.join(['python', f'bench/{Path(sys.argv[0]).name}', *words])}`")
        self.line(f"- Machine: {machine()}")
        self.line(f"- Versions: {versions(*packages)}")

    def line(self, text: str = "") -> None:
        """One line."""
        print(text, flush=True)
        self.lines.append(text)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A Markdown table, aligned to be read as it is."""
        cells = [list(header), *map(list, rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
        padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in cells]
        self.line()
        for row in (padded[0], ["-" * width for width in widths], *padded[1:]):
            self.line(f"| {' | '.join(row)} |")
        self.line()

    def close(self) -> None:
        """Append the section if it was asked for."""
        if not self.write:
            return
        start = "" if RESULTS.exists() else "# Measured results\n"
        with RESULTS.open("a", encoding="utf-8") as file:
            body = "\n".join(self.lines).rstrip("\n")
            file.write(f"{start}\n## {self.title} ({datetime.date.today().isoformat()})\n{body}\n")


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Ours over theirs, round by round, so that what slows a whole round cancels out."""
    return [our / their for our, their in zip(ours, theirs, strict=True)]
