"""From a source of images to a classifier in a run folder: what `striate.train` and `--resume` do."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from striate.augment import Augment
from striate.classifier import values
from striate.classifier.classifier import Classifier
from striate.classifier.execution import Processes, execute, first_process
from striate.classifier.places import locate, open_place, place_of, refuse_among_images
from striate.classifier.plan import adapts_channels, channels_wanted, plan_run
from striate.classifier.request import Request, check_cache
from striate.classifier.resumable import (
    refuse_other_machine,
    refuse_other_run,
    refuse_untrusted,
    refuse_without_checkpoint,
)
from striate.classifier.run_config import RunConfig
from striate.data import Dataset
from striate.errors import StriateError
from striate.files import as_spelt_here
from striate.models import Handed, Trust
from striate.training.alone import Alone
from striate.training.cache_choice import DISK, OFF
from striate.training.fabric import create_fabric
from striate.training.progress import Quiet, create_progress
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder
from striate.training.watch import Watch, Watching
from striate.transfer import RULES


def train(
    source: str | Path | Dataset,
    *,
    model: str | Handed | None = None,
    weights: str | Path | None = None,
    grow_from: str | Path | None = None,
    grow_rule: str = RULES[0],
    recipe: str | Recipe | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    policy: str | Augment | None = None,
    balance: str | None = None,
    settings: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    size: int | None = None,
    resize: str | None = None,
    freeze: str | None = None,
    transfer: str | None = None,
    views: int | None = None,
    shallow: str | None = None,
    task: str | None = None,
    target: str | Sequence[str] | None = None,
    val_fraction: float = 0.1,
    seed: int = 0,
    run: str | Path | None = None,
    device: str = "auto",
    devices: int = 1,
    precision: str = "auto",
    workers: int | None = None,
    cache: str = "auto",
    time_limit: float | str = 0,
    checkpoint_every: float | str = 60,
    quiet: bool = False,
    report: bool = True,
    drop_checkpoint: bool = False,
    command: str | None = None,
) -> Classifier:
    """Train a classifier on images.

    Args:
        source: a folder, table, list, archive, Parquet or IDX file, an address, a known name ("mnist"), or an opened
            data set; see `open_dataset`.
        model: a network's name; `torchvision:NAME`, `timm:NAME`, `file.py:function` or `package.module:Class`; in
            Python also a module, which is trained in place from the weights it has, or a function or class that makes
            one. By default a network that suits the size of the images.
        weights: weights to start from: a name on the network's card ("imagenet"), a run folder or a file; of the last
            two the network is taken, where no model is given. Other classes than theirs get a fresh head.
        grow_from: a run folder or model file whose network `model` is made deeper: training begins with its layers, and
            by default with its options, size and preprocessing; freeze="copied" trains the new layers first.
        grow_rule: what is copied and how the rest begins: "identity" (all; new layers hand on what they are fed),
            "random" (all; new ones at random), "paper" (VGG's four convolutions and dense layers); see
            `striate.transfer.grow`.
        recipe: a recipe or its name; by default one that suits images and weights.
        epochs: instead of the recipe's; batch_size and learning_rate likewise.
        batch_size: see epochs.
        learning_rate: see epochs.
        policy: how training images are augmented: a policy, or the name of one; by default the recipe's.
        balance: what is done about classes of few images: "weights" (they count more in the loss), "sampler" (their
            images come more often) or "none"; see `Recipe`.
        settings: any fields of the recipe by name, nested ones with a dot: {"augment.rotate": 15}.
        options: options of the network, such as {"shortcut": "B"}, or arguments of the function that makes it.
        size: side of the images that the network sees, pixels.
        resize: how images are brought to that size: "crop" (the middle of them), "letterbox" (whole, on black),
            "stretch" (whole, whatever their aspect) or "none" (they have it); by default the rule of the weights, else
            "crop", small images whole. Evaluation and prediction use the rule of the training.
        freeze: train only what comes after this part of the network: "stem", a stage's name, or "all" but the head;
            the settings' "unfreeze" trains more as epochs begin: "5:stage2,10:none".
        transfer: how pretrained weights are used: "features" (a linear classifier of them), "head", "top" (with the
            last stages), "full", "scratch" (not at all), or "auto", what suits the number of images; see
            `striate.transfer.regimes`. By default "auto" for photographs where weights can be had, "full" where epochs
            are set; no regime where a recipe, freeze or grow_from says how to train.
        views: augmented copies of each training image whose features are taken and kept, too, for that classifier; by
            default 4 where images are few or it is only the beginning.
        shallow: that classifier: "softmax", "svm" or "cosine" (the nearest class mean by angle); by default what suits.
        task: what the labels of a table are: "single-label", "multi-label" or "regression"; see `open_dataset`.
        target: the columns of the labels, as a list or with commas; by default those that are called so.
        val_fraction: share of the training images set aside to validate on, where the source has no such split;
            0 trains on all and keeps the last weights.
        seed: decides split, first weights, order and augmentations.
        run: the folder to write; by default a new one under runs/.
        device: "auto", "cpu", "cuda" or "mps".
        devices: how many of them.
        precision: "auto", "32", "bf16", "16" or "64".
        workers: processes that read and augment images; by default as many as help.
        cache: where decoded pictures are kept, which changes nothing of the result: "ram", "disk" (a file in the cache
            folder, for later runs, too), "off", or "auto", memory or a disk where they fit and it pays.
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
    named = {
        "augment": policy,
        "balance": balance,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
    }
    asked = Request(
        source=source,
        model=model,
        weights=weights,
        grow_from=grow_from,
        grow_rule=grow_rule,
        recipe=recipe,
        settings=values.recipe_fields(named, settings),
        options=options or {},
        size=size,
        resize=resize,
        freeze=freeze,
        transfer=transfer,
        views=views,
        shallow=shallow,
        task=task,
        target=target,
        val_fraction=val_fraction,
        seed=seed,
        run=run,
        device=device,
        devices=devices,
        precision=precision,
        workers=workers,
        cache=cache,
        command=command or "",
    )
    watch = watching(time_limit, checkpoint_every, quiet, report, drop_checkpoint)
    return _begin(asked, watch)


def _begin(asked: Request, watch: Watch) -> Classifier:
    """Open the images, plan the run, make its folder, and train."""
    until = time.monotonic() + (watch.time_limit or math.inf)
    if asked.run is not None:
        RunFolder(asked.run).refuse_existing()
    refuse_among_images("runs" if asked.run is None else asked.run, asked.source)
    dataset = _opened(asked)
    config = plan_run(dataset, asked, watch)
    fabric = processes_of(config)
    folder = first_process(fabric, lambda: RunFolder.create(asked.run, _stem(dataset.source)))
    try:
        if fabric.is_global_zero:
            folder.write_config(config.to_dict())
            if dataset.skipped:
                dataset.write_skipped(folder.skipped)
        return execute(folder, config, dataset, fabric, of_process(watch.until(until), fabric), 0, asked.trust)
    except BaseException:
        folder.remove_if_unstarted()
        raise
    finally:
        folder.unlock()


def _opened(asked: Request) -> Dataset:
    if isinstance(asked.source, Dataset):
        return asked.source
    options: dict[str, Any] = {
        "seed": asked.seed,
        "val_fraction": asked.val_fraction,
        "channels": channels_wanted(asked),
    }
    options |= {"task": asked.task, "target": asked.columns}
    options |= _kept_by_the_check(asked.cache)
    try:
        return open_place(asked.source, **options)
    except StriateError:
        if not adapts_channels(asked):
            raise
    return open_place(asked.source, **{**options, "channels": None})  # bands that nothing makes colours of


def _kept_by_the_check(cache: str) -> dict[str, Any]:
    """How much of what it decodes the check may keep: nothing where pictures are to be kept elsewhere or nowhere."""
    return {"memory_limit": 0} if cache in (DISK, OFF) else {}


def resume(
    run: str | Path,
    *,
    extend: int = 0,
    data: str | Path | Dataset | None = None,
    workers: int | None = None,
    cache: str | None = None,
    trust: str | Path | None = None,
    model: Handed | None = None,
    **watch: Unpack[Watching],
) -> Classifier:
    """Go on with a run that was stopped, killed, or is to be extended.

    The weights and metrics become those of a run that was never stopped, bit for bit on the CPU.

    Args:
        run: the run folder.
        extend: epochs to add; the schedule runs over them once more from a tenth of its peak, without warm-up.
        data: where its images lie now, where they have been moved; they must be the same ones. The run remembers it.
        workers: see `train`; the result does not depend on it.
        cache: likewise.
        trust: the file or module whose code makes its network, where it is your own; see `load`.
        model: the network itself, where it was handed over.
        watch: time_limit, checkpoint_every, quiet, report and drop_checkpoint as for `train`; of a finished run the
            checkpoint is dropped at once.

    Raises:
        StriateError: no run, a run another process is in, a damaged or missing checkpoint, or data that has changed.
    """
    extend = values.whole("extend", extend, 0, values.EPOCHS)
    watched, trusted = watching(**watch), Trust.of(trust, model)
    config = RunConfig.read(RunFolder(values.place("run", run)))
    if workers is not None:
        config = replace(config, workers=values.whole("workers", workers, 0, values.WORKERS))
    if cache is not None:
        check_cache(cache)
        config = replace(config, cache=cache)
    data = data if data is None or isinstance(data, Dataset) else values.place("data", data)
    refuse_other_machine(RunFolder(run), config)
    refuse_untrusted(RunFolder(run), config, trusted)
    fabric = processes_of(config)
    folder = first_process(fabric, lambda: RunFolder.open(run))
    try:
        refuse_without_checkpoint(folder, config)
        refuse_other_run(folder, config)
        dataset = _same_images(folder, config, data)
        if data is not None:
            place = place_of(str(dataset.source))
            config = replace(config, **place)
            if fabric.is_global_zero:
                folder.update_config(**place)
        return execute(folder, config, dataset, fabric, of_process(watched, fabric), extend, trusted)
    finally:
        folder.unlock()


def watching(
    time_limit: float | str = 0,
    checkpoint_every: float | str = 60,
    quiet: bool = False,
    report: bool = True,
    drop_checkpoint: bool = False,
) -> Watch:
    """How a training is carried out, from what a caller says.

    Raises:
        UsageError: a time that is none.
    """
    limit, every = values.seconds("time_limit", time_limit), values.seconds("checkpoint_every", checkpoint_every)
    return Watch(create_progress(quiet), limit, every, report, drop_checkpoint)


def processes_of(config: RunConfig) -> Processes:
    """The processes of a run; what may end without training does not wait for what trains to be imported."""
    if config.transfer and config.devices == 1:
        return Alone()
    return create_fabric(config.device, config.devices, config.precision)


def of_process(watch: Watch, fabric: Processes) -> Watch:
    """The same for one of several processes: only the first speaks."""
    return watch if fabric.is_global_zero else replace(watch, progress=Quiet())


def _same_images(folder: RunFolder, config: RunConfig, data: str | Path | Dataset | None) -> Dataset:
    """The images that a run was trained on, from where they are now.

    Raises:
        StriateError: they are not there, or not the same.
    """
    instead = f"striate train --resume {shlex.quote(str(folder.path))} --data NEW_PLACE"
    if isinstance(data, Dataset):
        dataset = data
    else:
        place = locate(config.source, config.absolute_source, instead) if data is None else data
        channels = config.preprocessing.channels
        options = {"task": config.task.get("kind"), "target": config.target, **_kept_by_the_check(config.cache)}
        dataset = open_place(place, seed=config.seed, val_fraction=config.val_fraction, channels=channels, **options)
    if dataset.fingerprint == config.fingerprint:
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
