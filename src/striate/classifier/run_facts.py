"""What a report says of a run in words: what it started from, what was frozen and when, why its two losses differ."""

from __future__ import annotations

import copy
import math
import shlex
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from striate.classifier.run_config import RunConfig
from striate.data.targets import SINGLE_LABEL
from striate.layers import DropPath
from striate.models import Network
from striate.training.balance import SAMPLER, WEIGHTS
from striate.training.recipes import Recipe
from striate.training.state import Position
from striate.training.tasks import Task
from striate.training.trained_set import freeze
from striate.training.unfreezing import span, thaws_in


def as_trained(network: Network, until: str | None, copied: Sequence[str] = ()) -> Network:
    """A copy of the network as the loop had it: in training mode, frozen up to and with `until`.

    `copied` are the layers that a shallower network gave it.
    """
    twin = copy.deepcopy(network)
    twin.copied = tuple(copied)
    if until:
        twin.freeze(until)
    return twin.train()


def start(config: RunConfig) -> str:
    """The weights that training began with."""
    weights = config.weights
    if config.grown:
        return f"{config.grown['from']}, whose {config.grown['shallow']} it grew from"
    if not weights:
        return f"random first weights, seed {config.seed}"
    return weights if Path(weights).is_absolute() else f"pretrained weights '{weights}' of {config.network.name}"


def frozen(network: Network) -> str:
    """The part that did not train; empty where all did."""
    if not network.frozen:
        return ""
    if len(network.frozen) == len(network.parts()):
        return "all but the head"
    return span(network.frozen)


def unfrozen(network: Network, recipe: Recipe, position: Position) -> str:
    """Unfreeze a network, `as_trained` when its training began, as that went on; what and when, in words."""
    words, begun = [], position.epoch + (position.step_in_epoch > 0)
    for thaw in thaws_in(recipe.unfreeze):
        if thaw.epoch <= begun:
            before = network.frozen
            freeze(network, thaw.until)
            words.append(f"{span([name for name in before if name not in network.frozen])} from epoch {thaw.epoch} on")
    return ", ".join(words)


def extensions(run: Path, asked: Sequence[int]) -> list[str]:
    """The commands that extended a run by so many epochs each."""
    return [f"striate train --resume {shlex.quote(str(run))} --extend {epochs}" for epochs in asked]


def loss_differences(recipe: Recipe, network: Network, task: Task) -> list[str]:
    """Why the training loss is not what validation measures, a clause each; `network` is `as_trained`."""
    loss = task.loss_name(recipe, network.loss)
    clauses = []
    if loss != task.measured:
        words = task.measured.replace("_", "-" if task.measured == "cross_entropy" else " ")
        clauses.append(f"training minimises {loss}, validation measures {words}")
    if recipe.balance == WEIGHTS:
        clauses.append("rare classes count more in training, and all images alike in validation")
    if (smoothing := recipe.label_smoothing) and recipe.balance == WEIGHTS:
        clauses.append(f"labels are smoothed by {smoothing:g} in training only")
    elif smoothing:
        floor = smoothing_floor(smoothing, len(task.classes) if task.kind == SINGLE_LABEL else 2)
        clauses.append(f"labels are smoothed by {smoothing:g} in training only, so its loss is {floor:.3g} or more")
    if recipe.balance == SAMPLER:
        clauses.append("images of rare classes come more often in training")
    if recipe.augment.changes_geometry or recipe.augment.changes_colour:
        clauses.append("training images are augmented")
    if any(_drops(layer) for layer in network.modules()):
        clauses.append("dropout is on in training only")
    if recipe.average:
        clauses.append("the average of the weights is what is validated")
    return [*clauses, "it is the mean over an epoch in which the network was still learning"]


def smoothing_floor(smoothing: float, num_classes: int) -> float:
    """The least cross-entropy with smoothed labels: the entropy of the labels themselves, in nats."""
    other = smoothing / num_classes
    own = 1 - smoothing + other
    return -own * math.log(own) - (num_classes - 1) * other * math.log(other)


def _drops(layer: nn.Module) -> bool:
    """Whether the layer puts out zeros by chance while training, frozen parts aside."""
    kinds = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
    rate = layer.p if isinstance(layer, kinds) else layer.probability if isinstance(layer, DropPath) else 0.0
    return layer.training and rate > 0
