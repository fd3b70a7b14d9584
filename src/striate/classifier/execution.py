"""Carry out the training that a run folder's config.json describes."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias, cast

from striate.augment.showing import skipped
from striate.classifier.beginning import Beginning, begin, goes_on
from striate.classifier.classifier import Classifier
from striate.classifier.loading import load
from striate.classifier.lowering import TIMES, leave_steps, lower, of_features
from striate.classifier.preparing import network_of, prepare
from striate.classifier.reporting import report_run
from striate.classifier.run_config import RunConfig
from striate.classifier.saving import saver
from striate.classifier.telling import introduction, standing
from striate.data import Dataset
from striate.data.targets import SINGLE_LABEL
from striate.errors import Interrupted, StriateError
from striate.models import Network, Trust
from striate.training.alone import Alone
from striate.training.divergence import Diverged
from striate.training.fabric import create_fabric
from striate.training.label_changes import label_changes
from striate.training.loop import Training
from striate.training.metrics import Evaluation
from striate.training.run_folder import RunFolder
from striate.training.selection import beginning_line, early_stop_line
from striate.training.state import Position
from striate.training.watch import Watch
from striate.transfer.head import UnfitHead
from striate.transfer.regimes import FEATURES
from striate.units import decimal_size, plural

if TYPE_CHECKING:
    from lightning_fabric import Fabric

#: Those that share a run.
Processes: TypeAlias = "Fabric | Alone"


def first_process(fabric: Processes, make: Callable[[], RunFolder]) -> RunFolder:
    """The run folder that the first of all processes makes or opens, and locks for all of them.

    Raises:
        StriateError: what `make` raises, in every process.
    """
    if isinstance(fabric, Alone) or fabric.world_size == 1:
        return make()
    folder, problem = None, None
    if fabric.is_global_zero:
        try:
            folder = make()
        except StriateError as error:
            problem = error
    path, line = fabric.broadcast((str(folder.path) if folder else "", str(problem or "")))
    if not path:
        raise problem or StriateError(line)
    return folder or RunFolder(path)


def execute(
    folder: RunFolder,
    config: RunConfig,
    dataset: Dataset,
    fabric: Processes,
    watch: Watch,
    extend: int = 0,
    trust: Trust | None = None,
    lowered: int = 0,
) -> Classifier:
    """Train what `config` says, from the checkpoint where there is one, and describe the result.

    `trust` says whose code may make its network. Fine-tuning that diverges begins again at a lower rate, which it has
    done `lowered` times; in the end the classifier of features that it began with is kept.

    Raises:
        Interrupted: by Ctrl-C; everything is saved.
        StriateError: training diverged, or a file cannot be written.
    """
    progress, until = watch.progress, time.monotonic() + (watch.time_limit or math.inf)
    fresh = not folder.checkpoint.exists()
    network = network_of(config, trust or Trust(), pretrained=fresh)
    for line in introduction(folder, config, dataset):
        progress.message(line)
    beginning = None
    if config.transfer and fresh:
        beginning = _begin(network, config, dataset, watch, until)
        if beginning is not None and beginning.advice is not None and fabric.is_global_zero:
            folder.write_advice(beginning.advice.to_dict())
        if beginning is not None and not goes_on(config, beginning):
            if config.transfer != FEATURES.name:
                config = of_features(config, beginning.views)
                if fabric.is_global_zero:
                    folder.write_config(config.to_dict())
            return _finish(network, folder, config, dataset, beginning, watch, trust, fabric)
    if isinstance(fabric, Alone):
        fabric = create_fabric(config.device, config.devices, config.precision)
    watch = watch.until(until)
    training = prepare(network, folder, config, dataset, fabric, watch)
    if beginning is not None:
        training.position.best, training.position.notes = beginning.best, [*beginning.lines]
        training.checkpoint()  # a run that is killed after the model is there can go on
        if fabric.is_global_zero:
            saver(folder, config, dataset)(network, beginning.best, beginning.task)
    if fresh and fabric.is_global_zero:
        _warn(training, dataset)
    if extend:
        training.extend(extend)
    for line in standing(training):
        progress.message(line)
    if not training.position.stopped_by:
        try:
            position = training.train()
        except Diverged as error:
            if not config.transfer or extend or fabric.world_size > 1:
                raise
            if lowered < TIMES:
                config = lower(folder, config, error)
            elif beginning is not None:
                config = leave_steps(folder, config, error, beginning.views)
            else:
                raise
            progress.message(f"note: {config.notes[-1]}")
            return execute(folder, config, dataset, fabric, watch.until(until), 0, trust, lowered + 1)
        training.save_result_so_far()
        if position.stopped_by == "early stopping":
            progress.message(early_stop_line(position, training.recipe.early_stopping))
        if kept := beginning_line(position):
            progress.message(kept)
    else:
        position = training.position
        training.save_result_so_far()
        progress.message(
            f"{folder.path} is trained already; --extend N adds epochs, --drop-checkpoint frees "
            f"{decimal_size(folder.checkpoint.stat().st_size)}."
        )
    if position.stopped_by in ("interrupted", "time limit"):
        line = (
            f"stopped in epoch {position.epoch + 1} of {training.epochs} ({position.stopped_by}); everything is "
            f"saved. Go on with: striate train --resume {shlex.quote(str(folder.path))}"
        )
        if position.stopped_by == "interrupted":
            raise Interrupted(line)
        progress.message(line)
    fabric.barrier()  # the first process has written the model
    classifier = _result(folder, trust)
    _tell_fit(classifier, dataset, position, watch)
    with progress.evaluating() as shown:
        classifier.evaluation = classifier.evaluate(dataset, shown=shown)
    if watch.report and training.fabric.is_global_zero:
        report_run(folder, config, dataset, classifier, position)
    if watch.drop_checkpoint and training.fabric.is_global_zero:
        progress.message(_drop_checkpoint(folder, position))
    return classifier


def _begin(network: Network, config: RunConfig, dataset: Dataset, watch: Watch, until: float) -> Beginning | None:
    """Give a network a head that classifies its features; None where only training can give it one, which is said.

    Raises:
        UnfitHead: that, where nothing is to be trained.
    """
    try:
        beginning = begin(network, config, dataset, watch.progress, until)
    except UnfitHead as error:
        if config.transfer == FEATURES.name:
            raise
        watch.progress.message(f"note: {error}; training begins with a random one")
        return None
    for line in beginning.lines:
        watch.progress.message(line)
    return beginning


def _warn(training: Training, dataset: Dataset) -> None:
    """Say which transforms of the training images do nothing to them, and which make their classes alike."""
    policy, notes = training.recipe.augment, []
    if idle := skipped(policy, dataset.channels):
        notes.append(
            f"without effect on images of {plural(dataset.channels, 'channel')}: augment.{', augment.'.join(idle)}"
        )
    if dataset.task == SINGLE_LABEL:
        notes += map(str, label_changes(dataset.train, policy))
    for note in notes:
        training.position.notes.append(note)
        training.progress.message(f"note: {note}")


def _finish(
    network: Network,
    folder: RunFolder,
    config: RunConfig,
    dataset: Dataset,
    beginning: Beginning,
    watch: Watch,
    trust: Trust | None,
    fabric: Processes,
) -> Classifier:
    """The classifier of features as the result of a run."""
    position = Position([0], best=beginning.best, stopped_by="finished", notes=[*beginning.lines])
    position.history.append(beginning.row)
    if fabric.is_global_zero:
        folder.update_config(checkpoint="dropped: its classifier was fitted to the end, with nothing to go on with")
        saver(folder, config, dataset)(network, beginning.best, beginning.task)
        folder.write_table(folder.metrics, position.history)
    fabric.barrier()
    classifier = _result(folder, trust)
    _tell_fit(classifier, dataset, position, watch)
    classifier.evaluation = cast(Evaluation, beginning.measured)
    if watch.report and fabric.is_global_zero:
        report_run(folder, config, dataset, classifier, position)
    return classifier


def _result(folder: RunFolder, trust: Trust | None) -> Classifier:
    """The classifier with the best weights; a module that was handed over is given them itself."""
    if trust is None:
        return load(folder.path)
    return load(folder.path, trust=next(iter(trust.places), None), model=trust.handed)


def _tell_fit(classifier: Classifier, dataset: Dataset, position: Position, watch: Watch) -> None:
    """Say what was fitted to the validation images, now and in the report."""
    words = classifier.task.fit_told(dataset.val)
    if words:
        watch.progress.message(words)
        position.notes.append(words)


def _drop_checkpoint(folder: RunFolder, position: Position) -> str:
    """Remove the checkpoint of a finished run; what was done, in words."""
    if position.stopped_by in ("interrupted", "time limit"):
        return f"{folder.checkpoint} is kept: the training is not finished."
    size = folder.checkpoint.stat().st_size
    folder.drop_checkpoint(f"{position.stopped_by} after epoch {position.epoch}")
    return f"{folder.checkpoint} is removed ({decimal_size(size)}); the run can be used, and not extended."
