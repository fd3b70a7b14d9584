"""The faults that the tests must notice: `make faults`, or `python tests/faults.py WORD …` for those that hold a word.

Each row is a line of the source as it is, the same line spoilt, and the test files of which one must fail. They are
mostly faults of wiring (a value that is not handed on, a column exchanged, a bound off by one), since those are what
tests of arithmetic do not see.
"""

from __future__ import annotations

import sys

from planting import Fault, plant_all

FAULTS = (
    Fault(
        "strict_json.py",
        "    if isinstance(value, float) and not math.isfinite(value):",
        "    if isinstance(value, str) and not math.isfinite(value):",
        "test_strict_json.py cli/test_json_keys.py",
    ),
)


def main(words: list[str]) -> int:
    """Plant the faults whose rows hold all words; the exit code says whether one survived."""
    chosen = [fault for fault in FAULTS if all(word in str(fault) for word in words)]
    for problem in filter(None, (fault.problem() for fault in chosen)):
        print(problem)
        return 2
    return 1 if plant_all(chosen) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
