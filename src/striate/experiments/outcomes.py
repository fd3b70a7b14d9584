"""What an experiment comes to: a row for each step, as a table, as Markdown, and as experiment.json keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from striate.notebook import Facts, Shown
from striate.text_tables import Column, Table, clipped
from striate.units import percent, plural, whole

#: How far a step is: done; stopped before its last epoch; not begun; or impossible, which `why` explains.
DONE, STOPPED, WAITING, MISSING = "done", "stopped", "waiting", "missing"
STATES = (DONE, STOPPED, WAITING, MISSING)
#: What the splits are called in a sentence.
WORDS = {"train": "training", "val": "validation", "test": "test"}

COLUMNS = (
    Column("step", right=False),
    Column("accuracy"),
    Column("95 % interval", rank=2),
    Column("in training"),
    Column("epochs", rank=3),
    Column("minutes", rank=4),
    Column("the source"),
    Column("what is done", right=False, rank=1, least=24, cut=clipped),
)


@dataclass(frozen=True)
class Outcome:
    """What one step came to.

    Attributes:
        name: the step's, and that of its run folder.
        does: what is done, in words.
        claim: the accuracy that the source reports, in [0, 1]; None where it reports none.
        state: one of `STATES`.
        why: why it is not done; empty where it is.
        asked: the keywords of `striate.train` that decide it, as JSON has them; empty where it was not begun.
        accuracy: of the weights that are kept, on `images` images of the split; None where it was not begun.
        low: lower end of its 95 % interval (Wilson's).
        high: upper end.
        train_accuracy: mean over the last epoch, as it was trained: augmented, with dropout.
        epochs: that were done.
        of_epochs: that were to be done.
        best_epoch: whose weights are kept.
        seconds: of training, validation among it.
    """

    name: str
    does: str
    claim: float | None
    state: str = WAITING
    why: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)
    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    train_accuracy: float | None = None
    epochs: int = 0
    of_epochs: int = 0
    best_epoch: int = 0
    seconds: float = 0.0

    def row(self) -> list[str]:
        """Its cells under `COLUMNS`."""
        measured = self.accuracy is not None
        span = f"{percent(self.low or 0)} to {percent(self.high or 0)}" if measured else ""
        done = f"{whole(self.epochs)}" if self.epochs == self.of_epochs else f"{self.epochs} of {self.of_epochs}"
        return [
            self.name,
            percent(self.accuracy or 0) if measured else self.state,
            span,
            "" if self.train_accuracy is None else percent(self.train_accuracy),
            done if measured else "",
            f"{self.seconds / 60:.1f}" if measured else "",
            "" if self.claim is None else percent(self.claim, 0),
            self.does,
        ]


@dataclass(frozen=True, repr=False)
class Results(Shown):
    """What an experiment came to.

    Attributes:
        experiment: its name.
        question: what it asks.
        source: whose it is.
        conditions: what the source's figures were measured on.
        path: the folder of its runs.
        images: "source", "fingerprint", the number of images of each split, and "measured", the split that is
            measured.
        outcomes: a row for each step.
    """

    experiment: str
    question: str
    source: str
    conditions: str
    path: Path
    images: Mapping[str, Any]
    outcomes: tuple[Outcome, ...]

    @property
    def done(self) -> bool:
        """Whether no step is left that could be done."""
        return all(outcome.state in (DONE, MISSING) for outcome in self.outcomes)

    def _facts(self) -> Facts:
        done = sum(outcome.state == DONE for outcome in self.outcomes)
        values = {
            "experiment": self.experiment,
            "steps": f"{done} of {plural(len(self.outcomes), 'step')} done",
            "folder": str(self.path),
        }
        return Facts(values, [column.header for column in COLUMNS], table_of(self).rows)

    def measured_on(self) -> str:
        """The images that the accuracies are of, in words."""
        split, train = self.images["measured"], self.images["train"]
        count = plural(self.images[split], f"{WORDS[split]} image")
        return f"{count} of {self.images['source']}, after {whole(train)} to train on"

    def notes(self) -> list[tuple[str, str]]:
        """What the figures are of, and what is not done and why: headings, and what is to be said of each."""
        found = [
            ("accuracy", f"of the best epoch's weights, on {self.measured_on()}"),
            (
                "in training",
                "mean over the last epoch, with its augmentation and dropout",
            ),
            ("the source", f"{self.source}; {self.conditions}"),
        ]
        reasons: dict[tuple[str, str], list[str]] = {}
        for outcome in self.outcomes:
            if outcome.why:
                reasons.setdefault((outcome.state, outcome.why), []).append(outcome.name)
        return found + [(state, f"{', '.join(names)}: {why}") for (state, why), names in reasons.items()]

    def markdown(self) -> str:
        """The question, the table and its notes."""
        notes = [f"- {heading}: {said}" for heading, said in self.notes()]
        return "\n".join([f"# {self.experiment}", "", self.question, "", *table_of(self).markdown(), "", *notes]) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        said = {name: getattr(self, name) for name in ("experiment", "question", "source", "conditions")}
        return {
            **said,
            "path": str(self.path),
            "images": dict(self.images),
            "steps": [asdict(outcome) for outcome in self.outcomes],
        }


def table_of(results: Results) -> Table:
    """The steps side by side."""
    return Table(COLUMNS, [outcome.row() for outcome in results.outcomes])
