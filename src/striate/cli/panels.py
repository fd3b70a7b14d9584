"""The headings under which the help of commands lists their options; those without one stand under "Options"."""

from __future__ import annotations

NETWORK = "Network"
TRAINING = "Training"
RUN = "The run and its folder"
MACHINE = "Machine"
INPUT = "Input"
BUDGET = "Budget"
OUTPUT = "Output"
MENDING = "Mending"
CI = "Exit code"
