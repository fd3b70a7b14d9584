"""Running an experiment into a folder: what is done there is taken, what was stopped goes on, the rest is trained."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from striate.caller import either
from striate.classifier import Classifier, resume, train, values
from striate.classifier.places import refuse_among_images
from striate.data import Dataset
from striate.errors import Interrupted, UsageError
from striate.experiments.folder import ExperimentFolder, epochs_of, read_rows
from striate.experiments.outcomes import DONE, MISSING, STOPPED, WAITING, Outcome, Results
from striate.experiments.shelf import get_experiment
from striate.experiments.steps import Asked, Experiment, Step
from striate.strict_json import to_json
from striate.training.progress import create_progress
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder

LIMIT = "time limit"


def experiment(
    name: str,
    source: str | Path,
    *,
    run: str | Path | None = None,
    epochs: int | None = None,
    full: bool = False,
    model: str | None = None,
    weights: str | Path | None = None,
    size: int | None = None,
    seed: int = 0,
    time_limit: float | str = 0,
    workers: int | None = None,
    device: str = "auto",
    quiet: bool = False,
) -> Results:
    """Run an experiment of the lectures on images of one's own; called again, it goes on where it was stopped.

    Args:
        name: the experiment's: "cats_and_dogs".
        source: the images, as `striate.train` takes them.
        run: the folder to write, one run folder for each step in it; by default runs/ and the experiment's name.
        epochs: of every step, instead of its own.
        full: every step has the epochs and the rates of the experiment's source.
        model: the network of pretrained steps, instead of the experiment's own.
        weights: its weights: a name on its card, a run or a file.
        size: side of the images that the networks see, pixels.
        seed: decides split, first weights, order and augmentations.
        time_limit: after which it stops cleanly: seconds, or "90s", "15m", "2h"; 0 for none.
        workers: processes that read and augment images; by default as many as help.
        device: "auto", "cpu", "cuda" or "mps".
        quiet: show no progress.

    Returns:
        A row for each step; the same is in experiment.json, experiment.md and curves.png.

    Raises:
        UsageError: an unknown name, impossible values, images that do not suit, or a folder with something else in it.
        Interrupted: by Ctrl-C; everything is saved.
        StriateError: anything else that a user can mend, in one line.
    """
    chosen = get_experiment(name)
    limit = values.seconds("time_limit", time_limit)
    if full and epochs is not None:
        raise UsageError(f"{either('--full and --epochs', 'full and epochs')} both say how long; give one of them.")
    asked = Asked(
        source=values.place("source", source),
        model=None if model is None else values.word("model", model),
        weights=None if weights is None else values.place("weights", weights),
        epochs=None if epochs is None else values.whole("epochs", epochs, 1, values.EPOCHS),
        full=full,
        size=None if size is None else values.whole("size", size, 1, values.SIDES),
        seed=values.whole("seed", seed, 0, values.SEEDS),
    )
    folder = ExperimentFolder(Path("runs") / chosen.name if run is None else values.place("run", run))
    refuse_among_images(folder.path, asked.source)
    dataset = chosen.images(asked)
    watched = {"workers": workers, "quiet": quiet}
    return _Running(chosen, asked, dataset, folder, watched, device).all_steps(limit)


class _Running:
    """An experiment under way, with what its steps have come to so far."""

    def __init__(
        self,
        chosen: Experiment,
        asked: Asked,
        dataset: Dataset,
        folder: ExperimentFolder,
        watched: Mapping[str, Any],
        device: str,
    ) -> None:
        self.chosen, self.dataset, self.folder = chosen, dataset, folder
        self.watched, self.device = watched, device
        self.progress = create_progress(bool(watched["quiet"]))
        known = folder.read(chosen.name, dataset.fingerprint)
        self.steps = chosen.filled(asked, dataset)
        self.outcomes = {step.name: self._before(step, known.get(step.name)) for step in self.steps}

    def _before(self, step: Step, known: Outcome | None) -> Outcome:
        """What a step has come to before anything is done.

        Raises:
            UsageError: it was begun here with other values.
        """
        run = self.folder.run(step.name)
        if known is not None and known.asked and run.config.is_file():
            _refuse_other(self.folder, step, known)
            is_there = known.state == DONE and run.model.is_file()
            return replace(known, does=step.does, claim=step.claim, state=DONE if is_there else STOPPED)
        state = MISSING if step.missing else WAITING
        return Outcome(step.name, step.does, step.claim, state, step.missing)

    def all_steps(self, limit: float) -> Results:
        """Do what is not done yet, until the time is over, and say what there is."""
        began, number = time.monotonic(), len(self.steps)
        for note in dict.fromkeys(step.missing for step in self.steps if step.missing):
            names = ", ".join(step.name for step in self.steps if step.missing == note)
            self.progress.message(f"note: {names} cannot be done: {note}")
        self._write()
        for place, step in enumerate(self.steps, 1):
            outcome = self.outcomes[step.name]
            title = f"step {place} of {number}, {step.name}: {step.does}"
            if outcome.state == DONE:
                self.progress.message(f"{title}: done already")
            elif outcome.state != MISSING:
                left = max(limit - (time.monotonic() - began), 0) if limit else 0.0
                if limit and (not left or self._waits_for(step)):
                    self.outcomes[step.name] = replace(outcome, why=LIMIT)
                else:
                    self.progress.message(title)
                    self._do(step, left)
            self._write()
        return self._results()

    def _waits_for(self, step: Step) -> bool:
        """Whether the step that it starts from is not done."""
        return bool(step.start) and self.outcomes[step.start].state != DONE

    def _do(self, step: Step, limit: float) -> None:
        """Train a step, or go on with it.

        Raises:
            Interrupted: by Ctrl-C; everything is saved.
        """
        run = self.folder.run(step.name)
        self.outcomes[step.name] = replace(
            self.outcomes[step.name], state=STOPPED, why="interrupted", asked=in_plain_words(step)
        )
        self._write()
        try:
            if run.config.is_file():
                classifier = resume(run.path, data=self.dataset, time_limit=limit, **self.watched)
            else:
                run.remove_if_unstarted()  # what a process that was killed has left
                keywords = self._keywords(step)
                classifier = train(self.dataset, run=run.path, time_limit=limit, **keywords, **self.watched)
        except Interrupted:
            self._measure(step, run, None, "interrupted")
            self._write()
            raise Interrupted(
                f"stopped in step {step.name} (interrupted); everything is saved in {self.folder.path}. "
                "Go on with the same command."
            ) from None
        self._measure(step, run, classifier, LIMIT)

    def _keywords(self, step: Step) -> dict[str, Any]:
        start = {"weights": self.folder.run(step.start).path} if step.start else {}
        return {**step.train, **start, "device": self.device}

    def _measure(self, step: Step, run: RunFolder, classifier: Classifier | None, why: str) -> None:
        """Take what a run has come to from its files; `why` says what stopped it where it is not finished."""
        if not run.config.is_file():
            return  # it was stopped before it began
        rows, timing = read_rows(run.metrics), read_rows(run.timing)
        of_epochs, epochs = epochs_of(run), int(rows[-1]["epoch"]) if rows else 0
        found = replace(self.outcomes[step.name], epochs=epochs, of_epochs=of_epochs)
        if classifier is not None and classifier.evaluation is not None and rows:
            evaluation = classifier.evaluation
            low, high = evaluation.top1_interval
            found = replace(
                found,
                accuracy=evaluation.top1,
                low=low,
                high=high,
                train_accuracy=float(rows[-1]["train_accuracy"]),
                best_epoch=int(classifier.description.metrics["epoch"]),
                seconds=sum(float(row["seconds"]) + float(row["validation_seconds"] or 0) for row in timing),
            )
        is_done = epochs == of_epochs and found.accuracy is not None
        self.outcomes[step.name] = replace(found, state=DONE if is_done else STOPPED, why="" if is_done else why)

    def _write(self) -> None:
        self.folder.write(self._results())

    def _results(self) -> Results:
        dataset, chosen = self.dataset, self.chosen
        images: dict[str, Any] = {"source": str(dataset.source), "fingerprint": dataset.fingerprint}
        images |= {split.name: len(split) for split in dataset.splits}
        images["measured"] = (dataset.test or dataset.val or dataset.train).name
        return Results(
            experiment=chosen.name,
            question=chosen.question,
            source=chosen.source,
            conditions=chosen.conditions,
            path=self.folder.path,
            images=images,
            outcomes=tuple(self.outcomes[step.name] for step in self.steps),
        )


def in_plain_words(step: Step) -> dict[str, Any]:
    """The keywords of a step as JSON has them; the step that it starts from by its name."""
    start = {"weights": step.start} if step.start else {}
    keywords = {name: _plain(value) for name, value in {**step.train, **start}.items()}
    return dict(json.loads(to_json(keywords)))


def _plain(value: Any) -> Any:
    if isinstance(value, Recipe):
        return value.to_dict()
    return str(value) if isinstance(value, Path) else value


def _refuse_other(folder: ExperimentFolder, step: Step, known: Outcome) -> None:
    """Refuse to go on with a step that was begun with other values than are asked for now.

    Raises:
        UsageError: see above; the line names the first that differs.
    """
    wanted = in_plain_words(step)
    if step.missing:
        return  # what is here was done when the weights were
    for name in dict.fromkeys((*wanted, *known.asked)):
        if wanted.get(name) != known.asked.get(name):
            was, now = (_word(asked.get(name)) for asked in (known.asked, wanted))
            raise UsageError(
                f"{folder.path}: its step {step.name} was begun with {name} {was}, and now it would be {now}. "
                f"Choose {either('another --run', 'another folder to run in')}."
            )


def _word(value: Any) -> str:
    return str(value["name"]) if isinstance(value, dict) and "name" in value else str(value)
