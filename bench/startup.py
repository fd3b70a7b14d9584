"""Time to start: whole-process seconds of striate's commands, and of importing torch for comparison.

Every command runs in turn, round by round, after one round that only warms the disk cache; the figure is the
median.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from common import Report, alternate, arguments, each, median, skip

STRIATE = Path(sys.executable).with_name("striate")
COMMANDS = {
    "striate --help": [str(STRIATE), "--help"],
    "striate summary resnet152": [str(STRIATE), "summary", "resnet152"],
    'python -c "import striate"': [sys.executable, "-c", "import striate"],
    'python -c "import torch"': [sys.executable, "-c", "import torch"],
    'python -c ""': [sys.executable, "-c", ""],
}


def timed(command: list[str]) -> Callable[[], float]:
    def run() -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    return run


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=9, help="runs of each command (9)")
    options = parser.parse_args()
    if not STRIATE.exists():
        skip(f"there is no striate command beside {sys.executable}; install the package")
    report = Report("Time to start", options)
    report.line(f"- Runs: {options.runs} of each, after one warm-up, in turn")
    seconds = alternate({name: timed(command) for name, command in COMMANDS.items()}, options.runs)
    torch = median(seconds['python -c "import torch"'])
    rows = [
        [f"`{name}`", f"{median(values):.2f}", f"{median(values) / torch:.2f}", each(values)]
        for name, values in seconds.items()
    ]
    report.table(["command", "median seconds", "ratio to import torch", "each"], rows)
    report.close()


if __name__ == "__main__":
    main()
