"""What a run needs before its first step, as its config.json says: the network, the batches, and where it stands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from striate.augment import Augment
from striate.augment.colour import principal_axes
from striate.classifier.growth import regrow
from striate.classifier.run_config import RunConfig
from striate.classifier.saving import saver
from striate.data import Dataset
from striate.data.channel_statistics import colour_covariance
from striate.data.targets import SINGLE_LABEL
from striate.engines import images_at_once
from striate.models import Network, Trust, create_model, rebuild
from striate.models.weights_of_own import put_in
from striate.training.balance import SAMPLER
from striate.training.batches import Batches
from striate.training.caching import Setting, cached
from striate.training.first_weights import draw_first_weights
from striate.training.loop import Training
from striate.training.material import Material
from striate.training.run_folder import RunFolder
from striate.training.tasks import Task, task_of
from striate.training.watch import Watch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

#: Images of a validation batch, at most; its size changes speed and memory only.
VALIDATION_BATCH = 128


def network_of(config: RunConfig, trust: Trust, pretrained: bool) -> Network:
    """The network of a run, as it begins.

    Args:
        config: of the run.
        trust: whose code may make it.
        pretrained: whether it begins with its pretrained weights; else a checkpoint has all weights.

    Raises:
        StriateError: the weights cannot be had, or nobody has named the code that makes it.
    """
    torch.manual_seed(config.seed)
    weights = config.weights if pretrained else None
    network: Network
    if config.network.origin:
        network = rebuild(config.network, trust)
        if weights:
            put_in(network, weights)
    else:
        network = create_model(config.network.name, weights=weights, **config.network.arguments)
    if pretrained:  # else the checkpoint has all weights
        draw_first_weights(network, config.recipe.init, config.weights or config.transfer or None)
    regrow(network, config.grown, afresh=pretrained)
    if config.freeze:
        network.freeze(config.freeze)
    return network


def prepare(
    network: Network, folder: RunFolder, config: RunConfig, dataset: Dataset, fabric: Fabric, watch: Watch
) -> Training:
    """The training that `config` describes, standing where its checkpoint left it."""
    training = Training(
        model=network,
        material=_material(config, dataset, fabric, watch),
        recipe=config.recipe,
        run=folder,
        fabric=fabric,
        watch=watch,
        save_best=saver(folder, config, dataset),
        identity=config.identity,
    )
    if config.transfer:
        training.guard.guessing = _guessing(training.task, config, network)
    if folder.checkpoint.exists():
        training.restore()
        if training.position.best is not None and not folder.model.exists():
            watch.progress.message(f"note: {folder.model} is gone, and with it the best weights before this point")
            training.position.best = None
    return training


def _material(config: RunConfig, dataset: Dataset, fabric: Fabric, watch: Watch) -> Material:
    """The batches of this process."""
    policy, place = config.recipe.augment, config.absolute_source
    setting = Setting(policy, config.preprocessing, config.recipe.epochs, place, fabric.world_size)
    images = cached([split for split in (dataset.train, dataset.val) if split], config.cache, setting, watch.progress)
    if images.words:
        watch.progress.message(images.words)
    together = images_at_once(config.preprocessing.size, VALIDATION_BATCH, config.device)
    look, workers, size = config.preprocessing, config.workers, config.recipe.batch_size // fabric.world_size
    task, labels = task_of(dataset), dataset.train.labels
    return Material(
        train=Batches(
            images.splits[0],
            look,
            size,
            policy,
            config.seed,
            workers,
            part=(fabric.global_rank, fabric.world_size),
            classes=len(dataset.classes),
            axes=colour_axes(policy, dataset),
            times=task.times(labels) if config.recipe.balance == SAMPLER else None,
            device=fabric.device,
        ),
        val=Batches(images.splits[1], look, together, workers=workers) if dataset.val else None,
        task=task,
        preprocessing=look,
        final_images=len(dataset.test or dataset.val or dataset.train),
        cache=images.way,
    )


def colour_axes(policy: Augment, dataset: Dataset) -> np.ndarray | None:
    """The directions in which the colours of the training images vary, where the policy has PCA colour."""
    if not policy.pca or dataset.channels != 3:
        return None
    return principal_axes(colour_covariance(dataset.train.images))


def _guessing(task: Task, config: RunConfig, network: Network) -> float:
    """The training loss of naming classes at random; infinite of a loss for which that is not known."""
    known = task.kind == SINGLE_LABEL and task.loss_name(config.recipe, network.loss) == task.measured
    return math.log(max(2, len(task.classes))) if known else math.inf
