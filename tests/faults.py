"""The faults that the tests must notice: `make faults`, or `python tests/faults.py WORD …` for those that hold a word.

Each is a line of the source as it is, the same line spoilt, and the test files of which one must fail; the tables stand
in `planted/`, one for each part of the source. They are mostly faults of wiring (a value that is not handed on, a
column exchanged, a bound off by one), since those are what tests of arithmetic do not see.
"""

from __future__ import annotations

import sys

from planted import (
    analysis,
    augment,
    classifier,
    cli,
    data,
    doctor,
    engines,
    experiments,
    loading,
    models,
    pictures,
    report,
    sources,
    tasks,
    training,
    transfer,
    weights,
)
from planting import Fault, plant_all

PARTS = (
    data,
    sources,
    engines,
    augment,
    training,
    loading,
    models,
    analysis,
    pictures,
    classifier,
    report,
    cli,
    tasks,
    transfer,
    weights,
    experiments,
    doctor,
)

FAULTS: tuple[Fault, ...] = sum((part.FAULTS for part in PARTS), ())


def main(words: list[str]) -> int:
    """Plant the faults whose rows hold all words; the exit code says whether one survived."""
    chosen = [fault for fault in FAULTS if all(word in str(fault) for word in words)]
    if not chosen:
        print(f"no fault holds {' and '.join(words)}")
        return 2
    if problems := [problem for fault in chosen if (problem := fault.problem())]:
        print("\n".join(problems))
        return 2
    return 1 if plant_all(chosen) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
