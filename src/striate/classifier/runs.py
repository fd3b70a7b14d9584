"""From a source of images to a classifier in a run folder: what `striate.train` and `--resume` do."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from striate.classifier import request
from striate.classifier.classifier import Classifier
from striate.classifier.execution import Settings, execute, first_process
from striate.classifier.places import locate, open_place, place_of, refuse_among_images
from striate.classifier.plan import plan_run, pretrained_channels
from striate.classifier.resumable import (
    read_config,
    refuse_other_machine,
    refuse_other_run,
    refuse_without_checkpoint,
)
from striate.data import Dataset
from striate.errors import StriateError
from striate.files import as_spelt_here
from striate.training.fabric import create_fabric
from striate.training.progress import create_progress
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder


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
    time_limit: float | str = 0,
    checkpoint_every: float | str = 60,
    quiet: bool = False,
    report: bool = True,
    drop_checkpoint: bool = False,
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
        time_limit: after which training stops cleanly: seconds, or "90s", "15m", "2h"; 0 for none.
        checkpoint_every: time between checkpoints within an epoch, likewise.
        quiet: show no progress.
        report: write report.html.
        drop_checkpoint: remove last.ckpt, the largest file, once the training is finished: it is good as it is, and
            cannot be extended.
        command: the command line to record in the report, if there was one.

    Returns:
        The best classifier found, whose `path` is the run folder.

    Raises:
        StriateError: anything a user can mend, in one line.
    """
    seed, devices = request.whole("seed", seed, 0, request.SEEDS), request.whole("devices", devices, 1, request.DEVICES)
    size = None if size is None else request.whole("size", size, 1, request.SIDES)
    workers = None if workers is None else request.whole("workers", workers, 0, request.WORKERS)
    val_fraction = request.share("val_fraction", val_fraction)
    limit, every = request.seconds("time_limit", time_limit), request.seconds("checkpoint_every", checkpoint_every)
    named = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
    settings, options = request.recipe_fields(named, settings), request.network_options(options)
    freeze = None if freeze is None else request.word("freeze", freeze)
    weights = None if weights is None else request.place("weights", weights)
    run = None if run is None else request.place("run", run)
    source = source if isinstance(source, Dataset) else request.place("source", source)
    precision = str(precision)
    request.check_hardware(device, precision)
    asked_for = request.check_recipe(recipe, settings)
    model = asked_for.network or None if model is None else request.word("model", model)
    request.check_network(model, weights, options, size, freeze)
    if run is not None:
        RunFolder(run).refuse_existing()
    refuse_among_images("runs" if run is None else run, source)
    if isinstance(source, Dataset):
        dataset = source
    else:
        channels = pretrained_channels(model, weights) if weights and model else None
        dataset = open_place(source, seed=seed, val_fraction=val_fraction, channels=channels)
    chosen = plan_run(
        dataset,
        model=model,
        weights=weights,
        recipe=recipe,
        settings=settings,
        options=options,
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
        **place_of(str(dataset.source)),
        "val_fraction": val_fraction,
        "command": command or "",
        "created": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    fabric = create_fabric(config["device"], devices, config["precision"])
    folder = first_process(fabric, lambda: RunFolder.create(run, _stem(dataset.source)))
    try:
        if fabric.is_global_zero:
            folder.write_config(config)
            if dataset.skipped:
                dataset.write_skipped(folder.skipped)
        watch = Settings(create_progress(quiet or not fabric.is_global_zero), limit, every, report, drop_checkpoint)
        return execute(folder, config, dataset, fabric, watch)
    except BaseException:
        folder.remove_if_unstarted()
        raise
    finally:
        folder.unlock()


def resume(
    run: str | Path,
    *,
    extend: int = 0,
    data: str | Path | Dataset | None = None,
    time_limit: float | str = 0,
    checkpoint_every: float | str = 60,
    quiet: bool = False,
    report: bool = True,
    workers: int | None = None,
    drop_checkpoint: bool = False,
) -> Classifier:
    """Go on with a run that was stopped, killed, or is to be extended.

    The weights and metrics become those of a run that was never stopped, bit for bit on the CPU.

    Args:
        run: the run folder.
        extend: epochs to add; the schedule runs over them once more from a tenth of its peak, without warm-up.
        data: where its images lie now, where they have been moved; they must be the same ones. The run remembers it.
        time_limit: as for `train`, and so are the others.
        checkpoint_every: see `train`.
        quiet: see `train`.
        report: see `train`.
        workers: see `train`; the result does not depend on it.
        drop_checkpoint: see `train`; of a finished run it is removed at once.

    Raises:
        StriateError: no run, a run another process is in, a damaged or missing checkpoint, or data that has changed.
    """
    extend = request.whole("extend", extend, 0, request.EPOCHS)
    limit, every = request.seconds("time_limit", time_limit), request.seconds("checkpoint_every", checkpoint_every)
    config = read_config(RunFolder(request.place("run", run)))
    workers = config["workers"] if workers is None else workers
    config["workers"] = request.whole("workers", workers, 0, request.WORKERS)
    data = data if data is None or isinstance(data, Dataset) else request.place("data", data)
    refuse_other_machine(RunFolder(run), config)
    fabric = create_fabric(config["device"], config["devices"], config["precision"])
    folder = first_process(fabric, lambda: RunFolder.open(run))
    try:
        refuse_without_checkpoint(folder, config)
        refuse_other_run(folder, config)
        dataset = _same_images(folder, config, data)
        if data is not None:
            config |= place_of(str(dataset.source))
            if fabric.is_global_zero:
                folder.update_config(**place_of(str(dataset.source)))
        watch = Settings(create_progress(quiet or not fabric.is_global_zero), limit, every, report, drop_checkpoint)
        return execute(folder, config, dataset, fabric, watch, extend)
    finally:
        folder.unlock()


def _same_images(folder: RunFolder, config: dict[str, Any], data: str | Path | Dataset | None) -> Dataset:
    """The images that a run was trained on, from where they are now.

    Raises:
        StriateError: they are not there, or not the same.
    """
    instead = f"striate train --resume {shlex.quote(str(folder.path))} --data NEW_PLACE"
    if isinstance(data, Dataset):
        dataset = data
    else:
        place = locate(config["source"], config["absolute_source"], instead) if data is None else data
        channels = config["preprocessing"]["channels"]
        dataset = open_place(place, seed=config["seed"], val_fraction=config["val_fraction"], channels=channels)
    if dataset.fingerprint == config["fingerprint"]:
        return dataset
    if data is not None:
        raise StriateError(f"{dataset.source}: not the images that {folder.path} was trained on, so it cannot go on.")
    raise StriateError(
        f"{dataset.source}: the images have changed since {folder.path} was trained, so it cannot go on exactly. "
        f"Bring them back, name where they lie now ({instead}), or train a new run."
    )


def _stem(source: str) -> str:
    path = Path(as_spelt_here(source))
    return (path.resolve().stem if source and path.exists() else path.stem) or "run"
