"""The folder of an experiment: a run folder for each step, and what they came to so far, beside them."""

from __future__ import annotations

import csv
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from striate.caller import either
from striate.classifier.run_config import RunConfig
from striate.errors import StriateError, UsageError
from striate.experiments.curves import Course, plot_courses
from striate.experiments.outcomes import MISSING, STATES, Outcome, Results
from striate.files import at_home, make_folder_of, write_atomically
from striate.strict_json import to_json
from striate.training.run_folder import RunFolder

#: Of the record of an experiment, which says its form first.
FORMAT = "striate experiment 1"


class ExperimentFolder:
    """A folder with experiment.json, experiment.md, curves.png, and a run folder of each step's name."""

    def __init__(self, path: str | Path) -> None:
        self.path = at_home(path)

    record = property(lambda self: self.path / "experiment.json")
    page = property(lambda self: self.path / "experiment.md")
    curves = property(lambda self: self.path / "curves.png")

    def run(self, step: str) -> RunFolder:
        """The run folder of a step."""
        return RunFolder(self.path / step)

    def read(self, name: str, fingerprint: str) -> dict[str, Outcome]:
        """What the steps of an experiment have come to; nothing where none was begun here.

        Args:
            name: the experiment's.
            fingerprint: of its images.

        Raises:
            UsageError: something else lies here, another experiment, or one on other images.
            StriateError: the record is damaged.
        """
        another = either("another --run", "another folder to run in")
        if not self.record.is_file():
            if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
                raise UsageError(f"{self.path} exists already and holds no experiment. Choose {another}.")
            return {}
        written = self._read()
        if written["experiment"] != name:
            raise UsageError(f"{self.path} holds the experiment {written['experiment']}, not {name}. Choose {another}.")
        if written["images"]["fingerprint"] != fingerprint:
            raise UsageError(
                f"{self.path} holds this experiment on other images, those of {written['images']['source']}, or "
                f"divided by another seed. Choose {another}."
            )
        return {each["name"]: Outcome(**each) for each in written["steps"]}

    def _read(self) -> dict[str, Any]:
        try:
            written = json.loads(self.record.read_text(encoding="utf-8"))
            known = {each.name for each in fields(Outcome)}
            whole = written["format"] == FORMAT and all(
                known == set(step) and step["state"] in STATES for step in written["steps"]
            )
            if not whole or not {"source", "fingerprint"} <= set(written["images"]):
                raise ValueError("it is not what striate writes")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StriateError(f"{self.record}: cannot be read or damaged ({error}).") from error
        return dict(written)

    def write(self, results: Results) -> None:
        """Write the record, the table and the curves anew.

        Raises:
            StriateError: they cannot be written.
        """
        make_folder_of(self.record)
        write_atomically(self.record, to_json({"format": FORMAT, **results.to_dict()}, indent=2) + "\n")
        courses = [course for outcome in results.outcomes if (course := self._course(outcome)) is not None]
        picture = f"\n![Accuracy by epoch]({self.curves.name})\n" if courses else ""
        write_atomically(self.page, results.markdown() + picture)
        if courses:
            plot_courses(courses, self.curves, results.question, f"Accuracies on {results.measured_on()}.")

    def _course(self, outcome: Outcome) -> Course | None:
        """The accuracies of a step by epoch; None where there are none."""
        rows = read_rows(self.run(outcome.name).metrics) if outcome.accuracy is not None else []
        if outcome.state == MISSING or not rows:
            return None
        train, val = (tuple(_number(row[name]) for row in rows) for name in ("train_accuracy", "val_accuracy"))
        return Course(outcome.name, train, val, outcome.claim)


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a run's table, such as metrics.csv; none where there is no such file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def epochs_of(run: RunFolder) -> int:
    """How many epochs a run is to have."""
    return RunConfig.read(run).recipe.epochs


def _number(text: str) -> float:
    return float(text or "nan")
