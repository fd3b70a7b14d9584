"""From a source of images to a classifier in a run folder: what `striate.train` and `--resume` do."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from striate.classifier.classifier import Classifier, load, locate
from striate.classifier.plan import FORMAT, check_request, plan_run, pretrained_channels
from striate.classifier.reporting import report_run
from striate.data import Dataset, Preprocessing, open_dataset
from striate.data.named import NAMES
from striate.errors import StriateError, UsageError
from striate.models import ConvNet, create_model
from striate.training.batches import Batches
from striate.training.hardware import create_fabric
from striate.training.loop import Training
from striate.training.model_file import Description, save_model
from striate.training.progress import Quiet, create_progress
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder

#: Images of a validation batch; its size changes speed and memory only.
VALIDATION_BATCH = 128


def train(
    source: str | Path | Dataset,
    *,
    model: str | None = None,
    weights: str | Path | None = None,
    recipe: str | Recipe | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    settings: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    size: int | None = None,
    freeze: str | None = None,
    val_fraction: float = 0.1,
    seed: int = 0,
    run: str | Path | None = None,
    device: str = "auto",
    devices: int = 1,
    precision: str = "auto",
    workers: int | None = None,
    time_limit: float = 0,
    checkpoint_every: float = 60,
    quiet: bool = False,
    report: bool = True,
    command: str | None = None,
) -> Classifier:
    """Train a classifier on images.

    Args:
        source: a folder, CSV, Parquet or IDX file, a known name ("mnist"), or an opened data set; see `open_dataset`.
        model: a network's name; by default one that suits the size of the images.
        weights: pretrained weights to start from: a name on the network's card ("imagenet") or a file.
        recipe: a recipe or its name; by default one that suits images and weights.
        epochs: instead of the recipe's; batch_size and learning_rate likewise.
        batch_size: see epochs.
        learning_rate: see epochs.
        settings: any fields of the recipe by name, nested ones with a dot: {"augment.rotate": 15}.
        options: options of the network, such as {"shortcut": "B"}.
        size: side of the images that the network sees, pixels.
        freeze: train only what comes after this part of the network: "stem", a stage's name, or "all" but the head.
        val_fraction: share of the training images set aside to validate on, where the source has no such split;
            0 trains on all and keeps the last weights.
        seed: decides split, first weights, order and augmentations.
        run: the folder to write; by default a new one under runs/.
        device: "auto", "cpu", "cuda" or "mps".
        devices: how many of them.
        precision: "auto", "32", "bf16", "16" or "64".
        workers: processes that read and augment images; by default as many as help.
        time_limit: seconds after which training stops cleanly; 0 for none.
        checkpoint_every: seconds between checkpoints within an epoch.
        quiet: show no progress.
        report: write report.html.
        command: the command line to record in the report, if there was one.

    Returns:
        The best classifier found, whose `path` is the run folder.

    Raises:
        StriateError: anything a user can mend, in one line.
    """
    check_request(model, recipe, device, precision, workers)
    if run is not None:
        RunFolder(run).refuse_existing()
    if isinstance(source, Dataset):
        dataset = source
    else:
        if isinstance(source, Path) and str(source) in NAMES:
            source = source.absolute()  # a folder called "digits", not the data set of that name
        channels = pretrained_channels(model, weights) if weights and model else None
        dataset = open_dataset(source, seed=seed, val_fraction=val_fraction, channels=channels)
    chosen = plan_run(
        dataset,
        model=model,
        weights=weights,
        recipe=recipe,
        settings={
            **({} if epochs is None else {"epochs": epochs}),
            **({} if batch_size is None else {"batch_size": batch_size}),
            **({} if learning_rate is None else {"learning_rate": learning_rate}),
            **(settings or {}),
        },
        options=options or {},
        size=size,
        freeze=freeze,
        seed=seed,
        device=device,
        devices=devices,
        precision=precision,
        workers=workers,
    )
    config = {
        **chosen,
        "source": str(dataset.source),
        "absolute_source": "" if dataset.source in NAMES else str(Path(dataset.source).expanduser().absolute()),
        "val_fraction": val_fraction,
        "command": command or "",
        "created": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    folder = RunFolder.create(run, _stem(dataset.source))
    try:
        folder.write_config(config)
        if dataset.skipped:
            dataset.write_skipped(folder.skipped)
        return _run(folder, config, dataset, create_progress(quiet), time_limit, checkpoint_every, report)
    except BaseException:
        folder.remove_if_unstarted()
        raise
    finally:
        folder.unlock()


def resume(
    run: str | Path,
    *,
    extend: int = 0,
    time_limit: float = 0,
    checkpoint_every: float = 60,
    quiet: bool = False,
    report: bool = True,
    workers: int | None = None,
) -> Classifier:
    """Go on with a run that was stopped, killed, or is to be extended.

    The weights and metrics become those of a run that was never stopped, bit for bit on the CPU.

    Args:
        run: the run folder.
        extend: epochs to add; the schedule runs over them once more from a tenth of its peak, without warm-up.
        time_limit: as for `train`, and so are the others.
        checkpoint_every: see `train`.
        quiet: see `train`.
        report: see `train`.
        workers: see `train`; the result does not depend on it.

    Raises:
        StriateError: no run, a run another process is in, a damaged checkpoint, or data that has changed.
    """
    if extend < 0:
        raise UsageError(f"extend is {extend}; give the number of epochs to add.")
    folder = RunFolder.open(run)
    try:
        config = folder.read_config()
        if config.get("format") != FORMAT:
            raise StriateError(f"{folder.config}: does not say how the run is trained, so it cannot go on.")
        if workers is not None:
            config["workers"] = workers
        source = locate(config["source"], config["absolute_source"])
        channels = config["preprocessing"]["channels"]
        dataset = open_dataset(source, seed=config["seed"], val_fraction=config["val_fraction"], channels=channels)
        if dataset.fingerprint != config["fingerprint"]:
            raise StriateError(
                f"{source}: the images have changed since {folder.path} was trained, so it cannot go on exactly. "
                "Bring them back, or train a new run."
            )
        progress = create_progress(quiet)
        return _run(folder, config, dataset, progress, time_limit, checkpoint_every, report, extend)
    finally:
        folder.unlock()


def _run(
    folder: RunFolder,
    config: dict[str, Any],
    dataset: Dataset,
    progress: Quiet,
    time_limit: float,
    checkpoint_every: float,
    report: bool,
    extend: int = 0,
) -> Classifier:
    """Train what `config` says, from the checkpoint where there is one, and describe the result."""
    training = _prepare(folder, config, dataset, progress, time_limit, checkpoint_every, extend)
    for line in _introduction(folder, config, dataset, training):
        progress.message(line)
    if not training.position.stopped_by:
        position = training.train()
        training.save_result_so_far()
    else:
        position = training.position
        progress.message(f"{folder.path} is trained already; --extend N adds epochs.")
    if position.epoch < training.epochs and position.stopped_by in ("interrupted", "time limit"):
        line = (
            f"stopped in epoch {position.epoch + 1} of {training.epochs} ({position.stopped_by}); everything is "
            f"saved. Go on with: striate train --resume {shlex.quote(str(folder.path))}"
        )
        if position.stopped_by == "interrupted":
            raise Interrupted(line)
        progress.message(line)
    classifier = load(folder.path)
    classifier.evaluation = classifier.evaluate(dataset)
    if report and training.fabric.is_global_zero:
        report_run(folder, config, dataset, classifier, position)
    return classifier


class Interrupted(StriateError):
    """Training was stopped by Ctrl-C; everything is saved."""

    exit_code = 130


def _prepare(
    folder: RunFolder,
    config: dict[str, Any],
    dataset: Dataset,
    progress: Quiet,
    time_limit: float,
    checkpoint_every: float,
    extend: int,
) -> Training:
    recipe = Recipe.from_dict(config["recipe"])
    preprocessing = Preprocessing.from_dict(config["preprocessing"])
    fabric = create_fabric(config["device"], config["devices"], config["precision"])
    workers, size = config["workers"], recipe.batch_size // config["devices"]
    shares = {"rank": fabric.global_rank, "world_size": fabric.world_size}
    batches = Batches(dataset.train, preprocessing, size, recipe.augment, config["seed"], workers, **shares)
    val = Batches(dataset.val, preprocessing, VALIDATION_BATCH, workers=workers) if dataset.val else None

    def build(phases: list[int]) -> Training:
        torch.manual_seed(config["seed"])
        network = _network(config, pretrained=not folder.checkpoint.exists())
        save = _saver(folder, config, dataset, preprocessing)
        common = (
            batches,
            val,
            dataset.classes,
            preprocessing,
            recipe,
            phases,
            folder,
            fabric,
            save,
            progress,
        )
        return Training(network, *common, time_limit, checkpoint_every)

    training = build(config["phases"])
    if folder.checkpoint.exists():
        training.restore()
    if extend:
        done = training.position.epoch
        stopped = bool(training.position.stopped_by)
        config["phases"] = [done, extend] if stopped else [*config["phases"], extend]
        training = build(config["phases"])
        training.restore()
        training.position.epochs_since_best_loss = 0
        folder.write_config(config)
    return training


def _network(config: dict[str, Any], pretrained: bool) -> ConvNet:
    weights = config["weights"] if pretrained else None
    network = create_model(config["network"]["name"], weights=weights, **config["network"]["arguments"])
    if config["freeze"]:
        network.freeze(config["freeze"])
    return network


def _saver(folder: RunFolder, config: dict[str, Any], dataset: Dataset, preprocessing: Preprocessing) -> Any:
    """The function that writes the best weights so far as model.safetensors."""

    def save(network: torch.nn.Module, figures: dict[str, float]) -> None:
        description = Description(
            network=config["network"],
            classes=dataset.classes,
            preprocessing=preprocessing,
            recipe=config["recipe"],
            data={
                "source": config["source"],
                "fingerprint": dataset.fingerprint,
                "images": {split.name: len(split) for split in dataset.splits},
                "seed": config["seed"],
                "val_fraction": config["val_fraction"],
            },
            metrics=figures,
            versions=config["versions"],
        )
        assert isinstance(network, ConvNet)
        save_model(folder.model, network, description)

    return save


def _introduction(folder: RunFolder, config: dict[str, Any], dataset: Dataset, training: Training) -> list[str]:
    """What the watcher should know before the first epoch."""
    counts = ", ".join(f"{len(split):,} {split.name}" for split in dataset.splits)
    lines = [f"{dataset.source}: {len(dataset.classes)} classes, {counts} images"]
    lines += [f"note: {note}" for note in dataset.notes]
    if dataset.skipped:
        first = dataset.skipped[0]
        lines.append(
            f"{first.path}: {first.reason}; skipped. {len(dataset.skipped):,} files skipped, listed in {folder.skipped}"
        )
    height, width = config["preprocessing"]["size"]
    lines.append(
        f"{config['network']['name']} at {height}x{width}, recipe '{config['recipe']['name']}', "
        f"{config['device']} in {config['precision']}; writing to {folder.path}"
    )
    lines += [f"note: {note}" for note in config["notes"]]
    if training.position.step:
        lines.append(f"going on from epoch {training.position.epoch}, step {training.position.step}")
    if len(config["phases"]) > 1:
        lines.append(
            f"extended: epochs {' + '.join(map(str, config['phases']))}; each extension runs the schedule "
            "once more from a tenth of its peak rate, without warm-up"
        )
    return lines


def _stem(source: str) -> str:
    path = Path(source)
    return (path.resolve().stem if path.exists() else path.stem) or "run"
