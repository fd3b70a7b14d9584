"""What a report says of a run in words: what it started from, what was frozen, and why its two losses differ."""

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
from striate.training.recipes import Recipe
from striate.training.tasks import Task


def as_trained(network: Network, freeze: str | None) -> Network:
    """A copy of the network as the loop had it: in training mode, the frozen part frozen."""
    twin = copy.deepcopy(network)
    if freeze:
        twin.freeze(freeze)
    return twin.train()


def start(config: RunConfig) -> str:
    """The weights that training began with."""
    weights = config.weights
    if not weights:
        return f"random first weights, seed {config.seed}"
    return weights if Path(weights).is_absolute() else f"pretrained weights '{weights}' of {config.network.name}"


def frozen(network: Network) -> str:
    """The part that did not train; empty where all did."""
    if not network.frozen:
        return ""
    if len(network.frozen) == len(network.parts()):
        return "all but the head"
    return network.frozen[0] if len(network.frozen) == 1 else f"{network.frozen[0]} to {network.frozen[-1]}"


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
    if smoothing := recipe.label_smoothing:
        floor = smoothing_floor(smoothing, len(task.classes) if task.kind == SINGLE_LABEL else 2)
        clauses.append(f"labels are smoothed by {smoothing:g} in training only, so its loss is {floor:.3g} or more")
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
